"""What figures are measured on and with."""

import subprocess
import sys

from capsim.benchmark import LIBRARIES, _gigabytes, cpu_s, described


def test_processor_memory_and_every_library_are_said():
    found = described()
    assert set(LIBRARIES) <= set(found)
    assert found["numpy"][0].isdigit()
    assert int(found["processors"]) >= 1
    assert found["processor"]


def test_memory_is_in_gigabytes_and_what_is_not_known_is_left():
    assert _gigabytes("24684084 kB") == "25 GB"
    assert _gigabytes("") == ""


def test_processor_seconds_count_children():
    before = cpu_s()
    subprocess.run([sys.executable, "-c", "sum(range(3_000_000))"], check=True)
    assert cpu_s() - before > 0.01
