"""Figures of a plan and its simulation: each on an Axes of the caller's, or all at once."""

from capsim.report.figures.maps import (
    catchment_map,
    catchment_table,
    flow_table,
    map_figure,
    map_table,
    place_map,
)
from capsim.report.figures.places import (
    balance,
    balance_table,
    class_size_table,
    class_sizes,
    cost,
    cost_table,
    mix,
    mix_table,
    private_share,
    reduction,
    reduction_table,
)
from capsim.report.figures.plan_figures import all_figures
from capsim.report.figures.programme import gantt, gantt_table
from capsim.report.figures.risk import shortfall_fan, shortfall_table, target_chances
from capsim.report.figures.sensitivity import tornado
from capsim.report.figures.style import new_figure, render, render_both, use_style

__all__ = [
    "all_figures",
    "balance",
    "balance_table",
    "catchment_map",
    "catchment_table",
    "class_size_table",
    "class_sizes",
    "cost",
    "cost_table",
    "flow_table",
    "gantt",
    "gantt_table",
    "map_figure",
    "map_table",
    "mix",
    "mix_table",
    "new_figure",
    "place_map",
    "private_share",
    "reduction",
    "reduction_table",
    "render",
    "render_both",
    "shortfall_fan",
    "shortfall_table",
    "target_chances",
    "tornado",
    "use_style",
]
