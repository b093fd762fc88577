"""What hardening found, in words, numbers and files."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill
from typing import TYPE_CHECKING, Any

from capsim.report.tables import csv

if TYPE_CHECKING:
    from capsim.harden import Hardened

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
        rule, _, year = target.rpartition("-")
        if year.isdigit():
            years.setdefault(rule, []).append(year)
        else:
            years[target] = []
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
