"""The plan's decisions, read from its tables into arrays; what cannot be read is a violation.

Axes as in `capsim.certificate.data`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from capsim.certificate.data import CertificateData, Ints
from capsim.certificate.ledger import Bools, Floats, Ledger

DUST = 1e-6
MOVES = ("from_other_stages", "to_other_stages", "from_other_counties", "to_other_counties")
COLUMNS = {
    "projects": "project area county kind stages programme status copies opens due options places "
    "places_compulsory places_given_up capital_cny land_mu",
    "openings": "project opens copies",
    "campuses": "project school stage area county school_year places",
    "conversions": "school stage area county conversion converts pupils_base pupils_before places "
    "staff_taken_over cost_cny given_up",
    "closures": "school stage area county how from_year",
    "purchases": "school stage area county school_year contract places_september "
    "places_december price_cny cost_cny",
    "payers": "school stage area county grade school_year pupils fee_paying purchased "
    "fee_paying_december purchased_december",
    "catchments": "area county stage from_year school",
    "enrolment": "school stage area county sector grade school_year pupils displaced",
    "schools": "school stage area county sector school_year pupils fee_paying purchased public "
    "fee_paying_december purchased_december public_december seats_existing seats_new "
    "seats_converted overfilled large_classes classes",
    "flows": "area to_area to_school stage grade school_year pupils boarders cost_cny",
    "shortfall": "area county stage grade school_year children placed shortfall",
    "staff": "county stage school_year need pool hired taken_over from_other_stages "
    "to_other_stages from_other_counties to_other_counties left retired contract surplus",
    "costs": "kind county school_year cost_cny discounted_cny committed_cny",
    "balance": "area county stage school_year children seats used existing_used new_used "
    "overfilled surplus private converted shortfall",
    "shares": "county school_year enrolment private_excluding_purchased "
    "private_including_purchased share_excluding_purchased share_including_purchased",
    "reduction": "school_year ordered new_seats converted purchased overfilled existing_seats "
    "fewer_pupils total",
    "limits_used": "kind county year used limit binds",
    "large_classes": "county stage school_year classes large_classes share",
    "targets": "id what by before required achieved met",
    "admissions": "county area stage school sector grade school_year base_intake intake bought",
    "commitments": "county school_year private_before private_pupils reduction private_share "
    "projects hurried places places_compulsory places_given_up conversions converted_places "
    "purchased closures hired taken_over contract "
    "land_mu capital_cny running_cny staff_cny hiring_cny purchase_cny "
    "conversion_cny closure_cny other_cny total_cny decide_by decision decision_name",
}


@dataclass(frozen=True)
class Axis:
    """Names of one dimension and the key columns of a table that hold them."""

    columns: tuple[str, ...]
    names: tuple[str, ...]
    index: pd.Index

    def positions(self, frame: pd.DataFrame) -> Ints:
        """Return the position of each row of a frame, -1 where the key is unknown."""
        if len(self.columns) == 1:
            keys = pd.Index(frame[self.columns[0]])
        else:
            keys = pd.MultiIndex.from_frame(frame[list(self.columns)])
        return self.index.get_indexer(keys).astype(np.int64)


def axis(column: str, names: Sequence[Any]) -> Axis:
    """Make an axis held by one column."""
    return Axis((column,), tuple(str(name) for name in names), pd.Index(list(names)))


def provider_axis(given: CertificateData) -> Axis:
    """Make the axis of providers, held by school and stage."""
    return Axis(("school", "stage"), given.providers.names, given.providers.index)


def row_axis(given: CertificateData) -> Axis:
    """Make the axis of rows of projects, held by project, school and stage."""
    projects, index = given.projects, given.providers.index
    columns = ("project", "school", "stage")
    rows = projects.rows[["project", "stage"]].assign(
        school=[index[j][0] if j >= 0 else "" for j in projects.provider]
    )
    keys = rows[list(columns)]
    names = tuple(" ".join(key) for key in keys.itertuples(index=False))
    return Axis(columns, names, pd.MultiIndex.from_frame(keys))


def pool_axes(given: CertificateData) -> list[Axis]:
    """Make the axes of teachers: county, staffed stage, planned year."""
    stages = [given.stage_names[s] for s in given.staffed]
    years = axis("school_year", given.years)
    return [axis("county", given.counties), axis("stage", stages), years]


def _is_cell(value: object) -> bool:
    """Return whether a value is one that a table can hold: a number, a text, or nothing."""
    return isinstance(value, Hashable) and not isinstance(value, tuple | frozenset)


class Reader:
    """A plan's tables, read with unknown, doubled and missing keys booked as violations."""

    def __init__(self, tables: Mapping[str, pd.DataFrame], book: Ledger) -> None:
        self.book = book
        self.tables = {name: self._whole(tables, name) for name in COLUMNS}

    def _whole(self, tables: Mapping[str, pd.DataFrame], name: str) -> pd.DataFrame:
        wanted = COLUMNS[name].split()
        frame = tables.get(name)
        if not isinstance(frame, pd.DataFrame):
            self.book.none_of("tables", "missing table", [name], 1)
            return pd.DataFrame(columns=wanted)
        lacking = [f"{name}.{column}" for column in wanted if column not in frame]
        self.book.none_of("tables", "missing column", lacking, len(wanted))
        frame = frame.reset_index(drop=True)
        frame = frame.assign(**{c.split(".")[1]: np.nan for c in lacking})
        odd = [c for c in wanted if frame[c].dtype == object and not all(map(_is_cell, frame[c]))]
        self.book.none_of("tables", "no cell", [f"{name}.{c}" for c in odd], len(wanted))
        return frame.assign(**{c: frame[c].astype(str) for c in odd})

    def numbers(self, table: str, column: str) -> Floats:
        """Read a column as numbers; what is invalid is booked and read as 0."""
        values = pd.to_numeric(self.tables[table][column], errors="coerce").to_numpy(np.float64)
        bad = ~np.isfinite(values)
        faults = [f"{table}.{column} row {row}" for row in np.flatnonzero(bad)]
        self.book.none_of("tables", "no number", faults, len(values))
        return np.where(bad, 0.0, values)

    def dense(
        self,
        table: str,
        columns: Sequence[str],
        axes: Sequence[Axis],
        needed: Bools | bool = False,
        allowed: Bools | bool = True,
    ) -> list[Floats]:
        """Spread columns over axes, 0 where no row is.

        Rows whose key is unknown, appears twice or is not ``allowed``, and ``needed`` cells
        without a row, are booked.
        """
        frame = self.tables[table]
        shape = tuple(len(a.names) for a in axes)
        at = [a.positions(frame) for a in axes]
        known = np.logical_and.reduce([position >= 0 for position in at])
        key = [c for a in axes for c in a.columns]
        lost = frame.loc[~known, key].to_numpy() if not known.all() else []
        self.book.none_of("tables", f"{table}, unknown key", [tuple(k) for k in lost], len(frame))
        spots = tuple(position[known] for position in at)
        seen = np.zeros(shape, np.int64)
        np.add.at(seen, spots, 1)
        required = np.broadcast_to(needed, shape)
        wrong = {
            "row twice": (seen > 1, len(frame)),
            "no such row": ((seen > 0) & ~np.broadcast_to(allowed, shape), len(frame)),
            "missing row": ((seen == 0) & required, int(required.sum())),
        }
        for what, (mask, rows) in wrong.items():
            cells = [[a.names[i] for a, i in zip(axes, c, strict=True)] for c in np.argwhere(mask)]
            self.book.none_of("tables", f"{table}, {what}", cells, rows)
        out = [np.zeros(shape) for _ in columns]
        for values, column in zip(out, columns, strict=True):
            values[spots] = self.numbers(table, column)[known]
        return out

    def same_text(
        self, table: str, columns: Mapping[str, Sequence[Any]], at: Ints, names: Sequence[str]
    ) -> None:
        """Check text cells: ``columns[c][at[row]]`` is what the row must say."""
        frame, known = self.tables[table], at >= 0
        for column, values in columns.items():
            wanted = np.array([str(v) for v in values], dtype=object)[at[known]]
            reported = frame.loc[known, column].astype(str).to_numpy(dtype=object)
            wrong = np.flatnonzero(reported != wanted)
            rows = at[known]
            faults = [f"{names[rows[i]]} {reported[i]!r}, not {wanted[i]!r}" for i in wrong]
            self.book.none_of("tables", f"{table}.{column}", faults, int(known.sum()))


