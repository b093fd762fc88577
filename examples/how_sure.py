"""How sure are we? The plan meets births and buildings as they may turn out.

Usage: python examples/how_sure.py [SCENARIO]. Draws how-sure.png.
"""

import sys
from pathlib import Path

import capsim
from capsim.report.figures import new_figure, target_chances, use_style

if len(sys.argv) > 1:
    city = capsim.load(sys.argv[1])
else:
    stages = ("primary", "junior")
    city = capsim.generate(3, 20_000, seed=1, stages=stages, years=(2021, 2025), name="city")

plan = capsim.optimize(city)
outcomes = capsim.simulate(plan, draws=500, seed=1)
least = outcomes.tables["targets"].sort_values("probability").iloc[0]
print(f"Least sure: {least['id']} by {least['by']}, {100 * least['probability']:.0f} %.")

use_style()
figure = new_figure(9, 4)
target_chances(figure.add_subplot(), plan, outcomes)
figure.savefig(Path("how-sure.png"))
