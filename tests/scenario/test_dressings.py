"""A sound scenario dressed otherwise loads to the same content, or is refused: never to another."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import random
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import Workbook
from small_folder import texts, write

from capsim.i18n.language import words
from capsim.scenario import Scenario, ScenarioError, load
from capsim.scenario.cell_words import heading
from capsim.scenario.excel.scenario_workbook import (
    Row,
    load_workbook,
    rows_of,
    workbook_bytes,
)
from capsim.scenario.schema import COLUMNS_ZH, TABLES, TABLES_ZH, UNITS_ZH, WORDS_ZH, Column

Rows = list[list[str]]
SCALES = {
    "RMB": (("万元", 10_000), ("thousand RMB", 1000), ("元", 1)),
    "persons": (("thousand", 1000), ("人", 1), ("百人", 100)),
    "places": (("千个", 1000), ("places", 1)),
    "km": (("m", 0.001), ("公里", 1)),
}
WIDE = str.maketrans("0123456789.", "０１２３４５６７８９．")
ZH = {"primary": "小学", "kindergarten": "幼儿园"}


def tables() -> dict[str, Rows]:
    return {
        name.removesuffix(".csv"): list(csv.reader(io.StringIO(text)))
        for name, text in texts().items()
        if name.endswith(".csv")
    }


def number(rng: random.Random, cell: str) -> str:
    value = float(cell)
    dress = rng.randrange(6)
    if dress == 0 and value >= 1000 and value == int(value):
        return f"{int(value):,}"
    if dress == 1:
        return cell.translate(WIDE)
    if dress == 2 and value >= 10_000:
        return f"{value / 10_000:.10g}万"
    return f"{cell}.0" if dress == 3 and cell.isdigit() else f" {cell} " if dress == 4 else cell


def dressed(rng: random.Random, name: str, rows: Rows) -> Rows:
    """Write a table's cells and headers otherwise, columns and rows in another order."""
    head, body = list(rows[0]), [list(row) for row in rows[1:]]
    if name != "phases":
        rng.shuffle(body)
    for at, column in enumerate(rows[0]):
        of = TABLES[name].column(column)
        if of.kind == "number" and "by kind" not in of.unit and rng.random() < 0.3:
            unit, size = rng.choice(SCALES.get(of.unit, ((UNITS_ZH.get(of.unit, of.unit), 1),)))
            left, right = rng.choice(["()", "（）", "[]", "【】"])
            label = rng.choice([column, COLUMNS_ZH[column]])
            head[at] = f"{label}{left}{unit}{right}"
            for row in body:
                row[at] = row[at] and f"{float(row[at]) / size:.12g}"
        elif of.is_number and of.unit != "year" and rng.random() < 0.4:
            for row in body:
                row[at] = number(rng, row[at]) if row[at] else ""
        elif rng.random() < 0.5 and column not in ("source", "mark"):
            head[at] = COLUMNS_ZH.get(column, column)
        if column == "school_year" and rng.random() < 0.5:
            form = rng.choice(["{0}-{1}", "{0}/{2:02d}", "{0}年", "{0}-{1}学年", "{0}.0"])
            for row in body:
                year = int(row[at])
                row[at] = form.format(year, year + 1, (year + 1) % 100)
        if of.allowed and rng.random() < 0.5:
            for row in body:
                row[at] = rng.choice([row[at], *WORDS_ZH.get(row[at], [])[:1]])
        if column == "stage" and rng.random() < 0.5:
            for row in body:
                row[at] = ZH.get(row[at], row[at])
        if column == "grade" and rng.random() < 0.5:
            for row in body:
                row[at] = (
                    f"{'一二三四五六'[int(row[at]) - 1]}年级" if row[at].isdigit() else row[at]
                )
    order = list(range(len(head)))
    rng.shuffle(order)
    return [[row[at] for at in order] for row in (head, *body)]


