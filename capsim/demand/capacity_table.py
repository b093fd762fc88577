"""Tables of places, one of the tables of schools, and names of schools found in another table.

A school is found by its name where that is certain: the same, or the same but for case, width,
blanks, hyphens and short forms, of which on each side there is one alone.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from capsim.demand.enrolment_table import AREA, MEASURE, VALUE, YEAR, header_words, is_known
from capsim.demand.observed import TOTAL_NAME, Panel, Reading, group_faults, name_of
from capsim.i18n.language import Message, Value
from capsim.scenario.cell_values import codes_of, likeness, numbers, school_years
from capsim.scenario.faults import Fault, ScenarioError
from capsim.scenario.schema import WORDS_ZH
from capsim.scenario.table_reader import PlainTable, read_table

SHOWN = 8
"""Names that a note lists."""
OTHERS = ("year = {column}", "stage = {column}", "sector = {column}")
CLOSE = 0.8
"""Likeness of two names from which on they are probably of one school."""
CAPACITY = re.compile(
    r"((school|building|design(ed)?|(state|local)?[ -]?rated|program(me)?|functional|permanent|net"
    r"|total|current|student|pupil|planned|max(imum)?|published|operational|enrol(l)?ment)[ -]?)*"
    r"(capacit(y|ies)|places|seats|pan)([ -]?(total|number|\d{4}))?|number of (places|seats)|src"
    r"|(核定|设计|规划|标准|办学)*(学位数?|容量|规模|座位数?|容纳人数)([(（].*[)）])?"
)
SECTOR = re.compile(
    r"sector|ownership|control|(public[ /-]*(or )?)?private|公办[/或 ]?民办|(办学|学校)?性质|办别"
)
PRIVATE = re.compile(r"(private|independent|fee[- ]paying|non[- ]?public)( school)?|民办|私立")
PUBLIC = re.compile(
    r"(public|state|state[- ]funded|maintained|academy|charter|community)( school)?|公办|公立"
)
STAGE = re.compile(r"stage|(school )?level|phase|学段|办学类型|学校类型")
STAGE_WORDS: Mapping[str, tuple[str, ...]] = {
    "elementary": ("elem", "es", "primary"),
    "middle": ("ms", "junior high", "jr high"),
    "high": ("hs", "senior high", "secondary"),
    "sixth_form": ("post-16", "16-19"),
}
"""Words of a stage besides its name and its Chinese."""
SHORT = {
    **dict.fromkeys(["es", "elem", "el"], "elementary"),
    **{"ms": "middle", "hs": "high", "jr": "junior", "sr": "senior", "st": "saint", "mt": "mount"},
    **{"ctr": "center", "acad": "academy", "pri": "primary", "sec": "secondary", "&": "and"},
    **dict.fromkeys(["school", "sch", "schl", "the"], ""),
}
"""Words of school names that are written short, and those that say nothing."""


Source = pd.DataFrame | str | Path


@dataclass(frozen=True)
class Assumption:
    """What nobody said, and what stands for it.

    Attributes
    ----------
    what : str
        The setting, table or column.
    value : str
    why, own : Message
        Why it has that value, and how to give one's own.
    """

    what: str
    value: str
    why: Message
    own: Message


def some(names: Sequence[str]) -> tuple[str, ...]:
    """Return the first few of some names."""
    return (*names[:SHOWN], *(("…",) if len(names) > SHOWN else ()))


# ---- names


@dataclass(frozen=True)
class Match:
    """Names of one table found in another.

    Attributes
    ----------
    to : mapping of text
        Name of the first table by that of the other.
    found : frozenset of text
        Names of the first that were found.
    spelt : tuple of pairs of text
        Matched though they are written differently: first, other.
    left : tuple of text
        Names of the other that are nowhere.
    """

    to: Mapping[str, str]
    found: frozenset[str]
    spelt: tuple[tuple[str, str], ...]
    left: tuple[str, ...]

    def notes(self, file: str) -> list[Message]:
        """Say which spellings were taken for one, and which names stand there alone."""
        said = []
        arguments: dict[str, Value]
        if self.spelt:
            pairs = tuple(f"{one!r} = {other!r}" for one, other in self.spelt)
            text = "{file}: names written differently taken for one: {pairs} ({number} schools)"
            arguments = {"file": file, "pairs": some(pairs), "number": len(pairs)}
            said.append(Message(text, arguments))
        if self.left:
            text = "{file}: without pupils in the enrolment, left out: {names} ({number} rows)"
            arguments = {
                "file": file,
                "names": some(self.left),
                "number": len(self.left),
            }
            said.append(Message(text, arguments))
        return said


def matched(names: Sequence[str], others: Sequence[str]) -> Match:
    """Find names among others: the same, or the same but for case and the like or short forms.

    A match is certain where on each side one name alone has the form.

    Examples
    --------
    >>> found = matched(["Adams Elementary School", "Oak MS"], ["ADAMS ES", "Oak Middle", "Elm"])
    >>> dict(found.to), found.left
    ({'ADAMS ES': 'Adams Elementary School', 'Oak Middle': 'Oak MS'}, ('Elm',))
    """
    to = {one: one for one in others if one in frozenset(names)}
    spelt = []
    forms: tuple[Callable[[str], str], ...] = (likeness, whole_name)
    for form in forms:
        mine, theirs = (
            _by_form([one for one in side if one not in taken], form)
            for side, taken in ((names, frozenset(to.values())), (others, frozenset(to)))
        )
        for key, group in theirs.items():
            if key and len(group) == 1 and len(mine.get(key, ())) == 1:
                to[group[0]] = mine[key][0]
                spelt.append((mine[key][0], group[0]))
    left = tuple(one for one in others if one not in to)
    return Match(to, frozenset(to.values()), tuple(spelt), left)


def _by_form(names: Sequence[str], form: Callable[[str], str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(form(name), []).append(name)
    return groups


def whole_name(name: str) -> str:
    """Return a school's name with short forms written out and without words that say nothing.

    Examples
    --------
    >>> whole_name("St. Mary's ES") == whole_name("Saint Marys Elementary School")
    True
    """
    text = re.sub(r"['’.]", "", name.casefold()).replace("&", " & ")
    tokens = re.findall(r"&|[^\W_]+", text)
    return " ".join(filter(None, (SHORT.get(token, token) for token in tokens)))


def nearest_pairs(names: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """Return names with the one of the others that is nearest, where that is probably meant."""
    pairs = []
    for name in names:
        if close := difflib.get_close_matches(name, others, n=1, cutoff=CLOSE):
            pairs.append(f"{name!r} ~ {close[0]!r}")
    return tuple(pairs[:SHOWN])


def counted_names(names: Sequence[str]) -> dict[str, Any]:
    """Return how many names there are, and the first few, for a message."""
    return {"number": len(names), "names": some(list(names))}


def without_places(
    lacking: Sequence[str],
    match: Match,
    file: str,
    done: str | None,
    read: list[Message],
    assumed: list[Assumption],
    base: int,
) -> None:
    """Refuse schools that have pupils and no capacity, or say what stands for it."""
    if done not in (None, "pupils", "leave-out"):
        what = Message("pupils or leave-out")
        raise ScenarioError([Fault("settings", None, "--without-capacity", done, what)])
    if not lacking:
        return
    if done == "pupils":
        why = Message("{number} schools have no capacity: {names}", counted_names(lacking))
        own = Message("add them to {file}", {"file": file})
        value = f"pupils of {base}"
        assumed.append(Assumption("schools.places", value, why, own))
        return
    if done == "leave-out":
        text = "no capacity, left out with their pupils: {names} ({number} schools)"
        read.append(Message(text, counted_names(lacking)))
        return
    pairs = nearest_pairs(lacking, match.left)
    what = Message(
        "a capacity of each school with pupils; {number} have none", counted_names(lacking)
    )
    cure = Message("write one name one way, or --without-capacity pupils or leave-out")
    if pairs:
        text = (
            "perhaps {pairs}: write one name one way; else --without-capacity pupils or leave-out"
        )
        cure = Message(text, {"pairs": pairs})
    raise ScenarioError([Fault(file, None, "", ", ".join(some(list(lacking))), what, cure)])


# ---- capacity


class Capacity:
    """The table of places, as it is read."""

    def __init__(
        self, source: Source, places: str | None, seen: Panel, how: Mapping[str, Any]
    ) -> None:
        same = {key: how[key] for key in ("encoding", "strict") if key in how}
        self.plain: PlainTable = read_table(
            Path(source) if isinstance(source, str) else source, known=_is_known, **same
        )
        self.name = self.plain.name
        self.codes = codes_of(how.get("missing", ()))
        self.places, self.seen = places, seen
        self.reading = Reading(self.plain.name, bool(how.get("strict", False)))

    def table(
        self, stages: Mapping[str, tuple[str, ...]]
    ) -> tuple[pd.DataFrame, list[Fault], list[Message]]:
        """Return school, stage (blank: not said), sector (blank: not said) and places."""
        reading = self.reading
        frame, notes = self._of_capacity(self.plain.frame)
        columns = list(frame.columns)
        column = self._places(columns)
        school = self._school(frame, column)
        if column is None or school is None:
            part = "school" if column else "capacity"
            text = "a column for the {part}, of {columns}"
            what = Message(text, {"part": part, "columns": tuple(columns)})
            cure = Message("name it: {option}", {"option": "--places COLUMN"})
            reading.fault(part, "", what, None if column else cure)
            return frame, reading.faults, notes
        year = next((c for c in columns if YEAR.fullmatch(header_words(c))), None)
        sector = next((c for c in columns if SECTOR.fullmatch(header_words(c))), None)
        staged = next((c for c in columns if STAGE.fullmatch(header_words(c))), None)
        names = frame[school].map(name_of)
        total = names.map(lambda one: bool(TOTAL_NAME.fullmatch(one.casefold().strip())))
        if total.any():
            text = "{file}: rows of totals left out: {names} ({number} rows)"
            listed = tuple(dict.fromkeys(names[total]))
            arguments: dict[str, Value] = {
                "file": self.name,
                "names": some(listed),
                "number": int(total.sum()),
            }
            notes.append(Message(text, arguments))
        frame, names = frame[~total], names[~total]
        if year is not None:
            frame, names = self._latest(frame, names, year, notes)
        found = numbers(frame[column], self.codes)
        if found.bad.any():
            what = Message("a number of places, 0 or more,")
            group_faults(reading, frame[column][found.bad], column, what)
        out = pd.DataFrame({"school": names, "places": found.number})
        out["stage"] = self._words(frame, staged, _stage_words(stages)) if staged else ""
        out["sector"] = self._sectors(frame, sector) if sector else ""
        used = [
            Message("school = {column}", {"column": school}),
            Message("capacity = {column}", {"column": column}),
        ]
        for label, one in zip(OTHERS, (year, staged, sector), strict=True):
            if one is not None:
                used.append(Message(label, {"column": one}))
        notes.insert(
            0, Message("{file} read as: {parts}", {"file": self.name, "parts": tuple(used)})
        )
        notes += [Message("{file}: {note}", {"file": self.name, "note": n}) for n in found.notes]
        out = out[out["places"].notna() & (out["school"] != "")]
        twice = out.duplicated(["school", "stage"], keep=False)
        if twice.any():
            first = out[twice].iloc[0]
            what = Message("each school once, or once a stage")
            cure = Message("add the rows up, or add a column stage")
            row = int(out.index[twice][0])
            reading.fault(school, f"{first['school']} {first['stage']}".strip(), what, cure, row)
        return out, reading.faults, notes

    def _of_capacity(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Message]]:
        """Take the rows of capacity where a column says that others are of something else."""
        notes = [
            Message("{file}: {note}", {"file": self.name, "note": n}) for n in self.plain.notes
        ]
        for column in frame.columns:
            if not MEASURE.fullmatch(header_words(column)):
                continue
            kinds = frame[column].astype(str)
            mine = [k for k in dict.fromkeys(kinds) if CAPACITY.fullmatch(header_words(k))]
            others = [k for k in dict.fromkeys(kinds) if k not in mine and k]
            if len(mine) == 1:
                text = "{file}: of {column} only {kind} is read; left out: {others}"
                arguments: dict[str, Value] = {"file": self.name, "column": column, "kind": mine[0]}
                if others:
                    notes.append(Message(text, {**arguments, "others": some(others)}))
                return frame[kinds == mine[0]].drop(columns=column), notes
        return frame, notes

    def _places(self, columns: Sequence[str]) -> str | None:
        if self.places is not None:
            return next((c for c in columns if header_words(c) == header_words(self.places)), None)
        tests: tuple[re.Pattern[str], ...] = (CAPACITY, VALUE) if self._is_long else (CAPACITY,)
        found = [c for test in tests for c in columns if test.fullmatch(header_words(c))]
        if len(frozenset(found)) > 1 and not self._is_long:
            what = Message("one column of capacity, of {columns}", {"columns": tuple(found)})
            cure = Message("name it: {option}", {"option": "--places COLUMN"})
            self.reading.fault("capacity", "", what, cure)
            self.reading.stop()
        return found[0] if found else None

    @property
    def _is_long(self) -> bool:
        return any(MEASURE.fullmatch(header_words(c)) for c in self.plain.frame.columns)

    def _school(self, frame: pd.DataFrame, taken: str | None) -> str | None:
        """Choose the column that has most names of the enrolment, else the one named so."""
        best: tuple[int, str] = (0, "")
        for column in frame.columns:
            if column == taken:
                continue
            cells = list(dict.fromkeys(frame[column].map(name_of)))
            found = len(matched(list(self.seen.areas), cells).to)
            best = max(best, (found, str(column)), key=lambda one: one[0])
        if best[0]:
            return best[1]
        rest = [c for c in frame.columns if c != taken]
        return next((c for test in AREA for c in rest if test.fullmatch(header_words(c))), None)

    def _latest(
        self, frame: pd.DataFrame, names: pd.Series, year: str, notes: list[Message]
    ) -> tuple[pd.DataFrame, pd.Series]:
        """Take each school's last year up to the last observed one."""
        years = pd.Series(school_years(frame[year]).number, index=frame.index)
        up_to = years[years <= self.seen.years[-1]]
        last = up_to.max() if len(up_to) else years.min()
        keep = (years == last) | years.isna()
        if not keep.all():
            text = "{file}: capacity of {year} is read; left out: {number} rows of other years"
            arguments: dict[str, Value] = {
                "file": self.name,
                "year": int(last),
                "number": int((~keep).sum()),
            }
            notes.append(Message(text, arguments))
        return frame[keep], names[keep]

    def _words(self, frame: pd.DataFrame, column: str, known: Mapping[str, str]) -> list[str]:
        found = frame[column].map(lambda one: known.get(header_words(str(one)), ""))
        return [str(one) for one in found]

    def _sectors(self, frame: pd.DataFrame, column: str) -> list[str]:
        cells = frame[column].astype(str).map(lambda one: header_words(one).strip())
        private, public = (cells.str.fullmatch(test.pattern) for test in (PRIVATE, PUBLIC))
        strange = ~(private | public | (cells == ""))
        if strange.any():
            what = Message("public or private")
            group_faults(self.reading, frame[column][strange], column, what)
        return [
            "private" if one else "public" if other else ""
            for one, other in zip(private, public, strict=True)
        ]


def _is_known(cell: str) -> bool:
    return is_known(cell) or any(
        test.fullmatch(header_words(cell)) for test in (CAPACITY, SECTOR, STAGE, MEASURE)
    )


def _stage_words(stages: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    words_of = {}
    for name in stages:
        label = name.replace("_", " ")
        same = (*STAGE_WORDS.get(name, ()), *WORDS_ZH.get(name, ()))
        for word in (label, f"{label} school", *same):
            words_of[header_words(word)] = name
    return words_of
