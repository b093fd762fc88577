"""The ten rules of docs/own-rules.md: each is short, holds, and costs what it must."""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pulp
import pytest

import capsim
from capsim.certificate import certify
from capsim.lp.decomposition.blocks import split
from capsim.model.model import OwnRule

PAGE = Path(__file__).parents[1] / "docs" / "own-rules.md"
TEXT = PAGE.read_text(encoding="utf-8")
FIRST = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)[0]
RULES = dict(re.findall(r"<!-- (\w+) -->\n```python\n(.*?)```", TEXT, re.DOTALL))
GAP = 1e-7


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """The names that the page's first block leaves behind."""
    names: dict[str, Any] = {}
    exec(compile(FIRST, str(PAGE), "exec"), names)
    return names


@pytest.fixture(scope="module")
def free(page: dict[str, Any]) -> capsim.Plan:
    return capsim.optimize(page["city"], gap=GAP)


def planned(page: dict[str, Any], name: str) -> tuple[capsim.Plan, dict[str, Any]]:
    model = capsim.formulate(page["city"])
    names = {**page, "model": model, "x": model.x}
    exec(compile(RULES[name], f"{PAGE} {name}", "exec"), names)
    return capsim.optimize(model, gap=GAP), names


def opened(plan: capsim.Plan) -> pd.DataFrame:
    """Openings with what the scenario says of their projects."""
    projects = plan.scenario.table("projects").set_index("project")
    return plan.tables["openings"].join(projects[["kind", "places", "build_months"]], on="project")


def by_year(plan: capsim.Plan, column: str, **of: str) -> pd.Series:
    table = plan.tables["schools"]
    for name, value in of.items():
        table = table[table[name] == value]
    return table.groupby("school_year")[column].sum()


def filled(plan: capsim.Plan) -> float:
    table = plan.tables["schools"].query("sector == 'public'")
    return float((0.7 * (table["seats_existing"] + table["seats_new"]) - table["pupils"]).max())


def sites(plan: capsim.Plan) -> float:
    return float(opened(plan).query("kind == 'new'")["copies"].sum() - 2)


def one_start(plan: capsim.Plan) -> float:
    table = opened(plan)
    begin = [
        pd.Period(day[:7], "M") - int(months)
        for day, months in zip(table["opens"], table["build_months"], strict=True)
    ]
    half = [f"{p[:5]} {b.year} {b.month > 6}" for p, b in zip(table["project"], begin, strict=True)]
    return float(table.groupby(half)["copies"].sum().max() - 1)


def siting(plan: capsim.Plan) -> float:
    flows = plan.tables["flows"]
    first = plan.tables["openings"].set_index("project")["opens"].str[:4].astype(int)
    sites = set(plan.scenario.table("projects")["project"])
    mine = flows[flows["to_school"].isin(sites) & (flows["pupils"] > 1e-9)]
    return float((mine["school_year"] < mine["to_school"].map(first).fillna(9999)).sum())


def quota(plan: capsim.Plan) -> float:
    built = opened(plan).eval("copies * places")
    return float(0.5 * built.sum() - built[opened(plan)["kind"] == "extend"].sum())


def ratio(plan: capsim.Plan) -> float:
    south, north = (by_year(plan, "seats_new", county=county) for county in ("south", "north"))
    return float((south - 1.2 * north).max())


def large(plan: capsim.Plan) -> float:
    return float(2 - opened(plan).query("places >= 120")["copies"].sum())


def falling(plan: capsim.Plan) -> float:
    return float(by_year(plan, "pupils", school="south-old").diff().max())


def order(plan: capsim.Plan) -> float:
    first = plan.tables["openings"].set_index("project")["opens"]
    return float(first.get("south-3", "9999") > first.get("south-2", "9999"))


def budget(plan: capsim.Plan) -> float:
    costs = plan.tables["costs"].query("kind == 'capital' and school_year in (2022, 2023)")
    return float((costs["cost_cny"].sum() - 6e6) / 6e6)


