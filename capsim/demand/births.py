"""Named variants of births: low, principal and high."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from scipy.special import ndtri

from .observe import observe

if TYPE_CHECKING:
    from capsim.scenario import Scenario

VARIANTS = {"low": 0.1, "principal": 0.5, "high": 0.9}
"""Name to the quantile of births that it stands for."""


def birth_variant(scenario: Scenario, name: str) -> Scenario:
    """Give the scenario with births after its base year at a quantile of their uncertainty.

    Births wander from the given ones by ``uncertainty.birth_sd`` a year, so that the variants open
    with the square root of the years ahead. Births after the last year given are held first, as in
    `capsim.demand.project`.

    Parameters
    ----------
    scenario : Scenario
    name : text
        One of `VARIANTS`.

    Returns
    -------
    Scenario
        Named ``NAME-low-births`` and so on; the scenario itself for ``principal``.

    Raises
    ------
    ValueError
        For another name.
    """
    if name not in VARIANTS:
        raise ValueError(f"a variant of births is one of {', '.join(VARIANTS)}, not {name!r}")
    if name == "principal":
        return scenario
    births = scenario.table("births")
    births = pd.concat([births, _held(scenario, births)], ignore_index=True)
    ahead = (births["year"] - scenario.base_year).clip(lower=0)
    step = float(ndtri(VARIANTS[name])) * scenario.settings.uncertainty.birth_sd
    births["births"] = births["births"] * (1 + step * ahead**0.5).clip(lower=0)
    return scenario.variant({}, tables={"births": births}, name=f"{scenario.name}-{name}-births")


def _held(scenario: Scenario, births: pd.DataFrame) -> pd.DataFrame:
    """Rows for the years that the projection needs after each area's last."""
    seen = observe(scenario)
    labels = pd.MultiIndex.from_product([seen.areas, seen.birth_years], names=["area", "year"])
    rows = pd.DataFrame({"births": seen.births.ravel()}, index=labels).reset_index()
    last = rows["area"].map(births.groupby("area")["year"].max())
    return rows[rows["year"] > last]
