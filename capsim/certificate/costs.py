"""Costs by kind, region and year from quantities and prices; objective, bound and gap.

The bound is verified in safe arithmetic. Whatever prices ``y`` of the rows a solver gives, right or
wrong, no solution of the program costs less than ``Σ_r (y_r l_r if y_r > 0 else y_r u_r) + Σ_j min
(c − Aᵀy)_j x_j`` over the bounds of the columns. It is computed here with an upper bound of every
rounding error, so that it holds exactly. A solver's bound up to it is verified; what a search for
whole numbers proves beyond it, is that solver's word, and is told apart.

Source of method: A. Neumaier and O. Shcherbina, Safe bounds in linear and mixed-integer linear
programming, Mathematical Programming 99 (2004) 283-296.
"""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from capsim.certificate.data import DAYS_A_YEAR, CertificateData, ordinal
from capsim.certificate.decision_reader import Decisions, Reader
from capsim.certificate.ledger import MILLION, BoundCheck, Floats, Ledger
from capsim.certificate.places import Derived
from capsim.certificate.resources import base_pool, capital, opening_events, staying_share
from capsim.certificate.travel import Ways, boarding_cost

if TYPE_CHECKING:
    from capsim.lp.program import LinearProgram
    from capsim.model.model import Model
    from capsim.scenario.scenario import Scenario

RECURRENT = ("running", "staff", "purchase", "hiring", "boarding", "lease")
KINDS = (
    "capital",
    "running",
    "staff",
    "hiring",
    "purchase",
    "conversion",
    "closure",
    "travel",
    "boarding",
    "displacement",
    "overfill",
    "shortfall",
    "salvage",
)
DEFAULT_LIFE = 50.0
TERM = 8 / 12  # of a school year, for places bought from December on


class PlanLike(Protocol):
    """The parts of a plan the certificate reads."""

    @property
    def status(self) -> str: ...  # noqa: D102
    @property
    def demand(self) -> Any: ...  # noqa: D102
    @property
    def tables(self) -> Any: ...  # noqa: D102
    @property
    def gap(self) -> float: ...  # noqa: D102
    @property
    def objective_cny(self) -> float: ...  # noqa: D102
    @property
    def bound_cny(self) -> float: ...  # noqa: D102
    @property
    def committed_cny(self) -> float: ...  # noqa: D102


def purchase_price(given: CertificateData) -> Floats:
    """Return the price of a purchased place a school year, RMB ``[j]``."""
    column = given.providers.schools["purchase_price_cny"].to_numpy(np.float64)
    standard = given.per_stage("purchase_price_cny")[given.providers.stage]
    return np.where(np.isnan(column), standard, column)


def purchase_cost(given: CertificateData, plan: Decisions) -> Floats:
    """Compute RMB for purchased places ``[j, t]``."""
    places = plan.purchased + TERM * (plan.purchased_december - plan.purchased)
    return np.where(places == 0, 0.0, purchase_price(given)[:, None] * places)


def school_number(given: CertificateData, column: str) -> Floats:
    """Read a column of `schools` by provider, 0 for projects."""
    return given.providers.schools[column].fillna(0.0).to_numpy(np.float64)


def running(given: CertificateData, copies: Floats) -> Floats:
    """Sum running costs of projects, less what they save, by region, ``copies[m, t]`` in use."""
    rows = given.projects.rows
    each = (rows["running_cny"] - rows["saved_cny"]).to_numpy(np.float64)[:, None]
    return given.by_county(each * copies[given.projects.of], given.projects.county)


def keeping_open(given: CertificateData, going: Floats) -> Floats:
    """Compute fixed costs of public schools, and of those ``going`` that converted ``[j, t]``."""
    runs = np.where(given.providers.public[:, None], 1.0, going)
    return school_number(given, "fixed_cny")[:, None] * runs


