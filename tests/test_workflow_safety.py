"""`capsim run --probability`: a safer plan, what it costs, and going on after a stop."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import capsim
from capsim.cli import app

RUN = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("scenario") / "city"
    stages = ("primary", "junior")
    capsim.generate(3, 30_000, years=(2021, 2022), stages=stages, name="city").save(place)
    return place


@pytest.mark.slow
def test_a_safer_plan_in_report_summary_and_answer(folder, tmp_path):
    out, store = tmp_path / "out", tmp_path / "store"
    options = ["--draws", "100", "--gap", "0.05", "--store", str(store)]
    done = RUN.invoke(
        app, ["run", str(folder), "--out", str(out), "--probability", "0.9", *options]
    )
    summary = json.loads((out / "summary.json").read_text())
    safety = summary["safety"]
    assert done.exit_code == (0 if safety["reached"] else 3)
    assert safety["asked"] == 0.9
    assert safety["targets"] == ["placement-compulsory", "share-2022"]
    assert safety["low"] <= safety["probability"] <= safety["high"]
    text = " ".join((out / "answer.txt").read_text().split())
    first = (
        "THE PLAN HOLDS: together every child" if safety["reached"] else "ON PAPER the plan meets"
    )
    assert first in text
    assert "What it costs that the plan holds:" in text
    assert ("Why it does not hold as often as asked:" in text) is not safety["reached"]
    assert sorted(path.name for path in (out / "safety").iterdir()) == [
        "hurried.csv",
        "kept_free.csv",
        "rounds.csv",
        "targets.csv",
    ]
    assert len(list(store.glob("*.result"))) == 2


@pytest.mark.parametrize("value", ["0", "1", "1.5", "95"])
def test_a_probability_is_between_0_and_1(folder, tmp_path, value):
    done = RUN.invoke(
        app, ["run", str(folder), "--out", str(tmp_path / "o"), "--probability", value]
    )
    assert done.exit_code == 2
    assert "between 0 and 1" in done.output
    assert not (tmp_path / "o").exists()


def test_a_store_that_cannot_be_written_ends_with_status_2(folder, tmp_path):
    place = tmp_path / "file"
    place.write_text("in the way")
    options = ["--out", str(tmp_path / "o"), "--store", str(place), "--draws", "8", "--gap", "0.1"]
    done = RUN.invoke(app, ["run", str(folder), *options])
    assert done.exit_code == 2
    assert "file is not a folder" in done.output
    assert "planning" not in done.output
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(("out", "store"), [("o", "o"), ("o", "o/in")])
def test_report_and_store_need_places_of_their_own(folder, tmp_path, out, store):
    (tmp_path / "o").mkdir()
    options = ["--out", str(tmp_path / out), "--store", str(tmp_path / store)]
    done = RUN.invoke(app, ["run", str(folder), *options])
    assert done.exit_code == 2
    assert "need places of their own" in done.output
    assert "planning" not in done.output


def test_a_link_is_not_followed(folder, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "mine")
    done = RUN.invoke(app, ["run", str(folder), "--out", str(tmp_path / "link")])
    assert done.exit_code == 2
    assert "is a link to" in done.output
    assert not list((tmp_path / "mine").iterdir())
