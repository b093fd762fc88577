"""The map of catchments, its table and its tints, on a river town whose catchments are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure

import capsim
from capsim.report import figures
from capsim.report.figures.maps import TINTS, _cells, _tints


@pytest.fixture(scope="module")
def plan() -> Any:
    """Four neighbourhoods in a row, a kilometre apart; a school at either end."""
    names = ["west", "left", "right", "east"]
    children = [
        {"area": area, "grade": "7", "school_year": year, "pupils": 20.0}
        for area in names
        for year in (2021, 2022)
    ]
    schools = {"school": ["W", "E"], "stage": "junior", "area": ["west", "east"]}
    town = capsim.Scenario.from_tables(
        settings={
            "name": "row",
            "horizon": {"base_year": 2021, "last_year": 2022},
            "standards": {"junior": {"grades": ["7"], "service_radius_km": 0.8}},
            "costs": {"discount_rate": 0.0},
            "switches": {"staff": False},
            "travel": {"nearest": {"junior": 2}},
            "catchments": {"stages": ["junior"]},
        },
        areas=pd.DataFrame({"area": names, "county": "C", "kind": "urban"}).assign(
            x_km=[0.0, 1, 2, 3], y_km=0.0
        ),
        forecast=pd.DataFrame(children),
        schools=pd.DataFrame({**schools, "sector": "public", "places": 100.0, "pupils": 0.0}),
    )
    return capsim.optimize(town, gap=1e-9)


def test_the_table_says_who_goes_where_and_how_far(plan: Any) -> None:
    table = figures.catchment_table(plan, "junior", 2022).set_index("area")
    assert table["school"].to_dict() == {"west": "W", "left": "W", "right": "E", "east": "E"}
    assert table["km"].to_dict() == {"west": 0.0, "left": 1.0, "right": 1.0, "east": 0.0}
    assert (table["children"] == 20).all()
    assert not len(figures.catchment_table(plan, "primary", 2022))


def test_the_map_draws_a_border_and_the_long_ways(plan: Any) -> None:
    ax = Figure().add_subplot()
    figures.catchment_map(ax, plan, "junior")
    lines = [c for c in ax.collections if isinstance(c, LineCollection)]
    border, near, far = (len(c.get_segments()) for c in lines)
    assert (border, near, far) == (1, 2, 2)
    (cells,) = (c for c in ax.collections if isinstance(c, PolyCollection))
    assert len(cells.get_paths()) == 4
    assert len({tuple(colour) for colour in cells.get_facecolor()}) == 2
    assert "catchments" in figures.all_figures(plan)


def test_cells_are_the_nearest_ground_and_neighbours_differ_in_tint() -> None:
    rng = np.random.default_rng(3)
    xy = rng.uniform(0, 9, (60, 2))
    cells, beside = _cells(xy)
    for point, cell in zip(xy, cells, strict=True):
        middle = cell.mean(axis=0)
        assert np.hypot(*(xy - middle).T).argmin() == np.flatnonzero((xy == point).all(1))[0]
    whose = np.array([f"s{int(x // 2)}{int(y // 2)}" for x, y in xy], object)
    tint = _tints(whose, beside)
    assert set(tint) <= set(range(len(TINTS)))
    assert all(tint[a] != tint[b] for a, b, _ in beside if whose[a] != whose[b])
