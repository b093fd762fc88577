"""A sweep is many separate solves, only faster: same results in any order, by any workers."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cities import city
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from siting_cities import sites_of

import capsim
from capsim.analysis.sweep import tree
from capsim.certificate import certify
from capsim.model.constraints import FAMILIES

RESULTS = [
    *("status", "objective_cny", "bound_cny", "gap", "shortfall", "displaced", "purchased"),
    *("opened", "converted", "private_share"),
]


@cache
def the_city() -> Any:
    return city(2, 1, 2023)


def changes() -> list[dict[str, Any]]:
    policy = the_city().settings.policy
    cap, ordered = policy.private_share_cap[2022], policy.reduction
    return [
        {},
        *({"policy.reduction": ordered * f} for f in (0.5, 0.9, 0.7)),
        *({"policy.private_share_cap.2022": cap * f} for f in (1.0, 1.2, 1.1)),
        {"costs.displacement_cny": 12_000.0},
        {"costs.shortfall_cny": 90_000.0, "policy.reduction": ordered * 0.8},
        {"costs.discount_rate": 0.08},
        {"policy.contract_years": 1},
        {"switches.land": False},
        {"policy.purchased_counts_as_private": True},
        {"policy.share_denominator": "residence"},
        {"horizon.last_year": 2022},
        {"demand.gross_enrolment.senior": 0.9},
    ]


@cache
def swept() -> pd.DataFrame:
    return capsim.sweep(the_city(), changes(), relax=True)


@pytest.mark.slow
def test_every_variant_is_what_it_is_alone() -> None:
    table = swept()
    assert len(table) == len(changes())
    assert (table["status"] == "optimal").sum() >= 10
    for change, row in zip(changes(), table.to_dict("records"), strict=True):
        alone = capsim.optimize(the_city().variant(change), relax=True, threads=1)
        assert row["status"] == alone.status, change
        if alone.status != "infeasible":
            assert row["objective_cny"] == pytest.approx(alone.objective_cny, rel=1e-7), change
            assert row["gap"] == pytest.approx(alone.gap, abs=1e-7)
        else:
            assert np.isnan(row["objective_cny"])


@pytest.mark.slow
def test_routes() -> None:
    """Bounds, costs and right-hand sides change in place; a matrix is handed over again."""
    route = dict(zip(swept()["change"], swept()["route"], strict=True))
    assert route["as it is"] == "warm"
    assert route["costs.displacement_cny = 12000.0"] == "warm"
    assert route["horizon.last_year = 2022"] == "rebuilt"
    assert route["policy.share_denominator = residence"] == "rebuilt"
    assert all(way == "warm" for name, way in route.items() if name.startswith("policy.reduction"))


def test_columns() -> None:
    table = swept()
    assert table.columns[0] == "change"
    assert {"policy.reduction", "costs.discount_rate", "route", "seconds", *RESULTS} <= set(table)
    assert table["costs.discount_rate"].notna().sum() == 1
    assert table["policy.share_denominator"].dropna().tolist() == ["residence"]


@pytest.mark.slow
@pytest.mark.parametrize(("workers", "turned"), [(1, True), (3, True)])
def test_order_and_workers_change_nothing(workers: int, turned: bool) -> None:
    """Byte by byte, seconds apart."""
    order = np.arange(len(changes()))
    if turned:
        order = np.random.default_rng(workers).permutation(len(order))
    table = capsim.sweep(the_city(), [changes()[i] for i in order], relax=True, workers=workers)
    back = table.iloc[np.argsort(order)].reset_index(drop=True)
    pd.testing.assert_frame_equal(back[RESULTS], swept()[RESULTS], check_exact=True)
    assert back["route"].tolist() == swept()["route"].tolist()


@pytest.mark.slow
@settings(max_examples=3, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "policy.reduction": st.integers(0, 1200),
                "policy.private_share_cap.2022": st.floats(0.12, 0.3),
                "policy.purchase_ceiling_share": st.floats(0.0, 0.3),
                "costs.shortfall_cny": st.floats(1e4, 1e6),
                "costs.overfill_cny": st.floats(0.0, 1e4),
                "costs.discount_rate": st.floats(0.0, 0.1),
                "cost_terms.travel": st.booleans(),
            },
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_sweep_is_its_separate_solves(some: list[dict[str, Any]]) -> None:
    demand = capsim.project(the_city())
    table = capsim.sweep(the_city(), some, relax=True, demand=demand)
    for change, row in zip(some, table.to_dict("records"), strict=True):
        alone = capsim.optimize(the_city().variant(change), demand, relax=True, threads=1)
        assert row["status"] == alone.status
        if alone.status != "infeasible":
            assert row["objective_cny"] == pytest.approx(alone.objective_cny, rel=1e-7, abs=0.1)


@pytest.mark.slow
def test_whole_plans_within_the_gap() -> None:
    some = [changes()[i] for i in (0, 1, 7)]
    one = capsim.sweep(the_city(), some, gap=1e-3, plans=True)
    again = capsim.sweep(the_city(), some[::-1], gap=1e-3, workers=2)[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(one[RESULTS], again[RESULTS], check_exact=True)
    for change, row in zip(some, one.to_dict("records"), strict=True):
        scenario = the_city().variant(change)
        alone = capsim.optimize(scenario, gap=1e-3, threads=1)
        assert row["status"] == "optimal"
        assert row["gap"] <= 1e-3 + 1e-9
        slack = 1e-3 * max(alone.avoidable_cny, 1e6) * 1.01
        assert abs(row["objective_cny"] - alone.objective_cny) <= slack
        plan = row["plan"]
        assert plan.objective_cny == pytest.approx(row["objective_cny"], rel=1e-7)
        assert certify(scenario, plan).holds(1e-6)
        assert row["shortfall"] == pytest.approx(plan.tables["shortfall"]["shortfall"].sum())
        opened = plan.tables["projects"].query("status == 'candidate'")["copies"].sum()
        assert row["opened"] == opened
        assert row["converted"] == len(plan.tables["conversions"])
        bought = plan.tables["purchases"]["places_december"].sum()
        assert row["purchased"] == pytest.approx(bought)
        shares = plan.tables["shares"].query("county == '*' and school_year == 2022")
        assert row["private_share"] == pytest.approx(shares["share_excluding_purchased"].iloc[0])


def test_relaxed_plans_come_along() -> None:
    table = capsim.sweep(the_city(), changes()[:2], relax=True, plans=True)
    for plan, cost in zip(table["plan"], table["objective_cny"], strict=True):
        assert plan.objective_cny == pytest.approx(cost)


def test_what_cannot_hold_is_said_and_stops_nothing() -> None:
    some = [{"policy.reduction": 1e6}, {"policy.reduction": 1e5}, {"policy.reduction": 100.0}]
    table = capsim.sweep(the_city(), some, relax=True, plans=True)
    assert table["status"].tolist() == ["infeasible", "infeasible", "optimal"]
    assert table["plan"].isna().tolist() == [True, True, False]
    assert np.isnan(table["shortfall"][0])


def test_neighbours() -> None:
    """Numbers hang on the next number; other settings on the scenario."""
    ordered = the_city().settings.policy.reduction
    some = [{"policy.reduction": ordered * f} for f in (0.2, 0.8, 0.6)]
    assert [one.after for one in tree(the_city(), some)] == [2, -1, 1]
    assert [one.after for one in tree(the_city(), [{}, {"switches.land": False}])] == [-1, -1]


def test_faults_are_said() -> None:
    with pytest.raises(ValueError, match="at least one change"):
        capsim.sweep(the_city(), [])
    with pytest.raises(ValueError, match="workers must be 1 or more"):
        capsim.sweep(the_city(), [{}], workers=0)
    with pytest.raises(capsim.ScenarioError, match="policy"):
        capsim.sweep(the_city(), [{"policy.no_such_rule": 1}], relax=True)


@pytest.mark.parametrize("change", changes(), ids=str)
def test_a_model_like_another_is_the_model(change: dict[str, Any]) -> None:
    """Array by array, whatever is taken over from the scenario's own model."""
    base = capsim.formulate(the_city(), capsim.project(the_city()))
    variant = the_city().variant(change)
    own, others = capsim.formulate(variant), [capsim.formulate(variant, like=base)]
    if not any(key.split(".")[0] in ("horizon", "demand") for key in change):
        others.append(capsim.formulate(variant, base.given.demand, like=base))
    for other in others:
        for part in ("cost", "lower", "upper", "integer", "row_lower", "row_upper"):
            mine, theirs = getattr(own.program, part), getattr(other.program, part)
            assert np.array_equal(mine, theirs), part
        assert (own.program.matrix != other.program.matrix).nnz == 0
        assert own.program.offset == other.program.offset


