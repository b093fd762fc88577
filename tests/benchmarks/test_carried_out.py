"""Counts of what cannot be carried out, each on tables small enough to count by eye."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import capsim
from benchmarks import carried_counts as counts
from benchmarks import goals
from benchmarks.carried_out import RULES, in_force, main, planned, price_lines, prices
from benchmarks.plan_tables import PLAN, Case

YEARS = (2022, 2023, 2024, 2025)
SETTINGS = """
[horizon]
base_year = 2021
last_year = 2025
[policy.contract_years]
value = 3
mark = "A"
[standards.primary]
grades = ["1", "2"]
pupils_per_post = 10
[standards.junior]
grades = ["7"]
[staff]
stages = ["primary"]
"""


@dataclass
class Tables:
    """A plan of one area as it is written: schools with pupils by grade in 2022 to 2025."""

    folder: Path
    settings: str = SETTINGS
    listed: list[dict[str, Any]] = field(default_factory=list)
    rolls: list[dict[str, Any]] = field(default_factory=list)
    plan: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    scenario: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def school(
        self,
        school: str,
        sector: str = "private",
        stage: str = "primary",
        *,
        base: tuple[int, ...] = (10, 10),
        places: int = 20,
        conversion: str = "no",
        staff: float | None = None,
        grades: dict[str, tuple[float, ...]],
        **by_year: tuple[float, ...],
    ) -> Tables:
        """Add a school; further arguments are columns of the plan's table, a number a year."""
        key = {"school": school, "stage": stage, "area": "A", "sector": sector}
        terms = {"places": places, "pupils": sum(base), "conversion": conversion, "staff": staff}
        self.listed.append(key | terms)
        for (grade, pupils), before in zip(grades.items(), base, strict=True):
            self.rolls.append({**key, "grade": grade, "pupils": before})
            self.plan.setdefault("enrolment", []).extend(
                {**key, "grade": grade, "school_year": year, "pupils": number}
                for year, number in zip(YEARS, pupils, strict=True)
            )
        for k, year in enumerate(YEARS):
            row = dict.fromkeys(PLAN["schools"], 0.0) | key | {"county": "C", "school_year": year}
            row["pupils"] = sum(pupils[k] for pupils in grades.values())
            if sector == "public":
                row |= {"public": row["pupils"], "seats_existing": places}
            row |= {column: values[k] for column, values in by_year.items()}
            self.plan.setdefault("schools", []).append(row)
        return self

    def add(self, table: str, *rows: tuple[Any, ...]) -> Tables:
        """Add rows of a table of the plan, cells in the order of the columns read."""
        cells = [dict(zip(PLAN[table], row, strict=True)) for row in rows]
        self.plan.setdefault(table, []).extend(cells)
        return self

    def listed_by_grade(self, bought: dict[str, tuple[float, ...]]) -> pd.DataFrame:
        """Table ``payers`` of the schools so far, with so many bought by grade and year."""
        frame = pd.DataFrame(self.plan["enrolment"])
        at = zip(frame["grade"], frame["school_year"], strict=True)
        number = pd.Series([bought[grade][year - YEARS[0]] for grade, year in at])
        paying = frame["pupils"] - number
        return frame.assign(
            purchased=number, purchased_december=number,
            fee_paying=paying, fee_paying_december=paying,
        )  # fmt: skip

    def case(self) -> Case:
        """Write everything and give it to be counted."""
        plan, scenario = self.folder / "plan", self.folder / "scenario"
        plan.mkdir()
        scenario.mkdir()
        for table, columns in PLAN.items():
            rows = self.plan.get(table)
            frame = pd.DataFrame(rows) if rows else pd.DataFrame(columns=list(columns))
            frame.to_csv(plan / f"{table}.csv", index=False)
        (scenario / "scenario.toml").write_text(self.settings, encoding="utf-8")
        areas = [{"area": "A", "county": "C"}]
        own = {"areas": areas, "schools": self.listed, "rolls": self.rolls, **self.scenario}
        for table, rows in own.items():
            pd.DataFrame(rows).to_csv(scenario / f"{table}.csv", index=False)
        return Case(plan, scenario)


