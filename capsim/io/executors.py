"""Work in blocks, on this machine or many, with blocks kept as they are finished.

Any ``concurrent.futures.Executor`` will do: threads, processes, or that of a cluster
(`capsim.io.dask_cluster`). What every block needs is packed once and unpacked once by each worker.
"""

from __future__ import annotations

import hashlib
import os
import pickle
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
from multiprocessing import connection, get_context, parent_process
from typing import Any, Generic, TypeVar

from capsim.io.cache import Arrays, BlockStore

Job = TypeVar("Job")
IN_FLIGHT = 16
"""Blocks handed out at a time: enough for any workers here, and few to lose."""
Done = Callable[[int, int], None]


class WorkerLost(RuntimeError):  # noqa: N818 (what happened, not what is wrong)
    """Raised where a worker died and took the pool with it."""


def processes(workers: int) -> ProcessPoolExecutor:
    """Make a pool of processes that start afresh; nothing is set globally."""
    return ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_end_with_parent
    )


def _end_with_parent() -> None:
    """Let a worker end when the process that it works for is gone, however that ended.

    Ctrl-C, which reaches all processes of a terminal, is that one's to hear.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        sentinel = parent.sentinel

        def watch() -> None:
            connection.wait([sentinel])
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()


class Packed(Generic[Job]):
    """Work packed once, whatever the number of blocks; called in a worker."""

    def __init__(self, work: Callable[[Job], Arrays]):
        self.data = pickle.dumps(work, protocol=pickle.HIGHEST_PROTOCOL)
        self.name = hashlib.sha256(self.data).hexdigest()

    def __call__(self, job: Job) -> Arrays:
        """Do one block."""
        with _LOCK:
            if self.name not in _UNPACKED:
                _UNPACKED.clear()
                _UNPACKED[self.name] = pickle.loads(self.data)
            work = _UNPACKED[self.name]
        return dict(work(job))


_LOCK = threading.Lock()
_UNPACKED: dict[str, Any] = {}
"""What this worker is at work on; one thing at a time."""


def run_blocks(
    work: Callable[[Job], Arrays],
    jobs: Sequence[Job],
    *,
    keys: Sequence[str] | None = None,
    executor: Executor | None = None,
    store: BlockStore | None = None,
    done: Done = lambda finished, total: None,
) -> list[Arrays]:
    """Do jobs, those that a store has not kept yet; results in the order of the jobs.

    Parameters
    ----------
    work : callable
        From a job to arrays; picklable if the executor's workers are processes.
    jobs : sequence
    keys : sequence of text, optional
        What each result follows from; needed with a store.
    executor : concurrent.futures.Executor, optional
        None: one after another, here.
    store : BlockStore, optional
    done : callable, optional
        Told how many of how many are finished, each time one is.

    Raises
    ------
    WorkerLost
        A worker process died. Finished blocks are in the store.
    StoreError
        The store could not be written.

    Examples
    --------
    >>> import numpy as np
    >>> run_blocks(lambda n: {"square": np.array([n * n])}, [2, 3])[1]["square"].tolist()
    [9]
    """
    if store is not None and (keys is None or len(keys) != len(jobs)):
        raise ValueError("a store needs a key for each job")
    found: dict[int, Arrays] = {}
    names = [""] * len(jobs) if keys is None else list(keys)

    def keep(at: int, arrays: Arrays) -> None:
        if store is not None:
            store.write(names[at], arrays)
        found[at] = arrays
        done(len(found), len(jobs))

    if store is not None:
        kept = {at: store.read(name) for at, name in enumerate(names)}
        found |= {at: arrays for at, arrays in kept.items() if arrays is not None}
        done(len(found), len(jobs))
    left = [at for at in range(len(jobs)) if at not in found]
    if executor is None:
        for at in left:
            keep(at, work(jobs[at]))
    elif left:
        try:
            _hand_out(Packed(work), jobs, left, executor, keep)
        except BrokenExecutor as error:
            where = "" if store is None else f" {len(found)} of them are kept in {store.folder}:"
            again = " run it again." if store is None else " the same run goes on from there."
            raise WorkerLost(
                f"a worker process died (killed, or out of memory) after {len(found)} of "
                f"{len(jobs)} blocks;{where}{again}"
            ) from error
    return [found[at] for at in range(len(jobs))]


def _hand_out(
    work: Packed[Job],
    jobs: Sequence[Job],
    left: Sequence[int],
    executor: Executor,
    keep: Callable[[int, Arrays], None],
) -> None:
    """Keep a few blocks in flight; on any end but a good one take back what has not begun."""
    share = getattr(executor, "share", None)
    task = share(work) if share else work
    flying: dict[Future[Arrays], int] = {}
    waiting = list(left)
    try:
        while waiting or flying:
            while waiting and len(flying) < IN_FLIGHT:
                at = waiting.pop(0)
                flying[executor.submit(_call, task, jobs[at])] = at
            ended, _ = wait(flying, return_when=FIRST_COMPLETED)
            for future in ended:
                keep(flying.pop(future), future.result())
    finally:
        for future in flying:
            future.cancel()


def _call(work: Callable[[Any], Arrays], job: object) -> Arrays:
    return work(job)
