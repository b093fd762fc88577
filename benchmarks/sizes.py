"""The models and sizes that are measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from capsim.scenario import Scenario


@dataclass(frozen=True)
class Size:
    """How large a generated scenario is; ``neighbours`` are other areas a child may go to."""

    name: str
    areas: int
    pupils: int
    kind: str
    neighbours: int
    last_year: int = 2031


@dataclass(frozen=True)
class Model:
    """A scenario of every size, and whether its projects are whole numbers."""

    name: str
    scenario: Callable[[Size], Scenario]
    integer: bool = False
    gap: float = 1e-4


SIZES = {
    size.name: size
    for size in (
        Size("tiny", 4, 8_000, "province", 1, 2024),
        Size("county", 43, 65_000, "city", 3),
        Size("city", 18, 1_500_000, "city", 3),
        Size("neighbourhoods", 789, 1_500_000, "city", 3),
        Size("province", 170, 15_000_000, "province", 2),
        Size("nation", 2_850, 150_000_000, "nation", 1),
    )
}
MODELS: dict[str, Model] = {}


def model(made: Model) -> Model:
    """Register a model."""
    MODELS[made.name] = made
    return made
