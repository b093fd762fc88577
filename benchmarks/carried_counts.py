"""Counts of what in a plan cannot be carried out, from its CSV files alone.

Every count is told by its docstring; none shares code with the model, the plan or the certificate.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.plan_tables import JUNIOR, KEY, PRIMARY, Case, read

Figures = dict[str, float]
SOME = 0.5
"""Fewer pupils than this are none: plans count in fractions."""
NEXT_TO_NONE = 0.05
"""Less than this part of the base year: an intake has stopped, a school is emptied."""
TEACHERS = 0.5
NEAR_YEAR = 2030
"""The year in which most primary classrooms are empty while junior classes are still full."""


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0


def stopped_again(counted: pd.DataFrame) -> pd.Series:
    """Mark rows that fall to next to none of their first column and have more again later."""
    base = counted.iloc[:, 0]
    some = counted.gt(np.maximum(NEXT_TO_NONE * base, SOME), axis=0)
    begun = some.cummax(axis=1)
    stopped = (begun & ~some).cummax(axis=1)
    return (stopped & some).any(axis=1)


def is_empty(case: Case) -> pd.DataFrame:
    """Mark the years in which a private school that had pupils stands empty."""
    return (case.enrolled <= SOME).where(case.private["pupils"] > 0, False)


def intake_restarts(case: Case) -> Figures:
    """Private schools never converted whose first-grade intake stops and begins again."""
    ours = ~case.converted.any(axis=1)
    return {"schools": stopped_again(case.admitted)[ours].sum(), "of": ours.sum()}


def emptied_and_refilled(case: Case) -> Figures:
    """Private schools, converted or not, that are emptied and have pupils again later."""
    return {"schools": stopped_again(case.enrolled).sum(), "of": len(case.private)}


def converted_empty(case: Case) -> Figures:
    """Autumns in which a converted school that is not given up stands empty, and their schools."""
    empty = is_empty(case) & case.converted
    return {
        "schools": empty.any(axis=1).sum(),
        "school_years": empty.to_numpy().sum(),
        "of_school_years": case.converted.to_numpy().sum(),
    }


def converted_one_grade(case: Case) -> Figures:
    """Autumns of a converted primary school in which one grade has more than half of its pupils."""
    ours = case.enrolment[case.enrolment["stage"] == PRIMARY]
    by_school = ours.groupby([*KEY, "school_year"])["pupils"]
    largest, whole = by_school.max(), by_school.sum()
    converted = case.is_converted(whole.index) & (whole > SOME)
    found = (converted & (largest > 0.5 * whole)).sum()
    of = converted.sum()
    return {"school_years": found, "of": of, "share": _share(found, of)}


def emptied_at_once(case: Case) -> Figures:
    """Private primary schools with pupils in the base year, empty on the first 1 September."""
    base, first, _ = case.years
    stage = case.private.index.get_level_values("stage")
    gone = is_empty(case)[first] & (stage == PRIMARY)
    pupils = (case.enrolled[base] - case.enrolled[first])[gone].sum()
    return {"schools": gone.sum(), "of": (stage == PRIMARY).sum(), "pupils": pupils}


def must_emptied_before(case: Case) -> Figures:
    """Schools that must convert and stand empty in an autumn before they do."""
    must = case.private["conversion"] == "must"
    before = is_empty(case) & ~case.converted.cummax(axis=1)
    return {"schools": before[must].any(axis=1).sum(), "of": must.sum()}


def bought_who_pay(case: Case) -> Figures:
    """Bought children who pay fees at the same school a year later.

    By grade where the plan tells it: fee-paying pupils of a later grade above last December's of
    the grade below. Else an estimate: the fall in bought places, as far as fee-paying pupils rise.
    """
    first = case.years[1]
    by_school = _turned_by_grade(case) if "grade" in case.bought else _turned_by_school(case)
    turned = by_school[by_school > SOME]
    in_year = turned.index.get_level_values("school_year")
    early = turned[in_year == first + 1]
    bought = case.bought["purchased_december"].sum()
    return {
        f"pupils_{first + 1}": early.sum(),
        f"schools_{first + 1}": len(early),
        "pupils": turned.sum(),
        "of_bought": bought,
        "share": _share(turned.sum(), bought),
    }


def _turned_by_school(case: Case) -> pd.Series:
    table = case.bought.set_index([*KEY, "school_year"])
    before = table.rename(index=lambda year: year + 1, level="school_year").reindex(table.index)
    fell = (before["purchased_december"] - table["purchased"]).clip(lower=0.0)
    rose = (table["fee_paying"] - before["fee_paying_december"]).clip(lower=0.0)
    return np.minimum(fell, rose).fillna(0.0)


def _by_grade(case: Case) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return who pays by school, stage, place of the grade and year, and the cohort a year ago."""
    table = case.bought
    grades = case.by_stage(table["stage"], "grades")
    place = pd.Series(
        [of.index(one) for of, one in zip(grades, table["grade"], strict=True)], table.index
    )
    table = table.assign(place=place).set_index([*KEY, "place", "school_year"])
    below = table.set_axis(
        pd.MultiIndex.from_tuples(
            [(school, stage, p + 1, year + 1) for school, stage, p, year in table.index],
            names=table.index.names,
        )
    ).reindex(table.index)
    return table, below


