"""Speed of the building programme: replications a second through SimPy and through the kernel.

One line of JSON per case: the scenario's own crews, and crews so many that no one waits.
Usage: ``python -m benchmarks construction [SCENARIO]``.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np

import capsim
from capsim.construction import build


def measure(directory: str, simpy: int = 50, fast: int = 1000) -> list[dict[str, object]]:
    """Time replications of what is ordered or under way; seconds are of the processor."""
    scenario = capsim.load(directory)
    lines: list[dict[str, object]] = []
    for crews in (True, False):
        build(scenario, replications=1, crews=crews)
        begin = time.process_time()
        slow = build(scenario, replications=simpy, crews=crews, use_simpy=True)
        middle = time.process_time()
        quick = build(scenario, replications=fast, crews=crews)
        end = time.process_time()
        same = min(simpy, fast)
        lines.append(
            {
                "scenario": scenario.name,
                "projects": len(quick.columns),
                "activities": quick.network.size,
                "crews": crews,
                "simpy_per_second": round(simpy / (middle - begin), 1),
                "fast_per_second": round(fast / (end - middle), 1),
                "same_dates": bool(np.array_equal(slow.opening[:same], quick.opening[:same])),
            }
        )
    return lines


def main(directory: str = "scenarios/prefecture-2022") -> None:
    """Print the measurements of a scenario."""
    for line in measure(directory):
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:2])
