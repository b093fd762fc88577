"""A solution as the tables of ``docs/results.md``."""

from __future__ import annotations

import pandas as pd

from capsim.lp.arrays import Array
from capsim.optimize.model import Model
from capsim.optimize.solved import Solved
from capsim.optimize.tables.decisions import (
    catchments_table,
    closures_table,
    conversions_table,
    openings_table,
    projects_table,
    purchases_table,
)
from capsim.optimize.tables.places import (
    balance_table,
    enrolment_table,
    flows_table,
    schools_table,
    shortfall_table,
    staff_table,
)
from capsim.optimize.tables.policy import costs_table, reduction_table, shares_table
from capsim.optimize.tables.targets import targets_table


def plan_tables(model: Model, x: Array) -> dict[str, pd.DataFrame]:
    """Make every table of a plan from a solution of the model's columns."""
    solved = Solved(model.parts, x)
    shares, reduction = shares_table(solved), reduction_table(solved)
    return {
        "projects": projects_table(solved),
        "openings": openings_table(solved),
        "conversions": conversions_table(solved),
        "closures": closures_table(solved),
        "purchases": purchases_table(solved),
        "catchments": catchments_table(solved),
        "enrolment": enrolment_table(solved),
        "schools": schools_table(solved),
        "flows": flows_table(solved),
        "shortfall": shortfall_table(solved),
        "staff": staff_table(solved),
        "costs": costs_table(model, solved),
        "balance": balance_table(solved),
        "shares": shares,
        "reduction": reduction,
        "targets": targets_table(solved, shares, reduction),
    }
