"""Results as plain mappings of numbers and texts: for JSON files, scripts and the screen."""

from __future__ import annotations

import json
import math
import platform
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd

from capsim.analysis.shadow_prices import Prices
from capsim.certificate.ledger import Certificate
from capsim.comparison.differences import shown
from capsim.comparison.ranking import Comparison
from capsim.comparison.sensitivity_design import heat, sweep_of, tornado
from capsim.construction.acceleration import Acceleration
from capsim.construction.programme_simulation import ConstructionSimulation
from capsim.construction.recovery import Recovery
from capsim.construction.scheduling import OptimizedStarts
from capsim.demand.projection import Demand
from capsim.i18n.language import Words
from capsim.plan.plan import Explanation, Plan
from capsim.plan.targets import COLUMNS, read_targets
from capsim.reliability.result import Hardened
from capsim.report.figures.places import reduction_table
from capsim.report.narrative import STATES
from capsim.scenario.scenario import Scenario
from capsim.simulation.outcomes import Outcomes

LIBRARIES = ("numpy", "scipy", "pandas", "highspy", "pulp", "simpy", "matplotlib")
TEACHERS = ("need", "pool", "hired", "contract", "surplus")
"""Columns of the plan's teachers that are summed up by school year."""
MOST_LATE = 5
"""Projects listed that are most likely to be late."""


def summarize(
    plan: Plan,
    certificate: Certificate | None = None,
    outcomes: Outcomes | None = None,
    hardened: Hardened | None = None,
    recovery: Recovery | None = None,
    *,
    seed: int,
    timings_s: Mapping[str, float],
) -> dict[str, Any]:
    """Sum a run up.

    Parameters
    ----------
    plan, certificate, outcomes, hardened, recovery
        What the run made; of an infeasible plan there is neither certificate nor simulation, and
        no `hardened` where the plan is for one future alone.
    seed
        Of the simulation.
    timings_s
        Seconds by phase.

    Returns
    -------
    dict
        Keys as in `docs/results.md`. Money is in the scenario's `currency`, discounted, and adds
        up to `objective_cny`; a number that is not known is None. An infeasible plan has its
        `explanation` besides.
    """
    summary: dict[str, Any] = {
        "scenario": {
            "name": plan.scenario.name,
            "hash": plan.scenario.hash,
            "currency": plan.scenario.settings.currency,
            "does_without": [str(one) for one in plan.scenario.stand_ins],
            "read_as": list(map(str, plan.scenario.notes)),
        },
        "versions": {**versions(), "solver": plan.solver},
        "seed": seed,
        "status": plan.status,
        "gap": plan.gap,
        "objective_cny": plan.objective_cny,
        "state": "no plan",
        "asked_probability": _asked(plan, hardened),
        "targets": [],
        "reduction": {},
        "private_share": {},
        "displaced_pupils": {},
        "surplus_places": {},
        "teachers": {},
        "cost_cny": {"by_kind": {}, "by_year": {}},
        "certificate": {},
        "simulation": {"draws": 0},
        "timings_s": dict(timings_s),
    }
    if plan.status == "infeasible":
        if plan.explanation is not None:
            summary["explanation"] = list(plan.explanation.sentences)
        return plain(summary)
    tables = plan.tables
    summary["targets"] = _targets(plan, outcomes, hardened)
    summary["state"] = _worst(row["state"] for row in summary["targets"])
    summary["reduction"] = {
        key: value for key, value in reduction_table(plan).to_dict().items() if key != "school_year"
    }
    shares = tables["shares"][tables["shares"]["county"] == "*"]
    summary["private_share"] = {
        str(row["school_year"]): {
            "excluding_purchased": row["share_excluding_purchased"],
            "including_purchased": row["share_including_purchased"],
        }
        for row in shares.to_dict("records")
    }
    none = {str(year): 0.0 for year in plan.scenario.years}
    summary["displaced_pupils"] = none | _by(tables["enrolment"], "school_year", "displaced")
    compulsory = tables["balance"]["stage"].isin(plan.scenario.settings.stages.compulsory)
    surplus = _by(tables["balance"][compulsory], "school_year", "surplus")
    summary["surplus_places"] = none | surplus
    staff = tables["staff"].groupby("school_year")[list(TEACHERS)].sum()
    summary["teachers"] = {str(year): row for year, row in staff.to_dict("index").items()}
    summary["cost_cny"] = {
        "by_kind": _by(tables["costs"], "kind", "discounted_cny"),
        "by_year": _by(tables["costs"], "school_year", "discounted_cny"),
    }
    if certificate is not None:
        summary["certificate"] = {
            "checked": certificate.checked,
            "max_violation": certificate.max_violation,
            "worst": certificate.worst,
            "bound": None if certificate.bound is None else asdict(certificate.bound),
            **(
                {"not_rechecked": list(certificate.not_rechecked)}
                if certificate.not_rechecked
                else {}
            ),
        }
    if outcomes is not None:
        summary["simulation"] = _simulation(outcomes)
    if hardened is not None:
        summary["safety"] = _safety(hardened)
    if recovery is not None:
        summary["recovery"] = {
            "projects": recovery.projects.to_dict("records"),
            "programmes": [hurrying(one, one.required) for one in recovery.programmes],
        }
    return plain(summary)


