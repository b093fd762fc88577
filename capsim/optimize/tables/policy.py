"""Tables a mayor asks for: costs, private shares, the reduction and its parts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from capsim.lp.arrays import Array, Flag
from capsim.optimize.ledger import KINDS
from capsim.optimize.model import Model
from capsim.optimize.solved import Solved


def costs_table(model: Model, solved: Solved) -> pd.DataFrame:
    """Cost by kind, county and year, as paid, discounted, and the committed part."""
    ledger, space = model.parts.ledger, model.given.space
    shape = model.committed.shape
    amount = np.zeros(shape)
    np.add.at(
        amount,
        (ledger.kind, ledger.county, ledger.year),
        ledger.amount * solved.exact[ledger.column],
    )
    terms = model.given.scenario.settings.cost_terms
    used = np.array([bool(getattr(terms, kind)) for kind in KINDS])
    amount[~used] = 0.0
    kind, county, year = np.nonzero((amount != 0) | (model.committed != 0))
    factor = ledger.factor[year] * 1e6
    return pd.DataFrame(
        {
            "kind": np.array(KINDS, object)[kind],
            "county": space.counties[county],
            "school_year": int(space.years[0]) + year,
            "cost_cny": amount[kind, county, year] * 1e6,
            "discounted_cny": amount[kind, county, year] * factor,
            "committed_cny": model.committed[kind, county, year] * factor,
        }
    )


def shares_table(solved: Solved) -> pd.DataFrame:
    """Private share on 31 December, both ways of counting, whole and by county."""
    given = solved.parts.given
    space, providers, policy = given.space, given.providers, given.scenario.settings.policy
    counties, years = len(space.counties), solved.parts.years
    fee, bought = solved.fee_december, solved.purchased_december
    base = providers.rolls.sum(axis=1)
    who = providers.levered

    def by_county(array: Array, keep: Flag, start: Array) -> Array:
        out = np.zeros((counties, years + 1))
        np.add.at(out[:, 1:], providers.county[keep], array[keep])
        np.add.at(out[:, 0], providers.county[keep], start[keep])
        return np.concatenate([out.sum(axis=0, keepdims=True), out])

    excluding = by_county(fee, who, base)
    including = excluding + by_county(bought, who, np.zeros_like(base))
    if policy.share_denominator == "school":
        enrolment = by_county(solved.enrolled, space.compulsory[providers.stage], base)
    else:
        children = np.concatenate([space.base_children[..., None], space.children], axis=2)
        area = children[:, space.grade_compulsory].sum(axis=1)
        enrolment = np.zeros((counties, years + 1))
        np.add.at(enrolment, space.county, area)
        enrolment = np.concatenate([enrolment.sum(axis=0, keepdims=True), enrolment])
    some = enrolment > 0
    share = [
        np.divide(x, enrolment, out=np.zeros_like(x), where=some) for x in (excluding, including)
    ]
    all_years = np.concatenate([[given.scenario.base_year], space.years])
    return pd.DataFrame(
        {
            "county": np.repeat(np.concatenate([["*"], space.counties]).astype(object), years + 1),
            "school_year": np.tile(all_years, counties + 1),
            "enrolment": enrolment.ravel(),
            "private_excluding_purchased": excluding.ravel(),
            "private_including_purchased": including.ravel(),
            "share_excluding_purchased": share[0].ravel(),
            "share_including_purchased": share[1].ravel(),
        }
    )


def reduction_table(solved: Solved) -> pd.DataFrame:
    """Take the fall in counted private pupils since the base year apart, part by part."""
    given = solved.parts.given
    space, providers, policy = given.space, given.providers, given.scenario.settings.policy
    public = providers.public & space.compulsory[providers.stage]
    levered = providers.levered
    start = providers.rolls.sum(axis=1)
    pupils = solved.enrolled[public]
    places, new = providers.places[public][:, None], solved.seats_new[public]
    existing = np.minimum(pupils, places)
    existing_start = np.minimum(start[public], providers.places[public]).sum()
    seats_family = given.scenario.settings.switches.seats
    over_start = (
        np.maximum(start[public] - providers.places[public], 0.0).sum() if seats_family else 0.0
    )
    bought = solved.purchased[levered].sum(axis=0)
    counted = solved.fee[levered].sum(axis=0)
    if policy.purchased_counts_as_private:
        counted, bought = counted + bought, np.zeros_like(bought)
    everyone = start[space.compulsory[providers.stage]].sum()
    now = solved.enrolled[space.compulsory[providers.stage]].sum(axis=0)
    years = space.years
    return pd.DataFrame(
        {
            "school_year": years,
            "ordered": np.where(years == policy.reduction_year, float(policy.reduction), 0.0),
            "new_seats": np.minimum(pupils - existing, new).sum(axis=0),
            "converted": solved.public[levered].sum(axis=0),
            "purchased": bought,
            "overfilled": solved.overfill[public].sum(axis=0) - over_start,
            "existing_seats": existing.sum(axis=0) - existing_start,
            "fewer_pupils": everyone - now,
            "total": start[levered].sum() - counted,
        }
    )
