"""Back-test: forecasts from every past year with what was known then, beside what came.

The origin rolls forward a year at a time. Every method is judged on the same areas and years beside
two baselines, *no change* and the 3-year mean ratio. ``auto`` is the combination that the errors
known at each origin would have made. What is rolled is what is used: a scenario's panel rolls its
own projection, with entry, births, what is given, scaling and all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from itertools import product

import numpy as np
import pandas as pd

from capsim.demand.draws import LEVELS, Covered, cover
from capsim.demand.forecasting import LEVELS as BY_LEVEL
from capsim.demand.forecasting import (
    METHODS,
    USUAL,
    Method,
    Weights,
    combined,
    error_products,
    forecast,
    learned,
    with_total,
)
from capsim.demand.observed import Origin, Panel
from capsim.demand.ratios import Array, Index, Mask
from capsim.i18n.language import Message
from capsim.scenario.faults import Fault, ScenarioError

LEAST_YEARS = 3
"""Fewest observed years behind an origin."""
SHARE, MOST_LEADS = 3, 10
"""Years ahead that are judged without being asked for: a third of those observed, at most ten."""


@dataclass(frozen=True, eq=False)
class Backtest:
    """Errors of methods, and how often their intervals held.

    Attributes
    ----------
    table : DataFrame
        ``method``, ``level`` (``total``: the whole; ``area``: areas' totals; ``grade``: areas'
        grades), ``lead`` (years), ``mape``, ``wape``, ``bias`` (%: mean of relative errors, errors
        over pupils, signed), ``cover80``, ``cover95`` (%, of intervals made before), ``number`` of
        forecasts judged.
    chosen : DataFrame
        ``origin``, ``level``, ``lead``, ``method`` and the ``weight`` that ``auto`` gave it there;
        the last year observed included.
    grades : DataFrame
        Coverage by ``method``, ``grade`` and ``lead``: ``cover80``, ``cover95``, ``number``.
    measured : mapping
        Method to its measured errors by level.
    weights : Weights or None
        Of ``auto`` in the last year observed; None where it takes the usual method.
    forecasts : mapping
        Method to what it forecast, persons, ``[origin, area, grade, lead]``.
    notes : tuple of Message
        What was read from the table, left out and put right.
    """

    table: pd.DataFrame
    chosen: pd.DataFrame
    grades: pd.DataFrame
    measured: Mapping[str, Mapping[str, Covered]] = field(repr=False)
    weights: Weights | None = field(repr=False)
    forecasts: Mapping[str, Array] = field(repr=False)
    notes: tuple[Message, ...] = ()

    def known(self, method: str, year: int) -> dict[str, Covered]:
        """Return a method's errors as they were measured at an origin, by level."""
        origins = self.chosen["origin"].drop_duplicates().tolist()[:-1]
        at = origins.index(year)
        return {
            level: replace(covered, last=covered.origins[at])
            for level, covered in self.measured[method].items()
        }

    def to_json(self) -> str:
        """Return the table as ``{"methods": {NAME: {LEVEL: {LEAD: {...}}}}, "read": [NOTE, ...]}``.

        What is not known is null.
        """
        methods: dict[str, dict[str, dict[str, dict[str, float | None]]]] = {}
        kept = ["mape", "wape", "bias", "cover80", "cover95"]
        for row in self.table.to_dict("records"):
            level = methods.setdefault(str(row["method"]), {}).setdefault(str(row["level"]), {})
            level[str(row["lead"])] = {
                key: None if np.isnan(row[key]) else round(float(row[key]), 6) for key in kept
            }
        read = [str(note) for note in self.notes]
        return json.dumps({"methods": methods, "read": read}, indent=2, ensure_ascii=False) + "\n"

    def best(self) -> pd.DataFrame:
        """Name the method with the least WAPE: rows levels, columns leads."""
        judged = self.table.dropna(subset="wape")
        least = judged.loc[judged.groupby(["level", "lead"])["wape"].idxmin()]
        return least.pivot_table(index="level", columns="lead", values="method", aggfunc="first")


