"""A table whose cells are changed in step, so that its own sums still agree, is rejected too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hand_made import HandPlan

from capsim.certificate import certify

Lie = Callable[[pd.DataFrame], pd.DataFrame]


def swapped(column: str, one: Any, other: Any) -> Lie:
    """What is said of one thing is said of the other."""
    return lambda table: table.assign(
        **{column: table[column].replace({one: other, other: one}).to_numpy()}
    )


def moved(column: str, from_row: int, to_row: int, amount: float) -> Lie:
    """An amount of one row stands in another."""

    def lie(table: pd.DataFrame) -> pd.DataFrame:
        cells = table[column].astype(float).to_numpy(copy=True)
        cells[from_row] -= amount
        cells[to_row] += amount
        return table.assign(**{column: cells})

    return lie


def added(row: int, **amounts: float) -> Lie:
    """Several columns of a row change together."""

    def lie(table: pd.DataFrame) -> pd.DataFrame:
        for column, amount in amounts.items():
            cells = table[column].astype(float).to_numpy(copy=True)
            cells[row] += amount
            table = table.assign(**{column: cells})
        return table

    return lie


def more(**cells: Any) -> Lie:
    """A row more, like the last but for these cells."""
    return lambda table: pd.concat([table, table.iloc[[-1]].assign(**cells)], ignore_index=True)


def columns_swapped(one: str, other: str) -> Lie:
    return lambda table: table.assign(**{one: table[other], other: table[one]})


YEARS = ("school_year", 2022, 2023)
LIES: list[tuple[str, str, Lie]] = [
    ("schools change names", "enrolment", swapped("school", "P", "Q")),
    ("years change places", "enrolment", swapped(*YEARS)),
    ("years change places", "staff", swapped(*YEARS)),
    ("years change places", "schools", swapped(*YEARS)),
    ("years change places", "shares", swapped(*YEARS)),
    ("years change places", "purchases", swapped(*YEARS)),
    ("projects change dates", "openings", swapped("project", "N", "E")),
    ("a child a grade up", "enrolment", moved("pupils", 0, 2, 1.0)),
    ("half a child another way", "flows", moved("pupils", 13, 14, 0.5)),
    ("a place bought a year later", "purchases", moved("places_december", 0, 1, 1.0)),
    ("a teacher hired and in the pool", "staff", added(0, hired=1.0, pool=1.0)),
    ("a teacher on contract, not on post", "staff", added(1, pool=-1.0, contract=1.0)),
    ("a teacher less is needed and had", "staff", added(1, need=-1.0, contract=-1.0)),
    ("a child left out is placed", "shortfall", added(12, placed=1.0, shortfall=-1.0)),
    ("a child placed is left out", "shortfall", added(6, placed=-1.0, shortfall=1.0)),
    ("a child more is placed", "shortfall", added(6, children=1.0, placed=1.0)),
    ("another copy opens", "openings", more(opens="2023-09-01")),
    ("another school is run down", "closures", more(school="V", how="run_down", from_year=2023)),
    ("another school converts", "conversions", more(school="V")),
    (
        "a catchment where none is drawn",
        "catchments",
        lambda table: pd.DataFrame([("n", "C", "junior", 2022, "P")], columns=table.columns),
    ),
    ("kinds of cost change names", "costs", swapped("kind", "staff", "hiring")),
    ("nothing is discounted", "costs", lambda t: t.assign(discounted_cny=t["cost_cny"])),
    ("new seats are called old ones", "balance", columns_swapped("existing_used", "new_used")),
    ("terms of the identity change names", "reduction", columns_swapped("new_seats", "converted")),
    (
        "bought places count, and do not",
        "shares",
        columns_swapped("private_excluding_purchased", "private_including_purchased"),
    ),
    ("every target is just met", "targets", lambda t: t.assign(achieved=t["required"], met=True)),
]


@pytest.mark.parametrize(
    ("table", "lie"), [lie[1:] for lie in LIES], ids=[f"{t}: {what}" for what, t, _ in LIES]
)
def test_a_balanced_lie_is_rejected(
    hand_scenario: Any, hand_plan: HandPlan, table: str, lie: Lie
) -> None:
    told = hand_plan.tables[table]
    changed = lie(told.copy())
    assert not changed.equals(told)
    certificate = certify(
        hand_scenario, replace(hand_plan, tables=hand_plan.tables | {table: changed})
    )
    assert not certificate.holds(), table