def as_bytes(rng: random.Random, rows: Rows) -> bytes:
    """Write a table as a text file in some encoding, with some separator and dirt round it."""
    separator = rng.choice(",,,;\t")
    width = len(rows[0])
    rows = list(rows)
    if rng.random() < 0.2:
        rows.insert(0, ["某市统计表", *[""] * (width - 1)])
    if rng.random() < 0.3:
        rows += [[""] * width] * rng.randrange(1, 9)
    if rng.random() < 0.2:
        rows = [[*row, "", ""] for row in rows]
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=separator, lineterminator=rng.choice(["\n", "\r\n"])).writerows(rows)
    return file.getvalue().encode(rng.choice(["utf-8", "utf-8", "utf-8-sig", "gb18030", "utf-16"]))


def as_frame(rows: Rows) -> pd.DataFrame:
    return pd.DataFrame(rows[1:], columns=rows[0])


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    """The small scenario with rows sorted: their order is content, dressing shuffles it."""
    return load(write(tmp_path_factory.mktemp("sound") / "small", dict(texts())))


def same_rows(one: Scenario, other: Scenario) -> bool:
    """Compare content, rows of each table in one order."""
    for name in TABLES:
        frames = []
        for scenario in (one, other):
            frame = scenario.table(name)
            by = list(frame.columns)
            frames.append(frame.sort_values(by).reset_index(drop=True))
        if not frames[0].equals(frames[1]):
            return False
    return one.settings == other.settings


MOST = int(os.environ.get("CAPSIM_DRESSED", "200"))
"""Scenarios and workbooks that the slow tests dress at random."""
dressed_by_seed = pytest.mark.parametrize(
    "seeds", [range(8), pytest.param(range(8, MOST), marks=pytest.mark.slow)], ids=["few", "many"]
)


@dressed_by_seed
def test_dressings_load_to_the_same_or_are_refused(
    tmp_path: Path, sound: Scenario, seeds: range
) -> None:
    settings = texts()["scenario.toml"]
    refused = 0
    for seed in seeds:
        rng = random.Random(seed)
        some = {name: dressed(rng, name, rows) for name, rows in tables().items()}
        try:
            if rng.random() < 0.25:
                frames = {name: as_frame(rows) for name, rows in some.items()}
                made = Scenario.from_tables(tomllib.loads(settings), **frames)
            else:
                files: dict[str, str | bytes] = {"scenario.toml": settings}
                files |= {f"{name}.csv": as_bytes(rng, rows) for name, rows in some.items()}
                made = load(write(tmp_path / str(seed), files))
        except ScenarioError as error:
            refused += 1
            error.text(words("zh"))
            continue
        assert same_rows(made, sound), seed
        for note in made.notes:
            assert note.text(words("zh"))
    assert refused <= 1 + len(seeds) // 4


def test_rows_in_order_have_the_same_hash(tmp_path: Path, sound: Scenario) -> None:
    files: dict[str, str | bytes] = dict(texts())
    births = tables()["births"]
    births[0] = ["片区", "年份", "出生人数（百人）"]
    births[1:] = [[area, f"{year}年", f"{float(n) / 100:g}"] for area, year, n in births[1:]]
    files["births.csv"] = "\n".join(";".join(row) for row in births).encode("gb18030")
    made = load(write(tmp_path / "x", files))
    assert made.hash == sound.hash
    assert [str(note) for note in made.notes] == [
        "births.csv: encoding: GBK (GB18030), found by trial",
        "births.csv: separator: semicolon",
        "births.csv: year: 28 cells read as meant, such as '2008年' as 2008",
        "births.csv: births: in 百人, times 100",
    ]
    with pytest.raises(ScenarioError, match="without --strict"):
        load(tmp_path / "x", strict=True)


