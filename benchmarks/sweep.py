"""A hundred variants of a city's linear program: ``python -m benchmarks sweep [--json]``.

Three ways to the same table, CPU seconds a variant, in one process and one run:

- *sweep*: ``capsim.sweep`` with one worker, all hundred, the root's solve included;
- *cold arrays*: each variant's arrays built and solved from nothing by HiGHS;
- *PuLP loops*: each variant rebuilt in PuLP as its documentation writes models (a ``lpSum`` over a
  generator for each row, from the same arrays) and solved by PuLP's HiGHS class. The building of
  the arrays themselves is not counted here, to PuLP's favour.

The slower two are timed on every tenth and every twentieth variant. Objectives are compared
before a time counts. ``--areas N --pupils N --last-year Y`` change the city.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pulp

import capsim
from capsim.lp import LinearProgram, solve
from capsim.scenario import Scenario

OVER_LOOPS, OVER_COLD = 25.0, 0.3
COLD_STEP, LOOP_STEP = 10, 20
AGREE = 1e-6
LEVELS = 20


def variants(city: Scenario) -> dict[str, list[dict[str, Any]]]:
    """Five families of twenty: three right-hand sides and costs, a price, and a coefficient."""
    policy, costs = city.settings.policy, city.settings.costs
    year, cap = next(iter(policy.private_share_cap.items()))
    ceiling = policy.purchase_ceiling_share or 0.1
    asked = {
        "policy.reduction": (policy.reduction, 0.8, 1.0),
        "policy.purchase_ceiling_share": (ceiling, 0.8, 1.2),
        "costs.shortfall_cny": (costs.shortfall_cny, 0.8, 1.2),
        "costs.displacement_cny": (costs.displacement_cny, 0.8, 1.2),
        f"policy.private_share_cap.{year}": (cap, 1.0, 1.2),
    }
    return {
        key: [{key: value * factor} for factor in np.linspace(low, high, LEVELS).tolist()]
        for key, (value, low, high) in asked.items()
    }


def by_loops(program: LinearProgram) -> float:
    """Write a program as PuLP models are usually written, solve it, return its objective."""
    problem = pulp.LpProblem("city", pulp.LpMinimize)
    x = [
        problem.add_variable(f"x{i}", low, None if np.isinf(high) else high)
        for i, (low, high) in enumerate(zip(program.lower, program.upper, strict=True))
    ]
    problem += pulp.lpSum(c * x[i] for i, c in enumerate(program.cost) if c) + program.offset
    matrix = program.matrix.tocsr()
    for row, (low, high) in enumerate(zip(program.row_lower, program.row_upper, strict=True)):
        span = slice(matrix.indptr[row], matrix.indptr[row + 1])
        entries = zip(matrix.indices[span], matrix.data[span], strict=True)
        total = pulp.lpSum(a * x[i] for i, a in entries)
        if low == high:
            problem += total == low
            continue
        if np.isfinite(low):
            problem += total >= low
        if np.isfinite(high):
            problem += total <= high
    with _silent():
        problem.solve(pulp.HiGHS(msg=False))
    return float(pulp.value(problem.objective))


@contextmanager
def _silent() -> Iterator[None]:
    """Keep what the solver writes by itself out of the output."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def measure(city: Scenario) -> dict[str, Any]:
    """Time the three ways."""
    families = variants(city)
    changes: Sequence[Mapping[str, Any]] = [one for part in families.values() for one in part]
    demand = capsim.project(city)
    capsim.formulate(city, demand)
    begin = time.process_time()
    table = capsim.sweep(city, changes, relax=True, demand=demand)
    swept = (time.process_time() - begin) / len(changes)
    family = np.repeat(list(families), LEVELS)
    seconds = table.groupby(family, sort=False)["seconds"].mean().to_dict()
    cold, loops, worst = [], [], 0.0
    for i in range(0, len(changes), COLD_STEP):
        begin = time.process_time()
        model = capsim.formulate(city.variant(changes[i]), demand)
        found = solve(model.program.relaxed())
        cold.append(time.process_time() - begin)
        worst = max(worst, _apart(table, i, found.objective, model.committed_cny))
    for i in range(0, len(changes), LOOP_STEP):
        model = capsim.formulate(city.variant(changes[i]), demand)
        begin = time.process_time()
        objective = by_loops(model.program.relaxed())
        loops.append(time.process_time() - begin)
        worst = max(worst, _apart(table, i, objective, model.committed_cny))
    return {
        "columns": len(model.program.cost),
        "rows": model.program.matrix.shape[0],
        "nonzeros": int(model.program.matrix.nnz),
        "sweep_s": swept,
        "cold_s": float(np.mean(cold)),
        "loops_s": float(np.mean(loops)),
        "family_s": seconds,
        "rebuilt": int((table["route"] == "rebuilt").sum()),
        "objectives_differ": worst,
    }


def _apart(table: Any, i: int, objective: float, committed_cny: float) -> float:
    """Relative difference of two objectives; a variant without a plan has none in either."""
    if table["status"][i] == "infeasible" or np.isnan(objective):
        return 0.0 if table["status"][i] == "infeasible" and np.isnan(objective) else np.inf
    swept = table["objective_cny"][i]
    return float(abs(objective * 1e6 + committed_cny - swept) / abs(swept))


def checks(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Hold the figures against their goals."""
    over_loops = found["loops_s"] / found["sweep_s"]
    over_cold = found["sweep_s"] / found["cold_s"]
    differ = found["objectives_differ"]
    return [
        _check("PuLP loops over sweep", OVER_LOOPS, over_loops, over_loops >= OVER_LOOPS),
        _check("sweep over cold arrays", OVER_COLD, over_cold, over_cold <= OVER_COLD),
        _check("objectives differ by", AGREE, differ, differ <= AGREE),
    ]


def _check(name: str, goal: float, measured: float, holds: bool) -> dict[str, Any]:
    return {"name": name, "goal": goal, "measured": measured, "holds": holds}


def main(arguments: Sequence[str]) -> None:
    """Print the ratios with pass or miss beside each, or all as JSON."""
    parser = argparse.ArgumentParser("benchmarks sweep", description=__doc__)
    parser.add_argument("--areas", type=int, default=18)
    parser.add_argument("--pupils", type=int, default=90_000)
    parser.add_argument("--last-year", type=int, default=2026)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    city = capsim.generate(asked.areas, asked.pupils, years=(2021, asked.last_year))
    found = measure(city)
    held = checks(found)
    if asked.json:
        print(json.dumps({"checks": held, "measured": found}))
        return
    print(f"{found['columns']:,} columns, {found['rows']:,} rows, {found['nonzeros']:,} nonzeros")
    for name in ("sweep_s", "cold_s", "loops_s"):
        print(f"{name[:-2]:>8}: {found[name]:.4f} CPU s a variant")
    for name, seconds in found["family_s"].items():
        print(f"  {name}: {seconds:.4f} s a variant in the sweep")
    for check in held:
        word = "pass" if check["holds"] else "MISS"
        print(f"{word}  {check['name']}: {check['measured']:.6g} (goal {check['goal']:g})")


if __name__ == "__main__":
    main(sys.argv[1:])