def _asked(plan: Plan, hardened: Hardened | None) -> float:
    return plan.scenario.settings.reliability.probability if hardened is None else hardened.asked


def _targets(
    plan: Plan, outcomes: Outcomes | None, hardened: Hardened | None
) -> list[dict[str, Any]]:
    """List the targets, each with what is to be expected and its state.

    A target that the plan meets *holds* where it does in as many simulated futures as asked; else
    it is met *on paper* only, or *met* where nothing was simulated. One that the plan misses is
    *missed*. Without a simulation of its own a plan that was made safe has the probabilities by
    which it was judged.
    """
    asked = _asked(plan, hardened)
    known = dict.fromkeys(("probability", "mean", "p05", "p95"))
    drawn: dict[Any, dict[Any, Any]] = {}
    if outcomes is not None:
        drawn = outcomes.tables["targets"].set_index("id")[list(known)].to_dict("index")
    elif hardened is not None:
        judged = hardened.by_target.set_index("id")["probability"]
        drawn = {name: {**known, "probability": chance} for name, chance in judged.items()}
    rows = plan.tables["targets"][list(COLUMNS)]
    records: list[Any] = rows.to_dict("records")
    found = [{**row, **drawn.get(row["id"], known)} for row in records]
    return [{**row, "state": _state(row["met"], row["probability"], asked)} for row in found]


def _state(holds: bool, probability: float | None, asked: float) -> str:
    if not holds:
        return "missed"
    if probability is None:
        return "met"
    return "holds" if probability >= asked else "on paper"


def _worst(states: Iterable[str]) -> str:
    return min(states, key=STATES.index, default="holds")


def _simulation(outcomes: Outcomes) -> dict[str, Any]:
    drawn = outcomes.tables["draws"].drop(columns="draw")
    return {
        "draws": outcomes.draws,
        "headlines": {
            name: {
                "mean": column.mean(),
                "p05": column.quantile(0.05),
                "p50": column.quantile(0.5),
                "p95": column.quantile(0.95),
            }
            for name, column in drawn.items()
        },
    }


def _by(table: pd.DataFrame, key: str, value: str) -> dict[str, float]:
    return {str(name): total for name, total in table.groupby(key)[value].sum().items()}


def _safety(hardened: Hardened) -> dict[str, Any]:
    """Sum up how often the targets asked for hold together, and what that costs."""
    rounds = hardened.rounds
    chosen = int(rounds["cost_cny"].sub(hardened.plan.objective_cny).abs().argmin())
    paper = rounds[["expected_cny", "probability", "low", "high"]].to_dict("records")[0]
    return {
        "asked": hardened.asked,
        "reached": hardened.reached,
        "targets": list(hardened.targets),
        "probability": hardened.probability,
        "low": hardened.low,
        "high": hardened.high,
        "extra_cny": hardened.extra_cny,
        "expected_cny": float(rounds["expected_cny"].iloc[chosen]),
        "paper": {"objective_cny": hardened.plain.objective_cny, **paper},
        "nothing": _doing_nothing(hardened),
        "hurried": hardened.hurried.to_dict("records"),
        "rounds": rounds.assign(chosen=np.arange(len(rounds)) == chosen).to_dict("records"),
        "reasons": [str(one) for one in hardened.reasons],
    }


