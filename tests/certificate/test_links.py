"""Who may attend where, read by the certificate from the scenario's words."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import pandas as pd
from hand_made import HandPlan
from hand_scenario import frame, given_tables, settings

import capsim
from capsim.certificate.data import read_given
from capsim.certificate.places import early_ends
from capsim.certificate.travel import Links, read_links

KINDERGARTEN, JUNIOR = 0, 1
NORTH, SOUTH = 0, 1


def links_of(plan: HandPlan, tables: dict[str, pd.DataFrame], **travel: Any) -> Links:
    said = deepcopy(settings())
    said["travel"] |= travel
    scenario = capsim.Scenario.from_tables(settings=said, **tables)
    return read_links(read_given(scenario, plan.demand))


def test_automatic_links_stay_in_the_county(hand_plan: HandPlan) -> None:
    tables = given_tables()
    del tables["links"]
    links = links_of(hand_plan, tables)
    assert np.isinf(links.area_cost[:, NORTH, SOUTH]).all()
    assert (links.area_cost[:, NORTH, NORTH] == 0).all()
    assert not links.own.any()


def test_automatic_links_cost_their_distance(hand_plan: HandPlan) -> None:
    tables = given_tables()
    del tables["links"], tables["limits"]
    tables["areas"] = tables["areas"].assign(county="C", x_km=[0.0, 3.0], y_km=[0.0, 4.0])
    assert links_of(hand_plan, tables).area_cost[JUNIOR, SOUTH, NORTH] == 5 * 100
    tables["areas"] = tables["areas"].drop(columns=["x_km", "y_km"])
    links = links_of(hand_plan, tables, default_km=7.0)
    assert links.area_cost[JUNIOR, SOUTH, NORTH] == 7 * 100
    alone = links_of(hand_plan, tables, within_county=False)
    assert np.isinf(alone.area_cost[JUNIOR, SOUTH, NORTH])


def test_listed_links_replace_the_automatic_ones(hand_plan: HandPlan) -> None:
    tables = given_tables() | {
        "links": frame(
            "area to_area to_school stage km cost_cny",
            ("d", "n", "", "", 2.0, None),
            ("d", "n", "", "junior", None, 50.0),
            ("d", "d", "", "junior", None, 20.0),
            ("n", "", "P", "junior", 1.0, None),
        )
    }
    links = links_of(hand_plan, tables)
    # The row with a stage wins over the one for every stage.
    assert links.area_cost[KINDERGARTEN, SOUTH, NORTH] == 200
    assert links.area_cost[JUNIOR, SOUTH, NORTH] == 50
    assert links.area_cost[JUNIOR, SOUTH, SOUTH] == 20
    assert links.area_cost[KINDERGARTEN, SOUTH, SOUTH] == 0
    # A link to a school takes the area's own link of that stage away.
    assert np.isinf(links.area_cost[JUNIOR, NORTH, NORTH])
    assert links.area_cost[KINDERGARTEN, NORTH, NORTH] == 0
    assert links.own.tolist() == [True] + [False] * 8
    assert links.school_cost[NORTH, 0] == 100
    assert np.isinf(links.school_cost[SOUTH, 0])


def test_contracts_may_end_after_their_term_or_with_the_horizon() -> None:
    running = np.array(
        [
            [1, 1, 1, 0, 0],
            [0, 0, 0, 1, 1],
            [1, 1, 0, 0, 0],
            [1, 1, 1, 1, 0],
        ],
        dtype=bool,
    )
    broken = early_ends(running, 3)
    assert broken.any(axis=1).tolist() == [False, False, True, False]
    assert not early_ends(running, 1).any()
