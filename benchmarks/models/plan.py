"""The whole plan with every constraint family, which only routes on arrays can state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.sizes import Model, Size, model

if TYPE_CHECKING:
    from capsim.scenario import Scenario


def scenario(size: Size) -> Scenario:
    """Generate it, three stages."""
    from capsim.scenario import generate

    return generate(
        size.areas,
        size.pupils,
        kind=size.kind,
        years=(2021, size.last_year),
        stages=("primary", "junior", "senior"),
        name=f"plan-{size.name}",
    )


model(Model("plan", scenario))