def costs_by_kind(
    given: CertificateData, plan: Decisions, state: Derived, ways: Ways
) -> dict[str, Floats]:
    """Compute undiscounted RMB by region and planned year; ``lease`` is in ``conversion`` too.

    ``salvage`` has one column, due at the end of the horizon.
    """
    prices, providers = given.settings.costs, given.providers
    at = providers.county
    allowance = given.per_stage("allowance_cny")[providers.stage][:, None] * state.public_pupils
    teachers = float(prices.teacher_cny) * plan.pool
    teachers = teachers + float(prices.contract_teacher_cny) * plan.contract_teachers
    everywhere = np.arange(len(given.counties))
    hiring = float(prices.hire_cny) * (plan.hired + state.taken_over)
    hiring = hiring + float(prices.stage_move_cny) * plan.to_stage
    hiring = hiring + float(prices.county_move_cny or 0.0) * plan.to_county
    lease = school_number(given, "conversion_lease_cny")[:, None] * state.going
    turned = np.diff(np.hstack([0 * state.converted[:, :1], state.converted_december]), axis=1)
    once = school_number(given, "conversion_cost_cny")[:, None] * turned
    begins = np.diff(np.hstack([np.zeros((len(at), 1)), plan.phased_out]), axis=1)
    ends = np.diff(np.hstack([np.zeros((len(at), 1)), plan.given_up]), axis=1)
    closing = school_number(given, "closure_cost_cny")[:, None] * (begins + ends)
    missing = float(prices.shortfall_cny) * plan.shortfall.sum(axis=1)
    events = opening_events(given, plan)
    return {
        "capital": capital(given, events),
        "running": running(given, state.copies[:, 1:])
        + given.by_county(allowance + keeping_open(given, state.going), at),
        "staff": given.by_county(teachers.sum(axis=1), everywhere),
        "hiring": given.by_county(hiring.sum(axis=1), everywhere),
        "purchase": given.by_county(purchase_cost(given, plan), at),
        "lease": given.by_county(lease, at),
        "conversion": given.by_county(once + lease, at),
        "closure": given.by_county(closing, at),
        "travel": given.by_county(ways.travel_cny, given.area_county),
        "boarding": given.by_county(boarding_cost(given, ways), given.area_county),
        "displacement": float(prices.displacement_cny)
        * given.by_county(plan.displaced.sum(axis=1), at),
        "overfill": float(prices.overfill_cny) * given.by_county(state.excess, at),
        "shortfall": given.by_county(missing, given.area_county),
        "salvage": salvage(given, events),
    }


def salvage(given: CertificateData, events: list[tuple[int, int, float]]) -> Floats:
    """Return minus the book value at the end of the horizon, by region, one column."""
    out = np.zeros((len(given.regions), 1))
    share = float(given.settings.costs.salvage_share)
    end = ordinal(f"{given.years[-1] + 1}-09-01")
    for r, k, copies in events:
        row = given.projects.rows.iloc[r]
        life = given.projects.life[r] if np.isfinite(given.projects.life[r]) else DEFAULT_LIFE
        age = (end - ordinal(given.calendar.dates[k])) / DAYS_A_YEAR
        left = max(0.0, 1.0 - age / life) * float(row["capital_cny"] - row["spent_cny"])
        out[given.projects.county[r]] -= share * copies * left
    out[-1] = out[:-1].sum(axis=0)
    return out


