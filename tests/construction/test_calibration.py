"""Calibration finds the slippage that made a record, open projects counted as at least so late."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from capsim.construction import PRIOR, Slippage, fit, phases_table
from capsim.construction.durations import draw, stream

BEGIN = date(2020, 1, 1)


def record(rng, median, sd, shared, counties=18, each=30):
    shock = rng.normal(0, shared, counties)
    rows = []
    for c in range(counties):
        for k in range(each):
            plan = int(rng.integers(200, 600))
            days = plan * median * np.exp(rng.normal(0, sd) + shock[c])
            rows.append({
                "project": f"{c}-{k}",
                "county": f"C{c}",
                "started": BEGIN.isoformat(),
                "planned": (BEGIN + timedelta(plan)).isoformat(),
                "opened": (BEGIN + timedelta(round(days))).isoformat(),
            })  # fmt: skip
    return pd.DataFrame(rows)


def test_finds_what_made_the_record():
    rows = record(np.random.default_rng(1), 1.15, 0.2, 0.12, counties=60, each=9)
    slip = fit(rows, "2025-01-01")
    assert slip.median == pytest.approx(1.15, rel=0.06)
    assert slip.sd == pytest.approx(0.2, rel=0.08)
    assert slip.shock_sd == pytest.approx(0.12, rel=0.25)
    assert slip.opened == slip.projects == 540


def test_a_record_closed_early_is_not_read_as_a_good_one():
    rows = record(np.random.default_rng(2), 1.3, 0.25, 0.1)
    slip = fit(rows, "2021-04-01")
    assert slip.opened < 400
    assert slip.median == pytest.approx(1.3, rel=0.08)
    naive = rows[rows["opened"] <= "2021-04-01"]
    assert fit(naive, "2025-01-01").median < slip.median - 0.1


def test_phases_slip_in_all_as_the_record_did():
    slip = fit(record(np.random.default_rng(3), 1.2, 0.2, 0.05), "2025-01-01")
    works = PRIOR["new"][1:]
    months = sum(phase.mode for phase in works)
    total = sum(
        draw(phase, 40_000, stream(1, phase.name)) for phase in slip.phases(works)
    ) / (365.25 / 12 * months)  # fmt: skip
    assert np.log(total).std() == pytest.approx(slip.sd, rel=0.06)
    assert np.median(total) == pytest.approx(slip.median, rel=0.03)


def test_faults_are_named_together():
    rows = record(np.random.default_rng(4), 1.1, 0.1, 0.1, counties=1, each=2)
    rows["planned"] = "2019-01-01"
    with pytest.raises(ValueError, match=r"(?s)row 0, planned: '2019-01-01'.*row 1"):
        fit(rows, "2020-01-02")
    with pytest.raises(ValueError, match=r"record, opened: '' where a column"):
        fit(rows.drop(columns="opened"), "2021-01-01")


def test_learned_phases_keep_the_options(programme_of):
    """An option slips as the usual phase does that it stands for, and costs what it did."""
    works = {"kind": "new", "phase": "works", "distribution": "fixed"}
    phases = [
        {**works, "mode_months": 8.0},
        {**works, "option": "two_shifts", "mode_months": 6.0, "option_cost_share": 0.05},
    ]
    city = programme_of([{"name": "S"}], phases=phases)
    table = phases_table(city, Slippage(1.2, 0.2, 0.0, 50, 50))
    usual, quick = table.to_dict("records")
    assert quick["option"] == "two_shifts"
    assert quick["option_cost_share"] == 0.05
    for end in ("low_months", "high_months"):
        assert quick[end] / 6.0 == pytest.approx(usual[end] / 8.0, rel=1e-3)
    again = city.variant(tables={"phases": table})
    assert again.table("phases")["option"].tolist() == ["", "two_shifts"]
