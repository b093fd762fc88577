"""A model with room to spare: rows that keep places free for what the draws may bring."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import block_array, coo_array, csr_array, eye_array, kron, vstack

from capsim.lp.arrays import Array, Index, Text
from capsim.lp.program import LinearProgram, Term
from capsim.model.constraints.capacity import ceiling_share, inclusive_pool
from capsim.model.formulation import before
from capsim.model.model import Model
from capsim.plan.targets import RULES, Target
from capsim.reliability.margins import with_reserves
from capsim.simulation.data import SimulationData, StageData

LEAST_PRICE_CNY = 200_000.0
PRICE_FACTOR = 10.0
"""A missing place of a margin costs so many times a child without one (or `LEAST_PRICE_CNY`):
dearer than a place kept for a single year, so that margins give way only where they must."""


@dataclass(frozen=True, eq=False)
class Safety:
    """What a plan is to keep free.

    Attributes
    ----------
    counted : int ``[project, check]``
        First autumn (position) in which seats opened on a check date count.
    seats : float64 ``[group, year]``
        Places to keep free, persons.
    targets : tuple of (Target, margin in its unit)
    """

    counted: Index
    seats: Array
    targets: tuple[tuple[Target, float], ...]

    def towards(self, other: Safety | None, part: float) -> Safety:
        """Return margins that are part of the way from these to others, or to none."""
        seats = 0.0 if other is None else other.seats
        targets = {} if other is None else dict(other.targets)
        return Safety(
            self.counted,
            np.asarray(self.seats + part * (seats - self.seats)),
            tuple((k, v + part * (targets.get(k, 0.0) - v)) for k, v in self.targets),
        )

    def beyond(self, other: Safety | None, part: float) -> Safety:
        """Return margins wider by part of the way from others, or from none, to these."""
        wider = self.towards(other, -part)
        mine = dict(self.targets)
        return Safety(
            self.counted,
            np.maximum(wider.seats, self.seats),
            tuple((k, max(v, mine[k])) for k, v in wider.targets),
        )


def tighten(model: Model, data: SimulationData, safety: Safety) -> Model:
    """Return the model with margins; each can give way, at a price.

    Parameters
    ----------
    model : Model
    data : SimulationData
        A plan of the scenario as arrays; its groups are what margins are for.
    safety : Safety
    """
    program, reserve = with_reserves(model)
    rows, upper, labels = _seat_rows(model, data, safety, reserve, len(program.cost))
    year = np.tile(np.arange(model.parts.years), len(safety.seats))
    program = _append(model, program, "safety.seats", rows, upper, year, labels)
    for target, margin in safety.targets:
        if margin > 0:
            program = _target_rows(model, program, data, target, margin)
    return model.with_program(program)


def _seat_rows(
    model: Model, data: SimulationData, safety: Safety, reserve: Index, columns: int
) -> tuple[csr_array, Array, tuple[Text, ...]]:
    """Σ pupils + children without a place + margin ≤ places up to the class ceiling + reserves.

    By group and year: public providers, converted schools and private ones outside the compulsory
    stages; seats of projects count from the autumn on in which they are sure enough, reserves are
    what contracts can grow by.
    """
    parts = model.parts
    providers, T = parts.given.providers, parts.years
    count = len(providers.school)
    at = np.arange(count * T).reshape(count, T)
    excess = 1 + ceiling_share(parts)
    free = ~providers.levered[:, None] & np.ones(T, bool)
    terms = [parts.enrolled(np.where(free, at, -1)), *_converted(model, at)]
    terms += [_new_seats(model, safety.counted, at, excess), *_inclusive(model, at)]
    terms += [(at, reserve, -1.0)]
    places = np.where(providers.public, excess * providers.places, providers.cap)
    base = np.where(free, places[:, None], 0.0).ravel()
    each = _matrix(terms, count * T, columns)
    names, members, lacking = [], [], []
    for stage in data.stages:
        groups = coo_array(stage.reach.member)
        shape = (groups.shape[0], count)
        members.append(
            csr_array((groups.data, (groups.row, stage.provider[groups.col])), shape=shape)
        )
        lacking.append(_lacking(model, stage, columns))
        names += [(stage.name, data.space.areas[area]) for area in stage.reach.area]
    member = csr_array(block_array([[one] for one in members]))
    over_years = csr_array(kron(member, eye_array(T)))
    years = np.tile(parts.given.space.years, len(names))
    labels = (*(np.repeat(np.array(part, object), T) for part in zip(*names, strict=True)), years)
    upper = over_years @ base - safety.seats.ravel()
    rows = csr_array(over_years @ each) + csr_array(vstack(lacking))
    return csr_array(rows), np.asarray(upper), labels


def _lacking(model: Model, stage: StageData, columns: int) -> csr_array:
    """Children without a place who can go nowhere else, by group and year."""
    bands = np.unique(model.given.space.bands.of_grade[stage.grades])
    T, short = model.parts.years, model.columns.shortfall[:, bands]
    at = np.arange(len(short) * T).reshape(len(short), 1, T)
    each = _matrix([(at, short, 1.0)], len(short) * T, columns)
    return csr_array(csr_array(kron(stage.reach.inside, eye_array(T))) @ each)


def _converted(model: Model, at: Index) -> list[Term]:
    """Pupils of converted schools less the places that come with them."""
    parts, v = model.parts, model.columns
    places = parts.given.providers.places[:, None] * np.ones(parts.years)
    now = v.converted[:, parts.given.dates.autumn]
    return [
        (at, v.public, 1.0),
        (at, now, -places),
        (at, before(now), -ceiling_share(parts)[:, None] * places),
    ]


def _new_seats(model: Model, counted: Index, at: Index, excess: Array) -> Term:
    """Seats of projects, ``Σ_k (z[k] − z[k−1])`` over openings that count; ended ones leave."""
    parts = model.parts
    projects, years = parts.given.projects, np.arange(parts.years)
    row = np.flatnonzero((projects.row_provider >= 0) & (projects.row_places > 0))
    project = projects.row_project[row]
    counts = counted[project][:, :, None] <= years
    later = np.concatenate([counts[:, 1:], np.zeros_like(counts[:, :1])], axis=1)
    share = counts.astype(np.float64) - later
    provider = projects.row_provider[row]
    each = -(excess[provider] * projects.row_places[row])[:, None, None] * share
    column = np.broadcast_to(model.columns.open[project][:, :, None], each.shape)
    out = at[provider][:, None, :] + np.zeros_like(column)
    life = np.nan_to_num(projects.row_life[row], nan=1e6).astype(np.int64)
    past = years - life[:, None]
    r, t = np.nonzero(past >= 0)
    gone = model.columns.open[project[r], parts.given.dates.autumn[past[r, t]]]
    return (
        np.concatenate([out.ravel(), at[provider[r], t]]),
        np.concatenate([column.ravel(), gone]),
        np.concatenate([each.ravel(), (excess[provider] * projects.row_places[row])[r]]),
    )


def _inclusive(model: Model, at: Index) -> list[Term]:
    """Children of private providers who move as kindergartens turn inclusive."""
    parts = model.parts
    projects = parts.given.projects
    z = model.columns.open[:, parts.given.dates.autumn]
    moved = np.flatnonzero(projects.row_pupils > 0)
    gains = inclusive_pool(parts.given)[projects.row_area[moved], projects.row_stage[moved]]
    out: list[Term] = []
    for provider, sign in ((gains, -1.0), (projects.row_leaves[moved], 1.0)):
        known = provider >= 0
        amount = sign * projects.row_pupils[moved[known]][:, None]
        out.append((at[provider[known]], z[projects.row_project[moved[known]]], amount))
    return out


def _matrix(terms: list[Term], rows: int, columns: int) -> csr_array:
    parts = [[np.ravel(x) for x in np.broadcast_arrays(*term)] for term in terms]
    row, column, value = (np.concatenate([part[i] for part in parts]) for i in range(3))
    keep = (row >= 0) & (column >= 0)
    return csr_array(
        coo_array((value[keep], (row[keep], column[keep])), shape=(rows, columns)).astype(float)
    )


def _target_rows(
    model: Model, program: LinearProgram, data: SimulationData, target: Target, margin: float
) -> LinearProgram:
    """Repeat the rows of a target, further from the limit by the margin."""
    block, year = RULES[target.rule].rows, target.year
    rows = model.program.rows_of(block)
    found = [one for one in model.program.rows if one.name == block]
    if year is not None and len(rows):
        of_year = np.concatenate([one.labels[-1] for one in found]).astype(int)
        rows = rows[of_year == year]
    if not len(rows):
        return program
    position = 0 if year is None else year - int(data.space.years[0])
    size = _size(model, data, target.rule, position, len(rows))
    matrix = csr_array(model.program.matrix.tocsr()[rows])
    upper = model.program.row_upper[rows]
    if not np.isfinite(upper).all():
        matrix, upper = csr_array(-matrix), -model.program.row_lower[rows]
    years = np.full(len(rows), position)
    labels = (np.full(len(rows), target.id, object),)
    return _append(model, program, "safety.targets", matrix, upper - margin * size, years, labels)


def _size(model: Model, data: SimulationData, rule: str, year: int, count: int) -> Array | float:
    """Persons that a target's unit stands for: those of whom it is a share."""
    if rule == "reduction":
        return 1.0
    children = model.given.space.children[:, :, year]
    stages = [
        stage.grades
        for stage in data.stages
        if (stage.compulsory if rule == "share" else stage.name == "kindergarten")
    ]
    by_area = children[:, np.concatenate(stages)].sum(axis=1)
    if rule == "share" and data.settings.policy.share_scope == "county":
        out = np.zeros(len(data.space.counties))
        np.add.at(out, data.space.county, by_area)
        return out
    return np.full(count, by_area.sum())


def _append(
    model: Model,
    program: LinearProgram,
    name: str,
    rows: csr_array,
    upper: Array,
    year: Index,
    labels: tuple[Text, ...],
) -> LinearProgram:
    """Add rows ``rows · x − missing ≤ upper`` and the columns for what is missing."""
    count = len(upper)
    price = PRICE_FACTOR * max(_price(model), LEAST_PRICE_CNY) / 1e6
    cost = price * model.parts.ledger.factor[year]
    wider, missing = program.with_columns(f"missing.{name}", count, cost=cost, labels=labels)
    found = coo_array(rows)
    entries = (
        np.concatenate([found.data, np.full(count, -1.0)]),
        (
            np.concatenate([found.coords[0], np.arange(count)]),
            np.concatenate([found.coords[1], missing]),
        ),
    )
    matrix = csr_array(entries, shape=(count, len(wider.cost)))
    return wider.with_rows(name, matrix, upper=upper, labels=labels)


def _price(model: Model) -> float:
    """Price of a child without a place, RMB a school year."""
    return float(model.given.scenario.settings.costs.shortfall_cny)
