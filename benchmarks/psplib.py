"""Standard project scheduling instances (PSPLIB, single mode) through the public interface.

An instance becomes a construction-only scenario: one project, one phase per job, one resource row
per resource; a period is a month. One line of JSON per instance: makespan (periods) by rule and
after the budget, the optimum, whether every schedule passed the independent check, seconds; then
one summary line. Usage: ``python -m benchmarks psplib DIRECTORY [SCHEDULES]``.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.schedule_check import faults_of
from capsim import Scenario
from capsim.construction.calendars import MONTH_DAYS
from capsim.construction.scheduling import Schedule, schedule

RULES = ("latest_finish", "latest_start", "minimum_slack", "most_successors", "rank_weight")


def read(path: Path) -> Scenario:
    """Read a single-mode ``.sm`` file as a scenario of one project."""
    text = path.read_text(encoding="latin-1")
    after: dict[int, list[int]] = {}
    block = text.split("PRECEDENCE RELATIONS:")[1].split("*" * 10)[0]
    for line in block.splitlines():
        numbers = [int(word) for word in line.split() if word.isdigit()]
        for successor in numbers[3:]:
            after.setdefault(successor, []).append(numbers[0])
    jobs = []
    block = text.split("REQUESTS/DURATIONS:")[1].split("*" * 10)[0]
    for line in block.splitlines():
        if re.match(r"^\s*\d+\s+\d+\s+\d+", line):
            job, _, duration, *units = map(int, line.split())
            jobs.append((job, duration, units))
    amounts = [
        int(word) for word in text.split("RESOURCEAVAILABILITIES:")[1].split() if word.isdigit()
    ]
    phases = pd.DataFrame(
        {
            "project": path.stem,
            "kind": "",
            "phase": [f"job {job}" for job, _, _ in jobs],
            "after": [";".join(f"job {b}" for b in after.get(job, [])) for job, _, _ in jobs],
            "distribution": "fixed",
            "mode_months": [float(duration) for _, duration, _ in jobs],
            "needs": [
                ";".join(f"R{r}={u}" for r, u in enumerate(units, 1) if u) for _, _, units in jobs
            ],
        }
    )
    count = len(jobs[0][2])
    resources = pd.DataFrame(
        {
            "resource": [f"R{r}" for r in range(1, count + 1)],
            "county": "*",
            "units": amounts[-count:],
        }
    )
    projects = pd.DataFrame(
        {
            "project": [path.stem],
            "stage": "primary",
            "area": "site",
            "kind": "new",
            "places": 0.0,
            "capital_cny": 0.0,
            "status": "candidate",
            "earliest_opening": "2022-01-01",
        }
    )
    settings = {
        "name": path.stem,
        "horizon": {"base_year": 2021, "last_year": 2035},
        "costs": {"discount_rate": 0.04},
    }
    return Scenario.from_tables(settings, projects=projects, phases=phases, resources=resources)


def feasible(made: Schedule, scenario: Scenario) -> bool:
    """Check a schedule independently of what made it."""
    table = made.table
    start, finish = table["start_day"].to_numpy(float), table["finish_day"].to_numpy(float)
    months = scenario.table("phases").set_index("phase")["mode_months"]
    days = months.loc[table["phase"]].to_numpy(float) * MONTH_DAYS
    complete = len(table) == len(months) and bool(np.isfinite(finish).all())
    return complete and not faults_of(made.network, start, finish, days)


def solve(path: Path, optimum: float | None, budget: int) -> dict[str, object]:
    """Schedule one instance by every rule and within the budget."""
    scenario = read(path)
    began = time.perf_counter()
    rules = {rule: schedule(scenario, rules=(rule,)) for rule in RULES}
    middle = time.perf_counter()
    best = schedule(scenario, rules=RULES, budget=budget)
    end = time.perf_counter()
    return {
        "instance": path.name,
        "makespan": round(best.makespan_months, 6),
        "optimum": optimum,
        "feasible": all(feasible(one, scenario) for one in (*rules.values(), best)),
        "seconds": round(end - middle, 3),
        "schedules": best.schedules,
        "rules": {rule: round(one.makespan_months, 6) for rule, one in rules.items()},
        "seconds_rules": round(middle - began, 3),
    }


def main(directory: str, budget: int = 1000, pattern: str = "*.sm") -> list[dict[str, object]]:
    """Do a folder of instances (``optima.csv`` beside them, optional) and print a line for each."""
    folder = Path(directory)
    table = folder / "optima.csv"
    optima: dict[str, float] = {}
    if table.exists():
        frame = pd.read_csv(table)
        names = [Path(str(name)).stem for name in frame["instance"]]
        optima = dict(zip(names, frame["makespan"].astype(float), strict=True))
    paths = sorted(folder.glob(pattern))
    if not paths:
        raise SystemExit(f"{folder}: no file {pattern}")
    lines = []
    for path in paths:
        lines.append(solve(path, optima.get(path.stem), budget))
        print(json.dumps(lines[-1]), flush=True)
    known = [line for line in lines if line["optimum"] is not None]
    if known:
        print(json.dumps(summary(known)), flush=True)
    return lines


def summary(lines: list[dict[str, object]]) -> dict[str, object]:
    """Average excess over the optimum (%), by rule and after the budget."""

    def excess(value: object, line: dict[str, object]) -> float:
        return 100 * (float(str(value)) / float(str(line["optimum"])) - 1)

    rules = {
        rule: round(float(np.mean([excess(line["rules"][rule], line) for line in lines])), 3)  # type: ignore[index]
        for rule in RULES
    }
    return {
        "instances": len(lines),
        "feasible": all(bool(line["feasible"]) for line in lines),
        "excess_percent": round(
            float(np.mean([excess(line["makespan"], line) for line in lines])), 3
        ),
        "excess_percent_by_rule": rules,
        "seconds": round(sum(float(str(line["seconds"])) for line in lines), 1),
        "period_days": MONTH_DAYS,
    }


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000)
