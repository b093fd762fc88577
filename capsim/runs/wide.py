"""Tables of observed pupils as agencies publish them: one CSV, a row an area and year."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from capsim.scenario import ScenarioError
from capsim.scenario.faults import Fault


def read_wide(path: Path) -> pd.DataFrame:
    """Read a CSV file, or the only one of a folder, with names kept as text.

    Blank lines and rows are passed over; the index says where a row stands: at line index + 2.

    Raises
    ------
    FileNotFoundError
        There is no such file, or the folder does not hold exactly one.
    ScenarioError
        The file is no table: empty, not in UTF-8, rows longer than the head, a column twice.
    """
    if path.is_dir():
        found = sorted(path.glob("*.csv"))
        if len(found) != 1:
            raise FileNotFoundError(f"{path} holds {len(found)} CSV files; name the one to read")
        path = found[0]
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not there")
    try:
        head = pd.read_csv(path, encoding="utf-8-sig", header=None, nrows=1, dtype=str).iloc[0]
        table = pd.read_csv(
            path,
            encoding="utf-8-sig",
            skipinitialspace=True,
            keep_default_na=False,
            na_values=[""],
        )
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise _fault(path, f"byte {error.start}", "a text file in UTF-8") from error
    except pd.errors.EmptyDataError as error:
        raise _fault(path, "", "a table with a head") from error
    except pd.errors.ParserError as error:
        raise _fault(path, str(error).strip(), "a table with as many fields in each row") from error
    twice = head[head.duplicated() & head.notna()]
    if len(twice):
        raise _fault(path, ", ".join(twice), "each column once")
    filled = [number for number, line in enumerate(lines, 1) if line.strip()]
    if len(filled) == len(table) + 1:
        table.index = pd.Index(filled[1:]) - 2
    return table.dropna(how="all").rename(columns=lambda column: str(column).strip())


def _fault(path: Path, value: str, expected: str) -> ScenarioError:
    return ScenarioError([Fault(path.name, None, "", value, expected)])
