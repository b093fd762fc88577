"""Run a plan through draws, block by block."""

from __future__ import annotations

from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from capsim.construction.programme_simulation import ConstructionSimulation
from capsim.demand.draws import BLOCK
from capsim.io.cache import ResultStore, digest
from capsim.io.executors import Done, run_tasks
from capsim.io.shown import Progress, Tables, followed
from capsim.lp.array_types import Index
from capsim.plan.plan import Plan
from capsim.plan.targets import Target, read_targets
from capsim.simulation.data import SimulationData, simulation_data
from capsim.simulation.evaluation import Figures, Job, run_block
from capsim.simulation.opening_dates import build_openings, built_days, ready_days
from capsim.simulation.outcomes import ANY, Outcomes, gather, summary, tables

FORMAT = 5
"""Of what is kept of a block; blocks kept under another number are done again."""


def simulate(
    plan: Plan,
    *,
    draws: int = 1000,
    seed: int = 0,
    uncertainty: bool = True,
    openings: pd.DataFrame | NDArray[np.datetime64] | None = None,
    executor: Executor | None = None,
    store: ResultStore | str | Path | None = None,
    done: Done = lambda finished, total: None,
    progress: Progress | bool = False,
) -> Outcomes:
    """Simulate a plan under draws of demand and of opening dates.

    Draw ``d`` of a seed is the same whatever the number of draws, the executor and, for its
    demand, the plan: differences between plans of one demand are differences of the plans.

    Parameters
    ----------
    plan : Plan
    draws : int
    seed : int
    uncertainty : bool
        False: demand and openings as planned (unless `openings` are data); every figure is then
        the plan's.
    openings : DataFrame or array [replication, project], optional
        Dates on which projects are in use, instead of simulated ones. A frame has a column a
        project and may leave projects out (they open as planned); an array has the order of the
        plan's table ``openings`` by date, each project once. Draw ``d`` has replication ``d``
        modulo their number.
    executor : concurrent.futures.Executor, optional
        Does blocks of draws: threads, processes, a cluster; results are the same bytes with any.
    store : ResultStore or folder, optional
        Keeps blocks as they are finished; the same simulation, stopped and run again, does the
        others only.
    done : callable, optional
        Called with how many of how many blocks are finished, each time one is.
    progress : callable, optional
        Told the same in words; it may raise to stop.

    Returns
    -------
    Outcomes

    Raises
    ------
    TypeError
        If it is no plan, such as a model that was not solved.
    ValueError
        If the plan is infeasible, `draws` is not positive or `openings` do not fit.
    WorkerLost
        A worker process died; what is finished is in the store.
    StoreError
        The store cannot be written to, for example because the disk is full.

    Examples
    --------
    >>> import capsim
    >>> city = capsim.generate(2, 8000, stages=("primary", "junior"), years=(2021, 2023))
    >>> plan = capsim.optimize(city, gap=0.05)
    >>> outcomes = simulate(plan, draws=40, seed=1)
    >>> outcomes.tables["targets"].columns.tolist()
    ['id', 'by', 'required', 'probability', 'low', 'high', 'mean', 'p05', 'p50', 'p95']
    >>> planned = simulate(plan, draws=1, uncertainty=False).tables["costs"]["mean_cny"].sum()
    >>> bool(abs(planned / plan.objective_cny - 1) < 1e-9)
    True
    """
    if not hasattr(plan, "tables"):
        raise TypeError(f"expected a plan, not a {type(plan).__name__}: solve it by optimize(...)")

    with followed(progress) as tell:

        def told(finished: int, total: int) -> None:
            done(finished, total)
            if tell is not None:
                tell(f"simulating: {finished} of {total} blocks of draws")

        run = trial(
            plan,
            draws=draws,
            seed=seed,
            uncertainty=uncertainty,
            openings=openings,
            executor=executor,
            store=store,
            done=told,
        )
    made = tables(run.data, run.targets, run.figures, run.ready)
    about = summary(made, draws, seed, uncertainty)
    return Outcomes(plan, draws, seed, Tables(made), about, run.building)


@dataclass(frozen=True, eq=False)
class Trial:
    """A plan simulated, with the figures of every draw.

    Attributes
    ----------
    data : SimulationData
    targets : tuple of Target
    ready : array of int [draw, opening] or None
        Days on which copies are ready; None for as planned.
    figures : Figures
        Of all draws.
    building : ConstructionSimulation or None
        Of what the plan opens, a replication for each draw; None where dates are given.
    """

    data: SimulationData
    targets: tuple[Target, ...]
    ready: Index | None
    figures: Figures
    building: ConstructionSimulation | None


def trial(
    plan: Plan,
    *,
    draws: int,
    seed: int,
    uncertainty: bool = True,
    children: bool = True,
    harm: bool = True,
    openings: pd.DataFrame | NDArray[np.datetime64] | None = None,
    executor: Executor | None = None,
    store: ResultStore | str | Path | None = None,
    done: Done = lambda finished, total: None,
) -> Trial:
    """Simulate a plan and keep every draw's figures; see `simulate` for the arguments.

    With `children` False only the opening dates are drawn; to draw only the children, give
    `openings` as planned. With `harm` False what lateness causes is not computed.
    """
    if draws < 1:
        raise ValueError(f"draws must be 1 or more, not {draws}")
    if store is not None and not isinstance(store, ResultStore):
        store = ResultStore(Path(store))
    data = simulation_data(plan)
    targets = simulated_targets(plan)
    building, ready = None, None
    if openings is not None:
        ready = ready_days(data.openings, openings, draws)
    elif uncertainty and data.openings.projects:
        # A stream of its own, or building and births would be drawn from the same numbers.
        own = int(np.random.SeedSequence([seed, 1]).generate_state(1)[0])
        building = build_openings(plan.scenario, data.openings, draws, own)
        ready = built_days(building, data.openings)
    jobs = [
        Job(
            number,
            min(BLOCK, draws - number * BLOCK),
            seed if uncertainty and children else None,
            None if ready is None else ready[number * BLOCK : (number + 1) * BLOCK],
            harm,
        )
        for number in range(-(-draws // BLOCK))
    ]
    keys = None
    if store is not None:
        base = digest(FORMAT, version("capsim"), np.__version__, plan.scenario.hash, data, targets)
        keys = [digest(base, job) for job in jobs]
    work = partial(run_block, data, targets)
    figures = run_tasks(work, jobs, keys=keys, executor=executor, store=store, done=done)
    return Trial(data, targets, ready, gather(figures), building)


def simulated_targets(plan: Plan) -> tuple[Target, ...]:
    """Read the plan's targets; half a child without a place counts as 0."""
    return tuple(
        replace(target, tolerance=ANY) if target.rule == "placement" else target
        for target in read_targets(plan.tables["targets"])
    )
