"""Parallel solves on threads: one clock for all of a question, and a common stop.

The solver works outside Python's lock, so that threads are enough. All stop when one fails or
Ctrl-C ends the wait. A question with a time limit is answered inside :func:`until`: whatever is
solved there, however deep, ends with it.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from typing import TypeVar

LEAST_SECONDS = 1.0
WORKERS = 2


_end: ContextVar[float | None] = ContextVar("end", default=None)


class Clock:
    """Time left of a limit, if there is one: its own, or that of the question it is part of."""

    def __init__(self, seconds: float | None = None) -> None:
        self._begin = time.perf_counter()
        own = None if seconds is None else self._begin + max(seconds, 0.0)
        ends = [end for end in (own, _end.get()) if end is not None]
        self._end = min(ends, default=None)

    def spent(self) -> float:
        """Return the seconds since the start."""
        return time.perf_counter() - self._begin

    def left(self) -> float | None:
        """Return the seconds left, at least a little."""
        return None if self._end is None else max(self._end - time.perf_counter(), LEAST_SECONDS)

    def out(self) -> bool:
        """Check whether the time is up."""
        return self._end is not None and time.perf_counter() >= self._end

    def seconds(self) -> float:
        """Return the seconds left to the last, 0 where none are; infinite without a limit."""
        return math.inf if self._end is None else max(self._end - time.perf_counter(), 0.0)

    def limit(self) -> dict[str, float]:
        """Return what is left as an option of the solver."""
        left = self.left()
        return {} if left is None else {"time_limit": left}

    def deal(self, tasks: int, share: float = 1.0, workers: int = WORKERS) -> Deal:
        """Divide what is left among tasks that run side by side."""
        left = self.left()
        return Deal(None if left is None else left * share, tasks, workers)


@contextmanager
def until(seconds: float | None) -> Iterator[Clock]:
    """Answer a question in so many seconds, or what is left of the one it is part of.

    Every solve inside, on threads too, ends with the clock that is returned; after that each one
    returns at once, with nothing.

    Examples
    --------
    >>> with until(0.0), until(60.0) as clock:
    ...     clock.out()
    True
    """
    clock = Clock(seconds)
    token = _end.set(clock._end)
    try:
        yield clock
    finally:
        _end.reset(token)


class Deal:
    """Seconds dealt to tasks in turn: what one does not need goes to those after it."""

    def __init__(self, seconds: float | None, tasks: int, workers: int) -> None:
        self._end = None if seconds is None else time.perf_counter() + seconds
        self._tasks, self._workers = iter(range(tasks, 0, -1)), workers

    def limit(self) -> dict[str, float]:
        """Return the time limit of the next task."""
        if self._end is None:
            return {}
        left = self._end - time.perf_counter()
        fair = left * min(1.0, self._workers / next(self._tasks, 1))
        return {"time_limit": max(fair, LEAST_SECONDS)}


POLL_S = 0.1
Result = TypeVar("Result")


class Stopped(Exception):  # noqa: N818 (no error: as KeyboardInterrupt)
    """Raised in a solve on a thread that shall stop: another failed, or nobody waits for it."""


@dataclass
class _Tasks:
    """Tasks that stop together, and how each solve that runs in one of them is cancelled."""

    stop: threading.Event = field(default_factory=threading.Event)
    running: list[Callable[[], None]] = field(default_factory=list)

    def check(self) -> None:
        """Raise :class:`Stopped` once the tasks shall stop."""
        if self.stop.is_set():
            raise Stopped("a solve was stopped")


_tasks: ContextVar[_Tasks | None] = ContextVar("tasks", default=None)


@contextmanager
def stoppable(cancel: Callable[[], None]) -> Iterator[None]:
    """Run a solve that ``cancel`` ends when the tasks, of which it is part, shall stop."""
    tasks = _tasks.get()
    if tasks is None:
        yield
        return
    tasks.check()
    tasks.running.append(cancel)
    try:
        yield
    finally:
        tasks.running.remove(cancel)
    tasks.check()


def in_parallel(tasks: Iterable[Callable[[], Result]], workers: int = WORKERS) -> list[Result]:
    """Run tasks on threads (the solver works outside Python's lock) and keep their order.

    When one fails, or Ctrl-C comes, those not begun are dropped and running solves are stopped
    before the error is passed on. Tasks within tasks stop together.

    Examples
    --------
    >>> in_parallel([lambda: 1, lambda: 2])
    [1, 2]
    """
    together = _tasks.get() or _Tasks()
    token = _tasks.set(together)
    pool = ThreadPoolExecutor(workers)
    futures: list[Future[Result]] = []
    try:
        futures += [pool.submit(copy_context().run, task) for task in tasks]
        ended, _ = wait(futures, return_when=FIRST_EXCEPTION)
        for future in ended:
            future.result()
        return [future.result() for future in futures]
    except BaseException:
        together.stop.set()
        begun = [future for future in futures if not future.cancel()]
        while wait(begun, POLL_S).not_done:
            for cancel in list(together.running):
                cancel()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        _tasks.reset(token)
