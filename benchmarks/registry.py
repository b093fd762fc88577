"""Routes from data to an answer, and the finding of models and routes: one file for each.

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

from benchmarks.case import Case
from benchmarks.clock import Phases

Run = Callable[[Case, Phases], float]


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


LIMIT = "raw"
"""The route that all others are measured by."""
ROUTES: dict[str, Route] = {}


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
