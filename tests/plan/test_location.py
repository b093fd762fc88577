"""The field's location problems, said as scenarios, against every choice of sites."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest

import capsim
from capsim.model.constraints import FAMILIES


def sites_of(
    xy: np.ndarray, children: np.ndarray, *, budget: int | None = None, **sections: Any
) -> capsim.Scenario:
    """A neighbourhood at every point and a site in each, a million RMB a school, room for all."""
    names = [f"a{i}" for i in range(len(xy))]
    limits = pd.DataFrame(
        {"county": ["C"], "year": [2022], "kind": ["capital"], "amount": [1e6 * (budget or 0)]}
    )
    return capsim.Scenario.from_tables(
        settings={
            "name": "sites",
            "horizon": {"base_year": 2021, "last_year": 2022},
            "stages": {"planned": ["junior"], "compulsory": ["junior"]},
            "standards": {"junior": {"grades": ["7"], "class_size": 50, "class_ceiling": 50}},
            "switches": {name: name in ("placement", "seats", "money") for name in FAMILIES},
            **sections,
        },
        areas=pd.DataFrame({"area": names, "county": "C", "x_km": xy[:, 0], "y_km": xy[:, 1]}),
        forecast=pd.DataFrame(
            {
                "area": np.repeat(names, 2),
                "grade": "7",
                "school_year": np.tile([2021, 2022], len(xy)),
                "pupils": np.repeat(children, 2).astype(float),
            }
        ),
        projects=pd.DataFrame(
            {
                "project": [f"site-{i}" for i in range(len(xy))],
                "stage": "junior",
                "area": names,
                "kind": "new",
                "places": float(children.sum()),
                "capital_cny": 1e6,
                "status": "candidate",
                "earliest_opening": "2022-09-01",
                "build_months": 1,
            }
        ),
        **({} if budget is None else {"limits": limits}),
    )


def points(seed: int, count: int = 9) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 8, (count, 2)).round(2)
    away = xy[:, None, :] - xy[None, :, :]
    return xy, rng.integers(20, 200, count), np.hypot(away[..., 0], away[..., 1])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("p", [1, 2, 3])
def test_p_median(seed: int, p: int) -> None:
    """Money for p schools: every child to the nearest, the fewest pupil-kilometres of all."""
    xy, children, km = points(seed)
    scenario = sites_of(
        *(xy, children),
        budget=p,
        travel={"nearest": {"junior": len(xy)}},
        costs={"discount_rate": 0.0, "travel_cny_per_km": 300.0, "shortfall_cny": 1e6},
        cost_terms={"capital": False, "running": False},
    )
    plan = capsim.optimize(scenario, gap=1e-9, threads=1)
    best = min(
        float((children * km[:, list(chosen)].min(axis=1)).sum())
        for chosen in itertools.combinations(range(len(xy)), p)
    )
    assert plan.status == "optimal"
    assert plan.objective_cny == pytest.approx(best * 300.0, rel=1e-6)
    assert plan.tables["openings"]["copies"].sum() == p


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("radius_km", [1.5, 2.5, 4.0])
def test_set_covering(seed: int, radius_km: float) -> None:
    """The fewest schools that leave no neighbourhood farther than the radius from one."""
    xy, children, km = points(seed)
    scenario = sites_of(
        *(xy, children),
        travel={"radius_km": {"junior": radius_km}},
        costs={"discount_rate": 0.0, "travel_cny_per_km": 0.0, "shortfall_cny": 1e6},
        cost_terms={"running": False},
    )
    plan = capsim.optimize(scenario, gap=1e-9, threads=1)
    fewest = next(
        count
        for count in range(1, len(xy) + 1)
        if any(
            (km[:, list(chosen)].min(axis=1) <= radius_km).all()
            for chosen in itertools.combinations(range(len(xy)), count)
        )
    )
    assert plan.objective_cny == pytest.approx(fewest * 1e6)
    opened = plan.tables["openings"]["project"].str.removeprefix("site-").astype(int).to_numpy()
    assert len(opened) == fewest
    assert (km[:, opened].min(axis=1) <= radius_km).all()
