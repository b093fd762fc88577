"""Figures of the page as data addresses, each with its title and the data behind it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING

import pandas as pd
from PIL import Image

from capsim.i18n.language import Words
from capsim.report.figures.cost import cost_table
from capsim.report.figures.maps import catchment_table, flow_table
from capsim.report.figures.places import balance_table, class_size_table, mix_table
from capsim.report.figures.private import TERMS, reduction_table
from capsim.report.figures.risk import shortfall_table
from capsim.report.figures.style import SEATS
from capsim.report.narrative import kind_name
from capsim.report.page.elements import CHANCES, MONEY, PLACES, Column, Picture, Table, make_table
from capsim.report.page.tables import money_column

if TYPE_CHECKING:
    from capsim.plan.plan import Plan
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
    say: Words,
) -> list[Picture]:
    """Put the figures in order, with their data.

    Parameters
    ----------
    drawn
        By name (`mix`, `balance-2022`), SVG and PNG.
    """
    found = []
    for name, (svg, png) in drawn.items():
        kind, _, year = name.rpartition("-") if name[-1].isdigit() else (name, "", "")
        title = say(TITLES[kind]) + (f", {year}" if year else "")
        data = _data(name, kind, int(year or 0), title, plan, outcomes, say)
        found.append(Picture(name, title, address(svg, png), 1000, data))
    return found


TITLES = {
    "reduction": "What takes the pupils in",
    "mix": "Where pupils of the compulsory stages sit",
    "private-share": "Private share of compulsory enrolment",
    "balance": "Seats left over and pupils above standard, by area",
    "map": "Where seats are lacking and where children go",
    "catchments": "Which school each neighbourhood goes to",
    "class-size": "Class sizes in public schools",
    "cost": "What the decisions cost, by kind and year",
    "programme": "The programme: planned and likely dates of use",
    "shortfall": "Children without a place, simulated",
    "chances": "How likely each target is",
}


def _data(
    name: str,
    kind: str,
    year: int,
    title: str,
    plan: Plan,
    outcomes: Outcomes | None,
    say: Words,
) -> Table | None:
    """Make the table behind a figure; the programme's is the ledger, so it has none of its own."""
    school_year = Column("school_year", say("school year"), "year")
    place = f"{name}-data"
    inputs: tuple[str, ...]
    if kind == "reduction":
        row = reduction_table(plan)
        terms = {key: look.label for key, look in TERMS.items()} | {
            "total": "fall in private pupils"
        }
        frame = pd.DataFrame(
            {
                "term": [say(label) for label in terms.values()],
                "pupils": [row[key] for key in terms],
            }
        )
        columns = [Column("term", say("term")), Column("pupils", say("pupils"), "number")]
        inputs = (*PLACES, "policy.reduction")
        return make_table(place, title, frame, columns, origin="plan/reduction.csv", inputs=inputs)
    if kind == "mix":
        frame = mix_table(plan).reset_index()
        columns = [school_year] + [
            Column(key, say(look.label), "number") for key, look in SEATS.items()
        ]
        return make_table(place, title, frame, columns, origin="plan/balance.csv", inputs=PLACES)
    if kind == "private-share":
        shares = plan.tables["shares"]
        columns = [
            school_year,
            Column("enrolment", say("compulsory pupils"), "number"),
            Column("share_excluding_purchased", say("purchased places not counted"), "percent", 2),
            Column("share_including_purchased", say("purchased places counted"), "percent", 2),
        ]
        frame = shares[shares["county"] == "*"]
        inputs = (*PLACES, "policy.private_share_cap")
        return make_table(place, title, frame, columns, origin="plan/shares.csv", inputs=inputs)
    if kind == "balance":
        parts = [
            balance_table(plan, stage, year).assign(stage=say.name(stage)).rename_axis("place")
            for stage in plan.scenario.stages
        ]
        columns = [
            Column("place", say("area or county")),
            Column("stage", say("stage"), choose=True),
            Column("surplus", say("empty seats"), "number"),
            Column("overfilled", say("above standard"), "number"),
            Column("shortfall", say("without a place"), "number"),
        ]
        frame = pd.concat(parts).reset_index()
        return make_table(place, title, frame, columns, origin="plan/balance.csv", inputs=PLACES)
    if kind == "map":
        columns = [
            Column("area", say("from area")),
            Column("to", say("to area or school")),
            Column("pupils", say("pupils"), "number"),
        ]
        frame = flow_table(plan, plan.scenario.first_year)
        inputs = (*PLACES, "areas", "links")
        return make_table(place, title, frame, columns, origin="plan/flows.csv", inputs=inputs)
    if kind == "catchments":
        year = plan.scenario.first_year
        parts = [
            catchment_table(plan, stage, year).assign(stage=say.name(stage))
            for stage in plan.scenario.stages
        ]
        columns = [
            Column("area", say("area")),
            Column("stage", say("stage"), choose=True),
            Column("school", say("school")),
            Column("km", say("km to school"), "number", 1),
            Column("children", say("children"), "number"),
        ]
        inputs = (*PLACES, "areas", "links", "catchments.stages")
        origin = "plan/catchments.csv"
        return make_table(place, title, pd.concat(parts), columns, origin=origin, inputs=inputs)
    if kind == "class-size":
        frame = class_size_table(plan, plan.scenario.first_year).reset_index()
        columns = [Column("size", say("pupils in a class"), "number")]
        columns += [
            Column(str(stage), say.name(str(stage)), "percent", 2) for stage in frame.columns[1:]
        ]
        inputs = (*PLACES, "policy.class_size_sd")
        return make_table(place, title, frame, columns, origin="plan/schools.csv", inputs=inputs)
    if kind == "cost":
        table = cost_table(plan)
        columns = [Column("school_year", say("school year (calendar year for capital)"), "year")]
        columns += [
            Column(str(key), *money_column(kind_name(key, say), say)) for key in table.columns
        ]
        frame = table.reset_index()
        return make_table(place, title, frame, columns, origin="plan/costs.csv", inputs=MONEY)
    if kind == "shortfall" and outcomes is not None:
        parts = [
            shortfall_table(outcomes, stage).reset_index().assign(stage=say.name(stage))
            for stage in plan.scenario.stages
        ]
        levels = {"p05": "5 %", "p25": "25 %", "p50": "median", "p75": "75 %", "p95": "95 %"}
        columns = [Column("stage", say("stage"), choose=True), school_year]
        columns += [Column(key, say(label), "number") for key, label in levels.items()]
        columns.append(Column("mean", say("mean"), "number"))
        columns.append(Column("probability", say("probability of any"), "percent"))
        frame = pd.concat(parts)
        return make_table(place, title, frame, columns, origin="outcomes/fan.csv", inputs=CHANCES)
    if kind == "chances" and outcomes is not None:
        frame = outcomes.tables["targets"]
        columns = [
            Column("id", say("target")),
            Column("by", say("by"), "date"),
            Column("probability", say("probability"), "percent"),
            Column("low", say("95 % interval, from"), "percent"),
            Column("high", say("to"), "percent"),
        ]
        return make_table(
            place, title, frame, columns, origin="outcomes/targets.csv", inputs=CHANCES
        )
    return None
