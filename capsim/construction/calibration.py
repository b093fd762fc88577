"""Learn how long building takes from the record of a programme.

A record has one row per project: when it was planned to open and, if it did, when it opened. The
delay of a project is the ratio of the time it took to the time it was planned to take; its
logarithm is taken as normal, with a part that all projects of a county share. Projects that have
not opened yet count as *at least this late* (censored; maximum likelihood by Tobin 1958), so that a
record closed early is not read as a good one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from capsim.construction.calendars import to_day
from capsim.construction.durations import QUANTILE_95, Phase

COLUMNS = ("project", "county", "started", "planned", "opened")


@dataclass(frozen=True)
class Slippage:
    """How projects of a record kept to their plans.

    Attributes
    ----------
    median : float
        Median of time taken ÷ time planned.
    sd : float
        Standard deviation of its logarithm within a county.
    shock_sd : float
        Standard deviation of the logarithm of what a county's projects share.
    projects, opened : int
        Rows of the record, and those with an opening.
    """

    median: float
    sd: float
    shock_sd: float
    projects: int
    opened: int

    def phases(self, plan: tuple[Phase, ...]) -> tuple[Phase, ...]:
        """Return phases that keep their planned months and slip, in all, as the record did.

        Each becomes lognormal with the record's median; the spread of independent phases is
        widened so that that of their sum is the record's.

        Examples
        --------
        >>> two = tuple(Phase(n, (), "fixed", 6.0, 6.0, 6.0) for n in ("structure", "fit_out"))
        >>> [round(p.high / p.low, 2) for p in Slippage(1.1, 0.2, 0.1, 50, 50).phases(two)]
        [2.51, 2.51]
        """
        months = np.array([phase.mode for phase in plan])
        total = float(months.sum())
        if total == 0:
            return plan
        # variance of a weighted sum of equal lognormals, solved for that of one of them
        weight = float((months**2).sum()) / total**2
        sigma = float(np.sqrt(np.log1p(np.expm1(self.sd**2) / weight)))
        mean = self.median * np.exp(self.sd**2 / 2)
        median = mean / np.exp(sigma**2 / 2)
        low, high = (float(median * np.exp(sign * QUANTILE_95 * sigma)) for sign in (-1, 1))
        return tuple(
            replace(phase, distribution="lognormal", low=phase.mode * low, high=phase.mode * high)
            if phase.mode > 0
            else phase
            for phase in plan
        )


def fit(record: pd.DataFrame, closed: str) -> Slippage:
    """Fit durations and the shock of a county to a programme's record.

    Parameters
    ----------
    record : DataFrame
        project, county, started, planned, opened (ISO dates; ``opened`` blank or after ``closed``:
        not open when the record was closed).
    closed : ISO date
        Day the record was closed.

    Returns
    -------
    Slippage

    Raises
    ------
    ValueError
        If a column is missing, a project is planned to open before it starts, or fewer than two
        projects have opened: all faults are named.

    Examples
    --------
    >>> record = pd.DataFrame({"project": list("abcd"), "county": list("xxyy"),
    ...     "started": "2021-01-01", "planned": "2021-12-31",
    ...     "opened": ["2021-12-01", "2022-03-01", "2022-02-01", ""]})
    >>> slip = fit(record, "2022-04-01")
    >>> slip.opened, 1.0 < slip.median < 1.3
    (3, True)
    """
    missing = [name for name in COLUMNS if name not in record.columns]
    if missing:
        raise ValueError(f"the record has no column {', '.join(missing)}")
    text = record[list(COLUMNS)].fillna("").astype("str")
    end = to_day(closed)
    faults, taken, planned, open_ = [], [], [], []
    for number, row in enumerate(text.to_dict("records")):
        started, plan = to_day(row["started"]), to_day(row["planned"])
        opened = to_day(row["opened"]) if row["opened"] else np.inf
        if plan <= started:
            faults.append(f"row {number}, planned: {row['planned']!r} where a day after started")
        if min(opened, end) <= started:
            faults.append(f"row {number}, opened: {row['opened']!r} where a day after started")
        planned.append(plan - started)
        taken.append(min(opened, end) - started)
        open_.append(opened <= end)
    if sum(open_) < 2:
        faults.append(f"{sum(open_)} projects opened by {closed} where 2 or more")
    if faults:
        raise ValueError("; ".join(fault + " is expected" for fault in faults))
    return _likelihood(
        np.log(np.array(taken) / np.array(planned)), np.array(open_), text["county"].to_numpy()
    )


def _likelihood(
    late: np.ndarray[tuple[int], np.dtype[np.float64]],
    opened: np.ndarray[tuple[int], np.dtype[np.bool_]],
    county: np.ndarray[tuple[int], np.dtype[np.object_]],
) -> Slippage:
    """Maximise the likelihood; the county's part is integrated out by Gauss-Hermite points."""
    from scipy.optimize import minimize
    from scipy.special import log_ndtr, logsumexp

    points, weights = np.polynomial.hermite_e.hermegauss(24)
    logw = np.log(weights / weights.sum())
    groups = pd.factorize(county)[0]

    def loss(x: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        mean, sd, shared = x[0], np.exp(x[1]), np.exp(x[2])
        z = (late[:, None] - mean - shared * points[None, :]) / sd
        each = np.where(opened[:, None], -0.5 * z**2 - x[1], log_ndtr(-z))
        total = np.zeros((groups.max() + 1, len(points)))
        np.add.at(total, groups, each)
        # a mild prior keeps the shares apart where each county has one project
        prior = 0.5 * (x[2] - np.log(0.1)) ** 2
        return float(prior - logsumexp(total + logw, axis=1).sum())

    spread = max(float(np.std(late[opened])), 0.02)
    first = np.array([float(np.mean(late)), np.log(spread), np.log(0.1)])
    found = minimize(loss, first, method="L-BFGS-B", bounds=[(-3, 3), (-5, 2), (-5, 1)])
    median, sd, shared = (float(v) for v in (np.exp(found.x[0]), *np.exp(found.x[1:])))
    return Slippage(median, sd, shared, len(late), int(opened.sum()))
