"""What if no places may be bought? The same city with and without purchases, side by side.

Usage: python examples/no_places_for_sale.py [SCENARIO]. Draws no-places-for-sale.png.
"""

import sys
from pathlib import Path

import capsim
from capsim.report.figures import new_figure, use_style
from capsim.report.figures.comparison import mixes

if len(sys.argv) > 1:
    city = capsim.load(sys.argv[1])
else:
    stages = ("primary", "junior")
    city = capsim.generate(3, 20_000, seed=1, stages=stages, years=(2021, 2025), name="city")

strict = city.variant({"policy.purchase_ceiling_share": 0.0}, name="no-purchase")
comparison = capsim.compare([city, strict], draws=100, seed=1)
for row in comparison.tables["summary"].to_dict("records"):
    print(
        f"{row['scenario']}: {row['objective_cny'] / 1e6:,.1f} million RMB,"
        f" {row['displaced']:,.0f} children made to change school,"
        f" {row['missed']:.0f} targets missed"
    )

use_style()
figure = new_figure(9, 3)
mixes(figure.add_subplot(), comparison)
figure.savefig(Path("no-places-for-sale.png"))