@pytest.fixture
def tables(tmp_path: Path) -> Tables:
    return Tables(tmp_path)


def grades(*first: float, second: tuple[float, ...] = (10, 10, 10, 10)) -> dict[str, Any]:
    return {"1": first, "2": second}


def test_intake_that_restarts(tables: Tables) -> None:
    tables.school("falls", grades=grades(10, 5, 0, 0))
    tables.school("again", grades=grades(0, 8, 8, 8))
    tables.school("from nothing", base=(0, 10), grades=grades(0, 8, 8, 8))
    tables.school("converts", grades=grades(0, 0, 9, 9))
    tables.add("conversions", ("converts", "primary", "2024-09-01"))
    assert counts.intake_restarts(tables.case()) == {"schools": 1, "of": 3}


def test_emptied_and_refilled(tables: Tables) -> None:
    tables.school("stays", grades=grades(10, 10, 10, 10))
    tables.school("emptied", grades=grades(10, 0, 0, 0, second=(10, 10, 0, 0)))
    tables.school("refilled", grades=grades(0, 0, 2, 0, second=(10, 0, 0, 2)))
    assert counts.emptied_and_refilled(tables.case()) == {"schools": 1, "of": 3}


def test_converted_and_empty(tables: Tables) -> None:
    tables.school("alive", grades=grades(10, 10, 10, 10))
    tables.school("empty", grades=grades(10, 0, 0, 10, second=(10, 0, 0, 0)))
    tables.school("given up", grades=grades(10, 5, 0, 0, second=(10, 5, 0, 0)))
    tables.school("unconverted", grades=grades(0, 0, 0, 0, second=(0, 0, 0, 0)))
    tables.add(
        "conversions",
        *((name, "primary", "2022-09-01") for name in ("alive", "given up")),
        ("empty", "primary", "2022-12-31"),
    )
    tables.add("closures", ("given up", "primary", "given_up", 2024))
    assert counts.converted_empty(tables.case()) == {
        "schools": 1,
        "school_years": 2,  # 2023 and 2024
        "of_school_years": 4 + 3 + 2,
    }


def test_converted_with_one_grade(tables: Tables) -> None:
    tables.school("hollow", grades=grades(10, 10, 11, 10, second=(10, 10, 9, 0)))
    tables.school("junior", stage="junior", base=(9,), grades={"7": (9, 9, 9, 9)})
    tables.add("conversions", ("hollow", "primary", "2023-09-01"))
    tables.add("conversions", ("junior", "junior", "2022-09-01"))
    found = counts.converted_one_grade(tables.case())
    assert found == {"school_years": 2, "of": 3, "share": 2 / 3}


def test_emptied_on_the_first_september(tables: Tables) -> None:
    tables.school("gone", grades=grades(0, 0, 0, 0, second=(0.2, 0, 0, 0)))
    tables.school("later", grades=grades(0, 0, 0, 0, second=(10, 0, 0, 0)))
    tables.school("never there", base=(0, 0), grades=grades(0, 0, 0, 0, second=(0, 0, 0, 0)))
    found = counts.emptied_at_once(tables.case())
    assert found == {"schools": 1, "of": 3, "pupils": pytest.approx(19.8)}


def test_must_schools_emptied_before(tables: Tables) -> None:
    none = (0.0, 0.0, 5.0, 5.0)
    tables.school("before", conversion="must", grades=grades(*none, second=none))
    tables.school("after", conversion="must", grades=grades(5, 0, 5, 5, second=(5, 0, 5, 5)))
    tables.school("may", conversion="may", grades=grades(*none, second=none))
    tables.add("conversions", *((name, "primary", "2023-09-01") for name in ("before", "after")))
    assert counts.must_emptied_before(tables.case()) == {"schools": 1, "of": 2}


