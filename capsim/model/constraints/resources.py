"""Resources: money, land and teachers are not spent beyond what there is."""

from __future__ import annotations

import numpy as np

from capsim.lp.expressions import Expression
from capsim.lp.program import Builder
from capsim.model.constraint_context import Formulation, add_limit
from capsim.model.costs import (
    COST_KINDS,
    MILLION,
    RECURRENT,
    base_pool,
    building_start,
    new_year_days,
    taken_over,
)
from capsim.model.data import limits_of, staffed_stages, teachers_at_most
from capsim.model.variables import previous


def define_money(m: Builder, f: Formulation) -> None:
    """Keep capital by calendar year and recurrent spending by school year within budgets.

    Recurrent are running costs, staff, purchase, hiring, boarding and leases.

    Rows
    ----
    money.capital
        Spending on capital in a calendar year, million RMB.
        Price: RMB of the budget: `capital`.
    money.recurrent
        Recurrent spending in a school year, million RMB.
        Price: RMB of the budget: `recurrent`.
    """
    lines, cells = f.ledger.lines, (len(f.given.space.counties), f.years)
    spent = [line.term(f.years) for line in lines if line.kind == "capital"]
    capital = Expression.of_terms(cells, spent)
    spent = [line.term(f.years) for line in lines if line.kind in RECURRENT or line.lease]
    fixed = f.ledger.fixed[[COST_KINDS.index(kind) for kind in RECURRENT], :, : f.years]
    recurrent = Expression.of_terms(cells, spent) + fixed.sum(axis=0)
    add_limit(m, f, "money.capital", "capital", capital, unit=MILLION)
    add_limit(m, f, "money.recurrent", "recurrent", recurrent, unit=MILLION)


def define_land(m: Builder, f: Formulation) -> None:
    """Keep land taken up by building starts within the quotas released so far.

    Rows
    ----
    land
        Land of candidates whose building has begun since the first quota is at most what was
        released.
        Price: mu: `land` (of one year's quota: that of all later rows as well).
    """
    given, projects = f.given, f.given.projects
    candidate = np.flatnonzero(projects.candidate[projects.row_project] & (projects.row_land > 0))
    opened = f.columns.open[projects.row_project[candidate]]
    earlier = previous(opened)
    i, k = np.nonzero(opened != earlier)
    row = candidate[i]
    county, land = projects.row_county[row], projects.row_land[row]
    start = np.searchsorted(new_year_days(given)[1:], building_start(given), side="right")[row, k]
    begins = start <= np.arange(f.years)[:, None, None]
    year, side, move = np.nonzero(np.broadcast_to(begins, (f.years, 2, len(row))))
    column = np.stack([opened[i, k], earlier[i, k]])[side, move]  # open on a date, and before it
    begun = np.where(side == 0, land[move], -land[move]) * Expression.of(column)
    taken = begun.group((county[move], year), (len(given.space.counties), f.years))
    add_limit(m, f, "land", "land", taken, cumulative=True)