def _turned_by_grade(case: Case) -> pd.Series:
    table, below = _by_grade(case)
    later = (table.index.get_level_values("place") > 0) & (
        table.index.get_level_values("school_year") > case.years[1]
    )
    more = (table["fee_paying"] - below["fee_paying_december"].fillna(0.0)).clip(lower=0.0)
    turned = np.minimum(more, below["purchased_december"].fillna(0.0))[later]
    return turned.groupby([*KEY, "school_year"]).sum()


def contracts_halved(case: Case) -> Figures:
    """Contracts whose places fall to half or fewer from a year to the next within their term."""
    term = int(case.setting("policy", "contract_years", 3))
    runs = halved = 0
    for _, of_school in case.of_plan("purchases").groupby(KEY):
        places = of_school[of_school["contract"] > SOME].set_index("school_year")["places_december"]
        for start in places.index[~(places.index - 1).isin(places.index)]:
            runs += 1
            within = places[places.index.isin(range(start, start + term))]
            halved += bool((within <= 0.5 * within.shift()).any())
    return {"contracts": halved, "of": runs}


def bought_beside_seats(case: Case) -> Figures:
    """Places bought beside as many empty public seats of the same area and stage.

    Seats are standard ones, school by school, of public and converted schools; those of a school
    that converts stand open to others from its second year on (docs/model.md). Usable are those
    that the limit on large classes leaves the area's schools together, in counties that have not
    hired, or put on post, all the teachers that they may.
    """
    table = case.of_plan("schools")
    table = table[table["stage"].isin(case.compulsory)].copy()
    table["seats"] = table[["seats_existing", "seats_new", "seats_converted"]].sum(axis=1)
    begins = case.converted_from.reindex(pd.MultiIndex.from_frame(table[KEY])).to_numpy()
    first = (table["school_year"] == begins).to_numpy()
    table["seats"] = table["seats"].where(~first, table[["seats", "public"]].min(axis=1))
    table["standard"] = (table["seats"] - table["public"]).clip(lower=0.0)
    table["usable"] = table["seats"] * _filled_at_most(case, table) - table["public"]
    here = table.groupby(["area", "county", "stage", "school_year"])[
        ["standard", "usable", "purchased_december"]
    ].sum()
    bought = here["purchased_december"]

    keys = pd.MultiIndex.from_arrays([here.index.get_level_values(k) for k in _TIMES])
    staffed = _teachers_to_be_had(case).reindex(keys).fillna(True).to_numpy(bool)
    by_year = np.minimum(bought, here["standard"]).groupby("school_year").sum()
    free = here["usable"].clip(lower=0.0)[staffed]
    usable = np.minimum(bought[staffed], free).sum()
    newly = _newly_bought(case, table).reindex(here.index).fillna(0.0)[staffed]
    return {
        **{f"beside_standard_{year}": by_year.get(year, 0.0) for year in _shown(case)},
        "beside_standard": by_year.sum(),
        "beside_usable": usable,
        "newly_beside_usable": np.minimum(newly, free).sum(),
        "of_bought": bought.sum(),
        "share": _share(usable, bought.sum()),
    }


def _newly_bought(case: Case, schools: pd.DataFrame) -> pd.Series:
    """Bought children, by area, stage and year, whose cohort was not bought there a year ago.

    The others stay where they were bought. By school, of places, where the plan tells no grades.
    """
    if "grade" in case.bought:
        table, below = _by_grade(case)
    else:
        table = case.bought.set_index([*KEY, "school_year"])
        below = table.rename(index=lambda year: year + 1, level="school_year").reindex(table.index)
    newly = (table["purchased_december"] - below["purchased_december"].fillna(0.0)).clip(lower=0.0)
    newly = newly.groupby([*KEY, "school_year"]).sum()
    times = ["area", "county", "stage", "school_year"]
    keyed = schools.set_index([*KEY, "school_year"])[["area", "county"]].join(newly.rename("newly"))
    return keyed.reset_index().groupby(times)["newly"].sum()


