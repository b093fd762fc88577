"""What a safe plan costs, in words and as a figure."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from small_plan import written_plan

from capsim.reliability import Hardened
from capsim.report.figures import render
from capsim.report.figures.risk import safety, safety_figure
from capsim.report.files import safety_files
from capsim.report.screen import safety_text
from capsim.report.summary import safety_summary

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
        rounds=pd.DataFrame({"draws": [1000, 10000], "probability": [0.3, 0.96]}),
        by_target=empty,
        reasons=() if reached else ("share-2023 fails in 20.0% of draws.",),
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


def test_the_words_say_what_was_reached_and_what_it_costs():
    text = safety_text(hardened(True))
    assert "placement-compulsory, share 2022–2023 hold together in 96.0%" in text
    assert "10,000 fresh draws" in " ".join(text.split())
    assert "12.3 million RMB more" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 96


def test_the_words_say_why_not():
    text = safety_text(hardened(False))
    assert "The 95.0% asked for is not reached:\n- share-2023 fails in 20.0% of draws.\n" in text


def test_summary_and_files():
    found = hardened(False)
    summary = safety_summary(found)
    assert summary["reached"] is False
    assert summary["plain_probability"] == 0.3
    assert set(summary) < {field.name for field in dataclasses.fields(Hardened)} | {
        "plain_probability"
    }
    assert [name for name, _ in safety_files(found)] == [
        "safety/rounds.csv",
        "safety/targets.csv",
        "safety/kept_free.csv",
    ]
