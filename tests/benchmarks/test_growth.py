"""Nothing quadratic in capsim's own build: calls, entries and bytes are counted, not seconds."""

from __future__ import annotations

import sys
import tracemalloc
from types import FrameType
from typing import Any

import pytest

import capsim
from capsim.demand import Demand
from capsim.lp import Builder
from capsim.model.model import Model
from capsim.scenario import Scenario

BASE = {"areas": 12, "schools": 60, "years": 6}


def made(**larger: int) -> tuple[Scenario, Demand]:
    size = BASE | larger
    city = capsim.generate(
        size["areas"],
        5_000 * size["areas"],
        kind="province",
        years=(2021, 2021 + size["years"]),
        stages=("primary", "junior"),
        private_schools=size["schools"],
    )
    return city, capsim.project(city)


def calls(city: Scenario, demand: Demand) -> tuple[int, Model]:
    """Count calls of functions, Python's own and built-in ones, of one formulation."""
    count = 0

    def note(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        model = capsim.formulate(city, demand)
    finally:
        sys.setprofile(None)
    return count, model


def bytes_of(city: Scenario, demand: Demand) -> int:
    """Largest memory that one formulation adds."""
    tracemalloc.start()
    capsim.formulate(city, demand)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.fixture(scope="module")
def base() -> tuple[int, Model, int]:
    case = made()
    capsim.formulate(*case)  # what is done on first use only does not count
    return (*calls(*case), bytes_of(*case))


@pytest.mark.parametrize("axis", list(BASE))
def test_growth(base: tuple[int, Model, int], axis: str) -> None:
    before, small, held = base
    case = made(**{axis: 4 * BASE[axis]})
    after, large = calls(*case)
    assert after < 1.1 * before  # no call of its own for an area, a school or a year
    entries = large.program.matrix.nnz / small.program.matrix.nnz
    assert 1.2 < entries < 4.5
    assert bytes_of(*case) / held < 1.15 * entries


@pytest.mark.slow
def test_blocks_do_not_depend_on_size(monkeypatch: pytest.MonkeyPatch) -> None:
    added: list[str] = []
    for name in ("variables", "constrain"):
        whole = getattr(Builder, name)

        def counted(self: Builder, block: str, *rest: Any, _whole: Any = whole, **more: Any) -> Any:
            added.append(block)
            return _whole(self, block, *rest, **more)

        monkeypatch.setattr(Builder, name, counted)
    capsim.formulate(*made())
    few, added[:] = list(added), []
    capsim.formulate(*made(areas=48, schools=240))
    assert added == few
    assert len(few) > 40