@dataclass(frozen=True)
class Decisions:
    """The decisions of a plan as arrays.

    ``opened[m, k]`` copies in use by check date; ``shared[r, t]`` places of a campus that the stage
    of a row uses; ``converted[j, k]``, ``phased_out[j, t]``, ``closed[j, t]``, ``given_up[j, t]``,
    ``contract[j, t]`` 0 or 1; ``purchased[j, t]``, ``purchased_december[j, t]``, ``pupils[j, g,
    t0..]``, ``displaced[j, g, t]``, ``shortfall[a, g, t]``; ``fee_paying`` and ``public`` ``[j,
    t]``; ``paying``, ``bought`` and ``bought_december`` ``[j, g, t]`` of schools whose bought
    places follow the child; staff by county, staffed stage and planned year. ``intake_ends[j]`` is
    the planned year's index of a ``run_down`` row, the number of years where there is none.
    """

    opened: Floats
    shared: Floats
    converted: Floats
    converts: Ints
    phased_out: Floats
    closed: Floats
    given_up: Floats
    intake_ends: Ints
    contract: Floats
    purchased: Floats
    purchased_december: Floats
    pupils: Floats
    displaced: Floats
    fee_paying: Floats
    public: Floats
    paying: Floats
    bought: Floats
    bought_december: Floats
    shortfall: Floats
    pool: Floats
    hired: Floats
    contract_teachers: Floats
    to_stage: Floats
    from_stage: Floats
    to_county: Floats
    from_county: Floats

    def autumn(self, given: CertificateData, values: Floats) -> Floats:
        """Values by check date in the base year (0) and in planned autumns."""
        zero = np.zeros((len(values), 1))
        return np.hstack([zero, values[:, given.calendar.autumn]])

    def december(self, given: CertificateData, values: Floats) -> Floats:
        """Values by check date on the last check date of each planned year."""
        return values[:, given.calendar.december]


