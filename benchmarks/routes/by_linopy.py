"""The same model in linopy as its documentation writes models: labelled arrays, group sums."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.case import Case, Places
from benchmarks.clock import Phases
from benchmarks.registry import route


@route("linopy", "linopy, xarray variables, direct to HiGHS", needs=("linopy",))
def run(case: Case, phases: Phases) -> float:
    """Write the model and solve it."""
    from linopy.io import to_highspy

    p = case.places
    with phases("build"):
        model = written(p, case.model.integer)
    with phases("hand_over"):
        highs = to_highspy(model, set_names=False)
        highs.setOptionValue("output_flag", False)
        highs.setOptionValue("mip_rel_gap", case.model.gap)
    with phases("solve"):
        highs.run()
    with phases("extract"):
        np.array(highs.getSolution().col_value)
        return float(highs.getInfo().objective_function_value + p.offset)


def written(p: Places, integer: bool) -> Any:
    """Write ``places`` over the dimensions node, flow, seat, school, project and year."""
    import pandas as pd
    import xarray as xr
    from linopy import Model

    year = pd.RangeIndex(p.children.shape[1], name="year")

    def index(name: str, length: int) -> Any:
        return pd.RangeIndex(length, name=name)

    def labelled(values: Any, name: str) -> Any:
        dims = (name, "year")[: np.ndim(values)]
        coords = {name: np.arange(len(values)), "year": year}
        return xr.DataArray(values, dims=dims, coords={key: coords[key] for key in dims})

    def by(values: Any, dim: str, group: str) -> Any:
        return xr.DataArray(values, dims=dim, coords={dim: np.arange(len(values))}, name=group)

    model = Model(force_dim_names=True)
    node, flow = index("node", len(p.children)), index("flow", len(p.flow_from))
    seat, school = index("seat", len(p.seat_node)), index("school", len(p.places))
    x = model.add_variables(lower=0, coords=[flow, year], name="flow")
    u = model.add_variables(lower=0, coords=[node, year], name="shortfall")
    n = model.add_variables(lower=0, coords=[seat, year], name="pupils")
    o = model.add_variables(lower=0, coords=[school, year], name="overfill")
    kept = np.flatnonzero(p.seat_kept)
    d = model.add_variables(lower=0, coords=[pd.Index(kept, name="seat"), year], name="displaced")
    low, high = labelled(p.open_lower, "project"), labelled(p.open_upper, "project")
    if integer:
        z = model.add_variables(lower=low, upper=high, name="open", integer=True)
    else:
        z = model.add_variables(lower=low, upper=high, name="open")

    children = labelled(p.children, "node")
    leaving = x.groupby(by(p.flow_from, "flow", "node")).sum()
    model.add_constraints(leaving + u == children, name="residence")
    arriving = x.groupby(by(p.flow_to, "flow", "node")).sum()
    seated = n.groupby(by(p.seat_node, "seat", "node")).sum()
    model.add_constraints(arriving - seated == 0, name="arrival")

    sitting = n.groupby(by(p.seat_school, "seat", "school")).sum()
    places = labelled(p.places, "school")
    excess = labelled(p.excess, "school")
    rows = xr.DataArray(p.row_project, dims="row", coords={"row": np.arange(len(p.row_project))})
    each = z.sel(project=rows) * labelled(p.row_places, "row")
    added = each.groupby(by(p.row_school, "row", "school")).sum().reindex(school=school).fillna(0)
    model.add_constraints(sitting - added - o <= places, name="seats")
    model.add_constraints(o - added * excess <= places * excess, name="ceiling")

    ratio = labelled(p.ratio, "seat").isel(seat=kept)
    before = p.seat_before[kept]
    last = n.isel(seat=before).assign_coords(seat=kept).shift(year=1).fillna(0)
    first = np.zeros(ratio.shape)
    first[:, 0] = ratio[:, 0] * p.roll[before]
    carried = xr.DataArray(first, coords=ratio.coords, dims=ratio.dims)
    model.add_constraints(d - last * ratio + n.isel(seat=kept) >= carried, name="stay")
    later, earlier = (
        z.isel(year=slice(1, None)),
        z.shift(year=1).isel(year=slice(1, None)).fillna(0),
    )
    model.add_constraints(later - earlier >= 0, name="opening")

    model.add_objective(
        (labelled(p.flow_cost, "flow") * x).sum()
        + (labelled(p.shortfall_cost, "node") * u).sum()
        + (labelled(p.pupil_cost, "seat") * n).sum()
        + (labelled(p.overfill_cost, "school") * o).sum()
        + (labelled(p.displaced_cost, "seat").isel(seat=kept) * d).sum()
        + (labelled(p.open_cost, "project") * z).sum()
    )
    return model
