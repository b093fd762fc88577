"""Write docs/api.md from the docstrings of the public face.

Usage: python scripts/make_api_reference.py. A test fails while the page is not what this makes.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import capsim

PAGE = Path(__file__).parents[1] / "docs" / "api.md"

CHAPTERS = {
    "Scenarios": (
        "load",
        "load_tables",
        "TableSet",
        "example",
        "generate",
        "Scenario",
        "ScenarioError",
    ),
    "Maps": ("read_areas", "read_points", "with_maps", "read_roads", "read_matrix", "with_ways"),
    "Demand": ("project", "Demand", "backtest", "forecast", "Forecast"),
    "Construction": ("accelerate", "Acceleration"),
    "Plans": ("optimize", "SolveOptions", "Plan", "load_plan", "formulate", "Model", "certify"),
    "Priorities, trade-offs, alternatives": (
        "optimize_lexicographic",
        "Fair",
        "pareto",
        "near_optimal",
        "different_plans",
    ),
    "Uncertainty": (
        "simulate",
        "Outcomes",
        "harden",
        "Hardened",
        "safety_curve",
        "optimize_two_stage",
        "CVaR",
        "TwoStagePlan",
        "optimize_regret",
        "value_of_information",
        "ValueOfInformation",
    ),
    "Replanning": ("replan", "decide_by", "LeadTimes"),
    "Many scenarios": ("compare", "Comparison", "sweep"),
}
"""Names of the public face in the order in which they are needed; a test asks for all of them."""

OPENING = """# Reference

Written by `python scripts/make_api_reference.py` from the docstrings of everything that
`import capsim` names. What tables hold is in [results.md](results.md) and [compare.md](compare.md);
what stands behind the names is in the pages that [README.md](README.md) lists.
"""


def signature(found: Any) -> str:
    """Write the parameters of a function or class with defaults, alike on every Python."""
    parts: list[str] = []
    starred = False
    for parameter in inspect.signature(found).parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
        starred |= parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL)
        stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}
        text = stars.get(parameter.kind, "") + parameter.name
        if parameter.default is not parameter.empty:
            text += f"={_default(parameter.default)}"
        parts.append(text)
    return ", ".join(parts)


def _default(value: Any) -> str:
    return "…" if re.search(r" at 0x|object|<", repr(value)) else repr(value)


def body(doc: str) -> Iterator[str]:
    """Turn a NumPy-style docstring into lines of Markdown."""
    doc = re.sub(r":\w+:`[~.]?([^`]+)`", r"`\1`", doc)
    sections = re.split(r"^(\w[\w ]+)\n-{3,}\n", doc, flags=re.MULTILINE)
    yield from sections[0].rstrip().replace("``", "`").splitlines()
    for title, text in zip(sections[1::2], sections[2::2], strict=True):
        yield ""
        yield f"**{title}**"
        yield ""
        text = textwrap.dedent(text).strip("\n")
        if title == "Examples":
            yield from ("```pycon", *text.splitlines(), "```")
        else:
            yield from _terms(text.replace("``", "`"))


def _terms(text: str) -> Iterator[str]:
    """Turn ``name : type`` with an indented description into an item of a list."""
    item = ""
    for line in text.splitlines():
        if not line.strip():
            continue
        if line.startswith(" "):
            item += (" — " if " — " not in item else " ") + line.strip()
            continue
        if item:
            yield item
        name, colon, kind = line.partition(" : ")
        item = f"- `{name}`: {kind}" if colon else f"- {line}"
    if item:
        yield item


def entry(name: str, found: Any, level: int = 3) -> Iterator[str]:
    """Describe a function, or a class with its public methods and properties."""
    kind = "class " if inspect.isclass(found) else ""
    yield ""
    yield f"{'#' * level} {name.rsplit('.', 1)[-1]}"
    yield ""
    doc = inspect.getdoc(found) or ""
    # A class that others make has attributes to read, none to give.
    called = not isinstance(found, property) and (not kind or "Parameters\n---" in doc)
    yield f"`{kind}{name}({signature(found)})`" if called else f"`{kind}{name}`"
    yield ""
    yield from body(doc)
    if not inspect.isclass(found) or issubclass(found, Exception):
        return
    own = [base for base in reversed(found.__mro__) if base.__module__.startswith("capsim.")]
    for member, given in {k: v for base in own for k, v in vars(base).items()}.items():
        inner = given.__func__ if isinstance(given, (staticmethod, classmethod)) else given
        shown = isinstance(inner, property) or inspect.isfunction(inner)
        if shown and not member.startswith("_") and inspect.getdoc(inner):
            yield from entry(f"{found.__name__}.{member}", inner, level + 1)


def page() -> str:
    """Give the whole page."""
    lines = [*OPENING.splitlines()]
    for chapter, names in CHAPTERS.items():
        lines += ["", f"## {chapter}"]
        for name in names:
            lines += entry(f"capsim.{name}", getattr(capsim, name))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
