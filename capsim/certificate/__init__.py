"""Re-check a plan from the scenario, the demand and the plan's tables alone.

Every constraint of `docs/model.md` and every cell of the tables of `docs/results.md` is computed
again by code that shares nothing with the one that made the plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from capsim.certificate.costs import PlanLike, check_bound, check_costs, costs_by_kind, recurrent
from capsim.certificate.data import read_given
from capsim.certificate.decision_reader import Reader, read_decisions
from capsim.certificate.ledger import Certificate, Ledger
from capsim.certificate.places import check_places, derive
from capsim.certificate.policies import check_policies
from capsim.certificate.reported_tables import check_cells
from capsim.certificate.resources import (
    check_land,
    check_limits_used,
    check_money,
    check_openings,
    check_public_first,
    check_staff,
)
from capsim.certificate.travel import check_boarding, check_catchments, check_flows, read_links

if TYPE_CHECKING:
    from capsim.scenario.scenario import Scenario


__all__ = ["Certificate", "certify"]


def certify(scenario: Scenario, plan: PlanLike) -> Certificate:
    """Check a plan against a scenario, usually its own.

    Parameters
    ----------
    scenario : Scenario
        Rules, prices and what there is.
    plan : Plan
        Its ``demand`` (persons, ``[area, grade, year]``), ``tables``, ``status`` and totals are
        read, and rules that the user added with a check of their own; nothing else.

    Returns
    -------
    Certificate
        Rows checked, the largest violation and where it is. A plan whose status is neither
        ``optimal`` nor ``gap`` does not hold.

    Raises
    ------
    TypeError
        If one of the two is something else, such as a model that was not solved.
    ValueError
        If the demand lacks an area, a grade or a year of the scenario.
    """
    for needs, what, thing in (("table", "scenario", scenario), ("tables", "plan", plan)):
        if not hasattr(thing, needs):
            raise TypeError(f"expected a {what}, not a {type(thing).__name__}")
    book = Ledger()
    if plan.status not in ("optimal", "gap"):
        book.none_of("objective", "status says no plan", [plan.status], 1)
        return book.close()
    given = read_given(scenario, plan.demand)
    reader = Reader(plan.tables, book)
    decisions = read_decisions(given, reader)
    state = derive(given, decisions)
    links = read_links(given)
    ways = check_flows(given, links, decisions, reader)
    check_catchments(given, links, reader)
    check_places(given, decisions, state, book)
    if given.on("boarding"):
        check_boarding(given, ways, state, book)
    check_policies(given, decisions, state, book)
    costs = costs_by_kind(given, decisions, state, ways)
    if given.on("money"):
        check_money(given, costs["capital"], recurrent(costs), book)
    if given.on("land"):
        check_land(given, decisions, book)
    if given.on("staff"):
        check_staff(given, decisions, state, book)
    if given.on("public_first"):
        check_public_first(given, links, decisions, state, book)
    check_openings(given, decisions, book)
    spent = costs["capital"], recurrent(costs)
    check_limits_used(given, decisions, state, spent, reader)
    check_costs(given, plan, costs, reader, book)
    check_cells(given, decisions, state, reader)
    bound = check_bound(plan)
    if bound is not None:
        most, least = [plan.objective_cny], [bound.proved_cny]
        book.at_most("bound", "least cost proved of", least, most, [["plan"]], money=True)
    return book.close(_check_own_rules(plan, book), bound)


def _check_own_rules(plan: PlanLike, book: Ledger) -> list[str]:
    """Run the checks that came with rules of the user's own; return what has none."""
    not_rechecked = []
    for rule in getattr(plan, "own_rules", ()):
        if rule.check is None:
            not_rechecked.append(rule.name)
        else:
            breach = np.max(np.asarray(rule.check(plan), np.float64), initial=0.0)
            book.at_most("own rules", "breach of", [breach], [0.0], [[rule.name]])
    if getattr(plan, "own_cost_cny", 0.0):
        not_rechecked.append("cost of own variables")
    return not_rechecked
