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
from capsim.construction.durations import PRIOR, QUANTILE_95, Phase
from capsim.construction.projects import option_groups, phase_groups
from capsim.i18n.language import Message
from capsim.scenario.faults import Fault, ScenarioError
from capsim.scenario.scenario import Scenario

RECORD = "record"
COLUMNS = ("project", "county", "started", "planned", "opened")


@dataclass(frozen=True)
class Slippage:
    """Delays of the projects of a record against their plans.

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
            replace(
                phase,
                distribution="lognormal",
                low=phase.mode * low,
                high=phase.mode * high,
                observed=(),
            )
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
    ScenarioError
        If a column is missing, a date cannot be read, a project is planned to open before it
        starts, or fewer than two projects have opened. All faults are named, with their row: the
        label of the record's index.

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
        needed = Message("a column")
        raise ScenarioError([Fault(RECORD, None, name, "", needed) for name in missing])
    text = record[list(COLUMNS)].fillna("").astype("str")
    days, faults = _record_days(text)
    started, planned = days["started"], days["planned"]
    opened = days["opened"].fillna(np.inf)
    end = to_day(closed)
    for name, day in (("planned", planned), ("opened", opened.clip(upper=end))):
        faults += [
            Fault(RECORD, int(row), name, text.loc[row, name], Message("a day after started"))
            for row in text.index[day <= started]
        ]
    in_time = opened <= end
    if not faults and in_time.sum() < 2:
        expected = Message("2 or more projects open by {date}", {"date": str(closed)})
        faults.append(Fault(RECORD, None, "opened", str(in_time.sum()), expected))
    if faults:
        raise ScenarioError(faults)
    taken = opened.clip(upper=end) - started
    late = np.log((taken / (planned - started)).to_numpy(float))
    return _likelihood(late, in_time.to_numpy(), text["county"].to_numpy())


def _record_days(text: pd.DataFrame) -> tuple[pd.DataFrame, list[Fault]]:
    """Read the dates of a record; only ``opened`` may be blank."""
    faults = []
    out = pd.DataFrame(index=text.index)
    for name in ("started", "planned", "opened"):
        days = []
        for row, value in zip(text.index, text[name], strict=True):
            days.append(np.nan)
            try:
                days[-1] = to_day(value) if value or name != "opened" else np.nan
            except ValueError:
                expected = Message("a date YYYY-MM-DD")
                faults.append(Fault(RECORD, int(row), name, value, expected))
        out[name] = days
    return out, faults


def phases_table(scenario: Scenario, slippage: Slippage) -> pd.DataFrame:
    """Return the scenario's phases as its table ``phases``, slipping as the record did.

    Without a table of its own the prior of each kind of its projects holds. The county's shock is
    no part of it: ``construction.shock_sd`` of the settings is (`Slippage.shock_sd`).
    """
    kinds = sorted(set(scenario.table("projects")["kind"]))
    groups = phase_groups(scenario) or {("", kind): PRIOR[kind] for kind in kinds}
    options, rows = option_groups(scenario), []
    for (project, kind), plan in groups.items():
        slipping = slippage.phases(plan)
        of_group = {"project": project, "kind": kind}
        rows += [{**of_group, **_row(phase)} for phase in slipping]
        known = options.get((project, kind), {})
        for option in known.values():
            # An option slips as the usual phase does that it stands for.
            usual = {phase.name: phase for phase in slipping}
            for phase in option.phases:
                slow = usual[phase.name]
                part = phase.mode / slow.mode if slow.mode else 1.0
                slipped = replace(slow, mode=phase.mode, low=slow.low * part, high=slow.high * part)
                own = replace(slipped, after=(), milestone="", needs=phase.needs)
                share = option.cost_share if phase is option.phases[0] else 0.0
                rows.append(
                    {
                        **of_group,
                        **_row(own),
                        "option": option.name,
                        "option_cost_share": share,
                    }
                )
    return pd.DataFrame(rows)


def _row(phase: Phase) -> dict[str, object]:
    """Write a phase as a row of the table ``phases``."""
    return {
        "phase": phase.name,
        "after": ";".join(phase.after),
        "distribution": phase.distribution,
        "low_months": round(phase.low, 4),
        "mode_months": phase.mode,
        "high_months": round(phase.high, 4),
        "needs": ";".join(f"{name}={units}" for name, units in phase.needs),
        "milestone": phase.milestone,
        "observed_months": ";".join(map(str, phase.observed)),
    }


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
