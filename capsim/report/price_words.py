"""What is scarce in a plan, and what a little more of it would save, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from capsim.report.language import Words

if TYPE_CHECKING:
    import pandas as pd

EACH = 3
"""Prices that are told of each kind, the highest first."""

UNITS = {
    "place": "one more place",
    "post": "one more post",
    "hire": "one more teacher hired",
    "contract teacher": "one more contract teacher",
    "capital": "one more RMB to build",
    "recurrent": "one more RMB to run schools",
    "land": "one more mu of land",
    "purchased place": "one more place bought",
    "boarding place": "one more boarding place",
    "cap": "a cap higher by one percentage point",
    "reduction": "one pupil less to move",
    "floor": "one child less on the floor",
    "large class": "one more large class",
    "programme": "one project less",
}


def prices_head(table: pd.DataFrame, say: Words) -> str:
    """Say how prices are to be read, or that there are none."""
    if table.empty:
        return say("Nothing is scarce: no limit, target or place has a price.")
    return say("What would be saved, all years together, with the plan's decisions as they are:")


def price_sentences(table: pd.DataFrame, say: Words) -> list[str]:
    """Tell the highest prices of each kind.

    Parameters
    ----------
    table
        As `Prices.binding` gives it.
    """
    lines = []
    for kind, rows in table.groupby("kind", sort=False):
        for record in rows.head(EACH).to_dict("records"):
            lines.append(_line(str(kind), {str(key): value for key, value in record.items()}, say))
        if len(rows) > EACH:
            least, most = rows["one_more_cny"].min(), rows["one_more_cny"].max()
            lines.append(
                say(
                    "and {number} more of these, {least} to {most} each",
                    number=say.count(len(rows) - EACH),
                    least=price(least, say),
                    most=price(most, say),
                )
            )
    return lines


def _line(kind: str, row: dict[str, Any], say: Words) -> str:
    name = say.rule(row["name"]) if kind == "floor" else say.name(row["name"])
    where = [row["area"] or row["county"], say.name(row["stage"]), name.replace("_", " ")]
    there = say.joined([*[part for part in where if part], str(row["year"])])
    more, less = row["one_more_cny"], row["one_less_cny"]
    text = say(
        "{what} ({there}): {price}", what=say(UNITS[kind]), there=there, price=price(more, say)
    )
    if np.isfinite(row["more_units"]) and more > 0:
        text += say(", for the first {number}", number=_units(row["more_units"], say))
    if np.isclose(more, less, rtol=1e-3, atol=1.0):
        return text
    if np.isinf(less):
        return text + say("; with one less there is no plan")
    return text + say("; one less costs {price}", price=price(less, say))


def price(cny: float, say: Words) -> str:
    """Write a price: of less than 100 RMB with two decimals.

    Examples
    --------
    >>> from capsim.report.language import words
    >>> price(2.5, words("en")), price(250_000, words("zh"))
    ('2.50 RMB', '25.0万元')
    """
    if abs(cny) >= 100:
        return say.money(cny)
    return f"{cny:.2f}元" if say.lang == "zh" else f"{cny:.2f} RMB"


def _units(value: float, say: Words) -> str:
    return say.count(value) if value >= 100 else f"{value:.3g}"
