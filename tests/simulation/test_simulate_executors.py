"""The same bytes on any workers, and after any interruption."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import hand_plan
import pandas as pd
import pytest

from capsim.io.cache import ResultStore, StoreError
from capsim.io.executors import WorkerLost, processes, run_tasks
from capsim.simulation import run as simulate_run
from capsim.simulation import simulate

DRAWS = 64 * 6 + 10
SEED = 5


def same(one, other):
    for name, table in one.tables.items():
        pd.testing.assert_frame_equal(table, other.tables[name], check_exact=True)


@pytest.fixture(scope="module")
def plan():
    return hand_plan.plan(sd=0.04)


@pytest.fixture(scope="module")
def outcomes(plan):
    return simulate(plan, draws=DRAWS, seed=SEED)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.result")}


def test_a_stored_run_is_the_same_and_is_not_done_again(plan, outcomes, tmp_path, monkeypatch):
    same(outcomes, simulate(plan, draws=DRAWS, seed=SEED, store=tmp_path))
    assert len(files(tmp_path)) == 7
    done = []
    monkeypatch.setattr(simulate_run, "run_block", lambda *of: done.append(of))
    same(outcomes, simulate(plan, draws=DRAWS, seed=SEED, store=tmp_path))
    assert not done


def test_only_missing_and_damaged_blocks_are_done_again(plan, outcomes, tmp_path, monkeypatch):
    simulate(plan, draws=DRAWS, seed=SEED, store=tmp_path)
    blocks = sorted(tmp_path.glob("*.result"))
    blocks[0].unlink()
    blocks[3].write_bytes(blocks[3].read_bytes()[:-7])
    done = []
    run = simulate_run.run_block
    monkeypatch.setattr(
        simulate_run, "run_block", lambda *of: done.append(of[2].number) or run(*of)
    )
    same(outcomes, simulate(plan, draws=DRAWS, seed=SEED, store=tmp_path))
    assert len(done) == 2


@pytest.mark.parametrize("change", ["seed", "plan", "draws"])
def test_blocks_of_another_run_are_not_taken(plan, tmp_path, change):
    simulate(plan, draws=DRAWS, seed=SEED, store=tmp_path)
    before = len(files(tmp_path))
    other = hand_plan.plan(sd=0.05) if change == "plan" else plan
    seed = SEED + 1 if change == "seed" else SEED
    draws = DRAWS + 1 if change == "draws" else DRAWS
    again = simulate(other, draws=draws, seed=seed, store=tmp_path)
    same(again, simulate(other, draws=draws, seed=seed))
    # Of more draws only the last block is another one.
    assert len(files(tmp_path)) == before + (1 if change == "draws" else 7)


def test_progress_counts_blocks_of_all_workers(plan):
    told = []
    with ThreadPoolExecutor(3) as pool:
        simulate(plan, draws=DRAWS, seed=SEED, executor=pool, done=lambda *pair: told.append(pair))
    assert told == [(number, 7) for number in range(1, 8)]


@pytest.mark.parametrize("workers", [0, 2])
def test_ctrl_c_leaves_whole_blocks(plan, outcomes, tmp_path, workers):
    def stop(finished: int, total: int) -> None:
        if finished == 3:
            raise KeyboardInterrupt

    with ThreadPoolExecutor(max(workers, 1)) as pool, pytest.raises(KeyboardInterrupt):
        simulate(
            plan,
            draws=DRAWS,
            seed=SEED,
            executor=pool if workers else None,
            store=tmp_path,
            done=stop,
        )
    assert len(files(tmp_path)) >= 3
    store = ResultStore(tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".result"]
    same(outcomes, simulate(plan, draws=DRAWS, seed=SEED, store=store))


def test_a_store_needs_keys(tmp_path):
    with pytest.raises(ValueError, match="a key for each"):
        run_tasks(dict, [1, 2], store=ResultStore(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 4])
def test_processes_give_the_same_bytes(plan, outcomes, workers):
    with processes(workers) as pool:
        same(outcomes, simulate(plan, draws=DRAWS, seed=SEED, executor=pool))


SCRIPT = """
import sys, time
import hand_plan
from capsim.simulation import simulate
def slowly(finished, total):
    print(finished, flush=True)
    time.sleep(0.05)
