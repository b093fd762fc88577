"""Where every means is promised (`CAPSIM_SKIPS_FAIL` is set), a skipped test is a failed one."""

import os
from collections.abc import Generator

import pytest

# Collecting doctests must not take the folders' conftest files for test modules of one name.
collect_ignore_glob = ["**/conftest.py"]


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
