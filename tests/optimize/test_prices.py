"""Every price is the one-sided finite difference of the plan's linear program, exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from cities import children, city
from duality import proves
from tiny_cases import limit, project, school, town

import capsim
from capsim.lp import solve
from capsim.optimize import formulate
from capsim.optimize.decided import decided
from capsim.optimize.prices import KINDS, Prices, prices

RELATIVE = 1e-4
Change = Callable[[Any, Any, float], Any]
CITIES = [(3, 0), (4, 1), (2, 2)]


@cache
def planned(areas: int, seed: int) -> tuple[Any, Any]:
    """A generated city's plan and its integers."""
    scenario, demand = city(areas, seed), children(areas, seed)
    plan = capsim.optimize(scenario, demand, threads=1)
    return plan, decided(formulate(scenario, demand), plan.tables)


@cache
def priced(areas: int, seed: int) -> Prices:
    plan, _ = planned(areas, seed)
    return prices(formulate(plan.scenario, plan.demand), plan, KINDS)


def optimum(program: Any) -> float:
    """RMB of the cheapest solution without the committed part; infinite where there is none."""
    found = solve(program)
    if found.status == "infeasible":
        return float("inf")
    assert found.status == "optimal"
    return (found.objective - program.offset) * 1e6


def agree(row: Any, base: float, at: Callable[[float], float], most: float = 20.0) -> int:
    """Both slopes against re-solving, halfway along the units over which each shall hold."""
    checked = 0
    for sign, price, reach in (
        (1.0, row.one_more_cny, row.more_units),
        (-1.0, row.one_less_cny, row.less_units),
    ):
        if not np.isfinite(price):
            assert at(-1e-2) == np.inf
            continue
        step = min(0.5 * reach, most)
        if step < 1e-3:
            continue
        found = sign * (base - at(sign * step)) / step
        noise = 1e-9 * abs(base) / step
        assert found == pytest.approx(price, rel=RELATIVE, abs=noise + 1e-4), (row, sign)
        checked += abs(price) > 1.0
    return checked


def more_limit(kind: str) -> Change:
    def change(scenario: Any, row: Any, step: float) -> Any:
        table = scenario.table("limits")
        who = row.county or "*"
        at = (table["kind"] == kind) & (table["county"] == who) & (table["year"] == row.year)
        assert at.sum() == 1
        table.loc[at, "amount"] += step
        return scenario.variant({}, tables={"limits": table})

    return change


def more_cap(scenario: Any, row: Any, step: float) -> Any:
    now = scenario.settings.policy.private_share_cap[row.year]
    return scenario.variant({f"policy.private_share_cap.{row.year}": now + 0.01 * step})


def less_reduction(scenario: Any, row: Any, step: float) -> Any:
    return scenario.variant({"policy.reduction": scenario.settings.policy.reduction - step})


CHANGES: dict[str, Change] = {
    "cap": more_cap,
    "reduction": less_reduction,
    "contract teacher": more_limit("contract_teachers"),
    "hire": more_limit("hires"),
    "post": more_limit("posts"),
    "purchased place": more_limit("purchase"),
    "recurrent": more_limit("recurrent"),
    "capital": more_limit("capital"),
    "land": more_limit("land"),
}


def through_the_scenario(where: tuple[int, int], kinds: tuple[str, ...], most: int) -> set[str]:
    """Check prices against plans of changed scenarios; return the kinds that were not 0."""
    plan, x = planned(*where)
    base = optimum(formulate(plan.scenario, plan.demand).program.fixed(x))
    table, seen = priced(*where).table, set()
    for kind in kinds:
        mine = table[(table["kind"] == kind) & (table["name"] == "")]
        order = mine.sort_values("one_more_cny", ascending=False)
        # A limit cannot be less than nothing.
        enough = [r for r in order.itertuples() if _amount(plan.scenario, r) >= 6]
        for row in enough[:most]:

            def at(step: float, kind: str = kind, row: Any = row) -> float:
                changed = CHANGES[kind](plan.scenario, row, step)
                return optimum(formulate(changed, plan.demand).program.fixed(x))

            if agree(row, base, at, most=6.0):
                seen.add(kind)
    return seen


