"""Margins: how far futures go beyond a plan, and how often.

Every draw says how many places more than planned it asks for in each group and year, and how
much worse each target comes out. A margin exceeded with chance ``c`` is the quantile ``1 - c`` of
these. A plan that leaves less room pays the price of a missing place times the chance that it is
missed: what is missing is paid as it is expected (simple recourse), and one price weighs all
groups, years and targets. Seats of a project count from the autumn on by which it is in use with
the probability asked for.

Contracts that run can be worth more places than the plan buys. The optimizer may count on the rest,
a *reserve*, as room that margins ask for; the simulation uses it last of all. It may hurry projects
too, where seats that are surer on a date cost less than others.

Source of method: R. J-B Wets, Solving stochastic programs with simple recourse, Stochastics 10
(1983) 219-242.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.sparse import coo_array, csc_array, csr_array
from scipy.special import ndtri

from capsim.construction.acceleration import LEAST_GAIN, has_options, trials
from capsim.construction.calendars import Days
from capsim.construction.programme_simulation import build
from capsim.construction.projects import Dates
from capsim.lp.array_types import Array, Flag, Index
from capsim.lp.expressions import Expression, Term
from capsim.lp.labels import Axis, Labels
from capsim.lp.program import LinearProgram
from capsim.model.constraints.capacity import ceiling_share
from capsim.model.costs import MILLION, day_number
from capsim.model.data import ModelData, codes
from capsim.model.model import Model
from capsim.plan.targets import RULES, Target
from capsim.scenario.scenario import Scenario
from capsim.simulation.data import SimulationData
from capsim.simulation.run import Trial

CHANCES = np.array([0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001])
"""Chances of need beyond each margin, the smallest margin first; there is one margin more."""
LAST, CUSHION = 0.01, 0.25
"""Chance of normal need beyond the last margin, as a part of what is granted for all together; and
the standard deviations by which it lies beyond the one before at least.
"""
KINDS_OF_DATE = 3
"""Openings of a project that are looked at one by one; later ones are late like the last."""
WHOLE = "*"
"""County of what is limited for all together."""
CEILINGS = ("purchase.limit", "purchase.ceiling", "money.recurrent")
"""Rows under which a reserve counts like a purchase."""


def counted_from(data: ModelData, probability: float, replications: int, seed: int) -> Index:
    """Find the first autumn by which a project is in use with a probability.

    Parameters
    ----------
    data : ModelData
        Of the model.
    probability : float
    replications : int
        Of the building simulation, without waiting for crews.
    seed : int

    Returns
    -------
    int ``[project, check]``
        Position of the autumn, for a copy planned to open on the check date; the number of
        planned years if none is late enough. Never falls from one check date to the next.
    """
    dates, projects = data.dates, data.projects
    days = dates.date.astype("datetime64[D]").astype(np.int64)
    lag = np.zeros((len(projects.project), dates.count))
    known = np.full(len(projects.project), -1, np.int64)
    looked = np.zeros(len(projects.project), np.int64)
    for k in range(dates.count):
        open_now = (projects.first_check <= k) & (k <= np.minimum(projects.last_check, dates.count))
        if k not in dates.autumn:
            open_now &= ~projects.candidate
        fresh = np.flatnonzero(open_now & (looked < KINDS_OF_DATE))
        if len(fresh):
            lag[fresh, k] = _lag(data, fresh, k, probability, replications, seed)
            known[fresh], looked[fresh] = k, looked[fresh] + 1
        old = np.flatnonzero((known >= 0) & (known < k))
        lag[old, k] = lag[old, known[old]]
    ready = days[None, :] + lag
    autumn = np.searchsorted(days[dates.autumn], ready.ravel(), side="left").reshape(ready.shape)
    return np.maximum.accumulate(autumn, axis=1)


def _lag(
    data: ModelData, chosen: Index, check: int, probability: float, replications: int, seed: int
) -> Array:
    """Find the days by which projects of a check date are late at most with a probability."""
    names = data.projects.project[chosen]
    date = str(data.dates.date[check])
    built = build(
        data.scenario,
        planned={str(name): date for name in names},
        replications=replications,
        seed=seed,
        crews=False,
    )
    late = np.nan_to_num(built.opening - built.planned, nan=np.inf)
    at = {name: number for number, name in enumerate(built.projects)}
    levels = np.quantile(late, probability, axis=0, method="higher")
    return np.asarray(levels[[at[str(name)] for name in names]])


@dataclass(frozen=True, eq=False)
class Gain:
    """What it brings to hurry one project in one way, all else as it is.

    Attributes
    ----------
    project : str
    options : str
        All of the project's, ``;`` between.
    cost_cny : float
        More than it costs as it is.
    dates : float64 ``[date]``
        Days, in order.
    sure : float64 ``[date]``
        Its copies that are in use on the dates with the probability asked for, where they would not
        be, less the share of futures in which they are anyway. What its crews do elsewhere then is
        left aside: of several projects hurried it would be counted several times.
    """

    project: str
    options: str
    cost_cny: float
    dates: Days
    sure: Days


def gains(
    scenario: Scenario,
    planned: Mapping[str, Dates],
    dates: Days,
    probability: float,
    *,
    replications: int = 200,
    seed: int = 0,
) -> list[Gain]:
    """Measure what every way to hurry a project that is ordered or under way brings.

    Parameters
    ----------
    scenario : Scenario
    planned : mapping
        Openings, as for `capsim.build`.
    dates : array
        Days on which copies in use count, in order.
    probability : float
        With which a seat is called sure.
    replications, seed : int

    Returns
    -------
    list of Gain
        Only those that bring something, of each project by cost.
    """
    out: list[Gain] = []
    if not has_options(scenario):
        return out
    whole = trials(scenario, planned, replications, seed)
    for columns in whole.together():
        part = whole.around(columns)
        ours = (whole.draft.columns[i] for i in columns)
        committed = {one.project for one in ours if one.status != "candidate"}
        usual = None
        for project in sorted(committed & set(part.ways)):
            own, best = part.columns_of[project], np.zeros(len(dates))
            for way in part.ways[project][1:]:
                if usual is None:
                    usual = _in_use(part.dates({})[1], dates)
                then = _in_use(part.dates({project: way})[1], dates)
                surer = (then >= probability) & (usual < probability)
                sure = np.where(surer, then - usual, 0.0)[own].sum(axis=0)
                if (sure < best + LEAST_GAIN).all():
                    continue  # a cheaper way brings as much
                best = np.maximum(best, sure)
                names = ";".join(option.name for option in way)
                out.append(Gain(project, names, part.cost_cny(project, way), dates, sure))
    return out


def _in_use(opening: Days, dates: Days) -> Days:
    """Return the share of replications in which columns are in use, ``[column, date]``."""
    return np.asarray((opening[..., None] <= dates).mean(axis=0))


@dataclass(frozen=True, eq=False)
class Margins:
    """Places and distances from targets that a plan can keep free, by the chance they are exceeded.

    Attributes
    ----------
    counted : int ``[project, check]``
        First autumn (position) in which seats opened on a check date count.
    seats : float64 ``[margin, group, year]``
        Persons by which need is above the plan's, less with no chance, ascending.
    targets : tuple of (Target, float64 ``[margin]``)
        By how much each is worse than planned, in its unit.
    """

    counted: Index
    seats: Array
    targets: tuple[tuple[Target, Array], ...]


def expected_part() -> Array:
    """Return the chance that a place between a margin and the one before is missed, ``[margin]``.

    Below the first it is counted as missed for sure.

    Examples
    --------
    >>> expected_part().round(4).tolist()[:3], len(expected_part()) == len(CHANCES) + 1
    ([1.0, 0.35, 0.15], True)
    """
    after = np.append(CHANCES[1:], 0.0)
    return np.append(1.0, (CHANCES + after) / 2)


def margins_of(
    drawn: Trial, planned: Trial, counted: Array, chosen: list[int], probability: float
) -> tuple[Array, Array]:
    """Measure how far draws go beyond a plan.

    Parameters
    ----------
    drawn, planned : Trial
        Of the plan: with uncertainty, and one draw without.
    counted : array [group, year]
        Places that the plan may count on.
    chosen : list of int
        Positions of the targets that a margin is kept from.
    probability : float
        Asked for.

    Returns
    -------
    seats : array [margin, group, year]
        Persons who ask for a place more than the plan foresees, and places missing of those
        counted on.
    targets : array [margin, target]
        By how much each is worse than planned, in its unit.
    """
    demanded, planned_demand = drawn.figures.demanded, planned.figures.demanded
    sign = np.array([drawn.targets[at].sign for at in chosen])[:, None]
    seats = demanded - planned_demand - (drawn.figures.room - counted[..., None])
    worse = sign * (drawn.figures.targets[chosen] - planned.figures.targets[chosen])
    return quantiles(seats, probability), quantiles(worse, probability)


def quantiles(values: Array, probability: float = 0.95) -> Array:
    """Return the values exceeded with each of `CHANCES`, and one beyond; draws are the last axis.

    Examples
    --------
    >>> quantiles(np.arange(1000.0)).round().tolist()
    [500.0, 800.0, 900.0, 950.0, 980.0, 990.0, 995.0, 998.0, 999.0, 1071.0]
    """
    exceeded = np.quantile(values, 1 - CHANCES, axis=-1, method="higher")
    further = float(-ndtri(LAST * (1 - probability)) + ndtri(CHANCES[-1]))
    beyond = exceeded[-1] + max(further, CUSHION) * values.std(axis=-1)
    return np.concatenate([exceeded, beyond[None]])


def with_recourse(
    model: Model,
    data: SimulationData,
    margins: Margins,
    guarded: Flag,
    price_cny: float,
    gains: Sequence[Gain] = (),
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
    gains : sequence of Gain
        Ways to hurry projects, by check date of the model.
    """
    program, reserve = with_reserves(model)
    program, campuses = _sure_campuses(model, program, margins.counted)
    program, hurried = _hurried(model, program, gains)
    sure = _sure_seats(model, margins.counted) + campuses
    sure += _seats_sooner(model, gains, hurried)
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


