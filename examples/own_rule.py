"""Plug in a rule of your own: what is bought must shrink by at least a third every year.

The rule is one line over the model's quantities (docs/own-rules.md).
Usage: python examples/own_rule.py [SCENARIO]. Draws own-rule.png.
"""

import sys
from pathlib import Path

import capsim
from capsim.report.figures import new_figure, use_style

if len(sys.argv) > 1:
    city = capsim.load(sys.argv[1])
else:
    stages = ("primary", "junior")
    city = capsim.generate(2, 9_000, seed=1, stages=stages, years=(2021, 2025), name="city")

model = capsim.formulate(city)
bought = model.x.purchased.total("school")
model.add("shrinking", 3 * bought[1:] <= 2 * bought[:-1])

free, shrinking = capsim.optimize(city), capsim.optimize(model)
more = shrinking.objective_cny - free.objective_cny
print(f"Buying less every year costs {more / 1e6:,.2f} million RMB more.")

use_style()
figure = new_figure(7, 4)
ax = figure.add_subplot()
for plan, label, marker in ((free, "as the model likes", "o"), (shrinking, "shrinking", "s")):
    places = plan.tables["purchases"].groupby("school_year")["places_september"].sum()
    places = places.reindex(list(city.years), fill_value=0.0)
    ax.plot(list(city.years), places, marker=marker, label=label)
ax.set_title("Places bought in private schools")
ax.set_xlabel("school year")
ax.set_ylabel("places")
ax.set_xticks(list(city.years))
ax.legend()
figure.savefig(Path("own-rule.png"))
