"""Style of all figures: fonts, colours, hatches, axes, source line, reproducible files.

Colours are those of Okabe and Ito (2008), distinguishable by the colour-blind; every filled series
also has its own hatch, so that it can be read in greyscale. Chinese text is drawn where an
installed font has its characters. A font is found by its file, not by a name that a cache
remembers, so that one installed a moment ago counts and one taken away does not. Where there is
none, one warning says what to install.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, wraps
from io import BytesIO
from pathlib import Path
from typing import Any, Concatenate, NamedTuple, ParamSpec, Protocol, cast, overload
from unicodedata import east_asian_width

import matplotlib as mpl
import numpy as np
import pandas as pd
from cycler import cycler
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from capsim.i18n.language import Words, filled
from capsim.scenario.scenario import Scenario

LATIN = "DejaVu Sans"
FILES = (
    "NotoSansCJK",
    "NotoSansSC",
    "SourceHanSans",
    "wqy-microhei",
    "wqy-zenhei",
    "PingFang",
    "Hiragino Sans GB",
    "STHeiti",
    "msyh",
    "Deng",
    "simhei",
    "DroidSansFallback",
)
"""How files of fonts with Chinese characters begin, the best first."""

HINT = "install one with Chinese, for example fonts-wqy-microhei or Noto Sans CJK"
MISSING = re.compile(r"Glyph (\d+) .* missing from font")


@cache
def chinese_font() -> str | None:
    """Name of an installed font with Chinese characters; None where there is none."""
    files = sorted(font_manager.findSystemFonts())
    for start in FILES:
        for file in files:
            if Path(file).name.lower().startswith(start.lower()) and Path(file).is_file():
                return _add(file)
    return None


def _add(file: str) -> str:
    """Make a font known by its file; one that has no bold face is its own."""
    manager = font_manager.fontManager
    manager.addfont(file)
    name = font_manager.FontProperties(fname=file).get_name()
    faces = [entry for entry in manager.ttflist if entry.name == name]
    if not any(str(entry.weight) in ("bold", "700") for entry in faces):
        manager.ttflist.append(replace(faces[-1], weight=700))
    return name


def families() -> list[str]:
    """List fonts of the figures: a Latin one, then a Chinese one for the rest, if there is one."""
    chinese = chinese_font()
    return [LATIN, chinese] if chinese else [LATIN]


@contextmanager
def one_warning() -> Iterator[None]:
    """Warn once, not once a character, that fonts lack characters of what is drawn."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    lacking: dict[str, None] = {}
    for warning in caught:
        if found := MISSING.match(str(warning.message)):
            lacking[chr(int(found[1]))] = None
        else:
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
    if lacking:
        some = "".join(list(lacking)[:8]) + ("…" if len(lacking) > 8 else "")
        hint = HINT if any("\u3400" <= one <= "\u9fff" for one in lacking) else "left blank"
        warnings.warn(f"no installed font has the characters {some}: {hint}", stacklevel=4)


BLACK, GREY = "#000000", "#999999"
ORANGE, SKY, GREEN = "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILLION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"


class Look(NamedTuple):
    """A series: its name in legends, its fill and its hatch."""

    label: str
    colour: str
    hatch: str


SEATS: Mapping[str, Look] = {
    "existing": Look("existing public seats", "#D9D9D9", ""),
    "new": Look("new public seats", BLUE, "//"),
    "converted": Look("converted schools", GREEN, "xx"),
    "purchased": Look("purchased places", ORANGE, ".."),
    "overfilled": Look("over-filled classes", PURPLE, "--"),
    "private": Look("private, fee-paying", SKY, "\\\\"),
    "shortfall": Look("no place", BLACK, ""),
}

STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "figure.dpi": 100,
    "font.family": families(),
    "font.size": 9,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.6,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "savefig.dpi": 150,
    "svg.fonttype": "path",
    "svg.hashsalt": "capsim",
    # Names of areas and projects are no formulas, whatever they hold.
    "text.parse_math": False,
}

