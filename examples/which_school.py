"""Which school should each neighbourhood attend? And who walks too far, by the service radius.

Draws catchments without islands for a small town of invented neighbourhoods, or for a scenario
with coordinates of your own. Usage: python examples/which_school.py [SCENARIO]. Draws
which-school.png.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

import capsim
from capsim.report.figures import catchment_map, catchment_table, new_figure, use_style


def invented_town(seed: int = 11, size: int = 24) -> capsim.Scenario:
    """Make neighbourhoods of primary pupils on 4 × 4 km, with five schools among them."""
    rng = np.random.default_rng(seed)
    names = [f"N{i + 1:02d}" for i in range(size)]
    areas = pd.DataFrame({"area": names, "county": "town", "kind": "urban"})
    areas[["x_km", "y_km"]] = rng.uniform(0, 4, (size, 2)).round(2)
    grades = [str(grade) for grade in range(1, 7)]
    children = pd.DataFrame(
        [
            {"area": name, "grade": grade, "school_year": year, "pupils": float(pupils)}
            for name, pupils in zip(names, rng.integers(15, 40, size), strict=True)
            for grade in grades
            for year in (2021, 2022)
        ]
    )
    seats = children.query("school_year == 2021")["pupils"].sum() / 5
    schools = pd.DataFrame({"school": [f"School {k}" for k in "ABCDE"], "stage": "primary"})
    schools["area"] = [names[i] for i in (0, 5, 10, 15, 20)]
    schools = schools.assign(sector="public", places=np.ceil(1.05 * seats), pupils=0.0)
    return capsim.Scenario.from_tables(
        settings={
            "name": "town",
            "horizon": {"base_year": 2021, "last_year": 2022},
            "costs": {"discount_rate": 0.04},
            "switches": {"staff": False},
            "travel": {"nearest": {"primary": 5}},
            "catchments": {"stages": ["primary"]},
        },
        areas=areas,
        forecast=children,
        schools=schools,
    )


town = capsim.load(sys.argv[1]) if len(sys.argv) > 1 else invented_town()
plan = capsim.optimize(town, gap=1e-3)
(stage, *_) = town.settings.catchments.stages
drawn = catchment_table(plan, stage, town.first_year)
radius = town.stages[stage].service_radius_km
far = drawn[drawn["km"] > radius].sort_values("km", ascending=False)
print(f"Proved within {100 * plan.gap:.2f} % of the cheapest catchments without islands.")
print(drawn.groupby("school").agg(neighbourhoods=("area", "size"), children=("children", "sum")))
print(f"{far['children'].sum():,.0f} of {drawn['children'].sum():,.0f} children live beyond the")
print(f"urban service radius of {radius:g} km; the farthest:")
print(far[["area", "school", "km", "children"]].head(5).round(2).to_string(index=False))

use_style()
figure = new_figure(8, 8)
catchment_map(figure.add_subplot(), plan, stage)
figure.savefig(Path("which-school.png"))
