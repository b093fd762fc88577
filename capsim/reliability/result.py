"""One plan tried: the draws it met, the margins it was given, how often it holds.

Why a plan does not hold often enough: which target, by how much, and what is to blame.

What hardening gives: the plan chosen, the rounds, and what stands in the way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from capsim.lp.arrays import Array, Flag, Index
from capsim.lp.options import SolveOptions
from capsim.plan.targets import Target
from capsim.reliability.margins import Need, need, reserves
from capsim.reliability.reserve_rows import Safety
from capsim.simulation.data import SimulationData
from capsim.simulation.draws import rooms
from capsim.simulation.outcomes import wilson
from capsim.simulation.run import Trial, trial

if TYPE_CHECKING:
    from capsim.model.model import Model
    from capsim.plan.plan import Plan
    from capsim.scenario.scenario import Scenario


NEAR = 0.03
"""A plan that a first look finds further below what is asked for is not looked at longer."""
COMPULSORY = "placement-compulsory"
"""Every child of the compulsory stages has a place in every year."""
BY_MARGIN = ("share", "reduction", "kindergarten_public", "kindergarten_inclusive")
"""Targets that a margin of their own can be kept to; ``placement`` is held by free places."""


@dataclass(frozen=True)
class Search:
    """What the steps of a search have in common."""

    asked: float
    draws: int
    fresh_draws: int
    seed: int
    options: SolveOptions
    progress: Callable[[str], None]

    def look(self, plan: Plan, name: int, draws: int) -> Trial:
        """Let a plan meet draws of a stream of their own."""
        own = int(np.random.SeedSequence([self.seed, name]).generate_state(1)[0])
        return trial(plan, draws=draws, seed=own, executor=self.options.executor)


@dataclass(frozen=True, eq=False)
class Step:
    """A plan tried, with the draws it met and the margins it was given."""

    number: int
    plan: Plan
    drawn: Trial
    found: Need
    safety: Safety | None
    change: str
    judged: Trial
    missing: Array
    closed: Flag

    @property
    def name(self) -> str:
        """The plan in words."""
        return f"the plan of round {self.number}" if self.number else "the cheapest plan"


def judged_by(run: Trial) -> dict[str, tuple[Target, Array]]:
    """Every target with what was achieved ``[draw]``: the plan's, and `COMPULSORY`."""
    compulsory = [stage.compulsory for stage in run.data.stages]
    lacking = run.figures.shortfall[:, compulsory].sum((0, 1, 2))
    whole = {one.id: one for one in run.targets}
    out = {one.id: (one, row) for one, row in zip(run.targets, run.figures.targets, strict=True)}
    every = whole["placement"]
    return {COMPULSORY: (replace(every, id=COMPULSORY), lacking), **out}


def holds(run: Trial, wanted: Sequence[str]) -> Flag:
    """Whether all of some targets hold ``[draw]``."""
    found = judged_by(run)
    flags = [target.holds(row) for target, row in (found[name] for name in wanted)]
    return np.asarray(np.all(flags, axis=0))


def guarded(data: SimulationData, wanted: Sequence[str]) -> Flag:
    """Flag the groups in which places are to be kept free, ``[group]``."""
    every = "placement" in wanted
    flags = [
        np.full(len(stage.reach.area), every or (stage.compulsory and COMPULSORY in wanted))
        for stage in data.stages
    ]
    return np.concatenate(flags)