def _doing_nothing(hardened: Hardened) -> dict[str, Any] | None:
    """Tell what comes of deciding nothing beyond what is ordered; None if that may be enough.

    The private share stays about what it is then: a target that it misses today always fails.
    """
    table = hardened.plain.tables["targets"]
    before = table.set_index("id")["before"].dropna()
    for target in read_targets(table):
        asked = target.rule == "share" and target.id in hardened.targets and target.id in before
        if asked and not target.holds(before[target.id]):
            figures = {"before": float(before[target.id]), "required": target.required}
            saved = {"probability": 0.0, "saves_cny": hardened.plain.avoidable_cny}
            return {"target": target.id, **figures, **saved}
    return None


def reasons(plan: Plan, explanation: Explanation | None, prices: Prices | None) -> dict[str, Any]:
    """Return an explanation, and prices where there are any, as plain values.

    Returns
    -------
    dict
        ``scenario``, ``status``, ``sentences``, ``conflicts``, ``cures`` (rows of ``repairs``) and
        ``prices`` (rows that are not 0); a number that is not known or infinite is None.
    """
    return {
        "scenario": {"name": plan.scenario.name, "hash": plan.scenario.hash},
        "status": plan.status,
        "sentences": list(explanation.sentences) if explanation else [],
        "conflicts": [list(one) for one in explanation.conflicts] if explanation else [],
        "cures": _records(explanation.repairs if explanation else None),
        "prices": _records(prices.binding() if prices else None),
    }


def _records(table: pd.DataFrame | None) -> list[dict[str, Any]]:
    return [] if table is None else list(map(_plain, table.to_dict("records")))


def comparison_tables(comparison: Comparison) -> dict[str, pd.DataFrame]:
    """Return every table of a comparison, those of a grid too: for files and for pages.

    Returns
    -------
    dict
        The comparison's own, `factors` (scenario, key, value) where settings were varied,
        `tornado` where one at a time, `heat` (a row a value of the first setting, which names the
        first column; the others are named ``second=value``) where two.
    """
    tables = dict(comparison.tables)
    if comparison.factors:
        rows = [
            (name, key, shown(value))
            for name, change in comparison.factors.items()
            for key, value in change.items()
        ]
        tables["factors"] = pd.DataFrame(rows, columns=["scenario", "key", "value"])
    summary, column = comparison.tables["summary"], comparison.criterion
    shape = sweep_of(comparison.factors)
    if shape == "tornado":
        tables[shape] = tornado(summary, comparison.factors, comparison.first, column)
    if shape == "heat":
        table = heat(summary, comparison.factors, column)
        of_value = {value: f"{table.columns.name}={value}" for value in table.columns}
        tables[shape] = table.rename(columns=of_value).reset_index()
    return tables


def comparison_summary(comparison: Comparison) -> dict[str, Any]:
    """Sum a comparison up for scripts: the first, the criterion, and tables as lists of rows."""
    names = (
        *("summary", "inputs", "differences", "targets", "mix", "costs", "years", "limits"),
        *("binding", "factors", "tornado", "heat"),
    )
    tables = comparison_tables(comparison)
    return plain(
        {
            "first": comparison.first,
            "criterion": comparison.criterion,
            "explanations": {name: one.sentences for name, one in comparison.results.items()},
            **{name: tables[name].to_dict("records") for name in names if name in tables},
        }
    )


def overview(scenario: Scenario, lang: str = "en") -> dict[str, Any]:
    """Sum a scenario up; its sentences are in a language.

    Returns
    -------
    dict
        name, title, hash, years (base, first, last planned), counties, areas, pupils (base year,
        by stage and sector), schools (rows and places by stage and sector), projects (rows,
        copies, places, capital in RMB by status), limits (rows by kind), ordered (what the
        policies ask, as words), marks (figures by mark), does_without (what stands in for each
        table it has not), read_as (what was read otherwise than it stood) and warnings.
    """
    say = scenario.words(lang)
    areas = scenario.table("areas")
    years = {"base": scenario.base_year, "first": scenario.first_year, "last": scenario.last_year}
    limits = scenario.table("limits")["kind"].value_counts(sort=False)
    marks = scenario.sources()["mark"].value_counts().sort_index()
    return {
        "name": scenario.name,
        "title": scenario.title,
        "hash": scenario.hash,
        "country": scenario.settings.country,
        "currency": scenario.settings.currency,
        "years": years,
        "counties": int(areas["county"].nunique()),
        "areas": len(areas),
        "pupils": _pupils(scenario),
        "schools": _schools(scenario),
        "projects": _projects(scenario),
        "limits": {str(kind): int(rows) for kind, rows in limits.items()},
        "ordered": _ordered(scenario, say),
        "marks": {str(mark): int(rows) for mark, rows in marks.items()},
        "does_without": [one.text(say) for one in scenario.stand_ins],
        "read_as": [one.text(say) for one in scenario.notes],
        "warnings": [one.text(say) for one in scenario.findings],
    }


