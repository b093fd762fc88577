"""Long work on the command line: progress, bad input, Ctrl-C."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from capsim.cli.console import work

# A runner in the background may have taught its children to ignore Ctrl-C.
HEARS = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"

ASLEEP = """
import time
from capsim.cli.console import work
def task(progress):
    progress("planning")
    while True:
        time.sleep(0.05)
work(task)
"""

WRITING = """
import sys, time
from pathlib import Path
from capsim.cli.console import work
from capsim.workflow import WRITING
from capsim.io.atomic import whole_folder
def task(progress):
    progress(WRITING)
    with whole_folder(Path(sys.argv[1]), "mark") as folder:
        while True:
            (folder / "mark").write_text("half")
            progress(WRITING)
            time.sleep(0.05)
work(task)
"""

WORKERS = """
import time
from capsim.cli.console import work
from capsim.io.executors import processes
def task(progress):
    with processes(2) as pool:
        pool.submit(time.sleep, 0).result()
        progress("simulating")
        pool.submit(time.sleep, 60).result()
work(task)
"""


def interrupted(script, *arguments):
    """Start a script, press Ctrl-C once its work has begun; its exit status and what it said."""
    process = subprocess.Popen(
        [sys.executable, "-c", HEARS + script, *arguments],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    process.stderr.readline()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to its workers too
    _, said = process.communicate(timeout=60)
    return process.returncode, said


def test_ctrl_c_ends_with_130_while_a_solver_is_deaf():
    status, said = interrupted(ASLEEP)
    assert (status, said) == (130, "stopped\n")


@pytest.mark.slow
def test_ctrl_c_leaves_workers_nothing_to_say():
    status, said = interrupted(WORKERS)
    assert (status, said) == (130, "stopped\n")


def test_ctrl_c_while_writing_leaves_nothing(tmp_path):
    status, said = interrupted(WRITING, str(tmp_path / "out"))
    assert (status, said) == (130, "stopped\n")
    assert list(tmp_path.iterdir()) == []


def test_the_result_comes_back_and_each_phase_is_said_once(capsys):
    def task(progress):
        for phase in ("planning", "planning", "simulating"):
            progress(phase)
        return 42

    assert work(task) == 42
    assert capsys.readouterr().err == "planning …\nsimulating …\n"


def test_bad_input_is_status_2_with_its_message(capsys):
    def task(progress):
        raise FileExistsError("that folder is in use")

    with pytest.raises(typer.Exit) as ended:
        work(task)
    assert ended.value.exit_code == 2
    assert capsys.readouterr().err == "that folder is in use\n"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(13, "Permission denied", "out/x"), "out/x: Permission denied"),
        (OSError("out cannot be written: No space left"), "out cannot be written: No space left"),
    ],
)
def test_what_the_file_system_refuses_is_status_2_in_one_line(capsys, error, said):
    def task(progress):
        raise error

    with pytest.raises(typer.Exit) as ended:
        work(task)
    assert ended.value.exit_code == 2
    assert capsys.readouterr().err == f"{said}\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_an_output_that_cannot_be_written_is_status_2_in_one_line():
    script = "import sys; from capsim.cli import main; sys.argv[1:] = ['--version']; main()"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", script],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (
        2,
        "the output cannot be written: No space left on device\n",
    )


def test_a_fault_of_the_program_is_not_called_bad_input():
    def task(progress):
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug"):
        work(task)