@pytest.mark.slow
def test_workbooks_as_they_are_filled_in(tmp_path: Path, sound: Scenario) -> None:
    import openpyxl

    path = tmp_path / "book.xlsx"
    path.write_bytes(workbook_bytes(sound))
    book = openpyxl.load_workbook(path)
    births, schools, pupils = book["births"], book["schools"], book["pupils"]
    births.insert_rows(1)
    births["A1"] = "某市出生人口"
    births.append(["资料来源：统计局"])
    places = next(cell.column_letter for cell in schools[1] if cell.value == "places")
    schools[f"{places}2"] = "学位（千个）"
    for row in range(3, schools.max_row + 1):
        schools[f"{places}{row}"] = f"{schools[f'{places}{row}'].value / 1000} "
    start, value = 3, pupils["A3"].value
    end = next(row for row in range(3, 999) if pupils[f"A{row + 1}"].value != value)
    pupils.merge_cells(f"A{start}:A{end}")
    pupils.row_dimensions[5].hidden = True
    book.save(path)
    made = load_workbook(path)
    assert made.hash == sound.hash
    told = "\n".join(map(str, made.notes))
    for part in ("1 row above the header", "1 row under the table", "in 千个, times 1000",
                 "1 merged cell filled", "1 hidden row"):  # fmt: skip
        assert part in told
    schools[f"{places}2"] = "学位（公里）"
    book.save(path)
    with pytest.raises(ScenarioError, match="a unit of this column: places"):
        load_workbook(path)


SETTING_WORDS = {
    "horizon.base_year": ["2021-2022", "2021/22", "2021年", 2021.0],
    "horizon.last_year": ["2024-2025学年", 2024],
    "stages.planned": ["幼儿园、小学", '["kindergarten", "primary"]'],
    "stages.compulsory": ["小学"],
    "costs.discount_rate": ["4%", "４%", 0.04],
    "policy.reduction": ["20人", "20", 20],
    "programmes.build.by": ["2022年12月31日", dt.date(2022, 12, 31)],
}


def cell(rng: random.Random, column: Column, text: str) -> object:
    """Write a cell as a number, a date, a text, or what a clerk makes of it."""
    if not text:
        return rng.choice([None, None, None, " "]) if column.kind != "text" else None
    if column.is_number and re.fullmatch(r"-?\d+(\.\d+)?", text) and rng.random() < 0.7:
        return float(text) if "." in text or rng.random() < 0.3 else int(text)
    if column.kind == "date" and rng.random() < 0.7:
        day = dt.date.fromisoformat(text)
        forms = [day, dt.datetime(day.year, day.month, day.day), f"{day:%Y/%m/%d}"]
        return rng.choice([*forms, f"{day.year}年{day.month}月{day.day}日"])
    if column.name == "grade" and text.isdigit() and rng.random() < 0.3:
        return int(text)
    return text


def table_sheet(rng: random.Random, book: Workbook, name: str, rows: Rows) -> None:
    """Write a table as a sheet: headers in one row or two, with all that stands round a table."""
    sheet = book.create_sheet(rng.choice([name, name, TABLES_ZH[name], f"{name} "]))
    heads, plain = rows[0], [heading(name, head) for head in rows[0]]
    columns = [TABLES[name].column(column) for column, _ in plain]
    if rng.random() < 0.25:
        sheet.append([rng.choice(["某县统计表", "单位：人、元、公里", "Table of the county"])])
        if rng.random() < 0.3:
            sheet.append([])
    top = sheet.max_row + 1 if sheet.max_row > 1 or sheet["A1"].value else 1
    if rng.random() < 0.5:
        # The row of headers as they are, and one that repeats them without units.
        other = [rng.choice([column.name, COLUMNS_ZH[column.name]]) for column in columns]
        both = [heads, other]
        rng.shuffle(both)
        for at, line in enumerate(both):
            for place, head in enumerate(line, 1):
                sheet.cell(top + at, place, head)
        top += 1
    else:
        for place, head in enumerate(heads, 1):
            sheet.cell(top, place, head)
    body = [list(row) for row in rows[1:]]
    first = next(at for at, c in enumerate(columns) if c.kind == "name" or c.allowed or at == 0)
    merge = name != "phases" and columns[first].kind == "name" and rng.random() < 0.2
    if merge:
        body.sort(key=lambda row: row[first])
    at = top + 1
    starts: dict[str, list[int]] = {}
    for row in body:
        if not merge and rng.random() < 0.03:
            at += rng.randrange(1, 3)
        for place, (column, text) in enumerate(zip(columns, row, strict=True), 1):
            value = cell(rng, column, text)
            if value is not None:
                sheet.cell(at, place, value)
        starts.setdefault(row[first], []).append(at)
        if rng.random() < 0.02:
            sheet.row_dimensions[at].hidden = True
        at += 1
    for text, lines in starts.items():
        if merge and text and len(lines) > 1:
            for line in lines[1:]:
                sheet.cell(line, first + 1).value = None
            letter = sheet.cell(1, first + 1).column_letter
            sheet.merge_cells(f"{letter}{lines[0]}:{letter}{lines[-1]}")
    if len(columns) > 2 and rng.random() < 0.2:
        sheet.cell(
            at + rng.randrange(2), 1, rng.choice(["注：据统计年鉴", "Source: yearbook, 2022"])
        )


