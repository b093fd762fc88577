"""Observed pupils: of a scenario, with its births, and as a panel that forecasts are judged on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from capsim.demand.forecasting import MEMBERS, METHODS, Method
from capsim.demand.ratios import CHANCE, Array, Index, Mask, divide
from capsim.demand.school_names import TOLERANCE, TOTAL_NAME, some, spellings, sums
from capsim.i18n.language import Message
from capsim.scenario.cell_values import YEARS, alike, as_number, school_years
from capsim.scenario.faults import Fault, ScenarioError
from capsim.scenario.scenario import Scenario
from capsim.scenario.table_reader import examples, strictly, tidy


@dataclass(frozen=True, eq=False)
class Observed:
    """Observed children of the planned stages.

    Attributes
    ----------
    areas, grades : tuple of text
    stage : array [grade]
        Index of each grade's stage among the planned ones.
    age : array [grade]
        Age on 1 September, years.
    county : array [area]
        Index of each area's county.
    years : tuple of int
        Observed school years without a gap, the base year last.
    pupils : array [area, grade, year]
        Persons in both sectors; NaN in a year without any row of the grade's stage.
    births : array [area, year]
        Births of the calendar years ``birth_years``; NaN where not given.
    birth_years : tuple of int
    notes : tuple of Message
    """

    areas: tuple[str, ...]
    grades: tuple[str, ...]
    stage: Index
    age: Index
    county: Index
    years: tuple[int, ...]
    pupils: Array
    births: Array
    birth_years: tuple[int, ...]
    notes: tuple[Message, ...]


def place(frame: pd.DataFrame, value: str, axes: Mapping[str, Sequence[object]]) -> Array:
    """Sum a column of a long table into an array with one axis per key; NaN without a row.

    Rows whose keys are not on the axes are left out.
    """
    shape = tuple(len(labels) for labels in axes.values())
    codes = [
        pd.Index(list(labels)).get_indexer(pd.Index(frame[key])) for key, labels in axes.items()
    ]
    numbers = frame[value].to_numpy(dtype=float)
    keep = np.all([code >= 0 for code in codes], axis=0) & np.isfinite(numbers)
    at = tuple(code[keep] for code in codes)
    total, seen = np.zeros(shape), np.zeros(shape, dtype=bool)
    np.add.at(total, at, numbers[keep])
    seen[at] = True
    return np.where(seen, total, np.nan)


def observe(
    scenario: Scenario, sector: str | None = None, base_year: int | None = None, leads: int = 0
) -> Observed:
    """Read a scenario's observed pupils and births, of both sectors or of one.

    A stage observed in a year is observed in all areas: an area without a row has no pupils there.

    Parameters
    ----------
    scenario : Scenario
    sector : text, optional
    base_year, leads : int, optional
        Read what was known in an earlier year, births until then alone, for so many years ahead;
        default: the scenario's own.
    """
    base, last = scenario.base_year, scenario.last_year
    if base_year is not None:
        base, last = base_year, base_year + leads
    table = scenario.table("areas")
    areas = tuple(table["area"])
    county = np.unique(table["county"].to_numpy(dtype=str), return_inverse=True)[1]
    stages = tuple(scenario.stages.values())
    grades = tuple(grade for stage in stages for grade in stage.grades)
    of_stage = np.repeat(np.arange(len(stages)), [len(stage.grades) for stage in stages])
    age = np.concatenate([stage.entry_age + np.arange(len(stage.grades)) for stage in stages])
    notes: list[Message] = []
    pupils, years = _pupils(scenario, base, areas, grades, of_stage, notes, sector)
    births = scenario.table("births")
    if base < scenario.base_year:
        births = births[births["year"] <= base]
    last_birth = last - int(age.min(initial=0))
    first_birth = min(years) - int(age.max(initial=0)) - 1
    birth_years = tuple(range(first_birth, last_birth + 1))
    born = place(births, "births", {"area": areas, "year": birth_years})
    if scenario.has("births"):
        born = _with_last_births(born, birth_years, notes)
    return Observed(
        areas, grades, of_stage, age, county, years, pupils, born, birth_years, tuple(notes)
    )


def _pupils(
    scenario: Scenario,
    base: int,
    areas: tuple[str, ...],
    grades: tuple[str, ...],
    of_stage: Index,
    notes: list[Message],
    sector: str | None,
) -> tuple[Array, tuple[int, ...]]:
    table, schools = scenario.table("pupils"), scenario.table("schools")
    seen = {int(year) for year in table["school_year"] if year <= base}
    first = base
    while first - 1 in seen:
        first -= 1
    years = tuple(range(first, base + 1))
    axes = {"area": areas, "grade": grades, "school_year": years}
    both = place(table, "pupils", axes)
    if sector is not None:
        table, schools = (rows[rows["sector"] == sector] for rows in (table, schools))
    pupils = place(table, "pupils", axes)
    for stage, name in enumerate(scenario.stages):
        rows = of_stage == stage
        known = np.asarray(np.isfinite(both[:, rows]).any((0, 1)))
        pupils[:, rows] = np.where(known, np.nan_to_num(pupils[:, rows]), np.nan)
        if not known[-1]:
            of_schools = schools[schools["stage"] == name]
            total = np.nan_to_num(place(of_schools, "pupils", {"area": areas}))
            pupils[:, rows, -1] = (total / rows.sum())[:, None]
            source = "its schools' pupils, spread evenly over the grades" if total.any() else "none"
            told = Message("{stage}: no pupils observed in {year}; taken: {source}")
            notes.append(told.filled(stage=name, year=base, source=Message(source)))
    empty = np.nan_to_num(pupils[..., -1]).sum(1) == 0
    if scenario.stages and empty.any() and not empty.all():
        told = Message("no pupils in {year} in {number} areas: {names}", {"year": base})
        notes.append(told.filled(number=int(empty.sum()), names=tuple(np.array(areas)[empty][:5])))
    return pupils, years


def _with_last_births(births: Array, years: tuple[int, ...], notes: list[Message]) -> Array:
    """Carry each area's last known births on to the last birth year that the horizon needs."""
    known = np.isfinite(births)
    last = np.where(known.any(1), known.shape[1] - 1 - np.argmax(known[:, ::-1], axis=1), -1)
    later = (np.arange(births.shape[1]) > last[:, None]) & (last >= 0)[:, None]
    if later.any():
        held = Message("births after {year} are held at their last known number")
        notes.append(held.filled(year=years[int(last[last >= 0].min())]))
    return np.where(later, births[np.arange(len(births)), last][:, None], births)