CHECKS: dict[str, Callable[[capsim.Plan], float]] = {
    check.__name__: check
    for check in (filled, sites, one_start, siting, quota, ratio, large, falling, order, budget)
}
"""By how much a plan breaks each rule, from its tables alone."""


def test_the_page_has_ten_rules_of_at_most_three_lines_each() -> None:
    assert set(RULES) == {*CHECKS, "buses"}
    for name in CHECKS:
        assert len(RULES[name].splitlines()) <= 3, name


@pytest.mark.parametrize("name", CHECKS)
def test_a_rule_holds_in_the_plan_and_costs_what_it_must(
    name: str, page: dict[str, Any], free: capsim.Plan
) -> None:
    plan, _ = planned(page, name)
    assert plan.status == "optimal"
    assert CHECKS[name](plan) <= 1e-6
    assert plan.objective_cny >= free.objective_cny - 1.0
    if name != "siting":  # strengthens the program and excludes no plan
        assert CHECKS[name](free) > 1e-6
    else:
        assert plan.objective_cny == pytest.approx(free.objective_cny, rel=1e-6)
    found = certify(page["city"], plan)
    assert found.holds(1e-6)
    assert found.not_rechecked == (name,)


def test_variables_of_ones_own_are_read_and_paid(page: dict[str, Any], free: capsim.Plan) -> None:
    plan, names = planned(page, "buses")
    buses = plan.value(names["buses"])
    assert buses.index.names == ["county", "year"]
    old = [by_year(plan, "pupils", school=f"{county}-old") for county in ("north", "south")]
    need = [max(0.0, -(-(n - 120) // 50)) for part in old for n in part]
    assert buses.tolist() == need
    factor = [1.04**-t for t in range(5)] * 2
    cost = 300_000 * sum(n * f for n, f in zip(buses, factor, strict=True))
    assert plan.own_cost_cny == pytest.approx(cost)
    total = plan.tables["costs"]["discounted_cny"].sum() + cost
    assert plan.objective_cny == pytest.approx(total)
    found = certify(page["city"], plan)
    assert found.holds(1e-6)
    assert found.not_rechecked == ("seats_in_buses", "fleet", "cost of own variables")


def test_a_rule_with_a_check_is_re_checked(page: dict[str, Any], free: capsim.Plan) -> None:
    model = capsim.formulate(page["city"])
    model.add("few", model.x.open.at(year=2026).total() <= 4, check=lambda plan: sites(plan) - 2)
    plan = capsim.optimize(model, gap=GAP)
    found = certify(page["city"], plan)
    assert found.not_rechecked == ()
    assert found.table.query("family == 'own rules'")["rows"].tolist() == [1]
    assert found.holds(1e-6)
    bent = replace(free, own_rules=(OwnRule("never", 1, lambda plan: 3.0),))
    refused = certify(page["city"], bent)
    assert not refused.holds(1e-6)
    assert refused.worst == "own rules: breach of never: 3 where at most 0 is allowed"


def test_a_plan_keeps_its_rules_where_it_is_sent(page: dict[str, Any]) -> None:
    model = capsim.formulate(page["city"])
    model.add("few", model.x.open.at(year=2026).total() <= 4, check=lambda plan: 0.0)
    plan = capsim.optimize(model, gap=GAP)
    model.add("later", model.x.open.at(year=2026).total() <= 1)
    assert [rule.name for rule in plan.model.own_rules] == ["few"]
    sent = pickle.loads(pickle.dumps(plan))
    assert sent.model.program.row_names()[-1] == "few"
    assert [(rule.name, rule.check) for rule in sent.own_rules] == [("few", None)]


def test_what_cannot_be_added_is_refused(page: dict[str, Any]) -> None:
    model = capsim.formulate(page["city"])
    x = model.x
    with pytest.raises(ValueError, match="the model has 'placement' already"):
        model.add("placement", x.purchased <= 1)
    with pytest.raises(ValueError, match="'one rule' is no name of a rule"):
        model.add("one rule", x.purchased <= 1)
    with pytest.raises(ValueError, match="least: north-old, junior, 2022 has no variable"):
        model.add("least", x.purchased >= 1)
    with pytest.raises(AttributeError, match="no quantity 'bought': expected"):
        _ = x.bought
    with pytest.raises(ValueError, match="no axis 'bus': expected one of area"):
        model.add_variables("buses", "bus")
    with pytest.raises(TypeError, match="one: expected a comparison such as q <= 3, not Quantity"):
        model.add("one", x.purchased)
    for flags in ("no", 0.5, [True, None] * 6):
        where = pd.Series(flags, pd.Index(x.places.labels("school"), name="school"))
        with pytest.raises(ValueError, match="flags must be true or false, not"):
            model.add("some", x.purchased <= 1, where=where)
    with pytest.raises(ValueError, match="the model has 'place' already"):  # a kind of prices
        model.add("place", x.purchased <= 1)
    with pytest.raises(ValueError, match="an axis is named twice: year, year"):
        model.add_variables("buses", "year", "year")
    for wrong in ({"lower": 2, "upper": 1}, {"cost_cny": math.nan}, {"upper": None}):
        with pytest.raises(ValueError, match="buses: a bound or the cost is invalid"):
            model.add_variables("buses", "year", **wrong)
    assert model.own_rules == ()
    model.add("none", x.purchased <= 1, where=False)
    with pytest.raises(ValueError, match="the model has 'none' already"):
        model.add("none", x.purchased <= 1)
    model = capsim.formulate(page["city"])
    x = model.x
    model.add("bought", x.purchased <= 1, where=x.purchased.expression.exists)
    assert model.own_rules[0].rows == 10


@pytest.mark.parametrize("equal", [False, True])
def test_a_rule_has_a_price_under_its_name(page: dict[str, Any], equal: bool) -> None:
    """The dual of a ceiling on a school's intake is what one pupil more saves, solved again."""
    costs = []
    for most in (100.0, 101.0):
        model = capsim.formulate(page["city"].variant({"switches.money": False}))
        model.add("shut", model.x.open.total() <= 0.0)
        pupils = model.x.intake.at(school="south-old", year=2025)
        model.add("few", pupils == most if equal else pupils <= most)
        plan = capsim.optimize(model, gap=1e-9)
        costs.append(plan.objective_cny)
        if most == 100.0:
            priced = plan.prices(["few"]).of("few")
    assert priced["one_more_cny"].tolist() == pytest.approx([costs[0] - costs[1]], rel=1e-6)
    assert costs[0] > costs[1] + 1.0
    with pytest.raises(ValueError, match="no prices of kind 'many': expected one of place"):
        plan.prices(["many"])


@pytest.mark.parametrize("equal", [False, True])
def test_a_rule_that_cannot_hold_is_named(page: dict[str, Any], equal: bool) -> None:
    model = capsim.formulate(page["city"])
    two = model.x.open.at(project="north-1", year=2026)
    model.add("thrice", two == 3 if equal else two >= 3)
    plan = capsim.optimize(model, gap=GAP)
    assert plan.status == "infeasible"
    why = plan.explain()
    assert why is not None
    assert ("own rule thrice",) in why.conflicts
    assert "the rule thrice is kept" in " ".join(why.sentences)
    assert why.repairs is not None
    assert why.repairs.query("rule == 'own rule thrice'")["short_by"].sum() == pytest.approx(2.0)


def test_variables_by_project_and_single_ones(page: dict[str, Any]) -> None:
    model = capsim.formulate(page["city"])
    crews = model.add_variables("crews", "project", "year")
    assert crews.at(kind="extend").labels("project") == ["north-1", "south-1"]
    at_date = model.add_variables("late", "date", "county")
    assert at_date.index.names == ["county", "date"]
    peak = model.add_variables("peak", cost_cny=1000.0)
    model.add("highest", peak >= model.x.enrolled.total("school"))
    plan = capsim.optimize(model, gap=GAP)
    most = by_year(plan, "pupils").max()
    assert plan.value(peak).tolist() == pytest.approx([most])
    assert plan.own_cost_cny == pytest.approx(1000.0 * most)
    assert model.program.column_names()[-1] == "peak"


@pytest.mark.slow
def test_a_plan_keeps_variables_without_rules_where_it_is_sent(page: dict[str, Any]) -> None:
    model = capsim.formulate(page["city"])
    paid = model.add_variables("paid", "year", lower=1.0, cost_cny=100.0)
    plan = capsim.optimize(model, gap=GAP)
    sent = pickle.loads(pickle.dumps(plan))
    assert sent.value(paid).tolist() == [1.0] * 5
    assert sent.prices().table.equals(plan.prices().table)
    with pytest.raises(ValueError, match="the plan's model has no such variable"):
        plan.value(model.add_variables("later", "year"))
    with pytest.raises(TypeError, match="expected a quantity of the model, not str"):
        plan.value("paid")
    assert dir(pickle.loads(pickle.dumps(model.x))) == dir(model.x)


def test_what_is_added_after_to_pulp_is_not_in_its_plan(page: dict[str, Any]) -> None:
    model = capsim.formulate(page["city"])
    model.add("few", model.x.open.at(year=2026).total() <= 4)
    problem = model.to_pulp()
    model.add_variables("later", "year")
    model.add("shut", model.x.open.total() <= 0)
    problem.solve(pulp.HiGHS(msg=False))
    plan = capsim.Plan.from_pulp(problem)
    assert [rule.name for rule in plan.own_rules] == ["few"]
    assert 0 < opened(plan)["copies"].sum() <= 4


@pytest.mark.slow
def test_every_call_that_takes_a_model_keeps_its_rules(page: dict[str, Any]) -> None:
    model = capsim.formulate(page["city"])
    model.add("few", model.x.open.at(year=2026).total() <= 4)
    plans = [
        capsim.optimize(model, relax=True),
        capsim.optimize(model, solver="scipy"),
        capsim.optimize_lexicographic(model, ["cost"]).plan,
        *capsim.different_plans(model, 2, 0.1).plans,
    ]
    for plan in plans:
        assert [rule.name for rule in plan.own_rules] == ["few"]
        assert plan.value(model.x.open.at(year=2026).total()).item() <= 4 + 1e-6
    ranges = capsim.near_optimal(model, 0.1).projects
    assert len(ranges)
    other = capsim.project(page["city"])
    for call in (capsim.optimize, capsim.near_optimal):
        with pytest.raises(ValueError, match="a model has its demand already"):
            call(model, demand=other)
    for call in (capsim.formulate, capsim.project):
        with pytest.raises(TypeError, match="expected a Scenario, not Model"):
            call(model)
    with pytest.raises(TypeError, match="expected a Scenario, not Model"):
        capsim.sweep(model, [{}])


@pytest.mark.slow
def test_a_check_may_return_the_breach_of_every_member(page: dict[str, Any]) -> None:
    for breach, holds in ((pd.Series([-1.0, 0.0]), True), (np.array([0.0, 2.0]), False)):
        model = capsim.formulate(page["city"])
        few = model.x.open.at(year=2026).total() <= 4
        model.add("few", few, check=lambda plan, breach=breach: breach)
        assert capsim.certify(page["city"], capsim.optimize(model)).holds(1e-6) is holds


@pytest.fixture(scope="module")
def counties() -> capsim.Scenario:
    """Two counties and one planned year."""
    stages = ("primary", "junior")
    return capsim.generate(6, 20_000, 0, stages=stages, years=(2021, 2022), name="counties")


def test_only_rules_that_join_counties_couple_them(counties: capsim.Scenario) -> None:
    model = capsim.formulate(counties)
    none = model.coupling.sum()
    hired = model.x.hired

    def coupled(name: str, rule: Any) -> int:
        """Rows in which counties meet beyond those of before the rule."""
        before = model.coupling.sum()
        model.add(name, rule)
        return int(model.coupling.sum() - before)

    assert coupled("each", hired <= 5) == 0
    assert coupled("mixed", model.x.enrolled.at(county="C01").total() <= 1e6) == 0
    assert coupled("own", hired <= model.add_variables("spare", "county", "year")) == 0
    assert coupled("alone", hired.at(county="C01") <= model.add_variables("here", "year")) == 0
    assert model.coupling.sum() == none
    assert coupled("all", hired.total("county") <= 50) == 2  # a row of each stage
    assert coupled("both", hired.total("county").total("stage") <= 100) == 1
    peak = model.add_variables("peak", "year")
    assert coupled("first", hired.at(county="C01") <= peak) == 0
    assert coupled("second", hired.at(county="C02") <= peak) == 4  # all meet in the peak
    blocks = split(model.program, model.coupling).blocks
    assert sum(len(block.columns) > 1 for block in blocks) == 2


def test_quantities_of_another_scenario_are_refused(counties: capsim.Scenario) -> None:
    other = capsim.formulate(counties.variant({"costs.hire_cny": 1}))
    model = capsim.formulate(counties)
    with pytest.raises(ValueError, match="few: its quantities are of a model of another scenario"):
        model.add("few", other.x.hired <= 5)
    with pytest.raises(ValueError, match="of models of different scenarios"):
        _ = model.x.hired <= other.x.hired
    model.add("few", capsim.formulate(counties).x.hired <= 5)  # the same scenario


def test_one_planned_year_is_a_year(counties: capsim.Scenario) -> None:
    model = capsim.formulate(counties)
    spare = model.add_variables("spare", "county", "year")
    model.add("some", model.x.hired <= spare)
    names = [name for name in model.program.row_names() if name.startswith("some")]
    stages = ("primary", "junior")
    assert names == [f"some[{c},{stage},2022]" for c in ("C01", "C02") for stage in stages]


def test_a_model_is_no_plan(counties: capsim.Scenario) -> None:
    model: Any = capsim.formulate(counties)
    with pytest.raises(TypeError, match="expected a plan, not a Model"):
        capsim.simulate(model)
    with pytest.raises(TypeError, match="expected a plan, not a Model"):
        certify(counties, model)
    with pytest.raises(TypeError, match="expected a scenario, not a Model"):
        certify(model, model)
    with pytest.raises(TypeError, match="expected scenarios or their folders, not a Model"):
        capsim.compare([counties, model])


@pytest.mark.slow
def test_a_rule_by_county_costs_the_same_taken_apart(
    counties: capsim.Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs = []
    for large in (30_000, 100):
        monkeypatch.setattr("capsim.model.model.LARGE", large)
        model = capsim.formulate(counties)
        model.add("few", model.x.hired <= 5)
        costs.append(capsim.optimize(model, gap=0.01).objective_cny)
    assert costs[0] == pytest.approx(costs[1], rel=1e-3)


def test_places_are_purchased_where_they_are_for_sale(counties: capsim.Scenario) -> None:
    schools = counties.table("schools")
    private = (schools["sector"] == "private") & schools["stage"].isin(["primary", "junior"])
    schools.loc[schools.index[private][0], "purchasable_places"] = 0
    x = capsim.formulate(counties.variant({}, tables={"schools": schools})).x
    for quantity, there in (
        (x.fee, private),
        (x.purchased, private & (schools["purchasable_places"] > 0)),
    ):
        exists = pd.Series(quantity.expression.exists.ravel(), quantity.index)
        found = exists.groupby(["school", "stage"]).any()
        named = schools.loc[there, ["school", "stage"]].itertuples(index=False, name=None)
        assert set(found[found].index) == set(named)
