"""When copies open and for how long their seats last."""

from dataclasses import replace

import hand_plan
import numpy as np

from capsim.model.data import prepare
from capsim.simulation.opening_dates import (
    days,
    in_use,
    opening_days,
    planned_days,
    read_openings,
    ready_days,
    seats_by_owner,
    seats_open,
)


def openings(rows, **columns):
    projects = hand_plan.scenario().table("projects").assign(count=3, **columns)
    plan = hand_plan.plan(tables={"projects": projects})
    tables = {**plan.tables, "openings": hand_plan.rows("project opens copies", *rows)}
    plan = replace(plan, tables=tables)
    return read_openings(plan, prepare(plan.scenario, plan.demand))


def test_later_copies_are_late_by_as_many_days():
    one = openings([("newA", "2022-09-01", 2), ("newA", "2023-12-31", 1)])
    drawn = np.array([["2022-08-01"], ["2022-09-11"]], "datetime64[D]")
    late = opening_days(one, ready_days(one, drawn, 2)) - one.day[:, None]
    assert late.tolist() == [[0, 10]] * 3
    assert planned_days(one).tolist() == days(["2022-09-01"]).tolist()


def test_copies_in_use():
    one = openings([("newA", "2022-09-01", 2), ("newA", "2023-12-31", 1)])
    used = in_use(one.day[:, None], one.autumns)
    assert used[..., 0].tolist() == [[1, 1, 1], [1, 1, 1], [0, 0, 1]]
    december = in_use(one.day[:, None], one.decembers)
    assert december[..., 0].tolist() == [[1, 1, 1], [1, 1, 1], [0, 1, 1]]


def test_seats_end_after_their_life():
    one = openings([("newA", "2022-09-01", 2)], life_years=2.0)
    used = in_use(one.day[:, None], one.autumns)
    assert seats_open(one, used).sum(0)[:, 0].tolist() == [80, 80, 0]
    late = opening_days(one, days(["2022-10-01", "2022-07-01"])[None])
    assert seats_open(one, in_use(late, one.autumns))[..., 0].tolist() == [
        [0, 40, 40],
        [40, 40, 0],
    ]


def test_seats_by_owner_are_the_sums_of_their_rows():
    rng = np.random.default_rng(3)
    one = openings([("newA", "2022-09-01", 2), ("newA", "2023-12-31", 1)], life_years=1)
    one = replace(one, given_up=rng.uniform(0, 9, len(one.given_up)))
    late = one.day[:, None] + rng.integers(0, 500, (len(one.day), 40))
    copies = in_use(late, one.autumns)
    rows = np.arange(len(one.opening))
    owner = rng.integers(0, 2, len(rows))
    sums = np.zeros((2, *copies.shape[1:]))
    np.add.at(sums, owner, seats_open(one, copies))
    np.testing.assert_allclose(seats_by_owner(one, copies, rows, owner, 2), sums, atol=1e-9)
