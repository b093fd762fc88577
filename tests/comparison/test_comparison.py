"""What differs between scenarios, how surely, and which one is dominated."""

import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cities import without_rules
from hypothesis import given, settings
from hypothesis import strategies as st

import capsim
from capsim import SolveOptions
from capsim.comparison import (
    Result,
    compare,
    differences,
    grid,
    heat,
    one_at_a_time,
    parse_settings,
    tornado,
)
from capsim.comparison.differences import Proof, differences_of, matched, paired
from capsim.comparison.ranking import Job, summary_of
from capsim.i18n.language import width
from capsim.io.cache import ResultStore
from capsim.io.executors import processes
from capsim.plan.targets import make_target
from capsim.report import comparison_text
from capsim.report.figures.comparison import beyond_committed
from capsim.report.files import comparison_files
from capsim.report.summary import comparison_summary
from capsim.scenario import generate

SMALL = {"stages": ("primary", "junior"), "years": (2021, 2022), "name": "city"}
VALUES = {"costs.overfill_cny": [1000, 3000], "policy.reduction": [100, 5000]}


@pytest.fixture(scope="module")
def city():
    return generate(2, 8000, 0, **SMALL)


@pytest.fixture(scope="module")
def compared(city):
    """Settings varied one at a time; 5,000 private pupils cannot be shed."""
    scenarios, factors = one_at_a_time(city, VALUES)
    return compare(scenarios, draws=20, seed=3, factors=factors, prices=True)


def test_equal_scenarios_do_not_differ(city):
    assert differences(city, generate(2, 8000, 0, **SMALL)).empty
    called = city.variant({"title": "Another", "title_zh": "另一座"}, name="another")
    assert differences(city, called).empty


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
    assert (rows[0]["first"], rows[0]["value"]) == ("5000", "7000")
    assert {
        "table": "schools",
        "key": key,
        "column": "places",
        "first": f"{was:g}",
        "value": f"{was + 5:g}",
    } in rows
    lost = f"{gone['area']} / {gone['year']}"
    assert {"table": "births", "key": lost, "column": "", "first": "a row", "value": ""} in rows
    assert len(rows) == 3


def found(name, missed, total, displaced, shortfall, gap=0.0):
    """A scenario's headline with a plan that costs the total and is proved to within the gap."""
    proved = {"missed": missed, "objective_cny": total, "bound_cny": total - gap, "plan": name}
    figures = {"displaced": displaced, "shortfall": shortfall, "committed_cny": 0.0}
    return Result({"scenario": name, "status": "optimal", **proved, **figures}, (), {})


def test_dearer_and_no_better_is_dominated_and_no_plan_comes_last():
    results = {
        "none": Result({"scenario": "none", "status": "infeasible"}, (), {}),
        "misses": found("misses", 1, 0.5, 9.0, 0.0),
        "dear": found("dear", 0, 3.0, 5.0, 0.0),
        "kind": found("kind", 0, 2.0, 5.0, 0.0),
        "cheap": found("cheap", 0, 1.0, 10.0, 0.0),
    }
    table = summary_of(results, "objective_cny").set_index("scenario")
    assert list(table.index) == ["cheap", "kind", "dear", "misses", "none"]
    assert table["dominated_by"].tolist() == ["", "", "kind", "", ""]
    assert table["level_with"].tolist() == [""] * 5
    assert table["difference_cny"].isna().all()  # the first has no plan


def test_within_both_gaps_nothing_is_dearer_nor_dominated():
    """100 proved from 97: 101 from 99.5 may be the same, 102 from 100.5 is not."""
    results = {
        "first": found("first", 0, 100.0, 5.0, 0.0, gap=3.0),
        "near": found("near", 0, 101.0, 50.0, 0.0, gap=1.5),
        "far": found("far", 0, 102.0, 5.0, 0.0, gap=1.5),
        "strict": found("strict", 1, 102.0, 5.0, 0.0, gap=9.0),
    }
    table = summary_of(results, "objective_cny").set_index("scenario")
    assert table.loc["near", "level_with"] == "first;far"
    assert table.loc["far", "level_with"] == "near"
    assert table["dominated_by"].tolist() == ["", "", "first", ""]
    above = table.loc["far", [f"difference_{end}cny" for end in ("", "low_", "high_")]]
    assert above.tolist() == [2.0, 0.5, 5.0]


