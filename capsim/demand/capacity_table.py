"""Tables of places, one of the tables of schools: a row a school, a stage of one, a kind of place.

Every column that is not read is named, and every row that is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from capsim.demand.enrolment_table import (
    AREA,
    MEASURE,
    VALUE,
    YEAR,
    header_words,
    in_persons,
    is_known,
    unit_of_header,
    without_units,
)
from capsim.demand.observed import Panel, Reading, counted, group_faults, name_of
from capsim.demand.ratios import Array
from capsim.demand.school_names import SHOWN, TOTAL_NAME, Match, matched, nearest_pairs, some
from capsim.i18n.language import Message, Value
from capsim.scenario.cell_values import Read, codes_of, numbers, school_years
from capsim.scenario.cell_words import amount
from capsim.scenario.faults import Fault
from capsim.scenario.schema import TABLES, WORDS_ZH
from capsim.scenario.table_reader import PlainTable, read_table

OTHERS = ("year = {column}", "stage = {column}", "sector = {column}")
CAPACITY = re.compile(
    r"((school|building|design(ed)?|(state|local)?[ -]?rated|program(me)?|functional|permanent|net"
    r"|total|current|student|pupil|planned|max(imum)?|published|operational|enrol(l)?ment)[ -]?)*"
    r"(capacit(y|ies)|places|seats)([ -]?(total|number|\d{4}))?|number of (places|seats)|src"
    r"|(核定|设计|规划|标准|办学)*(学位数?|容量|规模|座位数?|容纳人数)([(（][^百千万萬亿]*[)）])?"
)
SECTOR = re.compile(
    r"sector|ownership|control|(public[ /-]*(or )?)?private|公办[/或 ]?民办|(办学|学校)?性质|办别"
)
PRIVATE = re.compile(
    r"(private|independent|fee[- ]paying|non[- ]?public|parochial|catholic|religious)( schools?)?"
    r"|民办|私立"
)
PUBLIC = re.compile(
    r"(public|state|state[- ]funded|maintained|academy|charter|community|magnet)( schools?)?"
    r"|公办|公立"
)
STAGE = re.compile(r"stage|(school )?level|phase|学段|办学类型|学校类型")
STAGE_WORDS: Mapping[str, tuple[str, ...]] = {
    "elementary": ("elem", "es", "primary"),
    "middle": ("ms", "junior high", "jr high"),
    "high": ("hs", "senior high", "secondary"),
    "sixth_form": ("post-16", "16-19"),
}
"""Words of a stage besides its name and its Chinese."""


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
) -> list[Fault]:
    """Refuse schools that have pupils and no capacity, or say what stands for it."""
    if done not in (None, "pupils", "leave-out"):
        what = Message("pupils or leave-out")
        return [Fault("settings", None, "--without-capacity", done, what)]
    if not lacking:
        return []
    if done == "pupils":
        why = Message("{number} schools have no capacity: {names}", counted_names(lacking))
        own = Message("add them to {file}", {"file": file})
        value = f"pupils of {base}"
        assumed.append(Assumption("schools.places", value, why, own))
        return []
    if done == "leave-out":
        text = "no capacity, left out with their pupils: {names} ({number} schools)"
        read.append(Message(text, counted_names(lacking)))
        return []
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
    return [Fault(file, None, "", ", ".join(some(list(lacking))), what, cure)]


def without_room(
    schools: Sequence[str], now: Array, taught: Sequence[tuple[str, str]], rooms: pd.DataFrame
) -> dict[str, str]:
    """Return what is told of each school with pupils and no capacity, or none of their stage."""
    said = set(zip(rooms["school"], rooms["stage"], strict=True))
    known, lacking = {school for school, _ in said}, {}
    for school, pupils in zip(schools, now, strict=True):
        mine = {stage for (_, stage), number in zip(taught, pupils, strict=True) if number > 0}
        short = sorted(stage for stage in mine if not said & {(school, stage), (school, "")})
        if short:
            lacking[school] = f"{school} ({', '.join(short)})" if school in known else school
    return lacking


def school_rows(
    schools: Sequence[str],
    now: Array,
    taught: Sequence[tuple[str, str]],
    rooms: pd.DataFrame,
    assumed: list[Assumption],
) -> pd.DataFrame:
    """Return a row a school and stage; places of a school without stages go by its pupils."""
    stages = list(dict.fromkeys(stage for _, stage in taught))
    of = np.array([stages.index(stage) for _, stage in taught])
    by_stage = np.stack([now[:, of == at].sum(1) for at in range(len(stages))], axis=1)
    said = rooms[rooms["stage"] != ""].set_index(["school", "stage"])["places"]
    whole = rooms[rooms["stage"] == ""].set_index("school")["places"]
    sectors = rooms.drop_duplicates("school").set_index("school")["sector"]
    rows, divided, unsaid = [], [], []
    for at, school in enumerate(schools):
        total = by_stage[at].sum()
        sector = sectors.get(school, "")
        if not sector:
            unsaid.append(school)
        mine = [s for s in range(len(stages)) if by_stage[at, s] > 0 or (school, stages[s]) in said]
        if school in whole and len(mine) > 1:
            divided.append(school)
        for s in mine:
            pupils = float(by_stage[at, s])
            if (school, stages[s]) in said:
                room = float(said[school, stages[s]])
            elif school in whole:
                room = float(whole[school]) * pupils / total
            else:
                room = pupils
            rows.append((school, stages[s], school, sector or "public", round(room, 6), pupils))
    if divided:
        why = Message(
            "one capacity for several stages: {names} ({number} schools)", counted_names(divided)
        )
        own = Message("give the capacity a column stage")
        assumed.append(Assumption("schools.places by stage", "by pupils", why, own))
    if unsaid:
        why = Message("no sector is said of {number} schools", {"number": len(unsaid)})
        own = Message("give the capacity a column sector: public, private")
        assumed.append(Assumption("schools.sector", "public", why, own))
    columns = ["school", "stage", "area", "sector", "places", "pupils"]
    return pd.DataFrame(rows, columns=columns)


# ---- capacity


class Capacity:
    """The table of places, as it is read; ``alone`` where it is not the table of enrolment too."""

    def __init__(
        self,
        source: Source,
        places: str | None,
        seen: Panel,
        how: Mapping[str, Any],
        alone: bool = True,
    ) -> None:
        same = {key: how[key] for key in ("encoding", "strict") if key in how}
        self.plain: PlainTable = read_table(
            Path(source) if isinstance(source, str) else source, known=_is_known, **same
        )
        self.name = self.plain.name
        self.codes = codes_of(how.get("missing", ()))
        self.places, self.seen, self.alone = places, seen, alone
        self.of_kinds = False
        self.reading = Reading(self.plain.name, bool(how.get("strict", False)))

    def table(
        self, stages: Mapping[str, tuple[str, ...]]
    ) -> tuple[pd.DataFrame, list[Fault], list[Message]]:
        """Return school, stage (blank: not said), sector (blank: not said) and places."""
        reading, words = self.reading, _stage_words(stages)
        notes = list(self.plain.notes)
        whole = without_units(self.plain.frame, reading)
        frame = self._by_stage(self._of_capacity(whole, notes), words)
        columns = list(frame.columns)
        column = self._places(columns)
        reading.stop()
        school = self._school(frame, column)
        if column is None or school is None:
            part = "school" if column else "capacity"
            text = "a column for the {part}, of {columns}"
            what = Message(text, {"part": part, "columns": tuple(whole.columns)})
            cure = Message("name it: {option}", {"option": "--places COLUMN"})
            reading.fault(part, "", what, None if column else cure)
            return frame, reading.faults, notes
        year, sector, staged = (
            next((c for c in columns if test.fullmatch(header_words(c))), None)
            for test in (YEAR, SECTOR, STAGE)
        )
        sector = sector or _told_sector(frame, {school, column, year, staged})
        names = frame[school].map(name_of)
        found = in_persons(self._numbers(frame[column]), column, reading)
        # A row of a number alone is a total, or of a school that nobody named.
        total = names.map(lambda one: bool(TOTAL_NAME.fullmatch(one.casefold().strip())))
        nameless = np.isfinite(found.number) & (names == "").to_numpy()
        if total.any():
            text = "rows of totals left out: {names} ({number} rows)"
            listed = tuple(dict.fromkeys(names[total]))
            notes.append(Message(text, {"names": some(listed), "number": int(total.sum())}))
        if nameless.any():
            whole_sum = float(np.nansum(found.number[~nameless & ~total.to_numpy()]))
            if nameless.sum() == 1 and abs(float(found.number[nameless][0]) - whole_sum) < 1:
                notes.append(Message("a row without a name, the sum of all others, left out"))
            else:
                group_faults(reading, names[nameless], school, Message("the name of a school"))
        if found.bad.any():
            what = Message("a number of places, 0 or more,")
            bad = frame[column][found.bad & ~total.to_numpy()]
            group_faults(reading, bad, column, what, _cure(bad))
        out = pd.DataFrame({"school": names, "places": found.number})
        out["stage"] = self._stages(frame[staged], words, notes) if staged else ""
        out["sector"] = self._sectors(frame, sector) if sector else ""
        out = out[~total & (out["school"] != "")]
        if year is not None:
            out = self._latest(out, frame[year], notes)
        used = [
            Message("school = {column}", {"column": school}),
            Message("capacity = {column}", {"column": column}),
        ]
        for label, one in zip(OTHERS, (year, staged, sector), strict=True):
            if one is not None:
                used.append(Message(label, {"column": one}))
        unread = [c for c in columns if c not in (school, column, year, staged, sector)]
        if unread and self.alone:
            notes.append(Message("columns not read: {columns}", {"columns": tuple(unread)}))
        notes = [*notes, *found.notes, *reading.changed]
        notes = [Message("{file}: {note}", {"file": self.name, "note": n}) for n in notes]
        notes.insert(
            0, Message("{file} read as: {parts}", {"file": self.name, "parts": tuple(used)})
        )
        out = out[out["places"].notna()].drop_duplicates(["school", "stage", "sector", "places"])
        self._once(out, school, whole)
        return out, reading.faults, notes

    def _once(self, out: pd.DataFrame, school: str, whole: pd.DataFrame) -> None:
        """Refuse rows of a school and stage that differ, and stages beside a whole."""
        staged = frozenset(out["school"][out["stage"] != ""])
        again = out.duplicated(["school", "stage"], keep=False)
        again |= (out["stage"] == "") & out["school"].isin(staged)
        if not again.any():
            return
        what = Message("each school once, or once a stage")
        cure = Message("add the rows up, or add a column stage")
        kinds = [c for c in whole.columns if MEASURE.fullmatch(header_words(c))]
        if kinds:
            listed = some([one for one in dict.fromkeys(whole[kinds[0]].astype(str)) if one])
            text = (
                "add the rows up, or name the kind of {column} that is read: --places, of {kinds}"
            )
            cure = Message(text, {"column": kinds[0], "kinds": listed})
        first = out[again].iloc[0]
        what = counted(what, int(again.sum()), int(out.index[again][0]))
        value = f"{first['school']} {first['stage']}".strip()
        self.reading.fault(school, value, what, cure)

    def _numbers(self, cells: pd.Series) -> Read:
        """Read numbers of places, with a unit behind them too (``500 seats``)."""
        found = numbers(cells, self.codes)
        if not found.bad.any():
            return found
        places = TABLES["schools"].column("places")
        read = {str(one): amount(str(one), places) for one in cells[found.bad].unique()}
        if any(value is None or value < 0 for value in read.values()):
            return found
        meant = cells.astype(str).map(read).to_numpy(dtype=float)
        first = next(iter(read))
        arguments: dict[str, Value] = {
            "column": str(cells.name),
            "number": int(found.bad.sum()),
            "example": repr(first),
            "value": f"{read[first]:f}",
        }
        text = "{column}: {number} cells read as meant, such as {example} as {value}"
        number = np.where(found.bad, meant, found.number)
        none = np.zeros(len(cells), dtype=bool)
        return replace(
            found, number=number, bad=none, notes=(*found.notes, Message(text, arguments))
        )

    def _of_capacity(self, frame: pd.DataFrame, notes: list[Message]) -> pd.DataFrame:
        """Take the rows of capacity where a column says that others are of something else."""
        for column in frame.columns:
            if not MEASURE.fullmatch(header_words(column)):
                continue
            kinds = frame[column].astype(str)
            listed = [one for one in dict.fromkeys(kinds) if one]
            mine = [one for one in listed if header_words(one) == header_words(self.places or "")]
            mine = mine or [one for one in listed if CAPACITY.fullmatch(header_words(one))]
            self.of_kinds |= bool(mine)
            if len(mine) != 1:
                continue
            if mine[0].casefold() == (self.places or "").casefold():
                self.places = None
            if others := [one for one in listed if one != mine[0]]:
                text = "of {column} only {kind} is read; left out: {others}"
                arguments: dict[str, Value] = {"column": column, "kind": mine[0]}
                notes.append(Message(text, {**arguments, "others": some(others)}))
            return frame[kinds == mine[0]].drop(columns=column)
        return frame

    def _by_stage(self, frame: pd.DataFrame, words: Mapping[str, str]) -> pd.DataFrame:
        """Turn columns of places of a stage each into a row each."""
        of = {}
        for column in frame.columns:
            head = header_words(column)
            for word in sorted(words, key=len, reverse=True):
                rest = head.removeprefix(word).strip(" -:")
                if rest != head and CAPACITY.fullmatch(rest):
                    of[column] = word
                    break
        if len(of) < 2 or self.places is not None:
            return frame
        units = {self.reading.units.pop(column, ("", Decimal(1))) for column in of}
        if len(units) > 1:
            what = Message("one unit for all columns of capacity")
            self.reading.fault(", ".join(of), "", what)
        self.reading.units["places"] = units.pop()
        keys = [c for c in frame.columns if c not in of]
        cells = frame.assign(**{c: frame[c].astype(object) for c in of})
        long = cells.melt(keys, list(of), "stage", "places", ignore_index=False)
        return long.assign(stage=long["stage"].map(of))

    def _places(self, columns: Sequence[str]) -> str | None:
        if self.places is not None:
            wanted = header_words(unit_of_header(self.places)[0])
            return next((c for c in columns if header_words(c) == wanted), None)
        # Any number is one of places where rows say that they are of capacity.
        for test in (CAPACITY, VALUE) if self.of_kinds else (CAPACITY,):
            found = [c for c in columns if test.fullmatch(header_words(c))]
            if len(found) > 1:
                what = Message("one column of capacity, of {columns}", {"columns": tuple(found)})
                cure = Message("name it: {option}", {"option": "--places COLUMN"})
                self.reading.fault("capacity", "", what, cure)
            if found:
                return found[0]
        return None

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

    def _latest(self, out: pd.DataFrame, cells: pd.Series, notes: list[Message]) -> pd.DataFrame:
        """Take each school's last year up to the last observed one, else its first after it."""
        read = school_years(cells)
        if read.bad.any():
            whole = Message("a school year")
            cure = Message("write 2019, 2019/20 or 2019-09-01")
            group_faults(self.reading, cells[read.bad], str(cells.name), whole, cure)
        notes += read.notes
        base = self.seen.years[-1]
        years = pd.Series(read.number, index=cells.index).reindex(out.index)
        out = out.assign(year=np.where(years <= base, years, -years))
        kept = out[out["places"].notna()]
        last = kept.groupby(["school", "stage"])["year"].transform("max")
        kept = kept[(kept["year"] == last) | kept["year"].isna()]
        if len(kept) < len(out):
            taken = sorted({int(one) for one in years[kept.index].dropna()})
            text = "capacity of {year} is read; left out: {number} rows of other years"
            shown = ", ".join(map(str, taken[-SHOWN:]))
            notes.append(Message(text, {"year": shown, "number": len(out) - len(kept)}))
        return kept.drop(columns="year")

    def _stages(
        self, cells: pd.Series, known: Mapping[str, str], notes: list[Message]
    ) -> list[str]:
        said = cells.astype(str).map(lambda one: header_words(one).strip())
        found = said.map(lambda one: known.get(one, ""))
        strange = (found == "") & (said != "")
        if strange.any():
            text = "{column}: no stage, taken for the whole school: {names} ({number} rows)"
            listed = some(list(dict.fromkeys(cells[strange].astype(str))))
            arguments: dict[str, Value] = {"column": str(cells.name), "names": listed}
            notes.append(Message(text, {**arguments, "number": int(strange.sum())}))
        return [str(one) for one in found]

    def _sectors(self, frame: pd.DataFrame, column: str) -> list[str]:
        private, public, strange = _of_sectors(frame[column])
        if strange.any():
            what = Message("public or private")
            group_faults(self.reading, frame[column][strange], column, what)
        return [
            "private" if one else "public" if other else ""
            for one, other in zip(private, public, strict=True)
        ]


