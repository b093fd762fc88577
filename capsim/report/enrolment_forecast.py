"""Forecast of an enrolment table in one call: pupils, intervals, its own back-test and a figure."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from capsim.demand.draws import LEVELS, Reach
from capsim.demand.enrolment_table import panel
from capsim.demand.forecasting import METHODS, USUAL, combined
from capsim.demand.observed import Origin, Panel, of_age
from capsim.demand.ratios import OUTSIDE, Array, divide, smoothed
from capsim.demand.rolling_origin import LEAST_YEARS, Backtest, backtest, of_pupils, origin_of
from capsim.i18n.language import Message, Words, right, words
from capsim.io.atomic import whole_file
from capsim.report.figures.style import BLUE, SKY, STYLE, counts_on, new_figure, school_years
from capsim.report.files import csv
from capsim.report.screen import notes_text
from capsim.scenario.cell_values import Grade, grade_of, numbers
from capsim.scenario.cell_values import school_years as read_years
from capsim.scenario.faults import Fault, ScenarioError
from capsim.scenario.table_reader import read_table

ALPHA = 0.4
"""Weight of the last year in the rate of children of a birth cohort who enter."""
ENTRY_AGE = {"grade": 5, "year": 4, "primary": 5, "k": 6, "class": 6, "infants": 6}
"""Age on 1 September at which the grade of rank 0 of a scale is entered, years."""
HEAD = 12
"""Rows that a notebook shows."""
Given = pd.DataFrame | Path | str


@dataclass(frozen=True, eq=False)
class Forecast:
    """Pupils ahead of an observed table.

    Attributes
    ----------
    observed : Panel
        What was read.
    years : tuple of int
        School years ahead.
    pupils : array [area, grade, year]
        Persons; NaN for areas not observed in the last year.
    tested : Backtest or None
        How far the same forecaster missed before; None where fewer than four years were observed.
    notes : tuple of Message
        What was read, left out, put right and taken.
    """

    observed: Panel
    years: tuple[int, ...]
    pupils: Array
    tested: Backtest | None
    notes: tuple[Message, ...]

    def backtest(self) -> Backtest:
        """Return errors and coverage of the same forecaster from every earlier year.

        Raises
        ------
        ScenarioError
            If fewer than four years were observed.
        """
        return self.tested or backtest(self.observed)

    @cached_property
    def table(self) -> pd.DataFrame:
        """Forecast by ``area``, ``grade`` and ``year``: ``pupils`` and bounds, persons.

        The bounds ``low_80``, ``high_80``, ``low_95`` and ``high_95`` hold so many % of the times;
        NaN where too few years were observed to measure it.
        """
        labels = self.observed.areas, self.observed.grades, self.years
        return _labelled(("area", "grade", "year"), labels, *self._bounds("grade", self.pupils))

    @cached_property
    def areas(self) -> pd.DataFrame:
        """Forecast of areas' totals by ``area`` and ``year``, as in `table`."""
        total = self.pupils.sum(1, keepdims=True)
        pupils, bounds = self._bounds("area", total)
        labels = self.observed.areas, self.years
        return _labelled(("area", "year"), labels, pupils[:, 0], bounds[:, :, 0])

    @cached_property
    def totals(self) -> pd.DataFrame:
        """Forecast of the whole by ``year``, as in `table`."""
        total = np.nansum(self.pupils, axis=(0, 1))[None, None]
        pupils, bounds = self._bounds("total", total)
        return _labelled(("year",), (self.years,), pupils[0, 0], bounds[:, 0, 0])

    @cached_property
    def methods(self) -> pd.DataFrame:
        """Weights of the methods combined, by ``level`` and ``lead`` (rows) and method."""
        if self.tested is None or self.tested.weights is None:
            return pd.DataFrame({USUAL: [1.0]}, index=pd.Index(["all"], name="level"))
        now = self.tested.chosen
        now = now[now["origin"] == self.observed.years[-1]]
        return now.pivot_table(index=["level", "lead"], columns="method", values="weight")

    def _bounds(self, level: str, pupils: Array) -> tuple[Array, Array]:
        """Return forecasts ``[area, column, year]`` and their bounds, ``[bound, ...]``."""
        if self.tested is None:
            return pupils, np.full((2 * len(LEVELS), *pupils.shape), np.nan)
        reach: Reach = self.tested.measured["auto"][level].last
        wide = reach.reach[:, None] * reach.sd(pupils) * pupils
        wide = np.where(pupils == 0, 0.0, wide)
        bounds = [side for half in wide for side in (np.maximum(pupils - half, 0), pupils + half)]
        return pupils, np.stack(bounds)

    def plot(self, area: str | None = None, *, lang: str = "en") -> Figure:
        """Draw observed and forecast pupils of an area, or of all, with both intervals.

        Raises
        ------
        KeyError
            There is no such area.
        """
        say = words(lang)
        if area is None:
            seen, ahead = np.nansum(self.observed.pupils, axis=(0, 1)), self.totals
            title = say("Pupils of all areas, observed and forecast")
        else:
            if area not in self.observed.areas:
                raise KeyError(area)
            at = self.observed.areas.index(area)
            seen = self.observed.pupils[at].sum(0, where=np.isfinite(self.observed.pupils[at]))
            ahead = self.areas[self.areas["area"] == area]
            title = say("Pupils of {area}, observed and forecast", area=area)
        known = np.isfinite(self.observed.pupils).any((0, 1))
        if area is not None:
            known = np.isfinite(self.observed.pupils[at]).any(0)
        with mpl.rc_context(STYLE):
            figure = new_figure(8, 4.2)
            ax = figure.add_subplot()
            years = np.array(self.observed.years)
            ax.plot(years[known], seen[known], color="black", marker="o", markersize=3)
            for level, alpha in (("95", 0.25), ("80", 0.45)):
                low, high = ahead[f"low_{level}"], ahead[f"high_{level}"]
                label = say("{share} % intervals", share=level)
                ax.fill_between(ahead["year"], low, high, color=SKY, alpha=alpha, lw=0, label=label)
            ax.plot(ahead["year"], ahead["pupils"], color=BLUE, label=say("forecast"))
            ax.set_ylim(bottom=0)
            ax.set_title(title)
            ax.set_xlabel(say("school year"))
            ax.set_ylabel(say("pupils"))
            counts_on(ax.yaxis, say)
            school_years(ax, [*self.observed.years, *self.years], say)
            ax.legend()
        return figure

    def save(self, file: Path, lang: str = "en") -> None:
        """Write `table` as CSV, and what was read beside it as ``NAME.read.txt``."""
        whole_file(file, csv(self.table))
        notes = notes_text(self.notes, lang).encode()
        whole_file(file.with_name(f"{file.stem}.read.txt"), notes)

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{_escaped(str(note))}</li>" for note in self.notes)
        shown = self.totals.round(0).to_html(index=False)
        return f"<p>{len(self.observed.areas)} areas</p>{shown}<ul>{notes}</ul>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _labelled(
    names: Sequence[str], labels: Sequence[Sequence[Any]], pupils: Array, bounds: Array
) -> pd.DataFrame:
    grid = np.meshgrid(*(np.arange(len(one)) for one in labels), indexing="ij")
    columns: dict[str, Any] = {}
    for name, one, codes in zip(names, labels, grid, strict=True):
        flat = codes.ravel()
        kind = pd.CategoricalDtype(list(one))
        plain = name == "year"
        columns[name] = (
            np.array(one)[flat] if plain else pd.Categorical.from_codes(flat, dtype=kind)
        )
    columns["pupils"] = pupils.ravel()
    edges = [f"{side}_{round(100 * level)}" for level in LEVELS for side in ("low", "high")]
    columns |= {name: part.ravel() for name, part in zip(edges, bounds, strict=True)}
    return pd.DataFrame(columns).dropna(subset="pupils", ignore_index=True)