def test_money_of_two_currencies_is_not_compared(city):
    other = city.variant({"currency": "USD", "costs.borrowed_rate": 0.14}, name="other")
    with pytest.raises(ValueError, match="scenarios of one currency, not of CNY, USD"):
        compare([city, other])


def test_one_scenario_or_equal_names_or_an_unknown_criterion_are_refused(city):
    with pytest.raises(ValueError, match="two or more scenarios"):
        compare([city])
    with pytest.raises(ValueError, match="two or more scenarios"):
        compare([city, city])
    for wrong in ("beauty", "scenario"):
        with pytest.raises(ValueError, match=f"no column {wrong} to rank by"):
            compare([city, city.variant({}, name="other")], criterion=wrong)


def test_figures_are_those_of_plan_and_simulation(city, compared):
    plan = capsim.optimize(city)
    outcomes = capsim.simulate(plan, draws=20, seed=3)
    row = compared.tables["summary"].set_index("scenario").loc["city"]
    assert row["objective_cny"] == pytest.approx(plan.objective_cny, rel=1e-9)
    assert row["least_probability"] == outcomes.tables["targets"]["probability"].min()
    costs = compared.tables["costs"]
    costs = costs[costs["scenario"] == "city"]
    assert costs["discounted_cny"].sum() == pytest.approx(plan.objective_cny, rel=1e-9)
    assert set(costs["school_year"]) >= {2022}
    pd.testing.assert_frame_equal(
        compared.results["city"].tables["draws"], outcomes.tables["draws"]
    )
    priced = compared.tables["binding"]
    assert len(priced[priced["scenario"] == "city"]) == len(plan.prices(intervals=False).binding())


def test_differences_are_taken_draw_by_draw(compared):
    table = compared.tables["differences"]
    one, two = (
        compared.results[name].tables["draws"] for name in ("city", "city: costs.overfill_cny=1000")
    )
    row = table[
        (table["scenario"] == "city: costs.overfill_cny=1000") & (table["what"] == "cost_cny")
    ]
    difference = (two["cost_cny"] - one["cost_cny"]).to_numpy()
    assert row["difference"].item() == pytest.approx(difference.mean())
    half = 2.0930240544 * difference.std(ddof=1) / np.sqrt(20)  # Student's t, 19 degrees
    gap = compared.tables["summary"].set_index("scenario")
    gap = gap["objective_cny"] - gap["bound_cny"]
    high = difference.mean() + half + gap["city"]
    low = difference.mean() - half - gap["city: costs.overfill_cny=1000"]
    assert row["high"].item() == pytest.approx(high)
    assert row["low"].item() == pytest.approx(low)
    assert "city: policy.reduction=5000" not in set(table["scenario"])
    chance = table[table["what"] == "probability of share-2022"]
    assert ((chance["first"] >= 0) & (chance["mean"] <= 1)).all()


@pytest.mark.slow
def test_equal_content_differs_by_nothing(city):
    same = compare([city, city.variant({}, name="twin")], draws=10)
    table = same.tables["differences"]
    drawn = table[~table["what"].str.startswith("probability")]
    assert (drawn[["difference", "low", "high"]] == 0).all(axis=None)
    assert same.tables["summary"]["dominated_by"].tolist() == ["", ""]


def ordered(city):
    """A city in which every candidate is ordered for its earliest day, at no limit of money."""
    projects, limits = city.table("projects"), city.table("limits")
    due = projects["due"].where(projects["due"] != "", projects["earliest_opening"])
    tables = {
        "projects": projects.assign(status="ordered", due=due),
        "limits": limits[~limits["kind"].isin(["capital", "land"])],
    }
    return city.variant({}, tables=tables, name="everything ordered")


@pytest.fixture(scope="module")
def three():
    """A city of three areas and its variant, in which all is ordered that might be built."""
    city = generate(3, 8000, 0, stages=("primary", "junior"), years=(2021, 2025), name="city")
    city = without_rules(city)
    return compare([ordered(city), city], draws=20)