def dressed_book(rng: random.Random, settings: Sequence[Row]) -> bytes:
    """Write the small scenario as a workbook that somebody filled in by hand."""
    book = Workbook()
    book.remove(book.active)
    sheet = book.create_sheet(rng.choice(["settings", "设置"]))
    fields = ["key", "value", "unit", "source", "mark", "type"]
    fields = fields if rng.random() < 0.7 else [*fields, "note"]
    order = list(range(len(fields)))
    rng.shuffle(order)
    sheet.append([fields[at] for at in order])
    lines = [[*row, ""][: len(fields)] for row in settings]
    whole = [row for row in lines if row[5] != "table"]
    if len(whole) == len(lines):
        rng.shuffle(lines)
    for row in lines:
        key, kind = row[0], row[5]
        if key in SETTING_WORDS and rng.random() < 0.6:
            row[1], row[5] = rng.choice(SETTING_WORDS[key]), ""
        elif kind in ("number", "text", "date", "yes/no") and rng.random() < 0.4:
            row[5] = ""
        sheet.append([row[at] if row[at] != "" else None for at in order])
    sources = book.create_sheet("sources")
    sources.append(["what", "source", "mark"])
    sources.append(["schools.places", "classes x 45", "D"])
    for name, rows in sorted(tables().items(), key=lambda one: rng.random()):
        table_sheet(rng, book, name, dressed(rng, name, rows))
    if rng.random() < 0.3:
        book.create_sheet(rng.choice(["notes of the office", "说明", "Sheet9"]))
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@dressed_by_seed
def test_workbooks_dressed_at_random(tmp_path: Path, sound: Scenario, seeds: range) -> None:
    document = tomllib.loads(texts()["scenario.toml"])
    document.pop("sources")
    document.pop("tables")
    settings = list(rows_of(document))
    path = tmp_path / "book.xlsx"
    refused = 0
    for seed in seeds:
        rng = random.Random(seed)
        path.write_bytes(dressed_book(rng, settings))
        try:
            made = load_workbook(path)
        except ScenarioError as error:
            refused += 1
            error.text(words("zh"))
            continue
        assert same_rows(made, sound), seed
        # Rows of settings were shuffled, and their sources with them.
        one, other = (
            scenario.sources().sort_values(["what", "source"], ignore_index=True)
            for scenario in (made, sound)
        )
        assert one.equals(other), seed
        for note in made.notes:
            assert note.text(words("zh"))
    assert refused <= 1 + len(seeds) // 10


