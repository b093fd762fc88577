"""The share of large classes, piecewise linear in the mean class of an area's schools."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from capsim.lp import Builder
from capsim.lp.arrays import Array
from capsim.optimize.dates import stepped
from capsim.optimize.parts import Parts

MEANS = np.arange(40.0, 55.1, 2.5)


def chords(large_class: float, sd: float) -> tuple[Array, Array]:
    """Return intercepts and slopes of the lines that join shares of large classes at mean sizes.

    The share is ``1 − Φ((large_class − 0.5 − μ) ÷ sd)`` for class sizes normal round μ, at
    μ = 40, 42.5, …, 55.

    Examples
    --------
    >>> intercept, slope = chords(56, 5.0)
    >>> round(float(max(0.0, (intercept + slope * 50.0).max())), 6)
    0.135666
    """
    share = 1.0 - ndtr((large_class - 0.5 - MEANS) / sd)
    slope = np.diff(share) / np.diff(MEANS)
    return share[:-1] - slope * MEANS[:-1], slope


def define_class_size(m: Builder, parts: Parts) -> None:
    """L[j,t] ≥ α_k C[j,t] + β_k Σ_g n[j,g,t], C = S ÷ class_size.

    Σ_j L ≤ large_class_share[t] · Σ_j C by county and compulsory stage, public providers.
    """
    given, v = parts.given, parts.columns
    space, providers, policy = given.space, given.providers, given.scenario.settings.policy
    flag = v.large_classes >= 0
    row, count = parts.numbered(flag)
    j, _ = np.nonzero(flag)
    labels = parts.labels(flag)
    size = space.by_stage("class_size")[providers.stage]
    large = space.by_stage("large_class")
    lines = [chords(large[s], policy.class_size_sd) for s in range(len(space.stages))]
    for k in range(len(MEANS) - 1):
        alpha = np.array([line[0][k] for line in lines])[providers.stage]
        beta = np.array([line[1][k] for line in lines])[providers.stage]
        m.constrain(
            "class_size.chord",
            count,
            [
                (row[flag], v.large_classes[flag], 1.0),
                parts.enrolled(row, -beta[:, None]),
                parts.seats(row, -(alpha / size)[:, None]),
            ],
            lower=(alpha / size * providers.places)[j],
            labels=labels.besides(k),
        )
    values = [stepped(policy.large_class_share, int(y)) for y in space.years]
    t = np.flatnonzero([value is not None for value in values])
    share = np.zeros(parts.years)
    share[t] = [value for value in values if value is not None]
    counties, stages = len(space.counties), len(space.stages)
    node = np.full((counties, stages, parts.years), -1, np.int64)
    present = np.zeros((counties, stages), bool)
    present[providers.county[flag[:, 0]], providers.stage[flag[:, 0]]] = parts.years > 0
    c, s = np.nonzero(present)
    node[np.ix_(np.arange(counties), np.arange(stages), t)] = -1
    numbers = np.arange(len(c) * len(t)).reshape(len(c), len(t))
    node[c[:, None], s[:, None], t[None, :]] = numbers
    at = np.where(flag, node[providers.county, providers.stage], -1)
    keep = at >= 0
    classes = -share[None, :] / size[:, None]
    upper = np.zeros(len(c) * len(t))
    np.add.at(upper, at[keep], (-classes * providers.places[:, None])[keep])
    names = np.array([x.name for x in space.stages], object)
    m.constrain(
        "class_size.limit",
        len(upper),
        [(at[keep], v.large_classes[keep], 1.0), parts.seats(at, classes)],
        upper=upper,
        labels=[
            np.repeat(space.counties[c], len(t)),
            np.repeat(names[s], len(t)),
            np.tile(space.years[t], len(c)),
        ],
    )
