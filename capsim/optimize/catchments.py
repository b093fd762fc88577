"""Catchments: which areas may go to which single school, and how one walks there through others.

A *pair* is an area and a public school of a stage in which catchments are drawn, where there is a
link between them. A *step* leads from a pair to that of a bordering area and the same school. An
*epoch* is a run of years for which catchments are drawn once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from capsim.lp import Along
from capsim.lp.arrays import Array, Flag, Index
from capsim.optimize.given import Given
from capsim.optimize.links import Links
from capsim.optimize.rows import Rows, codes


@dataclass(frozen=True)
class Catchments:
    """Pairs and steps as arrays.

    Attributes
    ----------
    link, area, provider : int ``[pair]``
    home : bool ``[pair]``, the school stands in the area
    step_from, step_to : int ``[step]``, pairs; no step leaves a home
    drawn : int ``[epoch]``, first year of each
    epoch : int ``[t]``
    connected : bool
    """

    link: Index
    area: Index
    provider: Index
    home: Flag
    step_from: Index
    step_to: Index
    drawn: Index
    epoch: Index
    connected: bool

    def texts(self, given: Given, pair: Index | None = None) -> tuple[Along, Along, Along]:
        """Name pairs, the first axis of an array, by area, school and stage."""
        pair = np.arange(len(self.link)) if pair is None else pair
        provider, space = self.provider[pair], given.space
        return (
            Along(0, space.areas, self.area[pair]),
            Along(0, given.providers.school, provider),
            Along(0, space.stage_names, given.providers.stage[provider]),
        )


def catchments_of(given: Given, links: Links) -> Catchments:
    """Find the pairs and steps; none where no stage draws catchments."""
    scenario, providers, space = given.scenario, given.providers, given.space
    rules = scenario.settings.catchments
    stages = rules.stages if scenario.settings.switches.catchment else ()
    ruled = np.array([stage.name in stages for stage in space.stages], bool)
    direct = links.to_provider >= 0
    to = np.where(direct, links.to_provider, 0)
    public = providers.public[to] if len(providers.public) else np.zeros(len(to), bool)
    link = np.flatnonzero(ruled[links.stage] & direct & public)
    area, provider = links.area[link], to[link]
    home = providers.area[provider] == area
    drawn = np.array(sorted({int(space.years[0]), *rules.drawn}), np.int64)
    stepped = rules.connected and len(link) > 0
    steps = _steps(given, area, provider, home) if stepped else np.zeros((0, 2), np.int64)
    return Catchments(
        link=link,
        area=area,
        provider=provider,
        home=home,
        step_from=steps[:, 0],
        step_to=steps[:, 1],
        drawn=drawn,
        epoch=np.searchsorted(drawn, space.years, side="right") - 1,
        connected=rules.connected,
    )


def with_the_rest(
    c: Catchments, assigned: Flag, stage: Index, cost_cny: Array, stands: Flag
) -> Flag:
    """Give areas of which nobody goes to a public school a catchment too, at no cost.

    Each takes the school to which it is cheapest to go, of those whose catchment it borders, or one
    of its own; then those that border it, and so on. Where islands are allowed any will do.

    Parameters
    ----------
    assigned : bool ``[pair, epoch]``
    stage : int ``[pair]``
    cost_cny : float64 ``[pair]``, of a pupil's way
    stands : bool ``[pair]``, the school is there already

    Returns
    -------
    bool ``[pair, epoch]``
    """
    out = assigned.copy()
    order = np.argsort(cost_cny, kind="stable")
    of = c.area * (1 + int(stage.max(initial=0))) + stage
    for epoch in range(out.shape[1]):
        mine = out[:, epoch]
        while True:
            reached = stands & (c.home | (not c.connected))
            reached[c.step_from[mine[c.step_to]]] = True
            served = np.isin(of, of[mine])
            free = order[(reached & ~served)[order]]
            if not len(free):
                break
            mine[free[0]] = True
    return out


def _steps(given: Given, area: Index, provider: Index, home: Flag) -> Index:
    """Find every step ``[step, 2]``, in the order of the pairs."""
    borders = Rows(given.scenario, "borders")
    a, b = (codes(borders.text(end), given.space.areas) for end in ("area", "to_area"))
    both = np.unique(np.concatenate([np.stack([a, b], 1), np.stack([b, a], 1)]), axis=0)
    pairs = pd.DataFrame({"area": area, "provider": provider, "pair": np.arange(len(area))})
    leaving = pairs[~home].merge(pd.DataFrame(both, columns=["area", "next"]), on="area")
    arriving = pairs.rename(columns={"area": "next", "pair": "to"})
    found = leaving.merge(arriving, on=["next", "provider"]).sort_values(["pair", "to"])
    return found[["pair", "to"]].to_numpy(np.int64)
