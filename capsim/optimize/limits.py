"""Rows of the table ``limits``: what there is of something, by county or for the whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from capsim.lp import Along, Builder, Labels
from capsim.lp.arrays import Array, Index
from capsim.lp.build import Term
from capsim.optimize.parts import Parts

Entry = tuple[Index, Index, Index, Array | float]


def county_limit(parts: Parts, kind: str) -> tuple[Array, Array]:
    """Return the limits of a kind, ``[county, year]`` and ``[year]`` of the whole; NaN for none."""
    space = parts.given.space
    kinds, names, years, amounts = parts.limits
    rows = kinds == kind
    year, amount, name = years[rows] - int(space.years[0]), amounts[rows], names[rows]
    county = np.full((len(space.counties), parts.years), np.nan)
    whole = np.full(parts.years, np.nan)
    code = {c: i for i, c in enumerate(space.counties)}
    inside = (year >= 0) & (year < parts.years)
    every = inside & (name == "*")
    whole[year[every]] = amount[every]
    one = inside & (name != "*")
    county[np.array([code[n] for n in name[one]], np.int64), year[one]] = amount[one]
    return county, whole


def limit_rows(
    m: Builder,
    parts: Parts,
    kind: str,
    name: str,
    entries: Sequence[Entry],
    *,
    unit: float = 1.0,
    extra: Array | None = None,
    cumulative: bool = False,
) -> None:
    """Add ``Σ entries ≤ limit (+ extra)`` by county, and for the whole where ``*`` is limited.

    Entries are ``(county, year, column, amount)`` arrays of one shape; ``extra [county, year]``
    adds to the limit of a county (and its sum to that of the whole). ``cumulative`` adds the quotas
    up over the years, from the first one given on.
    """
    county, whole = county_limit(parts, kind)
    if cumulative:
        county, whole = _running_total(county), _running_total(whole[None, :])[0]
    more = np.zeros_like(county) if extra is None else extra
    names, years = parts.given.space.counties, parts.given.space.years
    flag = ~np.isnan(county)
    labels = Labels(flag, (Along(0, names), Along(1, years)))
    row, count = parts.numbered(flag)
    by_county = [(row[c, t], column, amount) for c, t, column, amount in entries if count]
    upper = (county / unit + more)[flag]
    m.constrain(name, count, _on_rows(by_county), upper=upper, labels=labels)
    flag = ~np.isnan(whole)
    row, count = parts.numbered(flag)
    together = [(row[t], column, amount) for _, t, column, amount in entries if count]
    upper = (whole / unit + more.sum(axis=0))[flag]
    labels = Labels(flag, (Along(0, years),)).after("*")
    m.constrain(name, count, _on_rows(together), upper=upper, labels=labels)


def _on_rows(terms: Sequence[tuple[Index, Index, Array | float]]) -> list[Term]:
    """Leave out what falls on no row."""
    kept: list[Term] = []
    for row, column, amount in terms:
        keep = row >= 0
        kept.append((row[keep], column[keep], np.broadcast_to(amount, row.shape)[keep]))
    return kept


def _running_total(amount: Array) -> Array:
    begun = np.cumsum(~np.isnan(amount), axis=1) > 0
    return np.where(begun, np.cumsum(np.nan_to_num(amount), axis=1), np.nan)
