"""One plan tried: the draws it met, the margins it was given, how often it holds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from capsim.lp.arrays import Array, Flag, Index
from capsim.simulate.block import rooms
from capsim.simulate.given import Given
from capsim.simulate.run import Trial, trial
from capsim.simulate.targets import Target

from .margins import Need, need
from .reserves import reserves
from .tighten import Safety

if TYPE_CHECKING:
    from capsim.optimize import Model, Plan

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
    executor: Executor | None
    options: dict[str, Any]
    progress: Callable[[str], None]

    def look(self, plan: Plan, name: int, draws: int) -> Trial:
        """Let a plan meet draws of a stream of their own."""
        own = int(np.random.SeedSequence([self.seed, name]).generate_state(1)[0])
        return trial(plan, draws=draws, seed=own, executor=self.executor)


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
    compulsory = [stage.compulsory for stage in run.given.stages]
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


def guarded(given: Given, wanted: Sequence[str]) -> Flag:
    """Flag the groups in which places are to be kept free, ``[group]``."""
    every = "placement" in wanted
    flags = [
        np.full(len(stage.reach.area), every or (stage.compulsory and COMPULSORY in wanted))
        for stage in given.stages
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
    surely = rooms(drawn.given, _counted_days(model, drawn, counted))
    at = tuple(i for i, one in enumerate(drawn.targets) if one.id in wanted and by_margin(one.id))
    found = need(drawn, planned, surely, at)
    guard = guarded(drawn.given, wanted)[:, None]
    margin = np.zeros_like(found.spare) if safety is None else safety.seats
    free, counted_on = reserves(drawn.given, margin - found.spare)
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


def by_margin(name: str) -> bool:
    """Whether a target is held by a margin of its own."""
    return name.partition("-")[0] in BY_MARGIN


def _counted_days(model: Model, run: Trial, counted: Index) -> Index:
    """Day from which each opening counts, ``[opening]``."""
    dates, programme = model.given.dates, run.given.programme
    row = pd.Index(model.given.projects.project).get_indexer(pd.Index(programme.projects))
    check = np.searchsorted(dates.date.astype("datetime64[D]").astype(np.int64), programme.day)
    autumn = counted[row[programme.project], check].astype(np.int64)
    days = np.append(programme.autumns, np.iinfo(np.int64).max)
    return np.asarray(days[np.minimum(autumn, len(programme.autumns))])


def count(run: Trial, wanted: Sequence[str]) -> tuple[int, int]:
    """Count the draws in which all of some targets hold, and all draws."""
    flag = holds(run, wanted)
    return int(flag.sum()), len(flag)