@pytest.mark.slow
def test_what_is_ordered_already_counts(three):
    """What is decided there is 0.24 million cheaper, but 48.6 million more are committed."""
    summary = three.tables["summary"].set_index("scenario")
    assert summary.index.tolist() == ["city", "everything ordered"]
    city, everything = (summary.loc[name] for name in summary.index)
    assert everything["avoidable_cny"] < city["avoidable_cny"]
    assert everything["committed_cny"] > city["committed_cny"] + 4e7
    assert everything["objective_cny"] > city["objective_cny"] + 4e7
    assert everything["dominated_by"] == "city"
    assert city["dominated_by"] == "" == city["level_with"]
    parts = summary["committed_cny"] + summary["avoidable_cny"]
    assert parts.to_numpy() == pytest.approx(summary["objective_cny"].to_numpy(), rel=1e-12)
    for name in ("costs", "years"):
        sums = three.tables[name].groupby("scenario")[["discounted_cny", "committed_cny"]].sum()
        sums = sums.loc[summary.index].to_numpy()
        columns = ["objective_cny", "committed_cny"]
        assert sums == pytest.approx(summary[columns].to_numpy(), rel=1e-9)
    text = " ".join(comparison_text(three).split())
    whole, less, committed, fewer = (
        f"{amount / 1e6:,.1f}"
        for amount in (
            city["objective_cny"],
            everything["objective_cny"] - city["objective_cny"],
            city["committed_cny"],
            everything["committed_cny"] - city["committed_cny"],
        )
    )
    assert text.startswith(f"city comes first of 2 scenarios by total cost, discounted: {whole}")
    assert f"city costs {less} million RMB less than everything ordered (proved: " in text
    assert f"city: {committed} million RMB, {fewer} million RMB less than everything" in text
    chinese = comparison_text(three, lang="zh")
    assert "既定支出各情景不同，应比较总成本" in chinese
    less = everything["committed_cny"] - city["committed_cny"]
    told = f"city：{city['committed_cny'] / 1e8:.2f}亿元，比everything ordered少{less / 1e4:,.0f}"
    assert told in "".join(chinese.split("\n"))


def test_bars_of_cost_are_as_far_apart_as_the_whole(three):
    bars = beyond_committed(three.tables["costs"]).sum(axis=1)
    whole = three.tables["summary"].set_index("scenario")["objective_cny"]
    gap = whole["everything ordered"] - whole["city"]
    assert bars["everything ordered"] - bars["city"] == pytest.approx(gap, rel=1e-9)
    assert bars["city"] < 0.3 * whole["city"]


@pytest.mark.slow
@pytest.mark.parametrize("gap", [1e-9, 1e-3, 0.2])
def test_a_lever_that_no_plan_uses_makes_no_difference(city, gap):
    """At 900,000 RMB a place nothing is bought, whatever the ceiling; plans may differ in ties."""
    prices = dict.fromkeys(("standards.primary", "standards.junior"), 900_000)
    dear = city.variant({f"{key}.purchase_price_cny": price for key, price in prices.items()})
    schools = dear.table("schools").assign(purchase_price_cny=900_000.0)
    dear = dear.variant({}, tables={"schools": schools}, name="dear")
    scenarios, factors = grid(dear, parse_settings(["policy.purchase_ceiling_share=0,0.05"]))
    same = compare(scenarios, draws=20, factors=factors, gap=gap)
    assert (same.tables["summary"]["purchased_most"] == 0).all()
    assert not same.tables["differences"]["differs"].any()
    assert (same.tables["summary"]["level_with"].str.count(";") == 1).all()
    assert (same.tables["summary"]["dominated_by"] == "").all()
    files = dict(comparison_files(same))
    assert b"False" in files["tornado.csv"]
    assert "tornado.png" not in files
    text = " ".join(files["comparison.txt"].decode().split())
    assert text.startswith("NO DIFFERENCE between the 3 scenarios: total cost")
    assert " costs " not in text
    assert " ".join(comparison_text(same, lang="zh").split()).startswith("3个情景没有差异")


