"""The recipe of a synthetic scenario: the numbers behind every generated table.

All of them are assumptions unless a comment names a source; a scenario made from a recipe says so
in its ``[sources]``. Persons, RMB, years; shares are fractions of one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

STAGES: Mapping[str, tuple[str, ...]] = {
    "kindergarten": ("K1", "K2", "K3"),
    "primary": ("1", "2", "3", "4", "5", "6"),
    "junior": ("7", "8", "9"),
    "senior": ("10", "11", "12"),
}
COMPULSORY = ("primary", "junior")
ENTRY_AGE = {"kindergarten": 3, "primary": 6, "junior": 12, "senior": 15}
CLASS_SIZE = {"kindergarten": 30, "primary": 45, "junior": 50, "senior": 50}
PUPILS_PER_POST = {"kindergarten": 11.0, "primary": 19.0, "junior": 13.5, "senior": 12.5}
PLACE_CNY = {"kindergarten": 55_000, "primary": 50_000, "junior": 50_000, "senior": 110_000}
PLACE_PRICE_CNY = {"primary": 5_900.0, "junior": 8_250.0}
"""Price of a purchased place and year: the full running cost of a public one."""

# Births of the province in 10,000 by years before 2022; 2014 on as published, earlier assumed.
BIRTHS = {
    2003: 81.0, 2004: 83.0, 2005: 88.0, 2006: 88.5, 2007: 91.0, 2008: 91.5, 2009: 90.5,
    2010: 93.5, 2011: 94.0, 2012: 94.5, 2013: 95.0, 2014: 97.0, 2015: 84.0, 2016: 92.5,
    2017: 97.6, 2018: 84.9, 2019: 80.6, 2020: 60.8, 2021: 53.3, 2022: 45.3,
}  # fmt: skip


def _by(values: Mapping[str, Any]) -> Any:
    """Declare a field of numbers by part or kind of area, or by stage; ``""`` has neither."""
    return field(default_factory=lambda: {"": 1.0, **values})


@dataclass(frozen=True)
class Recipe:
    """The assumptions behind a synthetic scenario.

    Attributes whose names end in ``_by_part`` or ``_by_kind`` are factors by the area's part
    (``core``, ``town``, ``village``) or kind (``urban``, ``peri-urban``, ``rural``).
    """

    pupils: int = 1_500_000
    """Compulsory enrolment of the base year, exactly."""
    private: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(COMPULSORY, 192_400))
    """Private pupils of the base year by compulsory stage, exactly."""
    stages: tuple[str, ...] = tuple(STAGES)
    base_year: int = 2021
    last_year: int = 2035
    history: int = 6
    """Observed school years, the base year included."""

    # Children
    birth_factor: float | None = None
    """Births over the province's; None: so many that everyone of school age is enrolled."""
    birth_fall: float = 0.025
    """Yearly fall of births after the last published year."""
    birth_drift_by_kind: Mapping[str, float] = _by(
        {"urban": 0.004, "peri-urban": 0.0, "rural": -0.001, "": 0.0}
    )
    """Yearly growth of an area's share of births."""
    birth_drift_by_part: Mapping[str, float] = _by(
        {"core": 0.004, "town": 0.0, "village": -0.006, "": 0.0}
    )
    pull_by_kind: Mapping[str, float] = _by({"urban": 1.004, "peri-urban": 1.001, "rural": 0.999})
    """Progression ratio of a kind of area, before all are scaled to keep the whole."""
    junior_by_part: Mapping[str, float] = _by({"core": 1.15, "town": 1.15, "village": 0.6})
    """Pupils of a junior grade over children of its age; the rest of a county fills up."""
    noise: float = 0.003
    """Standard deviation of the logarithm of observed enrolment by area, grade and year."""
    kindergarten_rate: float = 0.9302
    kindergarten_public: float = 0.5747
    kindergarten_inclusive: float = 0.8563
    senior_rate: float = 0.94
    senior_pupils: int | None = None
    """Pupils of the senior stage in the base year, exactly; None: by `senior_rate`."""
    senior_private: float = 0.12

    # Private schools
    private_by_part: Mapping[str, float] = _by({"core": 1.5, "town": 0.85, "village": 0.3})
    private_by_kind: Mapping[str, float] = _by({"urban": 1.2, "peri-urban": 1.0, "rural": 0.95})
    private_spread: float = 0.15
    """Standard deviation of the logarithm of a county's private rate."""
    private_growth: float = 0.02
    """Yearly growth of the private share in the observed years."""
    private_schools: int = 400
    """Rows of private compulsory schools (school × stage); one for each area at least."""
    conversion_shares: tuple[float, float, float] = (0.25, 0.35, 0.40)
    """must, may, no: by number."""
    selling_share: float = 0.6
    """Of the schools that need not convert, those that sell places."""
    selling_part: tuple[float, float] = (0.55, 0.95)
    """Places a selling school offers over its pupils."""
    purchase_min: int = 60
    price_spread: float = 0.08
    buyout_cny: tuple[float, float] = (40_000.0, 80_000.0)
    """A place, once."""
    lease_cny: tuple[float, float] = (2_500.0, 6_500.0)
    """A place and school year."""
    transfer_cny: float = 600.0
    """A place, once, when a school is handed over free of charge."""
    closable_share: float = 0.2
    """Of the schools that neither sell nor must convert, those with a smallest viable size."""
    closure_cny: float = 3_000.0
    """A pupil, once."""
    closable: bool = False
    """Whether closing any private school costs `closure_cny`, not only one with a smallest size."""

    # Public supply
    class_mean: Mapping[str, Mapping[str, float]] = field(
        default_factory=lambda: {
            "kindergarten": {"": 28.5, "core": 29.0, "town": 28.5, "village": 28.0},
            "primary": {"": 42.5, "core": 45.8, "town": 43.5, "village": 40.5},
            "junior": {"": 47.0, "core": 49.9, "town": 49.2, "village": 47.5},
            "senior": {"": 45.0, "core": 45.0, "town": 45.0, "village": 45.0},
        }
    )
    """Pupils of an average public class by stage and part."""
    class_spread: float = 0.6
    """Standard deviation round it by area, pupils."""
    fixed_cny: float = 0.0
    """Keeping a public or convertible compulsory school open, a place and school year."""
    staff_total: int | None = None
    """Staff of all schools, exactly, kindergartens taking what is left; None: by the standards."""
    staff_cover: float = 1.0
    """Teachers on post in public compulsory schools over those the staffing standard asks for."""
    staff_spread: float = 0.02
    """Standard deviation of it by county."""

    # Limits, a year, per compulsory pupil of the base year (a county's share varies)
    hires: float = 4_121 / 1_500_000
    contract_teachers: float = 6_300 / 1_500_000
    posts_growth: float = 1_816 / 1_500_000
    posts_room: float = 0.03
    """Authorised posts beyond the teachers there are, as a share of them."""
    posts_coming: float = 0.9
    """Posts for the teachers of schools that must convert, as a share of them."""
    purchase: float = 0.11
    purchase_spread: float = 0.12
    purchase_fall: float = 0.42
    """Yearly fall of the money for purchases after the first three years (a first contract)."""
    purchase_floor: float = 0.15
    """Least share of the first year's money that stays."""
    capital_cny: float = 600.0
    capital_now: float = 1.1
    """Capital of the first year over what the ordered projects need in it."""
    land_mu: float = 250 / 1_500_000
    land_by_kind: Mapping[str, float] = _by({"urban": 1.0, "peri-urban": 1.0, "rural": 1.0})
    recurrent_room: float = 1.04
    """Recurrent money over what public schooling of all children would need."""


