"""The summary keeps its promised keys; the answer says what the tables say."""

import json

import numpy as np
import pandas as pd
import pytest
from small_plan import written_certificate, written_explanation, written_outcomes, written_plan

from capsim.i18n.language import words
from capsim.plan.targets import COLUMNS, tight_targets
from capsim.report import answer, csv, files, holds, summarize, to_json
from capsim.report.narrative import cost_spread

PLAN = written_plan()
OUTCOMES = written_outcomes(PLAN)
SUMMARY = summarize(PLAN, written_certificate(), OUTCOMES, seed=7, timings_s={"load": 0.5})

KEYS = {
    "scenario": {"name", "hash", "currency", "does_without", "read_as"},
    "versions": None,
    "seed": None,
    "status": None,
    "gap": None,
    "objective_cny": None,
    "state": None,
    "asked_probability": None,
    "targets": None,
    "reduction": {
        "ordered",
        "new_seats",
        "converted",
        "purchased",
        "overfilled",
        "existing_seats",
        "fewer_pupils",
        "total",
    },
    "private_share": None,
    "displaced_pupils": None,
    "surplus_places": None,
    "teachers": None,
    "cost_cny": {"by_kind", "by_year"},
    "certificate": {"bound", "checked", "max_violation", "worst"},
    "simulation": None,
    "timings_s": None,
}


def test_summary_has_exactly_the_promised_keys():
    assert list(SUMMARY) == list(KEYS)
    for key, inner in KEYS.items():
        if inner is not None:
            assert set(SUMMARY[key]) == inner
    for row in SUMMARY["targets"]:
        assert list(row) == [*COLUMNS, "probability", "mean", "p05", "p95", "state"]
    assert SUMMARY["simulation"]["draws"] == 100


def test_summary_of_the_figures():
    assert SUMMARY["private_share"]["2022"] == pytest.approx(
        {"excluding_purchased": 0.05, "including_purchased": 0.11}
    )
    assert SUMMARY["displaced_pupils"]["2022"] == pytest.approx(8 * 3.0)
    assert SUMMARY["surplus_places"]["2023"] == pytest.approx(2 * (12 + 24 + 36 + 12))
    assert SUMMARY["cost_cny"]["by_kind"]["purchase"] == pytest.approx(9 * 2 * 1.8e6)
    assert sum(SUMMARY["cost_cny"]["by_year"].values()) == pytest.approx(
        sum(SUMMARY["cost_cny"]["by_kind"].values())
    )
    assert SUMMARY["targets"][1]["probability"] == pytest.approx(0.2 + 0.8 / 5)
    assert SUMMARY["simulation"]["headlines"]["cost_cny"]["p50"] == 3e9


def test_summary_is_strict_json_of_plain_numbers():
    plan = written_plan()
    plan.gap = np.float64(np.nan)
    text = to_json(summarize(plan, seed=0, timings_s={}))
    read = json.loads(text, parse_constant=pytest.fail)
    assert read["gap"] is None
    assert read["targets"][0]["probability"] is None
    assert read["targets"][0]["met"] is False


def test_a_missed_target_is_not_a_plan_that_holds():
    assert not holds(SUMMARY)
    plan = written_plan()
    plan.tables["targets"]["met"] = True
    assert holds(summarize(plan, seed=0, timings_s={}))


@pytest.mark.parametrize(
    ("asked", "state", "said"),
    [
        (0.95, "on paper", "ON PAPER the plan meets all 6 targets"),
        (0.1, "holds", "THE PLAN MEETS ALL TARGETS"),
    ],
)
def test_a_target_that_too_few_futures_keep_is_met_on_paper(
    asked: float, state: str, said: str
) -> None:
    plan = written_plan()
    plan.tables["targets"]["met"] = True
    plan.scenario.settings.reliability.probability = asked
    summary = summarize(plan, None, OUTCOMES, seed=0, timings_s={})
    text = answer(plan, summary, OUTCOMES)
    assert said in text
    assert summary["state"] == state
    for row in summary["targets"]:
        assert row["state"] == ("holds" if row["probability"] >= asked else "on paper")
    assert ("As buildings and children really arrive" in text) == (state == "on paper")


