"""The first sheet of the plan's workbook: what was asked, what is answered, how sure it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from capsim.optimize import Plan

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