def cohorts(observed: Observed, years: Sequence[int]) -> Array:
    """Return the children of each grade's age, ``[area, grade, year]``, persons.

    A school year's age group is born from September to August: a third of the births of the
    earlier calendar year and two thirds of the later one. NaN where births are not known.
    """
    first = observed.birth_years[0]
    return of_age(observed.births, np.asarray(years)[None, :] - observed.age[:, None] - first)


def of_age(births: Array, later: Index) -> Array:
    """Return the children born from September to August, of whom most in the later year.

    Parameters
    ----------
    births : array [area, year]
    later : array of int
        Position of the later calendar year.
    """
    return np.asarray(births[:, later - 1] / 3 + births[:, later] * 2 / 3)


VARIANTS = {"low": 0.1, "principal": 0.5, "high": 0.9}
"""Quantile of births by the name of the variant."""


def birth_variant(scenario: Scenario, name: str) -> Scenario:
    """Return the scenario with births after its base year at a quantile of their uncertainty.

    Births wander from the given ones by ``uncertainty.birth_sd`` a year, so that the variants open
    with the square root of the years ahead. The last births given are carried on first, as in
    `capsim.demand.projection.project`.

    Parameters
    ----------
    scenario : Scenario
    name : text
        One of `VARIANTS`.

    Returns
    -------
    Scenario
        Named ``NAME-low-births`` and so on; the scenario itself for ``principal``.

    Raises
    ------
    ValueError
        For another name.
    """
    if name not in VARIANTS:
        raise ValueError(f"a variant of births is one of {', '.join(VARIANTS)}, not {name!r}")
    if name == "principal":
        return scenario
    births = scenario.table("births")
    seen = observe(scenario)
    labels = pd.MultiIndex.from_product([seen.areas, seen.birth_years], names=["area", "year"])
    rows = pd.DataFrame({"births": seen.births.ravel()}, index=labels).reset_index()
    later = rows["year"] > rows["area"].map(births.groupby("area")["year"].max())
    births = pd.concat([births, rows[later]], ignore_index=True)
    ahead = (births["year"] - scenario.base_year).clip(lower=0)
    step = float(ndtri(VARIANTS[name])) * scenario.settings.uncertainty.birth_sd
    births["births"] = births["births"] * (1 + step * ahead**0.5).clip(lower=0)
    return scenario.variant({}, tables={"births": births}, name=f"{scenario.name}-{name}-births")


