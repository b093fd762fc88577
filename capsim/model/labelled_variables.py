"""Quantities of the plan by label, for rules of one's own.

A :class:`Quantity` is a variable of the model, or a sum of some, with the labels of its axes:
purchased places by school and year, projects in use by project and year. It is cut and added up by
those labels and compared as in an equation. Other quantities and pandas data are matched by label,
never by position, unless a side was cut by position (``[1:]``, ``[:-1]``): then both sides must be
of one shape. :meth:`capsim.Model.add` turns the comparison into rows; see ``docs/own-rules.md``.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from capsim.lp.array_types import Array, Flag, Index, Text
from capsim.lp.expressions import Constraint, Expression, Term
from capsim.lp.labels import Axis, Texts
from capsim.model.constraint_context import Formulation
from capsim.model.costs import COST_KINDS, MILLION
from capsim.scenario.faults import nearest

TIMES = ("year", "date")
"""Labels of axes of time, which are cut by position and stand last."""

Other = Any
"""A quantity, a number, an array of the same shape, or pandas data by label."""


@dataclass(frozen=True, eq=False)
class Quantity:
    """``Σ coefficient · variable + constant`` for every combination of labels.

    Attributes
    ----------
    expression : Expression
        With the labels of its axes.
    cut : bool
        Whether years were cut by position, so that it is matched by position.
    scenario : str
        Hash of the scenario whose model has these variables.
    """

    expression: Expression
    cut: bool = False
    scenario: str = ""
    __array_ufunc__ = None
    __pandas_priority__ = 5000
    """Arrays and pandas data on the left of an operator leave the operation to the quantity."""

    @property
    def index(self) -> pd.MultiIndex:
        """Labels of every member, in order."""
        return _index(self.expression.axes, self.expression.shape)

    def labels(self, name: str) -> list[Any]:
        """Return the labels of an axis' members, in order."""
        return list(self.expression.axes[self._axis(name)].text(name))

    def value(self, x: Array) -> pd.Series:
        """Return every member's value at columns ``x`` (``plan.x``), by label."""
        return pd.Series(self.expression.value(x).ravel(), self.index)

    def at(self, **labels: Any) -> Quantity:
        """Return the members that have these labels; each is one label or several.

        A label that leaves a single member of its axis drops the axis.

        Raises
        ------
        ValueError
            If an axis has no such label, or nothing has it.
        """
        found = self.expression
        by_axis: dict[int, dict[str, Any]] = {}
        for name, wanted in labels.items():
            by_axis.setdefault(self._axis(name), {})[name] = wanted
        for at in sorted(by_axis, reverse=True):
            axis, keep = found.axes[at], np.ones(found.shape[at], bool)
            single = True
            for name, wanted in by_axis[at].items():
                one = isinstance(wanted, str) or not isinstance(wanted, Iterable)
                single = single and one
                keep &= _among(axis.text(name), [wanted] if one else list(wanted), name)
            members = np.flatnonzero(keep)
            if not len(members):
                raise ValueError(f"nothing is {_phrase(by_axis[at])} at once")
            key = (slice(None),) * at
            found = found[(*key, int(members[0]) if single and len(members) == 1 else members)]
        return replace(self, expression=found)

    def total(self, *names: str) -> Quantity:
        """Return the sum over the axes that have these labels; over all without a name."""
        axes = {self._axis(name) for name in names} if names else range(len(self.expression.shape))
        return replace(self, expression=self.expression.sum(tuple(sorted(axes))))

    def by(self, label: str | pd.Series | pd.DataFrame | ArrayLike) -> Quantity:
        """Return sums by a label of an axis, or by labels given for every member.

        Parameters
        ----------
        label : str, or labels
            ``"county"``; or labels by member: pandas data by label, whose axes the groups replace,
            or an array of the quantity's shape. Members whose label is missing are left out.
        """
        if isinstance(label, str):
            at = self._axis(label)
            axis = self.expression.axes[at]
            names, of = _codes(axis.text(label))
            grouped = Axis((Texts(label, names),))
            into = self.expression.group(of, len(names), (grouped,), axis=at)
            return replace(self, expression=into)
        label, shape, axes = _series(label), self.expression.shape, self.expression.axes
        names, of = _codes(np.broadcast_to(_data(label, self.expression, object), shape).ravel())
        what = "group" if not isinstance(label, pd.Series) else str(label.name or "group")
        of_one = label.index.names if isinstance(label, pd.Series) else ()
        gone = {self._axis(str(name)) for name in of_one} or set(range(len(shape)))
        kept = [at for at in range(len(shape)) if at not in gone]
        where = np.unravel_index(np.arange(of.size), shape)
        flat = _rearranged(self.expression, np.arange(of.size), (Axis(),))
        into = flat.group(
            (of, *(where[at] for at in kept)),
            (len(names), *(shape[at] for at in kept)),
            (Axis((Texts(what, names),)), *(axes[at] for at in kept)),
        )
        return replace(self, expression=into)

    def previous(self, first: Other) -> Quantity:
        """Return the value of the year before; in the first year ``first``, a number or data.

        Raises
        ------
        ValueError
            If years or check dates are left out in between: choose some of them afterwards.
        """
        axis = self.expression.axes[self._time()]
        for text in axis.texts:
            if text.what == "year" and (np.diff(text.each().astype(np.int64)) != 1).any():
                raise ValueError("years are left out here: take .previous() before .at(year=...)")
            if text.what == "date" and text.of is not None and (np.diff(text.of) != 1).any():
                raise ValueError("dates are left out here: take .previous() before .at(date=...)")
        at_first = np.zeros(self.expression.shape[-1])
        at_first[:1] = 1.0
        before = self.expression.previous()
        return replace(self, expression=before + _data(first, self.expression) * at_first)

    def __getitem__(self, years: slice | int) -> Quantity:
        """Cut the years by position, as in ``q[1:] <= q[:-1]``."""
        self._time()
        if not isinstance(years, slice):
            raise TypeError("cut with a slice, such as [1:]; one year is chosen by .at(year=2024)")
        return replace(self, expression=self.expression[..., years], cut=True)

    def __add__(self, other: Other) -> Quantity:
        """Add a quantity or data, by label."""
        left, right, cut = self._matched(other)
        return replace(self, expression=left + right, cut=cut)

    __radd__ = __add__

    def __neg__(self) -> Quantity:
        """Change every sign."""
        return replace(self, expression=-self.expression)

    def __sub__(self, other: Other) -> Quantity:
        """Subtract a quantity or data, by label."""
        left, right, cut = self._matched(other)
        return replace(self, expression=left - right, cut=cut)

    def __rsub__(self, other: Other) -> Quantity:
        """Subtract from data."""
        return (-self).__add__(other)

    def __mul__(self, factor: Other) -> Quantity:
        """Scale by data, by label."""
        if isinstance(factor, Quantity):
            if factor.expression.terms and self.expression.terms:
                raise TypeError("a product of two variables is not linear")
            left, right, cut = self._matched(factor)
            moved, data = (left, right) if left.terms else (right, left)
            axes = (a if a.texts else b for a, b in zip(left.axes, right.axes, strict=True))
            product = (moved * data.constants()).labelled(*axes)
            return replace(self, expression=product, cut=cut)
        return replace(self, expression=self.expression * _data(factor, self.expression))

    __rmul__ = __mul__

    def __truediv__(self, divisor: Other) -> Quantity:
        """Divide by data, by label."""
        if isinstance(divisor, Quantity):
            raise TypeError("divide by data only: multiply the other side of the rule instead")
        if np.any(_data(divisor, self.expression) == 0.0):
            raise ValueError("a quantity is divided by 0")
        return replace(self, expression=self.expression / _data(divisor, self.expression))

    def __le__(self, other: Other) -> Constraint:
        """Return the rule that no member is above the other side's."""
        return self.__sub__(other)._rule(-np.inf, 0.0)

    def __ge__(self, other: Other) -> Constraint:
        """Return the rule that no member is below the other side's."""
        return self.__sub__(other)._rule(0.0, np.inf)

    def __eq__(self, other: object) -> Any:
        """Return the rule that both sides are equal."""
        return self.__sub__(other)._rule(0.0, 0.0)

    __hash__ = object.__hash__

    def _rule(self, lower: float, upper: float) -> Comparison:
        return Comparison(self.expression, lower, upper, self.scenario)

    def _matched(self, other: Other) -> tuple[Expression, Expression, bool]:
        if not isinstance(other, Quantity):
            data = np.broadcast_to(_data(other, self.expression), self.expression.shape)
            axes = self.expression.axes
            return self.expression, Expression(data.shape, (), data, axes), self.cut
        if self.scenario != other.scenario:
            raise ValueError("the two quantities are of models of different scenarios")
        cut = self.cut or other.cut
        return (*_aligned(self.expression, other.expression, by_position=cut), cut)

    def _axis(self, name: str) -> int:
        return _axis_of(self.expression, name)

    def _time(self) -> int:
        axes = self.expression.axes
        if not axes or not {text.what for text in axes[-1].texts} & set(TIMES):
            raise ValueError(f"there are no years here: labels are {_known(self.expression)}")
        return len(axes) - 1


