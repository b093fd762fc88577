"""Plan and simulate scenarios, on any executor and with a store to resume from, and rank them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Unpack

import numpy as np
import pandas as pd

from capsim.comparison.differences import Proof, differences, differences_of
from capsim.comparison.sensitivity_design import Factors
from capsim.demand.projection import project
from capsim.i18n.language import Message
from capsim.io.cache import ResultStore, digest
from capsim.io.executors import run_tasks
from capsim.io.shown import ComparisonPlots, Progress, Shown, Tables, followed
from capsim.lp.options_and_result import NotInTime, SolveKeywords, SolveOptions
from capsim.lp.parallel_solves import Clock, until
from capsim.plan.plan import Plan
from capsim.plan.solver import optimize
from capsim.plan.targets import read_targets, tight_targets
from capsim.scenario.scenario import Scenario, load
from capsim.simulation.outcomes import Outcomes
from capsim.simulation.run import simulate

NO_WORSE = ("missed", "displaced", "shortfall")
"""Columns of `summary` in which a scenario that costs less dominates where none is larger."""
NOBODY = 0.5
"""Children up to which one number of them is no larger than another."""

HEADLINES = (
    "scenario",
    "status",
    "gap",
    "missed",
    "objective_cny",
    "bound_cny",
    "committed_cny",
    "avoidable_cny",
    "displaced",
    "shortfall",
    "surplus_last",
    "opened",
    "converted",
    "purchased_most",
    "least_probability",
    "plan",
)
CRITERIA = tuple(
    name for name in HEADLINES[2:] if name not in ("bound_cny", "committed_cny", "plan")
)
STACKED = ("targets", "mix", "costs", "years", "limits", "binding")
LIBRARIES = ("capsim", "numpy", "scipy", "highspy")
TERMS = ("new_seats", "converted", "purchased", "overfilled", "existing_seats", "fewer_pupils")
"""Parts of a reduction."""


@dataclass(frozen=True)
class Result:
    """One scenario planned and simulated.

    Attributes
    ----------
    headline : mapping
        The row of the table `summary`; without a plan only scenario, status and gap.
    messages : tuple of Message
        Why there is no plan, where there is none; `sentences` are these in English.
    tables : mapping of frames
        `targets`, `mix`, `costs`, `years`, `limits`, `binding`, `draws`; see
        `compare`.
    """

    headline: Mapping[str, Any]
    messages: tuple[Message, ...]
    tables: Mapping[str, pd.DataFrame]

    @property
    def sentences(self) -> tuple[str, ...]:
        """Why there is no plan, in English."""
        return tuple(str(one) for one in self.messages)

    @property
    def proof(self) -> Proof:
        """What is proved of the plan."""
        return Proof.of(self.headline)


@dataclass(frozen=True, repr=False)
class Comparison(Shown[ComparisonPlots]):
    """Scenarios side by side.

    Attributes
    ----------
    first : str
        Name of the scenario that others differ from.
    criterion : str
        Column of `summary` by which they are ranked.
    results : mapping of str to Result
        By the scenario's name, in the order given.
    tables : mapping of frames
        `summary` (a row for each scenario, best first), `inputs` (what differs from the first
        scenario), `differences`, `targets`, `mix`, `costs`, `years`, `limits`, `binding`: see
        `compare`.
    scenarios : mapping of str to Scenario
        By name, in the order given.
    seed, draws : int
        Of the simulation of each.
    factors : mapping
        The settings by which scenarios of a grid differ from the first, by name.
    """

    first: str
    criterion: str
    results: Mapping[str, Result]
    tables: Mapping[str, pd.DataFrame]
    scenarios: Mapping[str, Scenario]
    seed: int
    draws: int
    factors: Factors = field(default_factory=dict)

    def __repr__(self) -> str:
        say, number = self.scenarios[self.first].words("en"), len(self.results)
        rows = self.summary.head(SHOWN).to_dict("records")
        lines = [f"Comparison of {number} scenarios by {self.criterion}, {self.draws:,} draws"]
        for row in rows:
            planned = row["status"] != "infeasible"
            cost = say.money(row["objective_cny"]) if planned else "no plan"
            lines.append(f"  {row['rank']} {row['scenario']}: {cost}")
        return "\n".join([*lines, *([f"  and {number - SHOWN} more"] if number > SHOWN else [])])

    @property
    def summary(self) -> pd.DataFrame:
        """The table ``summary``: a row for each scenario, best first."""
        return self.tables["summary"]


SHOWN = 6
"""Scenarios that a comparison names where it is shown as text."""


@dataclass(frozen=True)
class Job:
    """One scenario to plan and simulate, and how."""

    scenario: Scenario
    draws: int
    seed: int
    options: SolveOptions
    prices: bool

    @property
    def key(self) -> str:
        """Everything that the result follows from."""
        own = self.options
        how = (self.draws, self.seed, own.solver, own.gap, own.time_limit, self.prices)
        return json.dumps([self.scenario.hash, how, {name: version(name) for name in LIBRARIES}])


def compare(
    scenarios: Sequence[Scenario | str | Path] | Mapping[str, Scenario | str | Path],
    *,
    draws: int | None = None,
    seed: int = 0,
    criterion: str = "objective_cny",
    prices: bool = False,
    factors: Factors | None = None,
    store: str | Path | None = None,
    progress: Progress | bool = False,
    **options: Unpack[SolveKeywords],
) -> Comparison:
    """Plan and simulate scenarios and set them side by side.

    Parameters
    ----------
    scenarios
        Scenarios or their folders, with different names; the first is what others differ from. A
        mapping gives them names of its own: ``{"today": city, "strict": stricter}``.
    draws
        Simulations of each; None: as the first scenario says; 0: none.
    criterion
        Column of the table `summary` to rank by, less being better, among those that miss the
        same number of targets.
    prices
        Whether to price what binds: the table `binding`, one price of each thing.
    factors
        As `grid` and `one_at_a_time` give them, kept for `tornado` and `heat`.
    store : path, optional
        Folder that keeps finished scenarios, so that a comparison goes on where it was stopped.
        A scenario is found again by its content, the options, the seed and the library versions.
    progress
        Called with how many scenarios are finished; True: a bar.
    **options : see :class:`~capsim.SolveOptions`
        Each scenario is one task of the executor; tables are the same with any.

    Returns
    -------
    Comparison
        Tables, persons and RMB (discounted):

        - `summary`: scenario, rank, status, gap, missed (targets; NaN without a plan),
          objective_cny (the whole), bound_cny (the least the whole can cost), committed_cny and
          avoidable_cny (its two parts), displaced, shortfall, surplus_last (empty compulsory seats
          in the last year), opened (candidates), converted, purchased_most (places in a December),
          least_probability (of the least likely target), plan (the same where program and solution
          are), difference_cny, difference_low_cny, difference_high_cny (total cost above that of
          the first scenario, and the interval that both gaps leave), level_with (scenarios that
          miss as many targets, neither proved to cost less) and dominated_by (proved to cost less,
          and no worse in targets missed, displaced and shortfall): names, joined by `;`
        - `inputs`: scenario, table, key, column, first, value
        - `differences`: scenario, what, first, mean, difference, low, high, draws: simulated
          figures against those of the first scenario, draw by draw, with 95 % intervals, those of
          money widened by both gaps; differs: the interval leaves out 0 and the plans are not level
        - `targets`: scenario, id, by, required, achieved, met, tight (met with less than a
          thousandth to spare), probability, low, high
        - `mix`: scenario, school_year and the terms of the reduction
        - `costs`: scenario, kind, school_year, discounted_cny (the whole), committed_cny
        - `years`: scenario, school_year, displaced, surplus, share_excluding_purchased,
          share_including_purchased, discounted_cny (the whole), committed_cny
        - `limits`: scenario, kind, county (`*` the whole), year, used, limit: those used up
        - `binding` (with `prices`): scenario and the columns of `Prices.binding`

    Raises
    ------
    capsim.ScenarioError
        A scenario has faults.
    TypeError
        Something is no scenario, such as a model or a plan.
    ValueError
        Fewer than two scenarios, two with the same name, two currencies, or no such criterion.
    capsim.io.executors.WorkerLost
        A worker process died; what was finished is in the store.
    """
    solving = SolveOptions.of(compare, options)
    loaded = _named(scenarios)
    names = [one.name for one in loaded]
    refuse(names, criterion)
    currencies = sorted({one.settings.currency for one in loaded})
    if len(currencies) > 1:
        text = "scenarios of one currency, not of {names}: money is compared as it stands"
        raise ValueError(Message(text, {"names": tuple(currencies)}))
    number = loaded[0].settings.simulation.draws if draws is None else draws
    own = replace(solving, executor=None)
    jobs = [Job(one, number, seed, own, prices) for one in loaded]
    with followed(progress) as tell:
        done = run_tasks(
            _plan_and_simulate,
            jobs,
            keys=[job.key for job in jobs],
            executor=solving.executor,
            store=None if store is None else ResultStore(Path(store)),
            done=lambda finished, total: (
                None if tell is None else tell(f"{finished} of {total} scenarios planned")
            ),
        )
    results = dict(zip(names, done, strict=True))
    tables = {
        "summary": summary_of(results, criterion),
        "inputs": _stack({one.name: differences(loaded[0], one) for one in loaded[1:]}),
        "differences": _differences(results),
    }
    for name in STACKED:
        if name != "binding" or prices:
            tables[name] = _stack(
                {key: one.tables[name] for key, one in results.items() if name in one.tables}
            )
    by_name, varied = dict(zip(names, loaded, strict=True)), dict(factors or {})
    return Comparison(names[0], criterion, results, Tables(tables), by_name, seed, number, varied)


def _named(
    scenarios: Sequence[Scenario | str | Path] | Mapping[str, Scenario | str | Path],
) -> list[Scenario]:
    """Load scenarios, those of a mapping under the names that it gives them."""
    given = scenarios.values() if isinstance(scenarios, Mapping) else scenarios
    if isinstance(given, Scenario | str | Path):
        raise TypeError("expected two or more scenarios, in a list or by name")
    for one in given:
        if not isinstance(one, Scenario | str | Path):
            raise TypeError(f"expected scenarios or their folders, not a {type(one).__name__}")
    loaded = [one if isinstance(one, Scenario) else load(one) for one in given]
    if not isinstance(scenarios, Mapping):
        return loaded
    return [
        one if one.name == name else one.variant(name=name)
        for name, one in zip(scenarios, loaded, strict=True)
    ]


def refuse(names: Sequence[str], criterion: str) -> None:
    """Raise a `ValueError` at scenarios or a criterion that cannot be compared."""
    if len(names) < 2 or len(set(names)) < len(names):
        text = (
            "two or more scenarios of different names are needed (or one and a setting to vary),"
            " not {names}"
        )
        raise ValueError(Message(text, {"names": str(list(names))}))
    if criterion not in CRITERIA:
        text = "no column {criterion} to rank by; there are {names}"
        raise ValueError(Message(text, {"criterion": criterion, "names": tuple(CRITERIA)}))


def _plan_and_simulate(job: Job) -> Result:
    """Plan and simulate one scenario (in a worker)."""
    clock = Clock(job.options.time_limit)
    own = job.options.within(clock.left(), 1 / PLAN if job.prices else 1)
    plan = optimize(job.scenario, project(job.scenario), **own.keywords)
    if plan.status == "infeasible":
        with until(clock.left()):
            return result_of(plan, None, None)
    priced = None
    if job.prices:
        with suppress(NotInTime):
            priced = plan.prices(intervals=False, time_limit=clock.left()).binding()
    outcomes = simulate(plan, draws=job.draws, seed=job.seed) if job.draws else None
    return result_of(plan, outcomes, priced)


PLAN = 0.8
"""Share of a scenario's time for its plan, where prices follow."""