@dataclass(frozen=True, eq=False)
class Origin:
    """What forecasts from one year with what was known then.

    Attributes
    ----------
    path : function of a Method
        Returns ``[area, grade, lead]``, persons, before scaling and what is given.
    finish : function of a path
        Returns the forecast that a path becomes, of the same shape.
    """

    path: Callable[[Method], Array]
    finish: Callable[[Array], Array]


@dataclass(frozen=True, eq=False)
class Panel:
    """Observed pupils, and how they are forecast.

    Attributes
    ----------
    areas, grades : tuple of text
    years : tuple of int
        Without a gap.
    pupils : array [area, grade, year]
        Persons; NaN where not observed.
    county : array [area]
        Index of each area's county; all zeros where there are none.
    rolled : function of a position among the years and a number of leads, or None
        Returns the `Origin` that forecasts from there; None: from pupils alone.
    members : mapping of text to Method
        What ``auto`` combines.
    least : int
        Observed years from which on it does; before it takes the usual method.
    unknown : array [area, grade, year] or None
        Cells that were not observed and are filled.
    notes : tuple of Message
    counties : tuple of text
        Names, where the table has them.
    """

    areas: tuple[str, ...]
    grades: tuple[str, ...]
    years: tuple[int, ...]
    pupils: Array
    county: Index
    rolled: Callable[[int, int], Origin] | None = None
    members: Mapping[str, Method] = field(
        default_factory=lambda: {name: METHODS[name] for name in MEMBERS}
    )
    least: int = 1
    unknown: Mask | None = None
    notes: tuple[Message, ...] = ()
    counties: tuple[str, ...] = ()


SHOWN_AREAS = 5


@dataclass(eq=False)
class Reading:
    """What is being read: names of the table's parts, faults, and notes in two kinds.

    ``units`` are those that headers of numbers say, with how many persons each is.
    """

    name: str
    strict: bool
    faults: list[Fault] = field(default_factory=list)
    told: list[Message] = field(default_factory=list)
    changed: list[Message] = field(default_factory=list)
    units: dict[str, tuple[str, Decimal]] = field(default_factory=dict)

    def fault(
        self,
        column: str,
        value: str,
        expected: Message,
        cure: Message | None = None,
        row: int | None = None,
    ) -> None:
        """Add a fault of the table."""
        self.faults.append(Fault(self.name, row, column, value, expected, cure))

    def stop(self) -> None:
        """Raise the faults there are."""
        if self.faults:
            raise ScenarioError(self.faults)


@dataclass(eq=False)
class Rows:
    """Numbers of rows, each of an area and year; ``frame`` has what faults show."""

    frame: pd.DataFrame
    area: str
    year: str
    labels: list[str]
    numbers: Array
    missing: Mask
    left: dict[str, tuple[Array, str]]
    county: str | None
    parts: Message


