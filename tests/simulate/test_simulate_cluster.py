"""A cluster for real, on this machine: a scheduler and two workers, one killed in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import hand_plan
import pandas as pd
import pytest

from capsim.simulate import simulate

pytestmark = [pytest.mark.dask, pytest.mark.slow]

DRAWS, SEED = 64 * 40, 5
ENV = {
    "DASK_DISTRIBUTED__SCHEDULER__WORK_STEALING": "False",
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "20s",
}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    pytest.importorskip("distributed")
    paths = [str(Path(hand_plan.__file__).parent), *sys.path]
    env = {**os.environ, **ENV, "PYTHONPATH": os.pathsep.join(paths)}
    contact = tmp_path / "scheduler.json"
    run = [sys.executable, "-m"]
    common = ["--scheduler-file", str(contact), "--no-dashboard"]
    jobs = []
    with (tmp_path / "log").open("wb") as log:
        scheduler = [*run, "distributed.cli.dask_scheduler", *common]
        scheduler += ["--host", "127.0.0.1", "--port", "0"]
        jobs.append(subprocess.Popen(scheduler, stdout=log, stderr=log, env=env))
        for _ in range(2):
            worker = [*run, "distributed.cli.dask_worker", *common, "--nthreads", "1"]
            worker += ["--no-nanny", "--local-directory", str(tmp_path), "--host", "127.0.0.1"]
            jobs.append(subprocess.Popen(worker, stdout=log, stderr=log, env=env))
        try:
            yield str(contact), jobs
        finally:
            for job in reversed(jobs):
                job.kill()
                job.wait()


def test_a_worker_killed_in_the_middle_changes_nothing(cluster, tmp_path):
    from distributed import Client

    from capsim.runs.cluster import ClusterExecutor

    contact, jobs = cluster
    plan = hand_plan.plan(sd=0.04)
    expected = simulate(plan, draws=DRAWS, seed=SEED)
    for _ in range(200):
        if Path(contact).exists():
            break
        time.sleep(0.1)
    killed = []

    def kill_one(finished: int, total: int) -> None:
        if finished == 8:
            jobs[1].send_signal(signal.SIGKILL)
            killed.append(finished)

    with Client(scheduler_file=contact) as client:
        client.wait_for_workers(2, timeout=60)
        plain = simulate(plan, draws=128, seed=SEED, executor=client.get_executor())
        found = simulate(
            plan, draws=DRAWS, seed=SEED, executor=ClusterExecutor(client), done=kill_one
        )
    assert killed
    assert jobs[1].wait(timeout=10) == -signal.SIGKILL
    for name, table in expected.tables.items():
        pd.testing.assert_frame_equal(table, found.tables[name], check_exact=True)
    few = simulate(plan, draws=128, seed=SEED)
    pd.testing.assert_frame_equal(few.tables["draws"], plain.tables["draws"], check_exact=True)
