"""How much room a plan must leave so that it holds in most draws.

Every draw says how far it goes beyond the plan in each group and year, and in each target. The
draws that ask for most are set aside, as many as the probability allows; the plan is made to hold
in all the others.

Source of method: M. C. Campi, S. Garatti, A sampling-and-discarding approach to
chance-constrained optimization, Journal of Optimization Theory and Applications 148 (2011) 257-280.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capsim.lp.arrays import Array, Flag
from capsim.simulate.run import Trial
from capsim.simulate.targets import AT_MOST

HALF_A_CHILD = 0.5


@dataclass(frozen=True, eq=False)
class Need:
    """How far draws go beyond a plan.

    Attributes
    ----------
    seats : array [group, year, draw]
        Persons who ask for a place more than the plan foresees, and places missing of those
        counted on.
    spare : array [group, year]
        Places counted on that the plan leaves free, persons.
    targets : array [target, draw]
        By how much each target is worse than planned, in its unit.
    slack : array [target]
        How much worse it could be.
    """

    seats: Array
    spare: Array
    targets: Array
    slack: Array


def need(drawn: Trial, planned: Trial, counted: Array, chosen: tuple[int, ...]) -> Need:
    """Compare draws with the plan.

    Parameters
    ----------
    drawn, planned : Trial
        Of the plan: with uncertainty, and one draw without.
    counted : array [group, year]
        Places that the plan may count on.
    chosen : tuple of int
        Positions of the targets that a margin is sought for.
    """
    asked, room = drawn.figures.asked, drawn.figures.room
    base = planned.figures.asked
    sign = [1.0 if drawn.targets[at].rule in AT_MOST else -1.0 for at in chosen]
    direction = np.array(sign)[:, None]
    now = planned.figures.targets[list(chosen)]
    required = np.array([drawn.targets[at].required for at in chosen])[:, None]
    return Need(
        seats=asked - base - (room - counted[..., None]),
        spare=counted - base[..., 0],
        targets=direction * (drawn.figures.targets[list(chosen)] - now),
        slack=np.asarray((direction * (required - now))[:, 0]),
    )


def kept(found: Need, share: float, closed: Flag) -> Flag:
    """Flag the draws to hold in ``[draw]``: all but those furthest beyond what the plan spares.

    Draws that ask for more than there is where nothing more can be had go first.

    Parameters
    ----------
    found : Need
    share : float
        Of draws to hold in.
    closed : bool ``[group, year]``
        Where a plan before could not keep the places asked of it free.
    """
    beyond = found.seats - found.spare[..., None]
    worst = np.concatenate(
        [
            (beyond / _spread(found.seats)[..., None])[~closed],
            (found.targets - found.slack[:, None]) / _spread(found.targets)[:, None],
        ]
    ).max(axis=0, initial=-np.inf)
    worst[(beyond[closed] > HALF_A_CHILD).any(axis=0)] = np.inf
    number = int(np.ceil(share * len(worst)))
    flag = np.zeros(len(worst), bool)
    flag[np.argsort(worst, kind="stable")[:number]] = True
    return flag


def margins(found: Need, share: float, cushion: float, closed: Flag) -> tuple[Array, Array]:
    """Room to leave: the most that kept draws need, and a cushion of standard deviations.

    Returns
    -------
    seats : array [group, year]
        Persons; at most what the plan spares where nothing more can be had.
    targets : array [target]
    """
    flag = kept(found, share, closed)
    seats = found.seats[..., flag].max(axis=-1) + cushion * _spread(found.seats)
    targets = found.targets[:, flag].max(axis=-1) + cushion * _spread(found.targets)
    seats = np.where(closed, np.minimum(seats, found.spare), seats)
    return np.maximum(seats, 0.0), np.maximum(targets, 0.0)


def _spread(values: Array) -> Array:
    sd = values.std(axis=-1)
    return np.asarray(np.where(sd > 1e-9, sd, 1e-9))
