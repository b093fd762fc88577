"""Synthetic scenarios: exact totals, the same bytes for a seed, valid in every size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import capsim
from capsim.scenario import Scenario, generate
from capsim.scenario.synthetic.people import birth_totals, cohort
from capsim.scenario.synthetic.recipe import Recipe, apportion, split, systematic

COMPULSORY = [str(grade) for grade in range(1, 10)]


def compulsory(scenario: Scenario, sector: str = "") -> int:
    table = scenario.table("pupils")
    rows = table[
        (table["school_year"] == scenario.base_year)
        & table["grade"].isin(COMPULSORY)
        & table["sector"].str.startswith(sector)
    ]
    return int(rows["pupils"].sum())


@pytest.fixture(scope="module")
def city() -> Scenario:
    return generate(areas=6, pupils=60_000, seed=3)


def test_totals_are_exact(city: Scenario) -> None:
    assert compulsory(city) == 60_000
    assert compulsory(city, "private") == round(60_000 * 0.2565)


def test_schools_hold_all_pupils(city: Scenario) -> None:
    schools = city.table("schools")
    inside = schools[schools["stage"].isin(["primary", "junior"])]
    assert inside["pupils"].sum() == 60_000
    private = inside[inside["sector"] == "private"]
    rolls = city.table("rolls").groupby(["school", "stage"])["pupils"].sum()
    assert rolls.sum() == private["pupils"].sum()
    joined = private.join(rolls.rename("roll"), on=["school", "stage"])
    assert (joined["roll"] == joined["pupils"]).all()


def test_a_seed_gives_the_same_bytes(city: Scenario) -> None:
    assert generate(areas=6, pupils=60_000, seed=3).hash == city.hash
    assert generate(areas=6, pupils=60_000, seed=4).hash != city.hash


def test_it_loads_again_without_a_fault(city: Scenario, tmp_path) -> None:  # type: ignore[no-untyped-def]
    city.save(tmp_path / "city")
    assert capsim.load(tmp_path / "city").hash == city.hash


def test_public_schools_may_change_where_fewer_children_are_born(city: Scenario) -> None:
    projects = city.table("projects")
    changed = projects[projects["kind"].isin(["restage", "merge", "close", "nine_year"])]
    assert set(changed["kind"]) == {"restage", "merge", "close", "nine_year"}
    assert (changed["status"] == "candidate").all()
    rooms = changed[changed["kind"] == "restage"].set_index("stage")
    assert (rooms.loc["primary", "places_given_up"] == 45).all()
    assert (rooms.loc["junior", "capital_cny"] == 3_000 * 50).all()
    assert set(changed["kind"]) <= set(city.table("phases")["kind"])


def test_projection_follows_births(city: Scenario) -> None:
    demand = capsim.project(city)
    rows = [demand.grades.index(grade) for grade in COMPULSORY]
    total = demand.pupils[:, rows].sum((0, 1))
    ages = demand.population[:, rows].sum((0, 1))
    assert total == pytest.approx(ages, rel=0.02)


@pytest.mark.parametrize(
    ("kind", "areas", "counties"), [("city", 5, 2), ("province", 7, 7), ("nation", 9, 9)]
)
def test_kinds(kind: str, areas: int, counties: int) -> None:
    made = generate(areas=areas, pupils=5_000 * areas, kind=kind, stages=("primary", "junior"))
    assert len(made.table("areas")) == areas
    assert made.table("areas")["county"].nunique() == counties
    assert set(made.stages) == {"primary", "junior"}


def test_a_nation_pools_its_private_schools() -> None:
    made = generate(areas=9, pupils=900_000, kind="nation")
    private = made.table("schools").query("sector == 'private' and stage == 'primary'")
    assert private["area"].is_unique


@pytest.mark.slow
@given(st.integers(2, 8), st.integers(2_000, 90_000), st.integers(0, 2**31))
@settings(max_examples=8)
def test_any_size_is_consistent(areas: int, pupils: int, seed: int) -> None:
    made = generate(areas=areas, pupils=pupils, seed=seed, stages=("primary", "junior"))
    assert compulsory(made) == pupils
    schools = made.table("schools")
    assert schools["pupils"].sum() == pupils
    assert (schools["purchasable_places"] <= schools["pupils"]).all()


@pytest.mark.slow
def test_a_nation_of_full_size() -> None:
    made = generate(
        areas=2_850, pupils=160_000_000, kind="nation", stages=("kindergarten", "primary", "junior")
    )
    assert compulsory(made) == 160_000_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"areas": 0}, "areas must be >= 1"),
        ({"areas": 18, "pupils": 10}, "areas must be >= 1"),
        ({"kind": "village"}, "kind must be one of city, province, nation"),
        ({"private_share": 0.9}, "expected 0 < private_share"),
        ({"years": (2021, 2021)}, "years in order"),
        ({"stages": ("senior",)}, "stages with primary and junior"),
    ],
)
def test_bad_arguments_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        generate(**change)  # type: ignore[arg-type]


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30), st.integers(0, 10**7))
def test_apportioned_parts_sum_to_their_total(weights: list[float], total: int) -> None:
    parts = split(total, np.array(weights))
    assert parts.sum() == total
    assert (parts >= 0).all()
    if sum(weights) > 1e-3:
        quota = total * np.array(weights) / sum(weights)
        assert (np.abs(parts - quota) < 1.001).all()


def test_groups_are_apportioned_apart() -> None:
    parts = apportion(np.array([7, 2]), np.array([1.0, 1.0, 1.0, 0.0]), np.array([0, 1, 0, 1]))
    assert parts.tolist() == [4, 2, 3, 0]


def test_systematic_draws_follow_weights() -> None:
    drawn = systematic(np.array([1.0, 2.0, 0.0, 1.0]), 400, np.random.default_rng(1))
    assert np.abs(np.bincount(drawn, minlength=4) - [100, 200, 0, 100]).max() <= 1


def test_a_cohort_is_born_in_two_calendar_years() -> None:
    # Six on 1 September 2021: born from September 2014 to August 2015.
    births = np.array([[300.0, 600.0]])
    assert cohort(births, 2014, 2021, 6).tolist() == [500.0]
    assert np.isnan(cohort(births, 2014, 2020, 6)).all()


def test_births_are_as_many_as_the_pupils_need() -> None:
    years, totals = birth_totals(Recipe(pupils=90_000))
    children = sum(cohort(totals[None], years[0], 2021, age)[0] for age in range(6, 15))
    assert children == pytest.approx(90_000)