_TIMES = ["county", "school_year"]


def _shown(case: Case) -> tuple[int, int]:
    """Return the first planned year and the third after it, when contracts have ended once."""
    return case.years[1], case.years[1] + 3


def _stepped(table: Mapping[str, float], year: int) -> float | None:
    reached = [int(key) for key in table if int(key) <= year]
    return float(table[str(max(reached))]) if reached else None


def _filled_at_most(case: Case, table: pd.DataFrame) -> pd.Series:
    """Return how full standard seats may be, 1 or less, under the limit on large classes.

    The mean class at which straight lines between sizes of 40, 42.5, …, 55 give the share.
    """
    shares = case.setting("policy", "large_class_share", {})
    if not shares or not case.setting("switches", "class_size", True):
        return pd.Series(1.0, table.index)
    spread = float(case.setting("policy", "class_size_sd", 5.0))
    means = np.arange(40.0, 56.0, 2.5)
    found = {}
    for stage in case.compulsory:
        standard = case.standards[stage]
        steps = (standard["large_class"] - 0.5 - means) / spread
        large = [0.5 * math.erfc(step / math.sqrt(2)) for step in steps]
        for year in table["school_year"].unique():
            share = _stepped(shares, year)
            mean = standard["class_size"] if share is None else np.interp(share, large, means)
            found[stage, year] = min(1.0, mean / standard["class_size"])
    filled = [found[key] for key in zip(table["stage"], table["school_year"], strict=True)]
    public = table["sector"] == "public"
    return pd.Series(filled, table.index).where(public, 1.0)


def _teachers_to_be_had(case: Case) -> pd.Series:
    """Whether a county could have one more teacher, by county and school year."""
    staff = case.of_plan("staff").groupby(_TIMES)[["pool", "hired", "contract"]].sum()
    staff["contract"] -= _set_free(case).reindex(staff.index).fillna(0.0)
    staff["pool"] -= _posts_brought(case).reindex(staff.index).fillna(0.0)
    if not (case.scenario / "limits.csv").is_file():
        return pd.Series(True, staff.index)
    limits = read(case.scenario, "limits", ("county", "year", "kind", "amount"))
    limits = limits.set_index(["kind", "county", "year"])["amount"]

    def used_up(column: str, kind: str) -> pd.Series:
        if kind not in limits.index.get_level_values("kind"):
            return pd.Series(False, staff.index)
        of_kind = limits[kind].rename_axis(_TIMES)
        own = of_kind.reindex(staff.index)
        whole = staff[column].groupby("school_year").transform("sum")
        years = staff.index.get_level_values("school_year")
        shared = of_kind.reindex(pd.MultiIndex.from_product([["*"], years])).to_numpy()
        return (staff[column] >= own - TEACHERS) | (whole >= shared - TEACHERS)

    contract = used_up("contract", "contract_teachers")
    hired, posts = used_up("hired", "hires"), used_up("pool", "posts")
    return ~(contract & (hired | posts))


def _set_free(case: Case) -> pd.Series:
    """Count teachers whom shrinking private schools set free for contracts."""
    share = float(case.setting("policy", "release_share", 0.3))
    table = case.of_plan("schools").set_index([*KEY, "school_year"])
    table = table.loc[table.index.droplevel("school_year").isin(case.private.index)]
    listed = case.private.reindex(table.index.droplevel("school_year")).set_axis(table.index)
    stages = table.index.get_level_values("stage")
    staffed = stages.isin(case.setting("staff", "stages", [PRIMARY, JUNIOR]))
    usual = listed["pupils"] / case.by_stage(pd.Series(stages), "pupils_per_post").to_numpy()
    per_pupil = (listed["staff"].fillna(usual) / listed["pupils"]).where(listed["pupils"] > 0, 0.0)
    converted = case.is_converted(table.index)
    left = listed["pupils"].where(~converted, 0.0) - table["fee_paying"] - table["purchased"]
    table = table.assign(free=share * (per_pupil * left).where(staffed, 0.0))
    return table.groupby(_TIMES)["free"].sum()


def _posts_brought(case: Case) -> pd.Series:
    """Count posts that projects in use bring, by county and school year."""
    opened = case.of_plan("openings")
    _, first, last = case.years
    years = range(first, last + 1)
    nothing = pd.Series([], pd.MultiIndex.from_arrays([[], []], names=_TIMES), dtype=float)
    if not len(opened):
        return nothing
    listed = read(case.scenario, "projects", ("project", "area"))
    if "posts" not in listed:
        return nothing
    areas = read(case.scenario, "areas", ("area", "county")).set_index("area")["county"]
    rows = listed.assign(county=listed["area"].map(areas)).merge(opened, on="project")
    opens = pd.to_datetime(rows["opens"])
    rows["from_year"] = opens.dt.year + (opens.dt.month > 9)
    posts = rows["posts"].fillna(0.0) * rows["copies"]
    return pd.concat(
        {year: posts[rows["from_year"] <= year].groupby(rows["county"]).sum() for year in years},
        names=["school_year", "county"],
    ).reorder_levels(_TIMES)