def apportion(totals: Ints, weights: Floats, group: Ints) -> Ints:
    """Split whole totals over the members of groups by largest remainder.

    Parameters
    ----------
    totals : int array [group]
        Persons, places or the like.
    weights : float array [member]
        Not negative. A group whose weights are all 0 is split evenly.
    group : int array [member]

    Returns
    -------
    int array [member]
        Sums to ``totals`` by group.

    Examples
    --------
    >>> apportion(np.array([10, 5]), np.array([1.0, 1.0, 1.0, 3.0, 1.0]), np.array([0, 0, 0, 1, 1]))
    array([4, 3, 3, 4, 1])
    """
    size = len(totals)
    mass = np.bincount(group, weights, size)
    weights = np.where(mass[group] > 0, weights, 1.0)
    mass = np.bincount(group, weights, size)
    quota = totals[group] * weights / mass[group]
    floor = np.floor(quota + 1e-9).astype(np.int64)
    left = totals - np.bincount(group, floor, size).astype(np.int64)
    order = np.lexsort((np.arange(len(group)), np.round(floor - quota, 9), group))
    start = np.concatenate(([0], np.cumsum(np.bincount(group, minlength=size))[:-1]))
    rank = np.empty(len(group), dtype=np.int64)
    rank[order] = np.arange(len(group)) - start[group[order]]
    return np.asarray(floor + (rank < left[group]))


def split(total: int, weights: Floats) -> Ints:
    """Split one whole total; see `apportion`."""
    return apportion(np.array([total]), weights, np.zeros(len(weights), dtype=np.int64))


def systematic(weights: Floats, number: int, rng: np.random.Generator) -> Ints:
    """Draw ``number`` members with probability in proportion to weight, evenly along their order.

    Examples
    --------
    >>> systematic(np.array([1.0, 0.0, 1.0]), 4, np.random.default_rng(0))
    array([0, 0, 2, 2])
    """
    edge = np.cumsum(weights) / weights.sum()
    points = (np.arange(number) + rng.random()) / number
    return np.minimum(np.searchsorted(edge, points, side="right"), len(weights) - 1)


def lookup(table: Mapping[str, float], keys: npt.ArrayLike) -> Floats:
    """Read a factor by part or kind for every area."""
    return np.array([table[str(key)] for key in np.asarray(keys).tolist()], dtype=np.float64)
