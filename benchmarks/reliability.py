"""Plans that hold, asked against reached: ``python -m benchmarks reliability``.

Each case is planned for one future, then made safe at each probability in the same process. Goals:
the lower end of Wilson's 95 % interval on 10,000 fresh draws is at least what was asked for, and
making it safe takes at most four times the processor time of the search on paper. ``--out`` writes
the figures and ``calibration.png``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import capsim
from benchmarks import show
from benchmarks.carried_out import CITIES, FLAGSHIP
from capsim.benchmark import described
from capsim.scenario import Scenario

COUNTY_SCHOOLS = FLAGSHIP.parent / "county-schools"
ASKED = (0.8, 0.95, 0.99)
GAPS = {"flagship": 5e-3}
GAP = 1e-3
TIMES = 4.0
"""Processor time of a safe plan over that of the search on paper, at most."""


def cases(flagship: bool, county: bool, cities: int) -> dict[str, Scenario]:
    """Load the flagship and the county, generate cities."""
    found = {"flagship": capsim.load(FLAGSHIP)} if flagship else {}
    if county:
        found["county-schools"] = capsim.load(COUNTY_SCHOOLS)
    for areas, pupils, seed in CITIES[:cities]:
        found[f"city of {areas} areas"] = capsim.generate(areas, pupils, seed)
    return found


def hardened(name: str, scenario: Scenario, asked: Sequence[float]) -> list[dict[str, Any]]:
    """Plan a scenario on paper and make it safe at each probability; a row for each."""
    gap, begin = GAPS.get(name, GAP), time.process_time()
    plain = capsim.optimize(scenario, gap=gap)
    paper_s = time.process_time() - begin
    rows = []
    for probability in asked:
        begin = time.process_time()
        found = capsim.harden(scenario, probability=probability, plain=plain, gap=gap)
        safe_s = time.process_time() - begin
        rows.append(
            {
                "case": name,
                "asked": probability,
                "on_paper": float(found.rounds["probability"].iloc[0]),
                "reached": found.probability,
                "low": found.low,
                "high": found.high,
                "draws": found.draws,
                "plans": len(found.rounds) - 1,
                "extra_cny": found.extra_cny,
                "extra_share": found.extra_cny / max(plain.avoidable_cny, 1e6),
                "gap": plain.gap,
                "times": safe_s / paper_s,
                "reasons": [str(reason) for reason in found.reasons],
            }
        )
    return rows


def checks(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Hold what was reached, and the time it took, against the goals."""
    out = []
    for row in rows:
        name = f"{row['case']}, {row['asked']:.0%}"
        low, times = row["low"], row["times"]
        out += [
            {
                "name": f"{name}: lower end of the interval",
                "goal": row["asked"],
                "at": "least",
                "measured": low,
                "holds": low >= row["asked"],
            },
            {
                "name": f"{name}: processor time over the search on paper",
                "goal": TIMES,
                "at": "most",
                "measured": times,
                "holds": times <= TIMES,
            },
        ]
    return out


def lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Lay out what was reached as a table."""
    head = f"{'case':<20}{'asked':>7}{'paper':>8}{'reached':>9}{'from':>7}{'to':>7}{'plans':>7}"
    head += f"{'extra, million':>16}{'of avoidable':>14}{'times paper':>13}"
    return [head] + [
        f"{row['case']:<20}{row['asked']:>7.0%}{row['on_paper']:>8.1%}{row['reached']:>9.1%}"
        f"{row['low']:>7.1%}{row['high']:>7.1%}{row['plans']:>7}{row['extra_cny'] / 1e6:>16,.1f}"
        f"{row['extra_share']:>14.2%}{row['times']:>13.1f}"
        for row in rows
    ]


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw what was reached against what was asked for, with its interval."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.5, 4.8), layout="constrained")
    ax = figure.add_subplot()
    names = list(dict.fromkeys(row["case"] for row in rows))
    for place, name in enumerate(names):
        mine = [row for row in rows if row["case"] == name]
        x = [100 * row["asked"] + 0.35 * (place - (len(names) - 1) / 2) for row in mine]
        y = [100 * row["reached"] for row in mine]
        error = [[100 * (row["reached"] - row["low"]) for row in mine]]
        error += [[100 * (row["high"] - row["reached"]) for row in mine]]
        ax.errorbar(x, y, yerr=error, fmt="osD^vP*X"[place % 8], ms=5, capsize=2, label=name)
    ends = [min(100 * row["asked"] for row in rows) - 3, 100]
    ax.plot(ends, ends, color="0.4", lw=1, ls="--")
    ax.annotate("asked", (ends[0], ends[0]), xytext=(4, -10), textcoords="offset points")
    ax.set_xlabel("probability asked for, %")
    ax.set_ylabel("reached in fresh draws, % (95 % interval)")
    ax.legend(fontsize=8, loc="lower right")
    figure.savefig(path, dpi=150)


def main(arguments: Sequence[str]) -> None:
    """Print what was reached for each case, and pass or miss beside each goal, or all as JSON."""
    parser = argparse.ArgumentParser("benchmarks reliability", description=__doc__)
    parser.add_argument("--flagship", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--county", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--cities", type=int, default=len(CITIES))
    parser.add_argument("--asked", type=float, nargs="+", default=list(ASKED))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--out", type=Path, help="folder for reliability.json and calibration.png")
    asked = parser.parse_args(arguments)
    rows: list[dict[str, Any]] = []
    for name, scenario in cases(asked.flagship, asked.county, asked.cities).items():
        rows += hardened(name, scenario, asked.asked)
        if not asked.json:
            print("\n".join(lines(rows[-len(asked.asked) :])), flush=True)
    held = checks(rows)
    whole = {"machine": described(), "checks": held, "rows": rows}
    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(whole, indent=1) + "\n"
        (asked.out / "reliability.json").write_text(text, encoding="utf-8")
        draw(rows, asked.out / "calibration.png")
    print(json.dumps(whole) if asked.json else show.verdicts(held))
