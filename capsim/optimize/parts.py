"""What every constraint family works from, and the sums that several of them share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from capsim.lp import Along, Labels
from capsim.lp.arrays import Array, Flag, Index, Text
from capsim.lp.build import Term
from capsim.optimize.columns import Columns, pair_texts, school_texts
from capsim.optimize.given import Given
from capsim.optimize.ledger import Ledger
from capsim.optimize.links import Links
from capsim.optimize.rows import Rows


@dataclass(frozen=True)
class Seated:
    """Standard seats that projects add: ``provider``, year ``t``, column and seats per copy."""

    provider: Index
    t: Index
    column: Index
    seats: Array


@dataclass(frozen=True)
class Parts:
    """Data, links, variables and costs of one model."""

    given: Given
    links: Links
    columns: Columns
    ledger: Ledger

    @cached_property
    def years(self) -> int:
        """Number of planned years."""
        return len(self.given.space.years)

    @cached_property
    def limits(self) -> tuple[Text, Text, Index, Array]:
        """Kind, county, year and amount of every limit."""
        rows = Rows(self.given.scenario, "limits")
        year = rows.number("year").astype(np.int64)
        return rows.text("kind"), rows.text("county"), year, rows.number("amount")

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
