"""Tables as files.

What hardening found, in words, numbers and files.

The result of a run as one plain mapping, for `summary.json` and for scripts.
"""

from __future__ import annotations

import json
import math
import platform
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from textwrap import fill
from typing import TYPE_CHECKING, Any

import pandas as pd

from capsim.plan.targets import rule_and_year
from capsim.report.figures.private import reduction_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from capsim.certificate.ledger import Certificate
    from capsim.plan.plan import Plan
    from capsim.reliability.result import Hardened
    from capsim.simulation.outcomes import Outcomes


RISKY = re.compile("'*[=+\\-@\t\r]")
"""How a text begins that a spreadsheet would run, or that is kept from it already."""


def csv(table: pd.DataFrame) -> bytes:
    r"""Write a table as CSV; every number reads back as exactly what it was.

    A text that a spreadsheet would run as a formula (it begins with ``=``, ``+``, ``-``, ``@``, a
    tab or a carriage return) gets an apostrophe before it; `plain_text` takes it away again.

    Examples
    --------
    >>> csv(pd.DataFrame({"area": ["A"], "pupils": [0.1 + 0.2]}))
    b'area,pupils\nA,0.30000000000000004\n'
    >>> csv(pd.DataFrame({"area": ["=1+1", "-5", "a=b"], "pupils": [-1, 0, 1]}))
    b"area,pupils\n'=1+1,-1\n'-5,0\na=b,1\n"
    """
    texts = [
        name
        for name in table.columns
        if not pd.api.types.is_numeric_dtype(table[name]) and _any(table[name].unique())
    ]
    safe = table.assign(**{name: table[name].map(_kept) for name in texts}) if texts else table
    return safe.to_csv(index=False, lineterminator="\n").encode()


def plain_text(cell: str) -> str:
    """Give the text that a cell written by `csv` stands for.

    Examples
    --------
    >>> plain_text("'=1+1"), plain_text("'tis"), plain_text("''=1")
    ('=1+1', "'tis", "'=1")
    """
    return cell[1:] if cell.startswith("'") and RISKY.match(cell) else cell


def _any(cells: Iterable[Any]) -> bool:
    return any(isinstance(cell, str) and RISKY.match(cell) is not None for cell in cells)


def _kept(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and RISKY.match(cell) else cell


WIDTH = 96


def safety_text(found: Hardened) -> str:
    """Say how safe the plan is, what that costs, or what stands in the way."""
    share = found.extra_cny / max(found.plain.avoidable_cny, 1e6)
    first = found.rounds.iloc[0]
    lines = [
        f"Safety: {', '.join(_named(found.targets))} hold together in {found.probability:.1%} of "
        f"{found.draws:,} fresh draws (95 % interval {found.low:.1%} to {found.high:.1%}); "
        f"the cheapest plan, in {first['probability']:.1%}.",
        f"Safety costs {found.extra_cny / 1e6:,.1f} million RMB more than the cheapest plan, "
        f"{share:.2%} of what decisions can move.",
    ]
    if not found.reached:
        lines.append(f"The {found.asked:.1%} asked for is not reached:")
        lines += [f"- {reason}" for reason in found.reasons]
    return "".join(f"{fill(line, WIDTH, subsequent_indent='  ')}\n" for line in lines)


def _named(targets: tuple[str, ...]) -> list[str]:
    """Name targets, those of a rule over many years in one."""
    years: dict[str, list[str]] = {}
    for target in targets:
        rule, year = rule_and_year(target)
        years.setdefault(rule, []).extend([] if year is None else [str(year)])
    return [
        " ".join([rule, "–".join(dict.fromkeys(of[:1] + of[-1:]))]).rstrip()
        for rule, of in years.items()
    ]


def safety_summary(found: Hardened) -> dict[str, Any]:
    """Plain numbers for ``summary.json``."""
    return {
        "asked": found.asked,
        "reached": found.reached,
        "targets": list(found.targets),
        "probability": found.probability,
        "low": found.low,
        "high": found.high,
        "extra_cny": found.extra_cny,
        "plain_probability": float(found.rounds["probability"].iloc[0]),
        "reasons": list(found.reasons),
    }


def safety_files(found: Hardened) -> Iterator[tuple[str, bytes]]:
    """Yield path and content of the tables."""
    yield "safety/rounds.csv", csv(found.rounds)
    yield "safety/targets.csv", csv(found.by_target)
    yield "safety/kept_free.csv", csv(found.shortages)


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
            **(
                {"not_rechecked": list(certificate.not_rechecked)}
                if certificate.not_rechecked
                else {}
            ),
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
