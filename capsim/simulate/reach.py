"""Groups of providers that children share: how many ask for a place there, and how many there are.

Children who find no place where the plan sends them look for one wherever they have a link to in
their county. What an area can reach is a *group*; areas that reach the same providers have one
group (as a rule: their county).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from .network import Floats, Ints, Network

if TYPE_CHECKING:
    from .seating import Seated
    from .stage import Bools, StageGiven


@dataclass(frozen=True, eq=False)
class Reach:
    """The groups of a stage.

    Attributes
    ----------
    area : array of int [group]
        An area whose children reach the group.
    member : csr [group, provider]
        1 for the providers in the group.
    inside : csr [group, area]
        1 for areas whose children reach nothing outside the group.
    """

    area: Ints
    member: sparse.csr_array
    inside: sparse.csr_array


def read_reach(network: Network) -> Reach:
    """Find the groups of a stage."""
    pools = len(network.home)
    rank, area = np.nonzero(network.near >= 0)
    ones = np.ones(len(area))
    reached = sparse.csr_array(
        (ones, (area, network.near[rank, area])), shape=(network.near.shape[1], pools)
    )
    first: dict[bytes, int] = {}
    for number in range(reached.shape[0]):
        own = np.sort(reached.indices[reached.indptr[number] : reached.indptr[number + 1]])
        if len(own):
            first.setdefault(own.tobytes(), number)
    areas = np.array(list(first.values()), dtype=np.intp)
    group = sparse.csr_array(reached[areas])
    size = np.diff(reached.indptr)
    common = sparse.coo_array(group @ reached.T)
    whole = common.data >= size[common.col]
    inside = sparse.csr_array(
        (np.ones(int(whole.sum())), (common.row[whole], common.col[whole])), shape=common.shape
    )
    return Reach(areas, sparse.csr_array(group[:, network.pool]), inside)


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
    flat = values.reshape(len(values), -1)
    return np.asarray(matrix @ flat).reshape(matrix.shape[0], *values.shape[1:])