def group_faults(
    reading: Reading, bad: pd.Series, column: str, expected: Message, cure: Message | None = None
) -> None:
    """Name bad cells of a column: each value once, with how many there are and the first row."""
    texts = bad.map(str)
    groups = texts.groupby(texts, sort=False)
    if groups.ngroups > SHOWN_AREAS:
        rows, values = bad.index, ", ".join(examples(list(dict.fromkeys(texts)))[:-1]) + ", …"
        what = counted(expected, len(bad), int(rows[0]))
        reading.fault(column, values, what, cure)
        return
    for value, cells in groups:
        first = int(cells.index[0])
        if len(cells) == 1:
            reading.fault(column, str(value), expected, cure, first)
        else:
            what = counted(expected, len(cells), first)
            reading.fault(column, str(value), what, cure)


def counted(expected: Message, number: int, row: int) -> Message:
    """Return what is expected with how many cells are otherwise."""
    arguments: dict[str, Any] = {"what": expected, "number": number, "row": row}
    return Message("{what} (in {number} cells, the first in row {row})", arguments)


# ---- rows to a panel


def no_key(frame: pd.DataFrame, area: str, year: str, reading: Reading) -> None:
    """Name rows without an area or with a year that cannot be read."""
    years = school_years(frame[year])
    if years.bad.any():
        whole = Message(
            "a whole year from {first} to {last}", {"first": YEARS[0], "last": YEARS[1]}
        )
        cure = Message("write 2019, 2019/20 or 2019-09-01")
        group_faults(reading, frame.loc[years.bad, year], year, whole, cure)
    labels = frame[area].map(name_of)
    if (nameless := labels == "").any():
        group_faults(reading, labels[nameless], area, Message("the name of an area"))


def name_of(cell: object) -> str:
    """Return the name in a cell, a whole number without its point."""
    if isinstance(cell, float):
        return (
            str(int(cell))
            if cell == cell and cell.is_integer()
            else ("" if cell != cell else str(cell))
        )
    return tidy(str(cell))


def assembled(cells: Rows, reading: Reading) -> Panel:
    """Name areas and years, leave totals out, and put the numbers in place."""
    frame = cells.frame
    names = frame[cells.area].map(name_of).to_numpy(dtype=object)
    total = np.array([bool(TOTAL_NAME.fullmatch(str(n).casefold().strip())) for n in names])
    if total.any() and not total.all():
        rows = ~total
    else:
        total, rows = np.zeros(len(names), dtype=bool), np.ones(len(names), dtype=bool)
    no_key(frame[rows], cells.area, cells.year, reading)
    read_years = school_years(frame[cells.year])
    reading.changed += read_years.notes
    years = read_years.number
    names = _one_spelling(names, years, rows, cells, reading)
    keys = pd.DataFrame({"area": names, "year": years})[rows]
    twice = keys.duplicated() & (keys["area"] != "") & keys["year"].notna()
    for at in keys.index[twice][:SHOWN_AREAS]:
        value = f"{names[at]} {frame[cells.year].iloc[at]}"
        expected = Message("each area and year once")
        cure = Message("name another column of areas: --area") if twice.sum() > 2 else None
        if twice.sum() > SHOWN_AREAS:
            expected = counted(expected, int(twice.sum()), int(frame.index[at]))
            reading.fault(cells.area, value, expected, cure)
            break
        reading.fault(cells.area, value, expected, cure, int(frame.index[at]))
    reading.stop()
    if not np.nansum(cells.numbers[rows]):
        reading.fault(", ".join(cells.labels), "", Message("at least one pupil"))
        reading.stop()
    areas = sorted(set(names[rows]))
    first, last = int(years[rows].min()), int(years[rows].max())
    pupils = np.full((len(areas), len(cells.labels), last - first + 1), np.nan)
    missing = np.zeros(pupils.shape, dtype=bool)
    to = pd.Index(areas).get_indexer(pd.Index(names[rows])), years[rows].astype(int) - first
    pupils[to[0], :, to[1]] = cells.numbers[rows]
    missing[to[0], :, to[1]] = cells.missing[rows]
    order = pd.Index(areas).get_indexer(pd.unique(names[rows])).tolist()
    keep = _not_totals(pupils, missing, areas, order, reading)
    if total.any():
        _say_totals(cells, names, years, total, rows, reading)
    pupils, missing = pupils[keep], missing[keep]
    areas = [one for one, kept in zip(areas, keep, strict=True) if kept]
    county, counties, rest = _counties(cells, names, rows, areas, reading)
    unknown, closed = _unknown(pupils, missing)
    span = tuple(range(first, last + 1))
    filled = _filled(pupils, unknown)
    _notes_of_left(cells, rows, reading)
    _notes_of_cells(unknown, pupils, missing, filled, areas, cells.labels, span, reading)
    if closed.any():
        arguments: dict[str, Any] = {
            "number": int(closed.sum()),
            "year": last,
            "cells": _places(closed[..., None], areas, cells.labels, span[-1:]),
        }
        text = (
            "{number} grades are blank in {year} and taken as closed, as others of the table were"
            " before: {cells}"
        )
        reading.told.append(Message(text, arguments))
    reading.stop()
    if reading.strict and reading.changed:
        raise ScenarioError(strictly(reading.name, reading.changed))
    head = Message("read as: {parts}", {"parts": cells.parts})
    return Panel(
        tuple(areas),
        tuple(cells.labels),
        span,
        filled,
        county,
        unknown=unknown if unknown.any() else None,
        notes=(head, *rest, *reading.changed, *reading.told),
        counties=counties,
    )


