"""Plug in a rule of your own: no two projects of one county start in the same half-year.

The rule is a sum by label; docs/extend.md says the same through PuLP.
Usage: python examples/one_start_at_a_time.py [SCENARIO]. Draws one-start-at-a-time.png.
"""

import sys
from pathlib import Path

import pandas as pd

import capsim
from capsim.report.figures import new_figure, use_style

COUNTIES = ("East", "Hills", "Port")
SCHOOLS = ((3.0e6, 12), (3.2e6, 12), (3.6e6, 18), (3.9e6, 14))


def growing_city() -> capsim.Scenario:
    """Three counties of 200, soon 320 pupils, and four schools of 60 places that each may build."""
    return capsim.Scenario.from_tables(
        settings={
            "name": "growing",
            "horizon": {"base_year": 2021, "last_year": 2026},
            "stages": {"planned": ["junior"], "compulsory": ["junior"]},
            "standards": {"junior": {"grades": ["7"], "class_size": 50, "class_ceiling": 55}},
            "costs": {"discount_rate": 0.04},
            "switches": {"staff": False},
        },
        areas=pd.DataFrame({"area": COUNTIES, "county": COUNTIES}),
        forecast=pd.DataFrame(
            {"area": area, "grade": "7", "school_year": year, "pupils": 320 if year > 2022 else 200}
            for area in COUNTIES
            for year in range(2021, 2027)
        ),
        schools=pd.DataFrame(
            {"school": f"{a} old", "stage": "junior", "area": a, "sector": "public"}
            | {"places": 200, "pupils": 200}
            for a in COUNTIES
        ),
        projects=pd.DataFrame(
            {"project": f"{a} {i + 1}", "stage": "junior", "area": a, "kind": "new", "places": 60}
            | {"capital_cny": cost, "build_months": months, "status": "candidate"}
            | {"earliest_opening": "2023-09-01"}
            for a in COUNTIES
            for i, (cost, months) in enumerate(SCHOOLS)
        ),
    )


city = capsim.load(sys.argv[1]) if len(sys.argv) > 1 else growing_city()
model = capsim.formulate(city)
rows = city.table("projects").groupby("project")
months = rows["build_months"].max()
county_of = city.table("areas").set_index("area")["county"]
county = rows["area"].first().map(county_of)

free = capsim.optimize(model)
halves = {
    year: [
        f"{name},{begin // 12:.0f} {1 + begin % 12 // 6:.0f}"
        for name, begin in zip(county, 12 * year + 8 - months, strict=True)
    ]
    for year in city.years
}
by = pd.DataFrame(halves, months.index).rename_axis(columns="year")
candidate = rows["status"].first() == "candidate"
model.add("one_start", model.x.starts.by(by.where(candidate)) <= 1)
ruled = capsim.optimize(model)
more = ruled.objective_cny - free.objective_cny
print(f"One start by county and half-year costs {more / 1e6:,.2f} million RMB more.")

use_style()
figure = new_figure(7, 4)
chosen = sorted({p for plan in (free, ruled) for p in plan.tables["openings"]["project"]})
ax = figure.add_subplot()
for plan, label, shift in ((free, "as the model likes", 0.2), (ruled, "one start", -0.2)):
    opened = plan.tables["openings"]
    end = pd.to_datetime(opened["opens"])
    year = end.dt.year + (end.dt.day_of_year - 1) / 365.25
    length = months.reindex(opened["project"]).to_numpy() / 12
    place = [chosen.index(p) - shift for p in opened["project"]]
    ax.barh(place, length, left=year.to_numpy() - length, height=0.35, label=label)
ax.set_yticks(range(len(chosen)), chosen)
ax.invert_yaxis()
ax.margins(x=0.05)
ax.xaxis.set_major_formatter("{x:.1f}")
ax.set_title("When the chosen schools are built")
ax.set_xlabel("year (.5: 1 July)")
figure.legend(loc="outside lower center", ncols=2)
figure.savefig(Path("one-start-at-a-time.png"))