def test_plans_that_cost_the_same_do_not_differ_by_what_is_simulated_of_them():
    """51,000 RMB for sure between two plans of the same cost are luck of the search."""
    one = pd.DataFrame({"draw": range(3), "paid_cny": [1e6, 2e6, 3e6], "displaced": [1.0, 2, 3]})
    two = one.assign(paid_cny=one["paid_cny"] - 51e3, displaced=one["displaced"] + 7)
    targets = {"one": {}, "two": {}}
    for other, differs in (
        (Proof(0, 9e6, 9e6, "b"), False),  # a tie
        (Proof(0, 9.1e6, 8.9e6, "b"), False),  # within the gap
        (Proof(0, 9e6, 9e6, "a"), True),  # the same plan met with other luck
        (Proof(0, 9.1e6, 9.1e6, "b"), True),
        (Proof(1, 9e6, 9e6, "b"), True),  # another number of targets is missed
    ):
        proofs = {"one": Proof(0, 9e6, 9e6, "a"), "two": other}
        table = differences_of({"one": one, "two": two}, targets, proofs)
        assert table["differs"].tolist() == [differs] * 2
    widened = {"one": Proof(0, 9e6, 8.99e6, "a"), "two": Proof(0, 9.1e6, 9.08e6, "b")}
    table = differences_of({"one": one, "two": two}, targets, widened).set_index("what")
    assert table.loc["paid_cny", ["low", "high"]].tolist() == pytest.approx([-71e3, -41e3])


@pytest.mark.slow
def test_no_simulation_and_no_plan_at_first_leave_differences_empty(city):
    hopeless = city.variant({"policy.reduction": 5000}, name="hopeless")
    compared = compare([hopeless, city], draws=5)
    assert compared.tables["differences"].empty
    assert compared.results["hopeless"].sentences
    assert "hopeless:" in comparison_text(compared)
    assert compare([city, hopeless], draws=0).tables["differences"].empty


@pytest.mark.slow
@pytest.mark.parametrize("pool", [lambda: ThreadPoolExecutor(2), nullcontext])
def test_resumes_from_its_store_with_any_executor(city, tmp_path, pool, monkeypatch):
    scenarios, factors = one_at_a_time(city, {"costs.overfill_cny": [1000, 3000]})
    options = {"draws": 3, "seed": 3, "factors": factors}

    def stop(phase):
        if phase.startswith("2 "):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compare(scenarios, progress=stop, store=tmp_path, **options)
    assert len(list(tmp_path.glob("*.result"))) == 2
    said = []
    with pool() as executor:
        found = compare(
            scenarios, progress=said.append, executor=executor, store=tmp_path, **options
        )
    assert said[0].startswith("2 of 3")
    monkeypatch.setattr(sys.modules["capsim.comparison.ranking"], "optimize", None)
    again = compare(scenarios, store=tmp_path, **options)
    for name, table in found.tables.items():
        pd.testing.assert_frame_equal(table, again.tables[name])
    with pytest.raises(TypeError):
        compare(scenarios, **options)


def test_another_seed_or_option_or_content_is_another_result(city):
    job = Job(city, 3, 0, SolveOptions(), False)
    ways = [{"gap": 0.01}, {"solver": "cbc"}, {"time_limit": 5.0}]
    others = [{"seed": 1}, {"draws": 4}, {"prices": True}]
    others += [{"options": SolveOptions(**way)} for way in ways]
    others += [{"scenario": city.variant({"costs.hire_cny": 1})}]
    keys = {replace(job, **change).key for change in others} | {job.key}
    assert len(keys) == 1 + len(others)
    assert replace(job, scenario=generate(2, 8000, 0, **SMALL)).key == job.key


@pytest.mark.slow
def test_processes_give_the_same_tables(city, compared):
    scenarios, factors = one_at_a_time(city, VALUES)
    with processes(2) as pool:
        found = compare(scenarios, draws=20, seed=3, factors=factors, prices=True, executor=pool)
    for name, table in compared.tables.items():
        pd.testing.assert_frame_equal(table, found.tables[name])


def test_a_result_comes_back_from_a_store(compared, tmp_path):
    store = ResultStore(tmp_path)
    for key, result in compared.results.items():
        store.write(key, result)
        found = store.read(key)
        assert found.headline == pytest.approx(result.headline, nan_ok=True)
        assert found.sentences == result.sentences
        for name, table in result.tables.items():
            pd.testing.assert_frame_equal(found.tables[name], table)


