"""Cities in which not every rule can hold; each case names the sets of rules to be found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cities import city
from golden_cases import case
from tiny_cases import limit, project, school, town


@dataclass(frozen=True)
class Case:
    """A scenario, the contradictions that must be found, and some cures alone (rule to amount)."""

    make: Callable[[], Any]
    conflicts: set[frozenset[str]]
    alone: dict[str, float]


def sets(*names: Iterable[str]) -> set[frozenset[str]]:
    return {frozenset(one) for one in names}


def _reduction_above_all_private_pupils() -> Any:
    """60 fewer are ordered of 50."""
    return town(
        children=(100,),
        schools=[school("P", "public", 100, 50), school("V", "private", 50, 50)],
        policy={"reduction": 60},
    )


def _reduction_without_places() -> Any:
    """30 pupils more than the public school holds."""
    return town(
        children=(100,),
        schools=[school("P", "public", 60, 50), school("V", "private", 50, 50)],
        policy={"reduction": 40},
    )


def _cap_without_purchase() -> Any:
    """At most 10 of 100 pupils private, 70 places, nothing for sale."""
    return town(
        children=(100,),
        schools=[school("P", "public", 70, 60), school("V", "private", 40, 40)],
        policy={"private_share_cap": {"2022": 0.10}},
    )


def _cap_with_a_low_ceiling() -> Any:
    """As before, and 5 places may be bought of the 15 that the city's ceiling leaves out."""
    return town(
        children=(100,),
        schools=[
            school("P", "public", 70, 60),
            school("V", "private", 40, 40, purchasable_places=30, purchase_price_cny=5000),
        ],
        policy={"private_share_cap": {"2022": 0.10}, "purchase_ceiling_share": 0.05},
    )


def _purchased_counts_as_private() -> Any:
    """Places for sale that do not help."""
    return town(
        children=(100,),
        schools=[
            school("P", "public", 70, 60),
            school("V", "private", 40, 40, purchasable_places=30, purchase_price_cny=5000),
        ],
        policy={"private_share_cap": {"2022": 0.10}, "purchased_counts_as_private": True},
    )


def _hiring_freeze() -> Any:
    """100 children in public schools need 5 teachers; 3 of 4 stay, none may come."""
    return town(
        children=(100,),
        schools=[school("P", "public", 100, 80, staff=4)],
        staff=True,
        staffing={"attrition": 0.25, "stages": ["junior"]},
        limits=[limit("hires", 2022, 0), limit("contract_teachers", 2022, 0)],
    )


def _posts_too_few() -> Any:
    """100 children need 5 teachers, on 4 posts, with 4 who are there."""
    return town(
        children=(100,),
        schools=[school("P", "public", 100, 80, staff=4)],
        staff=True,
        staffing={"attrition": 0.0, "stages": ["junior"]},
        limits=[limit("posts", 2022, 4), limit("contract_teachers", 2022, 0)],
    )


def _capital_for_what_is_ordered() -> Any:
    """10 million due of 4."""
    ordered = project(
        *("N", 50, 1e7, "2022-09-01"), status="ordered", due="2022-09-01", build_months=6
    )
    return town(
        children=(100,),
        schools=[school("P", "public", 60, 60)],
        projects=[ordered],
        limits=[limit("capital", 2022, 4e6)],
    )


def _programme_late() -> Any:
    """Two projects by the end of 2022, of which one can open only the autumn after."""
    return town(
        children=(60, 60),
        schools=[school("P", "public", 60, 60)],
        projects=[
            project("N1", 10, 1e6, "2022-09-01", programme="build"),
            project("N2", 10, 1e6, "2023-09-01", programme="build"),
        ],
        programmes={"build": {"number": 2, "by": "2022-12-31"}},
    )


def _choices_at_odds() -> Any:
    """Two of three sites are asked for, and one of them all is as many as may be chosen."""
    return town(
        children=(60,),
        schools=[school("P", "public", 60, 60)],
        projects=[project(name, 10, 1e6, "2022-09-01") for name in ("N1", "N2", "N3")],
        choices={
            "sites": {"kinds": ["new"], "most": 1},
            "good": {"projects": ["N1", "N2", "N3"], "least": 2},
        },
    )


