"""How the command line works: long work in the background, progress, Ctrl-C, exit statuses."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import NoReturn, TypeVar

import typer

from capsim.run import WRITING, Progress

T = TypeVar("T")

OK, BAD_INPUT, NOT_MET, INTERRUPTED = 0, 2, 3, 130


class Stopped(Exception):  # noqa: N818 (no error: the user asked for it)
    """Raised inside the work when it shall stop."""


def fail(message: str) -> NoReturn:
    """Say what is wrong with the input, and end with status 2."""
    typer.echo(message, err=True)
    raise typer.Exit(BAD_INPUT)


def work(task: Callable[[Progress], T]) -> T:
    """Run a task in the background, show its progress, and end cleanly on Ctrl-C or bad input.

    A solver does not hear Ctrl-C, so the task runs in a thread and this one listens. Only while
    a task writes is it let finish its step, so that it can take its half-written output away.

    Parameters
    ----------
    task
        Gets a function to call with the name of each phase as it begins.
    """
    # The end is an event of its own: a `join` that Ctrl-C breaks off takes the thread for ended.
    lock, stop, ended = threading.Lock(), threading.Event(), threading.Event()
    now = ""
    done: list[T] = []
    failed: list[BaseException] = []
    show, close = _display()

    def progress(phase: str) -> None:
        nonlocal now
        with lock:
            if stop.is_set():
                raise Stopped
            if phase == now:
                return
            now = phase
        show(phase)

    def target() -> None:
        try:
            done.append(task(progress))
        except BaseException as error:  # noqa: BLE001 (handed to the thread that waits)
            failed.append(error)
        finally:
            ended.set()

    try:
        threading.Thread(target=target, daemon=True).start()
        while not ended.wait(0.1):
            pass
    except KeyboardInterrupt:
        with lock:
            stop.set()
            writing = now == WRITING
        close()
        if writing:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            ended.wait()
        typer.echo("stopped", err=True)
        sys.stdout.flush()
        sys.stderr.flush()
        if util := sys.modules.get("multiprocessing.util"):
            util._run_finalizers(0)  # else semaphores of worker processes are said to leak
        os._exit(INTERRUPTED)
    finally:
        close()
    if failed:
        error = failed[0]
        if isinstance(error, OSError):
            fail(f"{error.filename}: {error.strerror}" if error.filename else str(error))
        if _is_fault(error):
            fail(str(error))
        raise error
    return done[0]


def _is_fault(error: BaseException) -> bool:
    """Tell whether scenario, solver or a worker failed (loaded late: they bring pandas)."""
    from capsim.lp import SolverError
    from capsim.runs.executors import WorkerLost
    from capsim.scenario import ScenarioError

    return isinstance(error, ScenarioError | SolverError | WorkerLost)


def _display() -> tuple[Progress, Callable[[], None]]:
    """Give a function that shows a phase and one that ends the display.

    On a terminal one line with the time; elsewhere a line for each phase.
    """
    if not sys.stderr.isatty():
        return lambda phase: typer.echo(f"{phase} …", err=True), lambda: None
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    bar = Bar(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    row = bar.add_task("starting")
    bar.start()
    return lambda phase: bar.update(row, description=phase), bar.stop
