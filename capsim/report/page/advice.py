"""Prices and explanations on the page: whatever frames and sentences there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype

from capsim.i18n.language import Words
from capsim.report.narrative import explained, price_sentences, prices_head
from capsim.report.page.elements import Column, Layout, Table

if TYPE_CHECKING:
    import pandas as pd

    from capsim.plan.plan import Explanation


TERMS = ("kind", "unit", "stage", "status")
"""Columns that hold words of capsim's own, not names from the data."""
RULES = ("private share", "programme", "floor", "own rule")
"""How the names of rules begin that have a year or a name after them."""


@dataclass(frozen=True)
class Advice:
    """A section of sentences and frames: prices, explanations, relaxations.

    Attributes
    ----------
    title : str
    sentences : sequence of text
    frames : mapping of DataFrames
        By caption. Columns ending in `_cny` are RMB, integers in columns `year` or ending in
        `_year` school years; text columns may be chosen by where they repeat.
    """

    title: str
    sentences: Sequence[str] = ()
    frames: Mapping[str, pd.DataFrame] | None = None


def explanation_advice(explanation: Explanation, say: Words) -> Advice:
    """Make a section of an explanation: its sentences, the cheapest repairs, and every gap."""
    frames = {}
    if explanation.repairs is not None and len(explanation.repairs):
        frames[say("What would be enough alone, all other rules holding")] = explanation.repairs
    gaps = explanation.table
    if (gaps["short_by"] > 0).any():
        gaps = gaps[gaps["short_by"] > 0].drop(columns="alone")
        frames[say("The least that gives way, all at once, so that every child has a place")] = gaps
    shown = {
        caption: frame.assign(
            rule=[_rule(str(rule), say) for rule in frame["rule"]],
            who=[_whose(str(who), say) for who in frame["who"]],
        )
        for caption, frame in frames.items()
    }
    return Advice(say("Explanations"), explained(explanation.messages, say), shown)


def price_advice(table: pd.DataFrame, say: Words) -> Advice:
    """Make a section of prices.

    Parameters
    ----------
    table
        As `Prices.binding` gives it.
    """
    sentences = [prices_head(table, say), *price_sentences(table, say)]
    frames = {say("Prices of what is scarce"): table} if len(table) else {}
    return Advice(say("Prices"), sentences, frames)


def _rule(rule: str, say: Words) -> str:
    """Name a rule of an explanation; the year or name that some end with stays."""
    for start in RULES:
        if rule.startswith(f"{start} "):
            return f"{say.name(start)} {say.name(rule.removeprefix(start).strip())}"
    return say.name(rule)


def _whose(who: str, say: Words) -> str:
    """Name whose a gap is: `county C01, junior`, a school or project, or the whole."""
    if who == "the whole":
        return say("the whole")
    if say.lang == "en" or not who.startswith("county "):
        return who
    county, _, stage = who.removeprefix("county ").rpartition(", ")
    return f"{county}{say.name(stage)}" if county else stage


def advice_tables(advice: Advice, number: int, say: Words) -> list[Table]:
    """Make the tables of a piece of advice."""
    frames = advice.frames or {}
    return [
        frame_table(f"advice-{number}-{at}", caption, frame, say)
        for at, (caption, frame) in enumerate(frames.items(), 1)
    ]


def frame_table(
    name: str, caption: str, frame: pd.DataFrame, say: Words, origin: str = ""
) -> Table:
    """Make a table of any frame, its columns written by their types and names.

    Examples
    --------
    >>> import pandas as pd
    >>> from capsim.i18n.language import words
    >>> frame = pd.DataFrame({"year": [2022], "cost_cny": [12.4]})
    >>> made = frame_table("t", "T", frame, words("en"))
    >>> [column.kind for column in made.columns], made.rows
    (['year', 'number'], [[2022, 12]])
    """
    shown = frame.loc[:, [not (frame[key].astype(str) == "").all() for key in frame.columns]]
    shown = shown.rename(columns=str)
    columns = []
    for key in shown.columns:
        values = shown[key]
        title = say.name(key.removesuffix("_cny")) + (f" ({say('RMB')})" if "_cny" in key else "")
        column = Column(key, title, translated=True)
        if is_bool_dtype(values):
            shown = shown.assign(**{key: values.map({True: say("yes"), False: say("no")})})
            column = replace(column, choose=True)
        elif is_integer_dtype(values) and (key == "year" or key.endswith("_year")):
            column = replace(column, kind="year", choose=True)
        elif is_numeric_dtype(values):
            whole = key.endswith("_cny") or is_integer_dtype(values)
            column = replace(column, kind="number", digits=0 if whole else 2)
        else:
            repeats = 1 < values.nunique() <= min(0.5 * len(values), 40)
            kind = "term" if key in TERMS else "text"
            column = replace(column, kind=kind, choose=repeats, links=key == "county")
        columns.append(column)
    layout = Layout(name, "", tuple(columns), origin=origin)
    return layout.table(shown, say, caption=caption)
