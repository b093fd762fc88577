"""Plug in a rule of your own: what is bought must shrink by at least a third every year.

The model opens as a PuLP problem with speaking names; add to it in PuLP's language, solve it with
any solver, read the plan back. Usage: python examples/own_rule.py [SCENARIO]. Draws own-rule.png.
"""

import re
import sys
from pathlib import Path

import pulp

import capsim
from capsim.report.figures import new_figure

if len(sys.argv) > 1:
    city = capsim.load(sys.argv[1])
else:
    stages = ("primary", "junior")
    city = capsim.generate(2, 9_000, seed=1, stages=stages, years=(2021, 2025), name="city")

model = capsim.formulate(city)
problem = model.to_pulp()
bought = {
    year: pulp.lpSum(
        variable
        for variable in problem.variables()
        if re.fullmatch(rf"purchased_(?!december_).+_{year}", variable.name)
    )
    for year in city.years
}
for year in city.years[1:]:
    problem += 3 * bought[year] <= 2 * bought[year - 1], f"shrinking_{year}"
path = pulp.PULP_CBC_CMD.pulp_cbc_path
problem.solve(pulp.COIN_CMD(path=path, msg=False, gapRel=1e-3))

free, shrinking = capsim.optimize(city), capsim.Plan.from_pulp(problem)
more = shrinking.objective_cny - free.objective_cny
print(f"Buying less every year costs {more / 1e6:,.2f} million RMB more.")

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
