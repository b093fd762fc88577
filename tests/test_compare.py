"""What differs between scenarios, and which one is dominated."""

import sys
from types import SimpleNamespace

import pytest

from capsim.compare import _summary, compare, differences
from capsim.scenario.generate import generate

SMALL = {"stages": ("primary", "junior"), "years": (2021, 2023), "name": "city"}


@pytest.fixture(scope="module")
def city():
    return generate(2, 8000, 0, **SMALL)


def test_equal_scenarios_do_not_differ(city):
    assert differences(city, generate(2, 8000, 0, **SMALL)).empty


def test_changed_settings_and_cells_and_rows_are_named(city):
    schools = city.table("schools")
    schools.loc[0, "places"] += 5
    gone = city.table("births").iloc[-1]
    other = city.variant(
        {"costs.hire_cny": 7000},
        tables={"schools": schools, "births": city.table("births").iloc[:-1]},
        name="other",
    )
    rows = differences(city, other).to_dict("records")
    key = f"{schools.loc[0, 'school']} / {schools.loc[0, 'stage']}"
    was = city.table("schools").loc[0, "places"]
    assert {"table": "scenario.toml", "key": "", "column": "costs.hire_cny"}.items() <= rows[
        0
    ].items()
    assert (rows[0]["first"], rows[0]["value"]) == ("5000.0", "7000.0")
    assert {
        "table": "schools",
        "key": key,
        "column": "places",
        "first": str(was),
        "value": str(was + 5),
    } in rows
    lost = f"{gone['area']} / {gone['year']}"
    assert {"table": "births", "key": lost, "column": "", "first": "a row", "value": ""} in rows
    assert len(rows) == 3


def test_worse_in_everything_is_dominated_and_no_plan_comes_last(monkeypatch):
    figures = {
        "cheap": {"missed": 0, "avoidable_cny": 1.0, "displaced": 10.0, "shortfall": 0.0},
        "kind": {"missed": 0, "avoidable_cny": 2.0, "displaced": 5.0, "shortfall": 0.0},
        "dear": {"missed": 0, "avoidable_cny": 3.0, "displaced": 5.0, "shortfall": 0.0},
        "misses": {"missed": 1, "avoidable_cny": 0.5, "displaced": 9.0, "shortfall": 0.0},
        "none": {"status": "infeasible"},
    }

    def headline(plan, outcomes):
        return {"scenario": plan.name, "status": "optimal"} | figures[plan.name]

    monkeypatch.setattr(sys.modules["capsim.compare"], "_headline", headline)
    plans = {name: SimpleNamespace(name=name) for name in reversed(figures)}
    table = _summary(plans, {}, "avoidable_cny").set_index("scenario")
    assert list(table.index) == ["cheap", "kind", "dear", "misses", "none"]
    assert table["dominated_by"].to_dict() == {
        "cheap": "",
        "kind": "",
        "dear": "kind",
        "misses": "",
        "none": "",
    }


def test_one_scenario_or_equal_names_or_an_unknown_criterion_are_refused(city):
    with pytest.raises(ValueError, match="two or more scenarios"):
        compare([city])
    with pytest.raises(ValueError, match="two or more scenarios"):
        compare([city, city])
    with pytest.raises(ValueError, match="no column beauty to rank by"):
        compare([city, city.variant({}, name="other")], criterion="beauty")
