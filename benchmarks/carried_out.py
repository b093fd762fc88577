"""Whether a plan can be carried out: ``python -m benchmarks carried_out [--prices]``.

The flagship and five generated cities are planned, their tables written, and what cannot be
carried out is counted from the files alone; with ``--plan FOLDER --scenario FOLDER`` from those of
a plan made before. ``--prices`` plans each case once without each rule and tells what it costs.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import capsim
from benchmarks import goals, show
from benchmarks.carried_counts import Figures, count, lines
from benchmarks.plan_tables import TablesError
from capsim.benchmark import described
from capsim.scenario import Scenario

FLAGSHIP = Path(__file__).parents[1] / "scenarios" / "prefecture-2022"
CITIES = ((3, 30_000, 1), (6, 60_000, 2), (12, 100_000, 3), (30, 200_000, 4), (60, 300_000, 5))
"""Generated cities: areas, pupils, seed."""
PRICED = 2
"""So many of them, the smallest, are planned once without each rule."""
GAP = 5e-3
CHANGED = ("restage", "nine_year", "merge", "close")
"""Kinds of projects that change or close public schools; leaving them out is a rule of its own."""
RULES: Mapping[str, dict[str, Any]] = {
    **{
        key: {"set": {key: None}}
        for key in (
            "policy.intake_rise_share",
            "policy.least_size_share",
            "policy.closing_notice_years",
            "policy.closing_size_share",
            "policy.keep_share",
            "policy.public_swing_share",
            "policy.noncompulsory_swing_share",
            "policy.purchase_follows_child",
            "policy.contract_fall_share",
            "policy.public_seats_first_km",
            "policy.conversion_keep_share",
            "policy.conversion_intake_share",
            "policy.conversion_least_years",
            "policy.conversion_latest_year",
            "policy.decision_years",
            "policy.takeover_by_pupils",
            "staff.retirement",
            "costs.stage_move_cny",
            "costs.county_move_cny",
        )
    },
    "projects: " + ", ".join(CHANGED): {"drop": {"projects": {"kind": list(CHANGED)}}},
}
"""What is left out for the price of each rule, as arguments of ``Scenario.variant``."""


def cases(flagship: bool, cities: int) -> dict[str, Scenario]:
    """Load the flagship, generate cities."""
    found = {"flagship": capsim.load(FLAGSHIP)} if flagship else {}
    for areas, pupils, seed in CITIES[:cities]:
        found[f"city of {areas} areas"] = capsim.generate(areas, pupils, seed)
    return found


def planned(scenario: Scenario, folder: Path, **options: Any) -> dict[str, Figures]:
    """Plan a scenario, write plan and scenario as CSV files and count from these."""
    plan = capsim.optimize(scenario, **{"gap": GAP, **options})
    (folder / "plan").mkdir(parents=True)
    for name, table in plan.tables.items():
        table.to_csv(folder / "plan" / f"{name}.csv", index=False)
    scenario.save(folder / "scenario")
    return count(folder / "plan", folder / "scenario")


def in_force(scenario: Scenario) -> list[str]:
    """Return the rules that a scenario has; a variant without one of them is another scenario."""
    return [rule for rule, off in RULES.items() if scenario.variant(**off).hash != scenario.hash]


def prices(scenario: Scenario, **options: Any) -> list[dict[str, Any]]:
    """Plan with all rules, without each one and without any.

    Returns
    -------
    list
        A row a plan: ``without``, ``status``, ``objective_cny``, ``seconds``; ``price_cny`` is the
        objective with all rules less that without, ``least_cny`` and ``most_cny`` what the proved
        bounds leave of it.
    """
    rules = in_force(scenario)
    everything = {
        "set": {key: None for rule in rules for key in RULES[rule].get("set", {})},
        "drop": {k: v for rule in rules for k, v in RULES[rule].get("drop", {}).items()},
    }
    rows: list[dict[str, Any]] = []
    for without, off in {"nothing": {}, **{r: RULES[r] for r in rules}, "any": everything}.items():
        begin = time.perf_counter()
        plan = capsim.optimize(scenario.variant(**off), **{"gap": GAP, **options})
        found = {"objective_cny": plan.objective_cny, "bound_cny": plan.bound_cny}
        whole = rows[0] if rows else found
        rows.append(
            {
                "without": without,
                "status": plan.status,
                **found,
                "price_cny": whole["objective_cny"] - plan.objective_cny,
                "least_cny": whole["bound_cny"] - plan.objective_cny,
                "most_cny": whole["objective_cny"] - plan.bound_cny,
                "seconds": time.perf_counter() - begin,
            }
        )
    return rows


def price_lines(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Lay out prices as a table, million RMB."""
    head = f"{'without':<46}{'objective':>12}{'price':>10}{'between':>10}{'and':>10}{'s':>7}"
    return [f"{head}  (million RMB)"] + [
        f"{row['without']:<46}{row['objective_cny'] / 1e6:>12,.1f}{row['price_cny'] / 1e6:>10,.1f}"
        f"{row['least_cny'] / 1e6:>10,.1f}{row['most_cny'] / 1e6:>10,.1f}{row['seconds']:>7.0f}"
        f"{'' if row['status'] == 'optimal' else '  ' + row['status']}"
        for row in rows
    ]


def main(arguments: Sequence[str]) -> None:
    """Print the counts of each case and pass or miss beside each goal, or all as JSON."""
    parser = argparse.ArgumentParser("benchmarks carried_out", description=__doc__)
    parser.add_argument("--plan", type=Path, help="folder of a plan's tables (of `capsim run`)")
    parser.add_argument("--scenario", type=Path, help="folder of its scenario")
    parser.add_argument("--prices", action="store_true", help="what each rule costs")
    parser.add_argument("--cities", type=int, help=f"how many are generated, at most {len(CITIES)}")
    parser.add_argument("--flagship", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--limit-s", type=float, default=300.0, help="longest search of a plan")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--out", type=Path, help="folder for carried_out.json")
    asked = parser.parse_args(arguments)
    if (asked.plan is None) != (asked.scenario is None):
        parser.error("--plan and --scenario go together")
    tell = (lambda line: None) if asked.json else (lambda line: print(line, flush=True))
    cities = asked.cities if asked.cities is not None else PRICED if asked.prices else len(CITIES)
    counts: dict[str, dict[str, Figures]] = {}
    costs: dict[str, list[dict[str, Any]]] = {}
    try:
        if asked.plan:
            counts[str(asked.plan)] = count(asked.plan, asked.scenario)
            tell("\n".join(lines(counts[str(asked.plan)])))
        else:
            for name, scenario in cases(asked.flagship, cities).items():
                tell(f"\n{name}")
                if asked.prices:
                    costs[name] = prices(scenario, time_limit=asked.limit_s)
                    tell("\n".join(price_lines(costs[name])))
                    continue
                with tempfile.TemporaryDirectory(prefix="capsim-benchmarks-") as folder:
                    counts[name] = planned(scenario, Path(folder), time_limit=asked.limit_s)
                tell("\n".join(lines(counts[name])))
    except TablesError as fault:
        raise SystemExit(str(fault)) from None
    held = [check for name, found in counts.items() for check in goals.of_counts(name, found)]
    whole = {"machine": described(), "checks": held, "counts": counts, "prices": costs}
    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(whole, indent=1) + "\n"
        (asked.out / "carried_out.json").write_text(text, encoding="utf-8")
    print(json.dumps(whole) if asked.json else show.verdicts(held))
