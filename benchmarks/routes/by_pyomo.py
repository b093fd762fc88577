"""The same model in Pyomo as its documentation writes models: a concrete model with rules."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from benchmarks.case import Case, Places
from benchmarks.clock import Phases
from benchmarks.registry import route


@route("pyomo", "Pyomo, rules, appsi HiGHS", needs=("pyomo",))
def run(case: Case, phases: Phases) -> float:
    """Write the model and solve it."""
    import pyomo.environ as pyo
    from pyomo.contrib.appsi.solvers.highs import Highs

    p = case.places
    with phases("build"):
        model = written(p, case.model.integer)
    with phases("hand_over"):
        solver = Highs()
        solver.config.load_solution = False
        solver.config.mip_gap = case.model.gap
        for name in ("check_for_new_or_removed_constraints", "update_constraints", "update_vars"):
            setattr(solver.update_config, name, False)
        solver.set_instance(model)
    with phases("solve"):
        found = solver.solve(model)
    with phases("extract"):
        found.solution_loader.load_vars()
        return float(pyo.value(model.cost) + p.offset)


def written(p: Places, integer: bool) -> Any:
    """Write ``places`` with a rule for every constraint."""
    import pyomo.environ as pyo

    outward, inward = defaultdict(list), defaultdict(list)
    for f, (a, b) in enumerate(zip(p.flow_from, p.flow_to, strict=True)):
        outward[a].append(f)
        inward[b].append(f)
    at_node, at_school, built = defaultdict(list), defaultdict(list), defaultdict(list)
    for s, (a, j) in enumerate(zip(p.seat_node, p.seat_school, strict=True)):
        at_node[a].append(s)
        at_school[j].append(s)
    for r, j in enumerate(p.row_school):
        built[j].append(r)

    m = pyo.ConcreteModel()
    m.years = pyo.RangeSet(0, p.children.shape[1] - 1)
    m.nodes = pyo.RangeSet(0, len(p.children) - 1)
    m.flows = pyo.RangeSet(0, len(p.flow_from) - 1)
    m.seats = pyo.RangeSet(0, len(p.seat_node) - 1)
    m.kept = pyo.Set(initialize=[s for s in m.seats if p.seat_kept[s]])
    m.schools = pyo.RangeSet(0, len(p.places) - 1)
    m.projects = pyo.RangeSet(0, len(p.open_cost) - 1)
    m.x = pyo.Var(m.flows, m.years, domain=pyo.NonNegativeReals)
    m.u = pyo.Var(m.nodes, m.years, domain=pyo.NonNegativeReals)
    m.n = pyo.Var(m.seats, m.years, domain=pyo.NonNegativeReals)
    m.o = pyo.Var(m.schools, m.years, domain=pyo.NonNegativeReals)
    m.d = pyo.Var(m.kept, m.years, domain=pyo.NonNegativeReals)
    m.z = pyo.Var(
        m.projects,
        m.years,
        domain=pyo.NonNegativeIntegers if integer else pyo.NonNegativeReals,
        bounds=lambda _, i, t: (p.open_lower[i, t], p.open_upper[i, t]),
    )

    def cost(m: Any) -> Any:
        return (
            pyo.quicksum(p.flow_cost[i, t] * m.x[i, t] for i in m.flows for t in m.years)
            + pyo.quicksum(p.shortfall_cost[i, t] * m.u[i, t] for i in m.nodes for t in m.years)
            + pyo.quicksum(p.pupil_cost[i, t] * m.n[i, t] for i in m.seats for t in m.years)
            + pyo.quicksum(p.overfill_cost[i, t] * m.o[i, t] for i in m.schools for t in m.years)
            + pyo.quicksum(p.displaced_cost[i, t] * m.d[i, t] for i in m.kept for t in m.years)
            + pyo.quicksum(p.open_cost[i, t] * m.z[i, t] for i in m.projects for t in m.years)
        )

    def added(m: Any, j: int, t: int) -> Any:
        return pyo.quicksum(p.row_places[r] * m.z[p.row_project[r], t] for r in built[j])

    def residence(m: Any, a: int, t: int) -> Any:
        return pyo.quicksum(m.x[f, t] for f in outward[a]) + m.u[a, t] == p.children[a, t]

    def arrival(m: Any, a: int, t: int) -> Any:
        arriving = pyo.quicksum(m.x[f, t] for f in inward[a])
        return arriving == pyo.quicksum(m.n[s, t] for s in at_node[a])

    def seats(m: Any, j: int, t: int) -> Any:
        sitting = pyo.quicksum(m.n[s, t] for s in at_school[j])
        return sitting <= p.places[j] + added(m, j, t) + m.o[j, t]

    def ceiling(m: Any, j: int, t: int) -> Any:
        return m.o[j, t] <= p.excess[j] * (p.places[j] + added(m, j, t))

    def stay(m: Any, s: int, t: int) -> Any:
        before = p.seat_before[s]
        last = m.n[before, t - 1] if t else p.roll[before]
        return m.d[s, t] >= p.ratio[s, t] * last - m.n[s, t]

    def opening(m: Any, i: int, t: int) -> Any:
        return m.z[i, t] >= m.z[i, t - 1] if t else pyo.Constraint.Skip

    m.cost = pyo.Objective(rule=cost, sense=pyo.minimize)
    m.residence = pyo.Constraint(m.nodes, m.years, rule=residence)
    m.arrival = pyo.Constraint(m.nodes, m.years, rule=arrival)
    m.seats_open = pyo.Constraint(m.schools, m.years, rule=seats)
    m.ceiling = pyo.Constraint(m.schools, m.years, rule=ceiling)
    m.stay = pyo.Constraint(m.kept, m.years, rule=stay)
    m.opening = pyo.Constraint(m.projects, m.years, rule=opening)
    return m
