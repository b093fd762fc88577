"""Solves side by side on threads, all of which stop when one fails or Ctrl-C ends the wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextvars import ContextVar, copy_context
from typing import TypeVar

WORKERS = 2
Result = TypeVar("Result")

_stop: ContextVar[threading.Event | None] = ContextVar("stop", default=None)


class Stopped(Exception):  # noqa: N818 (as KeyboardInterrupt is none)
    """A solve on a thread was told to stop: another failed, or nobody waits for it any more."""


def told_to_stop() -> bool:
    """Tell whether the tasks, of which the caller's is one, were told to stop."""
    event = _stop.get()
    return event is not None and event.is_set()


def in_parallel(tasks: Iterable[Callable[[], Result]], workers: int = WORKERS) -> list[Result]:
    """Run tasks on threads (the solver works outside Python's lock) and keep their order.

    When one fails, or Ctrl-C comes, those not begun are dropped and running solves are stopped
    before the error is passed on. Tasks within tasks stop together.

    Examples
    --------
    >>> in_parallel([lambda: 1, lambda: 2])
    [1, 2]
    """
    stop = _stop.get() or threading.Event()
    token = _stop.set(stop)
    pool = ThreadPoolExecutor(workers)
    try:
        futures = [pool.submit(copy_context().run, task) for task in tasks]
        ended, _ = wait(futures, return_when=FIRST_EXCEPTION)
        for future in ended:
            future.result()
        return [future.result() for future in futures]
    except BaseException:
        stop.set()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        _stop.reset(token)