def test_degrees_are_projected_or_refused(tmp_path: Path) -> None:
    files = dict(texts())
    areas = ["area,county,lon,lat", "n,North,114.30,36.10", "s,South,114.40,36.00"]
    files["areas.csv"] = "\n".join(areas)
    made = load(write(tmp_path / "x", files))
    frame = made.table("areas")
    step_x, step_y = frame["x_km"].diff().iloc[1], frame["y_km"].diff().iloc[1]
    # a tenth of a degree: 111.195 km x 0.1, and x cos(36.05 degrees) from west to east
    assert (round(step_x, 2), round(step_y, 2)) == (8.99, -11.12)
    assert "projected to km round 114.3500, 36.0500" in str(made.notes[0])
    third = "m,South,114.35,36.05"
    files["areas.csv"] = "\n".join([areas[0].replace("lon,lat", "x_km,y_km"), *areas[1:], third])
    with pytest.raises(ScenarioError, match="these look like degrees"):
        load(write(tmp_path / "y", files))


@pytest.mark.slow
def test_a_clerk_fills_the_empty_workbook_in(tmp_path: Path) -> None:
    """Chinese words, ten thousands of RMB and school years in the template import at once."""
    import openpyxl

    from capsim.scenario.excel.scenario_workbook import template_bytes

    path = tmp_path / "book.xlsx"
    path.write_bytes(template_bytes("zh"))
    book = openpyxl.load_workbook(path)
    rows = {cell.value: cell.row for cell in book["settings"]["A"]}

    def setting(key: str, value: object) -> None:
        book["settings"][f"B{rows[key]}"] = value

    def fill(sheet: str, **cells: object) -> None:
        heads = {cell.value: cell.column for cell in book[sheet][1]}
        row = next(r for r in range(4, 999) if book[sheet].cell(r, 1).value is None)
        for name, value in cells.items():
            book[sheet].cell(row, heads[name], value)

    setting("name", "某县")
    setting("horizon.base_year", "2021-2022")
    setting("horizon.last_year", "2024-2025学年")
    setting("stages.planned", "小学")
    setting("stages.compulsory", "小学")
    setting("costs.discount_rate", "4%")
    setting("costs.teacher_cny", "10万元")
    setting("policy.purchased_counts_as_private", "否")
    fill("areas", area="城关镇", county="某县", kind="城市", part="镇区")
    for at, name in enumerate(("一", "二", "三", "四", "五", "六")):
        for sector, number in (("公办", 300), ("民办", 100)):
            for year in ("2020-2021", "2021-2022"):
                fill("pupils", area="城关镇", sector=sector, grade=f"{name}年级",
                     school_year=year, pupils=f"{number + at:,}")  # fmt: skip
    fill("schools", school="一小", stage="小学", area="城关镇", sector="公办", places="1,800",
         pupils=1815, staff=96, inclusive="否")  # fmt: skip
    fill("schools", school="民办一小", stage="小学", area="城关镇", sector="民办", places=700,
         pupils=615, conversion="可转", conversion_cost_cny="1200万")  # fmt: skip
    fill("projects", project="新一小", stage="小学", area="城关镇", kind="新建", places=900,
         capital_cny="0.5亿", status="在建", earliest_opening="2022年9月1日",
         due="2022/12/31")  # fmt: skip
    fill("limits", county="某县", year="2022年", kind="建设资金", amount="6500万")
    book.save(path)
    made = load_workbook(path)
    assert (made.base_year, made.last_year, list(made.stages)) == (2021, 2024, ["primary"])
    assert made.settings.costs.teacher_cny == 100_000
    assert made.table("schools")["sector"].tolist() == ["public", "private"]
    assert made.table("schools")["conversion_cost_cny"].tolist() == [0, 12_000_000]
    assert made.table("projects")["capital_cny"].tolist() == [50_000_000]
    assert made.table("projects")["kind"].tolist() == ["new"]
    assert made.table("limits")["amount"].tolist() == [65_000_000]
    made.save(tmp_path / "county")
    assert load(tmp_path / "county").hash == made.hash
    setting("programmes.NAME.number", 3)
    book.save(path)
    with pytest.raises(ScenarioError, match="a name or year in place of NAME"):
        load_workbook(path)


def test_the_empty_workbook_is_no_scenario_yet(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    book = Workbook()
    book.save(path)
    with pytest.raises(ScenarioError, match="a sheet"):
        load_workbook(path)
