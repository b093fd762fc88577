"""The binding to HiGHS: arrays in, arrays out, options checked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import numpy as np
from scipy.sparse import csr_array

from capsim.i18n.language import Message
from capsim.lp.array_types import Array, Index
from capsim.lp.options_and_result import SolverError, SolverResult
from capsim.lp.parallel_solves import Clock, stoppable
from capsim.lp.program import LinearProgram

INTERIOR = {"solver": "ipm", "run_crossover": "off"}
"""Options for large relaxations solved whole: the simplex method takes several times as long."""
STALE = 1e-6
"""Relative difference at which columns and objective are of different solutions."""
BRIEF = 100_000
"""Most coefficients of a linear program that is over, within a second, before anyone stops it."""
PRECISE = 1e-6
"""By how much an optimum may break a row; HiGHS calls it infeasible from 1e-7 on."""
NEWS_S = 2.0
"""Seconds between two words on how far a search is, about."""
PRIMAL_SIMPLEX = 4
"""HiGHS's number for it; with new costs the last basis stays feasible for the primal only."""


@dataclass(frozen=True)
class Basis:
    """The basis in which a simplex solve ended: a copy, which later solves leave alone."""

    raw: Any

    def wider(self, columns: int) -> Basis:
        """Return it for a program with so many more columns at its end, all at their lower side."""
        import highspy

        more = [highspy.HighsBasisStatus.kLower] * columns
        return Basis.of([*self.raw.col_status, *more], self.raw.row_status)

    @classmethod
    def of(cls, columns: list[Any], rows: list[Any]) -> Basis:
        """Make a basis of the status of every column and row (``highspy.HighsBasisStatus``)."""
        import highspy

        made = highspy.HighsBasis()
        made.col_status, made.row_status, made.valid = columns, rows, True
        return cls(made)


def combine_bases(parts: Iterable[tuple[Index, Index, Basis]], columns: int, rows: int) -> Basis:
    """Make a basis from those of parts of a program; a row of no part is basic.

    Parameters
    ----------
    parts : triples of column indices, row indices and the basis of the program made of these
    columns, rows : int
        Size of the program.
    """
    import highspy

    status = highspy.HighsBasisStatus
    column, row = [status.kLower] * columns, [status.kBasic] * rows
    for own_columns, own_rows, basis in parts:
        for at, value in zip(own_columns.tolist(), basis.raw.col_status, strict=True):
            column[at] = value
        for at, value in zip(own_rows.tolist(), basis.raw.row_status, strict=True):
            row[at] = value
    return Basis.of(column, row)


def solver_name() -> str:
    """Return the solver's name and version."""
    import highspy

    numbers = (getattr(highspy, f"HIGHS_VERSION_{part}") for part in ("MAJOR", "MINOR", "PATCH"))
    return f"HiGHS {'.'.join(map(str, numbers))}"


class News(str):
    """What HiGHS tells of a search: words, with the numbers that they are made of.

    Attributes
    ----------
    seconds : float
        Since the solve began.
    objective, bound : float
        Of the best solution known (infinite where there is none), and what none can beat.
    """

    seconds: float
    objective: float
    bound: float