def _choice_without_money() -> Any:
    """Two of three sites are asked for, at a million each, and there is one million."""
    return town(
        children=(60,),
        schools=[school("P", "public", 60, 60)],
        projects=[
            project(name, 10, 1e6, "2022-09-01", build_months=1) for name in ("N1", "N2", "N3")
        ],
        limits=[limit("capital", 2022, 1e6)],
        choices={"sites": {"kinds": ["new"], "least": 2}},
    )


def _empty_seats() -> Any:
    """Nine tenths of 100 seats are to be filled, and there are 60 children."""
    return town(
        children=(60,),
        schools=[school("P", "public", 100, 60)],
        policy={"public_fill_share": {"2022": 0.9}},
    )


def _programme_without_land() -> Any:
    """Two projects of 10 mu each and 15 mu of land."""
    return town(
        children=(60,),
        schools=[school("P", "public", 60, 60)],
        projects=[
            project("N1", 10, 1e6, "2022-09-01", programme="build", land_mu=10.0),
            project("N2", 10, 1e6, "2022-09-01", programme="build", land_mu=10.0),
        ],
        limits=[limit("land", 2022, 15.0)],
        programmes={"build": {"number": 2, "by": "2022-12-31"}},
    )


def _too_few_places() -> Any:
    """20 of 100 children have no place, whatever is done."""
    return town(children=(100,), schools=[school("P", "public", 80, 80)])


def _recurrent_money() -> Any:
    """Allowances of 1,000 RMB for 100 public pupils, of 80,000 RMB."""
    return town(
        children=(100,),
        schools=[school("P", "public", 100, 100)],
        standards={"allowance_cny": 1000},
        limits=[limit("recurrent", 2022, 8e4)],
    )


def _large_classes() -> Any:
    """Classes of 54 on average, and none may be large."""
    return town(
        children=(108,),
        schools=[school("P", "public", 100, 100)],
        standards={"class_ceiling": 55},
        policy={"large_class_share": {"2022": 0.0}},
    )


def _too_small_to_go_on() -> Any:
    """Of 50 private pupils 45 are to go; the 5 left are fewer than the 20 a school needs."""
    return town(
        children=(100,),
        schools=[
            school("P", "public", 95, 50),
            school("V", "private", 50, 50, min_pupils=20.0, admission_plan=50.0),
        ],
        policy={"reduction": 45},
    )


def _three_grades(years: int, **policy: Any) -> Any:
    """P has room for all; V has 20 pupils in each of three grades and sells no places."""
    return case(
        children=dict.fromkeys(("7", "8", "9"), (60,) * (years + 1)),
        schools=[school("P", "public", 200, 120), school("V", "private", 60, 60)],
        rolls=[("V", grade, 20.0) for grade in ("7", "8", "9")],
        policy=policy,
        switches={"staff": False},
    )


def _pupils_kept() -> Any:
    """Of 60 private pupils 50 are to go at once; 30 of 40 in the middle of the stage stay."""
    return _three_grades(1, reduction=50, keep_share=0.75)


def _closing_notice() -> Any:
    """All 60 are to be gone after two years, and the 20 of the last grade may stay for a third."""
    rules = {"keep_share": 1.0, "least_size_share": 0.1, "closing_notice_years": 2}
    return _three_grades(2, reduction=60, reduction_year=2023, **rules)


def _intake_that_may_not_rise() -> Any:
    """A private school of 20 children admits at most 20, where 40 of 100 need it a year later."""
    return town(
        children=(80, 100),
        schools=[
            school("P", "public", 60, 60),
            school("V", "private", 40, 40, admission_plan=40),
        ],
        policy={"intake_rise_share": 0.0, "reduction": 20},
    )


def _intake_that_may_not_jump() -> Any:
    """All 60 children are public in 2022; there are teachers for 40 a year later, not for 48."""
    return town(
        children=(60, 60),
        schools=[school("P", "public", 60, 40, staff=4), school("V", "private", 20, 20)],
        staff=True,
        staffing={"attrition": 0.5, "stages": ["junior"]},
        policy={"public_swing_share": 0.2, "reduction": 20, "release_share": 0.0},
        limits=[
            limit(kind, year, amount)
            for year, hires in ((2022, 1.0), (2023, 0.5))
            for kind, amount in (("hires", hires), ("contract_teachers", 0.0))
        ],
    )


