"""Options of a solve, declared once and checked, and its result.

Whichever solver makes a result, it has the same fields.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Collection
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from difflib import get_close_matches
from numbers import Integral, Real
from typing import Any, TypedDict, TypeGuard

from capsim.lp.array_types import Array


class SolverError(RuntimeError):
    """A solver could not be run as asked."""


class NotInTime(SolverError):  # noqa: N818 (what happened, not what is wrong)
    """Nothing was found within the time limit."""


@dataclass(frozen=True)
class SolverResult:
    """The outcome of one solve; read ``status`` before anything else.

    Attributes
    ----------
    status : str
        ``optimal`` (proved within the gap asked), ``stopped`` (a limit ended it, ``x`` is
        feasible), ``infeasible``, ``unbounded``, ``unknown`` (a limit ended it without any
        solution) or ``error``.
    x : float64 ``[column]``, or None
    objective, bound : float
        Of ``x``, and what no solution can beat (``-inf`` where the solver tells none).
    row_dual, column_dual : float64, or None
        Of a linear program: change of the objective per unit of right-hand side or bound. A search
        by blocks ends with the ``row_dual`` of its relaxation.
    solver : str
        Name and version.
    seconds, hand_over_s : float
    """

    status: str
    x: Array | None
    objective: float
    bound: float
    row_dual: Array | None
    column_dual: Array | None
    solver: str
    seconds: float
    hand_over_s: float = 0.0


def is_number(value: object) -> TypeGuard[float]:
    """Check whether a value is a finite number.

    Examples
    --------
    >>> is_number(0.5), is_number(float("nan")), is_number("1")
    (True, False, False)
    """
    return isinstance(value, Real) and math.isfinite(value)


def is_whole(value: object) -> TypeGuard[int]:
    """Check whether a value is a whole number.

    Examples
    --------
    >>> is_whole(2), is_whole(2.0)
    (True, False)
    """
    return isinstance(value, Integral)


class SolveKeywords(TypedDict, total=False):
    """The fields of :class:`SolveOptions`, as keywords of the calls that solve."""

    solver: str
    gap: float
    time_limit: float | None
    threads: int | None
    executor: Executor | None


@dataclass(frozen=True)
class SolveOptions:
    """Options of a solve; every call that solves takes these as keywords, but for ``progress``.

    Parameters
    ----------
    solver : str
        ``highs``, ``scipy``, ``cbc``, ``pulp-highs`` or any solver PuLP lists.
    gap : float
        Proved share of the avoidable cost at which a search may stop.
    time_limit : float, optional
        Seconds for the whole question, however many plans it takes; all that it solves ends with
        them, and what is found by then is returned. A plan that it ends has status ``gap``, never
        ``optimal``.
    threads : int, optional
        For HiGHS where it solves a program whole; counties are searched two at a time.
    executor : concurrent.futures.Executor, optional
        Whose workers search the counties of a large city (see ``capsim.io.executors``); threads
        here where not given. Without a time limit the plan is the same. Ctrl-C leaves it as soon as
        the searches that have begun there end.
    progress : callable, optional
        Told in words how far the search of a large city is: rounds of the relaxation with what they
        leave open, counties done. It may raise to stop.

    Raises
    ------
    ValueError
        If a number is invalid.

    Examples
    --------
    >>> SolveOptions(gap=0.01).time_limit is None
    True
    """

    solver: str = "highs"
    gap: float = 1e-3
    time_limit: float | None = None
    threads: int | None = None
    executor: Executor | None = None
    progress: Callable[[str], None] | None = None

    def __post_init__(self) -> None:
        if not (is_number(self.gap) and self.gap >= 0):
            raise ValueError(f"gap must be a number >= 0, such as 0.001, not {self.gap!r}")
        if not isinstance(self.solver, str):
            raise ValueError(f"solver must be a name, such as highs, not {self.solver!r}")
        if self.executor is not None and not hasattr(self.executor, "submit"):
            raise ValueError(f"executor must be an Executor, or None, not {self.executor!r}")
        limit = self.time_limit
        if limit is not None and not (is_number(limit) and limit >= 0):
            raise ValueError(f"time_limit must be seconds >= 0, or None, not {limit!r}")
        if self.threads is not None and not (is_whole(self.threads) and self.threads >= 1):
            raise ValueError(f"threads must be a whole number >= 1, or None, not {self.threads!r}")

    @classmethod
    def of(
        cls,
        call: Callable[..., Any],
        keywords: SolveKeywords,
        *,
        gap: float = gap,
        without: Collection[str] = (),
    ) -> SolveOptions:
        """Read the options from the keywords of a call.

        Parameters
        ----------
        call : callable
            Whose keywords they are.
        keywords : SolveKeywords
        gap : float
            Where the keywords have none.
        without : names
            Options that the call does not take.

        Raises
        ------
        TypeError
            If the call has no such keyword.
        """
        known = [name for name in SolveKeywords.__annotations__ if name not in without]
        for name in keywords:
            if name not in known:
                own = [p.name for p in inspect.signature(call).parameters.values()]
                near = get_close_matches(name, [*own[:-1], *known], n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"options: {', '.join(known)}"
                raise TypeError(f"{call.__name__}() has no keyword {name!r}: {hint}")
        complete: SolveKeywords = {"gap": gap, **keywords}
        return cls(**complete)

    def within(self, seconds: float | None, shares: float = 1) -> SolveOptions:
        """Return the options with one of so many shares of the seconds left as time limit."""
        return replace(self, time_limit=None if seconds is None else seconds / shares)

    @property
    def keywords(self) -> SolveKeywords:
        """The options as keywords of another call."""
        return SolveKeywords(
            solver=self.solver,
            gap=self.gap,
            time_limit=self.time_limit,
            threads=self.threads,
            executor=self.executor,
        )

    def tell(self, words: str) -> None:
        """Pass on how far the search is."""
        if self.progress is not None:
            self.progress(words)

    @property
    def highs(self) -> dict[str, Any]:
        """The options as HiGHS calls them."""
        out: dict[str, Any] = {"mip_rel_gap": self.gap, "mip_abs_gap": 0.0}
        if self.threads is not None:
            out["threads"] = self.threads
        if self.time_limit is not None:
            out["time_limit"] = float(self.time_limit)
        return out
