"""The result of hardening: the plan chosen, the rounds, and the reasons where it is not safe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from capsim.lp.array_types import Array, Flag
from capsim.plan.plan import Plan
from capsim.plan.targets import Target
from capsim.reliability.trial import Search, Step, achieved, all_hold, interval
from capsim.scenario.scenario import Scenario
from capsim.simulation.outcomes import ANY
from capsim.simulation.run import trial

WORST = 3
"""Places and years that are named."""


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


def result_of(search: Search, steps: list[Step]) -> Hardened:
    """Gather what a search has found."""
    plain = steps[0].plan
    step, reached = best_of(steps, search.probability)
    rounds = pd.DataFrame([round_row(step, plain) for step in steps])
    low, high = interval(step.holds)
    return Hardened(
        scenario=step.plan.scenario,
        plan=step.plan,
        plain=plain,
        targets=search.targets,
        asked=search.probability,
        draws=len(step.holds),
        probability=float(step.holds.mean()),
        low=low,
        high=high,
        reached=reached,
        extra_cny=step.plan.objective_cny - plain.objective_cny,
        rounds=rounds,
        by_target=_by_target(step),
        reasons=() if reached else explain(search, step),
        shortages=_shortages(step),
    )


def best_of(steps: Sequence[Step], asked: float) -> tuple[Step, bool]:
    """Choose the cheapest plan that is safe enough, else the safest; tell whether there is one."""
    safe = [step for step in steps if interval(step.holds)[0] >= asked]
    if safe:
        return min(safe, key=lambda step: step.plan.objective_cny), True
    return max(steps, key=lambda step: interval(step.holds)[0]), False


def _chance(holds: Flag) -> dict[str, float]:
    low, high = interval(holds)
    return {"probability": int(holds.sum()) / len(holds), "low": low, "high": high}


def round_row(step: Step, plain: Plan) -> dict[str, object]:
    """Return a step as a row of the table of rounds."""
    return {
        "round": step.number,
        "change": step.change,
        "cost_cny": step.plan.objective_cny,
        "extra_cny": step.plan.objective_cny - plain.objective_cny,
        "expected_cny": float(step.judged.figures.cost_cny.sum(0).mean()),
        "missing": float(step.missing.sum()),
        "draws": len(step.holds),
        **_chance(step.holds),
    }


def _by_target(step: Step) -> pd.DataFrame:
    by_target = achieved(step.judged)
    return pd.DataFrame(
        [{"id": name, **_chance(target.holds(row))} for name, (target, row) in by_target.items()]
    )


def _shortages(step: Step) -> pd.DataFrame:
    space, stages = step.judged.data.space, step.judged.data.stages
    names = [(stage.name, space.areas[area]) for stage in stages for area in stage.reach.area]
    cells = [(*name, year) for name in names for year in space.years.tolist()]
    table = pd.DataFrame(cells, columns=["stage", "area", "school_year"])
    table["kept_free"] = 0.0 if step.safety is None else step.safety.seats.ravel()
    table["missing"] = step.missing.ravel()
    return table.sort_values("missing", ascending=False, kind="stable", ignore_index=True)


def explain(search: Search, step: Step) -> tuple[str, ...]:
    """Write in sentences what stands in the way, the greatest obstacle first."""
    asked, by_target = search.probability, achieved(step.judged)
    sentences = [
        f"All targets hold in {step.holds.mean():.1%} of {len(step.holds):,} draws; {asked:.1%} is "
        "asked for, and no plan that was tried comes nearer.",
        *_missed_as_planned(search, step),
    ]
    flags = {name: by_target[name][0].holds(by_target[name][1]) for name in search.targets}
    for name, flag in sorted(flags.items(), key=lambda pair: pair[1].mean()):
        if not flag.all():
            sentences.append(_failure(*by_target[name], flag))
    return (*sentences, *_where(search, step), *_causes(search, step))


def _missed_as_planned(search: Search, step: Step) -> list[str]:
    """Name the targets that are missed already with children as projected and nothing late."""
    missed = [
        f"{name} ({row[0]:,.0f} child-years)" if target.rule == "placement" else name
        for name, (target, row) in achieved(step.planned).items()
        if name in search.targets and not target.holds(row).all()
    ]
    if not missed:
        return []
    return [
        f"Even with children as projected and every project on time the plan misses "
        f"{', '.join(missed)}: the scenario itself stands in the way, and no margin mends that "
        "(`capsim explain` says which rules)."
    ]


def _failure(target: Target, figure: Array, flag: Flag) -> str:
    """Write how often a target fails, and with which figure as a rule."""
    name, required = target.id, target.required
    typical = float(np.median(figure[~flag]))
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


def _where(search: Search, step: Step) -> list[str]:
    """Name the counties, stages and years in which children most often have no place."""
    data, short = step.judged.data, step.judged.figures.shortfall
    county = np.zeros((len(data.space.counties), *short.shape[1:]))
    np.add.at(county, data.space.county, short)
    county[:, [not search.guards(stage.compulsory) for stage in data.stages]] = 0.0
    often = (county >= ANY).mean(-1)
    out = []
    for flat in np.argsort(-often, axis=None, kind="stable")[:WORST]:
        c, s, t = np.unravel_index(flat, often.shape)
        if often[c, s, t] > 0:
            lacking = county[c, s, t][county[c, s, t] >= ANY]
            out.append(
                f"County {data.space.counties[c]} lacks {data.stages[s].name} places in "
                f"{data.space.years[t]} in {often[c, s, t]:.1%} of draws, then "
                f"{np.median(lacking):,.0f} as a rule."
            )
    return out


def _causes(search: Search, step: Step) -> list[str]:
    """Simulate the plan with late projects alone, and with more or fewer children alone."""
    seed, executor, asked = search.seed_of(0), search.options.executor, search.probability
    table = step.plan.tables["openings"].sort_values("opens", kind="stable")
    dates = table.drop_duplicates("project")["opens"].to_numpy("datetime64[D]")[None]
    on_time = trial(step.plan, draws=search.draws, seed=seed, openings=dates, executor=executor)
    late = trial(step.plan, draws=search.draws, seed=seed, children=False, executor=executor)
    by_demand, by_delay = (float(all_hold(run, search.targets).mean()) for run in (on_time, late))
    sentences = [
        f"With every project on time all targets hold in {by_demand:.1%} of draws; with the "
        f"children as projected and projects as late as they may be, in {by_delay:.1%}."
    ]
    if by_delay < asked <= by_demand:
        sentences.append("Late projects are the cause: no other places can be had in time.")
    elif by_demand < asked <= by_delay:
        sentences.append("The spread of demand is the cause: no more places can be had in time.")
    elif by_demand < asked and by_delay < asked:
        sentences.append("Late projects and the spread of demand are each enough to miss it.")
    return sentences
