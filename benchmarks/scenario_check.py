"""How long a scenario of 600,000 rows takes to read, check, hash and save.

Run it as ``python -m benchmarks scenario``; it makes 5,000 areas with ten years of pupils
by grade and prints one line for each step.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from capsim.scenario import Scenario, load

T = TypeVar("T")
AREAS, YEARS, GRADES = 5_000, 10, tuple(str(grade) for grade in range(1, 13))


def tables() -> dict[str, pd.DataFrame]:
    """Make areas, births and 600,000 rows of pupils."""
    names = np.array([f"A{k:04d}" for k in range(AREAS)])
    counties = np.array([f"C{k // 20:03d}" for k in range(AREAS)])
    rng = np.random.default_rng(0)
    years = np.arange(2012, 2012 + YEARS)
    born = np.arange(1990, 2022)
    per_area = len(GRADES) * YEARS
    return {
        "areas": pd.DataFrame({"area": names, "county": counties}),
        "births": pd.DataFrame(
            {
                "area": np.repeat(names, len(born)),
                "year": np.tile(born, AREAS),
                "births": rng.integers(250, 350, AREAS * len(born)),
            }
        ),
        "pupils": pd.DataFrame(
            {
                "area": np.repeat(names, per_area),
                "sector": "public",
                "grade": np.tile(np.repeat(GRADES, YEARS), AREAS),
                "school_year": np.tile(years, AREAS * len(GRADES)),
                "pupils": rng.integers(200, 300, AREAS * per_area),
            }
        ),
    }


def timed(what: str, work: Callable[[], T]) -> T:
    """Do the work and print how long it took."""
    start, cpu = time.perf_counter(), time.process_time()
    done = work()
    wall, own = time.perf_counter() - start, time.process_time() - cpu
    print(f"{what:<32}{wall:8.2f} s, of processor {own:6.2f} s")
    return done


def main() -> None:
    """Time every step."""
    settings = {
        "name": "large",
        "horizon": {"base_year": 2021, "last_year": 2030},
        "costs": {"discount_rate": 0.04},
    }
    frames = tables()
    rows = sum(len(frame) for frame in frames.values())
    print(f"{rows:,} rows, of which pupils {len(frames['pupils']):,}")
    large: Scenario = timed(
        "check frames in memory", lambda: Scenario.from_tables(settings, **frames)
    )
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "large"
        timed("save", lambda: large.save(folder))
        again = timed("load (read and check)", lambda: load(folder))
    timed("hash", lambda: again.hash)
    timed("table('pupils')", lambda: again.table("pupils"))
    if again.hash != large.hash:
        raise SystemExit("what was loaded is not what was saved")


if __name__ == "__main__":
    main()
