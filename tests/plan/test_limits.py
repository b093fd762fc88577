"""What is used of limits: a case by hand, and the law that a plan uses no more than there is."""

from __future__ import annotations

import pytest
from tiny_cases import limit, school, town

import capsim
from capsim.plan.limits import limits_used


@pytest.mark.parametrize(("release", "used", "binds"), [(1 / 3, 1.0, True), (0.5, 0.0, False)])
def test_teachers_set_free_use_nothing_of_the_limit(
    release: float, used: float, binds: bool
) -> None:
    """All 100 go public and need 5 teachers: 2 on post, 3 on contract; 6 leave the private school.

    Of those a third may be hired, 2, so that one more is taken of the limit; or half, 3: none.
    """
    scenario = town(
        children=(100,),
        schools=[
            school("P", "public", 100, 40, staff=2.0),
            school("S", "private", 60, 60, staff=6.0),
        ],
        limits=[limit("contract_teachers", 2022, 1.0), limit("hires", 2022, 0.0)],
        policy={"private_share_cap": {2022: 0.0}, "release_share": release},
        staff=True,
        staffing={"attrition": 0.0, "stages": ["junior"]},
    )
    plan = capsim.optimize(scenario)
    assert plan.tables["staff"]["contract"].tolist() == pytest.approx([3.0])
    table = limits_used(plan).set_index("kind")
    assert table.loc["contract_teachers", "used"] == pytest.approx(used, abs=1e-6)
    assert table.loc["contract_teachers", "binds"] == binds


def test_no_plan_uses_more_than_there_is() -> None:
    city = capsim.generate(2, 8000, 0, stages=("primary", "junior"), years=(2021, 2023))
    contract = city.table("limits")
    few = contract["kind"] == "contract_teachers"
    contract.loc[few, "amount"] = 20.0
    plan = capsim.optimize(city.variant(tables={"limits": contract}), gap=0.02)
    assert plan.tables["staff"]["contract"].max() > 20.0
    table = limits_used(plan)
    assert (table["used"] <= table["limit"] * (1 + 1e-6)).all()
