"""Outcomes of a simulation: tables of probabilities and quantiles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from capsim.construction.programme_simulation import ConstructionSimulation
from capsim.io.shown import OutcomesPlots, Shown, above
from capsim.lp.array_types import Array, Index
from capsim.model.costs import COST_KINDS
from capsim.plan.plan import Plan
from capsim.plan.targets import Target
from capsim.simulation.data import SimulationData
from capsim.simulation.evaluation import Figures
from capsim.simulation.opening_dates import first_copies, iso_dates, planned_days
from capsim.simulation.seating import WAYS

LEVEL = 0.95
"""Of the confidence intervals of probabilities."""
ANY = 0.5
"""Children from which on a shortfall is one."""
QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}


@dataclass(frozen=True, eq=False, repr=False)
class Outcomes(Shown[OutcomesPlots]):
    """A plan under draws of demand and opening dates.

    Attributes
    ----------
    plan : Plan
    draws, seed : int
    tables : mapping of text to DataFrame
        ``targets``, ``shortfall``, ``recourse``, ``shares``, ``costs``, ``class_size``,
        ``displaced``, ``projects``, ``fan``, ``draws``; columns and units in ``docs/results.md``.
    summary : mapping
        Plain numbers: draws, seed, uncertainty, probability by target, mean shortfall
        (child-years), mean and 95 % quantile of cost (RMB).
    building : ConstructionSimulation or None
        Of what the plan opens, a replication for each draw; None without uncertainty or where
        opening dates were given.
    """

    plan: Plan
    draws: int
    seed: int
    tables: Mapping[str, pd.DataFrame]
    summary: Mapping[str, object]
    building: ConstructionSimulation | None = None

    def __repr__(self) -> str:
        asked = self.plan.scenario.settings.reliability.probability
        least = self.targets.sort_values("probability", kind="stable").head(3)
        rows = zip(least["id"], least["probability"], strict=True)
        return (
            f"Outcomes of {self.plan.scenario.name!r}: {self.draws:,} draws, seed {self.seed}\n"
            f"  least likely targets: {', '.join(f'{name} {100 * p:.0f} %' for name, p in rows)}"
            f" ({100 * asked:g} % asked for)"
        )

    @property
    def targets(self) -> pd.DataFrame:
        """The table ``targets``: how likely each is met, with its interval, and its figure."""
        return self.tables["targets"]

    def report(self, out: str | Path, *, lang: str = "en") -> Path:
        """Write the report of the plan with this simulation; see :meth:`Plan.report`."""
        return Path(above("workflow", "report")(self.plan, out, self, lang=lang))


def wilson(hits: int, draws: int) -> tuple[float, float]:
    """Compute Wilson's 95 % score interval of a probability.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22 (1927) 209-212.

    Examples
    --------
    >>> low, high = wilson(95, 100)
    >>> round(low, 4), round(high, 4)
    (0.8882, 0.9785)
    >>> wilson(10, 10)[1]
    1.0
    """
    interval = binomtest(hits, draws).proportion_ci(LEVEL, method="wilson")
    return float(interval.low), float(interval.high)


def gather(blocks: Sequence[Figures]) -> Figures:
    """Join blocks in their order."""
    joined = {
        field.name: np.concatenate([getattr(block, field.name) for block in blocks], axis=-1)
        for field in fields(Figures)
        if field.name != "harm"
    }
    return Figures(**joined, harm=np.sum([block.harm for block in blocks], axis=0))


def tables(
    data: SimulationData, targets: Sequence[Target], figures: Figures, ready: Index | None
) -> dict[str, pd.DataFrame]:
    """Make the tables of `Outcomes`.

    Parameters
    ----------
    data : SimulationData
    targets : sequence of Target
    figures : Figures
        Of all draws.
    ready : array of int [draw, opening] or None
        Days on which copies are ready.
    """
    stages = [stage.name for stage in data.stages]
    compulsory = [stage.name for stage in data.stages if stage.compulsory]
    years, counties = data.space.years.tolist(), data.space.counties.tolist()
    whole = figures.shortfall.sum(0, keepdims=True)
    shortfall = np.concatenate([whole, figures.shortfall])
    axes = {"area": ("*", *data.space.areas), "stage": stages, "school_year": years}
    short = _summed(axes, shortfall, ("p05", "p50", "p95"))
    short["probability"] = (shortfall >= ANY).mean(-1).ravel()
    ways = np.moveaxis(figures.redirected, 0, 3)
    ways = np.concatenate([ways.sum(0, keepdims=True), ways])
    axes = {"county": ("*", *counties), "stage": stages, "school_year": years, "way": WAYS}
    recourse = _summed(axes, ways, ("p05", "p50", "p95"))
    recourse["probability"] = (ways >= ANY).mean(-1).ravel()
    regions = {"county": ("*", *counties), "school_year": years}
    shares = _summed(regions, figures.excluding, ("p05", "p50", "p95"), "share_excluding_")
    included = _summed(regions, figures.including, ("p05", "p50", "p95"), "share_including_")
    sizes = {"county": counties, "stage": compulsory, "school_year": years}
    class_size = _summed(sizes, figures.class_size, ("p05", "p95"))
    for name, share in (("large", figures.large), ("very_large", figures.very_large)):
        of = _summed(sizes, share, ("p05", "p95"), f"{name}_share_")
        class_size = class_size.join(of.filter(like="_share_"))
    costs = _summed({"kind": COST_KINDS}, figures.cost_cny, ("p05", "p50", "p95"), after="_cny")
    fan = _fan(data, figures)
    return {
        "targets": _targets(targets, figures.targets),
        "shortfall": short,
        "recourse": recourse,
        "shares": shares.join(included.filter(like="share_")),
        "costs": costs,
        "class_size": class_size,
        "displaced": _summed({"school_year": years}, figures.displaced, ("p05", "p95")),
        "projects": _projects(data, figures, ready),
        "fan": fan,
        "draws": _draws(data, targets, figures),
    }


def _summed(
    axes: Mapping[str, Sequence[Any]],
    values: Array,
    quantiles: Sequence[str],
    before: str = "",
    after: str = "",
) -> pd.DataFrame:
    """Build the long table of the mean and quantiles over the last axis."""
    index = pd.MultiIndex.from_product(list(axes.values()), names=list(axes))
    flat = values.reshape(len(index), values.shape[-1])
    cells = {"mean": flat.mean(1)}
    levels = np.quantile(flat, [QUANTILES[name] for name in quantiles], axis=1)
    cells |= dict(zip(quantiles, levels, strict=True))
    named = {f"{before}{name}{after}": column for name, column in cells.items()}
    return pd.DataFrame(named, index=index).reset_index()


def _targets(targets: Sequence[Target], achieved: Array) -> pd.DataFrame:
    names = [target.id for target in targets]
    out = _summed({"id": names}, achieved, ("p05", "p50", "p95"))
    hits = [int(target.holds(row).sum()) for target, row in zip(targets, achieved, strict=True)]
    draws = achieved.shape[-1]
    bounds = [wilson(number, draws) for number in hits]
    out.insert(1, "by", [target.date for target in targets])
    out.insert(2, "required", [target.required for target in targets])
    out.insert(3, "probability", [number / draws for number in hits])
    out.insert(4, "low", [low for low, _ in bounds])
    out.insert(5, "high", [high for _, high in bounds])
    return out


def _projects(data: SimulationData, figures: Figures, ready: Index | None) -> pd.DataFrame:
    openings = data.openings
    planned = planned_days(openings)
    drawn = planned[None] if ready is None else ready[:, first_copies(openings)]
    draws = figures.displaced.shape[-1]
    levels = np.quantile(drawn, [0.1, 0.5, 0.9], axis=0, method="higher")
    named = zip(("p10", "p50", "p90"), levels.astype(np.int64), strict=True)
    dates = {name: pd.Series(iso_dates(row), dtype="str") for name, row in named}
    return pd.DataFrame(
        {
            "project": pd.Series(openings.projects, dtype="str"),
            "planned": pd.Series(iso_dates(planned), dtype="str"),
            "p_on_time": (drawn <= planned).mean(0),
            **dates,
            "late_places_mean": figures.late_places.mean(-1),
            "harm": figures.harm / draws,
        }
    )


def _fan(data: SimulationData, figures: Figures) -> pd.DataFrame:
    """Compute quantiles of whole-city series by year."""
    series = {"displaced": figures.displaced}
    series["share_excluding"] = figures.excluding[0]
    series["share_including"] = figures.including[0]
    for number, stage in enumerate(data.stages):
        series[f"shortfall_{stage.name}"] = figures.shortfall[:, number].sum(0)
        series[f"overfilled_{stage.name}"] = figures.overfilled[number]
    axes = {"series": list(series), "school_year": data.space.years.tolist()}
    return _summed(axes, np.stack(list(series.values())), tuple(QUANTILES))


def _draws(data: SimulationData, targets: Sequence[Target], figures: Figures) -> pd.DataFrame:
    compulsory = np.array([stage.compulsory for stage in data.stages])
    children = figures.shortfall.sum((0, 2))
    columns = {
        "shortfall_compulsory": children[compulsory].sum(0),
        "shortfall_other": children[~compulsory].sum(0),
        "overfilled": figures.overfilled.sum((0, 1)),
        "purchased_extra": figures.redirected[-1].sum((0, 1, 2)),
        "displaced": figures.displaced.sum(0),
    }
    columns |= {
        target.id: figures.targets[number]
        for number, target in enumerate(targets)
        if target.rule in ("share", "reduction")
    }
    columns["cost_cny"] = figures.cost_cny.sum(0)
    columns["paid_cny"] = columns["cost_cny"] - figures.cost_cny[COST_KINDS.index("shortfall")]
    out = pd.DataFrame(columns)
    out.insert(0, "draw", np.arange(len(out)))
    return out


def summary(
    tables: Mapping[str, pd.DataFrame], draws: int, seed: int, uncertainty: bool
) -> dict[str, object]:
    """Sum the tables up in plain numbers."""
    each, targets = tables["draws"], tables["targets"]
    return {
        "draws": draws,
        "seed": seed,
        "uncertainty": uncertainty,
        "probability": dict(zip(targets["id"], targets["probability"].tolist(), strict=True)),
        "shortfall_mean": float((each["shortfall_compulsory"] + each["shortfall_other"]).mean()),
        "cost_mean_cny": float(each["cost_cny"].mean()),
        "cost_p95_cny": float(each["cost_cny"].quantile(0.95)),
    }
