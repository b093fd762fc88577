"""Prices and explanations on the page: whatever frames and sentences there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pandas.api.types import is_bool_dtype, is_integer_dtype, is_numeric_dtype

from capsim.report.language import Words
from capsim.report.page.blocks import Column, Table, make_table

if TYPE_CHECKING:
    import pandas as pd


TERMS = ("kind", "unit", "stage", "status")
"""Columns that hold words of capsim's own, not names from the data."""


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


def advice_tables(advice: Advice, number: int, say: Words) -> list[Table]:
    """Make the tables of a piece of advice."""
    frames = advice.frames or {}
    return [
        frame_table(f"advice-{number}-{at}", caption, frame, say)
        for at, (caption, frame) in enumerate(frames.items(), 1)
    ]


def frame_table(name: str, caption: str, frame: pd.DataFrame, say: Words) -> Table:
    """Make a table of any frame, its columns written by their types and names.

    Examples
    --------
    >>> import pandas as pd
    >>> from capsim.report.language import words
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
        if is_bool_dtype(values):
            shown = shown.assign(**{key: values.map({True: say("yes"), False: say("no")})})
            columns.append(Column(key, title, choose=True))
        elif is_integer_dtype(values) and (key == "year" or key.endswith("_year")):
            columns.append(Column(key, title, "year", choose=True))
        elif is_numeric_dtype(values):
            whole = key.endswith("_cny") or is_integer_dtype(values)
            columns.append(Column(key, title, "number", 0 if whole else 2))
        else:
            if key in TERMS:
                shown = shown.assign(**{key: values.astype(str).map(say.name)})
            repeats = 1 < values.nunique() <= 0.5 * len(values) and values.nunique() <= 40
            columns.append(Column(key, title, choose=bool(repeats), links=key == "county"))
    return make_table(name, caption, shown, columns)
