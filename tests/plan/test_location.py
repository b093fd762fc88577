"""The field's location problems, said as scenarios, against every choice of sites.

Choices (so many of a set of projects) and the floor on filled seats are held against them too.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from siting_cities import sites_of
from tiny_cases import project, school, spent, town

import capsim
from capsim.model.constraints import FAMILIES


def points(seed: int, count: int = 9) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    xy = rng.uniform(0, 8, (count, 2)).round(2)
    away = xy[:, None, :] - xy[None, :, :]
    return xy, rng.integers(20, 200, count), np.hypot(away[..., 0], away[..., 1])


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("p", [1, 2, 3])
def test_p_median(seed: int, p: int) -> None:
    """Money for p schools: every child to the nearest, the fewest pupil-kilometres of all."""
    xy, children, km = points(seed)
    scenario = sites_of(
        *(xy, children),
        budget=p,
        travel={"nearest": {"junior": len(xy)}},
        costs={"discount_rate": 0.0, "travel_cny_per_km": 300.0, "shortfall_cny": 1e6},
        cost_terms={"capital": False, "running": False},
    )
    plan = capsim.optimize(scenario, gap=1e-9, threads=1)
    best = min(
        float((children * km[:, list(chosen)].min(axis=1)).sum())
        for chosen in itertools.combinations(range(len(xy)), p)
    )
    assert plan.status == "optimal"
    assert plan.objective_cny == pytest.approx(best * 300.0, rel=1e-6)
    assert plan.tables["openings"]["copies"].sum() == p


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("radius_km", [1.5, 2.5, 4.0])
def test_set_covering(seed: int, radius_km: float) -> None:
    """The fewest schools that leave no neighbourhood farther than the radius from one."""
    xy, children, km = points(seed)
    scenario = sites_of(
        *(xy, children),
        travel={"radius_km": {"junior": radius_km}},
        costs={"discount_rate": 0.0, "travel_cny_per_km": 0.0, "shortfall_cny": 1e6},
        cost_terms={"running": False},
    )
    plan = capsim.optimize(scenario, gap=1e-9, threads=1)
    fewest = next(
        count
        for count in range(1, len(xy) + 1)
        if any(
            (km[:, list(chosen)].min(axis=1) <= radius_km).all()
            for chosen in itertools.combinations(range(len(xy)), count)
        )
    )
    assert plan.objective_cny == pytest.approx(fewest * 1e6)
    opened = plan.tables["openings"]["project"].str.removeprefix("site-").astype(int).to_numpy()
    assert len(opened) == fewest
    assert (km[:, opened].min(axis=1) <= radius_km).all()


FREE = {
    "costs": {"discount_rate": 0.0, "travel_cny_per_km": 300.0, "shortfall_cny": 1e6},
    "cost_terms": {"capital": False, "running": False},
}


def _cheapest(
    children: np.ndarray, km: np.ndarray, allowed: Any, numbers: range
) -> tuple[float, set[tuple[int, ...]]]:
    """Try every set of sites that is allowed: the least cost, and which sets have it."""
    cost = {
        chosen: 300.0 * float((children * km[:, list(chosen)].min(axis=1)).sum())
        for number in numbers
        for chosen in itertools.combinations(range(len(children)), number)
        if allowed(set(chosen))
    }
    least = min(cost.values())
    return least, {chosen for chosen, value in cost.items() if value <= least * (1 + 1e-9)}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("choices", "allowed"),
    [
        ({"all": {"kinds": ["new"], "most": 3}}, lambda s: len(s) <= 3),
        (
            {
                "all": {"kinds": ["new"], "most": 4},
                "exactly": {"projects": ["site-0", "site-1", "site-2"], "least": 1, "most": 1},
                "some": {"projects": ["site-2", "site-3", "site-4"], "least": 2},
            },
            lambda s: len(s) <= 4 and len(s & {0, 1, 2}) == 1 and len(s & {2, 3, 4}) >= 2,
        ),
    ],
)
def test_so_many_of_a_set(seed: int, choices: dict[str, Any], allowed: Any) -> None:
    """At most p schools; exactly one of three and two of three others at least."""
    xy, children, km = points(seed)
    switches = {name: name in ("placement", "seats", "choice") for name in FAMILIES}
    scenario = sites_of(
        *(xy, children),
        travel={"nearest": {"junior": len(xy)}},
        choices=choices,
        switches=switches,
        **FREE,
    )
    plan = capsim.optimize(scenario, gap=1e-9, threads=1)
    least, sets = _cheapest(children, km, allowed, range(1, 5))
    assert plan.objective_cny == pytest.approx(least, rel=1e-6)
    opened = plan.tables["openings"]["project"].str.removeprefix("site-").astype(int)
    assert tuple(sorted(opened)) in sets
    assert capsim.certify(scenario, plan).holds()
    # A plan with one site more, or with all sites open, breaks a choice.
    names = [f"site-{i}" for i in range(len(xy))]
    every = plan.tables["openings"].iloc[[0] * len(xy)].assign(project=names)
    broken = replace(plan, tables={**plan.tables, "openings": every})
    table = capsim.certify(scenario, broken).table.set_index("family")
    assert table.loc["choice", "max_violation"] > 0.5


def test_a_choice_counts_by_its_date() -> None:
    """One school by 2022; the second, which pays for itself, opens a year later."""
    scenario = town(
        children=(60, 60),
        schools=[school("P", "public", 20, 20)],
        projects=[project(name, 20, 1e5, "2022-09-01") for name in ("N1", "N2")],
        choices={"sites": {"kinds": ["new"], "most": 1, "by": "2022-12-31"}},
    )
    plan = capsim.optimize(scenario, gap=1e-9, threads=1)
    assert sorted(plan.tables["openings"]["opens"]) == ["2022-09-01", "2023-09-01"]
    without = scenario.variant({"choices.sites.by": None})
    assert len(capsim.optimize(without, gap=1e-9, threads=1).tables["openings"]) == 1


@pytest.mark.slow
def test_schools_that_cannot_be_filled_close() -> None:
    """Two schools of 50 seats and 60 children: at nine tenths filled one of them has to close.

    A seat less then costs the 2,000 RMB of a pupil more in a crowded class.
    """
    close = project("C", 0, 0, "2022-09-01", kind="close", school="Q", places_given_up=50)
    scenario = town(
        children=(60, 60),
        schools=[school("P", "public", 50, 30), school("Q", "public", 50, 30)],
        projects=[close | {"saved_cny": 0.0}],
        standards={"class_ceiling": 60, "large_class": 61},
        costs={"overfill_cny": 2000},
    )
    loose = capsim.optimize(scenario, gap=1e-9, threads=1)
    assert loose.tables["openings"].empty
    ruled = scenario.variant({"policy.public_fill_share": {"2023": 0.9}})
    plan = capsim.optimize(ruled, gap=1e-9, threads=1)
    opened = plan.tables["openings"][["project", "opens"]]
    assert opened.to_numpy().tolist() == [["C", "2023-09-01"]]
    assert spent(plan, "overfill") == {2023: 20_000.0}
    assert capsim.certify(ruled, plan).holds()
    broken = capsim.certify(ruled, replace(loose, scenario=ruled)).table.set_index("family")
    fewest = loose.tables["enrolment"].query("school_year == 2023")["pupils"].min()
    assert fewest < 45
    assert broken.loc["fill", "max_violation"] == pytest.approx((45 - fewest) / 45)


def test_the_price_of_filled_seats() -> None:
    """A school 1 km further off must have 36 of 60 children: each of them costs 300 RMB."""
    xy = np.array([[0.0, 0.0], [0.0, 1.0]])
    scenario = sites_of(xy, np.array([60, 0]), travel={"nearest": {"junior": 2}}, **FREE)
    both = {"least": 2, "kinds": ["new"]}
    switches = {name: name in ("placement", "seats", "choice", "fill") for name in FAMILIES}
    ruled = scenario.variant(
        {"switches": switches, "choices": {"both": both}, "policy.public_fill_share": {"2022": 0.2}}
    )
    plan = capsim.optimize(ruled, gap=1e-9, threads=1)
    assert plan.avoidable_cny == pytest.approx(12 * 300.0)
    price = plan.prices(["fill"]).table.set_index("name")
    assert price.loc["site-1", "one_more_cny"] == pytest.approx(300.0)
    assert price.loc["site-0", "one_more_cny"] == 0.0
    relaxed = capsim.optimize(ruled, relax=True).prices(["choice"])
    assert relaxed.table[["name", "year"]].to_numpy().tolist() == [["both", 2022]]
    assert relaxed.table["one_more_cny"].iloc[0] > 0
