"""The plan as files that others open: a workbook that a bureau sends round, and a map.

The workbook has a sheet a question, and headers in two languages.

Every text is written as text, whatever it looks like (see `capsim.scenario.excel.sheet_writer`); a
number is the plan's own, unrounded, shown in the format of its column. The same plan gives the
same bytes. Sheets and their columns stand in `workbook.toml`.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd

from capsim.lp.array_types import Array
from capsim.plan.plan import Plan
from capsim.report.figures.maps import outlines, school_places
from capsim.scenario.excel.sheet_writer import DATE, TEXT, Field, add_sheet, new_book, to_bytes
from capsim.scenario.scenario import Scenario
from capsim.scenario.travel import Origin, to_degrees
from capsim.simulation.outcomes import Outcomes

Row = tuple[str, str, Any, str]
"""English, Chinese, value (with its number format, where it has one), unit."""

COUNT = "#,##0"
DAY = re.compile(r"\d{4}-\d\d-\d\d")
MILESTONES = ("built", "equipped", "up_to_standard", "in_use")
SUMMARY = (
    Field(("Item", ""), TEXT, 46),
    Field(("", "项目"), TEXT, 30),
    Field(("Value", "值"), "General", 26),
    Field(("Unit", "单位"), TEXT, 26),
)


@cache
def declared() -> Mapping[str, Any]:
    """Read the sheets, and words of the summary sheet, from the file that is shipped."""
    text = files("capsim.report").joinpath("workbook.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


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
        closures, admissions, commitments, balance, staff, costs, prices and sources.

    Raises
    ------
    ValueError
        A table has more rows than a sheet can hold.
    """
    book = new_book(plan.scenario.heading())
    add_sheet(book, "summary", SUMMARY, summary_rows(plan, summary), frozen=1)
    targets, said = plan.tables["targets"], declared()["words"]
    en, zh = (plan.scenario.words(lang) for lang in ("en", "zh"))
    admissions, duties = plan.tables["admissions"], plan.tables["commitments"]
    tables = {
        **plan.tables,
        "targets": targets.assign(
            **{
                key: [row[key] for row in summary["targets"]]
                for key in ("probability", "mean", "p05", "p95")
            },
            state=[said[row["state"]] for row in summary["targets"]],
            met=["yes 是" if met else "no 否" for met in targets["met"]],
        ),
        "projects": _projects(plan, outcomes, reached),
        "admissions": admissions.assign(sector=admissions["sector"].map(said)),
        "commitments": duties.assign(decision=duties["decision"].map(said).fillna("")),
        "sources": plan.scenario.sources(),
    }
    if prices is not None:
        tables["prices"] = prices
    for title, sheet in declared()["sheets"].items():
        if title in tables:
            table = tables[title]
            columns = [column for column in sheet["columns"] if column[0] in table]
            fields = [
                Field((en.in_currency(english), zh.in_currency(chinese)), form, width)
                for _, english, chinese, form, width in columns
            ]
            cells = zip(
                *(_cells(table[name], form) for name, _, _, form, _ in columns), strict=True
            )
            add_sheet(book, title, fields, cells, frozen=sheet["frozen"])
    return to_bytes(book)


