"""The rules of a scenario by name, each of which can be held, bent at a price, or dropped.

A policy owns columns of one wide program: at their *held* bounds the rule is in force; with *free*
bounds it is gone; bent, it is free and each unit costs. Most of these columns are reliefs (one unit
more of what there is, see :mod:`capsim.optimize.relief`); others are the model's own, such as the
children without a place.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.sparse import csc_array, hstack

from capsim.lp.arrays import Index, Text
from capsim.optimize.explain.policy import LIMITS, Policy, cut_down, relieved
from capsim.optimize.model import Model
from capsim.optimize.relief import (
    Relief,
    cap,
    cap_enrolment,
    land,
    no_members,
    provider_places,
    row_relief,
)
from capsim.optimize.said import Said


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
        Said("no private school goes on below its least size"),
        ("pupils", 1.0),
        Said("{who} has {amount} pupils fewer than its smallest size in {year}"),
        Said("private schools may go on with fewer pupils than their least size, {amount} in all"),
    )
    yield _rows(
        model,
        ("admission",),
        "admission plans",
        Said("no private school admits more than its plan"),
        ("children", 1.0),
        Said("{who} would have to admit {amount} children above its plan in {year}"),
        Said("private schools may admit {amount} children above their plans"),
    )
    yield _rows(
        model,
        ("kindergarten",),
        "kindergarten shares",
        Said("sector shares in kindergartens stay, but for openings and those turned inclusive"),
        ("children", 1.0),
        Said("{who} misses its kindergarten shares by {amount} children in {year}"),
        Said("kindergartens may depart from their sector shares by {amount} children"),
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
        Said("children who may not board go no farther than day pupils may"),
        ("children", 1.0),
        Said("{who} has {amount} children too far from every school within reach in {year}"),
        Said("{amount} children go farther than day pupils may, all years together"),
    )
    yield _rows(
        model,
        ("catchment.whole",),
        "catchments",
        Said("every neighbourhood goes to one public school, and no catchment has islands")
        if settings.catchments.connected
        else Said("every neighbourhood goes to one public school"),
        ("children", 1.0),
        Said(
            "{who} sends {amount} children to another school than that of their catchment in {year}"
        ),
        Said(
            "{amount} children go to another school than that of their catchment, all years"
            " together"
        ),
    )
    yield _rows(
        model,
        ("boarding.school", "boarding.area"),
        "boarding places",
        Said("no more children board than there are boarding places"),
        ("places", 1.0),
        Said("{who} lacks {amount} boarding places in {year}"),
        Said("{amount} more boarding places stand ready, all years together"),
    )
    yield _rows(
        model,
        ("class_size.limit",),
        "class size",
        Said("the share of large classes stays below its limit"),
        ("classes", 45.0),
        Said("{who} has {amount} large classes too many in {year}"),
        Said("{amount} more classes may be large ones"),
    )
    yield _due(model)
    yield _places(model)
    for block in dict.fromkeys(b.name for b in model.program.rows if b.name.startswith("floors.")):
        floor = block.removeprefix("floors.").replace("_", " ")
        yield _rows(
            model,
            (block,),
            f"floor {floor}",
            Said("the floor on {floor} is kept", {"floor": floor}),
            ("children", 1.0),
            Said(
                "the floor on {floor} is missed by {amount} children on 31 December {year}",
                {"floor": floor},
            ),
            Said("the floor on {floor} is lower by {amount} children", {"floor": floor}),
        )
    for name, programme in settings.programmes.items():
        mine = _rows(
            model,
            ("programme",),
            f"programme {name}",
            Said(
                "programme {programme} has {number} projects in use by {by}",
                {"number": float(programme.number), "programme": name, "by": str(programme.by)},
            ),
            ("projects", 500.0),
            Said("programme {programme} is {amount} projects short", {"programme": name}),
            Said("programme {programme} is {amount} projects smaller", {"programme": name}),
        )
        yield cut_down(mine, mine.members["name"] == name)
    yield from _caps(model)
    yield _rows(
        model,
        ("reduction",),
        "reduction",
        Said(
            "{number} fewer pupils count as private on 1 September {year}",
            {"number": float(policy.reduction), "year": int(policy.reduction_year or 0)},
        ),
        ("pupils", 1.0),
        Said("the ordered reduction is missed by {amount} pupils on 1 September {year}"),
        Said("the ordered reduction is {amount} pupils smaller, {level}"),
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
        says=Said("every child has a place"),
        unit="children",
        weight=1.0,
        lacks=Said("{who} leaves {amount} children without a place in {year}"),
        cure=Said("{amount} children go without a place, all years together"),
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
    says: Said,
    unit: tuple[str, float],
    lacks: Said,
    cure: Said,
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
        one = Relief(
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
                Said(
                    "at most {share} % of compulsory pupils count as private in each county from"
                    " 31 December {year}"
                )
                if by_county
                else Said(
                    "at most {share} % of compulsory pupils count as private from 31 December"
                    " {year}"
                )
            ).filled(share=share, year=year),
            ("percentage points", float(np.abs(one.matrix.data).sum())),
            Said(
                "the cap on the private share from {year} is missed by {amount} percentage points"
            ),
            Said("the cap of {share} % from {year} moves to {level} %").filled(
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
        Relief("purchase", "places", members, relief, np.zeros(len(column))),
        "purchase",
        Said("no more places are bought than are for sale under the ceilings")
        if for_sale
        else Said("no place is bought in private schools"),
        ("places", 1.0),
        Said("{who} would have to buy {amount} places more than it may in {year}"),
        Said("{amount} more places are bought in private schools, all years together")
        if for_sale
        else Said("{amount} places are bought in private schools, all years together"),
    )


def _places(model: Model) -> Policy:
    """Places beyond those there are: public ones, and of private kindergartens and the like."""
    seats = bool(model.given.scenario.settings.switches.seats)
    public, _ = provider_places(model)
    private = row_relief(model, "seats", "places", ("seats.other_private",))
    members = pd.concat([public.members, private.members], ignore_index=True)
    matrix = csc_array(hstack([public.matrix, private.matrix], format="csc"))
    relief = Relief("seats", "places", members, matrix, np.zeros(len(members)))
    made = relieved(
        relief,
        "seats",
        Said("there are no more places than stand or are planned"),
        ("places", 1.0),
        Said("{who} lacks {amount} places on 1 September {year}"),
        Said("{amount} more places stand ready, all years together"),
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
        says=Said("ordered projects are open by the dates on which they are due"),
        unit="openings late",
        weight=500.0,
        lacks=Said("project {who} is late in {year}"),
        cure=Said("{things} ordered projects open late"),
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
            Said(
                "schools that must convert have done so by autumn {year}",
                {"year": int(policy.conversion_due_year or 0)},
            ),
            Said("{things} schools that must convert do so late"),
            program.lower[column] > 0,
            -1.0,
        ),
        (
            "first conversions",
            Said(
                "no school converts before autumn {year}",
                {"year": int(policy.conversion_earliest_year or 0)},
            ),
            Said("{things} schools convert earlier"),
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
            lacks=Said("school {who} departs from its conversion date in {year}"),
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
