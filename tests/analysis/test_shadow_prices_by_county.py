"""Prices of large cities, found county by county, are those of the whole."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from duality import proves

import capsim
from capsim.analysis.shadow_prices import Prices, prices
from capsim.model import model as model_module

RELATIVE = 1e-4


@cache
def priced_apart() -> tuple[Prices, Prices, Prices]:
    """Prices of a city of three counties: whole, county by county, and of the latter one dual."""
    scenario = capsim.generate(areas=9, pupils=45_000, years=(2021, 2023), seed=1)
    plan = capsim.optimize(scenario, gap=2e-2, threads=1)
    own = plan.model
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_module, "LARGE", 0)
        assert own.apart(own.program) is not None
        apart = prices(plan), prices(plan, intervals=False)
    assert own.apart(own.program) is None
    return prices(plan), *apart


@pytest.mark.slow
def test_counties_taken_apart_have_the_prices_of_the_whole() -> None:
    """Both slopes of every price are the same, found from another vertex."""
    whole, apart, _ = priced_apart()
    assert apart.solution.objective == pytest.approx(whole.solution.objective, rel=1e-9)
    for side in ("one_more_cny", "one_less_cny"):
        np.testing.assert_allclose(
            apart.table[side], whole.table[side], rtol=RELATIVE, atol=1e-2, err_msg=side
        )
    assert set(apart.binding()["kind"]) >= {"place", "contract teacher", "reduction"}


@pytest.mark.slow
def test_a_dual_price_lies_in_its_interval() -> None:
    _, apart, duals = priced_apart()
    keys = ["kind", "unit", "area", "county", "stage", "name", "year"]
    assert not set(duals.table["kind"]) & {"project", "programme", "day"}
    both = duals.table.merge(apart.table, on=keys, suffixes=("", "_exact"))
    assert len(both) == len(duals.table)
    assert (duals.table["one_more_cny"] == duals.table["one_less_cny"]).all()
    assert duals.table[["more_units", "less_units"]].isna().all(axis=None)
    slack = 1e-2 + RELATIVE * both["one_more_cny"].abs()
    assert (both["one_more_cny"] >= both["one_more_cny_exact"] - slack).all()
    assert (both["one_less_cny"] <= both["one_less_cny_exact"] + slack).all()
    assert (both["one_more_cny"].abs() > 1).any()


@pytest.mark.slow
def test_duals_prove_the_optimum_without_the_solver() -> None:
    for found in priced_apart()[1:]:
        proves(found)
