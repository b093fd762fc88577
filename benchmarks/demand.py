"""Forecasting figures in one command: accuracy on real enrolment, coverage, and speed of draws.

Usage: ``python -m benchmarks demand [DATA]``. DATA is the folder of the two enrolment tables
(default: what CAPSIM_DATA names); without it only the speed is measured. One line of JSON a figure.
"""

from __future__ import annotations

import json
import os
import sys
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd

from capsim.demand import METHODS, Panel, backtest, panel
from capsim.demand.draws import Spread, blocks, draw

STATES = "us_states/enrolment_by_grade_1986_2017.csv"
SCHOOLS = "vermont/enrolment_by_grade_2004_2021.csv"
JUDGED = ("no change", "3-year mean", "smoothed", "hierarchical")


def spread(areas: int, grades: int, leads: int) -> Spread:
    """Every part of the errors present, tails heavier than normal, births to come."""
    return Spread(
        common=np.full(leads, 0.005),
        whole=np.full((grades, leads), 0.01),
        area=np.full((areas, leads), 0.01),
        cohort=np.full((areas, grades, leads), 0.03),
        birth_sd=0.03,
        born=np.maximum(np.arange(leads) - np.arange(grades)[:, None] - 3, 0),
        freedom=6.0,
    )


def city(draws: int = 1000, areas: int = 18, grades: int = 18, years: int = 10) -> dict[str, float]:
    """Time and memory of one city's joint draws, random numbers included; the best of 30 runs."""
    pupils = np.random.default_rng(0).uniform(500, 5000, (areas, grades, years))
    size = spread(areas, grades, years - 1)
    wall, processor = [], []
    for _ in range(30):
        begin, busy = time.perf_counter(), time.process_time()
        made = draw(pupils, size, draws, seed=1)
        wall.append(time.perf_counter() - begin)
        processor.append(time.process_time() - busy)
    cells = made.size
    del made
    tracemalloc.start()
    draw(pupils, size, draws, seed=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return {
        "draws": draws,
        "ns_a_cell": round(min(wall) / cells * 1e9, 2),
        "processor_ns_a_cell": round(min(processor) / cells * 1e9, 2),
        "normal_number_ns": round(normal() * 1e9, 2),
        "peak_mb": round(peak / 1e6, 1),
    }


def normal(number: int = 1_000_000) -> float:
    """Seconds that one normal number takes here, to tell the machine from the code."""
    rng = np.random.Generator(np.random.SFC64(1))
    best = np.inf
    for _ in range(10):
        begin = time.perf_counter()
        rng.standard_normal(number)
        best = min(best, time.perf_counter() - begin)
    return float(best / number)


def nation(areas: int = 2850, draws: int = 1000) -> dict[str, float]:
    """Time and memory of a nation's draws taken block by block."""
    pupils = np.random.default_rng(0).uniform(500, 5000, (areas, 15, 15))
    size = spread(areas, 15, 14)
    tracemalloc.start()
    begin = time.perf_counter()
    total = sum(float(part.sum()) for part in blocks(pupils, size, draws, seed=1))
    seconds = time.perf_counter() - begin
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    off = total / draws / pupils.sum() - 1
    return {
        "areas": areas,
        "draws": draws,
        "seconds": round(seconds, 2),
        "peak_mb": round(peak / 1e6, 1),
        "mean_off": round(off, 5),
    }


def accuracy(table: Panel, leads: list[int], first: int, error: str) -> list[dict[str, object]]:
    """Errors by method at the level of areas, and the coverage of the best method's intervals."""
    methods = {name: METHODS[name] for name in JUDGED}
    found = backtest(table, methods, leads, first)
    lines: list[dict[str, object]] = []
    for name in (*JUDGED, "auto"):
        rows = found.table[(found.table["method"] == name) & (found.table["level"] == "area")]
        lines.append({"method": name, error: dict(zip(leads, rows[error].round(3), strict=True))})
    for level in ("total", "area", "grade"):
        rows = found.table[
            (found.table["method"] == "hierarchical") & (found.table["level"] == level)
        ]
        for cover in ("cover80", "cover95"):
            lines.append({level: cover, **dict(zip(leads, rows[cover].round(1), strict=True))})
    grades = found.grades[(found.grades["method"] == "hierarchical") & (found.grades["lead"] <= 5)]
    for cover, share, off in (("cover80", 80, 4.0), ("cover95", 95, 2.5)):
        near = (grades[cover] - share).abs() <= off
        lines.append(
            {"single grades, leads to 5": cover, "within": int(near.sum()), "of": len(near)}
        )
    return lines


def until(table: Panel, last: int) -> Panel:
    """Cut a panel at a year, with the areas observed by then."""
    number = table.years.index(last) + 1
    pupils = table.pupils[..., :number]
    seen = np.isfinite(pupils).any((1, 2))
    names = tuple(np.array(table.areas)[seen])
    return Panel(names, table.grades, table.years[:number], pupils[seen], table.county[seen])


def main(data: str | None) -> None:
    """Print all figures."""
    print(json.dumps({"city": city()}))
    print(json.dumps({"nation": nation()}))
    if not data:
        return
    states = panel(pd.read_csv(Path(data) / STATES), name=STATES)
    for line in accuracy(states, list(range(1, 11)), 1996, "mape"):
        print(json.dumps({"US states": line}))
    schools = panel(pd.read_csv(Path(data) / SCHOOLS), name=SCHOOLS)
    for last in (2019, 2021):
        for line in accuracy(until(schools, last), list(range(1, 6)), 2007, "wape"):
            print(json.dumps({f"Vermont schools to {last}": line}))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("CAPSIM_DATA"))
