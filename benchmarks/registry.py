"""Models, sizes and routes: what the benchmark measures, one self-registering file for each.

A file in ``benchmarks/models`` or ``benchmarks/routes`` that calls :func:`model` or :func:`route`
is found by itself. A route may import its library only when it runs: the table of routes must be
readable where a peer is missing.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.case import Case
    from benchmarks.clock import Phases
    from capsim.scenario import Scenario

Run = Callable[["Case", "Phases"], float]


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


@dataclass(frozen=True)
class Route:
    """One way from data to an answer; ``whole`` routes state any program, others `places` only."""

    name: str
    about: str
    run: Run
    needs: tuple[str, ...] = ()
    whole: bool = False

    def missing(self) -> list[str]:
        """Return the libraries that are not installed here."""
        return [name for name in self.needs if find_spec(name) is None]


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
LIMIT = "raw"
"""The route that all others are measured by."""
MODELS: dict[str, Model] = {}
ROUTES: dict[str, Route] = {}


def model(made: Model) -> Model:
    """Register a model."""
    MODELS[made.name] = made
    return made


def route(
    name: str, about: str, *, needs: tuple[str, ...] = (), whole: bool = False
) -> Callable[[Run], Run]:
    """Register the decorated function as a route."""

    def register(run: Run) -> Run:
        ROUTES[name] = Route(name, about, run, needs, whole)
        return run

    return register


def discover() -> None:
    """Import every file of models and routes."""
    for folder in ("models", "routes"):
        package = import_module(f"benchmarks.{folder}")
        for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
            import_module(f"benchmarks.{folder}.{found.name}")