def committed_by_kind(given: CertificateData) -> dict[str, Floats]:
    """Compute undiscounted RMB that no decision can avoid, by region and planned year.

    ``salvage`` has one column, due at the end of the horizon.
    """
    prices, projects, T = given.settings.costs, given.projects, len(given.years)
    stay = staying_share(given) ** np.arange(1, T + 1)
    teachers = float(prices.teacher_cny) if given.on("staff") else 0.0
    everywhere = np.arange(len(given.counties))
    staff = teachers * given.by_county(base_pool(given).sum(axis=1), everywhere)[:, None] * stay
    forced = np.where(projects.candidate, len(given.calendar.dates), projects.latest)
    events = [
        (r, int(forced[m]), float(projects.count[m]))
        for r, m in enumerate(projects.of)
        if forced[m] < len(given.calendar.dates)
    ]
    open_by = (forced[:, None] <= given.calendar.autumn[None, :]).astype(np.float64)
    providers = given.providers
    rolls = providers.base.sum(axis=1)
    allowance = np.zeros((len(given.areas), T))
    for s, amount in enumerate(given.per_stage("allowance_cny")):
        mine = providers.stage == s
        everyone = rolls[mine].sum()
        share = rolls[mine & providers.public].sum() / everyone if everyone > 0 else 0.0
        children = given.children[:, given.grade_stage == s, 1:].sum(axis=1)
        allowance += amount * share * children
    return {
        "capital": capital(given, events),
        "running": running(given, open_by * projects.count[:, None])
        + given.by_county(allowance, given.area_county)
        + given.by_county(keeping_open(given, np.zeros((len(rolls), T))), providers.county),
        "staff": staff,
        "salvage": salvage(given, events),
    }


def recurrent(costs: dict[str, Floats]) -> Floats:
    """Compute spending under the recurrent limit by region and planned year."""
    return np.asarray(sum(costs[kind] for kind in RECURRENT))


def check_costs(
    given: CertificateData, plan: PlanLike, costs: dict[str, Floats], reader: Reader, book: Ledger
) -> None:
    """Compare the cost table cell by cell, then objective, committed, bound and gap.

    What variables of the user's own cost is taken as the plan says (``own_cost_cny``).
    """
    years = (*given.years, given.years[-1] + 1)
    rate = 1.0 + float(given.settings.costs.discount_rate)
    discount = rate ** -np.arange(len(years), dtype=float)
    table = reader.tables["costs"]
    counties = given.counties
    shape = (len(KINDS), len(counties), len(years))
    due, fixed = np.zeros(shape), np.zeros(shape)
    committed = committed_by_kind(given)
    for i, kind in enumerate(KINDS):
        if not given.counted(kind):
            continue
        when = slice(-1, None) if kind == "salvage" else slice(-1)
        due[i, :, when] = costs[kind][:-1]
        if kind in committed:
            fixed[i, :, when] = committed[kind][:-1]
    reported = {
        column: spread(table, reader.numbers("costs", column), (KINDS, counties, years))
        for column in ("cost_cny", "discounted_cny", "committed_cny")
    }
    keys = ["kind", "county", "school_year"]
    known = (
        table["kind"].isin(KINDS)
        & table["county"].isin(counties)
        & table["school_year"].isin(years)
    )
    bad = ~known | table.duplicated(keys)
    faults = [tuple(row) for row in table.loc[bad, keys].to_numpy()]
    book.none_of("tables", "costs, unknown key or row twice", faults, len(table))
    axes = [KINDS, counties, years]
    wanted = {
        "cost_cny": due,
        "discounted_cny": due * discount,
        "committed_cny": fixed * discount,
    }
    for column, values in wanted.items():
        book.equal("costs", f"{column} of", reported[column], values, axes, money=True)
    objective = float((due * discount).sum()) + float(getattr(plan, "own_cost_cny", 0.0))
    fixed_cny = float((fixed * discount).sum())
    one = [["plan"]]
    names = ("objective_cny", "committed_cny", "bound_cny", "gap")
    told = {name: _number(getattr(plan, name)) for name in names}
    total, bound, gap = told["objective_cny"], told["bound_cny"], told["gap"]
    book.equal("objective", "objective of", [total], [objective], one, money=True)
    book.equal("objective", "committed of", [told["committed_cny"]], [fixed_cny], one, money=True)
    book.at_most("objective", "bound of", [bound], [total], one, money=True)
    due_gap = (total - bound) / max(total - told["committed_cny"], MILLION)
    book.equal("objective", "gap of", [gap], [due_gap], one)
    optimal = plan.status == "optimal"
    unproved = [gap] if optimal and not np.isfinite(gap) else []
    book.none_of("objective", "optimal without a bound", unproved, 1)
    asked = _number(getattr(plan, "asked_gap", USUAL_GAP))
    book.at_most("objective", "gap of an optimal", [gap], [asked + DUST], one, where=[optimal])


