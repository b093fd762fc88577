"""Thirty-odd shapes of programs, each beside raw HiGHS: ``python -m benchmarks shapes [--json]``.

One county and many, linked over borders, catchments, sites to choose from, a nation. HiGHS is given
the arrays that ``capsim.formulate`` makes, and solves them whole to the shape's gap; capsim's own
search is asked for the same gap. Each has a process of its own, and its processor time counts. A
ratio of 1 is as fast as raw HiGHS. Where a clock ends one of the two, gaps are compared instead.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import capsim
from benchmarks.measure import ROOT
from benchmarks.models import places
from benchmarks.sizes import Size
from capsim.lp.highs import Highs
from capsim.lp.options_and_result import SolveOptions
from capsim.model.constraints import FAMILIES
from capsim.plan.solver import search

MOST = 1.3
"""Times raw HiGHS's processor time that a search may take."""
LEAST_S = 1.0
"""Seconds below which both count as equal: so little is the machine's, not the search's."""
YEAR = 2022


@dataclass(frozen=True)
class Shape:
    """A scenario, the gap it is solved to, and the seconds either search may take."""

    scenario: Callable[[], capsim.Scenario]
    gap: float = 1e-3
    limit_s: float = 60.0


def plan(areas: int, pupils: int, **kind: Any) -> capsim.Scenario:
    """Generate a city, province or nation with every rule of the plan."""
    return capsim.generate(areas, pupils, 3, **kind)


def linked(areas: int, pupils: int, neighbours: int, last_year: int = 2031) -> capsim.Scenario:
    """Generate public schools only, with links over the borders of counties."""
    return places.scenario(Size("linked", areas, pupils, "province", neighbours, last_year))


def sites(
    areas: int,
    candidates: int,
    *,
    p: int | None = None,
    near: int | None = None,
    room: float | None = None,
    fixed_cny: float = 0.0,
    years: int = 1,
    seed: int = 0,
) -> capsim.Scenario:
    """Strew areas over 20 × 20 km, with sites in the first of them.

    Parameters
    ----------
    p : int, optional
        Schools that there is money for (p-median where nothing else limits).
    near : int, optional
        Sites that an area may go to, the nearest; all where not given.
    room : float, optional
        Places of all sites, as a multiple of the children; each holds all where not given.
    fixed_cny : float
        RMB a school on average.
    """
    rng = np.random.default_rng(seed)
    xy, children = rng.uniform(0, 20, (areas, 2)).round(2), rng.integers(20, 200, areas)
    names = np.array([f"a{i}" for i in range(areas)])
    school = np.array([f"site-{j}" for j in range(candidates)])
    away = np.hypot(*(xy[:, None, :] - xy[None, :candidates, :]).transpose(2, 0, 1))
    of = np.argsort(away, axis=1, kind="stable")[:, : near or candidates]
    price = np.full(candidates, 1e6) if p else rng.uniform(0.5, 1.5, candidates) * fixed_cny
    part = rng.dirichlet(np.full(candidates, 8.0)) * children.sum()
    capacity = np.full(candidates, float(children.sum())) if room is None else (part * room).round()
    span = np.arange(YEAR - 1, YEAR + years)
    money = {"county": ["C"], "year": [YEAR], "kind": ["capital"], "amount": [1e6 * (p or 0)]}
    used = ("placement", "seats", *(("money",) if p else ()))
    return capsim.Scenario.from_tables(
        settings={
            "name": "sites",
            "horizon": {"base_year": YEAR - 1, "last_year": int(span[-1])},
            "stages": {"planned": ["junior"], "compulsory": ["junior"]},
            "standards": {"junior": {"grades": ["7"], "class_size": 50, "class_ceiling": 50}},
            "switches": {name: name in used for name in FAMILIES},
            "costs": {"discount_rate": 0.0, "travel_cny_per_km": 300.0, "shortfall_cny": 1e5},
            "cost_terms": {"capital": not p, "running": False},
        },
        areas=pd.DataFrame({"area": names, "county": "C", "x_km": xy[:, 0], "y_km": xy[:, 1]}),
        forecast=pd.DataFrame(
            {
                "area": np.repeat(names, len(span)),
                "grade": "7",
                "school_year": np.tile(span, areas),
                "pupils": np.repeat(children, len(span)).astype(float),
            }
        ),
        projects=pd.DataFrame(
            {
                "project": school,
                "stage": "junior",
                "area": names[:candidates],
                "kind": "new",
                "places": capacity,
                "capital_cny": price,
                "status": "candidate",
                "earliest_opening": f"{YEAR}-09-01",
                "build_months": 1,
            }
        ),
        links=pd.DataFrame(
            {
                "area": np.repeat(names, of.shape[1]),
                "to_area": "",
                "to_school": school[of.ravel()],
                "stage": "junior",
                "km": np.take_along_axis(away, of, axis=1).ravel(),
            }
        ),
        **({"limits": pd.DataFrame(money)} if p else {}),
    )


