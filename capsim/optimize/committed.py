"""What is spent whatever is decided: staff there already, schools running and ordered."""

from __future__ import annotations

import numpy as np

from capsim.lp.arrays import Array
from capsim.optimize.families.staff import base_pool
from capsim.optimize.ledger import KINDS, MILLION
from capsim.optimize.parts import Parts


def committed_costs(parts: Parts) -> Array:
    """Return committed amounts ``[kind, county, year]`` in million RMB, undiscounted.

    Staff of the base year less attrition; the allowance of all children at the base-year public
    share; capital and running costs of projects that are not candidates, opened at their last
    allowed date (see ``docs/model.md``).
    """
    given = parts.given
    space, settings, years = given.space, given.scenario.settings, parts.years
    out = np.zeros((len(KINDS), len(space.counties), years + 1))
    kept = (1.0 - settings.staff.attrition) ** np.arange(1, years + 1)
    out[KINDS.index("staff"), :, :years] = (
        settings.costs.teacher_cny * base_pool(parts)[:, None] * kept
    )
    running = out[KINDS.index("running")]
    running[:, :years] += _allowance(parts)
    _add_projects(parts, out)
    return out / MILLION


def _allowance(parts: Parts) -> Array:
    """Allow for all children at the whole's base-year public share, ``[county, year]``."""
    space, providers = parts.given.space, parts.given.providers
    stages = len(space.stages)
    pupils = providers.rolls.sum(axis=1)
    everyone = np.bincount(providers.stage, weights=pupils, minlength=stages)
    public = np.bincount(
        providers.stage[providers.public], weights=pupils[providers.public], minlength=stages
    )
    share = np.divide(public, everyone, out=np.zeros(stages), where=everyone > 0)
    rate = (share * space.by_stage("allowance_cny"))[space.grade_stage]
    by_area = np.einsum("agt,g->at", space.children, rate)
    out = np.zeros((len(space.counties), parts.years))
    np.add.at(out, space.county, by_area)
    return out


def _add_projects(parts: Parts, out: Array) -> None:
    given, projects = parts.given, parts.given.projects
    last = projects.last_check[projects.row_project]
    ordered = ~projects.candidate[projects.row_project] & (last < given.dates.count)
    copies = projects.count[projects.row_project]
    row = np.flatnonzero(ordered)
    in_use = given.dates.autumn >= last[row, None]
    running = in_use * (projects.row_running * copies)[row, None]
    yearly = out[KINDS.index("running"), :, : parts.years]
    np.add.at(yearly, projects.row_county[row], running)
    spent = parts.ledger.spending
    due = ordered[spent.row] & (spent.check == last[spent.row])
    county, amount = (
        projects.row_county[spent.row[due]],
        (spent.amount_cny * copies[spent.row])[due],
    )
    np.add.at(out[KINDS.index("capital")], (county, spent.year[due]), amount)