def _ordered(scenario: Scenario, say: Words) -> list[str]:
    policy = scenario.settings.policy
    texts = [
        say("private share at most {cap} from the end of {year}", cap=say.share(cap), year=year)
        for year, cap in policy.private_share_cap.items()
    ]
    if policy.reduction:
        text = "{fewer} private pupils fewer on 1 September {year}"
        texts.append(say(text, fewer=say.count(policy.reduction), year=policy.reduction_year))
    for name, programme in scenario.settings.programmes.items():
        text = "{name}: {number} projects in use by {by}"
        texts.append(say(text, name=name, number=programme.number, by=programme.by))
    return texts


def _pupils(scenario: Scenario) -> dict[str, dict[str, float]]:
    pupils = scenario.table("pupils")
    pupils = pupils[pupils["school_year"] == scenario.base_year]
    stages = {grade: name for name, stage in scenario.stages.items() for grade in stage.grades}
    pupils = pupils.assign(stage=pupils["grade"].map(stages)).dropna(subset=["stage"])
    sums = pupils.groupby(["stage", "sector"])["pupils"].sum()
    return {
        stage: {str(sector): float(number) for sector, number in sums[stage].items()}
        for stage in scenario.stages
        if stage in sums.index.get_level_values("stage")
    }


def _schools(scenario: Scenario) -> dict[str, dict[str, dict[str, float]]]:
    schools = scenario.table("schools")
    result: dict[str, dict[str, dict[str, float]]] = {}
    for (stage, sector), rows in schools.groupby(["stage", "sector"]):
        row = {"rows": len(rows), "places": float(rows["places"].sum())}
        result.setdefault(str(stage), {})[str(sector)] = row
    return {stage: result[stage] for stage in scenario.stages if stage in result}


def _projects(scenario: Scenario) -> dict[str, dict[str, float]]:
    projects = scenario.table("projects")
    result = {}
    for status, rows in projects.groupby("status", sort=False):
        copies = rows.drop_duplicates("project")["count"].sum()
        result[str(status)] = {
            "copies": int(copies),
            "places": float((rows["places"] * rows["count"]).sum()),
            "capital_cny": float((rows["capital_cny"] * rows["count"]).sum()),
        }
    return result


def enrolment(scenario: Scenario, demand: Demand, lang: str = "en") -> dict[str, Any]:
    """Sum a projection up: children to be placed by stage and year.

    Returns
    -------
    dict
        scenario (name, hash), pupils (stage → year → persons) and notes in the language.
    """
    table = demand.frame()
    stages = {grade: name for name, stage in scenario.stages.items() for grade in stage.grades}
    sums = table.groupby([table["grade"].map(stages), "school_year"])["pupils"].sum()
    return {
        "scenario": {"name": scenario.name, "hash": scenario.hash},
        "pupils": {
            stage: {str(year): float(number) for year, number in sums[stage].items()}
            for stage in scenario.stages
        },
        "notes": [note.text(scenario.words(lang)) for note in demand.findings],
    }


