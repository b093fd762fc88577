"""Targets and limits: what is required by when, what there is, and how near a plan comes to it.

A target has an id, ``RULE``, ``RULE-YEAR`` or ``programme-NAME``. What its rule means (which side
is good, the unit, the rows of the model, the setting it comes from) stands in `RULES` only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from capsim.lp.array_types import Array, Flag
from capsim.lp.program import Builder
from capsim.model.constraints import FAMILIES
from capsim.model.constraints.policy import STAGE
from capsim.model.costs import MILLION
from capsim.model.data import codes, stepped
from capsim.model.model import Model
from capsim.plan.solution_arrays import Solution
from capsim.scenario.scenario import Scenario
from capsim.scenario.settings import Policy

TOLERANCE = 1e-6
"""Part of what is required (at least of 1) by which a target may be missed."""
AT_MOST, AT_LEAST = "at most", "at least"
COLUMNS = ("id", "what", "by", "before", "required", "achieved", "met")


@dataclass(frozen=True)
class Rule:
    """Kind of target.

    Attributes
    ----------
    sense : text
        `AT_MOST` or `AT_LEAST`.
    unit : text
        Of what is required and achieved: ``children``, ``pupils``, ``projects`` or ``share``.
    what : text
        The figure that it is about, in words.
    setting : text
        Where the scenario orders it; ``""`` for the placement of all children.
    rows : text
        Constraint of the model that holds it; ``""`` where there is none of its own.
    """

    sense: str
    unit: str
    what: str
    setting: str = ""
    rows: str = ""


def _floor(name: str, what: str) -> Rule:
    return Rule(AT_LEAST, "share", what, f"floors.{name}", f"floors.{name}")


RULES: Mapping[str, Rule] = {
    "placement": Rule(AT_MOST, "children", "children without a place, all years"),
    "reduction": Rule(
        AT_LEAST, "pupils", "fall in counted private pupils", "policy.reduction", "reduction"
    ),
    "share": Rule(
        AT_MOST,
        "share",
        "private share of compulsory enrolment{scope}",
        "policy.private_share_cap",
        "share.cap",
    ),
    "programme": Rule(
        AT_LEAST, "projects", "projects of {detail} in use", "programmes.{detail}.number"
    ),
    "kindergarten_enrolment": _floor(
        "kindergarten_enrolment", "enrolled of the children of kindergarten age"
    ),
    "kindergarten_public": _floor("kindergarten_public", "in public kindergartens"),
    "kindergarten_inclusive": _floor(
        "kindergarten_inclusive", "in public or inclusive kindergartens"
    ),
    "senior_enrolment": _floor("senior_enrolment", "enrolled of the children of senior age"),
    "large_classes": Rule(
        AT_MOST,
        "share",
        "share of classes of {large} or more, worst county and stage",
        "policy.large_class_share",
    ),
}


@dataclass(frozen=True)
class Target:
    """A target of a scenario.

    Attributes
    ----------
    id : text
    rule : text
        One of `RULES`.
    detail : text
        The rest of the id: a year, a programme's name, or ``""``.
    date : text
        ISO date by which it is required.
    required : float
    sense, unit : text
        As in `Rule`.
    tolerance : float
        By which it may be missed, in its unit.
    """

    id: str
    rule: str
    detail: str
    date: str
    required: float
    sense: str
    unit: str
    tolerance: float

    @property
    def year(self) -> int | None:
        """Year in the id; None for targets without one."""
        return rule_and_year(self.id)[1]

    @property
    def sign(self) -> float:
        """1 where more is worse, −1 where less is."""
        return 1.0 if self.sense == AT_MOST else -1.0

    @property
    def setting(self) -> str:
        """The setting that orders it; without the year for rules that have one for each."""
        return RULES[self.rule].setting.format(detail=self.detail)

    def holds(self, achieved: Array | float) -> Flag:
        """Return whether a figure, or each of many, meets the target.

        Examples
        --------
        >>> make_target("share-2022", "2022-12-31", 0.05).holds(np.array([0.04, 0.06]))
        array([ True, False])
        >>> bool(make_target("kindergarten_public-2022", "2022-12-31", 0.85).holds(0.80))
        False
        """
        if self.sense == AT_MOST:
            return np.asarray(achieved <= self.required + self.tolerance)
        return np.asarray(achieved >= self.required - self.tolerance)


def make_target(identifier: str, date: str, required: float) -> Target:
    """Make the target of an id, as the plan's table ``targets`` writes it.

    Raises
    ------
    ValueError
        If its rule is unknown.

    Examples
    --------
    >>> target = make_target("programme-build-2022", "2022-09-01", 145.0)
    >>> target.rule, target.detail, target.year, target.sense, target.unit
    ('programme', 'build-2022', None, 'at least', 'projects')
    """
    name, _, detail = identifier.partition("-")
    rule = RULES.get(name)
    if rule is None:
        raise ValueError(f"target {identifier!r} is none of {', '.join(RULES)}")
    tolerance = TOLERANCE * max(1.0, abs(required))
    return Target(identifier, name, detail, str(date), required, rule.sense, rule.unit, tolerance)


def rule_and_year(identifier: str) -> tuple[str, int | None]:
    """Split the id of a target into rule and year; every programme is a rule of its own.

    Examples
    --------
    >>> [rule_and_year(one) for one in ("share-2022", "placement", "programme-build-2022")]
    [('share', 2022), ('placement', None), ('programme-build-2022', None)]
    """
    rule, _, year = identifier.partition("-")
    return (rule, int(year)) if year.isdigit() and rule != "programme" else (identifier, None)


def unit_of(identifier: str) -> str:
    """Return the unit of a target's figures, by its id; ``""`` for an unknown rule."""
    rule = RULES.get(identifier.partition("-")[0])
    return "" if rule is None else rule.unit


