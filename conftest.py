"""Where every means is promised (`CAPSIM_SKIPS_FAIL` is set), a skipped test is a failed one."""

import os
import signal
from collections.abc import Generator

import pytest
from hypothesis import settings

# Collecting doctests must not take the folders' conftest files for test modules of one name.
collect_ignore_glob = ["**/conftest.py"]


def pytest_configure() -> None:
    """Hear Ctrl-C where a shell that started the tests in the background has it ignored.

    No property fails by the clock: how long an example takes is no matter of tests.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    settings.register_profile("untimed", deadline=None)
    settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure that keeps the reason."""
    report = yield
    if os.environ.get("CAPSIM_SKIPS_FAIL") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} must not skip here: {report.longrepr}"
    return report