def test_bought_children_who_pay(tables: Tables) -> None:
    """Of 12 bought in December 2022 five pay in 2023, when seven are bought."""
    tables.school(
        "sells",
        grades=grades(10, 10, 10, 10),
        purchased=(12.0, 7.0, 7.0, 0.0),
        purchased_december=(12.0, 7.0, 7.0, 0.0),
        fee_paying=(8.0, 13.0, 13.0, 10.0),
        fee_paying_december=(8.0, 13.0, 13.0, 10.0),
    )
    found = counts.bought_who_pay(tables.case())
    assert found == {
        "pupils_2023": 5.0, "schools_2023": 1, "pupils": 5.0, "of_bought": 26.0, "share": 5 / 26,
    }  # fmt: skip


def test_bought_children_who_pay_by_grade(tables: Tables) -> None:
    """The first grade pays in 2023 and the cohort above stays bought: nobody turned."""
    tables.school("sells", grades=grades(10, 10, 10, 10))
    bought = {"1": (10.0, 0.0, 0.0, 0.0), "2": (2.0, 10.0, 0.0, 0.0)}
    case = tables.case()
    frame = tables.listed_by_grade(bought)
    path = case.plan / "payers.csv"
    frame.to_csv(path, index=False)
    found = counts.bought_who_pay(case)
    assert (found["pupils"], found["of_bought"]) == (0.0, 22.0)
    later = (frame["grade"] == "2") & (frame["school_year"] == 2023)
    frame.loc[later, ["purchased", "fee_paying"]] = 4.0, 6.0
    frame.to_csv(path, index=False)
    assert counts.bought_who_pay(Case(case.plan, case.scenario))["pupils_2023"] == 6.0


def test_contracts_halved(tables: Tables) -> None:
    def contract(school: str, *places: float) -> None:
        rows = zip(YEARS, places, strict=False)
        tables.add("purchases", *((school, "primary", year, 1, n) for year, n in rows))

    contract("kept", 100, 100, 100)
    contract("halved", 100, 100, 50)
    contract("step by step", 100, 60, 40)
    contract("after its term", 100, 100, 100, 10)
    assert counts.contracts_halved(tables.case()) == {"contracts": 1, "of": 4}


def beside(tables: Tables, **limits: float) -> Case:
    """30 seats with 25 pupils, 20 when large classes bind; three places bought beside, then 8."""
    tables.school("public", "public", places=30, grades=grades(*[15] * 4, second=(10,) * 4))
    bought = (3.0, 8.0, 0.0, 0.0)
    tables.school("sells", grades=grades(*[10] * 4), purchased_december=bought, fee_paying=[20] * 4)
    tables.add("staff", *(("C", year, 3.0, 1.0, 0.0) for year in YEARS))
    tables.scenario["limits"] = [
        {"county": "C", "year": year, "kind": kind, "amount": amount}
        for year in YEARS
        for kind, amount in (limits or {"land": 1.0}).items()
    ]
    return tables.case()


def test_bought_beside_empty_seats(tables: Tables) -> None:
    assert counts.bought_beside_seats(beside(tables)) == {
        "beside_standard_2022": 3.0,
        "beside_standard_2025": 0.0,
        "beside_standard": 8.0,  # 3 in 2022, 5 of the 8 in 2023
        "beside_usable": 8.0,
        "newly_beside_usable": 8.0,  # 3 in 2022, 5 more in 2023
        "of_bought": 11.0,
        "share": 8 / 11,
    }