def _of_sectors(cells: pd.Series) -> tuple[Any, Any, Any]:
    """Mark cells that say private, public, and something else."""
    said = cells.astype(str).map(lambda one: header_words(one).strip())
    private, public = (said.str.fullmatch(test.pattern) for test in (PRIVATE, PUBLIC))
    return private, public, ~(private | public | (said == ""))


def _told_sector(frame: pd.DataFrame, taken: set[str | None]) -> str | None:
    """Find the column that says public or private in every cell, whatever its header."""
    for column in frame.columns:
        if column not in taken:
            private, public, strange = _of_sectors(frame[column])
            if private.any() and public.any() and not strange.any():
                return str(column)
    return None


def _cure(bad: pd.Series) -> Message:
    distinct = ",".join(some(list(dict.fromkeys(str(one).strip() for one in bad))))
    return Message('if it means not observed: --missing "{codes}"', {"codes": distinct})


def _is_known(cell: str) -> bool:
    return is_known(cell) or any(
        test.fullmatch(header_words(unit_of_header(cell)[0]))
        for test in (CAPACITY, SECTOR, STAGE, MEASURE)
    )


def _stage_words(stages: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    words_of = {}
    for name in stages:
        label = name.replace("_", " ")
        same = (*STAGE_WORDS.get(name, ()), *WORDS_ZH.get(name, ()))
        for word in (label, f"{label} school", *same):
            words_of[header_words(word)] = name
    return words_of
