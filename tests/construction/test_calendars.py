"""Working calendars, by hand and against counting days."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capsim.construction.calendars import Calendar, to_day, to_iso

WINTER = Calendar.from_stops([("12-15", "02-15"), ("02-10", "02-20")], 2020, 2030)


def test_stops_over_the_new_year_join():
    # the first is the winter that ends in the first year
    assert [(to_iso(a), to_iso(b)) for a, b in WINTER.stops()][2] == ("2020-12-15", "2021-02-21")


def test_work_waits_for_the_spring():
    start = to_day("2022-12-10")
    assert to_iso(start + WINTER.span(start, 5.0)) == "2022-12-15"
    assert to_iso(start + WINTER.span(start, 6.0)) == "2023-02-22"
    assert WINTER.span(to_day("2023-01-01"), 0.0) == 0.0


@given(st.floats(18300, 21000), st.floats(0, 900))
def test_arrays_equal_floats_to_the_last_bit_and_backward_undoes_forward(start, work):
    span = WINTER.span(start, work)
    assert WINTER.spans(np.array([start]), np.array([work]))[0] == span
    worked = sum(
        max(0.0, min(start + span, b) - max(start, a))
        for a, b in zip(WINTER.begins, WINTER.ends, strict=True)
    )
    assert worked == pytest.approx(work, abs=1e-6)
    back = WINTER.latest_start(start + span, work)
    assert WINTER.worked(back) == pytest.approx(WINTER.worked(start), abs=1e-6)


def test_no_working_day_is_refused():
    with pytest.raises(ValueError, match="no working day"):
        Calendar.from_stops([("01-01", "12-31")], 2020, 2030)


def test_leap_day():
    assert Calendar.from_stops([("02-29", "02-29")], 2023, 2024).stops() == [
        (to_day("2022-02-28"), to_day("2022-03-01")),
        (to_day("2023-02-28"), to_day("2023-03-01")),
        (to_day("2024-02-29"), to_day("2024-03-01")),
    ]
