"""Collect blocks of variables and constraints, and freeze them into one sparse program.

A column index of ``-1`` stands for the constant zero: a term on it vanishes. A family can
therefore name "last year's conversion" in the first year, or of a variable that a school
does not have, without a special case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import coo_array, csc_array, csr_array, vstack

from capsim.lp.array_types import Array, Flag, Index, Text
from capsim.lp.expressions import Constraint
from capsim.lp.labels import Labels

Term = tuple[ArrayLike, ArrayLike, ArrayLike]
Short = NDArray[np.int32]
"""Indices as solvers hold them."""
Numbers = Array | float
"""Of the members of a block, or the one that stands for all."""


@dataclass(frozen=True)
class Block:
    """A named run of columns or rows: where it starts, how many, and what labels each."""

    name: str
    start: int
    count: int
    labels: Sequence[Text] = ()

    def names(self) -> list[str]:
        """Name every member, for example ``pupils[S1,3,2022]``.

        Examples
        --------
        >>> Block("hired", 0, 2, (np.array(["C1", "C2"], object),)).names()
        ['hired[C1]', 'hired[C2]']
        """
        if not self.labels:
            return (
                [self.name] if self.count == 1 else [f"{self.name}[{i}]" for i in range(self.count)]
            )
        rows = zip(*(column.tolist() for column in self.labels), strict=True)
        return [f"{self.name}[{','.join(str(part) for part in row)}]" for row in rows]


@dataclass(frozen=True)
class LinearProgram:
    """Minimise ``cost · x + offset``, ``row_lower ≤ A x ≤ row_upper`` and ``lower ≤ x ≤ upper``.

    Attributes
    ----------
    cost, lower, upper : float64 ``[column]``
    integer : bool ``[column]``
    matrix : sparse, compressed by column, ``[row, column]``
    row_lower, row_upper : float64 ``[row]``
    offset : float
    columns, rows : the blocks, in order
    """

    cost: Array
    lower: Array
    upper: Array
    integer: Flag
    matrix: csc_array
    row_lower: Array
    row_upper: Array
    offset: float = 0.0
    columns: tuple[Block, ...] = ()
    rows: tuple[Block, ...] = ()

    def column_names(self) -> list[str]:
        """List every column's readable name, in order."""
        return [name for block in self.columns for name in block.names()]

    def row_names(self) -> list[str]:
        """List every row's readable name, in order."""
        return [name for block in self.rows for name in block.names()]

    def rows_of(self, name: str) -> Index:
        """Find the rows of all blocks called ``name`` (or ``name.something``)."""
        hits = [b for b in self.rows if b.name == name or b.name.startswith(name + ".")]
        parts = [np.arange(b.start, b.start + b.count) for b in hits]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def with_constraint(
        self,
        name: str,
        constraint: Constraint,
        where: ArrayLike | None = None,
        *,
        labels: Sequence[ArrayLike] | None = None,
    ) -> LinearProgram:
        """Return the program with the rows of a constraint at its end; see :meth:`Builder.add`.

        Examples
        --------
        >>> from capsim.lp.expressions import Expression
        >>> m = Builder()
        >>> x = Expression.of(m.variables("x", 2, upper=4.0))
        >>> p = m.freeze().with_constraint("least", x.total() >= 5)
        >>> p.matrix.toarray().tolist(), p.row_lower.tolist()
        ([[1.0, 1.0]], [5.0])
        """
        m = Builder(column_count=len(self.cost))
        m.add(name, constraint, where, labels=labels)
        if not m.rows:
            return self
        more = m.freeze(cost=self.cost)
        return self.with_rows(
            name,
            csr_array(more.matrix),
            lower=more.row_lower,
            upper=more.row_upper,
            labels=m.rows[0].labels,
        )

    def with_rows(
        self,
        name: str,
        rows: csr_array,
        *,
        lower: ArrayLike = -np.inf,
        upper: ArrayLike = np.inf,
        labels: Sequence[ArrayLike] = (),
    ) -> LinearProgram:
        """Return the program with a block of rows at its end, given as a matrix.

        ``rows`` may stop short of the last columns, on which it then has no coefficient.
        """
        count, start = rows.shape[0], len(self.row_lower)
        shape = (count, len(self.cost))
        wide = csr_array((rows.data, rows.indices, rows.indptr), shape=shape)
        return replace(
            self,
            matrix=csc_array(vstack([self.matrix, wide], format="csc")),
            row_lower=np.concatenate([self.row_lower, _full(lower, count)]),
            row_upper=np.concatenate([self.row_upper, _full(upper, count)]),
            rows=(*self.rows, Block(name, start, count, _labels(labels, count))),
        )

    def with_columns(
        self,
        name: str,
        count: int,
        *,
        lower: ArrayLike = 0.0,
        upper: ArrayLike = np.inf,
        cost: ArrayLike = 0.0,
        integer: bool = False,
        labels: Sequence[ArrayLike] = (),
    ) -> tuple[LinearProgram, Index]:
        """Return the program with columns that no row knows yet at its end, and their indices."""
        start = len(self.cost)
        indptr = np.concatenate([self.matrix.indptr, np.full(count, self.matrix.indptr[-1])])
        shape = (len(self.row_lower), start + count)
        wide = replace(
            self,
            cost=np.concatenate([self.cost, _full(cost, count)]),
            lower=np.concatenate([self.lower, _full(lower, count)]),
            upper=np.concatenate([self.upper, _full(upper, count)]),
            integer=np.concatenate([self.integer, np.full(count, integer)]),
            matrix=csc_array((self.matrix.data, self.matrix.indices, indptr), shape=shape),
            columns=(*self.columns, Block(name, start, count, _labels(labels, count))),
        )
        return wide, np.arange(start, start + count)

    def without_offset(self) -> LinearProgram:
        """Return the program with its offset as the cost of a last column, fixed at 1.

        For solvers that know no constant and would measure their gap on the rest of the cost.

        Examples
        --------
        >>> m = Builder()
        >>> x = m.variables("x", 1, cost=3.0)
        >>> p = m.freeze(offset=-2.0).without_offset()
        >>> p.cost.tolist(), p.lower.tolist(), p.upper.tolist(), p.offset
        ([3.0, -2.0], [0.0, 1.0], [inf, 1.0], 0.0)
        """
        wide, _ = self.with_columns("offset", 1, lower=1.0, upper=1.0, cost=self.offset)
        return replace(wide, offset=0.0)

    def relaxed(self) -> LinearProgram:
        """Return the same program without integrality."""
        return replace(self, integer=np.zeros_like(self.integer))

    def objective(self, x: Array) -> float:
        """Return the objective at ``x``, offset included."""
        return float(self.cost @ x + self.offset)

    def rounded(self, x: Array) -> Array:
        """Return ``x`` with its integer columns rounded to whole numbers."""
        return np.where(self.integer, np.round(x), x)

    def fixed(self, x: Array) -> LinearProgram:
        """Return the linear program whose integer columns are fixed at ``x``, rounded."""
        value = np.round(x)
        return replace(
            self,
            lower=np.where(self.integer, value, self.lower),
            upper=np.where(self.integer, value, self.upper),
            integer=np.zeros_like(self.integer),
        )


