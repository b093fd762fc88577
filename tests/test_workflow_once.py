"""In one run of a city each thing is derived once."""

from __future__ import annotations

import importlib
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import capsim
from capsim import workflow

ONCE = (
    "capsim.demand.projection.project",
    "capsim.model.model.formulate",
    "capsim.plan.tables.plan_tables",
    "capsim.plan.targets.targets_table",
    "capsim.plan.targets.limits_table",
    "capsim.simulation.data.simulation_data",
    "capsim.construction.programme_simulation.build",
    "capsim.report.screen.answer",
)


def count_calls(patch: pytest.MonkeyPatch, path: str, calls: Counter[str]) -> None:
    """Count the calls of a function, by whatever name a module of capsim has imported it."""
    home, _, name = path.rpartition(".")
    function = getattr(importlib.import_module(home), name)

    def counted(*args: Any, **keywords: Any) -> Any:
        calls[path] += 1
        return function(*args, **keywords)

    for module in [module for key, module in sys.modules.items() if key.startswith("capsim")]:
        for own, value in list(vars(module).items()):
            if value is function:
                patch.setattr(module, own, counted)


@pytest.mark.slow
def test_a_run_derives_each_thing_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    city = capsim.generate(2, 8000, 0, years=(2021, 2023))
    workflow.run(city, tmp_path / "first", draws=2, gap=0.05)  # all modules are imported now
    calls: Counter[str] = Counter()
    for path in ONCE:
        count_calls(monkeypatch, path, calls)
    result = workflow.run(city, tmp_path / "report", draws=2, gap=0.05, paper=True)
    assert len(result.plan.tables["openings"])
    assert result.outcomes is not None
    assert result.prices is not None
    assert {path: calls[path] for path in ONCE} == dict.fromkeys(ONCE, 1)
