"""Seconds dealt out to tasks: all of them together keep to the limit, and none is given more."""

from __future__ import annotations

import pytest

from capsim.lp.parallel_solves import LEAST_SECONDS, Clock


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
