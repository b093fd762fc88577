"""The scenario: settings and tables that have been checked and cannot be changed."""

from __future__ import annotations

import copy
import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import pandas as pd

from capsim.i18n.language import CNY, Message, Value, Words, words
from capsim.io.shown import Plots, Shown
from capsim.scenario import assembly
from capsim.scenario.faults import nearest
from capsim.scenario.folder import write_folder
from capsim.scenario.parsing import FrozenTable, blank_column, empty
from capsim.scenario.raw_settings import Provenance
from capsim.scenario.schema import TABLES, Column
from capsim.scenario.school_stages import Stage, borrowed, stages_of, standards
from capsim.scenario.settings import Settings
from capsim.scenario.travel import asks_nearby, border_rows, nearby_links
from capsim.scenario.validation.context import stand_ins, unlimited

SOURCES = ["what", "value", "unit", "source", "mark"]


@dataclass(frozen=True, eq=False, repr=False)
class Scenario(Shown[Plots]):
    """A planning case: what there is, what is ordered, what it costs.

    Made by `load`, `Scenario.from_tables` or `Scenario.variant`, never directly; whatever it
    holds has been checked. Equal when the content (``hash``) is.

    Attributes
    ----------
    settings : Settings
        Frozen, defaults filled in.
    findings : tuple of Message
        What is allowed but probably not meant; ``warnings`` are the same in English.
    notes : tuple of Message
        What was read otherwise than it stood: units, words, blank rows.

    Examples
    --------
    >>> import pandas as pd
    >>> areas = pd.DataFrame({"area": ["n", "s"], "county": ["c", "c"]})
    >>> forecast = pd.DataFrame({"area": ["n", "s"], "grade": "1", "school_year": 2022,
    ...                          "pupils": [100, 80]})
    >>> settings = {"name": "two", "horizon": {"base_year": 2021, "last_year": 2022},
    ...             "costs": {"discount_rate": 0.04}}
    >>> two = Scenario.from_tables(settings=settings, areas=areas, forecast=forecast)
    >>> two.years, list(two.stages), two.has("births")
    ((2022,), ['primary'], False)
    >>> two.variant({"costs.discount_rate": 0.05}).settings.costs.discount_rate
    0.05
    """

    settings: Settings
    findings: tuple[Message, ...]
    _tables: Mapping[str, FrozenTable]
    _document: Mapping[str, Any]
    _provenance: Mapping[str, Provenance]
    _columns: Mapping[str, Provenance]
    notes: tuple[Message, ...] = ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed but probably not meant, in English."""
        return tuple(one.text(self.words("en")) for one in self.findings)

    def words(self, lang: str) -> Words:
        """Return the texts of a language that speak of money in the scenario's currency.

        Examples
        --------
        >>> import capsim
        >>> capsim.generate(areas=2, pupils=1000).words("en").money(2e6)
        '2.0 million RMB'
        """
        return words(lang, self.settings.currency)

    @property
    def stand_ins(self) -> tuple[Message, ...]:
        """What the scenario rests on for each table, and kind of limit, that it does without.

        Examples
        --------
        >>> import capsim
        >>> city = capsim.generate(areas=2, pupils=1000).variant(drop={"limits": {}})
        >>> print(city.stand_ins[2])
        no limits: money, land, posts, hires and purchases bind nowhere
        """
        limits = self.table("limits")
        said = (*stand_ins(self.settings, self.has), *unlimited(limits))
        if not (prices := self.borrowed):
            return said
        text = (
            "prices that nobody gave are China's at {rate} {currency} for 1 CNY, assumed: {names}"
        )
        arguments: dict[str, Value] = {
            "rate": f"{self.settings.costs.borrowed_rate:g}",
            "currency": self.settings.currency,
            "names": tuple(prices),
        }
        return (*said, Message(text, arguments))

    @property
    def borrowed(self) -> dict[str, float]:
        """Prices that nobody gave, China's at ``costs.borrowed_rate``, by their keys."""
        return borrowed(self.settings, self._document)

    @staticmethod
    def load(folder: str | Path, *, strict: bool = False) -> Scenario:
        """Read a scenario folder; see `load`."""
        return load(folder, strict=strict)

    @staticmethod
    def from_tables(settings: Mapping[str, Any], **tables: pd.DataFrame) -> Scenario:
        """Make a scenario of settings (as ``scenario.toml`` nests them) and frames.

        Raises
        ------
        ScenarioError
            With every fault; rows are counted from 0.
        """
        return Scenario(*assembly.from_tables(settings, tables))

    def variant(
        self,
        set: Mapping[str, Any] | None = None,
        *,
        scale: Mapping[str, Any] | None = None,
        drop: Mapping[str, Any] | None = None,
        tables: Mapping[str, pd.DataFrame] | None = None,
        name: str | None = None,
    ) -> Scenario:
        """Make a changed scenario; this one stays as it is.

        Parameters
        ----------
        set : mapping of dotted key to value, optional
            Settings; ``{"policy.private_share_cap.2022": 0.06}``.
        scale : mapping of "table.column" to factor or {"factor", "where"}, optional
        drop : mapping of table to conditions, optional
        tables : mapping of table to frame, optional
            Replaced whole, before anything is scaled or dropped.
        name : str, optional

        Raises
        ------
        ScenarioError
        """
        changes = dict(set or {}) | ({} if name is None else {"name": name})
        base = assembly.Checked(
            self.settings,
            self.findings,
            self._tables,
            self._document,
            self._provenance,
            self._columns,
            self.notes,
        )
        return Scenario(*assembly.variant(base, changes, scale or {}, drop or {}, tables or {}))

    def table(self, name: str) -> pd.DataFrame:
        """Return a table; a copy that is safe to change, without rows where there is none.

        Raises
        ------
        KeyError
            Where no table is called so.
        """
        table = self._table(name)
        return empty(name) if table is None else table.frame.copy()

    def column(self, name: str, column: str) -> npt.NDArray[Any]:
        """Return a column of a table as an array that cannot be changed; texts are objects.

        Raises
        ------
        KeyError
            Where no table or column is called so.

        Examples
        --------
        >>> import capsim
        >>> capsim.generate(areas=2, pupils=1000).column("areas", "area").tolist()
        ['C01-core', 'C01-town']
        """
        table = self._table(name)
        if table is not None and column in table.columns:
            return table.columns[column]
        known = TABLES[name].names
        if column not in known:
            raise KeyError(f"no column {column!r} of {name}; there is {nearest(column, known)}")
        return blank_column(TABLES[name].column(column), 0).to_numpy()

    def rows(self, name: str) -> int:
        """Count the rows of a table."""
        table = self._table(name)
        return 0 if table is None else len(table)

    def has(self, name: str) -> bool:
        """Check whether a table has rows."""
        return self._table(name) is not None

    def _table(self, name: str) -> FrozenTable | None:
        """Return the table itself; None where it has no rows."""
        if name not in TABLES:
            raise KeyError(f"no table {name!r}; there is {nearest(name, TABLES)}")
        if name == "links" and asks_nearby(self.settings):
            return self._nearby if len(self._nearby) else None
        if name == "borders" and self._derives_borders:
            return self._borders if len(self._borders) else None
        return self._tables.get(name)

    @cached_property
    def _nearby(self) -> FrozenTable:
        areas, schools, projects = (self.table(name) for name in ("areas", "schools", "projects"))
        return FrozenTable(nearby_links(self.settings, areas, schools, projects))

    @property
    def _derives_borders(self) -> bool:
        rules = self.settings.catchments
        return bool(rules.stages) and rules.connected and "borders" not in self._tables

    @cached_property
    def _borders(self) -> FrozenTable:
        return FrozenTable(border_rows(self.table("areas")))

    def shares_tables(self, other: Scenario) -> bool:
        """Check whether the tables are the very same, as those of a variant that changes none."""
        return (
            self._tables.keys() == other._tables.keys()
            and all(table is other._tables[name] for name, table in self._tables.items())
            and self.settings.travel == other.settings.travel
        )

    @property
    def name(self) -> str:
        """Name of the scenario."""
        return self.settings.name

    @property
    def title(self) -> str:
        """Title, empty where none is given."""
        return self.settings.title

    @property
    def title_zh(self) -> str:
        """Title in Chinese, empty where none is given."""
        return self.settings.title_zh

    def heading(self, lang: str = "en") -> str:
        """Return what stands above a report: the title in a language, the title, or the name.

        Examples
        --------
        >>> import capsim
        >>> city = capsim.generate(areas=2, pupils=1000, name="city")
        >>> city.heading("zh"), city.variant({"title_zh": "某市"}).heading("zh")
        ('Synthetic city', '某市')
        """
        own = self.title_zh if lang == "zh" else ""
        return own or self.title or self.name

    @property
    def lang(self) -> str:
        """Language in which it is titled: ``zh`` where it has a title in Chinese alone."""
        return "zh" if self.title_zh and not self.title else "en"

    @property
    def base_year(self) -> int:
        """Last observed school year."""
        return self.settings.horizon.base_year

    @property
    def first_year(self) -> int:
        """First planned school year."""
        return self.settings.horizon.first_year

    @property
    def last_year(self) -> int:
        """Last planned school year."""
        return self.settings.horizon.last_year

    @property
    def years(self) -> tuple[int, ...]:
        """Planned school years."""
        return tuple(range(self.first_year, self.last_year + 1))

    @cached_property
    def _stages(self) -> dict[str, Stage]:
        return stages_of(self.settings)

    @property
    def stages(self) -> dict[str, Stage]:
        """Planned stages in order, with their standards."""
        return {name: self._stages[name] for name in self.settings.stages.planned}

    @cached_property
    def hash(self) -> str:
        """Digest of the content: settings, provenance and every row of every table."""
        digest = hashlib.sha256()
        settings = self.settings.model_dump()
        if not self.title_zh:
            del settings["title_zh"]
        if settings["currency"] == CNY:
            del settings["currency"]
        if settings["costs"]["borrowed_rate"] is None:
            del settings["costs"]["borrowed_rate"]
        if self.settings.map.origin is None:
            del settings["map"]
        content = {
            "settings": settings,
            "measured": sorted(self.settings.uncertainty.model_fields_set),
            "given": {key: vars(entry) for key, entry in self._provenance.items()},
            "columns": {key: vars(entry) for key, entry in self._columns.items()},
        }
        digest.update(json.dumps(content, sort_keys=True, default=str).encode())
        for name in TABLES:
            if name in self._tables:
                digest.update(f"\x1e{name}\x1e{len(self._tables[name])}".encode())
                for column, values in self._tables[name].frame.items():
                    digest.update(f"\x1d{column}\x1d".encode())
                    digest.update(_bytes(values))
        return digest.hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scenario) and self.hash == other.hash

    def __hash__(self) -> int:
        return hash(self.hash)

    def __repr__(self) -> str:
        return f"Scenario({self.name!r}, {self.first_year}-{self.last_year}, {self.hash[:10]})"

    def sources(self) -> pd.DataFrame:
        """List where numbers come from.

        Returns
        -------
        DataFrame
            Columns what, value, unit, source, mark (all text): settings written with their
            provenance, standards in force, columns named by ``[sources]``, and the rows of tables
            that say theirs.
        """
        settings = self.settings
        values = _flat("", settings.model_dump(mode="json"))
        rows = [
            (what, values.get(what, ""), entry.unit, entry.source, entry.mark)
            for what, entry in self._provenance.items()
        ]
        for what, price in self.borrowed.items():
            source = f"China's price at {settings.costs.borrowed_rate:g} for 1 CNY, borrowed"
            rows.append((what, f"{price:g}", settings.currency, source, "A"))
        overridden = {
            f"{name}.{key}"
            for name, part in settings.standards.items()
            for key, value in part
            if value is not None
        }
        for name in self.stages:
            for key, entry in standards(settings.country).get(name, {}).items():
                if isinstance(entry, dict) and f"{name}.{key}" not in overridden:
                    provenance = (entry["unit"], entry["source"], entry["mark"])
                    rows.append((f"standards.{name}.{key}", str(entry["value"]), *provenance))
        for what, column in self._columns.items():
            rows.append((what, "", column.unit, column.source, column.mark))
        for name, table in self._tables.items():
            counts = Counter(zip(table.columns["source"], table.columns["mark"], strict=True))
            for (source, mark), number in sorted(counts.items()):
                if source or mark:
                    rows.append((name, f"{number} rows", "", source, mark))
        return pd.DataFrame(rows, columns=SOURCES, dtype="str")

    def save(
        self,
        directory: str | Path,
        *,
        replace: bool = False,
        beside: Mapping[str, bytes] | None = None,
    ) -> Path:
        """Write the scenario as a folder that holds all of it; whole or not at all.

        Parameters
        ----------
        directory : path
        replace : bool
            Whether an existing folder may be replaced; files that belong to no scenario (a README)
            stay.
        beside : mapping of name to content, optional
            Further files of the folder.

        Raises
        ------
        FileExistsError
            Where something is there and it is not to be replaced.
        """
        used = {name: without_blank(name, table.frame) for name, table in self._tables.items()}
        write_folder(Path(directory), copy.deepcopy(dict(self._document)), used, replace, beside)
        return Path(directory)


