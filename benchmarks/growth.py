"""How time and memory of capsim's own arrays grow: ``python -m benchmarks growth [--out DIR]``.

One thing is doubled at a time: areas, private schools, years; draws of a plan's simulation. Every
point is a generated plan with all constraint families, made in a process of its own; seconds are of
the processor and the memory is what the making itself adds. The exponent is the slope of a straight
line on logarithmic axes: 1 is proportional, 2 quadratic.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clock import Phases
from benchmarks.measure import ROOT
from capsim.benchmark import described

STEPS: dict[str, tuple[int, ...]] = {
    "areas": (60, 120, 240, 480),
    "schools": (300, 600, 1200, 2400),
    "years": (5, 10, 20, 40),
    "draws": (500, 1000, 2000, 4000),
}
MEASURED = ("project", "formulate", "hand_over")
MARKS = {
    "project_s": "s",
    "formulate_s": "o",
    "hand_over_s": "^",
    "formulate_mb": "D",
    "simulate_s": "o",
    "simulate_mb": "D",
}
REPEATS = 3


def point(axis: str, value: int) -> dict[str, Any]:
    """Make one plan of a size, or simulate one, and measure it when all is loaded."""
    measure = simulated if axis == "draws" else formulated
    return {"axis": axis, "value": value, **measure(axis, value)}


def simulated(axis: str, draws: int) -> dict[str, Any]:
    """Simulate the plan of a small city."""
    import capsim

    plan = capsim.optimize(capsim.generate(6, 60_000, years=(2021, 2026)), relax=True)
    capsim.simulate(plan, draws=10, seed=1)
    phases = Phases()
    with phases("simulate"):
        capsim.simulate(plan, draws=draws, seed=1)
    tracemalloc.start()
    capsim.simulate(plan, draws=draws, seed=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {"simulate_s": phases.cpu_s["simulate"], "simulate_mb": peak / 1e6}


def formulated(axis: str, value: int) -> dict[str, Any]:
    """Make the arrays of a plan and hand them over."""
    import capsim
    from capsim.lp.highs import Highs

    size = {"areas": 60, "schools": 300, "years": 10, axis: value}
    made = capsim.generate(
        size["areas"],
        20_000 * size["areas"],
        kind="province",
        years=(2021, 2021 + size["years"]),
        stages=("primary", "junior", "senior"),
        private_schools=size["schools"],
    )
    demand = capsim.project(made)
    program = capsim.formulate(made, demand).program
    Highs(program)
    phases = Phases()
    for _ in range(REPEATS):
        with phases("project"):
            demand = capsim.project(made)
        with phases("formulate"):
            program = capsim.formulate(made, demand).program
        with phases("hand_over"):
            Highs(program)
    tracemalloc.start()
    capsim.formulate(made, demand)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    seconds = {name: phases.cpu_s[name] / REPEATS for name in MEASURED}
    return {
        "columns": len(program.cost),
        "nonzeros": int(program.matrix.nnz),
        **{f"{name}_s": seconds[name] for name in MEASURED},
        "formulate_mb": peak / 1e6,
    }


def exponents(points: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Slope of each measure on logarithmic axes, over the axis and over the nonzeros."""
    found: dict[str, dict[str, float]] = {}
    for axis in STEPS:
        rows = [p for p in points if p["axis"] == axis]
        if len(rows) < 2:
            continue
        along = np.log([p["value"] for p in rows])
        found[axis] = {
            key: float(np.polyfit(along, np.log([max(p[key], 1e-9) for p in rows]), 1)[0])
            for key in ("nonzeros", *MARKS)
            if key in rows[0]
        }
    return found


def figure(points: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw seconds and memory against each axis, the exponents in the legend."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    slopes = exponents(points)
    sheet, axes = plt.subplots(2, len(slopes), figsize=(14, 6), layout="constrained")
    for column, axis in enumerate(slopes):
        rows = [p for p in points if p["axis"] == axis]
        along = [p["value"] for p in rows]
        for key in (key for key in MARKS if key in rows[0]):
            ax = axes[int(key.endswith("_mb")), column]
            label = f"{key.rsplit('_', 1)[0].replace('_', '-')}, exponent {slopes[axis][key]:.2f}"
            ax.loglog(along, [p[key] for p in rows], marker=MARKS[key], label=label)
        for ax, unit in zip(axes[:, column], ("CPU s", "MB"), strict=True):
            ax.set_xlabel(axis)
            ax.set_xticks(along, [f"{value:,}" for value in along])
            ax.minorticks_off()
            ax.set_ylabel(unit)
            low, high = ax.get_ylim()
            ax.set_ylim(low, high * (high / low) ** 0.35)  # room for the legend
            if unit == "MB":
                memory = next(key for key in rows[0] if key.endswith("_mb"))
                held = [p[memory] for p in rows]
                ax.set_yticks(held, [f"{value:.0f}" for value in held])
            ax.legend(fontsize=8, frameon=False)
            ax.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.savefig(path, dpi=110, metadata={"Software": ""})
    plt.close(sheet)


def main(arguments: Sequence[str]) -> None:
    """Measure every point in a process of its own and print the exponents."""
    parser = argparse.ArgumentParser("benchmarks growth", description=__doc__)
    parser.add_argument("--out", type=Path, help="folder for growth.json and growth.png")
    parser.add_argument("--point", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.point:
        print(json.dumps(point(asked.point[0], int(asked.point[1]))))
        return
    points = []
    for axis, values in STEPS.items():
        for value in values:
            command = [sys.executable, "-m", "benchmarks", "growth", "--point", axis, str(value)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            points.append(json.loads(done.stdout.splitlines()[-1]))
            print(json.dumps(points[-1]), flush=True)
    print(json.dumps({"exponents": exponents(points)}))
    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
        found = {"machine": described(), "points": points, "exponents": exponents(points)}
        (asked.out / "growth.json").write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        figure(points, asked.out / "growth.png")
