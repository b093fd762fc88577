"""No output calls a target safe that too few simulated futures keep: all files, both languages."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

import capsim
from capsim import workflow
from capsim.i18n.language import words
from capsim.report.files import comparison_files
from capsim.report.screen import answer

TOP = Path(__file__).parents[1]
DRAWS = 120


@cache
def scenario(name: str):
    stages = ("primary", "junior")
    if name == "safe":
        return capsim.generate(3, 30_000, years=(2021, 2023), stages=stages, name="safe")
    if name == "late":  # its schools are ordered too late for the shares of 2022
        late = capsim.generate(4, 60_000, years=(2021, 2023), name="late", seed=2)
        return late.variant({"reliability.targets": []})
    return capsim.load(TOP / "scenarios" / "county-schools")


@cache
def result(name: str):
    return workflow.run(scenario(name), draws=DRAWS, gap=0.05, prices=False)


NAMES = ("safe", "late", "county-schools")


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((name, lang), id=f"{name}-{lang}", marks=[pytest.mark.slow] * (name != "safe"))
        for name in NAMES
        for lang in ("en", "zh")
    ],
)
def report(request, tmp_path_factory):
    """Write a run's report in a language; return the folder, the run and the language."""
    name, lang = request.param
    run = result(name)
    unsafe = () if run.hardened is None else run.hardened.reasons
    said = answer(
        run.plan, run.summary, run.outcomes, unsafe=unsafe, recovery=run.recovery, lang=lang
    )
    folder = tmp_path_factory.mktemp(name) / lang
    workflow.write(replace(run, answer=said), folder, lang=lang)
    return folder, run, lang


def rare(run) -> dict[str, float]:
    """Return the targets that too few simulated futures keep, with how many do."""
    asked = run.summary["asked_probability"]
    table = run.outcomes.tables["targets"].set_index("id")["probability"]
    return {str(name): float(chance) for name, chance in table.items() if chance < asked}


@pytest.mark.slow
def test_there_is_something_to_find():
    assert all(rare(result(name)) for name in NAMES)


def test_summary(report):
    folder, run, _ = report
    summary = json.loads((folder / "summary.json").read_text())
    states = {row["id"]: row["state"] for row in summary["targets"]}
    assert set(states) == set(run.plan.tables["targets"]["id"])
    assert all(states[name] in ("on paper", "missed") for name in rare(run))
    assert summary["state"] in ("on paper", "missed")
    assert all("holds" not in row for row in summary["targets"])


def test_answer(report):
    folder, run, lang = report
    say, least = words(lang), 100 * run.summary["asked_probability"] - 0.5
    text = (folder / "answer.txt").read_text()
    safe = run.summary.get("safety", {}).get("reached", False)
    assert not any(claim in text for claim in ("THE PLAN MEETS ALL", "方案达到全部目标"))
    assert ("THE PLAN HOLDS" in text or "方案可靠" in text) is safe
    # A line of the table of targets: its state and how likely it is.
    states = "|".join(say(state) for state in ("holds", "met", "on paper"))
    lines = re.findall(rf"\s({states})\s+(\d+)\s?%", text)
    likely = [int(chance) for state, chance in lines if state != say("on paper")]
    later = re.findall(rf"{say('all hold')}\D*(\d+)\s?%", text)
    assert lines
    assert all(chance >= least for chance in (*likely, *map(int, later)))


def test_page(report):
    folder, run, _ = report
    least = 100 * run.summary["asked_probability"] - 0.5
    page = (folder / "report.html").read_text()
    assert 'class="verdict met"' not in page
    rows = re.findall(r'class="state (\w+)".*?<td class="number"[^>]*>(\d+)\s?%', page, re.S)
    assert {look for look, _ in rows} >= {"met", "paper"}
    assert all(int(chance) >= least for look, chance in rows if look == "met")


def test_workbook(report):
    folder, run, _ = report
    book = openpyxl.load_workbook(folder / "plan.xlsx", read_only=True)
    unsafe, seen = rare(run), 0
    for sheet in book.worksheets:
        for row in sheet.iter_rows(values_only=True):
            texts = [cell for cell in row if isinstance(cell, str)]
            if unsafe.keys() & set(texts):
                seen += 1
                assert not any(text.startswith(("holds", "可靠")) for text in texts)
    assert seen


def test_tables(report):
    """No CSV calls a target safe without a simulation: it is *met* by the plan."""
    folder, _, _ = report
    for path in folder.rglob("*.csv"):
        assert "holds" not in pd.read_csv(path, nrows=1).columns, path.name


@pytest.mark.slow
def test_comparison_is_not_green():
    both = [scenario("late"), scenario("late").variant({"costs.hire_cny": 6000}, name="dearer")]
    files = dict(comparison_files(capsim.compare(both, draws=DRAWS, gap=0.05)))
    assert 'class="verdict met"' not in files["comparison.html"].decode()
    assert "on paper all its targets hold" in " ".join(files["comparison.txt"].decode().split())
