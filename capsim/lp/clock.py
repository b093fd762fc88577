"""A time limit dealt out to solves, some of which run side by side."""

from __future__ import annotations

import time

from capsim.lp.parallel import WORKERS

LEAST_SECONDS = 1.0


class Clock:
    """What is left of a time limit, if there is one."""

    def __init__(self, seconds: float | None) -> None:
        self._begin = time.perf_counter()
        self._end = None if seconds is None else self._begin + max(seconds, 0.0)

    def spent(self) -> float:
        """Return the seconds since the start."""
        return time.perf_counter() - self._begin

    def left(self) -> float | None:
        """Return the seconds left, at least a little."""
        return None if self._end is None else max(self._end - time.perf_counter(), LEAST_SECONDS)

    def out(self) -> bool:
        """Tell whether the time is up."""
        return self._end is not None and time.perf_counter() >= self._end

    def limit(self) -> dict[str, float]:
        """Return what is left as an option of the solver."""
        left = self.left()
        return {} if left is None else {"time_limit": left}

    def deal(self, tasks: int, share: float = 1.0) -> Deal:
        """Deal a share of what is left out to tasks that run side by side."""
        left = self.left()
        return Deal(None if left is None else left * share, tasks)


class Deal:
    """Seconds dealt to tasks in turn: what one does not need goes to those after it."""

    def __init__(self, seconds: float | None, tasks: int) -> None:
        self._end = None if seconds is None else time.perf_counter() + seconds
        self._tasks = iter(range(tasks, 0, -1))

    def limit(self) -> dict[str, float]:
        """Return the time limit of the next task."""
        if self._end is None:
            return {}
        left = self._end - time.perf_counter()
        fair = left * min(1.0, WORKERS / next(self._tasks, 1))
        return {"time_limit": max(fair, LEAST_SECONDS)}