def summary_rows(plan: Plan, summary: dict[str, Any]) -> Iterator[Row]:
    """Return the rows of the summary sheet, from the values of `summary.json`."""
    scenario, targets, known = plan.scenario, summary["targets"], declared()
    english, chinese = (scenario.words(lang).currency.strip() for lang in ("en", "zh"))
    money, discounted = f"{english} {chinese}", f"{english}, discounted {chinese}，折现"
    yield "Scenario", "情景", scenario.name, ""
    if scenario.title:
        yield "Title", "标题", scenario.title, ""
    if scenario.title_zh:
        yield "Title in Chinese", "中文标题", scenario.title_zh, ""
    yield "Content hash", "内容摘要", scenario.hash, ""
    yield "Planned school years", "规划学年", f"{scenario.first_year}–{scenario.last_year}", ""
    yield "Status", "状态", known["status"].get(plan.status, plan.status), ""
    yield "Targets met", "达到的目标", sum(row["met"] for row in targets), f"of {len(targets)} 个"
    paper = sum(row["state"] == "on paper" for row in targets)
    asked = f"likely below 可能性低于 {summary['asked_probability']:.0%}"
    yield "of these on paper only", "其中仅纸面达到", paper, asked
    yield "Total cost, discounted", "折现总成本", (plan.objective_cny, COUNT), money
    yield "of that already committed", "其中已定", (plan.committed_cny, COUNT), money
    yield "of that decided here", "其中本方案决定", (plan.avoidable_cny, COUNT), money
    yield "Proved gap, of what is decided", "已证明差距", (summary["gap"], "0.0000%"), ""
    if summary["certificate"]:
        worst = summary["certificate"]["max_violation"]
        yield "Largest violation found by the check", "复核最大违反", (worst, "0.0E+00"), ""
    for key, value in summary["reduction"].items():
        if key in known["reduction"]:
            yield *known["reduction"][key], (value, COUNT), "pupils 人"
    for year, share in summary["private_share"].items():
        for counted, rule in (("excluding", "不含购买学位"), ("including", "含购买学位")):
            english = f"Private share {year}, purchased places {counted[:-3]}ed"
            chinese = f"{year}年民办占比（{rule}）"
            yield english, chinese, share[f"{counted}_purchased"], "share 比例"
    for year, number in summary["displaced_pupils"].items():
        english, chinese = f"Children made to change school, {year}", f"{year}学年分流安置学生"
        yield english, chinese, (number, COUNT), "pupils 人"
    for year, number in summary["surplus_places"].items():
        english, chinese = f"Empty public places, {year}", f"{year}学年空余公办学位"
        yield english, chinese, (number, COUNT), "places 个"
    for year, teachers in summary["teachers"].items():
        for key, (english, chinese) in known["teachers"].items():
            number = (teachers[key], COUNT)
            yield f"{english}, {year}", f"{year}学年{chinese}", number, "teachers 人"
    for kind, cost in summary["cost_cny"]["by_kind"].items():
        chinese = f"费用：{known['kinds'].get(kind, kind)}"
        yield f"Cost: {kind}", chinese, (cost, COUNT), discounted
    yield "Simulations", "模拟次数", summary["simulation"]["draws"], ""
    yield "Seed", "随机种子", summary["seed"], ""
    for name, version in summary["versions"].items():
        yield f"Version of {name}", f"{name} 版本", version, ""


def _cells(values: pd.Series, form: str) -> Iterable[Any]:
    """Return the cells of a column; dates as dates."""
    if form != DATE:
        return list(values.tolist())
    return [
        dt.date.fromisoformat(text) if DAY.fullmatch(text) else text
        for text in ("" if not value else str(value) for value in values.tolist())
    ]


def _projects(plan: Plan, outcomes: Outcomes | None, reached: pd.DataFrame | None) -> pd.DataFrame:
    """Join the ledger of projects with their names and, if simulated, when they are in use."""
    table = plan.tables["projects"]
    named = plan.scenario.table("projects").drop_duplicates("project").set_index("project")
    for column in ("name", "name_zh"):
        if column in named and named[column].any():
            table = table.assign(**{column: table["project"].map(named[column])})
    if reached is not None and len(reached):
        dates = reached.pivot_table("date", "project", "milestone", aggfunc="first")
        table = table.merge(dates.reset_index(), on="project", how="left")
    if outcomes is not None:
        drawn = outcomes.tables["projects"][["project", "p_on_time", "p50", "p90"]]
        drawn = drawn.rename(columns={"p50": "in_use"} if "in_use" not in table else {})
        table = table.merge(drawn, on="project", how="left")
    days = [name for name in (*MILESTONES, "p90") if name in table]
    return table.fillna(dict.fromkeys(days, ""))


# ---- a map


def origin_of(scenario: Scenario) -> Origin | None:
    """Return where on earth x_km and y_km are 0; None where that, or every area, is unknown."""
    known = bool(scenario.table("areas")["x_km"].notna().any())
    return scenario.settings.map.origin if known else None


