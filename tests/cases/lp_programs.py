"""Small programs that several tests solve: random ones with a known solution, and a hard one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capsim.lp import Builder, LinearProgram

SOLVERS = ("highs", "scipy", "pulp-highs", "cbc")


def random_program(seed: int, *, integer: bool, columns: int = 8, rows: int = 6) -> LinearProgram:
    """Rows of all kinds (``≤``, ``≥``, ``=``, both) that a hidden whole point keeps."""
    rng = np.random.default_rng(seed)
    m = Builder()
    half = columns // 2
    x = m.variables("x", half, upper=9.0, cost=rng.normal(size=half), integer=integer)
    y = m.variables(
        "y", columns - half, lower=-4.0, upper=6.0, cost=rng.normal(size=columns - half)
    )
    point = np.concatenate([rng.integers(0, 10, half), rng.integers(-4, 7, columns - half)])
    matrix = rng.integers(-3, 4, (rows, columns)).astype(float)
    activity = matrix @ point
    room = rng.integers(1, 6, rows).astype(float)
    kind = np.arange(rows) % 4
    lower = np.where(kind == 0, -np.inf, np.where(kind == 2, activity, activity - room))
    upper = np.where(kind == 1, np.inf, np.where(kind == 2, activity, activity + room))
    at = np.arange(rows)[:, None]
    terms = [(at, x[None, :], matrix[:, :half]), (at, y[None, :], matrix[:, half:])]
    m.constrain("row", rows, terms, lower=lower, upper=upper)
    return m.freeze(offset=3.5)


def market_split(rows: int = 5, seed: int = 1) -> LinearProgram:
    """Cornuéjols and Dawande's market split: any 0/1 point will do, the best is hard to prove."""
    rng = np.random.default_rng(seed)
    columns = 10 * (rows - 1)
    weight = rng.integers(0, 100, (rows, columns)).astype(float)
    m = Builder()
    x = m.variables("x", columns, upper=1.0, integer=True)
    over, under = m.variables("over", rows, cost=1.0), m.variables("under", rows, cost=1.0)
    half = np.floor(weight.sum(axis=1) / 2)
    at = np.arange(rows)
    terms = [(at[:, None], x[None, :], weight), (at, over, -1.0), (at, under, 1.0)]
    m.constrain("split", rows, terms, lower=half, upper=half)
    return m.freeze()


def infeasible(*, integer: bool = False) -> LinearProgram:
    m = Builder()
    x = m.variables("x", 2, upper=1.0, cost=1.0, integer=integer)
    m.constrain("least", 1, [(0, x, 1.0)], lower=3.0)
    return m.freeze()


def unbounded() -> LinearProgram:
    m = Builder()
    x = m.variables("x", 2, cost=[-1.0, 0.0])
    m.constrain("apart", 1, [(0, x, [1.0, -1.0])], upper=1.0)
    return m.freeze()


@dataclass(frozen=True)
class Angular:
    """A program of blocks and the flag of the rows in which they meet."""

    program: LinearProgram
    coupling: NDArray[np.bool_]


def block_angular(seed: int, blocks: int, *, integer: bool) -> Angular:
    """Blocks with rows of their own and three rows that couple them; a hidden point keeps all.

    With whole numbers each block may miss a coupling row at a price: any share leaves it a
    solution.
    """
    rng = np.random.default_rng(seed)
    m = Builder()
    coupled, meets = [], np.zeros(3)
    for b in range(blocks):
        size = int(rng.integers(2, 5))
        x = m.variables(f"x{b}", size, upper=5.0, cost=rng.normal(1.0, 2.0, size), integer=integer)
        point = rng.integers(0, 6, size)
        own = rng.integers(1, 4, (2, size)).astype(float)
        at = np.arange(2)[:, None]
        m.constrain(f"own{b}", 2, [(at, x, own)], lower=own @ point - 2.0, upper=own @ point + 2.0)
        shared = rng.integers(-2, 4, (3, size)).astype(float)
        meets += shared @ point
        coupled.append((np.arange(3)[:, None], x, shared))
        if integer:
            for sign in (1.0, -1.0):
                missed = m.variables(f"missed{b}", 3, upper=50.0, cost=9.0)
                coupled.append((np.arange(3), missed, sign))
                m.constrain(f"tied{b}", 1, [(0, missed, 1.0), (0, x, 0.0)], upper=150.0)
    lower = [meets[0] - 1.0, -np.inf, meets[2] - 2.0]
    m.constrain("meet", 3, coupled, lower=lower, upper=[np.inf, meets[1] + 1.0, meets[2] + 2.0])
    program = m.freeze(offset=1.0)
    coupling = np.zeros(program.matrix.shape[0], bool)
    coupling[program.rows_of("meet")] = True
    return Angular(program, coupling)


def violation(program: LinearProgram, x: NDArray[np.float64]) -> float:
    """Largest violation of any bound, row or integrality."""
    activity = program.matrix @ x
    gaps = [
        program.lower - x,
        x - program.upper,
        program.row_lower - activity,
        activity - program.row_upper,
        np.where(program.integer, np.abs(x - np.round(x)), 0.0),
    ]
    return float(max(gap.max(initial=0.0) for gap in gaps))