def catchments(across: int, down: int, schools: int, near: int = 4) -> capsim.Scenario:
    """Lay units out on a grid, a school in some, each unit to one of the nearest, no islands."""
    rng = np.random.default_rng(0)
    count = across * down
    xy = np.stack([np.arange(count) % across, np.arange(count) // across], axis=1).astype(float)
    names = np.array([f"a{i}" for i in range(count)])
    children = rng.integers(5, 60, count)
    where = rng.choice(count, schools, replace=False)
    part = rng.dirichlet(np.full(schools, 20.0))
    right = np.flatnonzero(xy[:, 0] < across - 1)
    ends = np.concatenate(
        [
            np.stack([right, right + 1], 1),
            np.stack([np.arange(count - across), np.arange(across, count)], 1),
        ]
    )
    size = {"class_size": 50, "class_ceiling": 75, "large_class": 200, "very_large_class": 200}
    return capsim.Scenario.from_tables(
        settings={
            "name": "catchments",
            "horizon": {"base_year": YEAR - 1, "last_year": YEAR},
            "stages": {"planned": ["junior"]},
            "standards": {"junior": {"grades": ["7"], **size}},
            "costs": {"discount_rate": 0.0, "travel_cny_per_km": 300.0, "overfill_cny": 2e3},
            "cost_terms": {"running": False},
            "switches": {"staff": False},
            "travel": {"nearest": {"junior": near}},
            "catchments": {"stages": ["junior"]},
        },
        areas=pd.DataFrame({"area": names, "county": "C", "x_km": xy[:, 0], "y_km": xy[:, 1]}),
        forecast=pd.DataFrame(
            {
                "area": np.repeat(names, 2),
                "grade": "7",
                "school_year": np.tile([YEAR - 1, YEAR], count),
                "pupils": np.repeat(children, 2).astype(float),
            }
        ),
        schools=pd.DataFrame(
            {
                "school": [f"s{k}" for k in range(schools)],
                "stage": "junior",
                "area": names[where],
                "sector": "public",
                "places": np.maximum(50.0, (1.1 * children.sum() * part).round()),
                "pupils": 0.0,
            }
        ),
        borders=pd.DataFrame(names[ends], columns=["area", "to_area"]),
    )


THREE: tuple[str, ...] = ("primary", "junior", "senior")
SHAPES: dict[str, Shape] = {
    "one county, 7,000 columns": Shape(lambda: plan(3, 60_000)),
    "one county, 24,000 columns": Shape(lambda: plan(3, 300_000)),
    "one county, 31,000 columns": Shape(lambda: plan(3, 400_000)),
    "one county, 47,000 columns": Shape(lambda: plan(3, 650_000)),
    "one county, three stages": Shape(lambda: plan(3, 500_000, stages=THREE)),
    "one county, to 2026": Shape(lambda: plan(3, 900_000, years=(2021, 2026))),
    "two counties": Shape(lambda: plan(6, 200_000)),
    "two counties, 40,000 columns": Shape(lambda: plan(6, 450_000)),
    "four counties, small": Shape(lambda: plan(12, 100_000), limit_s=90.0, gap=5e-3),
    "four counties, to 2026": Shape(lambda: plan(12, 500_000, years=(2021, 2026))),
    "six counties": Shape(lambda: plan(18, 300_000), gap=5e-3),
    "six counties, three stages": Shape(lambda: plan(18, 500_000, stages=THREE), gap=5e-3),
    "ten counties": Shape(lambda: plan(30, 500_000, years=(2021, 2028)), gap=5e-3),
    "province of 20": Shape(lambda: plan(20, 600_000, kind="province"), gap=5e-3),
    "province of 60, to 2026": Shape(
        lambda: plan(60, 2_000_000, kind="province", years=(2021, 2026)), gap=5e-3
    ),
    "nation of 200, to 2024": Shape(
        lambda: plan(200, 10_000_000, kind="nation", years=(2021, 2024)), gap=1e-2
    ),
    "linked, 100 areas": Shape(lambda: linked(100, 2_000_000, 2)),
    "linked, 300 areas": Shape(lambda: linked(300, 6_000_000, 3, 2026)),
    "linked, 1,000 areas": Shape(lambda: linked(1_000, 20_000_000, 2, 2024)),
    "linked, 2,000 areas": Shape(lambda: linked(2_000, 40_000_000, 1, 2023)),
    "catchments of 100": Shape(lambda: catchments(10, 10, 8)),
    "catchments of 400": Shape(lambda: catchments(20, 20, 20)),
    "catchments of 851": Shape(lambda: catchments(37, 23, 30)),
    "5-median of 50": Shape(lambda: sites(50, 50, p=5)),
    "10-median of 100": Shape(lambda: sites(100, 100, p=10)),
    "5-median of 100, other points": Shape(lambda: sites(100, 100, p=5, seed=1)),
    "10-median of 200": Shape(lambda: sites(200, 200, p=10)),
    "sites without limit, 100": Shape(lambda: sites(100, 100, fixed_cny=3e5)),
    "sites of limited size, 30 of 200": Shape(lambda: sites(200, 30, fixed_cny=2e6, room=3.0)),
    "sites of limited size, 50 of 400": Shape(lambda: sites(400, 50, fixed_cny=2e6, room=4.0)),
    "sites, 150 with the nearest 15": Shape(lambda: sites(300, 150, fixed_cny=4e5, near=15)),
    "sites over five years": Shape(lambda: sites(150, 40, fixed_cny=5e6, near=12, years=5)),
    "sites of 732": Shape(lambda: sites(732, 732, fixed_cny=4e5, near=12)),
}


def solved(name: str, way: str) -> dict[str, Any]:
    """Formulate one shape and solve it ``raw`` or by ``capsim``."""
    shape = SHAPES[name]
    model = capsim.formulate(shape.scenario())
    program = model.program
    options = SolveOptions(gap=shape.gap, time_limit=shape.limit_s)
    begin = time.process_time()
    raw = way == "raw"
    found = Highs(program, options.highs).solve() if raw else search(model, program, options)
    cpu_s = time.process_time() - begin
    return {
        "columns": len(program.cost),
        "integers": int(program.integer.sum()),
        "status": found.status,
        "objective": found.objective,
        "bound": found.bound,
        "gap": (found.objective - found.bound) / max(abs(found.objective), 1e-9),
        "cpu_s": cpu_s,
    }


def in_a_process(name: str, way: str) -> dict[str, Any]:
    """Solve one shape in a fresh process."""
    code = f"import benchmarks.shapes as b; print(b.json.dumps(b.solved({name!r}, {way!r})))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def compared(names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Solve shapes both ways, raw HiGHS first."""
    for name in names:
        raw, own = in_a_process(name, "raw"), in_a_process(name, "capsim")
        gap, seconds = SHAPES[name].gap, max(raw["cpu_s"], LEAST_S)
        reached = {way: bool(one["gap"] <= gap) for way, one in (("raw", raw), ("own", own))}
        ratio = max(own["cpu_s"], LEAST_S) / seconds
        no_worse = not reached["raw"] and not own["gap"] > raw["gap"] * MOST
        holds = (reached["own"] and (ratio <= MOST or not reached["raw"])) or no_worse
        yield {"shape": name, "gap": gap, "raw": raw, "capsim": own, "ratio": ratio, "holds": holds}


def main(arguments: Sequence[str]) -> None:
    """Print a line a shape, or all as JSON."""
    parser = argparse.ArgumentParser("benchmarks shapes", description=__doc__)
    parser.add_argument("--only", help="shapes whose names hold this text")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--out", type=Path, help="file for the results as JSON")
    asked = parser.parse_args(arguments)
    names = [name for name in SHAPES if not asked.only or asked.only in name]
    results = []
    for one in compared(names):
        results.append(one)
        raw, own = one["raw"], one["capsim"]
        if not asked.json:
            print(
                f"{'pass' if one['holds'] else 'MISS'}  {one['shape']}: {raw['columns']:,} columns "
                f"({raw['integers']:,} whole): raw {raw['cpu_s']:.1f} s to {raw['gap']:.3%}, "
                f"capsim {own['cpu_s']:.1f} s to {own['gap']:.3%} "
                f"(asked {one['gap']:.1%}): {one['ratio']:.2f}",
                flush=True,
            )
    if asked.json:
        print(json.dumps(results))
    if asked.out:
        asked.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
