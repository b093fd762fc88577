"""A plan: what to build, convert and buy, when and where, with its proof and its tables.

A plan keeps the columns that the solver found, and in memory the model that they belong to; what
is asked of it (prices, explanations, limits) is computed from these, never from its tables.
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from capsim.demand.projection import Demand, project
from capsim.i18n.language import Message
from capsim.io.atomic import whole_bytes, whole_file, whole_folder
from capsim.io.cache import digest
from capsim.io.shown import PlanPlots, Shown, Tables, above
from capsim.lp.array_types import Array
from capsim.model.costs import MILLION
from capsim.model.labelled_variables import Quantity
from capsim.model.model import Model, OwnRule, formulate
from capsim.plan.solution_arrays import Solution
from capsim.plan.tables import plan_tables
from capsim.scenario.scenario import Scenario, load

if TYPE_CHECKING:
    from capsim.analysis.shadow_prices import Prices


SAVED, ARRAYS = "plan.json", "arrays.npz"
"""Files of a saved plan beside its scenario; by the first a folder is known to be one."""
PROVED = (
    *("status", "gap", "objective_cny", "bound_cny", "committed_cny", "solver", "relaxed"),
    "asked_gap",
)
"""What is kept of a saved plan as it was, whatever is computed anew."""
FRACTION = 1e-4
"""By which what must be whole may miss it: solvers stop at 1e-5 and below."""


@dataclass(frozen=True)
class Explanation:
    """Why no plan meets every target, and the least that would have to give way.

    Attributes
    ----------
    messages : tuple of Message
        Sentences that can be said in more than one language; `sentences` are these in English.
    table : frame
        ``rule``, ``who``, ``school_year``, ``unit``, ``short_by``, ``alone``: what gives way at
        the least, all at once, and how much of each rule would be enough alone.
    conflicts : tuple of tuples of text
        Minimal sets of rules that cannot hold together; no two share a rule.
    repairs : frame, or None
        ``rule``, ``unit``, ``enough``, ``who``, ``school_year``, ``short_by``: where and when a
        rule gives way that is enough alone.
    """

    messages: tuple[Message, ...]
    table: pd.DataFrame
    conflicts: tuple[tuple[str, ...], ...] = ()
    repairs: pd.DataFrame | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """The explanation in English."""
        return tuple(str(one) for one in self.messages)


@dataclass(frozen=True, repr=False)
class Plan(Shown[PlanPlots]):
    """The answer to a scenario; see ``docs/results.md`` for every table and column.

    Attributes
    ----------
    scenario : Scenario
    demand : Demand
    status : str
        ``optimal`` (the gap asked for is proved), ``gap`` (a limit ended the search) or
        ``infeasible``.
    gap : float
        ``(objective − bound) ÷ max(avoidable, 1 million RMB)``; NaN without a plan.
    objective_cny, bound_cny, committed_cny : float
        Discounted RMB, all years.
    solver : str
    timings_s : mapping of floats
    tables : mapping of frames
        Empty where infeasible; the name of one that there is not is answered by the nearest.
    x : float64 ``[column]``, or None
        The solution, by column of `model`; None where infeasible.
    relaxed : bool
        Whether it solves the linear relaxation: openings and conversions may be fractions.
    made_from : Model, or None
        Kept in memory only: a plan is sent to other processes and stored without it, unless rules
        of one's own were added to it.
    own_rules : tuple of OwnRule
        Rules that were added to the model.
    own_cost_cny : float
        Discounted RMB that variables of one's own cost; part of the objective.
    asked_gap : float
        Up to which a plan is ``optimal``.
    row_prices : float64 ``[row]``, or None
        Of the relaxation, that the search ended with; what proves its bound.
    bound_of : Scenario, or None
        Whose bound it is, where that is another: of a plan in which projects are hurried it is that
        of the scenario as it was.
    """

    scenario: Scenario
    demand: Demand
    status: str
    gap: float
    objective_cny: float
    bound_cny: float
    committed_cny: float
    solver: str
    timings_s: Mapping[str, float]
    tables: Mapping[str, pd.DataFrame]
    x: Array | None = field(default=None, repr=False, compare=False)
    relaxed: bool = False
    made_from: Model | None = field(default=None, repr=False, compare=False)
    own_rules: tuple[OwnRule, ...] = ()
    own_cost_cny: float = 0.0
    asked_gap: float = 0.0
    row_prices: Array | None = field(default=None, repr=False, compare=False)
    bound_of: Scenario | None = field(default=None, repr=False, compare=False)

    def __getstate__(self) -> dict[str, Any]:
        own = {each.name: getattr(self, each.name) for each in fields(self)}
        plain = {"timings_s": dict(self.timings_s)}
        return {**own, **plain, "made_from": self.made_from if self._extended else None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update({**state, "timings_s": MappingProxyType(state["timings_s"])})

    def __repr__(self) -> str:
        say, given = self.scenario.words("en"), self.scenario
        head = f"Plan of {given.name!r}, {given.first_year}–{given.last_year}: "
        if self.status == "infeasible":
            return f"{head}none meets what is ordered; .explain() says why"
        far = f"within {self.gap:.3%} of the cheapest" if np.isfinite(self.gap) else "without bound"
        targets = self.targets
        missed = ", ".join(targets["id"][~targets["met"]].head(5))
        return (
            f"{head}{self.status}, {far}\n"
            f"  cost {say.money(self.objective_cny)}, of which {say.money(self.avoidable_cny)}"
            " decided here, discounted\n"
            f"  targets met on paper: {int(targets['met'].sum())} of {len(targets)}"
            + (f"; missed: {missed}" if missed else "")
        )

    @property
    def targets(self) -> pd.DataFrame:
        """The table ``targets``: what is required, what the plan reaches, before and after.

        Without rows where there is no plan.
        """
        return self.tables["targets"] if "targets" in self.tables else pd.DataFrame()

    @property
    def summary(self) -> dict[str, Any]:
        """The plan in plain numbers, as ``summary.json`` has them (``docs/results.md``).

        Where there is no plan it is explained, which may take as long as the planning did.
        """
        found = above("report.summary", "summarize")(self, seed=0, timings_s=self.timings_s)
        return dict(found)

    def to_excel(self, path: str | Path) -> Path:
        """Write the plan as one workbook (.xlsx), whole or not at all; one there is replaced.

        Raises
        ------
        ValueError
            If there is no plan.
        OSError
            If the file cannot be written.
        """
        if self.status == "infeasible":
            raise ValueError("there is no plan to write: plan.explain() says why")
        whole_file(Path(path), above("report.workbook", "plan_workbook")(self, self.summary))
        return Path(path)

    def to_geojson(self, path: str | Path) -> Path:
        """Write areas and schools with what the plan brings them as GeoJSON, whole or not at all.

        One there is replaced. ``docs/results.md`` describes the properties.

        Raises
        ------
        ValueError
            If there is no plan, or the scenario does not say where on earth it is.
        OSError
            If the file cannot be written.
        """
        if self.status == "infeasible":
            raise ValueError("there is no plan to write: plan.explain() says why")
        whole_file(Path(path), above("report.workbook", "plan_geojson")(self))
        return Path(path)

    def report(self, out: str | Path, *, lang: str = "en") -> Path:
        """Write the report of the plan as it stands, checked and not simulated, into a folder.

        The folder appears whole or not at all, an earlier report there is replaced;
        :meth:`Outcomes.report` is the same with a simulation.

        Parameters
        ----------
        out : path
        lang : str
            ``en`` or ``zh``.

        Raises
        ------
        FileExistsError
            `out` holds something that is not a report.
        """
        return Path(above("workflow", "report")(self, out, lang=lang))

    def save(self, folder: str | Path) -> Path:
        """Write the plan into a folder that :func:`capsim.load_plan` reads, whole or not at all.

        Its scenario, its columns and what is proved of it are kept; tables follow from these.

        Raises
        ------
        ValueError
            If rules or variables of one's own were added: Python code, which no folder holds.
        FileExistsError
            `folder` holds something that is not a saved plan.
        """
        if self._extended:
            raise ValueError("rules or variables of one's own are Python code, which is not saved")
        about = {name: getattr(self, name) for name in PROVED}
        about |= {
            "capsim": version("capsim"),
            "scenario": self.scenario.hash,
            "bound_of": None if self.bound_of is None else self.bound_of.hash,
            "timings_s": dict(self.timings_s),
            "program": self._fingerprint,
        }
        arrays = {"pupils": self.demand.pupils, "population": self.demand.population}
        kept = {"x": self.x, "row_prices": self.row_prices}
        arrays |= {name: array for name, array in kept.items() if array is not None}
        file = io.BytesIO()
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
        with whole_folder(Path(folder), SAVED) as fresh:
            (fresh / SAVED).write_text(json.dumps(about, indent=1), encoding="utf-8")
            (fresh / ARRAYS).write_bytes(file.getvalue())
            self.scenario.save(fresh / "scenario")
            if self.bound_of is not None:
                self.bound_of.save(fresh / "bound_of")
        return Path(folder)

    @property
    def _fingerprint(self) -> str:
        """Digest of the model's program: columns mean the same where it is the same."""
        program = self.model.program
        matrix = program.matrix
        limits = (program.lower, program.upper, program.row_lower, program.row_upper)
        return digest(matrix.data, matrix.indices, matrix.indptr, program.cost, *limits)

    @property
    def _extended(self) -> bool:
        """Whether its model has rules or variables of one's own, which no scenario tells."""
        model = self.made_from
        return model is not None and bool(model.own_rules or model.own_variables)

    @cached_property
    def model(self) -> Model:
        """The model that the plan was made from; built anew where it came from elsewhere."""
        return self.made_from or formulate(self.scenario, self.demand)

    @cached_property
    def solution(self) -> Solution:
        """The solution by meaning, as arrays.

        Raises
        ------
        ValueError
            If there is no plan, or it was written down without its columns.
        """
        if self.x is None:
            raise ValueError("this plan has no solution: it is infeasible or made of tables only")
        return Solution(self.model.parts, self.x)

    def value(self, quantity: Quantity) -> pd.Series:
        """Return a quantity of the plan's model (``model.x``, variables of one's own), by label.

        Raises
        ------
        ValueError
            If there is no plan, or it was written down without its columns, or the quantity is of a
            model of another scenario.
        """
        x = self.solution.x
        if not isinstance(quantity, Quantity):
            raise TypeError(f"expected a quantity of the model, not {type(quantity).__name__}")
        if quantity.scenario not in ("", self.scenario.hash):
            raise ValueError("the quantity is of a model of another scenario")
        if (quantity.expression.entries()[1] >= len(x)).any():
            raise ValueError("the plan's model has no such variable: solve it again, or use its x")
        return quantity.value(x)

    @property
    def avoidable_cny(self) -> float:
        """Discounted cost that decisions can move, RMB."""
        return self.objective_cny - self.committed_cny

    @property
    def meets_targets(self) -> bool:
        """Whether there is a plan and every target holds."""
        return self.status != "infeasible" and bool(self.tables["targets"]["met"].all())

    def prices(
        self,
        kinds: Iterable[str] | None = None,
        where: Mapping[str, Any] | None = None,
        *,
        intervals: bool = True,
        time_limit: float | None = None,
    ) -> Prices:
        """Price what is scarce: see :func:`capsim.analysis.shadow_prices.prices`.

        ``intervals=False`` is the fast call: one dual price of each thing, not its two sides.
        """
        from capsim.analysis.shadow_prices import prices

        return prices(self, kinds, where, intervals=intervals, time_limit=time_limit)

    @cached_property
    def explanation(self) -> Explanation | None:
        """Why there is no plan, or why it misses a target; None where it meets them all.

        Computed when it is first asked for, which may take as long as the planning did.
        """
        from capsim.analysis.infeasibility.diagnosis import explain

        return explain(self)

    def explain(self, time_limit: float | None = None) -> Explanation | None:
        """Explain why there is no plan, or why it misses a target; None where it meets them all.

        Within so many seconds, where given: it says so itself where they were too few.
        """
        if time_limit is None or "explanation" in vars(self):
            return self.explanation
        from capsim.analysis.infeasibility.diagnosis import explain

        return explain(self, time_limit=time_limit)

    @classmethod
    def from_pulp(cls, problem: Any) -> Plan:
        """Read the plan back from a solved problem that :meth:`Model.to_pulp` made.

        The problem may have been extended; its own variables are read by position. Only
        ``sol_status`` is believed, and the gap is what the solver proved, or was told to stop at
        (:func:`capsim.lp.pulp_bridge.proved_bound`). A problem with another objective proves
        nothing of the cost: the plan has status ``gap`` and no bound.

        Raises
        ------
        ValueError
            If the problem was not made by capsim, was not solved, or only its relaxation was.
        """
        import pulp

        from capsim.lp.pulp_bridge import minimises, proved_bound, read_columns

        model = getattr(problem, "capsim_model", None)
        if model is None:
            raise ValueError("not a problem made by Model.to_pulp()")
        done = problem.sol_status == pulp.LpSolutionOptimal
        if not done and problem.sol_status != pulp.LpSolutionIntegerFeasible:
            raise ValueError(f"the problem has no solution: {pulp.LpSolution[problem.sol_status]}")
        x = read_columns(problem)
        whole = model.program.rounded(x)
        worst = int(np.argmax(np.abs(x - whole)))
        if abs(x[worst] - whole[worst]) > FRACTION:
            name = problem.capsim_columns[worst].name
            raise ValueError(
                f"{name} is {x[worst]:g} and must be whole: was the problem solved with mip=False?"
            )
        bound = proved_bound(problem) if minimises(problem, model.program) else -np.inf
        return make_plan(
            model,
            whole,
            bound=bound,
            solver=f"PuLP {pulp.__version__} + {problem.solver.name}",
            asked_gap=np.inf,
            proved=done and bound > -np.inf,
        )