def _kindergarten_that_may_not_empty() -> Any:
    """55 are public, for want of seats; 70 are to be a year later, where 40.5 stay private."""
    ordered = {"status": "ordered", "due": "2023-09-01"}
    return case(
        stage="kindergarten",
        children={"K3": (100, 100, 100)},
        schools=[school("P", "public", 50, 50), school("V", "private", 50, 50)],
        projects=[project("N", 20, 1e6, "2023-09-01", kind="extend", school="P", **ordered)],
        policy={"noncompulsory_swing_share": 0.1},
        floors={"kindergarten_public": {2023: 0.7}},
        switches={"staff": False, "kindergarten": False},
    )


def _last_pupils() -> Any:
    """Of 60 private pupils 50 are to go at once; a school that runs out must have 15, or close."""
    rules = {"least_size_share": 0.5, "closing_size_share": 0.25, "closing_notice_years": 1}
    return _three_grades(1, reduction=50, **rules)


def _admission_plan() -> Any:
    """Places for all, but the private school may admit only 10."""
    return town(
        children=(100,),
        schools=[
            school("P", "public", 70, 70),
            school("V", "private", 40, 40, admission_plan=10.0),
        ],
    )


def _two_contradictions() -> Any:
    """Too little money for what is ordered; and a programme that is too late for its date."""
    ordered = project(
        *("N", 50, 1e7, "2022-09-01"), status="ordered", due="2022-09-01", build_months=6
    )
    return town(
        children=(60, 60),
        schools=[school("P", "public", 60, 60)],
        projects=[ordered, project("N2", 10, 1e6, "2023-09-01", programme="build")],
        limits=[limit("capital", 2022, 4e6)],
        programmes={"build": {"number": 1, "by": "2022-12-31"}},
    )


def _contract_too_large_for_the_ceiling() -> Any:
    """Of 20 places that must be bought 10 would do, under a ceiling of 15; none sells below 25."""
    return town(
        children=(100,),
        schools=[
            school("P", "public", 80, 60),
            school(
                *("V", "private", 40, 40),
                **{"purchasable_places": 30, "purchase_min_places": 25, "purchase_price_cny": 5000},
            ),
        ],
        policy={"private_share_cap": {"2022": 0.10}, "purchase_ceiling_share": 0.15},
    )


def _money_for_most_of_a_school() -> Any:
    """18 children need nine tenths of a school, and 95 % of its money is there."""
    return town(
        children=(118,),
        schools=[school("P", "public", 100, 100)],
        projects=[project("N", 20, 1e7, "2022-09-01", build_months=6)],
        limits=[limit("capital", 2022, 9.5e6)],
    )


def _must_convert_without_money() -> Any:
    """A school must convert, and its lease is above the budget."""
    return town(
        children=(100,),
        schools=[
            school("P", "public", 60, 60),
            school("V", "private", 40, 40, conversion="must", conversion_lease_cny=1e6),
        ],
        policy={"conversion_due_year": 2022},
        limits=[limit("recurrent", 2022, 5e5)],
    )


def _whole_programme_of_a_generated_city() -> Any:
    """A generated city whose ordered reduction is far above what it can seat."""
    base = city(3, 0)
    return base.variant({"policy.reduction": 3.0 * base.settings.policy.reduction})


WHOLE_NUMBERS = ("contract too large for the ceiling", "money for most of a school")
"""Cases that only whole numbers contradict: half a contract, nine tenths of a school would do."""

