"""PuLP at its fastest: expressions from pairs, no operators, and a hand-over in one call."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.case import Case
from benchmarks.clock import Phases
from benchmarks.registry import route


@route("pulp-fast", "PuLP, LpAffineExpression(zip), arrays to HiGHS", needs=("pulp",))
def run(case: Case, phases: Phases) -> float:
    """Build from the arrays of the program, which are given to it, row by row."""
    import highspy
    import pulp

    a = case.arrays
    rows = a["matrix"].tocsr()
    with phases("build"):
        problem = pulp.LpProblem("fast", pulp.LpMinimize)
        kinds = np.where(a["integer"], pulp.LpInteger, pulp.LpContinuous).tolist()
        bounds = zip(a["lower"].tolist(), a["upper"].tolist(), kinds, strict=True)
        x = [
            problem.add_variable(f"x{i}", low, None if high == np.inf else high, kind)
            for i, (low, high, kind) in enumerate(bounds)
        ]
        problem.setObjective(pulp.LpAffineExpression(zip(x, a["cost"].tolist(), strict=True)))
        at, where, what = rows.indptr.tolist(), rows.indices.tolist(), rows.data.tolist()
        sides = zip(a["row_lower"].tolist(), a["row_upper"].tolist(), strict=True)
        for i, (low, high) in enumerate(sides):
            span = slice(at[i], at[i + 1])
            terms = zip([x[k] for k in where[span]], what[span], strict=True)
            sense = 0 if low == high else (1 if high == np.inf else -1)
            side = high if sense < 0 else low
            problem += pulp.LpConstraint(pulp.LpAffineExpression(terms), sense, rhs=side)
    with phases("hand_over"):
        highs = passed(problem, highspy, case.model.gap)
    with phases("solve"):
        highs.run()
    with phases("extract"):
        for variable, value in zip(problem.variables(), highs.getSolution().col_value, strict=True):
            variable.varValue = value
        return float(highs.getInfo().objective_function_value + a["offset"])


def passed(problem: Any, highspy: Any, gap: float) -> Any:
    """Read PuLP's dictionaries into arrays and pass them."""
    variables = problem.variables()
    number = {variable: i for i, variable in enumerate(variables)}
    start, index, value, low, high = [0], [], [], [], []
    for row in problem.constraints():
        index.extend(number[v] for v in row)
        value.extend(row.values())
        start.append(len(index))
        low.append(-np.inf if row.sense < 0 else -row.constant)
        high.append(np.inf if row.sense > 0 else -row.constant)
    infinite = [(-np.inf if v.lowBound is None else v.lowBound) for v in variables]
    upper = [(np.inf if v.upBound is None else v.upBound) for v in variables]
    cost = [problem.objective.get(v, 0.0) for v in variables]
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("mip_rel_gap", gap)
    highs.passModel(
        len(variables),
        len(low),
        len(value),
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize),
        0.0,
        np.array(cost),
        np.array(infinite, float),
        np.array(upper, float),
        np.array(low),
        np.array(high),
        np.array(start, np.int32),
        np.array(index, np.int32),
        np.array(value, float),
        np.array([v.cat == "Integer" for v in variables], np.int32),
    )
    return highs
