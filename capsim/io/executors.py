"""Run tasks here, by processes or on a cluster, and keep results as they are finished.

Any ``concurrent.futures.Executor`` will do: threads, processes (`processes`), or a Dask cluster
(``client.get_executor(pure=False)``); the results are the same with any.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from itertools import islice
from multiprocessing import connection, get_context, parent_process
from typing import TypeVar

from capsim.io.cache import ResultStore

Task = TypeVar("Task")
Result = TypeVar("Result")
IN_FLIGHT = 16
"""Tasks handed out at a time: enough for any workers here, and few to lose."""
Done = Callable[[int, int], None]


class WorkerLost(RuntimeError):  # noqa: N818 (what happened, not what is wrong)
    """Raised where a worker died and took the pool with it."""


def processes(workers: int) -> ProcessPoolExecutor:
    """Make a pool of processes that start afresh; nothing is set globally."""
    return ProcessPoolExecutor(
        # A fork would copy locks of the parent's threads (the solver's too), held or not.
        workers,
        mp_context=get_context("spawn"),
        initializer=_end_with_parent,
    )


def _end_with_parent() -> None:
    """End this worker when the process that it works for is gone, however that ended.

    Ctrl-C reaches all processes of a terminal; only the parent acts on it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        sentinel = parent.sentinel

        def watch() -> None:
            connection.wait([sentinel])
            # sys.exit would end this thread only, and not the task in the main one.
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()


def run_tasks(
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    *,
    keys: Sequence[str] | None = None,
    executor: Executor | None = None,
    store: ResultStore | None = None,
    done: Done = lambda finished, total: None,
) -> list[Result]:
    """Run the tasks whose results a store has not kept yet; return all, in the order of the tasks.

    Parameters
    ----------
    work : callable
        From a task to a result; both picklable if the executor's workers are processes.
    tasks : sequence
    keys : sequence of text, optional
        What each result follows from; needed with a store.
    executor : concurrent.futures.Executor, optional
        None: one after another, here.
    store : ResultStore, optional
    done : callable, optional
        Called with the number of finished and of all tasks, each time one is finished.

    Raises
    ------
    WorkerLost
        A worker process died. Finished results are in the store.
    StoreError
        The store could not be written.

    Examples
    --------
    >>> run_tasks(lambda n: n * n, [2, 3])
    [4, 9]
    """
    if store is not None and (keys is None or len(keys) != len(tasks)):
        raise ValueError("a store needs a key for each task")
    results: dict[int, Result] = {}

    def keep(at: int, result: Result) -> None:
        if store is not None and keys is not None:
            store.write(keys[at], result)
        results[at] = result
        done(len(results), len(tasks))

    if store is not None and keys is not None:
        kept = {at: store.read(key) for at, key in enumerate(keys)}
        results |= {at: result for at, result in kept.items() if result is not None}
        done(len(results), len(tasks))
    left = [at for at in range(len(tasks)) if at not in results]
    if executor is None:
        for at in left:
            keep(at, work(tasks[at]))
    else:
        try:
            _hand_out(work, tasks, left, executor, keep)
        except BrokenExecutor as error:
            where = "" if store is None else f" {len(results)} of them are kept in {store.folder}:"
            advice = " run it again." if store is None else " the same run goes on from there."
            raise WorkerLost(
                f"a worker process died (killed, or out of memory) after {len(results)} of "
                f"{len(tasks)} blocks;{where}{advice}"
            ) from error
    return [results[at] for at in range(len(tasks))]


def _hand_out(
    work: Callable[[Task], Result],
    tasks: Sequence[Task],
    left: Sequence[int],
    executor: Executor,
    keep: Callable[[int, Result], None],
) -> None:
    """Keep a few tasks in flight; on any end but a good one take back those not yet begun."""
    flying: dict[Future[Result], int] = {}
    waiting = iter(left)
    try:
        for at in islice(waiting, IN_FLIGHT):
            flying[executor.submit(work, tasks[at])] = at
        while flying:
            ended, _ = wait(flying, return_when=FIRST_COMPLETED)
            for future in ended:
                keep(flying.pop(future), future.result())
            for at in islice(waiting, IN_FLIGHT - len(flying)):
                flying[executor.submit(work, tasks[at])] = at
    finally:
        # A pool would otherwise work through its queue before an error or Ctrl-C could end it.
        for future in flying:
            future.cancel()