@dataclass
class Builder:
    """Grow a program block by block.

    Examples
    --------
    >>> m = Builder()
    >>> x = m.variables("x", 2, cost=[1.0, 2.0], upper=4.0)
    >>> m.constrain("demand", 1, [(0, x, 1.0)], lower=5.0)
    >>> p = m.freeze()
    >>> p.matrix.toarray().tolist(), p.row_lower.tolist()
    ([[1.0, 1.0]], [5.0])
    """

    columns: list[Block] = field(default_factory=list)
    rows: list[Block] = field(default_factory=list)
    _column_data: list[tuple[Numbers, Numbers, Numbers, bool]] = field(default_factory=list)
    _row_data: list[tuple[Numbers, Numbers]] = field(default_factory=list)
    _terms: list[tuple[Short, Short, Numbers]] = field(default_factory=list)
    column_count: int = 0
    row_count: int = 0

    def variables(
        self,
        name: str,
        count: int,
        *,
        lower: ArrayLike = 0.0,
        upper: ArrayLike = np.inf,
        cost: ArrayLike = 0.0,
        integer: bool = False,
        labels: Sequence[ArrayLike] = (),
    ) -> Index:
        """Add ``count`` columns and return their indices ``[count]``."""
        index = np.arange(self.column_count, self.column_count + count)
        self.columns.append(Block(name, self.column_count, count, _labels(labels, count)))
        self._column_data.append(
            (_few(cost, count), _few(lower, count), _few(upper, count), integer)
        )
        self.column_count += count
        return index

    def constrain(
        self,
        name: str,
        count: int,
        terms: Iterable[Term],
        *,
        lower: ArrayLike = -np.inf,
        upper: ArrayLike = np.inf,
        labels: Sequence[ArrayLike] = (),
    ) -> None:
        """Add ``count`` rows.

        Each term is ``(row, column, coefficient)``: arrays that broadcast together, ``row`` counted
        from 0 within this block. Terms on column ``-1`` vanish; equal entries add up. A block
        without rows is left out.
        """
        if not count:
            return
        self._terms += [_entries(term, self.row_count) for term in terms if np.size(term[1])]
        self.rows.append(Block(name, self.row_count, count, _labels(labels, count)))
        self._row_data.append((_few(lower, count), _few(upper, count)))
        self.row_count += count

    def add(
        self,
        name: str,
        constraint: Constraint,
        where: ArrayLike | None = None,
        *,
        labels: Sequence[ArrayLike] | None = None,
    ) -> None:
        """Add a row for every cell of a constraint, or for every cell that ``where`` flags.

        Rows are labelled as the expression's axes are, or with ``labels`` ``[row]``.

        Examples
        --------
        >>> from capsim.lp.expressions import Expression
        >>> m = Builder()
        >>> x = Expression.of(m.variables("x", 3))
        >>> m.add("grows", x >= 2 * x.previous(), [False, True, True])
        >>> m.freeze().matrix.toarray().tolist()
        [[-2.0, 1.0, 0.0], [0.0, -2.0, 1.0]]
        """
        rows = constraint.rows(where)
        self.constrain(
            name,
            rows.size,
            rows.terms,
            lower=rows.lower,
            upper=rows.upper,
            labels=rows.labels if labels is None else labels,
        )

    def freeze(self, *, cost: Array | None = None, offset: float = 0.0) -> LinearProgram:
        """Return the program; ``cost`` replaces the costs given with the columns."""
        matrix = _matrix(self._terms, (self.row_count, self.column_count))
        sizes = [block.count for block in self.columns]
        if cost is None:
            cost = _joined(sizes, [data[0] for data in self._column_data], np.float64)
        rows = [block.count for block in self.rows]
        return LinearProgram(
            cost=cost,
            lower=_joined(sizes, [data[1] for data in self._column_data], np.float64),
            upper=_joined(sizes, [data[2] for data in self._column_data], np.float64),
            integer=_joined(sizes, [data[3] for data in self._column_data], np.bool_),
            matrix=matrix,
            row_lower=_joined(rows, [data[0] for data in self._row_data], np.float64),
            row_upper=_joined(rows, [data[1] for data in self._row_data], np.float64),
            offset=offset,
            columns=tuple(self.columns),
            rows=tuple(self.rows),
        )


