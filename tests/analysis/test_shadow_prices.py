"""Every price is the one-sided finite difference of the plan's linear program, exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from duality import proves
from priced_cities import agree, optimum, planned, priced
from tiny_cases import limit, project, school, town

import capsim
from capsim.lp import solve
from capsim.model.model import formulate

Change = Callable[[Any, Any, float], Any]
CITIES = [(3, 0), (4, 1), (2, 2)]


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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_duals_prove_the_optimum_without_the_solver() -> None:
    for where in ((3, 0), (4, 1)):
        proves(priced(*where))


@pytest.mark.slow
def test_the_decisions_are_read_back() -> None:
    """With them fixed the cheapest is the plan's cost."""
    for where in CITIES:
        plan, x = planned(*where)
        found = solve(formulate(plan.scenario, plan.demand).program.fixed(x))
        assert found.objective * 1e6 == pytest.approx(plan.avoidable_cny, rel=1e-7)


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
