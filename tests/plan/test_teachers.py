"""Teachers by county and stage: what a plan does with them, counted by hand."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from county_teachers import counties, staffed

import capsim
from capsim.i18n.language import words
from capsim.report import narrative
from capsim.report.summary import summarize
from capsim.simulation.seating import helping_teachers, moves_cny

ONE = {"town": "C"}
NONE_LEAVE = {"attrition": 0.0}


def planned(scenario):
    plan = capsim.optimize(scenario)
    certificate = capsim.certify(scenario, plan)
    assert certificate.holds(), certificate.worst
    return plan


def town(**sections):
    """80 pupils a stage need 4 teachers each; there are 6 of primary and 2 of junior pupils."""
    return counties(
        areas=ONE,
        children={("town", "primary"): (80, 80), ("town", "junior"): (80, 80)},
        teachers={("town", "primary"): 6.0, ("town", "junior"): 2.0},
        staff={**NONE_LEAVE, "stages": ["primary", "junior"], **sections.pop("staff", {})},
        **sections,
    )


def test_teachers_change_stage_for_nothing_unless_said():
    """Two go from primary to junior classes: nobody is hired, and the pool is one."""
    plan = planned(town())
    primary, junior = staffed(plan, "C", "primary"), staffed(plan, "C", "junior")
    assert primary["pool"].tolist() == pytest.approx([4.0, 4.0])
    assert junior["pool"].tolist() == pytest.approx([4.0, 4.0])
    assert primary["to_other_stages"].tolist() == pytest.approx([2.0, 0.0])
    assert junior["from_other_stages"].tolist() == pytest.approx([2.0, 0.0])
    assert plan.objective_cny == pytest.approx(2 * 8 * 100_000)


@pytest.mark.parametrize(("price", "moved"), [(130_000, 2.0), (150_000, 0.0)])
def test_a_move_between_stages_is_made_where_it_is_cheaper(price, moved):
    """The other way is two on contract for two years at 70,000."""
    plan = planned(town(costs={"stage_move_cny": price}))
    primary, junior = staffed(plan, "C", "primary"), staffed(plan, "C", "junior")
    assert junior["from_other_stages"].sum() == pytest.approx(moved)
    assert primary["surplus"].tolist() == pytest.approx([2 - moved] * 2)
    assert junior["surplus"].tolist() == pytest.approx([0.0] * 2)
    assert junior["contract"].tolist() == pytest.approx([2 - moved] * 2)
    assert plan.objective_cny == pytest.approx(1.6e6 + 2 * min(price, 140_000))


def test_hires_are_limited_over_all_stages():
    """One hired of two needed, as moves are dear: of 80 junior pupils 20 have no teacher."""
    limits = [("C", "hires", year, 1.0) for year in (2022, 2023)]
    limits += [("C", "contract_teachers", year, 0.0) for year in (2022, 2023)]
    plan = planned(town(limits=limits, costs={"stage_move_cny": 1e8}))
    assert staffed(plan, "C", "junior")["hired"].tolist() == pytest.approx([1.0, 1.0])
    short = plan.tables["shortfall"].groupby("school_year")["shortfall"].sum()
    assert short.tolist() == pytest.approx([20.0, 0.0])


def two_counties(**sections):
    """80 pupils a county need 4 teachers each: there are 6 in C and 2 in D, none to be had else."""
    years = (2022, 2023)
    kinds = ("hires", "contract_teachers")
    none = [(county, kind, year, 0.0) for county in "CD" for kind in kinds for year in years]
    return counties(
        children={("town", "junior"): (80, 80), ("port", "junior"): (80, 80)},
        teachers={("town", "junior"): 6.0, ("port", "junior"): 2.0},
        limits=none,
        staff={**NONE_LEAVE, "stages": ["junior"], **sections.pop("staff", {})},
        **sections,
    )


def test_teachers_stay_in_their_county_unless_a_price_is_said():
    """Of 80 pupils of D 40 have no teacher, each year at 200,000, beside two too many in C."""
    plan = planned(two_counties())
    assert staffed(plan, "C", "junior")["surplus"].tolist() == pytest.approx([2.0, 2.0])
    assert plan.tables["staff"][["from_other_counties", "to_other_counties"]].eq(0).all(axis=None)
    assert plan.tables["shortfall"]["shortfall"].sum() == pytest.approx(80.0)


@pytest.mark.slow
def test_teachers_move_to_another_county_at_a_price():
    plan = planned(two_counties(costs={"county_move_cny": 20_000}))
    assert staffed(plan, "D", "junior")["from_other_counties"].tolist() == pytest.approx([2, 0])
    assert staffed(plan, "C", "junior")["to_other_counties"].tolist() == pytest.approx([2, 0])
    assert plan.objective_cny == pytest.approx(2 * 8 * 100_000 + 2 * 20_000)


def test_a_share_of_the_pool_may_leave_a_county_in_a_year():
    """A tenth of 6, then of 5.4: 0.6 and 0.54 go to D, for 12 and 10.8 pupils more."""
    staff = {"county_move_share": 0.1}
    plan = planned(two_counties(costs={"county_move_cny": 20_000}, staff=staff))
    moved = staffed(plan, "D", "junior")["from_other_counties"]
    assert moved.tolist() == pytest.approx([0.6, 0.54])
    short = plan.tables["shortfall"].groupby("school_year")["shortfall"].sum()
    assert short.tolist() == pytest.approx([40 - 12, 40 - 22.8])


def test_a_part_of_the_teachers_retires():
    """Of 8 teachers 0.8 leave and 0.4 retire in the first year."""
    plan = planned(town(staff={"attrition": 0.1, "retirement": 0.05}))
    first = plan.tables["staff"].groupby("school_year")[["left", "retired", "pool"]].sum().loc[2022]
    assert first[["left", "retired"]].tolist() == pytest.approx([0.8, 0.4])
    assert plan.committed_cny == pytest.approx((8 * 0.85 + 8 * 0.85**2) * 100_000)


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("from_other_stages", 1.0),
        ("to_other_counties", 1.0),
        ("from_other_counties", 1.0),
        ("surplus", -1.0),
        ("left", 1.0),
        ("retired", 1.0),
        ("need", -1.0),
    ],
)
def test_the_certificate_finds_a_changed_figure(column, change):
    scenario = two_counties(costs={"county_move_cny": 20_000})
    plan = capsim.optimize(scenario)
    staff = plan.tables["staff"]
    staff.loc[0, column] += change
    changed = replace(plan, tables={**plan.tables, "staff": staff})
    assert not capsim.certify(scenario, changed).holds()


def test_the_certificate_refuses_moves_between_counties_without_a_price():
    scenario = two_counties(costs={"county_move_cny": 20_000})
    plan = capsim.optimize(scenario)
    certificate = capsim.certify(two_counties(), plan)
    assert "teachers who leave the county" in certificate.table.set_index("family").worst["staff"]


def test_an_explanation_names_the_share_that_may_leave():
    """No child may lack a place: then of 6 teachers of C more than a tenth would have to leave."""
    staff = {"county_move_share": 0.1}
    scenario = two_counties(costs={"county_move_cny": 20_000, "shortfall_cny": 1e9}, staff=staff)
    plan = capsim.optimize(scenario)
    conflict = ("every child", "hires", "moves between counties", "contract teachers")
    assert plan.explain().conflicts == (conflict,)


def test_the_simulation_without_uncertainty_returns_the_costs():
    plan = planned(town(costs={"stage_move_cny": 150_000}))
    outcomes = capsim.simulate(plan, draws=2, seed=1, uncertainty=())
    assert outcomes.summary["cost_mean_cny"] == pytest.approx(plan.objective_cny, rel=1e-9)


def test_a_draw_takes_idle_teachers_of_another_stage_before_contracts():
    """Posts 4 and 4, plan 4 and 4; drawn 2 and 7 in the first year, 3 and 7 in the second.

    Junior pupils want 3 more; 2, then 1 of the primary teachers help, 1, then 2 are on contract.
    """
    stage = {"pupils_per_post": 20.0, "county": np.array([0]), "runs_public": np.ones((1, 2), bool)}
    data = SimpleNamespace(
        need=np.full((1, 2, 2), 4.0),
        posts=np.full((1, 2, 2), 4.0),
        contract=np.zeros((1, 2, 2)),
        stages=[SimpleNamespace(**stage)] * 2,
        settings=SimpleNamespace(costs=SimpleNamespace(stage_move_cny=1000.0)),
    )
    drawn = ([40.0, 60.0], [140.0, 140.0])
    seated = [SimpleNamespace(total=np.array([pupils])[..., None]) for pupils in drawn]
    on_contract, helping = helping_teachers(data, seated)
    assert helping[0, :, 0].tolist() == pytest.approx([2.0, 1.0])
    assert on_contract[0, :, 0].tolist() == pytest.approx([1.0, 2.0])
    assert moves_cny(data, helping)[0, :, 0].tolist() == pytest.approx([2000.0, 0.0])


@pytest.mark.slow
def test_the_answer_tells_need_pool_and_surplus():
    """Moves are dear: two teachers of primary pupils are beyond need in both years."""
    plan = planned(town(costs={"stage_move_cny": 150_000}))
    summary = summarize(plan, seed=1, timings_s={})
    assert summary["teachers"]["2023"] == pytest.approx(
        {"need": 8.0, "pool": 8.0, "hired": 0.0, "contract": 2.0, "surplus": 2.0}
    )
    head, parts = narrative.teachers(plan, summary, words("en"))
    assert head == "Teachers of public schools"
    assert parts[0] == (
        "2022: 8 needed, 8 on post and 2 on contract, 2 beyond need (primary 2, junior 0)"
    )
    assert parts[-1] == "until 2023 0 change stage, 0 change county, 0 leave or retire"
    chinese = narrative.teachers(plan, summary, words("zh"))
    assert chinese.parts[0] == "2022年需8名，在编8名、合同制2名，富余2名（小学2名、初中0名）"
    off = planned(town(switches={"staff": False}))
    assert narrative.teachers(off, summarize(off, seed=1, timings_s={}), words("en")) is None