def test_a_variant_of_settings_is_checked_all_the_same() -> None:
    with pytest.raises(capsim.ScenarioError, match="reduction_year"):
        the_city().variant({"policy.reduction_year": 1999})
    with pytest.raises(capsim.ScenarioError, match="discount_rate"):
        the_city().variant({"costs.discount_rate": "much"})
    for change in ({"policy.reduction": 1.0}, {"costs.teacher_cny": 1e12}):
        document = the_city().variant(change)
        tables = {name: document.table(name) for name in ("areas", "schools", "limits", "pupils")}
        again = document.variant(tables=tables)
        assert document.warnings == again.warnings


def _the_sites() -> tuple[Any, list[str]]:
    rng = np.random.default_rng(5)
    xy, children = rng.uniform(0, 8, (8, 2)).round(2), rng.integers(20, 200, 8)
    scenario = sites_of(
        *(xy, children),
        travel={"nearest": {"junior": 8}},
        costs={"discount_rate": 0.0, "travel_cny_per_km": 300.0, "shortfall_cny": 1e6},
        cost_terms={"capital": False, "running": False},
        choices={"all": {"kinds": ["new"], "most": 3}},
        switches={name: name in ("placement", "seats", "choice") for name in FAMILIES},
    )
    return scenario, [f"site-{i}" for i in range(8)]