def empty_classrooms(case: Case) -> Figures:
    """Whole empty primary classrooms beside as many over-filled junior ones of the same area."""
    table = case.of_plan("schools")
    table = table[table["stage"].isin([PRIMARY, JUNIOR])].copy()
    seats = table[["seats_existing", "seats_new", "seats_converted"]].sum(axis=1)
    is_public = (table["sector"] == "public") | (seats > 0)
    table["empty"] = (seats - table["public"]).clip(lower=0.0).where(is_public, 0.0)
    table["over"] = (table["public"] - seats).clip(lower=0.0).where(is_public, 0.0)
    here = table.groupby(["stage", "area", "school_year"])[["empty", "over"]].sum()
    if not {PRIMARY, JUNIOR} <= set(table["stage"]):
        return {}
    empty, over = here.loc[PRIMARY, "empty"], here.loc[JUNIOR, "over"]
    size = {stage: case.standards[stage]["class_size"] for stage in (PRIMARY, JUNIOR)}
    rooms = np.minimum(empty // size[PRIMARY], over // size[JUNIOR]).fillna(0.0)
    by_year = rooms.groupby("school_year").sum()
    seats_of, pupils_of = (part.groupby("school_year").sum() for part in (empty, over))
    year = min(NEAR_YEAR, case.years[2])
    return {
        f"empty_primary_seats_{year}": seats_of[year],
        f"junior_pupils_over_{year}": pupils_of[year],
        f"rooms_{year}": by_year[year],
        "rooms_worst_year": by_year.max(),
        "worst_year": by_year.idxmax(),
        "share": _share(by_year.max(), (over // size[JUNIOR]).groupby("school_year").sum().max()),
    }


def teachers_untold(case: Case) -> Figures:
    """Teachers beyond the need, recomputed from pupils, in the last year; those told nowhere."""
    staffed = case.setting("staff", "stages", [PRIMARY, JUNIOR])
    schools = case.of_plan("schools")
    schools = schools[schools["stage"].isin(staffed)]
    staff = case.of_plan("staff")
    by = ["county", *(["stage"] if "stage" in staff else []), "school_year"]
    need = schools["public"] / case.by_stage(schools["stage"], "pupils_per_post")
    need = need.groupby([schools[key] for key in by]).sum()
    staff = staff.groupby(by).sum(numeric_only=True)
    beyond = (staff["pool"] + staff["contract"] - need.reindex(staff.index).fillna(0.0)).clip(
        lower=0.0
    )
    told = staff["surplus"] if "surplus" in staff else pd.Series(0.0, staff.index)
    untold = (beyond - told).clip(lower=0.0).groupby("school_year").sum()
    wrong = (staff["need"] - need.reindex(staff.index)).abs().sum() if "need" in staff else 0.0
    last = case.years[2]
    return {
        f"surplus_{last}": beyond.groupby("school_year").sum()[last],
        "untold": untold[last],
        "untold_most": untold.max(),
        "need_differs": wrong,
    }


COUNTS: tuple[Callable[[Case], Figures], ...] = (
    intake_restarts,
    emptied_and_refilled,
    converted_empty,
    converted_one_grade,
    emptied_at_once,
    must_emptied_before,
    bought_who_pay,
    contracts_halved,
    bought_beside_seats,
    empty_classrooms,
    teachers_untold,
)


def count(plan: Path, scenario: Path) -> dict[str, Figures]:
    """Count everything from two folders of CSV files.

    Raises
    ------
    TablesError
        When a file or a column is missing.
    """
    case = Case(plan, scenario)
    return {of.__name__: {name: float(value) for name, value in of(case).items()} for of in COUNTS}


def lines(counts: Mapping[str, Figures]) -> Iterator[str]:
    """Write a line a count: its figures and what they are."""
    for of in COUNTS:
        figures = counts[of.__name__]
        told = ", ".join(f"{k.replace('_', ' ')} {_written(k, v)}" for k, v in figures.items())
        yield f"{of.__name__:<22}{told}\n{'':<22}({(of.__doc__ or '').splitlines()[0]})"


def _written(name: str, value: float) -> str:
    if name == "share":
        return f"{value:.1%}"
    return f"{value:.0f}" if name == "worst_year" else f"{value:,.0f}"
