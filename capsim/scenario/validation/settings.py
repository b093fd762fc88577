"""Checks of settings: years and standards in order, stages known, shares and calendars that exist.

Amounts in thousands of RMB and limits of years gone by may be meant: they are warnings, not faults.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping

import pandas as pd

from capsim.i18n.language import Message, Value
from capsim.scenario.faults import Fault, as_it_is, nearest
from capsim.scenario.school_stages import Stage, stages_of
from capsim.scenario.settings import Settings
from capsim.scenario.validation.context import Case, at_least

LONGEST = 100


def stage_table(settings: Settings, file: str) -> tuple[dict[str, Stage], list[Fault]]:
    """Return every stage that settings know, or the fault that a new one is incomplete."""
    try:
        return stages_of(settings), []
    except ValueError as error:
        text = "the built-in stages, or one that is complete: {reason}"
        lacking = Message(text, {"reason": error.args[0]})
        return {}, [Fault(file, None, "standards", "", lacking)]


def settings_faults(case: Case) -> list[Fault]:
    """Check settings against each other."""
    return [
        *_years(case),
        *_stages(case),
        *_standards(case),
        *_parents(case),
        *_calendars(case),
        *_map(case),
    ]


def _map(case: Case) -> Iterable[Fault]:
    place = case.settings.map
    for own, other in (("longitude", "latitude"), ("latitude", "longitude")):
        if getattr(place, own) is None and getattr(place, other) is not None:
            both = Message("both map.longitude and map.latitude, or neither")
            yield case.fault(f"map.{own}", "", both)


def _years(case: Case) -> Iterable[Fault]:
    years, policy = case.settings.horizon, case.settings.policy
    if years.first_year != years.base_year + 1:
        expected = as_it_is(f"base_year + 1 = {years.base_year + 1}")
        yield case.fault("horizon.first_year", years.first_year, expected)
    if not years.first_year <= years.last_year < years.first_year + LONGEST:
        last = years.first_year + LONGEST - 1
        expected = Message(
            "a year from {first} to {last}", {"first": years.first_year, "last": last}
        )
        yield case.fault("horizon.last_year", years.last_year, expected)

    def is_planned(year: int) -> bool:
        return years.first_year <= year <= years.last_year

    span: Mapping[str, Value] = {"first": years.first_year, "last": years.last_year}
    planned = Message("a planned year, {first} to {last}", span)
    date = Message("a date in {period}", {"period": planned})
    for year in case.settings.catchments.drawn:
        if not is_planned(year):
            yield case.fault("catchments.drawn", year, planned)
    if policy.reduction > 0 and not is_planned(policy.reduction_year):
        yield case.fault("policy.reduction_year", policy.reduction_year, planned)
    if policy.conversion_due_year < policy.conversion_earliest_year:
        expected = at_least(f"conversion_earliest_year = {policy.conversion_earliest_year}")
        yield case.fault("policy.conversion_due_year", policy.conversion_due_year, expected)
    staff = case.settings.staff
    if staff.attrition + staff.retirement > 1:
        expected = Message(
            "at most 1 with attrition = {attrition}", {"attrition": f"{staff.attrition:g}"}
        )
        yield case.fault("staff.retirement", f"{staff.retirement:g}", expected)
    if staff.county_move_share is not None and case.settings.costs.county_move_cny is None:
        expected = Message("a price of moves between counties: costs.county_move_cny")
        yield case.fault("staff.county_move_share", f"{staff.county_move_share:g}", expected)
    for name, programme in case.settings.programmes.items():
        if not is_planned(programme.by.year):
            yield case.fault(f"programmes.{name}.by", programme.by, date)
    for name, choice in case.settings.choices.items():
        key = f"choices.{name}"
        if choice.by is not None and not is_planned(choice.by.year):
            yield case.fault(f"{key}.by", choice.by, date)
        if choice.most is not None and choice.most < choice.least:
            expected = Message("at least {least}, the least of the choice", {"least": choice.least})
            yield case.fault(f"{key}.most", choice.most, expected)
        if choice.most is None and not choice.least:
            yield case.fault(key, "", Message("a least or a most"))
        if not choice.projects and not choice.kinds:
            yield case.fault(key, "", Message("projects or kinds"))


def _stages(case: Case) -> Iterable[Fault]:
    if not case.stages:
        return
    settings = case.settings
    for key, names in (
        ("stages.planned", settings.stages.planned),
        ("stages.compulsory", settings.stages.compulsory),
        ("staff.stages", settings.staff.stages),
        ("travel.nearest", tuple(settings.travel.nearest)),
        ("travel.radius_km", tuple(settings.travel.radius_km)),
        ("travel.day_km", tuple(settings.travel.day_km)),
        ("travel.day_minutes", tuple(settings.travel.day_minutes)),
        ("catchments.stages", settings.catchments.stages),
        ("demand.entry_age", tuple(settings.demand.entry_age)),
        ("demand.gross_enrolment", tuple(settings.demand.gross_enrolment)),
        ("demand.elsewhere", tuple(settings.demand.elsewhere)),
    ):
        for name, number in Counter(names).items():
            if name not in case.stages:
                near = nearest(name, case.stages)
                yield case.fault(key, name, Message("a stage: {near}", {"near": near}))
            elif number > 1:
                yield case.fault(key, name, Message("each stage once"))


def _standards(case: Case) -> Iterable[Fault]:
    taught: Counter[str] = Counter()
    for stage in case.stages.values():
        key = f"standards.{stage.name}"
        taught.update(stage.grades)
        if not stage.grades:
            yield case.fault(f"{key}.grades", "", Message("at least one grade"))
        if stage.class_ceiling < stage.class_size:
            expected = at_least(f"class_size = {stage.class_size:g}")
            yield case.fault(f"{key}.class_ceiling", f"{stage.class_ceiling:g}", expected)
        if not stage.class_ceiling <= stage.large_class <= stage.very_large_class:
            expected = Message(
                "from {low} to {high}",
                {
                    "low": f"class_ceiling = {stage.class_ceiling:g}",
                    "high": f"very_large_class = {stage.very_large_class:g}",
                },
            )
            yield case.fault(f"{key}.large_class", f"{stage.large_class:g}", expected)
    for grade, number in taught.items():
        if number > 1:
            yield case.fault("standards", grade, Message("each grade in one stage"))


def _parents(case: Case) -> Iterable[Fault]:
    """Check that a share of this mean can spread as far."""
    size = case.settings.uncertainty
    for name, mean, sd in (
        ("uptake_sd", size.uptake_mean, size.uptake_sd),
        ("refusal_sd", size.refusal_mean, size.refusal_sd),
    ):
        most = (mean * (1 - mean)) ** 0.5
        if sd > 0 and sd >= most:
            expected = Message(
                "below {most}, for a share of {mean} on average",
                {"most": f"{most:.3g}", "mean": f"{mean:g}"},
            )
            yield case.fault(f"uncertainty.{name}", f"{sd:g}", expected)


def _calendars(case: Case) -> Iterable[Fault]:
    exists = Message("a day that exists, month-day")
    for name, calendar in case.settings.calendars.items():
        for stop in calendar.stops:
            for day in stop:
                if not _is_day(day):
                    yield case.fault(f"calendars.{name}.stops", day, exists)


def _is_day(text: str) -> bool:
    try:
        dt.date.fromisoformat(f"2024-{text}")
    except ValueError:
        return False
    return True


TINY = 0.01
"""Of what must be paid, the money below which its unit is in doubt."""
FAR = 1000
"""Times the median of its county's other years from which one year's money is in doubt."""
PLACE_CNY = (500, 2_000_000)
PRICE_CNY = (50, 200_000)
"""RMB of a place to build, and of one to buy for a year, outside which the unit is in doubt."""
MONEY = ("capital", "recurrent")
NAMED = 10
"""Rows named one by one; the rest is counted."""


def amount_warnings(case: Case) -> list[Message]:
    """Return warnings of amounts that are probably not in RMB."""
    limits, projects, schools = (case.frame(name) for name in ("limits", "projects", "schools"))
    warnings: list[Message] = []
    if projects is not None:
        built = projects[(projects["places"] > 0) & (projects["capital_cny"] > 0)]
        price = built["capital_cny"] / built["places"]
        what = "projects: capital_cny"
        warnings += _outside(what, built["project"], price, PLACE_CNY, Message("a place"))
    if schools is not None:
        sold = schools[(schools["purchasable_places"] > 0) & (schools["purchase_price_cny"] > 0)]
        price = sold["purchase_price_cny"]
        what = "schools: purchase_price_cny"
        warnings += _outside(what, sold["school"], price, PRICE_CNY, Message("a place and year"))
    if limits is None:
        return warnings
    warnings += _of_years_gone_by(limits, case.settings.horizon.first_year)
    warnings += _far_from_other_years(limits)
    amounts = limits.groupby(["kind", "year"])["amount"].sum()
    if projects is not None and "capital" in amounts:
        unpaid = ((projects["capital_cny"] - projects["spent_cny"]) * projects["count"]).sum()
        money = amounts["capital"].sum()
        if 0 < money < TINY * unpaid:
            text = (
                "limits: capital of {money} RMB in all years, projects cost {cost}; "
                "amounts are in RMB"
            )
            warnings.append(Message(text, {"money": f"{money:,.0f}", "cost": f"{unpaid:,.0f}"}))
    if schools is not None and "recurrent" in amounts:
        pooled = schools["stage"].isin(case.settings.staff.stages)
        teachers = schools["staff"][pooled & (schools["sector"] == "public")].sum()
        wages = teachers * case.settings.costs.teacher_cny
        money = amounts["recurrent"].max()
        if 0 < money < TINY * wages:
            text = (
                "limits: recurrent of at most {money} RMB a year, public staff cost {cost}; "
                "amounts are in RMB"
            )
            warnings.append(Message(text, {"money": f"{money:,.0f}", "cost": f"{wages:,.0f}"}))
    return warnings


def _outside(
    what: str, names: pd.Series, price: pd.Series[float], usual: tuple[int, int], each: Message
) -> list[Message]:
    odd = names[(price < usual[0]) | (price > usual[1])]
    if not len(odd):
        return []
    text = (
        "{what} of {rows} rows (first: {first}) is not {low}-{high} RMB {each}; amounts are in RMB"
    )
    low, high = (f"{amount:,}" for amount in usual)
    said: dict[str, Value] = {
        "rows": len(odd),
        "first": str(odd.iloc[0]),
        "low": low,
        "high": high,
        "each": each,
    }
    return [Message(text, {"what": what, **said})]


def _of_years_gone_by(limits: pd.DataFrame, first_year: int) -> list[Message]:
    """Return a warning by kind that limits of years not planned any more limit nothing."""
    past = limits[limits["year"] < first_year]
    text = (
        "limits: {number} {kind} rows of years before {first_year} (first: {year}, county {county})"
        " limit nothing; what is left of a quota belongs in {first_year}"
    )
    return [
        Message(
            text,
            {
                "number": len(rows),
                "kind": str(kind),
                "first_year": first_year,
                "year": int(rows["year"].iloc[0]),
                "county": str(rows["county"].iloc[0]),
            },
        )
        for kind, rows in past.groupby("kind", sort=False)
    ]


def _far_from_other_years(limits: pd.DataFrame) -> list[Message]:
    """Name single years of a county whose money is a thousandth of its other years', or less."""
    money = limits[limits["kind"].isin(MONEY) & (limits["amount"] > 0)]
    usual = money.groupby(["county", "kind"])["amount"].transform("median")
    odd = money[(money["amount"] * FAR <= usual) | (money["amount"] >= usual * FAR)]
    text = (
        "limits: {kind} of {money} RMB in {year} (county {county}), {usual} in most years; "
        "amounts are in RMB"
    )
    warnings = [
        Message(
            text,
            {
                "kind": kind,
                "money": f"{amount:,.0f}",
                "year": int(year),
                "county": county,
                "usual": f"{middle:,.0f}",
            },
        )
        for county, year, kind, amount, middle in zip(
            *(odd[name].head(NAMED) for name in ("county", "year", "kind", "amount")),
            usual[odd.index],
            strict=False,
        )
    ]
    if len(odd) > NAMED:
        text = "limits: {number} more rows as far from their other years"
        warnings.append(Message(text, {"number": len(odd) - NAMED}))
    return warnings


