"""Policies on the whole: share, reduction, programmes, kindergartens, floors, class size.

Each policy's figure is computed once here; `check_policies` holds it to its rule and
`capsim.certificate.reported_tables` compares the plan's tables with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from capsim.certificate.data import KINDERGARTEN, SENIOR, CertificateData
from capsim.certificate.decision_reader import Decisions
from capsim.certificate.ledger import Bools, Floats, Ledger
from capsim.certificate.places import Derived, inclusive_rows, large_classes

HOLDS = 1e-6


@dataclass(frozen=True)
class Shares:
    """Compulsory enrolment and private pupils by region ``[c, t0..]`` on 31 December."""

    enrolment: Floats
    excluding: Floats
    including: Floats

    def counted(self, given: CertificateData) -> Floats:
        """Return private pupils as the policy counts them."""
        purchased_counts = given.settings.policy.purchased_counts_as_private
        return self.including if purchased_counts else self.excluding


WHAT = {
    "placement": "children without a place, all years",
    "reduction": "fall in counted private pupils",
    "kindergarten_enrolment": "enrolled of the children of kindergarten age",
    "kindergarten_public": "in public kindergartens",
    "kindergarten_inclusive": "in public or inclusive kindergartens",
    "senior_enrolment": "enrolled of the children of senior age",
}
"""What targets are about that need no number to say it."""


@dataclass(frozen=True)
class Target:
    """A target: id, date, figure in the base year, required and achieved; which side is good."""

    id: str
    by: str
    before: float
    required: float
    achieved: float
    at_most: bool

    def what(self, given: CertificateData) -> str:
        """Return what it is about, in words."""
        rule = self.id.split("-")[0]
        if rule == "programme":
            return f"projects of {self.id.removeprefix('programme-')} in use"
        if rule == "share":
            county = given.settings.policy.share_scope == "county"
            return f"private share of compulsory enrolment{', worst county' if county else ''}"
        if rule == "large_classes":
            ours = [one for one in given.stages if one.name in given.settings.stages.compulsory]
            sizes = {f"{one.large_class:g}" for one in ours}
            named = [f"{one.large_class:g} ({one.name})" for one in ours]
            told = " or ".join(sizes if len(sizes) == 1 else dict.fromkeys(named))
            return f"share of classes of {told} or more, worst county and stage"
        return WHAT[rule]

    @property
    def holds(self) -> bool:
        """Whether it is reached, to 1e-6."""
        return self.excess <= HOLDS

    @property
    def doubtful(self) -> bool:
        """Whether it misses by so little that either verdict may stand."""
        return HOLDS / 10 < self.excess < HOLDS * 10

    @property
    def excess(self) -> float:
        """Distance by which it is missed, relative to what is required where that is above 1."""
        gap = self.achieved - self.required
        return (gap if self.at_most else -gap) / max(abs(self.required), 1.0)


def ratio(part: Floats, whole: Floats) -> Floats:
    """Return ``part / whole``; a share of nothing is 0."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def read_shares(given: CertificateData, plan: Decisions, state: Derived) -> Shares:
    """Compute private shares of compulsory enrolment."""
    providers = given.providers
    levered, compulsory = providers.levered[:, None], providers.compulsory[:, None]
    if given.settings.policy.share_denominator == "residence":
        grades = given.compulsory_stages[given.grade_stage]
        enrolment = given.by_county(given.children[:, grades].sum(axis=1), given.area_county)
    else:
        enrolment = given.by_county(np.where(compulsory, state.total, 0.0), providers.county)
    base = state.total[:, :1]
    excluding = np.where(levered, np.hstack([base, state.fee_december]), 0.0)
    bought = np.hstack([np.zeros_like(base), plan.purchased_december])
    return Shares(
        enrolment,
        given.by_county(excluding, providers.county),
        given.by_county(excluding + np.where(levered, bought, 0.0), providers.county),
    )


def counted_private(given: CertificateData, plan: Decisions, state: Derived) -> Floats:
    """Sum counted private pupils of the base year and the planned autumns."""
    levered = given.providers.levered
    counts = plan.fee_paying.copy()
    if given.settings.policy.purchased_counts_as_private:
        counts += plan.purchased
    return np.concatenate([[state.total[levered, 0].sum()], counts[levered].sum(axis=0)])