def _entries(term: Term, first_row: int) -> tuple[Short, Short, Numbers]:
    """Write a term out: row, column and value of every entry on a column there is."""
    row, column, value = (np.asarray(part) for part in term)
    if row.shape != column.shape or (value.ndim and value.shape != row.shape):
        row, column, value = np.broadcast_arrays(row, column, value)
    keep = column >= 0
    if not keep.all():
        row, column = row[keep], column[keep]
        value = value[keep] if value.ndim else value
    rows = row.astype(np.int32, order="C").ravel()
    rows += np.int32(first_row)
    columns = column.astype(np.int32, order="C").ravel()
    if np.ndim(term[2]) == 0:
        return rows, columns, float(np.asarray(term[2]))
    return rows, columns, value.astype(np.float64, order="C").ravel()


DUST = 1e-13
"""Part of the largest coefficient of a row below which one is zero."""


def _matrix(terms: Sequence[tuple[Short, Short, Numbers]], shape: tuple[int, int]) -> csc_array:
    """Add the entries of all terms up, compressed by column."""
    sizes = [len(rows) for rows, _, _ in terms]
    row = _joined(sizes, [rows for rows, _, _ in terms], np.int32)
    column = _joined(sizes, [columns for _, columns, _ in terms], np.int32)
    value = _joined(sizes, [values for _, _, values in terms], np.float64)
    matrix = csc_array(coo_array((value, (row, column)), shape=shape))
    matrix.sum_duplicates()
    # What is left of a sum that is zero but for rounding is no coefficient.
    size = np.abs(matrix.data)
    largest = np.zeros(shape[0])
    np.maximum.at(largest, matrix.indices, size)
    matrix.data[size < DUST * largest[matrix.indices]] = 0.0
    matrix.eliminate_zeros()
    return matrix


def _full(value: ArrayLike, count: int) -> Array:
    return np.broadcast_to(_few(value, count), (count,))


def _few(value: ArrayLike, count: int) -> Numbers:
    """Return a copy of ``count`` numbers, or the one that stands for all."""
    if isinstance(value, float):
        return value
    few = np.array(value, np.float64).ravel()
    if len(few) not in (1, count):
        raise ValueError(f"{len(few)} numbers for a block of {count} members")
    return few


def _joined(sizes: Sequence[int], parts: Sequence[Any], kind: type[np.generic]) -> NDArray[Any]:
    """Write parts out, one after the other, each an array of its size or one value for all."""
    out = np.empty(sum(sizes), kind)
    at = 0
    for size, part in zip(sizes, parts, strict=True):
        out[at : at + size] = part
        at += size
    return out


def _labels(labels: Sequence[ArrayLike], count: int) -> Sequence[Text]:
    if isinstance(labels, Labels):
        _check_members([labels.members], count)
        return labels
    out = tuple(np.asarray(label, dtype=object).ravel() for label in labels)
    _check_members([len(label) for label in out], count)
    return out


def _check_members(members: Sequence[int], count: int) -> None:
    if any(found != count for found in members):
        raise ValueError(f"labels of a block must have its {count} members")


_UNSAFE = re.compile(r"[^\w.]")
"""Characters that LP files of some solver forbid in a name; ``*`` becomes the word "whole"."""


def unique_names(names: list[str]) -> list[str]:
    """Make names that files for solvers and PuLP accept, each once.

    Examples
    --------
    >>> unique_names(["x[S 1,*]", "x[S_1,*]"])
    ['x_S_1_whole', 'x_S_1_whole__1']
    """
    seen: dict[str, int] = {}
    out = []
    for name in names:
        clean = unique = _UNSAFE.sub("_", name.replace("*", "whole")).rstrip("_")
        while unique in seen:
            seen[clean] += 1
            unique = f"{clean}__{seen[clean]}"
        seen[unique] = 0
        out.append(unique)
    return out