def test_a_grid_is_the_product_and_each_scenario_says_its_settings(city):
    scenarios, factors = grid(city, VALUES)
    assert [one.name for one in scenarios][:2] == [
        "city",
        "city: costs.overfill_cny=1000, policy.reduction=100",
    ]
    assert len(scenarios) == 5
    assert scenarios[2].settings.costs.overfill_cny == 1000
    assert scenarios[2].settings.policy.reduction == 5000
    assert factors[scenarios[4].name] == {"costs.overfill_cny": 3000, "policy.reduction": 5000}
    with pytest.raises(capsim.ScenarioError, match="overfil_cny"):
        grid(city, {"costs.overfil_cny": [1]})


def test_settings_of_a_command_line():
    said = ["a.b=1,2.5", 'c=["x"],["y", "z"]', "d=true,false", "e=2022-12-31", "f=whole, county"]
    found = parse_settings(said)
    assert found["a.b"] == [1, 2.5]
    assert found["c"] == [["x"], ["y", "z"]]
    assert found["d"] == [True, False]
    assert str(found["e"][0]) == "2022-12-31"
    assert found["f"] == ["whole", "county"]
    for wrong in (["a"], ["=1"], ["a="], ["a=1", "a=2"]):
        with pytest.raises(ValueError, match=r"KEY=VALUE|given twice"):
            parse_settings(wrong)


def test_a_tornado_ranks_settings_and_names_what_has_no_plan(compared):
    summary = compared.tables["summary"]
    table = tornado(summary, compared.factors, "city", "objective_cny").set_index("key")
    assert table.index.tolist() == ["policy.reduction", "costs.overfill_cny"]
    known = summary.set_index("scenario")["objective_cny"]
    row = table.loc["costs.overfill_cny"]
    assert (row["low_value"], row["high_value"]) == ("1000", "3000")
    assert row["low"] == known["city: costs.overfill_cny=1000"]
    assert row["range"] == row["high"] - row["low"] > 0
    assert row["differs"]
    assert table["no_plan"].tolist() == ["5000", ""]
    assert table["base"].tolist() == [known["city"]] * 2


def test_a_heat_map_has_a_cell_for_each_pair():
    factors = {f"s{i}{j}": {"a": i, "b": j} for i in (1, 2) for j in (True, False)}
    summary = pd.DataFrame({"scenario": ["base", *factors], "gap": [9.0, 1.0, 2.0, np.nan, 4.0]})
    table = heat(summary, factors, "gap")
    assert table.index.tolist() == ["1", "2"]
    assert table.columns.tolist() == ["true", "false"]
    assert table.fillna(-1).to_numpy().tolist() == [[1.0, 2.0], [-1.0, 4.0]]
    with pytest.raises(ValueError, match="of two settings, not of a"):
        heat(summary, {"s": {"a": 1}}, "gap")


@pytest.mark.slow
def test_files_hold_tables_figures_and_json(compared):
    files = dict(comparison_files(compared))
    assert {"tornado.csv", "tornado.png", "factors.csv", "binding.csv", "comparison.json"} <= set(
        files
    )
    assert files["tornado.png"].startswith(b"\x89PNG")
    said = comparison_summary(compared)
    assert said["first"] == "city"
    assert len(said["summary"]) == 5
    assert said["summary"][-1]["missed"] is None
    text = comparison_text(compared)
    assert "Cost on the same luck, 20 draws:" in text
    assert "no plan meets what is ordered" in text
    assert "costs.overfill_cny=3000 costs" in text
    assert "5,000 fewer pupils count as private" in " ".join(text.split())
    chinese = comparison_text(compared, lang="zh")
    assert "没有方案能满足全部要求" in chinese
    assert "计入民办的学生减少5,000人" in "".join(chinese.split())
    assert max(map(width, chinese.splitlines())) <= 130


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:no installed font has the characters")
def test_the_page_holds_every_table_in_both_languages(compared):
    files = {lang: dict(comparison_files(compared, lang=lang)) for lang in ("en", "zh")}
    assert files["en"] == dict(comparison_files(compared))
    page = files["en"]["comparison.html"].decode()
    data = {
        name: json.loads(rows)
        for name, rows in re.findall(
            r'data-table="([^"]+)".*?<script type="application/json" class="data">(.*?)</script>',
            page,
            re.DOTALL,
        )
    }
    summary = compared.tables["summary"]
    ranked = data["ranking"]["rows"]
    assert [row[1] for row in ranked] == summary["scenario"].tolist()
    assert ranked[-1][-1] == "no plan"
    cost = summary["objective_cny"].iloc[0] / 1e6
    assert ranked[0][3] == pytest.approx(cost, abs=0.05)
    tables = compared.tables
    for name in ("inputs", "targets", "years", "limits"):
        assert len(data[name]["rows"]) == len(tables[name]) > 0
    assert len(data["prices"]["rows"]) == len(tables["binding"]) > 0
    money = tables["differences"]["what"].str.endswith("_cny")
    shown = sorted(row[4] for row in data["differences-money"]["rows"])
    known = sorted(tables["differences"]["difference"][money] / 1e6)
    assert shown == pytest.approx(known, abs=0.051)
    told = ("money", "children", "shares")
    listed = sum(len(data[f"differences-{name}"]["rows"]) for name in told)
    assert listed == len(tables["differences"])
    assert {row[1] for row in data["tornado-data"]["rows"]} <= {"100", "1000", ""}
    for scenario in compared.scenarios.values():
        assert scenario.hash in page
    assert "情景比较" in files["zh"]["comparison.html"].decode()
    assert files["zh"]["cost.svg"] != files["en"]["cost.svg"]