def _one_spelling(names: Any, years: Array, rows: Mask, cells: Rows, reading: Reading) -> Any:
    """Take spellings of a name for one where they never stand in the same year."""
    to, clashes = spellings(names[rows], years[rows])
    for group, year in clashes:
        what = Message("one spelling: both stand in {year}", {"year": year})
        cure = Message("write one name one way, two schools with names that differ by more")
        reading.fault(cells.area, " = ".join(repr(name) for name in group), what, cure)
    if to:
        pairs = tuple(f"{name!r} = {other!r}" for other, name in to.items())
        text = "names written in several ways over the years taken for one: {pairs}"
        reading.changed.append(Message(text, {"pairs": pairs}))
    listed = [str(name) for name in dict.fromkeys(names[rows])]
    kept = alike([name for name in listed if name not in to], as_number)
    if kept:
        shown_pairs = tuple(", ".join(repr(name) for name in group) for group in kept[:SHOWN_AREAS])
        text = "names are text; kept apart though they are the same as numbers: {pairs}"
        reading.told.append(Message(text, {"pairs": shown_pairs}))
    if not to:
        return names
    return np.array([to.get(str(name), name) for name in names], dtype=object)


def _not_totals(
    pupils: Array, missing: Mask, areas: list[str], order: Sequence[int], reading: Reading
) -> Mask:
    """Mark the areas that are not the sum of all others, or of those above or below them."""
    keep = np.ones(len(areas), dtype=bool)
    if len(areas) < 3:
        return keep
    known = ~missing.any(0)
    full = np.nan_to_num(pupils)
    whole = np.where(known, full.sum(0), 0.0)
    gap = np.abs(2 * np.where(known, full, 0.0) - whole)
    same = (gap <= TOLERANCE * np.maximum(whole, 1)).all((1, 2))
    # Of one other area alone in a year it would be the twin, not the total.
    several = (np.isfinite(pupils).any(1).sum(0) > 2).any()
    size = np.where(known, full, 0.0).sum((1, 2))
    found = np.flatnonzero(same & (size > 0))
    if len(found) == 1 and several:
        keep[found] = False
        arguments = {"area": areas[found[0]]}
        text = "{area} is the sum of all others in every year: left out as a total"
        reading.changed.append(Message(text, arguments))
    elif (parts := sums(pupils, missing, order)).any():
        keep = ~parts
        said: dict[str, Any] = {
            "number": int(parts.sum()),
            "names": some([areas[at] for at in np.flatnonzero(parts)], SHOWN_AREAS),
        }
        text = (
            "{number} areas are sums of others that follow each other, left out as totals: {names}"
        )
        reading.changed.append(Message(text, said))
    return keep


