"""The first sheet of the plan's workbook: what was asked, what is answered, how sure it is.

The plan as a workbook that a bureau sends round: a sheet a question, headers in two languages.

Every text is written as text, whatever it looks like (see `capsim.scenario.excel.writer`); a
number is
the plan's own, unrounded, shown in the format of its column. The same plan gives the same bytes.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from capsim.scenario.excel.writer import DATE, TEXT, Field, add_sheet, new_book, to_bytes

if TYPE_CHECKING:
    from capsim.plan.plan import Plan
    from capsim.simulation.outcomes import Outcomes


Row = tuple[str, str, Any, str]
"""English, Chinese, value (with its number format, where it has one), unit."""

COUNT, SHARE = "#,##0", "0.00%"

STATUS = {
    "optimal": "proved within the gap asked for 已证明在要求的差距内",
    "gap": "a plan, the gap asked for not proved 已有方案，未达到要求的差距",
}
MIX = {
    "ordered": ("Reduction ordered", "要求压减"),
    "new_seats": ("by new public seats", "新增公办学位"),
    "converted": ("by conversion", "民转公"),
    "purchased": ("by purchase", "政府购买学位"),
    "overfilled": ("by over-filled classes", "超标准班额"),
    "existing_seats": ("by existing public seats", "现有公办学位"),
    "fewer_pupils": ("by fewer children", "学生减少"),
    "total": ("Fall in private pupils", "民办在校生压减"),
}
KINDS = {
    "capital": "建设投资",
    "running": "运行费用",
    "staff": "教师",
    "hiring": "招聘",
    "purchase": "购买学位",
    "conversion": "民转公",
    "closure": "关停",
    "travel": "交通",
    "boarding": "寄宿",
    "displacement": "转学",
    "overfill": "超班额",
    "shortfall": "无学位",
    "salvage": "残值",
}


def summary_rows(plan: Plan, summary: dict[str, Any]) -> Iterator[Row]:
    """Give the rows of the summary sheet, from what `summary.json` says."""
    scenario = plan.scenario
    targets = summary["targets"]
    yield "Scenario", "情景", scenario.name, ""
    if scenario.title:
        yield "Title", "标题", scenario.title, ""
    if scenario.title_zh:
        yield "Title in Chinese", "中文标题", scenario.title_zh, ""
    yield "Content hash", "内容摘要", scenario.hash, ""
    yield "Planned school years", "规划学年", f"{scenario.first_year}–{scenario.last_year}", ""
    yield "Status", "状态", STATUS.get(plan.status, plan.status), ""
    yield "Targets met", "达成目标", sum(row["holds"] for row in targets), f"of {len(targets)} 项"
    yield "Total cost, discounted", "总费用（折现）", (plan.objective_cny, COUNT), "RMB 元"
    yield "of that already committed", "其中已定", (plan.committed_cny, COUNT), "RMB 元"
    yield "of that decided here", "其中本方案决定", (plan.avoidable_cny, COUNT), "RMB 元"
    yield "Proved gap, of what is decided", "已证明差距", (summary["gap"], "0.0000%"), ""
    if summary["certificate"]:
        worst = summary["certificate"]["max_violation"]
        yield "Largest violation found by the check", "复核最大违反", (worst, "0.0E+00"), ""
    for key, value in summary["reduction"].items():
        if key in MIX:
            yield *MIX[key], (value, COUNT), "pupils 人"
    for year, share in summary["private_share"].items():
        for counted, name in (("excluding", "不含购买学位"), ("including", "含购买学位")):
            english = f"Private share {year}, purchased places {counted[:-3]}ed"
            yield (
                english,
                f"{year}年民办占比（{name}）",
                share[f"{counted}_purchased"],
                "share 比例",
            )
    for year, number in summary["displaced_pupils"].items():
        yield (
            f"Children made to change school, {year}",
            f"{year}学年转学学生",
            (number, COUNT),
            "pupils 人",
        )
    for year, number in summary["surplus_places"].items():
        yield (
            f"Empty public places, {year}",
            f"{year}学年空余公办学位",
            (number, COUNT),
            "places 个",
        )
    for kind, cost in summary["cost_cny"]["by_kind"].items():
        yield (
            f"Cost: {kind}",
            f"费用：{KINDS.get(kind, kind)}",
            (cost, COUNT),
            "RMB, discounted 元，折现",
        )
    yield "Simulations", "模拟次数", summary["simulation"]["draws"], ""
    yield "Seed", "随机种子", summary["seed"], ""
    for name, version in summary["versions"].items():
        yield f"Version of {name}", f"{name} 版本", version, ""


WORKBOOK_COUNT, WORKBOOK_SHARE, RMB = "#,##0", "0.00%", "#,##0"
DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Shown:
    """A column of a sheet: which one of the table, its header in two languages, its format."""

    column: str
    english: str
    chinese: str
    form: str = TEXT
    width: float = 14


AREA = (Shown("area", "Area", "片区", width=18), Shown("county", "County", "县区"))
STAGE = Shown("stage", "Stage", "学段", width=12)
YEAR = Shown("school_year", "School year", "学年", "0", 9)
PLACE = (Shown("school", "School", "学校", width=24), STAGE, *AREA)

PROJECTS = (
    Shown("project", "Project", "项目", width=18),
    Shown("name", "Name", "名称", width=24),
    Shown("name_zh", "Name (Chinese)", "中文名称", width=20),
    *AREA,
    Shown("kind", "Kind", "类型", width=16),
    Shown("stages", "Stages", "学段", width=16),
    Shown("programme", "Programme", "计划"),
    Shown("status", "Status", "状态", width=18),
    Shown("copies", "Opened (number)", "投用（个）", "0", 10),
    Shown("opens", "Opens", "投用日期", DATE, 12),
    Shown("due", "Due", "应投用日期", DATE, 12),
    Shown("built", "Built (as likely as not by)", "建成（五成把握）", DATE, 13),
    Shown("equipped", "Equipped", "配齐设备", DATE, 12),
    Shown("up_to_standard", "Up to standard", "达标", DATE, 12),
    Shown("in_use", "In use", "投入使用", DATE, 12),
    Shown("p_on_time", "Chance to open on time", "按期投用概率", "0%", 12),
    Shown("p90", "Nine times in ten by", "九成把握投用日期", DATE, 12),
    Shown("places", "Places (each)", "学位（每个）", WORKBOOK_COUNT, 11),
    Shown(
        "places_compulsory", "Compulsory places (each)", "义务教育学位（每个）", WORKBOOK_COUNT, 13
    ),
    Shown("capital_cny", "Capital still to pay (RMB)", "待付投资（元）", RMB, 16),
    Shown("land_mu", "Land (mu)", "用地（亩）", "#,##0.0", 10),
)
CONVERSIONS = (
    *PLACE,
    Shown("conversion", "Must or may", "应转或可转", width=12),
    Shown("converts", "Converts", "转公日期", DATE, 12),
    Shown("pupils_base", "Pupils in the base year", "基年在校生（人）", WORKBOOK_COUNT, 12),
    Shown("places", "Places", "学位（个）", WORKBOOK_COUNT, 11),
    Shown("staff_taken_over", "Teachers taken over", "接收教师（人）", "#,##0.0", 12),
    Shown("cost_cny", "Cost, once (RMB)", "一次性费用（元）", RMB, 16),
)
PURCHASES = (
    *PLACE,
    YEAR,
    Shown("places_september", "Places, 1 September", "9月1日学位（个）", WORKBOOK_COUNT, 13),
    Shown("places_december", "Places, 31 December", "12月31日学位（个）", WORKBOOK_COUNT, 13),
    Shown("price_cny", "Price (RMB a place and year)", "单价（元/学位·学年）", RMB, 14),
    Shown("cost_cny", "Cost (RMB)", "费用（元）", RMB, 16),
)
CLOSURES = (
    *PLACE,
    Shown("how", "How", "方式", width=14),
    Shown("from_year", "From school year", "起始学年", "0", 10),
)
BALANCE = (
    *AREA,
    STAGE,
    YEAR,
    Shown("children", "Children", "学生（人）", WORKBOOK_COUNT, 11),
    Shown("seats", "Public places", "公办学位（个）", WORKBOOK_COUNT, 11),
    Shown("existing_used", "in existing seats", "使用现有学位（人）", WORKBOOK_COUNT, 11),
    Shown("new_used", "in new seats", "使用新增学位（人）", WORKBOOK_COUNT, 11),
    Shown("overfilled", "above class size", "超标准班额（人）", WORKBOOK_COUNT, 11),
    Shown("converted", "in converted schools", "在转公学校（人）", WORKBOOK_COUNT, 11),
    Shown("private", "in private schools", "在民办学校（人）", WORKBOOK_COUNT, 11),
    Shown("shortfall", "without a place", "无学位（人）", WORKBOOK_COUNT, 11),
    Shown("surplus", "Empty public places", "空余公办学位（个）", WORKBOOK_COUNT, 11),
)
COSTS = (
    Shown("kind", "Kind", "费用类别", width=16),
    YEAR,
    Shown("county", "County", "县区"),
    Shown("cost_cny", "Cost (RMB)", "费用（元）", RMB, 18),
    Shown("discounted_cny", "Discounted (RMB)", "折现（元）", RMB, 18),
    Shown("committed_cny", "of that committed (RMB, discounted)", "其中已定（元，折现）", RMB, 18),
)
PRICES = (
    Shown("kind", "What is scarce", "稀缺资源", width=18),
    Shown("name", "Name", "名称", width=22),
    *AREA,
    STAGE,
    Shown("year", "Year", "年份", "0", 8),
    Shown("unit", "Unit", "单位", width=20),
    Shown("one_more_cny", "One more saves (RMB)", "增加一单位节省（元）", RMB, 18),
    Shown("one_less_cny", "One less costs (RMB)", "减少一单位增加（元）", RMB, 18),
)
SOURCES = (
    Shown("what", "What", "项目", width=40),
    Shown("value", "Value", "值", width=24),
    Shown("unit", "Unit", "单位", width=24),
    Shown("source", "Source", "来源", width=60),
    Shown("mark", "Mark", "标记", width=7),
)
TARGETS = (
    Shown("id", "Target", "目标", width=28),
    Shown("what", "What", "内容", width=40),
    Shown("by", "By", "期限", DATE, 12),
    Shown("required", "Required", "要求", "#,##0.####", 14),
    Shown("achieved", "Planned", "规划值", "#,##0.####", 14),
    Shown("holds", "Met", "达成", width=8),
    Shown("probability", "Chance", "概率", "0%", 9),
)


def plan_workbook(
    plan: Plan,
    summary: dict[str, Any],
    outcomes: Outcomes | None = None,
    prices: pd.DataFrame | None = None,
    reached: pd.DataFrame | None = None,
) -> bytes:
    """Write a plan as a workbook.

    Parameters
    ----------
    plan, outcomes
        What the run made; outcomes add chances and dates of projects.
    summary
        As `summarize` gives it.
    prices
        As `Prices.binding` gives them; without, there is no sheet of prices.
    reached
        project, milestone, date: adds when each project is built, equipped, up to standard, in use.

    Returns
    -------
    bytes
        Of an ``.xlsx`` file with the sheets summary, targets, projects, conversions, purchases,
        closures, balance, costs, prices and sources.

    Raises
    ------
    ValueError
        A table has more rows than a sheet can hold.
    """
    book = new_book(plan.scenario.heading())
    fields = [
        Field(("Item", ""), TEXT, 46),
        Field(("", "项目"), TEXT, 30),
        Field(("Value", "值"), "General", 26),
        Field(("Unit", "单位"), TEXT, 26),
    ]
    add_sheet(book, "summary", fields, summary_rows(plan, summary), frozen=1)
    tables = plan.tables
    targets = tables["targets"].assign(
        probability=[row["probability"] for row in summary["targets"]],
        holds=["yes 是" if holds else "no 否" for holds in tables["targets"]["holds"]],
    )
    sheets: list[tuple[str, Sequence[Shown], pd.DataFrame, int]] = [
        ("targets", TARGETS, targets, 1),
        ("projects", PROJECTS, _projects(plan, outcomes, reached), 2),
        ("conversions", CONVERSIONS, tables["conversions"], 2),
        ("purchases", PURCHASES, tables["purchases"], 2),
        ("closures", CLOSURES, tables["closures"], 2),
        ("balance", BALANCE, tables["balance"], 4),
        ("costs", COSTS, tables["costs"], 3),
    ]
    if prices is not None:
        sheets.append(("prices", PRICES, prices, 2))
    sheets.append(("sources", SOURCES, plan.scenario.sources(), 1))
    for title, shown, table, frozen in sheets:
        columns = [one for one in shown if one.column in table.columns]
        add_sheet(
            book, title, [_field(one) for one in columns], _rows(table, columns), frozen=frozen
        )
    return to_bytes(book)


def _field(shown: Shown) -> Field:
    return Field((shown.english, shown.chinese), shown.form, shown.width)


def _rows(table: pd.DataFrame, columns: Sequence[Shown]) -> Iterable[tuple[Any, ...]]:
    cells = []
    for shown in columns:
        values: list[Any] = table[shown.column].tolist()
        cells.append([_date(value) for value in values] if shown.form == DATE else values)
    return zip(*cells, strict=True)


def _date(text: str) -> dt.date | str:
    return dt.date.fromisoformat(text) if DAY.fullmatch(str(text)) else str(text or "")


def _projects(plan: Plan, outcomes: Outcomes | None, reached: pd.DataFrame | None) -> pd.DataFrame:
    """Join the ledger of projects with their names and, if simulated, when they are in use."""
    table = plan.tables["projects"]
    named = plan.scenario.table("projects").drop_duplicates("project").set_index("project")
    for column in ("name", "name_zh"):
        if column in named and named[column].any():
            table = table.assign(**{column: table["project"].map(named[column])})
    if reached is not None and len(reached):
        dates = reached.set_index(["project", "milestone"])["date"].unstack()  # noqa: PD010
        table = table.merge(dates.reset_index(), on="project", how="left")
    if outcomes is not None:
        drawn = outcomes.tables["projects"][["project", "p_on_time", "p50", "p90"]]
        drawn = drawn.rename(columns={"p50": "in_use"} if "in_use" not in table else {})
        table = table.merge(drawn, on="project", how="left")
    days = [
        name for name in ("built", "equipped", "up_to_standard", "in_use", "p90") if name in table
    ]
    return table.fillna(dict.fromkeys(days, ""))
