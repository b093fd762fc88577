"""A table set: enrolment, capacity and points of schools as people have them, to a scenario.

Schools of one table are found in the others by their names where that is certain. What was read and
what had to be assumed is listed: what, which value, why, and how to give one's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from capsim.demand.capacity_table import (
    Assumption,
    Capacity,
    Source,
    counted_names,
    school_rows,
    without_places,
    without_room,
)
from capsim.demand.enrolment_table import panel
from capsim.demand.observed import Panel
from capsim.demand.ratios import Array
from capsim.demand.school_names import matched, nearest_pairs, some
from capsim.i18n.language import CNY, Message, words
from capsim.io.shown import Plots, Shown
from capsim.scenario.cell_values import YEARS, Grade, grade_of
from capsim.scenario.faults import Fault, ScenarioError, nearest
from capsim.scenario.geography import read_points
from capsim.scenario.raw_settings import assign
from capsim.scenario.scenario import Scenario
from capsim.scenario.school_stages import COSTS, HOME, countries, currency_of, home_stage, standards
from capsim.scenario.school_stages import stages as stages_in
from capsim.scenario.travel import abroad, to_km
from capsim.scenario.validation.context import STAND_INS

YEARS_AHEAD, DISCOUNT, NEAREST = 5, 0.04, 3
"""Planned years, discount rate and schools within reach where nothing is said."""
BUILD_YEARS = 3
"""School years until the places of a candidate can open."""


@dataclass(frozen=True, eq=False, repr=False)
class TableSet(Shown[Plots]):
    """What tables of schools were read to, and what was assumed; made by `load_tables`.

    Attributes
    ----------
    scenario : Scenario
    read : tuple of Message
        What was read, left out and put right.
    assumed : tuple of Assumption
    """

    scenario: Scenario
    read: tuple[Message, ...]
    assumed: tuple[Assumption, ...]

    def __repr__(self) -> str:
        given = self.scenario
        return (
            f"TableSet: {given.rows('areas'):,} schools, {given.first_year}–{given.last_year},"
            f" {len(self.read)} notes, {len(self.assumed)} assumptions"
        )

    @property
    def assumptions(self) -> pd.DataFrame:
        """What was assumed, in English: what, value, why, own (how to give one's own); text."""
        return self.listed("en")

    def listed(self, lang: str) -> pd.DataFrame:
        """Return `assumptions` in a language."""
        say = words(lang)
        rows = [(a.what, a.value, a.why.text(say), a.own.text(say)) for a in self.assumed]
        return pd.DataFrame(rows, columns=["what", "value", "why", "own"], dtype="str")

    def save(self, folder: str | Path, *, replace: bool = False, lang: str = "en") -> Path:
        """Write the scenario, ``assumptions.tsv`` and ``read.txt`` beside it; whole or not at all.

        Raises
        ------
        FileExistsError
            Where something is there and it is not to be replaced.
        """
        say = words(lang)
        told = "".join(f"{note.text(say)}\n" for note in self.read)
        beside = {
            "assumptions.tsv": self.listed(lang)
            .to_csv(sep="\t", index=False, lineterminator="\n")
            .encode(),
            "read.txt": told.encode(),
        }
        return self.scenario.save(folder, replace=replace, beside=beside)


def load_tables(
    enrolment: Source,
    capacity: Source | None = None,
    points: str | Path | None = None,
    *,
    country: str | None = None,
    name: str = "",
    stages: Mapping[str, str] | None = None,
    last_year: int | None = None,
    nearest_schools: int | None = None,
    set: Mapping[str, Any] | None = None,
    borrowed_rate: float | None = None,
    expand: float | None = None,
    expand_cost: float | None = None,
    without_capacity: str | None = None,
    places: str | None = None,
    crs: str | None = None,
    **how: Any,
) -> TableSet:
    r"""Make a scenario of tables of schools: enrolment, capacity and, where there are any, points.

    Each school is an area of its own: its pupils are the children who live there. With points a
    child may also attend the nearest schools; without, every school keeps its own children.

    Parameters
    ----------
    enrolment : DataFrame or path
        Pupils by school, school year and grade, wide or long, as `capsim.forecast` takes them.
    capacity : DataFrame or path, optional
        Places by school; also long, with a column that says ``Capacity`` or ``Enrollment``, and
        with a stage, where a school has several, a sector (public, private) or a year. Default:
        the table of enrolment has them.
    points : path, optional
        Schools on the map: a table with longitude and latitude (or metres, with crs), GeoJSON,
        GeoPackage or shapefile (these need the extra ``geo``).
    country : str, optional
        ``china``, ``england``, ``usa`` or ``none``; default: told by the names of grades.
    name : str, optional
        Of the scenario; default: that of the enrolment's file.
    stages : mapping of stage to text, optional
        Grades from–to in place of the country's, ``{"elementary": "K-6", "middle": "7-8"}``.
    last_year : int, optional
        Last planned school year; default: five after the last observed one.
    nearest_schools : int, optional
        How many schools are within reach of a child; default: 3.
    set : mapping of dotted key to value, optional
        Settings.
    borrowed_rate : float, optional
        Currency of the country for 1 CNY, at which prices that are not given are China's.
    expand : float, optional
        Candidates: each public school may get so much more of its places, such as 0.2.
    expand_cost : float, optional
        Of one such place, in the scenario's currency; default: the stage's extension price.
    without_capacity : {"pupils", "leave-out"}, optional
        What is done with schools that have pupils and no capacity: places are their pupils, or
        they are left out; default: a fault.
    places : str, optional
        Column of the capacity.
    crs : str, optional
        Coordinate system of the points, as `capsim.scenario.geography.read_points` takes it.
    **how
        How the enrolment is read: area, year, grades, grade, value, county, missing, sheet,
        encoding, strict, as `capsim.demand.panel` takes them.

    Returns
    -------
    TableSet

    Raises
    ------
    ScenarioError
        With all that is wrong: file, row, column, value, what was expected and the cure.

    Examples
    --------
    >>> pupils = pd.DataFrame({"school": ["A", "B"] * 2, "year": [2022, 2022, 2023, 2023],
    ...                        "K": [40, 30, 42, 31], "1": [39, 33, 41, 30]})
    >>> room = pd.DataFrame({"School": ["a", "B"], "Capacity": [80, 70]})
    >>> given = load_tables(pupils, room, country="usa", stages={"elementary": "K-1"},
    ...                     borrowed_rate=0.3, name="two")
    >>> given.scenario.table("schools")[["school", "stage", "places", "pupils"]].values.tolist()
    [['A', 'elementary', 80.0, 83.0], ['B', 'elementary', 70.0, 61.0]]
    >>> given.assumptions["value"][given.assumptions["what"] == "costs.discount_rate"].item()
    '0.04'
    """
    faults: list[Fault] = []
    seen = _tried(faults, lambda: panel(enrolment, **how))
    if seen is None:
        raise ScenarioError([*faults, *_of_the_others(capacity, points, places, crs, how)])
    source = _called(enrolment)
    assumed: list[Assumption] = []
    read = [*seen.notes]
    country = country or _country(seen, source, assumed)
    if country not in countries():
        what = Message("a country: {known}", {"known": nearest(country, countries())})
        raise ScenarioError([Fault("settings", None, "country", country, what)])
    own, more = _own_stages(stages or {}, country, source)
    _stop(more)
    taught, faults = _taught(seen, country, own, source)
    alone = capacity is not None
    seats = Capacity(enrolment if capacity is None else capacity, places, seen, how, alone)
    rooms, more, notes = seats.table(stage_grades(country, own))
    read += notes
    if faults or more:
        if points is not None:
            _tried(more, lambda: read_points(points, crs=crs))
        _stop([*faults, *more])
    base, years = seen.years[-1], _unbroken(seen, assumed)
    now = np.nan_to_num(seen.pupils[..., -1])
    here = now.sum(1) > 0
    gone = [name for name, some in zip(seen.areas, here, strict=True) if not some]
    if gone:
        text = "no pupils in {year}, left out: {names} ({number} schools)"
        read.append(Message(text, {"year": base, "names": some(gone), "number": len(gone)}))
    schools = [name for name, some in zip(seen.areas, here, strict=True) if some]
    taught_here = rooms["stage"].isin({stage for _, stage in taught} | {""})
    if len(idle := rooms[~taught_here & (rooms["places"] > 0)]):
        text = "{file}: places of stages without pupils left out: {names} ({number} rows)"
        listed = some(list(dict.fromkeys(idle["stage"])))
        read.append(Message(text, {"file": seats.name, "names": listed, "number": len(idle)}))
    rooms = rooms[taught_here]
    match = matched(schools, list(dict.fromkeys(rooms["school"])))
    faults = match.faults(seats.name, "school")
    read += match.notes(seats.name)
    rooms = rooms.assign(school=rooms["school"].map(match.to)).dropna(subset=["school"])
    lacking = without_room(schools, now[here], taught, rooms)
    told = tuple(lacking.values())
    faults += without_places(told, match, seats.name, without_capacity, read, assumed, base)
    if without_capacity == "leave-out":
        schools = [one for one in schools if one not in lacking]
    kept = [seen.areas.index(one) for one in schools]
    table = school_rows(schools, now[kept], taught, rooms, assumed)
    placed = _tried(faults, lambda: _areas(schools, seen, kept, points, crs, assumed, country))
    _stop(faults)
    assert placed
    areas, place_notes = placed
    read += place_notes
    document = _settings(
        country,
        name or Path(source).stem,
        own,
        base,
        last_year,
        table,
        assumed,
        with_points=points is not None,
        nearest_schools=nearest_schools,
        rate=borrowed_rate,
        origin=areas.attrs.get("origin"),
    )
    faults = assign(document, "settings", dict(set or {}))
    _stop(faults)
    sector = table.drop_duplicates("school").set_index("school")["sector"]
    tables = {
        "areas": areas,
        "pupils": _pupils(seen, kept, schools, years, taught, sector),
        "schools": table,
    }
    tables |= _candidates(table, document, base, expand, expand_cost, assumed)
    scenario = Scenario.from_tables(settings=document, **tables)
    assumed += _of_the_scenario(scenario, dict(set or {}))
    given = {key for key in set or {}}
    unique = {one.what: one for one in assumed if one.what not in given}
    return TableSet(scenario, tuple(read), tuple(unique.values()))


def _stop(faults: Sequence[Fault]) -> None:
    if faults:
        raise ScenarioError(faults)


Made = TypeVar("Made")


def _tried(faults: list[Fault], make: Callable[[], Made]) -> Made | None:
    """Return what is made; or None, its faults added to the others."""
    try:
        return make()
    except ScenarioError as error:
        faults += error.faults
        return None


def _of_the_others(
    capacity: Source | None,
    points: str | Path | None,
    places: str | None,
    crs: str | None,
    how: Mapping[str, Any],
) -> list[Fault]:
    """List what is wrong with the other tables where that of enrolment cannot be read."""
    faults: list[Fault] = []
    if capacity is not None:
        nothing = Panel((), (), (YEARS[1],), np.zeros((0, 0, 1)), np.zeros(0, dtype=np.intp))
        named = {name: () for one in countries() for name in standards(one) if name != "general"}
        read = _tried(faults, lambda: Capacity(capacity, places, nothing, how).table(named))
        faults += [] if read is None else read[1]
    if points is not None:
        _tried(faults, lambda: read_points(points, crs=crs))
    return faults


def _called(source: Source) -> str:
    return "table" if isinstance(source, pd.DataFrame) else Path(source).name


# ---- country, stages and grades


def _country(seen: Panel, source: str, assumed: list[Assumption]) -> str:
    """Tell the country by the names of grades."""
    names = [str(one) for one in seen.grades]
    kinds = [grade_of(one) for one in names]
    scales = {one.scale for one in kinds if isinstance(one, Grade)}
    folded = " ".join(names).casefold()
    found = ""
    if re.search("[一-鿿]", folded):
        found = HOME
    elif "year" in scales:
        found = "england"
    elif any(isinstance(k, Grade) and k.rank == 0 for k in kinds) or "grade" in folded:
        found = "usa"
    if not found:
        what = Message("the country, which the names of grades do not tell")
        cure = Message("name it: {option}", {"option": "--country china, england, usa, none"})
        raise ScenarioError([Fault(source, None, "grades", ", ".join(names), what, cure)])
    why = Message("grades are named as there: {names}", {"names": tuple(names[:3])})
    assumed.append(Assumption("country", found, why, _told("--country")))
    return found


def _told(option: str) -> Message:
    return Message("give it: {option}", {"option": option})


def _own_stages(
    given: Mapping[str, str], country: str, source: str
) -> tuple[dict[str, dict[str, Any]], list[Fault]]:
    """Read ``{"elementary": "K-6"}`` as stages with grades and an age at entry."""
    labels: dict[float, str] = {}
    shift = 5
    for name, part in standards(country).items():
        if name != "general":
            for at, grade in enumerate(part["grades"]):
                kind = grade_of(grade)
                if isinstance(kind, Grade):
                    labels[kind.rank] = grade
                    shift = round(part["entry_age"]["value"] + at - kind.rank)
    own: dict[str, dict[str, Any]] = {}
    faults = []
    for name, span in given.items():
        ends = [grade_of(one) for one in re.split(r"\s*[-–—~～至]\s*", span.strip())]
        ranks = [one.rank for one in ends if isinstance(one, Grade)]
        if len(ranks) != len(ends) or not 1 <= len(ranks) <= 2 or ranks[0] > ranks[-1]:
            what = Message("grades from–to, such as K-5")
            faults.append(Fault(source, None, f"--stage {name}", span, what))
            continue
        span_ranks = np.arange(ranks[0], ranks[-1] + 1)
        grades = [labels.get(r, "K" if r == 0 else f"{r:g}") for r in span_ranks.tolist()]
        own[name] = {"grades": grades, "entry_age": int(ranks[0]) + shift}
    return own, faults


def stage_grades(country: str, own: Mapping[str, Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Return the grades of a country's stages; grades that one's own stages have are theirs."""
    taken = {grade for part in own.values() for grade in part["grades"]}
    known = {
        name: tuple(grade for grade in part["grades"] if grade not in taken)
        for name, part in standards(country).items()
        if name != "general" and name not in own
    }
    both = {**known, **{name: tuple(part["grades"]) for name, part in own.items()}}
    return {name: grades for name, grades in both.items() if grades}


def _taught(
    seen: Panel, country: str, own: Mapping[str, Mapping[str, Any]], source: str
) -> tuple[list[tuple[str, str]], list[Fault]]:
    """Return the scenario's grade and its stage for each grade of the table."""
    by_rank = {}
    for stage, grades in stage_grades(country, own).items():
        for grade in grades:
            if isinstance(kind := grade_of(grade), Grade):
                by_rank[kind.rank] = (grade, stage)
    out, unknown = [], []
    for label in seen.grades:
        kind = grade_of(str(label))
        to = by_rank.get(kind.rank) if isinstance(kind, Grade) else None
        if to is None:
            unknown.append(str(label))
        else:
            out.append(to)
    if not unknown:
        return out, []
    what = Message("grades of the stages of {country}", {"country": country})
    cure = Message("say which stage has them: {option}", {"option": "--stage primary=K-5"})
    return out, [Fault(source, None, "grades", ", ".join(unknown), what, cure)]


def _unbroken(seen: Panel, assumed: list[Assumption]) -> list[int]:
    """Return positions of the years up to the last one that all follow on each other."""
    there = np.asarray(np.isfinite(seen.pupils).any((0, 1)))
    first = len(there) - 1
    while first and there[first - 1]:
        first -= 1
    if there[:first].any():
        why = Message("there is a gap before it: earlier years are left out")
        own = Message("give the years between")
        assumed.append(Assumption("pupils.school_year", f"from {seen.years[first]}", why, own))
    return list(range(first, len(there)))


# ---- tables of the scenario


def _pupils(
    seen: Panel,
    kept: Sequence[int],
    schools: Sequence[str],
    years: Sequence[int],
    taught: Sequence[tuple[str, str]],
    sector: pd.Series,
) -> pd.DataFrame:
    """Return the observed pupils as the table of that name."""
    cells = seen.pupils[kept][:, :, years]
    labels = pd.MultiIndex.from_product(
        [schools, [grade for grade, _ in taught], [seen.years[at] for at in years]],
        names=["area", "grade", "school_year"],
    )
    table = pd.DataFrame({"pupils": cells.ravel()}, index=labels).reset_index()
    table = table[table["pupils"].notna()]
    table.insert(1, "sector", table["area"].map(sector))
    return table.reset_index(drop=True)


def _areas(
    schools: Sequence[str],
    seen: Panel,
    kept: Sequence[int],
    points: str | Path | None,
    crs: str | None,
    assumed: list[Assumption],
    country: str,
) -> tuple[pd.DataFrame, list[Message]]:
    """Return an area a school, in its county and on the map where there are points."""
    county = [seen.counties[seen.county[at]] if seen.counties else "all" for at in kept]
    table = pd.DataFrame({"area": list(schools), "county": county})
    why = Message("children are counted where their school is: each school is an area")
    own = Message("give neighbourhoods as areas.csv, and links.csv from them to schools")
    assumed.append(Assumption("areas", "schools", why, own))
    if not seen.counties:
        why = Message("no column of counties was named: teachers are one pool")
        assumed.append(Assumption("areas.county", "all", why, _told("--county COLUMN")))
    if points is None:
        return table, []
    placed = read_points(points, crs=crs)
    file = str(placed.attrs["file"])
    axes = ("x_km", "y_km", "longitude", "latitude")
    texts = {str(c): [str(one) for one in placed[c]] for c in placed.columns if c not in axes}
    found = {c: matched(schools, list(dict.fromkeys(cells))) for c, cells in texts.items()}
    best = max(found, key=lambda c: len(found[c].to))
    names, match = pd.Series(texts[best], index=placed.index), found[best]
    lacking = [one for one in schools if one not in match.found]
    if lacking:
        pairs = nearest_pairs(lacking, match.left)
        what = Message("a point for each school; {number} have none", counted_names(lacking))
        cure = Message("add them, or leave --points out")
        if pairs:
            cure = Message("perhaps {pairs}: write one name one way", {"pairs": pairs})
        raise ScenarioError([Fault(file, None, best, ", ".join(some(lacking)), what, cure)])
    _stop(match.faults(file, best))
    placed = placed.assign(school=names.map(match.to)).dropna(subset=["school"])
    placed = placed.drop_duplicates("school").set_index("school").loc[list(schools)]
    lon, lat = (placed[axis].to_numpy(np.float64) for axis in ("longitude", "latitude"))
    faults, far = _misplaced(file, schools, lon, lat, country)
    _stop(faults)
    # Places that are left out have no part in where the middle is.
    origin = (round(float(lon.mean()), 6), round(float(lat.mean()), 6))
    for axis, km in zip(("x_km", "y_km"), to_km(lon, lat, origin), strict=True):
        table[axis] = np.round(km, 6) + 0.0
    table.attrs["origin"] = origin
    notes = [
        Message("{file}: {note}", {"file": file, "note": one}) for one in placed.attrs["notes"]
    ]
    said = Message(
        "{file} read as: {parts}",
        {"file": file, "parts": Message("school = {column}", {"column": best})},
    )
    return table, [said, *notes, *far, *match.notes(file)]


def _misplaced(
    file: str, schools: Sequence[str], lon: Array, lat: Array, country: str
) -> tuple[list[Fault], list[Message]]:
    """Refuse schools outside their country, and say which lie far from all others."""
    off, cure = abroad(lon, lat, country)
    if off:
        arguments: dict[str, Any] = {"country": country, "number": len(off)}
        what = Message("places in {country}; {number} are elsewhere", arguments)
        shown = some([f"{schools[at]} ({lon[at]:g}, {lat[at]:g})" for at in off])
        return [Fault(file, None, "", ", ".join(shown), what, cure)], []
    km = np.hypot(*to_km(lon, lat, (float(np.median(lon)), float(np.median(lat)))))
    far = np.flatnonzero(km > max(FAR_KM, FAR_TIMES * float(np.median(km)))).tolist()
    if not far:
        return [], []
    names = some([f"{schools[at]} ({km[at]:.0f} km)" for at in far])
    text = (
        "{file}: {number} schools lie far from the middle of all: {names}; check their coordinates"
    )
    return [], [Message(text, {"file": file, "number": len(far), "names": names})]


FAR_KM, FAR_TIMES = 50.0, 10.0
"""A school farther from the middle, and so many times farther than half of all, is told."""


def _standard(stage: str, key: str, document: Mapping[str, Any]) -> Any:
    """Return a standard of a stage, its own or its country's; None: it is still to be given."""
    built_in = standards(document["country"]).get(stage, {}).get(key)
    entry = document.get("standards", {}).get(stage, {}).get(key, built_in)
    return entry["value"] if isinstance(entry, Mapping) else entry


def _candidates(
    schools: pd.DataFrame,
    document: Mapping[str, Any],
    base: int,
    share: float | None,
    cost: float | None,
    assumed: list[Assumption],
) -> dict[str, pd.DataFrame]:
    """Return a candidate of each public school, class by class, where they were asked for."""
    if share is None:
        return {}
    if not share > 0:
        raise ScenarioError([Fault("settings", None, "--expand", f"{share:g}", Message("above 0"))])
    public = schools[(schools["sector"] == "public") & (schools["places"] > 0)]
    rate = document["costs"].get("borrowed_rate")
    prices = {}
    lacking = []
    for stage in public["stage"].unique():
        price = cost
        if price is None and document["country"] == HOME and currency_of(document) == CNY:
            price = stages_in(HOME)[stage].extension_cny if stage in stages_in(HOME) else None
        elif price is None and rate is not None:
            age, grades = (_standard(stage, key, document) for key in ("entry_age", "grades"))
            price = float(rate) * stages_in(HOME)[home_stage(age, len(grades))].extension_cny
        if price is None:
            lacking.append(stage)
        else:
            prices[stage] = price
    if lacking:
        what = Message("a price of a place that is added, {stages}", {"stages": tuple(lacking)})
        raise ScenarioError([Fault("settings", None, "--expand-cost", "", what)])
    opens = f"{base + BUILD_YEARS}-09-01"
    rooms = {
        stage: float(_standard(stage, "class_size", document) or 1.0)
        for stage in public["stage"].unique()
    }
    places = public["stage"].map(rooms)
    count = np.maximum((public["places"] * share / places).round(), 1.0)
    table = pd.DataFrame(
        {
            "project": public["school"] + " + " + public["stage"],
            "stage": public["stage"],
            "area": public["area"],
            "kind": "extend",
            "places": places,
            "capital_cny": places * public["stage"].map(prices),
            "status": "candidate",
            "earliest_opening": opens,
            "school": public["school"],
            "count": count.astype(int),
        }
    )
    why = Message(
        "{number} candidates, as asked: {share} more places each, class by class",
        {"number": len(table), "share": f"{100 * share:g} %"},
    )
    assumed.append(Assumption("projects", f"{len(table)}", why, Message("edit projects.csv")))
    why = Message("{number} school years to build after the base year", {"number": BUILD_YEARS})
    assumed.append(
        Assumption("projects.earliest_opening", opens, why, Message("edit projects.csv"))
    )
    if cost is None:
        value = ", ".join(f"{price:,.0f}" for price in dict.fromkeys(prices.values()))
        value = f"{value} {currency_of(document)}"
        why = Message("China's price of an added place; borrowed where that is not the country")
        assumed.append(
            Assumption("projects.capital_cny a place", value, why, _told("--expand-cost"))
        )
    return {"projects": table.reset_index(drop=True)}


# ---- settings


def _settings(
    country: str,
    name: str,
    own: Mapping[str, dict[str, Any]],
    base: int,
    last_year: int | None,
    schools: pd.DataFrame,
    assumed: list[Assumption],
    *,
    with_points: bool,
    nearest_schools: int | None,
    rate: float | None,
    origin: Any,
) -> dict[str, Any]:
    """Return settings, each number that nobody said with its mark."""
    stages = list(schools["stage"].unique())
    costs: dict[str, Any] = {"discount_rate": {"value": DISCOUNT, "source": "assumed", "mark": "A"}}
    assumed.append(
        Assumption(
            "costs.discount_rate",
            f"{DISCOUNT:g}",
            Message("usual for public works"),
            _told("--set costs.discount_rate=…"),
        )
    )
    if rate is not None:
        costs["borrowed_rate"] = rate
    document: dict[str, Any] = {
        "name": name,
        "country": country,
        "horizon": {
            "base_year": base,
            "last_year": base + YEARS_AHEAD if last_year is None else last_year,
        },
        "stages": {"planned": stages},
        "costs": costs,
    }
    known = stage_grades(country, own)
    changed = {
        stage: {"grades": list(grades)}
        for stage, grades in known.items()
        if stage not in own and list(grades) != list(standards(country)[stage]["grades"])
    }
    if own or changed:
        document["standards"] = {**changed, **own}
    if last_year is None:
        why = Message("{number} years after the last observed one", {"number": YEARS_AHEAD})
        value = str(document["horizon"]["last_year"])
        assumed.append(Assumption("horizon.last_year", value, why, _told("--last-year")))
    if with_points:
        number = NEAREST if nearest_schools is None else nearest_schools
        document["travel"] = {"nearest": dict.fromkeys(stages, number)}
        if nearest_schools is None:
            why = Message("a child may attend any of the nearest schools of its county")
            assumed.append(Assumption("travel.nearest", str(number), why, _told("--nearest")))
        if origin is not None:
            document["map"] = dict(zip(("longitude", "latitude"), origin, strict=True))
    else:
        document["travel"] = {"within_county": False}
        why = Message("without points nobody knows which school is near: each keeps its children")
        assumed.append(Assumption("travel.within_county", "false", why, _told("--points")))
    return document


def _of_the_scenario(scenario: Scenario, given: Mapping[str, Any]) -> list[Assumption]:
    """List prices and standards that nobody gave, and what stands in for tables."""
    out = []
    settings = scenario.settings
    for name in COSTS:
        value = getattr(settings.costs, name)
        rate = settings.costs.borrowed_rate
        why = Message("built in for China")
        if rate is not None and settings.currency != CNY:
            arguments = {"rate": f"{rate:g}", "currency": settings.currency}
            why = Message("China's, borrowed at {rate} {currency} for 1 CNY", arguments)
        elif settings.currency != CNY:
            continue
        own = _told(f"--set costs.{name}=…")
        out.append(Assumption(f"costs.{name}", f"{value:,g} {settings.currency}", why, own))
    for name, price in scenario.borrowed.items():
        if name.startswith("standards."):
            arguments = {
                "rate": f"{settings.costs.borrowed_rate:g}",
                "currency": settings.currency,
            }
            why = Message("China's, borrowed at {rate} {currency} for 1 CNY", arguments)
            value_text = f"{price:,g} {settings.currency}"
            out.append(Assumption(name, value_text, why, _told(f"--set {name}=…")))
    for stage in scenario.stages.values():
        entry = standards(settings.country).get(stage.name, {}).get("class_size")
        mine = settings.standards.get(stage.name)
        if entry is None or (mine is not None and mine.class_size is not None):
            continue
        why = Message("{source} ({mark})", {"source": entry["source"], "mark": entry["mark"]})
        key = f"standards.{stage.name}.class_size"
        out.append(Assumption(key, f"{stage.class_size:g}", why, _told(f"--set {key}=…")))
    for name in STAND_INS:
        if scenario.has(name) or name == "borders":
            continue
        own = Message("add {file} to the folder and to its list of tables", {"file": f"{name}.csv"})
        out.append(Assumption(name, "none", Message(STAND_INS[name]), own))
    return [one for one in out if one.what not in given]
