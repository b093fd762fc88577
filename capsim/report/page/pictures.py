"""Figures of a plan's page as data addresses, each with its title and the data behind it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from typing import Any

import pandas as pd
from PIL import Image

from capsim.i18n.language import Words
from capsim.plan.plan import Plan
from capsim.report.figures.cost import KINDS, cost_table
from capsim.report.figures.maps import catchment_table, flow_table
from capsim.report.figures.places import balance_table, class_size_table, mix_table
from capsim.report.figures.private import TERMS, reduction_table
from capsim.report.figures.risk import shortfall_table
from capsim.report.figures.style import SEATS
from capsim.report.page.elements import Column, Picture, layout
from capsim.simulation.outcomes import Outcomes

HEAVIEST = 110_000
"""Bytes of an SVG above which its PNG is taken, where that is smaller."""
NEARLY_WHITE = 252


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
    """List the figures in order, with their data.

    Parameters
    ----------
    drawn
        By name (`mix`, `balance-2022`), SVG and PNG.
    summary
        As `summarize` gives it.
    """
    shown = []
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
                else _frame(kind, int(year or plan.scenario.first_year), plan, outcomes, say)
            )
            further = _further(kind, frame, say)
            table = shape.table(frame, say, name=f"{name}-data", caption=title, further=further)
        shown.append(Picture(name, title, address(svg, png), 1000, table))
    return shown


def _frame(kind: str, year: int, plan: Plan, outcomes: Outcomes | None, say: Words) -> pd.DataFrame:
    """Return the data behind a figure."""
    if outcomes is not None and kind == "shortfall":
        return _by_stage(plan, lambda stage: shortfall_table(outcomes, stage).reset_index())
    if outcomes is not None and kind == "chances":
        return outcomes.tables["targets"]
    if kind == "reduction":
        row = reduction_table(plan)
        labels = {key: look.label for key, look in TERMS.items()}
        labels["total"] = "fall in private pupils"
        terms = [say(label) for label in labels.values()]
        return pd.DataFrame({"term": terms, "pupils": [row[key] for key in labels]})
    if kind == "private-share":
        return plan.tables["shares"].query("county == '*'")
    if kind == "balance":
        return _by_stage(
            plan, lambda stage: balance_table(plan, stage, year).rename_axis("place").reset_index()
        )
    if kind == "map":
        return flow_table(plan, year)
    if kind == "catchments":
        return _by_stage(plan, lambda stage: catchment_table(plan, stage, year))
    tables = {"mix": mix_table, "cost": cost_table}
    table = tables[kind](plan) if kind in tables else class_size_table(plan, year)
    return table.reset_index()


def _by_stage(plan: Plan, table: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    """Concatenate the tables of all stages."""
    return pd.concat([table(stage).assign(stage=stage) for stage in plan.scenario.stages])


def _further(kind: str, frame: pd.DataFrame, say: Words) -> tuple[Column, ...]:
    """Return the columns that depend on the data: where pupils sit, kinds of cost, stages."""
    keys = [str(key) for key in frame.columns[1:]]
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
