"""How many children ask for a place in a group of providers, and how many places there are."""

from __future__ import annotations

from math import prod

import numpy as np
from scipy import sparse

from .network import Floats
from .seating import Seated
from .stage import Bools, StageGiven


def counted(stage: StageGiven) -> Bools:
    """Whose pupils and places all count, ``[provider, year]``: not private compulsory schools."""
    return np.asarray(~stage.levered[:, None] | stage.converted)


def asked(stage: StageGiven, seated: Seated, bought: Floats) -> Floats:
    """Children who ask for a place in a group, persons ``[group, year, draw]``.

    They are those who sit there, fee-paying pupils of private compulsory schools apart, and those
    who can go nowhere else and have none.

    Parameters
    ----------
    stage : StageGiven
    seated : Seated
    bought : array [provider, year, draw]
        Purchased places in use.
    """
    sits = np.where(counted(stage)[..., None], seated.total, bought)
    return _sum(stage.reach.member, sits) + _sum(stage.reach.inside, seated.shortfall)


def room(stage: StageGiven, seats: Floats, contracts: Floats) -> Floats:
    """Places of a group up to the class ceiling, ``[group, year, draw]``.

    Parameters
    ----------
    stage : StageGiven
    seats : array [provider, year, draw]
        Standard public seats open.
    contracts : array [provider, year, draw]
        Places purchased and those that running contracts can still grow by.
    """
    over = (stage.public[:, None] | stage.settled) * stage.overfill
    most = seats * (1 + over)[..., None]
    other = ~stage.public & ~stage.levered
    most[other] = stage.capacity[other][..., None]
    return _sum(stage.reach.member, np.where(counted(stage)[..., None], most, contracts))


def _sum(matrix: sparse.csr_array, values: Floats) -> Floats:
    flat = values.reshape(len(values), prod(values.shape[1:]))
    return np.asarray(matrix @ flat).reshape(matrix.shape[0], *values.shape[1:])
