"""Linear expressions over arrays of columns, so that a constraint is written as its equation.

An :class:`Expression` is an array in every cell of which stands ``Σ coefficient · column +
constant``. It is added, scaled by data of a shape that broadcasts with its own, shifted by a year,
cut, and summed over axes or groups, as an array of numbers is. Comparing two of them (or one with
data) makes a :class:`Constraint`, which :meth:`capsim.lp.program.Builder.add` turns into rows, one
for every cell, or for every cell of a mask. A column of -1 is the constant 0: a variable that does
not exist needs no special case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_array, csr_array

from capsim.lp.array_types import Array, Flag, Index
from capsim.lp.labels import Axis, Labels

Data = ArrayLike
"""Numbers that broadcast with an expression."""


class Term(NamedTuple):
    """``coefficient · column``, one entry in every cell, or entries in the cells listed.

    Where ``cell`` is None, ``column`` has the shape of the expression and ``coefficient``
    broadcasts to it. Otherwise all three are arrays ``[entry]`` (``coefficient`` may be one
    number), ``cell`` counting the cells of the flattened expression.
    """

    column: Index
    coefficient: Array | float = 1.0
    cell: Index | None = None


class Rows(NamedTuple):
    """Rows of a constraint: their number, terms ``(row, column, coefficient)``, bounds, labels."""

    size: int
    terms: list[tuple[Index, Index, Array | float]]
    lower: Array | float
    upper: Array | float
    labels: Labels | tuple[()]


@dataclass(frozen=True, eq=False)
class Expression:
    """``Σ coefficient · column + constant`` in every cell of an array.

    Parameters
    ----------
    shape : tuple of int
    terms : tuple of Term
    constant : float or float64, broadcasting to the shape
    axes : tuple of Axis
        The labels of every axis, from which rows take theirs.

    Examples
    --------
    Two schools and three years; the second school has no such variable:

    >>> closed = Expression.of(np.array([[0, 1, 2], [-1, -1, -1]]))
    >>> constraint = closed >= closed.previous()
    >>> constraint.rows(closed.exists).size
    3
    >>> places = np.array([[100.0], [200.0]])
    >>> (places * (1 - closed)).value(np.array([0.0, 1.0, 1.0])).tolist()
    [[100.0, 0.0, 0.0], [200.0, 200.0, 200.0]]
    """

    shape: tuple[int, ...]
    terms: tuple[Term, ...]
    constant: Array | float
    axes: tuple[Axis, ...]
    __array_ufunc__ = None
    """An array on the left of an operator leaves the operation to the expression."""

    @classmethod
    def of(cls, column: Index, axes: Sequence[Axis] = ()) -> Expression:
        """Return the expression of an array of columns, each once; -1 is no column."""
        column = np.asarray(column)
        named = tuple(axes) or (Axis(),) * column.ndim
        return cls(column.shape, (Term(column),), 0.0, named)

    @classmethod
    def of_terms(
        cls, shape: tuple[int, ...], terms: Iterable[Term], axes: Sequence[Axis] = ()
    ) -> Expression:
        """Return the sum of terms."""
        return cls(shape, tuple(terms), 0.0, tuple(axes) or (Axis(),) * len(shape))

    @classmethod
    def of_matrix(cls, matrix: csr_array) -> Expression:
        """Return the rows of a matrix ``[cell, column]``."""
        entries = coo_array(matrix)
        cell, column = (at.astype(np.int64) for at in entries.coords)
        return cls.of_terms((matrix.shape[0],), [Term(column, entries.data, cell)])

    @property
    def exists(self) -> Flag:
        """Flag the cells in which there is a column."""
        out = np.zeros(self.shape, bool)
        for term in self.terms:
            if term.cell is None:
                out |= term.column >= 0
            else:
                out.reshape(-1)[term.cell] = True
        return out

    def __add__(self, other: Expression | Data) -> Expression:
        """Add an expression or data."""
        if not isinstance(other, Expression):
            data = _numbers(other)
            wide = self.broadcast(np.broadcast_shapes(self.shape, np.shape(data)))
            return replace(wide, constant=wide.constant + data)
        shape = np.broadcast_shapes(self.shape, other.shape)
        one, two = self.broadcast(shape), other.broadcast(shape)
        axes = tuple(a if a.texts else b for a, b in zip(one.axes, two.axes, strict=True))
        return Expression(shape, one.terms + two.terms, one.constant + two.constant, axes)

    def __radd__(self, other: Data) -> Expression:
        """Add to data."""
        return self + other

    def __neg__(self) -> Expression:
        """Change every sign."""
        return self * -1.0

    def __sub__(self, other: Expression | Data) -> Expression:
        """Subtract an expression or data."""
        return self + (-other if isinstance(other, Expression) else -_numbers(other))

    def __rsub__(self, other: Data) -> Expression:
        """Subtract from data."""
        return -self + other

    def __mul__(self, factor: Data) -> Expression:
        """Scale by data."""
        data = _numbers(factor)
        wide = self.broadcast(np.broadcast_shapes(self.shape, np.shape(data)))
        if _is(data, 0.0):
            return replace(wide, terms=(), constant=0.0)
        terms = tuple(term._replace(coefficient=wide._scaled(term, data)) for term in wide.terms)
        return replace(wide, terms=terms, constant=wide.constant * data)

    def __rmul__(self, factor: Data) -> Expression:
        """Scale by data."""
        return self * factor

    def __truediv__(self, divisor: Data) -> Expression:
        """Divide by data."""
        return self * (1.0 / np.asarray(divisor, np.float64))

    def __le__(self, other: Expression | Data) -> Constraint:
        """Return the constraint that no cell is above the other side's."""
        return Constraint(self - other, -np.inf, 0.0)

    def __ge__(self, other: Expression | Data) -> Constraint:
        """Return the constraint that no cell is below the other side's."""
        return Constraint(self - other, 0.0, np.inf)

    def __eq__(self, other: object) -> Any:
        """Return the constraint that both sides are equal in every cell."""
        if isinstance(other, Expression):
            return Constraint(self - other, 0.0, 0.0)
        return Constraint(self - np.asarray(other, np.float64), 0.0, 0.0)

    __hash__ = object.__hash__

    def __getitem__(self, key: Any) -> Expression:
        """Cut as an array is cut: by positions, slices, masks and arrays of positions."""
        dense = all(term.cell is None for term in self.terms)
        cells = (np.broadcast_to(0, self.shape) if dense else _numbered(self.shape))[key]
        terms = tuple(
            Term(term.column[key], _over(term.coefficient, self.shape, lambda a: a[key]))
            if term.cell is None
            else _gathered(term, cells, prod(self.shape))
            for term in self.terms
        )
        constant = _over(self.constant, self.shape, lambda a: a[key])
        return Expression(cells.shape, terms, constant, _cut(self.axes, key, cells.ndim))

    def previous(self) -> Expression:
        """Return the value of the year before, along the last axis; 0 in the first year.

        Examples
        --------
        >>> Expression.of(np.array([4, 5, 6])).previous().terms[0].column.tolist()
        [-1, 4, 5]
        """
        years = self.shape[-1]
        terms = tuple(
            Term(_later(term.column, -1), _over(term.coefficient, self.shape, _later))
            if term.cell is None
            else _moved(term, np.where(term.cell % years < years - 1, term.cell + 1, -1))
            for term in self.terms
        )
        constant = self.constant if _is(self.constant, 0.0) else _later(self.constants())
        return replace(self, terms=terms, constant=constant)

    def before(self, years: int) -> Expression:
        """Return the value of so many years before, along the last axis; 0 in the first years."""
        earlier = self
        for _ in range(min(years, self.shape[-1])):
            earlier = earlier.previous()
        return earlier

    def last(self, years: int) -> Expression:
        """Sum the values of so many years up to each, along the last axis.

        Examples
        --------
        >>> Expression.of(np.array([0, 1, 2])).last(2).value(np.array([1.0, 2.0, 4.0])).tolist()
        [1.0, 3.0, 6.0]
        """
        before = total = self
        for _ in range(1, min(years, self.shape[-1])):
            before = before.previous()
            total = total + before
        return total

    def group(
        self,
        into: Index | tuple[Index, ...],
        count: int | tuple[int, ...],
        axes: Sequence[Axis] = (),
        axis: int = 0,
    ) -> Expression:
        """Sum the members of an axis by group.

        Parameters
        ----------
        into : int ``[member]``, or a tuple of them
            Group of each member, -1 for none; of several axes, its position on each.
        count : int, or a tuple of int
            Number of groups, along each of the axes that replace the old one.
        axes : sequence of Axis, optional
            Labels of the groups.
        axis : int
            The axis that is grouped.

        Examples
        --------
        >>> pupils = Expression.of(np.arange(6).reshape(3, 2))
        >>> pupils.group(np.array([0, 0, 1]), 2).value(np.ones(6)).tolist()
        [[2.0, 2.0], [1.0, 1.0]]
        """
        counts = (count,) if isinstance(count, int) else count
        places = (into,) if isinstance(into, np.ndarray) else into
        flat = np.zeros(self.shape[axis], np.int64)
        for place, size in zip(places, counts, strict=True):
            flat = np.where((flat < 0) | (place < 0), -1, flat * size + place)
        front, back = self.shape[:axis], self.shape[axis + 1 :]
        cells = np.arange(prod(front + counts + back)).reshape(*front, prod(counts), *back)
        to = np.take(cells, flat, axis=axis) if cells.size else np.full(self.shape, -1)
        to[(slice(None),) * axis + (flat < 0,)] = -1
        named = tuple(axes) or (Axis(),) * len(counts)
        return self._moved(
            to, front + counts + back, self.axes[:axis] + named + self.axes[axis + 1 :]
        )

    def sum(self, axis: int | tuple[int, ...], where: ArrayLike = True) -> Expression:
        """Sum over an axis or several, of the cells that a mask flags."""
        gone = {a % len(self.shape) for a in ((axis,) if isinstance(axis, int) else axis)}
        kept = [a for a in range(len(self.shape)) if a not in gone]
        shape = tuple(self.shape[a] for a in kept)
        wide = tuple(1 if a in gone else n for a, n in enumerate(self.shape))
        to = np.broadcast_to(np.where(where, np.arange(prod(shape)).reshape(wide), -1), self.shape)
        return self._moved(to, shape, tuple(self.axes[a] for a in kept))

    def total(self) -> Expression:
        """Sum over all cells."""
        return self.sum(tuple(range(len(self.shape))))

    def broadcast(self, shape: tuple[int, ...]) -> Expression:
        """Return the expression repeated along new axes and along axes of one member."""
        if shape == self.shape:
            return self
        new = len(shape) - len(self.shape)
        axes = (Axis(),) * new + tuple(
            axis if now == then else Axis()
            for axis, now, then in zip(self.axes, self.shape, shape[new:], strict=True)
        )
        cells = np.broadcast_to(_numbered(self.shape), shape)
        terms = tuple(
            Term(np.broadcast_to(term.column, shape), term.coefficient)
            if term.cell is None
            else _gathered(term, cells, prod(self.shape))
            for term in self.terms
        )
        return Expression(shape, terms, self.constant, axes)

    def labelled(self, *axes: Axis) -> Expression:
        """Return the expression with other labels."""
        if len(axes) != len(self.shape):
            raise ValueError(f"{len(axes)} axes are named, where there are {len(self.shape)}")
        return replace(self, axes=axes)

    def entries(self) -> tuple[Index, Index, Array]:
        """Return cell, column and coefficient of everything that is added up, ``[entry]``."""
        nothing = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)
        found = [nothing, *(_written_out(term, self.shape) for term in self.terms)]
        cell, column, value = (np.concatenate(part) for part in zip(*found, strict=True))
        return cell, column, value

    def matrix(self, columns: int) -> csr_array:
        """Return the coefficients as a matrix ``[cell, column]``."""
        cell, column, value = self.entries()
        shape = (prod(self.shape), columns)
        return csr_array(coo_array((value, (cell, column)), shape=shape))

    def weights(self, columns: int) -> Array:
        """Return the coefficients ``[column]`` of the sum of all cells."""
        _, column, value = self.entries()
        return np.asarray(np.bincount(column, weights=value, minlength=columns), np.float64)

    def constants(self) -> Array:
        """Return the constant of every cell, in the expression's shape."""
        return np.broadcast_to(np.asarray(self.constant, np.float64), self.shape)

    def value(self, x: Array) -> Array:
        """Return every cell's value at a solution."""
        cell, column, value = self.entries()
        sums = np.bincount(cell, weights=value * x[column], minlength=prod(self.shape))
        return np.asarray(sums.reshape(self.shape) + self.constant)

    def _scaled(self, term: Term, data: Array | float) -> Array | float:
        """Return a term's coefficient times data."""
        if term.cell is not None and isinstance(data, np.ndarray):
            data = np.broadcast_to(data, self.shape).reshape(-1)[term.cell]
        return data if _is(term.coefficient, 1.0) else term.coefficient * data

    def _moved(self, to: Index, shape: tuple[int, ...], axes: tuple[Axis, ...]) -> Expression:
        """Add every cell to another one; ``to``, in the old shape, is -1 where it goes nowhere."""
        terms = tuple(_scattered(term, to) for term in self.terms)
        if _is(self.constant, 0.0):
            return Expression(shape, terms, 0.0, axes)
        kept = to.reshape(-1) >= 0
        each = self.constants().reshape(-1)[kept]
        sums = np.bincount(to.reshape(-1)[kept], weights=each, minlength=prod(shape))
        return Expression(shape, terms, np.asarray(sums, np.float64).reshape(shape), axes)


