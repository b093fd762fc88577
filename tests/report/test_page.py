"""The page is whole, the same twice, escapes every name, and says where its figures come from."""

import json
import re
from base64 import b64decode
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from hostile import COUNTIES, HTML, NAMES, PROJECTS, hostile_plan, reached
from PIL import Image
from small_plan import written_certificate, written_explanation, written_outcomes, written_plan

from capsim.i18n.language import words
from capsim.report import Advice, answer, figures, html_page, milestones, summarize
from capsim.report.page.elements import Column, Layout, write_cell
from capsim.report.page.pictures import HEAVIEST, address

PLAN = written_plan()
OUTCOMES = written_outcomes(PLAN)
DRAWN = {"mix": (b"<svg/>", b"PNG"), "balance-2022": (b"<svg/>", b"PNG"), "map": (b"<svg/>", b"")}
ADVICE = Advice(
    "Prices",
    ["One more place is worth 5,000 RMB."],
    {"Prices": pd.DataFrame({"kind": ["place"], "year": [2022], "one_more_cny": [5000.4]})},
)


class Reader(HTMLParser):
    """Elements, texts and embedded data of a page."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.data: list[str] = []
        self.inside = ""
        self.feed(page.decode())

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        self.inside = "data" if ("type", "application/json") in attributes else tag

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside == "data":
            self.data.append(data)
        elif self.inside not in ("script", "style"):
            self.texts.append(data.strip())


def made(plan=PLAN, outcomes=OUTCOMES, lang="en", **given) -> bytes:
    certificate = written_certificate()
    summary = summarize(plan, certificate, outcomes, seed=7, timings_s={"load": 0.5})
    given = {"drawn": DRAWN, "reached": reached(plan), "advice": [ADVICE]} | given
    return html_page(plan, summary, outcomes, lang=lang, **given)


@pytest.fixture(scope="module", params=["en", "zh"])
def page(request):
    return made(lang=request.param)


def test_page_needs_nothing_else(page):
    read = Reader(page)
    assert not re.search(rb"(src|href)=\"(?!data:|#)", page)
    assert b"@import" not in page
    assert b"url(" not in page
    assert read.tags.count("img") == len(DRAWN)
    assert b"default-src 'none'" in page


@pytest.mark.slow
def test_same_bytes_twice_whatever_the_time_it_took():
    assert made() == made()
    slow = summarize(PLAN, None, OUTCOMES, seed=7, timings_s={"load": 99.0})
    quick = summarize(PLAN, None, OUTCOMES, seed=7, timings_s={"load": 0.1})
    assert html_page(PLAN, slow, OUTCOMES) == html_page(PLAN, quick, OUTCOMES)


def test_every_link_leads_somewhere(page):
    attributes = Reader(page).attributes
    ids = [value for key, value in attributes if key == "id"]
    assert len(set(ids)) == len(ids)
    assert {value[1:] for key, value in attributes if key == "href"} <= set(ids)


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_names_come_through_unharmed_and_harmless(lang):
    plan, outcomes = hostile_plan()
    read, clean = Reader(made(plan, outcomes, lang)), Reader(made(lang=lang))
    assert [tag for tag in read.tags if tag not in ("tr", "td", "a", "li", "option")] == [
        tag for tag in clean.tags if tag not in ("tr", "td", "a", "li", "option")
    ]
    assert not [key for key, _ in read.attributes if key.startswith("on")]
    cells = {cell for data in read.data for cell in strings(json.loads(data))}
    assert set(NAMES) <= cells
    assert {HTML, *COUNTIES.values(), *PROJECTS.values()} <= set(read.texts)


def strings(value):
    """All texts in a piece of JSON."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in [*value.keys(), *value.values()] if isinstance(value, dict) else value:
            yield from strings(item)


@pytest.mark.slow
def test_counts_are_written_as_each_language_does():
    plan = written_plan()
    plan.tables["reduction"] = plan.tables["reduction"].assign(total=309800.0, ordered=309800.0)
    plan.scenario.given["settings"].policy.reduction = 309800.0
    assert any("309,800" in text for text in Reader(made(plan)).texts)
    assert any("30.98万" in text for text in Reader(made(plan, lang="zh")).texts)