def test_infeasible_gives_the_explanation_and_no_figure():
    plan = written_plan()
    plan.status, plan.tables = "infeasible", {}
    plan.gap = plan.objective_cny = float("nan")
    plan.explanation = written_explanation()
    summary = summarize(plan, seed=0, timings_s={})
    assert list(summary) == [*KEYS, "explanation"]
    assert not holds(summary)
    assert "lacks 4,310 places" in answer(plan, summary)
    assert [name for name, _ in files(plan, summary)] == [
        "report.html",
        "explanation.csv",
        "repairs.csv",
    ]


def test_answer_fits_one_screen_and_names_what_matters():
    text = answer(PLAN, SUMMARY, OUTCOMES)
    lines = text.splitlines()
    assert len(lines) <= 50
    assert max(map(len, lines)) <= 100
    assert "MISSES 1 OF 6 TARGETS" in text
    assert "converted schools 90 (39 %)" in text
    assert "5.00 % without purchased places, 11.00 % with them" in text
    assert "teachers to hire used up in 2022 (1 county)" in text
    assert "places for sale used up in 2022" in text
    assert "P011 (66 % on time, 61 pupils)" in text
    assert "share       2022-12-31   25.70 %   5.00 %   5.00 %  on paper" in text
    assert "counted private pupils on 1 September: 1,542 in 2021, 1,312 in 2022" in text
    assert "counties above 5.00 % at the end of 2022: 0 of 2 (worst C01 5.00 %)" in text
    assert "above it in 2021: 2 of 2 (worst C01 25.70 %)" in text
    assert "large classes: 3.00 % in 2021, 4.00 % in 2022, at most 12.00 % (2030)" in text
    assert "junior 7 in 2022 (C01 7), 7 child-years in all" in text


@pytest.mark.parametrize(
    ("missing_cny", "said"),
    [(0.0, ""), (2e9, ", missing children not counted")],
)
def test_the_spread_of_costs_says_what_it_leaves_out(missing_cny, said):
    plan = written_plan()
    costs = pd.DataFrame({"kind": ["shortfall"], "discounted_cny": [missing_cny]})
    plan.tables["costs"] = pd.concat([plan.tables["costs"], costs], ignore_index=True)
    drawn = {"simulation": {"headlines": {"paid_cny": {"p05": 2e9, "p95": 3e9}}}}
    plan.committed_cny = 0.0
    spread = cost_spread(plan, drawn, words("en"))
    assert spread == f"nine simulations in ten: between 2.00 bn RMB and 3.00 bn RMB{said}"


def test_tight_targets_are_those_met_with_no_room():
    assert tight_targets(PLAN.tables["targets"]) == ["share-2022", "programme-build-2022"]


def test_csv_reads_back_exactly():
    table = pd.DataFrame({"x": [1 / 3, 1e22, 5e-324, 0.1 + 0.2]})
    text = csv(table).decode().splitlines()[1:]
    assert [float(line) for line in text] == table["x"].to_list()


@pytest.mark.slow
def test_files_are_the_same_twice():
    certificate = written_certificate()
    first = dict(files(PLAN, SUMMARY, certificate, OUTCOMES))
    again = written_plan()
    second = dict(files(again, SUMMARY, certificate, written_outcomes(again)))
    assert first == second
    pictures = {name.rsplit(".", 1)[0] for name in first if name.startswith("figures/")}
    assert len(pictures) >= 6
    assert {f"{name}.png" for name in pictures} | {f"{name}.svg" for name in pictures} <= set(first)
    assert {"plan/targets.csv", "plan/certificate.csv", "outcomes/draws.csv"} <= set(first)