def summary_of(results: Mapping[str, Result], criterion: str) -> pd.DataFrame:
    """Rank scenarios; say how far each is from the first, from which it does not differ, and more.

    Columns beyond the headlines are in `compare`.
    """
    rows: list[Mapping[str, Any]] = [result.headline for result in results.values()]
    table = pd.DataFrame(rows, columns=list(HEADLINES))
    table = table.sort_values(
        ["missed", criterion], na_position="last", kind="stable", ignore_index=True
    )
    table.insert(1, "rank", range(1, len(table) + 1))
    proofs = {row["scenario"]: Proof.of(row) for row in table.to_dict("records")}
    first = proofs[next(iter(results))]
    above = [one.above(first) for one in proofs.values()]
    kinds = ("difference_cny", "difference_low_cny", "difference_high_cny")
    table = table.assign(**dict(zip(kinds, np.transpose(above), strict=True)))
    figures = dict(zip(proofs, table[list(NO_WORSE)].to_numpy(float), strict=True))
    level, dominated = [], []
    for name, proof in proofs.items():
        level.append([key for key, one in proofs.items() if key != name and one.level(proof)])
        no_worse = [key for key in proofs if (figures[key] <= figures[name] + NOBODY).all()]
        dominated.append([key for key in no_worse if proofs[key].cheaper(proof)])
    joined = {"level_with": level, "dominated_by": dominated}
    return table.assign(**{key: list(map(";".join, each)) for key, each in joined.items()})