def _hurried(
    model: Model, program: LinearProgram, gains: Sequence[Gain]
) -> tuple[LinearProgram, Expression]:
    """Add a column for each way to hurry a project, at its cost; at most one of a project.

    What it costs is paid as the project's capital is, and uses up the budget of its county.
    """
    given, spent = model.given, model.parts.ledger.spending
    projects = given.projects
    project = codes([gain.project for gain in gains], projects.project)
    cost = np.zeros((len(gains), model.parts.years))
    for number, at in enumerate(project):
        own = np.flatnonzero(projects.row_project[spent.row] == at)
        own = own[spent.check[own] == projects.last_check[at]]
        paid = np.bincount(spent.year[own], spent.amount_cny[own], model.parts.years)
        share = paid / paid.sum() if paid.sum() > 0 else np.eye(model.parts.years)[0]
        cost[number] = gains[number].cost_cny / MILLION * share
    discounted = cost @ model.parts.ledger.factor[: model.parts.years]
    options = np.array([gain.options for gain in gains], object)
    axis = Axis.of(project=projects.project[project], options=options)
    labels = Labels(np.ones(len(gains), bool), (axis,))
    program, column = program.with_columns(
        "hurried", len(gains), upper=1.0, cost=discounted, integer=True, labels=labels
    )
    hurried = Expression.of(column)
    known, of_project = np.unique(project, return_inverse=True)
    once = hurried.group(of_project, len(known)).labelled(Axis.of(project=projects.project[known]))
    program = program.with_constraint("hurried.once", once <= 1.0)
    county = projects.row_county[np.unique(projects.row_project, return_index=True)[1]][project]
    return _within_budgets(model, program, column, county, cost), hurried