def forecast(
    table: pd.DataFrame | Path | str | bytes,
    years: int = 10,
    *,
    births: Given | None = None,
    ratios: Given | None = None,
    entry: Given | None = None,
    entry_age: int | None = None,
    progress: Callable[[str], None] = lambda phase: None,
    **how: Any,
) -> Forecast:
    """Forecast an enrolment table by area, grade and year, as `capsim.backtest` judges it.

    Parameters
    ----------
    table : DataFrame, path or bytes
        A frame, CSV file or workbook, wide or long, as `capsim.demand.panel` reads it.
    years : int
        School years ahead.
    births : DataFrame or path, optional
        Births by ``year`` (calendar) and, if given, ``area``: the first grade follows the children
        of its age. Births after the last year given are held.
    ratios : DataFrame or path, optional
        Progression into ``grade`` from the grade below a year before: ``ratio``, and ``area`` if it
        is not of all. Others are forecast.
    entry : DataFrame or path, optional
        Pupils who enter: ``year``, ``pupils``, ``area`` where there are several, and ``grade``
        (default: the first).
    entry_age : int, optional
        Age on 1 September of the first grade, years; default: as the grade's name has it.
    progress : function of text
        Called with the name of each phase as it begins.
    **how
        ``area``, ``year``, ``grades``, ``grade``, ``value``, ``county``, ``missing``, ``sheet``,
        ``encoding``, ``strict``, ``name``: see `capsim.demand.panel`.

    Returns
    -------
    Forecast

    Raises
    ------
    ScenarioError
        Naming what cannot be read, row by row, and the cure.
    ValueError
        ``years`` is not from 1 to 50.

    Examples
    --------
    >>> rows = [("A", year, 20.0, 20.0) for year in range(2015, 2022)]
    >>> found = forecast(pd.DataFrame(rows, columns=["school", "year", "K", "1"]), years=2)
    >>> found.table[["area", "grade", "year", "pupils"]].round(1).values.tolist()[0]
    ['A', 'K', 2022, 20.0]
    >>> found.totals["pupils"].round(1).tolist()
    [40.0, 40.0]
    """
    if not 1 <= years <= 50:
        raise ValueError(f"years must be from 1 to 50, not {years}")
    progress("reading")
    seen = panel(table, **how)
    notes: list[Message] = []
    given = _given(seen, years, births, ratios, entry, entry_age, notes)
    if given is not None:
        seen = replace(seen, rolled=partial(_origin, seen, given))
    progress("judging forecasts")
    number = len(seen.years)
    tested = None
    if number > LEAST_YEARS:
        tested = backtest(seen, {}, range(1, years + 1))
    else:
        text = "too few years for a back-test: no intervals, and the method {method}"
        notes.append(Message(text, {"method": USUAL}))
    progress("forecasting")
    origin = origin_of(seen, number - 1, years)
    if tested is not None and tested.weights is not None:
        paths = np.stack([origin.path(member) for member in seen.members.values()])
        path = combined(paths, tested.weights.until(years))
    else:
        path = origin.path(METHODS[USUAL])
    pupils = origin.finish(path)
    if given is not None:
        pupils = given.entered(pupils, np.nan_to_num(seen.pupils[..., -1]))
    ahead = tuple(seen.years[-1] + lead for lead in range(1, years + 1))
    return Forecast(seen, ahead, pupils, tested, (*seen.notes, *notes))


