"""Targets: what their ids mean, when they hold, and how the plan's table describes them."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hand_made import chord, hand_demand
from hand_scenario import given_tables, settings

import capsim
from capsim.plan.targets import RULES, make_target, read_targets, targets_of, unit_of


@pytest.mark.parametrize(
    ("identifier", "required", "meets", "misses"),
    [
        ("placement", 0.0, 0.9e-6, 1.1e-6),
        ("share-2022", 0.05, 0.05 + 0.9e-6, 0.05 + 1.1e-6),
        ("large_classes-2022", 0.1, 0.0, 0.2),
        ("reduction", 300_000.0, 299_999.8, 299_999.6),
        ("programme-build-2022", 145.0, 146.0, 144.0),
        ("kindergarten_enrolment-2022", 0.93, 0.95, 0.92),
        ("kindergarten_public-2022", 0.57, 0.57 - 0.9e-6, 0.57 - 1.1e-6),
        ("kindergarten_inclusive-2022", 0.87, 0.88, 0.86),
        ("senior_enrolment-2022", 0.93, 0.93, 0.92),
    ],
)
def test_caps_hold_from_below_and_floors_from_above(identifier, required, meets, misses):
    target = make_target(identifier, "2022-12-31", required)
    assert target.holds(meets)
    assert not target.holds(misses)


def test_an_unknown_rule_is_refused_and_has_no_unit():
    with pytest.raises(ValueError, match="'happiness-2023' is none of placement"):
        make_target("happiness-2023", "2023-09-01", 1.0)
    assert unit_of("happiness-2023") == ""


@pytest.fixture(scope="module")
def city():
    city = capsim.generate(2, 20_000, years=(2021, 2022), seed=0)
    return city.variant(
        {"policy.large_class_share": {2022: 0.5}, "floors.senior_enrolment": {2022: 0.9}}
    )


def test_the_table_has_the_targets_of_the_scenario(city):
    table = capsim.optimize(city, gap=0.1).tables["targets"]
    assert read_targets(table) == targets_of(city)
    assert {target.rule for target in targets_of(city)} == set(RULES)


@pytest.mark.slow
def test_who_is_enrolled_elsewhere_counts_in_a_floor(city):
    change = {"demand.gross_enrolment.senior": 0.9, "demand.elsewhere": {"senior": 0.4}}
    part = city.variant(change)
    plan = capsim.optimize(part, gap=0.1)
    target = plan.tables["targets"].set_index("id").loc["senior_enrolment-2022"]
    assert target["achieved"] == pytest.approx(0.9)
    assert target["met"]
    assert capsim.certify(part, plan).holds()
    sure = capsim.simulate(plan, draws=1, uncertainty=False).tables["targets"].set_index("id")
    assert sure.loc["senior_enrolment-2022", "mean"] == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "56 or more"),
        ({"primary": 60, "junior": 60}, "60 or more"),
        ({"primary": 58}, "58 (primary) or 56 (junior) or more"),
    ],
)
def test_large_classes_are_described_by_the_size_that_the_scenario_says(city, changes, words):
    sizes = {f"standards.{stage}.large_class": size for stage, size in changes.items()}
    table = capsim.optimize(city.variant(sizes), relax=True).tables["targets"].set_index("id")
    what = f"share of classes of {words}, worst county and stage"
    assert table.loc["large_classes-2022", "what"] == what


@pytest.mark.parametrize(("scope", "private"), [("whole", 270 / 690), ("county", 180 / 300)])
def test_every_target_has_its_figure_in_the_base_year(scope, private):
    """300 pupils in 290 places at P; 180 of the 300 pupils of county D are in private schools."""
    said = deepcopy(settings())
    said["policy"] |= {"private_share_cap": {"2022": 0.7}, "share_scope": scope}
    scenario = capsim.Scenario.from_tables(settings=said, **given_tables())
    plan = capsim.optimize(scenario, hand_demand(), relax=True)
    before = plan.tables["targets"].set_index("id")["before"]
    large = chord(5.8, 300) / 5.8
    assert before.to_dict() == pytest.approx(
        {"placement": 0, "reduction": 0, "programme-build": 0, "programme-turn": 0}
        | {f"share-{year}": private for year in (2022, 2023)}
        | {f"kindergarten_enrolment-{year}": 1 for year in (2022, 2023)}
        | {f"kindergarten_public-{year}": 60 / 120 for year in (2022, 2023)}
        | {f"kindergarten_inclusive-{year}": 90 / 120 for year in (2022, 2023)}
        | {f"large_classes-{year}": large for year in (2022, 2023)}
    )
    table = plan.tables["large_classes"].set_index(["county", "stage", "school_year"])["share"]
    assert table["C", "junior", 2021] == pytest.approx(large)
    both = (chord(5.8, 300) + chord(3, 120)) / 8.8
    assert table["*", "*", 2021] == pytest.approx(both)
