"""A cluster for real, on this machine: a scheduler and two workers, one killed in the middle."""

from __future__ import annotations

import signal

import hand_plan
import pandas as pd
import pytest

from capsim.simulation import simulate

pytestmark = [pytest.mark.dask, pytest.mark.slow]

DRAWS, SEED = 64 * 40, 5


def test_a_worker_killed_in_the_middle_changes_nothing(cluster):
    from distributed import Client

    contact, jobs = cluster
    plan = hand_plan.plan(sd=0.04)
    expected = simulate(plan, draws=DRAWS, seed=SEED)
    killed = []

    def kill_one(finished: int, total: int) -> None:
        if finished == 8:
            jobs[1].send_signal(signal.SIGKILL)
            killed.append(finished)

    with Client(scheduler_file=contact) as client:
        client.wait_for_workers(2, timeout=60)
        executor = client.get_executor(pure=False)
        found = simulate(plan, draws=DRAWS, seed=SEED, executor=executor, done=kill_one)
    assert killed
    assert jobs[1].wait(timeout=10) == -signal.SIGKILL
    for name, table in expected.tables.items():
        pd.testing.assert_frame_equal(table, found.tables[name], check_exact=True)
