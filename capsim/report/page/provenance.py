"""Where figures come from: what a table rests on, with the marks of its sources."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from capsim.report.language import Words
from capsim.report.page.blocks import Column, Table, make_table

if TYPE_CHECKING:
    import pandas as pd

MARKS = {"S": "stated", "P": "published", "D": "derived", "A": "assumed", "": "no mark"}

CHILDREN = ("births", "pupils", "demand")
PLACES = (*CHILDREN, "schools", "projects", "standards")
MONEY = (*PLACES, "costs", "staff")
CHANCES = (*PLACES, "phases", "construction", "uncertainty")


class Origin(NamedTuple):
    """An input, the marks of its sources, and what to look for in the list of sources."""

    what: str
    marks: str


def origins(inputs: tuple[str, ...], sources: pd.DataFrame) -> list[Origin]:
    """Look up the marks of what a table rests on; inputs not in the list are left out.

    Parameters
    ----------
    inputs
        Tables (`births`) and settings (`policy.reduction`).
    sources
        As `Scenario.sources` gives it.

    Examples
    --------
    >>> import pandas as pd
    >>> told = pd.DataFrame({"what": ["births.births", "costs.hire_cny"], "mark": ["P", "A"]})
    >>> origins(("births", "costs", "schools"), told)
    [Origin(what='births', marks='P'), Origin(what='costs', marks='A')]
    """
    found = []
    for what in inputs:
        mine = sources["mark"][
            (sources["what"] == what) | sources["what"].str.startswith(f"{what}.")
        ]
        if len(mine):
            found.append(Origin(what, " ".join(m for m in MARKS if m and (mine == m).any()) or "?"))
    return found


def setting_of(target: str, sources: pd.DataFrame) -> str:
    """Name the setting that orders a target, as the list of sources does; blank if it is not there.

    A yearly rule without a setting of its own year follows the last one before.

    Examples
    --------
    >>> import pandas as pd
    >>> told = pd.DataFrame({"what": ["policy.private_share_cap.2022", "programmes.p-2022.number"]})
    >>> [setting_of(name, told) for name in ("share-2025", "programme-p-2022", "placement")]
    ['policy.private_share_cap.2022', 'programmes.p-2022.number', '']
    """
    known = set(sources["what"])
    if target.startswith("programme-"):
        name = f"programmes.{target.removeprefix('programme-')}.number"
        return name if name in known else ""
    rule, _, year = target.rpartition("-")
    if not rule:
        return "policy.reduction" if target == "reduction" and "policy.reduction" in known else ""
    stem = RULES.get(rule, f"floors.{rule}")
    years = [what.rpartition(".")[2] for what in known if what.rpartition(".")[0] == stem]
    before = [one for one in sorted(years) if one <= year]
    return f"{stem}.{before[-1]}" if before else ""


RULES = {"share": "policy.private_share_cap", "large_classes": "policy.large_class_share"}


def sources_table(sources: pd.DataFrame, say: Words) -> Table:
    """List where every number of the scenario comes from, with its mark."""
    frame = sources.assign(
        meaning=[say(MARKS.get(mark, "no mark")) for mark in sources["mark"]],
    )
    columns = (
        Column("what", say("figure")),
        Column("value", say("value")),
        Column("unit", say("unit")),
        Column("source", say("source")),
        Column("mark", say("mark"), choose=True),
        Column("meaning", say("meaning of the mark")),
    )
    return make_table(
        "sources-table", say("Figures, sources and marks"), frame, columns, origin="scenario/"
    )