@pytest.mark.slow
@pytest.mark.parametrize("relax", [False, True])
def test_every_site_in_and_out(relax: bool) -> None:
    """Each variant costs what the scenario does whose choices say the same."""
    scenario, names = _the_sites()
    some = [{f"projects.{name}": 1} for name in names[:3]] + [{"projects.site-2": 0}]
    some += [{"projects.site-0": 1, "projects.site-1": 1, "choices.all.most": 2}]
    table = capsim.sweep(scenario, some, relax=relax, gap=1e-9, plans=True)
    assert len(table) == len(some)
    assert not any(column.startswith("projects.") for column in table)
    assert (table["route"] == "warm").all()
    for change, row in zip(some, table.to_dict("records"), strict=True):
        said = {key: value for key, value in change.items() if key.startswith("choices.")}
        for key, copies in change.items():
            if key.startswith("projects."):
                name = key.removeprefix("projects.")
                said[f"choices.{name}"] = {"projects": [name], "least": copies, "most": copies}
        alone = capsim.optimize(scenario.variant(said), relax=relax, gap=1e-9, threads=1)
        assert row["objective_cny"] == pytest.approx(alone.objective_cny, rel=1e-7), change
        assert row["bound_cny"] <= alone.objective_cny * (1 + 1e-9)
        if not relax and len(change) > 1:
            ruled = scenario.variant(said)
            assert certify(ruled, row["plan"]).holds()


def test_a_table_is_swept() -> None:
    scenario, _ = _the_sites()
    fewer = scenario.table("projects").iloc[:5]
    table = capsim.sweep(scenario, [{}, {"tables.projects": fewer, "projects.site-1": 1}], gap=1e-9)
    forced = {"one": {"projects": ["site-1"], "least": 1}}
    both = scenario.settings.choices["all"].model_dump()
    less = scenario.variant({"choices": {"all": both, **forced}}, tables={"projects": fewer})
    alone = capsim.optimize(less, gap=1e-9, threads=1)
    assert table["objective_cny"][1] == pytest.approx(alone.objective_cny, rel=1e-7)
    assert table["objective_cny"][1] > table["objective_cny"][0]
    assert table["tables.projects"][1].startswith("5 rows")


def test_copies_of_no_candidate_are_refused() -> None:
    scenario, _ = _the_sites()
    some = [{"projects.site-1": 2}, {"projects.cite-1": 1}, {"projects.site-2": True}]
    with pytest.raises(ValueError, match=r"site-1: 2 where 0 to 1 copies.*site-1 .the nearest"):
        capsim.sweep(scenario, some)


def test_a_sweep_of_sites_keeps_its_time() -> None:
    scenario, names = _the_sites()
    table = capsim.sweep(scenario, [{f"projects.{name}": 1} for name in names], time_limit=1e-3)
    assert (table["status"] == "unknown").any()
    assert len(table) == len(names)