def enrolled(given: CertificateData, plan: Decisions, stage: str) -> tuple[Floats, Floats]:
    """Count children with a place, and population, of a stage's residents by planned year."""
    mine = np.array([name == stage for name in given.stage_names], bool)[given.grade_stage]
    share_elsewhere = given.settings.demand.elsewhere.get(stage, 0.0)
    children = given.children[:, mine, 1:] / (1.0 - share_elsewhere)
    placed = (children - plan.shortfall[:, mine]).sum(axis=(0, 1))
    return placed, given.population[:, mine, 1:].sum(axis=(0, 1))


def kindergartens(given: CertificateData, state: Derived) -> tuple[Floats, Floats, Floats]:
    """Count children in public, in public or inclusive, and in all kindergartens, by year."""
    providers = given.providers
    mine = np.array([n == KINDERGARTEN for n in given.stage_names], bool)[providers.stage]
    total = np.where(mine[:, None], state.total[:, 1:], 0.0)
    public = total[providers.public].sum(axis=0)
    inclusive = public + total[providers.inclusive].sum(axis=0)
    gain = state.copies_december - state.copies[:, 1:]
    for _, children in inclusive_rows(given, gain):
        inclusive = inclusive + children
    return public, inclusive, total.sum(axis=0)


def class_counts(given: CertificateData, state: Derived) -> tuple[Floats, Floats]:
    """Count classes and large ones ``[c, s, t0..]``: regions, the compulsory stages, years."""
    providers = given.providers
    size = given.per_stage("class_size")[providers.stage][:, None]
    counted = (providers.public & providers.compulsory)[:, None]
    base = np.where(counted, providers.places[:, None] / size, 0.0)
    large = np.where(counted, large_classes(given, base, state.total[:, :1]), 0.0)
    every = np.hstack([base, state.classes])
    large = np.hstack([np.minimum(large, base), state.large_classes])
    stages = np.flatnonzero(given.compulsory_stages)
    shape = (len(given.regions), len(stages), 1 + len(given.years))
    sums = np.zeros((2, *shape))
    for at, s in enumerate(stages):
        mine = (providers.stage == s)[:, None]
        for out, values in zip(sums, (every, large), strict=True):
            out[:, at] = given.by_county(np.where(mine, values, 0.0), providers.county)
    return sums[0], sums[1]


def figures_before(given: CertificateData, state: Derived) -> dict[str, float]:
    """Compute the figures of targets in the base year, by rule; NaN where not known."""
    providers, pupils = given.providers, state.total[:, 0]

    def attending(stage: str, where: Bools) -> float:
        mine = np.array([name == stage for name in given.stage_names], bool)[providers.stage]
        return float(pupils[mine & where].sum())

    def aged(stage: str, children: Floats) -> float:
        mine = np.array([name == stage for name in given.stage_names], bool)[given.grade_stage]
        return float(children[:, mine, 0].sum())

    everyone = np.ones(len(pupils), bool)
    young = attending(KINDERGARTEN, everyone)
    public = attending(KINDERGARTEN, providers.public)
    inclusive = attending(KINDERGARTEN, providers.public | providers.inclusive)
    enrolment = {stage: attending(stage, everyone) for stage in given.stage_names}
    elsewhere = given.settings.demand.elsewhere
    enrolled_of = {
        stage: attending(stage, everyone) / (1.0 - elsewhere.get(stage, 0.0))
        for stage in (KINDERGARTEN, SENIOR)
    }
    shares = {
        "kindergarten_enrolment": (enrolled_of[KINDERGARTEN], aged(KINDERGARTEN, given.population)),
        "kindergarten_public": (public, young),
        "kindergarten_inclusive": (inclusive, young),
        "senior_enrolment": (enrolled_of[SENIOR], aged(SENIOR, given.population)),
    }
    missing = [max(aged(name, given.children) - had, 0.0) for name, had in enrolment.items()]
    return {
        "placement": sum(missing),
        "reduction": 0.0,
        **{name: part / whole if whole > 0 else np.nan for name, (part, whole) in shares.items()},
    }