def _within_budgets(
    model: Model, program: LinearProgram, column: Index, county: Index, cost: Array
) -> LinearProgram:
    """Add what columns cost, million RMB ``[column, year]``, to the capital of their county."""
    blocks = [block for block in model.program.rows if block.name == "money.capital"]
    where = [(str(c), int(y)) for block in blocks for c, y in zip(*block.labels, strict=True)]
    row_of = dict(zip(where, model.program.rows_of("money.capital").tolist(), strict=True))
    names, years = model.given.space.counties, model.given.space.years.tolist()
    entries = [
        (cost[number, t], row_of[own, year], column[number])
        for number, t in np.argwhere(cost > 0)
        for year in (years[t],)
        for own in (str(names[county[number]]), WHOLE)
        if (own, year) in row_of
    ]
    if not entries:
        return program
    amount, row, at = zip(*entries, strict=True)
    more = coo_array((amount, (row, at)), shape=program.matrix.shape)
    return replace(program, matrix=csc_array(program.matrix + csc_array(more)))


def _seats_sooner(model: Model, gains: Sequence[Gain], hurried: Expression) -> Expression:
    """Count the standard seats of hurried projects that are surer in autumns, ``[j, t]``."""
    given = model.given
    projects, years = given.projects, model.parts.years
    autumns = day_number(given.dates.date[given.dates.autumn])
    built = (projects.row_places > 0) & ~projects.row_campus & (projects.row_provider >= 0)
    seats = csr_array((len(given.providers.school), len(projects.project)))
    row = np.flatnonzero(built)
    places = projects.row_places[row], (projects.row_provider[row], projects.row_project[row])
    seats = csr_array(coo_array(places, shape=seats.shape))
    shape = (seats.shape[0], years)
    entries: list[Term] = []
    for gain, column in zip(gains, hurried.terms[0].column if gains else (), strict=True):
        own = codes([gain.project], projects.project)
        copies = gain.sure[np.searchsorted(gain.dates, autumns)]
        more = coo_array(csr_array(seats[:, own] * copies))
        cell = more.coords[0].astype(np.int64) * years + more.coords[1]
        entries.append(Term(np.full(len(cell), column), more.data, cell))
    return Expression.of_terms(shape, entries)


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
