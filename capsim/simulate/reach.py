"""Groups of providers that children share.

Children who find no place where the plan sends them look for one wherever they have a link to in
their county. What an area can reach is a *group*; areas that reach the same providers have one
group (as a rule: their county).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from .network import Ints, Network


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
