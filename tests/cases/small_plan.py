"""A plan and outcomes written down by hand, in the documented tables, for the tests of the report.

Two numbers are easy to follow by hand: per area and year 1,000 primary and 500 junior pupils.
"""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from capsim.certificate.ledger import BoundCheck, Certificate
from capsim.i18n.language import Message, Words, words
from capsim.plan import Explanation
from capsim.scenario.parsing import empty

YEARS = range(2022, 2031)
STAGES = {"primary": 1000.0, "junior": 500.0}
CLASSES = SimpleNamespace(class_size=45.0, large_class=56, very_large_class=66)
SOURCES = pd.DataFrame(
    [
        ("policy.private_share_cap.2022", "0.05", "share", "a speech", "S"),
        ("policy.reduction", "220.0", "pupils", "a speech", "S"),
        ("programmes.build-2022.number", "145", "projects", "a speech", "S"),
        ("births", "20 rows", "", "a yearbook", "P"),
        ("schools.places", "", "", "guessed", "A"),
        ("costs.hire_cny", "5000", "RMB", "guessed", "A"),
    ],
    columns=["what", "value", "unit", "source", "mark"],
)
REDUCTION = {
    "new_seats": 60.0,
    "converted": 90.0,
    "purchased": 45.0,
    "overfilled": 15.0,
    "existing_seats": 30.0,
    "fewer_pupils": -10.0,
}


@dataclass(frozen=True)
class Written:
    """Whatever attributes it is given."""

    name: str
    hash: str = "0123456789abcdef"
    given: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, key: str) -> Any:
        try:
            return self.given[key]
        except KeyError:
            raise AttributeError(key) from None

    def words(self, lang: str) -> Words:
        return words(lang, self.settings.currency)

    def heading(self, lang: str = "en") -> str:
        return self.title_zh if lang == "zh" else self.title

    def table(self, name: str) -> pd.DataFrame:
        return self.given["tables_in"][name].copy()