def building(scenario: Scenario, programme: ConstructionSimulation) -> dict[str, Any]:
    """Sum a simulated building programme up.

    Returns
    -------
    dict
        scenario (name, hash, currency), seed, replications, projects (copies), on_time (mean share
        of them in use on their planned day), programmes (name → by, number, projects, in_use_mean,
        probability that the number is reached), waiting (cause → mean days a project), late (the
        projects most likely to be late: project, planned, p_on_time, p50, p90).
    """
    opening = programme.opening
    settings = scenario.settings.programmes
    given = scenario.table("projects").drop_duplicates("project").set_index("project")
    of_project = given["programme"].reindex(list(programme.projects)).to_numpy()
    programmes = {}
    for name, rule in settings.items():
        mine = of_project == name
        by = np.datetime64(rule.by.isoformat(), "D").astype(int)
        reached = (opening[:, mine] <= by).sum(axis=1)
        programmes[name] = {
            "by": rule.by.isoformat(),
            "number": rule.number,
            "projects": int(mine.sum()),
            "in_use_mean": reached.mean(),
            "probability": (reached >= rule.number).mean(),
        }
    waiting = programme.waiting().groupby("cause")["days"].sum()
    waiting = (waiting / max(1, len(programme.projects))).sort_values(ascending=False)
    chance = programme.probability()
    dates = programme.dates()
    dates = dates[dates["milestone"] == "in_use"]
    late = chance.merge(dates[["project", "copy", "p50", "p90"]], on=["project", "copy"])
    late = late[late["probability"] < 1].sort_values("probability", kind="stable").head(MOST_LATE)
    late = late.rename(columns={"probability": "p_on_time"})
    return plain(
        {
            "scenario": {
                "name": scenario.name,
                "hash": scenario.hash,
                "currency": scenario.settings.currency,
            },
            "seed": programme.seed,
            "replications": len(opening),
            "projects": len(programme.projects),
            "on_time": chance["probability"].mean(),
            "programmes": programmes,
            "waiting_days": waiting.to_dict(),
            "late": late[["project", "planned", "p_on_time", "p50", "p90"]].to_dict("records"),
        }
    )


def starts_gain(scenario: Scenario, optimized: OptimizedStarts) -> dict[str, Any]:
    """Sum up what chosen start dates gain.

    Returns
    -------
    dict
        schedules (tried), earlier (projects that begin earlier), days_earlier (their mean),
        before and after: on_time, days_late (means over all projects), programmes (name →
        probability that the number is reached).
    """
    table = optimized.table()
    begin = table[["begin_before", "begin_after"]].apply(pd.to_datetime)
    days = (begin["begin_before"] - begin["begin_after"]).dt.days
    view: dict[str, Any] = {
        "schedules": optimized.schedule.schedules,
        "earlier": int((days > 0).sum()),
        "days_earlier": days[days > 0].mean(),
    }
    for name, programme in (("before", optimized.before), ("after", optimized.after)):
        chances = building(scenario, programme)["programmes"]
        view[name] = {
            "on_time": table[f"on_time_{name}"].mean(),
            "days_late": table[f"days_late_{name}"].mean(),
            "programmes": {key: row["probability"] for key, row in chances.items()},
        }
    return plain(view)


def hurrying(found: Acceleration, number: int) -> dict[str, Any]:
    """Sum up what it brings to hurry the projects of a programme.

    Returns
    -------
    dict
        programme, by, required, probability, number (asked for), enough (row of the curve that is
        sure of it, or None) and curve (its rows).
    """
    return plain(
        {
            "programme": found.programme,
            "by": found.by,
            "required": found.required,
            "probability": found.probability,
            "number": number,
            "enough": found.enough(number),
            "curve": found.curve.to_dict("records"),
        }
    )


def versions() -> dict[str, str]:
    """Return versions of capsim, Python and the libraries that figures come from."""
    own = {"capsim": version("capsim"), "python": platform.python_version()}
    return own | {name: version(name) for name in LIBRARIES}


def holds(summary: Mapping[str, Any]) -> bool:
    """Check whether there is a plan that meets every target and what is asked for holds.

    Asked for are the targets that were made safe, all together, else every target; without
    simulation they hold where the plan meets them.
    """
    if summary["state"] in ("no plan", "missed"):
        return False
    if "safety" in summary:
        return bool(summary["safety"]["reached"])
    return bool(summary["state"] in ("holds", "met"))


def to_json(summary: Mapping[str, Any]) -> str:
    """Write a summary as JSON text; the same summary gives the same text."""
    return json.dumps(summary, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def plain(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Turn NumPy scalars into Python's own, and what is not a number into None."""
    return {str(key): _plain(value) for key, value in summary.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return plain(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
