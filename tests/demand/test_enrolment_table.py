"""Enrolment tables in the forms that people have them in: the same figures, or a refusal."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

import capsim
from capsim.demand import Panel, backtest, panel
from capsim.i18n.language import words
from capsim.scenario.cell_values import Grade, grade_of, likeness, numbers, school_years
from capsim.scenario.faults import ScenarioError

GRADES = ["K", *map(str, range(1, 13))]
AREAS = ["North ES", "South ES", "East K8", "West HS"]
YEARS = range(2008, 2022)


def sound() -> pd.DataFrame:
    """Return a table of four schools: a row an area and year, a column a grade."""
    rng = np.random.default_rng(1)
    rows = []
    for area in AREAS:
        cohort = rng.integers(50, 70, len(GRADES)).astype(float)
        for year in YEARS:
            rows.append([area, year, *cohort.astype(int)])
            cohort = np.append(rng.integers(50, 70), cohort[:-1] * rng.uniform(0.95, 1.05, 12))
    return pd.DataFrame(rows, columns=["school", "year", *GRADES]).astype(str)


SOUND = sound()
PLAIN = panel(SOUND.to_csv(index=False).encode(), name="plain.csv")


def text(frame: pd.DataFrame, encoding: str = "utf-8", sep: str = ",") -> bytes:
    return frame.to_csv(index=False, sep=sep).encode(encoding)


def same(found: Panel) -> None:
    assert len(found.areas) == len(PLAIN.areas)
    assert found.years == PLAIN.years
    assert (found.pupils == PLAIN.pupils).all()


def notes(found: Panel) -> str:
    return "\n".join(map(str, found.notes))


def totalled(name: str) -> pd.DataFrame:
    numbers_ = SOUND.astype(dict.fromkeys(GRADES, int))
    total = numbers_.groupby("year")[GRADES].sum().reset_index().assign(school=name)
    return pd.concat([numbers_, total])[list(SOUND.columns)].astype(str)


def variants() -> pd.DataFrame:
    later = SOUND["year"] >= "2015"
    to = {"North ES": "North  ES", "South ES": "south-es", "East K8": "East K８"}
    return SOUND.assign(school=SOUND["school"].where(~later, SOUND["school"].replace(to)))


def long(frame: pd.DataFrame = SOUND) -> pd.DataFrame:
    return frame.melt(["school", "year"], GRADES, "grade", "enrollment")


def capacity() -> pd.DataFrame:
    seats = SOUND.assign(Type="Capacity", **dict.fromkeys(GRADES, "99"))
    return pd.concat([SOUND.assign(Type="Enrollment"), seats])


FORMS: dict[str, tuple[Callable[[], bytes | pd.DataFrame], str]] = {
    "lexicographic": (
        lambda: text(SOUND[["school", "year", *sorted(GRADES)]]),
        "grades ordered by what they are",
    ),
    "K last": (lambda: text(SOUND[["school", "year", *GRADES[1:], "K"]]), "K, 1, 2"),
    "total row": (lambda: text(totalled("District total")), "rows of totals left out"),
    "Chinese total row": (lambda: text(totalled("全县合计")), "全县合计 (14 rows)"),
    "total row by another name": (
        lambda: text(totalled("Oak Park")),
        "Oak Park is the sum of all others",
    ),
    "total column": (
        lambda: text(SOUND.assign(Everyone=SOUND[GRADES].astype(int).sum(axis=1))),
        "Everyone (a total)",
    ),
    "PK and ungraded": (
        lambda: text(SOUND.assign(PK=20, Ungraded=3)),
        "left out: PK (1,120 pupils); Ungraded (168 pupils)",
    ),
    "variants of names": (lambda: text(variants()), "'North ES' = 'North  ES'"),
    "GBK": (
        lambda: text(SOUND.rename(columns={"school": "学校", "year": "学年"}), "gb18030"),
        "encoding: GBK (GB18030)",
    ),
    "CP949": (
        lambda: text(SOUND.rename(columns={"school": "학교명", "year": "학년도"}), "cp949"),
        "encoding: CP949",
    ),
    "UTF-16": (lambda: text(SOUND, "utf-16"), "encoding: UTF-16"),
    "semicolons": (lambda: text(SOUND, sep=";"), "separator: semicolon"),
    "grade words": (
        lambda: text(SOUND.rename(columns={g: f"Grade {g}" for g in GRADES[1:]})),
        "K, Grade 1, Grade 2",
    ),
    "Chinese grades": (
        lambda: text(SOUND.rename(columns=dict(zip(GRADES[1:], CHINESE, strict=True)))),
        "一年级, 二年级",
    ),
    "title and notes": (
        lambda: b"Enrolment by school\n\n" + text(SOUND) + b"Source: the district\n",
        "1 row above the header left out: 'Enrolment by school'",
    ),
    "blank rows": (lambda: text(SOUND) + b",,,,,,,,,,,,,,\n" * 5, "5 blank rows left out"),
    "long": (lambda: text(long()), "grade = grade, pupils = enrollment"),
    "long frame": (lambda: long().sample(frac=1, random_state=1), "pupils = enrollment"),
    "years across": (
        lambda: text(
            long()
            .pivot_table(
                aggfunc="first", index=["school", "grade"], columns="year", values="enrollment"
            )
            .reset_index()
        ),
        "a column a year: 2008 to 2021",
    ),
    "pivot with an index": (
        lambda: SOUND.astype(dict.fromkeys(GRADES, float)).set_index(["school", "year"]),
        "index read as columns: school, year",
    ),
    "capacity": (lambda: text(capacity()), "of Type only Enrollment is read"),
    "school years": (
        lambda: text(SOUND.assign(year=[f"{y}-{int(y) + 1}学年" for y in SOUND["year"]])),
        "'2008-2009学年' is 2008",
    ),
    "serials": (
        lambda: text(
            SOUND.assign(
                year=[
                    (pd.Timestamp(f"{y}-09-01") - pd.Timestamp("1899-12-30")).days
                    for y in SOUND["year"]
                ]
            )
        ),
        "serial numbers of dates",
    ),
}
CHINESE = [f"{one}年级" for one in (*"一二三四五六七八九十", "十一", "十二")]


@pytest.mark.parametrize("form", FORMS)
def test_a_form_gives_the_figures_of_the_sound_table_and_says_what_was_done(form: str) -> None:
    make, said = FORMS[form]
    found = panel(make(), name="t")
    same(found)
    assert said in notes(found)


@pytest.mark.parametrize("form", ["total row", "GBK", "semicolons", "blank rows", "school years"])
def test_strictly_every_repair_is_refused(form: str) -> None:
    with pytest.raises(ScenarioError, match="nothing to repair"):
        panel(FORMS[form][0](), name="t", strict=True)
    same(panel(text(SOUND), strict=True))


def test_columns_that_are_merged_in_a_workbook_are_filled_and_hidden_rows_told() -> None:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(["Enrolment by school"])
    sheet.append(list(SOUND.columns))
    for row in SOUND.itertuples(index=False):
        sheet.append([row[0] if row[1] == "2008" else None, int(row[1]), *row[2:]])
    for at in range(4):
        sheet.merge_cells(f"A{3 + 14 * at}:A{16 + 14 * at}")
    sheet.merge_cells("A1:O1")
    sheet.row_dimensions[7].hidden = True
    stream = io.BytesIO()
    book.save(stream)
    found = panel(stream.getvalue(), name="t.xlsx")
    same(found)
    assert "4 merged cells filled: A3:A16" in notes(found)
    assert "1 hidden row" in notes(found)
    sheet.merge_cells("D20:D21")
    stream = io.BytesIO()
    book.save(stream)
    with pytest.raises(ScenarioError, match=r"D20:D21.*not one merged over rows"):
        panel(stream.getvalue(), name="t.xlsx")


def refused(frame: pd.DataFrame, match: str, **how: Any) -> ScenarioError:
    with pytest.raises(ScenarioError, match=match) as error:
        panel(text(frame), name="t.csv", **how)
    return error.value


def changed(row: int, column: str, value: str, frame: pd.DataFrame = SOUND) -> pd.DataFrame:
    out = frame.copy()
    out.loc[row, column] = value
    return out


def test_what_could_mean_two_things_is_refused_with_a_cure() -> None:
    refused(changed(3, "2", "*"), r"row 5, 2: '\*'.*--missing \"\*\"")
    refused(changed(3, "2", "1.234"), "thousands or a decimal")
    refused(changed(3, "2", "5%"), "not a percentage")
    refused(SOUND.drop(columns="3"), "the grade between 2 and 4.*--grades")
    refused(SOUND.assign(G01=SOUND["1"]), "one column a grade.*add them up")
    mixed = SOUND.rename(columns={"2": "Year 2", "3": "Year 3"})
    refused(mixed, "grades of one way of counting")
    moving = SOUND["year"].astype(int) * 3 % 7
    refused(SOUND.assign(**{"Klasse eins": moving}), "Klasse eins.*--grades")
    refused(SOUND.assign(**{"10": "*"}), r"'\*' where .*in 56 cells, the first in row 2")
    twin = SOUND[SOUND["school"] == "North ES"].assign(school="north es")
    refused(pd.concat([SOUND, twin]), "one spelling: both stand in 2008")
    refused(changed(3, "year", "20111"), "a whole year from 1800 to 2200")
    unknown = long().replace({"grade": {"3": "Klasse drei"}})
    refused(unknown, "Klasse drei.*a grade that is known.*--grades")


def test_faults_are_written_in_chinese_too() -> None:
    told = refused(changed(3, "2", "*"), "row 5").text(words("zh"))
    assert "第5行" in told
    assert "若表示未统计" in told


def test_suppressed_cells_are_not_observed() -> None:
    frame = changed(7, "3", "<10", changed(3, "2", "*"))
    found = panel(text(frame), missing="*,<10")
    gone = np.zeros(PLAIN.pupils.shape, dtype=bool)
    area = found.areas.index("North ES")
    gone[area, found.grades.index("2"), 3] = gone[area, found.grades.index("3"), 7] = True
    assert found.unknown is not None
    assert (found.unknown == gone).all()
    assert (found.pupils == PLAIN.pupils)[~gone].all()
    assert (np.abs(found.pupils - PLAIN.pupils)[gone] < 15).all()
    # A cell that was not observed judges no forecast: its area's total is not known that year.
    judged = [backtest(one, {}, [1]).table.set_index("level")["number"] for one in (found, PLAIN)]
    assert judged[0]["area"] == judged[1]["area"] - 2
    assert judged[0]["grade"] == judged[1]["grade"] - 2


@pytest.mark.parametrize("grade", ["K", "5", "12"])
def test_a_blank_in_the_last_year_is_not_nobody(grade: str) -> None:
    frame = changed(13, grade, "")
    found = panel(text(frame))
    area, column = found.areas.index("North ES"), found.grades.index(grade)
    assert found.pupils[area, column, -1] == pytest.approx(PLAIN.pupils[area, column, -1], abs=20)
    assert f"North ES {grade} 2021" in notes(found)
    ahead, whole = (capsim.forecast(text(one), years=1).totals for one in (frame, SOUND))
    assert ahead["pupils"].item() == pytest.approx(whole["pupils"].item(), rel=0.01)


def test_a_grade_that_is_not_taught_stays_empty() -> None:
    frame = SOUND.copy()
    frame.loc[frame["school"] == "North ES", GRADES[6:]] = ""
    frame.loc[frame["school"] == "West HS", GRADES[:9]] = ""
    # East K8 has closed its lowest grade in 2015, grade by grade the next.
    for later, grade in enumerate(GRADES[:4]):
        rows = (frame["school"] == "East K8") & (frame["year"].astype(int) >= 2018 + later)
        frame.loc[rows, grade] = ""
    found = panel(text(frame))
    assert found.unknown is None
    assert np.isnan(found.pupils[found.areas.index("East K8"), 3, -1])
    assert "taken as closed" in notes(found)


def test_names_are_text_and_an_area_not_observed_at_last_is_told() -> None:
    frame = SOUND.replace({"school": dict(zip(AREAS, ["0070", "070", "1E2", "100"], strict=True))})
    found = panel(text(frame))
    assert found.areas == ("0070", "070", "100", "1E2")
    assert "'0070', '070'" in notes(found)
    frame = SOUND[(SOUND["school"] != "West HS") | (SOUND["year"] < "2019")]
    assert "not observed in 2021, so not forecast: West HS (1 area)" in notes(panel(text(frame)))


def test_grades_have_their_order_in_every_way_of_writing() -> None:
    for line in (
        "K|1|2|3|10|12",
        "Kindergarten|Grade 1|GRADE 2|Gr. 3|G10|grade_12",
        "KG|1st|2nd|3rd|10th|12th Grade",
        "k|first grade|second|Third Grade|tenth grade|Grade Twelve",
        "Reception|Year 1|Yr 2|Y3|Year 10|Y12",
        "大班|一年级|2年级|小学三年级|高一|高三",
    ):
        found = [grade_of(name) for name in line.split("|")]
        assert all(isinstance(one, Grade) for one in found), line
        ranks = [one.rank for one in found if isinstance(one, Grade)]
        assert ranks[1:] == [1, 2, 3, 10, 12]
        assert ranks[0] < 1
    order = ["小班", "中班", "大班", "一年级", "六年级", "初一", "初二", "初三", "高一", "高三"]
    ranks = [one.rank for one in map(grade_of, order) if isinstance(one, Grade)]
    assert ranks == sorted(ranks)
    assert len(ranks) == len(order)
    for name in ("principal", "county", "2008", "X", "one", "number of pupils"):
        assert grade_of(name) is None


def test_cells_are_read_by_what_they_mean() -> None:
    found = numbers(pd.Series(["2,340", "12 345", "６６", " 5 ", "7.0", "1,23", "-1", "x"]))
    assert found.number[:5].tolist() == [2340, 12345, 66, 5, 7]
    assert found.bad.tolist() == [False] * 5 + [True] * 3
    forms = ["2019/20", "2019–2020", "201920", "2019年", "SY 2019-20", "2019.0", "2019-09-01"]
    assert set(school_years(pd.Series(forms)).number) == {2019.0}
    assert school_years(pd.Series(["FY2019", "2019/20"])).bad.any()
    assert school_years(pd.Series(["1920", "2021"])).number.tolist() == [2019, 2020]
    assert school_years(pd.Series(["9/1/2019"])).bad.all()
    assert likeness("St. Mary – East") == likeness("st. mary-east")


def dress(rng: np.random.Generator) -> tuple[bytes | pd.DataFrame, dict[str, Any]]:
    """Dress the sound table at random: names, numbers, order, form and file."""
    frame = SOUND.copy()
    style: list[Callable[[str], str]] = [
        str,
        lambda g: g if g == "K" else f"Grade {g}",
        lambda g: "KG" if g == "K" else f"G{int(g):02}",
        lambda g: "Kindergarten" if g == "K" else g,
        lambda g: g if g == "K" else CHINESE[int(g) - 1],
        lambda g: "Reception" if g == "K" else f"Year {g}",
        lambda g: f"{g} students" if g != "K" else "K students",
    ]
    named = dict(zip(GRADES, map(style[rng.integers(len(style))], GRADES), strict=True))
    years: list[Callable[[str], str]] = [
        str,
        lambda y: f"{y}/{(int(y) + 1) % 100:02}",
        lambda y: f"{y}-{int(y) + 1}",
        lambda y: f"{y}.0",
        lambda y: f"{y}年",
        lambda y: f"FY{y}",
        lambda y: f"{y}-09-01",
        lambda y: f"{y}{(int(y) + 1) % 100:02}",
    ]
    frame["year"] = frame["year"].map(years[rng.integers(len(years))])
    cells: list[Callable[[str], str]] = [
        str,
        lambda c: f"{c}.0",
        lambda c: f" {c} ",
        lambda c: c.translate({48 + d: 0xFF10 + d for d in range(10)}),
    ]
    cell = cells[rng.integers(len(cells))]
    frame[GRADES] = frame[GRADES].map(cell)
    head = [("school", "year"), ("School Name", "School Year"), ("学校", "学年"), ("area", "fall")]
    area, year = head[rng.integers(len(head))]
    if rng.random() < 0.3:
        frame = frame.sample(frac=1, random_state=int(rng.integers(99)))
    if rng.random() < 0.3:
        frame["Total"] = SOUND[GRADES].astype(int).sum(axis=1).astype(str)
    if rng.random() < 0.3:
        frame["PK"] = "20"
    frame = frame.rename(columns={**named, "school": area, "year": year})
    if rng.random() < 0.3:
        kept = [c for c in frame.columns if c not in ("PK", "Total")]
        frame = frame[kept].melt([area, year], list(named.values()), "grade", "pupils")
    if rng.random() < 0.5:
        frame = frame[rng.permutation(frame.columns)]
    if rng.random() < 0.2:
        return frame, {}
    above = [["Enrolment of the district"], []] if rng.random() < 0.3 else []
    if rng.random() < 0.15:
        book = openpyxl.Workbook()
        for row in [*above, list(frame.columns), *frame.to_numpy().tolist()]:
            book.worksheets[0].append(row)
        stream = io.BytesIO()
        book.save(stream)
        return stream.getvalue(), {}
    separator = rng.choice([",", ";", "\t"])
    lines = "".join(",".join(row) + "\n" for row in above)
    lines += frame.to_csv(index=False, sep=separator)
    if rng.random() < 0.3:
        lines += (separator * (frame.shape[1] - 1) + "\n") * 3
    encodings = ["utf-8", "utf-8-sig", "utf-16", "gb18030"]
    encoding = encodings[rng.integers(len(encodings))]
    content = lines.encode(encoding)
    return content, {"encoding": encoding} if rng.random() < 0.2 else {}


@pytest.mark.slow
def test_three_hundred_dresses_give_the_same_figures_or_are_refused() -> None:
    rng = np.random.default_rng(2026)
    refusals = []
    for number in range(300):
        table, how = dress(rng)
        try:
            found = panel(table, name="t", **how)
        except ScenarioError as error:
            refusals.append((number, str(error)))
            continue
        assert found.areas == PLAIN.areas, number
        same(found)
    assert len(refusals) < 15, refusals


@pytest.mark.slow
def test_a_forecast_is_what_the_backtest_judges() -> None:
    cut = SOUND[SOUND["year"] <= "2018"]
    ahead = capsim.forecast(text(cut), years=3)
    judged = capsim.backtest(PLAIN, {}, [1, 2, 3])
    at = judged.chosen["origin"].drop_duplicates().tolist().index(2018)
    assert ahead.pupils == pytest.approx(judged.forecasts["auto"][at], rel=1e-12)
    assert ahead.backtest().table.equals(backtest(panel(text(cut)), {}, [1, 2, 3]).table)
    total = ahead.table.groupby("year")["pupils"].sum()
    assert total.to_numpy() == pytest.approx(ahead.totals["pupils"].to_numpy(), rel=1e-12)
    assert (ahead.table["low_95"] <= ahead.table["low_80"] + 1e-9).mean() > 0.9
    assert "read as" in ahead._repr_html_()
    assert ahead.methods.sum(axis=1).to_numpy() == pytest.approx(1.0)


@pytest.mark.slow
def test_given_ratios_entry_and_births_arrive_in_full() -> None:
    ratios = pd.DataFrame({"grade": ["1"], "ratio": [0.5]})
    entry = pd.DataFrame({"area": ["North ES"], "year": ["2022/23"], "pupils": [300]})
    found = capsim.forecast(text(SOUND), years=2, ratios=ratios, entry=entry)
    table = found.table.set_index(["area", "grade", "year"])["pupils"]
    assert table["North ES", "K", 2022] == 300
    assert table["North ES", "1", 2023] == pytest.approx(150)
    assert table["South ES", "1", 2023] == pytest.approx(table["South ES", "K", 2022] / 2)
    born = pd.DataFrame({"year": range(1998, 2018), "births": [100] * 18 + [200] * 2})
    births = capsim.forecast(text(SOUND), years=3, births=born).table
    first = births[births["grade"] == "K"].groupby("year")["pupils"].sum()
    # Of age 5 in autumn 2022 is who was born from September 2016 to August 2017: all of 200.
    assert first[2022] / first[2023] == pytest.approx(1.0)
    assert first[2022] > 1.5 * PLAIN.pupils[:, 0, -3:].mean(-1).sum()
    with pytest.raises(ScenarioError, match="grade: 'X'"):
        capsim.forecast(text(SOUND), ratios=pd.DataFrame({"grade": ["X"], "ratio": [1]}))


def test_few_years_are_forecast_without_intervals() -> None:
    found = capsim.forecast(text(SOUND[SOUND["year"] > "2018"]), years=2)
    assert found.table["low_80"].isna().all()
    assert found.table["pupils"].notna().all()
    assert "too few years" in "\n".join(map(str, found.notes))
    assert found.plot("North ES").axes[0].get_ylim()[0] == 0
