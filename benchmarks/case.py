"""One model at one size, prepared once in a folder: scenario, arrays, and the data for peers."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array

from benchmarks.clock import Phases
from benchmarks.sizes import MODELS, SIZES, Model

if TYPE_CHECKING:
    from capsim.demand import Demand
    from capsim.lp import LinearProgram
    from capsim.model.model import Model as PlanModel
    from capsim.scenario import Scenario

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class Places:
    """The data of ``places`` (see ``benchmarks/models/places.py``), costs in million RMB.

    A *node* is an area and band of grades, a *flow* a link and band, a *seat* a school and band.
    Arrays over years end in ``t``.
    """

    children: Array
    """``[node, t]``"""
    shortfall_cost: Array
    """``[node, t]``"""
    flow_from: Index
    flow_to: Index
    """Nodes, ``[flow]``."""
    flow_cost: Array
    """``[flow, t]``"""
    seat_node: Index
    seat_school: Index
    seat_before: Index
    """``[seat]``; the last is the seat of the grade before, -1 in first grades."""
    seat_kept: NDArray[np.bool_]
    """``[seat]``: moving away from it in mid-stage counts."""
    pupil_cost: Array
    ratio: Array
    displaced_cost: Array
    """``[seat, t]``"""
    roll: Array
    """``[seat]``, pupils in the base year."""
    places: Array
    excess: Array
    """``[school]``; over-filling allowed, as a share of the places."""
    overfill_cost: Array
    """``[school, t]``"""
    open_lower: Array
    open_upper: Array
    open_cost: Array
    """``[project, t]``"""
    row_project: Index
    row_school: Index
    row_places: Array
    """``[row]``: a project adds places to a school."""
    offset: float

    def save(self, path: Path) -> None:
        """Write it."""
        np.savez(path, **{f.name: getattr(self, f.name) for f in fields(self)})

    @classmethod
    def load(cls, path: Path) -> Places:
        """Read it."""
        with np.load(path) as found:
            return cls(**{f.name: found[f.name] for f in fields(cls)})


def places_of(made: PlanModel) -> Places:
    """Read the data of ``places`` out of a model of capsim, the costs out of its objective."""
    given, links, v = made.given, made.parts.links, made.columns
    space, providers, projects, cost = given.space, given.providers, given.projects, made.program
    seats, bands = v.seats, len(space.bands.name)
    of_seat = space.bands.grade[seats.band]
    if not providers.public.all() or (projects.row_life < len(space.years)).any():
        raise ValueError("places has public schools only, and projects that outlive the plan")

    def price(columns: Index) -> Array:
        return np.where(columns >= 0, cost.cost[columns], 0.0)

    by_stage = space.by_stage("class_ceiling") / space.by_stage("class_size") - 1.0
    return Places(
        children=space.bands.children.reshape(-1, len(space.years)),
        shortfall_cost=price(v.shortfall).reshape(-1, len(space.years)),
        flow_from=links.area[links.pair_link] * bands + links.pair_band,
        flow_to=links.to_area[links.pair_link] * bands + links.pair_band,
        flow_cost=price(v.flow),
        seat_node=providers.area[seats.provider] * bands + seats.band,
        seat_school=seats.provider,
        seat_before=seats.before,
        seat_kept=(v.displaced >= 0).any(axis=1),
        pupil_cost=price(v.pupils),
        ratio=space.progression[providers.area[seats.provider], of_seat],
        displaced_cost=price(v.displaced),
        roll=providers.rolls[seats.provider, of_seat],
        places=providers.places,
        excess=by_stage[providers.stage],
        overfill_cost=price(v.overfill),
        open_lower=cost.lower[v.open],
        open_upper=cost.upper[v.open],
        open_cost=price(v.open),
        row_project=projects.row_project,
        row_school=projects.row_provider,
        row_places=projects.row_places,
        offset=np.float64(cost.offset),
    )


class Case:
    """A prepared folder; every part is read when a route first asks for it."""

    def __init__(self, folder: Path, model: Model) -> None:
        self.folder, self.model = folder, model

    @cached_property
    def scenario(self) -> tuple[Scenario, Demand]:
        """The scenario and its projected demand."""
        with (self.folder / "scenario.pickle").open("rb") as file:
            found: tuple[Scenario, Demand] = pickle.load(file)
        return found

    @cached_property
    def places(self) -> Places:
        """The data that peers start from."""
        return Places.load(self.folder / "places.npz")

    @cached_property
    def arrays(self) -> dict[str, Any]:
        """The program that capsim makes, as arrays (``matrix`` compressed by column)."""
        with np.load(self.folder / "program.npz") as found:
            arrays = {name: found[name] for name in found.files}
        shape = (len(arrays["row_lower"]), len(arrays["cost"]))
        parts = (arrays.pop("data"), arrays.pop("indices"), arrays.pop("indptr"))
        return {**arrays, "matrix": csc_array(parts, shape=shape)}


def prepare(model: str, size: str, folder: Path, phases: Phases) -> dict[str, int]:
    """Generate the scenario of a case and write its folder; returns the size of the program."""
    import capsim

    spec = MODELS[model]
    with phases("generate"):
        scenario = spec.scenario(SIZES[size])
    with phases("project"):
        demand = capsim.project(scenario)
    with phases("first_build"):
        made = capsim.formulate(scenario, demand)
    program = made.program if spec.integer else made.program.relaxed()
    with (folder / "scenario.pickle").open("wb") as file:
        pickle.dump((scenario, demand), file, protocol=pickle.HIGHEST_PROTOCOL)
    np.savez(folder / "program.npz", **flat(program))
    if model.startswith("places"):
        places_of(made).save(folder / "places.npz")
    rows, columns = program.matrix.shape
    return {
        "columns": columns,
        "rows": rows,
        "nonzeros": int(program.matrix.nnz),
        "integers": int(program.integer.sum()),
    }


def flat(program: LinearProgram) -> dict[str, Any]:
    """Return a program as named arrays."""
    names = ("cost", "lower", "upper", "integer", "row_lower", "row_upper", "offset")
    matrix = program.matrix
    return {
        **{name: getattr(program, name) for name in names},
        "data": matrix.data,
        "indices": matrix.indices.astype(np.int32),
        "indptr": matrix.indptr.astype(np.int32),
    }
