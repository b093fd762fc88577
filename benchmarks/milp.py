"""Whole numbers: ``python -m benchmarks milp [--models …] [--sizes …] [--limit-s S] [--json]``.

Every case is solved by capsim's own search (whole up to 30,000 columns, else block by block at
prices) in a process of its own, with the goal's gap asked for and the goal's seconds as its clock.
What is printed is what was proved: the gap between the plan found and a bound below every plan.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT
from benchmarks.registry import discover
from benchmarks.sizes import MODELS, SIZES
from capsim.benchmark import described

GOALS = {"city": (1e-3, 60.0), "province": (1e-2, 120.0), "nation": (3e-2, 1200.0)}
"""Gap and seconds on two cores."""


def solved(model: str, size: str, gap: float, limit_s: float) -> dict[str, Any]:
    """Generate, formulate and solve one case."""
    import capsim
    from capsim.lp import SolverError
    from capsim.lp.options_and_result import SolveOptions
    from capsim.plan.solver import search

    discover()
    made = capsim.formulate(MODELS[model].scenario(SIZES[size]))
    program = made.program
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        found = search(made, program, SolveOptions(gap=gap, time_limit=limit_s))
        status, objective, bound = found.status, found.objective, found.bound
    except SolverError as error:
        status, objective, bound = str(error), float("nan"), float("nan")
    avoidable = max(abs(objective), 1.0)
    return {
        "model": model,
        "size": size,
        "columns": len(program.cost),
        "rows": len(program.row_lower),
        "integers": int(program.integer.sum()),
        "status": status,
        "objective": objective,
        "bound": bound,
        "gap": (objective - bound) / avoidable,
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }


def in_a_process(model: str, size: str, limit_s: float) -> dict[str, Any]:
    """Solve one case in a fresh process."""
    asked = (model, size, GOALS[size][0], limit_s)
    code = f"import benchmarks.milp as b; print(b.json.dumps(b.solved(*{asked})))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def checks(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Hold a case's gap and seconds against the goals; a gap that is not proved is a miss."""
    gap, seconds = GOALS[found["size"]]
    label = f"{found['model']}, {found['size']}"
    proved = bool(found["gap"] <= gap)
    in_time = proved and found["wall_s"] <= seconds
    return [
        {"name": f"{label}: gap proved", "goal": gap, "measured": found["gap"], "holds": proved},
        {
            "name": f"{label}: seconds to it on this machine",
            "goal": seconds,
            "measured": found["wall_s"],
            "holds": in_time,
        },
    ]


def main(arguments: Sequence[str]) -> None:
    """Print a line a case and pass or miss beside each goal, or all as JSON."""
    discover()
    parser = argparse.ArgumentParser("benchmarks milp", description=__doc__)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=["places-milp", "plan"])
    parser.add_argument("--sizes", nargs="+", choices=GOALS, default=["city", "province"])
    parser.add_argument("--limit-s", type=float, help="seconds a case, in place of the goal's")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--out", type=Path, help="folder for milp.json")
    asked = parser.parse_args(arguments)
    results, held = [], []
    for model in asked.models:
        for size in asked.sizes:
            found = in_a_process(model, size, asked.limit_s or GOALS[size][1])
            results.append(found)
            held += checks(found)
            if not asked.json:
                print(
                    f"{model} {size}: {found['columns']:,} columns, {found['integers']:,} whole, "
                    f"{found['status']}, objective {found['objective']:.2f}, bound "
                    f"{found['bound']:.2f}, gap {found['gap']:.3%}, {found['wall_s']:.0f} s "
                    f"({found['cpu_s']:.0f} s CPU, load {found['load']:.1f})",
                    flush=True,
                )
    whole = {"machine": described(), "checks": held, "results": results}
    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(whole, indent=1) + "\n"
        (asked.out / "milp.json").write_text(text, encoding="utf-8")
    if asked.json:
        print(json.dumps(whole))
        return
    for check in held:
        word = "pass" if check["holds"] else "MISS"
        print(f"{word}  {check['name']}: {check['measured']:.6g} (goal: at most {check['goal']:g})")


if __name__ == "__main__":
    main(sys.argv[1:])
