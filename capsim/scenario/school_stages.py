"""Stages of schooling and their standards: class sizes, posts, land, prices, currency.

Standards are read from the file of a country, in which every number is written as ``{value, unit,
source, mark}``; settings override them and may add stages. Only China's file has prices: elsewhere
a price is given, or it is China's at a rate that the settings state (``costs.borrowed_rate``).
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from capsim.i18n.language import CNY, Message, Value
from capsim.scenario.faults import Fault
from capsim.scenario.settings import Costs, Frozen, Settings, StageStandards


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


NEEDED = ("grades", "entry_age", "class_size")
"""Numbers that a stage of one's own must have; the others follow from these, but for prices."""
CEILING = 1.1
"""Of the standard class, the most a mean class may hold where that is not said."""
PRICES = ("allowance_cny", "purchase_price_cny", "capital_cny", "extension_cny")
"""Prices of a stage. The file of China alone has them."""
HOME = "china"
"""The country whose prices are built in."""
COSTS: Mapping[str, float] = {
    name: field.default
    for name, field in Costs.model_fields.items()
    if "_cny" in name and field.default
}
"""Prices that settings have where nothing is said, RMB."""


def countries() -> tuple[str, ...]:
    """List the countries whose standards are built in.

    Examples
    --------
    >>> countries()
    ('china', 'england', 'none', 'usa')
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


def general(country: str = HOME) -> dict[str, Any]:
    """Return the standards that belong to no stage.

    Examples
    --------
    >>> general()["prefab_life_years"]
    20
    """
    return {key: _bare(entry) for key, entry in standards(country)["general"].items()}


def stages(
    country: str = HOME,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    teacher_cny: float | None = None,
) -> dict[str, Stage]:
    """Return the stages of a country in order, with the overrides of a scenario.

    Parameters
    ----------
    country : str
    overrides : mapping of stage to mapping, optional
        Numbers in place of the built-in ones. A stage that the country has not needs its grades,
        the age at entry and the size of a class. Without more, its classes hold at most a tenth
        more and are large from there on, there is a teacher for each class, and neither land nor
        distance has a standard. A price that is not given is NaN.
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
    known = general(country).get("teacher_cny", math.nan)
    cost = known if teacher_cny is None else teacher_cny
    result = {}
    for name in [*built_in, *(extra for extra in own if extra not in built_in)]:
        part = {key: _bare(entry) for key, entry in built_in.get(name, {}).items()}
        part |= own.get(name, {})
        lacking = [key for key in NEEDED if key not in part]
        if lacking:
            of_stage: dict[str, Value] = {"name": repr(name), "keys": tuple(lacking)}
            raise ValueError(Message("stage {name} lacks {keys}", of_stage))
        part = _usual(part) | part
        derived = cost / part["pupils_per_post"] + part["allowance_cny"]
        values = {"running_cny": derived, **part}
        frozen: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in values.items()
        }
        result[name] = Stage(name=name, **frozen)
    return result