NOTE = 125
"""Columns of a line below a figure."""
LONGEST = 28
"""Columns of a name that stand on an axis; a Chinese character takes two."""


def use_style() -> None:
    """Draw whatever follows in the style of the report: sets matplotlib's defaults."""
    colours = [BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY]
    mpl.rcParams.update({**STYLE, "axes.prop_cycle": cycler(color=colours)})


class Picture(Figure):
    """A figure that a notebook shows as it is, in the style and without pyplot."""

    def _repr_png_(self) -> bytes:
        return render(self, "png")


def new_figure(width: float, height: float) -> Figure:
    """Make an empty figure, `width` × `height` inches, that lays itself out."""
    return Picture(figsize=(width, height), layout="constrained")


P = ParamSpec("P")
Draw = Callable[Concatenate[Axes, P], None]


class Drawing(Protocol[P]):
    """A figure on an Axes of the caller's, or one of its own: ``mix(ax, plan)``, ``mix(plan)``."""

    @overload
    def __call__(self, ax: Axes, /, *args: P.args, **kwargs: P.kwargs) -> None: ...

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Figure: ...


def drawing(width: float, height: float | Callable[..., float]) -> Callable[[Draw[P]], Drawing[P]]:
    """Make a function that draws on an Axes return a figure of its own where it is given none.

    Parameters
    ----------
    width, height : float
        Inches; the height may follow from what is drawn.

    Examples
    --------
    >>> @drawing(4, 3)
    ... def line(ax, values):
    ...     ax.plot(values)
    >>> line([1, 2]).axes[0].lines[0].get_ydata().tolist()
    [1, 2]
    """

    def made(draw: Draw[P]) -> Drawing[P]:
        @wraps(draw)
        def on_axes(*args: Any, **kwargs: Any) -> Figure | None:
            if "ax" in kwargs or (args and isinstance(args[0], Axes)):
                draw(*args, **kwargs)
                return None
            with mpl.rc_context(STYLE):
                tall = height(*args) if callable(height) else height
                figure = new_figure(width, tall)
                draw(figure.add_subplot(), *args, **kwargs)
            return figure

        return cast("Drawing[P]", on_axes)

    return made


@contextmanager
def laid_out(figure: Figure) -> Iterator[None]:
    """Run the layout of a figure once for all that is saved inside: it takes as long as drawing.

    Letters are widest in pixels, so it is done at the resolution of those.
    """
    engine, dpi = figure.get_layout_engine(), figure.dpi
    with mpl.rc_context(STYLE), one_warning():
        figure.dpi = STYLE["savefig.dpi"]
        if engine is not None and figure.axes:
            engine.execute(figure)
        figure.set_layout_engine(None)
        try:
            yield
        finally:
            figure.set_layout_engine(engine)
            figure.dpi = dpi


def render(figure: Figure, form: str) -> bytes:
    """Render a figure as the bytes of a `png` or `svg` file; the same figure gives the same bytes.

    Examples
    --------
    >>> figure = new_figure(2, 1)
    >>> render(figure, "svg") == render(figure, "svg"), render(figure, "png")[1:4]
    (True, b'PNG')
    """
    with laid_out(figure):
        return _saved(figure, form)


def render_both(figure: Figure) -> tuple[bytes, bytes]:
    """Render a figure as SVG and PNG: the bytes that `render` gives of each."""
    with laid_out(figure):
        return _saved(figure, "svg"), _saved(figure, "png")


def _saved(figure: Figure, form: str) -> bytes:
    metadata = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}[form]
    file = BytesIO()
    figure.savefig(file, format=form, metadata=metadata)
    return file.getvalue()


def bar_style(look: Look, say: Words) -> dict[str, Any]:
    """Return keywords that draw a bar of a series."""
    return {
        "color": look.colour,
        "hatch": look.hatch,
        "edgecolor": "white",
        "linewidth": 0.4,
        "label": say(look.label),
    }


