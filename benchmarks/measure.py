"""Run every route in fresh processes, compare objectives, and put the medians beside the limit."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.registry import LIMIT, ROUTES, Route
from benchmarks.sizes import MODELS

ROOT = Path(__file__).parents[1]
PHASES = ("build", "hand_over", "solve", "extract")
AGREE = 1e-6
Tell = Callable[[str], None]


def step(
    folder: Path, model: str, size: str, name: str, *, warm_up: Path | None, timeout_s: float | None
) -> dict[str, Any]:
    """Run one step in a fresh process; ``{"failed": why}`` where it did not end well."""
    command = [sys.executable, "-m", "benchmarks.child", str(folder), model, size, name]
    result = folder / f"{name}.json"
    result.unlink(missing_ok=True)
    try:
        done = subprocess.run(
            [*command, str(warm_up or "")],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"not done in {timeout_s:g} s"}
    if not result.exists():
        words = done.stderr.strip().splitlines() or [f"ended with status {done.returncode}"]
        return {"failed": words[-1]}
    found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return found


CLOSE = (LIMIT, "capsim", "capsim-search", "scipy")
"""Routes whose ratios are near 1."""


def compare(
    model: str,
    size: str,
    routes: Iterable[str],
    folder: Path,
    *,
    repeats: int = 3,
    closely: int = 0,
    timeout_s: float | None = None,
    tell: Tell = lambda _: None,
) -> dict[str, Any]:
    """Measure one model at one size by every route, the limit first.

    ``closely`` is how many runs more the routes in ``CLOSE`` have: goals hold them against
    each other to a few hundredths, about as much as a solve differs from run to run.

    Returns
    -------
    dict
        ``model``, ``size``, ``columns``, ``rows``, ``nonzeros``, ``integers``, ``prepare`` and, by
        name, ``routes``: see :func:`summary`.
    """
    place, warm = folder / f"{model}-{size}", folder / f"{model}-tiny"
    made: dict[str, Any] = {}
    for at, name in ((warm, "tiny"), (place, size)):
        at.mkdir(parents=True, exist_ok=True)
        made = step(at, model, name, "prepare", warm_up=None, timeout_s=timeout_s)
        if "failed" in made:
            return {"model": model, "size": size, "failed": made["failed"], "routes": {}}
    names = [LIMIT, *(name for name in routes if name != LIMIT)]
    asked = [ROUTES[name] for name in names if ROUTES[name].whole or model.startswith("places")]
    runs: dict[str, list[dict[str, Any]]] = {route.name: [] for route in asked}
    for turn in range(repeats + closely):
        for route in asked:
            if turn >= repeats and route.name not in CLOSE:
                continue
            earlier = runs[route.name]
            if route.missing() or any("failed" in run for run in earlier):
                continue
            tell(f"{model} {size}: {route.name}")
            earlier.append(step(place, model, size, route.name, warm_up=warm, timeout_s=timeout_s))
    limit, spec = runs[LIMIT], MODELS[model]

    def found(route: Route) -> dict[str, Any]:
        return summary(route, runs[route.name], limit, integer=spec.integer, gap=spec.gap)

    return {
        "model": model,
        "size": size,
        **{key: made[key] for key in ("columns", "rows", "nonzeros", "integers")},
        "prepare": {key: made[key] for key in ("cpu_s", "wall_s", "peak_mb")},
        "routes": {route.name: found(route) for route in asked},
    }


def summary(
    route: Route,
    runs: Sequence[dict[str, Any]],
    limit: Sequence[dict[str, Any]],
    *,
    integer: bool,
    gap: float,
) -> dict[str, Any]:
    """Medians of a route's runs, and its ratios to the limit (CPU seconds).

    Returns
    -------
    dict
        ``skipped`` with the reason; or ``cpu_s`` and ``wall_s`` by phase, ``peak_mb``, and the
        ratios ``build_over_solve`` (build and hand-over to the limit's solve) and ``whole``
        (everything to everything). Nothing is timed whose objective differs from the limit's.
    """
    if route.missing():
        return {"skipped": f"{', '.join(route.missing())} is not installed"}
    for run in (*limit, *runs):
        if "failed" in run:
            return {"skipped": str(run["failed"])}
    wanted = limit[0]["objective"]
    slack = 2 * gap if integer else AGREE
    apart = max(abs(run["objective"] - wanted) for run in runs) / max(abs(wanted), 1.0)
    if not apart <= slack:
        return {"skipped": f"objective differs from the limit's by {apart:.2g} (relative)"}

    def middle(kind: str, phase: str, of: Sequence[dict[str, Any]]) -> float:
        return median(run[kind].get(phase, 0.0) for run in of)

    cpu = {phase: middle("cpu_s", phase, runs) for phase in PHASES}
    base = {phase: middle("cpu_s", phase, limit) for phase in PHASES}
    return {
        "runs": len(runs),
        "cpu_s": cpu,
        "wall_s": {phase: middle("wall_s", phase, runs) for phase in PHASES},
        "peak_mb": {key: middle("peak_mb", key, runs) for key in runs[0]["peak_mb"]},
        "objective": runs[0]["objective"],
        "differs": apart,
        "build_over_solve": (cpu["build"] + cpu["hand_over"]) / max(base["solve"], 1e-9),
        "whole": sum(cpu.values()) / max(sum(base.values()), 1e-9),
    }