FEW_SEATS = 0.8
"""Places to pupils of a stage below which a figure is in doubt."""


def _compulsory(case: Case) -> set[str]:
    return set(case.settings.stages.compulsory) & set(case.settings.stages.planned)


def _by_sector(case: Case) -> pd.Series[float] | None:
    """Return compulsory pupils of the base year by sector, of schools or else as observed."""
    schools, pupils = case.frame("schools"), case.frame("pupils")
    if not _compulsory(case):
        return None
    if schools is not None and "schools" not in case.unread:
        return schools[schools["stage"].isin(_compulsory(case))].groupby("sector")["pupils"].sum()
    if pupils is None or not case.stages:
        return None
    now = pupils[pupils["school_year"] == case.settings.horizon.base_year]
    return (
        now[now["grade"].map(case.grades).isin(_compulsory(case))].groupby("sector")["pupils"].sum()
    )


REDUCTION = (
    "policy.reduction: {reduction} are to leave, and {pupils} private pupils of compulsory stages"
    " there were in {base}: no plan can do it; ask for fewer, or mend the column sector"
)
CAP = (
    "policy.private_share_cap: met already, {share} % of compulsory pupils in {base} are"
    " private, {cap} % are allowed; mend the cap or the column sector, if they are to change"
)
OF_ORDERS = (REDUCTION, CAP)


