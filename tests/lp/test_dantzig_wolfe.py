"""Prices of coupling rows against the whole program solved at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_array, csr_array, hstack, vstack

from capsim.lp import Builder
from capsim.lp.decomposition.blocks import Split, split
from capsim.lp.decomposition.dantzig_wolfe import Pricer, price_coupling
from capsim.lp.highs import Highs


def plants(blocks: int, rows: int, seed: int, *, demand: float = 0.6):
    """Blocks that each make three goods from a capacity of their own, for a common demand."""
    rng = np.random.default_rng(seed)
    m = Builder()
    make = [m.variables("make", 3, upper=rng.uniform(2, 6, 3)) for _ in range(blocks)]
    for b in range(blocks):
        m.constrain("own", 1, [(0, make[b], rng.uniform(0.5, 1.5, 3))], upper=6.0)
    coupling = []
    for r in range(rows):
        weights = rng.uniform(0.2, 1.0, (blocks, 3))
        most = sum(float(w.sum()) for w in weights)
        m.constrain(
            f"both{r}", 1, [(0, make[b], weights[b]) for b in range(blocks)], lower=demand * most
        )
        coupling.append(blocks + r)
    program = m.freeze(cost=rng.uniform(1, 5, 3 * blocks))
    flag = np.zeros(program.matrix.shape[0], bool)
    flag[coupling] = True
    return program, split(program, flag, parts=blocks)


@pytest.mark.slow
@settings(max_examples=25)
@given(blocks=st.integers(2, 7), rows=st.integers(1, 4), seed=st.integers(0, 10_000))
def test_mixture_and_bound_enclose_the_optimum_of_the_whole(blocks, rows, seed):
    program, found = plants(blocks, rows, seed)
    whole = Highs(program).solve()
    priced = price_coupling(found, tolerance=1e-6)
    if priced is None:
        assert whole.status != "optimal"
        return
    assert priced.objective == pytest.approx(whole.objective, rel=2e-6)
    assert priced.bound <= whole.objective + 1e-6
    activity = program.matrix @ priced.x
    assert (activity >= program.row_lower - 1e-6).all()
    assert (activity <= program.row_upper + 1e-6).all()
    assert (priced.x >= program.lower - 1e-9).all()
    assert (priced.x <= program.upper + 1e-9).all()


def test_the_bound_is_that_of_its_prices():
    _, found = plants(4, 2, 3)
    priced = price_coupling(found, tolerance=1e-6)
    cost, constant = found.priced(priced.price)
    least = sum(Highs(found.part(b, cost)).solve().objective for b in found.blocks)
    assert least + constant == pytest.approx(priced.bound, rel=1e-9)


def test_first_prices_may_be_given_and_any_do():
    _, found = plants(5, 3, 8)
    cold = price_coupling(found, tolerance=1e-6)
    warm = price_coupling(found, tolerance=1e-6, start=cold.price)
    wild = price_coupling(found, tolerance=1e-6, start=np.full(3, 40.0))
    assert warm.objective == pytest.approx(cold.objective, rel=2e-6)
    assert wild.objective == pytest.approx(cold.objective, rel=2e-6)


def test_rows_that_no_mixture_keeps_are_left_to_the_whole():
    _, found = plants(3, 1, 1, demand=50.0)
    assert price_coupling(found) is None


def test_rows_that_a_group_of_blocks_has_no_part_in():
    program, found = plants(7, 2, 4)
    empty = csr_array((1, program.matrix.shape[1]))
    matrix = csc_array(vstack([program.matrix, empty]))
    wider = replace(
        program,
        matrix=matrix,
        row_lower=np.append(program.row_lower, -np.inf),
        row_upper=np.append(program.row_upper, 1.0),
        rows=(),
    )
    coupling = np.append(found.coupling, program.matrix.shape[0])
    priced = price_coupling(Split(wider, coupling, found.blocks), tolerance=1e-6)
    assert priced.objective == pytest.approx(Highs(program).solve().objective, rel=2e-6)


def test_no_time_no_answer():
    _, found = plants(3, 1, 1)
    assert price_coupling(found, time_limit=0.0) is None


def test_blocks_that_never_meet():
    m = Builder()
    x = m.variables("x", 2)
    m.constrain("own", 2, [([0, 1], x, 1.0)], lower=[1.0, 2.0])
    found = split(m.freeze(cost=np.ones(2)), np.zeros(2, bool), parts=2)
    assert price_coupling(found).objective == pytest.approx(3.0)


def with_gaps(price):
    """Plants whose common demand may be missed: a column of each coupling row alone."""
    program, found = plants(4, 3, 2, demand=0.9)
    rows = len(program.row_lower)
    missed = csc_array(
        (np.ones(3), (found.coupling, np.arange(3))), shape=(rows, 3), dtype=np.float64
    )
    wide = replace(
        program,
        cost=np.append(program.cost, np.full(3, price)),
        lower=np.append(program.lower, np.zeros(3)),
        upper=np.append(program.upper, np.full(3, np.inf)),
        integer=np.append(program.integer, np.zeros(3, bool)),
        matrix=csc_array(hstack([program.matrix, missed])),
        columns=(),
    )
    flag = np.zeros(rows, bool)
    flag[found.coupling] = True
    return wide, split(wide, flag, parts=4)


def test_columns_of_coupling_rows_alone_cap_the_prices():
    program, found = with_gaps(1.2)
    priced = price_coupling(found, tolerance=1e-6)
    assert priced.objective == pytest.approx(Highs(program).solve().objective, rel=2e-6)
    assert (priced.price <= 1.2 + 1e-6).all()
    assert (priced.x[-3:] > 0).any()
    activity = program.matrix @ priced.x
    assert (activity >= program.row_lower - 1e-6).all()


@pytest.mark.slow
def test_one_program_after_the_other():
    """Costs and bounds change; what was known before is used where it still holds."""
    program, found = with_gaps(7.0)
    pricer, rng = Pricer(found), np.random.default_rng(3)
    for _ in range(12):
        upper = np.where(rng.random(len(program.upper)) < 0.2, 0.5, program.upper)
        asked = replace(program, cost=program.cost * rng.uniform(0, 2, len(upper)), upper=upper)
        asked.cost[-3:] = rng.choice([0.5, 7.0, 90.0], 3)
        priced = pricer.price(asked, tolerance=1e-6)
        whole = Highs(asked).solve()
        if priced is None:
            assert whole.status == "infeasible"
            continue
        assert priced.objective == pytest.approx(whole.objective, rel=2e-6, abs=2e-6)
        assert (priced.x <= asked.upper + 1e-9).all()
        assert (asked.matrix @ priced.x >= asked.row_lower - 1e-6).all()


@pytest.mark.parametrize("apart", [0.5, 0.9, 1.1, 2.0])
def test_it_ends_when_it_is_plain_on_which_side_the_optimum_is(apart):
    program, found = with_gaps(7.0)
    least = Highs(program).solve().objective
    priced = Pricer(found).price(program, tolerance=1e-6, threshold=apart * least)
    assert (priced.bound > apart * least) == (apart < 1)
    assert priced.bound <= least + 1e-6
    assert np.isnan(priced.x).any() == (apart < 1)
    if apart > 1:
        assert least - 1e-6 <= priced.objective <= apart * least
