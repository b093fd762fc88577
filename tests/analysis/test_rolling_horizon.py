"""Replanning year by year: cases on paper, and nothing to regret where nothing is learned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cities import city
from tiny_cases import DISCOUNT, SHORTFALL_CNY, project, school, spent, town

import capsim
from capsim import LeadTimes, decide_by, replan
from capsim.analysis.rolling_horizon import drawn, known_by
from capsim.certificate import certify
from capsim.lp import SolverError

pytestmark = pytest.mark.slow


def slow_school(children: tuple[float, ...], **other: Any) -> Any:
    """60 places; a school of 40 more is built in 24 months, for 2024-09-01 at the earliest."""
    built = {"build_months": 24, "running_cny": 1e5, **other}
    return town(
        children=children,
        schools=[school("P", "public", 60, 60)],
        projects=[project("N", 40, 5e6, "2024-09-01", **built)],
    )


def test_a_school_begun_in_vain() -> None:
    """100 children expected in 2024 never come: the school was begun in September 2022.

    Its capital and the running of 2024 are regretted from the autumn of 2023 on, when it was begun;
    before, nothing is lost.
    """
    scenario = slow_school((60, 60, 100))
    came = capsim.project(slow_school((60, 60, 60)))
    rolled = replan(scenario, came, gap=1e-9, threads=1)
    assert rolled.complete
    assert [len(plan.tables["openings"]) for plan in rolled.plans] == [1, 1, 1, 1]
    assert len(rolled.perfect.tables["openings"]) == 0
    capital = spent(rolled.final, "capital")
    lost = sum(v / (1 + DISCOUNT) ** (y - 2022) for y, v in capital.items())
    lost += 1e5 / (1 + DISCOUNT) ** 2
    assert sum(capital.values()) == pytest.approx(5e6)
    table = rolled.table[rolled.table["plan"] == "replanned"]
    assert table["known_to"].tolist() == [2022, 2023, 2024]
    assert table["regret_cny"].tolist() == pytest.approx([0, lost, lost], abs=1.0)
    kept = rolled.table.set_index("plan").loc["first kept"]
    assert kept["regret_cny"] == pytest.approx(lost, abs=1.0)
    assert certify(scenario, rolled.final).holds(1e-6)


def test_a_school_begun_too_late() -> None:
    """40 more children come in 2024 than expected: nobody began in time."""
    scenario = slow_school((60, 60, 60))
    rolled = replan(scenario, slow_school((60, 60, 100)), gap=1e-9, threads=1)
    assert len(rolled.perfect.tables["openings"]) == 1
    assert rolled.final.tables["shortfall"]["shortfall"].sum() == pytest.approx(40)
    missed = 40 * SHORTFALL_CNY / (1 + DISCOUNT) ** 2
    regret = rolled.table[rolled.table["plan"] == "replanned"]["regret_cny"].iloc[-1]
    assert regret == pytest.approx(
        missed + rolled.perfect.committed_cny - rolled.perfect.objective_cny, abs=1.0
    )


def test_a_school_that_can_wait_is_not_begun_in_vain() -> None:
    """With 11 months of building the school for 2024 is begun in October 2023, after the count.

    Of 2023's autumn nobody learns about 2024's (there is one grade), so it is built; expected in
    2023 only, the count of that autumn stops it.
    """
    early = slow_school((60, 60, 100), build_months=11)
    came = capsim.project(slow_school((60, 60, 60)))
    first = capsim.project(early)
    rolled = replan(early, came, demand=first, gap=1e-9, threads=1)
    assert len(rolled.final.tables["openings"]) == 1
    two_grades = replace(first, pupils=first.pupils.copy())
    assert known_by(early, two_grades, came, 2023).pupils[0, 0].tolist() == [60, 60, 60, 100]
    assert known_by(early, two_grades, came, 2024).pupils[0, 0].tolist() == [60, 60, 60, 60]


def test_cohorts_carry_what_was_counted() -> None:
    """Twice as many in grade 1 stay twice as many in grade 2; new entrants come as expected."""
    scenario = city(2, 0)
    first = capsim.project(scenario)
    one, two, last = (first.grades.index(g) for g in ("1", "2", "9"))
    pupils, population = first.pupils.copy(), first.population.copy()
    pupils[0, one, 1] *= 2
    came = replace(first, pupils=pupils, population=population)
    known = known_by(scenario, first, came, 2022)
    assert known.pupils[0, two, 2] == pytest.approx(2 * first.pupils[0, two, 2])
    changed = np.argwhere(~np.isclose(known.pupils, first.pupils))
    assert changed.tolist() == [[0, one, 1], [0, two, 2], [0, two + 1, 3]]
    assert last > two


@pytest.mark.slow
def test_nothing_learned_nothing_regretted() -> None:
    scenario = city(2, 8, 2023)
    demand = capsim.project(scenario)
    rolled = replan(scenario, demand, demand=demand, gap=1e-5, threads=1)
    assert rolled.complete
    replanned = rolled.table[rolled.table["plan"] == "replanned"]
    scale = rolled.perfect.avoidable_cny
    assert (replanned["regret_cny"].abs() <= 3e-5 * scale).all()
    for plan in rolled.plans:
        certificate = certify(scenario, plan)
        assert certificate.holds(1e-6), certificate.worst


def test_the_past_stands() -> None:
    """What a later plan says of earlier years is what the plan of those years said."""
    scenario = city(2, 8, 2023)
    rolled = replan(scenario, "low", gap=1e-4, threads=1, lead_times=LeadTimes(6, 3, 3))
    assert rolled.complete
    for at, year in enumerate(scenario.years[:-1], start=1):
        then, after = (plan.tables["schools"] for plan in (rolled.plans[at], rolled.plans[at + 1]))
        then, after = (t[t["school_year"] <= year].reset_index(drop=True) for t in (then, after))
        pd.testing.assert_frame_equal(then, after, atol=1e-2, rtol=0)
    regret = rolled.table[rolled.table["plan"] == "replanned"]["regret_most_cny"]
    assert (np.diff(regret) >= -1e-3 * rolled.perfect.avoidable_cny).all()
    certificate = certify(scenario, rolled.final)
    assert certificate.holds(1e-6), certificate.worst


def test_when_what_is_due() -> None:
    """Months of 30.4375 days before the date; ordered projects are decided already."""
    scenario = town(
        children=(140, 160, 160),
        schools=[
            school("P", "public", 60, 60),
            school("V", "private", 40, 40, conversion="must", conversion_cost_cny=1e6),
        ],
        projects=[
            project("N", 40, 1e6, "2022-09-01", build_months=12),
            project("O", 40, 1e6, "2022-09-01", build_months=6, status="ordered", due="2022-12-31"),
        ],
    )
    plan = capsim.optimize(scenario)
    table = decide_by(plan, LeadTimes(approval=6, conversion=2)).set_index("name")
    days = {"N": 18, "O": 12, "V, junior": 2}
    for name, months in days.items():
        took = pd.Timestamp(table.loc[name, "takes_effect"])
        due = pd.Timestamp(table.loc[name, "decide_by"])
        assert 0 <= (took - due).days - months * 365.25 / 12 < 1
    assert table.loc["N", "overdue"]
    assert not table.loc["O", "overdue"]
    assert table.loc["N", "decide_by"] == "2021-03-02"
    late = decide_by(plan, LeadTimes(approval=6), as_of="2021-03-02").set_index("name")
    assert not late.loc["N", "overdue"]


def test_a_contract_is_due_when_it_begins() -> None:
    scenario = town(
        children=(100, 100, 100, 100),
        schools=[
            school("P", "public", 50, 50),
            school(*("V", "private", 50, 50), purchase_price_cny=6000.0, purchasable_places=30.0),
        ],
        policy={"private_share_cap": {2023: 0.3}, "contract_years": 2},
    )
    table = decide_by(capsim.optimize(scenario), LeadTimes(contract=3))
    assert table[["decision", "name", "takes_effect", "decide_by"]].to_numpy().tolist() == [
        ["buy", "V, junior", "2023-09-01", "2023-06-01"]
    ]
    assert table["amount"].tolist() == pytest.approx([20])


def test_bad_questions() -> None:
    scenario = slow_school((60, 60, 60))
    with pytest.raises(ValueError, match="the lead time of approval must be months >= 0"):
        LeadTimes(approval=-1)
    with pytest.raises(ValueError, match="other years than the scenario"):
        replan(scenario, slow_school((60, 60)))
    with pytest.raises(ValueError, match="other children in the base year"):
        replan(scenario, slow_school((70, 60, 60)))
    with pytest.raises(ValueError, match="a variant of births is one of"):
        replan(scenario, "lower")
    with pytest.raises(ValueError, match="as_of must be an ISO date"):
        decide_by(capsim.optimize(scenario), as_of="soon")
    with pytest.raises(ValueError, match="the demand has 0 draws"):
        drawn(capsim.project(scenario), 0)
    wrong = scenario.variant({"policy.reduction": 10.0, "policy.reduction_year": 2022})
    with pytest.raises(SolverError, match="the first plan is infeasible"):
        replan(wrong, slow_school((60, 60, 60)))