def order_warnings(case: Case) -> list[Message]:
    """Return warnings of a reduction that no plan can reach, and of a cap that is met already."""
    policy, sectors = case.settings.policy, _by_sector(case)
    if sectors is None:
        return []
    base, private, everyone = (
        case.settings.horizon.base_year,
        float(sectors.get("private", 0.0)),
        float(sectors.sum()),
    )
    found = []
    if policy.reduction > private + 0.5:
        reduction, pupils = f"{policy.reduction:,.0f}", f"{private:,.0f}"
        found.append(Message(REDUCTION, {"reduction": reduction, "pupils": pupils, "base": base}))
    cap = min(policy.private_share_cap.values(), default=-1.0)
    if everyone and private <= cap * everyone:
        share = f"{100 * private / everyone:.2f}"
        found.append(Message(CAP, {"share": share, "base": base, "cap": f"{100 * cap:.4g}"}))
    return found


def odd_warnings(case: Case) -> list[Message]:
    """Return warnings of what is possible but probably not meant, each with what to do."""
    return [
        *_late_projects(case),
        *_empty_areas(case),
        *_without_places(case),
    ]


def _late_projects(case: Case) -> list[Message]:
    projects, last = case.frame("projects"), case.settings.horizon.last_year
    if projects is None:
        return []
    late = projects[projects["earliest_opening"] > f"{last}-09-01"]
    if late.empty:
        return []
    text = (
        "projects: {number} rows open after 1 September {year}, when the last planned year begins"
        " (first: {first}): they bring no place; lengthen horizon.last_year, or take them out"
    )
    first = str(late["project"].iloc[0])
    return [Message(text, {"number": len(late), "year": last, "first": first})]


