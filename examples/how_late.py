"""How late may the programme be? Every ordered school some months late, and what still holds.

Usage: python examples/how_late.py [SCENARIO]. Draws how-late.png.
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
    city = capsim.generate(3, 20_000, seed=1, stages=stages, years=(2021, 2025), name="city")

plan = capsim.optimize(city)
ordered = plan.tables["projects"]
ordered = ordered[(ordered["status"] != "candidate") & (ordered["opens"] != "")]
months = range(0, 13, 2)
short, over = [], []
for late in months:
    days = pd.to_datetime(ordered["opens"]) + pd.DateOffset(months=late)
    openings = pd.DataFrame([days.to_list()], columns=ordered["project"].to_list())
    outcomes = capsim.simulate(plan, draws=1, uncertainty=False, openings=openings)
    draw = outcomes.tables["draws"].iloc[0]
    short.append(draw["shortfall_compulsory"] + draw["shortfall_other"])
    over.append(draw["overfilled"])
    print(f"{late:>2} months: {short[-1]:,.0f} without a place, {over[-1]:,.0f} above standard")

use_style()
figure = new_figure(7, 4)
ax = figure.add_subplot()
ax.plot(list(months), over, marker="s", label="above the standard class size")
ax.plot(list(months), short, marker="o", label="without a place")
ax.set_title("If every ordered school is late")
ax.set_xlabel("months late")
ax.set_ylabel("children × school years")
ax.legend()
figure.savefig(Path("how-late.png"))
