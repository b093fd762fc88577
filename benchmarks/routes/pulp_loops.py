"""The same model in PuLP as its documentation writes models: dictionaries and ``lpSum``."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from benchmarks.case import Case, Places
from benchmarks.clock import Phases
from benchmarks.registry import route


@route("pulp-loops", "PuLP, lpSum in loops, PuLP's HiGHS", needs=("pulp",))
def run(case: Case, phases: Phases) -> float:
    """Write the model and solve it."""
    import pulp  # noqa: F401

    p = case.places
    with phases("build"):
        problem = written(p, case.model.integer)
    return solve_highs(problem, case, phases) + float(p.offset)


def solve_highs(problem: Any, case: Case, phases: Phases) -> float:
    """Do what ``problem.solve(pulp.HiGHS())`` does, in its three steps."""
    import pulp

    solver = pulp.HiGHS(msg=False, gapRel=case.model.gap)
    with phases("hand_over"):
        solver.createAndConfigureSolver(problem)
        solver.buildSolverModel(problem)
    with phases("solve"):
        solver.callSolver(problem)
    with phases("extract"):
        solver.findSolutionValues(problem)
        return float(pulp.value(problem.objective))


def written(p: Places, integer: bool) -> Any:
    """Write ``places`` with a generator for every sum."""
    import pulp

    problem = pulp.LpProblem("places", pulp.LpMinimize)
    nodes, years = range(len(p.children)), range(p.children.shape[1])
    flows, seats = range(len(p.flow_from)), range(len(p.seat_node))
    schools, projects = range(len(p.places)), range(len(p.open_cost))
    kept = [s for s in seats if p.seat_kept[s]]
    outward, inward = defaultdict(list), defaultdict(list)
    for f in flows:
        outward[p.flow_from[f]].append(f)
        inward[p.flow_to[f]].append(f)
    at_node, at_school, built = defaultdict(list), defaultdict(list), defaultdict(list)
    for s in seats:
        at_node[p.seat_node[s]].append(s)
        at_school[p.seat_school[s]].append(s)
    for r, j in enumerate(p.row_school):
        built[j].append(r)

    def grid(name: str, members: Any) -> Any:
        return problem.add_variable_dicts(name, (members, years), lowBound=0)

    x, u, n = grid("flow", flows), grid("shortfall", nodes), grid("pupils", seats)
    o, d = grid("overfill", schools), grid("displaced", kept)
    kind = pulp.LpInteger if integer else pulp.LpContinuous
    z = {
        m: {
            t: problem.add_variable(
                f"open_{m}_{t}", float(p.open_lower[m, t]), float(p.open_upper[m, t]), kind
            )
            for t in years
        }
        for m in projects
    }
    problem += pulp.lpSum(
        [
            pulp.lpSum(p.flow_cost[f, t] * x[f][t] for f in flows for t in years),
            pulp.lpSum(p.shortfall_cost[a, t] * u[a][t] for a in nodes for t in years),
            pulp.lpSum(p.pupil_cost[s, t] * n[s][t] for s in seats for t in years),
            pulp.lpSum(p.overfill_cost[j, t] * o[j][t] for j in schools for t in years),
            pulp.lpSum(p.displaced_cost[s, t] * d[s][t] for s in kept for t in years),
            pulp.lpSum(p.open_cost[m, t] * z[m][t] for m in projects for t in years),
        ]
    )
    for t in years:
        for a in nodes:
            problem += pulp.lpSum(x[f][t] for f in outward[a]) + u[a][t] == p.children[a, t]
            arriving = pulp.lpSum(x[f][t] for f in inward[a])
            problem += arriving == pulp.lpSum(n[s][t] for s in at_node[a])
        for j in schools:
            added = pulp.lpSum(p.row_places[r] * z[p.row_project[r]][t] for r in built[j])
            sitting = pulp.lpSum(n[s][t] for s in at_school[j])
            problem += sitting <= p.places[j] + added + o[j][t]
            problem += o[j][t] <= p.excess[j] * (p.places[j] + added)
        for s in kept:
            before = p.seat_before[s]
            last = n[before][t - 1] if t else p.roll[before]
            problem += d[s][t] >= p.ratio[s, t] * last - n[s][t]
    for m in projects:
        for t in years[1:]:
            problem += z[m][t] >= z[m][t - 1]
    return problem
