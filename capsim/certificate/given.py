"""What the scenario and the demand say, as arrays read straight from `docs/model.md`.

Axes: areas ``a``, counties ``c`` (in an array over counties and the whole the last row is ``*``),
grades ``g``, planned years ``t`` (arrays that also hold the base year have it first and one more),
check dates ``k``, providers ``j``, projects ``m`` and rows ``r`` of the projects table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from capsim.certificate.ledger import Bools, Floats

if TYPE_CHECKING:
    from capsim.scenario import Scenario

Ints = NDArray[np.int64]
WHOLE = "*"
DAYS_A_YEAR = 365.25
KINDERGARTEN, SENIOR = "kindergarten", "senior"


class DemandLike(Protocol):
    """The parts of a demand the certificate reads."""

    @property
    def areas(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def grades(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def years(self) -> Sequence[int]: ...  # noqa: D102
    @property
    def pupils(self) -> Floats: ...  # noqa: D102
    @property
    def population(self) -> Floats: ...  # noqa: D102


@dataclass(frozen=True)
class Calendar:
    """Planned years and check dates.

    ``dates[k]`` are ISO texts in order, ``year[k]`` the planned year's index; ``autumn[t]`` and
    ``december[t]`` are check dates (the same one in a year without a December check).
    """

    base_year: int
    years: tuple[int, ...]
    dates: tuple[str, ...]
    year: Ints
    autumn: Ints
    december: Ints

    def first_on_or_after(self, day: str) -> int:
        """Index of ``check(day)``; the number of check dates if it never comes."""
        return sum(1 for check in self.dates if check < day)

    def last_on_or_before(self, day: str) -> int:
        """Index of the last check date not after ``day``, -1 before the first."""
        return sum(1 for check in self.dates if check <= day) - 1


@dataclass(frozen=True)
class Providers:
    """Seat providers: the rows of ``schools``, then the projects that are schools of their own."""

    names: tuple[str, ...]
    index: pd.MultiIndex  # school, stage
    area: Ints
    county: Ints
    stage: Ints
    public: Bools
    compulsory: Bools
    levered: Bools
    inclusive: Bools
    places: Floats
    pupils: Floats
    staff: Floats
    capacity: Floats  # K_j
    admission: Floats  # A_j
    base: Floats  # R[j, g]
    teaches: Bools  # [j, g]
    schools: pd.DataFrame  # rows of `schools`; blank rows for projects


@dataclass(frozen=True)
class Projects:
    """Projects ``m`` and their rows ``r``."""

    names: tuple[str, ...]
    count: Ints
    candidate: Bools
    earliest: Ints  # first check date allowed
    latest: Ints  # last check date allowed; the number of check dates if there is none
    programme: tuple[str, ...]
    rows: pd.DataFrame
    of: Ints  # row -> project
    provider: Ints  # row -> provider whose seats it adds to, -1
    loses: Ints  # row -> provider an inclusive kindergarten's children leave, -1
    area: Ints
    county: Ints
    life: Floats  # years, inf where blank


@dataclass(frozen=True)
class Given:
    """Everything a plan is checked against."""

    scenario: Scenario
    settings: Any
    calendar: Calendar
    areas: tuple[str, ...]
    counties: tuple[str, ...]
    area_county: Ints
    stages: tuple[Any, ...]
    stage_names: tuple[str, ...]
    compulsory_stages: Bools
    grades: tuple[str, ...]
    grade_stage: Ints
    previous: Ints  # grade before within the stage, -1 for the first
    children: Floats  # N[a, g, t0..]
    population: Floats
    progression: Floats  # rho[a, g, t], 1 in first grades
    providers: Providers
    projects: Projects

    @property
    def years(self) -> tuple[int, ...]:
        """Planned years."""
        return self.calendar.years

    @property
    def regions(self) -> tuple[str, ...]:
        """Counties, then the whole."""
        return (*self.counties, WHOLE)

    def on(self, family: str) -> bool:
        """Whether a constraint family is switched on."""
        return switched(self.settings.switches, family)

    def counted(self, kind: str) -> bool:
        """Whether a kind of cost is in the objective."""
        return switched(self.settings.cost_terms, kind)

    def per_stage(self, attribute: str) -> Floats:
        """Read a number of the standards by stage, NaN where it has none."""
        values = [getattr(stage, attribute) for stage in self.stages]
        return np.array([np.nan if v is None else float(v) for v in values])

    def limit(self, kind: str, years: Sequence[int]) -> Floats:
        """Limits by county (the last row is the whole) and year; inf where there is none."""
        rows = self.scenario.table("limits")
        rows = rows[(rows["kind"] == kind) & rows["year"].isin(list(years))]
        out = np.full((len(self.regions), len(years)), np.inf)
        at_region = pd.Index(self.regions).get_indexer(pd.Index(rows["county"]))
        at_year = pd.Index(list(years)).get_indexer(pd.Index(rows["year"]))
        known = at_region >= 0
        out[at_region[known], at_year[known]] = rows["amount"].to_numpy(np.float64)[known]
        return out

    def by_county(self, values: Floats, county: Ints) -> Floats:
        """Sum ``values[i, ...]`` over the county of each ``i``; the last row is the whole."""
        out = np.zeros((len(self.regions), *values.shape[1:]))
        np.add.at(out, county, values)
        out[-1] = values.sum(axis=0)
        return out

    def stepped(self, table: Mapping[int, float] | None) -> Floats:
        """Spread a stepped table over the planned years; NaN before its first entry."""
        entries = sorted((int(key), float(value)) for key, value in (table or {}).items())
        out = np.full(len(self.years), np.nan)
        for key, value in entries:
            out[np.array(self.years) >= key] = value
        return out


def switched(switches: Any, name: str) -> bool:
    """Look up a switch of a settings section, true unless said."""
    if isinstance(switches, Mapping):
        return bool(switches.get(name, True))
    return bool(getattr(switches, name))


def ordinal(day: str) -> int:
    """Day number of an ISO date."""
    return date.fromisoformat(day).toordinal()
