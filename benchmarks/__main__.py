"""The one command of the benchmarks: ``python -m benchmarks [--quick] [NAME …]``."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import goals, show
from benchmarks.commands import COMMANDS
from benchmarks.measure import compare
from benchmarks.registry import ROUTES, discover
from benchmarks.sizes import MODELS, SIZES
from capsim.benchmark import described

QUICK = (("places", "county", 1), ("places", "city", 3), ("places", "province", 1))
QUICK_ROUTES = (
    "raw",
    "capsim",
    "capsim-search",
    "pulp-loops",
    "pulp-fast",
    "linopy",
    "pyomo",
    "scipy",
)
QUICK_LIMIT_S = 60.0
QUICK_CLOSELY = 4
QUICK_SWEEP_YEAR = 2026


def parser() -> argparse.ArgumentParser:
    """Describe what may be asked for."""
    discover()
    made = argparse.ArgumentParser(
        "benchmarks",
        description="Time and memory of capsim beside its peers, each route in a fresh process.",
        epilog="Further: " + "; ".join(f"{n}: {c.__doc__}" for n, c in COMMANDS.items()),
    )
    made.add_argument("--models", nargs="+", choices=MODELS, default=["places"])
    made.add_argument("--sizes", nargs="+", choices=SIZES, default=["county", "city"])
    made.add_argument("--routes", nargs="+", choices=ROUTES, default=list(ROUTES))
    made.add_argument("--repeats", type=int, default=3, help="runs of each route; medians count")
    made.add_argument("--limit-s", type=float, help="longest time for a process, seconds")
    made.add_argument("--quick", action="store_true", help="all goals that fit into three minutes")
    made.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    made.add_argument("--out", type=Path, help="folder for results.json and results.png")
    return made


def measured(asked: argparse.Namespace) -> list[dict[str, Any]]:
    """Compare the routes at every model and size asked for."""
    discover()
    wanted = [(m, s, asked.repeats) for m in asked.models for s in asked.sizes]
    routes, limit_s = asked.routes, asked.limit_s
    if asked.quick:
        wanted, routes, limit_s = list(QUICK), list(QUICK_ROUTES), QUICK_LIMIT_S
    results = []
    with tempfile.TemporaryDirectory(prefix="capsim-benchmarks-") as folder:
        for model, size, repeats in wanted:
            found = compare(
                model,
                size,
                routes,
                Path(folder),
                repeats=repeats,
                closely=QUICK_CLOSELY if asked.quick else 0,
                timeout_s=limit_s,
                tell=lambda word: print(word, file=sys.stderr, flush=True),
            )
            results.append(found)
            if not asked.json:
                print(show.table(found) + "\n", flush=True)
    return results


def main(arguments: Sequence[str]) -> None:
    """Do a named benchmark, or compare routes and hold them against the goals."""
    if arguments and arguments[0] in COMMANDS:
        COMMANDS[arguments[0]](arguments[1:])
        return
    asked = parser().parse_args(arguments)
    results = measured(asked)
    checks = goals.of_routes(results)
    if asked.quick:
        checks += goals.of_start() + goals.of_cohorts() + goals.of_sweep(QUICK_SWEEP_YEAR)
    found = {"machine": described(), "checks": checks, "results": results}
    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(found, indent=1) + "\n"
        (asked.out / "results.json").write_text(text, encoding="utf-8")
        show.figure(results, asked.out / "results.png")
    print(json.dumps(found) if asked.json else show.verdicts(checks))


if __name__ == "__main__":
    main(sys.argv[1:])
