"""When the capital of a project is paid, and what of it is left at the end of the horizon.

What every constraint family works from, and the sums that several of them share.

Rows of the table ``limits``: what there is of something, by county or for the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from capsim.lp.arrays import Array, Flag, Index, Text
from capsim.lp.labels import Along, Labels
from capsim.lp.program import Builder, Term
from capsim.model.data import ModelData, limits_of
from capsim.model.links import Links
from capsim.model.variables import Variables, pair_texts, school_texts

if TYPE_CHECKING:
    from capsim.model.costs import Ledger


MONTH_DAYS = 365.25 / 12
DEFAULT_LIFE_YEARS = 50.0


@dataclass(frozen=True)
class Spending:
    """Capital paid per copy: project row, opening check date, calendar year, RMB (``[entry]``)."""

    row: Index
    check: Index
    year: Index
    amount_cny: Array


def day_number(iso: Text) -> Array:
    """Days since 1970-01-01 of ISO dates."""
    return np.asarray(iso.astype("datetime64[D]").astype(np.int64), np.float64)


def new_year_days(given: ModelData) -> Array:
    """Days of 1 January of each planned year and of the one after, ``[year + 1]``."""
    first, count = int(given.space.years[0]), len(given.space.years)
    return day_number(np.array([f"{first + i}-01-01" for i in range(count + 1)], object))


def building_start(given: ModelData) -> Array:
    """Day on which building starts for an opening on each check date, ``[row, check]``."""
    opening = day_number(given.dates.date)
    return opening[None, :] - given.projects.row_months[:, None] * MONTH_DAYS


def capital_spending(given: ModelData) -> Spending:
    """Spread each row's unpaid capital evenly by day over its building time, by calendar year.

    What would fall before the first planned year is squeezed into the days from its 1 January on;
    an empty span puts all into the year of the opening.
    """
    edges = new_year_days(given)
    opening = day_number(given.dates.date)[None, :]
    start = np.maximum(building_start(given), edges[0])
    span = opening - start
    amount = np.minimum(opening[..., None], edges[1:]) - np.maximum(start[..., None], edges[:-1])
    np.maximum(amount, 0.0, out=amount)
    amount /= np.where(span > 0, span, 1.0)[..., None]
    at_once = np.nonzero(span <= 0)
    amount[*at_once, :] = 0.0
    amount[*at_once, given.dates.year[at_once[1]]] = 1.0
    amount *= given.projects.row_capital[:, None, None]
    row, check, year = np.nonzero(amount)
    return Spending(row, check, year, amount[row, check, year])


def salvage_value(given: ModelData) -> tuple[Index, Index, Array]:
    """Return row, opening check and RMB a copy is still worth on 1 September after the horizon."""
    share = given.scenario.settings.costs.salvage_share
    end = day_number(np.array([f"{int(given.space.years[-1]) + 1}-09-01"], object))[0]
    age = (end - day_number(given.dates.date)) / 365.25
    life = np.nan_to_num(given.projects.row_life, nan=DEFAULT_LIFE_YEARS)
    left = np.maximum(0.0, 1.0 - age[None, :] / life[:, None])
    value = share * given.projects.row_capital[:, None] * left
    row, check = np.nonzero(value)
    return row, check, value[row, check]


@dataclass(frozen=True)
class Seated:
    """Standard seats that projects add: ``provider``, year ``t``, column and seats per copy."""

    provider: Index
    t: Index
    column: Index
    seats: Array


@dataclass(frozen=True)
class Formulation:
    """Data, links, variables and costs of one model."""

    given: ModelData
    links: Links
    columns: Variables
    ledger: Ledger

    @cached_property
    def years(self) -> int:
        """Number of planned years."""
        return len(self.given.space.years)

    @cached_property
    def added_seats(self) -> Seated:
        """``places · (z[t] − z[t − life])`` for every project row that adds seats."""
        return self.brought(self.given.projects.row_places)

    def brought(self, places: Array) -> Seated:
        """``places · (z[t] − z[t − life])`` of project rows that add to a provider, ``[row]``."""
        projects, v, dates = self.given.projects, self.columns, self.given.dates
        row = np.flatnonzero((projects.row_provider >= 0) & (places > 0))
        t = np.arange(self.years)
        life = np.nan_to_num(projects.row_life[row], nan=1e6).astype(np.int64)
        z = v.open[projects.row_project[row]][:, dates.autumn]
        past = t[None, :] - life[:, None]
        gone = np.where(past >= 0, np.take_along_axis(z, np.maximum(past, 0), axis=1), -1)
        provider = np.repeat(projects.row_provider[row], self.years)
        seats = np.repeat(places[row], self.years)
        when = np.tile(t, len(row))
        column = np.concatenate([z.ravel(), gone.ravel()])
        keep = column >= 0
        return Seated(
            np.tile(provider, 2)[keep],
            np.tile(when, 2)[keep],
            column[keep],
            np.concatenate([seats, -seats])[keep],
        )

    def enrolled(self, row: Index, factor: Array | float = 1.0) -> Term:
        """Return the term ``factor · Σ_g n[j, g, t]`` on rows ``row[j, t]`` (-1: none of it)."""
        v = self.columns
        at = row[v.seats.provider]
        scale = np.broadcast_to(np.asarray(factor, np.float64), row.shape)[v.seats.provider]
        return _where(at, v.pupils, scale)

    def public_pupils(self, row: Index, factor: Array | float = 1.0) -> list[Term]:
        """Return terms of ``factor · q[j, t]``: pupils of public and of converted providers."""
        public = self.given.providers.public[:, None]
        scale = np.broadcast_to(np.asarray(factor, np.float64), row.shape)
        return [
            self.enrolled(np.where(public, row, -1), scale),
            _where(row, self.columns.public, scale),
        ]

    def seats(self, row: Index, factor: Array | float = 1.0) -> Term:
        """Return the variable part of ``factor · S[j, t]`` on rows ``row[j, t]``."""
        added = self.added_seats
        at = row[added.provider, added.t]
        scale = np.broadcast_to(np.asarray(factor, np.float64), row.shape)[added.provider, added.t]
        return _where(at, added.column, scale * added.seats)

    @property
    def stage_names(self) -> Text:
        """Names of the planned stages."""
        return self.given.space.stage_names

    def labels(self, flag: Flag) -> Labels:
        """School, stage and school year of the flagged members of ``[j, t]``."""
        return Labels(flag, (*school_texts(self.given), Along(1, self.given.space.years)))

    def pair_labels(self, pair: Index) -> Labels:
        """School, stage, band and school year of provider × band pairs, all years of each."""
        every = np.ones((len(pair), self.years), bool)
        seats = self.columns.seats
        texts = pair_texts(self.given, seats.provider[pair], seats.band[pair])
        return Labels(every, (*texts, Along(1, self.given.space.years)))

    def numbered(self, keep: Flag) -> tuple[Index, int]:
        """Give the flagged members of an array numbers from 0, and -1 to the others."""
        out = np.full(keep.shape, -1, np.int64)
        count = int(keep.sum())
        out[keep] = np.arange(count)
        return out, count


def _where(row: Index, column: Index, value: Array) -> Term:
    keep = (row >= 0) & (column >= 0)
    return row[keep], column[keep], value[keep]


def before(column: Index) -> Index:
    """Return the column of the year before, ``[…, t]``; -1 in the first year."""
    return np.concatenate(
        [np.full((*column.shape[:-1], 1), -1, np.int64), column[..., :-1]], axis=-1
    )


Entry = tuple[Index, Index, Index, Array | float]


def limit_rows(
    m: Builder,
    parts: Formulation,
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
    county, whole = limits_of(parts.given, kind)
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
