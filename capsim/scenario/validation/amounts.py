"""Warnings of what is probably not meant: amounts in thousands of RMB, limits of years gone by.

It may be meant, so none of it is a fault.
"""

from __future__ import annotations

import pandas as pd

from capsim.scenario.validation.context import Case

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


def amount_warnings(case: Case) -> list[str]:
    """Return warnings of amounts that are probably not in RMB."""
    limits, projects, schools = (case.frame(name) for name in ("limits", "projects", "schools"))
    warnings = []
    if projects is not None:
        built = projects[(projects["places"] > 0) & (projects["capital_cny"] > 0)]
        price = built["capital_cny"] / built["places"]
        what = "projects: capital_cny"
        warnings += _outside(what, built["project"], price, PLACE_CNY, "a place")
    if schools is not None:
        sold = schools[(schools["purchasable_places"] > 0) & (schools["purchase_price_cny"] > 0)]
        price = sold["purchase_price_cny"]
        what = "schools: purchase_price_cny"
        warnings += _outside(what, sold["school"], price, PRICE_CNY, "a place and year")
    if limits is None:
        return warnings
    warnings += _of_years_gone_by(limits, case.settings.horizon.first_year)
    warnings += _far_from_other_years(limits)
    amounts = limits.groupby(["kind", "year"])["amount"].sum()
    if projects is not None and "capital" in amounts:
        unpaid = ((projects["capital_cny"] - projects["spent_cny"]) * projects["count"]).sum()
        money = amounts["capital"].sum()
        if 0 < money < TINY * unpaid:
            warnings.append(
                f"limits: capital of {money:,.0f} RMB in all years, projects cost {unpaid:,.0f}; "
                "amounts are in RMB"
            )
    if schools is not None and "recurrent" in amounts:
        pooled = schools["stage"].isin(case.settings.staff.stages)
        teachers = schools["staff"][pooled & (schools["sector"] == "public")].sum()
        wages = teachers * case.settings.costs.teacher_cny
        money = amounts["recurrent"].max()
        if 0 < money < TINY * wages:
            warnings.append(
                f"limits: recurrent of at most {money:,.0f} RMB a year, public staff cost "
                f"{wages:,.0f}; amounts are in RMB"
            )
    return warnings


def _outside(
    what: str, names: pd.Series, price: pd.Series[float], usual: tuple[int, int], each: str
) -> list[str]:
    odd = names[(price < usual[0]) | (price > usual[1])]
    if not len(odd):
        return []
    return [
        f"{what} of {len(odd)} rows (first: {odd.iloc[0]}) is "
        f"not {usual[0]:,}-{usual[1]:,} RMB {each}; amounts are in RMB"
    ]


def _of_years_gone_by(limits: pd.DataFrame, first_year: int) -> list[str]:
    """Return a warning by kind that limits of years not planned any more limit nothing."""
    past = limits[limits["year"] < first_year]
    return [
        f"limits: {len(rows)} {kind} row{'s' if len(rows) > 1 else ''} of years before {first_year}"
        f" (first: {rows['year'].iloc[0]}, county {rows['county'].iloc[0]}) limit nothing;"
        f" what is left of a quota belongs in {first_year}"
        for kind, rows in past.groupby("kind", sort=False)
    ]


def _far_from_other_years(limits: pd.DataFrame) -> list[str]:
    """Name single years of a county whose money is a thousandth of its other years', or less."""
    money = limits[limits["kind"].isin(MONEY) & (limits["amount"] > 0)]
    usual = money.groupby(["county", "kind"])["amount"].transform("median")
    odd = money[(money["amount"] * FAR <= usual) | (money["amount"] >= usual * FAR)]
    warnings = [
        f"limits: {kind} of {amount:,.0f} RMB in {year} (county {county}), "
        f"{middle:,.0f} in most years; amounts are in RMB"
        for county, year, kind, amount, middle in zip(
            *(odd[name].head(NAMED) for name in ("county", "year", "kind", "amount")),
            usual[odd.index],
            strict=False,
        )
    ]
    if len(odd) > NAMED:
        warnings.append(f"limits: {len(odd) - NAMED} more rows as far from their other years")
    return warnings