def make_plan(
    model: Model,
    x: Array,
    *,
    bound: float,
    solver: str,
    asked_gap: float,
    proved: bool,
    timings_s: Mapping[str, float] | None = None,
    relaxed: bool = False,
    row_prices: Array | None = None,
) -> Plan:
    """Make a plan from columns; ``bound`` is on the avoidable cost in million RMB.

    Of a relaxation the objective is that of the program, as tables round its fractions.
    """
    begin = time.perf_counter()
    tables = plan_tables(model, x)
    own_cost = model.own_cost_cny(x)
    objective = float(tables["costs"]["discounted_cny"].sum()) + own_cost
    if relaxed:
        avoided = model.program.objective(x) + model.beyond_of(x)
        objective = avoided * MILLION + model.committed_cny
    bound_cny = min(bound * MILLION + model.committed_cny, objective)
    avoidable = objective - model.committed_cny
    gap = (objective - bound_cny) / max(avoidable, MILLION)
    return Plan(
        scenario=model.given.scenario,
        demand=model.given.demand,
        status="optimal" if proved and gap <= asked_gap + 1e-9 else "gap",
        gap=gap,
        objective_cny=objective,
        bound_cny=bound_cny,
        committed_cny=model.committed_cny,
        solver=solver,
        timings_s=MappingProxyType({**(timings_s or {}), "extract": time.perf_counter() - begin}),
        tables=Tables(tables),
        x=x,
        relaxed=relaxed,
        made_from=replace(model),
        own_rules=model.own_rules,
        own_cost_cny=own_cost,
        asked_gap=asked_gap,
        row_prices=row_prices,
    )


