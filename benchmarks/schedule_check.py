"""Check that a schedule is feasible, from the network alone, sharing nothing with what made it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capsim.construction.network import Network

Days = NDArray[np.float64]


def faults_of(network: Network, start: Days, finish: Days, days: Days) -> list[str]:
    """Check precedence, releases, durations, calendars, crews and money of a schedule.

    Parameters
    ----------
    network : Network
    start, finish, days : float64 ``[activity]``
        NaN or infinite where it never begins.

    Returns
    -------
    list of str
        What is wrong; empty if it is feasible.
    """
    out = []
    done = np.isfinite(finish)
    for i in np.flatnonzero(done):
        name = f"{i} ({network.phase[i]})"
        if start[i] < max(network.release[i], network.start) - 1e-6:
            out.append(f"{name} begins before its release")
        for b in network.after[i]:
            if not done[b] or start[i] < finish[b] - 1e-6:
                out.append(f"{name} begins before {b} ends")
        calendar = network.calendar[i]
        stops = calendar.stops() if calendar else []
        lost = sum(max(0.0, min(finish[i], b) - max(start[i], a)) for a, b in stops)
        if abs(finish[i] - start[i] - lost - days[i]) > 1e-6 and days[i] > 0:
            out.append(f"{name} lasts {finish[i] - start[i] - lost} working days, not {days[i]}")
    for r, resource in enumerate(network.resources):
        users = [(i, u) for i in np.flatnonzero(done) for q, u in network.needs[i] if q == r]
        for i, _ in users:
            if resource.releases is None:
                at = sum(u for j, u in users if start[j] <= start[i] < finish[j])
                have = resource.units
            else:
                at = sum(u for j, u in users if start[j] <= start[i])
                have = sum(u for day, u in resource.releases if day <= max(start[i], network.start))
            if at > have:
                out.append(f"{resource.name} {resource.county}: {at} of {have} on day {start[i]}")
    return out