def plan_geojson(plan: Plan) -> bytes:
    """Write a plan as GeoJSON (RFC 7946, WGS-84) for programs that draw maps.

    Areas are polygons where the scenario has boundaries, else points; schools and projects are
    points, their own or their area's. Properties are described in ``docs/results.md``.

    Raises
    ------
    ValueError
        The scenario does not say where on earth it is, or no area has coordinates.
    """
    scenario = plan.scenario
    origin = origin_of(scenario)
    if origin is None:
        raise ValueError(
            "where on earth x_km and y_km are 0 is not known: give map.longitude and map.latitude,"
            " or import a map of the areas"
        )
    drawn = [*_area_features(plan, origin), *_school_features(plan, origin)]
    named = {"type": "FeatureCollection", "name": scenario.name, "features": drawn}
    return (json.dumps(named, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _feature(geometry: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _degrees(xy: Array, origin: Origin) -> list[list[float]]:
    lon, lat = to_degrees(xy[:, 0], xy[:, 1], origin)
    return np.stack([lon, lat], axis=1).round(6).tolist()  # type: ignore[no-any-return]


def _polygon(rings: Sequence[Array], origin: Origin) -> dict[str, Any]:
    """Return outlines, each followed by its holes (which run with the clock), as a geometry."""
    parts: list[list[list[list[float]]]] = []
    for ring in rings:
        x, y = ring.T
        area = float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))
        line = _degrees(np.concatenate([ring, ring[:1]]), origin)
        if area < 0 and parts:
            parts[-1].append(line)
        else:
            parts.append([line if area > 0 else line[::-1]])
    if len(parts) == 1:
        return {"type": "Polygon", "coordinates": parts[0]}
    return {"type": "MultiPolygon", "coordinates": parts}


def _area_features(plan: Plan, origin: Origin) -> Iterator[dict[str, Any]]:
    """Describe areas: children of the compulsory stages, first planned year."""
    scenario, year = plan.scenario, plan.scenario.first_year
    balance = plan.tables["balance"]
    compulsory = balance["stage"].isin(scenario.settings.stages.compulsory)
    rows = balance[compulsory & (balance["school_year"] == year)]
    counts = ["children", "seats", "overfilled", "surplus", "private", "shortfall"]
    sums = rows.groupby("area")[counts].sum()
    rings = outlines(scenario)
    for area in scenario.table("areas").dropna(subset=["x_km"]).to_dict("records"):
        own = sums.loc[area["area"]] if area["area"] in sums.index else pd.Series(0.0, counts)
        said = {name: round(float(own[name]), 3) for name in counts}
        part = said["private"] / said["children"] if said["children"] else 0.0
        names = {key: area[key] for key in ("area", "name", "name_zh", "county")}
        properties = {"what": "area", **names, "school_year": year, **said}
        properties["private_share"] = round(part, 6)
        spot = np.array([[area["x_km"], area["y_km"]]])
        point = {"type": "Point", "coordinates": _degrees(spot, origin)[0]}
        shape = rings.get(area["area"])
        yield _feature(_polygon(shape, origin) if shape else point, properties)


def _school_features(plan: Plan, origin: Origin) -> Iterator[dict[str, Any]]:
    """Describe schools stage by stage, and projects that are schools of their own."""
    scenario, tables, year = plan.scenario, plan.tables, plan.scenario.first_year
    key = ["school", "stage"]
    converts = tables["conversions"].set_index(key)["converts"].to_dict()
    closes = tables["closures"].drop_duplicates(key).set_index(key)["from_year"].to_dict()
    bought = tables["purchases"].groupby(key)["places_september"].max().to_dict()
    built = tables["projects"].set_index("project")
    rows = tables["schools"][tables["schools"]["school_year"] == year]
    pupils = rows.set_index(key)["pupils"].to_dict()
    orders = scenario.table("projects")
    added: dict[tuple[str, str], list[str]] = {}
    for row in orders[orders["school"] != ""].to_dict("records"):
        if built.loc[row["project"], "copies"] > 0:
            added.setdefault((row["school"], row["stage"]), []).append(row["project"])
    new = orders[orders["school"] == ""].assign(school=orders["project"], sector="public")
    shared = ["school", "stage", "area", "sector", "places", "name", "name_zh"]
    schools = scenario.table("schools")[shared].assign(opens="")
    opens = new["project"].map(built["opens"])
    both = pd.concat([schools, new[shared].assign(opens=opens)[(opens != "").to_numpy()]])
    for stage, own in both.groupby("stage", sort=False):
        spots = school_places(plan, str(stage))
        spots = spots[~spots.index.duplicated()]
        for row in own.to_dict("records"):
            spot = spots.loc[[row["school"]]].to_numpy(np.float64)
            if np.isnan(spot).any():
                continue
            one = (row["school"], row["stage"])
            fate = (
                "opens"
                if row["opens"]
                else "converts"
                if one in converts
                else "closes"
                if one in closes
                else "stays"
            )
            properties = {
                **{"what": "school", **{name: row[name] for name in shared}},
                **{"outcome": fate, "opens": row["opens"], "converts": converts.get(one, "")},
                "closes_from": int(closes[one]) if one in closes else None,
                "projects": ";".join(added.get(one, [])),
                "places_bought": round(float(bought.get(one, 0.0)), 3),
                "pupils": round(float(pupils.get(one, 0.0)), 3),
                "school_year": year,
            }
            point = {"type": "Point", "coordinates": _degrees(spot, origin)[0]}
            yield _feature(point, properties)