def test_who_stays_where_they_were_bought_is_not_newly_bought(tables: Tables) -> None:
    """Four of the first grade are bought in 2022 and stay a year; one beginner joins in 2023."""
    tables.school("public", "public", places=40, grades=grades(*[10] * 4))
    bought = {"1": (4.0, 1.0, 0.0, 0.0), "2": (0.0, 4.0, 1.0, 0.0)}
    by_year = tuple(map(sum, zip(*bought.values(), strict=True)))
    tables.school("sells", grades=grades(*[10] * 4), purchased_december=by_year)
    tables.add("staff", *(("C", year, 3.0, 1.0, 0.0) for year in YEARS))
    frame = tables.listed_by_grade(bought)
    case = tables.case()
    frame[frame["school"] == "sells"].to_csv(tables.folder / "plan" / "payers.csv", index=False)
    found = counts.bought_beside_seats(case)
    assert (found["beside_usable"], found["newly_beside_usable"]) == (4 + 5 + 1, 5.0)


def test_seats_of_a_school_that_converts_open_a_year_later(tables: Tables) -> None:
    """It converts in 2022 with 20 pupils on 25 seats: of these five are open from 2023 on."""
    tables.school("taken", grades=grades(*[10] * 4), seats_converted=[25] * 4, public=[20] * 4)
    tables.add("conversions", ("taken", "primary", "2022-09-01"))
    bought = (3.0, 3.0, 0.0, 0.0)
    tables.school("sells", grades=grades(*[10] * 4), purchased_december=bought, fee_paying=[20] * 4)
    tables.add("staff", *(("C", year, 3.0, 1.0, 0.0) for year in YEARS))
    found = counts.bought_beside_seats(tables.case())
    assert (found["beside_standard_2022"], found["beside_usable"]) == (0.0, 3.0)


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        ({"hires": 1}, 8.0),
        ({"hires": 1, "contract_teachers": 0}, 0.0),
        ({"posts": 3, "contract_teachers": 0}, 0.0),
        ({"posts": 4, "hires": 2, "contract_teachers": 0}, 8.0),
    ],
)
def test_no_seat_is_empty_without_teachers(
    tables: Tables, limits: dict[str, float], left: float
) -> None:
    assert counts.bought_beside_seats(beside(tables, **limits))["beside_usable"] == left


def test_seats_that_large_classes_forbid_are_not_empty(tables: Tables) -> None:
    """With 1 - Φ((55.5 - 40)/5) = 0.1 % of large classes, 45 seats take 40: 26.7 of 30."""
    share = 0.5 * 0.0019348
    tables.settings += f"[policy.large_class_share]\n2022 = {share}\n"
    found = counts.bought_beside_seats(beside(tables))
    assert found["beside_standard"] == 8.0
    assert found["beside_usable"] == pytest.approx(2 * (30 * 40 / 45 - 25), abs=1e-3)


def test_teachers_set_free_and_posts_of_projects(tables: Tables) -> None:
    """Two of 3 contracts are of 10 x 0.3 teachers set free; a project brings two of 5 posts."""
    tables.school(
        "shrinks", base=(50, 50), staff=10.0, fee_paying=(0.0,) * 4,
        grades=grades(0, 0, 0, 0, second=(0, 0, 0, 0)),
    )  # fmt: skip
    tables.add("staff", *(("C", year, 5.0, 0.0, 3.0) for year in YEARS))
    tables.add("openings", ("B1", "2022-12-31", 1))
    tables.scenario["projects"] = [{"project": "B1", "area": "A", "posts": 2.0}]
    tables.scenario["limits"] = [
        {"county": "*", "year": year, "kind": kind, "amount": amount}
        for year in YEARS
        for kind, amount in (("contract_teachers", 0.0), ("posts", 5.0))
    ]
    case = tables.case()
    assert counts._set_free(case).unique().tolist() == [3.0]
    assert counts._posts_brought(case).to_dict() == {("C", year): 2.0 for year in YEARS[1:]}
    had = counts._teachers_to_be_had(case)
    assert had.tolist() == [False, True, True, True]


