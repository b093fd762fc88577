"""The plan's workbook: every sheet, exact numbers, text that stays text, equal bytes."""

import io

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook

import capsim
from capsim.report import plan_workbook, summarize
from capsim.report.files import csv, plain_text
from capsim.report.page import milestones
from capsim.scenario import generate

SHEETS = (
    *("summary", "targets", "projects", "conversions", "purchases", "closures"),
    *("admissions", "commitments", "balance", "staff", "costs", "prices", "sources"),
)
NASTY = ("=1+1", "+5", "-5", "@x", "'=q", "x" * 200, '👩‍🏫, "q"', "<b>", "\t=1")


@pytest.fixture(scope="module")
def made():
    """A plan, its workbook, and the workbook read back."""
    city = generate(2, 8000, 0, stages=("primary", "junior"), years=(2021, 2023), name="=city")
    projects = city.table("projects")
    projects["name"] = [NASTY[at % 5] for at in range(len(projects))]
    city = city.variant({"title": "@title", "title_zh": "=标题"}, tables={"projects": projects})
    plan = capsim.optimize(city, gap=0.01)
    outcomes = capsim.simulate(plan, draws=10, seed=1)
    summary = summarize(plan, None, outcomes, seed=1, timings_s={})
    prices = plan.prices().binding()
    reached = milestones(outcomes.building)
    content = plan_workbook(plan, summary, outcomes, prices, reached)
    assert content == plan_workbook(plan, summary, outcomes, prices, reached)
    return plan, summary, outcomes, load_workbook(io.BytesIO(content))


def rows(sheet):
    """Cells below the two lines of header."""
    return list(sheet.iter_rows(min_row=3, values_only=True))


@pytest.mark.slow
def test_every_sheet_has_a_frozen_header_in_two_languages(made):
    book = made[3]
    assert tuple(book.sheetnames) == SHEETS
    for sheet in book:
        assert sheet.freeze_panes.endswith("3")
        assert sheet.auto_filter.ref.startswith("A2:")
        heads = [cell.value for line in sheet["1:2"] for cell in line if cell.value]
        assert any("\u4e00" <= letter <= "\u9fff" for head in heads for letter in head)
        assert {cell.data_type for line in sheet.iter_rows() for cell in line} <= {*"snd"}


def test_what_is_to_be_done_is_said_in_two_languages_and_whole_numbers(made):
    plan, _, _, book = made
    admissions, duties = rows(book["admissions"]), rows(book["commitments"])
    assert {row[4] for row in admissions} <= {"public 公办", "private 民办", "converted 民转公"}
    assert sum(row[8] for row in admissions) == plan.tables["admissions"]["intake"].sum()
    assert len(duties) == len(plan.tables["commitments"])
    decisions = {"begin building 开工建设", "turn public 转为公办", "end admission 停止招生"}
    decisions |= {"close for good 关停", "contract places 签约购买学位", None}
    assert {row[-2] for row in duties} <= decisions


def test_numbers_are_the_plans_own_to_the_last_digit(made):
    plan, summary, _, book = made
    balance = plan.tables["balance"]
    found = pd.DataFrame(rows(book["balance"])).iloc[:, 4:].to_numpy(float)
    columns = ["children", "seats", "existing_used", "new_used", "overfilled", "converted"]
    assert np.array_equal(found[:, :6], balance[columns].to_numpy(float))
    costs = [row[3] for row in rows(book["costs"])]
    assert costs == plan.tables["costs"]["cost_cny"].tolist()
    said = {row[0]: row[2] for row in rows(book["summary"])}
    assert said["Total cost, discounted"] == plan.objective_cny
    assert said["Targets met"] == sum(row["met"] for row in summary["targets"])
    assert book["balance"]["E3"].number_format == "#,##0"


def test_names_are_text_whatever_they_look_like(made):
    plan, _, _, book = made
    names = {cell.value: cell for cell in book["projects"]["B"][2:] if cell.value}
    given = plan.scenario.table("projects")["name"]
    assert set(names) == set(given)
    assert {cell.data_type for cell in names.values()} == {"s"}
    said = {row[0]: row[2] for row in rows(book["summary"])}
    assert (said["Scenario"], said["Title"]) == ("=city", "@title")
    assert said["Title in Chinese"] == "=标题"


def test_dates_are_dates_and_chances_are_there(made):
    plan, _, outcomes, book = made
    heads = [cell.value for cell in book["projects"][1]]
    table = pd.DataFrame(rows(book["projects"]), columns=heads)
    opens = plan.tables["projects"]["opens"]
    for day, text in zip(table["Opens"], opens, strict=True):
        assert ("" if pd.isna(day) else f"{day:%Y-%m-%d}") == text
    drawn = outcomes.tables["projects"]["p_on_time"]
    for head in ("Equipped", "Up to standard", "In use"):
        assert table[head].notna().sum() == (opens != "").sum()
    assert (table["Equipped"].dropna() <= table["In use"].dropna()).all()
    assert table["Chance to open on time"].dropna().tolist() == drawn.tolist()


def test_csv_is_harmless_and_comes_back(tmp_path):
    table = pd.DataFrame({"name": NASTY, "pupils": np.arange(len(NASTY)) - 4.5})
    written = csv(table)
    found = pd.read_csv(io.BytesIO(written), keep_default_na=False)
    assert not found["name"].str.match("[=+@\t\r-]").any()
    assert [plain_text(name) for name in found["name"]] == list(NASTY)
    assert found["pupils"].tolist() == table["pupils"].tolist()
    assert csv(table[3:3]) == b"name,pupils\n"
