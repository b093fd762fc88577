"""What does one percentage point of private share cost? The cap moved, the plan made anew.

Usage: python examples/cost_of_the_cap.py [SCENARIO]. Draws cost-of-the-cap.png.
"""

import sys
from pathlib import Path

import capsim
from capsim.report.figures import new_figure, use_style

if len(sys.argv) > 1:
    city = capsim.load(sys.argv[1])
else:
    stages = ("primary", "junior")
    city = capsim.generate(3, 20_000, seed=1, stages=stages, years=(2021, 2025), name="city")

((year, cap), *_) = city.settings.policy.private_share_cap.items()
caps = [cap + point / 100 for point in (-2, -1, 0, 1, 2)]
costs = []
for moved in caps:
    plan = capsim.optimize(city.variant({f"policy.private_share_cap.{year}": moved}))
    costs.append(plan.avoidable_cny / 1e6)
    print(f"at most {100 * moved:.2f} %: {costs[-1]:,.1f} million RMB, {plan.status}")

use_style()
figure = new_figure(7, 4)
ax = figure.add_subplot()
ax.plot([100 * moved for moved in caps], costs, marker="o")
ax.axvline(100 * cap, linestyle=":", color="black", label="as ordered")
ax.set_title("What the cap on private schools costs")
ax.set_xlabel(f"private share allowed from the end of {year}, %")
ax.set_ylabel("cost decided here, million RMB, discounted")
ax.legend()
figure.savefig(Path("cost-of-the-cap.png"))
