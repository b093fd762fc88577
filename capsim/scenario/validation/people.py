"""Checks of children and schools: those observed, born, forecast and at school must agree."""

from __future__ import annotations

import numpy as np
import pandas as pd

from capsim.i18n.language import Message
from capsim.scenario.faults import Fault
from capsim.scenario.parsing import SHOWN, Bad, Typed, codes, shown
from capsim.scenario.validation.context import Case, at_most, breaches

TOLERANCE = 0.5
MOST_PER_CLASS = 100
MOST_PER_BIRTH = 5
FEW = 500


def pupils_faults(case: Case) -> list[Fault]:
    """Check observed years: without gaps up to the base year, never far more pupils than births."""
    pupils = case.get("pupils")
    if pupils is None:
        return []
    base = case.settings.horizon.base_year
    late = pupils.frame["school_year"] > base
    observed = Message("an observed year, at most base_year = {base}", {"base": base})
    faults = pupils.where(late, "school_year", observed)
    if "pupils" in case.unread:
        return faults
    faults += _gaps(pupils, ["area", "sector", "grade"], "school_year")
    if not (pupils.frame["school_year"] == base).any():
        expected = Message("rows of the base year {base}", {"base": base})
        faults.append(Fault(pupils.file, None, "school_year", "", expected))
    return faults + _too_many(case, pupils)


def births_faults(case: Case) -> list[Fault]:
    """Check that years of births have no gaps."""
    births = case.get("births")
    return [] if births is None else _gaps(births, ["area"], "year")


def forecast_faults(case: Case) -> list[Fault]:
    """Check forecast years: without gaps, never far more children than births."""
    forecast = case.get("forecast")
    if forecast is None:
        return []
    return _gaps(forecast, ["area", "grade"], "school_year") + _too_many(case, forecast)


def schools_faults(case: Case) -> list[Fault]:
    """Check schools against their classes, their rolls and the observed pupils of their area."""
    schools = case.get("schools")
    if schools is None:
        return []
    frame = schools.frame
    most = MOST_PER_CLASS * frame["classes"]
    crowded = Message("at most {most} a class", {"most": MOST_PER_CLASS})
    public = frame["sector"] == "public"
    sold, size = frame["purchasable_places"], frame[["places", "pupils"]].max(axis=1)
    under = (sold > 0) & (frame["purchase_min_places"] > sold)
    faults = breaches(
        schools,
        (frame["pupils"] > most, "pupils", crowded),
        (frame["places"] > most, "places", crowded),
        (
            public & (frame["conversion"] != "no"),
            "conversion",
            Message("no (the school is public)"),
        ),
        (public & (sold > 0), "purchasable_places", Message("0 (the school is public)")),
        (sold > size, "purchasable_places", Message("at most the school's places")),
        (under, "purchase_min_places", at_most("purchasable_places")),
    )
    if "schools" in case.unread:
        return faults
    return faults + _rolls(case, schools) + _totals(case, schools)


def _gaps(typed: Typed, by: list[str], year: str) -> list[Fault]:
    """Name rows whose year does not follow the one before in the same group."""
    group = codes([typed.frame[column] for column in by])
    years = typed.frame[year].to_numpy()
    order = np.lexsort((years, group))
    same = group[order][1:] == group[order][:-1]
    step = np.diff(years[order])
    gap = np.zeros(len(years), dtype=bool)
    gap[order[1:]] = same & (step > 1)
    before = np.zeros(len(years), dtype=np.int64)
    before[order[1:]] = years[order[:-1]]
    return breaches(
        typed,
        *(
            (
                gap & (before == at),
                year,
                Message("no gap after {year} ({columns})", {"year": at, "columns": tuple(by)}),
            )
            for at in np.unique(before[gap]).tolist()
        ),
    )


