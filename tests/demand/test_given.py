"""What a user adds or gives arrives in full, where they put it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from demand_tables import births, city, pupils
from hypothesis import given, settings
from hypothesis import strategies as st

from capsim import Demand, project

AREAS = "ABC"
STAGES = {"planned": ["kindergarten", "primary"], "compulsory": ["primary"]}
GRADES = ["K1", "K2", "K3", *(str(grade) for grade in range(1, 7))]
SOME = st.sets(st.tuples(st.sampled_from(AREAS), st.sampled_from(GRADES)), max_size=8)


def table(cells: Any, number: float, year: int = 2023) -> pd.DataFrame:
    rows = [(area, grade, year, number) for area, grade in sorted(cells)]
    return pd.DataFrame(rows, columns=["area", "grade", "school_year", "pupils"])


def made(demand: dict[str, Any], years: int, seed: int, **parts: pd.DataFrame) -> Demand:
    rng = np.random.default_rng(seed)
    rows = {
        (a, g, y): float(rng.poisson(200))
        for a in AREAS
        for g in GRADES
        for y in range(2022 - years, 2022)
    }
    named = {"stages": STAGES, "demand": demand}
    return project(city(AREAS, pupils=pupils(rows), settings=named, **parts))


@pytest.mark.slow
@settings(max_examples=60)
@given(
    gross=st.sampled_from([{}, {"kindergarten": 0.9}, {"kindergarten": 0.9, "primary": 1.05}]),
    born=st.booleans(),
    covered=SOME,
    way=st.sampled_from(["migration", "dwellings", "forecast"]),
    at=st.tuples(st.sampled_from(AREAS), st.sampled_from(GRADES)),
    years=st.sampled_from([1, 3, 9]),
    seed=st.integers(0, 99),
)
def test_300_added_children_are_300_more_in_total_and_in_their_area(
    gross: dict[str, float],
    born: bool,
    covered: set[tuple[str, str]],
    way: str,
    at: tuple[str, str],
    years: int,
    seed: int,
) -> None:
    parts = {}
    if born:
        parts["births"] = pd.concat([births(210, area=area) for area in AREAS])
    demand = {"gross_enrolment": gross}
    others = covered - {at}
    forecast = table(others | ({at} if way == "forecast" else set()), 150.0)
    before = made(demand, years, seed, forecast=forecast, **parts)
    if way == "migration":
        parts["migration"] = table([at], 300.0)
    elif way == "dwellings":
        homes = {"area": [at[0]], "year": [2023], "dwellings": [1000], "pupils_per_dwelling": [0.3]}
        parts["dwellings"] = pd.DataFrame(homes)
    else:
        forecast = pd.concat([table(others, 150.0), table([at], 450.0)])
    after = made(demand, years, seed, forecast=forecast, **parts)
    more = (after.pupils - before.pupils)[..., 2]
    own = after.areas.index(at[0])
    assert more.sum() == pytest.approx(300)
    assert more[own].sum() == pytest.approx(300)
    assert np.delete(more, own, axis=0) == pytest.approx(0, abs=1e-9)
    if way != "dwellings":
        assert more[own, after.grades.index(at[1])] == pytest.approx(300)


def test_children_who_moved_into_a_kindergarten_go_to_school_though_births_feed_it() -> None:
    born = pd.concat([births(210, area=area) for area in AREAS])
    plain = made({}, 1, 1, births=born)
    found = made({}, 1, 1, births=born, migration=table([("A", "K3")], 300.0, 2022))
    more = (found.pupils - plain.pupils)[0]
    for lead, grade in enumerate(["K3", "1", "2"], 1):
        assert more[GRADES.index(grade), lead] == pytest.approx(300)
        assert more[:, lead].sum() == pytest.approx(300)


def test_gross_enrolment_holds_without_the_children_who_are_added() -> None:
    born = pd.concat([births(210, area=area) for area in AREAS])
    found = made(
        {"gross_enrolment": {"kindergarten": 0.9}},
        3,
        2,
        births=born,
        migration=table([("B", "K1")], 300.0, 2024),
    )
    assert found.pupils[:, :3, 3].sum() == pytest.approx(0.9 * 210 * 3 * 3 + 300)


def test_a_forecast_of_some_areas_says_what_fills_the_rest() -> None:
    found = made({}, 3, 2, forecast=table([("A", "1"), ("A", "2")], 150.0))
    (note,) = [note for note in found.notes if note.startswith("forecast gives")]
    assert "2 of 54 numbers of grades 1 to 6, 2022 to 2024; none for 2 areas: B, C" in note
    whole = pd.concat(
        [table([(a, g) for a in AREAS for g in GRADES[3:]], 99.0, y) for y in (2022, 2023, 2024)]
    )
    notes = made({}, 3, 2, forecast=whole).notes
    assert not any(note.startswith("forecast gives") for note in notes)
    over = made({}, 3, 2, forecast=whole, migration=table([("A", "1")], 30.0))
    assert over.pupils[0, 3, 2] == 129
    assert any("come on top of 1 numbers" in note for note in over.notes)
