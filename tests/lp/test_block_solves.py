"""Blocks searched elsewhere are the blocks searched here, to the last bit."""

from __future__ import annotations

import os
import signal
import subprocess
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from lp_programs import block_angular, infeasible, market_split, violation

from capsim.io.executors import WorkerLost, processes
from capsim.lp import Builder, SolverResult
from capsim.lp.decomposition.block_milp import _hard_search, _Task, solve_blocks
from capsim.lp.decomposition.blocks import BlockSolve, solve_all, split
from capsim.lp.decomposition.dantzig_wolfe import price_coupling
from capsim.lp.decomposition.fixing_heuristics import relax_and_fix
from capsim.lp.highs import Highs
from capsim.lp.options_and_result import SolveOptions
from capsim.lp.parallel_solves import Clock


def solved(seed: int, executor: Executor | None) -> SolverResult:
    made = block_angular(seed, 5, integer=True)
    found = solve_blocks(
        split(made.program, made.coupling, parts=5), SolveOptions(gap=1e-4, executor=executor)
    )
    assert found is not None
    assert found.x is not None
    assert violation(made.program, found.x) <= 1e-6
    return found


def assert_same(one: SolverResult, other: SolverResult) -> None:
    assert one.x is not None
    assert other.x is not None
    assert one.x.tobytes() == other.x.tobytes()
    assert (one.status, one.objective, one.bound) == (other.status, other.objective, other.bound)


@pytest.mark.parametrize("tolerance", [1e-6, 0.5])
@pytest.mark.parametrize("kinds", [1, 3])
@pytest.mark.parametrize("seed", range(6))
def test_a_hard_search_keeps_the_rows_and_a_true_bound(
    seed: int, kinds: int, tolerance: float
) -> None:
    """Integers of one kind, or of three decided in turn; a relaxation solved well, or hardly."""
    made = block_angular(seed, 5, integer=True)
    program = made.program
    best = Highs(program, {"mip_rel_gap": 0.0}).solve().objective
    order = np.arange(len(program.cost)) % kinds
    parts = split(program, made.coupling, parts=5, order=order)
    relaxed = price_coupling(parts, tolerance=tolerance)
    assert relaxed is not None
    state = _hard_search(_Task(parts, relaxed, SolveOptions(gap=1e-6), Clock(None)), order)
    assert state is not None
    assert violation(program, state.x) <= 1e-6
    whole = state.x[program.integer]
    assert np.abs(whole - np.round(whole)).max() <= 1e-6
    cost = float(program.cost @ state.x + program.offset)
    assert relaxed.bound - 1e-6 <= state.bound <= best + 1e-6 <= cost + 2e-6


def test_a_soft_share_costs_only_what_is_used_beyond_it() -> None:
    """Two blocks use 2 and 3 of a row of 4; the first has a share of 1, the second one of 3."""
    m = Builder()
    x = m.variables("x", 2, upper=4.0, cost=[1.0, 1.0])
    m.constrain("own", 2, [([0, 1], x, 1.0)], lower=[2.0, 3.0])
    m.constrain("both", 1, [(0, x, 1.0)], upper=4.0)
    parts = split(m.freeze(), np.array([False, False, True]), parts=2)
    none, some = np.array([-np.inf]), np.array([10.0])
    costs = {}
    for block, share in zip(parts.blocks, (1.0, 3.0), strict=True):
        soft = parts.softened(block, parts.program.cost, (none, np.array([share])), some)
        costs[int(block.columns[0])] = Highs(soft).solve().objective
    assert costs == {0: 2.0 + 10.0, 1: 3.0}


def test_a_step_without_time_goes_on_to_a_first_solution() -> None:
    program = market_split(30)
    order = np.arange(len(program.cost)) % 2
    hasty = relax_and_fix(program, order, {"time_limit": 1e-9})
    assert hasty.x is not None
    assert violation(program, hasty.x) <= 1e-6
    assert hasty.bound <= hasty.objective


@pytest.mark.slow
def test_any_executor_finds_the_same() -> None:
    seeds = (0, 1, 2)
    here = [solved(seed, None) for seed in seeds]
    with ThreadPoolExecutor(3) as threads, processes(2) as pool:
        for executor in (threads, pool):
            for seed, expected in zip(seeds, here, strict=True):
                assert_same(expected, solved(seed, executor))


def test_what_has_no_solution_says_so_from_afar() -> None:
    one = BlockSolve(infeasible(integer=True), {})
    with ThreadPoolExecutor(1) as pool:
        found = solve_all([one], Clock(None).deal(1), pool)
    assert [s.status for s in found] == ["infeasible"]
    assert found[0].x is None


@pytest.mark.parametrize("afar", [False, True])
def test_the_last_search_goes_on_to_a_first_solution(afar: bool) -> None:
    """No time is too little for any, and only the last is asked to have one."""
    m = Builder()
    x = m.variables("x", 400, upper=9.0, cost=np.arange(1.0, 401.0), integer=True)
    weight = np.random.default_rng(2).integers(1, 99, (60, 400)).astype(float)
    terms = [(np.arange(60)[:, None], x[None, :], weight)]
    m.constrain("least", 60, terms, lower=weight.sum(axis=1) * 1.37)
    hurried = {"time_limit": 0.0}
    searches = [BlockSolve(m.freeze(), hurried), BlockSolve(m.freeze(), hurried, last=True)]
    with ThreadPoolExecutor(1) as pool:
        found = solve_all(searches, Clock(None).deal(2), pool if afar else None)
    assert found[0].x is None
    assert found[1].x is not None


@pytest.mark.slow
def test_time_is_dealt_out_to_an_executor_as_if_it_had_two_workers() -> None:
    hard = [BlockSolve(market_split(7), {}) for _ in range(4)]
    with ThreadPoolExecutor(2) as pool:
        found = solve_all(hard, Clock(4.0).deal(4), pool)
    assert {s.status for s in found} == {"stopped"}
    assert all(1.0 <= s.seconds <= 3.5 for s in found)


def test_a_worker_that_dies_is_named() -> None:
    with processes(1) as pool:
        died = pool.submit(os.getpid).result()
        os.kill(died, signal.SIGKILL)
        with pytest.raises(WorkerLost, match="a worker process died"):
            solved(0, pool)


@pytest.mark.dask
@pytest.mark.slow
def test_a_worker_of_a_cluster_killed_in_the_middle_changes_nothing(
    cluster: tuple[str, list[subprocess.Popen[bytes]]],
) -> None:
    from distributed import Client

    contact, jobs = cluster

    @dataclass
    class Deadly(Executor):
        """Kills one of the workers when the eighth search is handed over."""

        below: Executor
        handed: list[Any] = field(default_factory=list)

        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            self.handed.append(fn)
            if len(self.handed) == 8:
                jobs[1].send_signal(signal.SIGKILL)
            return self.below.submit(fn, *args, **kwargs)

    with Client(scheduler_file=contact) as client:
        client.wait_for_workers(2, timeout=60)
        deadly = Deadly(client.get_executor(pure=False))
        for seed in (0, 1, 2):
            assert_same(solved(seed, None), solved(seed, deadly))
    assert len(deadly.handed) > 8
    assert jobs[1].wait(timeout=10) == -signal.SIGKILL