def look_at(
    search: Search,
    plan: Plan,
    model: Model,
    counted: Index,
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
    surely = rooms(drawn.data, _counted_days(model, drawn, counted))
    at = tuple(i for i, one in enumerate(drawn.targets) if one in by_margin(drawn, wanted))
    found = need(drawn, planned, surely, at)
    guard = guarded(drawn.data, wanted)[:, None]
    margin = np.zeros_like(found.spare) if safety is None else safety.seats
    free, counted_on = reserves(drawn.data, margin - found.spare)
    found = replace(
        found,
        seats=np.where(guard[..., None], found.seats, 0.0),
        spare=np.where(guard, found.spare - free + counted_on, 0.0),
    )
    judged = search.look(plan, 2 * number + 2, min(search.draws, search.fresh_draws))
    missing = np.maximum(margin - found.spare, 0.0)
    closed = closed_after(None if before is None else before.closed, missing)
    step = Step(number, plan, drawn, found, safety, change, judged, missing, closed)
    return looked_at_longer(search, step, wanted)


def closed_after(before: Flag | None, missing: Array) -> Flag:
    """Flag where no more room can be had: where a plan lacked some that it was asked for.

    Nothing was asked of the cheapest plan (no ``before``), whatever it lacks.
    """
    if before is None:
        return np.zeros(missing.shape, bool)
    return np.asarray(before | (missing > 0.5))


def looked_at_longer(search: Search, step: Step, wanted: Sequence[str]) -> Step:
    """Judge a plan that a first look finds near what is asked for, or above, by all fresh draws."""
    flag = holds(step.judged, wanted)
    if len(flag) >= search.fresh_draws or flag.mean() < search.asked - NEAR:
        return step
    judged = search.look(step.plan, 2 * step.number + 3, search.fresh_draws)
    return replace(step, judged=judged)


def by_margin(run: Trial, wanted: Sequence[str]) -> list[Target]:
    """List those of some targets that are held by a margin of their own."""
    return [one for one in run.targets if one.id in wanted and one.rule in BY_MARGIN]


def _counted_days(model: Model, run: Trial, counted: Index) -> Index:
    """Day from which each opening counts, ``[opening]``."""
    dates, openings = model.given.dates, run.data.openings
    row = pd.Index(model.given.projects.project).get_indexer(pd.Index(openings.projects))
    check = np.searchsorted(dates.date.astype("datetime64[D]").astype(np.int64), openings.day)
    autumn = counted[row[openings.project], check].astype(np.int64)
    days = np.append(openings.autumns, np.iinfo(np.int64).max)
    return np.asarray(days[np.minimum(autumn, len(openings.autumns))])


def count(run: Trial, wanted: Sequence[str]) -> tuple[int, int]:
    """Count the draws in which all of some targets hold, and all draws."""
    flag = holds(run, wanted)
    return int(flag.sum()), len(flag)


WORST = 3
"""Places and years that are named."""


def explain(
    search: Search, plan: Plan, judged: Trial, wanted: Sequence[str], asked: float
) -> tuple[str, ...]:
    """Say in sentences what stands in the way, the greatest obstacle first."""
    found = {name: one for name, one in judged_by(judged).items() if name in wanted}
    flags = {name: target.holds(row) for name, (target, row) in found.items()}
    together = np.all(list(flags.values()), axis=0)
    said = [
        f"All targets hold in {together.mean():.1%} of {len(together):,} draws; {asked:.1%} is "
        "asked for, and no plan that was tried comes nearer."
    ]
    said += _planned(plan, wanted)
    for name, flag in sorted(flags.items(), key=lambda pair: pair[1].mean()):
        if not flag.all():
            said.append(_target(*found[name], flag))
    said += _where(judged, wanted)
    return (*said, *_causes(search, plan, wanted, asked))


def _planned(plan: Plan, wanted: Sequence[str]) -> list[str]:
    """Name the targets that are missed already with children as projected and nothing late."""
    run = trial(plan, draws=1, seed=0, uncertainty=False)
    missed = [
        f"{name} ({row[0]:,.0f} child-years)" if target.rule == "placement" else name
        for name, (target, row) in judged_by(run).items()
        if name in wanted and not target.holds(row).all()
    ]
    if not missed:
        return []
    return [
        f"Even with children as projected and every project on time the plan misses "
        f"{', '.join(missed)}: the scenario itself stands in the way, and no margin mends that "
        "(`capsim explain` says which rules)."
    ]


def _target(target: Target, achieved: Array, flag: Flag) -> str:
    name, required = target.id, target.required
    typical = float(np.median(achieved[~flag]))
    if target.rule == "placement":
        return (
            f"{name} fails in {1 - flag.mean():.1%} of draws; half of these leave "
            f"{typical:,.0f} children or more without a place."
        )
    form = ".2%" if abs(required) <= 1 else ",.0f"
    return (
        f"{name} fails in {1 - flag.mean():.1%} of draws: {typical:{form}} is typical of these, "
        f"{required:{form}} is required."
    )


def _where(judged: Trial, wanted: Sequence[str]) -> list[str]:
    """Name the counties, stages and years in which children most often have no place."""
    data, short = judged.data, judged.figures.shortfall.copy()
    for number, stage in enumerate(data.stages):
        if "placement" not in wanted and not (stage.compulsory and COMPULSORY in wanted):
            short[:, number] = 0.0
    county = np.zeros((len(data.space.counties), *short.shape[1:]))
    np.add.at(county, data.space.county, short)
    often = (county >= 0.5).mean(-1)
    out = []
    for flat in np.argsort(-often, axis=None, kind="stable")[:WORST]:
        c, s, t = np.unravel_index(flat, often.shape)
        if often[c, s, t] > 0:
            some = county[c, s, t][county[c, s, t] >= 0.5]
            out.append(
                f"County {data.space.counties[c]} lacks {data.stages[s].name} places in "
                f"{data.space.years[t]} in {often[c, s, t]:.1%} of draws, then "
                f"{np.median(some):,.0f} as a rule."
            )
    return out


def _causes(search: Search, plan: Plan, wanted: Sequence[str], asked: float) -> list[str]:
    """Simulate the plan with late projects alone, and with more or fewer children alone."""
    own = int(np.random.SeedSequence([search.seed, 0]).generate_state(1)[0])
    first = plan.tables["openings"].sort_values("opens", kind="stable").drop_duplicates("project")
    dates = first["opens"].to_numpy("datetime64[D]")[None]
    on_time = trial(
        plan, draws=search.draws, seed=own, openings=dates, executor=search.options.executor
    )
    late = trial(
        plan, draws=search.draws, seed=own, children=False, executor=search.options.executor
    )
    by_demand, by_delay = (float(holds(run, wanted).mean()) for run in (on_time, late))
    said = [
        f"With every project on time all targets hold in {by_demand:.1%} of draws; with the "
        f"children as projected and projects as late as they may be, in {by_delay:.1%}."
    ]
    if by_delay < asked <= by_demand:
        said.append("Late projects are the cause: no other places can be had in time.")
    elif by_demand < asked <= by_delay:
        said.append("The spread of demand is the cause: no more places can be had in time.")
    elif by_demand < asked and by_delay < asked:
        said.append("Late projects and the spread of demand are each enough to miss it.")
    return said


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
    draws : int
        That the plan was judged by; no margin was made from them.
    probability, low, high : float
        Of all targets together, with Wilson's 95 % interval.
    reached : bool
        Whether `low` is at least `asked`.
    extra_cny : float
        Discounted cost of the plan beyond the plain one, RMB.
    rounds : DataFrame
        round, change, cost_cny (discounted), extra_cny, expected_cny (mean over draws), missing
        (places of margins not found), draws, probability, low, high.
    by_target : DataFrame
        id, probability, low, high: each target alone, all of the plan's and
        ``placement-compulsory``, on the same draws.
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
    draws: int
    probability: float
    low: float
    high: float
    reached: bool
    extra_cny: float
    rounds: pd.DataFrame
    by_target: pd.DataFrame
    reasons: tuple[str, ...]
    shortages: pd.DataFrame


def result_of(search: Search, steps: list[Step], wanted: tuple[str, ...], asked: float) -> Hardened:
    """Choose the plan: the cheapest that is safe enough, else the safest."""
    rows = [_row(step, number, steps[0].plan, wanted) for number, step in enumerate(steps)]
    table = pd.DataFrame(rows)
    safe = table.index[table["low"] >= asked]
    cost, low = table["cost_cny"].to_numpy(), table["low"].to_numpy()
    best = int(np.where(low >= asked, cost, np.inf).argmin() if len(safe) else low.argmax())
    step, row = steps[best], table.iloc[best]
    reached = bool(row["low"] >= asked)
    reasons = () if reached else explain(search, step.plan, step.judged, wanted, asked)
    data = step.judged.data
    names = [(stage.name, data.space.areas[a]) for stage in data.stages for a in stage.reach.area]
    return Hardened(
        scenario=step.plan.scenario,
        plan=step.plan,
        plain=steps[0].plan,
        targets=wanted,
        asked=asked,
        draws=int(row["draws"]),
        probability=float(row["probability"]),
        low=float(row["low"]),
        high=float(row["high"]),
        reached=reached,
        extra_cny=float(row["extra_cny"]),
        rounds=table,
        by_target=_by_target(step.judged),
        reasons=reasons,
        shortages=_shortages(names, data.space.years.tolist(), step),
    )


def _row(step: Step, number: int, plain: Plan, wanted: tuple[str, ...]) -> dict[str, object]:
    hits, draws = count(step.judged, wanted)
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
    for name, (target, row) in judged_by(run).items():
        hits = int(target.holds(row).sum())
        low, high = wilson(hits, len(row))
        rows.append({"id": name, "probability": hits / len(row), "low": low, "high": high})
    return pd.DataFrame(rows, columns=["id", "probability", "low", "high"])


def _shortages(names: list[tuple[str, str]], years: list[int], step: Step) -> pd.DataFrame:
    kept = np.zeros_like(step.missing) if step.safety is None else step.safety.seats
    cells = pd.MultiIndex.from_tuples(
        [(*name, year) for name in names for year in years],
        names=["stage", "area", "school_year"],
    )
    columns = {"kept_free": kept.ravel(), "missing": step.missing.ravel()}
    table = pd.DataFrame(columns, index=cells)
    return table.sort_values("missing", ascending=False, kind="stable").reset_index()