def forecast_view(found: Forecast) -> dict[str, Any]:
    """Return totals by year, methods, back-test and notes of a forecast, for JSON."""
    tested = {} if found.tested is None else json.loads(found.tested.to_json())["methods"]["auto"]
    weights = found.methods.reset_index().to_dict("records")
    return {
        "read": [str(note) for note in found.notes],
        "totals": {str(row["year"]): _known(row) for row in found.totals.to_dict("records")},
        "methods": [{str(key): value for key, value in row.items()} for row in weights],
        "backtest": tested,
    }


def _known(row: Mapping[Hashable, Any]) -> dict[str, float | None]:
    numbered = {str(key): float(value) for key, value in row.items() if key != "year"}
    return {key: None if np.isnan(value) else value for key, value in numbered.items()}


def forecast_text(found: Forecast, lang: str = "en") -> str:
    """Write what was read, and pupils of the whole by year with their intervals."""
    say = words(lang)
    heads = [say("school year"), say("pupils"), *(_range(say, level) for level in LEVELS)]
    lines = [notes_text(found.notes, lang), "".join(right(head, 22) for head in heads)]
    for row in found.totals.to_dict("records"):
        cells = [str(row["year"]), say.count(row["pupils"])]
        for level in LEVELS:
            low, high = (row[f"{side}_{round(100 * level)}"] for side in ("low", "high"))
            cells.append("-" if np.isnan(low) else f"{say.count(low)} – {say.count(high)}")
        lines.append("".join(right(cell, 22) for cell in cells))
    if found.tested is not None:
        rows = found.tested.table.query("method == 'auto' and level == 'area'").dropna()
        missed = tuple(
            say("{lead}: {share}", lead=row["lead"], share=say.share(row["wape"] / 100))
            for row in rows.to_dict("records")
        )
        if missed:
            text = "Areas' totals were missed, by years ahead: {errors}"
            lines.append(say(text, errors=say.joined(list(missed))))
    return "\n".join(lines) + "\n"


