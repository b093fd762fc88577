"""Is a prefab bridge cheaper than a permanent school when births fall? A town tries both.

It needs 600 places more. A permanent school stands for good; prefab classrooms stand eight
years and can be put up again. Planned for births that fall by more and more a year: each alone, and
whichever is cheaper. Usage: python examples/prefab_or_school.py. Draws prefab-or-school.png.
"""

from pathlib import Path

import pandas as pd

import capsim
from capsim.report.figures import new_figure, use_style

YEARS = range(2021, 2036)
FALLS = (0.0, 0.01, 0.02, 0.04, 0.06)


def project(
    name: str, kind: str, capital_cny: float, opening: int, life: int | None
) -> dict[str, object]:
    """Make a row of the table of projects: 600 places."""
    return {
        "project": name,
        "stage": "primary",
        "area": "town",
        "kind": kind,
        "status": "candidate",
        "places": 600,
        "capital_cny": capital_cny,
        "earliest_opening": f"{opening}-09-01",
        "life_years": life,
    }


def town(fall: float) -> capsim.Scenario:
    """Build the town, its children falling by a share a year from 2022 on."""
    forecast = [
        {"area": "town", "grade": str(grade), "school_year": year, "pupils": children}
        for year in YEARS
        for children in [500 * (1 - fall) ** max(0, year - 2022)]
        for grade in range(1, 7)
    ]
    school = {"school": "Town primary", "stage": "primary", "area": "town", "sector": "public"}
    return capsim.Scenario.from_tables(
        settings={
            "name": "town",
            "horizon": {"base_year": YEARS[0], "last_year": YEARS[-1]},
            "stages": {"planned": ["primary"], "compulsory": ["primary"]},
            "costs": {"discount_rate": 0.04, "shortfall_cny": 1e6},
            "switches": {"staff": False},
        },
        areas=pd.DataFrame({"area": ["town"], "county": ["town"]}),
        forecast=pd.DataFrame(forecast),
        schools=pd.DataFrame([{**school, "places": 2_400, "pupils": 3_000}]),
        projects=pd.DataFrame(
            [
                project("permanent school", "new", 30e6, 2022, None),
                project("prefab", "prefab", 18e6, 2022, 8),
                project("prefab again", "prefab", 18e6, 2030, 8),
            ]
        ),
    )


costs: dict[str, list[float]] = {"permanent school": [], "prefab": [], "whichever is cheaper": []}
for fall in FALLS:
    both = town(fall)
    choices = {
        "permanent school": both.variant(drop={"projects": {"kind": "prefab"}}),
        "prefab": both.variant(drop={"projects": {"kind": "new"}}),
        "whichever is cheaper": both,
    }
    for name, choice in choices.items():
        plan = capsim.optimize(choice)
        costs[name].append(plan.avoidable_cny / 1e6)
    opened = plan.tables["projects"].query("opens != ''")["project"]
    print(f"{100 * fall:.0f} % fewer a year: {', '.join(opened) or 'nothing is built'}")

use_style()
figure = new_figure(7, 4)
ax = figure.add_subplot()
# What is cheaper is known where it was planned: between two falls the lines may cross.
styles = (("o", "-", 5), ("s", "-", 5), ("o", "", 12))
for (name, values), (marker, line, size) in zip(costs.items(), styles, strict=True):
    look = {"marker": marker, "linestyle": line, "markersize": size, "label": name}
    fill = "none" if size > 5 else "full"
    ax.plot([100 * fall for fall in FALLS], values, fillstyle=fill, **look)
ax.set_title("Prefab bridge or permanent school")
ax.set_xlabel("children fall by, % a year from 2022")
ax.set_ylabel("cost decided here, million RMB, discounted")
ax.legend()
figure.savefig(Path("prefab-or-school.png"))
