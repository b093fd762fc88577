"""Projects and programmes."""

from __future__ import annotations

import numpy as np

from .check_case import Case, unknown
from .faults import Fault
from .typed import Typed

__all__ = ["programme_faults", "projects_faults"]

SHARED = (
    "area",
    "status",
    "earliest_opening",
    "due",
    "programme",
    "count",
    "build_months",
    "started",
)


def projects_faults(case: Case) -> list[Fault]:
    """Dates in order, rows of one project alike, names that lead somewhere."""
    projects = case.get("projects")
    if projects is None:
        return []
    frame = projects.frame
    first, due, started = frame["earliest_opening"], frame["due"], frame["started"]
    kindergarten = frame["kind"] == "inclusive_kindergarten"
    rules = (
        (
            (due == "") & (frame["status"] != "candidate"),
            "due",
            "a date (only candidates have none)",
        ),
        ((due != "") & (due < first), "due", "a date from earliest_opening on"),
        ((started != "") & (started > first), "started", "a date up to earliest_opening"),
        (frame["spent_cny"] > frame["capital_cny"], "spent_cny", "at most capital_cny"),
        (
            kindergarten & (frame["places"] != 0),
            "places",
            "0 (an inclusive kindergarten adds none)",
        ),
        (kindergarten & frame["pupils"].isna(), "pupils", "the children of the kindergarten"),
        (kindergarten & (frame["stage"] != "kindergarten"), "stage", "kindergarten"),
        (~kindergarten & frame["pupils"].notna(), "pupils", "blank (only inclusive kindergartens)"),
    )
    faults: list[Fault] = []
    for mask, column, expected in rules:
        faults += projects.where(mask.to_numpy(dtype=bool), column, expected)
    return faults + _schools(case, projects) + _alike(projects)


def _schools(case: Case, projects: Typed) -> list[Fault]:
    """Check the schools that projects add to, and that no new school has a standing one's name."""
    if "schools" in case.unread:
        return []
    frame = projects.frame
    schools = case.frame("schools")
    there: set[tuple[str, str]] = set()
    if schools is not None:
        there = set(zip(schools["school"], schools["stage"], strict=True))
    own = (frame["school"] == "").to_numpy(dtype=bool)
    names = {name for name, _ in there}
    faults = unknown(projects, "school", names, "a school", blank=True)
    pairs = zip(frame["school"], frame["stage"], strict=True)
    other = np.array([school in names and (school, stage) not in there for school, stage in pairs])
    faults += projects.where(other.astype(bool), "stage", "a stage of that school")
    taken = own & frame["project"].isin(names).to_numpy(dtype=bool)
    return faults + projects.where(taken, "project", "a name that no school has (it is one itself)")


def _alike(projects: Typed) -> list[Fault]:
    """Rows of one project must agree in all but stage, places and money."""
    frame = projects.frame
    faults: list[Fault] = []
    leader = frame.groupby("project", sort=False)[list(SHARED)].transform("first")
    for column in SHARED:
        odd = (frame[column] != leader[column]).to_numpy(dtype=bool)
        faults += projects.where(odd, column, "the same in every row of the project")
    return faults


def programme_faults(case: Case) -> list[Fault]:
    """Compare what a programme asks for with the projects there are."""
    if "projects" in case.unread:
        return []
    frame = case.frame("projects")
    faults = []
    for name, programme in case.settings.programmes.items():
        number = 0
        if frame is not None:
            own = frame[frame["programme"] == name].drop_duplicates("project")
            number = int(own["count"].sum())
        if programme.number > number:
            expected = f"at most {number}, the projects of the programme"
            faults.append(case.fault(f"programmes.{name}.number", programme.number, expected))
    return faults