def read_decisions(given: CertificateData, reader: Reader) -> Decisions:
    """Read a plan's decisions and check that they can be read."""
    book = reader.book
    J, T = len(given.providers.names), len(given.years)
    years, providers = axis("school_year", given.years), provider_axis(given)
    grades, areas = axis("grade", given.grades), axis("area", given.areas)
    checks = axis("opens", given.calendar.dates)
    projects = axis("project", given.projects.names)
    teaches = given.providers.teaches[:, :, None]
    every = np.broadcast_to(teaches, (J, len(given.grades), T))

    told = every & follows(given)[:, None, None]

    converts = convert_dates(given, reader)
    phased, closed, left, ends = closings(given, reader)
    levered = given.providers.levered[:, None]
    at: dict[str, tuple[list[Axis], Bools | bool, Bools | bool]] = {
        "openings": ([projects, checks], False, True),
        "campuses": ([row_axis(given), years], False, given.projects.campus[:, None]),
        "purchases": ([providers, years], False, levered),
        "enrolment": ([providers, grades, years], every, every),
        "payers": ([providers, grades, years], told, told),
        "schools": ([providers, years], True, True),
        "shortfall": ([areas, grades, years], True, True),
        "staff": (pool_axes(given), True, True),
    }
    wanted = {
        "openings": ["copies"],
        "campuses": ["places"],
        "purchases": ["contract", "places_september", "places_december"],
        "enrolment": ["pupils", "displaced"],
        "payers": ["fee_paying", "purchased", "purchased_december"],
        "schools": ["fee_paying", "public"],
        "shortfall": ["shortfall"],
        "staff": ["pool", "hired", "contract", *MOVES],
    }
    read: dict[str, Floats] = {}
    for table, (axes, needed, allowed) in at.items():
        arrays = reader.dense(table, wanted[table], axes, needed, allowed)
        names = [a.names for a in axes]
        for column, values in zip(wanted[table], arrays, strict=True):
            read[f"{table}.{column}"] = values
            book.at_most("non-negative", f"minus {table}.{column} of", -values, 0.0, names)
    copies, contract = read["openings.copies"], read["purchases.contract"]
    one = (contract > 0.5).astype(float)
    book.equal("integrality", "copies of", copies, np.round(copies), [projects.names, checks.names])
    book.equal("integrality", "contract of", contract, one, [providers.names, years.names])
    base = given.providers.base[:, :, None]
    when = np.arange(len(given.calendar.dates))
    return Decisions(
        opened=np.cumsum(copies, axis=1),
        shared=read["campuses.places"],
        converted=(when[None, :] >= converts[:, None]).astype(float),
        converts=converts,
        phased_out=phased,
        closed=closed,
        given_up=left,
        intake_ends=ends,
        contract=contract,
        purchased=read["purchases.places_september"],
        purchased_december=read["purchases.places_december"],
        pupils=np.concatenate([base, read["enrolment.pupils"]], axis=2),
        displaced=read["enrolment.displaced"],
        fee_paying=read["schools.fee_paying"],
        public=read["schools.public"],
        paying=read["payers.fee_paying"],
        bought=read["payers.purchased"],
        bought_december=read["payers.purchased_december"],
        shortfall=read["shortfall.shortfall"],
        pool=read["staff.pool"],
        hired=read["staff.hired"],
        contract_teachers=read["staff.contract"],
        to_stage=read["staff.from_other_stages"],
        from_stage=read["staff.to_other_stages"],
        to_county=read["staff.from_other_counties"],
        from_county=read["staff.to_other_counties"],
    )