def test_limits_that_bind_are_those_of_the_plan(city, compared):
    used = capsim.optimize(city).tables["limits_used"]
    rows = compared.tables["limits"]
    rows = rows[rows["scenario"] == "city"]
    assert len(rows) == (used["binds"] & (used["year"] >= city.first_year)).sum()


def test_intervals_cover_as_often_as_they_say():
    rng = np.random.default_rng(0)
    hits = chances = 0
    for _ in range(400):
        common = rng.normal(0, 50, 30)
        low, high = paired(common, common + 1 + rng.normal(0, 2, 30))[1:]
        hits += low <= 1 <= high
        first = rng.random(60) < 0.8
        other = np.where(rng.random(60) < 0.1, rng.random(60) < 0.5, first)
        low, high = matched(first, other)[1:]
        chances += low <= 0.1 * (0.5 - 0.8) <= high
    assert 0.92 <= hits / 400 <= 0.98
    assert 0.92 <= chances / 400 <= 0.995


@settings(max_examples=50)
@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20), st.floats(-100, 100))
def test_a_common_shift_is_certain_and_pairs_swap_signs(values, shift):
    first = np.array(values)
    mean, low, high = paired(first, first + shift)
    assert low <= mean <= high
    assert mean == pytest.approx(shift, abs=1e-6)
    back = paired(first + shift, first)
    assert back == pytest.approx((-mean, -high, -low), abs=1e-9)


def test_only_common_draws_are_paired():
    one = pd.DataFrame({"draw": range(4), "cost_cny": [1.0, 2, 3, 4], "share-2022": 0.05})
    two = pd.DataFrame(
        {"draw": range(3), "cost_cny": [2.0, 3, 4], "share-2022": [0.06, 0.05, 0.04]}
    )
    cap, lower = (make_target("share-2022", "2022-12-31", share) for share in (0.05, 0.045))
    targets = {"one": {"share-2022": cap}, "two": {"share-2022": lower}}
    proofs = {name: Proof(0, cost, cost, name) for name, cost in (("one", 1.0), ("two", 2.0))}
    table = differences_of({"one": one, "two": two}, targets, proofs).set_index("what")
    assert table["draws"].tolist() == [3, 3, 3]
    assert table.loc["cost_cny", ["first", "mean", "difference"]].tolist() == [2, 3, 1]
    assert table.loc["probability of share-2022", ["first", "mean"]].tolist() == [
        1,
        pytest.approx(1 / 3),
    ]


def test_a_floor_is_met_from_above():
    floor = make_target("kindergarten_public-2022", "2022-12-31", 0.85)
    one, two = (
        pd.DataFrame({"draw": range(2), floor.id: shares}) for shares in ([0.80, 0.86], [0.9, 0.85])
    )
    targets = {"one": {floor.id: floor}, "two": {floor.id: floor}}
    proofs = {name: Proof(0, cost, cost, name) for name, cost in (("one", 1.0), ("two", 2.0))}
    table = differences_of({"one": one, "two": two}, targets, proofs).set_index("what")
    assert table.loc[f"probability of {floor.id}", ["first", "mean"]].tolist() == [0.5, 1.0]
