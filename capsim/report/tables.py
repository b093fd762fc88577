"""Tables as files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

RISKY = re.compile("'*[=+\\-@\t\r]")
"""How a text begins that a spreadsheet would run, or that is kept from it already."""


def csv(table: pd.DataFrame) -> bytes:
    r"""Write a table as CSV; every number reads back as exactly what it was.

    A text that a spreadsheet would run as a formula (it begins with ``=``, ``+``, ``-``, ``@``, a
    tab or a carriage return) gets an apostrophe before it; `plain_text` takes it away again.

    Examples
    --------
    >>> csv(pd.DataFrame({"area": ["A"], "pupils": [0.1 + 0.2]}))
    b'area,pupils\nA,0.30000000000000004\n'
    >>> csv(pd.DataFrame({"area": ["=1+1", "-5", "a=b"], "pupils": [-1, 0, 1]}))
    b"area,pupils\n'=1+1,-1\n'-5,0\na=b,1\n"
    """
    texts = [
        name
        for name in table.columns
        if not pd.api.types.is_numeric_dtype(table[name]) and _any(table[name].unique())
    ]
    safe = table.assign(**{name: table[name].map(_kept) for name in texts}) if texts else table
    return safe.to_csv(index=False, lineterminator="\n").encode()


def plain_text(cell: str) -> str:
    """Give the text that a cell written by `csv` stands for.

    Examples
    --------
    >>> plain_text("'=1+1"), plain_text("'tis"), plain_text("''=1")
    ('=1+1', "'tis", "'=1")
    """
    return cell[1:] if cell.startswith("'") and RISKY.match(cell) else cell


def _any(cells: Iterable[Any]) -> bool:
    return any(isinstance(cell, str) and RISKY.match(cell) is not None for cell in cells)


def _kept(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and RISKY.match(cell) else cell