def _too_many(case: Case, typed: Typed) -> list[Fault]:
    """Name grades of a county with several times the births of their cohort.

    Whole counties, because children of an area may go to school in another.
    """
    areas, births = case.frame("areas"), case.frame("births")
    if areas is None or births is None or not case.stages or {"areas", "births"} & case.unread:
        return []
    county = dict(zip(areas["area"], areas["county"], strict=True))
    born = births.groupby([births["area"].map(county), "year"])["births"].sum()
    whole = births["area"].nunique() == len(county)
    frame = typed.frame
    if not whole or frame.empty:
        return []
    age = {
        grade: stage.entry_age + at
        for stage in case.stages.values()
        for at, grade in enumerate(stage.grades)
    }
    ages = frame["grade"].map(age)
    key = codes([frame["area"].map(county), frame["grade"], frame["school_year"]])
    total = np.bincount(key, weights=frame["pupils"].to_numpy())[key]
    suspect = np.flatnonzero((total > FEW) & ages.notna().to_numpy())
    if not len(suspect):
        return []
    some = frame.iloc[suspect]
    turned = (some["school_year"] - ages.iloc[suspect]).astype("int64")
    places = some["area"].map(county)
    cohort = np.zeros(len(some))
    known = np.ones(len(some), dtype=bool)
    for back in (0, 1):
        index = pd.MultiIndex.from_arrays([places, turned - back])
        births_of_year = born.reindex(index).to_numpy(dtype=np.float64)
        known &= ~np.isnan(births_of_year)
        cohort = np.maximum(cohort, np.nan_to_num(births_of_year))
    bad = suspect[known & (total[suspect] > MOST_PER_BIRTH * cohort)]
    mask = np.zeros(len(frame), dtype=bool)
    mask[bad] = True
    text = "together in its county at most {most} times the births of the cohort"
    expected = Message(text, {"most": MOST_PER_BIRTH})
    return typed.where(mask, "pupils", expected)


def _rolls(case: Case, schools: Typed) -> list[Fault]:
    rolls = case.frame("rolls")
    if rolls is None or "rolls" in case.unread:
        return []
    sums = rolls.groupby(["school", "stage"])["pupils"].sum()
    index = pd.MultiIndex.from_frame(schools.frame[["school", "stage"]])
    expected = sums.reindex(index).to_numpy(dtype=np.float64)
    listed = schools.frame["pupils"].to_numpy()
    off = np.flatnonzero(np.abs(expected - listed) > TOLERANCE)
    bad: list[Bad] = [
        (
            at,
            shown(float(listed[at])),
            Message("the sum of its rolls, {sum}", {"sum": f"{expected[at]:g}"}),
        )
        for at in off[:SHOWN].tolist()
    ]
    return schools.faults("pupils", bad)


def _totals(case: Case, schools: Typed) -> list[Fault]:
    """Compare schools with the observed pupils of area, stage and sector in the base year."""
    pupils = case.frame("pupils")
    if pupils is None or not case.stages or "pupils" in case.unread:
        return []
    now = pupils[pupils["school_year"] == case.settings.horizon.base_year]
    observed = (
        now["pupils"].groupby([now["area"], now["grade"].map(case.grades), now["sector"]]).sum()
    )
    key = ["area", "stage", "sector"]
    listed = schools.frame.groupby(key, sort=False)["pupils"].sum()
    first = schools.frame.drop_duplicates(key).index.to_numpy()
    expected = observed.reindex(listed.index)
    off = np.flatnonzero((listed - expected).abs().to_numpy() > TOLERANCE)
    bad: list[Bad] = []
    for at in off[:SHOWN].tolist():
        group = " / ".join(listed.index[at])
        agreed = Message(
            "schools of {group} that sum to {sum}, as in pupils",
            {"group": group, "sum": f"{expected.iloc[at]:g}"},
        )
        value = Message("{sum} in all", {"sum": f"{listed.iloc[at]:g}"})
        bad.append((int(first[at]), value, agreed))
    return schools.faults("pupils", bad)
