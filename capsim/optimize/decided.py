"""A plan's decisions read back from its tables into the columns of its model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from capsim.lp.arrays import Array, Index, Text
from capsim.optimize.model import Model


def decided(model: Model, tables: Mapping[str, pd.DataFrame]) -> Array:
    """Return columns whose integers are those of the plan; all others are 0.

    Raises
    ------
    ValueError
        If the tables name a project, school or date that the model does not have.
    """
    v, given = model.columns, model.given
    providers, dates, years = given.providers, given.dates, given.space.years
    x = np.zeros(len(model.program.cost))
    school = pd.MultiIndex.from_arrays([providers.school, model.parts.stage_names[providers.stage]])

    def who(table: pd.DataFrame) -> Index:
        return _at(school, pd.MultiIndex.from_frame(table[["school", "stage"]]))

    opened = tables["openings"]
    project = _at(pd.Index(given.projects.project), pd.Index(opened["project"].to_numpy(object)))
    check = _dates(dates.date, opened["opens"])
    copies = np.zeros(v.open.shape)
    np.add.at(copies, (project, check), opened["copies"].to_numpy(np.float64))
    # From the last check date back: a candidate's December has the column of its autumn.
    total = np.cumsum(copies, axis=1)
    for k in range(dates.count)[::-1]:
        x[v.open[:, k]] = total[:, k]
    turned = tables["conversions"]
    _stay(x, v.converted, who(turned), _dates(dates.date, turned["converts"]))
    closed = tables["closures"]
    for how, column in (("phase_out", v.phase_out), ("closed", v.phase_out), ("closed", v.closed)):
        mine = closed[closed["how"] == how]
        _stay(x, column, who(mine), mine["from_year"].to_numpy(np.int64) - int(years[0]))
    bought = tables["purchases"]
    bought = bought[bought["contract"] > 0]
    x[v.contract[who(bought), bought["school_year"].to_numpy(np.int64) - int(years[0])]] = 1.0
    drawn, c = tables["catchments"], v.catchments
    ends = pd.MultiIndex.from_arrays(
        [
            given.space.areas[c.area],
            providers.school[c.provider],
            model.parts.stage_names[providers.stage[c.provider]],
        ]
    )
    pair = _at(ends, pd.MultiIndex.from_frame(drawn[["area", "school", "stage"]]))
    epoch = _at(pd.Index(c.drawn), pd.Index(drawn["from_year"].to_numpy(np.int64)))
    x[v.assigned[pair, epoch]] = 1.0
    return x


def _stay(x: Array, column: Index, j: Index, first: Index) -> None:
    """Set the columns of each ``j`` to 1 from its first position on."""
    for one, begin in zip(j.tolist(), first.tolist(), strict=True):
        x[column[one, begin:]] = 1.0


def _at(index: pd.Index, wanted: pd.Index) -> Index:
    found = np.asarray(index.get_indexer(wanted), np.int64)
    if (found < 0).any():
        raise ValueError(f"not of this model: {wanted[found < 0][0]}")
    return found


def _dates(date: Text, wanted: pd.Series) -> Index:
    return _at(pd.Index(date), pd.Index(wanted.to_numpy(object)))
