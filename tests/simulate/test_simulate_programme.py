"""When copies open and for how long their seats last."""

from dataclasses import replace

import hand_plan
import numpy as np

from capsim.simulate.programme import (
    days,
    in_use,
    opening_days,
    planned_days,
    read_programme,
    seats_open,
)


def programme(openings, **columns):
    plan = hand_plan.plan()
    projects = plan.scenario.tables["projects"].assign(**columns)
    scenario = replace(plan.scenario, tables={**plan.scenario.tables, "projects": projects})
    tables = {**plan.tables, "openings": hand_plan._rows("project opens copies", *openings)}
    return read_programme(replace(plan, scenario=scenario, tables=tables))


def test_later_copies_are_late_by_as_many_days():
    one = programme([("newA", "2022-09-01", 2), ("newA", "2023-12-31", 1)])
    drawn = days(["2022-08-01", "2022-09-11"])[:, None]
    late = opening_days(one, drawn) - one.day[:, None]
    assert late.tolist() == [[0, 10], [0, 10]]
    assert planned_days(one).tolist() == days(["2022-09-01"]).tolist()


def test_copies_in_use():
    one = programme([("newA", "2022-09-01", 2), ("newA", "2023-12-31", 1)])
    used = in_use(one, one.day[:, None], one.autumns)
    assert used[..., 0].tolist() == [[2, 2, 2], [0, 0, 1]]
    december = in_use(one, one.day[:, None], one.decembers)
    assert december[..., 0].tolist() == [[2, 2, 2], [0, 1, 1]]


def test_seats_end_after_their_life():
    one = programme([("newA", "2022-09-01", 2)], life_years=2.0)
    assert seats_open(one, in_use(one, one.day[:, None], one.autumns))[0, :, 0].tolist() == [
        *(80, 80, 0)
    ]
    late = opening_days(one, days(["2022-10-01"])[:, None])
    assert seats_open(one, in_use(one, late, one.autumns))[0, :, 0].tolist() == [0, 80, 80]


def test_an_inclusive_kindergarten_brings_no_seats():
    one = programme(
        [("newA", "2022-12-31", 1)], kind="inclusive_kindergarten", school="privA", pupils=170.0
    )
    assert one.places.tolist() == [0.0]
    assert one.inclusive.tolist() == [170.0]
    assert np.isinf(one.life).all()
