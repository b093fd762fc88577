"""What `capsim.bench` measured, for one screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from capsim.report.numbers import count, money, share
from capsim.report.screen import left, right

SHOWN = ("numpy", "scipy", "highspy", "pulp")
"""Libraries whose versions are said; the others build no program and solve none."""


def timings_text(found: Mapping[str, Any]) -> str:
    """Write what `capsim.bench.bench` gives as lines for one screen."""
    size, machine = found["program"], found["machine"]
    kind = "linear relaxation" if found["relax"] else f"gap {share(found['gap'])}"
    runs = next(iter(found["solvers"].values()))["runs"]
    often = "once" if runs == 1 else f"medians of {runs} runs"
    name = found["scenario"]["name"]
    lines = [
        f"{name}: {count(size['columns'])} columns, {count(size['rows'])} rows,"
        f" {count(size['nonzeros'])} nonzeros, {count(size['integers'])} whole; {kind}.",
        f"Enrolment projected in {found['project_s']:.3f} s. Seconds, {often}:",
        "",
        left("solver", 13)
        + "".join(right(head, 10) for head in ("build", "hand-over", "solve", "CPU"))
        + right("status", 11)
        + right("decided here", 18)
        + right("proved", 9)
        + right("above", 9),
    ]
    for name, row in found["solvers"].items():
        cells = [f"{row[key]:.3f}" for key in ("build_s", "hand_over_s", "solve_s", "cpu_s")]
        cost = "–" if row["objective_cny"] is None else money(row["objective_cny"])
        lines.append(
            left(name, 13)
            + "".join(right(cell, 10) for cell in cells)
            + right(row["status"], 11)
            + right(cost, 18)
            + right(_share(row["proved_gap"]), 9)
            + right(_share(row["above_best"]), 9)
        )
    versions = ", ".join(f"{name} {machine[name]}" for name in SHOWN)
    lines += [
        "",
        f"{machine['processors']} × {machine['processor']}, {machine['memory']},"
        f" load {machine['load']}; {machine['system']},",
        f"Python {machine['python']}, {versions}.",
    ]
    return "\n".join(lines) + "\n"


def _share(value: float | None) -> str:
    return "–" if value is None else share(value)
