"""Every question with a time limit: how long it takes, and what it has found by then.

Each question is asked in a process of its own, of a generated city that it cannot answer in full
within the limit. What counts is seconds on the clock, from the call to its answer: at most a tenth
or two seconds more than the limit.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import capsim
from benchmarks.goals import check
from benchmarks.measure import ROOT
from capsim.demand.observed import birth_variant
from capsim.lp.options_and_result import SolverError
from capsim.plan.plan import no_plan
from capsim.workflow import run as run_whole

LIMITS_S = (5.0, 20.0, 60.0)
SHARE, LEAST_S = 0.1, 2.0
PATIENCE = 3.0
"""Times the limit (and a minute for the city) after which a question counts as hanging."""
AREAS, LESS, MAP = 200, 60, 300
Ask = Callable[[float], str]
QUESTIONS: dict[str, Callable[[], Ask]] = {}


def question(make: Callable[[], Ask]) -> Callable[[], Ask]:
    """Register a question: it prepares itself, and is then asked with seconds."""
    QUESTIONS[make.__name__] = make
    return make


def _city(areas: int = AREAS, **settings: Any) -> capsim.Scenario:
    made = capsim.generate(areas=areas, pupils=2000 * areas, seed=1, years=(2021, 2030))
    return made.variant(settings) if settings else made


def _of_plan(plan: capsim.Plan) -> str:
    return f"{plan.status}, gap {plan.gap:.2%}"


@question
def optimize() -> Ask:
    """Find the cheapest plan."""
    city = _city()
    return lambda seconds: _of_plan(capsim.optimize(city, time_limit=seconds))


@question
def run() -> Ask:
    """Run the whole command, with prices and reasons, where catchments are drawn."""
    own = {"catchments.stages": ["primary"], "travel.nearest": {"primary": 3}}
    city = _city(MAP, **own, **{"travel.radius_km": {"primary": 8.0}})

    def ask(seconds: float) -> str:
        found = run_whole(city, draws=0, paper=True, time_limit=seconds)
        return _of_plan(found.plan) + (", priced" if found.prices is not None else "")

    return ask


@question
def prices() -> Ask:
    """Price what is scarce in a plan, both sides."""
    plan = capsim.optimize(_city(LESS), gap=0.1)
    return lambda seconds: f"{len(plan.prices(time_limit=seconds).table)} prices"


@question
def explain() -> Ask:
    """Explain why not every child has a place."""
    city = _city(LESS, **{"policy.private_share_cap": {2025: 0.0}})
    plan = no_plan(capsim.formulate(city), "none", {})

    def ask(seconds: float) -> str:
        found = plan.explain(time_limit=seconds)
        return "nothing" if found is None else f"{len(found.conflicts)} conflicts"

    return ask


@question
def pareto() -> Ask:
    """Trade off: five plans between cost and children displaced."""
    city = _city()

    def ask(seconds: float) -> str:
        return f"{len(capsim.pareto(city, points=5, time_limit=seconds).table)} points"

    return ask


@question
def near_optimal() -> Ask:
    """Find what plans near the best share."""
    city = _city()

    def ask(seconds: float) -> str:
        found = capsim.near_optimal(city, time_limit=seconds).ranges["proved"]
        return f"{int(found.sum())} of {len(found)} ranges proved"

    return ask


@question
def different_plans() -> Ask:
    """Find three plans near the best, as different as can be."""
    city = _city()

    def ask(seconds: float) -> str:
        return f"{len(capsim.different_plans(city, 3, time_limit=seconds).plans)} plans"

    return ask


@question
def lexicographic() -> Ask:
    """Plan by priorities: shortfall first, then children displaced, then cost."""
    city = _city()

    def ask(seconds: float) -> str:
        found = capsim.optimize_lexicographic(city, time_limit=seconds)
        return f"{_of_plan(found.plan)}, {int(found.levels['proved'].sum())} levels proved"

    return ask


@question
def sweep() -> Ask:
    """Sweep over ten prices of a child without a place."""
    city = _city()
    changes = [{"costs.shortfall_cny": 1e5 * at} for at in range(1, 11)]

    def ask(seconds: float) -> str:
        found = capsim.sweep(city, changes, time_limit=seconds)["status"]
        return ", ".join(f"{n} {name}" for name, n in found.value_counts().items())

    return ask


@question
def two_stage() -> Ask:
    """Make one plan for low, expected and high births."""
    city = _city(LESS)
    births = {name: birth_variant(city, name) if name else city for name in ("", "low", "high")}

    def ask(seconds: float) -> str:
        found = capsim.optimize_two_stage(city, births, time_limit=seconds)
        return f"{found.status}, gap {found.gap:.2%}"

    return ask


@question
def replan() -> Ask:
    """Plan anew every autumn."""
    city = _city(LESS)

    def ask(seconds: float) -> str:
        return f"{len(capsim.replan(city, 'low', time_limit=seconds).plans)} plans"

    return ask


@question
def harden() -> Ask:
    """Make a plan that is safe enough."""
    city = _city(LESS)

    def ask(seconds: float) -> str:
        found = capsim.harden(city, draws=200, fresh_draws=1000, time_limit=seconds)
        return f"{len(found.rounds)} plans tried"

    return ask


def _one(name: str, seconds: float) -> None:
    """Ask one question here, and print what came back and how long it took."""
    ask = QUESTIONS[name]()
    begin = time.perf_counter()
    try:
        said = ask(seconds)
    except SolverError as error:
        said = f"nothing: {error}"
    print(json.dumps({"wall_s": time.perf_counter() - begin, "found": said}))


def measured(names: Sequence[str], limits_s: Sequence[float]) -> list[dict[str, Any]]:
    """Ask questions with limits, one process after the other."""
    out = []
    for name in names:
        for limit in limits_s:
            command = [sys.executable, "-m", "benchmarks", "time_limits", "--one", name]
            try:
                done = subprocess.run(
                    [*command, "--limits", str(limit)],
                    cwd=ROOT,
                    capture_output=True,
                    text=True,
                    timeout=PATIENCE * limit + 180.0,
                )
                lines = done.stdout.splitlines()
                row = json.loads(lines[-1]) if lines else {"wall_s": None, "found": done.stderr}
            except subprocess.TimeoutExpired:
                row = {"wall_s": float("inf"), "found": "hangs"}
            out.append({"question": name, "limit_s": limit, **row})
            print(json.dumps(out[-1]), file=sys.stderr, flush=True)
    return out


def main(arguments: Sequence[str]) -> None:
    """Hold the seconds that questions take against their limits."""
    parser = argparse.ArgumentParser("benchmarks time_limits", description=__doc__)
    parser.add_argument("--questions", nargs="+", choices=QUESTIONS, default=list(QUESTIONS))
    parser.add_argument("--limits", nargs="+", type=float, default=list(LIMITS_S))
    parser.add_argument("--one", choices=QUESTIONS, help="ask this one here")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    if asked.one:
        _one(asked.one, asked.limits[0])
        return
    rows = measured(asked.questions, asked.limits)
    checks = [
        check(
            f"{row['question']}, {row['limit_s']:g} s: {row['found']}",
            float("inf") if row["wall_s"] is None else row["wall_s"],
            row["limit_s"] + max(SHARE * row["limit_s"], LEAST_S),
        )
        for row in rows
    ]
    from benchmarks import show

    print(json.dumps({"checks": checks}) if asked.json else show.verdicts(checks))