def test_empty_classrooms(tables: Tables) -> None:
    """100 empty primary seats are two rooms of 45; 120 pupils too many are two rooms of 50."""
    tables.school("p", "public", places=120, grades=grades(10, 10, 10, 10))
    seven = {"7": (170.0, 170.0, 170.0, 100.0)}
    tables.school("j", "public", "junior", base=(50,), places=50, grades=seven)
    found = counts.empty_classrooms(tables.case())
    assert found == {
        "empty_primary_seats_2025": 100.0,
        "junior_pupils_over_2025": 50.0,
        "rooms_2025": 1.0,
        "rooms_worst_year": 2.0,
        "worst_year": 2022,
        "share": 1.0,
    }


def test_teachers_told_nowhere(tables: Tables) -> None:
    """25 pupils need 2.5 teachers; there are 3 and one on contract."""
    tables.school("p", "public", grades=grades(15, 15, 15, 15))
    tables.school("j", "public", "junior", base=(9,), grades={"7": (9, 9, 9, 9)})
    tables.add("staff", *(("C", year, 3.0, 1.0, 1.0) for year in YEARS))
    case = tables.case()
    assert counts.teachers_untold(case) == {
        "surplus_2025": 1.5, "untold": 1.5, "untold_most": 1.5, "need_differs": 0.0,
    }  # fmt: skip
    path = case.plan / "staff.csv"
    told = pd.read_csv(path).assign(stage="primary", need=2.5, surplus=[1.5, 1.0, 1.5, 1.5])
    told.to_csv(path, index=False)
    found = counts.teachers_untold(Case(case.plan, case.scenario))
    assert (found["untold"], found["untold_most"], found["need_differs"]) == (0.0, 0.5, 0.0)


def test_command_on_folders(
    tables: Tables, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = beside(tables)
    folders = ["--plan", str(case.plan), "--scenario", str(case.scenario)]
    main([*folders, "--out", str(tmp_path)])
    said = capsys.readouterr().out
    assert "of bought 11, share 72.7%" in said
    assert "MISS" in said
    assert (tmp_path / "carried_out.json").is_file()
    (case.plan / "purchases.csv").unlink()
    with pytest.raises(SystemExit, match=r"purchases.csv: there is no such file; columns needed"):
        main(folders)
    pd.DataFrame({"school": []}).to_csv(case.plan / "purchases.csv", index=False)
    with pytest.raises(SystemExit, match=r"purchases.csv: no column stage, school_year, contract"):
        main(folders)
    (case.scenario / "scenario.toml").write_text('extends = "../other"', encoding="utf-8")
    with pytest.raises(SystemExit, match="save it whole first"):
        main(folders)
    with pytest.raises(SystemExit):
        main(folders[:2])


@pytest.mark.slow
def test_counts_of_a_plan_made_here(tmp_path: Path) -> None:
    city = capsim.generate(3, 3_000, 1, years=(2021, 2025), stages=("primary", "junior"))
    found = planned(city, tmp_path)
    assert set(found) == {of.__name__ for of in counts.COUNTS}
    assert found["teachers_untold"]["need_differs"] < 1e-6
    checks = goals.of_counts("city", found)
    assert len(checks) == len(goals.CARRIED_OUT)


@pytest.mark.slow
def test_price_of_a_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the reduction the plan is cheaper, by as much as the rule costs."""
    city = capsim.generate(3, 3_000, 1, years=(2021, 2023), stages=("primary", "junior"))
    assert set(in_force(city)) <= set(RULES)
    key = "policy.reduction"
    monkeypatch.setattr("benchmarks.carried_out.RULES", {key: {"set": {key: None}}})
    rows = prices(city)
    assert [row["without"] for row in rows] == ["nothing", key, "any"]
    assert rows[0]["price_cny"] == 0
    assert rows[1]["price_cny"] == rows[0]["objective_cny"] - rows[1]["objective_cny"] > 0
    assert rows[1]["least_cny"] <= rows[1]["price_cny"] <= rows[1]["most_cny"]
    assert len(price_lines(rows)) == 4
