"""What is wrong with projects that change public schools is said by row and column."""

from __future__ import annotations

from typing import Any

import pytest
from two_stages import project, school, villages

from capsim.scenario import ScenarioError

SCHOOLS = [
    school("E1", "primary", 100, 100),
    {**school("V", "primary", 60, 60), "sector": "private"},
]
GIVES = project("R", "restage", "primary", "E1", places_given_up=45.0)
BRINGS = project("R", "restage", "junior", "", places=50.0)
CLOSES = {**GIVES, "kind": "close"}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{**GIVES, "school": ""}], "school: '' where the school that it is about"),
        ([{**CLOSES, "school": ""}], "school: '' where the school that it is about"),
        ([{**CLOSES, "kind": "merge", "school": ""}], "school: '' where the school that it"),
        ([{**GIVES, "school": "V"}], "school: 'V' where a public school"),
        ([{**GIVES, "school": "E3"}], "school: 'E3' where a school: E1 (the nearest known)"),
        ([{**GIVES, "stage": "junior"}], "stage: 'junior' where a stage of that school"),
        ([{**GIVES, "count": 3}], "places_given_up: '45' where at most the places of the school"),
        ([{**CLOSES, "places": 5.0}], "places: '5' where 0 (a school that closes)"),
        ([{**CLOSES, "places_given_up": 0.0}], "places_given_up: '0' where places of the school"),
        ([BRINGS], "places_given_up: '0' where places of the school, in some row of the project"),
        ([GIVES, {**BRINGS, "kind": "new"}], "kind: 'new' where the same in every row"),
        ([GIVES, GIVES], "project, stage, school: 'R, primary, E1' where a key that no earlier"),
        (
            [{**GIVES, "kind": "nine_year", "places": 9.0}],
            "places: '9' where places for each stage",
        ),
        ([{**GIVES, "saved_cny": -1.0}], "saved_cny: '-1' where a number >= 0"),
    ],
)
def test_what_is_wrong_is_said(rows: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        villages(children={("east", "primary"): (100, 50)}, schools=SCHOOLS, projects=rows)
    assert said in str(caught.value)


def test_a_stage_without_a_named_school_is_a_school_of_its_own() -> None:
    scenario = villages(
        children={("east", "primary"): (100, 50)}, schools=SCHOOLS, projects=[GIVES, BRINGS]
    )
    assert scenario.table("projects")["school"].tolist() == ["E1", ""]
