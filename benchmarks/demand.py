"""The forecasts' goals beside what is reached: ``python -m benchmarks demand [DATA] [--json]``.

DATA is the folder of the four enrolment tables (default: what CAPSIM_DATA names); without it only
the speed of draws is measured.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import cohorts, competition, show
from benchmarks.chance import stray
from benchmarks.goals import check, of_cohorts
from capsim.demand import METHODS, Backtest, Panel, backtest, panel

STATES = "us_states/enrolment_by_grade_1986_2017.csv"
SCHOOLS = "vermont/enrolment_by_grade_2004_2021.csv"
JUDGED = ("no change", "3-year mean", "smoothed", "hierarchical")
PUBLISHED = {
    "no change": (1.00, 2.53, 3.94, 6.60),
    "3-year mean": (0.67, 1.64, 2.68, 5.22),
    "smoothed": (0.653, 1.601, 2.578, 5.167),
}
TO_BEAT = {1: 0.653, 3: 1.600, 5: 2.578, 10: 5.166}
COVER = (("cover80", 80.0, 4.0), ("cover95", 95.0, 2.5))
NATION_MB = 0.1 * 1000 * 2850 * 15 * 15 * 8 / 1e6
"""A tenth of what all draws at once would take."""
LEVELS = {"area": "areas' totals", "grade": "areas' grades"}
"""Levels of the back-test that are judged; the whole's own total has too few origins."""

Check = dict[str, Any]


def until(table: Panel, last: int) -> Panel:
    """Cut a panel at a year, with the areas observed by then."""
    number = table.years.index(last) + 1
    pupils = table.pupils[..., :number]
    seen = np.isfinite(pupils).any((1, 2))
    names = tuple(np.array(table.areas)[seen])
    return Panel(names, table.grades, table.years[:number], pupils[seen], table.county[seen])


def judged(data: Path) -> dict[str, Backtest]:
    """Back-test both sets; the schools also without the two pandemic years."""
    methods = {name: METHODS[name] for name in JUDGED}
    states = panel(pd.read_csv(data / STATES), name=STATES)
    schools = panel(pd.read_csv(data / SCHOOLS), name=SCHOOLS)
    found = {"US states": backtest(states, methods, range(1, 11), 1996)}
    for last in (2019, 2021):
        cut = until(schools, last)
        found[f"Vermont schools to {last}"] = backtest(cut, methods, range(1, 6), 2007)
    return found


def figures(found: Backtest, method: str, level: str, figure: str) -> dict[int, float]:
    """One figure of a method at a level, by lead."""
    table = found.table
    rows = table[(table["method"] == method) & (table["level"] == level)]
    return dict(zip(rows["lead"].astype(int), rows[figure].astype(float), strict=True))


def below(name: str, measured: float, goal: float) -> Check:
    """One figure that shall be less than its goal."""
    return {**check(name, measured, goal), "holds": bool(measured < goal)}


def of_errors(found: Mapping[str, Backtest]) -> Iterator[Check]:
    """Hold errors of areas' totals against the published ones and against both baselines."""
    for name, back in found.items():
        states = name == "US states"
        for method, known in PUBLISHED.items() if states else ():
            off = figures(back, method, "area", "mape")
            worst = max(abs(off[at] - value) for at, value in zip(TO_BEAT, known, strict=True))
            yield check(f"{name}, {method}: MAPE off from the published, points", worst, 0.01)
        for method in ("hierarchical", "auto"):
            error = figures(back, method, "area", "mape" if states else "wape")
            for lead, goal in TO_BEAT.items() if states else ():
                yield below(f"{name}, {method}, {lead} years ahead: MAPE, %", error[lead], goal)
            for baseline in () if states else ("no change", "3-year mean"):
                other = figures(back, baseline, "area", "wape")
                worst = max(error[lead] / other[lead] for lead in other)
                yield below(f"{name}, {method}: WAPE / {baseline}'s, worst lead", worst, 1.0)