def _usual(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return what follows from the standard class of a stage where it is not said."""
    size = part["class_size"]
    ceiling = part.get("class_ceiling", math.ceil(round(CEILING * size, 6)))
    large = part.get("large_class", ceiling + 1)
    return {
        "class_ceiling": ceiling,
        "large_class": large,
        "very_large_class": max(large, math.ceil(round(CEILING * large, 6))),
        "school_classes": (),
        "pupils_per_post": size,
        "land_m2": 0.0,
        "service_radius_km": 0.0,
        **dict.fromkeys(PRICES, math.nan),
        "purchase_price_cny": 0.0,  # asked for where places are for sale
    }


def _bare(entry: Any) -> Any:
    return entry["value"] if isinstance(entry, dict) else entry


def stages_of(settings: Settings) -> dict[str, Stage]:
    """Return every stage that settings know: built-in ones with overrides, then new ones."""
    overrides = {
        name: {key: value for key, value in part if value is not None}
        for name, part in settings.standards.items()
    }
    return stages(settings.country, overrides, settings.costs.teacher_cny)


# ---- money


def currency_of(plain: Mapping[str, Any]) -> str:
    """Return the currency that settings are in: the one they say, or their country's; else blank.

    Examples
    --------
    >>> currency_of({"country": "usa"}), currency_of({}), currency_of({"currency": "EUR"})
    ('USD', 'CNY', 'EUR')
    """
    country = plain.get("country", HOME)
    known = general(country).get("currency", "") if country in countries() else CNY
    return str(plain.get("currency", known))


def in_country(plain: dict[str, Any], file: str) -> tuple[dict[str, Any], list[Fault]]:
    """Fill in what settings owe to their country: currency, stages, and prices that are borrowed.

    Parameters
    ----------
    plain : dict
        Settings as they nest, without provenance.
    file : text
        What a fault calls them.

    Returns
    -------
    dict
        The settings, with those keys.
    list of Fault
        A currency or prices that are lacking.

    Examples
    --------
    >>> filled, faults = in_country(
    ...     {"country": "usa", "costs": {"teacher_cny": 90000, "borrowed_rate": 0.5}}, "s.toml")
    >>> filled["currency"], filled["costs"]["hire_cny"], len(faults)
    ('USD', 2500.0, 0)
    """
    country = plain.get("country", HOME)
    if country not in countries():
        return plain, []
    currency, rules = currency_of(plain), general(country)
    if not currency:
        cure = Message("say it: currency = {example}", {"example": '"EUR"'})
        what = Message("the currency of the scenario, which has no built-in country")
        return plain, [Fault(file, None, "currency", "", what, cure)]
    if country == HOME and currency == CNY:
        return plain, []
    plain = {**plain, "currency": currency}
    own = tuple(plain["standards"]) if isinstance(plain.get("standards"), Mapping) else ()
    for section, key, rule in (("stages", "compulsory", ""), ("staff", "stages", "staffed")):
        part = plain.get(section, {})
        if isinstance(part, Mapping) and key not in part:
            plain[section] = {**part, key: list(rules.get(rule or key, own))}
    costs = plain.get("costs", {})
    if not isinstance(costs, Mapping) or currency == CNY:
        return plain, []
    lacking = [name for name in COSTS if name not in costs]
    rate = costs.get("borrowed_rate")
    if isinstance(rate, int | float) and not isinstance(rate, bool):
        filled = {name: COSTS[name] * rate for name in lacking}
        return {**plain, "costs": {**costs, **filled}}, []
    return plain, _unpriced([f"costs.{name}" for name in lacking], currency, file)


def _unpriced(names: Iterable[str], currency: str, file: str) -> list[Fault]:
    what = Message("a price in {currency}", {"currency": currency})
    cure = Message(
        "give it, or borrow China's at a rate you state, {currency} for 1 CNY: costs.borrowed_rate",
        {"currency": currency},
    )
    return [Fault(file, None, name, "", what, cure) for name in names]


def with_stage_prices(
    settings: Settings, bought: Iterable[str], file: str
) -> tuple[Settings, list[Fault]]:
    """Fill in prices of the planned stages that the country has not, borrowed where that is said.

    Each pupil costs an allowance; a purchased place has a price where places are for sale.

    Parameters
    ----------
    settings : Settings
        With the stages that are planned.
    bought : iterable of text
        Stages in which places are for sale without a price of their own.
    file : text
        What a fault calls the settings.

    Returns
    -------
    Settings
    list of Fault
        A price that is lacking.
    """
    try:
        known = stages_of(settings)
    except ValueError:
        return settings, []
    home = standards(HOME)
    native = settings.currency == CNY
    own: dict[str, StageStandards] = dict(settings.standards)
    lacking = []
    for name in settings.stages.planned:
        if name not in known or (native and settings.country == HOME and name in home):
            continue
        given = own.get(name, StageStandards())
        needed = ["allowance_cny", *(["purchase_price_cny"] if name in bought else [])]
        update = {}
        for key in needed:
            if getattr(given, key) is not None:
                continue
            if settings.costs.borrowed_rate is None:
                lacking.append(f"standards.{name}.{key}")
                continue
            like = home_stage(known[name].entry_age, len(known[name].grades))
            update[key] = home[like][key]["value"] * settings.costs.borrowed_rate
        if update:
            own[name] = given.model_copy(update=update)
    if len(own) > len(settings.standards) or any(
        own[name] is not one for name, one in settings.standards.items()
    ):
        settings = settings.model_copy(update={"standards": Frozen(own)})
    return settings, _unpriced(lacking, settings.currency, file)


def borrowed(settings: Settings, document: Mapping[str, Any]) -> dict[str, float]:
    """Return the prices that are China's at the rate that settings state, by their dotted keys.

    Parameters
    ----------
    settings : Settings
        With all that was filled in.
    document : mapping
        Settings as they were written.
    """
    if settings.costs.borrowed_rate is None:
        return {}
    costs, own = document.get("costs", {}), document.get("standards", {})
    found = {
        f"costs.{name}": float(getattr(settings.costs, name))
        for name in COSTS
        if settings.currency != CNY and name not in costs
    }
    for stage, part in settings.standards.items():
        for key in PRICES:
            value = getattr(part, key)
            if value is not None and key not in own.get(stage, {}):
                found[f"standards.{stage}.{key}"] = float(value)
    return found


def home_stage(entry_age: int, grades: int) -> str:
    """Return China's stage that has most of a stage's ages, else the one nearest in age.

    Examples
    --------
    >>> home_stage(5, 6), home_stage(14, 4)
    ('primary', 'senior')
    """

    def shared(one: Stage) -> int:
        last = min(entry_age + grades, one.entry_age + len(one.grades))
        return last - max(entry_age, one.entry_age)

    return max(stages().values(), key=shared).name