def _range(say: Words, level: float) -> str:
    return say("{share} % intervals", share=round(100 * level))


# ---- what is given besides


@dataclass(frozen=True, eq=False)
class _Given:
    """What is given besides pupils.

    Attributes
    ----------
    ratio : array [area, grade]
        Progression into a grade; NaN where it is forecast.
    births : array [area, year], or None
        From ``first_birth`` on; NaN after the last.
    first_birth : int
    age : int
        Of the first grade.
    entry : array [area, grade, lead]
        Of the years ahead of the last observed one; NaN where it is forecast.
    """

    ratio: Array
    births: Array | None
    first_birth: int
    age: int
    entry: Array

    def entered(self, path: Array, start: Array) -> Array:
        """Put given entry on a path of the years ahead."""
        if np.isnan(self.entry).all():
            return path
        return moved(path, start, np.full_like(self.ratio, np.nan), self.entry)


def moved(path: Array, start: Array, ratio: Array, entry: Array) -> Array:
    """Put given ratios and entry on a path; what differs moves up with its cohort.

    Parameters
    ----------
    path : array [area, grade, lead]
    start : array [area, grade]
        The year before the first lead.
    ratio : array [area, grade]
    entry : array [area, grade, lead]
        NaN where not given.

    Examples
    --------
    >>> path, none = np.full((1, 2, 2), 10.0), np.full((1, 2), np.nan)
    >>> moved(path, np.full((1, 2), 10.0), np.array([[np.nan, 0.5]]), np.full((1, 2, 2), np.nan))
    array([[[10., 10.],
            [ 5.,  5.]]])
    """
    out = path.copy()
    old, new = start, start
    for lead in range(path.shape[-1]):
        here = path[..., lead]
        own = divide(here[:, 1:], old[:, :-1], 1.0)
        follows = (old[:, :-1] > 0) & (own <= OUTSIDE)
        onward = np.where(follows, here[:, 1:] + own * (new - old)[:, :-1], here[:, 1:])
        told = ratio[:, 1:]
        out[:, 1:, lead] = np.where(np.isnan(told), onward, new[:, :-1] * told)
        out[..., lead] = np.where(np.isnan(entry[..., lead]), out[..., lead], entry[..., lead])
        old, new = here, out[..., lead]
    return out


def _origin(seen: Panel, given: _Given, at: int, leads: int) -> Origin:
    plain = of_pupils(seen, at, leads)
    entry = np.full((*seen.pupils.shape[:2], leads), np.nan)
    if given.births is not None:
        entry[:, 0] = _born(seen, given, at, leads)
    start = np.nan_to_num(seen.pupils[..., at])
    away = np.isnan(seen.pupils[..., at]).all(1)

    def finish(path: Array) -> Array:
        out = moved(np.nan_to_num(path), start, given.ratio, entry)
        out[away] = np.nan
        return out

    return Origin(plain.path, finish)


def _born(seen: Panel, given: _Given, at: int, leads: int) -> Array:
    """Forecast the first grade by the children of its age, from births known at a year."""
    assert given.births is not None
    years = np.array(seen.years[: at + 1])
    births = given.births.copy()
    if at < len(seen.years) - 1:
        births[:, seen.years[at] - given.first_birth + 1 :] = np.nan
    for year in range(1, births.shape[1]):
        births[:, year] = np.where(np.isnan(births[:, year]), births[:, year - 1], births[:, year])
    ahead = np.append(years, years[-1] + np.arange(1, leads + 1))
    later = ahead - given.age - given.first_birth
    children = np.full((len(births), len(ahead)), np.nan)
    some = (later >= 1) & (later < births.shape[1])
    children[:, some] = of_age(births, later[some])
    pupils = np.where(seen.pupils[:, 0, : at + 1] > 0, seen.pupils[:, 0, : at + 1], np.nan)
    rate = np.full(len(births), np.nan)
    for year in range(len(years)):
        rate = smoothed(rate, divide(pupils[:, year], children[:, year], np.nan), ALPHA)
    return np.asarray(rate[:, None] * children[:, len(years) :])


