"""A page as one HTML file: its template, style and script, and what every template is given.

Texts from the data are escaped wherever they stand: in the page by the template, in the embedded
data by its JSON. The page's own policy lets nothing run but its own script, and nothing load.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from capsim.report.language import Words
from capsim.report.page.blocks import PAGE, write_cell
from capsim.report.page.provenance import MARKS, origins, sources_table

if TYPE_CHECKING:
    import pandas as pd

SCRIPT_TEXTS = (
    "rows {from}–{to} of {of}",
    "no rows",
    "search",
    "all",
    "previous",
    "next",
)
"""Texts that the page's script writes itself."""


def render_page(
    template: str, given: dict[str, Any], told: pd.DataFrame, lang: str, say: Words
) -> bytes:
    """Write a page.

    Parameters
    ----------
    template
        Its file, which extends ``base.html``.
    given
        What the template shows besides what all pages do.
    told
        Sources, as `Scenario.sources` gives them.
    """
    shared: dict[str, Any] = {
        "say": say,
        "marks": {mark: say(text) for mark, text in MARKS.items() if mark},
        "origins": lambda table: origins(table.inputs, told),
        "write": lambda value, column: write_cell(value, column, say),
        "page_rows": PAGE,
        "sources": sources_table(told, say),
        "texts": {text: say(text) for text in SCRIPT_TEXTS} | {"lang": lang},
        "county_numbers": {},
        "style": _asset("page.css"),
        "script": _asset("page.js"),
        "script_hash": _digest(_asset("page.js")),
    }
    environment = Environment(
        loader=PackageLoader("capsim.report.page", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(shared | given).encode()


def _digest(text: str) -> str:
    """Digest by which a page's policy lets its own script run, and no other."""
    return b64encode(sha256(text.encode()).digest()).decode()


def _asset(name: str) -> Markup:
    """Style or script of the page: our own text, no data in it."""
    content = files("capsim.report.page").joinpath("assets", name).read_text(encoding="utf-8")
    return Markup(content)