def read_targets(table: pd.DataFrame) -> tuple[Target, ...]:
    """Read targets from a plan's table ``targets``: its columns id, by, required.

    Raises
    ------
    ValueError
        If a rule is unknown.
    """
    columns = (table["id"], table["by"], table["required"].to_numpy(np.float64).tolist())
    return tuple(make_target(*row) for row in zip(*columns, strict=True))


def targets_of(scenario: Scenario) -> tuple[Target, ...]:
    """List the targets that a scenario orders, rule by rule, in the order of years."""
    policy, floors, years = scenario.settings.policy, scenario.settings.floors, scenario.years

    def yearly(rule: str, amounts: Mapping[int, float], day: str) -> Iterator[Target]:
        for year in years:
            required = stepped(amounts, year)
            if required is not None:
                yield make_target(f"{rule}-{year}", f"{year}-{day}", required)

    out = [make_target("placement", f"{years[-1]}-09-01", 0.0)]
    if policy.reduction > 0 and policy.reduction_year in years:
        date = f"{policy.reduction_year}-09-01"
        out.append(make_target("reduction", date, float(policy.reduction)))
    out += yearly("share", policy.private_share_cap, "12-31")
    for name, programme in scenario.settings.programmes.items():
        out.append(make_target(f"programme-{name}", str(programme.by), float(programme.number)))
    for rule, stage in (
        ("kindergarten_enrolment", STAGE),
        ("senior_enrolment", "senior"),
        ("kindergarten_public", STAGE),
        ("kindergarten_inclusive", STAGE),
    ):
        if stage in scenario.stages:
            out += yearly(rule, getattr(floors, rule), "12-31")
    if any(name in scenario.stages for name in scenario.settings.stages.compulsory):
        out += yearly("large_classes", policy.large_class_share, "09-01")
    return tuple(out)


def counted_share(policy: Policy) -> str:
    """Name the column of a plan's table ``shares`` that holds the share as the policy counts it."""
    counted = "including" if policy.purchased_counts_as_private else "excluding"
    return f"share_{counted}_purchased"


def tight_targets(table: pd.DataFrame) -> list[str]:
    """List the ids of targets of a plan's table that it meets with less than a thousandth to spare.

    Examples
    --------
    >>> table = pd.DataFrame({"id": ["a", "b"], "required": 0.05, "achieved": [0.05, 0.04]})
    >>> tight_targets(table.assign(met=True))
    ['a']
    """
    spare = (table["achieved"] - table["required"]).abs()
    near = spare <= 1e-3 * table["required"].abs().clip(lower=1e-9)
    return list(table["id"][near & table["met"] & (table["required"] != 0)])


def rules_of(ids: pd.Series) -> pd.Series:
    """Name the rule of each target: `share` of `share-2022`; a programme is a rule of its own."""
    return ids.map(lambda identifier: rule_and_year(identifier)[0])


