"""Names of schools and other areas: which are meant the same, and which are no areas but totals.

Two names are taken for one where that is certain: they are the same but for case, width, blanks,
hyphens, marks of footnotes and short forms, and nothing in the tables says that they are two.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from capsim.demand.ratios import Array, Index, Mask
from capsim.i18n.language import Message, Value
from capsim.scenario.cell_values import alike, likeness
from capsim.scenario.faults import Fault

SHOWN = 8
"""Names that a note lists."""
CLOSE = 0.8
"""Likeness of two names from which on they are probably of one school."""
TOTAL_NAME = re.compile(
    r"((grand|sub|county|district|state|city|school|overall|division|system)[ -]?)*totals?"
    r"|totals? (of )?(all|schools?|district|county|state|public|private"
    r"|enrol(l)?ments?|students?)\b.*"
    r"|((elementary|middle|junior|senior|high|primary|secondary)[ /,&-]*(and )?)+schools"
    r"|all (schools?|areas?|districts?|counties)|sum|state ?wide|district ?wide|.*\btotals?"
    r"|.*(合计|总计|小计|总数|共计|汇总)|全(市|县|区|省|国|部|体|镇|校)|计|各校合计|합계|총계",
)
TOLERANCE = 1e-6
"""Relative difference below which numbers are the same."""
SHORT = {
    **dict.fromkeys(["es", "elem", "el"], "elementary"),
    **{"ms": "middle", "hs": "high", "jr": "junior", "sr": "senior", "st": "saint", "mt": "mount"},
    **{"ctr": "center", "acad": "academy", "pri": "primary", "sec": "secondary", "&": "and"},
    **dict.fromkeys(["school", "sch", "schl", "the"], ""),
}
"""Words of school names that are written short, and those that say nothing."""


def some(names: Sequence[str], most: int = SHOWN) -> tuple[str, ...]:
    """Return the first few of some names."""
    return (*names[:most], *(("…",) if len(names) > most else ()))


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
    again : tuple of pairs of text
        Names of the other that mean one of the first which another name means too: first, other.
    """

    to: Mapping[str, str]
    found: frozenset[str]
    spelt: tuple[tuple[str, str], ...]
    left: tuple[str, ...]
    again: tuple[tuple[str, str], ...] = ()

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

    def faults(self, file: str, column: str) -> list[Fault]:
        """Name what stands twice, written in two ways: which of the two counts nobody can tell."""
        what = Message("one row for each school, under one name")
        cure = Message("add the rows up, or take one away; two schools differ by more than this")
        shown = [" = ".join(repr(name) for name in pair if name) for pair in self.again[:SHOWN]]
        return [Fault(file, None, column, pair, what, cure) for pair in shown]


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
    again = {}
    for form in forms:
        mine = _by_form(list(names), form)
        for one in others:
            if one not in to and len(mine.get(form(one), ())) == 1:
                again[one] = mine[form(one)][0]
    left = tuple(one for one in others if one not in to and one not in again)
    twice = tuple((name, one) for one, name in again.items())
    return Match(to, frozenset(to.values()), tuple(spelt), left, twice)


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
    text = re.sub(r"['’]|(?<!\d)\.|\.(?!\d)", "", name.casefold()).replace("&", " & ")
    tokens = re.findall(r"&|[^\W_]+", text)
    return " ".join(filter(None, (SHORT.get(token, token) for token in tokens)))


def nearest_pairs(names: Sequence[str], others: Sequence[str]) -> tuple[str, ...]:
    """Return names with the one of the others that is nearest, where that is probably meant."""
    pairs = []
    for name in names:
        if close := difflib.get_close_matches(name, others, n=1, cutoff=CLOSE):
            pairs.append(f"{name!r} ~ {close[0]!r}")
    return tuple(pairs[:SHOWN])


# ---- names of one table