@dataclass(frozen=True)
class Comparison(Constraint):
    """A comparison of quantities, and the hash of the scenario that they are of."""

    scenario: str = ""


def _known(expression: Expression) -> str:
    names = [text.what for axis in expression.axes for text in axis.texts]
    return ", ".join(names) or "none"


def _phrase(labels: dict[str, Any]) -> str:
    return " and ".join(f"{name} {value!r}" for name, value in labels.items())


def _axis_of(expression: Expression, name: str) -> int:
    for at, axis in enumerate(expression.axes):
        if any(text.what == name for text in axis.texts):
            return at
    raise ValueError(f"no label {name!r} here: expected one of {_known(expression)}")


def _among(texts: Any, wanted: Sequence[Any], name: str) -> Any:
    """Flag the members that have one of the labels; every label must be there."""
    known = pd.Index(texts)
    lacking = [one for one in wanted if not isinstance(one, Hashable) or one not in known]
    if lacking:
        near = nearest(str(lacking[0]), [str(one) for one in known.unique()])
        what = f"{lacking[0]!r} of type {type(lacking[0]).__name__}"
        what = what if str(lacking[0]) in [str(one) for one in known] else repr(lacking[0])
        raise ValueError(f"there is no {name} {what}: expected {near}")
    return known.isin(wanted)


