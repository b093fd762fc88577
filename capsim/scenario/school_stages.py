"""Stages of schooling and their standards: class sizes, posts, land, prices.

Standards are read from the file of a country, in which every number is written as ``{value, unit,
source, mark}``; settings override them and may add stages.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any

from capsim.i18n.language import Message, Value
from capsim.scenario.settings import Settings


@dataclass(frozen=True)
class Stage:
    """A stage of schooling with its standards.

    Attributes
    ----------
    name : str
    grades : tuple of str
        In order.
    entry_age : int
        Age in years at entry to the first grade.
    class_size, class_ceiling, large_class, very_large_class : float
        Standard class, the most a mean class may hold, and where a class counts as large.
    school_classes : tuple of int
        Usual sizes of a school, classes.
    pupils_per_post : float
        Pupils for one authorised post.
    land_m2 : float
        For a pupil.
    allowance_cny : float
        Operating allowance of a public pupil and school year.
    purchase_price_cny : float
        A purchased place and school year.
    capital_cny, extension_cny : float
        A new place, and one added to a standing school.
    service_radius_km : float
    running_cny : float
        Full cost of a public place and school year: a teacher's cost divided by
        ``pupils_per_post``, plus the allowance.
    class_size_by_grade, floor_m2 : tuple of float
        Standard class by grade; floor area for a pupil in schools of the usual sizes
        (empty: no standard).
    boarding_cny : float
        Allowance on top for a boarder and school year.
    rural_radius_km : float
        Service radius outside urban counties (0: that of urban ones).
    day_minutes : float
        Longest way of a day pupil (0: no standard).
    boards_from_year : int
        First year of the stage in which children may board (0: in none).
    """

    name: str
    grades: tuple[str, ...]
    entry_age: int
    class_size: float
    class_ceiling: float
    large_class: float
    very_large_class: float
    school_classes: tuple[int, ...]
    pupils_per_post: float
    land_m2: float
    allowance_cny: float
    purchase_price_cny: float
    capital_cny: float
    extension_cny: float
    service_radius_km: float
    running_cny: float
    class_size_by_grade: tuple[float, ...] = ()
    floor_m2: tuple[float, ...] = ()
    boarding_cny: float = 0.0
    rural_radius_km: float = 0.0
    day_minutes: float = 0.0
    boards_from_year: int = 0


DERIVED = {"name", "running_cny"}
OPTIONAL = {
    *("class_size_by_grade", "floor_m2", "boarding_cny"),
    *("rural_radius_km", "day_minutes", "boards_from_year"),
}
NEEDED = tuple(f.name for f in fields(Stage) if f.name not in DERIVED | OPTIONAL)


def countries() -> tuple[str, ...]:
    """List the countries whose standards are built in.

    Examples
    --------
    >>> countries()
    ('china',)
    """
    names = (entry.name for entry in (files(__package__) / "standards").iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


@cache
def standards(country: str) -> Mapping[str, Mapping[str, Any]]:
    """Read the file of a country as written: section, key, ``{value, unit, source, mark}``.

    Raises
    ------
    FileNotFoundError
        Where there are none for the country.
    """
    text = (files(__package__) / "standards" / f"{country}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def general(country: str = "china") -> dict[str, Any]:
    """Return the standards that belong to no stage.

    Examples
    --------
    >>> general()["prefab_life_years"]
    20
    """
    return {key: _bare(entry) for key, entry in standards(country)["general"].items()}


def stages(
    country: str = "china",
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    teacher_cny: float | None = None,
) -> dict[str, Stage]:
    """Return the stages of a country in order, with the overrides of a scenario.

    Parameters
    ----------
    country : str
    overrides : mapping of stage to mapping, optional
        Numbers in place of the built-in ones. A stage that the country has not must be complete.
    teacher_cny : float, optional
        Full cost of a teacher and year; the country's by default.

    Raises
    ------
    ValueError
        Names what a new stage lacks.

    Examples
    --------
    >>> primary = stages()["primary"]
    >>> primary.grades, primary.class_size, round(primary.running_cny)
    (('1', '2', '3', '4', '5', '6'), 45, 5913)
    >>> stages(overrides={"primary": {"class_size": 40}})["primary"].class_size
    40
    """
    built_in = {name: part for name, part in standards(country).items() if name != "general"}
    own = dict(overrides or {})
    cost = general(country)["teacher_cny"] if teacher_cny is None else teacher_cny
    result = {}
    for name in [*built_in, *(extra for extra in own if extra not in built_in)]:
        part = {key: _bare(entry) for key, entry in built_in.get(name, {}).items()}
        part |= own.get(name, {})
        lacking = [key for key in NEEDED if key not in part]
        if lacking:
            of_stage: dict[str, Value] = {"name": repr(name), "keys": tuple(lacking)}
            raise ValueError(Message("stage {name} lacks {keys}", of_stage))
        derived = cost / part["pupils_per_post"] + part["allowance_cny"]
        values = {"running_cny": derived, **part}
        frozen: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
        }
        result[name] = Stage(name=name, **frozen)
    return result


def _bare(entry: Any) -> Any:
    return entry["value"] if isinstance(entry, dict) else entry


def stages_of(settings: Settings) -> dict[str, Stage]:
    """Return every stage that settings know: built-in ones with overrides, then new ones."""
    overrides = {
        name: {key: value for key, value in part if value is not None}
        for name, part in settings.standards.items()
    }
    return stages(settings.country, overrides, settings.costs.teacher_cny)