USUAL_GAP = 1e-3
"""Gap that is asked for where the plan does not say which."""
DUST = 1e-8


def _number(value: object) -> float:
    """Read a number; NaN where it is none."""
    return float(value) if isinstance(value, Real) else float("nan")


def spread(frame: pd.DataFrame, values: Floats, axes: tuple[Any, ...]) -> Floats:
    """Values over the axes kind, county, year; unknown keys are left out."""
    columns = ("kind", "county", "school_year")
    at = [
        pd.Index(list(a)).get_indexer(pd.Index(frame[c]))
        for a, c in zip(axes, columns, strict=True)
    ]
    known = np.logical_and.reduce([position >= 0 for position in at])
    out = np.zeros(tuple(len(a) for a in axes))
    np.add.at(out, tuple(position[known] for position in at), values[known])
    return out


UNIT = 2.0**-52
"""Twice the rounding error of one operation, relative."""
SAME = 1e-6
"""Part of the avoidable cost (at least of a million RMB) by which the two bounds may differ."""
LARGE = 200_000
"""Coefficients from which on a relaxation is solved by the interior point."""
PASSES = 20
"""Rows are looked through at most so often for bounds of columns that have none."""


def check_bound(plan: Any) -> BoundCheck | None:
    """Verify the bound of a plan as far as prices of the relaxation's rows do.

    Those that the search ended with are taken, else the relaxation is solved for them. Where the
    bound is that of another scenario, as of the plan on paper where projects are hurried, it is
    verified in that one.

    Parameters
    ----------
    plan : Plan
        With a model; None is returned of one that was made of tables only.
    """
    if getattr(plan, "x", None) is None:
        return None
    model = plan.model if plan.bound_of is None else _model_of(plan.bound_of, plan.demand)
    program = model.at_true_costs()
    prices = plan.row_prices
    if prices is None or len(prices) != len(program.row_lower):
        prices = _relaxation_prices(program)
    proved = -math.inf if prices is None else safe_bound(program, prices)
    proved_cny = proved * MILLION + model.committed_cny
    avoidable = max(plan.objective_cny - plan.committed_cny, MILLION)
    told = plan.bound_cny
    known = bool(np.isfinite(told) and np.isfinite(proved_cny))
    verified = known and told <= proved_cny + SAME * avoidable
    why = "duals" if verified else "search" if known else "none"
    return BoundCheck(verified, proved_cny, (plan.objective_cny - proved_cny) / avoidable, why)


def _model_of(scenario: Scenario, demand: Any) -> Model:
    from capsim.model.model import formulate

    return formulate(scenario, demand)


def _relaxation_prices(program: LinearProgram) -> Floats | None:
    """Solve the relaxation: the larger by the interior point, whose prices need no corner."""
    from capsim.lp.highs import INTERIOR, Highs

    large = program.matrix.nnz > LARGE
    return Highs(program.relaxed(), INTERIOR if large else {}).solve().row_dual


