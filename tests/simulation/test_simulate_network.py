"""Pools and ways: automatic links, listed ones, schools with links of their own."""

from dataclasses import replace

import hand_plan
import numpy as np

from capsim.model.data import prepare
from capsim.model.links import prepare_links
from capsim.simulation.pools import read_network


def network(links=None, xy=None):
    scenario = hand_plan.scenario()
    tables = {}
    if links is not None:
        columns = "area to_area to_school stage km cost_cny"
        tables["links"] = hand_plan.rows(columns, *links)
    if xy is not None:
        tables["areas"] = scenario.table("areas").assign(x_km=xy, y_km=0.0)
    scenario = scenario.variant(tables=tables)
    model = prepare(scenario, hand_plan.demand())
    return read_network(model, prepare_links(model), 0, hand_plan.plan().tables["flows"])


def ways(net, area):
    return [
        (int(pool), float(cost))
        for pool, cost in zip(net.near[:, area], net.near_cny[:, area], strict=True)
        if pool >= 0
    ]


def test_automatic_links_stay_in_the_county():
    net = network()
    assert ways(net, 0) == [(0, 0.0), (1, 1500.0)]
    assert ways(net, 2) == [(2, 0.0)]


def test_who_can_go_nowhere_by_the_day_looks_where_to_board():
    scenario = hand_plan.scenario()
    model = prepare(scenario, hand_plan.demand())
    links, flows = prepare_links(model), hand_plan.plan().tables["flows"]
    from_a = links.area == 0
    for far, expected in (
        (from_a & (links.to_area == 1), [(0, 0.0)]),
        (from_a, [(0, 0.0), (1, 1500.0)]),
    ):
        net = read_network(model, replace(links, far=far), 0, flows)
        assert ways(net, 0) == expected


def test_distances_from_coordinates():
    net = network(xy=[0.0, 2.0, 9.0])
    assert ways(net, 1) == [(1, 0.0), (0, 600.0)]


def test_listed_links_replace_the_automatic_ones():
    nan = np.nan
    net = network([("A", "B", "", "", 3.0, nan), ("A", "B", "", "primary", nan, 70.0)])
    assert ways(net, 0) == [(0, 0.0), (1, 70.0)]
    assert ways(net, 1) == [(1, 0.0)]


def test_links_to_another_county_are_no_way_to_spill():
    net = network([("A", "C", "", "", np.nan, 10.0)])
    assert ways(net, 0) == [(0, 0.0)]


def test_links_of_another_stage_do_not_count():
    net = network([("A", "B", "", "junior", np.nan, 10.0)])
    assert ways(net, 0) == [(0, 0.0)]


def test_a_school_with_links_of_its_own_is_a_pool():
    """pubA is reached from B only by its own link; A loses its automatic way to itself by one."""
    net = network([("A", "", "pubA", "", np.nan, 5.0), ("B", "", "pubA", "", 2.0, np.nan)])
    assert net.pool.tolist() == [3, 0, 1, 1, 2, 0]
    assert net.home.tolist() == [0, 1, 2, 0]
    assert ways(net, 0) == [(3, 5.0)]
    assert ways(net, 1) == [(3, 600.0)]


def test_mix_says_where_children_come_from():
    net = network()
    mix = net.mix.toarray().reshape(3, 2, 3, 3, 2, 3)
    # 2023, grade 1: B's pool has 40 of its own and 2 of A.
    assert np.allclose(mix[1, 0, 1, :, 0, 1], [2 / 42, 40 / 42, 0])
    assert np.allclose(mix.sum((3, 4, 5)), 1)
