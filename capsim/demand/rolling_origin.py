"""Back-test: forecasts from every past year with what was known then, beside what came.

The origin rolls forward a year at a time. Every method is judged on the same areas and years beside
two baselines, *no change* and the 3-year mean ratio. ``auto`` is what the back-test itself would
have chosen at each origin from the errors known by then.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pandas as pd

from capsim.demand.enrolment_table import Panel
from capsim.demand.forecasting import METHODS, USUAL, Method, forecast
from capsim.demand.intervals import LEVELS, Covered, cover
from capsim.demand.ratios import Array, Index, Mask
from capsim.scenario.faults import Fault, ScenarioError

LEAST_YEARS = 3
"""Fewest observed years behind an origin."""
SHARE, MOST_LEADS = 3, 10
"""Years ahead that are judged without being asked for: a third of those observed, at most ten."""
ENOUGH = 3
"""Origins whose errors must be known before ``auto`` chooses by them."""


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
        ``origin`` and the ``method`` that ``auto`` took there; the last year observed included.
    grades : DataFrame
        Coverage by ``method``, ``grade`` and ``lead``: ``cover80``, ``cover95``, ``number``.
    measured : mapping
        Method to its measured errors by level.
    """

    table: pd.DataFrame
    chosen: pd.DataFrame
    grades: pd.DataFrame
    measured: Mapping[str, Mapping[str, Covered]] = field(repr=False)

    def to_json(self) -> str:
        """Return the table as ``{"methods": {NAME: {LEVEL: {LEAD: {...}}}}}``; unknown is null."""
        methods: dict[str, dict[str, dict[str, dict[str, float | None]]]] = {}
        kept = ["mape", "wape", "bias", "cover80", "cover95"]
        for row in self.table.to_dict("records"):
            level = methods.setdefault(str(row["method"]), {}).setdefault(str(row["level"]), {})
            level[str(row["lead"])] = {
                key: None if np.isnan(row[key]) else round(float(row[key]), 6) for key in kept
            }
        return json.dumps({"methods": methods}, indent=2) + "\n"

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
        From `capsim.demand.enrolment_table` or `capsim.demand.enrolment_table.panel_of`.
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
        needed = f"at least {LEAST_YEARS + 1} observed school years for a back-test"
        raise _refusal("years", value, needed)
    if leads[0] > number - LEAST_YEARS:
        most = number - LEAST_YEARS
        needed = f"a lead of at most {most}, the observed school years without {LEAST_YEARS},"
        raise _refusal("leads", leads[0], needed)
    if first_origin is not None and first_origin > last:
        raise _refusal("origins", first_origin, f"a year of at most {last}")
    methods = dict(METHODS if methods is None else methods)
    origins = np.arange(min(max(number // 6, LEAST_YEARS), 5) - 1, number - 1)
    forecasts = {name: _roll(table, method, leads, origins) for name, method in methods.items()}
    actual = _actual(table, leads[-1], origins)
    observed = np.asarray(np.isfinite(table.pupils[..., origins]).any(1)).T
    judged = np.asarray(np.isfinite(actual).any(2)) & observed[:, :, None]
    actual = np.where(judged[:, :, None], np.nan_to_num(actual), np.nan)
    pick = choose(forecasts, actual, origins, [*origins.tolist(), number - 1], leads)
    chosen = [forecasts[name][turn] for turn, name in enumerate(pick[:-1])]
    forecasts["auto"] = np.stack(chosen)
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
    picked = pd.DataFrame({"origin": [*(origins + start), table.years[-1]], "method": pick})
    return Backtest(pd.DataFrame(rows), picked, pd.DataFrame(by_grade), measured)


def _refusal(what: str, value: object, needed: str) -> ScenarioError:
    return ScenarioError([Fault("observed pupils", None, what, str(value), needed)])


def choose(
    forecasts: Mapping[str, Array],
    actual: Array,
    origins: Index,
    years: Sequence[int],
    leads: Sequence[int],
) -> list[str]:
    """Name the method of least error known in each year: mean over leads of its WAPE by area.

    WAPE of a lead is taken relative to the best method's, so that long leads do not outweigh short
    ones. Where too little is known yet it is `USUAL` (or the first method without it).
    """
    names = list(forecasts)
    misses = np.stack([np.abs(_sum(forecasts[name]) - _sum(actual)) for name in names])
    size = np.nansum(_sum(actual), axis=1)
    miss = np.nansum(misses, axis=2)
    picked = []
    for year in years:
        known = origins[:, None] + np.arange(1, actual.shape[-1] + 1) <= year
        total = np.where(known, size, 0.0).sum(0)
        error = np.where(known, miss, 0.0).sum(1)
        use = (total > 0) & np.isin(np.arange(1, len(total) + 1), leads)
        use &= known[:, 0].sum() >= ENOUGH
        if not use.any():
            picked.append(USUAL if USUAL in names else names[0])
            continue
        rate = error[:, use] / total[use]
        score = (rate / np.maximum(rate.min(0), 1e-12)).mean(1)
        picked.append(names[int(np.argmin(score))])
    return picked


def _roll(table: Panel, method: Method, leads: Sequence[int], origins: Index) -> Array:
    """Forecast ``[origin, area, grade, lead]`` from each origin's past alone."""
    return np.stack(
        [
            forecast(table.pupils[..., : int(at) + 1], leads[-1], method, table.county)[..., 1:]
            for at in origins
        ]
    )


def _actual(table: Panel, leads: int, origins: Index) -> Array:
    late = np.full((*table.pupils.shape[:2], leads), np.nan)
    pupils = np.concatenate([table.pupils, late], axis=-1)
    return np.stack([pupils[..., at + 1 : at + 1 + leads] for at in origins.astype(int)])


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
