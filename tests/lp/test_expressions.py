"""Expressions over arrays of columns say what the same arithmetic on numbers says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from capsim.lp.expressions import Constraint, Expression
from capsim.lp.labels import Axis
from capsim.lp.program import Builder

X = np.array([2.0, 3.0, 5.0, 7.0, 11.0, 13.0])
TABLE = np.array([[0, 1, -1], [3, 4, 5]])
VALUE = np.array([[2.0, 3.0, 0.0], [7.0, 11.0, 13.0]])
ROW = np.array([10.0, 20.0, 30.0])
COLUMN = np.array([[1.0], [-1.0]])


def shifted(a: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros((*a.shape[:-1], 1)), a[..., :-1]], axis=-1)


CASES: dict[str, tuple[Callable[[Any], Any], Callable[[np.ndarray], Any]]] = {
    "itself": (lambda e: e, lambda a: a),
    "plus data": (lambda e: e + ROW, lambda a: a + ROW),
    "data minus": (lambda e: ROW - e, lambda a: ROW - a),
    "times data": (lambda e: COLUMN * e * ROW, lambda a: COLUMN * a * ROW),
    "divided": (lambda e: e / ROW, lambda a: a * (1.0 / ROW)),
    "both": (lambda e: 2 * (e + 1) - e * ROW, lambda a: 2 * (a + 1) - a * ROW),
    "year before": (lambda e: (e + ROW).previous(), lambda a: shifted(a + ROW)),
    "scaled year before": (lambda e: (e * ROW).previous(), lambda a: shifted(a * ROW)),
    "one number, year before": (lambda e: (e + 1).previous(), lambda a: shifted(a + 1)),
    "sum of an axis": (lambda e: (e + COLUMN).sum(0), lambda a: (a + COLUMN).sum(0)),
    "sum of the last": (lambda e: (e * ROW).sum(-1), lambda a: (a * ROW).sum(-1)),
    "total": (lambda e: (e + 1).total(), lambda a: (a + 1).sum()),
    "slice": (lambda e: (e + ROW)[:, 1:], lambda a: (a + ROW)[:, 1:]),
    "one": (lambda e: (e * ROW)[1], lambda a: (a * ROW)[1]),
    "rows again": (lambda e: (e * ROW)[[1, 1, 0]], lambda a: (a * ROW)[[1, 1, 0]]),
    "mask": (lambda e: e[np.array([False, True])], lambda a: a[[1]]),
    "new axis": (lambda e: e[:, None] * ROW[:, None], lambda a: a[:, None] * ROW[:, None]),
    "broadcast": (lambda e: e + e[:, :1], lambda a: a + a[:, :1]),
    "summed, broadcast": (lambda e: e - e.sum(1)[:, None], lambda a: a - a.sum(1)[:, None]),
    "summed, cut": (lambda e: e.sum(0)[[2, 0, 0]], lambda a: a.sum(0)[[2, 0, 0]]),
    "summed, year before": (lambda e: e.sum(0).previous(), lambda a: shifted(a.sum(0))),
    "summed, reordered": (lambda e: (e.sum(0) * ROW)[::-1], lambda a: (a.sum(0) * ROW)[::-1]),
    "summed, scaled": (lambda e: e.sum(0) * ROW, lambda a: a.sum(0) * ROW),
    "summed twice": (lambda e: (e.sum(0) * ROW + 1).total(), lambda a: (a.sum(0) * ROW + 1).sum()),
    "larger data": (lambda e: e[0] + np.ones((2, 3)), lambda a: a[0] + np.ones((2, 3))),
}


@pytest.mark.parametrize("name", CASES)
def test_arithmetic_is_that_of_numbers(name: str) -> None:
    on_columns, on_numbers = CASES[name]
    found, expected = on_columns(Expression.of(TABLE)), on_numbers(VALUE)
    assert found.shape == np.shape(expected)
    np.testing.assert_allclose(found.value(X), expected)
    matrix = found.matrix(len(X)) @ X + found.constants().ravel()
    np.testing.assert_allclose(matrix, np.ravel(expected))


def test_groups_sum_their_members_and_minus_one_is_no_group() -> None:
    e = Expression.of(np.arange(6).reshape(3, 2)) + np.array([[1.0], [2.0], [4.0]])
    found = e.group(np.array([1, -1, 1]), 2).value(X)
    np.testing.assert_allclose(found, [[0.0, 0.0], [2 + 11 + 5, 3 + 13 + 5]])


def test_groups_along_two_axes() -> None:
    e = Expression.of(np.arange(6).reshape(3, 2))
    found = e.group((np.array([0, 1, 1]), np.array([1, 0, -1])), (2, 2))
    assert found.shape == (2, 2, 2)
    np.testing.assert_allclose(found.value(X), [[[0, 0], [2, 3]], [[5, 7], [0, 0]]])
    last = e.group(np.array([0, 0]), 1, axis=1)
    np.testing.assert_allclose(last.value(X), [[5.0], [12.0], [24.0]])


def test_where_there_is_a_column() -> None:
    e = Expression.of(TABLE)
    np.testing.assert_array_equal(e.exists, TABLE >= 0)
    np.testing.assert_array_equal(e.previous().exists, shifted(TABLE >= 0).astype(bool))
    np.testing.assert_array_equal(e[:1].sum(0).exists, [True, True, False])


@pytest.mark.parametrize("where", [None, np.array([[True], [False]]), TABLE >= 0])
def test_rows_hold_what_is_on_both_sides(where: np.ndarray | None) -> None:
    """Lower and upper bounds have the constants of both sides."""
    e = Expression.of(TABLE)
    for constraint, lower, upper in (
        (e + ROW <= e.previous() - 1, -np.inf, -ROW - 1),
        (e + ROW >= e.previous() - 1, -ROW - 1, np.inf),
        (e + ROW == e.previous() - 1, -ROW - 1, -ROW - 1),
        (e >= ROW, ROW, np.inf),
    ):
        m = Builder()
        m.variables("x", len(X))
        m.add("rule", constraint, where)
        p = m.freeze()
        keep = np.broadcast_to(True if where is None else where, TABLE.shape)
        left = (constraint.left - constraint.left.constants()).value(X)[keep]
        np.testing.assert_allclose(p.matrix @ X, left)
        np.testing.assert_array_equal(p.row_lower, np.broadcast_to(lower, keep.shape)[keep])
        np.testing.assert_array_equal(p.row_upper, np.broadcast_to(upper, keep.shape)[keep])
        wide = Builder(column_count=len(X)).freeze(cost=np.zeros(len(X)))
        again = wide.with_constraint("rule", constraint, where)
        np.testing.assert_array_equal(again.matrix.toarray(), p.matrix.toarray())
        np.testing.assert_array_equal(again.row_upper, p.row_upper)


def test_no_row_adds_no_block() -> None:
    e = Expression.of(TABLE)
    m = Builder(column_count=6)
    m.add("rule", e <= 1, np.zeros(TABLE.shape, bool))
    assert not m.rows
    program = m.freeze(cost=np.zeros(6))
    assert program.with_constraint("rule", e <= 1, False) is program


def test_rows_are_named_by_the_axes() -> None:
    schools = Axis.of(school=np.array(["A", "B"], object))
    years = Axis.of(year=np.array([2022, 2023, 2024]))
    e = Expression.of(TABLE, (schools, years))
    m = Builder(column_count=6)
    m.add("kept", e >= e.previous(), e.exists)
    m.add("later", 2 * e[1:, 1:] >= 1)
    m.add("first", e[0] <= ROW)
    m.add("whole", e.sum(0) <= ROW)
    m.add("county", e.group(np.array([0, 0]), 1, [Axis.of(county=np.array(["C"]))]) <= 1)
    m.add("total", e.total() <= 1)
    m.add("own", e.sum(0) <= 1, labels=[["a", "b", "c"]])
    m.add("again", e[[1, 1]] <= 1, [[True] * 3, [False] * 3])
    names = {block.name: block.names() for block in m.rows}
    assert names["kept"][:3] == ["kept[A,2022]", "kept[A,2023]", "kept[B,2022]"]
    assert names["later"] == ["later[B,2023]", "later[B,2024]"]
    assert names["first"] == ["first[2022]", "first[2023]", "first[2024]"]
    assert names["whole"] == ["whole[2022]", "whole[2023]", "whole[2024]"]
    assert names["county"] == ["county[C,2022]", "county[C,2023]", "county[C,2024]"]
    assert names["total"] == ["total"]
    assert names["own"] == ["own[a]", "own[b]", "own[c]"]
    assert names["again"] == ["again[B,2022]", "again[B,2023]", "again[B,2024]"]


def test_labels_come_from_either_side() -> None:
    years = Axis.of(year=np.array([2022, 2023, 2024]))
    counties = Axis.of(county=np.array(["C", "D"], object))
    bare, named = Expression.of(TABLE), Expression.of(TABLE, (counties, years))
    assert [axis.texts for axis in (bare <= named).left.axes] == [counties.texts, years.texts]
    wide = named.sum(1)[:, None] + named.sum(0)
    assert [axis.texts for axis in wide.axes] == [counties.texts, years.texts]


def test_an_axis_knows_its_texts_by_what_they_name() -> None:
    one = Axis.of(school=np.array(["A", "B"]), county=(np.array(["C", "D"]), np.array([1, 1])))
    assert one.take(np.array([False, True])).text("county").tolist() == ["D"]
    assert one.take(slice(1, None)).text("school").tolist() == ["B"]
    with pytest.raises(ValueError, match="an axis of school, county has no area"):
        one.text("area")


def test_a_constraint_is_no_condition() -> None:
    e = Expression.of(TABLE)
    assert isinstance(e <= 1, Constraint)
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(0 <= e <= 1)  # two comparisons joined by `and`
    with pytest.raises(ValueError, match="1 axes are named"):
        e.labelled(Axis())
