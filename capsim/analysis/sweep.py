"""Many variants of one scenario, each solved from where its nearest neighbour ended.

Variants form a tree: the scenario itself is the root, and every variant hangs on the one whose
changes are nearest (a minimum spanning tree over the changed settings). A variant is solved from
the basis (or, with whole numbers, the plan) of the one it hangs on, so its result depends on the
set of variants alone: not on their order, nor on which worker solved it. A worker keeps one
HiGHS object and hands over bounds, costs and right-hand sides only; where a coefficient of the
matrix changes too, the program is handed over again (*rebuilt*). A variant in which candidates are
put in or left out is the same program with other bounds: nothing is built for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Unpack

import numpy as np
import pandas as pd

from capsim.demand.projection import Demand, project
from capsim.lp.array_types import Array
from capsim.lp.highs import Basis, Highs
from capsim.lp.options_and_result import SolveKeywords, SolveOptions, SolverError, SolverResult
from capsim.lp.parallel_solves import Clock, Deal, until
from capsim.lp.program import Block, LinearProgram
from capsim.lp.solvers import tightened
from capsim.model.costs import MILLION
from capsim.model.model import Model, formulate, is_large
from capsim.plan.solution_arrays import TOTALS, totals
from capsim.plan.solver import SEARCH, search, settled_plan
from capsim.scenario.faults import nearest
from capsim.scenario.scenario import Scenario


@dataclass(frozen=True)
class Variant:
    """A change, its name, and the number of the variant it hangs on (-1: the scenario itself)."""

    name: str
    change: Mapping[str, Any]
    after: int


def label(change: Mapping[str, Any]) -> str:
    """Return a change in a line.

    Examples
    --------
    >>> label({"policy.reduction": 10, "costs.hire_cny": 0.0})
    'costs.hire_cny = 0.0; policy.reduction = 10'
    """
    parts = [f"{key} = {_plain(value)}" for key, value in sorted(change.items())]
    return "; ".join(parts) or "as it is"


def tree(scenario: Scenario, changes: Sequence[Mapping[str, Any]]) -> list[Variant]:
    """Link each change to its nearest neighbour: a minimum spanning tree, the scenario its root.

    The distance of two changes sums over settings: numbers by their share of the range that the
    sweep covers, others by whether they differ. Ties go to the one first in the order of names.
    """
    # Prim's method: scipy's takes a distance of 0 as no edge, and breaks ties by position.
    place = _coordinates(scenario, changes)
    names = [label(change) for change in changes]
    rank = np.argsort(np.argsort(np.array(names, object), kind="stable"), kind="stable")
    count = len(changes)
    after = np.full(count, -1, np.int64)
    near = _distance(place[0], place[1:])
    left = np.ones(count, bool)
    for _ in range(count):
        at = min(np.flatnonzero(left & (near == near[left].min())), key=lambda i: rank[i])
        left[at] = False
        new = _distance(place[at + 1], place[1:])
        closer = left & (new < near)
        near, after = np.where(closer, new, near), np.where(closer, at, after)
    return [
        Variant(label, change, int(i))
        for label, change, i in zip(names, changes, after, strict=True)
    ]


def _coordinates(scenario: Scenario, changes: Sequence[Mapping[str, Any]]) -> Array:
    """Place the scenario (first) and every change: ``[change, coordinate]``."""
    columns = []
    for key in sorted({key for change in changes for key in change}):
        given = _setting(scenario, key)
        values = [given, *(change.get(key, given) for change in changes)]
        if all(isinstance(v, int | float) and not isinstance(v, bool) for v in values):
            number = np.array(values, np.float64)
            spread = float(np.ptp(number))
            columns.append(number / (spread if spread > 0 else 1.0))
            continue
        texts = [repr(_plain(value)) for value in values]
        kinds = sorted(set(texts))
        columns += [np.array([0.5 * (text == kind) for text in texts]) for kind in kinds]
    return np.stack(columns, axis=1) if columns else np.zeros((len(changes) + 1, 1))


def _distance(here: Array, places: Array) -> Array:
    return np.asarray(np.round(np.abs(places - here).sum(axis=1), 12), np.float64)


def _setting(scenario: Scenario, key: str) -> Any:
    """Return a setting by its dotted key; None where it is not set."""
    found: Any = scenario.settings
    for part in key.split("."):
        if isinstance(found, Mapping):
            found = found.get(part, found.get(int(part)) if part.isdecimal() else None)
        else:
            found = getattr(found, part, None)
        if found is None:
            return None
    return found


WITHOUT_CHILDREN = (
    *("policy", "costs", "switches", "cost_terms", "staff", "travel", "programmes", "choices"),
    "catchments",
    *("tables.projects", "tables.limits", "tables.links", "tables.borders"),
)
"""Sections of the settings, and tables, that say nothing about how many children there will be."""
PROJECT, TABLE = "projects.", "tables."
"""Beginnings of the keys of changes that are no settings."""

PRIMAL, DUAL = 4, 1
"""Simplex methods: with new costs only, the last basis is still a solution; else its prices are."""


@dataclass(frozen=True)
class _End:
    """End of a solve: program, basis and solution, from which the variants after it begin."""

    program: LinearProgram
    basis: Basis | None
    x: Array | None


def sweep(
    scenario: Scenario,
    changes: Sequence[Mapping[str, Any]],
    *,
    relax: bool = False,
    workers: int = 1,
    demand: Demand | None = None,
    plans: bool = False,
    **options: Unpack[SolveKeywords],
) -> pd.DataFrame:
    """Solve a scenario under many changes.

    Parameters
    ----------
    scenario : Scenario
    changes : sequence of mapping of dotted key to value
        Settings as for ``scenario.variant``, and also ``tables.NAME``: a frame in place of the
        table, and ``projects.NAME``: the copies of a candidate in use at the end of the plan (0
        leaves it out, 1 puts it in); ``{}`` is the scenario as it is.
    relax : bool
        Solve linear relaxations only.
    workers : int
        Threads, each with a solver of its own; the table is the same for any number but for
        ``seconds``.
    demand : Demand, optional
        Of the scenario; projected where not given. Kept for changes that do not touch it.
    plans : bool
        Whether to work out each variant's plan (tables take longer than a warm solve).
    **options : see :class:`~capsim.SolveOptions`
        But ``solver``. The seconds are for all variants, shared out evenly among those left; with
        them results depend on the machine.

    Returns
    -------
    DataFrame
        A row for each change, in order: ``change`` (text), a column for each setting and table (NaN
        where it is as in the scenario), ``status`` (``optimal``, ``gap``, ``infeasible``,
        ``unknown`` where no plan was found in time),
        ``objective_cny`` and ``bound_cny`` (discounted, RMB), ``gap``, ``shortfall``,
        ``displaced``, ``purchased``, ``opened``, ``converted``, ``private_share`` (see
        ``docs/sweeps.md``), ``seconds`` (build, solve and read), ``route`` (``warm``, ``rebuilt``,
        blank where no time was left)
        and, if asked for, ``plan`` (None where there is none). With ``relax``, where several
        solutions cost the same, sums like ``displaced`` are those of the one found.

    Raises
    ------
    ValueError
        If there are no changes or workers, or projects that are no candidates or have not so many
        copies.
    capsim.ScenarioError
        If a change has faults.
    SolverError
        If a variant is neither solved nor found infeasible.

    Examples
    --------
    >>> import capsim
    >>> city = capsim.generate(areas=2, pupils=10_000, years=(2021, 2022))
    >>> prices = [{"costs.shortfall_cny": 1e5}, {"costs.shortfall_cny": 4e5}]
    >>> table = sweep(city, prices, relax=True)
    >>> table["status"].tolist(), table["route"].tolist()
    (['optimal', 'optimal'], ['warm', 'warm'])

    Which candidate is missed most:

    >>> names = city.table("projects").query("status == 'candidate'")["project"].unique()
    >>> without = sweep(city, [{f"projects.{name}": 0} for name in names], gap=0.01)
    >>> worst = without.sort_values("objective_cny")["change"].iloc[-1]
    """
    solving = SolveOptions.of(sweep, options, without=["solver"])
    if not len(changes):
        raise ValueError("a sweep needs at least one change")
    if workers < 1:
        raise ValueError(f"workers must be 1 or more, not {workers}")
    tasks = tree(scenario, changes)
    with until(solving.time_limit) as clock:
        children = project(scenario) if demand is None else demand
        deal = clock.deal(len(tasks) + 1, SEARCH, workers)
        run = _Run(scenario, children, relax, solving, plans, deal)
        run.refuse(changes)
        rows = _in_order_of_tree(tasks, run, workers)
    keys = dict.fromkeys(key for change in changes for key in change if not _is_project(key))
    said = {key: [_plain(change.get(key, np.nan)) for change in changes] for key in keys}
    frame = pd.DataFrame({"change": [task.name for task in tasks], **said})
    return pd.concat([frame, pd.DataFrame(rows)], axis=1)


def _is_project(key: str) -> bool:
    return key.startswith(PROJECT)


def _copies(change: Mapping[str, Any]) -> dict[str, Any]:
    """Return the copies that a change asks for, by project."""
    return {key.removeprefix(PROJECT): n for key, n in change.items() if _is_project(key)}


def _in_order_of_tree(tasks: Sequence[Variant], run: _Run, workers: int) -> list[dict[str, Any]]:
    """Solve every task once the one it hangs on is solved; an end is kept while it is needed."""
    waiting: dict[int, list[int]] = {}
    for i, task in enumerate(tasks):
        waiting.setdefault(task.after, []).append(i)
    rows: dict[int, dict[str, Any]] = {}
    own = threading.local()

    def one(task: Variant, end: _End) -> tuple[dict[str, Any], _End]:
        if not hasattr(own, "solver"):
            own.solver = _Solver(run)
        row_and_end: tuple[dict[str, Any], _End] = own.solver.solve(task.change, end)
        return row_and_end

    with ThreadPoolExecutor(workers) as pool:
        running: dict[Future[tuple[dict[str, Any], _End]], int] = {}

        def start(after: int, end: _End) -> None:
            for i in waiting.pop(after, []):
                running[pool.submit(copy_context().run, one, tasks[i], end)] = i

        try:
            start(-1, run.root())
            while running:
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    i = running.pop(future)
                    rows[i], end = future.result()
                    start(i, end)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [rows[i] for i in range(len(tasks))]


@dataclass(frozen=True)
class _Run:
    """The sweep that all workers share."""

    scenario: Scenario
    demand: Demand
    relax: bool
    options: SolveOptions
    plans: bool
    deal: Deal

    def own(self) -> SolveOptions:
        """Return the options of the next variant, with its share of the time."""
        return self.options.within(self.deal.limit().get("time_limit"))

    @cached_property
    def as_it_is(self) -> Model:
        """The scenario without a change."""
        return formulate(self.scenario, self.demand)

    def model(self, change: Mapping[str, Any]) -> Model:
        """Build a variant's arrays; children are projected anew only where they may differ."""
        copies = _copies(change)
        tables = {k.removeprefix(TABLE): v for k, v in change.items() if k.startswith(TABLE)}
        settings = {k: v for k, v in change.items() if not k.startswith((PROJECT, TABLE))}
        if not settings and not tables:
            return with_copies(self.as_it_is, copies)
        variant = self.scenario.variant(settings, tables=tables)
        keep = all(
            key in WITHOUT_CHILDREN or key.split(".")[0] in WITHOUT_CHILDREN
            for key in change
            if not _is_project(key)
        )
        found = formulate(variant, self.demand if keep else None, like=self.as_it_is)
        return with_copies(found, copies)

    def refuse(self, changes: Sequence[Mapping[str, Any]]) -> None:
        """Refuse copies of no candidate at once, but where the table of projects changes."""
        same = [change for change in changes if f"{TABLE}projects" not in change]
        _refuse_copies(self.as_it_is, [_copies(change) for change in same])

    def program(self, model: Model) -> LinearProgram:
        """Return what is solved."""
        return model.program.relaxed() if self.relax else model.program

    def tight(self, model: Model) -> LinearProgram:
        """Return what is solved in one piece: with the rows on sites that the relaxation breaks.

        A variant that differs in bounds only has those of the scenario as it is.
        """
        program = self.program(model)
        if model.parts is not self.as_it_is.parts:
            return tightened(program, "siting", model.siting_rows(program))
        return replace(self._tight, lower=program.lower, upper=program.upper)

    @cached_property
    def _tight(self) -> LinearProgram:
        program = self.program(self.as_it_is)
        return tightened(program, "siting", self.as_it_is.siting_rows(program))

    def root(self) -> _End:
        """Solve the scenario as it is; what hangs on it begins there."""
        program = self.program(self.as_it_is)
        if program.integer.any():
            if self.as_it_is.apart(program) is not None:
                return _End(program, None, None)
            return _End(program, None, search(self.as_it_is, self._tight, self.own()).x)
        corner = {"solver": "ipm", "run_crossover": "on"} if is_large(program) else {}
        highs = Highs(program, self.own().highs | corner)
        found = highs.solve()
        return _End(program, highs.basis, found.x)


