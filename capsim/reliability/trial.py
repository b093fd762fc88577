"""Trial of one plan: its draws, its margins, and how often it holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from capsim.lp.array_types import Array, Flag, Index
from capsim.lp.options_and_result import SolveOptions
from capsim.model.data import codes
from capsim.model.model import Model
from capsim.plan.plan import Plan
from capsim.plan.targets import Target
from capsim.reliability.margins import Need, Safety, need_of, reserves
from capsim.simulation.data import SimulationData
from capsim.simulation.evaluation import rooms
from capsim.simulation.outcomes import ANY, wilson
from capsim.simulation.run import Trial, trial

NEAR = 0.03
"""A plan that a first look finds further below what is asked for is not looked at longer."""
COMPULSORY = "placement-compulsory"
"""Every child of the compulsory stages has a place in every year."""
BY_MARGIN = ("share", "reduction", "kindergarten_public", "kindergarten_inclusive")
"""Rules that a margin of their own can be kept to; ``placement`` is held by free places."""


@dataclass(frozen=True)
class Search:
    """Options that the steps of a search have in common.

    Attributes
    ----------
    targets : tuple of text
        Ids of those that must all hold at once.
    probability : float
        Asked for.
    draws : int
        That margins are made from.
    fresh_draws : int
        That a plan is judged by.
    seed : int
    options : SolveOptions
    progress : callable
        Called with each phase as it begins.
    """

    targets: tuple[str, ...]
    probability: float
    draws: int
    fresh_draws: int
    seed: int
    options: SolveOptions
    progress: Callable[[str], None]

    def seed_of(self, stream: int) -> int:
        """Return the seed of a stream of draws of their own."""
        return int(np.random.SeedSequence([self.seed, stream]).generate_state(1)[0])

    def simulate(self, plan: Plan, stream: int, draws: int) -> Trial:
        """Simulate a plan with draws of a stream of their own."""
        seed = self.seed_of(stream)
        return trial(plan, draws=draws, seed=seed, executor=self.options.executor)

    def guards(self, stage_compulsory: bool) -> bool:
        """Return whether places are to be kept free in a stage."""
        return "placement" in self.targets or (stage_compulsory and COMPULSORY in self.targets)

    def guarded(self, data: SimulationData) -> Flag:
        """Flag the groups in which places are to be kept free, ``[group]``."""
        flags = [self.guards(stage.compulsory) for stage in data.stages]
        return np.repeat(flags, [len(stage.reach.area) for stage in data.stages])

    def with_margin(self, run: Trial) -> list[int]:
        """List the positions of the targets that are held by a margin of their own."""
        return [
            at
            for at, target in enumerate(run.targets)
            if target.id in self.targets and target.rule in BY_MARGIN
        ]


@dataclass(frozen=True, eq=False)
class Step:
    """A plan tried.

    Attributes
    ----------
    number : int
        0 for the cheapest plan.
    plan : Plan
    planned : Trial
        With children as projected and every project on time.
    drawn : Trial
        That margins are made from.
    need : Need
        How far its draws go beyond the plan.
    safety : Safety or None
        The margins it was given.
    change : text
        How these were chosen.
    judged : Trial
        Of fresh draws.
    holds : bool ``[draw]``
        Whether all targets hold in each of these.
    missing : float64 ``[group, year]``
        Places of margins not found, persons.
    closed : bool ``[group, year]``
        Where no more room can be had.
    """

    number: int
    plan: Plan
    planned: Trial
    drawn: Trial
    need: Need
    safety: Safety | None
    change: str
    judged: Trial
    holds: Flag
    missing: Array
    closed: Flag

    @property
    def name(self) -> str:
        """The plan in words."""
        return f"the plan of round {self.number}" if self.number else "the cheapest plan"


def interval(holds: Flag) -> tuple[float, float]:
    """Return the interval of the probability that flags of draws stand for."""
    return wilson(int(holds.sum()), len(holds))


def achieved(run: Trial) -> dict[str, tuple[Target, Array]]:
    """Return every target with what was achieved ``[draw]``: the plan's, and `COMPULSORY`."""
    compulsory = [stage.compulsory for stage in run.data.stages]
    lacking = run.figures.shortfall[:, compulsory].sum((0, 1, 2))
    out = {one.id: (one, row) for one, row in zip(run.targets, run.figures.targets, strict=True)}
    return {COMPULSORY: (replace(out["placement"][0], id=COMPULSORY), lacking), **out}


def all_hold(run: Trial, targets: Sequence[str]) -> Flag:
    """Flag the draws in which all of some targets hold ``[draw]``."""
    by_target = achieved(run)
    flags = [target.holds(row) for target, row in (by_target[name] for name in targets)]
    return np.asarray(np.all(flags, axis=0))


def try_plan(
    search: Search,
    plan: Plan,
    counted: Index,
    safety: Safety | None,
    change: str,
    before: Step | None = None,
) -> Step:
    """Simulate a plan: draws for margins, and draws of their own to judge it by."""
    number = 0 if before is None else before.number + 1
    search.progress(f"simulating, round {number}")
    drawn = search.simulate(plan, 1, search.draws)
    planned = trial(plan, draws=1, seed=search.seed, uncertainty=False)
    room = rooms(drawn.data, _counted_days(plan.model, drawn, counted))
    beyond = need_of(drawn, planned, room, search.with_margin(drawn))
    guarded = search.guarded(drawn.data)[:, None]
    margin = np.zeros_like(beyond.spare) if safety is None else safety.seats
    free, counted_on = reserves(drawn.data, margin - beyond.spare)
    beyond = replace(
        beyond,
        seats=np.where(guarded[..., None], beyond.seats, 0.0),
        spare=np.where(guarded, beyond.spare - free + counted_on, 0.0),
    )
    missing = np.maximum(margin - beyond.spare, 0.0)
    judged = search.simulate(plan, 2 * number + 2, min(search.draws, search.fresh_draws))
    step = Step(
        number=number,
        plan=plan,
        planned=planned,
        drawn=drawn,
        need=beyond,
        safety=safety,
        change=change,
        judged=judged,
        holds=all_hold(judged, search.targets),
        missing=missing,
        closed=closed_after(None if before is None else before.closed, missing),
    )
    return judge_on_all_draws(search, step)


def closed_after(before: Flag | None, missing: Array) -> Flag:
    """Flag where no more room can be had: where a plan lacked some that it was asked for.

    Nothing was asked of the cheapest plan (no ``before``), whatever it lacks.
    """
    if before is None:
        return np.zeros(missing.shape, bool)
    return np.asarray(before | (missing > ANY))


def judge_on_all_draws(search: Search, step: Step) -> Step:
    """Judge a plan that a first look finds near what is asked for, or above, by all fresh draws."""
    if len(step.holds) >= search.fresh_draws or step.holds.mean() < search.probability - NEAR:
        return step
    judged = search.simulate(step.plan, 2 * step.number + 3, search.fresh_draws)
    return replace(step, judged=judged, holds=all_hold(judged, search.targets))


def _counted_days(model: Model, run: Trial, counted: Index) -> Index:
    """Find the day from which each opening counts, ``[opening]``."""
    dates, openings = model.given.dates, run.data.openings
    project = codes(openings.projects, model.given.projects.project)[openings.project]
    check = np.searchsorted(dates.date.astype("datetime64[D]").astype(np.int64), openings.day)
    days = np.append(openings.autumns, np.iinfo(np.int64).max)
    return np.asarray(days[np.minimum(counted[project, check], len(openings.autumns))])