def _amount(scenario: Any, row: Any) -> float:
    """The limit that a row is of; infinite where it is of none."""
    kinds = {"contract teacher": "contract_teachers", "purchased place": "purchase"}
    kinds |= {"hire": "hires", "post": "posts"}
    table = scenario.table("limits")
    at = (table["kind"] == kinds.get(row.kind, row.kind)) & (table["county"] == row.county)
    return float(table[at & (table["year"] == row.year)]["amount"].min()) if at.any() else np.inf


def test_prices_of_policies_are_finite_differences_over_scenarios() -> None:
    kinds = ("cap", "reduction", "contract teacher")
    assert through_the_scenario((4, 1), kinds, 1) == set(kinds)


@pytest.mark.slow
@pytest.mark.parametrize("where", CITIES)
def test_prices_of_all_limits_are_finite_differences_over_scenarios(where: tuple[int, int]) -> None:
    assert through_the_scenario(where, tuple(CHANGES), 4)


ROWS = {
    "hire": "staff.hires[{county},{year}]",
    "post": "staff.posts[{county},{year}]",
    "contract teacher": "staff.contract[{county},{year}]",
    "purchased place": "purchase.limit[{county},{year}]",
    "reduction": "reduction[{year}]",
    "floor": "floors.{name}[{year}]",
    "large class": "class_size.limit[{county},{stage},{year}]",
}


def test_prices_of_rows_are_finite_differences_of_their_right_hand_side() -> None:
    """Every row of seven kinds in one city, those with a price and those without."""
    plan, x = planned(4, 3)
    program = formulate(plan.scenario, plan.demand).program.fixed(x)
    names = {name: i for i, name in enumerate(program.row_names())}
    base = optimum(program)
    seen = set()
    for row in priced(4, 3).table.itertuples():
        pattern = ROWS.get(row.kind)
        if pattern is None or (row.kind == "purchased place" and row.name):
            continue
        label = pattern.format(
            county=row.county or "*", stage=row.stage, name=row.name, year=row.year
        )
        i = names[label]

        def at(step: float, i: int = i) -> float:
            lower, upper = program.row_lower.copy(), program.row_upper.copy()
            lower[i] -= step
            upper[i] += step
            return optimum(replace(program, row_lower=lower, row_upper=upper))

        if agree(row, base, at):
            seen.add(row.kind)
    assert seen == {"contract teacher", "reduction", "floor", "large class"}


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
    model = formulate(scenario, demand)
    x = decided(model, plan.tables)
    least = optimum(model.program.fixed(x))
    table = prices(model, plan, ["place"]).table.set_index(["area", "stage", "year"])
    bound = 0
    for key in seats:

        def at(step: float, key: tuple[str, str, int] = key) -> float:
            changed = with_seats(base, seats | {key: seats[key] + step})
            return optimum(formulate(changed, demand).program.fixed(x))

        bound += agree(table.loc[key], least, at, most=9.0) > 0
    return bound


def test_a_place_is_worth_what_a_project_of_one_place_saves() -> None:
    seats = {("C01-core", "junior", 2022): 10.0, ("C01-town", "primary", 2023): 10.0}
    assert worth_of_places((3, 0), seats) >= 1


@pytest.mark.slow
def test_places_of_all_areas_and_stages_are_worth_what_projects_save() -> None:
    public = city(4, 1).table("schools").query("sector == 'public' and stage != 'senior'")
    who = zip(public["area"], public["stage"], strict=True)
    seats = {(area, stage, 2022 + i % 2): 10.0 for i, (area, stage) in enumerate(who)}
    assert worth_of_places((4, 1), seats) >= 4


def test_a_copy_is_worth_what_the_plan_without_it_costs() -> None:
    """Every project of a city, a whole copy fewer or more among its openings."""
    plan, _ = planned(3, 0)
    scenario = plan.scenario.variant({"programmes.build.number": 0})
    projects = scenario.table("projects")
    model = formulate(scenario, plan.demand)
    opened = plan.tables["openings"]
    dates = model.given.dates

    def cost(openings: pd.DataFrame) -> float:
        return optimum(model.program.fixed(decided(model, plan.tables | {"openings": openings})))

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
        program = model.program.fixed(decided(model, plan.tables | {"openings": openings}))
        saved = base - optimum(program)
        assert table["more_units"][name] == 121
        assert table["one_more_cny"][name] * 121 == pytest.approx(saved, rel=1e-6)