def test_targets_lead_to_what_orders_them_and_its_mark(page):
    row = page.decode()
    assert 'data-find="policy.private_share_cap.2022">policy.private_share_cap.2022 <b>S</b>' in row
    assert 'data-find="programmes.build-2022.number"' in row
    assert 'data-find="births">births <b>P</b>' in row


@pytest.mark.slow
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_is_green_that_too_few_futures_keep(lang):
    plan = written_plan()
    plan.tables["targets"]["met"] = True
    drawn = written_outcomes(plan)
    paper = made(plan, drawn, lang).decode()
    assert 'class="verdict paper"' in paper
    green = len(re.findall(r'class="state met"', paper))
    likely = drawn.tables["targets"]["probability"] >= 0.95
    assert green <= likely.sum() < len(likely)
    plan.scenario.settings.reliability.probability = 0.01
    sure = made(plan, drawn, lang).decode()
    assert 'class="verdict met"' in sure
    assert 'class="state paper"' not in sure


def test_ledger_holds_four_dates_with_their_probability():
    (ledger,) = (json.loads(data) for data in Reader(made()).data if '"2022-05-14"' in data)
    row = next(row for row in ledger["rows"] if row[0] == "P000")
    dated = [cell for cell in row if isinstance(cell, list)]
    assert dated == [
        ["2022-05-14", 90],
        ["2022-06-14", 80],
        ["2022-07-14", 70],
        ["2022-08-14", 60],
    ]
    assert len(ledger["rows"]) == len(PLAN.tables["projects"])


def test_advice_is_shown_as_it_is_given(page):
    read = Reader(page)
    assert "One more place is worth 5,000 RMB." in read.texts
    assert "5,000" in read.texts


def test_without_a_plan_the_page_explains():
    plan = written_plan()
    plan.status, plan.tables = "infeasible", {}
    plan.gap = plan.objective_cny = float("nan")
    plan.explanation = written_explanation()
    summary = summarize(plan, seed=0, timings_s={})
    page = html_page(plan, summary)
    text = page.decode()
    assert "County C01, junior lacks 4,310 places on 1 September 2022." in text
    assert "NO PLAN" in text
    assert 'id="ledger"' not in text
    tables = [json.loads(data) for data in Reader(page).data if '"rows"' in data]
    repairs, gaps = (one["rows"] for one in tables[:2])
    assert repairs == [["posts", "posts", 320, "county C01", 2022, 320]]
    assert gaps == [["seats", "county C01, junior", 2022, "places", 4310]]
    chinese = html_page(plan, summary, lang="zh").decode()
    assert "没有方案能满足全部要求" in chinese
    assert "县区C01初中 2022年9月1日缺学位4,310个。" in chinese
    assert "lacks" not in chinese


@pytest.mark.slow
def test_prices_are_sentences_and_a_table():
    row = {
        **{"kind": "hire", "unit": "teacher", "area": "", "county": "C03", "stage": ""},
        **{"name": "", "year": 2022, "one_more_cny": 120_000.0, "one_less_cny": np.inf},
        **{"more_units": 12.0, "less_units": 0.0},
    }
    table = pd.DataFrame([row])
    texts = Reader(made(prices=table)).texts
    assert (
        "one more teacher hired (C03, 2022): 120,000 RMB, for the first 12; with one less there is"
        " no plan" in texts
    )
    assert (
        "多聘一名教师（C03、2022）：12.0万元，前12个单位内有效；减少一单位则没有方案"
        in Reader(made(prices=table, lang="zh")).texts
    )
    assert any(
        text.startswith("Nothing is scarce") for text in Reader(made(prices=table[:0])).texts
    )


def test_cells_are_rounded_to_what_is_shown():
    frame = pd.DataFrame(
        {
            "a": [1234.56, float("nan"), -0.4, float("inf")],
            "b": [0.12345, 0.0, 1.0, 0.5],
            "c": [["2022-01-01", 0.666], ["", float("nan")], ["", 0.0], ["2022-01-01", 1.0]],
        }
    )
    columns = (
        Column("a", "A", "number", translated=True),
        Column("b", "B", "percent", 1, translated=True),
        Column("c", "C", "chance", translated=True),
    )
    table = Layout("t", "", columns).table(frame, words("en"), caption="T")
    assert table.rows == [
        [1235, 12.3, ["2022-01-01", 67]],
        [None, 0.0, None],
        [0, 100.0, ["", 0]],
        ["∞", 50.0, ["2022-01-01", 100]],
    ]
    written = [
        [write_cell(value, column, words("en")) for value, column in zip(row, columns, strict=True)]
        for row in table.rows
    ]
    assert written[0] == ["1,235", "12.3 %", "2022-01-01 · 67 %"]
    assert written[1] == ["–", "0.0 %", "–"]
    assert written[2] == ["0", "100.0 %", "– · 0 %"]


