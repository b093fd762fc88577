"""Points with a site for a school at each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

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