def backtest(
    table: Panel,
    methods: Mapping[str, Method] | None = None,
    leads: Sequence[int] | None = None,
    first_origin: int | None = None,
) -> Backtest:
    """Back-test methods on a panel with rolling origins.

    Parameters
    ----------
    table : Panel
        From `capsim.demand.observed.panel` or `capsim.demand.projection.panel_of`.
    methods : mapping of text to Method, optional
        Default: all of `capsim.demand.forecasting.METHODS`. ``auto`` is added.
    leads : sequence of int, optional
        School years ahead; default: 1 to a third of the observed years, at most 10.
    first_origin : int, optional
        First origin whose errors count (coverage and the choice of ``auto`` use earlier ones too);
        default: the first there is.

    Returns
    -------
    Backtest

    Raises
    ------
    ScenarioError
        If fewer than `LEAST_YEARS` + 1 years were observed, or none after a lead or an origin.
    ValueError
        If a lead is not positive.

    Notes
    -----
    A forecast is judged where the area was observed both at the origin and at the target. MAPE
    leaves out cells with nobody. A blank grade of an observed area has no pupils. The first origin
    has a sixth of the years behind it, at least 3 and at most 5.
    """
    start, number = table.years[0], len(table.years)
    if leads is None:
        leads = range(1, min(max(number // SHARE, 1), MOST_LEADS) + 1)
    leads = sorted(set(leads))
    if not leads or leads[0] < 1:
        raise ValueError(f"leads must be 1 or more, not {leads}")
    last = table.years[-1] - leads[0]
    if number < LEAST_YEARS + 1:
        value = f"{number}: {table.years[0]} to {table.years[-1]}"
        least = {"number": LEAST_YEARS + 1}
        needed = Message("at least {number} observed school years for a back-test", least)
        raise _refusal("years", value, needed)
    if leads[0] > number - LEAST_YEARS:
        needed = Message(
            "a lead of at most {most}, the observed school years without {number},",
            {"most": number - LEAST_YEARS, "number": LEAST_YEARS},
        )
        raise _refusal("leads", leads[0], needed)
    if first_origin is not None and first_origin > last:
        raise _refusal("origins", first_origin, Message("a year of at most {year}", {"year": last}))
    methods = dict(METHODS if methods is None else methods)
    origins = np.arange(min(max(number // 6, LEAST_YEARS), 5) - 1, number - 1)
    actual = _actual(table, leads[-1], origins)
    observed = np.asarray(np.isfinite(table.pupils[..., origins]).any(1)).T
    judged = np.asarray(np.isfinite(actual).any(2)) & observed[:, :, None]
    actual = np.where(
        judged[:, :, None] & ~_unknown(table, leads[-1], origins), np.nan_to_num(actual), np.nan
    )
    made: dict[str, list[Array]] = {name: [] for name in (*methods, "auto")}
    products: list[dict[str, Array]] = []
    weights: list[Weights | None] = []
    for turn, at in enumerate(origins.tolist()):
        origin = origin_of(table, at, leads[-1])
        paths = {name: origin.path(method) for name, method in table.members.items()}
        done = {name: origin.finish(path) for name, path in paths.items()}
        products.append(error_products(np.stack(list(done.values())), actual[turn]))
        weights.append(_weights(table, products, origins, at))
        auto = (
            combined(np.stack(list(paths.values())), weights[-1]) if weights[-1] else paths[USUAL]
        )
        made["auto"].append(origin.finish(auto))
        for name, method in methods.items():
            same = table.members.get(name) == method
            made[name].append(done[name] if same else origin.finish(origin.path(method)))
    weights.append(_weights(table, products, origins, number - 1))
    forecasts = {name: np.stack(parts) for name, parts in made.items()}
    counted = origins >= (first_origin or start) - start
    rows, by_grade, measured = [], [], {}
    for name, ahead in forecasts.items():
        levels = _levels(np.where(judged[:, :, None], ahead, np.nan), actual)
        covered = {level: cover(*pair, origins, number - 1) for level, pair in levels.items()}
        measured[name] = covered
        for (level, pair), lead in product(levels.items(), leads):
            expected, outcome = (part[counted, :, :, lead - 1] for part in pair)
            rows.append(
                {"method": name, "level": level, "lead": lead}
                | _errors(expected, outcome)
                | _coverage(covered[level], slice(None), lead)
            )
        for (column, grade), lead in product(enumerate(table.grades), leads):
            number_judged = int(covered["grade"].number[column, lead - 1])
            by_grade.append(
                {"method": name, "grade": grade, "lead": lead, "number": number_judged}
                | _coverage(covered["grade"], slice(column, column + 1), lead)
            )
    chosen = pd.DataFrame(
        _weight_rows(table, weights, [*(origins + start), table.years[-1]], leads)
    )
    return Backtest(
        pd.DataFrame(rows),
        chosen,
        pd.DataFrame(by_grade),
        measured,
        weights[-1],
        forecasts,
        table.notes,
    )


def _refusal(what: str, value: object, needed: Message) -> ScenarioError:
    return ScenarioError([Fault("observed pupils", None, what, str(value), needed)])


def origin_of(table: Panel, at: int, leads: int) -> Origin:
    """Return what forecasts from a year: the panel's own way, or its pupils alone."""
    return (table.rolled or partial(of_pupils, table))(at, leads)


def of_pupils(table: Panel, at: int, leads: int) -> Origin:
    """Return what forecasts from a year by pupils alone."""
    past = table.pupils[..., : at + 1]

    @cache
    def grades(method: Method) -> Array:
        return forecast(past, leads, method, table.county)

    def path(method: Method) -> Array:
        # Methods that differ in the total alone share the forecast of its grades.
        return with_total(grades(replace(method, total="own")), past, method.total)[..., 1:]

    return Origin(path, lambda path: path)


def _weights(
    table: Panel, products: Sequence[dict[str, Array]], origins: Index, at: int
) -> Weights | None:
    """Learn the weights of the members from what is known at a position; None: too few years."""
    if at + 1 < table.least:
        return None
    return learned(products, origins[: len(products)], at)


def _weight_rows(
    table: Panel, weights: Sequence[Weights | None], years: Sequence[int], leads: Sequence[int]
) -> Iterator[dict[str, object]]:
    for year, found in zip(years, weights, strict=True):
        for level, lead in product(BY_LEVEL, leads):
            share = [float(name == USUAL) for name in table.members]
            if found is not None:
                share = getattr(found, level)[lead - 1].tolist()
            for name, weight in zip(table.members, share, strict=True):
                yield {
                    "origin": year,
                    "level": level,
                    "lead": lead,
                    "method": name,
                    "weight": weight,
                }


def _actual(table: Panel, leads: int, origins: Index) -> Array:
    late = np.full((*table.pupils.shape[:2], leads), np.nan)
    pupils = np.concatenate([table.pupils, late], axis=-1)
    return np.stack([pupils[..., at + 1 : at + 1 + leads] for at in origins.astype(int)])


def _unknown(table: Panel, leads: int, origins: Index) -> Mask | np.bool_:
    """Mark the targets that were not observed though their area was."""
    if table.unknown is None:
        return np.False_
    marked = replace(table, pupils=np.where(table.unknown, 1.0, 0.0))
    return np.nan_to_num(_actual(marked, leads, origins)) > 0


def _sum(cells: Array) -> Array:
    """Sum over grades, NaN where the area is not judged."""
    return np.asarray(cells.sum(2))


def _levels(ahead: Array, actual: Array) -> dict[str, tuple[Array, Array]]:
    """Return forecast and outcome ``[origin, area, column, lead]`` of whole, areas and grades."""
    ahead = np.where(np.isnan(actual), np.nan, ahead)
    area = tuple(_sum(part)[:, :, None] for part in (ahead, actual))
    none = np.asarray(np.isnan(actual).all((1, 2)))[:, None, None]
    whole = tuple(np.where(none, np.nan, np.nansum(part, axis=1, keepdims=True)) for part in area)
    return {"total": (whole[0], whole[1]), "area": (area[0], area[1]), "grade": (ahead, actual)}


def _errors(expected: Array, outcome: Array) -> dict[str, float]:
    gap = expected - outcome
    some: Mask = np.isfinite(gap) & (outcome > 0)
    size = float(np.nansum(outcome))
    if not some.any() or size <= 0:
        return {"mape": np.nan, "wape": np.nan, "bias": np.nan, "number": 0}
    return {
        "mape": 100 * float(np.mean(np.abs(gap[some]) / outcome[some])),
        "wape": 100 * float(np.nansum(np.abs(gap))) / size,
        "bias": 100 * float(np.nansum(gap)) / size,
        "number": int(np.isfinite(gap).sum()),
    }


def _coverage(covered: Covered, columns: slice, lead: int) -> dict[str, float]:
    number = covered.number[columns, lead - 1].sum()
    hits = covered.hits[:, columns, lead - 1].sum(1)
    return {
        f"cover{round(100 * level)}": 100 * float(hit) / float(number) if number else np.nan
        for level, hit in zip(LEVELS, hits, strict=True)
    }
