"""A page as one HTML file: its template, style and script, and the sources that every page lists.

Texts from the data are escaped wherever they stand: in the page by the template, in the embedded
data by its JSON. The page's own policy permits no script but its own, and no loading.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import Any, NamedTuple

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from capsim.i18n.language import Words
from capsim.plan.targets import make_target
from capsim.report.page.elements import PAGE, Table, layout, write_cell

MARKS = {"S": "stated", "P": "published", "D": "derived", "A": "assumed", "": "no mark"}


class Origin(NamedTuple):
    """An input, the marks of its sources, and what to look for in the list of sources."""

    what: str
    marks: str


def origins(inputs: tuple[str, ...], sources: pd.DataFrame) -> list[Origin]:
    """Return the marks of what a table rests on; inputs not in the list are left out.

    Parameters
    ----------
    inputs
        Tables (`births`) and settings (`policy.reduction`).
    sources
        As `Scenario.sources` gives it.

    Examples
    --------
    >>> import pandas as pd
    >>> sources = pd.DataFrame({"what": ["births.births", "costs.hire_cny"], "mark": ["P", "A"]})
    >>> origins(("births", "costs", "schools"), sources)
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
    >>> names = ["policy.private_share_cap.2022", "programmes.p-2022.number"]
    >>> sources = pd.DataFrame({"what": names})
    >>> [setting_of(name, sources) for name in ("share-2025", "programme-p-2022", "placement")]
    ['policy.private_share_cap.2022', 'programmes.p-2022.number', '']
    """
    known = set(sources["what"])
    ordered = make_target(target, "", 0.0)
    if ordered.setting in known:
        return ordered.setting
    of_year = (what.rpartition(".") for what in known)
    years = [year for setting, _, year in of_year if setting == ordered.setting]
    before = [year for year in sorted(years) if year <= ordered.detail]
    return f"{ordered.setting}.{before[-1]}" if before else ""


def sources_table(sources: pd.DataFrame, say: Words) -> Table:
    """List where every number of the scenario comes from, with its mark."""
    meaning = [say(MARKS.get(mark, "no mark")) for mark in sources["mark"]]
    return layout("sources-table").table(sources.assign(meaning=meaning), say)


SCRIPT_TEXTS = (
    *("rows {from}–{to} of {of}", "no rows", "search", "all", "previous", "next"),
    *("the whole", "{a} to {b}", "{chance} in {year}"),
)
"""Texts that the page's script writes itself."""


def render_page(template: str, content: dict[str, Any], sources: pd.DataFrame, say: Words) -> bytes:
    """Write a page.

    Parameters
    ----------
    template
        Its file, which extends ``base.html``.
    content
        What the template shows besides what all pages do.
    sources
        As `Scenario.sources` gives them.
    """
    shared: dict[str, Any] = {
        "say": say,
        "marks": {mark: say(text) for mark, text in MARKS.items() if mark},
        "origins": lambda table: origins(table.inputs, sources),
        "write": lambda value, column: write_cell(value, column, say),
        "page_rows": PAGE,
        "sources": sources_table(sources, say),
        "texts": {text: say(text) for text in SCRIPT_TEXTS}
        | {"lang": say.lang, "counts": [unit._asdict() for unit in say.counts]},
        "county_numbers": {},
    }
    scripts = ("uplot.js", "page.js", "charts.js") if content.get("pictures") else ("page.js",)
    script = Markup("").join(map(_asset, scripts))
    shared["style"] = _asset("uplot.css") + _asset("page.css")
    shared |= {"script": script, "script_hash": _digest(script)}
    environment = Environment(
        loader=PackageLoader("capsim.report.page", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(shared | content).encode()


def _digest(text: str) -> str:
    """Compute the digest by which a page's policy permits its own script, and no other."""
    return b64encode(sha256(text.encode()).digest()).decode()


def _asset(name: str) -> Markup:
    """Read a style or script of the page: our own text, no data in it."""
    content = files("capsim.report.page").joinpath("assets", name).read_text(encoding="utf-8")
    return Markup(content)
