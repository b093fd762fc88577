"""Which ten projects first? Four counties grow, and twelve schools are proposed.

The plan says when each opens. Planned again without it, the city shows what doing without it costs;
where that is more than 1 %, every plan within 1 % of the best has it, and there is no regret in it.
Usage: python examples/which_ten_first.py. Draws which-ten-first.png.
"""

from pathlib import Path

import pandas as pd

import capsim
from capsim.report.figures import new_figure, use_style

COUNTIES = {"North": 265, "East": 230, "South": 185, "West": 145}  # more children a year
PROPOSED = {300: 16e6, 450: 23e6, 600: 32e6}  # places and what they cost, RMB
YEARS = range(2021, 2027)


def school(county: str) -> dict[str, object]:
    """Make the row of the public school that stands, full."""
    row = {"school": f"{county} public", "stage": "junior", "area": county, "sector": "public"}
    return {**row, "places": 2_700, "pupils": 2_700}


def project(county: str, places: int, capital_cny: float, dearer: float) -> dict[str, object]:
    """Make the row of a school proposed; land is dearer in some counties."""
    return {
        "project": f"{county} {places:,}",
        "stage": "junior",
        "area": county,
        "kind": "new",
        "status": "candidate",
        "places": places,
        "capital_cny": capital_cny * dearer,
        "earliest_opening": "2022-09-01",
    }


city = capsim.Scenario.from_tables(
    settings={
        "name": "growing-city",
        "horizon": {"base_year": YEARS[0], "last_year": YEARS[-1]},
        "stages": {"planned": ["junior"], "compulsory": ["junior"]},
        "costs": {"discount_rate": 0.04},
        "switches": {"staff": False},
        "standards": {"junior": {"class_size": 50, "class_ceiling": 50}},
    },
    areas=pd.DataFrame({"area": list(COUNTIES), "county": list(COUNTIES)}),
    forecast=pd.DataFrame(
        {"area": county, "grade": grade, "school_year": year, "pupils": 900 + more / 3 * step}
        for county, more in COUNTIES.items()
        for grade in ("7", "8", "9")
        for step, year in enumerate(YEARS)
    ),
    schools=pd.DataFrame(school(county) for county in COUNTIES),
    projects=pd.DataFrame(
        project(county, places, capital_cny, 1 + 0.1 * at)
        for at, county in enumerate(COUNTIES)
        for places, capital_cny in PROPOSED.items()
    ),
)

plan = capsim.optimize(city)
projects = plan.tables["projects"].set_index("project")
opening = projects[projects["opens"] != ""].sort_values("opens").head(10)
without = [capsim.optimize(city.variant(drop={"projects": {"project": n}})) for n in opening.index]
lost = [(other.objective_cny - plan.objective_cny) / 1e6 for other in without]
# No plan without it comes within 1 % of the best: so every plan that near has it.
sure = [o.bound_cny - plan.objective_cny > 0.01 * plan.avoidable_cny for o in without]
first = opening.assign(lost_million_cny=lost, in_every_plan=sure)
print(first[["places", "opens", "lost_million_cny", "in_every_plan"]].round(1).to_string())

use_style()
figure = new_figure(8, 4.5)
ax = figure.add_subplot()
needed = first["in_every_plan"]
for chosen, colour, hatch, label in (
    (needed, "#0072B2", "", "in every plan that costs up to 1 % more"),
    (~needed, "#56B4E9", "//", "another may do"),
):
    ax.barh(
        [f"{name} places, {opens[:4]}" for name, opens in first["opens"].items()],
        first["lost_million_cny"].where(chosen, 0.0),
        color=colour,
        hatch=hatch,
        edgecolor="white",
        label=label,
    )
ax.invert_yaxis()
ax.set_title("The first schools, in order of opening")
ax.set_xlabel("what doing without it costs, million RMB, discounted")
ax.legend()
figure.savefig(Path("which-ten-first.png"))
