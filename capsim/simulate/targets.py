"""Each target of a plan in every draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .given import Given
from .network import Floats
from .programme import Days, in_use
from .seating import Seated
from .stage import StageGiven

AT_MOST = ("placement", "share", "large_classes")
"""Targets that are met by staying below what is required."""


@dataclass(frozen=True, eq=False)
class Autumns:
    """What targets are read from, of a block of draws.

    Attributes
    ----------
    children : array [area, grade, year, draw]
    seated : by stage
    shortfall : array [area, stage, year, draw]
    counted : array [year, draw]
        Counted private pupils of compulsory stages in autumn.
    shares : array [whole and county, year, draw]
        Counted private pupils on 31 December over enrolment.
    large : array [county, compulsory stage, year, draw]
    opening : array of int [opening, draw]
        Days.
    """

    children: Floats
    seated: Sequence[Seated]
    shortfall: Floats
    counted: Floats
    shares: Floats
    large: Floats
    opening: Days


@dataclass(frozen=True)
class Target:
    """A target of the plan.

    Attributes
    ----------
    id, by : text
    required : float
    day : int
        `by` in days since 1970-01-01.
    openings : tuple of int
        The openings that a programme counts.
    """

    id: str
    by: str
    required: float
    day: int
    openings: tuple[int, ...]

    @property
    def rule(self) -> str:
        """The id without its year or name.

        Examples
        --------
        >>> Target("share-2022", "2022-12-31", 0.05, 0, ()).rule
        'share'
        """
        return self.id.partition("-")[0]

    def holds(self, achieved: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
        """Whether the target is met; half a child, or a millionth, is no matter."""
        slack = 1e-6 * max(1.0, abs(self.required))
        if self.rule in AT_MOST:
            slack = 0.5 if self.rule == "placement" else 1e-6
            return np.asarray(achieved <= self.required + slack)
        if self.required < 1:
            slack = 1e-6
        return np.asarray(achieved >= self.required - slack)


def achieve(given: Given, target: Target, found: Autumns) -> Floats:
    """Read the achieved figure of a target by draw.

    Raises
    ------
    ValueError
        If the target is of a rule the simulation does not know.
    """
    rule = RULES.get(target.rule)
    if rule is None:
        raise ValueError(f"target {target.id!r} is none of {', '.join(RULES)}")
    return rule(given, target, found)


def _year(given: Given, target: Target) -> int:
    return given.years.index(int(target.id.rpartition("-")[2]))


def _placement(given: Given, target: Target, found: Autumns) -> Floats:
    return np.asarray(found.shortfall.sum((0, 1, 2)))


def _reduction(given: Given, target: Target, found: Autumns) -> Floats:
    base = sum(float(stage.rolls[stage.levered].sum()) for stage in given.stages)
    return np.asarray(base - found.counted[given.years.index(int(target.by[:4]))])


def _share(given: Given, target: Target, found: Autumns) -> Floats:
    shares = found.shares[:, _year(given, target)]
    whole = given.settings.policy.share_scope == "whole"
    return np.asarray(shares[0] if whole else shares[1:].max(0))


def _large_classes(given: Given, target: Target, found: Autumns) -> Floats:
    return np.asarray(found.large[:, :, _year(given, target)].max((0, 1)))


def _programme(given: Given, target: Target, found: Autumns) -> Floats:
    ready = in_use(given.programme, found.opening, np.array([target.day]))[:, 0]
    return np.asarray(ready[list(target.openings)].sum(0))


def _stage(given: Given, found: Autumns, name: str) -> tuple[int, StageGiven, Seated]:
    number = [stage.name for stage in given.stages].index(name)
    return number, given.stages[number], found.seated[number]


def _enrolment(name: str) -> Callable[[Given, Target, Autumns], Floats]:
    def enrolled(given: Given, target: Target, found: Autumns) -> Floats:
        t = _year(given, target)
        number, stage, _ = _stage(given, found, name)
        children = found.children[:, stage.grades, t]
        planned = given.demand.pupils[:, stage.grades, t + 1, None]
        ages = given.demand.population[:, stage.grades, t + 1, None]
        # More or fewer children are a matter of how many there are, not of how many enrol.
        ages = ages * np.where(planned > 0, children / np.where(planned > 0, planned, 1.0), 1.0)
        placed = children.sum((0, 1)) - found.shortfall[:, number, t].sum(0)
        return _share_of(placed, ages.sum((0, 1)))

    return enrolled


def _kindergarten_share(given: Given, target: Target, found: Autumns) -> Floats:
    t = _year(given, target)
    _, stage, seated = _stage(given, found, "kindergarten")
    pupils = seated.total[:, t]
    counted = pupils[stage.public].sum(0)
    if target.rule == "kindergarten_inclusive":
        programme = given.programme
        checks = np.array([programme.decembers[t]])
        december = in_use(programme, found.opening, checks)[:, 0]
        autumn = in_use(programme, programme.day[:, None], programme.autumns[t : t + 1])[:, 0]
        turned = programme.inclusive[:, None] * (december - autumn)[programme.opening]
        counted = counted + pupils[stage.inclusive].sum(0) + turned.sum(0)
    return _share_of(counted, pupils.sum(0))


def _share_of(part: Floats, whole: Floats) -> Floats:
    """Divide draw by draw; of nobody, all are what a floor asks for.

    Examples
    --------
    >>> _share_of(np.array([3.0, 0.0]), np.array([4.0, 0.0])).tolist()
    [0.75, 1.0]
    """
    return np.divide(part, whole, out=np.ones_like(whole), where=whole > 0)


RULES: dict[str, Callable[[Given, Target, Autumns], Floats]] = {
    "placement": _placement,
    "reduction": _reduction,
    "share": _share,
    "programme": _programme,
    "kindergarten_enrolment": _enrolment("kindergarten"),
    "kindergarten_public": _kindergarten_share,
    "kindergarten_inclusive": _kindergarten_share,
    "senior_enrolment": _enrolment("senior"),
    "large_classes": _large_classes,
}
