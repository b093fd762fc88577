"""The result of a run as one plain mapping, for `summary.json` and for scripts."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from capsim.report.figures import reduction_table

if TYPE_CHECKING:
    import pandas as pd

    from capsim.certificate import Certificate
    from capsim.optimize import Plan
    from capsim.simulate import Outcomes

LIBRARIES = ("numpy", "scipy", "pandas", "highspy", "pulp", "simpy", "matplotlib")


def summarize(
    plan: Plan,
    certificate: Certificate | None = None,
    outcomes: Outcomes | None = None,
    *,
    seed: int,
    timings_s: Mapping[str, float],
) -> dict[str, Any]:
    """Sum a run up.

    Parameters
    ----------
    plan, certificate, outcomes
        What the run made; of an infeasible plan there is neither certificate nor simulation.
    seed
        Of the simulation.
    timings_s
        Seconds by phase.

    Returns
    -------
    dict
        Keys as in `docs/results.md`. Money is in RMB, discounted, and adds up to
        `objective_cny`; a number that is not known is None. An infeasible plan has its
        `explanation` besides.
    """
    summary: dict[str, Any] = {
        "scenario": {"name": plan.scenario.name, "hash": plan.scenario.hash},
        "versions": {**versions(), "solver": plan.solver},
        "seed": seed,
        "status": plan.status,
        "gap": plan.gap,
        "objective_cny": plan.objective_cny,
        "targets": [],
        "reduction": {},
        "private_share": {},
        "displaced_pupils": {},
        "surplus_places": {},
        "cost_cny": {"by_kind": {}, "by_year": {}},
        "certificate": {},
        "simulation": {"draws": 0},
        "timings_s": dict(timings_s),
    }
    if plan.status == "infeasible":
        if plan.explanation is not None:
            summary["explanation"] = list(plan.explanation.sentences)
        return plain(summary)
    tables = plan.tables
    summary["targets"] = _targets(plan, outcomes)
    summary["reduction"] = {
        key: value for key, value in reduction_table(plan).to_dict().items() if key != "school_year"
    }
    shares = tables["shares"][tables["shares"]["county"] == "*"]
    summary["private_share"] = {
        str(row["school_year"]): {
            "excluding_purchased": row["share_excluding_purchased"],
            "including_purchased": row["share_including_purchased"],
        }
        for row in shares.to_dict("records")
    }
    none = {str(year): 0.0 for year in plan.scenario.years}
    summary["displaced_pupils"] = none | _by(tables["enrolment"], "school_year", "displaced")
    compulsory = tables["balance"]["stage"].isin(plan.scenario.settings.stages.compulsory)
    surplus = _by(tables["balance"][compulsory], "school_year", "surplus")
    summary["surplus_places"] = none | surplus
    summary["cost_cny"] = {
        "by_kind": _by(tables["costs"], "kind", "discounted_cny"),
        "by_year": _by(tables["costs"], "school_year", "discounted_cny"),
    }
    if certificate is not None:
        summary["certificate"] = {
            "checked": certificate.checked,
            "max_violation": certificate.max_violation,
            "worst": certificate.worst,
        }
    if outcomes is not None:
        summary["simulation"] = _simulation(outcomes)
    return plain(summary)


def versions() -> dict[str, str]:
    """Versions of capsim, Python and the libraries that figures come from."""
    own = {"capsim": version("capsim"), "python": platform.python_version()}
    return own | {name: version(name) for name in LIBRARIES}


def meets_all(summary: Mapping[str, Any]) -> bool:
    """Tell whether there is a plan and it meets every target."""
    return summary["status"] != "infeasible" and all(row["holds"] for row in summary["targets"])


def to_json(summary: Mapping[str, Any]) -> str:
    """Write a summary as JSON text; the same summary gives the same text."""
    return json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _targets(plan: Plan, outcomes: Outcomes | None) -> list[dict[str, Any]]:
    chances: dict[str, float] = {}
    if outcomes is not None:
        drawn = outcomes.tables["targets"]
        chances = dict(zip(drawn["id"], drawn["probability"], strict=True))
    rows = plan.tables["targets"][["id", "what", "by", "required", "achieved", "holds"]]
    records: list[Any] = rows.to_dict("records")
    return [{**row, "probability": chances.get(row["id"])} for row in records]


def _simulation(outcomes: Outcomes) -> dict[str, Any]:
    drawn = outcomes.tables["draws"].drop(columns="draw")
    return {
        "draws": outcomes.draws,
        "headlines": {
            name: {
                "mean": column.mean(),
                "p05": column.quantile(0.05),
                "p50": column.quantile(0.5),
                "p95": column.quantile(0.95),
            }
            for name, column in drawn.items()
        },
    }


def _by(table: pd.DataFrame, key: str, value: str) -> dict[str, float]:
    return {str(name): total for name, total in table.groupby(key)[value].sum().items()}


def plain(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Turn NumPy scalars into Python's own, and what is not a number into None."""
    return {str(key): _plain(value) for key, value in summary.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return plain(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
