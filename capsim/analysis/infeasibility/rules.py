"""A policy: a rule by name, what it says, and the columns by which it gives way.

The rules of a scenario by name, each of which can be held, bent at a price, or dropped.

A policy owns columns of one wide program: at their *held* bounds the rule is in force; with *free*
bounds it is gone; bent, it is free and each unit costs. Most of these columns are reliefs (one unit
more of what there is, see :mod:`capsim.analysis.relaxations`); others are the model's own, such
as the
children without a place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse import csc_array, hstack

from capsim.analysis.relaxations import (
    Relaxation,
    cap,
    cap_enrolment,
    land,
    no_members,
    provider_places,
    row_relief,
)
from capsim.i18n.message import Message
from capsim.lp.arrays import Array, Index, Text
from capsim.model.model import Model

Bounds = tuple[Array, Array]
MINOR = (
    *("smallest school", "admission plans", "kindergarten shares", "conversions due"),
    *("first conversions", "class size", "projects due"),
)


@dataclass(frozen=True)
class Policy:
    """A rule by name, what it says, and what it means to bend it.

    Attributes
    ----------
    name, unit : str
    says : Message
        Completes "These cannot all hold: …".
    weight : float
        Of a unit, beside one place.
    lacks : Message
        A sentence of one gap, with ``{who}``, ``{amount}`` and ``{year}``.
    cure : Message
        Completes "it would be enough if …", with ``{amount}`` (and ``{level}`` where a level is
        known; ``{things}`` is how many projects or schools give way).
    members : frame
        Whose each of its columns is, as in :class:`~capsim.analysis.relaxations.Relaxation`.
    relief : sparse ``[row, member]``, or None
        Columns to be added to the program; else ``columns`` are the model's own.
    held, free : bounds of its columns
    sign : float64 ``[member]``
        Units per column; −1 where the rule asks for a column to be at its upper bound.
    level : float, optional
        What the rule asks for, in its unit, where that is one number that bending adds to.
    """

    name: str
    says: Message
    unit: str
    weight: float
    lacks: Message
    cure: Message
    members: pd.DataFrame
    held: Bounds
    free: Bounds
    sign: Array
    relief: csc_array | None = None
    columns: Index | None = None
    level: float | None = None

    @property
    def minor(self) -> bool:
        """Whether the rule is seldom the point, and is left out first."""
        return self.name in MINOR

    def bent(self, value: Array) -> Array:
        """Units by which each member gives way at these values of its columns."""
        side = np.where(self.sign > 0, self.held[1], self.held[0])
        return np.maximum(self.sign * (value - side), 0.0)


def relieved(
    relief: Relaxation,
    name: str,
    says: Message,
    unit: tuple[str, float],
    lacks: Message,
    cure: Message,
    *,
    level: float | None = None,
) -> Policy:
    """Make a policy that gives way by the columns of a relief."""
    count = len(relief.members)
    zero = np.zeros(count)
    return Policy(
        name=name,
        says=says,
        unit=unit[0],
        weight=unit[1],
        lacks=lacks,
        cure=cure,
        members=relief.members,
        held=(zero, zero),
        free=(zero, np.full(count, np.inf)),
        sign=np.ones(count),
        relief=relief.matrix,
        level=level,
    )


def cut_down(policy: Policy, keep: pd.Series) -> Policy:
    """Cut a relieved policy down to some of its members."""
    assert policy.relief is not None
    at = np.flatnonzero(keep.to_numpy(bool))
    relief = Relaxation(
        policy.name,
        policy.unit,
        policy.members.iloc[at].reset_index(drop=True),
        csc_array(policy.relief[:, at]),
        np.zeros(len(at)),
    )
    unit = (policy.unit, policy.weight)
    return relieved(relief, policy.name, policy.says, unit, policy.lacks, policy.cure)


@dataclass(frozen=True)
class Limit:
    """The rule of a kind of limits: its rows and its words."""

    rows: str
    says: Message
    unit: str
    weight: float
    lacks: Message
    cure: Message

    def arguments(
        self, name: str
    ) -> tuple[tuple[str, ...], str, Message, tuple[str, float], Message, Message]:
        """Give what `policies` makes a rule of rows from."""
        return (self.rows,), name, self.says, (self.unit, self.weight), self.lacks, self.cure


LIMITS = {
    "hires": Limit(
        "staff.hires",
        Message("no more teachers are hired than the limits allow"),
        "teachers",
        16.0,
        Message("{who} lacks {amount} teachers that may be hired in {year}"),
        Message("{amount} more teachers are hired, all years together"),
    ),
    "posts": Limit(
        "staff.posts",
        Message("no more posts than authorised"),
        "posts",
        16.0,
        Message("{who} lacks {amount} posts in {year}"),
        Message("{amount} more posts are authorised, all years together"),
    ),
    "contract teachers": Limit(
        "staff.contract",
        Message("no more contract teachers than the limits allow"),
        "teachers",
        16.0,
        Message("{who} lacks {amount} contract teachers in {year}"),
        Message("{amount} more contract teachers are taken on, all years together"),
    ),
    "capital": Limit(
        "money.capital",
        Message("building stays within the capital budgets"),
        "million RMB",
        5.0,
        Message("{who} lacks {amount} million RMB of capital in {year}"),
        Message("{amount} million RMB more of capital are given"),
    ),
    "recurrent money": Limit(
        "money.recurrent",
        Message("running costs stay within the recurrent budgets"),
        "million RMB",
        5.0,
        Message("{who} lacks {amount} million RMB of recurrent money in school year {year}"),
        Message("{amount} million RMB more of recurrent money are given, all years together"),
    ),
    "land": Limit(
        "land",
        Message("no more land is built on than released"),
        "mu",
        30.0,
        Message("{who} lacks {amount} mu of land by {year}"),
        Message("{amount} mu more of land are released"),
    ),
}


def policies(model: Model) -> tuple[Policy, ...]:
    """List the rules that a scenario has, those first that are least missed in an explanation."""
    return tuple(policy for policy in _all(model) if len(policy.members))


def _all(model: Model) -> Iterator[Policy]:
    settings = model.given.scenario.settings
    policy = settings.policy
    yield _children(model)
    yield _rows(
        model,
        ("closure.too_small",),
        "smallest school",
        Message("no private school goes on below its least size"),
        ("pupils", 1.0),
        Message("{who} has {amount} pupils fewer than its smallest size in {year}"),
        Message(
            "private schools may go on with fewer pupils than their least size, {amount} in all"
        ),
    )
    yield _rows(
        model,
        ("admission",),
        "admission plans",
        Message("no private school admits more than its plan"),
        ("children", 1.0),
        Message("{who} would have to admit {amount} children above its plan in {year}"),
        Message("private schools may admit {amount} children above their plans"),
    )
    yield _rows(
        model,
        ("kindergarten",),
        "kindergarten shares",
        Message("sector shares in kindergartens stay, but for openings and those turned inclusive"),
        ("children", 1.0),
        Message("{who} misses its kindergarten shares by {amount} children in {year}"),
        Message("kindergartens may depart from their sector shares by {amount} children"),
    )
    yield from _conversions(model)
    for kind, words in LIMITS.items():
        if kind == "land":
            relief = land(model)
            yield relieved(relief, kind, words.says, ("mu", 30.0), words.lacks, words.cure)
        else:
            yield _rows(model, *words.arguments(kind))
    yield _purchase(model)
    yield _rows(
        model,
        ("boarding.day",),
        "day travel",
        Message("children who may not board go no farther than day pupils may"),
        ("children", 1.0),
        Message("{who} has {amount} children too far from every school within reach in {year}"),
        Message("{amount} children go farther than day pupils may, all years together"),
    )
    yield _rows(
        model,
        ("catchment.whole",),
        "catchments",
        Message("every neighbourhood goes to one public school, and no catchment has islands")
        if settings.catchments.connected
        else Message("every neighbourhood goes to one public school"),
        ("children", 1.0),
        Message(
            "{who} sends {amount} children to another school than that of their catchment in {year}"
        ),
        Message(
            "{amount} children go to another school than that of their catchment, all years"
            " together"
        ),
    )
    yield _rows(
        model,
        ("boarding.school", "boarding.area"),
        "boarding places",
        Message("no more children board than there are boarding places"),
        ("places", 1.0),
        Message("{who} lacks {amount} boarding places in {year}"),
        Message("{amount} more boarding places stand ready, all years together"),
    )
    yield _rows(
        model,
        ("class_size.limit",),
        "class size",
        Message("the share of large classes stays below its limit"),
        ("classes", 45.0),
        Message("{who} has {amount} large classes too many in {year}"),
        Message("{amount} more classes may be large ones"),
    )
    yield _due(model)
    yield _places(model)
    for block in dict.fromkeys(b.name for b in model.program.rows if b.name.startswith("floors.")):
        floor = block.removeprefix("floors.")
        yield _rows(
            model,
            (block,),
            "floor " + floor.replace("_", " "),
            Message("the floor on {floor} is kept", {"floor": floor}),
            ("children", 1.0),
            Message(
                "the floor on {floor} is missed by {amount} children on 31 December {year}",
                {"floor": floor},
            ),
            Message("the floor on {floor} is lower by {amount} children", {"floor": floor}),
        )
    for name, programme in settings.programmes.items():
        mine = _rows(
            model,
            ("programme",),
            f"programme {name}",
            Message(
                "programme {programme} has {number} projects in use by {by}",
                {"number": float(programme.number), "programme": name, "by": str(programme.by)},
            ),
            ("projects", 500.0),
            Message("programme {programme} is {amount} projects short", {"programme": name}),
            Message("programme {programme} is {amount} projects smaller", {"programme": name}),
        )
        yield cut_down(mine, mine.members["name"] == name)
    yield from _caps(model)
    yield _rows(
        model,
        ("reduction",),
        "reduction",
        Message(
            "{number} fewer pupils count as private on 1 September {year}",
            {"number": float(policy.reduction), "year": int(policy.reduction_year or 0)},
        ),
        ("pupils", 1.0),
        Message("the ordered reduction is missed by {amount} pupils on 1 September {year}"),
        Message("the ordered reduction is {amount} pupils smaller, {level}"),
        level=-float(policy.reduction),
    )


def _children(model: Model) -> Policy:
    space, column = model.given.space, model.columns.shortfall
    members = no_members(column.size)
    a, b, t = (index.ravel() for index in np.indices(column.shape))
    members["area"] = space.areas[a]
    members["county"] = space.counties[space.county[a]]
    members["stage"] = model.parts.stage_names[space.bands.stage[b]]
    members["year"] = space.years[t]
    zero, count = np.zeros(column.size), column.size
    return Policy(
        name="every child",
        says=Message("every child has a place"),
        unit="children",
        weight=1.0,
        lacks=Message("{who} leaves {amount} children without a place in {year}"),
        cure=Message("{amount} children go without a place, all years together"),
        members=members,
        held=(zero, zero),
        free=(zero, np.full(count, np.inf)),
        sign=np.ones(count),
        columns=column.ravel(),
    )


def _rows(
    model: Model,
    blocks: tuple[str, ...],
    name: str,
    says: Message,
    unit: tuple[str, float],
    lacks: Message,
    cure: Message,
    *,
    level: float | None = None,
) -> Policy:
    relief = row_relief(model, name, unit[0], blocks)
    return relieved(relief, name, says, unit, lacks, cure, level=level)


def _caps(model: Model) -> Iterator[Policy]:
    if not len(model.program.rows_of("share.cap")):
        return
    policy = model.given.scenario.settings.policy
    relief = cap(model, cap_enrolment(model))
    by_county = policy.share_scope == "county"
    for at, year in enumerate(relief.members["year"].tolist()):
        share = 100 * policy.private_share_cap[year]
        one = Relaxation(
            relief.kind,
            relief.unit,
            relief.members.iloc[[at]].reset_index(drop=True),
            csc_array(relief.matrix[:, [at]]),
            np.zeros(1),
        )
        yield relieved(
            one,
            f"private share {year}",
            (
                Message(
                    "at most {share} % of compulsory pupils count as private in each county from"
                    " 31 December {year}"
                )
                if by_county
                else Message(
                    "at most {share} % of compulsory pupils count as private from 31 December"
                    " {year}"
                )
            ).filled(share=share, year=year),
            ("percentage points", float(np.abs(one.matrix.data).sum())),
            Message(
                "the cap on the private share from {year} is missed by {amount} percentage points"
            ),
            Message("the cap of {share} % from {year} moves to {level} %").filled(
                share=share, year=year
            ),
            level=share,
        )


def _purchase(model: Model) -> Policy:
    """Places bought beyond what is for sale: fee-paying pupils who do not count as private."""
    given, v = model.given, model.columns
    count_private = given.scenario.settings.policy.purchased_counts_as_private
    flag = (v.fee >= 0) & (not count_private)
    column = v.fee[flag]
    j, t = np.nonzero(flag)
    matrix = model.program.matrix[:, column].tocoo()
    kept = np.zeros(model.program.matrix.shape[0], bool)
    for family in ("placement", "seats", "staff"):
        kept[model.program.rows_of(family)] = True
    own = kept[matrix.row]
    relief = csc_array((matrix.data[own], (matrix.row[own], matrix.col[own])), shape=matrix.shape)
    providers, space = given.providers, given.space
    members = no_members(len(column))
    members["area"] = space.areas[providers.area[j]]
    members["county"] = space.counties[providers.county[j]]
    members["stage"] = model.parts.stage_names[providers.stage[j]]
    members["name"] = providers.school[j]
    members["year"] = space.years[t]
    for_sale = bool((v.contract >= 0).any())
    return relieved(
        Relaxation("purchase", "places", members, relief, np.zeros(len(column))),
        "purchase",
        Message("no more places are bought than are for sale under the ceilings")
        if for_sale
        else Message("no place is bought in private schools"),
        ("places", 1.0),
        Message("{who} would have to buy {amount} places more than it may in {year}"),
        Message("{amount} more places are bought in private schools, all years together")
        if for_sale
        else Message("{amount} places are bought in private schools, all years together"),
    )


def _places(model: Model) -> Policy:
    """Places beyond those there are: public ones, and of private kindergartens and the like."""
    seats = bool(model.given.scenario.settings.switches.seats)
    public, _ = provider_places(model)
    private = row_relief(model, "seats", "places", ("seats.other_private",))
    members = pd.concat([public.members, private.members], ignore_index=True)
    matrix = csc_array(hstack([public.matrix, private.matrix], format="csc"))
    relief = Relaxation("seats", "places", members, matrix, np.zeros(len(members)))
    made = relieved(
        relief,
        "seats",
        Message("there are no more places than stand or are planned"),
        ("places", 1.0),
        Message("{who} lacks {amount} places on 1 September {year}"),
        Message("{amount} more places stand ready, all years together"),
    )
    return made if seats else cut_down(made, pd.Series(np.zeros(len(members), bool)))


def _due(model: Model) -> Policy:
    """Ordered projects that may open late, or never."""
    given, program = model.given, model.program
    column, name, k = _own_columns(model, model.columns.open, given.projects.project)
    late = program.lower[column] > 0
    members = no_members(int(late.sum()))
    members["name"] = name[late]
    members["year"] = given.space.years[given.dates.year[k[late]]]
    low, high = program.lower[column[late]], program.upper[column[late]]
    return Policy(
        name="projects due",
        says=Message("ordered projects are open by the dates on which they are due"),
        unit="openings late",
        weight=500.0,
        lacks=Message("project {who} is late in {year}"),
        cure=Message("{things} ordered projects open late"),
        members=members,
        held=(low, high),
        free=(np.zeros(len(low)), high),
        sign=-np.ones(len(low)),
        columns=column[late],
    )


def _conversions(model: Model) -> Iterator[Policy]:
    given, program = model.given, model.program
    policy = given.scenario.settings.policy
    column, name, k = _own_columns(model, model.columns.converted, given.providers.school)
    for kind, says, cure, flag, sign in (
        (
            "conversions due",
            Message(
                "schools that must convert have done so by autumn {year}",
                {"year": int(policy.conversion_due_year or 0)},
            ),
            Message("{things} schools that must convert do so late"),
            program.lower[column] > 0,
            -1.0,
        ),
        (
            "first conversions",
            Message(
                "no school converts before autumn {year}",
                {"year": int(policy.conversion_earliest_year or 0)},
            ),
            Message("{things} schools convert earlier"),
            program.upper[column] < 1,
            1.0,
        ),
    ):
        at = column[flag]
        members = no_members(len(at))
        members["name"] = name[flag]
        members["year"] = given.space.years[given.dates.year[k[flag]]]
        yield Policy(
            name=kind,
            says=says,
            unit="conversions",
            weight=300.0,
            lacks=Message("school {who} departs from its conversion date in {year}"),
            cure=cure,
            members=members,
            held=(program.lower[at], program.upper[at]),
            free=(np.zeros(len(at)), np.ones(len(at))),
            sign=np.full(len(at), sign),
            columns=at,
        )


def _own_columns(model: Model, columns: Index, names: Text) -> tuple[Index, Text, Index]:
    """Columns of an array ``[thing, check]`` once each, with the thing and the check date."""
    i, k = np.nonzero(columns >= 0)
    found, first = np.unique(columns[i, k], return_index=True)
    return found, names[i[first]], k[first]
