"""Plans of generated cities: simulated without uncertainty they are themselves."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd
import pytest
from cities import only_building

from capsim.plan import Plan, optimize
from capsim.scenario import Scenario, generate
from capsim.simulation import Outcomes, simulate
from capsim.simulation.data import simulation_data

EXACT = {"rel": 1e-9, "abs": 1e-6}


def linked(city: Scenario) -> Scenario:
    """Junior schools are reached by links of their own, dearer from other areas."""
    areas, schools = city.table("areas"), city.table("schools").query("stage == 'junior'")
    pairs = areas.merge(schools[["school", "area"]], how="cross", suffixes=("", "_of"))
    cost = np.where(pairs["area"] == pairs["area_of"], 0.0, 700.0)
    own = {"area": pairs["area"], "to_area": "", "to_school": pairs["school"], "stage": "junior"}
    between = areas.merge(areas, how="cross").query("area_x != area_y")
    other = {"area": between["area_x"], "to_area": between["area_y"], "to_school": "", "stage": ""}
    links = [pd.DataFrame({**own, "cost_cny": cost}), pd.DataFrame({**other, "cost_cny": 900.0})]
    return city.variant(tables={"links": pd.concat(links, ignore_index=True)})


RULES = {
    "policy.intake_rise_share": 0.0,
    "policy.public_swing_share": 0.3,
    "policy.least_size_share": 0.2,
    "policy.closing_notice_years": 1,
    "policy.keep_share": 0.75,
}


def ruled(city: Scenario) -> Scenario:
    """Intake does not jump and no school is emptied at once."""
    return city.variant(RULES)


def same(city: Scenario) -> Scenario:
    return city


@cache
def planned(
    areas: int, pupils: int, changed: Callable[[Scenario], Scenario] = same
) -> tuple[Plan, Outcomes]:
    city = generate(areas=areas, pupils=pupils, years=(2021, 2027))
    plan = optimize(changed(city), gap=0.05)
    assert plan.status != "infeasible"
    return plan, simulate(plan, draws=2, uncertainty=False)


cities = pytest.mark.parametrize(
    "city",
    [
        (3, 60_000),
        (3, 60_000, linked),
        (3, 60_000, ruled),
        pytest.param((12, 400_000), marks=pytest.mark.slow),
    ],
)


@pytest.mark.slow
@cities
def test_costs(city):
    plan, out = planned(*city)
    costs = out.tables["costs"].set_index("kind")["mean_cny"]
    expected = plan.tables["costs"].groupby("kind")["discounted_cny"].sum()
    assert costs.to_dict() == pytest.approx(
        expected.reindex(costs.index, fill_value=0.0).to_dict(), **EXACT
    )
    assert (costs[["running", "staff"]] > 0).all()


@cities
def test_targets_and_verdicts(city):
    plan, out = planned(*city)
    targets = plan.tables["targets"].set_index("id")
    simulated = out.tables["targets"].set_index("id")
    assert simulated["mean"].to_dict() == pytest.approx(targets["achieved"].to_dict(), **EXACT)
    assert (simulated["probability"] == targets["met"]).all()


@cities
def test_shares(city):
    plan, out = planned(*city)
    shares = plan.tables["shares"].query("school_year > 2021")
    simulated = out.tables["shares"].set_index(["county", "school_year"])
    keys = list(zip(shares["county"], shares["school_year"], strict=True))
    for rule in ("excluding", "including"):
        found = simulated.loc[keys, f"share_{rule}_p50"].to_numpy()
        assert found == pytest.approx(shares[f"share_{rule}_purchased"].to_numpy(), **EXACT)


@cities
def test_shortfall_and_displaced(city):
    plan, out = planned(*city)
    keys = ["area", "stage", "school_year"]
    expected = plan.tables["shortfall"].groupby(keys)["shortfall"].sum()
    found = out.tables["shortfall"].set_index(keys)["mean"].loc[expected.index]
    assert found.to_numpy() == pytest.approx(expected.to_numpy(), **EXACT)
    moved = plan.tables["enrolment"].groupby("school_year")["displaced"].sum()
    assert out.tables["displaced"]["mean"].to_numpy() == pytest.approx(moved.to_numpy(), **EXACT)


@pytest.mark.slow
def test_draws_leave_nobody_out_and_cost_more_when_late():
    plan, _ = planned(3, 60_000, only_building)
    drawn = simulate(plan, draws=64, seed=1)
    late = drawn.tables["projects"]
    assert len(late) > 0
    assert ((late["p_on_time"] >= 0) & (late["p_on_time"] <= 1)).all()
    assert (late["p50"] >= late["planned"]).all()
    on_time = simulate(plan, draws=64, seed=1, openings=np.repeat(_as_planned(plan), 2, axis=0))
    columns = ["shortfall_compulsory", "shortfall_other", "overfilled"]
    both = [out.tables["draws"][columns].sum(axis=1) for out in (on_time, drawn)]
    assert (both[1] >= both[0] - 1e-6).all()
    # Harm is what lateness adds; where it takes from one county's classes it counts nothing back.
    assert late["harm"].sum() >= (both[1] - both[0]).mean() - 1e-6


def _as_planned(plan: Plan) -> np.ndarray:
    first = plan.tables["openings"].sort_values("opens", kind="stable").drop_duplicates("project")
    return first["opens"].to_numpy("datetime64[D]")[None]


@cities
def test_providers_are_the_models(city):
    """The simulation says which of the model's providers its own are, not by their order."""
    plan, _ = planned(*city)
    model, stages = plan.model.given, simulation_data(plan).stages
    pupils = plan.tables["schools"].set_index(["school", "stage", "school_year"])["pupils"]
    for number, stage in enumerate(stages):
        assert (model.providers.stage[stage.provider] == number).all()
        names = model.providers.school[stage.provider]
        keys = [(name, stage.name, int(year)) for name in names for year in model.space.years]
        assert stage.enrolled.ravel() == pytest.approx(pupils[keys].to_numpy(), **EXACT)
    assert sum(len(stage.provider) for stage in stages) == len(model.providers.school)
