"""Tables of observed pupils as agencies publish them: one CSV, a row an area and year."""

from __future__ import annotations

from pathlib import Path

import pandas as pd


def read_wide(path: Path) -> pd.DataFrame:
    """Read a CSV file, or the only one of a folder, with names kept as text.

    Raises
    ------
    FileNotFoundError
        There is no such file, or the folder does not hold exactly one.
    """
    if path.is_dir():
        found = sorted(path.glob("*.csv"))
        if len(found) != 1:
            raise FileNotFoundError(f"{path} holds {len(found)} CSV files; name the one to read")
        path = found[0]
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there")
    return pd.read_csv(path, encoding="utf-8-sig")
