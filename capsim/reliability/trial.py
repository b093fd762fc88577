"""Trial of one plan: its draws, its margins, and how often it holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from capsim.lp.array_types import Array, Flag, Index
from capsim.lp.options_and_result import SolveOptions
from capsim.lp.parallel_solves import Clock
from capsim.model.data import codes
from capsim.model.model import Model
from capsim.plan.plan import Plan
from capsim.plan.targets import Target
from capsim.reliability.margins import Margins, margins_of
from capsim.simulation.data import SimulationData
from capsim.simulation.evaluation import rooms
from capsim.simulation.outcomes import wilson
from capsim.simulation.run import Trial, trial

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
        return trial(plan, draws=draws, seed=seed, harm=False, executor=self.options.executor)

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
    price_cny : float
        Of a missing place that it was made with, RMB; 0 for the cheapest plan.
    change : text
        How that was chosen.
    planned : Trial
        With children as projected and every project on time.
    margins : Margins
        By how much draws go beyond the plan.
    kept_free : float64 ``[group, year]``
        Places that it may count on beyond what it fills, contracts as far as they can grow.
    judged : Trial
        Of fresh draws.
    holds : bool ``[draw]``
        Whether all targets hold in each of these.
    one_by_one : float
        How often each of them holds, in the mean over them.
    hurried : dict of str to str
        Options bought for projects, those that they had before among them.
    unpaid : tuple of str
        Programmes for which there is no money to hurry as many as asked for; of the first step.
    draw_s : float
        Seconds that a fresh draw took.
    """

    number: int
    plan: Plan
    price_cny: float
    change: str
    planned: Trial
    margins: Margins
    kept_free: Array
    judged: Trial
    holds: Flag
    one_by_one: float = 0.0
    hurried: dict[str, str] = field(default_factory=dict)
    unpaid: tuple[str, ...] = ()
    draw_s: float = 0.0

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


def _one_by_one(run: Trial, targets: Sequence[str]) -> float:
    """Return how often each of some targets holds, in the mean over them."""
    return float(np.mean([all_hold(run, [name]).mean() for name in targets]))


def try_plan(
    search: Search,
    plan: Plan,
    counted: Index,
    price_cny: float,
    change: str,
    number: int,
    hurried: dict[str, str] | None = None,
) -> Step:
    """Simulate a plan: draws for margins, and draws of their own to judge it by."""
    search.progress(f"simulating, round {number}")
    drawn = search.simulate(plan, 1, search.draws)
    planned = trial(plan, draws=1, seed=search.seed, uncertainty=False)
    room = rooms(drawn.data, _counted_days(plan.model, drawn, counted))
    with_margin = search.with_margin(drawn)
    seats, worse = margins_of(drawn, planned, room, with_margin, search.probability)
    targets = zip((drawn.targets[at] for at in with_margin), worse.T, strict=True)
    clock, first = Clock(), min(search.draws, search.fresh_draws)
    judged = search.simulate(plan, 2 * number + 2, first)
    step = Step(
        number=number,
        plan=plan,
        price_cny=price_cny,
        change=change,
        planned=planned,
        margins=Margins(counted, seats, tuple(targets)),
        kept_free=room - planned.figures.demanded[..., 0],
        judged=judged,
        holds=all_hold(judged, search.targets),
        one_by_one=_one_by_one(judged, search.targets),
        hurried=hurried or {},
        draw_s=clock.spent() / first,
    )
    return judge_undecided(search, step)


def judge_undecided(search: Search, step: Step) -> Step:
    """Judge a plan by all fresh draws where a first look leaves open whether it is safe enough."""
    low, high = interval(step.holds)
    return judge_on_all_draws(search, step) if low < search.probability <= high else step


def judge_on_all_draws(search: Search, step: Step) -> Step:
    """Judge a plan by all fresh draws, unless a first look has shown that it is not safe enough.

    Or the question's time is too short for them.
    """
    if len(step.holds) >= search.fresh_draws or interval(step.holds)[1] < search.probability:
        return step
    if Clock().seconds() < search.fresh_draws * step.draw_s:
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