def of_cover(found: Mapping[str, Backtest]) -> Iterator[Check]:
    """Hold coverage by lead of areas' totals and grades, pooled over areas and origins."""
    for name, back in found.items():
        for method in ("hierarchical", "auto"):
            for level, words in LEVELS.items():
                for cover, share, off in COVER:
                    gap = {
                        lead: abs(value - share)
                        for lead, value in figures(back, method, level, cover).items()
                    }
                    worst = max(gap, key=gap.__getitem__)
                    label = f"{name}, {method}, {words}: {cover} off, points, worst lead ({worst})"
                    yield check(label, gap[worst], off)


def of_single_grades(found: Mapping[str, Backtest]) -> Iterator[tuple[Check, list[str]]]:
    """Hold every single grade's coverage at every lead; give the cells outside beside it.

    With so few origins many would be outside by chance if all intervals were exactly right; the
    bootstrap says how many.
    """
    for name, back in found.items():
        covered = back.measured["hierarchical"]["grade"]
        grades = list(dict.fromkeys(back.grades["grade"]))
        leads = sorted(set(back.grades["lead"]))
        for at, (cover, share, off) in enumerate(COVER):
            expected, outside = 0.0, []
            for column, lead in np.ndindex(len(grades), len(leads)):
                cells = slice(None), column, leads[lead] - 1
                here = stray(covered.judged[cells], covered.inside[at][cells], leads[lead])
                expected += here.chance(off)
                if abs(here.share - share) > off:
                    outside.append(
                        f"      grade {grades[column]}, {leads[lead]} years: {here.share:.1f}"
                        f" (± {here.error:.1f}, {here.origins} origins)"
                    )
            cells_all = len(grades) * len(leads)
            label = f"{name}, single grade and lead: {cover} outside, of {cells_all}"
            label += f" ({expected:.0f} by chance alone)"
            yield check(label, len(outside), 0), outside


def of_nation() -> Check:
    """Hold the memory of a nation's draws, taken block by block, against a tenth of all draws'."""
    return check("1,000 draws of 2,850 areas, peak MB", cohorts.nation()["peak_mb"], NATION_MB)


def tables(found: Mapping[str, Backtest]) -> Iterator[str]:
    """Errors, the whole's coverage (not judged) and every single grade's, by lead."""
    for name, back in found.items():
        error = "mape" if name == "US states" else "wape"
        for method in (*JUDGED, "auto"):
            yield _line(f"{name}, {method}: {error}", figures(back, method, "area", error), 3)
        for cover, _, _ in COVER:
            whole = figures(back, "hierarchical", "total", cover)
            yield _line(f"{name}, the whole, not judged: {cover}", whole, 1)
        for cover, share, off in COVER:
            single = back.grades[back.grades["method"] == "hierarchical"]
            for grade, rows in single.groupby("grade", sort=False):
                values = dict(zip(rows["lead"], rows[cover], strict=True))
                yield _line(f"{name}, grade {grade}: {cover}", values, 1, share, off)


def _line(
    label: str, values: Mapping[int, float], digits: int, share: float = 0.0, off: float = np.inf
) -> str:
    cells = "".join(
        f"{value:>8.{digits}f}{'*' if abs(value - share) > off else ' '}"
        for value in values.values()
    )
    return f"{label:<48}{cells}"


def main(data: str | None, as_json: bool = False, figure: str | None = None) -> None:
    """Print all figures and a verdict a goal, or the verdicts as JSON; draw the competition."""
    found = judged(Path(data)) if data else {}
    others = competition.competition(Path(data)) if data else None
    if others is not None and figure:
        competition.draw(others, Path(figure))
    rivals = [] if others is None else [*competition.of_competition(others)]
    goals = [*of_errors(found), *of_cover(found), *rivals, *of_cohorts(), of_nation()]
    single = list(of_single_grades(found))
    if as_json:
        print(json.dumps({"checks": [*goals, *(made for made, _ in single)]}))
        return
    print("By years ahead, %; * is outside its bounds")
    print("\n".join(tables(found)))
    if others is not None:
        print("\n* is the best of a lead but for auto\n" + "\n".join(competition.written(others)))
    print(f"\n{show.verdicts(goals)}")
    print(f"{sum(made['holds'] for made in goals)} of {len(goals)} goals hold")
    print("\nEach single grade at each lead, finer than the goals; ± is the error by chance")
    for made, outside in single:
        print("\n".join([show.verdicts([made]), *outside]))
