"""What a safe plan costs, in words and as a figure."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from small_plan import written_plan

from capsim.i18n.language import Message
from capsim.reliability import Hardened
from capsim.report.figures import render
from capsim.report.figures.risk import safety, safety_figure
from capsim.report.files import safety_files
from capsim.report.screen import answer
from capsim.report.summary import holds, summarize

CURVE = pd.DataFrame(
    {
        "asked": [0.0, 0.5, 0.9, 0.95, 0.99],
        "reached": [True, True, True, True, False],
        "extra_cny": [0.0, 4e6, 8e6, 8.1e6, 20e6],
        "probability": [0.4, 0.7, 0.96, 0.965, 0.985],
        "low": [0.35, 0.68, 0.955, 0.96, 0.98],
        "high": [0.45, 0.72, 0.965, 0.97, 0.99],
    }
)


def hardened(reached: bool) -> Hardened:
    plan = written_plan()
    plan.tables["targets"] = plan.tables["targets"].assign(met=True)
    empty = pd.DataFrame({"id": []})
    return Hardened(
        scenario=plan.scenario,
        plan=plan,
        plain=plan,
        targets=("placement-compulsory", "share-2022", "share-2023"),
        asked=0.95,
        draws=10_000,
        probability=0.96 if reached else 0.8,
        low=0.955 if reached else 0.79,
        high=0.965 if reached else 0.81,
        reached=reached,
        extra_cny=12_300_000.0,
        rounds=pd.DataFrame(
            {
                "draws": [1000, 10000],
                "cost_cny": [plan.objective_cny - 12_300_000.0, plan.objective_cny],
                "expected_cny": [9e8, 8e8],
                "probability": [0.3, 0.96],
                "low": [0.27, 0.955],
                "high": [0.33, 0.965],
            }
        ),
        hurried=pd.DataFrame(
            {"project": ["B1"], "options": ["two_shifts"], "cost_cny": [3_100_000.0]}
        ),
        by_target=pd.DataFrame({"id": ["programme-build-2022"], "probability": [0.2]}),
        reasons=()
        if reached
        else (
            Message(
                "{target} fails in {chance} of draws: {typical} is typical of these, {required} is"
                " required.",
                {"target": "share-2023", "chance": "20.0 %", "typical": "6%", "required": "5%"},
            ),
        ),
        shortages=empty,
    )


def test_points_are_the_plans():
    ax = Figure().add_subplot()
    safety(ax, CURVE)
    line = ax.lines[0]
    assert line.get_xdata() == pytest.approx(100 * CURVE["probability"])
    assert line.get_ydata() == pytest.approx(CURVE["extra_cny"] / 1e6)
    texts = [text.get_text() for text in ax.texts]
    assert texts == ["cheapest plan", "asked 50 %", "asked 90 %, 95 %", "asked 99 %"]
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["probability asked for is reached", "not reached: the safest plan found"]


def test_one_plan_alone_can_be_drawn():
    ax = Figure().add_subplot()
    safety(ax, CURVE.head(1))
    assert np.isfinite(ax.get_ylim()).all()


def test_the_same_bytes():
    assert render(safety_figure(CURVE), "svg") == render(safety_figure(CURVE), "svg")


def summary_of(found: Hardened) -> dict:
    return summarize(found.plan, None, None, found, seed=0, timings_s={})


def words_of(found: Hardened, lang: str = "en") -> str:
    summary = summary_of(found)
    return " ".join(answer(found.plan, summary, unsafe=found.reasons, lang=lang).split())


def test_the_words_say_what_was_reached_and_what_it_costs():
    text = words_of(hardened(True))
    assert "THE PLAN HOLDS: together every child of compulsory age placed, private share" in text
    assert "within its cap 2022–2023 in 96 % of simulated futures, 95 % asked for" in text
    assert (
        "12.3 million RMB more than the plan that is cheapest on paper, which holds in 30 %" in text
    )
    assert "方案可靠" in words_of(hardened(True), "zh")


def test_the_words_say_why_not():
    text = words_of(hardened(False))
    assert "THE PLAN HOLDS" not in text
    assert "hold in 80 % of simulated futures, where 95 % is asked for" in text
    reason = "share 2023 fails in 20.0 % of draws: 6% is typical of these, 5% is required."
    assert f"Why it does not hold as often as asked: - {reason[0].upper()}{reason[1:]}" in text
    assert "为何达不到所要求的可能性" in words_of(hardened(False), "zh")


def test_without_a_simulation_of_the_report_targets_are_as_the_plan_was_judged():
    """What hardening has seen fail is not called safe because the report draws nothing."""
    found = hardened(True)
    first = found.plan.tables["targets"]["id"].iloc[0]
    judged = dataclasses.replace(
        found, by_target=pd.DataFrame({"id": [first], "probability": [0.2]})
    )
    summary = summary_of(judged)
    assert summary["targets"][0]["state"] == "on paper"
    assert summary["state"] == "on paper"
    assert holds(summary)
    text = words_of(judged)
    asked = first in judged.targets
    assert ("1 other targets are met on paper only" in text) is not asked


def test_doing_nothing_is_told_where_it_can_never_hold():
    found = hardened(True)
    table = found.plain.tables["targets"]
    shares = table["id"].str.startswith("share-")
    nothing = summary_of(found)["safety"]["nothing"]
    assert nothing["target"] == "share-2022"
    assert nothing["before"] == table["before"][shares].iloc[0] > nothing["required"]
    assert nothing["saves_cny"] == found.plain.avoidable_cny
    found.plain.tables["targets"] = table.assign(before=table["before"].where(~shares, 0.0))
    assert summary_of(found)["safety"]["nothing"] is None


def test_what_is_asked_for_decides_the_exit_status():
    assert holds(summary_of(hardened(True)))
    assert not holds(summary_of(hardened(False)))


def test_summary_and_files():
    found = hardened(False)
    summary = summary_of(found)["safety"]
    assert summary["reached"] is False
    assert summary["paper"]["probability"] == 0.3
    assert summary["expected_cny"] == 8e8
    assert set(summary) < {field.name for field in dataclasses.fields(Hardened)} | {
        "paper",
        "nothing",
        "expected_cny",
    }
    assert [name for name, _ in safety_files(found)] == [
        "safety/rounds.csv",
        "safety/targets.csv",
        "safety/kept_free.csv",
        "safety/hurried.csv",
    ]
