"""Optimize and simulate in turn until a plan holds often enough, or say why none does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from capsim.lp.arrays import Array, Flag
from capsim.optimize import formulate, optimize
from capsim.simulate.block import rooms
from capsim.simulate.outcomes import wilson
from capsim.simulate.run import Trial, trial

from .delays import counted_from
from .margins import Need, margins, need
from .tighten import Safety, tighten
from .why import explain

if TYPE_CHECKING:
    from capsim.demand import Demand
    from capsim.optimize import Model, Plan
    from capsim.scenario import Scenario

ROUNDS = 4
CUSHION = 0.25
"""Standard deviations beyond the draws that were looked at; doubled each round."""
BY_MARGIN = ("share", "reduction", "kindergarten_public", "kindergarten_inclusive")
"""Targets that a margin of their own can be kept to; ``placement`` is held by free places."""
NOT_FORCED = ("programme", "large_classes")
"""Targets whose probability is reported only."""


@dataclass(frozen=True, eq=False)
class Hardened:
    """A plan that holds with a probability, or the best there is.

    Attributes
    ----------
    scenario : Scenario
    plan : Plan
        Of the original scenario, whose certificate it holds.
    plain : Plan
        The cheapest one, without margins.
    targets : tuple of text
        Ids of those that must all hold at once.
    asked : float
        Probability asked for.
    probability, low, high : float
        Of all targets together on `fresh_draws` draws that no margin was made from, with
        Wilson's 95 % interval.
    reached : bool
        Whether `low` is at least `asked`.
    extra_cny : float
        Discounted cost of the plan beyond the plain one, RMB.
    rounds : DataFrame
        round, change, cost_cny (discounted), extra_cny, expected_cny (mean over draws), missing
        (places of margins not found), draws, probability, low, high.
    by_target : DataFrame
        id, probability, low, high: each target alone, all of the plan's, on the same draws.
    reasons : tuple of text
        Empty if reached, else what stands in the way.
    shortages : DataFrame
        stage, area (one of those that share the places), school_year, kept_free, missing: places of
        margins, persons; largest lack first.
    """

    scenario: Scenario
    plan: Plan
    plain: Plan
    targets: tuple[str, ...]
    asked: float
    probability: float
    low: float
    high: float
    reached: bool
    extra_cny: float
    rounds: pd.DataFrame
    by_target: pd.DataFrame
    reasons: tuple[str, ...]
    shortages: pd.DataFrame


@dataclass(frozen=True)
class Search:
    """What the steps of a search have in common."""

    draws: int
    fresh_draws: int
    seed: int
    executor: Executor | None
    options: dict[str, Any]
    progress: Callable[[str], None]

    def look(self, plan: Plan, name: int, draws: int) -> Trial:
        """Let a plan meet draws of a stream of their own."""
        own = int(np.random.SeedSequence([self.seed, name]).generate_state(1)[0])
        return trial(plan, draws=draws, seed=own, executor=self.executor)


def harden(
    scenario: Scenario,
    targets: Sequence[str] | None = None,
    probability: float = 0.95,
    *,
    demand: Demand | None = None,
    plain: Plan | None = None,
    draws: int = 1000,
    fresh_draws: int = 10_000,
    seed: int = 0,
    rounds: int = ROUNDS,
    solver: str = "highs",
    gap: float = 1e-3,
    time_limit: float | None = None,
    executor: Executor | None = None,
    progress: Callable[[str], None] = lambda phase: None,
) -> Hardened:
    """Find a cheap plan that meets its targets with a probability.

    Parameters
    ----------
    scenario : Scenario
    targets : sequence of text, optional
        Ids as in the plan's table ``targets``; all must hold at once. Default: ``placement`` and
        every ``share-YYYY``.
    probability : float
    demand : Demand, optional
        Projected from the scenario where not given.
    plain : Plan, optional
        The plan to begin with, of the same scenario and demand, where there is one already.
    draws : int
        That margins are made from, anew each round.
    fresh_draws : int
        That the result is judged by; they have no part in any margin.
    seed : int
    rounds : int
        Plans with margins that are tried at most.
    solver, gap, time_limit
        As for `capsim.optimize`, each time.
    executor : concurrent.futures.Executor, optional
        For the draws.
    progress : callable, optional
        Told each phase as it begins.

    Returns
    -------
    Hardened

    Raises
    ------
    ValueError
        If the probability is not between 0 and 1, a target is unknown or cannot be forced, or the
        scenario has no plan at all.

    Examples
    --------
    >>> import capsim
    >>> city = capsim.generate(2, 8000, stages=("primary", "junior"), years=(2021, 2022))
    >>> found = harden(city, probability=0.5, draws=64, fresh_draws=64, rounds=1, gap=0.05)
    >>> found.rounds.columns.tolist()[:4]
    ['round', 'change', 'cost_cny', 'extra_cny']
    """
    if not 0 < probability < 1:
        raise ValueError(f"probability must be between 0 and 1, not {probability}")
    options = {"solver": solver, "gap": gap, "time_limit": time_limit}
    search = Search(draws, fresh_draws, seed, executor, options, progress)
    progress("planning")
    if plain is None:
        plain = optimize(scenario, demand, **options)
    if plain.status == "infeasible":
        said = "" if plain.explanation is None else " ".join(plain.explanation.sentences)
        raise ValueError(f"the scenario has no plan to make safe. {said}".rstrip())
    wanted = chosen(plain, targets)
    return _search(search, plain, wanted, probability, rounds)


def chosen(plan: Plan, targets: Sequence[str] | None) -> tuple[str, ...]:
    """Return the ids of the targets to hold.

    Raises
    ------
    ValueError
        If one is unknown or of a kind that is reported only.
    """
    known = plan.tables["targets"]["id"].tolist()
    if targets is None:
        return tuple(name for name in known if name.partition("-")[0] in ("placement", "share"))
    for name in targets:
        if name not in known:
            raise ValueError(f"no target {name!r}: one of {', '.join(known)} is expected")
        if name.partition("-")[0] in NOT_FORCED:
            raise ValueError(f"target {name!r} is reported with its probability, not forced")
    if not targets:
        raise ValueError("targets must name at least one target")
    return tuple(dict.fromkeys(targets))


@dataclass(frozen=True, eq=False)
class Step:
    """A plan tried, with the draws it met and the margins it was given."""

    plan: Plan
    drawn: Trial
    found: Need
    safety: Safety | None
    change: str
    judged: Trial
    missing: Array
    closed: Flag


def holds(run: Trial, wanted: Sequence[str]) -> Flag:
    """Whether all of some targets hold ``[draw]``."""
    found = [
        target.holds(row)
        for target, row in zip(run.targets, run.figures.targets, strict=True)
        if target.id in wanted
    ]
    return np.all(found, axis=0)


def _search(
    search: Search, plain: Plan, wanted: tuple[str, ...], asked: float, rounds: int
) -> Hardened:
    search.progress("delays of projects")
    model = formulate(plain.scenario, plain.demand)
    counted = counted_from(model.given, asked, min(search.draws, 400), search.seed)
    steps = [_step(search, plain, model, counted, None, "the cheapest plan", wanted, None, 0)]
    for number in range(1, rounds + 1):
        last = steps[-1]
        low, _ = wilson(*_count(last.judged, wanted))
        if low >= asked:
            break
        share = 1 - (1 - asked) / 2**number
        cushion = CUSHION * 2 ** (number - 1)
        safety = _safety(last, counted, share, cushion, wanted)
        search.progress(f"planning with margins, round {number}")
        plan = optimize(tighten(model, last.drawn.given, safety), **search.options)
        change = f"room for {share:.2%} of draws and {cushion:g} standard deviations"
        steps.append(_step(search, plan, model, counted, safety, change, wanted, last, number))
    return _result(search, steps, wanted, asked)


def _step(
    search: Search,
    plan: Plan,
    model: Model,
    counted: Array,
    safety: Safety | None,
    change: str,
    wanted: tuple[str, ...],
    before: Step | None,
    number: int,
) -> Step:
    """Look at a plan: draws for margins, and draws of their own to judge it by."""
    search.progress(f"simulating, round {number}")
    drawn = search.look(plan, 1, search.draws)
    planned = trial(plan, draws=1, seed=search.seed, uncertainty=False)
    surely = rooms(drawn.given, _counted_days(model, drawn, counted))
    at = tuple(i for i, one in enumerate(drawn.targets) if one.id in wanted and _margin(one.id))
    found = need(drawn, planned, surely, at)
    judged = search.look(plan, 2 + number, search.fresh_draws)
    missing = np.zeros_like(found.spare)
    if safety is not None:
        missing = np.maximum(safety.seats - found.spare, 0.0)
    closed = missing > 0.5 if before is None else before.closed | (missing > 0.5)
    return Step(plan, drawn, found, safety, change, judged, missing, closed)


def _margin(name: str) -> bool:
    return name.partition("-")[0] in BY_MARGIN


def _safety(
    last: Step, counted: Array, share: float, cushion: float, wanted: tuple[str, ...]
) -> Safety:
    """Margins for the next plan, none smaller than before."""
    seats, targets = margins(last.found, share, cushion, last.closed)
    if "placement" not in wanted:
        seats = np.zeros_like(seats)
    ids = [one.id for one in last.drawn.targets if one.id in wanted and _margin(one.id)]
    before = {} if last.safety is None else dict(last.safety.targets)
    if last.safety is not None:
        seats = np.where(last.closed, seats, np.maximum(seats, last.safety.seats))
    pairs = zip(ids, targets, strict=True)
    kept = tuple((name, max(float(one), before.get(name, 0.0))) for name, one in pairs)
    return Safety(np.asarray(counted, np.int64), seats, kept)


def _counted_days(model: Model, run: Trial, counted: Array) -> Array:
    """Day from which each opening counts, ``[opening]``."""
    dates, programme = model.given.dates, run.given.programme
    row = pd.Index(model.given.projects.project).get_indexer(pd.Index(programme.projects))
    check = np.searchsorted(dates.date.astype("datetime64[D]").astype(np.int64), programme.day)
    autumn = counted[row[programme.project], check].astype(np.int64)
    days = np.append(programme.autumns, np.iinfo(np.int64).max)
    return np.asarray(days[np.minimum(autumn, len(programme.autumns))])


def _count(run: Trial, wanted: Sequence[str]) -> tuple[int, int]:
    flag = holds(run, wanted)
    return int(flag.sum()), len(flag)


def _result(search: Search, steps: list[Step], wanted: tuple[str, ...], asked: float) -> Hardened:
    """Choose the plan: the cheapest that is safe enough, else the safest."""
    rows = [_row(step, number, steps[0].plan, wanted) for number, step in enumerate(steps)]
    table = pd.DataFrame(rows)
    safe = table.index[table["low"] >= asked]
    best = int(safe[0] if len(safe) else table["low"].to_numpy().argmax())
    step, row = steps[best], table.iloc[best]
    reached = bool(row["low"] >= asked)
    reasons = () if reached else explain(search, step.plan, step.judged, wanted, asked)
    names = [
        (s.name, step.judged.given.areas[a]) for s in step.judged.given.stages for a in s.reach.area
    ]
    return Hardened(
        scenario=step.plan.scenario,
        plan=step.plan,
        plain=steps[0].plan,
        targets=wanted,
        asked=asked,
        probability=float(row["probability"]),
        low=float(row["low"]),
        high=float(row["high"]),
        reached=reached,
        extra_cny=float(row["extra_cny"]),
        rounds=table,
        by_target=_by_target(step.judged),
        reasons=reasons,
        shortages=_shortages(names, step.judged.given.years, step),
    )


def _row(step: Step, number: int, plain: Plan, wanted: tuple[str, ...]) -> dict[str, object]:
    hits, draws = _count(step.judged, wanted)
    low, high = wilson(hits, draws)
    return {
        "round": number,
        "change": step.change,
        "cost_cny": step.plan.objective_cny,
        "extra_cny": step.plan.objective_cny - plain.objective_cny,
        "expected_cny": float(step.judged.figures.cost_cny.sum(0).mean()),
        "missing": float(step.missing.sum()),
        "draws": draws,
        "probability": hits / draws,
        "low": low,
        "high": high,
    }


def _by_target(run: Trial) -> pd.DataFrame:
    rows = []
    for target, row in zip(run.targets, run.figures.targets, strict=True):
        hits = int(target.holds(row).sum())
        low, high = wilson(hits, len(row))
        rows.append({"id": target.id, "probability": hits / len(row), "low": low, "high": high})
    return pd.DataFrame(rows, columns=["id", "probability", "low", "high"])


def _shortages(names: list[tuple[str, str]], years: tuple[int, ...], step: Step) -> pd.DataFrame:
    index = pd.MultiIndex.from_tuples(names, names=["stage", "area"])
    kept = np.zeros_like(step.missing) if step.safety is None else step.safety.seats
    table = pd.concat(
        [
            pd.DataFrame(cells, index=index, columns=list(years)).stack()
            for cells in (kept, step.missing)
        ],
        axis=1,
        keys=["kept_free", "missing"],
    )
    table.index.names = ["stage", "area", "school_year"]
    ordered = table.sort_values("missing", ascending=False, kind="stable")
    return ordered.reset_index()