class _Solver:
    """A worker's HiGHS object and the program that it holds."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._highs: Highs | None = None

    def solve(self, change: Mapping[str, Any], after: _End) -> tuple[dict[str, Any], _End]:
        """Solve a variant from where its neighbour ended; return its row and its own end."""
        begin = time.perf_counter()
        if Clock().out():
            empty = {"plan": None} if self._run.plans else {}
            return {**_without("unknown"), "seconds": 0.0, "route": "", **empty}, after
        model = self._run.model(change)
        program = self._run.program(model)
        if program.integer.any() and model.apart(program) is not None:
            found, basis, warm = search(model, program, self._run.own()), None, False
        else:
            tight = self._run.tight(model)
            warm = _same_matrix(program, after.program)
            found, basis = self._whole(tight, after)
        if found.status not in ("optimal", "infeasible", "unknown") and found.x is None:
            raise SolverError(f"the variant {label(change)} ended without a plan: {found.status}")
        row = self._row(model, found) | {
            "seconds": time.perf_counter() - begin,
            "route": "warm" if warm else "rebuilt",
        }
        end = after if found.x is None else _End(program, basis, found.x)
        if self._run.plans:
            gap, relax = self._run.options.gap, self._run.relax
            row["plan"] = None
            if found.x is not None:
                row["plan"] = settled_plan(model, found, gap=gap, relaxed=relax)
        return row, end

    def _whole(self, program: LinearProgram, after: _End) -> tuple[SolverResult, Basis | None]:
        """Solve a program in one piece from where the neighbour ended."""
        highs = self._take(program)
        seconds = self._run.own().time_limit
        highs.set({"time_limit": np.inf if seconds is None else seconds})
        alike = _alike(program.columns, after.program.columns)
        if program.integer.any():
            # What an earlier solve left would make the result depend on the order of variants.
            highs.begin_at(None)
            if after.x is not None and alike:
                highs.start_from(np.clip(after.x, program.lower, program.upper))
            return highs.solve(), None
        alike &= _alike(program.rows, after.program.rows)
        highs.begin_at(after.basis if alike else None)
        costs_only = _same_bounds(program, after.program)
        # With other costs the last basis stays primal feasible, with other bounds dual.
        highs.set({"simplex_strategy": PRIMAL if costs_only else DUAL})
        return highs.solve(watched=False), highs.basis

    def _take(self, program: LinearProgram) -> Highs:
        """Load a program: change what differs, or hand it over again where the matrix does."""
        if self._highs is not None and _same_matrix(program, self._highs.program):
            sides = (program.row_lower, program.row_upper)
            self._highs.change((program.lower, program.upper), sides, program.cost)
            self._highs.offset(program.offset)
            self._highs.program = program
        else:
            self._highs = Highs(program, self._run.options.highs)
        return self._highs

    def _row(self, model: Model, found: SolverResult) -> dict[str, Any]:
        if found.x is None:
            return _without(found.status)
        committed = model.committed_cny
        # Prices above what the program holds apart, where some of it cannot be avoided.
        beyond = model.beyond_of(found.x)
        objective = (found.objective + beyond) * MILLION + committed
        bound = min(found.bound * MILLION + committed, objective)
        return {
            "status": "optimal" if found.status == "optimal" and not beyond else "gap",
            "objective_cny": objective,
            "bound_cny": bound,
            "gap": (objective - bound) / max(objective - committed, MILLION),
            **totals(model, self._run.program(model).rounded(found.x)),
        }


def with_copies(model: Model, copies: Mapping[str, int]) -> Model:
    """Return the model in which so many copies of candidates are in use at the end of the plan."""
    if not copies:
        return model
    _refuse_copies(model, [copies])
    program, opened = model.program, model.columns.open
    lower, upper = program.lower.copy(), program.upper.copy()
    at = pd.Index(model.given.projects.project).get_indexer(pd.Index(list(copies)))
    for i, number in zip(at, copies.values(), strict=True):
        upper[opened[i]] = np.minimum(upper[opened[i]], number)
        lower[opened[i, -1]] = number
    return model.with_program(replace(program, lower=lower, upper=upper))


def _refuse_copies(model: Model, asked: Sequence[Mapping[str, Any]]) -> None:
    """Refuse copies of what is no candidate, and more of them than there are."""
    projects = model.given.projects
    count = dict(zip(projects.project, projects.count.astype(int).tolist(), strict=True))
    candidates = {name for name, is_one in zip(count, projects.candidate, strict=True) if is_one}
    faults: dict[str, None] = {}
    for name, copies in ((name, n) for one in asked for name, n in one.items()):
        if name not in candidates:
            faults[f"{PROJECT}{name}: {nearest(name, candidates)} is expected, a candidate"] = None
        elif isinstance(copies, bool) or copies not in range(count[name] + 1):
            most = count[name]
            faults[f"{PROJECT}{name}: {copies!r} where 0 to {most} copies are expected"] = None
    if faults:
        more = f" (and {len(faults) - SHOWN} more)" if len(faults) > SHOWN else ""
        raise ValueError("; ".join(list(faults)[:SHOWN]) + more)


SHOWN = 5
"""Faults that are told one by one."""


def _without(status: str) -> dict[str, Any]:
    """Return the row of a variant without a plan."""
    numbers = ("objective_cny", "bound_cny", "gap", *TOTALS)
    return {"status": status, **dict.fromkeys(numbers, float("nan"))}


def _same_matrix(one: LinearProgram, other: LinearProgram) -> bool:
    a, b = one.matrix, other.matrix
    return a.shape == b.shape and all(
        np.array_equal(getattr(a, part), getattr(b, part)) for part in ("indptr", "indices", "data")
    )


def _same_bounds(one: LinearProgram, other: LinearProgram) -> bool:
    """Check whether only costs differ, so that the other's solution is one of this."""
    return _same_matrix(one, other) and all(
        np.array_equal(getattr(one, part), getattr(other, part))
        for part in ("lower", "upper", "row_lower", "row_upper")
    )


def _alike(some: Sequence[Block], others: Sequence[Block]) -> bool:
    """Check whether columns, or rows, mean the same, so that a plan or basis carries over."""
    return [(b.name, b.count) for b in some] == [(b.name, b.count) for b in others]


def _plain(value: Any) -> Any:
    if isinstance(value, pd.DataFrame):
        digest = int(pd.util.hash_pandas_object(value, index=False).sum()) & 0xFFFFFFFF
        return f"{len(value)} rows, {digest:08x}"
    return value if isinstance(value, str | bool | int | float) else str(value)
