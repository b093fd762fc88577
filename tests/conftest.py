"""A small city on disk, for tests of the command line, and a cluster on this machine."""

import os
import subprocess
import sys
import time

import pytest

from capsim.scenario import generate

DASK = {
    "DASK_DISTRIBUTED__SCHEDULER__WORK_STEALING": "False",
    "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "20s",
}


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """Folder of a city of two areas, planned for two years."""
    folder = tmp_path_factory.mktemp("city") / "city"
    small = {"stages": ("primary", "junior"), "years": (2021, 2022), "name": "city"}
    generate(2, 8000, 0, **small).save(folder)
    return folder


@pytest.fixture
def cluster(tmp_path):
    """Contact file and processes (scheduler, worker, worker) of a Dask cluster."""
    pytest.importorskip("distributed")
    env = {**os.environ, **DASK, "PYTHONPATH": os.pathsep.join(sys.path)}
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
            for _ in range(200):
                if contact.exists():
                    break
                time.sleep(0.1)
            yield str(contact), jobs
        finally:
            for job in reversed(jobs):
                job.kill()
                job.wait()
