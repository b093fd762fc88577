"""The case that is checked: tables that could be read, those it lacks, those that lack something.

A lost file or half a file is not a choice: what then stands in for it is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from capsim.i18n.language import Message, Value
from capsim.scenario.cell_values import alike
from capsim.scenario.faults import Fault
from capsim.scenario.parsing import Rows, Typed
from capsim.scenario.schema import TABLES
from capsim.scenario.school_stages import Stage
from capsim.scenario.settings import Settings

Rule = tuple[Rows, str, Message]
"""Rows that break the rule, the column to name, what is expected there."""


@dataclass(frozen=True)
class Case:
    """Settings and the tables whose cells could be read.

    ``unread`` names the tables that could not: what refers to them is not judged.
    """

    settings: Settings
    tables: Mapping[str, Typed]
    unread: frozenset[str]
    stages: Mapping[str, Stage]
    file: str

    def get(self, name: str) -> Typed | None:
        """Return a table that has rows; else None."""
        typed = self.tables.get(name)
        return typed if typed is not None and len(typed.frame) else None

    def frame(self, name: str) -> pd.DataFrame | None:
        """Return the frame of a table that has rows; else None."""
        typed = self.get(name)
        return None if typed is None else typed.frame

    def values(self, name: str, column: str) -> set[str]:
        """Return the different values of a column; none where the table has no rows."""
        frame = self.frame(name)
        return set() if frame is None else set(frame[column])

    def taught(self) -> set[tuple[str, str]]:
        """Return the pairs of school and stage in the table of schools."""
        schools = self.frame("schools")
        return set() if schools is None else pairs(schools, "school", "stage")

    @property
    def grades(self) -> dict[str, str]:
        """Stage of every grade."""
        return {grade: stage.name for stage in self.stages.values() for grade in stage.grades}

    def fault(self, key: str, value: object, expected: Message) -> Fault:
        """Return a fault of the settings."""
        return Fault(self.file, None, key, str(value), expected)


def at_most(bound: str) -> Message:
    """Say that at most a number, or what another column has, is expected."""
    return Message("at most {bound}", {"bound": bound})


def at_least(bound: str) -> Message:
    """Say that at least a number, or what another column has, is expected."""
    return Message("at least {bound}", {"bound": bound})


def breaches(typed: Typed, *rules: Rule) -> list[Fault]:
    """Return a fault for each row that breaks a rule."""
    return [
        fault for rows, column, expected in rules for fault in typed.where(rows, column, expected)
    ]


def pairs(frame: pd.DataFrame, one: str, other: str) -> set[tuple[str, str]]:
    """Return the different pairs of values in two columns of text."""
    return set(zip(frame[one], frame[other], strict=True))


def without_pair(
    frame: pd.DataFrame, one: str, other: str, known: Iterable[tuple[str, str]]
) -> pd.Series[bool]:
    """Mark the rows whose pair of values in two columns is not known."""
    listed = set(known)
    unknown = [pair not in listed for pair in zip(frame[one], frame[other], strict=True)]
    return pd.Series(unknown, frame.index, dtype=bool)


STAND_INS: Mapping[str, str] = {
    "areas": "no areas: no child and no school has a place, only building is simulated",
    "pupils": "no pupils: children are those of the forecast, and no trend is fitted",
    "births": "no births: first grades are held at their last number",
    "forecast": "no forecast: every future child is projected",
    "schools": "no schools: there are no places but those that projects bring",
    "rolls": "no rolls: a school's pupils are spread over its grades as those of its area",
    "projects": "no projects: nothing is built",
    "links": "no links: who may attend where goes by county and by distance",
    "borders": "no borders: which areas touch goes by their coordinates",
    "limits": "no limits: money, land, posts, hires and purchases bind nowhere",
    "phases": "no phases: building takes the usual time of its kind",
    "resources": "no resources: no crew and no release of money holds up building",
    "dwellings": "no dwellings: no new home brings children",
    "migration": "no migration: nobody moves in or out beyond what the ratios hold",
}
"""What a scenario rests on where a table has no rows."""
UNPROJECTED = "no pupils: nothing is observed, and every child moves up (progression ratios of 1)"
NAMES = (
    ("areas", "area"),
    ("areas", "county"),
    ("schools", "school"),
    ("projects", "project"),
    ("resources", "resource"),
)
"""Columns that define names."""


def stand_ins(settings: Settings, rows: Callable[[str], bool]) -> tuple[Message, ...]:
    """Say what stands in for each table, and each kind of limit, that a scenario does without.

    Parameters
    ----------
    settings
    rows : function of text
        Whether a table has rows.
    """
    said = []
    for name in TABLES:
        if rows(name) or (name == "borders" and not settings.catchments.stages):
            continue
        if name == "boundaries":  # drawn where there are any; no plan rests on them
            continue
        known = name != "pupils" or rows("forecast")
        said.append(Message(STAND_INS[name] if known else UNPROJECTED))
    return tuple(said)


def unlimited(limits: pd.DataFrame) -> tuple[Message, ...]:
    """Say which kinds of limit have no row, where some have."""
    kinds = TABLES["limits"].column("kind").allowed
    none = tuple(kind for kind in kinds if kind not in set(limits["kind"]))
    if not len(limits) or not none:
        return ()
    return (Message("no limits of {kinds}: these bind nowhere", {"kinds": none}),)


def completeness_warnings(case: Case) -> list[Message]:
    """Return a warning for each table of which some seems to be missing, and for names alike."""
    return [
        *_alike(case),
        *_areas_without(case),
        *_uneven_years(case),
        *_unmatched_schools(case),
        *_rolls(case),
        *_counties_without(case),
        *_kinds_without(case),
    ]


def _alike(case: Case) -> list[Message]:
    """Name the pairs of names that differ by how they are written alone."""
    text = (
        "{table}: names that differ by case, width, blanks, hyphens or invisible characters alone:"
        " {pairs}; write each the same everywhere, or tell them apart"
    )
    found = []
    for table, column in NAMES:
        frame = case.frame(table)
        if frame is None:
            continue
        names = [str(name) for name in frame[column].unique()]
        groups = alike(names)
        if groups:
            pairs = tuple(" / ".join(repr(name) for name in group) for group in groups[:5])
            pairs += ("…",) if len(groups) > 5 else ()
            found.append(Message(text, {"table": table, "pairs": pairs}))
    return found


def _some(what: Iterable[object]) -> dict[str, str | int]:
    listed = [str(one) for one in what]
    return {"number": len(listed), "first": listed[0]}


def _areas_without(case: Case) -> list[Message]:
    """Name areas of which births or pupils have no rows, though they have of others."""
    areas = case.frame("areas")
    found = []
    for table, then in (
        ("births", Message("their first grades are held at their last number")),
        ("pupils", Message("nobody is observed there")),
    ):
        frame = case.frame(table)
        if areas is None or frame is None or case.frame("forecast") is not None:
            continue
        own = set(frame["area"].unique())
        lacking = [area for area in areas["area"] if area not in own]
        if lacking:
            text = (
                "{table}: no rows of {number} of {of} areas (first: {first}): {then};"
                " give them, or take the areas out"
            )
            some = _some(lacking)
            found.append(Message(text, {"table": table, "of": len(areas), "then": then, **some}))
    return found


def _uneven_years(case: Case) -> list[Message]:
    """Name areas whose rows begin later, or end earlier, than those of most others."""
    found = []
    for table, year in (("births", "year"), ("pupils", "school_year")):
        frame = case.frame(table)
        if frame is None:
            continue
        years = frame.groupby("area")[year].agg(["min", "max"])
        first, last = int(years["min"].mode().min()), int(years["max"].mode().max())
        for areas, text in (
            (
                years.index[years["min"] > first],
                "{table}: {number} areas begin later than {year} (first: {area}): fewer years are"
                " observed there; give the missing years",
            ),
            (
                years.index[years["max"] < last],
                "{table}: {number} areas end before {year} (first: {area}): they are held at their"
                " last number; give the missing years",
            ),
        ):
            if len(areas):
                at = first if "later" in text else last
                arguments: dict[str, Value] = {
                    "table": table,
                    "number": len(areas),
                    "area": str(areas[0]),
                }
                found.append(Message(text, {**arguments, "year": at}))
        need = case.settings.horizon.base_year
        if table == "births" and last < need:
            text = (
                "births: they end in {year}, before the base year {base}: later ones are held at"
                " their last number; give them up to the base year"
            )
            found.append(Message(text, {"year": last, "base": need}))
    return found


def _unmatched_schools(case: Case) -> list[Message]:
    """Name groups of observed pupils without a school, and of schools without observed pupils."""
    pupils, schools = case.frame("pupils"), case.frame("schools")
    if pupils is None or schools is None or not case.stages:
        return []
    now = pupils[(pupils["school_year"] == case.settings.horizon.base_year)]
    now = now.assign(stage=now["grade"].map(case.grades))
    now = now[now["stage"].isin(case.settings.stages.planned)]
    key = ["area", "stage", "sector"]
    seen = now.groupby(key)["pupils"].sum()
    planned = schools[schools["stage"].isin(case.settings.stages.planned)]
    held = planned.groupby(key)["pupils"].sum()
    found = []
    homeless = seen[seen > 0].index.difference(held.index)
    if len(homeless):
        text = (
            "schools: none for {pupils} observed pupils in {number} groups of area, stage, sector"
            " (first: {first}); give their schools, or take the pupils out"
        )
        first = " / ".join(map(str, homeless[0]))
        total = f"{seen[homeless].sum():,.0f}"
        found.append(Message(text, {"pupils": total, "number": len(homeless), "first": first}))
    unseen = held[held > 0].index.difference(seen.index)
    if len(unseen):
        text = (
            "pupils: none observed in {base} for {number} groups of area, stage, sector that have"
            " schools (first: {first}); give their rows, or no trend is fitted for them"
        )
        first = " / ".join(map(str, unseen[0]))
        base = case.settings.horizon.base_year
        found.append(Message(text, {"base": base, "number": len(unseen), "first": first}))
    return found


def _rolls(case: Case) -> list[Message]:
    """Name schools without rolls where others of their stage and sector have them."""
    rolls, schools = case.frame("rolls"), case.frame("schools")
    if rolls is None or schools is None:
        return []
    listed = pd.MultiIndex.from_frame(rolls[["school", "stage"]])
    has = pd.MultiIndex.from_frame(schools[["school", "stage"]]).isin(listed)
    some = pd.Series(has).groupby([schools["stage"], schools["sector"]]).transform("any")
    lacking = schools["school"][some.to_numpy() & ~has & (schools["pupils"] > 0).to_numpy()]
    if lacking.empty:
        return []
    text = (
        "rolls: none of {number} schools (first: {first}), though others of their stage and sector"
        " have them: their pupils are spread over grades as those of their area; give their rolls"
    )
    return [Message(text, _some(lacking))]


def _counties_without(case: Case) -> list[Message]:
    """Name kinds of limit, and resources, that some counties have and others lack."""
    areas = case.frame("areas")
    if areas is None:
        return []
    counties = list(dict.fromkeys(areas["county"]))
    found = []
    for table, column in (("limits", "kind"), ("resources", "resource")):
        frame = case.frame(table)
        if frame is None:
            continue
        for kind, rows in frame.groupby(column, sort=False):
            own = set(rows["county"])
            if table == "limits":
                found += _years_without(str(kind), rows)
            lacking = [county for county in counties if county not in own]
            # one county alone may have a limit of its own kind, but hardly three
            by_county = frame[frame["county"] != "*"]
            kinds = by_county["kind"].nunique() if table == "limits" else 1
            if "*" in own or (len(own) < 2 and kinds < 3):
                continue
            if lacking:
                text = (
                    "limits: no {kind} of {number} of {of} counties (first: {first}): it binds"
                    " nowhere there; give their rows"
                    if table == "limits"
                    else "resources: no {kind} in {number} of {of} counties (first: {first}):"
                    " what needs them cannot be built there; give their rows"
                )
                some = _some(lacking)
                found.append(Message(text, {"kind": str(kind), "of": len(counties), **some}))
    projects = case.frame("projects")
    if projects is not None and len(counties) > 2:
        county = dict(zip(areas["area"], areas["county"], strict=True))
        own = set(projects["area"][projects["status"] == "candidate"].map(county))
        lacking = [one for one in counties if one not in own]
        if lacking and 2 * len(own) >= len(counties):
            text = (
                "projects: no candidate in {number} of {of} counties (first: {first}): nothing more"
                " can be built there; give their candidates, if they have any"
            )
            found.append(Message(text, {"of": len(counties), **_some(lacking)}))
    return found


def _years_without(kind: str, rows: pd.DataFrame) -> list[Message]:
    """Name counties that lack years of a limit which others have, or some between its years."""
    years = rows.groupby("county")["year"]
    lacking = years.nunique().index[years.nunique() < rows["year"].nunique()]
    if len(lacking):
        text = (
            "limits: {kind} of {number} counties (first: {first}) has not all years that others"
            " have: it binds nowhere in the others; give their rows"
        )
        return [Message(text, {"kind": kind, **_some(lacking)})]
    between = sorted(set(range(rows["year"].min(), rows["year"].max())) - set(rows["year"]))
    if not between or rows["year"].nunique() < 3:
        return []
    text = (
        "limits: no {kind} in {number} years between its first and its last (first: {first}): it"
        " binds nowhere then; give their rows"
    )
    return [Message(text, {"kind": kind, **_some(between)})]


def _kinds_without(case: Case) -> list[Message]:
    """Name kinds of project that the table of phases says nothing of."""
    phases, projects = case.frame("phases"), case.frame("projects")
    if phases is None or projects is None:
        return []
    usual = phases[phases["option"] == ""]
    groups = set(zip(usual["project"], usual["kind"], strict=True))
    if ("", "") in groups:
        return []
    own = {project for project, _ in groups} - {""}
    kinds = {kind for project, kind in groups if not project}
    lacking = projects["kind"][~projects["kind"].isin(kinds) & ~projects["project"].isin(own)]
    text = (
        "phases: none of kind {kind}, which {number} rows of projects are: their building cannot be"
        " simulated; give the phases"
    )
    return [
        Message(text, {"kind": str(kind), "number": int(number)})
        for kind, number in lacking.value_counts(sort=False).items()
    ]