def written_scenario(counties: int, projects: int) -> Written:
    """A scenario of `counties` counties with two areas each."""
    policy = SimpleNamespace(
        private_share_cap={2022: 0.05},
        purchased_counts_as_private=False,
        reduction=220.0,
        reduction_year=2022,
        class_size_sd=5.0,
    )
    settings = SimpleNamespace(
        policy=policy,
        currency="CNY",
        map=SimpleNamespace(origin=None),
        country="china",
        stages=SimpleNamespace(compulsory=["primary", "junior"]),
        reliability=SimpleNamespace(probability=0.95),
    )
    built = pd.DataFrame(
        {
            "project": [f"P{n:03d}" for n in range(projects)],
            "build_months": [12 + n % 7 for n in range(projects)],
            "posts": 10.0,
            "land_mu": 30.0,
            "capital_cny": 4.5e7,
            "count": 1.0,
            "earliest_opening": "2023-09-01",
        }
    )
    schools = pd.DataFrame(
        {"school": ["S1", "S2"], "stage": "primary", "conversion_lease_cny": [3e5, 2e5]}
        | {"area": "C01-A", "x_km": np.nan, "y_km": np.nan}
    )
    names = [
        (f"C{c:02d}-{part}", c, at) for c in range(1, counties + 1) for at, part in enumerate("AB")
    ]
    areas = pd.DataFrame(
        [(area, f"C{c:02d}", 10.0 * (c % 7) + 3 * at, 10.0 * (c // 7)) for area, c, at in names],
        columns=["area", "county", "x_km", "y_km"],
    )
    limits = pd.DataFrame(
        {
            "county": ["C01", "C01", "*", "C01", "*", "C01", "C01"],
            "year": [2022, 2023, 2022, 2022, 2022, 2022, 2023],
            "kind": ["hires", "hires", "purchase", "posts", "recurrent", "land", "land"],
            "amount": [40.0, 100.0, 500.0, 80.0, 1e9, 50.0, 10.0],
        }
    )
    return Written(
        "small",
        given={
            "title": "A small city",
            "title_zh": "一座小城",
            "settings": settings,
            "stages": dict.fromkeys(STAGES, CLASSES),
            "base_year": 2021,
            "first_year": 2022,
            "last_year": 2030,
            "years": tuple(YEARS),
            "warnings": (),
            "findings": (),
            "notes": (),
            "stand_ins": (),
            "sources": lambda: SOURCES.copy(),
            "tables_in": {
                "projects": built,
                "limits": limits,
                "schools": schools,
                "areas": areas,
                "boundaries": empty("boundaries"),
            },
        },
    )


def written_admissions(areas: list[tuple[str, str]]) -> pd.DataFrame:
    """A public and a private school an area; the private one of the first area turns public."""
    rows = [
        (county, area, "primary", f"{area}-{sector}", now, "1", year, 150, 160 + late, bought)
        for at, (area, county) in enumerate(areas)
        for sector in ("private", "public")
        for late, year in enumerate(YEARS)
        for now in ["converted" if not at and late and sector == "private" else sector]
        for bought in [20 if now == "private" else 0]
    ]
    columns = "county area stage school sector grade school_year base_intake intake bought"
    return pd.DataFrame(rows, columns=columns.split())


def written_commitments(counties: int) -> pd.DataFrame:
    """Every county the same in every year; the first decision of 2022 is to build."""
    money = dict.fromkeys(("running", "staff", "hiring", "purchase"), 1_000_000)
    money |= {"capital": 30_000_000} | dict.fromkeys(("conversion", "closure", "other"), 0)
    return pd.DataFrame(
        [
            {"county": f"C{c:02d}", "school_year": year, "private_before": 771}
            | {"private_pupils": 150, "reduction": 621, "private_share": 0.05, "projects": 1}
            | {"hurried": 0, "places": 900, "places_compulsory": 900, "places_given_up": 0}
            | {"conversions": 1, "purchased": 250}
            | {"converted_places": 85, "closures": 0, "hired": 40, "taken_over": 5}
            | {"contract": 10, "land_mu": 30.5}
            | {f"{kind}_cny": amount for kind, amount in money.items()}
            | {"total_cny": sum(money.values())}
            | {"decide_by": "2021-03-01" if year == 2022 else ""}
            | {"decision": "build" if year == 2022 else ""}
            | {"decision_name": "P002" if year == 2022 else ""}
            for c in range(1, counties + 1)
            for year in YEARS
        ]
    )


def written_plan(counties: int = 2, projects: int = 12) -> SimpleNamespace:
    """A plan with every table that the report reads."""
    scenario = written_scenario(counties, projects)
    areas = [(f"C{c:02d}-{part}", f"C{c:02d}") for c in range(1, counties + 1) for part in "AB"]
    balance, schools, enrolment, staff, costs = [], [], [], [], []
    for at, (area, county) in enumerate(areas):
        for stage, children in STAGES.items():
            for year in YEARS:
                late = year - 2022
                over = 20.0 if at % 2 == 0 and late < 2 else 0.0
                part = {
                    "existing_used": 0.75 * children - 5.0 * late,
                    "new_used": 0.05 * children,
                    "converted": 0.10 * children,
                    "overfilled": over,
                    "private": 0.10 * children - over,
                    "surplus": 12.0 * late * (1 + at % 3),
                    "shortfall": 7.0 if at == 1 and late == 0 else 0.0,
                }
                row = {"area": area, "county": county, "stage": stage, "school_year": year}
                used = part["existing_used"] + part["new_used"] + over
                balance.append(
                    {**row, "children": children, "seats": used + part["surplus"]}
                    | {"used": used}
                    | part
                )
                school = {"school": f"{area}-{stage}-private", "sector": "private", **row}
                bought = {"purchased": 0.06 * children, "overfilled": 0.0}
                bought |= {"public": 0.0, "classes": 0.0}
                schools.append({**school, "pupils": part["private"], **bought})
                public = {"school": f"{area}-{stage}-public", "sector": "public", **row}
                schools.append({**public, "pupils": used, "purchased": 0.0, "overfilled": over})
                schools[-1] |= {"public": used, "classes": used / 46.0}
                enrolment.append({**school, "grade": "1", "displaced": 3.0 if late == 0 else 0.0})
    for year in YEARS:
        for c in range(1, counties + 1):
            row = {"county": f"C{c:02d}", "school_year": year}
            staff.append({**row, "stage": "primary", "need": 88.0, "pool": 80.0, "hired": 40.0})
            staff[-1] |= {"taken_over": 5.0, "from_other_stages": 0.0, "to_other_stages": 0.0}
            staff[-1] |= {"from_other_counties": 0.0, "to_other_counties": 0.0, "retired": 1.0}
            staff[-1] |= {"left": 3.0, "contract": 10.0, "surplus": 2.0}
            for kind, amount in (("staff", 8e6), ("capital", 3e7), ("purchase", 2e6)):
                committed = 7e6 if kind == "staff" else 0.0
                costs.append(
                    {"kind": kind, **row, "cost_cny": amount, "discounted_cny": 0.9 * amount}
                    | {"committed_cny": committed}
                )
    shares = [
        {
            "county": county,
            "school_year": year,
            "enrolment": 3000.0 * counties,
            "private_excluding_purchased": excluding * 3000.0 * counties,
            "private_including_purchased": (excluding + bought) * 3000.0 * counties,
            "share_excluding_purchased": excluding,
            "share_including_purchased": excluding + bought,
        }
        for county in ["*", *(f"C{c:02d}" for c in range(1, counties + 1))]
        for year, excluding, bought in [
            (2021, 0.257, 0.0),
            *((year, 0.05 - 0.002 * (year - 2022), 0.06) for year in YEARS),
        ]
    ]
    opens = ["2022-09-01", "2022-12-31", "2023-09-01"]
    status = ["candidate" if n % 3 == 2 else "ordered" for n in range(projects)]
    built = pd.DataFrame(
        {
            "project": [f"P{n:03d}" for n in range(projects)],
            "area": [areas[n % len(areas)][0] for n in range(projects)],
            "county": [areas[n % len(areas)][1] for n in range(projects)],
            "kind": "new",
            "stages": "primary;junior",
            "programme": ["build-2022" if n % 4 else "kindergarten-2022" for n in range(projects)],
            "status": status,
            "copies": 1,
            "opens": [opens[n % 3] for n in range(projects)],
            "due": "2022-12-31",
            "options": "",
            "places": 900.0,
            "places_compulsory": 900.0,
            "places_given_up": 0.0,
            "capital_cny": 4.5e7,
            "land_mu": 30.0,
        }
    )
    reduction = [
        {"school_year": year, "ordered": 220.0 if year == 2022 else 0.0, **REDUCTION}
        | {"total": sum(REDUCTION.values())}
        for year in YEARS
    ]
    targets = pd.DataFrame(
        [
            ("placement", "children without a place", "2030-09-01", 0.0, 0.0, 7.0, False),
            ("reduction", "private pupils shed", "2022-09-01", 0.0, 220.0, 230.0, True),
            ("share-2022", "private share, whole", "2022-12-31", 0.257, 0.05, 0.05, True),
            ("share-2023", "private share, whole", "2023-12-31", 0.257, 0.05, 0.048, True),
            ("share-2024", "private share, whole", "2024-12-31", 0.257, 0.05, 0.046, True),
            ("programme-build-2022", "projects in use", "2022-12-31", 0.0, 145.0, 145.0, True),
        ],
        columns=["id", "what", "by", "before", "required", "achieved", "met"],
    )
    large = [
        (county, stage, year, 100.0, 3.0 + year - 2021, 0.03 + 0.01 * (year - 2021))
        for county in ["*", *(f"C{c:02d}" for c in range(1, counties + 1))]
        for stage in ["*", *STAGES]
        for year in [2021, *YEARS]
    ]
    conversions = pd.DataFrame(
        {
            "school": ["S1", "S2"],
            "stage": "primary",
            "area": areas[0][0],
            "county": areas[0][1],
            "conversion": ["must", "may"],
            "converts": ["2022-09-01", "2023-09-01"],
            "pupils_base": [90.0, 80.0],
            "places": [85.0, 80.0],
            "staff_taken_over": 5.0,
            "cost_cny": 1e6,
        }
    )
    purchases = pd.DataFrame(
        {
            "school": "S3",
            "stage": "primary",
            "area": areas[0][0],
            "county": areas[0][1],
            "school_year": [2022, 2023],
            "contract": 1,
            "places_september": 45.0,
            "places_december": 250.0 * counties,
            "price_cny": 5000.0,
            "cost_cny": 2e5,
        }
    )
    flows = pd.DataFrame(
        [
            ("C01-A", "C01-B", "", "primary", "1", 2022, 40.0, 100.0),
            ("C01-B", "", "S1", "primary", "2", 2022, 25.0, 100.0),
            ("C01-A", "", "S2", "primary", "2", 2022, 9.0, 0.0),
        ],
        columns=[
            *("area", "to_area", "to_school", "stage", "grade", "school_year", "pupils"),
            "cost_cny",
        ],
    )
    limits_used = pd.DataFrame(
        [
            ("hires", "C01", 2022, 40.0, 40.0, True),
            ("hires", "C01", 2023, 40.0, 100.0, False),
            ("land", "C01", 2022, 60.0, 50.0, True),
            ("land", "C01", 2023, 60.0, 60.0, True),
            ("posts", "C01", 2022, 60.0, 80.0, False),
            ("purchase", "*", 2022, 500.0, 500.0, True),
            ("recurrent", "*", 2022, 2.03e7, 1e9, False),
        ],
        columns=["kind", "county", "year", "used", "limit", "binds"],
    )
    shortfall = pd.DataFrame(balance)[["area", "county", "stage", "school_year", "shortfall"]]
    tables = {
        "flows": flows,
        "shortfall": shortfall,
        "projects": built,
        "openings": built[["project", "opens", "copies"]],
        "conversions": conversions,
        "closures": pd.DataFrame(columns=["school", "stage", "area", "county", "how", "from_year"]),
        "purchases": purchases,
        "balance": pd.DataFrame(balance),
        "schools": pd.DataFrame(schools),
        "enrolment": pd.DataFrame(enrolment),
        "staff": pd.DataFrame(staff),
        "costs": pd.DataFrame(costs),
        "shares": pd.DataFrame(shares),
        "reduction": pd.DataFrame(reduction),
        "large_classes": pd.DataFrame(
            large,
            columns=["county", "stage", "school_year", "classes", "large_classes", "share"],
        ),
        "targets": targets,
        "admissions": written_admissions(areas),
        "commitments": written_commitments(counties),
        "limits_used": limits_used,
    }
    return SimpleNamespace(
        scenario=scenario,
        status="optimal",
        gap=0.0004,
        objective_cny=2.5e9,
        bound_cny=2.4995e9,
        committed_cny=1.2e9,
        avoidable_cny=1.3e9,
        solver="HiGHS 1.0",
        timings_s={"build": 0.1, "solve": 1.5},
        explanation=None,
        tables=tables,
    )


def written_outcomes(plan: SimpleNamespace) -> SimpleNamespace:
    """Outcomes of a hundred simulations of a written plan."""
    projects = plan.tables["projects"]
    planned = pd.to_datetime(projects["opens"])
    slip = pd.Series(np.arange(len(projects)) % 5 * 20, dtype="int64")
    dates = {
        "p50": (planned + pd.to_timedelta(slip, unit="D")).dt.strftime("%Y-%m-%d"),
        "p90": (planned + pd.to_timedelta(slip * 2 + 60, unit="D")).dt.strftime("%Y-%m-%d"),
    }
    targets = plan.tables["targets"]
    chance = np.linspace(0.2, 1.0, len(targets))
    years = np.array(YEARS)
    fan = [
        {"area": area, "stage": stage, "school_year": year, "mean": middle * 1.1}
        | {"p05": 0.5 * middle, "p50": middle, "p95": 2.0 * middle, "probability": 0.4}
        for area in ["*", "C01-A"]
        for stage in STAGES
        for year, middle in zip(years, 400.0 / (1.0 + years - 2022), strict=True)
    ]
    whole = pd.DataFrame([row for row in fan if row["area"] == "*"])
    whole["series"] = "shortfall_" + whole["stage"]
    whole = whole.assign(p25=0.8 * whole["p50"], p75=1.3 * whole["p50"])
    columns = ["series", "school_year", "mean", "p05", "p25", "p50", "p75", "p95"]
    shares = plan.tables["shares"]
    shares = shares[(shares["county"] == "*") & (shares["school_year"] > 2021)]
    drawn = {"county": "*", "school_year": shares["school_year"]}
    for rule in ("excluding", "including"):
        middle = shares[f"share_{rule}_purchased"]
        drawn |= {
            f"share_{rule}_mean": middle,
            f"share_{rule}_p05": 0.9 * middle,
            f"share_{rule}_p50": middle,
            f"share_{rule}_p95": 1.2 * middle,
        }
    tables = {
        "targets": pd.DataFrame(
            {
                "id": targets["id"],
                "by": targets["by"],
                "required": targets["required"],
                "probability": chance,
                "low": np.maximum(0.0, chance - 0.05),
                "high": np.minimum(1.0, chance + 0.05),
                "mean": targets["achieved"],
                "p05": targets["achieved"],
                "p50": targets["achieved"],
                "p95": targets["achieved"],
            }
        ),
        "shortfall": pd.DataFrame(fan),
        "fan": whole[columns],
        "shares": pd.DataFrame(drawn),
        "costs": pd.DataFrame(
            {
                "kind": ["staff", "capital", "purchase"],
                "mean_cny": [2e8, 7e8, 5e7],
                "p05_cny": [2e8, 7e8, 5e7],
                "p50_cny": [2e8, 7e8, 5e7],
                "p95_cny": [2e8, 7e8, 5e7],
            }
        ),
        "projects": pd.DataFrame(
            {
                "project": projects["project"],
                "planned": projects["opens"],
                "p_on_time": 0.66,
                **dates,
                "late_places_mean": 100.0,
                "harm": 50.0 + np.arange(len(projects)),
            }
        ),
    }
    tables["draws"] = pd.DataFrame(
        {"draw": range(5), "shortfall": [0.0, 1, 2, 3, 4], "cost_cny": [1e9, 2e9, 3e9, 4e9, 5e9]}
    )
    return SimpleNamespace(plan=plan, draws=100, seed=7, tables=tables, summary={})


def written_certificate() -> Certificate:
    """A certificate that holds."""
    table = pd.DataFrame(
        {"family": ["seats"], "rows": [10], "max_violation": [0.0], "worst": ["none"]}
    )
    return Certificate(10, 0.0, "none", table, (), BoundCheck(False, 9e8, 0.0123, "search"))


def written_explanation() -> Explanation:
    """Why there is no plan: junior places in C01, and posts that alone would be enough."""
    who = Message("county {county}, {stage}", {"county": "C01", "stage": "junior"})
    lacks = Message("{who} lacks {amount} places on 1 September {year}")
    gap = lacks.filled(who=who, amount=4310.0, year=2022)
    row = {"school_year": 2022, "unit": "places", "short_by": 4310.0, "alone": np.nan}
    table = pd.DataFrame([{"rule": "seats", "who": str(who)} | row])
    repair = {"rule": "posts", "unit": "posts", "enough": 320.0, "who": "county C01"}
    repairs = pd.DataFrame([repair | {"school_year": 2022, "short_by": 320.0}])
    return Explanation((Message("{gap}.", {"gap": gap}),), table, (), repairs)
