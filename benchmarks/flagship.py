"""The flagship's goals beside what is reached: ``python -m benchmarks flagship [--json]``.

Goals: a proved gap of 0.1 % of avoidable cost within 60 s on 2 cores (asked is what ``./flagship``
asks for, 0.5 %), build and hand-over at most a tenth of the solve, every target met, no violation
above 1e-6 in the certificate; and a plan that is no formality: candidates of several kinds open,
every lever takes children in, and limits of every kind are used up in some county and year.
"""

from __future__ import annotations

import json
import sys
from operator import ge, le
from pathlib import Path

import capsim

SCENARIO = Path(__file__).parents[1] / "scenarios" / "prefecture-2022"
ASKED, GAP, SOLVE_S, BUILD_SHARE, VIOLATION = 5e-3, 1e-3, 60.0, 0.1, 1e-6
CANDIDATES, KINDS_OPENED, KINDS_OF_LIMITS = 20, 3, 6
LEVERS = ("new_seats", "converted", "purchased", "overfilled", "existing_seats")
LEVER = 10_000
"""Children that each lever takes in on 1 September 2022, at least."""


def checks() -> list[dict[str, object]]:
    """Solve the flagship once and hold each figure against its goal."""
    plan = capsim.optimize(capsim.load(SCENARIO), gap=ASKED)
    certificate = capsim.certify(plan.scenario, plan)
    spent = plan.timings_s
    solve = spent["solve"] + spent["second_solve"]
    build = (spent["build"] + spent["hand_over"]) / solve
    missed = int((~plan.tables["targets"]["met"]).sum())
    opened = plan.tables["projects"].query("status == 'candidate' and copies > 0")
    mix = plan.tables["reduction"].set_index("school_year").loc[2022]
    used_up = plan.tables["limits_used"].query("binds")
    most = [
        ("gap of avoidable cost", GAP, plan.gap),
        ("seconds to solve and settle", SOLVE_S, solve),
        ("build and hand-over over solve", BUILD_SHARE, build),
        ("targets missed", 0, missed),
        ("largest violation", VIOLATION, certificate.max_violation),
    ]
    least = [
        ("candidates opened", CANDIDATES, len(opened)),
        ("kinds of candidates opened", KINDS_OPENED, opened["kind"].nunique()),
        ("children of the least used lever", LEVER, float(mix[list(LEVERS)].min())),
        ("kinds of limits used up somewhere", KINDS_OF_LIMITS, used_up["kind"].nunique()),
    ]
    return [
        {"name": name, "goal": goal, "at": at, "measured": value, "holds": bool(holds(value, goal))}
        for at, holds, rows in (("most", le, most), ("least", ge, least))
        for name, goal, value in rows
    ]


def main(arguments: list[str]) -> None:
    """Print a line per check, or all as JSON."""
    found = checks()
    if "--json" in arguments:
        print(json.dumps({"checks": found}))
        return
    for check in found:
        word = "pass" if check["holds"] else "MISS"
        goal = f"at {check['at']} {check['goal']:g}"
        print(f"{word}  {check['name']}: {check['measured']:.6g} (goal: {goal})")


if __name__ == "__main__":
    main(sys.argv[1:])
