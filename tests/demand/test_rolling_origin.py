"""Back-tests: no looking ahead, errors worked out by hand, tables of any shape."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from demand_tables import births, city, pupils

from capsim import Scenario, ScenarioError, project
from capsim.demand import METHODS, Panel, backtest, forecast, panel, panel_of
from capsim.demand.draws import cover, draw, measured_spread

BASE = {name: METHODS[name] for name in ("no change", "3-year mean")}


def noise(areas: int = 12, years: int = 14, seed: int = 1) -> Panel:
    rng = np.random.default_rng(seed)
    pupils = rng.poisson(60, (areas, 4, years)).astype(float)
    names = tuple(f"S{at:02d}" for at in range(areas))
    return Panel(
        names, ("K", "1", "2", "3"), tuple(range(2000, 2000 + years)), pupils, np.zeros(areas, int)
    )


def test_errors_of_no_change_by_hand() -> None:
    pupils = np.array([[[100.0, 100, 100, 110, 121]], [[300.0, 300, 300, 270, 270]]])
    table = Panel(("A", "B"), ("K",), (1, 2, 3, 4, 5), pupils, np.zeros(2, int))
    found = backtest(table, {"no change": METHODS["no change"]}, leads=[1, 2]).table
    row = found[(found["level"] == "area") & (found["lead"] == 1)].iloc[0]
    assert row["mape"] == pytest.approx(100 * np.mean([10 / 110, 30 / 270, 11 / 121, 0]))
    assert row["wape"] == pytest.approx(100 * 51 / (110 + 270 + 121 + 270))
    assert row["bias"] == pytest.approx(100 * (-10 + 30 - 11) / 771)
    whole = found[(found["level"] == "total") & (found["lead"] == 2)].iloc[0]
    assert whole["mape"] == pytest.approx(100 * 9 / 391)


@pytest.mark.slow
def test_nothing_after_the_origin_is_looked_at() -> None:
    """Changing the last year changes no forecast, interval or choice made before it."""
    table = noise()
    changed = table.pupils.copy()
    changed[..., -1] *= 3
    other = Panel(table.areas, table.grades, table.years, changed, table.county)
    first, second = (backtest(part, leads=[1, 2]) for part in (table, other))
    last = table.years[-1]
    before = [found.chosen[found.chosen["origin"] < last] for found in (first, second)]
    assert before[0].equals(before[1])
    assert not first.chosen.equals(second.chosen)
    early = Panel(table.areas, table.grades, table.years[:-1], table.pupils[..., :-1], table.county)
    assert backtest(early, leads=[1, 2]).chosen.equals(before[0])
    for method in METHODS.values():
        assert (
            forecast(table.pupils[..., :-1], 2, method) == forecast(changed[..., :-1], 2, method)
        ).all()


@pytest.mark.slow
@pytest.mark.parametrize("now", [2006, 2009])
def test_a_shuffled_future_changes_nothing_before_it(now: int) -> None:
    """Later years in another order, areas mixed: choices and intervals until now are the same."""
    table = noise(years=15, seed=5)
    known = now - table.years[0] + 1
    rng = np.random.default_rng(1)
    later = rng.permuted(rng.permutation(table.pupils[..., known:].T).T, axis=0)
    pupils = np.concatenate([table.pupils[..., :known], later], axis=-1)
    mixed = Panel(table.areas, table.grades, table.years, pupils, table.county)
    early = Panel(table.areas, table.grades, table.years[:known], pupils[..., :known], table.county)
    first, second, cut = (backtest(part, leads=[1, 2, 3]) for part in (table, mixed, early))
    for found in (first, second, cut):
        until = found.chosen[found.chosen["origin"] <= now]
        assert until.equals(cut.chosen)
    for name, levels in cut.measured.items():
        for level, covered in levels.items():
            made = len(covered.judged)
            for at in range(made):
                due = slice(0, made - at)
                for other in (first, second):
                    whole = other.measured[name][level]
                    assert (whole.judged[at, :, due] == covered.judged[at, :, due]).all()
                    assert (whole.inside[:, at, :, due] == covered.inside[:, at, :, due]).all()


def test_intervals_of_independent_errors_cover_what_they_say() -> None:
    rng = np.random.default_rng(3)
    forecasts = rng.uniform(20, 200, (25, 60, 2, 1))
    actual = rng.normal(forecasts, np.sqrt(forecasts) + 0.05 * forecasts)
    found = cover(forecasts, actual, np.arange(25), 25)
    share = found.hits.sum((1, 2)) / found.number.sum()
    assert share == pytest.approx([0.8, 0.95], abs=0.02)


def test_json_has_the_documented_shape() -> None:
    made = json.loads(backtest(noise(), BASE, leads=[1, 3]).to_json())
    assert set(made["methods"]) == {"no change", "3-year mean", "auto"}
    leads = made["methods"]["auto"]["area"]
    assert set(leads) == {"1", "3"}
    assert set(leads["1"]) == {"mape", "wape", "bias", "cover80", "cover95"}
    assert made["methods"]["auto"]["total"]["1"]["mape"] > 0


def test_best_names_a_method_for_each_lead() -> None:
    best = backtest(noise(), BASE, leads=[1, 2]).best()
    assert best.shape == (3, 2)
    assert set(best.to_numpy().ravel()) <= {*BASE, "auto"}


def test_a_wide_table_is_read_by_its_names() -> None:
    wide = pd.DataFrame(
        {"school": list("ABA"), "autumn": [2001, 2001, 2003], "K": [5, 6, 7], "1": [1, 2, 3]}
    )
    found = panel(wide, year="autumn")
    assert found.grades == ("K", "1")
    assert found.years == (2001, 2002, 2003)
    assert found.pupils[0].tolist()[0][::2] == [5, 7]
    assert np.isnan(found.pupils[1, :, 1:]).all()
    assert panel(wide, "school", "autumn", ["1"]).grades == ("1",)


def test_faults_of_a_table_are_named_all_at_once() -> None:
    wide = pd.DataFrame(
        {"school": list("AAB"), "year": ["2001", "2001", "x"], "K": [5.0, -1.0, 2.0]}
    )
    with pytest.raises(ScenarioError) as error:
        panel(wide, grades=["K"], name="t.csv")
    assert [(f.row, f.column) for f in error.value.faults] == [(3, "K"), (4, "year"), (3, "school")]
    with pytest.raises(ScenarioError, match=r"t\.csv, 7"):
        panel(wide, grades=["7"], name="t.csv")


def test_too_few_years_are_refused() -> None:
    with pytest.raises(ScenarioError, match=r"3: 2000 to 2002.*at least 4 observed school years"):
        backtest(noise(years=3))
    with pytest.raises(ValueError, match="leads must be 1 or more"):
        backtest(noise(), leads=[0])


ODD = {
    "no area": ("school,year,K\nA,2001,5\n,2002,5\n", "t.csv, row 3, school"),
    "far year": ("school,year,K\nA,2001,5\nA,20020,5\n", "row 3, year.*1800 to 2200"),
    "only a head": ("school,year,K\n", "at least one row"),
    "nothing": ("", "a table with a head"),
    "nobody": ("school,year,K\nA,2001,0\nA,2002,\n", "at least one pupil"),
    "twice": ("school,year,K,K\nA,2001,5,6\n", "'K' where each column once"),
    "too long": ("school,year,K\nA,2001,5\nA,2002,5,6,7\n", "as many fields in each row"),
    "no grades": (
        "school;year;principal\nA;2001;Q\n",
        "school, year, principal.*columns of grades",
    ),
    "suppressed": ("school,year,K\nA,2001,<5\n", "row 2, K: '<5'"),
}


@pytest.mark.parametrize("case", ODD)
def test_odd_files_are_refused_in_one_sentence(case: str, tmp_path: Path) -> None:
    text, expected = ODD[case]
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(ScenarioError, match=expected):
        panel(tmp_path)


def test_a_file_in_another_code_is_read_and_said_or_strictly_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("school,year,K\nÄ,2001,5\n".encode("latin-1"))
    found = panel(tmp_path / "t.csv")
    assert found.areas == ("Ä",)
    assert "encoding: Windows-1252, found by trial" in map(str, found.notes)
    with pytest.raises(ScenarioError, match="Windows-1252"):
        panel(tmp_path / "t.csv", strict=True)


def test_four_years_are_judged_at_the_one_lead_they_hold() -> None:
    found = backtest(noise(years=4))
    assert found.best().columns.tolist() == [1]
    assert set(json.loads(found.to_json())["methods"]["auto"]["area"]) == {"1"}
    asked = json.loads(backtest(noise(years=4), leads=[1, 5]).to_json())["methods"]["auto"]
    assert asked["area"]["5"]["wape"] is None


@pytest.mark.slow
def test_leads_go_to_a_third_of_the_years_and_ten_at_most() -> None:
    assert backtest(noise(years=9), BASE).table["lead"].unique().tolist() == [1, 2, 3]
    assert backtest(noise(years=40), BASE).table["lead"].max() == 10
    with pytest.raises(ScenarioError, match=r"leads: '7' where a lead of at most 6"):
        backtest(noise(years=9), BASE, leads=[7, 8])
    with pytest.raises(ScenarioError, match=r"origins: '2008' where a year of at most 2007"):
        backtest(noise(years=9), BASE, first_origin=2008)


FORMS = {
    "unsorted": lambda rows: "name,year,K,1,2\n" + "\n".join(sorted(rows, key=hash)) + "\n",
    "blank lines": lambda rows: "name,year,K,1,2\n\n" + "\n\n".join(rows) + "\n,,,,\n",
    "byte-order mark": lambda rows: "\ufeffname,year,K,1,2\r\n" + "\r\n".join(rows),
    "quotes": lambda rows: '"name","year","K","1","2"\n' + "\n".join(rows).replace(",", " , "),
    "school years": lambda rows: (
        "name,school year,K,1,2\n" + "\n".join(re.sub(r",(20\d\d),", r",\1/99,", r) for r in rows)
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_a_file_changes_nothing(form: str, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    rows = [
        f"{area},{year},{','.join(map(str, rng.integers(5, 60, 3)))}"
        for area in ("NA", "b", "7")
        for year in range(2001, 2011)
    ]
    plain, other = tmp_path / "plain.csv", tmp_path / "other.csv"
    plain.write_text("name,year,K,1,2\n" + "\n".join(rows) + "\n")
    other.write_text(FORMS[form](rows), encoding="utf-8", newline="")
    first, second = (panel(path) for path in (plain, other))
    assert first.areas == second.areas == ("7", "NA", "b")
    assert first.years == second.years
    assert (first.pupils == second.pupils).all()


def test_columns_of_any_name_are_found_or_told() -> None:
    years = [2001, 2002, 2003]
    told = pd.DataFrame({"id": [7] * 3, "autumn": years, "Gr1": [1.5, 2, 3], "Gr2": [4, 5, 6]})
    found = panel(told, year="autumn", grades=["Gr1", "Gr2"])
    assert found.areas == ("7",)
    assert found.pupils[0, 0].tolist() == [1.5, 2, 3]
    spans = pd.DataFrame({"id": "a", "year": ["2001/02", "2002-03", "2003/2004"], "1": [1, 2, 3]})
    assert panel(spans).years == (2001, 2002, 2003)
    for wrong in ({"grades": ["Gr1", "autumn"]}, {"area": "autumn", "grades": ["Gr1"]}):
        with pytest.raises(ScenarioError, match="'autumn' where a column for one of area, year"):
            panel(told, year="autumn", **wrong)


def test_a_fault_names_the_line_that_an_editor_shows(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("name,year,K\n\na,2001,5\n\na,2002,-6\na,2002,7\n")
    with pytest.raises(ScenarioError) as error:
        panel(path)
    assert [(f.row, f.column, f.value) for f in error.value.faults] == [
        (5, "K", "-6"),
        (6, "name", "a 2002"),
    ]


def rolled(alike: bool, gross: bool, leads: int = 3) -> tuple[Scenario, list[Scenario]]:
    """Return a scenario of twelve observed years, and it as it was known in each from the third."""
    rng = np.random.default_rng(8)
    grades, areas = [str(grade) for grade in range(1, 7)], "ABCD"
    rows = {
        (a, g, y): float(rng.poisson(40 * (1 + areas.index(a)) * 1.02 ** (y - 2010)))
        for a in areas
        for g in grades
        for y in range(2010, 2022)
    }
    born = pd.concat([births(50.0 * (1 + at), area=area) for at, area in enumerate(areas)])
    born["births"] += rng.integers(0, 9, len(born))
    moved = pd.DataFrame({"area": ["A", "B"], "grade": ["2", "3"], "school_year": [2016, 2019]})
    moved["pupils"] = [25.0, 12.0]

    def known(year: int) -> Scenario:
        parts = {"births": born if year == 2021 else born[born["year"] <= year]} if alike else {}
        settings = {
            "horizon": {"base_year": year, "last_year": year + leads},
            "demand": {"gross_enrolment": {"primary": 0.9} if gross else {}},
        }
        past = pupils({cell: n for cell, n in rows.items() if cell[2] <= year})
        return city(areas, pupils=past, settings=settings, migration=moved, **parts)

    return known(2021), [known(year) for year in range(2012, 2021)]


@pytest.mark.slow
@pytest.mark.parametrize(("born", "gross"), [(False, False), (True, False), (True, True)])
def test_a_scenarios_backtest_is_its_projection_rolled_by_hand(born: bool, gross: bool) -> None:
    """Forecasts, errors and draws, to the last digit but rounding."""
    scenario, past = rolled(born, gross)
    table = panel_of(scenario)
    found = backtest(table, leads=[1, 2, 3])
    miss, size = np.zeros(3), np.zeros(3)
    for made in past:
        demand = project(made, draws=20, seed=3)
        at = table.years.index(made.base_year)
        assert found.forecasts["auto"][at - 2] == pytest.approx(demand.pupils[..., 1:], rel=1e-12)
        late = min(3, len(table.years) - 1 - at)
        came = table.pupils[..., at + 1 : at + 1 + late].sum(1)
        miss[:late] += np.abs(demand.pupils[..., 1 : 1 + late].sum(1) - came).sum(0)
        size[:late] += came.sum(0)
        if at + 1 < 8:
            continue
        by_then = found.known("auto", made.base_year)
        again = draw(demand.pupils, measured_spread(by_then, demand.pupils), 20, 3)
        assert demand.draws == pytest.approx(again, rel=1e-12)
    rows = found.table[(found.table["method"] == "auto") & (found.table["level"] == "area")]
    assert rows["wape"].to_numpy() == pytest.approx(100 * miss / size, rel=1e-12)
    last = project(scenario, draws=20, seed=3)
    again = draw(last.pupils, measured_spread(found.measured["auto"], last.pupils), 20, 3)
    assert last.draws == pytest.approx(again, rel=1e-12)