def _say_totals(
    cells: Rows, names: Any, years: Array, total: Mask, rows: Mask, reading: Reading
) -> None:
    """Say which rows are totals by their names, and whether they are the sum of the others."""
    labels = tuple(str(name) for name in dict.fromkeys(names[total]))
    text = "rows of totals left out: {names} ({number} rows)"
    arguments: dict[str, Any] = {"names": labels[:SHOWN_AREAS], "number": int(total.sum())}
    reading.changed.append(Message(text, arguments))
    if len(labels) > 1 or cells.missing.any():
        return
    sums = pd.DataFrame(np.nan_to_num(cells.numbers[rows])).groupby(years[rows]).sum()
    off = 0
    for at in np.flatnonzero(total):
        if years[at] in sums.index:
            own = np.nan_to_num(cells.numbers[at])
            off += int((np.abs(own - sums.loc[years[at]].to_numpy()) > 0.5).sum())
    if off:
        text = "{name} is not the sum of the others in {number} cells: some area may be missing"
        reading.told.append(Message(text, {"name": labels[0], "number": off}))


def _counties(
    cells: Rows, names: Any, rows: Mask, areas: list[str], reading: Reading
) -> tuple[Any, tuple[str, ...], tuple[Message, ...]]:
    if cells.county is None:
        return np.zeros(len(areas), dtype=np.intp), (), ()
    of = cells.frame[cells.county].map(name_of).to_numpy(dtype=object)
    pairs = pd.DataFrame({"area": names[rows], "county": of[rows]}).drop_duplicates()
    last = pairs.drop_duplicates("area", keep="last").set_index("area")["county"]
    if len(pairs) > len(last):
        number = int((pairs["area"].value_counts() > 1).sum())
        text = "{number} areas change their county: the last one counts"
        reading.told.append(Message(text, {"number": number}))
    known, county = np.unique(last.loc[areas].astype(str).to_numpy(), return_inverse=True)
    return county, tuple(map(str, known)), (Message("county = {column}", {"column": cells.county}),)


# ---- blank cells


def _unknown(pupils: Array, missing: Mask) -> tuple[Mask, Mask]:
    """Mark cells that were not observed though the area was, and grades closed in the last year.

    A code says that a cell was not observed. A blank says it for one year between two in which the
    grade is taught, and in the last year after one in which it was. Where grades of the table have
    been opened or closed by blanks, these are to be classes that chance does not empty, with a
    cohort coming, and in the last year between grades that go on. Every other blank is a grade that
    is not taught.
    """
    seen = np.isfinite(pupils)
    there = seen.any(1, keepdims=True)
    blank = ~seen & there & ~missing
    full = np.nan_to_num(pupils)
    taught = (full > 0) | missing
    again, first = np.zeros((2, *taught.shape), dtype=bool)
    first[..., 1:] = blank[..., 1:] & taught[..., :-1]
    again[..., :-1] = taught[..., 1:]
    once = first & again
    last = first[..., -1].copy()
    changed = first & ~again
    changed[..., -1] = False
    if changed.any():
        many = (full > CHANCE) | missing
        cohort = np.zeros_like(taught)
        cohort[:, 1:, 1:] = many[:, :-1, :-1]
        cohort[:, 0, :-1] = many[:, 1, 1:] if taught.shape[1] > 1 else False
        steady = np.zeros_like(taught)
        steady[..., 1:-1] = many[..., :-2] & many[..., 2:]
        once &= cohort & steady
        inside = np.zeros_like(last)
        now = taught[..., -1]
        below = np.logical_or.accumulate(now, axis=1)[:, :-2]
        above = np.logical_or.accumulate(now[:, ::-1], axis=1)[:, ::-1][:, 2:]
        inside[:, 1:-1] = below & above
        last &= inside & cohort[..., -1] & many[..., -3:-1].all(-1)
    once[..., -1] = last
    return np.asarray(once | (missing & there)), np.asarray(first[..., -1] & ~last)


