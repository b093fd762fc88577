"""Flows between sectors lose nobody."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from demand_tables import city, pupils
from hypothesis import given
from hypothesis import strategies as st

from capsim import Scenario, project
from capsim.demand import by_sector
from capsim.demand.sectors import divide_flows

BOTH = {"stages": {"planned": ["primary", "junior"], "compulsory": ["primary", "junior"]}}


@given(st.integers(0, 2**32 - 1))
def test_every_child_is_in_one_sector(seed: int) -> None:
    rng = np.random.default_rng(seed)
    total = rng.integers(0, 500, (3, 6, 8)).astype(float)
    base = total[..., 0] * rng.uniform(0, 1, (3, 6))
    first = np.array([True, False, False, True, False, False])
    own, share = rng.uniform(0.5, 1.2, (3, 6, 7)), rng.uniform(0, 1, (3, 6))
    plan = np.where(first, rng.integers(0, 200, (3, 6)), np.inf)
    parts, transfers, refused = divide_flows(base, total, own, share, plan, first)
    assert (parts >= 0).all()
    assert parts.sum(0) == pytest.approx(total, abs=1e-9)
    assert (parts[1][:, first, 1:] <= plan[:, first, None]).all()
    wanted = share[:, first, None] * total[:, first, 1:]
    assert parts[1][:, first, 1:] + refused[:, first, 1:] == pytest.approx(wanted)
    moved_up = parts[1][:, :-1, :-1] * np.divide(
        total[:, 1:, 1:], total[:, :-1, :-1], out=np.zeros((3, 5, 7)), where=total[:, :-1, :-1] > 0
    )
    stayed = parts[1][:, 1:, 1:] + transfers[:, 1:, 1:]
    empty = total[:, :-1, :-1] == 0
    assert np.where(empty | first[None, 1:, None], 0, stayed - moved_up) == pytest.approx(
        0, abs=1e-9
    )


def test_private_pupils_who_leave_turn_public() -> None:
    total = np.full((1, 2, 2), 100.0)
    base = np.array([[40.0, 40.0]])
    own, share = np.array([[[1.0], [0.75]]]), np.array([[0.4, 0.4]])
    plan = np.full((1, 2), np.inf)
    parts, transfers, _ = divide_flows(base, total, own, share, plan, np.array([True, False]))
    assert parts[1, 0].tolist() == [[40, 40], [40, 30]]
    assert parts[0, 0].tolist() == [[60, 60], [60, 70]]
    assert transfers[0, 1].tolist() == [0, 10]


def two_stages(plan: float, **other: object) -> Scenario:
    """100 children in each of nine grades for four years, 30 of them private; 24 in grade 9."""
    cells = [("A", str(grade), year) for grade in range(1, 10) for year in range(2018, 2022)]
    private = {cell: 24.0 if cell[1] == "9" else 30.0 for cell in cells}
    table = [pupils(private, "private"), pupils({cell: 100 - n for cell, n in private.items()})]
    schools = pd.DataFrame(
        {
            "school": ["P", "P", "Q"],
            "stage": ["primary", "junior", "primary"],
            "area": "A",
            "sector": ["private", "private", "public"],
            "places": [300, 200, 900],
            "pupils": [180, 84, 420],
            "admission_plan": [np.nan, plan, 1],
        }
    )
    return city(pupils=pd.concat(table), schools=schools, settings=BOTH, **other)


def test_admission_plans_bind_in_grade_7_and_follow_the_cohort() -> None:
    """30 would enter grade 7, 20 may; a fifth of a private grade 8 leaves for the public one."""
    made = two_stages(plan=20)
    demand = project(made)
    found = by_sector(made, demand)
    seventh = found.grades.index("7")
    assert demand.pupils == pytest.approx(100)
    assert found.pupils[1, 0, seventh] == pytest.approx([30, 20, 20, 20])
    assert found.pupils[1, 0, seventh + 1] == pytest.approx([30, 30, 20, 20])
    assert found.pupils[1, 0, seventh + 2] == pytest.approx([24, 24, 24, 16])
    assert found.refused[0, seventh] == pytest.approx([0, 10, 10, 10])
    assert found.transfers[0, seventh + 2] == pytest.approx([0, 6, 6, 4])
    assert found.refused[0, 0] == pytest.approx(0), "a public school's plan and a blank bind nobody"
    assert (found.pupils.sum(0) == pytest.approx(demand.pupils, rel=1e-15)) is True


def test_private_schools_count_where_no_pupils_were_observed() -> None:
    """The junior stage is known from its schools alone: 90 private and 210 public."""
    rows = {("A", str(grade), 2021): 100.0 for grade in range(1, 7)}
    schools = pd.DataFrame(
        {
            "school": ["P", "Q"],
            "stage": "junior",
            "area": "A",
            "sector": ["private", "public"],
            "places": [100, 300],
            "pupils": [90, 210],
        }
    )
    made = city(pupils=pupils(rows), schools=schools, settings=BOTH)
    found = by_sector(made, project(made))
    assert found.pupils[1, 0, :, 0].tolist() == [0] * 6 + [30] * 3
    assert found.pupils[1, 0, 6:, 2] == pytest.approx(30)