def _differences(results: Mapping[str, Result]) -> pd.DataFrame:
    """Compare what was simulated with the first scenario; nothing where that has no plan."""
    tables = {name: result.tables for name, result in results.items() if "draws" in result.tables}
    first = next(iter(results))
    if first not in tables:
        tables = {}
    targets = {
        name: {target.id: target for target in read_targets(own["targets"])}
        for name, own in tables.items()
    }
    proofs = {name: results[name].proof for name in tables}
    return differences_of({name: own["draws"] for name, own in tables.items()}, targets, proofs)


def _stack(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    if not frames:
        return pd.DataFrame({"scenario": pd.Series(dtype=str)})
    stacked = pd.concat(frames, names=["scenario", None])
    return stacked.reset_index(level=0).reset_index(drop=True)


def result_of(plan: Plan, outcomes: Outcomes | None, prices: pd.DataFrame | None) -> Result:
    """Reduce a plan and its simulation to what is compared."""
    headline = {"scenario": plan.scenario.name, "status": plan.status, "gap": plan.gap}
    if plan.status == "infeasible":
        messages = () if plan.explanation is None else plan.explanation.messages
        return Result(headline, messages, {})
    years = _years(plan)
    tables = {
        "targets": _targets(plan, outcomes),
        "mix": _mix(plan),
        "costs": _costs(plan, ["kind", "school_year"]),
        "years": years,
        "limits": _limits(plan),
    }
    if prices is not None:
        tables["binding"] = prices
    if outcomes is not None:
        tables["draws"] = outcomes.tables["draws"]
    return Result(headline | _headline(plan, years, tables["targets"]), (), tables)


def _headline(plan: Plan, years: pd.DataFrame, targets: pd.DataFrame) -> dict[str, Any]:
    tables = plan.tables
    bought = tables["purchases"].groupby("school_year")["places_december"].sum()
    opened = tables["projects"]
    opened = opened[(opened["status"] == "candidate") & (opened["opens"] != "")]
    return {
        "missed": int((~targets["met"]).sum()),
        "objective_cny": plan.objective_cny,
        "bound_cny": plan.bound_cny,
        "committed_cny": plan.committed_cny,
        "avoidable_cny": plan.avoidable_cny,
        "displaced": float(years["displaced"].sum()),
        "shortfall": float(tables["shortfall"]["shortfall"].sum()),
        "surplus_last": float(years["surplus"].iloc[-1]),
        "opened": int(opened["copies"].sum()),
        "converted": int(tables["conversions"]["school"].nunique()),
        "purchased_most": float(bought.max()) if len(bought) else 0.0,
        "least_probability": float(targets["probability"].min()),
        "plan": _identity(plan),
    }


def _identity(plan: Plan) -> str:
    """Return a hash of program and solution."""
    program = plan.model.program
    matrix = program.matrix
    limits = (program.lower, program.upper, program.row_lower, program.row_upper)
    parts = (matrix.data, matrix.indices, matrix.indptr, program.cost, program.integer, *limits)
    return digest(*parts, plan.x)[:12]


def _targets(plan: Plan, outcomes: Outcomes | None) -> pd.DataFrame:
    table = plan.tables["targets"][["id", "by", "required", "achieved", "met"]]
    table = table.assign(tight=table["id"].isin(tight_targets(table)))
    if outcomes is None:
        return table.assign(probability=np.nan, low=np.nan, high=np.nan)
    drawn = outcomes.tables["targets"][["id", "probability", "low", "high"]]
    return table.merge(drawn, on="id", how="left")


def _limits(plan: Plan) -> pd.DataFrame:
    """List limits that the plan uses up in its own years."""
    table = plan.tables["limits_used"]
    rows = table["binds"] & (table["year"] >= plan.scenario.first_year)
    return table[rows].drop(columns="binds").reset_index(drop=True)


def _mix(plan: Plan) -> pd.DataFrame:
    table = plan.tables["reduction"]
    year = plan.scenario.settings.policy.reduction_year
    rows = table[table["school_year"] == year] if year is not None else table.head(1)
    return rows[["school_year", *TERMS, "total"]].reset_index(drop=True)


def _costs(plan: Plan, keys: list[str]) -> pd.DataFrame:
    costs = plan.tables["costs"].groupby(keys)[["discounted_cny", "committed_cny"]]
    return costs.sum().reset_index()


def _years(plan: Plan) -> pd.DataFrame:
    tables = plan.tables
    balance = tables["balance"]
    balance = balance[balance["stage"].isin(plan.scenario.settings.stages.compulsory)]
    shares = tables["shares"][tables["shares"]["county"] == "*"].set_index("school_year")
    table = pd.DataFrame(
        {
            "displaced": tables["enrolment"].groupby("school_year")["displaced"].sum(),
            "surplus": balance.groupby("school_year")["surplus"].sum(),
        }
    )
    table = table.join(shares[["share_excluding_purchased", "share_including_purchased"]])
    table = table.join(_costs(plan, ["school_year"]).set_index("school_year"))
    return table.reset_index(names="school_year")
