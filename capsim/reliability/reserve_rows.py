"""Rows that keep places free for what draws may bring, and columns for contracts in reserve.

A contract that runs can be worth more places than the plan buys. The optimizer may count on the
rest, a *reserve*, as room that margins ask for; the simulation uses it last of all.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.sparse import coo_array, csc_array, csr_array

from capsim.lp.array_types import Array, Flag, Index
from capsim.lp.expressions import Expression
from capsim.lp.labels import Axis, Labels
from capsim.lp.program import LinearProgram
from capsim.model.constraints.capacity import ceiling_share
from capsim.model.costs import MILLION
from capsim.model.model import Model
from capsim.plan.targets import RULES, Target
from capsim.reliability.margins import Margins, expected_part
from capsim.simulation.data import SimulationData

CEILINGS = ("purchase.limit", "purchase.ceiling", "money.recurrent")
"""Rows under which a reserve counts like a purchase."""


def with_recourse(
    model: Model, data: SimulationData, margins: Margins, guarded: Flag, price_cny: float
) -> Model:
    """Return the model in which what draws would miss is paid for.

    Parameters
    ----------
    model : Model
    data : SimulationData
        A plan of the scenario as arrays; its groups are what margins are for.
    margins : Margins
    guarded : bool ``[group]``
        Where a place missing is to be paid for.
    price_cny : float
        Of a place missing, or of a person too many for a target, in a school year, RMB.
    """
    program, reserve = with_reserves(model)
    program, campuses = _sure_campuses(model, program, margins.counted)
    sure = _sure_seats(model, margins.counted) + campuses
    crowding = _crowding(model, data, sure, reserve)[np.flatnonzero(guarded)]
    price = price_cny / MILLION * model.parts.ledger.factor[: model.parts.years]
    program = _soft(program, "safety.seats", crowding, margins.seats[:, guarded], price)
    for target, margin in margins.targets:
        program = _target_rows(model, program, data, target, margin, price)
    return model.with_program(program)


def with_reserves(model: Model) -> tuple[LinearProgram, Expression]:
    """Add columns for places by which contracts can grow.

    A reserve uses up ceilings on purchases and recurrent money as if it were bought.

    Returns
    -------
    program : LinearProgram
    reserve : Expression ``[provider, year]``
    """
    x, providers = model.parts.x, model.given.providers
    can = x.contract.exists
    labels = Labels(can, x.contract.axes)
    program, columns = model.program.with_columns("reserve", labels.members, labels=labels)
    index = np.full(can.shape, -1, np.int64)
    index[can] = columns
    reserve = Expression.of(index, x.contract.axes)
    sells, cap = providers.purchasable[:, None], providers.cap[:, None]
    for name, limit in (
        ("contract", reserve + x.purchased_december <= sells * x.contract),
        ("school", reserve + x.fee + x.purchased <= cap),
        ("ending", reserve <= sells * (1 - x.phase_out)),
    ):
        program = program.with_constraint(f"reserve.{name}", limit, can)
    if model.given.intake_stays_ended:
        # Without intake a school takes nobody new: one more first grade in each is the most.
        grades = np.bincount(model.columns.seats.provider, minlength=len(cap))[:, None]
        program = program.with_constraint("reserve.intake", reserve <= grades * x.intake, can)
    v = model.columns
    return _under_ceilings(program, columns, v.purchased[can], v.purchased_december[can]), reserve


def _under_ceilings(
    program: LinearProgram, reserve: Index, september: Index, december: Index
) -> LinearProgram:
    """Add reserves to the ceilings, with the coefficients of a purchase of the whole year."""
    rows = np.concatenate([program.rows_of(name) for name in CEILINGS])
    matrix = program.matrix.tocsr()[rows].tocsc()
    each = matrix[:, december] + matrix[:, september].multiply(september != december)
    found = coo_array(each)
    entries = (found.data, (rows[found.coords[0]], reserve[found.coords[1]]))
    more = csc_array(coo_array(entries, shape=program.matrix.shape))
    return replace(program, matrix=csc_array(program.matrix + more))


def _crowding(
    model: Model, data: SimulationData, sure: Expression, reserve: Expression
) -> Expression:
    """Return pupils and children without a place, less places and reserves.

    By group and year, labelled by stage, area and year: public providers, converted schools and
    private ones outside the compulsory stages; of projects only the seats that are `sure`; places
    reach up to the class ceiling.
    """
    parts, x = model.parts, model.parts.x
    space, providers = parts.given.space, parts.given.providers
    excess, free = ceiling_share(parts.given)[:, None], ~providers.levered[:, None]
    public, places = providers.public[:, None], providers.places[:, None]
    there = np.where(public, (1 + excess) * places, free * providers.cap[:, None])
    in_converted = (1 + excess) * places * (x.converted - x.given_up)
    private = free * x.enrolled - x.joined
    over = private + x.public - in_converted - (1 + excess) * sure - there - reserve
    over += (1 + excess) * x.places_given_up
    short = x.shortfall.group(space.bands.stage, len(space.stages), axis=1)

    groups = [np.asarray(stage.reach.area) for stage in data.stages]
    first, count = 0, sum(map(len, groups))
    total = Expression.of_terms((count, parts.years), ())
    for number, stage in enumerate(data.stages):
        member, inside = coo_array(stage.reach.member), coo_array(stage.reach.inside)
        of_member, of_inside = (first + one.row.astype(np.int64) for one in (member, inside))
        total += over[stage.provider[member.col]].group(of_member, count)
        total += short[inside.col, number].group(of_inside, count)
        first += len(groups[number])
    of_group = Axis.of(
        stage=np.repeat([stage.name for stage in data.stages], [len(area) for area in groups]),
        area=data.space.areas[np.concatenate(groups)],
    )
    return total.labelled(of_group, parts.axis.year)


def _sure_seats(model: Model, counted: Index) -> Expression:
    """Count seats of projects from the autumn they count, less those ended, ``[j, t]``.

    Those of nine-year campuses are not among them.
    """
    x, projects = model.parts.x, model.given.projects
    built = (projects.row_places > 0) & ~projects.row_campus
    row = np.flatnonzero((projects.row_provider >= 0) & built)
    seats = projects.row_places[row, None] * (_sure_copies(model, counted, row) - x.ended(row))
    return seats.group(projects.row_provider[row], len(model.given.providers.school))


def _sure_copies(model: Model, counted: Index, row: Index) -> Expression:
    """Count the copies of rows of projects from the autumn they count, ``[row, t]``."""
    project = model.given.projects.row_project[row]
    opened = model.parts.x.open_at[project]
    counts = counted[project][..., None] <= np.arange(model.parts.years)
    return (counts * (opened - opened.previous())[..., None]).sum(1)


def _sure_campuses(
    model: Model, program: LinearProgram, counted: Index
) -> tuple[LinearProgram, Expression]:
    """Add columns for the seats that a stage has in nine-year campuses which count, ``[j, t]``."""
    x, projects = model.parts.x, model.given.projects
    row = np.flatnonzero(projects.row_campus)
    labels = Labels(x.shared.exists, x.shared.axes)
    program, columns = program.with_columns("sure", labels.members, labels=labels)
    index = np.full(x.shared.shape, -1, np.int64)
    index[x.shared.exists] = columns
    sure = Expression.of(index, x.shared.axes)
    counts = projects.row_places[row, None] * _sure_copies(model, counted, row)
    program = program.with_constraint("sure.shared", sure <= x.shared, x.shared.exists)
    program = program.with_constraint("sure.opened", sure <= counts, x.shared.exists)
    return program, sure.group(projects.row_provider[row], len(model.given.providers.school))


def _target_rows(
    model: Model,
    program: LinearProgram,
    data: SimulationData,
    target: Target,
    margin: Array,
    price: Array,
) -> LinearProgram:
    """Repeat the rows of a target, with its margins."""
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
    left = Expression.of_matrix(csr_array(model.program.matrix.tocsr()[rows]))
    most = model.program.row_upper[rows]
    if not np.isfinite(most).all():
        left, most = -left, -model.program.row_lower[rows]
    named = left.labelled(Axis.of(target=np.full(len(rows), target.id, object)))
    persons = np.multiply.outer(margin, np.broadcast_to(size, len(rows)))
    return _soft(program, "safety.targets", named - most, persons, price[position])


def _size(model: Model, data: SimulationData, rule: str, year: int, count: int) -> Array | float:
    """Count the persons that a target's unit stands for: those of whom it is a share."""
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


def _soft(
    program: LinearProgram, name: str, excess: Expression, margins: Array, price: Array | float
) -> LinearProgram:
    """Add rows ``excess + last margin ≤ Σ missing`` and the columns for what is missing.

    From each margin to the next there is a column, at the price times the chance of its being
    missed; beyond the last nothing is paid.
    """
    width = np.diff(margins, axis=0, prepend=-np.inf)
    missing = Expression.of_terms(excess.shape, ())
    labels = Labels(np.ones(excess.shape, bool), excess.axes)
    for most, part in zip(width, expected_part(), strict=True):
        cost = np.broadcast_to(part * price, excess.shape)
        program, column = program.with_columns(
            f"missing.{name}", labels.members, cost=cost, upper=most, labels=labels
        )
        missing += Expression.of(column.reshape(excess.shape))
    return program.with_constraint(name, excess + margins[-1] <= missing)
