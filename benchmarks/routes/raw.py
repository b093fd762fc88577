"""The limit: HiGHS alone on arrays that are already there, with its default options."""

from __future__ import annotations

import numpy as np

from benchmarks.case import Case
from benchmarks.clock import Phases
from benchmarks.registry import LIMIT, route


@route(LIMIT, "HiGHS on the same arrays, already in memory", whole=True)
def run(case: Case, phases: Phases) -> float:
    """Pass, run, read."""
    import highspy

    a = case.arrays
    matrix = a["matrix"]
    with phases("hand_over"):
        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
        highs.setOptionValue("mip_rel_gap", case.model.gap)
        highs.passModel(
            *reversed(matrix.shape),
            matrix.nnz,
            int(highspy.MatrixFormat.kColwise),
            int(highspy.ObjSense.kMinimize),
            float(a["offset"]),
            a["cost"],
            a["lower"],
            a["upper"],
            a["row_lower"],
            a["row_upper"],
            matrix.indptr,
            matrix.indices,
            matrix.data,
            a["integer"].astype(np.int32),
        )
    with phases("solve"):
        highs.run()
    with phases("extract"):
        np.array(highs.getSolution().col_value)
        return float(highs.getInfo().objective_function_value)