def _filled(pupils: Array, unknown: Mask) -> Array:
    """Put in place of what was not observed what its cohort would be, from earlier years alone.

    The grade below a year before times everybody's ratio of that year; without one the grade's own
    last number. In the first year it is the grade's next number.
    """
    if not unknown.any():
        return pupils
    out = pupils.copy()
    for year in range(out.shape[-1]):
        at = unknown[..., year]
        if not at.any():
            continue
        guess = np.full(out.shape[:2], np.nan)
        if year:
            now, before = out[..., year], out[..., year - 1]
            both = np.isfinite(now[:, 1:]) & np.isfinite(before[:, :-1]) & ~at[:, 1:]
            above, below = (
                np.where(both, part, 0.0).sum(0) for part in (now[:, 1:], before[:, :-1])
            )
            guess[:, 1:] = before[:, :-1] * divide(above, below, 1.0)
            guess = np.where(np.nan_to_num(guess) > 0, guess, before)
        else:
            for later in range(out.shape[-1] - 1, 0, -1):
                guess = np.where(np.isfinite(pupils[..., later]), pupils[..., later], guess)
        out[..., year] = np.where(at, guess, out[..., year])
    return out


# ---- notes


def _notes_of_left(cells: Rows, rows: Mask, reading: Reading) -> None:
    parts = []
    for name, (values, why) in cells.left.items():
        own = values[rows] if len(values) == len(rows) else values
        if why == "total":
            parts.append(Message("{name} (a total)", {"name": name}))
        else:
            amount = float(np.nansum(own))
            parts.append(Message("{name} ({amount} pupils)", {"name": name, "amount": amount}))
    if parts:
        reading.changed.insert(0, Message("left out: {parts}", {"parts": tuple(parts)}))


def _notes_of_cells(
    unknown: Mask,
    pupils: Array,
    missing: Mask,
    filled: Array,
    areas: list[str],
    labels: Sequence[str],
    years: Sequence[int],
    reading: Reading,
) -> None:
    there = np.isfinite(pupils).any(1) | missing.any(1)
    seen = np.atleast_1d(there.any(0))
    gone = [year for year, known in zip(years, seen, strict=True) if not known]
    if gone:
        reading.told.append(
            Message("no row of the years {years}", {"years": tuple(map(str, gone))})
        )
    away = ~np.isfinite(pupils[..., -1]).any(1)
    if away.any():
        names = some([areas[at] for at in np.flatnonzero(away)], SHOWN_AREAS)
        arguments: dict[str, Any] = {"number": int(away.sum()), "year": years[-1], "areas": names}
        text = "not observed in {year}, so not forecast: {areas} ({number} areas)"
        reading.told.append(Message(text, arguments))
    if missing.any():
        text = "{number} cells with a code are taken as not observed"
        reading.told.append(Message(text, {"number": int(missing.sum())}))
    blank = unknown & ~missing
    if blank.any():
        text = "{number} blank cells are taken as not observed, not as nobody: {cells}"
        cells = _places(blank, areas, labels, years)
        reading.told.append(Message(text, {"number": int(blank.sum()), "cells": cells}))
    last = unknown[..., -1] & np.isfinite(filled[..., -1])
    if last.any():
        text = "{number} cells of {year} are forecast from their cohorts, with {pupils} pupils"
        arguments = {
            "year": years[-1],
            "number": int(last.sum()),
            "pupils": float(filled[..., -1][last].sum()),
        }
        reading.told.append(Message(text, arguments))


def _places(
    marked: Mask, areas: Sequence[str], labels: Sequence[str], years: Sequence[int]
) -> tuple[str, ...]:
    found = np.argwhere(marked)[: SHOWN_AREAS + 1]
    return some([f"{areas[a]} {labels[g]} {years[y]}" for a, g, y in found], SHOWN_AREAS)
