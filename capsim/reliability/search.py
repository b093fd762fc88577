"""The search for a cheap plan that holds often enough: optimize and simulate in turn.

Plans are made at a higher and higher price of what draws would miss until one is safe enough, then
at a lower one, as long as that may save more than the gap leaves open. A safety curve is the same
for several probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Unpack

import numpy as np
import pandas as pd
from scipy.special import ndtri

from capsim.construction.acceleration import accelerate, has_options, with_options
from capsim.demand.projection import Demand
from capsim.i18n.language import Message
from capsim.io.shown import Progress, followed
from capsim.lp.options_and_result import NotInTime, SolveKeywords, SolveOptions
from capsim.lp.parallel_solves import Clock, until
from capsim.model.model import Model, formulate
from capsim.plan.plan import Plan, make_plan
from capsim.plan.solver import found_x, optimize, settled_plan
from capsim.plan.solver import search as search_for
from capsim.plan.targets import RULES, read_targets
from capsim.reliability.margins import Gain, counted_from, with_recourse
from capsim.reliability.margins import gains as gains_of
from capsim.reliability.result import Hardened, best_of, result_of, round_row
from capsim.reliability.trial import (
    COMPULSORY,
    Search,
    Step,
    all_hold,
    judge_on_all_draws,
    judge_undecided,
    try_plan,
)
from capsim.scenario.scenario import Scenario
from capsim.simulation.opening_dates import days, planned_dates, read_openings

USUAL_TARGETS = (COMPULSORY, "share")
"""Every child of compulsory age placed, and the private share in every year."""
MARGINS = "planning with margins"
"""A phase, as it is told."""
ROUNDS = 3
ROUGH = 3.0
"""Times the gap asked for to which plans with margins are solved: margins are a guess."""
LEAST_PRICE_CNY = 200_000.0
"""Of a missing place, where a child without a place costs less."""
USUAL = 2.0
"""A missing place is first tried at so many times a child without one, over the chance to miss."""
WIDER = 8.0
"""Times the price before, where a plan is not safe enough and nothing tells what is."""
PACE = 0.4
"""By how much the normal quantile of the probability falls as the price falls to 1/e (measured)."""
NO_SAFER = 0.005
"""More probability than a higher price brings where there is no more room to be had."""
AIM = 3.0
"""Standard errors above what is asked for that a lower price aims at."""
HARDLY = 0.4
"""Of the chance to miss that is granted, what a plan may leave unused and be safe enough."""
GAIN_DRAWS = 200
"""Replications by which it is measured what options bring."""
LEAST_PART = 0.1
"""Of the way between two prices, what a step leaves on either side at least."""


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
    progress: Progress | bool = False,
    **options: Unpack[SolveKeywords],
) -> Hardened:
    """Find a cheap plan that meets its targets with a probability.

    Parameters
    ----------
    scenario : Scenario
    targets : sequence of text, optional
        Ids as in the plan's table ``targets``, a rule (``share``) for its targets of all years
        (none where the scenario has none),
        and ``placement-compulsory``: no child of the compulsory stages without a place in any year.
        All must hold at once. Default: that and ``share``; ``placement`` asks for places in all
        stages. Only rules of `BY_MARGIN` and places can be bought by leaving room; others are
        judged too, and may be out of reach.
    probability : float
    demand : Demand, optional
        Projected from the scenario where not given.
    plain : Plan, optional
        The plan to begin with, of the same scenario and demand, where there is one already.
    draws : int
        That margins are made from, anew each round.
    fresh_draws : int
        That the result is judged by; they have no part in any margin. A plan clearly not safe
        enough is judged by no more than `draws` of them.
    seed : int
    rounds : int
        Plans with margins that are tried at most.
    progress : callable, optional
        Called with each phase as it begins; True: a bar.
    **options : see :class:`~capsim.SolveOptions`
        Plans with margins are solved to three times the gap of the plain plan, and a lower price
        is tried as long as it may save more than that. The executor is for the draws too. Half the
        seconds left go to each plan; a plan is tried, and judged by all fresh draws, where the time
        is enough by what the last one took.

    Returns
    -------
    Hardened

    Raises
    ------
    ValueError
        If the probability is not between 0 and 1, a target is unknown, or the scenario has no plan
        at all.

    Examples
    --------
    >>> import capsim
    >>> city = capsim.generate(2, 8000, stages=("primary", "junior"), years=(2021, 2022))
    >>> found = harden(city, probability=0.5, draws=64, fresh_draws=64, rounds=1, gap=0.05)
    >>> found.rounds.columns.tolist()[:4]
    ['round', 'change', 'price_cny', 'cost_cny']
    """
    solving = SolveOptions.of(harden, options)
    with followed(progress) as told, until(solving.time_limit):
        tell = told or _untold
        plain = _cheapest(scenario, demand, plain, [probability], solving, tell)
        wanted = chosen(plain, targets)
        search = Search(wanted, probability, draws, fresh_draws, seed, solving, tell)
        return result_of(search, find(search, plain, rounds))


def _untold(words: str) -> None:
    """Tell nobody how far it is."""


PROBABILITIES = (0.5, 0.8, 0.9, 0.95, 0.99)


def safety_curve(
    scenario: Scenario,
    probabilities: Sequence[float] = PROBABILITIES,
    targets: Sequence[str] | None = None,
    *,
    demand: Demand | None = None,
    plain: Plan | None = None,
    draws: int = 1000,
    fresh_draws: int = 10_000,
    seed: int = 0,
    rounds: int = ROUNDS,
    progress: Progress | bool = False,
    **options: Unpack[SolveKeywords],
) -> pd.DataFrame:
    """Find a plan for each of some probabilities, beside the cheapest plan.

    The highest comes first; for each next one the plans tried so far are where the search begins.

    Parameters
    ----------
    scenario : Scenario
    probabilities : sequence of float
    targets, demand, plain, draws, fresh_draws, seed, progress, **options
        As for `capsim.harden`; the draws are the same for all.
    rounds : int
        Plans with margins that are tried at most for each probability.

    Returns
    -------
    DataFrame
        asked (0 for the cheapest plan), reached (bool), cost_cny (discounted), extra_cny (beyond
        the cheapest plan), expected_cny (mean over draws, what goes wrong included), probability,
        low, high (95 % interval on fresh draws), round (of the plan chosen, over all tried).

    Raises
    ------
    ValueError
        As for `capsim.harden`.

    Examples
    --------
    >>> import capsim
    >>> city = capsim.generate(2, 8000, stages=("primary", "junior"), years=(2021, 2022))
    >>> curve = safety_curve(city, [0.5], draws=64, fresh_draws=64, rounds=1, gap=0.05)
    >>> curve["asked"].tolist(), float(curve["extra_cny"][0])
    ([0.0, 0.5], 0.0)
    """
    solving = SolveOptions.of(safety_curve, options)
    steps: list[Step] = []
    rows: list[dict[str, Any]] = []
    with followed(progress) as told, until(solving.time_limit):
        tell = told or _untold
        plain = _cheapest(scenario, demand, plain, probabilities, solving, tell)
        search = Search(chosen(plain, targets), 0.0, draws, fresh_draws, seed, solving, tell)
        for asked in sorted(probabilities, reverse=True):
            steps = find(replace(search, probability=asked), plain, rounds, steps)
            best, reached = best_of(steps, asked)
            rows.append({"asked": asked, "reached": reached, **round_row(best, plain)})
    rows.append({"asked": 0.0, "reached": True, **round_row(steps[0], plain)})
    columns = ["cost_cny", "extra_cny", "expected_cny", "probability", "low", "high", "round"]
    return pd.DataFrame(rows[::-1])[["asked", "reached", *columns]]


def _cheapest(
    scenario: Scenario,
    demand: Demand | None,
    plain: Plan | None,
    probabilities: Sequence[float],
    options: SolveOptions,
    progress: Callable[[str], None],
) -> Plan:
    """Return the cheapest plan, made if there is none yet.

    Raises
    ------
    ValueError
        If a probability is not between 0 and 1, or there is no plan.
    """
    for probability in probabilities:
        if not 0 < probability < 1:
            raise ValueError(f"probability must be between 0 and 1, not {probability}")
    progress("planning")
    if plain is None:
        plain = optimize(scenario, demand, **options.within(Clock().left(), 2).keywords)
    if plain.status == "infeasible":
        reason = "" if plain.explanation is None else " ".join(plain.explanation.sentences)
        raise ValueError(f"the scenario has no plan to make safe. {reason}".rstrip())
    return plain


def chosen(plan: Plan, targets: Sequence[str] | None) -> tuple[str, ...]:
    """Return the ids of the targets to hold; a rule stands for its targets of all years.

    Raises
    ------
    ValueError
        If one is unknown.
    """
    known = {target.id: target.rule for target in read_targets(plan.tables["targets"])}
    known = {COMPULSORY: "placement", **known}
    asked = USUAL_TARGETS if targets is None else tuple(targets)
    out: list[str] = []
    for name in asked:
        found = [name] if name in known else [one for one in known if known[one] == name]
        if not found and name not in RULES:
            text = "no target {name}: one of {names} is expected"
            raise ValueError(Message(text, {"name": repr(name), "names": tuple(known)}))
        out += found
    if not out:
        raise ValueError(Message("targets must name at least one target"))
    return tuple(dict.fromkeys(out))


def find(search: Search, plain: Plan, rounds: int, known: Sequence[Step] = ()) -> list[Step]:
    """Try plans at higher and higher prices until one is safe enough, then at lower ones.

    Where the cheapest plan misses a target with children as projected and projects in time, and not
    only by what its gap leaves open, no other is tried: leaving a child out costs more than any way
    to place it.

    Parameters
    ----------
    search : Search
    plain : Plan
    rounds : int
        Plans tried at most.
    known : sequence of Step
        Tried before, for another probability; the first is the plain plan.
    """
    asked = search.probability
    steps = [judge_undecided(search, step) for step in known]
    if not steps:
        search.progress("delays of projects")
        counted = counted_from(plain.model.given, asked, min(search.draws, 400), search.seed)
        steps.append(try_plan(search, plain, counted, 0.0, "the cheapest plan", 0))
        bought, unpaid = _programmes_in_time(search, plain)
        if unpaid:
            steps[0] = replace(steps[0], unpaid=unpaid)
        if bought:
            plan = _bounded(_with_options(plain, plain, bought), plain, search.options.gap)
            change = "the cheapest plan, with projects of programmes hurried"
            steps.append(try_plan(search, plan, counted, 0.0, change, 1, bought))
    if not (all_hold(steps[0].planned, search.targets).all() or _by_the_gap(steps[0])):
        return steps
    data, counted = steps[0].judged.data, steps[0].margins.counted
    most = len(steps) + rounds
    gains: dict[int, list[Gain]] = {}
    clock, took = Clock(), 0.0
    while True:
        begin = clock.spent()
        enough = len(steps) < most and clock.seconds() > took
        next_one = next_price(search, steps) if enough else None
        if next_one is None:
            best, _ = best_of(steps, asked)
            judged = judge_on_all_draws(search, best)
            if judged is best:
                return steps
            steps[steps.index(best)] = judged
            continue
        price, change = next_one
        base = _base(steps, price)
        if base.number not in gains:
            search.progress("what it brings to hurry projects")
            gains[base.number] = _gains(search, base.plan)
        search.progress(f"{MARGINS}, round {len(steps)}")
        margins, found = base.margins, gains[base.number]
        safer = with_recourse(base.plan.model, data, margins, search.guarded(data), price, found)
        try:
            plan = _planned(search, safer, len(steps))
        except NotInTime:
            most = 0
            continue
        hurried = base.hurried | _bought(safer, plan)
        plan = _bounded(_with_options(plan, base.plan, hurried), plain, search.options.gap)
        steps.append(try_plan(search, plan, counted, price, change, len(steps), hurried))
        took = clock.spent() - begin


def _by_the_gap(step: Step) -> bool:
    """Return whether the gap leaves open more than the children without a place cost."""
    plan = step.plan
    lacking = float(step.planned.figures.shortfall.sum())
    worth = lacking * plan.scenario.settings.costs.shortfall_cny
    return worth <= plan.objective_cny - plan.bound_cny


def _base(steps: Sequence[Step], price: float) -> Step:
    """Choose the step whose margins and options the next plan begins with.

    That is the last one; but what was bought at a higher price is not kept at a lower one.
    """
    unpriced = [step for step in steps if not step.price_cny][-1]
    last = steps[-1]
    return unpriced if last.hurried and price < last.price_cny else last


def _programmes_in_time(search: Search, plan: Plan) -> tuple[dict[str, str], tuple[str, ...]]:
    """Find options by which the programmes asked for are in time, or nearest to it.

    Half of the futures in which something may go wrong are left to all else.

    Returns
    -------
    bought : dict of str to str
        Options by project.
    unpaid : tuple of str
        Programmes for which more would be bought if the budgets to build allowed it.
    """
    names = [one.removeprefix("programme-") for one in search.targets if _is_programme(one)]
    out: dict[str, str] = {}
    unpaid: list[str] = []
    if not names or not has_options(plan.scenario):
        return out, ()
    level = (1 + search.probability) / 2
    planned = planned_dates(read_openings(plan, plan.model.given))
    for name in names:
        found = accelerate(
            plan.scenario,
            name,
            level,
            planned=planned,
            replications=search.draws,
            seed=search.seed_of(1),
            progress=search.progress,
        )
        reached = found.curve["reached"].to_numpy()
        wanted = int(np.minimum(reached, level).argmax())
        for row in range(wanted, -1, -1):
            more = out | found.bought(int(found.curve["measures"].iloc[row]))
            if _is_paid(plan, more):
                out = more
                break
            unpaid += [name] if name not in unpaid else []
    return out, tuple(unpaid)


def _is_paid(plan: Plan, hurried: dict[str, str]) -> bool:
    """Check whether the budgets to build have room for options beside all that a plan builds."""
    if not hurried:
        return True
    model = _with_options(plan, plan, hurried).model
    rows = model.program.rows_of("money.capital")
    assert plan.x is not None
    used = model.program.matrix.tocsr()[rows] @ plan.x[: len(model.program.lower)]
    most = model.program.row_upper[rows]
    return bool((used <= most + BUDGET_DUST * np.maximum(np.abs(most), 1.0)).all())


BUDGET_DUST = 1e-7
"""Part of a budget that counts as nothing."""


def _is_programme(target: str) -> bool:
    return target.startswith("programme-")


def _gains(search: Search, plan: Plan) -> list[Gain]:
    """Measure what it brings to hurry what is ordered or under way."""
    given = plan.model.given
    dates = days(given.dates.date[given.dates.autumn]).astype(float)
    openings = read_openings(plan, given)
    draws, seed = min(search.draws, GAIN_DRAWS), search.seed_of(1)
    return gains_of(
        plan.scenario,
        planned_dates(openings),
        dates,
        search.probability,
        replications=draws,
        seed=seed,
    )


def _bought(safer: Model, plan: Plan) -> dict[str, str]:
    """Read which options were bought, by project."""
    assert plan.x is not None
    out: dict[str, str] = {}
    for block in safer.program.columns:
        if block.name == "hurried":
            taken = plan.x[block.start : block.start + block.count] > 0.5
            project, options = (label[taken] for label in block.labels)
            out |= dict(zip(project.tolist(), options.tolist(), strict=True))
    return out


def _with_options(plan: Plan, base: Plan, hurried: dict[str, str]) -> Plan:
    """Return the plan of the scenario in which projects are hurried, at its cost."""
    if not hurried:
        return plan
    scenario = with_options(base.scenario, hurried)
    model = formulate(scenario, plan.demand, like=base.model)
    assert plan.x is not None
    return make_plan(
        model,
        plan.x[: len(model.program.lower)],
        bound=-np.inf,
        solver=plan.solver,
        asked_gap=np.inf,
        proved=False,
        timings_s=plan.timings_s,
    )


def _planned(search: Search, safer: Model, number: int) -> Plan:
    """Plan with margins; nothing is proved, for the bound is that of the scenario itself.

    Raises
    ------
    NotInTime
        If nothing is found within the time limit.
    """
    rough = replace(
        search.options.within(Clock().left(), 2),
        gap=ROUGH * search.options.gap,
        progress=lambda words: search.progress(f"{MARGINS}, round {number}: {words}"),
    )
    found = search_for(safer, safer.program, rough, prove=False)
    return settled_plan(
        safer, replace(found, x=found_x(found, "a plan with margins")), gap=rough.gap
    )


def next_price(search: Search, steps: Sequence[Step]) -> tuple[float, str] | None:
    """Choose the price of a missing place to plan with next, RMB, and say why; None to end."""
    priced = [step for step in steps if step.price_cny > 0]
    safe, below = bracket(steps, search.probability)
    if not priced and safe is None:
        settings = steps[0].plan.scenario.settings
        child = max(settings.costs.shortfall_cny, LEAST_PRICE_CNY)
        price = child * USUAL / (1 - search.probability)
        return price, f"a missing place at {price / 1e6:.3g} million RMB"
    if safe is None:
        last = max(priced, key=lambda step: step.price_cny)
        lower = [step for step in priced if step is not last]
        factor = WIDER
        if lower:
            before = max(lower, key=lambda step: step.price_cny)
            gained = last.holds.mean() - before.holds.mean()
            if gained < NO_SAFER:
                return None
            pace = np.log(last.price_cny / before.price_cny) / (_quantile(last) - _quantile(before))
            further = pace * (ndtri(_aim(search)) - _quantile(last))
            factor = float(np.clip(np.exp(further), 2.0, WIDER**2))
        return last.price_cny * factor, f"a missing place at {factor:.3g} times {last.name}'s price"
    if safe.price_cny == 0 or below is None or _near_enough(search, safe, below):
        return None
    if below.price_cny:
        part = interpolated_part(search, safe, below)
        price = float(below.price_cny * (safe.price_cny / below.price_cny) ** part)
    else:
        fewer = max((_quantile(safe) - float(ndtri(_aim(search)))) / PACE, np.log(2.0))
        price = safe.price_cny * float(np.exp(-fewer))
    return price, f"a missing place at {price / safe.price_cny:.3g} times {safe.name}'s price"


def bracket(steps: Sequence[Step], asked: float) -> tuple[Step | None, Step | None]:
    """Find the cheapest plan that is safe enough, and the dearest below it that is not."""
    best, reached = best_of(steps, asked)
    if not reached:
        return None, None
    cost = best.plan.objective_cny
    below = [step for step in steps if step.plan.objective_cny < cost]
    return best, max(below, key=lambda step: step.plan.objective_cny, default=None)


def interpolated_part(search: Search, safe: Step, below: Step) -> float:
    """Estimate which part of the way from one plan's price to another's is just safe enough.

    Linear in the normal quantile of the probability and the logarithm of the price; the aim is a
    little above what is asked for, so that the lower end of the interval reaches it.
    """
    low, high = _quantile(below), _quantile(safe)
    part = (ndtri(_aim(search)) - low) / max(high - low, 1e-9)
    return float(np.clip(part, LEAST_PART, 1 - LEAST_PART))


def _quantile(step: Step) -> float:
    """Return the normal quantile of the probability that a plan holds; it is finite."""
    return float(ndtri((step.holds.sum() + 0.5) / (len(step.holds) + 1)))


def _aim(search: Search) -> float:
    asked = search.probability
    sd = np.sqrt(asked * (1 - asked) / search.fresh_draws)
    return min(asked + AIM * float(sd), (1 + asked) / 2)


def _near_enough(search: Search, safe: Step, below: Step) -> bool:
    """Return whether a lower price saves no more than the gap leaves open, or is hardly as safe."""
    saving = safe.plan.objective_cny - below.plan.objective_cny
    least = ROUGH * search.options.gap * max(safe.plan.avoidable_cny, 1e6)
    enough = search.probability + HARDLY * (1 - search.probability)
    return bool(safe.holds.mean() <= enough) or saving <= least


def _bounded(plan: Plan, plain: Plan, asked_gap: float) -> Plan:
    """Measure a plan's gap on the bound of the scenario itself, not of the one with margins."""
    gap = (plan.objective_cny - plain.bound_cny) / max(plan.avoidable_cny, 1e6)
    status = "optimal" if gap <= asked_gap + 1e-9 else "gap"
    # What is asked of the plan is asked of the scenario's own limits too, of whose model the
    # columns of margins, the last ones, are no part.
    own = plain.model if plan.scenario is plain.scenario else plan.model
    x = None if plan.x is None else plan.x[: len(own.program.lower)]
    return replace(
        plan,
        bound_cny=plain.bound_cny,
        gap=gap,
        status=status,
        x=x,
        made_from=own,
        asked_gap=asked_gap,
        row_prices=plain.row_prices,
        bound_of=None if plan.scenario is plain.scenario else plain.scenario,
    )