class Highs:
    """A HiGHS object that holds one program and can be solved again after changes.

    Parameters
    ----------
    program : LinearProgram
        Passed in one call, compressed by column.
    options : mapping
        HiGHS options by name; an unknown or refused one raises :class:`SolverError`.
    tell : callable, optional
        Told in words, every few seconds, how far a search for whole numbers is; it may raise.
    """

    def __init__(
        self,
        program: LinearProgram,
        options: Mapping[str, Any] | None = None,
        *,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        import highspy

        begin = time.perf_counter()
        self._hp = highspy
        self._highs: Any = _quiet()()
        self._option("output_flag", False)
        self._limit = float("inf")
        self.set(options or {})
        a = program.matrix
        rows, columns = a.shape
        status = self._highs.passModel(
            columns,
            rows,
            a.nnz,
            int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize),
            program.offset,
            program.cost,
            program.lower,
            program.upper,
            program.row_lower,
            program.row_upper,
            # HiGHS numbers entries in 32 bits; nothing is copied where SciPy does so already.
            a.indptr.astype(np.int32, copy=False),
            a.indices.astype(np.int32, copy=False),
            a.data,
            program.integer.astype(np.int32),
        )
        if status == highspy.HighsStatus.kError:
            text = "HiGHS refused the program: a bound, cost or coefficient is not finite"
            raise SolverError(Message(text))
        self.program = program
        self._solved = self._started = False
        self._brief = program.matrix.nnz <= BRIEF and not program.integer.any()
        self._brief &= "threads" not in (options or {})
        self._news: list[News] = []
        self._tell = tell
        if tell is not None and program.integer.any():
            self._option("log_to_console", False)
            self._option("output_flag", True)
            self._option("mip_min_logging_interval", NEWS_S)
            self._highs.cbMipLogging += self._note
            self._highs.cbMipImprovingSolution += self._improved
        self.hand_over_s = time.perf_counter() - begin

    @property
    def raw(self) -> Any:
        """The ``highspy.Highs`` object itself."""
        return self._highs

    def _option(self, name: str, value: Any) -> None:
        if self._highs.setOptionValue(name, value) != self._hp.HighsStatus.kOk:
            raise SolverError(f"HiGHS knows no option {name!r} or refuses the value {value!r}")

    def _note(self, event: Any) -> None:
        """Keep what HiGHS reports, in its own thread, for the thread that waits for it."""
        data = event.data_out
        gap = "no solution yet" if data.mip_gap > 10 else f"{data.mip_gap:.2%} open"
        news = News(f"{gap}, {data.mip_node_count} nodes")
        news.seconds = float(data.running_time)
        news.objective, news.bound = float(data.mip_primal_bound), float(data.mip_dual_bound)
        self._news.append(news)

    def _improved(self, event: Any) -> None:
        """Keep when a better solution was found, for who wants to know each."""
        data = event.data_out
        news = News(f"{data.mip_gap:.2%} open, better solution")
        news.seconds = float(data.running_time)
        news.objective, news.bound = (
            float(data.objective_function_value),
            float(data.mip_dual_bound),
        )
        self._news.append(news)

    def set(self, options: Mapping[str, Any]) -> None:
        """Set options for the solves to come; a time limit is that of each solve."""
        for name, value in options.items():
            self._option(name, value)
            if name == "time_limit":
                self._limit = value

    def start_from(self, x: Array) -> None:
        """Set ``x`` as a first solution of a mixed-integer program."""
        solution = self._hp.HighsSolution()
        solution.col_value = x
        self._highs.setSolution(solution)
        self._started = True

    def change(self, columns: tuple[Array, Array], rows: tuple[Array, Array], cost: Array) -> None:
        """Replace all bounds and costs, keeping the basis for the next solve."""
        h = self._highs
        at = np.arange(len(cost), dtype=np.int32)
        h.changeColsBounds(len(at), at, *columns)
        h.changeColsCost(len(at), at, cost)
        at = np.arange(len(rows[0]), dtype=np.int32)
        h.changeRowsBounds(len(at), at, *rows)

    def bounds(self, columns: Index, lower: Array, upper: Array) -> None:
        """Replace the bounds of some columns, keeping the basis for the next solve."""
        self._highs.changeColsBounds(len(columns), columns.astype(np.int32), lower, upper)

    def bound(self, column: int, lower: float, upper: float) -> None:
        """Replace the bounds of one column, keeping the basis for the next solve."""
        self._highs.changeColBounds(column, lower, upper)

    def reprice(self, cost: Array) -> None:
        """Replace all costs; from now on solve by the primal simplex from the last basis."""
        self.recost(np.arange(len(cost)), cost)
        if self._solved:
            self._option("presolve", "off")
            self._option("simplex_strategy", PRIMAL_SIMPLEX)

    def recost(self, columns: Index, cost: Array) -> None:
        """Replace the costs of some columns."""
        self._highs.changeColsCost(len(columns), columns.astype(np.int32), cost)

    def add_column(self, cost: float, rows: Index, values: Array) -> None:
        """Add a column, continuous and without upper bound, keeping the basis."""
        self._highs.addCol(cost, 0.0, np.inf, len(rows), rows.astype(np.int32), values)

    def offset(self, value: float) -> None:
        """Replace the constant of the objective."""
        self._highs.changeObjectiveOffset(value)

    def fix(self, columns: Index, value: Array) -> None:
        """Fix ``columns`` at ``value``, keeping the basis for the next solve."""
        at = columns.astype(np.int32)
        self._highs.changeColsBounds(len(at), at, value, value)

    def add_rows(self, matrix: csr_array, lower: Array, upper: Array) -> None:
        """Add rows below those there are, keeping basis and solution for the next solve."""
        self._highs.addRows(
            matrix.shape[0],
            lower,
            upper,
            matrix.nnz,
            matrix.indptr[:-1].astype(np.int32),
            matrix.indices.astype(np.int32),
            matrix.data,
        )

    @property
    def basis(self) -> Basis | None:
        """Basis after the last solve: columns and rows at a bound or between, if known."""
        basis = self._highs.getBasis()
        return Basis(basis) if basis.valid else None

    def begin_at(self, basis: Basis | None) -> None:
        """Clear all earlier solves and begin the next one at ``basis``, or from nothing."""
        self._highs.clearSolver()
        if basis is None:
            return
        if self._highs.setBasis(basis.raw) != self._hp.HighsStatus.kOk:
            raise SolverError("HiGHS refuses a basis: it belongs to another program")

    def solve(self, *, watched: bool = True) -> SolverResult:
        """Run, and return what was found; Ctrl-C stops the solver and is passed on.

        Not ``watched`` (Ctrl-C waits for its end) a short solve saves several milliseconds; that of
        a small linear program never is. Where the question's time is up, nothing is run or found.
        """
        begin = time.perf_counter()
        if Clock().out():
            return self._nothing()
        self._run(watched=watched and not self._brief)
        if (self._started and self._stale()) or self._imprecise():
            # Cleared, HiGHS has no start left to give back, and no basis that has lost precision.
            self._highs.clearSolver()
            self._run()
        self._solved, self._started = True, False
        seconds = time.perf_counter() - begin
        h, hp = self._highs, self._hp
        info, state = h.getInfo(), h.getModelStatus()
        mip = bool(self.program.integer.any())
        optimal = state == hp.HighsModelStatus.kOptimal
        found = optimal or info.primal_solution_status == hp.SolutionStatus.kSolutionStatusFeasible
        name = _STATUS.get(str(state).rsplit(".", 1)[-1], "error")
        if name == "infeasible_or_unbounded":
            name = self._status_without_presolve()
        if name == "stopped" and not found:
            name = "unknown"
        solution = h.getSolution()
        x = _array(solution.col_value) if found else None
        objective = float(info.objective_function_value) if found else float("nan")
        # A linear program that was not solved to its optimum proves nothing.
        bound = float(info.mip_dual_bound) if mip else (objective if name == "optimal" else -np.inf)
        duals = None
        if (
            found
            and not mip
            and info.dual_solution_status == hp.SolutionStatus.kSolutionStatusFeasible
        ):
            duals = (_array(solution.row_dual), _array(solution.col_dual))
        return SolverResult(
            status=name,
            x=x,
            objective=objective,
            bound=bound,
            row_dual=None if duals is None else duals[0],
            column_dual=None if duals is None else duals[1],
            solver=f"HiGHS {h.version()}",
            seconds=seconds,
            hand_over_s=self.hand_over_s,
        )

    def _nothing(self) -> SolverResult:
        """Return the result of a solve for which no time is left."""
        nan, name = float("nan"), f"HiGHS {self._highs.version()}"
        return SolverResult("unknown", None, nan, -np.inf, None, None, name, 0.0, self.hand_over_s)

    def _imprecise(self) -> bool:
        """Check whether HiGHS calls a solution optimal that breaks a row: an old basis lost it."""
        optimal = self._highs.getModelStatus() == self._hp.HighsModelStatus.kOptimal
        return bool(optimal and self._highs.getInfo().max_primal_infeasibility > PRECISE)

    def _stale(self) -> bool:
        """Check whether HiGHS (1.16) gives the start back in place of the better solution it found.

        It does where presolve alone settles the program; the objective is then that of the solution
        and not of the columns.
        """
        info, lp = self._highs.getInfo(), self._highs.getLp()
        x = _array(self._highs.getSolution().col_value)
        objective = float(info.objective_function_value)
        if len(x) != lp.num_col_ or not np.isfinite(objective):
            return False
        value = float(np.array(lp.col_cost_) @ x + lp.offset_)
        return abs(value - objective) > STALE * max(1.0, abs(objective))

    def _status_without_presolve(self) -> str:
        """Solve again without presolve, which alone cannot tell infeasible from unbounded."""
        self._option("presolve", "off")
        self._run()
        self._option("presolve", "choose")
        return _STATUS.get(str(self._highs.getModelStatus()).rsplit(".", 1)[-1], "error")

    def cancel(self) -> None:
        """Stop a running solve.

        Only from now on HiGHS asks back, at every iteration, whether it shall.
        """
        self._highs.HandleUserInterrupt = True
        self._highs.cancelSolve()

    def _run(self, *, watched: bool = True) -> None:
        """Run where Ctrl-C can stop it: only the main thread receives it, and stops the others.

        HiGHS sets its own threads up anew in each thread that it is run from, which takes as long
        as a small program.
        """
        seconds = min(self._limit, Clock().seconds())
        if seconds < np.inf and not self.program.integer.any():
            # Of a linear program HiGHS counts all solves of an object together.
            seconds += self._highs.getRunTime()
        self._highs.setOptionValue("time_limit", float(seconds))
        if not watched:
            self._highs.run()
            return
        self._highs.enableCallbacks()
        if threading.current_thread() is not threading.main_thread():
            with stoppable(self.cancel):
                self._highs.run()
            return
        # A daemon: a solver that does not stop must not keep the process from ending.
        worker = threading.Thread(target=self._highs.run, daemon=True)
        worker.start()
        try:
            while worker.is_alive():
                worker.join(0.05)
                while self._tell is not None and self._news:
                    self._tell(self._news.pop(0))
        except BaseException:  # passed on, be it Ctrl-C or raised where progress is told
            self.cancel()
            worker.join(10)
            raise


@cache
def _quiet() -> Any:
    """Return the class of HiGHS objects, which is loaded only now."""
    import highspy

    class Quiet(highspy.Highs):
        """HiGHS prints a banner while callbacks are enabled, unless the console is off before."""

        def enableCallbacks(self) -> None:  # noqa: N802
            self.setOptionValue("log_to_console", False)
            cast(Any, super()).enableCallbacks()

    return Quiet


def _array(numbers: list[float]) -> Array:
    """Make an array of a list that holds numbers only, which need not be looked through first."""
    return np.fromiter(numbers, np.float64, len(numbers))


_STATUS = {
    "kOptimal": "optimal",
    "kModelEmpty": "optimal",
    "kInfeasible": "infeasible",
    "kUnbounded": "unbounded",
    "kUnboundedOrInfeasible": "infeasible_or_unbounded",
    "kTimeLimit": "stopped",
    "kIterationLimit": "stopped",
    "kSolutionLimit": "stopped",
    "kInterrupt": "stopped",
    "kObjectiveBound": "stopped",
    "kObjectiveTarget": "stopped",
}
