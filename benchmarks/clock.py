"""Seconds and memory of the phases of one process."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from capsim.benchmark import cpu_s

STATUS = Path("/proc/self/status")


def peak_mb() -> float:
    """Largest resident memory so far, MB.

    Linux keeps the parent's peak in ``getrusage`` across a start of a new process, so the mark of
    this process alone is read where there is one.
    """
    if STATUS.exists():
        lines = STATUS.read_text(encoding="ascii", errors="replace").splitlines()
        for line in lines:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 1e6 if sys.platform == "darwin" else used * 1024 / 1e6


class Phases:
    """A stopwatch: ``with phases("build"): ...`` adds up seconds and notes the peak after it."""

    def __init__(self) -> None:
        self.cpu_s: dict[str, float] = {}
        self.wall_s: dict[str, float] = {}
        self.peak_mb: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Time what is done inside."""
        wall, cpu = time.perf_counter(), cpu_s()
        yield
        self.cpu_s[name] = self.cpu_s.get(name, 0.0) + cpu_s() - cpu
        self.wall_s[name] = self.wall_s.get(name, 0.0) + time.perf_counter() - wall
        self.peak_mb[name] = peak_mb()
