"""Parents' choices: purchased places that they take up, public places that they refuse.

Both are shares by county and draw that stay over the years, Beta distributed with the mean and
standard deviation of the scenario's settings. By default every place is taken up and none refused.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from capsim.demand.draws import BLOCK
from capsim.lp.array_types import Array
from capsim.simulation.data import SimulationData, StageData
from capsim.simulation.seating import Arrivals, Payers, by_group, fraction

STREAM = 2
"""Of the seed's streams, that of the parents."""


@dataclass(frozen=True, eq=False)
class Parents:
    """Shares ``[county, draw]``.

    Attributes
    ----------
    uptake : array
        Of purchased places that are taken up.
    refusal : array
        Of the pupils whom the plan takes out of a private school that stays open, those whose
        parents refuse the public place and go on paying.
    """

    uptake: Array
    refusal: Array


def draw_parents(data: SimulationData, draws: int, seed: int | None, number: int) -> Parents | None:
    """Draw a block; None where nothing is uncertain and nothing refused.

    Parameters
    ----------
    data : SimulationData
    draws : int
        At most a block's.
    seed : int or None
        None: without uncertainty, all as the plan has it.
    number : int
        Of the block.
    """
    size = data.settings.uncertainty
    if seed is None or (size.uptake_mean == 1 and size.refusal_mean == 0):
        return None
    rng = np.random.default_rng(np.random.SeedSequence([seed, STREAM], spawn_key=(number,)))
    shape = (BLOCK, len(data.space.counties))
    uptake = _share(rng, size.uptake_mean, size.uptake_sd, shape)
    refusal = _share(rng, size.refusal_mean, size.refusal_sd, shape)
    return Parents(uptake[:draws].T, refusal[:draws].T)


def _share(rng: np.random.Generator, mean: float, sd: float, shape: tuple[int, int]) -> Array:
    """Draw shares with a mean and standard deviation.

    Examples
    --------
    >>> drawn = _share(np.random.default_rng(0), 0.9, 0.05, (20_000, 1))
    >>> float(drawn.mean().round(2)), float(drawn.std().round(2))
    (0.9, 0.05)
    """
    if sd == 0:
        return np.full(shape, mean)
    size = mean * (1 - mean) / sd**2 - 1
    return rng.beta(mean * size, (1 - mean) * size, shape)


def take_up(
    data: SimulationData, payers: tuple[Payers, ...], parents: Parents
) -> tuple[Payers, ...]:
    """Remove the purchased places that parents decline; the children look for a public one."""
    out = []
    for stage, payer in zip(data.stages, payers, strict=True):
        share = parents.uptake[stage.county][:, None]
        later = payer.bought_december * share
        bought = payer.bought * share
        left = (payer.fee + bought - later) * stage.private_december[..., None]
        out.append(replace(payer, bought=bought, bought_december=later, fee_december=left))
    return tuple(out)


def refuse(
    stage: StageData, arrival: Arrivals, payer: Payers, parents: Parents
) -> tuple[Arrivals, Payers]:
    """Keep children whose parents refuse a public place at private schools that go on.

    A school that the plan leaves open can keep as many as it had in the base year; those who stay
    are missing at the public schools of the area.
    """
    private = stage.levered[:, None] & ~stage.converted & (stage.fee + stage.bought > 0)
    open_still = private[..., None] & (arrival.load > 0)
    pool, pools = stage.network.pool, len(stage.network.home)
    room = np.maximum(stage.capacity[..., None] - payer.fee - payer.bought, 0.0)
    staying = np.where(open_still, room, 0.0) * parents.refusal[stage.county][:, None]
    public = np.where(stage.runs_public[..., None], arrival.load, 0.0)
    total, wanted = by_group(public, pool, pools), by_group(staying, pool, pools)
    cut = fraction(total, wanted)
    staying = staying * cut[pool]
    gone = (wanted * cut) / np.where(total > 0, total, 1.0)
    more = staying / np.where(arrival.load > 0, arrival.load, 1.0)
    factor = 1 + more - np.where(public > 0, gone[pool], 0.0)
    fee = payer.fee + staying
    december = payer.fee_december + (fee - payer.fee) * stage.private_december[..., None]
    here = arrival.load * factor
    return (
        replace(arrival, load=here, growth=arrival.growth * factor, factor=factor),
        replace(payer, fee=fee, fee_december=december),
    )