@dataclass(frozen=True, eq=False)
class Constraint:
    """``lower ≤ left ≤ upper`` in every cell."""

    left: Expression
    lower: float
    upper: float

    def __bool__(self) -> bool:
        """Refuse to be a condition, as in ``0 <= x <= 1``."""
        raise TypeError("a constraint is neither true nor false; write 0 <= x and x <= 1 apart")

    def along(self, *axes: Axis) -> Constraint:
        """Return the constraint with further last axes of one member, to label its rows."""
        left = self.left[(..., *(None for _ in axes))]
        return replace(self, left=left.labelled(*self.left.axes, *axes))

    def rows(self, where: ArrayLike | None = None) -> Rows:
        """Return a row for every cell, or for every cell that a mask flags."""
        e = self.left
        keep = np.broadcast_to(True if where is None else np.asarray(where, bool), e.shape)
        count = int(np.count_nonzero(keep))
        every = count == keep.size

        def cut(a: Array) -> Array:
            return a.reshape(-1) if every else a[keep]

        terms: list[tuple[Index, Index, Array | float]] = []
        row, number = np.arange(count), np.zeros(0, np.int64)
        for term in e.terms:
            if term.cell is None:
                column = term.column.reshape(-1) if every else term.column[keep]
                terms.append((row, column, _over(term.coefficient, e.shape, cut)))
                continue
            if every:
                terms.append((term.cell, term.column, term.coefficient))
                continue
            if not len(number):
                number = np.full(keep.size, -1)
                number[keep.reshape(-1)] = row
            terms.append(_kept(number[term.cell], term.column, term.coefficient))
        constant = _over(e.constant, e.shape, cut)
        named = any(axis.texts for axis in e.axes)
        labels = Labels(keep, e.axes) if named else ()
        return Rows(count, terms, self.lower - constant, self.upper - constant, labels)


