"""What is scarce, and where? What one more standard place would save, by county and year.

Usage: python examples/what_is_scarce.py [SCENARIO]. Draws what-is-scarce.png.
"""

import sys
from pathlib import Path

import capsim
from capsim.report.figures import new_figure, use_style

if len(sys.argv) > 1:
    city = capsim.load(sys.argv[1])
else:
    stages = ("primary", "junior")
    city = capsim.generate(6, 60_000, seed=1, stages=stages, years=(2021, 2026), name="city")

plan = capsim.optimize(city)
prices = plan.prices()
print("Most worth having one more of (RMB, discounted):")
dear = prices.binding().sort_values("one_more_cny", ascending=False).head(8)
print(dear[["kind", "county", "name", "year", "one_more_cny", "unit"]].to_string(index=False))

places = prices.of("place").astype({"year": int})
table = places.pivot_table("one_more_cny", ["county", "stage"], "year", aggfunc="max")
use_style()
figure = new_figure(7, 1.5 + 0.45 * len(table))
ax = figure.add_subplot()
picture = ax.imshow(table.to_numpy(), cmap="Blues", vmin=0.0, aspect="auto")
ax.set_xticks(range(table.shape[1]), [str(year) for year in table.columns])
ax.set_yticks(range(table.shape[0]), [f"{county}, {stage}" for county, stage in table.index])
ax.set_title("What one more standard place would save")
ax.set_xlabel("school year (of a county's areas the one where a place saves most)")
figure.colorbar(picture, ax=ax, label="RMB, discounted")
figure.savefig(Path("what-is-scarce.png"))
