"""The variables of the plan: blocks of columns, and arrays that tell which column is which.

An entry of ``-1`` means that there is no such variable (it is the constant 0): a school that
cannot convert has ``converted == -1`` at every check date.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capsim.lp.arrays import Flag, Index, Text
from capsim.lp.labels import Along, Labels
from capsim.lp.program import Builder
from capsim.model.data import ModelData
from capsim.model.links import Catchments, Links, catchments_of


@dataclass(frozen=True)
class Seats:
    """Provider × band pairs: which provider and band, and where the band before it is."""

    provider: Index
    band: Index
    before: Index
    """Position of the same provider's band before; -1 in the first band of a stage."""


@dataclass(frozen=True)
class Variables:
    """Column indices by meaning; see ``docs/model.md`` for each.

    Shapes: ``t`` planned year, ``k`` check date, ``j`` provider, ``m`` project, ``c`` county.
    """

    seats: Seats
    flow: Index
    """``[link × band, t]``"""
    shortfall: Index
    """``[area, band, t]``"""
    pupils: Index
    """``[provider × band, t]``"""
    displaced: Index
    """``[provider × band, t]``"""
    fee: Index
    purchased: Index
    public: Index
    fee_december: Index
    purchased_december: Index
    overfill: Index
    phase_out: Index
    closed: Index
    contract: Index
    contract_start: Index
    large_classes: Index
    """These ``[j, t]``."""
    converted: Index
    """``[j, k]``"""
    open: Index
    """``[m, k]``"""
    pool: Index
    hired: Index
    contract_teachers: Index
    """``[c, t]``"""
    catchments: Catchments
    assigned: Index
    """``[pair, epoch]``"""
    passage: Index
    """``[step, epoch]``"""


def seat_pairs(given: ModelData) -> Seats:
    """List every provider × band of its stage, providers in order."""
    space, stage = given.space, given.providers.stage
    bands_of = [np.flatnonzero(space.bands.stage == s) for s in range(len(space.stages))]
    sizes = (
        np.array([len(b) for b in bands_of], np.int64)[stage]
        if len(stage)
        else np.zeros(0, np.int64)
    )
    provider = np.repeat(np.arange(len(stage)), sizes)
    band = np.concatenate([bands_of[s] for s in stage]) if len(stage) else np.zeros(0, np.int64)
    before = np.where(space.bands.first[band], -1, np.arange(len(band)) - 1)
    return Seats(provider, band, before)


def add_columns(m: Builder, given: ModelData, links: Links) -> Variables:
    """Add every block of variables, with its bounds."""
    space, dates, providers, projects = given.space, given.dates, given.providers, given.projects
    years = space.years
    T, M, C = len(years), len(projects.project), len(space.counties)
    seats = seat_pairs(given)
    school = school_texts(given)
    year = Along(1, years)

    def block(
        name: str,
        keep: Flag,
        *texts: Along,
        upper: float = np.inf,
        integer: bool = False,
    ) -> Index:
        """Add a block for the flagged members."""
        if not keep.any():
            return np.full(keep.shape, -1, np.int64)
        labels = Labels(keep, texts)
        index = m.variables(name, labels.members, upper=upper, integer=integer, labels=labels)
        if len(index) == keep.size:
            return index.reshape(keep.shape)
        out = np.full(keep.shape, -1, np.int64)
        out[keep] = index
        return out

    def per_year(flag: Flag) -> Flag:
        return np.repeat(flag[:, None], T, axis=1)

    pair = pair_texts(given, seats.provider, seats.band)
    county = Along(0, space.counties)
    compulsory_pair = space.compulsory[space.bands.stage[seats.band]] & (seats.before >= 0)
    public = providers.public
    levered = per_year(providers.levered)
    staffed = np.inf if given.scenario.settings.switches.staff else 0.0
    convertible = providers.levered & (providers.conversion != "no")
    purchasable = per_year(providers.levered & (providers.purchasable > 0))
    closing = per_year(providers.levered & (providers.min_pupils > 0))
    december = dates.december_year[None, :]
    fee = block("fee", levered, *school, year)
    purchased = block("purchased", purchasable, *school, year)
    fee_december = block("fee_december", levered & december, *school, year)
    purchased_december = block("purchased_december", purchasable & december, *school, year)
    ruled = catchments_of(given, links)
    drawn = Along(1, ruled.drawn)
    return Variables(
        seats=seats,
        flow=block("flow", np.ones((len(links.pair_link), T), bool), *links.texts(given), year),
        shortfall=block(
            "shortfall",
            np.ones(space.bands.children.shape, bool),
            Along(0, space.areas),
            Along(1, space.bands.name),
            Along(2, years),
        ),
        pupils=block("pupils", np.ones((len(seats.provider), T), bool), *pair, year),
        displaced=block("displaced", per_year(compulsory_pair), *pair, year),
        fee=fee,
        purchased=purchased,
        public=block("public", per_year(convertible), *school, year),
        fee_december=np.where(december, fee_december, fee),
        purchased_december=np.where(december, purchased_december, purchased),
        overfill=block("overfill", per_year(public | convertible), *school, year),
        phase_out=block("phase_out", closing, *school, year, upper=1.0, integer=True),
        closed=block("closed", closing, *school, year, upper=1.0, integer=True),
        contract=block("contract", purchasable, *school, year, upper=1.0, integer=True),
        contract_start=block("contract_start", purchasable, *school, year, upper=1.0),
        large_classes=block(
            "large_classes", per_year(public & space.compulsory[providers.stage]), *school, year
        ),
        converted=_converted(m, given, convertible),
        open=_open(m, given, M),
        pool=block("pool", np.ones((C, T), bool), county, year, upper=staffed),
        hired=block("hired", np.ones((C, T), bool), county, year, upper=staffed),
        contract_teachers=block(
            "contract_teachers", np.ones((C, T), bool), county, year, upper=staffed
        ),
        catchments=ruled,
        assigned=block(
            "assigned",
            np.ones((len(ruled.link), len(ruled.drawn)), bool),
            *ruled.texts(given),
            drawn,
            upper=1.0,
            integer=True,
        ),
        passage=block(
            "passage",
            np.ones((len(ruled.step_from), len(ruled.drawn)), bool),
            Along(0, space.areas, ruled.area[ruled.step_from]),
            *ruled.texts(given, ruled.step_to),
            drawn,
        ),
    )