def _numbers(data: Data) -> Array | float:
    """Return data as an array, or as one number where it has no axis."""
    out = np.asarray(data, np.float64)
    return out if out.ndim else float(out)


def _is(value: Array | float, number: float) -> bool:
    """Check whether a value is one number for all cells, equal to ``number``."""
    return isinstance(value, float) and value == number


def _numbered(shape: tuple[int, ...]) -> Index:
    """Return the number of every cell of an array."""
    return np.arange(prod(shape)).reshape(shape)


def _over(
    value: Array | float, shape: tuple[int, ...], change: Callable[[Array], Array]
) -> Array | float:
    """Apply a change of cells to numbers that broadcast to a shape; one number stays as it is."""
    return change(np.broadcast_to(value, shape)) if isinstance(value, np.ndarray) else value


def _later(value: Any, first: float = 0.0) -> Any:
    """Shift along the last axis by one, with a value in the first place."""
    out = np.empty_like(value, order="C")
    out[..., :1] = first
    out[..., 1:] = value[..., :-1]
    return out


def _written_out(term: Term, shape: tuple[int, ...]) -> tuple[Index, Index, Array]:
    """Return cell, column and coefficient of a term's entries on columns there are."""
    if term.cell is not None:
        return term.cell, term.column, np.broadcast_to(term.coefficient, term.cell.shape)
    cell = np.flatnonzero(term.column.reshape(-1) >= 0)
    value = np.broadcast_to(term.coefficient, shape).reshape(-1)[cell]
    return cell, term.column.reshape(-1)[cell], value


