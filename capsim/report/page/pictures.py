"""Figures of a plan's page: picture, data behind it, and what the page's script is to draw.

A chart is drawn in the browser from the rows of a table of the page, those of the county that its
reader chooses; the picture stands there on paper and without scripts.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from io import BytesIO
from typing import Any

import pandas as pd
from PIL import Image

from capsim.i18n.language import Words
from capsim.plan.plan import Plan
from capsim.plan.targets import target_groups
from capsim.report.figures.maps import catchment_table, flow_table, map_table, outlines
from capsim.report.figures.places import (
    EMPTY,
    KINDS,
    LINES,
    TERMS,
    class_size_table,
    cost_table,
    mix_table,
    reduction_table,
)
from capsim.report.figures.risk import shortfall_table
from capsim.report.figures.style import (
    BLUE,
    GREY,
    ORANGE,
    SEATS,
    SKY,
    VERMILLION,
    Look,
)
from capsim.report.page.elements import Column, Picture, Table, layout
from capsim.simulation.outcomes import Outcomes

HEAVIEST = 110_000
"""Bytes of an SVG above which its PNG is taken, where that is smaller."""
NEARLY_WHITE = 252
LEAST_SHARE = 0.0005
"""Of the classes: sizes that are rarer are left out of the data."""
WHOLE = frozenset({"chances", "safety", "hurrying", "reduction"})
"""Figures that show the whole, whichever county is chosen."""


def address(svg: bytes, png: bytes) -> str:
    """Write a figure as a data address: sharp where that is not too heavy.

    Examples
    --------
    >>> address(b"<svg/>", b"PNG")
    'data:image/svg+xml;base64,PHN2Zy8+'
    """
    form, content = "svg+xml", svg
    if len(svg) > HEAVIEST:
        few = few_colours(png)
        if len(few) < len(svg):
            form, content = "png", few
    return f"data:image/{form};base64,{b64encode(content).decode()}"


def few_colours(png: bytes) -> bytes:
    """Make a PNG light by a palette; white stays white, and rare colours stay themselves."""
    with Image.open(BytesIO(png)) as picture:
        few = picture.convert("RGB").quantize(
            method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
        )
    palette = few.getpalette() or []
    few.putpalette([255 if part >= NEARLY_WHITE else part for part in palette])
    file = BytesIO()
    few.save(file, "PNG", optimize=True)
    return file.getvalue()


def pictures(
    plan: Plan,
    outcomes: Outcomes | None,
    drawn: Mapping[str, tuple[bytes, bytes]],
    summary: Mapping[str, Any],
    say: Words,
) -> list[Picture]:
    """List the figures in order, with their data and charts.

    Parameters
    ----------
    drawn
        By name (`mix`, `balance-2022`), SVG and PNG.
    summary
        As `summarize` gives it.
    """
    shown: list[Picture] = []
    kinds: set[str] = set()
    for name, (svg, png) in drawn.items():
        kind, _, year = name.rpartition("-") if name[-1].isdigit() else (name, "", "")
        table, shape = None, layout(f"figure-{kind}")
        title = say(shape.caption) + (f", {year}" if year else "")
        if kind == "hurrying":
            programme = summary["recovery"]["programmes"][int(year) - 1]["programme"]
            title = f"{say(shape.caption)}: {say.rule(programme)}"
        if shape.columns:
            frame = (
                pd.DataFrame(summary["safety"]["rounds"])
                if kind == "safety"
                else _frame(kind, plan, outcomes, say)
            )
            further = _further(kind, frame, say)
            table = shape.table(frame, say, name=f"{name}-data", caption=title, further=further)
        again = kind == "balance" and kind in kinds
        chart = None if again else _chart(kind, table, plan, outcomes, summary, say)
        if kind == "balance":
            title = title if again else say(shape.caption)
        shown.append(Picture(name, title, address(svg, png), table, chart, kind in WHOLE))
        kinds.add(kind)
    return shown


def _frame(kind: str, plan: Plan, outcomes: Outcomes | None, say: Words) -> pd.DataFrame:
    """Return the data behind a figure."""
    first = plan.scenario.first_year
    if outcomes is not None and kind == "shortfall":
        return _waiting(plan, outcomes, say)
    if outcomes is not None and kind == "chances":
        return outcomes.tables["targets"]
    if kind == "reduction":
        row = reduction_table(plan)
        labels = {key: look.label for key, look in TERMS.items()}
        labels["total"] = "fall in private pupils"
        terms = [say(label) for label in labels.values()]
        return pd.DataFrame({"term": terms, "pupils": [row[key] for key in labels]})
    if kind == "private-share":
        return _shares(plan, outcomes, say)
    if kind == "map":
        return flow_table(plan, first).assign(county=lambda t: t["area"].map(_county_of(plan)))
    if kind == "catchments":
        table = pd.concat(
            [catchment_table(plan, stage, first).assign(stage=stage) for stage in _stages(plan)]
        )
        return table.assign(county=table["area"].map(_county_of(plan)))
    if kind == "mix":
        return _each(plan, lambda county: mix_table(plan, county), say)
    if kind == "cost":
        return _each(plan, lambda county: cost_table(plan, county), say).fillna(0.0)
    parts = [
        _each(plan, partial(_class_sizes, plan, year), say).assign(school_year=year)
        for year in sorted({first, min(first + 8, plan.scenario.last_year)})
    ]
    return pd.concat(parts)


def _stages(plan: Plan) -> list[str]:
    return list(plan.scenario.stages)


def _county_of(plan: Plan) -> pd.Series:
    return plan.tables["balance"].drop_duplicates("area").set_index("area")["county"]


def _each(plan: Plan, table: Callable[[str | None], pd.DataFrame], say: Words) -> pd.DataFrame:
    """Put the table of the whole and those of all counties under one another."""
    names: list[str | None] = [None, *dict.fromkeys(plan.tables["balance"]["county"])]
    parts = [table(one).reset_index().assign(county=one or say("the whole")) for one in names]
    return pd.concat([parts[0], *(part for part in parts[1:] if len(part))])


def _class_sizes(plan: Plan, year: int, county: str | None) -> pd.DataFrame:
    table = class_size_table(plan, year, county)
    return table[table.max(axis=1) >= LEAST_SHARE].rename_axis("size")


def _shares(plan: Plan, outcomes: Outcomes | None, say: Words) -> pd.DataFrame:
    """Return private shares of the whole and of counties, with what simulations make of them."""
    table = plan.tables["shares"]
    if outcomes is not None:
        ranges = [f"share_{rule}_{at}" for rule in ("excluding", "including") for at in ENDS]
        keys = ["county", "school_year"]
        table = table.merge(outcomes.tables["shares"][[*keys, *ranges]], "left", keys)
    return table.assign(county=table["county"].replace("*", say("the whole")))


ENDS = ("p05", "p95")


def _waiting(plan: Plan, outcomes: Outcomes, say: Words) -> pd.DataFrame:
    """Return simulated children without a place: of the whole in full, of counties the mean.

    Means of areas add up, other figures do not.
    """
    whole = pd.concat(
        [
            shortfall_table(outcomes, stage).reset_index().assign(stage=stage)
            for stage in _stages(plan)
        ]
    )
    areas = outcomes.tables["shortfall"].query("area != '*'")
    areas = areas.assign(county=areas["area"].map(_county_of(plan)))
    keys = ["county", "stage", "school_year"]
    means = areas.groupby(keys, sort=False, as_index=False)["mean"].sum()
    return pd.concat([whole.assign(county=say("the whole")), means])


def _further(kind: str, frame: pd.DataFrame, say: Words) -> tuple[Column, ...]:
    """Return the columns that depend on the data: where pupils sit, kinds of cost, stages."""
    keys = [str(key) for key in frame.columns if key not in ("county", "school_year", "size")]
    if kind == "mix":
        return tuple(Column(key, SEATS[key].label, "number") for key in keys)
    if kind == "cost":
        return cost_columns(keys)
    return tuple(
        Column(key, say.name(key), "percent", 2, translated=True)
        for key in keys
        if kind == "class-size"
    )


def cost_columns(kinds: Iterable[str]) -> tuple[Column, ...]:
    """Return a column of money for each kind of cost; one that is not known keeps its name."""
    return tuple(
        Column(kind, KINDS[kind].label, "money", 1)
        if kind in KINDS
        else Column(kind, kind, "money", 1, translated=True)
        for kind in kinds
    )


def _series(at: int, label: str, look: Look) -> dict[str, Any]:
    """Describe a series: its column, its name, and how it is filled."""
    return _coloured(at, label, look.colour, look.hatch)


def _coloured(at: int, label: str, colour: str, hatch: str = "") -> dict[str, Any]:
    return {"at": at, "label": label, "colour": colour, "hatch": hatch}


def _chart(
    kind: str,
    table: Table | None,
    plan: Plan,
    outcomes: Outcomes | None,
    summary: Mapping[str, Any],
    say: Words,
) -> dict[str, Any]:
    """Describe what the script draws: which rows of which table, in which form."""
    if kind == "programme":
        return _programme(say)
    if kind == "balance":
        return _balance(say)
    if table is None:
        return {}
    spec: dict[str, Any] = {"table": table.name}
    if kind in ("mix", "cost"):
        looks = SEATS if kind == "mix" else KINDS
        named = {
            column.key: looks.get(column.key, Look(column.key, "#525252", ""))
            for column in table.columns
            if column.key not in ("county", "school_year")
        }
        money = say("RMB, millions")
        return spec | {
            "form": "stack",
            "x": table.at("school_year"),
            "unit": money if kind == "cost" else say("pupils on 1 September"),
            "series": [
                _series(table.at(key), say(look.label) if key in looks else key, look)
                for key, look in named.items()
            ],
        }
    if kind == "private-share":
        return spec | _share_lines(table, plan, say)
    if kind == "class-size":
        return spec | _size_lines(table, plan, say)
    if kind == "shortfall":
        return spec | {
            "form": "lines",
            "x": table.at("school_year"),
            "unit": say("children without a place"),
            "pick": [[table.at("stage"), say("stage")]],
            "series": [
                _coloured(table.at("p50"), say("median"), BLUE)
                | {"band": [table.at("p05"), table.at("p95")], "mark": "o"}
                | {"bandLabel": say("{part} % of simulations", part=90)},
                _coloured(table.at("mean"), say("mean"), ORANGE) | {"dash": [6, 4]},
            ],
        }
    if kind == "reduction":
        steps = [*TERMS.values(), Look("fall in private pupils", "#595959", "")]
        ordered = float(reduction_table(plan)["ordered"])
        line = [ordered, say("ordered: {number}", number=say.count(ordered))]
        return spec | {
            "form": "steps",
            "unit": say("pupils, against autumn {year}", year=plan.scenario.base_year),
            "series": [_series(0, say(look.label), look) for look in steps],
            "line": line if ordered else None,
        }
    if kind == "safety":
        return spec | _safety(summary, say)
    if kind == "chances" and outcomes is not None:
        return spec | _chances(outcomes, summary, say)
    if kind == "map":
        return spec | _map(plan, say)
    return {}


def _share_lines(table: Table, plan: Plan, say: Words) -> dict[str, Any]:
    """Describe the private shares: two lines, each with its band, and the cap."""
    keys = [column.key for column in table.columns]
    lines = []
    for rule, label, colour, mark, dash in (
        ("excluding", "purchased places not counted", BLUE, "o", []),
        ("including", "purchased places counted", ORANGE, "s", [6, 4]),
    ):
        line = _coloured(table.at(f"share_{rule}_purchased"), say(label), colour)
        line |= {"mark": mark, "dash": dash}
        if f"share_{rule}_p05" in keys:
            line["band"] = [table.at(f"share_{rule}_{end}") for end in ENDS]
        lines.append(line)
    caps = sorted(plan.scenario.settings.policy.private_share_cap.items())
    return {
        "form": "lines",
        "x": table.at("school_year"),
        "unit": say("share of pupils on 31 December"),
        "percent": True,
        "series": lines,
        "cap": [[int(year), 100 * cap] for year, cap in caps],
        "capLabel": say("cap"),
    }


def _size_lines(table: Table, plan: Plan, say: Words) -> dict[str, Any]:
    """Describe the class sizes: a line a stage, and where classes begin to be large."""
    stages = [column for column in table.columns if column.kind == "percent"]
    lines = []
    for column, (colour, line) in zip(stages, LINES, strict=False):
        look = _coloured(table.at(column.key), column.title, colour)
        dash = {"-": [], "--": [7, 4], "-.": [7, 3, 2, 3], ":": [2, 3]}[line]
        lines.append(look | {"dash": dash, "standard": plan.scenario.stages[column.key].class_size})
    standard = plan.scenario.stages[stages[0].key]
    return {
        "form": "lines",
        "x": table.at("size"),
        "unit": say("share of classes"),
        "xUnit": say("pupils in a class (thin lines: the standard)"),
        "percent": True,
        "pick": [[table.at("school_year"), say("school year")]],
        "series": lines,
        "edges": [
            [standard.large_class, say("large: {size}+", size=standard.large_class)],
            [standard.very_large_class, say("very large: {size}+", size=standard.very_large_class)],
        ],
    }


CHANCE = ("probability", "low", "high")


def _likely(
    rows: list[dict[str, Any]], asked: float, unit: str, series: tuple[str, str], say: Words
) -> dict[str, Any]:
    """Describe a chart of probabilities, a bar a row, beside the probability asked for."""
    return {
        "form": "chances",
        "unit": unit,
        "rows": rows,
        "asked": 100 * float(asked),
        "askedLabel": say("asked for"),
        "series": [
            _coloured(0, label, colour)
            for label, colour in zip(series, (BLUE, ORANGE), strict=True)
        ],
    }


def _row(rule: str, by: str, chance: Any, say: Words) -> dict[str, Any]:
    """Describe a probability with the ends of its interval, as it is drawn and as it is said."""
    return {
        "rule": rule,
        "by": by,
        "chance": [round(100 * float(chance[key]), 1) for key in CHANCE],
        "said": say.chance(float(chance["probability"])),
        "later": None,
    }


def _chances(outcomes: Outcomes, summary: Mapping[str, Any], say: Words) -> dict[str, Any]:
    """Describe how likely the targets are: a rule a row, the least likely first."""
    table = outcomes.tables["targets"]
    rows: list[dict[str, Any]] = []
    for group in target_groups(table).to_dict("records"):
        first, least = table.iloc[group["first"]], table.iloc[group["least"]]
        row = _row(say.brief(str(group["rule"])), str(first["by"]), first, say)
        if group["later"] > 0:
            chance = float(least["probability"])
            row["later"] = [str(least["by"])[:4], round(100 * chance, 1), say.chance(chance)]
        rows.append(row)
    rows.sort(key=lambda row: min(row["chance"][0], row["later"][1] if row["later"] else 100.0))
    unit = say("share of simulations in which the target holds")
    series = say("on its first date"), say("in its least likely later year")
    return _likely(rows, summary["asked_probability"], unit, series, say)


def _safety(summary: Mapping[str, Any], say: Words) -> dict[str, Any]:
    """Describe how often the plans tried hold, a plan a row, and what each costs more."""
    safety = summary["safety"]
    rows: list[dict[str, Any]] = []
    for at, one in enumerate(safety["rounds"]):
        name = f"{say('plan')} {at}"
        if one["chosen"]:
            name = say("the plan given")
        elif not at:
            name = say("cheapest plan on paper")
        extra = say("{amount} more", amount=say.money(one["extra_cny"])) if at else ""
        rows.append({**_row(name, "", one, say), "beside": extra})
    if safety["nothing"] is not None:
        less = say("{amount} less", amount=say.money(safety["nothing"]["saves_cny"]))
        never = _row(say("nothing beyond what is ordered"), "", dict.fromkeys(CHANCE, 0.0), say)
        rows.insert(0, {**never, "beside": less})
    unit = say("share of simulations in which all that is asked for holds, %")
    return _likely(rows, safety["asked"], unit, (unit, ""), say)


def _balance(say: Words) -> dict[str, Any]:
    """Describe the balance of places: a row a county, or an area of the county that is chosen."""
    looks = [EMPTY, SEATS["overfilled"], SEATS["shortfall"]]
    return {
        "form": "balance",
        "table": "balances",
        "columns": ["surplus", "overfilled", "shortfall"],
        "unit": say("← above standard or no place · empty seats →"),
        "pickLabels": [say("stage"), say("school year")],
        "series": [_series(0, say(look.label), look) for look in looks],
    }


def _programme(say: Words) -> dict[str, Any]:
    """Describe the programme: planned and likely dates of the projects that the ledger shows."""
    return {
        "form": "programme",
        "table": "ledger",
        "unit": say("calendar"),
        "series": [
            _coloured(0, say("planned to count"), BLUE),
            _coloured(0, say("in use: even chance"), VERMILLION),
            _coloured(0, say("in use: even chance to nine in ten"), "#FDD0A2", "//"),
        ],
    }


def _map(plan: Plan, say: Words) -> dict[str, Any]:
    """Describe the map: where areas lie, and flows; `boundaries` are rings of coordinates, km."""
    year = plan.scenario.first_year
    places, flows = map_table(plan, year), flow_table(plan, year)
    return {
        "form": "map",
        "table": "balances",
        "year": year,
        "compulsory": [say.name(one) for one in plan.scenario.settings.stages.compulsory],
        "places": [
            [str(area), str(row["county"]), round(row["x_km"], 2), round(row["y_km"], 2)]
            for area, row in places.iterrows()
        ],
        "boundaries": [
            [[[round(float(x), 2), round(float(y), 2)] for x, y in ring] for ring in rings]
            for rings in outlines(plan.scenario).values()
        ],
        "flows": [
            [round(float(row[key]), 1) for key in ("x0", "y0", "x1", "y1", "pupils")]
            for row in flows.to_dict("records")
        ],
        "unit": say("east, km"),
        "unitUp": say("north, km"),
        "pickLabels": [say("school year")],
        "counted": [say("above standard"), say("without a place")],
        "labels": [
            say("children"),
            say("above standard or without a place"),
            say("some without a place"),
            say("flows between places in {year}", year=year),
        ],
        "series": [_coloured(0, "", one) for one in (SKY, BLUE, GREY)],
    }