def _codes(texts: Any) -> tuple[Any, Index]:
    """Return the labels there are, in order of appearance, and which each member has."""
    of, names = pd.factorize(np.asarray(texts, object), use_na_sentinel=True)
    return np.asarray(names, object), of.astype(np.int64)


def _index(axes: Sequence[Axis], shape: tuple[int, ...]) -> pd.MultiIndex:
    """Return the labels of every cell, those that are shown."""
    levels, names = [], []
    where = np.unravel_index(np.arange(prod(shape)), shape) if shape else ()
    for at, axis in enumerate(axes):
        for text in axis.texts:
            if text.shown:
                levels.append(np.asarray(text.each(), object)[where[at]])
                names.append(text.what)
    if not levels:
        levels, names = [np.arange(prod(shape))], [""]
    return pd.MultiIndex.from_arrays(levels, names=names)


def _data(other: Any, partner: Expression, kind: Any = np.float64) -> Any:
    """Return data as an array that broadcasts with a quantity; pandas data by their labels.

    Numbers must be finite, and flags true or false.
    """
    other = _series(other)
    if isinstance(other, pd.Series):
        return _by_label(other, partner, kind)
    array = _checked(other, kind)
    pairs = zip(array.shape, partner.shape, strict=False)
    if array.ndim and (array.ndim != len(partner.shape) or any(n not in (1, m) for n, m in pairs)):
        raise ValueError(
            f"data of shape {array.shape} beside a quantity of shape {partner.shape}: "
            "give a Series by label"
        )
    return array if array.ndim else array.item()


def _series(other: Any) -> Any:
    """Return a frame and a labelled array of xarray as a series by label, other data as it is."""
    if isinstance(other, pd.DataFrame):
        if other.columns.name is None or None in other.index.names:
            raise ValueError("name the index and the columns of a frame by the labels they are of")
        long = other.melt(ignore_index=False, value_name="value")
        return long.set_index(other.columns.name, append=True)["value"].rename(None)
    return other.to_series() if hasattr(other, "to_series") else other


def _checked(data: Any, kind: Any) -> Any:
    """Return data as an array of a kind; flags are booleans already, and numbers are finite."""
    array = np.asarray(data)
    if kind is bool and array.dtype != bool:
        raise ValueError(f"flags must be true or false, not {array.dtype}")
    array = array.astype(kind)
    if kind is np.float64 and not np.isfinite(array).all():
        raise ValueError("a number of the rule is missing (NaN) or infinite")
    return array