def test_unknown_kind_of_column_is_refused():
    layout = Layout("t", "", (Column("a", "A", "colour", translated=True),))
    with pytest.raises(ValueError, match="kind 'colour'"):
        layout.table(pd.DataFrame({"a": [1]}), words("en"), caption="T")


@pytest.mark.parametrize(("lang", "title"), [("en", "A small city"), ("zh", "一座小城")])
def test_the_title_is_the_one_of_the_language(lang, title):
    read = Reader(made(lang=lang))
    assert title in read.texts
    assert len({"A small city", "一座小城"} & set(read.texts)) == 1
    assert title in answer(PLAN, summarize(PLAN, seed=7, timings_s={}), lang=lang)


def test_unknown_language_is_refused():
    with pytest.raises(ValueError, match="language 'fr': one of en, zh"):
        made(lang="fr")


def test_heavy_figures_are_pixels():
    figure = figures.new_figure(4, 3)
    figure.add_subplot().plot([0, 1], color="#D55E00")
    svg, png = (figures.render(figure, form) for form in ("svg", "png"))
    assert address(svg, png).startswith("data:image/svg+xml;base64,")
    heavy = address(svg + b" " * 200_000, png)
    assert heavy.startswith("data:image/png;base64,")
    assert len(heavy) < len(png)
    with (
        Image.open(BytesIO(b64decode(heavy.split(",")[1]))) as light,
        Image.open(BytesIO(png)) as full,
    ):
        apart = np.asarray(light.convert("RGB"), int) - np.asarray(full.convert("RGB"), int)
    assert np.abs(apart).mean() < 1


@pytest.mark.slow
def test_page_of_the_flagships_size_weighs_at_most_three_megabytes():
    """54 areas, 27 counties, 235 projects and 14 years; figures as heavy as the heaviest."""
    plan = written_plan(counties=27, projects=235)
    parts = [
        plan.tables["balance"].assign(
            stage=stage, school_year=lambda t, late=late: t["school_year"] + late
        )
        for stage in ("primary", "junior")
        for late in (0, 5)
    ]
    plan.tables["balance"] = pd.concat(parts, ignore_index=True)[: 54 * 4 * 14]
    assert len(plan.tables["balance"]) == 54 * 4 * 14
    figure = b"x" * HEAVIEST
    drawn = dict.fromkeys(("mix", "cost", "reduction", "private-share"), (figure, b""))
    drawn |= {f"balance-{year}": (figure, b"") for year in (2022, 2030)}
    drawn |= dict.fromkeys(("map", "class-size", "shortfall", "chances"), (figure, b""))
    assert len(made(plan, written_outcomes(plan), drawn=drawn)) < 2.8e6


def test_milestones_come_in_order():
    from capsim.construction import build
    from capsim.scenario import generate

    city = generate(6, 40_000, 2)
    projects = city.table("projects").drop_duplicates("project")
    due = projects[projects["due"] != ""].head(4)
    planned = dict(zip(due["project"], due["due"], strict=True))
    built = build(city, planned=planned, replications=40, seed=3)
    table = milestones(built)
    chance = built.probability().set_index("project")["probability"]
    for project, rows in table.groupby("project"):
        dates = rows.set_index("milestone")["date"]
        order = [
            dates[name]
            for name in ("built", "equipped", "up_to_standard", "in_use")
            if name in dates
        ]
        assert order == sorted(order)
        in_use = rows[rows["milestone"] == "in_use"]["chance"].iloc[0]
        assert in_use == pytest.approx(chance[project])
    assert set(table["project"]) == set(due["project"])


def test_plan_that_opens_nothing_has_no_milestones():
    assert not len(milestones(None))