def _flat(path: str, entry: Any) -> dict[str, str]:
    """Return nested settings as texts by dotted key, sections among them."""
    flat = {path: str(entry)} if path or not isinstance(entry, dict) else {}
    if isinstance(entry, dict):
        for key, value in entry.items():
            flat |= _flat(f"{path}.{key}" if path else str(key), value)
    return flat


EXAMPLES = Path(__file__).parents[1] / "scenarios"
"""Scenarios that are shipped with the package."""


@overload
def example() -> tuple[str, ...]: ...


@overload
def example(name: str) -> Scenario: ...


def example(name: str | None = None) -> Scenario | tuple[str, ...]:
    """Return a scenario that is shipped with capsim, or the names of all.

    Parameters
    ----------
    name : str, optional
        ``prefecture-2022`` is the city of 1.5 million pupils, ``county-schools`` a county school by
        school; the others are the city with something changed.

    Returns
    -------
    Scenario, or tuple of str without a name

    Raises
    ------
    KeyError
        Where none is called so; it says the nearest.

    Examples
    --------
    >>> "prefecture-2022" in example(), example("county-schools").name
    (True, 'county-schools')
    """
    names = tuple(sorted(one.parent.name for one in EXAMPLES.glob("*/scenario.toml")))
    if name is None:
        return names
    if name not in names:
        raise KeyError(f"no example {name!r}; there is {nearest(name, names)}")
    return load(EXAMPLES / name)


