"""What a page is made of: cells, columns, tables, pictures and sections, free of any layout.

Where figures come from: what a table rests on, with the marks of its sources.

A page as one HTML file: its template, style and script, and what every template is given.

Texts from the data are escaped wherever they stand: in the page by the template, in the embedded
data by its JSON. The page's own policy lets nothing run but its own script, and nothing load.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from capsim.i18n.language import Words
from capsim.plan.targets import make_target

if TYPE_CHECKING:
    import pandas as pd


PAGE = 25
"""Rows of a table that are shown at a time."""

Cell = str | float | int | list[Any] | None
KINDS = ("text", "number", "percent", "year", "date", "chance")


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes
    ----------
    key, title
        Name in the frame, heading with the unit.
    kind
        text; number; percent (of a fraction); year; date (ISO); chance (date and probability).
    digits
        Behind the point of a number or percentage.
    scale
        What a number is multiplied by.
    choose
        Whether the reader may pick one of its values.
    links
        Whether its text names a county with a section of its own.
    """

    key: str
    title: str
    kind: str = "text"
    digits: int = 0
    scale: float = 1.0
    choose: bool = False
    links: bool = False


@dataclass(frozen=True)
class Table:
    """Rows ready to be written: numbers rounded to what is shown, dates as text.

    `origin` is the file with all digits; `inputs` the tables and settings the figures rest on.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: list[list[Cell]]
    origin: str = ""
    inputs: tuple[str, ...] = ()
    note: str = ""

    @property
    def first(self) -> list[list[Cell]]:
        """Rows of the first page."""
        return self.rows[:PAGE]

    @property
    def big(self) -> bool:
        """Whether it takes more than a page: it can then be searched and paged through."""
        return len(self.rows) > PAGE

    @property
    def data(self) -> dict[str, Any]:
        """What the page's script needs: all rows, and how to write their cells."""
        columns = [
            {"k": column.kind, "d": column.digits, "c": column.choose, "l": column.links}
            for column in self.columns
        ]
        return {"columns": columns, "rows": self.rows, "page": PAGE}


@dataclass(frozen=True)
class Picture:
    """A figure as a data address, with words for those who cannot see it and its data."""

    name: str
    title: str
    address: str
    width: int
    table: Table | None = None


@dataclass(frozen=True)
class County:
    """A county on a screen of its own."""

    number: int
    name: str
    facts: list[tuple[str, str]]
    tables: list[Table]


def make_table(
    name: str,
    caption: str,
    frame: pd.DataFrame,
    columns: Sequence[Column],
    *,
    origin: str = "",
    inputs: Sequence[str] = (),
    note: str = "",
) -> Table:
    """Take columns of a frame into a table.

    Raises
    ------
    ValueError
        A column has no known kind.
    """
    parts = [[_cell(value, column) for value in frame[column.key].tolist()] for column in columns]
    rows = [list(row) for row in zip(*parts, strict=True)]
    return Table(name, caption, tuple(columns), rows, origin, tuple(inputs), note)


def write_cell(value: Cell, column: Column, say: Words) -> str:
    """Write a cell as text; the page's script writes it the same.

    Examples
    --------
    >>> from capsim.i18n.language import words
    >>> write_cell(-1234.5, Column("", "", "number", 1), words("en"))
    '−1,234.5'
    >>> write_cell(["2022-09-01", 66], Column("", "", "chance"), words("zh"))
    '2022-09-01 · 66%'
    """
    percent = "%" if say.lang == "zh" else " %"
    if value is None or value == "":
        return "–"
    if isinstance(value, list):
        date, chance = value
        return f"{date or '–'} · {chance}{percent}"
    if column.kind in ("number", "percent") and not isinstance(value, str):
        text = f"{value:,.{column.digits}f}".replace("-", "−")
        return text + percent if column.kind == "percent" else text
    return str(value)


def _cell(value: Any, column: Column) -> Cell:
    if column.kind not in KINDS:
        raise ValueError(f"column {column.key}: kind {column.kind!r}, not one of {KINDS}")
    if column.kind in ("text", "date"):
        return str(value)
    if column.kind == "chance":
        date, chance = value
        return None if math.isnan(chance) else [date, round(100 * chance)]
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if column.kind == "year":
        return int(value)
    number = round(
        (100 if column.kind == "percent" else column.scale) * float(value), column.digits
    )
    return int(number) if column.digits == 0 else number + 0.0


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
    ordered = make_target(target, "", 0.0)
    if ordered.setting in known:
        return ordered.setting
    of_year = (what.rpartition(".") for what in known)
    years = [year for setting, _, year in of_year if setting == ordered.setting]
    before = [year for year in sorted(years) if year <= ordered.detail]
    return f"{ordered.setting}.{before[-1]}" if before else ""


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