def target_groups(targets: pd.DataFrame) -> pd.DataFrame:
    """Group the yearly targets of one rule: its first date, and the least likely later one.

    Parameters
    ----------
    targets
        id (`RULE-YYYY` or `RULE`), probability; in the order of their dates.

    Returns
    -------
    DataFrame
        rule, first (row number of its first target), later (how many follow), least (row number
        of the least likely that follows, of the first if none does).

    Examples
    --------
    >>> ids = ["reduction", "share-2022", "share-2023", "share-2024"]
    >>> target_groups(pd.DataFrame({"id": ids, "probability": [0.5, 0.9, 0.7, 0.8]}))
            rule  first  later  least
    0  reduction      0      0      0
    1      share      1      2      2
    """
    chance = targets["probability"].to_numpy()
    rules = rules_of(targets["id"])
    rows = []
    for rule in dict.fromkeys(rules):
        members = np.flatnonzero(rules == rule)
        later = members[1:]
        least = later[np.argmin(chance[later])] if len(later) else members[0]
        rows.append((rule, members[0], len(later), least))
    return pd.DataFrame(rows, columns=["rule", "first", "later", "least"])


def targets_table(
    solution: Solution, shares: pd.DataFrame, reduction: pd.DataFrame, large: pd.DataFrame
) -> pd.DataFrame:
    """List the targets in force, what they require and what a solution achieves.

    ``before`` is the figure in the base year; NaN where it is not known. A floor of a year in
    which there is nobody to count is not in force.
    """
    scenario, years = solution.parts.given.scenario, solution.parts.given.space.years
    public, inclusive = _in_kindergartens(solution)
    single = (large["county"] != "*") & (large["stage"] != "*")
    figures = {
        "placement": _without_place(solution),
        "reduction": np.append(0.0, reduction["total"].to_numpy(np.float64)),
        "share": _worst_share(solution, shares),
        "kindergarten_enrolment": _enrolled(solution, STAGE),
        "senior_enrolment": _enrolled(solution, "senior"),
        "kindergarten_public": public,
        "kindergarten_inclusive": inclusive,
        "large_classes": _largest(large[single], "share"),
    }
    words, rows = _words(scenario), list[tuple[Any, ...]]()
    for target in targets_of(scenario):
        if target.rule == "programme":
            before, achieved = 0.0, _projects_in_use(solution, target)
        else:
            figure = figures[target.rule]
            before, achieved = figure[0], figure[1 + int(target.date[:4]) - int(years[0])]
        if not np.isnan(achieved):
            what = RULES[target.rule].what.format(detail=target.detail, **words)
            holds = bool(target.holds(achieved))
            rows.append((target.id, what, target.date, before, target.required, achieved, holds))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype({"before": float, "required": float, "achieved": float, "met": bool})


def _words(scenario: Scenario) -> dict[str, str]:
    """Return what rules are described with: the scope of the share, the size of large classes."""
    stages = scenario.stages
    compulsory = [name for name in stages if name in scenario.settings.stages.compulsory]
    sizes = [f"{stages[name].large_class:g}" for name in compulsory]
    if len(set(sizes)) > 1:
        sizes = [f"{size} ({name})" for size, name in zip(sizes, compulsory, strict=True)]
    by_county = scenario.settings.policy.share_scope == "county"
    return {
        "scope": ", worst county" if by_county else "",
        "large": " or ".join(dict.fromkeys(sizes)),
    }


# Figures by year have the base year first.


def _without_place(solution: Solution) -> Array:
    """Count children without a place: of the base year, then of all planned years, ``[year]``."""
    space, providers = solution.parts.given.space, solution.parts.given.providers
    stages = len(space.stages)
    children = np.bincount(space.grade_stage, space.base_children.sum(axis=0), stages)
    pupils = np.bincount(providers.stage, providers.rolls.sum(axis=1), stages)
    planned = np.full(len(space.years), solution.value(solution.parts.columns.shortfall).sum())
    return np.append(np.maximum(children - pupils, 0.0).sum(), planned)


def _worst_share(solution: Solution, shares: pd.DataFrame) -> Array:
    """Return the counted private share of the whole, or of the worst county, ``[year]``."""
    policy = solution.parts.given.scenario.settings.policy
    county = (shares["county"] != "*") == (policy.share_scope == "county")
    return _largest(shares[county], counted_share(policy))