def spellings(names: Any, years: Array) -> tuple[dict[str, str], list[tuple[tuple[str, ...], int]]]:
    """Find names that are one, written in several ways over the years.

    Parameters
    ----------
    names : array of text
        A name for each row.
    years : array of float
        The year of each row.

    Returns
    -------
    to : dict
        The first spelling of each that is not it.
    clashes : list of (names, year)
        Names that are the same but for case and the like though both stand in that year.

    Examples
    --------
    >>> rows = np.array(["Oak ES", "Elm", "Oak Elementary (1)", "elm*"], dtype=object)
    >>> spellings(rows, np.array([2019.0, 2019.0, 2020.0, 2020.0]))
    ({'elm*': 'Elm', 'Oak Elementary (1)': 'Oak ES'}, [])
    """
    stands: dict[str, set[float]] = {}
    for name, year in zip(names.tolist(), years.tolist(), strict=True):
        stands.setdefault(str(name), set()).add(year)
    to: dict[str, str] = {}
    clashes = []
    for form, sure in ((likeness, True), (_without_notes, False)):
        for group in alike([name for name in stands if name not in to], form):
            counts = Counter(year for name in group for year in stands[name])
            shared = [year for year, times in counts.items() if times > 1]
            if not shared:
                to |= dict.fromkeys(group[1:], group[0])
                stands[group[0]] |= set(counts)
            elif sure:
                clashes.append((group, int(min(shared))))
    return to, clashes


def _without_notes(name: str) -> str:
    """Return the whole name without a letter or digit of a note in brackets behind it."""
    return whole_name(re.sub(r"\s*[(\[（]\w[)\]）]\s*$", "", name)) or name


LEAST_CELLS = 6
"""Cells in which a number is the sum of others from which on that is no chance."""
MOST_TOTALS = 500
"""So many of the largest areas may be sums of a run anywhere, all of one that they stand beside."""


def sums(pupils: Array, missing: Mask, order: Sequence[int]) -> Mask:
    """Mark areas that are the sum of a run of others in every cell that is known of all.

    Parameters
    ----------
    pupils, missing : array [area, grade, year]
        Persons, NaN where there are none; cells that were not observed.
    order : sequence of int
        The areas as they follow each other in the table.

    Examples
    --------
    >>> both = np.arange(12.0).reshape(2, 6, 1) + 1
    >>> table = np.concatenate([both, both.sum(0)[None], both * 3])
    >>> sums(table, np.zeros(table.shape, bool), range(5)).tolist()
    [False, False, True, False, False]
    """
    cells = np.nan_to_num(pupils)[:, ~missing.any(0)]
    found = np.zeros(len(cells), dtype=bool)
    while True:
        rest = np.array([area for area in order if not found[area]], dtype=np.intp)
        more = rest[_sums_of_runs(cells[rest])]
        if not len(more):
            return found
        found[more] = True


def _sums_of_runs(cells: Array) -> list[int]:
    """Return the rows that are sums of several others that follow each other."""
    size = cells.sum(1)
    ends = np.concatenate([[0.0], np.cumsum(size)])
    gap = TOLERANCE * np.maximum(size, 1.0)

    def reached(at: Index, starts: Index) -> tuple[Index, Index, Index]:
        """Return rows, starts and ends of the runs from there that have the row's number."""
        to = np.searchsorted(ends, ends[starts] + size[at] - gap[at])
        last = np.minimum(to, len(size))
        meets = np.abs(ends[last] - ends[starts] - size[at]) <= gap[at]
        good = meets & (to <= len(size)) & (size[at] > 0)
        return at[good], starts[good], last[good]

    rows = np.arange(len(size))
    first = np.searchsorted(ends, ends[:-1] - size - gap)
    runs = [reached(rows, rows + 1), reached(rows, np.minimum(first, rows))]
    largest = np.argsort(-size, kind="stable")[:MOST_TOTALS]
    runs += [reached(np.full(len(rows), at), rows) for at in largest]
    whole = (np.concatenate(parts).tolist() for parts in zip(*runs, strict=True))
    return sorted({at for at, *run in zip(*whole, strict=True) if _is_sum(cells, at, *run)})


def _is_sum(cells: Array, at: int, first: int, last: int) -> bool:
    """Check whether a row is the sum of a run, itself not among it, in every cell."""
    if first <= at < last:
        return False
    parts = cells[first:last]
    if ((parts > 0).sum(0) > 1).sum() < LEAST_CELLS:
        return False
    off = np.abs(parts.sum(0) - cells[at])
    return bool((off <= TOLERANCE * np.maximum(cells[at], 1)).all())