def crowded(places: float, **other: Any) -> Any:
    """A town of 100 children in one public school; over-filling costs 2,000 a child."""
    return town(
        children=(100,),
        schools=[school("P", "public", places, places)],
        standards={"class_ceiling": 55},
        switches={"class_size": False},
        **other,
    )


def test_a_degenerate_price_is_an_interval() -> None:
    """100 children on 100 places: one place more saves nothing, one less costs over-filling."""
    scenario = crowded(100)
    plan = capsim.optimize(scenario)
    row = plan.prices(["place"]).table.iloc[0]
    assert (row["one_more_cny"], row["more_units"]) == (0, np.inf)
    assert row["one_less_cny"] == pytest.approx(2000.0)
    # 90.9 places are filled by 100 children at classes of 55 instead of 50.
    assert row["less_units"] == pytest.approx(100 - 100 * 50 / 55)


def test_a_range_ends_where_the_price_changes() -> None:
    """95 places and 100 children: worth 2,000 for five places more, then nothing."""
    row = capsim.optimize(crowded(95)).prices(["place"]).table.iloc[0]
    assert row["one_more_cny"] == pytest.approx(2000.0)
    assert row["more_units"] == pytest.approx(5.0)
    assert row["less_units"] == pytest.approx(95 - 100 * 50 / 55)


def test_a_dominated_constraint_has_no_price() -> None:
    scenario = crowded(
        100,
        staff=True,
        limits=[limit("hires", 2022, 50), limit("posts", 2022, 60), limit("recurrent", 2022, 1e9)],
    )
    table = capsim.optimize(scenario).prices(["hire", "post", "recurrent"]).table
    assert set(table["kind"]) == {"hire", "post", "recurrent"}
    assert (table["one_more_cny"] == 0).all()
    assert (table["one_less_cny"] == 0).all()
    assert (table["less_units"] > 1).all()


def test_what_depends_on_whole_projects_alone_has_a_price_in_the_relaxation() -> None:
    """120 children, 100 places, a project of 40 with money for three eighths and land for half.

    A yuan of it seats 40 children in 4 million, of 0.2 million each, and costs itself.
    """
    scenario = town(
        children=(120,),
        schools=[school("P", "public", 100, 100)],
        projects=[project("N", 40, 4e6, "2022-09-01", land_mu=10.0)],
        limits=[limit("land", 2022, 5.0), limit("capital", 2022, 1.5e6)],
    )
    plan = capsim.optimize(scenario, relax=True)
    table = plan.prices(["land", "capital"]).table.set_index("kind")
    assert table["one_more_cny"]["land"] == 0
    assert table["one_more_cny"]["capital"] == pytest.approx(40 * 0.2 / 4 - 1)
    assert table["more_units"]["capital"] == pytest.approx(0.5e6)
    assert table["less_units"]["capital"] == pytest.approx(1.5e6)
    assert capsim.optimize(scenario).prices(["land"]).table["one_more_cny"].tolist() == [0.0]
    with pytest.raises(ValueError, match="relaxed plan"):
        plan.prices(["project"])


def test_duals_prove_the_optimum_without_the_solver() -> None:
    for where in ((3, 0), (4, 1)):
        proves(priced(*where))


def test_the_decisions_are_read_back() -> None:
    """With them fixed the cheapest is the plan's cost."""
    for where in CITIES:
        plan, x = planned(*where)
        found = optimum(formulate(plan.scenario, plan.demand).program.fixed(x))
        assert found == pytest.approx(plan.objective_cny, rel=1e-7)


def test_what_is_binding_and_what_is_refused() -> None:
    found = priced(4, 1)
    shown = found.binding()
    assert set(shown["kind"]) >= {"place", "contract teacher", "cap", "reduction"}
    assert not shown["kind"].isin(["project", "day"]).any()
    assert list(found.of("reduction").columns) == [
        *("year", "one_more_cny", "one_less_cny", "more_units", "less_units"),
    ]
    plan, _ = planned(4, 1)
    few = plan.prices(["place"], {"area": "C01-core", "year": 2022}).table
    assert set(few["area"]) == {"C01-core"}
    assert set(few["year"]) == {2022}
    with pytest.raises(ValueError, match="no prices of kind 'gold'"):
        plan.prices(["gold"])
    with pytest.raises(ValueError, match="no column 'colour'"):
        plan.prices(["place"], {"colour": "red"})