def _by_label(series: pd.Series, partner: Expression, kind: Any) -> Any:
    names = [str(name) for name in series.index.names if name is not None]
    if len(names) < series.index.nlevels:
        raise ValueError(f"name the index of a series by what it is of: {_known(partner)}")
    if series.index.has_duplicates:
        twice = series.index[series.index.duplicated()][0]
        raise ValueError(f"two values for {' and '.join(names)} {twice}")
    used = sorted({_axis_of(partner, str(name)) for name in names})
    shape = tuple(n if at in used else 1 for at, n in enumerate(partner.shape))
    where = np.unravel_index(np.arange(prod(shape)), shape)
    keys = [
        np.asarray(partner.axes[at].text(str(name)), object)[where[at]]
        for name in names
        for at in [_axis_of(partner, str(name))]
    ]
    wanted = keys[0] if len(keys) == 1 else pd.MultiIndex.from_arrays(keys, names=names)
    place = series.index.get_indexer(pd.Index(wanted))
    values = series.to_numpy(np.float64) if kind is np.float64 else series.to_numpy()
    lacking = (place < 0) | (pd.isna(values)[place] if kind is np.float64 else False)
    if lacking.any():
        first = int(np.flatnonzero(lacking)[0])
        one = ", ".join(f"{name} {key[first]!r}" for name, key in zip(names, keys, strict=True))
        others = len(np.unique(pd.Index(wanted)[lacking])) - 1
        raise ValueError(f"no value for {one}" + (f", nor for {others} others" if others else ""))
    return _checked(values[place], kind).reshape(shape)


def _aligned(
    left: Expression, right: Expression, *, by_position: bool
) -> tuple[Expression, Expression]:
    """Bring two quantities to the same axes, each matched with that of the other by its labels."""
    if by_position:
        if left.shape != right.shape:
            raise ValueError(f"cut by position, {left.shape} stands beside {right.shape}")
        for mine, other in zip(left.axes, right.axes, strict=True):
            if not _shown(mine) & set(TIMES) and _texts(mine) != _texts(other):
                raise ValueError("only years are cut by position: other labels must be the same")
        return left, right
    one = _Keyed(left, [f"left {i}" for i in range(len(left.shape))])
    two = _Keyed(right, [f"right {j}" for j in range(len(right.shape))])
    for key, axis in zip(one.keys, left.axes, strict=True):
        two = two.onto(axis, key, [at for at in two.keys if at not in one.keys])
    for key, axis in zip(two.keys, two.expression.axes, strict=True):
        if key not in one.keys:
            one = one.onto(axis, key, [at for at in one.keys if at not in two.keys])
    axes = dict(zip(two.keys, two.expression.axes, strict=True))
    axes |= dict(zip(one.keys, one.expression.axes, strict=True))
    keys = [*one.keys, *(key for key in two.keys if key not in one.keys)]
    keys.sort(key=lambda key: bool({text.what for text in axes[key].texts} & set(TIMES)))
    return one.spread(keys), two.spread(keys)


class _Keyed(NamedTuple):
    """An expression whose axes have keys, by which those of two expressions are the same."""

    expression: Expression
    keys: list[str]

    def onto(self, axis: Axis, key: str, free: Sequence[str]) -> _Keyed:
        """Repeat the members of free axes for those of an axis that has all their labels."""
        known = {text.what for text in axis.texts}
        axes = dict(zip(self.keys, self.expression.axes, strict=True))
        mine = [at for at in free if _shown(axes[at]) and _shown(axes[at]) <= known]
        if not mine:
            return self
        rest = [at for at in self.keys if at not in mine]
        ordered = self.spread([*rest, *mine])
        places = tuple(_places(axes[at], axis) for at in mine)
        found = ordered[(*(slice(None),) * len(rest), *places)]
        return _Keyed(found.labelled(*(axes[at] for at in rest), axis), [*rest, key])

    def spread(self, keys: Sequence[str]) -> Expression:
        """Arrange the axes in an order of keys, with axes of one member for missing keys."""
        order = [self.keys.index(key) for key in keys if key in self.keys]
        shape = self.expression.shape
        cells = np.arange(prod(shape)).reshape(shape).transpose(order)
        axes = tuple(self.expression.axes[at] for at in order)
        found = _rearranged(self.expression, cells, axes)
        return found[tuple(slice(None) if key in self.keys else None for key in keys)]


def _shown(axis: Axis) -> set[str]:
    return {text.what for text in axis.texts if text.shown}


def _texts(axis: Axis) -> list[tuple[str, list[Any]]]:
    return [(text.what, text.each().tolist()) for text in axis.texts if text.shown]


