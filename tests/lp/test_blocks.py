"""Programs that fall apart: the union of the parts is feasible, their prices bound the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lp_programs import block_angular, violation

from capsim.lp import Builder, solve
from capsim.lp.decomposition import block_milp as decompose
from capsim.lp.decomposition import blocks as blocks_module
from capsim.lp.decomposition.block_milp import solve_blocks
from capsim.lp.decomposition.blocks import split
from capsim.lp.options_and_result import SolveOptions

SEEDS = st.integers(0, 10_000)
BLOCKS = st.integers(2, 5)
QUICK = settings(max_examples=25, derandomize=True)


@QUICK
@given(SEEDS, BLOCKS, st.integers(1, 8))
def test_every_column_and_row_is_in_one_block(seed: int, blocks: int, parts: int) -> None:
    made = block_angular(seed, blocks, integer=False)
    found = split(made.program, made.coupling, parts=parts)
    rows, columns = made.program.matrix.shape
    assert sorted(np.concatenate([b.columns for b in found.blocks])) == list(range(columns))
    own = np.concatenate([b.rows for b in found.blocks])
    assert sorted([*own, *found.coupling]) == list(range(rows))
    sizes = [len(b.columns) for b in found.blocks]
    assert sizes == sorted(sizes, reverse=True)
    matrix = made.program.matrix.toarray()
    for block in found.blocks:
        others = np.setdiff1d(np.arange(columns), block.columns)
        assert not matrix[np.ix_(block.rows, others)].any()


def test_blocks_of_small_components_stay_small_however_few_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blocks_module, "LARGEST", 6)
    made = block_angular(3, 12, integer=False)
    found = split(made.program, made.coupling, parts=2)
    alone = split(made.program, made.coupling, parts=1000)
    most = max(len(b.columns) for b in alone.blocks)
    assert len(found.blocks) > 2
    assert max(len(b.columns) for b in found.blocks) < 6 + most
    assert sorted(np.concatenate([b.columns for b in found.blocks])) == list(
        range(len(made.program.cost))
    )


@QUICK
@given(SEEDS, BLOCKS)
def test_shares_of_the_optimum_are_feasible_together_and_lose_nothing(
    seed: int, blocks: int
) -> None:
    made = block_angular(seed, blocks, integer=False)
    whole = solve(made.program)
    assert whole.x is not None
    found = split(made.program, made.coupling, parts=blocks)
    x = np.zeros(len(made.program.cost))
    for block, limit in zip(found.blocks, found.shares(whole.x), strict=True):
        part = solve(found.part(block, limit=limit))
        assert part.x is not None
        x[block.columns] = part.x
    assert violation(made.program, x) <= 1e-6
    objective = float(made.program.cost @ x) + made.program.offset
    assert objective == pytest.approx(whole.objective, abs=1e-6)


@QUICK
@given(SEEDS, BLOCKS, st.booleans())
def test_any_prices_bound_the_optimum_from_below(seed: int, blocks: int, integer: bool) -> None:
    made = block_angular(seed, blocks, integer=integer)
    best = solve(made.program, gap=0.0).objective
    found = split(made.program, made.coupling, parts=blocks)
    price = np.random.default_rng(seed).normal(0.0, 1.0, len(found.coupling))
    cost, constant = found.priced(price)
    bounds = [solve(found.part(block, cost), gap=0.0).bound for block in found.blocks]
    assert sum(bounds) + constant + made.program.offset <= best + 1e-6


@QUICK
@given(SEEDS, BLOCKS)
def test_the_duals_of_the_whole_bound_it_exactly(seed: int, blocks: int) -> None:
    made = block_angular(seed, blocks, integer=False)
    whole = solve(made.program)
    assert whole.row_dual is not None
    found = split(made.program, made.coupling, parts=blocks)
    cost, constant = found.priced(whole.row_dual[found.coupling])
    bounds = [solve(found.part(block, cost)).bound for block in found.blocks]
    assert sum(bounds) + constant + made.program.offset == pytest.approx(whole.objective, abs=1e-6)


@pytest.mark.slow
@QUICK
@given(SEEDS, BLOCKS, st.booleans())
def test_block_by_block_brackets_the_whole(seed: int, blocks: int, by_prices: bool) -> None:
    """Whether the relaxation is solved by prices or whole."""
    made = block_angular(seed, blocks, integer=True)
    best = solve(made.program, gap=0.0).objective
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decompose, "FEW", 1 if by_prices else 99)
        found = solve_blocks(
            split(made.program, made.coupling, parts=blocks), SolveOptions(gap=0.01)
        )
    assume(found is not None)  # whole numbers may not fit a block's share: then solved whole
    assert found is not None
    assert found.x is not None
    assert violation(made.program, found.x) <= 1e-6
    assert found.bound - 1e-6 <= best <= found.objective + 1e-6
    if found.status == "optimal":
        assert found.objective - best <= 0.01 * max(abs(found.objective), 1.0) + 1e-6


def test_an_infeasible_whole_is_left_to_the_solver_of_the_whole() -> None:
    m = Builder()
    x = m.variables("x", 2, upper=1.0, integer=True)
    m.constrain("own", 2, [(np.arange(2), x, 1.0)], upper=1.0)
    m.constrain("meet", 1, [(0, x, 1.0)], lower=3.0)
    program = m.freeze()
    flag = np.array([False, False, True])
    assert solve_blocks(split(program, flag, parts=2), SolveOptions(gap=0.01)) is None


@pytest.mark.parametrize("limit", [0.0, 1.0])
@pytest.mark.parametrize("few", [1, 99])
def test_a_row_without_columns_is_seen_by_the_solver(
    monkeypatch: pytest.MonkeyPatch, few: int, limit: float
) -> None:
    """Nothing is at least 0, and never at least 1."""
    monkeypatch.setattr(decompose, "FEW", few)
    m = Builder()
    x = m.variables("x", 12, upper=4.0, cost=np.arange(1.0, 13.0), integer=True)
    m.constrain("own", 12, [(np.arange(12), x, 1.0)], lower=1.0)
    m.constrain("both", 1, [(0, x, 1.0)], lower=18.0)
    m.constrain("nobody", 1, [], lower=limit)
    program = m.freeze()
    flag = np.zeros(14, bool)
    flag[12] = True
    found = split(program, flag, parts=12)
    seen = np.concatenate([b.rows for b in found.blocks])
    assert set(range(12)) <= set(seen.tolist())
    assert not limit or 13 in seen
    solution = solve_blocks(found, SolveOptions(gap=1e-3))
    if limit:
        assert solution is None
        assert solve(program).status == "infeasible"
    else:
        assert solution is not None
        assert solution.objective == pytest.approx(solve(program).objective)


def test_a_block_without_a_plan_in_its_share_takes_what_it_needs_from_the_others() -> None:
    """Half a unit of ``a`` (use 2 of 6) is the cheapest, but whole it uses 4, as its demand says.

    The relaxation leaves ``b`` the other 4 of which each saves 1; the best whole plan leaves it 2.
    """
    m = Builder()
    a = m.variables("a", 1, upper=3.0, cost=1.0, integer=True)
    b = m.variables("b", 1, upper=9.0, cost=-1.0)
    m.constrain("own", 2, [(0, a, 4.0), (1, b, 1.0)], lower=[2.0, 0.0])
    m.constrain("both", 1, [(0, a, 4.0), (0, b, 1.0)], upper=6.0)
    found = solve_blocks(
        split(m.freeze(), np.array([False, False, True]), parts=2), SolveOptions(gap=1e-6)
    )
    assert found is not None
    assert found.x is not None
    assert found.x.tolist() == [1.0, 2.0]
    assert found.objective == pytest.approx(-1.0)
    assert found.bound <= -1.0


@pytest.mark.slow
def test_a_search_that_ends_above_the_gap_goes_on() -> None:
    """Each round gains or is the last; the objective never rises and the bound never falls."""
    reached = 0
    for seed in (0, 1):
        made = block_angular(seed, 3, integer=True)
        best = solve(made.program, gap=0.0).objective
        parts = split(made.program, made.coupling, parts=3)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(decompose, "FURTHER", 0)
            short = solve_blocks(parts, SolveOptions(gap=1e-3))
        long = solve_blocks(parts, SolveOptions(gap=1e-3))
        assert short is not None
        assert long is not None
        assert long.objective <= short.objective + 1e-9
        assert long.bound >= short.bound - 1e-9
        assert long.bound - 1e-6 <= best <= long.objective + 1e-6
        reached += long.objective < short.objective - 1e-6
    assert reached == 2