def safe_bound(program: LinearProgram, prices: Floats) -> float:
    """Return what no solution of a program costs less than, proved by prices of its rows.

    Parameters
    ----------
    program : LinearProgram
        Whole numbers are taken as fractions.
    prices : float64 ``[row]``
        Any; the nearer they are to the duals of the relaxation, the better is the bound.

    Returns
    -------
    float
        With the offset; ``-inf`` where the prices prove nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from capsim.lp import Builder
    >>> m = Builder()
    >>> x = m.variables("x", 2, upper=4.0)
    >>> m.constrain("both", 1, [(0, x, 1.0)], lower=6.0)
    >>> program = m.freeze(cost=np.array([1.0, 3.0]))
    >>> round(safe_bound(program, np.array([3.0])), 9), safe_bound(program, np.array([0.0]))
    (10.0, 0.0)
    """
    y = np.where(np.isfinite(prices), prices, 0.0)
    y = np.where(np.isfinite(np.where(y > 0, program.row_lower, program.row_upper)), y, 0.0)
    least, most = _reduced_costs(program, y)
    lower, upper = _with_ends(program, most > 0, least < 0)
    for less in LESS:
        endless = ((most > 0) & np.isinf(lower)) | ((least < 0) & np.isinf(upper))
        if not endless.any():
            break
        # Where a column without an end is worth what it costs, a little less for its rows will do.
        y = np.where(abs(program.matrix) @ endless > 0, (1 - less) * y, y)
        least, most = _reduced_costs(program, y)
    with np.errstate(invalid="ignore"):
        corners = np.stack([least * lower, least * upper, most * lower, most * upper])
    of_columns = np.where((least == 0) & (most == 0), 0.0, corners.min(axis=0))
    side = np.where(y > 0, program.row_lower, program.row_upper)
    of_rows = y * np.where(y == 0, 0.0, side)
    parts = np.concatenate([of_rows, of_columns, [program.offset]])
    if not np.isfinite(parts).all():
        return -math.inf
    return math.fsum(parts) - UNIT * float(np.abs(parts).sum()) * 4


LESS = (1e-12, 1e-10, 1e-8, 1e-6, 1e-5, 1e-4)
"""Parts by which prices are lowered, one after the other, until columns without an end allow it."""


def _reduced_costs(program: LinearProgram, y: Floats) -> tuple[Floats, Floats]:
    """Return what the columns cost beyond what they are worth, at the least and at the most.

    An inner product of n terms is wrong by at most n units of the sum of their sizes.
    """
    matrix, cost = program.matrix, program.cost
    reduced = cost - matrix.T @ y
    terms = np.diff(matrix.indptr) + 3.0
    wrong = terms * UNIT * (np.abs(cost) + abs(matrix).T @ np.abs(y))
    return reduced - wrong, reduced + wrong


def _with_ends(
    program: LinearProgram, below: NDArray[np.bool_], above: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Return bounds of the columns; those needed that have no end get one that rows imply.

    A row ``Σ a x ≤ u`` bounds a column by what the others leave at the least; what is found is
    widened by far more than rounding can be wrong.
    """
    lower, upper = program.lower.copy(), program.upper.copy()
    endless = (below & np.isinf(lower)) | (above & np.isinf(upper))
    if not endless.any():
        return lower, upper
    entries = program.matrix.tocoo()
    row, column, factor = entries.row, entries.col, entries.data
    row, column, factor = row[factor != 0], column[factor != 0], factor[factor != 0]
    rows = len(program.row_lower)
    for _ in range(PASSES):
        before = int(np.isinf(lower).sum() + np.isinf(upper).sum())
        for sign, limit in ((1.0, program.row_upper), (-1.0, -program.row_lower)):
            a = sign * factor
            end = np.where(a > 0, lower[column], upper[column])
            free = np.isinf(end)
            least = np.where(free, 0.0, a * np.where(free, 0.0, end))
            total = np.bincount(row, least, rows)
            size = np.bincount(row, np.abs(least), rows) + np.abs(
                np.where(np.isfinite(limit), limit, 0.0)
            )
            open_ends = np.bincount(row, free, rows)
            # All others of the row have an end: its limit leaves this column so much.
            alone = np.isfinite(limit)[row] & (open_ends[row] - free == 0)
            room = limit[row] - (total[row] - least) + WIDER * (1.0 + size[row])
            with np.errstate(invalid="ignore", over="ignore"):
                end = room / a
                end += WIDER * np.abs(end) * np.sign(a)
            high, low = alone & (a > 0), alone & (a < 0)
            np.minimum.at(upper, column[high], end[high])
            np.maximum.at(lower, column[low], end[low])
        if int(np.isinf(lower).sum() + np.isinf(upper).sum()) == before:
            break
    return lower, upper


WIDER = 1e-9
"""Part by which a bound that rows imply is widened."""
