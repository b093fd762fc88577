"""What a cluster would give: ``python -m benchmarks cluster [--size …] [--draws N] [--milp SIZE]``.

The parts of a run that workers can share are measured apart from the rest (*serial*), with the
bytes that go out and come back. From these follows the time on N workers, and beside it stands what
two workers of a local Dask cluster took. Seconds are of the processor but for those with Dask.

- *Monte Carlo*: ``capsim.simulate`` of a relaxed plan, blocks of draws through an executor.
- *MILP*: blocks of counties as ``capsim.optimize`` solves them on threads; nothing sends them to
  other machines yet, so only the prediction is printed.
"""

from __future__ import annotations

import argparse
import json
import pickle
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from benchmarks.milp import GOALS
from benchmarks.registry import discover
from benchmarks.sizes import MODELS, SIZES

WORKERS = (1, 2, 4, 8, 16, 32, 64)
BYTES_A_SECOND = 125e6
"""A network of 1 Gbit/s: an assumption, as is that the one who deals out serves workers in turn."""


@dataclass
class Recorder(Executor):
    """Does calls at once, and notes what each takes and what would go over a network."""

    busy_s: list[float] = field(default_factory=list)
    shared: int = 0
    sent: int = 0
    back: int = 0

    def share(self, work: Any) -> Any:
        """Count what every worker is sent once."""
        self.shared = len(pickle.dumps(work))
        return work

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do a call now."""
        begin = time.process_time()
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        self.busy_s.append(time.process_time() - begin)
        self.sent += len(pickle.dumps(args[1:]))
        self.back += len(pickle.dumps(done.result()))
        return done


def predicted(serial_s: float, busy_s: Sequence[float], per_worker: float, once: float) -> Any:
    """Seconds by number of workers: serial, the largest share of tasks, and what is sent."""
    found = {}
    for workers in WORKERS:
        load = [0.0] * workers
        for task in sorted(busy_s, reverse=True):
            load[load.index(min(load))] += task
        sending = (workers * per_worker + once) / BYTES_A_SECOND if workers > 1 else 0.0
        found[workers] = serial_s + max(load) + sending
    return found


def monte_carlo(size: str, draws: int) -> dict[str, Any]:
    """Simulate through the recorder, then on Dask with one and with two workers."""
    from distributed import Client, LocalCluster

    import capsim
    from capsim.runs.cluster import ClusterExecutor

    plan = capsim.optimize(MODELS["places"].scenario(SIZES[size]), relax=True)
    capsim.simulate(plan, draws=8, seed=1)
    recorder = Recorder()
    begin = time.process_time()
    here = capsim.simulate(plan, draws=draws, seed=1, executor=recorder)
    serial = time.process_time() - begin - sum(recorder.busy_s)
    dask = {}
    for workers in (1, 2):
        with (
            LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as local,
            Client(local) as client,
        ):
            executor = ClusterExecutor(client)
            capsim.simulate(plan, draws=8 * workers, seed=1, executor=executor)
            begin = time.perf_counter()
            there = capsim.simulate(plan, draws=draws, seed=1, executor=executor)
            dask[workers] = time.perf_counter() - begin
        if repr(dict(here.summary)) != repr(dict(there.summary)):
            raise AssertionError("results depend on the executor")
    return {
        "what": f"Monte Carlo, places {size}, {draws} draws",
        "serial_s": serial,
        "tasks": len(recorder.busy_s),
        "busy_s": sum(recorder.busy_s),
        "shared_bytes": recorder.shared,
        "once_bytes": recorder.sent + recorder.back,
        "dask_wall_s": dask,
        "predicted_s": predicted(
            serial, recorder.busy_s, recorder.shared, recorder.sent + recorder.back
        ),
    }


def milp(model: str, size: str) -> dict[str, Any]:
    """Solve block by block, one after another, and note what each block takes."""
    import capsim
    from capsim.lp.blocks import split
    from capsim.lp.decompose import solve_blocks

    made = capsim.formulate(MODELS[model].scenario(SIZES[size]))
    busy: list[float] = []
    rounds: list[float] = []

    def in_turn(tasks: Iterable[Callable[[], Any]], workers: int = 1) -> list[Any]:
        out, begin = [], len(busy)
        for task in tasks:
            mark = time.process_time()
            out.append(task())
            busy.append(time.process_time() - mark)
        rounds.append(max(busy[begin:], default=0.0))
        return out

    begin = time.process_time()
    found = split(made.program, made.coupling)
    with (
        mock.patch("capsim.lp.decompose.in_parallel", in_turn),
        mock.patch("capsim.lp.pricing.in_parallel", in_turn),
    ):
        solution = solve_blocks(found, gap=GOALS[size][0])
    serial = time.process_time() - begin - sum(busy)
    sizes = [len(pickle.dumps(found.part(block))) for block in found.blocks]
    back = sum(8 * len(block.columns) for block in found.blocks)
    return {
        "what": f"MILP, {model} {size}",
        "status": "none" if solution is None else solution.status,
        "serial_s": serial,
        "tasks": len(busy),
        "rounds": len(rounds),
        "busy_s": sum(busy),
        "longest_of_rounds_s": sum(rounds),
        "shared_bytes": 0,
        "once_bytes": sum(sizes) + back * len(rounds),
        "predicted_s": {
            workers: serial
            + max(sum(rounds), sum(busy) / workers)
            + (workers > 1) * (sum(sizes) + back * len(rounds)) / BYTES_A_SECOND
            for workers in WORKERS
        },
    }


def main(arguments: Sequence[str]) -> None:
    """Print serial share, bytes and the time on N workers, or all as JSON."""
    discover()
    parser = argparse.ArgumentParser("benchmarks cluster", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="province")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--milp", choices=GOALS, help="size of the MILP to measure too")
    parser.add_argument("--model", choices=MODELS, default="places-milp")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(arguments)
    results = [monte_carlo(asked.size, asked.draws)]
    if asked.milp:
        results.append(milp(asked.model, asked.milp))
    if asked.json:
        print(json.dumps(results))
        return
    for one in results:
        print(f"{one['what']}: serial {one['serial_s']:.2f} s, {one['tasks']} tasks of together")
        print(f"  {one['busy_s']:.2f} s; {one['shared_bytes'] / 1e6:.2f} MB to each worker and")
        print(f"  {one['once_bytes'] / 1e6:.2f} MB besides; Dask {one.get('dask_wall_s', '-')} s")
        for workers, seconds in one["predicted_s"].items():
            print(f"  {workers:3d} workers: {seconds:8.2f} s")
