"""Capacitated warehouse location, a school-places plan of one year: published optima reached.

Customers are areas, their demand children, sites candidate schools with a fixed cost; the cost of
serving a customer is its travel. Usage: ``python -m benchmarks orlib DIRECTORY``.
Reference: J. E. Beasley, OR-Library (1990), problem sets of Kuehn & Hamburger.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import capsim
from capsim.model.constraints import FAMILIES

UNIT_CNY = 1e4
"""RMB of one unit of cost: children are placed at some 40 units, money is counted in millions."""
YEAR = 2022


def scenario_of(path: Path) -> capsim.Scenario:
    """Read an instance and say it as a scenario.

    Parameters
    ----------
    path : Path
        First line *sites customers*; a line *capacity fixed-cost* per site; per customer its demand
        and the cost of serving all of it from each site. Customers without demand cost nothing and
        are left out.
    """
    numbers, sites, customers = _numbers(path)
    capacity, fixed = numbers[2 : 2 + 2 * sites].reshape(sites, 2).T
    rest = numbers[2 + 2 * sites :].reshape(customers, 1 + sites)
    rest = rest[rest[:, 0] > 0]
    customers, demand, cost = len(rest), rest[:, 0], rest[:, 1:] / rest[:, :1]
    dear = 10 * (cost.max() + fixed.max())
    areas = np.array([f"customer-{i + 1}" for i in range(customers)])
    schools = np.array([f"site-{j + 1}" for j in range(sites)])
    settings: dict[str, Any] = {
        "name": path.stem,
        "horizon": {"base_year": YEAR - 1, "last_year": YEAR},
        "stages": {"planned": ["junior"], "compulsory": ["junior"]},
        "standards": {"junior": {"grades": ["7"], "class_size": 50, "class_ceiling": 50}},
        "costs": {"discount_rate": 0.0, "shortfall_cny": dear * UNIT_CNY},
        "switches": {name: name in ("placement", "seats") for name in FAMILIES},
        "cost_terms": {"running": False},
    }
    return capsim.Scenario.from_tables(
        settings=settings,
        areas=pd.DataFrame({"area": areas, "county": "all"}),
        forecast=pd.DataFrame(
            {
                "area": np.repeat(areas, 2),
                "grade": "7",
                "school_year": np.tile([YEAR - 1, YEAR], customers),
                "pupils": np.repeat(demand, 2),
            }
        ),
        projects=pd.DataFrame(
            {
                "project": schools,
                "stage": "junior",
                "area": areas[0],
                "kind": "new",
                "places": capacity,
                "capital_cny": fixed * UNIT_CNY,
                "status": "candidate",
                "earliest_opening": f"{YEAR}-09-01",
            }
        ),
        links=pd.DataFrame(
            {
                "area": np.repeat(areas, sites),
                "to_area": "",
                "to_school": np.tile(schools, customers),
                "stage": "junior",
                "cost_cny": cost.ravel() * UNIT_CNY,
            }
        ),
    )


def _numbers(path: Path) -> tuple[np.ndarray, int, int]:
    """Read an instance's numbers, and how many sites and customers they are of."""
    try:
        numbers = np.array(path.read_text(encoding="utf-8").split(), np.float64)
    except ValueError as error:
        raise SystemExit(f"{path}: {error}") from None
    if len(numbers) < 2:
        raise SystemExit(f"{path}: the numbers of sites and customers are expected first")
    sites, customers = int(numbers[0]), int(numbers[1])
    expected = 2 + 2 * sites + customers * (1 + sites)
    if len(numbers) != expected:
        raise SystemExit(
            f"{path}: {len(numbers)} numbers, where {sites} sites and {customers} customers have "
            f"{expected}"
        )
    return numbers, sites, customers


def optima_of(directory: Path) -> dict[str, float]:
    """Read published optima by instance from ``optima.csv``, if there is one."""
    table = directory / "optima.csv"
    if not table.exists():
        return {}
    with table.open(encoding="utf-8", newline="") as file:
        return {Path(row["instance"]).stem: float(row["optimum"]) for row in csv.DictReader(file)}


def results(directory: Path) -> Iterator[dict[str, Any]]:
    """Solve every instance of a folder: objective and bound in the instance's unit.

    ``optimum`` is None where none is known; ``status`` is ``infeasible`` where the sites are too
    small for all customers.
    """
    paths = sorted(directory.glob("*.txt"))
    if not paths:
        raise SystemExit(f"{directory}: no file *.txt")
    optima = optima_of(directory)
    for path in paths:
        begin = time.perf_counter()
        plan = capsim.optimize(scenario_of(path), gap=1e-7)
        yield {
            "instance": path.stem,
            "status": plan.status if _all_served(plan) else "infeasible",
            "objective": plan.objective_cny / UNIT_CNY,
            "bound": plan.bound_cny / UNIT_CNY,
            "optimum": optima.get(path.stem),
            "seconds": round(time.perf_counter() - begin, 3),
        }


def _all_served(plan: capsim.Plan) -> bool:
    """Tell whether the sites hold all customers; leaving some out is dear, but not forbidden."""
    return float(plan.tables["shortfall"]["shortfall"].sum()) <= 1e-6


def main(directory: str | Path) -> None:
    """Print a line of JSON per instance."""
    for result in results(Path(directory)):
        print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