simulate(hand_plan.plan(sd=0.04), draws={draws}, seed={seed}, store=sys.argv[1], done=slowly)
"""


def start(folder: Path, **extra: object) -> subprocess.Popen[str]:
    code = SCRIPT.format(draws=DRAWS, seed=SEED)
    path = os.pathsep.join([str(Path(hand_plan.__file__).parent), *sys.path])
    return subprocess.Popen(
        [sys.executable, "-c", code, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        **extra,
    )


@pytest.mark.slow
def test_killed_at_random_moments_it_goes_on_to_the_same_bytes(plan, outcomes, tmp_path):
    whole = tmp_path / "whole"
    simulate(plan, draws=DRAWS, seed=SEED, store=whole)
    rng = random.Random(1)
    store = tmp_path / "store"
    kept = 0
    for _ in range(4):
        job = start(store)
        assert job.stdout is not None
        job.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.3))
        job.send_signal(signal.SIGKILL)
        job.communicate()
        assert len(files(store)) >= kept
        kept = len(files(store))
        expected = files(whole)
        for name, content in files(store).items():
            assert content == expected[name]
    assert kept > 0
    same(outcomes, simulate(plan, draws=DRAWS, seed=SEED, store=store))
    assert files(store) == files(whole)


@pytest.mark.slow
def test_a_full_disk_is_told_and_harms_nothing(plan, outcomes, tmp_path):
    """A limit on the size of files stands for the disk's end."""
    simulate(plan, draws=64, seed=SEED, store=tmp_path)
    size = max(path.stat().st_size for path in tmp_path.glob("*.result"))

    def limit() -> None:
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size - 100, size - 100))

    before = files(tmp_path)
    job = start(tmp_path, preexec_fn=limit)
    _, error = job.communicate()
    assert job.returncode != 0
    assert "the disk is full. 1 finished results stand there whole" in error
    assert files(tmp_path) == before
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".result"]
    same(outcomes, simulate(plan, draws=DRAWS, seed=SEED, store=tmp_path))


class Deadly:
    """Work that kills its worker at one block, the first time."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __call__(self, job: int) -> dict[str, object]:
        import numpy as np

        if job == 5 and not self.mark.exists():
            self.mark.write_text("died here")
            os.kill(os.getpid(), signal.SIGKILL)
        return {"job": np.array([float(job)])}


@pytest.mark.slow
def test_a_killed_worker_is_told_and_the_run_goes_on(tmp_path):
    store = ResultStore(tmp_path / "store")
    work, keys = Deadly(tmp_path / "mark"), [str(job) for job in range(12)]
    with processes(2) as pool, pytest.raises(WorkerLost, match=r"kept in .* goes on from there"):
        run_tasks(work, range(12), keys=keys, executor=pool, store=store)
    done = []
    with processes(2) as pool:
        found = run_tasks(
            work,
            range(12),
            keys=keys,
            executor=pool,
            store=store,
            done=lambda finished, total: done.append(finished),
        )
    assert [int(one["job"][0]) for one in found] == list(range(12))
    assert done[-1] == 12


def test_a_store_that_cannot_be_written_is_told(plan, tmp_path):
    place = tmp_path / "file"
    place.write_text("in the way")
    with pytest.raises(StoreError, match="results cannot be kept in"):
        simulate(plan, draws=8, seed=SEED, store=place)


ORPHANS = """
import os, time
from capsim.io.executors import processes
if __name__ == "__main__":
    with processes(2) as pool:
        print(*{pool.submit(os.getpid).result() for _ in range(20)}, flush=True)
        time.sleep(60)
"""


@pytest.mark.slow
def test_workers_end_with_the_process_they_work_for(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(ORPHANS)
    job = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert job.stdout is not None
    workers = [int(one) for one in job.stdout.readline().split()]
    job.kill()
    job.communicate()
    for _ in range(100):
        if not any(Path(f"/proc/{worker}/cmdline").exists() for worker in workers):
            break
        time.sleep(0.1)
    assert workers
    assert not [one for one in workers if Path(f"/proc/{one}/cmdline").exists()]
