"""The goals, and each figure held against its own; a miss stays a miss."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

from benchmarks.measure import ROOT

BUILD = {"city": 0.10, "province": 0.06, "nation": 0.02}
WHOLE = {"city": 1.10, "province": 1.07, "nation": 1.02}
NATION_MB = 700.0
OWN = "capsim-search"
"""What a user of capsim waits for; its whole time is held against the peers'."""
SHARED = ("capsim", OWN, "capsim-pulp-highs", "capsim-pulp-cbc", "raw")
ARRAYS = ("scipy", "pulp-fast")
"""Routes that are given capsim's arrays: what making them takes is left out of the comparison."""
HELP = "from capsim.cli import main; main()"
IMPORT_S, HELP_S = 0.05, 0.3
CELL_NS, DRAW_NS, DRAW_MB = 2.5, 4.0, 100.0

CARRIED_OUT = {
    ("intake_restarts", "schools"): 0.0,
    ("emptied_and_refilled", "schools"): 0.0,
    ("converted_empty", "school_years"): 0.0,
    ("converted_one_grade", "share"): 0.01,
    ("emptied_at_once", "schools"): 0.0,
    ("must_emptied_before", "schools"): 0.0,
    ("bought_who_pay", "share"): 0.001,
    ("contracts_halved", "contracts"): 0.0,
    ("bought_beside_seats", "share"): 0.005,
    ("empty_classrooms", "share"): 0.1,
    ("teachers_untold", "untold_most"): 0.5,
}
"""What a plan that can be carried out has at most, by count and figure of `carried_out`."""


def check(name: str, measured: float, goal: float) -> dict[str, Any]:
    """One figure that shall be at most its goal."""
    return {"name": name, "goal": goal, "measured": measured, "holds": bool(measured <= goal)}


def of_routes(results: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Hold capsim's build, whole time and memory against the limit and the peers."""
    checks = []
    for result in results:
        routes, size = result["routes"], result["size"]
        own = routes.get("capsim", {})
        if "cpu_s" not in own:
            continue
        label = f"{result['model']}, {size}"
        if size in BUILD and not result["integers"]:
            ratio = own["build_over_solve"]
            checks.append(check(f"{label}: build and hand-over / raw solve", ratio, BUILD[size]))
            checks.append(check(f"{label}: whole / raw", own["whole"], WHOLE[size]))
            searched = routes.get(OWN, {}).get("whole")
            if searched is not None:
                name = f"{label}: whole with capsim's own search / raw"
                checks.append(check(name, searched, WHOLE[size]))
        if size == "nation":
            peak = own["peak_mb"]["hand_over"]
            checks.append(check(f"{label}: peak at hand-over, MB", peak, NATION_MB))
        ready = own["cpu_s"]["build"] + own["cpu_s"]["hand_over"]
        best = routes.get(OWN, {}).get("cpu_s", own["cpu_s"])
        for name, peer in routes.items():
            if name in SHARED or "cpu_s" not in peer:
                continue
            mine, theirs = sum(best.values()), sum(peer["cpu_s"].values())
            if name in ARRAYS:
                ratio = (mine - best["build"]) / theirs
                checks.append(check(f"{label}: after the arrays, capsim / {name}", ratio, 1.0))
                continue
            checks.append(check(f"{label}: whole, capsim / {name}", mine / theirs, 1.0))
            ratio = ready / (peer["cpu_s"]["build"] + peer["cpu_s"]["hand_over"])
            checks.append(check(f"{label}: build and hand-over, capsim / {name}", ratio, 1.0))
    return checks


def of_counts(label: str, counts: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """Hold the counts of a plan against their goals; a share of nothing is 0."""
    return [
        check(f"{label}: {count}, {figure}".replace("_", " "), counts[count][figure], goal)
        for (count, figure), goal in CARRIED_OUT.items()
        if figure in counts[count]
    ]


def of_start(repeats: int = 5) -> list[dict[str, Any]]:
    """Hold ``import capsim`` and ``capsim --help`` against their goals, CPU seconds."""

    def spent(*arguments: str) -> float:
        code = (
            "import resource, subprocess as s, sys;"
            "s.run([sys.executable, *sys.argv[1:]], stdout=s.DEVNULL, check=True);"
            "u = resource.getrusage(resource.RUSAGE_CHILDREN); print(u.ru_utime + u.ru_stime)"
        )
        command = [sys.executable, "-c", code, *arguments]
        runs = [
            subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
            for _ in range(repeats)
        ]
        return median(map(float, runs))

    bare, loaded = spent("-c", "pass"), spent("-c", "import capsim")
    return [
        check("import capsim above bare Python, CPU s", loaded - bare, IMPORT_S),
        check("capsim --help, CPU s", spent("-c", HELP, "--help"), HELP_S),
    ]


def of_cohorts() -> list[dict[str, Any]]:
    """Hold speed and memory of a city's joint draws against their goals."""
    from benchmarks.cohorts import city

    found = city()
    return [
        check("cohorts alone, CPU ns a cell", found["fill_ns"], CELL_NS),
        check("draws of a city, random numbers included, CPU ns a cell", found["draw_ns"], DRAW_NS),
        check("draws of a city, peak MB", found["peak_mb"], DRAW_MB),
    ]


def of_sweep(last_year: int) -> list[dict[str, Any]]:
    """Hold a sweep of a generated city against its goals, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks", "sweep", "--json", "--last-year", str(last_year)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])["checks"]
    return [{**c, "name": f"sweep: {c['name']}"} for c in found]