def follows(given: CertificateData) -> Bools:
    """Flag the schools whose bought places follow the child ``[j]``."""
    sells = given.providers.schools["purchasable_places"].fillna(0.0).to_numpy(np.float64) > 0
    ruled = bool(given.settings.policy.purchase_follows_child) and given.on("following")
    return np.asarray(given.providers.levered & sells & ruled)


def convert_dates(given: CertificateData, reader: Reader) -> Ints:
    """Check date on which each provider converts; the number of check dates if never."""
    frame, K = reader.tables["conversions"], len(given.calendar.dates)
    at = provider_axis(given).positions(frame)
    when = pd.Index(given.calendar.dates).get_indexer(pd.Index(frame["converts"]))
    may = given.providers.schools["conversion"].isin(["must", "may"]).to_numpy(bool)
    good = (
        (at >= 0) & (when >= 0) & (may & given.providers.levered)[at] & ~pd.Index(at).duplicated()
    )
    faults = [tuple(row) for row in frame.loc[~good, ["school", "stage", "converts"]].to_numpy()]
    reader.book.none_of("tables", "conversions, no such conversion", faults, len(frame))
    out = np.full(len(given.providers.names), K)
    out[at[good]] = when[good]
    return out


def closings(given: CertificateData, reader: Reader) -> tuple[Floats, Floats, Floats, Ints]:
    """Read who is phased out, closed and given up by planned year, and who runs down since when."""
    frame, T = reader.tables["closures"], len(given.years)
    at = provider_axis(given).positions(frame)
    when = pd.Index(given.years).get_indexer(pd.Index(frame["from_year"]))
    levered = given.providers.levered
    formal = given.least_size > 0
    how = frame["how"].to_numpy(dtype=object)
    twice = frame.duplicated(["school", "stage", "how"]).to_numpy(bool)
    may = levered & given.providers.schools["conversion"].isin(["must", "may"]).to_numpy(bool)
    may &= given.settings.gives_up
    who = {"run_down": levered, "given_up": may, "phase_out": formal, "closed": formal}
    allowed = np.array(
        [kind in who and who[kind][j] for j, kind in zip(at, how, strict=True)], bool
    )
    good = (at >= 0) & (when >= 0) & allowed & ~twice
    faults = [
        tuple(row) for row in frame.loc[~good, ["school", "stage", "how", "from_year"]].to_numpy()
    ]
    reader.book.none_of("tables", "closures, no such closure", faults, len(frame))
    since = {kind: np.zeros((len(levered), T)) for kind in ("phase_out", "closed", "given_up")}
    ends = np.full(len(levered), T)
    for j, t, kind in zip(at[good], when[good], how[good], strict=True):
        if kind == "run_down":
            ends[j] = t
        else:
            since[kind][j, t:] = 1.0
    phased, closed = since["phase_out"], since["closed"]
    alone = (phased.sum(axis=1, keepdims=True) == 0) & (closed > 0)
    phased[alone] = closed[alone]
    return phased, closed, since["given_up"], ends
