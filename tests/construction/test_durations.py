"""The default prior reproduces the recorded slippage."""

from datetime import date, timedelta

import numpy as np
import pytest

from capsim.construction import build
from capsim.construction.calendars import to_day


@pytest.fixture(scope="module")
def record(programme_of):
    """168 projects in 18 counties: 66 carried over, 102 begun in the year, as recorded ones are."""
    rows = []
    for i in range(168):
        carried = i < 66
        first, last = ("2022-03-01", "2022-09-01") if carried else ("2022-08-25", "2022-12-15")
        at, of = (i, 65) if carried else (i - 66, 101)
        begin, end = date.fromisoformat(first), date.fromisoformat(last)
        aim = begin + timedelta(days=round((end - begin).days * at / of))
        rows.append({
            "name": f"P{i}",
            "area": f"A{i % 18}",
            "kind": ("new", "new", "new", "new", "extend", "rebuild")[i % 6],
            "status": "under_construction" if carried else "ordered",
            "earliest": aim.isoformat(),
            "due": "2022-09-01" if carried else "2022-12-31",
        })  # fmt: skip
    return build(programme_of(rows), replications=1000, seed=1)


def test_two_thirds_finished_at_the_years_end(record):
    """111 of 168; the mean lies within the 95 % interval of a share of that record."""
    share, half = 111 / 168, 1.96 * (111 / 168 * 57 / 168 / 168) ** 0.5
    simulated = record.in_use("2022-12-31")
    assert share - half < simulated.mean() < share + half
    low, high = np.quantile(simulated, [0.025, 0.975])
    assert low < share < high


def test_ten_to_forty_percent_usable_on_the_first_of_september(record):
    low, high = np.quantile(record.in_use("2022-09-01"), [0.01, 0.99])
    assert low > 0.10
    assert high < 0.40


def test_most_of_what_was_carried_over_opens_by_the_first_of_september(record):
    open_ = (record.opening[:, :66] <= to_day("2022-09-01")).mean()
    assert 0.5 < open_ < 0.9


def test_works_of_a_new_school_take_eleven_to_nineteen_months(programme_of):
    programme = build(programme_of([{"name": "P"}]), starts="asap", replications=4000)
    months = programme.days[:, 1:].sum(axis=1) / (365.25 / 12)
    low, high = np.quantile(months, [0.1, 0.9])
    assert low > 10.5
    assert high < 20


def test_critical_counts_lateness_where_the_programme_is_missed(record):
    table = record.critical("2022-12-31", 111)
    missed = (record.opening <= to_day("2022-12-31")).sum(axis=1) < 111
    late = record.opening[:, 0] > to_day("2022-12-31")
    assert table["critical"][0] == pytest.approx((late & missed).sum() / missed.sum())
    assert table["critical"].sum() > table["late"].sum()
