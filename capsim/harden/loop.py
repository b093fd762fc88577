"""Optimize and simulate in turn until a plan holds often enough, or say why none does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from capsim.lp.arrays import Index
from capsim.optimize import formulate, optimize
from capsim.simulate.outcomes import wilson

from .delays import counted_from
from .margins import margins
from .result import Hardened, result_of
from .step import COMPULSORY, Search, Step, by_margin, count, guarded, look_at
from .tighten import Safety, tighten

if TYPE_CHECKING:
    from capsim.demand import Demand
    from capsim.optimize import Plan
    from capsim.scenario import Scenario

ROUNDS = 4
CUSHION = 0.25
"""Standard deviations beyond the draws that were looked at; doubled each round."""
NOT_FORCED = ("programme", "large_classes")
"""Targets whose probability is reported only."""


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
        Ids as in the plan's table ``targets``, and ``placement-compulsory``: no child of the
        compulsory stages without a place in any year. All must hold at once. Default: that and
        every ``share-YYYY``; ``placement`` asks the same for all stages.
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
    options: dict[str, Any] = {"solver": solver, "gap": gap, "time_limit": time_limit}
    search = Search(probability, draws, fresh_draws, seed, executor, options, progress)
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
    known = [COMPULSORY, *plan.tables["targets"]["id"]]
    if targets is None:
        return tuple(name for name in known if name == COMPULSORY or name.startswith("share-"))
    for name in targets:
        if name not in known:
            raise ValueError(f"no target {name!r}: one of {', '.join(known)} is expected")
        if name.partition("-")[0] in NOT_FORCED:
            raise ValueError(f"target {name!r} is reported with its probability, not forced")
    if not targets:
        raise ValueError("targets must name at least one target")
    return tuple(dict.fromkeys(targets))


def _search(
    search: Search, plain: Plan, wanted: tuple[str, ...], asked: float, rounds: int
) -> Hardened:
    search.progress("delays of projects")
    model = formulate(plain.scenario, plain.demand)
    counted = counted_from(model.given, asked, min(search.draws, 400), search.seed)
    steps = [look_at(search, plain, model, counted, None, "the cheapest plan", wanted, None, 0)]
    for number in range(1, rounds + 1):
        last = steps[-1]
        low, _ = wilson(*count(last.judged, wanted))
        if low >= asked:
            break
        share = 1 - (1 - asked) / 2**number
        cushion = CUSHION * 2 ** (number - 1)
        safety = _safety(last, counted, share, cushion, wanted)
        search.progress(f"planning with margins, round {number}")
        plan = optimize(tighten(model, last.drawn.given, safety), **search.options)
        plan = _bounded(plan, plain, search.options["gap"])
        change = f"room for {share:.2%} of draws and {cushion:g} standard deviations"
        steps.append(look_at(search, plan, model, counted, safety, change, wanted, last, number))
    return result_of(search, steps, wanted, asked)


def _bounded(plan: Plan, plain: Plan, asked_gap: float) -> Plan:
    """Measure a plan's gap on the bound of the scenario itself, not of the one with margins."""
    gap = (plan.objective_cny - plain.bound_cny) / max(plan.avoidable_cny, 1e6)
    status = "optimal" if gap <= asked_gap + 1e-9 else "gap"
    return replace(plan, bound_cny=plain.bound_cny, gap=gap, status=status)


def _safety(
    last: Step, counted: Index, share: float, cushion: float, wanted: tuple[str, ...]
) -> Safety:
    """Margins for the next plan, none smaller than before."""
    seats, targets = margins(last.found, share, cushion, last.closed)
    seats = np.where(guarded(last.drawn.given, wanted)[:, None], seats, 0.0)
    ids = [one.id for one in last.drawn.targets if one.id in wanted and by_margin(one.id)]
    before = {} if last.safety is None else dict(last.safety.targets)
    if last.safety is not None:
        seats = np.where(last.closed, seats, np.maximum(seats, last.safety.seats))
    pairs = zip(ids, targets, strict=True)
    kept = tuple((name, max(float(one), before.get(name, 0.0))) for name, one in pairs)
    return Safety(np.asarray(counted, np.int64), seats, kept)
