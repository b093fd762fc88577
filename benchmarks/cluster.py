"""What a cluster would give: ``python -m benchmarks cluster [--size …] [--draws N] [--milp SIZE]``.

The parts of a run that workers can share are measured apart from the rest (*serial*), with the
bytes that go out and come back. From these follows the time on N workers, and beside it stands what
one and two workers of a local Dask cluster took. Seconds are of the processor but for those with
Dask.

- *Monte Carlo*: ``capsim.simulate`` of a relaxed plan, blocks of draws through an executor.
- *MILP*: the search of ``capsim.optimize``, blocks of counties through an executor; the relaxation
  that gives them prices stays with the one who deals out.
"""

from __future__ import annotations

import argparse
import json
import pickle
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.milp import GOALS
from benchmarks.registry import discover
from benchmarks.sizes import MODELS, SIZES
from capsim.benchmark import described

WORKERS = (1, 2, 4, 8, 16)
"""No more calls than these are out at a time (``capsim.io.executors.IN_FLIGHT``)."""
BYTES_A_SECOND = 125e6
"""A network of 1 Gbit/s: an assumption, as is that the one who deals out serves workers in turn."""


@dataclass
class Recorder(Executor):
    """Does calls at once, and notes what each takes and what would go over a network.

    A round is what is handed out together, calls of one work; the next waits for its last call.
    """

    rounds: list[list[float]] = field(default_factory=list)
    work: Callable[..., Any] | None = None
    sent: int = 0
    back: int = 0

    @property
    def busy_s(self) -> list[float]:
        """Seconds of every call."""
        return [seconds for calls in self.rounds for seconds in calls]

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do a call now."""
        if fn is not self.work:
            self.work = fn
            self.rounds.append([])
        begin = time.process_time()
        done: Future[Any] = Future()
        done.set_result(fn(*args, **kwargs))
        self.rounds[-1].append(time.process_time() - begin)
        self.sent += len(pickle.dumps((fn, args)))
        self.back += len(pickle.dumps(done.result()))
        return done

    def figures(self, serial_s: float) -> dict[str, Any]:
        """Return what was noted, and what follows from it."""
        return {
            "serial_s": serial_s,
            "tasks": len(self.busy_s),
            "rounds": len(self.rounds),
            "busy_s": sum(self.busy_s),
            "longest_of_rounds_s": sum(max(calls, default=0.0) for calls in self.rounds),
            "sent_bytes": self.sent,
            "back_bytes": self.back,
            "predicted_s": {workers: self.predicted(serial_s, workers) for workers in WORKERS},
        }

    def predicted(self, serial_s: float, workers: int) -> float:
        """Seconds on N workers: serial, the fullest worker of every round, and what is sent."""
        fullest = 0.0
        for calls in self.rounds:
            load = [0.0] * workers
            for task in sorted(calls, reverse=True):
                load[load.index(min(load))] += task
            fullest += max(load)
        sent = self.sent + self.back
        return serial_s + fullest + (sent / BYTES_A_SECOND if workers > 1 else 0.0)


def on_dask(work: Callable[[Executor], object], expected: object) -> dict[int, float]:
    """Wall seconds with one and two workers of a local cluster, whose results must be the same."""
    from distributed import Client, LocalCluster

    seconds = {}
    for workers in (1, 2):
        with (
            LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as local,
            Client(local) as client,
        ):
            for ready in [client.submit(_load, at, pure=False) for at in range(4 * workers)]:
                ready.result()
            begin = time.perf_counter()
            found = work(client.get_executor(pure=False))
            seconds[workers] = time.perf_counter() - begin
        if found != expected:
            raise AssertionError("results depend on the executor")
    return seconds


def _load(_: int) -> None:
    """Have a worker load what it will need, which is in nobody's time."""
    for name in ("capsim.simulation", "capsim.plan.solver"):
        import_module(name)


def monte_carlo(size: str, draws: int) -> dict[str, Any]:
    """Simulate through the recorder, then on Dask with one and with two workers."""
    import capsim

    plan = capsim.optimize(MODELS["places"].scenario(SIZES[size]), relax=True)
    capsim.simulate(plan, draws=8, seed=1)

    def simulated(executor: Executor) -> str:
        outcome = capsim.simulate(plan, draws=draws, seed=1, executor=executor)
        return repr(dict(outcome.summary))

    recorder = Recorder()
    begin = time.process_time()
    here = simulated(recorder)
    serial = time.process_time() - begin - sum(recorder.busy_s)
    return {
        "what": f"Monte Carlo, places {size}, {draws} draws",
        **recorder.figures(serial),
        "dask_wall_s": on_dask(simulated, here),
    }


def milp(model: str, size: str) -> dict[str, Any]:
    """Search block by block through the recorder, then on Dask with one and with two workers."""
    import capsim
    from capsim.lp.options_and_result import SolveOptions
    from capsim.plan.solver import search

    made = capsim.formulate(MODELS[model].scenario(SIZES[size]))
    recorder, gap = Recorder(), GOALS[size][0]
    begin = time.process_time()
    here = search(made, made.program, SolveOptions(gap=gap, executor=recorder))
    serial = time.process_time() - begin - sum(recorder.busy_s)

    def there(executor: Executor) -> tuple[str, float, float]:
        found = search(made, made.program, SolveOptions(gap=gap, executor=executor))
        return found.status, found.objective, found.bound

    expected = (here.status, here.objective, here.bound)
    return {
        "what": f"MILP, {model} {size}",
        "status": here.status,
        "gap": (here.objective - here.bound) / max(abs(here.objective), 1.0),
        **recorder.figures(serial),
        "dask_wall_s": on_dask(there, expected),
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
    parser.add_argument("--out", type=Path, help="folder for cluster.json")
    asked = parser.parse_args(arguments)
    results = [monte_carlo(asked.size, asked.draws)]
    if asked.milp:
        results.append(milp(asked.model, asked.milp))
    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"machine": described(), "results": results}, indent=1) + "\n"
        (asked.out / "cluster.json").write_text(text, encoding="utf-8")
    if asked.json:
        print(json.dumps(results))
        return
    for one in results:
        print(f"{one['what']}: serial {one['serial_s']:.2f} s, {one['tasks']} tasks in")
        print(f"  {one['rounds']} rounds, {one['busy_s']:.2f} s together, the longest of each")
        print(f"  {one['longest_of_rounds_s']:.2f} s; {one['sent_bytes'] / 1e6:.2f} MB sent")
        print(f"  and {one['back_bytes'] / 1e6:.2f} MB sent back")
        for workers, seconds in one["predicted_s"].items():
            took = one["dask_wall_s"].get(workers)
            told = "" if took is None else f"   (Dask on this machine: {took:.2f} s)"
            print(f"  {workers:3d} workers: {seconds:8.2f} s{told}")
