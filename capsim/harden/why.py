"""Why a plan does not hold often enough: which target, by how much, and what is to blame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from capsim.lp.arrays import Array, Flag
from capsim.simulate.run import Trial, trial
from capsim.simulate.targets import Target

from .step import COMPULSORY, holds, judged_by

if TYPE_CHECKING:
    from capsim.optimize import Plan

    from .step import Search

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
    missed = {
        name: float(row[0])
        for name, (target, row) in judged_by(run).items()
        if name in wanted and not target.holds(row).all()
    }
    if not missed:
        return []
    each = [
        f"{name} ({value:,.0f} child-years)" if name.startswith("placement") else name
        for name, value in missed.items()
    ]
    return [
        f"Even with children as projected and every project on time the plan misses "
        f"{', '.join(each)}: the scenario itself stands in the way, and no margin mends that "
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
    given, short = judged.given, judged.figures.shortfall.copy()
    for number, stage in enumerate(given.stages):
        if "placement" not in wanted and not (stage.compulsory and COMPULSORY in wanted):
            short[:, number] = 0.0
    county = np.zeros((len(given.counties), *short.shape[1:]))
    np.add.at(county, given.county, short)
    often = (county >= 0.5).mean(-1)
    out = []
    for flat in np.argsort(-often, axis=None, kind="stable")[:WORST]:
        c, s, t = np.unravel_index(flat, often.shape)
        if often[c, s, t] > 0:
            some = county[c, s, t][county[c, s, t] >= 0.5]
            out.append(
                f"County {given.counties[c]} lacks {given.stages[s].name} places in "
                f"{given.years[t]} in {often[c, s, t]:.1%} of draws, then "
                f"{np.median(some):,.0f} as a rule."
            )
    return out


def _causes(search: Search, plan: Plan, wanted: Sequence[str], asked: float) -> list[str]:
    """Simulate the plan with late projects alone, and with more or fewer children alone."""
    own = int(np.random.SeedSequence([search.seed, 0]).generate_state(1)[0])
    first = plan.tables["openings"].sort_values("opens", kind="stable").drop_duplicates("project")
    dates = first["opens"].to_numpy("datetime64[D]")[None]
    on_time = trial(plan, draws=search.draws, seed=own, openings=dates, executor=search.executor)
    late = trial(plan, draws=search.draws, seed=own, children=False, executor=search.executor)
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