def _scattered(term: Term, to: Index) -> Term:
    """Move every entry of a term to another cell; -1 leaves it out."""
    if term.cell is not None:
        return _moved(term, to.reshape(-1)[term.cell])
    value = _over(term.coefficient, to.shape, lambda a: a.reshape(-1))
    return _moved(Term(term.column.reshape(-1), value), to.reshape(-1))


def _moved(term: Term, at: Index) -> Term:
    """Return the entries of a term at cells ``[entry]``; -1 leaves one out."""
    cell, column, value = _kept(at, term.column, term.coefficient)
    return Term(column, value, cell)


def _kept(at: Index, column: Index, value: Array | float) -> tuple[Index, Index, Array | float]:
    """Drop entries in no cell and on no column."""
    keep = (at >= 0) & (column >= 0)
    if keep.all():
        return at, column, value
    return at[keep], column[keep], value[keep] if isinstance(value, np.ndarray) else value


def _gathered(term: Term, cells: Index, size: int) -> Term:
    """Return a term with listed cells in an array that shows some of ``size``, maybe repeatedly."""
    assert term.cell is not None
    shown, new = cells.reshape(-1), np.arange(cells.size)
    place = np.full(size, -1)
    place[shown] = new
    if np.array_equal(place[shown], new):
        return _moved(term, place[term.cell])
    order = np.argsort(term.cell, kind="stable")
    in_order = term.cell[order]
    first = np.searchsorted(in_order, shown, "left")
    count = np.searchsorted(in_order, shown, "right") - first
    new = np.repeat(new, count)
    position = np.arange(len(new)) - np.repeat(np.cumsum(count) - count - first, count)
    entry = order[position]
    value = term.coefficient
    return Term(term.column[entry], value[entry] if isinstance(value, np.ndarray) else value, new)


def _cut(axes: tuple[Axis, ...], key: Any, ndim: int) -> tuple[Axis, ...]:
    """Return the labels that are left after a cut; none where several arrays of positions meet."""
    keys = key if isinstance(key, tuple) else (key,)
    if Ellipsis in [k for k in keys if not isinstance(k, np.ndarray)]:
        at = next(i for i, k in enumerate(keys) if k is Ellipsis)
        used = sum(k is not None for k in keys) - 1
        keys = keys[:at] + (slice(None),) * (len(axes) - used) + keys[at + 1 :]
    out: list[Axis] = []
    left = iter(axes)
    for k in keys:
        if k is None:
            out.append(Axis())
        elif isinstance(k, slice):
            out.append(next(left).take(k))
        elif np.ndim(k) == 0:
            next(left)
        elif np.ndim(k) == 1:
            out.append(next(left).take(np.asarray(k)))
        else:
            return (Axis(),) * ndim
    out += left
    return tuple(out) if len(out) == ndim else (Axis(),) * ndim