def define_staff(m: Builder, f: Formulation) -> None:
    """Give every public pupil a teacher of a county and stage: on post, moved, on contract.

    Rows
    ----
    staff.need
        Public pupils ÷ pupils a post are at most the teachers.
        Price: none: a teacher lent for the year.
    staff.pool
        The pool is last year's who stay, those hired, those taken over with a school, and those who
        come from other stages and counties, less who leave for them.
        Price: none: a teacher given, who stays on.
    staff.leaving
        Only those leave for another stage or county who stay from last year or were taken over.
        Price: none: a teacher more who may move.
    staff.stages
        In a county as many come as leave.
        Price: none: what a teacher is worth in one stage and not in another.
    staff.counties
        In all counties together as many come as leave, stage by stage.
        Price: none: what a teacher is worth in one county and not in another.
    staff.county_share
        A year at most ``county_move_share`` of last year's pool leave a county for another.
        Price: none: a teacher more who may go to another county.
    staff.hires
        Limit on hiring.
        Price: `hire`.
    staff.posts
        Limit on posts; projects in use bring more.
        Price: `post`.
    staff.contract
        Limit on contract teachers; ``release_share`` of the teachers of private pupils who leave
        come on top.
        Price: `contract teacher`.
    staff.hires_used
        Where hires are said to be used up, they are.
    staff.posts_used
        Where posts are said to be used up, they are.
    staff.contract_used
        There nobody can be hired on contract either.
    staff.one_used
        One of the two is enough.
    staff.none_idle
        There every teacher is needed.
    """
    x, axis, given = f.x, f.axis, f.given
    space, providers, settings = given.space, given.providers, given.scenario.settings
    counties, county, stage = len(space.counties), providers.county, providers.stage
    staffed = staffed_stages(given)[stage]
    per_post = space.by_stage("pupils_per_post")[stage][:, None]
    shape = counties, len(f.stage_names), f.years
    of_stage = np.where(staffed, county, -1), stage
    of_pool = of_stage, shape[:2], [axis.county, axis.stage]
    needed = (x.public_pupils / per_post).group(*of_pool)
    m.add("staff.need", needed <= x.pool + x.contract_teachers, x.pool.exists)

    kept = settings.staff.stay
    start = np.zeros(shape)
    start[..., 0] = base_pool(given)
    before = x.pool.previous() + start
    taken = (taken_over(given)[:, None] * x.handed_over).group(*of_pool)
    staying = kept * before + taken
    come, leave = x.to_stage + x.to_county, x.from_stage + x.from_county
    m.add("staff.pool", x.pool == staying + x.hired + come - leave, x.pool.exists)
    m.add("staff.leaving", leave <= staying, leave.exists)
    inside = x.to_stage.sum(1)
    m.add("staff.stages", inside == x.from_stage.sum(1), inside.exists)
    across = x.to_county.sum(0)
    m.add("staff.counties", across == x.from_county.sum(0), across.exists)
    share = settings.staff.county_move_share
    if share is not None:
        gone = x.from_county.sum(1)
        m.add("staff.county_share", gone <= share * before.sum(1), gone.exists)
    hired, pool, contract = (of.sum(1) for of in (x.hired, x.pool, x.contract_teachers))
    add_limit(m, f, "staff.hires", "hires", hired)

    projects, of_county = given.projects, (counties, [axis.county])
    posts = projects.row_posts[:, None] * x.open[projects.row_project]
    more = posts.group(projects.row_county, *of_county)
    add_limit(m, f, "staff.posts", "posts", pool - more)

    pupils = providers.pupils[:, None]
    who = (providers.levered & staffed)[:, None] & (pupils > 0)
    per_pupil = np.where(who, providers.staff[:, None] / np.where(pupils > 0, pupils, 1.0), 0.0)
    released = settings.policy.release_share * per_pupil
    leaving = released * (pupils * (1 - x.converted) - x.fee - x.purchased)
    free = leaving.group(county, *of_county)
    add_limit(m, f, "staff.contract", "contract_teachers", contract - free)

    hires_limit, posts_limit, contract_limit = (
        limits_of(given, kind)[0] for kind in ("hires", "posts", "contract_teachers")
    )
    may = x.converted.exists.any(axis=1)
    brings = projects.row_posts * projects.count[projects.row_project]
    most = np.bincount(projects.row_county, weights=brings, minlength=counties)[:, None]
    most_free = np.bincount(county, weights=np.ravel(released * pupils), minlength=counties)
    most_free = most_free[:, None]
    used, either = x.hires_used + x.posts_used, 1 - x.hires_used - x.posts_used
    m.add("staff.hires_used", hired >= hires_limit * x.hires_used, x.hires_used.exists)
    m.add(
        "staff.posts_used",
        pool - more >= posts_limit - (posts_limit + most) * (1 - x.posts_used),
        x.posts_used.exists,
    )
    m.add(
        "staff.contract_used",
        contract - free >= contract_limit - (contract_limit + most_free) * either,
        used.exists,
    )
    m.add("staff.one_used", used <= 1, x.hires_used.exists & x.posts_used.exists)
    takes_most = np.bincount(county, weights=taken_over(given) * may, minlength=counties)
    start_most = base_pool(given).sum(axis=1) + takes_most
    come_most = np.where(f.columns.to_county >= 0, teachers_at_most(given), 0.0).sum(axis=1)
    hired_most = start_most[:, None] + np.cumsum(hires_limit + come_most, axis=1)
    pool_most = np.fmin(hired_most, posts_limit + most)
    teachers_most = pool_most + contract_limit + most_free
    m.add(
        "staff.none_idle",
        pool + contract <= needed.sum(1) + teachers_most * either,
        used.exists & ~np.isnan(teachers_most),
    )
