"""What places and projects are worth is what the plan with one more or fewer of them costs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from cities import children, city
from priced_cities import RELATIVE, agree, optimum, planned, priced, with_openings
from tiny_cases import project, school, town

import capsim
from capsim.model.model import formulate


def with_seats(scenario: Any, seats: dict[tuple[str, str, int], float]) -> Any:
    """The city with free places that last one year: area, stage and year to their number."""
    table = scenario.table("projects")
    schools = scenario.table("schools").query("sector == 'public'")
    rows = []
    for number, ((area, stage, year), places) in enumerate(seats.items()):
        mine = schools[(schools["area"] == area) & (schools["stage"] == stage)]
        free = {"capital_cny": 0.0, "running_cny": 0.0, "land_mu": 0.0, "posts": 0.0}
        row = (
            table.iloc[0].to_dict() | free | {"spent_cny": 0.0, "programme": "", "life_years": 1.0}
        )
        row |= {"project": f"seats-{number}", "stage": stage, "area": area, "places": places}
        row |= {"kind": "extend", "school": mine["school"].iloc[0], "status": "ordered"}
        row |= {"earliest_opening": f"{year}-09-01", "due": f"{year}-09-01", "pupils": np.nan}
        rows.append(row | {"started": ""})
    joined = pd.concat([table, pd.DataFrame(rows).astype(table.dtypes)], ignore_index=True)
    return scenario.variant({}, tables={"projects": joined})


def worth_of_places(where: tuple[int, int], seats: dict[tuple[str, str, int], float]) -> int:
    """Check prices of places beside free seats against projects of a few more or less."""
    base, demand = city(*where), children(*where)
    scenario = with_seats(base, seats)
    plan = capsim.optimize(scenario, demand, threads=1)
    x = plan.x
    least = optimum(plan.model.program.fixed(x))
    table = plan.prices(["place"]).table.set_index(["area", "stage", "year"])
    bound = 0
    for key in seats:

        def at(step: float, key: tuple[str, str, int] = key) -> float:
            changed = with_seats(base, seats | {key: seats[key] + step})
            return optimum(formulate(changed, demand).program.fixed(x))

        bound += agree(table.loc[key], least, at, most=9.0) > 0
    return bound


@pytest.mark.slow
def test_a_place_is_worth_what_a_project_of_one_place_saves() -> None:
    seats = {("C01-core", "junior", 2022): 10.0, ("C01-town", "primary", 2023): 10.0}
    assert worth_of_places((3, 0), seats) >= 1


@pytest.mark.slow
def test_places_of_all_areas_and_stages_are_worth_what_projects_save() -> None:
    public = city(4, 1).table("schools").query("sector == 'public' and stage != 'senior'")
    who = zip(public["area"], public["stage"], strict=True)
    seats = {(area, stage, 2022 + i % 2): 10.0 for i, (area, stage) in enumerate(who)}
    assert worth_of_places((4, 1), seats) >= 4


@pytest.mark.slow
def test_a_copy_is_worth_what_the_plan_without_it_costs() -> None:
    """Every project of a city, a whole copy fewer or more among its openings."""
    plan, x = planned(3, 0)
    scenario = plan.scenario.variant({"programmes.build.number": 0})
    projects = scenario.table("projects")
    model = formulate(scenario, plan.demand)
    opened = plan.tables["openings"]
    dates = model.given.dates

    def cost(openings: pd.DataFrame) -> float:
        return optimum(model.program.fixed(with_openings(model, x, openings)))

    base, seen = cost(opened), 0
    table = priced(3, 0).of("project").set_index("name")
    assert len(table) == projects["project"].nunique()
    for row in projects.drop_duplicates("project").itertuples():
        price, mine = table.loc[row.project], opened["project"] == row.project
        if mine.any():
            less = opened.copy()
            less.loc[less.index[mine][0], "copies"] -= 1
            assert price["less_units"] == 1
            lost = cost(less) - base
            assert lost == pytest.approx(price["one_less_cny"], rel=RELATIVE, abs=1.0)
            seen += abs(lost) > 1
        else:
            assert np.isnan(price["one_less_cny"])
        if opened[mine]["copies"].sum() == row.count:
            assert np.isnan(price["one_more_cny"])
            continue
        number = model.given.projects.project.tolist().index(row.project)
        first = str(dates.date[model.given.projects.first_check[number]])[:10]
        first = opened[mine]["opens"].min() if mine.any() else first
        new = pd.DataFrame([{"project": row.project, "opens": first, "copies": 1.0}])
        more = pd.concat([opened, new], ignore_index=True)
        saved = base - cost(more)
        assert saved == pytest.approx(price["one_more_cny"], rel=RELATIVE, abs=1.0)
        seen += abs(saved) > 1
    assert seen >= 4


def test_a_whole_copy_is_priced_not_a_part_of_one() -> None:
    """120 children, 100 places and a school of 40 for 3 million, half of which stands empty.

    Without it 20 children have no place, at 0.2 million each. By its slope, at the last of its
    places, it would not be worth anything.
    """
    scenario = town(
        children=(120,),
        schools=[school("P", "public", 100, 100)],
        projects=[project("N", 40, 3e6, "2022-09-01")],
        switches={"class_size": False},
    )
    plan = capsim.optimize(scenario)
    assert plan.tables["openings"]["project"].tolist() == ["N"]
    row = plan.prices(["project"]).table.iloc[0]
    assert row["one_less_cny"] == pytest.approx(20 * 200_000 - 3e6)
    assert np.isnan(row["one_more_cny"])
    assert (row["more_units"], row["less_units"]) == (0, 1)


def test_a_project_of_a_programme_is_worth_the_copy_best_left_out() -> None:
    """Its number one smaller, and each project of it left out in turn: the least of these costs."""
    plan, x = planned(3, 0)
    number = plan.scenario.settings.programmes["build"].number
    fewer = formulate(plan.scenario.variant({"programmes.build.number": number - 1}), plan.demand)
    base = optimum(fewer.program.fixed(x))
    opened, projects = plan.tables["openings"], plan.tables["projects"]
    least = np.inf
    for name in projects.query("programme == 'build' and copies > 0")["project"]:
        left = opened.copy()
        left.loc[left.index[left["project"] == name][0], "copies"] -= 1
        least = min(least, optimum(fewer.program.fixed(with_openings(fewer, x, left))))
    row = priced(3, 0).of("programme").set_index("name").loc["build"]
    assert row["one_more_cny"] == pytest.approx(max(base - least, 0.0), rel=RELATIVE)
    assert row["one_more_cny"] > 0


def test_a_further_project_of_a_programme_costs_the_cheapest() -> None:
    """Two more could be built for 3 and for 2 million, and nobody needs them."""
    build = {"programme": "build", "build_months": 6}
    scenario = town(
        children=(100,),
        schools=[school("P", "public", 100, 100)],
        projects=[project(f"N{i}", 20, i * 1e6, "2022-09-01", **build) for i in (1, 2, 3)],
        programmes={"build": {"number": 1, "by": "2022-12-31"}},
    )
    row = capsim.optimize(scenario).prices(["programme"]).table.iloc[0]
    assert (row["one_more_cny"], row["one_less_cny"]) == pytest.approx((1e6, 2e6))
    assert (row["more_units"], row["less_units"]) == (1, 1)


def test_a_day_is_the_plan_with_the_project_opened_at_another_date() -> None:
    plan, x = planned(3, 0)
    table = priced(3, 0).of("day").set_index("name")
    ordered = plan.tables["projects"].query("status == 'ordered' and opens == '2022-12-31'")
    base = optimum(formulate(plan.scenario, plan.demand).program.fixed(x))
    assert len(ordered)
    for name in ordered["project"]:
        projects = plan.scenario.table("projects")
        projects.loc[projects["project"] == name, ["earliest_opening", "due"]] = "2022-09-01"
        moved = plan.scenario.variant({}, tables={"projects": projects})
        openings = plan.tables["openings"].copy()
        openings.loc[openings["project"] == name, "opens"] = "2022-09-01"
        model = formulate(moved, plan.demand)
        program = model.program.fixed(with_openings(model, x, openings))
        saved = base - optimum(program)
        assert table["more_units"][name] == 121
        assert table["one_more_cny"][name] * 121 == pytest.approx(saved, rel=1e-6)