def school_texts(given: ModelData) -> tuple[Along, Along]:
    """Name providers, the first axis of an array, by school and stage."""
    providers = given.providers
    return Along(0, providers.school), Along(0, given.space.stage_names, providers.stage)


def pair_texts(given: ModelData, provider: Index, band: Index) -> tuple[Along, Along, Along]:
    """Name provider × band pairs, the first axis of an array, by school, stage and band."""
    school, stage = school_texts(given)
    of_stage = given.providers.stage[provider]
    return (
        Along(0, school.names, provider),
        Along(0, stage.names, of_stage),
        Along(0, given.space.bands.name, band),
    )


def _converted(m: Builder, given: ModelData, convertible: Flag) -> Index:
    """Add conversions with their earliest and due dates as bounds, ``[j, k]``."""
    policy, dates = given.scenario.settings.policy, given.dates
    school_year = given.space.years[dates.year]
    keep = np.repeat(convertible[:, None], dates.count, axis=1)
    out = np.full(keep.shape, -1, np.int64)
    j, k = np.nonzero(keep)
    if not len(j):
        return out
    open_at = np.array([f"{policy.conversion_earliest_year}-09-01"], object)
    due_at = np.array([f"{policy.conversion_due_year}-09-01"], object)
    earliest, due = dates.index_of(open_at)[0], dates.index_of(due_at)[0]
    ruled = given.scenario.settings.switches.conversion
    must = given.providers.conversion[j] == "must"
    check = Along(1, _check_names(dates.date, school_year))
    out[j, k] = m.variables(
        "converted",
        len(j),
        lower=(must & (k >= due) & ruled).astype(float),
        upper=((k >= earliest) | (not ruled)).astype(float),
        integer=True,
        labels=Labels(keep, (*school_texts(given), check)),
    )
    return out


def _open(m: Builder, given: ModelData, count: int) -> Index:
    """Add copies of projects in use, ``[m, k]``; candidates change in autumn only."""
    dates, projects = given.dates, given.projects
    own = np.repeat(~projects.candidate[:, None], dates.count, axis=1)
    own[:, dates.autumn] = True
    i, k = np.nonzero(own)
    copies = projects.count[i]
    out = np.full((count, dates.count), -1, np.int64)
    out[i, k] = m.variables(
        "open",
        len(i),
        lower=np.where(k >= projects.last_check[i], copies, 0.0),
        upper=np.where(k >= projects.first_check[i], copies, 0.0),
        integer=True,
        labels=Labels(own, (Along(0, projects.project), Along(1, dates.date))),
    )
    autumn_of = dates.autumn[dates.year]
    return np.where(out < 0, out[:, autumn_of], out)


def _check_names(date: Text, school_year: Index) -> Text:
    return np.array(
        [str(y) if d.endswith("09-01") else d for d, y in zip(date, school_year, strict=True)],
        object,
    )
