"""Blocks of columns and rows become one sparse program, and keep their names."""

from __future__ import annotations

import numpy as np
import pytest

from capsim.lp import Axis, Builder, Labels


def test_a_program_by_hand() -> None:
    m = Builder()
    x = m.variables("x", 2, cost=[1.0, 2.0], upper=[4.0, np.inf])
    y = m.variables("y", 1, lower=-1.0, cost=3.0, integer=True)
    m.constrain("first", 2, [([0, 1], x, [5.0, 6.0]), ([0, 1], y, -1.0)], lower=[1.0, 2.0])
    m.constrain("second", 1, [(0, x, 1.0)], upper=7.0)
    p = m.freeze(offset=10.0)
    assert p.matrix.toarray().tolist() == [[5, 0, -1], [0, 6, -1], [1, 1, 0]]
    assert p.cost.tolist() == [1, 2, 3]
    assert p.lower.tolist() == [0, 0, -1]
    assert p.upper.tolist() == [4, np.inf, np.inf]
    assert p.integer.tolist() == [False, False, True]
    assert p.row_lower.tolist() == [1, 2, -np.inf]
    assert p.row_upper.tolist() == [np.inf, np.inf, 7]
    assert p.offset == 10.0


def test_minus_one_is_the_constant_zero() -> None:
    m = Builder()
    x = m.variables("x", 3)
    last_year = np.concatenate([[-1], x[:-1]])
    m.constrain("grows", 3, [(np.arange(3), x, 1.0), (np.arange(3), last_year, -1.0)], lower=0.0)
    assert m.freeze().matrix.toarray().tolist() == [[1, 0, 0], [-1, 1, 0], [0, -1, 1]]


def test_equal_entries_add_up() -> None:
    m = Builder()
    x = m.variables("x", 1)
    m.constrain("row", 1, [([0, 0], [0, 0], [2.0, 3.0]), (0, x, 4.0)], upper=1.0)
    p = m.freeze()
    assert p.matrix.toarray().tolist() == [[9]]
    assert p.matrix.nnz == 1


def test_terms_broadcast() -> None:
    m = Builder()
    x = m.variables("x", 6).reshape(2, 3)
    m.constrain("sum", 2, [(np.arange(2)[:, None], x, [1.0, 2.0, 3.0])], upper=1.0)
    assert m.freeze().matrix.toarray().tolist() == [[1, 2, 3, 0, 0, 0], [0, 0, 0, 1, 2, 3]]


def test_names_speak() -> None:
    m = Builder()
    m.variables("pupils", 2, labels=[["S1", "S2"], [2022, 2023]])
    m.variables("total", 1)
    m.variables("plain", 2)
    m.constrain("seats.public", 1, [], labels=[["S1"]])
    m.constrain("seats.private", 1, [])
    m.constrain("seatsless", 1, [])
    p = m.freeze()
    assert p.column_names() == [
        "pupils[S1,2022]",
        "pupils[S2,2023]",
        "total",
        "plain[0]",
        "plain[1]",
    ]
    assert p.row_names() == ["seats.public[S1]", "seats.private", "seatsless"]
    assert p.rows_of("seats").tolist() == [0, 1]
    assert p.rows_of("seats.private").tolist() == [1]
    assert p.rows_of("nothing").tolist() == []


def test_labels_must_fit() -> None:
    with pytest.raises(ValueError, match="must have its 2 members"):
        Builder().variables("x", 2, labels=[["only one"]])


def test_labels_follow_from_arrays() -> None:
    schools, stages = np.array(["S1", "S2"], object), np.array(["junior", "primary"], object)
    keep = np.array([[True, False, True], [False, True, False]])
    school = Axis.of(school=schools, stage=(stages, np.array([1, 0])))
    axes = (school + Axis.of(county=schools).hidden(), Axis.of(year=np.arange(2022, 2025)))
    m = Builder()
    m.variables("pupils", 3, labels=Labels(keep, axes))
    numbers = Labels(keep[..., None], (*axes, Axis.of(number=np.array([7]))))
    m.constrain("seats", 3, [], labels=numbers)
    p = m.freeze()
    assert p.column_names() == [
        "pupils[S1,primary,2022]",
        "pupils[S1,primary,2024]",
        "pupils[S2,junior,2023]",
    ]
    assert p.row_names()[2] == "seats[S2,junior,2023,7]"
    labels = p.columns[0].labels
    assert len(labels) == 3
    assert labels[-1].tolist() == [2022, 2024, 2023]
    assert [text.tolist() for text in labels[:2]] == [
        ["S1", "S1", "S2"],
        ["primary", "primary", "junior"],
    ]


def test_lazy_labels_must_fit() -> None:
    labels = Labels(np.array([True, False]), (Axis.of(name=np.array(["a", "b"], object)),))
    with pytest.raises(ValueError, match="must have its 2 members"):
        Builder().variables("x", 2, labels=labels)


def test_a_number_given_later_changes_nothing() -> None:
    m, upper = Builder(), np.array([1.0, 2.0])
    x = m.variables("x", 2, upper=upper)
    value = np.array([3.0, 4.0])
    m.constrain("row", 1, [(0, x, value)])
    upper[:], value[:] = 9.0, 9.0
    p = m.freeze()
    assert p.upper.tolist() == [1, 2]
    assert p.matrix.toarray().tolist() == [[3, 4]]


def test_relaxed_and_fixed() -> None:
    m = Builder()
    m.variables("n", 1, upper=9.0, integer=True)
    m.variables("x", 1, upper=9.0)
    p = m.freeze()
    assert not p.relaxed().integer.any()
    fixed = p.fixed(np.array([2.9999999, 1.5]))
    assert (fixed.lower.tolist(), fixed.upper.tolist()) == ([3, 0], [3, 9])
    assert not fixed.integer.any()
    assert p.integer.tolist() == [True, False]


def test_an_empty_program() -> None:
    p = Builder().freeze()
    assert p.matrix.shape == (0, 0)
    assert p.column_names() == p.row_names() == []


def test_other_costs() -> None:
    m = Builder()
    m.variables("x", 2, cost=1.0)
    assert m.freeze(cost=np.array([5.0, 6.0])).cost.tolist() == [5, 6]