def _largest(table: pd.DataFrame, column: str) -> Array:
    """Return the largest figure of every year, ``[year]``."""
    return table.groupby("school_year")[column].max().to_numpy(np.float64)


def _projects_in_use(solution: Solution, target: Target) -> float:
    """Count the projects of a programme in use by the date of the target."""
    given = solution.parts.given
    past = np.flatnonzero(given.dates.date.astype(str) <= target.date)
    member = given.projects.programme == target.detail
    return float(solution.open[member, past[-1]].sum()) if len(past) else 0.0


def _share_of(part: Array, whole: Array) -> Array:
    """Divide year by year; NaN where there is nobody."""
    nobody = np.full(len(whole), np.nan)
    return np.asarray(np.divide(part, whole, out=nobody, where=whole > 0))


def _position(solution: Solution, stage: str) -> int:
    """Return the position of a stage; -1 where it is not planned."""
    return int(codes([stage], solution.parts.given.space.stage_names)[0])


def _enrolled(solution: Solution, stage: str) -> Array:
    """Return children of a stage with a place over those of the age, ``[year]``."""
    space, position = solution.parts.given.space, _position(solution, stage)
    grades = space.grade_stage == position
    people = space.population[:, grades].sum(axis=(0, 1))
    elsewhere = solution.parts.given.scenario.settings.demand.elsewhere.get(stage, 0.0)
    children = space.children[:, grades] / (1.0 - elsewhere)
    placed = (children - solution.shortfall[:, grades]).sum(axis=(0, 1))
    pupils = _from_base(solution)[solution.parts.given.providers.stage == position, 0].sum()
    base = space.base_population[:, grades].sum()
    return _share_of(np.append(pupils / (1.0 - elsewhere), placed), np.append(base, people))


def _from_base(solution: Solution) -> Array:
    """Return pupils of providers, ``[provider, year]``."""
    rolls = solution.parts.given.providers.rolls.sum(axis=1)
    return np.hstack([rolls[:, None], solution.enrolled])


def _in_kindergartens(solution: Solution) -> tuple[Array, Array]:
    """Return public, and public or inclusive, kindergarten children over all, ``[year]``."""
    providers, stage = solution.parts.given.providers, _position(solution, STAGE)
    here, pupils = providers.stage == stage, _from_base(solution)
    everyone = pupils[here].sum(axis=0)
    public = pupils[here & providers.public].sum(axis=0)
    inclusive = public + pupils[here & providers.inclusive].sum(axis=0)
    inclusive[1:] += _turned_inclusive(solution, stage)
    return _share_of(public, everyone), _share_of(inclusive, everyone)


def _turned_inclusive(solution: Solution, stage: int) -> Array:
    """Count children whose kindergarten turns inclusive between September and December."""
    projects, dates = solution.parts.given.projects, solution.parts.given.dates
    new = solution.open[:, dates.december] - solution.open[:, dates.autumn]
    pupils = np.where(projects.row_stage == stage, projects.row_pupils, 0.0)
    return np.asarray((new[projects.row_project] * pupils[:, None]).sum(axis=0))


# ---- limits, and how much of them a plan uses: the activity of the rows that keep them

LIMIT_ROWS = {
    "purchase.limit": ("purchase", 1.0),
    "money.capital": ("capital", MILLION),
    "money.recurrent": ("recurrent", MILLION),
    "land": ("land", 1.0),
    "staff.hires": ("hires", 1.0),
    "staff.posts": ("posts", 1.0),
    "staff.contract": ("contract_teachers", 1.0),
}
"""Rows of the model: the kind of limit that they keep, and its unit in theirs."""
WHAT = {
    "hires": "teachers to hire",
    "contract_teachers": "contract teachers",
    "posts": "posts",
    "purchase": "places for sale",
    "capital": "money to build",
    "recurrent": "money to run",
    "land": "land",
}
"""Kinds of limits in words."""
FULL = 1 - 1e-4
"""A limit is used up from this part of it on."""
AUTUMN_MONTHS = 8.0
"""From the new year to an opening in autumn."""
KEYS = ["kind", "county", "year"]


