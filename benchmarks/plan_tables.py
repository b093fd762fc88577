"""The CSV files of a plan and its scenario as frames, read without capsim.

Nothing here knows the model: columns are those of docs/results.md and docs/scenario.md, and the
built-in standards are read as a file.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

STANDARDS = Path(__file__).parents[1] / "capsim" / "scenario" / "standards"
NAMES = ("school", "stage", "area", "county", "grade", "project", "sector", "kind", "how")
KEY = ["school", "stage"]
PRIMARY, JUNIOR = "primary", "junior"

BOUGHT = ("fee_paying", "purchased", "fee_paying_december", "purchased_december")

PLAN = {
    "enrolment": (*KEY, "grade", "school_year", "pupils"),
    "schools": (
        *KEY, "area", "county", "sector", "school_year", "pupils", "fee_paying", "purchased",
        "public", "fee_paying_december", "purchased_december", "seats_existing", "seats_new",
        "seats_converted",
    ),
    "conversions": (*KEY, "converts"),
    "closures": (*KEY, "how", "from_year"),
    "purchases": (*KEY, "school_year", "contract", "places_december"),
    "payers": (*KEY, "grade", "school_year", *BOUGHT),
    "staff": ("county", "school_year", "pool", "hired", "contract"),
    "openings": ("project", "opens", "copies"),
}  # fmt: skip
"""Tables of a plan that are read, and the columns that each must have."""


class TablesError(ValueError):
    """A file or a column that is missing, in words."""


def read(folder: Path, table: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """Read a table; names are text, whatever they look like.

    Raises
    ------
    TablesError
        Without the file or one of the columns.
    """
    path = folder / f"{table}.csv"
    if not path.is_file():
        raise TablesError(f"{path}: there is no such file; columns needed: {', '.join(columns)}")
    frame = pd.read_csv(path, dtype=dict.fromkeys(NAMES, "str"))
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise TablesError(f"{path}: no column {', '.join(missing)}")
    return frame


def bare(entry: Any) -> Any:
    """Return a setting without the provenance beside it.

    Examples
    --------
    >>> bare({"cap": {"2022": {"value": 0.05, "mark": "S"}}})
    {'cap': {'2022': 0.05}}
    """
    if not isinstance(entry, Mapping):
        return entry
    return bare(entry["value"]) if "value" in entry else {k: bare(v) for k, v in entry.items()}


@dataclass(frozen=True)
class Case:
    """A plan beside its scenario.

    Attributes
    ----------
    plan, scenario : path
        Folders of CSV files; that of the scenario holds ``scenario.toml``, without ``extends``.
    """

    plan: Path
    scenario: Path

    def of_plan(self, table: str, *more: str) -> pd.DataFrame:
        """Read a table of the plan."""
        return read(self.plan, table, (*PLAN[table], *more))

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Settings of the scenario as they are written, numbers bare."""
        path = self.scenario / "scenario.toml"
        if not path.is_file():
            raise TablesError(f"{path}: there is no such file")
        found: dict[str, Any] = bare(tomllib.loads(path.read_text(encoding="utf-8-sig")))
        if "extends" in found:
            raise TablesError(f"{path}: extends another scenario; save it whole first")
        return found

    def setting(self, section: str, key: str, default: Any = None) -> Any:
        """Read a setting; the default where it is not written."""
        return self.settings.get(section, {}).get(key, default)

    @cached_property
    def standards(self) -> dict[str, dict[str, Any]]:
        """Standards by stage: those of the country, with the scenario's own over them."""
        path = STANDARDS / f"{self.settings.get('country', 'china')}.toml"
        built_in: dict[str, Any] = bare(tomllib.loads(path.read_text(encoding="utf-8")))
        own = self.settings.get("standards", {})
        return {name: built_in.get(name, {}) | own.get(name, {}) for name in {*built_in, *own}}

    def by_stage(self, stages: pd.Series, key: str) -> pd.Series:
        """Return a standard of every row's stage."""
        return stages.map({name: part.get(key) for name, part in self.standards.items()})

    @property
    def compulsory(self) -> list[str]:
        """Compulsory stages."""
        return list(self.setting("stages", "compulsory", [PRIMARY, JUNIOR]))

    @cached_property
    def years(self) -> tuple[int, int, int]:
        """Base year, first and last planned year."""
        base = int(self.setting("horizon", "base_year"))
        return base, base + 1, int(self.setting("horizon", "last_year"))

    @cached_property
    def listed(self) -> pd.DataFrame:
        """The scenario's schools, by school and stage; ``conversion`` is ``no`` where blank."""
        frame = read(self.scenario, "schools", (*KEY, "area", "sector", "places", "pupils"))
        for column, blank in (("conversion", "no"), ("staff", float("nan"))):
            if column not in frame:
                frame[column] = blank
        return frame.fillna({"conversion": "no"}).set_index(KEY)

    @cached_property
    def private(self) -> pd.DataFrame:
        """Private schools of the compulsory stages (school × stage)."""
        stage = self.listed.index.get_level_values("stage")
        return self.listed[(self.listed["sector"] == "private") & stage.isin(self.compulsory)]

    @cached_property
    def converted_from(self) -> pd.Series:
        """First autumn in which a school is converted, by school and stage."""
        frame = self.of_plan("conversions")
        day = pd.to_datetime(frame["converts"])
        return pd.Series((day.dt.year + (day.dt.month > 9)).to_numpy(), frame.set_index(KEY).index)

    @cached_property
    def given_up_from(self) -> pd.Series:
        """First autumn in which a converted school is closed again."""
        frame = self.of_plan("closures").query("how == 'given_up'")
        return frame.set_index(KEY)["from_year"]

    @cached_property
    def enrolment(self) -> pd.DataFrame:
        """Pupils by school, stage, grade and school year."""
        return self.of_plan("enrolment")

    @cached_property
    def enrolled(self) -> pd.DataFrame:
        """Pupils of each private school, a column for the base year and every planned year."""
        table = self._by_year(self.enrolment)
        table.insert(0, self.years[0], self.private["pupils"])
        return table

    @cached_property
    def admitted(self) -> pd.DataFrame:
        """First-grade pupils of each private school, the base year first."""
        table = self._by_year(self._first_grades(self.enrolment))
        grades = self.by_stage(self.private.reset_index()["stage"], "grades").map(len)
        base = self.private["pupils"] / grades.to_numpy()
        if (self.scenario / "rolls.csv").is_file():
            rolls = read(self.scenario, "rolls", (*KEY, "grade", "pupils"))
            given = base.index.isin(rolls.set_index(KEY).index)
            first = self._first_grades(rolls).set_index(KEY)["pupils"].reindex(base.index)
            base = first.fillna(0.0).where(given, base)
        table.insert(0, self.years[0], base)
        return table

    def _first_grades(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame["grade"] == self.by_stage(frame["stage"], "grades").str[0]]

    def _by_year(self, frame: pd.DataFrame) -> pd.DataFrame:
        table = frame.pivot_table(
            index=KEY, columns="school_year", values="pupils", aggfunc="sum", fill_value=0.0
        )
        return table.reindex(self.private.index, fill_value=0.0)

    @cached_property
    def converted(self) -> pd.DataFrame:
        """Whether each private school is converted, and not given up, in each autumn."""
        years = self.enrolled.columns.to_numpy()
        begins = self.converted_from.reindex(self.private.index).fillna(float("inf"))
        ends = self.given_up_from.reindex(self.private.index).fillna(float("inf"))
        now = (years >= begins.to_numpy()[:, None]) & (years < ends.to_numpy()[:, None])
        return pd.DataFrame(now, self.private.index, self.enrolled.columns)

    def is_converted(self, index: pd.MultiIndex) -> npt.NDArray[np.bool_]:
        """Check of each school, stage and school year whether it is converted; others are not."""
        table = self.converted
        rows = table.index.get_indexer(index.droplevel("school_year"))
        years = table.columns.get_indexer(index.get_level_values("school_year"))
        return np.asarray(table.to_numpy(bool)[rows, years] & (rows >= 0) & (years >= 0))

    @cached_property
    def bought(self) -> pd.DataFrame:
        """Fee-paying and bought pupils of private schools, by grade where the plan tells it."""
        if (self.plan / "payers.csv").is_file():
            by_grade = self.of_plan("payers")
            if len(by_grade):
                return by_grade[[*KEY, "grade", "school_year", *BOUGHT]]
        columns = (*KEY, "school_year", *BOUGHT)
        if (self.plan / "payers.csv").is_file():
            table = read(self.plan, "payers", (*columns, "grade"))
            if len(table):
                return table[[*columns, "grade"]]
        table = self.of_plan("schools")
        ours = pd.MultiIndex.from_frame(table[KEY]).isin(self.private.index)
        return table.loc[ours, list(columns)]
