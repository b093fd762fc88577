"""Which counties are worst off, and what does a fairer plan cost? By the largest classes.

The cheapest plan beside one that first makes the largest mean class of any area as small as it can
be. Usage: python examples/worst_off_counties.py [SCENARIO]. Draws worst-off-counties.png.
"""

import sys
from pathlib import Path

import pandas as pd

import capsim
from capsim.report.figures import new_figure, use_style

if len(sys.argv) > 1:
    city = capsim.load(sys.argv[1])
else:
    stages = ("primary", "junior")
    city = capsim.generate(6, 30_000, seed=1, stages=stages, years=(2021, 2024), name="city")


def worst_classes(plan: capsim.Plan) -> pd.Series:
    """Give by area the largest mean class of public schools, over stages and years: pupils."""
    schools = plan.tables["schools"].query("classes > 0")
    sums = schools.groupby(["area", "stage", "school_year"])[["public", "classes"]].sum()
    return (sums["public"] / sums["classes"]).groupby("area").max()


cheapest = capsim.optimize(city)
fairer = capsim.optimize_lexicographic(city, ["shortfall", capsim.Fair("class_size"), "cost"]).plan
table = pd.DataFrame({"cheapest": worst_classes(cheapest), "fairer": worst_classes(fairer)})
table = table.sort_values("cheapest", ascending=False)
more = (fairer.avoidable_cny - cheapest.avoidable_cny) / 1e6
print(table.round(1).to_string())
print(f"The fairer plan costs {more:,.2f} million RMB more.")

use_style()
figure = new_figure(7, 4)
ax = figure.add_subplot()
for column, marker in (("cheapest", "o"), ("fairer", "s")):
    ax.plot(
        table[column], table.index, marker=marker, linestyle="", label=f"{column} plan", alpha=0.8
    )
ax.hlines(table.index, table.min(axis=1), table.max(axis=1), color="#999999", zorder=0)
ax.invert_yaxis()
ax.set_title("The largest classes, area by area")
ax.set_xlabel("mean pupils a class in public schools, worst stage and year")
ax.legend()
figure.savefig(Path("worst-off-counties.png"))