def read_targets(given: CertificateData, plan: Decisions, state: Derived) -> list[Target]:
    """List every target of the scenario with its base-year figure and what the plan achieves."""
    policy, floors = given.settings.policy, given.settings.floors
    years, before = given.years, figures_before(given, state)
    missed = float(plan.shortfall.sum())
    out = [Target("placement", f"{years[-1]}-09-01", before["placement"], 0.0, missed, True)]
    if policy.reduction > 0 and policy.reduction_year in years:
        counted = counted_private(given, plan, state)
        fall = counted[0] - counted[1 + years.index(policy.reduction_year)]
        day, ordered = f"{policy.reduction_year}-09-01", float(policy.reduction)
        out.append(Target("reduction", day, before["reduction"], ordered, float(fall), False))
    shares = read_shares(given, plan, state)
    share = ratio(shares.counted(given), shares.enrolment)
    worst = share[-1] if policy.share_scope == "whole" else share[:-1].max(axis=0)
    out += yearly(given, "share", policy.private_share_cap, worst, "12-31", True)
    for name, programme in given.settings.programmes.items():
        done = programme_copies(given, state, plan, name)
        day = str(programme.by)
        out.append(Target(f"programme-{name}", day, 0.0, float(programme.number), done, False))
    public, inclusive, total = kindergartens(given, state)
    figures = {
        "kindergarten_enrolment": ratio_of_some(*enrolled(given, plan, KINDERGARTEN)),
        "kindergarten_public": ratio_of_some(public, total),
        "kindergarten_inclusive": ratio_of_some(inclusive, total),
        "senior_enrolment": ratio_of_some(*enrolled(given, plan, SENIOR)),
    }
    for name, figure in figures.items():
        floor_by_year = getattr(floors, name)
        out += yearly(given, name, floor_by_year, np.append(before[name], figure), "12-31", False)
    classes, large = class_counts(given, state)
    if classes.shape[1]:
        worst = ratio(large, classes)[:-1].max(axis=(0, 1))
        out += yearly(given, "large_classes", policy.large_class_share, worst, "09-01", True)
    return out


def ratio_of_some(part: Floats, whole: Floats) -> Floats:
    """Return ``part / whole``; NaN where the whole is 0 or unknown."""
    return np.where(whole > 0, ratio(part, whole), np.nan)


def yearly(
    given: CertificateData,
    name: str,
    table: Mapping[int, float],
    figure: Floats,
    day: str,
    at_most: bool,
) -> list[Target]:
    """List one target for each planned year in which a stepped rule is in force.

    ``figure[t0..]`` has the base year first.
    """
    rule, before = given.stepped(table), float(figure[0])
    return [
        Target(f"{name}-{year}", f"{year}-{day}", before, float(r), float(f), at_most)
        for year, r, f in zip(given.years, rule, figure[1:], strict=True)
        if not np.isnan(r) and not np.isnan(f)
    ]


def programme_copies(given: CertificateData, state: Derived, plan: Decisions, name: str) -> float:
    """Count the copies of a programme's projects in use by its date."""
    k = given.calendar.last_on_or_before(str(given.settings.programmes[name].by))
    chosen = np.array([programme == name for programme in given.projects.programme], bool)
    return float(plan.opened[chosen, k].sum()) if k >= 0 else 0.0


def check_policies(given: CertificateData, plan: Decisions, state: Derived, book: Ledger) -> None:
    """Check the policies that are switched on."""
    policy, years = given.settings.policy, given.years
    if given.on("share"):
        check_share(given, plan, state, book)
    if given.on("reduction") and policy.reduction > 0 and policy.reduction_year in years:
        counted = counted_private(given, plan, state)
        left = counted[1 + years.index(policy.reduction_year)]
        most = counted[0] - policy.reduction
        book.at_most("reduction", "private pupils in", [left], [most], [[policy.reduction_year]])
    if given.on("programme"):
        for name, programme in given.settings.programmes.items():
            done = programme_copies(given, state, plan, name)
            book.at_most("programme", "to open in", [-done], [-float(programme.number)], [[name]])
    if given.on("choice"):
        check_choices(given, plan, book)
    if given.on("fill"):
        check_fill(given, state, book)
    if given.on("kindergarten"):
        check_kindergartens(given, state, book)
    if given.on("floors"):
        for stage in (KINDERGARTEN, SENIOR):
            floor(given, book, f"{stage}_enrolment", *enrolled(given, plan, stage))
        public, inclusive, total = kindergartens(given, state)
        floor(given, book, "kindergarten_public", public, total)
        floor(given, book, "kindergarten_inclusive", inclusive, total)
    if given.on("class_size"):
        check_class_size(given, state, book)