def limits_table(model: Model, solution: Solution) -> pd.DataFrame:
    """Set what the plan uses beside every limit of the scenario.

    Returns
    -------
    DataFrame
        kind, county (`*` the whole), year, used, limit, binds; persons, places, RMB or mu. Land is
        counted from the first year with a limit on. Posts that come with projects, and teachers on
        contract whom shrinking private schools set free, use nothing of the limit.

    Notes
    -----
    Land and capital go in whole projects, so little is ever left over exactly: they bind also where
    something is used and what is left is too little for any candidate that could still take of it
    (whose building could have begun by then; which could have opened in that autumn).
    """
    table = model.given.scenario.table("limits")[[*KEYS, "amount"]]
    table = table.merge(_activity(model, solution.x), on=KEYS, how="left")
    land = table["kind"] == "land"
    if land.any():
        # What is not used of a quota carries over.
        table = table.sort_values(KEYS, kind="stable", ignore_index=True)
        land = table["kind"] == "land"
        of_county = table[land].groupby("county")
        table.loc[land, "amount"] = of_county["amount"].cumsum()
        table.loc[land, "used"] = of_county["used"].ffill()
    # What no decision moves stands on the right of the row, beside the limit: teachers set free,
    # money that is spent anyway.
    free = table["upper"].where(~land) - table["amount"]
    used = table["used"].fillna(0.0) - free.fillna(0.0)
    left = table["amount"] - used
    least = _least_further(model, solution, table)
    binds = (used >= FULL * table["amount"]) | ((used > 0) & (left < least))
    table = table.assign(used=used.clip(lower=0.0), limit=table["amount"], binds=binds)
    return table[[*KEYS, "used", "limit", "binds"]]


def _activity(model: Model, x: Array) -> pd.DataFrame:
    """Compute what rows of limits use, also of families that are switched off: kind, county, year.

    A model may have other bounds on these rows than the scenario, to keep something in reserve.
    """
    m = Builder(column_count=len(x))
    for family in ("purchase", "money", "land", "staff"):
        FAMILIES[family](m, model.parts)
    program = m.freeze()
    activity = program.matrix @ x
    frames = [pd.DataFrame({"kind": "", "county": "", "year": 0, "used": 0.0, "upper": 0.0}, [])]
    for block in program.rows:
        if block.name in LIMIT_ROWS:
            kind, unit = LIMIT_ROWS[block.name]
            county, year = block.labels
            rows = slice(block.start, block.start + block.count)
            used, upper = activity[rows] * unit, program.row_upper[rows] * unit
            columns = {"county": county, "year": year.astype(np.int64), "used": used}
            frames.append(pd.DataFrame({"kind": kind, **columns, "upper": upper}))
    return pd.concat(frames, ignore_index=True)


def _least_further(model: Model, solution: Solution, table: pd.DataFrame) -> Array:
    """Compute the least that a waiting candidate takes of each limit; -inf of other kinds.

    Waiting is what could have started (land) or opened (capital) by then and has not.
    """
    least = np.full(len(table), -np.inf)
    given = model.given
    projects, space, dates = given.projects, given.space, given.dates
    if not dates.count or not projects.candidate.any():
        return least
    count = len(projects.project)
    months = np.zeros(count)
    np.maximum.at(months, projects.row_project, projects.row_months)
    capital = np.bincount(projects.row_project, projects.row_capital, count)
    land = np.bincount(projects.row_project, projects.row_land, count)
    # School year in whose autumn what opens on a check date is first there.
    autumn = np.array([int(date[:4]) + (date[5:] > "09-01") for date in dates.date], np.float64)
    could_open = np.append(autumn, np.inf)[projects.first_check]
    all_open = solution.open[:, -1] >= projects.count
    last = np.argmax(solution.open == solution.open[:, -1:], axis=1)
    opens = np.where(all_open, autumn[last], np.inf)
    before = np.ceil(np.maximum(months - AUTUMN_MONTHS, 0.0) / 12)
    # Of an autumn opening, what is paid from the new year on.
    paid = capital * np.minimum(1.0, AUTUMN_MONTHS / np.maximum(months, 1e-9))
    year = table["year"].to_numpy(np.int64)[:, None]
    county = table["county"].to_numpy(object)[:, None]
    here = projects.candidate & ((county == space.counties[projects.county]) | (county == "*"))
    for kind, takes, could, does in (
        ("land", land, could_open - before, opens - before),
        ("capital", paid, could_open, opens),
    ):
        waits = here & (could <= year) & (does > year) & (takes > 0)
        amount = np.where(waits, takes, np.inf).min(axis=1)
        rows = (table["kind"] == kind).to_numpy() & waits.any(axis=1)
        least[rows] = amount[rows]
    return least