def _places(coarse: Axis, fine: Axis) -> Index:
    """Return which member of an axis each member of another one belongs to, by their labels."""
    names = sorted(_shown(coarse))
    own = pd.MultiIndex.from_arrays([coarse.text(name) for name in names])
    wanted = pd.MultiIndex.from_arrays([fine.text(name) for name in names])
    if own.has_duplicates and not own.equals(wanted):
        raise ValueError(f"{' and '.join(names)} name more than one member: total them first")
    place = np.arange(len(own)) if own.equals(wanted) else own.get_indexer(wanted)
    left_over = own.difference(wanted) if _shown(fine) == set(names) else own[:0]
    if (place < 0).any() or len(left_over):
        lacking = (wanted[place < 0] if (place < 0).any() else left_over)[0]
        what = ", ".join(f"{n} {v!r}" for n, v in zip(names, lacking, strict=True))
        raise ValueError(f"one side has {what} and the other has not: choose with .at(...)")
    return np.asarray(place, np.int64)


def _rearranged(expression: Expression, cells: Index, axes: tuple[Axis, ...]) -> Expression:
    """Return an expression in another shape, ``cells`` saying which cell stands in each place."""
    if cells.shape == expression.shape and (cells.ravel() == np.arange(cells.size)).all():
        return expression.labelled(*axes)
    place = np.empty(cells.size, np.int64)
    place[cells.ravel()] = np.arange(cells.size)
    cell, column, value = expression.entries()
    constants = expression.constants().ravel()[cells]
    return Expression(cells.shape, (Term(column, value, place[cell]),), constants, axes)


class Quantities:
    """The variables of a model by label, sums of them, and data beside them.

    Variables have the names of ``docs/model.md`` (``x.pupils``, ``x.purchased``, ``x.converted``,
    ``x.closed``, ``x.flow``, ``x.hired`` …), sums those of its equations (``x.enrolled``,
    ``x.public_pupils``, ``x.seats``); ``x.open`` counts copies of projects in use on 1 September,
    ``x.open_at`` on every check date.

    Labels that choose and group without standing in names of rows: ``area`` and ``county`` of
    schools, ``sector`` of schools; ``county``, ``area``, ``stage``, ``school`` and ``kind`` of
    projects; ``school`` of flows.
    """

    def __init__(self, parts: Formulation) -> None:
        self._parts = parts

    def __getattr__(self, name: str) -> Quantity:
        if name.startswith("_"):
            raise AttributeError(f"no quantity {name!r}")
        found = getattr(self._parts.x, name, None)
        if not isinstance(found, Expression):
            known = sorted({*self._parts.columns.axes, *SUMS, *DATA})
            raise AttributeError(f"no quantity {name!r}: expected {nearest(name, known)}")
        return self.labelled(found)

    def __dir__(self) -> list[str]:
        return sorted({*self._parts.columns.axes, *SUMS, *DATA, "cost"})

    @property
    def starts(self) -> Quantity:
        """Copies of projects that come into use on 1 September of a year."""
        return self.open - self.open.previous(0.0)

    @property
    def children(self) -> Quantity:
        """Children to be placed, by area and grades: data."""
        axis = self._parts.axis
        return self._data(self._parts.given.space.bands.children, axis.area, axis.band, axis.year)

    @property
    def places(self) -> Quantity:
        """Places of schools as they are: data."""
        return self._data(self._parts.given.providers.places, self._parts.axis.provider)

    @property
    def new_places(self) -> Quantity:
        """Places that one copy of a project adds: data."""
        return self._of_projects(self._parts.given.projects.row_new_places)

    @property
    def capital_cny(self) -> Quantity:
        """Capital cost of one copy of a project, RMB: data."""
        return self._of_projects(self._parts.given.projects.row_capital)

    def cost(self, kind: str) -> Quantity:
        """Return what decisions add to the cost of a kind, RMB by county and year, undiscounted.

        Raises
        ------
        ValueError
            If there is no such kind of cost.
        """
        if kind not in COST_KINDS:
            raise ValueError(f"no cost of kind {kind!r}: expected {nearest(kind, COST_KINDS)}")
        ledger, axis, space = self._parts.ledger, self._parts.axis, self._parts.given.space
        years, counties = len(space.years), len(space.counties)
        keep = (ledger.kind == COST_KINDS.index(kind)) & (ledger.year >= 0) & (ledger.column >= 0)
        keep &= ledger.year < years
        cell = ledger.county[keep] * years + ledger.year[keep]
        term = Term(ledger.column[keep], MILLION * ledger.amount[keep], cell)
        fixed = MILLION * ledger.fixed[COST_KINDS.index(kind), :, :years]
        cost = Expression((counties, years), (term,), fixed, (axis.county, axis.year))
        return self.labelled(cost)

    def _of_projects(self, amount: Array) -> Quantity:
        projects = self._parts.given.projects
        each = np.bincount(projects.row_project, amount, len(projects.project))
        return self._data(each.astype(np.float64), self._parts.axis.project)

    def _data(self, values: Array, *axes: Axis) -> Quantity:
        return self.labelled(Expression(values.shape, (), np.asarray(values, np.float64), axes))

    def labelled(self, expression: Expression) -> Quantity:
        """Return an expression with the labels by which its members are chosen and grouped."""
        axes = [self._with_attributes(axis) for axis in expression.axes]
        scenario = self._parts.given.scenario.hash
        return Quantity(expression.labelled(*axes), scenario=scenario)

    def _with_attributes(self, axis: Axis) -> Axis:
        """Add the labels that schools, projects and flows are chosen and grouped by."""
        names, given = {text.what for text in axis.texts}, self._parts.given
        if "to" in names:
            return axis + Axis.of(school=axis.text("to")).hidden()
        if "project" in names and "school" not in names:
            return axis + self._of_project(axis.text("project"))
        if "school" in names and "stage" in names and "sector" not in names:
            sector = np.where(given.providers.public, "public", "private").astype(object)
            stage = self._parts.stage_names[given.providers.stage]
            own = pd.MultiIndex.from_arrays([given.providers.school, stage])
            place = own.get_indexer(
                pd.MultiIndex.from_arrays([axis.text("school"), axis.text("stage")])
            )
            return axis + Axis.of(sector=sector[place]).hidden()
        return axis

    def _of_project(self, project: Text) -> Axis:
        """Return kind, area, stage and school of the first row of each project."""
        given = self._parts.given
        projects, space, providers = given.projects, given.space, given.providers
        first = np.zeros(len(projects.project), np.int64)
        first[projects.row_project[::-1]] = np.arange(len(projects.row_project))[::-1]
        row = first[pd.Index(projects.project).get_indexer(pd.Index(project))]
        table = given.scenario.table("projects").drop_duplicates("project").set_index("project")
        school = np.append(providers.school, "")[projects.row_provider[row]]
        return Axis.of(
            kind=table["kind"].reindex(project).to_numpy(object),
            area=space.areas[projects.row_area[row]],
            stage=self._parts.stage_names[projects.row_stage[row]],
            school=school,
        ).hidden()


