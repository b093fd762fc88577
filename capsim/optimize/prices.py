"""What one unit more of each scarce thing would save: the plan's prices.

With its decisions fixed a plan is the optimum of a linear program, and a price is the slope of that
optimum: what one more place, post, yuan or percentage point would save, and what one less would
cost. The two differ where the program is degenerate; each is computed on its own and exactly (see
:mod:`capsim.lp.margins`), with the units over which it holds. Projects come whole: their prices are
differences (see :mod:`capsim.optimize.prices_projects`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import csc_array, hstack

from capsim.lp import Program, Solution
from capsim.lp.arrays import Array, Flag
from capsim.lp.margins import Margin, Margins
from capsim.lp.vertex import optimal_basis
from capsim.optimize.decided import decided
from capsim.optimize.model import Model
from capsim.optimize.prices_projects import (
    Changed,
    day_prices,
    programme_prices,
    project_prices,
)
from capsim.optimize.relief import WHO, Relief, limit_reliefs, places, row_members

if TYPE_CHECKING:
    from capsim.optimize.planned import Planned

MILLION = 1e6
KINDS = (
    *("place", "post", "hire", "contract teacher", "capital", "recurrent", "land"),
    *("purchased place", "boarding place", "cap", "reduction", "floor", "large class"),
    *("project", "programme", "day"),
)
COLUMNS = ("kind", "unit", *WHO, "one_more_cny", "one_less_cny", "more_units", "less_units")


@dataclass(frozen=True)
class Prices:
    """Prices of a plan; see ``docs/prices.md`` for how to read them.

    Attributes
    ----------
    table : frame
        ``kind``, ``unit``, ``area``, ``county``, ``stage``, ``name``, ``year``, ``one_more_cny``
        (discounted RMB saved by one unit more), ``one_less_cny`` (lost with one unit less; infinite
        where there is then no solution), ``more_units``, ``less_units`` (over which each holds at
        least). Without intervals both prices are the same number between the two, and the units
        are NaN.
    program : Program
        The linear program that the prices are of: the plan's decisions fixed.
    solution : Solution
        Its optimum with row and column duals, million RMB.
    """

    table: pd.DataFrame
    program: Program = field(repr=False)
    solution: Solution = field(repr=False)

    def of(self, kind: str) -> pd.DataFrame:
        """Return the prices of one kind, without the columns that say nothing of it.

        Raises
        ------
        ValueError
            If there is no such kind.
        """
        _refuse_unknown([kind])
        part = self.table[self.table["kind"] == kind].drop(columns=["kind", "unit"])
        blank = [name for name in WHO[:-1] if (part[name] == "").all()]
        return part.drop(columns=blank).reset_index(drop=True)

    def binding(self) -> pd.DataFrame:
        """Return what is scarce: prices of limits, targets and places that are not 0.

        The largest first within their kind. Left out is what nothing more would save and nothing
        less would do (``one_less_cny`` infinite alone), and what projects are worth.
        """
        table = self.table[~self.table["kind"].isin(["project", "day"])]
        less = table["one_less_cny"].where(np.isfinite(table["one_less_cny"]), 0.0)
        worth = np.maximum(table["one_more_cny"], less)
        order = table.assign(_=worth, rank=table["kind"].map(list(KINDS).index))
        order = order[worth > CENT].sort_values(["rank", "_"], ascending=[True, False])
        return order.drop(columns=["_", "rank"]).reset_index(drop=True)


CENT = 1e-2
"""RMB below which a price is none."""


def prices(
    model: Model,
    plan: Planned,
    kinds: Iterable[str] | None = None,
    where: Mapping[str, Any] | None = None,
    *,
    intervals: bool = True,
) -> Prices:
    """Price what is scarce in a plan.

    A program of many counties is solved county by county at prices of what they share, and a basis
    of the whole pieced together from theirs (see :mod:`capsim.lp.vertex`).

    Parameters
    ----------
    model : Model
        Of the plan's scenario and demand.
    plan : Plan
    kinds : texts, optional
        Of ``KINDS``; all but ``day`` (a program of its own for each project) where not given.
    where : mapping, optional
        Only members that are so, for example ``{"county": "C01", "year": 2022}``.
    intervals : bool
        Both one-sided prices and the units over which they hold. Otherwise the dual price alone, a
        number between the two, which takes a fraction of the time; ``project``, ``programme`` and
        ``day`` are left out then.

    Returns
    -------
    Prices

    Raises
    ------
    ValueError
        If a kind or column is unknown, or there is no plan.
    SolverError
        If the linear program cannot be solved.
    """
    relaxed = plan.solution is not None
    whole = ("project", "programme", "day")
    left_out = whole if relaxed or not intervals else ("day",)
    asked = [kind for kind in KINDS if kind not in left_out] if kinds is None else list(kinds)
    _refuse_unknown(asked)
    if set(asked) & set(whole) and (relaxed or not intervals):
        what = "in a relaxed plan" if relaxed else "without intervals"
        raise ValueError(f"projects, programmes and days have no price {what}")
    unknown = [name for name in where or {} if name not in WHO]
    if unknown:
        raise ValueError(f"prices have no column {unknown[0]!r}: expected one of {', '.join(WHO)}")
    if plan.status == "infeasible":
        raise ValueError("an infeasible scenario has no plan, and so no prices")
    program, x = _linear(model, plan)
    reliefs = [_only(relief, where) for relief in _reliefs(model, plan, asked)]
    matrix = [relief.matrix for relief in reliefs]
    joined = hstack(matrix, format="csc") if matrix else csc_array((program.matrix.shape[0], 0))
    cost = np.concatenate([np.zeros(0), *(relief.cost for relief in reliefs)])
    apart = model.apart(program)
    basis = None if apart is None else optimal_basis(apart)
    margins = Margins(program, csc_array(joined), cost, basis)
    frames, first = [], 0
    for relief in reliefs:
        at = range(first, first + len(relief.members))
        frames.append(_priced(relief, _both(margins, at) if intervals else _duals(margins, at)))
        first = at.stop
    if set(asked) & set(whole):
        changed = Changed.of(model, program, x, basis)
        mine = partial(_chosen, where=where)
        if "programme" in asked:
            every = project_prices(changed, partial(_chosen, where=None))
            frames += [every, programme_prices(model, x, every)]
        elif "project" in asked:
            frames.append(project_prices(changed, mine))
        if "day" in asked:
            frames.append(day_prices(changed, mine))
    table = pd.concat([_empty(), *frames], ignore_index=True)
    keep = table["kind"].isin(asked).to_numpy(bool) & _chosen(table, where)
    return Prices(table[keep].reset_index(drop=True), program, margins.solution)


def _linear(model: Model, plan: Planned) -> tuple[Program, Array]:
    """Return the linear program behind a plan, and its integers; a relaxed plan's is its own."""
    if plan.solution is not None and plan.solution.x is not None:
        return model.program.relaxed(), plan.solution.x
    x = decided(model, plan.tables)
    return model.program.fixed(x), x