def _given(
    seen: Panel,
    years: int,
    births: Given | None,
    ratios: Given | None,
    entry: Given | None,
    entry_age: int | None,
    notes: list[Message],
) -> _Given | None:
    if births is None and ratios is None and entry is None:
        return None
    faults: list[Fault] = []
    shape = len(seen.areas), len(seen.grades)
    ratio, entered = np.full(shape, np.nan), np.full((*shape, years), np.nan)
    born, first, age = None, 0, entry_age or 0
    if ratios is not None:
        for area, grade, _, value in _rows(ratios, "ratios", "ratio", seen, faults):
            ratio[area, grade] = value
        notes.append(Message("ratios given for {number} grades", {"number": _some(ratio)}))
        notes.append(Message("given ratios are those of every origin of the back-test too"))
    if entry is not None:
        for area, grade, year, value in _rows(entry, "entry", "pupils", seen, faults):
            lead = int(year) - seen.years[-1] - 1
            if 0 <= lead < years:
                entered[area, slice(0, 1) if grade == slice(None) else grade, lead] = value
        if len(seen.areas) > 1 and "area" not in _frame(entry, "entry").columns:
            faults.append(Fault("entry", None, "area", "", Message("a column for the area")))
        notes.append(Message("entry given; the back-test forecasts its own"))
    if births is not None:
        found = list(_rows(births, "births", "births", seen, faults))
        if not age:
            mine = grade_of(seen.grades[0])
            if not isinstance(mine, Grade) or mine.scale not in ENTRY_AGE:
                what = Message("the age of grade {grade} on 1 September", {"grade": seen.grades[0]})
                faults.append(Fault("births", None, "entry_age", "", what))
            else:
                age = ENTRY_AGE[mine.scale] + int(mine.rank)
        if found and age:
            first = int(min(year for _, _, year, _ in found))
            last = max(seen.years[-1] + years, int(max(year for _, _, year, _ in found)))
            born = np.full((shape[0], last - first + 1), np.nan)
            for area, _, year, value in found:
                born[area, int(year) - first] = value
            text = "grade {grade} follows the births of its age, {age} on 1 September"
            notes.append(Message(text, {"grade": seen.grades[0], "age": age}))
    if faults:
        raise ScenarioError(faults)
    return _Given(ratio, born, first, age, entered)


def _some(ratio: Array) -> int:
    return int(np.isfinite(ratio).any(0).sum())


def _frame(table: Given, name: str) -> pd.DataFrame:
    source = Path(table) if isinstance(table, str) else table
    frame = read_table(source, name=name).frame
    return frame.set_axis([column.casefold() for column in frame.columns], axis=1)


def _rows(
    table: Given, name: str, value: str, seen: Panel, faults: list[Fault]
) -> list[tuple[Any, Any, float, float]]:
    """Return rows as positions of area and grade (a slice of all: not said), year and number."""
    frame = _frame(table, name)
    needed = {"ratios": ("grade", value), "entry": ("year", value), "births": ("year", value)}[name]
    lacking = [column for column in needed if column not in frame.columns]
    if lacking:
        listed = Message("a column of that name, of {columns}", {"columns": tuple(frame.columns)})
        faults += [Fault(name, None, c, "", listed) for c in lacking]
        return []
    read = numbers(frame[value])
    year = read_years(frame["year"]) if "year" in frame.columns else None
    whole = slice(None)
    out: list[tuple[Any, Any, float, float]] = []
    for at, row in enumerate(frame.index):
        keys: list[Any] = []
        for column, labels in (("area", seen.areas), ("grade", seen.grades)):
            if column not in frame.columns:
                keys.append(whole)
                continue
            label = str(frame[column].iloc[at])
            same = [one for one in labels if one == label] or [
                one for one in labels if column == "grade" and _same_grade(one, label)
            ]
            if not same:
                what = Message(
                    "a name that the table of pupils has: {names}", {"names": tuple(labels[:9])}
                )
                faults.append(Fault(name, int(row), column, label, what))
                break
            keys.append(labels.index(same[0]))
        bad = read.bad[at] or np.isnan(read.number[at])
        if bad:
            what = Message("{what} >= 0", {"what": Message("a number")})
            faults.append(Fault(name, int(row), value, str(frame[value].iloc[at]), what))
        if year is not None and year.bad[at]:
            told = str(frame["year"].iloc[at])
            faults.append(Fault(name, int(row), "year", told, Message("a year")))
        elif len(keys) == 2 and not bad:
            when = float("nan") if year is None else float(year.number[at])
            out.append((keys[0], keys[1], when, float(read.number[at])))
    return out


def _same_grade(one: str, two: str) -> bool:
    return isinstance(grade_of(one), Grade) and grade_of(one) == grade_of(two)