def short(name: object, most: int = LONGEST) -> str:
    """Name as it stands on an axis: one line, the end of a long one left out.

    Examples
    --------
    >>> short("No. 1 Middle School"), short("x" * 200, 6), short("第一实验中学", 6)
    ('No. 1 Middle School', 'xxxxx…', '第一…')
    """
    text = " ".join(str(name).split())
    widths = [2 if east_asian_width(character) in "WF" else 1 for character in text]
    if sum(widths) <= most:
        return text
    return text[: int(np.searchsorted(np.cumsum(widths), most - 1, side="right"))] + "…"


def school_years(ax: Axes, years: Sequence[int] | Any, say: Words, most: int = 18) -> None:
    """Label a horizontal axis with the school years shown, at most `most` of them."""
    first, last = int(min(years)), int(max(years))
    ax.set_xlim(first - 0.6, last + 0.6)
    ax.set_xticks(range(first, last + 1, 1 + (last - first) // most))
    ax.set_xlabel(say("school year (from 1 September)"))


def legend_beside(ax: Axes) -> None:
    """Add a legend to the right of an Axes, if there is anything on it."""
    if ax.get_legend_handles_labels()[0]:
        ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), reverse=True)


def counts_on(axis: Any, say: Words) -> None:
    """Write the numbers of an axis as counts of the language."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: say.count(value)))


def money_unit(say: Words) -> tuple[float, str]:
    """Return the unit in which all figures draw money, and its name: that of the tables."""
    size, name = (1e4, "万元") if say.lang == "zh" else (1e6, "million RMB")
    return size, say.in_currency(name)


def money_on(axis: Any) -> None:
    """Write the numbers of an axis of money with their thousands apart."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}".replace("-", "−")))


def name_rows(ax: Axes, names: Sequence[str], size: float | None = None) -> None:
    """Write names beside the rows of a horizontal chart, the first row on top."""
    ax.set_yticks(range(len(names)), names, fontsize=size)
    ax.tick_params(axis="y", length=0)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")


def beside(ax: Axes, text: str, point: Any, dx: float, dy: float, **look: Any) -> Any:
    """Write a text `dx` and `dy` points away from a point of the data; returns the annotation."""
    return ax.annotate(text, point, xytext=(dx, dy), textcoords="offset points", **look)


def stack(
    ax: Axes, table: pd.DataFrame, looks: Mapping[str, Look], say: Words, *, sideways: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Stack bars, a column of the table a series: what is negative goes the other way from 0.

    Parameters
    ----------
    sideways
        Whether each row of the table has a row of the chart, not a place by its index.

    Returns
    -------
    arrays
        The negative and the positive end of each stack.
    """
    low, high = np.zeros(len(table)), np.zeros(len(table))
    for name in table.columns.astype(str):
        length = table[name].to_numpy()
        start = np.where(length >= 0, high, low)
        look = looks.get(name)
        style = bar_style(look, say) if look else {"color": "#525252", "label": name}
        if sideways:
            ax.barh(np.arange(len(table)), length, left=start, height=0.7, **style)
        else:
            ax.bar(table.index, length, bottom=start, width=0.8, **style)
        high += np.maximum(length, 0.0)
        low += np.minimum(length, 0.0)
    return low, high


def note(ax: Axes, scenario: Scenario, say: Words, text: str = "", *, below: float = 38) -> None:
    """Write under an Axes what it was made from: `below` is the distance in points."""
    look = {"va": "top", "fontsize": 7, "color": "#595959", "annotation_clip": False}
    source = _source(scenario, say, text)
    beside(ax, source, (0, 0), 0, -below, xycoords="axes fraction", **look)


def note_all(figure: Figure, scenario: Scenario, say: Words, text: str) -> None:
    """Write under a figure of several Axes what it was made from."""
    figure.supxlabel(_source(scenario, say, text), x=0.01, ha="left", fontsize=7, color="#595959")


def _source(scenario: Scenario, say: Words, text: str) -> str:
    name = short(scenario.name, 60)
    source = say("capsim · scenario {name} · {hash}", name=name, hash=scenario.hash[:10])
    return "\n".join([*filled(text, most=NOTE), source]) if text else source