def _empty_areas(case: Case) -> list[Message]:
    areas = case.frame("areas")
    if areas is None or case.unread:
        return []
    filled = set[str]()
    for name in ("pupils", "forecast", "schools", "projects", "dwellings", "migration"):
        frame = case.frame(name)
        if frame is not None:
            some = (
                frame if name == "projects" or "pupils" not in frame else frame[frame["pupils"] > 0]
            )
            filled |= set(some["area"])
    empty = [area for area in areas["area"] if area not in filled]
    if not empty or not filled:
        return []
    text = (
        "areas: {number} have no children, no school and no project (first: {first});"
        " give them, or take the areas out"
    )
    return [Message(text, {"number": len(empty), "first": empty[0]})]


def _without_places(case: Case) -> list[Message]:
    schools = case.frame("schools")
    if schools is None:
        return []
    found = []
    none = schools[(schools["places"] == 0) & (schools["pupils"] > 0)]
    if len(none):
        text = (
            "schools: {number} rows have pupils and no places (first: {first}): nobody is seated"
            " there; give their places"
        )
        first = str(none["school"].iloc[0])
        found.append(Message(text, {"number": len(none), "first": first}))
    sums = schools[schools["stage"].isin(case.settings.stages.planned)]
    sums = sums.groupby("stage", sort=False)[["places", "pupils"]].sum()
    text = (
        "schools: {places} places for {pupils} pupils of stage {stage}; check that places are seats"
        " of whole schools, in persons"
    )
    for stage, row in sums[sums["places"] < FEW_SEATS * sums["pupils"]].iterrows():
        places, pupils = f"{row['places']:,.0f}", f"{row['pupils']:,.0f}"
        found.append(Message(text, {"places": places, "pupils": pupils, "stage": str(stage)}))
    return found
