"""The whole road with cities that lack what a city has: each gets a plan, a proof and a report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import capsim
from capsim.workflow import run

UNRULED = {"policy.reduction": 0.0, "policy.private_share_cap": {}, "programmes": {}}


def town() -> capsim.Scenario:
    return capsim.generate(areas=2, pupils=6000, years=(2021, 2023), seed=1)


def of_stages(*stages: str) -> capsim.Scenario:
    """Only these are planned; schools and projects of others are there all the same."""
    return town().variant({**UNRULED, "stages.planned": list(stages)})


def without_schools() -> capsim.Scenario:
    gone = {name: town().table(name).iloc[:0] for name in ("schools", "rolls", "projects")}
    return town().variant({**UNRULED, "floors": {}}, tables=gone)


def free() -> capsim.Scenario:
    terms = type(town().settings.cost_terms).model_fields
    return town().variant({f"cost_terms.{name}": False for name in terms})


def without_rules() -> capsim.Scenario:
    switches = type(town().settings.switches).model_fields
    return town().variant({f"switches.{name}": False for name in switches})


SLOW = pytest.mark.slow
CITIES: dict[str, Any] = {
    "kindergarten only": lambda: of_stages("kindergarten"),
    "primary and senior": lambda: of_stages("primary", "senior"),
    "without schools": without_schools,
    "free": free,
    "without rules": without_rules,
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name if at < 2 else pytest.param(name, marks=SLOW) for at, name in enumerate(CITIES)]
)
def test_an_odd_city_goes_the_whole_road(name: str, tmp_path: Path) -> None:
    result = run(CITIES[name](), tmp_path / "report", draws=3)
    assert result.plan.status == "optimal"
    assert result.certificate is not None
    assert result.certificate.holds(), result.certificate.worst
    assert list(result.summary["displaced_pupils"]) == ["2022", "2023"]
    assert list(result.summary["surplus_places"]) == ["2022", "2023"]
    assert all(line.strip() or not line for line in result.answer.splitlines())
    assert (tmp_path / "report" / "summary.json").exists()