def check_choices(given: CertificateData, plan: Decisions, book: Ledger) -> None:
    """Count the copies of every choice's projects in use by its date, against least and most."""
    first = given.projects.rows.groupby("project", sort=False).first()
    for name, choice in given.settings.choices.items():
        day = given.calendar.dates[-1] if choice.by is None else str(choice.by)
        k = given.calendar.last_on_or_before(day)
        in_use = 0.0
        for m, project in enumerate(given.projects.names):
            candidate = first["status"][project] == "candidate"
            of_kind = candidate and first["kind"][project] in choice.kinds
            if k >= 0 and (of_kind or project in choice.projects):
                in_use += float(plan.opened[m, k])
        book.at_most("choice", "to open of", [-in_use], [-float(choice.least)], [[name]])
        if choice.most is not None:
            book.at_most("choice", "in use of", [in_use], [float(choice.most)], [[name]])


def check_fill(given: CertificateData, state: Derived, book: Ledger) -> None:
    """Check pupils of public schools against the least share of the seats that they keep open."""
    providers = given.providers
    share = given.stepped(given.settings.policy.public_fill_share)
    known = ~np.isnan(share)
    asked = np.where(known, share, 0.0) * state.public_seats
    where = providers.public[:, None] & known
    axes = [providers.names, given.years]
    book.at_most("fill", "pupils of", -state.total[:, 1:], -asked, axes, where=where)


def floor(given: CertificateData, book: Ledger, name: str, part: Floats, whole: Floats) -> None:
    """Check ``part >= floor * whole`` where the rule is in force and the whole is known."""
    least = given.stepped(getattr(given.settings.floors, name)) * whole
    known = ~np.isnan(least)
    book.at_most("floors", name, -part, -least, [given.years], where=known)


def check_share(given: CertificateData, plan: Decisions, state: Derived, book: Ledger) -> None:
    """Check counted private pupils against the cap on 31 December."""
    shares = read_shares(given, plan, state)
    cap = given.stepped(given.settings.policy.private_share_cap)
    most = cap * shares.enrolment[:, 1:]
    counted = shares.counted(given)[:, 1:]
    whole = given.settings.policy.share_scope == "whole"
    rows = np.arange(len(given.regions)) == len(given.counties)
    where = (rows == whole)[:, None] & ~np.isnan(cap)
    axes: Sequence[Sequence[object]] = [given.regions, given.years]
    book.at_most("share", "private pupils of", counted, most, axes, where=where)


def check_kindergartens(given: CertificateData, state: Derived, book: Ledger) -> None:
    """Check that sector shares of an area's kindergartens change by named decisions only."""
    providers = given.providers
    mine = np.array([n == KINDERGARTEN for n in given.stage_names], bool)[providers.stage]
    groups: dict[str, Bools] = {
        "public": mine & providers.public,
        "inclusive": mine & providers.inclusive,
        "other": mine & ~providers.public & ~providers.inclusive,
    }
    shape = (len(given.areas), len(given.years) + 1)
    pupils = {}
    for name, group in groups.items():
        pupils[name] = np.zeros(shape)
        np.add.at(pupils[name], providers.area[group], state.total[group])
    everyone = np.sum(list(pupils.values()), axis=0)
    extra = {name: np.zeros((shape[0], shape[1] - 1)) for name in groups}
    opened = state.added[groups["public"]]
    np.add.at(extra["public"], providers.area[groups["public"]], opened)
    for r, children in inclusive_rows(given, state.copies[:, 1:]):
        extra["inclusive"][given.projects.area[r]] += children
    ruled = (everyone[:, :1] > 0) if len(given.areas) else np.zeros((0, 1), bool)
    for name, some in pupils.items():
        share = ratio(some[:, :1], everyone[:, :1])
        most = share * everyone[:, 1:] + extra[name]
        axes = [given.areas, given.years]
        what = f"{name} kindergartens of"
        book.at_most("kindergarten", what, some[:, 1:], most, axes, where=ruled)


def check_class_size(given: CertificateData, state: Derived, book: Ledger) -> None:
    """Check large classes by county and stage against the ceiling."""
    cap = given.stepped(given.settings.policy.large_class_share)
    county = given.providers.county
    for s in np.flatnonzero(given.compulsory_stages):
        mine = (given.providers.stage == s)[:, None]
        large = given.by_county(np.where(mine, state.large_classes, 0.0), county)[:-1]
        classes = given.by_county(np.where(mine, state.classes, 0.0), county)[:-1]
        what = f"large {given.stage_names[s]} classes of"
        axes = [given.counties, given.years]
        book.at_most("class_size", what, large, cap * classes, axes, where=~np.isnan(cap))
