"""The result of hardening: the plan chosen, the rounds, and the reasons where it is not safe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from capsim.i18n.language import Message, Value
from capsim.io.shown import HardenedPlots, Shown, above
from capsim.lp.array_types import Array, Flag
from capsim.plan.plan import Plan
from capsim.plan.targets import RULES, WHAT, Target
from capsim.reliability.margins import CHANCES
from capsim.reliability.trial import COMPULSORY, Search, Step, achieved, all_hold, interval
from capsim.scenario.scenario import Scenario
from capsim.simulation.outcomes import ANY
from capsim.simulation.run import trial

OFTEN = 0.5
"""Chance below which a project is said to be late."""
WORST = 3
"""Places and years that are named."""


@dataclass(frozen=True, eq=False, repr=False)
class Hardened(Shown[HardenedPlots]):
    """A plan that holds with a probability, or the best there is.

    Attributes
    ----------
    scenario : Scenario
    plan : Plan
        Of the original scenario, whose certificate it holds; where projects are hurried, of
        `scenario`, in which they are.
    plain : Plan
        The cheapest one, without margins.
    targets : tuple of text
        Ids of those that must all hold at once.
    asked : float
        Probability asked for.
    draws : int
        That the plan was judged by; no margin was made from them.
    probability, low, high : float
        Of all targets together, with Wilson's 95 % interval.
    reached : bool
        Whether `low` is at least `asked`.
    extra_cny : float
        Discounted cost of the plan beyond the plain one, RMB.
    rounds : DataFrame
        round, change, price_cny (of a missing place; 0 for the cheapest plan), cost_cny
        (discounted), extra_cny, expected_cny (mean over draws), draws, probability, low, high.
    by_target : DataFrame
        id, probability, low, high: each target alone, all of the plan's and
        ``placement-compulsory``, on the same draws.
    reasons : tuple of Message
        Empty if reached, else what stands in the way; ``str`` gives each in English.
    hurried : DataFrame
        project, options (``;`` between), cost_cny: what is bought to win time.
    shortages : DataFrame
        stage, area (one of those that share the places), school_year, kept_free (places that the
        plan may count on beyond what it fills), needed (of these with the probability asked for),
        missing (the difference, where there is one), persons; largest lack first.
    """

    scenario: Scenario
    plan: Plan
    plain: Plan
    targets: tuple[str, ...]
    asked: float
    draws: int
    probability: float
    low: float
    high: float
    reached: bool
    extra_cny: float
    rounds: pd.DataFrame
    by_target: pd.DataFrame
    reasons: tuple[Message, ...]
    hurried: pd.DataFrame
    shortages: pd.DataFrame

    def __repr__(self) -> str:
        money = self.scenario.words("en").money
        state = "as asked" if self.reached else "LESS OFTEN THAN ASKED"
        return (
            f"Hardened plan of {self.scenario.name!r}: {len(self.targets)} targets hold together in"
            f" {100 * self.probability:.1f} % of {self.draws:,} draws"
            f" ({100 * self.low:.1f}–{100 * self.high:.1f} %), {state} ({100 * self.asked:g} %)\n"
            f"  cost {money(self.plan.objective_cny)}, that is"
            f" {money(self.extra_cny)} more than the cheapest plan on paper"
        )

    def report(self, out: str | Path, *, lang: str = "en") -> Path:
        """Write the report of the plan and its safety; see :meth:`Plan.report`."""
        return Path(above("workflow", "report")(self.plan, out, hardened=self, lang=lang))


def result_of(search: Search, steps: list[Step]) -> Hardened:
    """Gather what a search has found."""
    plain = steps[0].plan
    step, reached = best_of(steps, search.probability)
    rounds = pd.DataFrame([round_row(step, plain) for step in steps])
    low, high = interval(step.holds)
    return Hardened(
        scenario=step.plan.scenario,
        plan=step.plan,
        plain=plain,
        targets=search.targets,
        asked=search.probability,
        draws=len(step.holds),
        probability=float(step.holds.mean()),
        low=low,
        high=high,
        reached=reached,
        extra_cny=step.plan.objective_cny - plain.objective_cny,
        rounds=rounds,
        by_target=_by_target(step),
        reasons=() if reached else explain(search, step, steps[0].unpaid),
        hurried=_hurried(step, plain),
        shortages=_shortages(search, step),
    )


def _hurried(step: Step, plain: Plan) -> pd.DataFrame:
    """List what is bought to win time."""
    tables = (plan.scenario.table("projects") for plan in (plain, step.plan))
    before, after = (
        (table["capital_cny"] * table["count"]).groupby(table["project"]).sum() for table in tables
    )
    rows = [(name, options, after[name] - before[name]) for name, options in step.hurried.items()]
    return pd.DataFrame(rows, columns=["project", "options", "cost_cny"])


def best_of(steps: Sequence[Step], asked: float) -> tuple[Step, bool]:
    """Choose the cheapest plan that is safe enough, else the safest; tell whether there is one.

    Of those that are equally safe, as where they never hold, it is the one that targets hold in
    more often one by one.
    """
    safe = [step for step in steps if interval(step.holds)[0] >= asked]
    if safe:
        return min(safe, key=lambda step: step.plan.objective_cny), True
    return max(steps, key=lambda step: (interval(step.holds)[0], step.one_by_one)), False


def _chance(holds: Flag) -> dict[str, float]:
    low, high = interval(holds)
    return {"probability": int(holds.sum()) / len(holds), "low": low, "high": high}


def round_row(step: Step, plain: Plan) -> dict[str, object]:
    """Return a step as a row of the table of rounds."""
    return {
        "round": step.number,
        "change": step.change,
        "price_cny": step.price_cny,
        "cost_cny": step.plan.objective_cny,
        "extra_cny": step.plan.objective_cny - plain.objective_cny,
        "expected_cny": float(step.judged.figures.cost_cny.sum(0).mean()),
        "draws": len(step.holds),
        **_chance(step.holds),
    }


def _by_target(step: Step) -> pd.DataFrame:
    by_target = achieved(step.judged)
    return pd.DataFrame(
        [{"id": name, **_chance(target.holds(row))} for name, (target, row) in by_target.items()]
    )


def _shortages(search: Search, step: Step) -> pd.DataFrame:
    space, stages = step.judged.data.space, step.judged.data.stages
    names = [(stage.name, space.areas[area]) for stage in stages for area in stage.reach.area]
    cells = [(*name, year) for name in names for year in space.years.tolist()]
    table = pd.DataFrame(cells, columns=["stage", "area", "school_year"])
    level = int(np.abs(CHANCES - (1 - search.probability)).argmin())
    needed = np.maximum(step.margins.seats[level], 0.0)
    needed = np.where(search.guarded(step.judged.data)[:, None], needed, 0.0)
    table["kept_free"] = step.kept_free.ravel()
    table["needed"] = needed.ravel()
    table["missing"] = np.maximum(needed - step.kept_free, 0.0).ravel()
    return table.sort_values("missing", ascending=False, kind="stable", ignore_index=True)


def explain(search: Search, step: Step, unpaid: Sequence[str] = ()) -> tuple[Message, ...]:
    """Write in sentences what stands in the way, the greatest obstacle first."""
    asked, by_target = search.probability, achieved(step.judged)
    sentences = [
        Message(
            "All targets asked for hold in {chance} of {draws} draws; {asked} is asked for, and no"
            " plan that was tried comes nearer.",
            {
                "chance": _percent(step.holds.mean()),
                "draws": float(len(step.holds)),
                "asked": _percent(asked),
            },
        ),
        *_missed_as_planned(search, step),
        *(
            Message(
                "The budgets to build have no room for hurrying more projects of {target}.",
                {"target": f"programme-{name}"},
            )
            for name in unpaid
        ),
    ]
    flags = {name: by_target[name][0].holds(by_target[name][1]) for name in search.targets}
    failing = [name for name in flags if not flags[name].all()]
    told: set[str] = set()
    for name in sorted(failing, key=lambda name: flags[name].mean()):
        rule = by_target[name][0].rule if name != COMPULSORY else name
        if rule in told:
            continue
        told.add(rule)
        others = sum(by_target[one][0].rule == rule != "programme" for one in failing) - 1
        sentences.append(_failure(*by_target[name], flags[name]))
        if others > 0 and rule != COMPULSORY:
            sentences.append(
                Message("So do {number} more years of it, less often.", {"number": float(others)})
            )
    return (*sentences, *_where(search, step), *_causes(search, step))


def _percent(part: float) -> str:
    return f"{100 * part:.1f} %"


def _missed_as_planned(search: Search, step: Step) -> list[Message]:
    """Name the targets that are missed already with children as projected and nothing late."""
    missed = tuple(
        Message("{target} ({number} child-years)", {"target": name, "number": float(row[0])})
        if target.rule == "placement"
        else Message("{target}", {"target": name})
        for name, (target, row) in achieved(step.planned).items()
        if name in search.targets and not target.holds(row).all()
    )
    if not missed:
        return []
    return [
        Message(
            "Even with children as projected and every project on time the plan misses {missed}:"
            " the scenario itself stands in the way, and no margin mends that (`capsim explain`"
            " says which rules).",
            {"missed": missed},
        )
    ]


def _failure(target: Target, figure: Array, flag: Flag) -> Message:
    """Write how often a target fails, and with which figure as a rule."""
    required, typical = target.required, float(np.median(figure[~flag]))
    told = {"target": target.id, "chance": _percent(1 - flag.mean())}
    if target.rule == "placement":
        return Message(
            "{target} fails in {chance} of draws; half of these leave {number} children or more"
            " without a place.",
            {**told, "number": typical},
        )
    form = ".2%" if RULES[target.rule].unit == "share" else ",.0f"
    return Message(
        "{target} fails in {chance} of draws: {typical} is typical of these, {required} is"
        " required.",
        {**told, "typical": f"{typical:{form}}", "required": f"{required:{form}}"},
    )


def _where(search: Search, step: Step) -> list[Message]:
    """Name the counties and stages that most often lack places, each in its worst year."""
    data, short = step.judged.data, step.judged.figures.shortfall
    county = np.zeros((len(data.space.counties), *short.shape[1:]))
    np.add.at(county, data.space.county, short)
    county[:, [not search.guards(stage.compulsory) for stage in data.stages]] = 0.0
    often = (county >= ANY).mean(-1)
    out: list[Message] = []
    told_of: set[tuple[int, int]] = set()
    for flat in np.argsort(-often, axis=None, kind="stable"):
        c, s, t = (int(at) for at in np.unravel_index(flat, often.shape))
        if often[c, s, t] == 0 or len(told_of) == WORST:
            break
        if (c, s) not in told_of:
            told_of.add((c, s))
            lacking = county[c, s, t][county[c, s, t] >= ANY]
            told: dict[str, Value] = {
                "county": str(data.space.counties[c]),
                "stage": data.stages[s].name,
                "year": int(data.space.years[t]),
                "chance": _percent(often[c, s, t]),
                "number": float(np.median(lacking)),
            }
            out.append(
                Message(
                    "County {county} lacks {stage} places in {year} in {chance} of draws, then"
                    " {number} as a rule.",
                    told,
                )
            )
            out += _lifts(step, c, data.stages[s].name, int(data.space.years[t]))
    return out


def _lifts(step: Step, county: int, stage: str, year: int) -> list[Message]:
    """Name what would lift a lack of places: limits used up there, and projects that come late."""
    plan, data, ready = step.plan, step.judged.data, step.judged.ready
    name = str(data.space.counties[county])
    limits = plan.tables["limits_used"]
    there = limits["county"].isin([name, "*"]) & (limits["year"] == year) & limits["binds"]
    kinds = dict.fromkeys(limits["kind"][there])
    lifts = [Message(WHAT[kind]) for kind in kinds]
    autumn = int(np.datetime64(f"{year}-09-01", "D").astype(np.int64))
    projects = plan.tables["projects"].set_index("project")
    openings = data.openings
    first = np.unique(openings.project, return_index=True)[1]
    late = []
    for number, project in enumerate(openings.projects):
        row = projects.loc[project]
        here = row["county"] == name and stage in str(row["stages"]).split(";")
        if here and openings.day[first[number]] <= autumn and row["places"] > 0:
            chance = 1.0 if ready is None else float((ready[:, first[number]] <= autumn).mean())
            if chance < OFTEN:
                late.append((-row["places"] * (1 - chance), project))
    out = []
    if lifts:
        out.append(
            Message("There more of this would help: {limits} (used up).", {"limits": tuple(lifts)})
        )
    if not _candidates_left(step, name, stage):
        values: dict[str, Value] = {"county": name, "stage": stage}
        out.append(
            Message(
                "County {county} has no candidate project left for {stage}: one more would help.",
                values,
            )
        )
    if late:
        told = tuple(str(project) for _, project in sorted(late)[:WORST])
        out.append(
            Message(
                "Planned for then and late in most draws: {projects}; options to hurry them"
                " (phases.csv) would help.",
                {"projects": told},
            )
        )
    return out


def _candidates_left(step: Step, county: str, stage: str) -> bool:
    """Return whether a county has a candidate of a stage that the plan leaves unbuilt."""
    projects = step.plan.tables["projects"]
    count = step.plan.scenario.table("projects").groupby("project")["count"].first()
    there = projects[(projects["county"] == county) & (projects["status"] == "candidate")]
    of_stage = np.array([stage in str(text).split(";") for text in there["stages"]], bool)
    mine = there[of_stage & (there["places"] > 0).to_numpy()]
    return bool((mine["copies"] < mine["project"].map(count)).any())


def _causes(search: Search, step: Step) -> list[Message]:
    """Simulate the plan with late projects alone, and with more or fewer children alone."""
    seed, executor, asked = search.seed_of(0), search.options.executor, search.probability
    table = step.plan.tables["openings"].sort_values("opens", kind="stable")
    dates = table.drop_duplicates("project")["opens"].to_numpy("datetime64[D]")[None]
    simulated = partial(
        trial, step.plan, draws=search.draws, seed=seed, harm=False, executor=executor
    )
    on_time, late = simulated(openings=dates), simulated(children=False)
    by_demand, by_delay = (float(all_hold(run, search.targets).mean()) for run in (on_time, late))
    out = [
        Message(
            "With every project on time all targets asked for hold in {on_time} of draws; with the"
            " children as projected and projects as late as they may be, in {late}.",
            {"on_time": _percent(by_demand), "late": _percent(by_delay)},
        )
    ]
    if by_delay < asked <= by_demand:
        out.append(Message("Late projects are the cause: no other places can be had in time."))
    elif by_demand < asked <= by_delay:
        out.append(Message("The spread of demand is the cause: no more places can be had in time."))
    elif by_demand < asked and by_delay < asked:
        out.append(Message("Late projects and the spread of demand are each enough to miss it."))
    return out