def no_plan(model: Model, solver: str, timings_s: Mapping[str, float]) -> Plan:
    """Make the answer to a scenario whose rules contradict each other."""
    nan = float("nan")
    return Plan(
        scenario=model.given.scenario,
        demand=model.given.demand,
        status="infeasible",
        gap=nan,
        objective_cny=nan,
        bound_cny=nan,
        committed_cny=model.committed_cny,
        solver=solver,
        timings_s=MappingProxyType(dict(timings_s)),
        tables=Tables({}),
        made_from=replace(model),
        own_rules=model.own_rules,
    )


def load_plan(folder: str | Path) -> Plan:
    """Read a plan that :meth:`Plan.save` wrote; tables, prices and certificate are as they were.

    Parameters
    ----------
    folder : path

    Returns
    -------
    Plan

    Raises
    ------
    ScenarioError
        The scenario in the folder has faults.
    ValueError
        The folder holds no saved plan or a part of one, the scenario is not the one that was
        saved, or this version of capsim makes another program of it.

    Examples
    --------
    >>> import tempfile, capsim
    >>> city = capsim.generate(2, 6000, stages=("primary", "junior"), years=(2021, 2022))
    >>> plan = capsim.optimize(city, gap=0.05)
    >>> with tempfile.TemporaryDirectory() as place:
    ...     again = load_plan(plan.save(f"{place}/plan"))
    >>> again.tables == plan.tables, again.gap == plan.gap
    (True, True)
    """
    place = Path(folder)
    try:
        about = json.loads(whole_bytes(place / SAVED))
        with np.load(io.BytesIO(whole_bytes(place / ARRAYS)), allow_pickle=False) as file:
            arrays = dict(file)
        known = {name: about[name] for name in PROVED}
        hashes = {"scenario": about["scenario"], "bound_of": about["bound_of"]}
        timings, program, maker = about["timings_s"], about["program"], about["capsim"]
        pupils, population = arrays["pupils"], arrays["population"]
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise ValueError(
            f"{place}: no saved plan, or a part of one ({error}); expected a folder that"
            " plan.save() wrote"
        ) from error
    given = {name: load(place / name) for name, hashed in hashes.items() if hashed is not None}
    for name, scenario in given.items():
        if scenario.hash != hashes[name]:
            raise ValueError(
                f"{place / name}: the content is {scenario.hash[:10]}, but the plan was made for"
                f" {hashes[name][:10]}; plan it anew"
            )
    projected = project(given["scenario"])
    if pupils.shape != projected.pupils.shape:
        raise ValueError(f"{place / ARRAYS}: children of another scenario; plan it anew")
    demand = replace(projected, pupils=pupils, population=population)
    model = formulate(given["scenario"], demand)
    plan = no_plan(model, known["solver"], timings)
    if plan._fingerprint != program:
        raise ValueError(
            f"{place}: capsim {version('capsim')} makes another program of this scenario than"
            f" capsim {maker} that saved the plan; plan it anew"
        )
    if "x" in arrays:
        plan = make_plan(
            model,
            arrays["x"],
            bound=0.0,
            solver=known["solver"],
            asked_gap=known["asked_gap"],
            proved=False,
            relaxed=known["relaxed"],
            row_prices=arrays.get("row_prices"),
        )
    times = MappingProxyType(timings)
    return replace(plan, **known, timings_s=times, bound_of=given.get("bound_of"))