SUMS = (
    *("open", "open_at", "converted_at", "converted_december", "enrolled"),
    *("public_pupils", "new_seats", "places_given_up", "seats", "intake", "starts"),
)
DATA = ("children", "places", "new_places", "capital_cny")


def axes_of(parts: Formulation, names: Sequence[str]) -> tuple[tuple[Axis, ...], tuple[int, ...]]:
    """Return the axes of what there is one for each of, and their lengths.

    Raises
    ------
    ValueError
        If there is no such axis.
    """
    known = {
        "area": "area",
        "county": "county",
        "school": "provider",
        "project": "project",
        "stage": "stage",
        "date": "date",
        "year": "year",
    }
    for name in names:
        if name not in known:
            raise ValueError(f"no axis {name!r}: expected {nearest(name, known)}")
    if len(set(names)) < len(names):
        raise ValueError(f"an axis is named twice: {', '.join(names)}")
    axes = tuple(getattr(parts.axis, known[name]) for name in names)
    return axes, tuple(len(axis.texts[0].each()) for axis in axes)


def rows_with_variables(
    name: str, rule: Constraint, where: ArrayLike | pd.Series | None = None
) -> Flag:
    """Flag the members of a rule that need a row: those wanted in which a variable stands.

    Raises
    ------
    ValueError
        If a wanted member has no variable and breaks the rule.
    """
    if not isinstance(rule, Constraint):
        raise TypeError(f"{name}: expected a comparison such as q <= 3, not {type(rule).__name__}")
    left = rule.left
    wanted = np.broadcast_to(True if where is None else _data(where, left, bool), left.shape)
    constants = left.constants()
    broken = wanted & ~left.exists & ((constants < rule.lower) | (constants > rule.upper))
    if broken.any():
        one = _index(left.axes, left.shape)[int(np.flatnonzero(broken.ravel())[0])]
        what = ", ".join(str(label) for label in one)
        raise ValueError(f"{name}: {what} has no variable, and the rule does not hold there")
    return np.asarray(wanted & left.exists)
