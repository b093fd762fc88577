"""Catchments: each neighbourhood goes to one public school, and no catchment has islands."""

from __future__ import annotations

import numpy as np

from capsim.lp.program import Builder
from capsim.model.constraint_context import Formulation


def define_catchment(m: Builder, f: Formulation) -> None:
    """Send each neighbourhood to one public school, by catchments without islands.

    A pair is an area and a school that it may go to, ``home`` where the school stands in it. From
    each area of a catchment a flow goes to its school through areas of the catchment: one that
    admits every connected catchment and no other, in fewer rows than one commodity an area.

    Rows
    ----
    catchment.one
        An area goes to at most one public school of a stage.
        Price: none: a child who may go elsewhere.
    catchment.whole
        The area's public pupils of the stage sit there.
        Price: none: a child who may go elsewhere.
    catchment.own
        An area through which a catchment reaches its school goes to a school in it.
    catchment.passage
        What leaves an area of a catchment is what enters it and one of its own.
    catchment.room
        Ways lead through areas of the catchment only; ``others`` may come through each.
    catchment.border
        An area that does not border the school's has a neighbour in the catchment. Follows from
        the rows above and makes the relaxation tighter.
    """
    x, axis, c = f.x, f.axis, f.columns.catchments
    if not len(c.link):
        return
    given, space, links = f.given, f.given.space, f.links
    stage, pairs = links.stage[c.link], len(c.link)
    cells = len(space.areas), len(space.stages)
    of_area = x.assigned.group((c.area, stage), cells, [axis.area, axis.stage])
    m.add("catchment.one", of_area <= 1, of_area.exists)

    children = np.stack(
        [space.children[:, space.grade_stage == s].sum(axis=1) for s in range(cells[1])], axis=1
    )
    pair_of = np.full(len(links.area), -1, np.int64)
    pair_of[c.link] = np.arange(pairs)
    going = x.flow.group(pair_of[links.pair_link], pairs, [c.axis(given)])
    m.add("catchment.whole", going <= children[c.area, stage] * x.assigned[:, c.epoch])
    if not c.connected:
        return

    away = ~c.home
    host = given.providers.area[c.provider]
    at_home = x.assigned.group((np.where(c.home, c.area, -1), stage), cells)
    m.add("catchment.own", x.assigned <= at_home[host, stage], away[:, None])

    inner = np.where(away[c.step_to], c.step_to, -1)
    leaves = x.passage.group(c.step_from, pairs, [c.axis(given)])
    enters = x.passage.group(inner, pairs, [c.axis(given)])
    of_school = np.bincount(c.provider[away], minlength=len(given.providers.school))
    others = of_school[c.provider, None] - 1
    m.add("catchment.passage", leaves == enters + x.assigned, away[:, None])
    m.add("catchment.room", enters <= others * x.assigned, away[:, None])

    apart = away.copy()
    apart[c.step_from[c.home[c.step_to]]] = False
    beside = x.assigned[c.step_to].group(c.step_from, pairs)
    m.add("catchment.border", x.assigned <= beside, apart[:, None])
