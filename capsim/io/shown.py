"""How results are met in a console and in a notebook: tables by name, a card, figures, progress.

Cards and figures are the report's, far above: it is loaded by its name when a result is shown, as
`capsim` itself loads what it is asked for. So a result needs no report until somebody looks at it.
"""

from __future__ import annotations

import difflib
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[str], None]
"""Told in words how far something is; it may raise to stop."""


def above(module: str, name: str) -> Any:
    """Return what a floor above defines, loaded only now."""
    return getattr(import_module(f"capsim.{module}"), name)


class Tables(Mapping[str, "pd.DataFrame"]):
    """Frames by name; each is given out as a copy, so that no caller changes a result.

    Raises
    ------
    KeyError
        Of a name that there is not; it says the nearest that there is.

    Examples
    --------
    >>> import pandas as pd
    >>> tables = Tables({"targets": pd.DataFrame({"a": [1]})})
    >>> frame = tables["targets"]
    >>> frame["a"] = 2
    >>> tables["targets"]["a"].tolist()
    [1]
    >>> tables
    Tables: targets (1 row)
    >>> tables["target"]
    Traceback (most recent call last):
    ...
    KeyError: "no table 'target'; did you mean 'targets'?"
    """

    def __init__(self, frames: Mapping[str, pd.DataFrame]) -> None:
        self._frames = dict(frames)

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._frames:
            raise KeyError(f"no table {name!r}; {nearest_or_all(name, self._frames)}")
        # Copied when written to (pandas 3), not now.
        return self._frames[name].copy(deep=False)

    def __contains__(self, name: object) -> bool:
        return name in self._frames

    def __iter__(self) -> Iterator[str]:
        return iter(self._frames)

    def __len__(self) -> int:
        return len(self._frames)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tables) and (
            self._frames.keys() == other._frames.keys()
            and all(frame.equals(other._frames[name]) for name, frame in self._frames.items())
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        rows = {name: len(frame) for name, frame in self._frames.items()}
        shown = (f"{name} ({n:,} row{'' if n == 1 else 's'})" for name, n in rows.items())
        return f"Tables: {', '.join(shown) or 'none'}"

    def _ipython_key_completions_(self) -> list[str]:
        """List what a notebook offers between the brackets."""
        return list(self._frames)


def nearest_or_all(name: object, known: Mapping[str, Any]) -> str:
    """Write which known name was probably meant, or which there are."""
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"there are {', '.join(known)}" if known else "there is none"


class Draw(Protocol):
    """Draw a figure, a matplotlib Figure."""

    def __call__(self, *, lang: str = "en") -> Any:
        """Draw it with its words in a language, `en` or `zh`."""


class DrawYear(Protocol):
    """Draw a figure of a school year, a matplotlib Figure."""

    def __call__(self, school_year: int | None = None, *, lang: str = "en") -> Any:
        """Draw it of a year, or of the years that are looked at first, in a language."""


class DrawGrades(Protocol):
    """Draw a figure of some grades, a matplotlib Figure."""

    def __call__(self, grades: Sequence[str] | None = None, *, lang: str = "en") -> Any:
        """Draw it of some grades, or of all, in a language."""


class Plots:
    """The figures that a result can draw: each a method that returns a matplotlib Figure.

    What a class lists is what its results can have; one that there is nothing for is not offered.
    """

    def __init__(self, drawings: Mapping[str, Callable[..., Any]]) -> None:
        self._drawings = dict(drawings)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._drawings:
            raise AttributeError(f"no figure {name!r}; {nearest_or_all(name, self._drawings)}")
        return self._drawings[name]

    def __dir__(self) -> list[str]:
        return list(self._drawings)

    def __repr__(self) -> str:
        return f"Figures: {', '.join(f'{name}()' for name in self._drawings)}"


class PlanPlots(Plots):
    """Figures of a plan."""

    reduction: Draw
    mix: Draw
    private_share: Draw
    balance: DrawYear
    cost: Draw
    map: DrawYear
    catchments: Draw
    class_sizes: Draw
    programme: Draw


class OutcomesPlots(PlanPlots):
    """Figures of a plan and of its simulation."""

    shortfall: Draw
    chances: Draw


class HardenedPlots(PlanPlots):
    """Figures of a plan that holds, and of those that were tried."""

    safety: Draw


class ComparisonPlots(Plots):
    """Figures of scenarios side by side."""

    mix: Draw
    cost: Draw
    differences: Draw
    tornado: Draw
    heat: Draw


class DemandPlots(Plots):
    """Figures of a projection."""

    enrolment: DrawGrades


F = TypeVar("F", bound=Plots)


class Shown(Generic[F]):
    """What a notebook shows of a result: its card, its figures, and the names that it offers.

    A class says itself in a few words by ``__repr__``.
    """

    def card(self, lang: str | None = None) -> Any:
        """Return the answer card, which a notebook shows of itself.

        Parameters
        ----------
        lang : str, optional
            ``en`` or ``zh``; else the language in which the scenario has its title.
        """
        return above("report.notebook", "card")(self, lang)

    @property
    def plot(self) -> F:
        """The figures that this can draw, each a method: ``plan.plot.mix(lang="zh")``."""
        found: F = above("report.notebook", "plots")(self)
        return found

    def _repr_html_(self) -> str:
        return str(self.card()._repr_html_())

    def __dir__(self) -> list[str]:
        """List what is offered to users: no name that begins with ``_``."""
        return [name for name in super().__dir__() if not name.startswith("_")]


class Stopped(KeyboardInterrupt):
    """Ctrl-C while something was computed, which a notebook shows as one line."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


@contextmanager
def followed(progress: Progress | bool | None) -> Iterator[Progress | None]:
    """Make what is told of how far something is visible, and Ctrl-C one line.

    Parameters
    ----------
    progress
        True: a bar, in a notebook or on a terminal; a function: is told itself; False or None:
        nobody is told.

    Raises
    ------
    Stopped
        At Ctrl-C.
    TypeError
        It is none of these.
    """
    if progress is not None and not isinstance(progress, bool) and not callable(progress):
        raise TypeError(f"progress must be True, False or a function, not {progress!r}")
    bar = begun_bar() if progress is True else None
    try:
        yield bar.show if bar is not None else (progress or None)  # type: ignore[misc]
    except Stopped:
        raise
    except KeyboardInterrupt as stop:
        raise Stopped(str(stop) or "Stopped by Ctrl-C; nothing was kept.") from None
    finally:
        if bar is not None:
            bar.close()


class Bar(Protocol):
    """Shows how far something is."""

    def show(self, words: str) -> None:
        """Show what is done now."""

    def close(self) -> None:
        """Take the bar away, or say how long it took."""


def begun_bar() -> Bar:
    """Begin a bar: in a notebook as part of the cell, else as a line of the terminal."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return NotebookBar() if hasattr(shell, "kernel") else TerminalBar()


class TerminalBar:
    """A line with what is done and since when; gone at the end."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Line

        self._line = Line(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._row = self._line.add_task("starting", total=None)
        self._line.start()

    def show(self, words: str) -> None:
        """Show what is done now, and which part of it where the words say *3 of 8*."""
        done, total = part_of(words)
        self._line.update(self._row, description=words, completed=done, total=total)

    def close(self) -> None:
        """Take the line away."""
        self._line.stop()


class NotebookBar:
    """A bar in the output of a cell; at the end one line that says how long it took."""

    def __init__(self) -> None:
        shown = import_module("IPython.display")
        self._html, self._begin = shown.HTML, time.perf_counter()
        self._handle = shown.display(self._drawn("starting"), display_id=True)

    def _drawn(self, words: str) -> Any:
        from html import escape

        done, total = part_of(words)
        part = "" if total is None else f' value="{done}" max="{total}"'
        seconds = time.perf_counter() - self._begin
        return self._html(f"<progress{part}></progress> {escape(words)} · {seconds:.0f} s")

    def show(self, words: str) -> None:
        """Show what is done now."""
        self._handle.update(self._drawn(words))

    def close(self) -> None:
        """Leave one line in place of the bar."""
        seconds = time.perf_counter() - self._begin
        self._handle.update(self._html(f"<small>{seconds:.1f} s</small>"))


def part_of(words: str) -> tuple[int, int | None]:
    """Read how much of how much is done where words say so.

    Examples
    --------
    >>> part_of("simulating: 3 of 8 blocks of draws"), part_of("1.20% open, 5 nodes")
    ((3, 8), (0, None))
    """
    pieces = words.split()
    for at, piece in enumerate(pieces[1:-1], 1):
        if piece == "of" and pieces[at - 1].isdigit() and pieces[at + 1].isdigit():
            return int(pieces[at - 1]), int(pieces[at + 1])
    return 0, None
