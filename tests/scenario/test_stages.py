"""The built-in standards hold every published number, each with unit, source and mark."""

from __future__ import annotations

import pytest

from capsim.scenario.school_stages import countries, general, stages, standards


def test_countries() -> None:
    assert countries() == ("china", "england", "none", "usa")


@pytest.mark.parametrize("country", countries())
def test_every_number_has_a_source(country: str) -> None:
    for section, entries in standards(country).items():
        for key, entry in entries.items():
            if key != "grades":
                assert set(entry) == {"value", "unit", "source", "mark"}, f"{section}.{key}"
                assert entry["mark"] in ("P", "D", "A")
                assert entry["source"]
                assert entry["unit"]


@pytest.mark.parametrize(
    ("field", "numbers"),
    [
        ("class_size", (30, 45, 50, 50)),
        ("class_ceiling", (40, 55, 55, 55)),
        ("large_class", (41, 56, 56, 56)),
        ("pupils_per_post", (15, 19, 13.5, 12.5)),
        ("allowance_cny", (600, 650, 850, 1000)),
        ("purchase_price_cny", (5000, 5000, 6000, 9000)),
        ("capital_cny", (55_000, 50_000, 50_000, 110_000)),
        ("extension_cny", (65_000, 65_000, 65_000, 65_000)),
        ("service_radius_km", (0.3, 0.5, 1.0, 5.0)),
        ("entry_age", (3, 6, 12, 15)),
    ],
)
def test_numbers(field: str, numbers: tuple[float, ...]) -> None:
    assert tuple(getattr(stage, field) for stage in stages().values()) == numbers


def test_grades_follow_each_other() -> None:
    found = stages()
    assert [len(stage.grades) for stage in found.values()] == [3, 6, 3, 3]
    for below, above in zip(list(found.values())[:-1], list(found.values())[1:], strict=True):
        assert above.entry_age == below.entry_age + len(below.grades)


def test_full_cost_of_a_public_place() -> None:
    found = stages()
    assert found["primary"].running_cny == pytest.approx(5913.16, abs=0.01)
    assert found["junior"].running_cny == pytest.approx(8257.41, abs=0.01)
    assert stages(teacher_cny=190_000)["primary"].running_cny == 10_650
    assert stages(overrides={"primary": {"running_cny": 1.0}})["primary"].running_cny == 1.0


def test_general() -> None:
    assert general()["prefab_months"] == 6
    assert general()["works_months"] == [11, 19]


def test_a_new_stage_must_be_complete() -> None:
    with pytest.raises(ValueError, match="stage 'infant' lacks grades, entry_age"):
        stages(overrides={"infant": {"class_size": 20}})