def load(folder: str | Path, *, strict: bool = False) -> Scenario:
    """Read a scenario folder: ``scenario.toml``, a CSV file for each table, and what it extends.

    Parameters
    ----------
    folder : path
        Or the name of an `example`, where there is no such folder here.
    strict : bool
        Whether what is not written plainly is refused, instead of read as it is meant and told
        (``notes``).

    Returns
    -------
    Scenario

    Raises
    ------
    ScenarioError
        With every fault: file, row (the line an editor shows), column, value, what was expected.
    """
    place = Path(folder)
    if len(place.parts) == 1 and not place.exists() and place.name in example():
        place = EXAMPLES / place
    return Scenario(*assembly.load(place, strict=strict))


def _bytes(values: pd.Series) -> bytes:
    if pd.api.types.is_integer_dtype(values.dtype):
        return values.to_numpy().astype("<i8").tobytes()
    if pd.api.types.is_float_dtype(values.dtype):
        plain = values.to_numpy(dtype="<f8")
        return np.where(np.isnan(plain), np.nan, plain).tobytes()
    return "\x1f".join(values.tolist()).encode()


def without_blank(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Drop optional columns that hold nothing but the default."""

    def is_kept(column: Column) -> bool:
        values, default = frame[column.name], column.default
        if column.required:
            return True
        if default is not None:
            return not bool((values == default).all())
        return bool(values.notna().any() if column.is_number else (values != "").any())

    return frame[[column.name for column in TABLES[name].columns if is_kept(column)]]