CASES = {
    "reduction above all private pupils": Case(
        _reduction_above_all_private_pupils, sets(["reduction"]), {"reduction": 10}
    ),
    "reduction without places": Case(
        _reduction_without_places,
        sets(["every child", "purchase", "seats", "reduction"]),
        {"every child": 30, "purchase": 30, "seats": 30, "reduction": 30},
    ),
    "cap without purchase": Case(
        _cap_without_purchase,
        sets(["every child", "purchase", "seats", "private share 2022"]),
        {"every child": 22 + 2 / 9, "purchase": 20, "seats": 20, "private share 2022": 20},
    ),
    "cap with a low ceiling": Case(
        _cap_with_a_low_ceiling,
        sets(["every child", "purchase", "seats", "private share 2022"]),
        {"purchase": 15, "seats": 15, "private share 2022": 15},
    ),
    "purchased places count as private": Case(
        _purchased_counts_as_private,
        sets(["every child", "seats", "private share 2022"]),
        {"seats": 20, "private share 2022": 20},
    ),
    "hiring freeze": Case(
        _hiring_freeze,
        sets(["every child", "hires", "contract teachers"]),
        {"every child": 40, "hires": 2, "contract teachers": 2},
    ),
    "posts too few": Case(
        _posts_too_few,
        sets(["every child", "posts", "contract teachers"]),
        {"every child": 20, "posts": 1, "contract teachers": 1},
    ),
    "capital for what is ordered": Case(
        _capital_for_what_is_ordered, sets(["capital", "projects due"]), {"capital": 6}
    ),
    "programme late": Case(_programme_late, sets(["programme build"]), {"programme build": 1}),
    "choices at odds": Case(
        _choices_at_odds,
        sets(["most of sites", "least of good"]),
        {"most of sites": 1, "least of good": 1},
    ),
    "choice without money": Case(
        _choice_without_money,
        sets(["least of sites", "capital"]),
        {"least of sites": 1, "capital": 1},
    ),
    "empty seats": Case(_empty_seats, sets(["filled schools"]), {"filled schools": 30}),
    "programme without land": Case(
        _programme_without_land, sets(["land", "programme build"]), {"land": 5}
    ),
    "too few places": Case(
        _too_few_places, sets(["every child", "seats"]), {"every child": 20, "seats": 20}
    ),
    "recurrent money": Case(
        _recurrent_money,
        sets(["every child", "recurrent money"]),
        {"every child": 20, "recurrent money": 0.02},
    ),
    "large classes": Case(_large_classes, sets(["every child", "class size", "seats"]), {}),
    "too small to go on": Case(
        _too_small_to_go_on,
        # A school that is phased out needs no least size, but may admit nobody.
        sets(
            ["every child", "smallest school", "admission plans", "purchase", "seats", "reduction"]
        ),
        {"smallest school": 15, "reduction": 15},
    ),
    "pupils kept": Case(
        _pupils_kept,
        sets(["pupils kept", "purchase", "reduction"]),
        {"pupils kept": 20, "purchase": 20, "reduction": 20},
    ),
    "closing notice": Case(
        _closing_notice,
        sets(["closing notice", "pupils kept", "purchase", "reduction"]),
        {"closing notice": 1, "pupils kept": 20, "purchase": 20, "reduction": 20},
    ),
    "intake that may not rise": Case(
        _intake_that_may_not_rise,
        sets(["every child", "private intake", "purchase", "seats", "reduction"]),
        {"every child": 20, "private intake": 20, "purchase": 20, "seats": 20, "reduction": 20},
    ),
    "intake that may not jump": Case(
        _intake_that_may_not_jump,
        sets(
            ["every child", "public intake", "hires", "contract teachers", "purchase", "reduction"]
        ),
        {"every child": 10, "public intake": 8, "hires": 0.4, "contract teachers": 0.4},
    ),
    "kindergarten that may not empty": Case(
        _kindergarten_that_may_not_empty,
        sets(["every child", "noncompulsory pupils", "seats", "floor kindergarten public"]),
        {
            "every child": 45 - 30 / 0.9,
            "noncompulsory pupils": 10.5,
            "seats": (45 - 30 / 0.9) / 1.1,
            "floor kindergarten public": 10.5,
        },
    ),
    "last pupils": Case(
        _last_pupils,
        sets(["closing notice", "closing size", "purchase", "reduction"]),
        {"closing notice": 1, "closing size": 5, "purchase": 5, "reduction": 5},
    ),
    "admission plan": Case(
        _admission_plan,
        sets(["every child", "admission plans", "seats"]),
        {"every child": 20, "admission plans": 20, "seats": 20},
    ),
    "two contradictions": Case(
        _two_contradictions, sets(["capital", "projects due"], ["programme build"]), {}
    ),
    "contract too large for the ceiling": Case(
        _contract_too_large_for_the_ceiling,
        sets(["every child", "purchase", "seats", "private share 2022"]),
        {"every child": 100 / 9, "purchase": 10, "seats": 10, "private share 2022": 10},
    ),
    "money for most of a school": Case(
        _money_for_most_of_a_school,
        sets(["every child", "capital", "seats"]),
        {"every child": 18, "capital": 0.5, "seats": 18},
    ),
    "must convert without money": Case(
        _must_convert_without_money,
        sets(["conversions due", "recurrent money"]),
        # A lease of a million, and 5,000 RMB for each of 1.8 teachers taken over.
        {"recurrent money": 0.509},
    ),
}
