"""The ordered fall in counted private pupils by 1 September of a year."""

from __future__ import annotations

import numpy as np

from capsim.lp import Builder
from capsim.optimize.parts import Parts


def define_reduction(m: Builder, parts: Parts) -> None:
    """counted[t0] − Σ_j (f[j,ty] + v[j,ty] if purchased places count) ≥ reduction."""
    given, v = parts.given, parts.columns
    policy = given.scenario.settings.policy
    at = np.flatnonzero(given.space.years == policy.reduction_year)
    if policy.reduction <= 0 or not len(at):
        return
    t = int(at[0])
    terms = [(0, v.fee[:, t], -1.0)]
    if policy.purchased_counts_as_private:
        terms.append((0, v.purchased[:, t], -1.0))
    counted = float(given.providers.rolls[given.providers.levered].sum())
    m.constrain(
        "reduction", 1, terms, lower=policy.reduction - counted, labels=[[policy.reduction_year]]
    )
