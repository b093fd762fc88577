"""The tables of a scenario, declared: every column with its type, unit, default and bounds.

Nothing else in the package knows a column by heart; reading, checking, saving and the
documentation all go by these declarations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["name", "text", "number", "int", "date"]
MARKS = ("S", "P", "D", "A")
YEARS = (1900, 2200)


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
    kind : {"name", "text", "number", "int", "date"}
        A name identifies a thing (no blanks round it); text is free.
    unit : str
        Of a number; empty for text.
    required : bool
        Whether the table must have the column and every row a value in it.
    key : bool
        Whether it belongs to the key. A key column that is not required may be blank.
    default : str, float or None
        What a blank cell means; None leaves it blank (NaN in a number).
    allowed : tuple of str
        The only values there are; empty: any.
    low, high : float
        Least and greatest value.
    """

    name: str
    kind: Kind
    unit: str = ""
    required: bool = True
    key: bool = False
    default: str | float | None = None
    allowed: tuple[str, ...] = ()
    low: float = float("-inf")
    high: float = float("inf")

    @property
    def is_number(self) -> bool:
        """Whether cells are numbers, whole or not."""
        return self.kind in ("number", "int")


@dataclass(frozen=True)
class Table:
    """A table: its columns in order, the two of provenance at the end."""

    name: str
    columns: tuple[Column, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns in order."""
        return tuple(column.name for column in self.columns)

    @property
    def key(self) -> tuple[str, ...]:
        """Names of the columns that identify a row."""
        return tuple(column.name for column in self.columns if column.key)

    def column(self, name: str) -> Column:
        """Return the column of that name."""
        return next(column for column in self.columns if column.name == name)


def _key(name: str) -> Column:
    return Column(name, "name", key=True)


def _name(name: str, required: bool = True, allowed: tuple[str, ...] = ()) -> Column:
    return Column(name, "name", required=required, allowed=allowed)


def _text(name: str) -> Column:
    return Column(name, "text", required=False)


def _date(name: str, required: bool = False) -> Column:
    return Column(name, "date", required=required)


def _year(name: str) -> Column:
    return Column(name, "int", "year", key=True, low=YEARS[0], high=YEARS[1])


def _need(name: str, unit: str, high: float = 1e15) -> Column:
    return Column(name, "number", unit, low=0, high=high)


def _may(name: str, unit: str, default: float | None = None, high: float = 1e15) -> Column:
    return Column(name, "number", unit, required=False, default=default, low=0, high=high)


PEOPLE = 1e9
PLACE = (
    _text("name"),
    _text("name_zh"),
    Column("x_km", "number", "km", required=False, low=-1e5, high=1e5),
    Column("y_km", "number", "km", required=False, low=-1e5, high=1e5),
)
STAGE_KEY = _key("stage")
SECTOR = ("public", "private")

_ALL = (
    Table(
        "areas",
        (
            _key("area"),
            _name("county"),
            _name("kind", False, ("urban", "peri-urban", "rural")),
            _name("part", False, ("core", "town", "village")),
            *PLACE,
        ),
    ),
    Table(
        "pupils",
        (
            _key("area"),
            Column("sector", "name", key=True, allowed=SECTOR),
            _key("grade"),
            _year("school_year"),
            _need("pupils", "persons", PEOPLE),
        ),
    ),
    Table("births", (_key("area"), _year("year"), _need("births", "persons", PEOPLE))),
    Table(
        "forecast",
        (_key("area"), _key("grade"), _year("school_year"), _need("pupils", "persons", PEOPLE)),
    ),
    Table(
        "schools",
        (
            _key("school"),
            STAGE_KEY,
            _name("area"),
            _name("sector", True, SECTOR),
            _need("places", "places", PEOPLE),
            _need("pupils", "persons", PEOPLE),
            _may("classes", "classes", high=PEOPLE),
            _may("staff", "teachers", high=PEOPLE),
            Column("inclusive", "name", required=False, default="no", allowed=("yes", "no")),
            Column(
                "conversion", "name", required=False, default="no", allowed=("must", "may", "no")
            ),
            _text("conversion_terms"),
            _may("conversion_cost_cny", "RMB", 0),
            _may("conversion_lease_cny", "RMB a school year", 0),
            _may("purchase_price_cny", "RMB a place and school year", high=1e7),
            _may("purchasable_places", "places", 0, PEOPLE),
            _may("purchase_min_places", "places", 0, PEOPLE),
            _may("admission_plan", "persons a year", high=PEOPLE),
            _may("min_pupils", "persons", 0, PEOPLE),
            _may("closure_cost_cny", "RMB", 0),
            _may("boarding_places", "places", 0, PEOPLE),
            *PLACE,
        ),
    ),
    Table(
        "rolls",
        (_key("school"), STAGE_KEY, _key("grade"), _need("pupils", "persons", PEOPLE)),
    ),
    Table(
        "projects",
        (
            _key("project"),
            STAGE_KEY,
            _name("area"),
            _name("kind", True, ("new", "rebuild", "extend", "prefab", "inclusive_kindergarten")),
            _need("places", "places", PEOPLE),
            _need("capital_cny", "RMB"),
            _name("status", True, ("under_construction", "ordered", "candidate")),
            _date("earliest_opening", True),
            _date("due"),
            _name("school", False),
            _name("programme", False),
            Column("count", "int", "copies", required=False, default=1, low=1, high=1_000_000),
            _may("running_cny", "RMB a school year", 0),
            _may("land_mu", "mu", 0),
            _may("posts", "posts", 0),
            _may("build_months", "months", 12, 600),
            _may("spent_cny", "RMB", 0),
            _date("started"),
            Column("life_years", "int", "years", required=False, low=1, high=500),
            _may("pupils", "persons", high=PEOPLE),
            _may("boarding_places", "places", 0, PEOPLE),
            *PLACE,
        ),
    ),
    Table(
        "links",
        (
            _key("area"),
            Column("to_area", "name", required=False, key=True),
            Column("to_school", "name", required=False, key=True),
            Column("stage", "name", required=False, key=True),
            _may("km", "km", high=1e5),
            _may("minutes", "minutes", high=1e5),
            _may("cost_cny", "RMB a pupil and school year"),
        ),
    ),
    Table("borders", (_key("area"), _key("to_area"))),
    Table(
        "limits",
        (
            _key("county"),
            _year("year"),
            Column(
                "kind",
                "name",
                key=True,
                allowed=(
                    "capital",
                    "recurrent",
                    "land",
                    "posts",
                    "hires",
                    "contract_teachers",
                    "purchase",
                ),
            ),
            _need("amount", "RMB, mu, posts, teachers or places, by kind", 1e16),
        ),
    ),
    Table(
        "phases",
        (
            Column("project", "name", required=False, key=True),
            Column("kind", "name", required=False, key=True),
            _key("phase"),
            _name("after", False),
            _name("distribution", True, ("fixed", "triangular", "pert", "lognormal", "empirical")),
            _may("low_months", "months", high=1200),
            _need("mode_months", "months", 1200),
            _may("high_months", "months", high=1200),
            _name("needs", False),
            _name("milestone", False, ("built", "equipped", "up_to_standard", "in_use")),
            _name("observed_months", False),
        ),
    ),
    Table(
        "resources",
        (
            _key("resource"),
            _key("county"),
            Column("units", "int", "units", low=0, high=10**15),
            Column("from", "date", required=False, key=True),
            _name("calendar", False),
        ),
    ),
    Table(
        "dwellings",
        (
            _key("area"),
            _year("year"),
            _need("dwellings", "dwellings", PEOPLE),
            _may("pupils_per_dwelling", "persons", high=100),
        ),
    ),
    Table(
        "migration",
        (
            _key("area"),
            _key("grade"),
            _year("school_year"),
            Column("pupils", "number", "persons", low=-PEOPLE, high=PEOPLE),
        ),
    ),
)

PROVENANCE = (_text("source"), Column("mark", "name", required=False, allowed=MARKS))
TABLES = {t.name: Table(t.name, (*t.columns, *PROVENANCE)) for t in _ALL}
