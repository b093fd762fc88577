"""One step in a process of its own: ``python -m benchmarks.child FOLDER MODEL SIZE STEP [WARM]``.

The step is ``prepare`` or the name of a route; what was measured is written to ``FOLDER/STEP.json``
(standard output belongs to the solvers). Before a route counts it does the tiny case in ``WARM``,
so that loading libraries is in nobody's time.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from benchmarks.case import Case, prepare
from benchmarks.clock import Phases, peak_mb
from benchmarks.registry import ROUTES, discover
from benchmarks.sizes import MODELS

IDLE_S = 0.2
"""A solver's threads turn idly for a while after a solve; that is in no phase of the next."""


def main(folder: str, model: str, size: str, step: str, warm_up: str = "") -> None:
    """Do the step and write what it took."""
    discover()
    phases = Phases()
    found: dict[str, object] = {}
    if step == "prepare":
        found.update(prepare(model, size, Path(folder), phases))
    else:
        case = Case(Path(folder), MODELS[model])
        if warm_up:
            ROUTES[step].run(Case(Path(warm_up), MODELS[model]), Phases())
            time.sleep(IDLE_S)
        found["objective"] = ROUTES[step].run(case, phases)
    found |= {
        "cpu_s": phases.cpu_s,
        "wall_s": phases.wall_s,
        "peak_mb": {**phases.peak_mb, "end": peak_mb()},
    }
    (Path(folder) / f"{step}.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
