"""Seconds dealt out to tasks: all of them together keep to the limit, and none is given more."""

from __future__ import annotations

import numpy as np
import pytest

from capsim.lp import Builder, solve
from capsim.lp.highs import Highs
from capsim.lp.parallel_solves import LEAST_SECONDS, Clock, in_parallel, until


@pytest.mark.parametrize("tasks", [1, 2, 3, 24])
def test_no_task_is_given_more_than_is_left(tasks: int) -> None:
    deal = Clock(10.0).deal(tasks)
    limits = [deal.limit()["time_limit"] for _ in range(tasks)]
    assert max(limits) <= 10.0
    assert limits[0] == pytest.approx(max(LEAST_SECONDS, min(10.0, 20.0 / tasks)), abs=0.1)


def test_a_task_always_has_a_little_and_without_a_limit_there_is_none() -> None:
    assert Clock(0.0).deal(3).limit() == {"time_limit": LEAST_SECONDS}
    assert Clock(None).deal(3).limit() == {}
    assert Clock(None).left() is None


def test_what_is_inside_a_question_ends_with_it() -> None:
    with until(0.0), until(60.0) as inner:
        assert inner.out()
        assert Clock(None).out()
        assert in_parallel([lambda: Clock(None).out()]) == [True]
    assert not Clock(None).out()
    with until(60.0), until(None) as inner:
        assert 59.0 < inner.seconds() <= 60.0


def test_no_solve_begins_when_the_time_is_up() -> None:
    m = Builder()
    x = m.variables("x", 1, cost=1.0, integer=True)
    m.constrain("floor", 1, [(0, x, 2.0)], lower=3.0)
    highs = Highs(m.freeze())
    with until(0.0):
        found = highs.solve()
        assert (found.status, found.x, found.bound) == ("unknown", None, -np.inf)
        assert solve(m.freeze(), solver="highs").status == "unknown"
    assert highs.solve().objective == 2.0