def _reliefs(model: Model, plan: Planned, asked: list[str]) -> Iterator[Relief]:
    """Give the reliefs of the kinds asked for, in the order of ``KINDS``."""
    if "place" in asked:
        yield places(model)
    for relief in limit_reliefs(model, _cap_enrolment(model, plan)):
        if relief.kind in asked:
            yield relief


def _cap_enrolment(model: Model, plan: Planned) -> Array:
    """Enrolment that each row of the cap counts in the plan, ``[row]``."""
    labels = row_members(model, model.program.rows_of("share.cap"))
    shares = plan.tables["shares"].set_index(["county", "school_year"])["enrolment"]
    who = zip(labels["county"].replace("", "*"), labels["year"], strict=True)
    return np.array([shares[key] for key in who], np.float64)


def _both(margins: Margins, at: range) -> list[tuple[Margin, Margin]]:
    return [(margins.along(i, 1.0), margins.along(i, -1.0)) for i in at]


def _duals(margins: Margins, at: range) -> list[tuple[Margin, Margin]]:
    nan = float("nan")
    slopes = margins.dual_slopes()[at.start : at.stop].tolist()
    return [(Margin(slope, nan), Margin(-slope, nan)) for slope in slopes]


def _priced(relief: Relief, pairs: list[tuple[Margin, Margin]]) -> pd.DataFrame:
    """Turn slopes in million RMB per unit of a column into RMB per unit of a kind."""
    factor = MILLION / relief.size
    return relief.members.assign(
        kind=relief.kind,
        unit=relief.unit,
        one_more_cny=[_clean(-more.slope * factor) for more, _ in pairs],
        one_less_cny=[_clean(less.slope * factor) for _, less in pairs],
        more_units=[more.reach * relief.size for more, _ in pairs],
        less_units=[less.reach * relief.size for _, less in pairs],
    )


def _clean(value: float) -> float:
    """Drop the sign of a zero."""
    return value + 0.0


def _only(relief: Relief, where: Mapping[str, Any] | None) -> Relief:
    keep = _chosen(relief.members, where)
    return Relief(
        relief.kind,
        relief.unit,
        relief.members[keep].reset_index(drop=True),
        csc_array(relief.matrix[:, np.flatnonzero(keep)]),
        relief.cost[keep],
        relief.size,
    )


def _chosen(members: pd.DataFrame, where: Mapping[str, Any] | None) -> Flag:
    keep = np.ones(len(members), bool)
    for name, value in (where or {}).items():
        keep &= (members[name] == value).to_numpy(bool)
    return keep


def _empty() -> pd.DataFrame:
    numbers = {name: np.zeros(0) for name in COLUMNS[-4:]}
    text = {name: np.zeros(0, object) for name in COLUMNS[:-5]}
    return pd.DataFrame({**text, "year": np.zeros(0, np.int64), **numbers})[list(COLUMNS)]


def _refuse_unknown(kinds: list[str]) -> None:
    for kind in kinds:
        if kind not in KINDS:
            raise ValueError(f"no prices of kind {kind!r}: expected one of {', '.join(KINDS)}")
