"""A private school that closes stays closed; one that becomes too small must close."""

from __future__ import annotations

import numpy as np

from capsim.lp import Builder
from capsim.optimize.parts import Parts, before


def define_closure(m: Builder, parts: Parts) -> None:
    """zi[j,t] ≤ zp[j,t]; zp + zc ≤ 1; zp, zi non-decreasing; Σ_g n ≥ min_pupils (1 − zp − zc)."""
    given, v = parts.given, parts.columns
    flag = v.phase_out >= 0
    row, count = parts.numbered(flag)
    j, _ = np.nonzero(flag)
    at, out, closed = row[flag], v.phase_out[flag], v.closed[flag]
    converted = v.converted[:, given.dates.autumn][flag]
    labels = parts.labels(flag)
    m.constrain(
        "closure.at_once", count, [(at, closed, 1.0), (at, out, -1.0)], upper=0.0, labels=labels
    )
    m.constrain(
        "closure.either", count, [(at, out, 1.0), (at, converted, 1.0)], upper=1.0, labels=labels
    )
    for name, column in (("phase_out", v.phase_out), ("closed", v.closed)):
        m.constrain(
            f"closure.{name}_stays",
            count,
            [(at, column[flag], 1.0), (at, before(column)[flag], -1.0)],
            lower=0.0,
            labels=labels,
        )
    least = given.providers.min_pupils[j]
    m.constrain(
        "closure.too_small",
        count,
        [parts.enrolled(row), (at, out, least), (at, converted, least)],
        lower=np.asarray(least),
        labels=labels,
    )
