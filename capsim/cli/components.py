"""Commands for one part of a plan: `forecast`, `backtest`, `build` and `bench`."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from capsim import workflow
from capsim.cli.console import (
    MOST_DRAWS,
    NOT_MET,
    OK,
    Gap,
    Json,
    OptionalOut,
    ScenarioFolder,
    Seed,
    TimeLimit,
    app,
    fail,
    work,
)


class Births(StrEnum):
    """Variants of births."""

    LOW = "low"
    PRINCIPAL = "principal"
    HIGH = "high"


@app.command(epilog="Example: capsim forecast prefecture-2022 --out enrolment.csv")
def forecast(
    scenario: ScenarioFolder,
    out: Annotated[Path | None, typer.Option("--out", help="CSV file to write, by grade.")] = None,
    births: Annotated[
        Births, typer.Option(help="Births after the base year: quantile 0.1, 0.5 or 0.9.")
    ] = Births.PRINCIPAL,
    as_json: Json = False,
) -> None:
    """Project enrolment: children to be placed by stage and school year."""
    from capsim.demand.observed import birth_variant
    from capsim.demand.projection import project
    from capsim.io.atomic import whole_file
    from capsim.report.files import csv
    from capsim.report.screen import enrolment_text
    from capsim.report.summary import enrolment, to_json
    from capsim.scenario.scenario import load

    def task(progress: workflow.Progress) -> dict[str, Any]:
        progress("projecting enrolment")
        given = birth_variant(load(scenario), births)
        demand = project(given)
        view = enrolment(given, demand)
        if out is not None:
            table = csv(demand.frame())
            progress(workflow.WRITING)
            whole_file(out, table)
        return view

    view = work(task)
    typer.echo(to_json(view) if as_json else enrolment_text(view), nl=False)


@app.command(epilog="Example: capsim backtest enrolment.csv --area district --year autumn")
def backtest(
    path: Annotated[Path, typer.Argument(help="Scenario, or CSV of areas × years × grades.")],
    area: Annotated[str | None, typer.Option(help="Column of the area.")] = None,
    year: Annotated[str | None, typer.Option(help="Column of the autumn.")] = None,
    grades: Annotated[str | None, typer.Option(help="Columns of grades: K,1,2,…")] = None,
    leads: Annotated[
        str | None,
        typer.Option(help="Years ahead: 1,3,5; default: to a third of the years, at most 10."),
    ] = None,
    first_origin: Annotated[
        int | None, typer.Option(help="First autumn from which forecasts count.")
    ] = None,
    out: OptionalOut = None,
    as_json: Json = False,
) -> None:
    """Back-test the forecasts on observed enrolment: error and coverage by method and lead."""
    ahead = None if leads is None else _years_ahead(leads)

    result = work(
        lambda progress: workflow.backtest_run(
            path,
            out,
            area=area,
            year=year,
            grades=[grade.strip() for grade in grades.split(",")] if grades else None,
            leads=ahead,
            first_origin=first_origin,
            progress=progress,
        )
    )
    from capsim.report.screen import backtest_text

    typer.echo(result.to_json() if as_json else backtest_text(result), nl=False)


def _years_ahead(leads: str) -> list[int]:
    """Read ``--leads``; end the command where it is not a list of years."""
    try:
        ahead = [int(lead) for lead in leads.split(",")]
    except ValueError:
        fail(f"--leads {leads}: whole numbers separated by commas are expected")
    if min(ahead) < 1:
        fail(f"--leads {leads}: years ahead of 1 or more are expected")
    return ahead


@app.command(
    epilog="Example: capsim build prefecture-2022 --draws 500;"
    " or capsim build my-city --optimize-starts --out starts"
)
def build(
    scenario: ScenarioFolder,
    out: OptionalOut = None,
    draws: Annotated[int, typer.Option(min=1, max=MOST_DRAWS, help="Simulations.")] = 1000,
    seed: Seed = 0,
    optimize_starts: Annotated[
        bool,
        typer.Option(
            "--optimize-starts",
            help="Choose when projects not yet begun begin, as crews and money allow.",
        ),
    ] = False,
    schedules: Annotated[int, typer.Option(min=1, help="Schedules to try for it.")] = 20,
    fit: Annotated[
        Path | None,
        typer.Option(help="CSV of a programme's record, from which durations are learned."),
    ] = None,
    closed: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Day the record was closed; default: construction.start of the scenario.",
        ),
    ] = None,
    hurry: Annotated[
        str | None,
        typer.Option(
            metavar="PROGRAMME", help="Find which of its projects to hurry, and its cost."
        ),
    ] = None,
    number: Annotated[
        int | None,
        typer.Option(min=1, help="Projects of it to be in use in time; default: all required."),
    ] = None,
    probability: Annotated[
        float | None, typer.Option(help="With which; default: that of [reliability].")
    ] = None,
    as_json: Json = False,
) -> None:
    """Simulate the building programme alone: when each ordered project is in use."""
    if closed is not None and fit is None:
        fail("--closed is of a record: name one with --fit")
    if hurry is None and (number is not None or probability is not None):
        fail("--number and --probability are of a programme: name one with --hurry")
    view = work(
        lambda progress: workflow.build_run(
            scenario,
            out,
            draws=draws,
            seed=seed,
            optimize_starts=optimize_starts,
            schedules=schedules,
            record=fit,
            closed=None if closed is None else closed.date().isoformat(),
            hurry=hurry,
            number=number,
            probability=probability,
            progress=progress,
        )
    )
    from capsim.report.screen import building_text
    from capsim.report.summary import to_json

    typer.echo(to_json(view) if as_json else building_text(view), nl=False)
    if hurry is not None and view["hurry"]["enough"] is None:
        raise typer.Exit(NOT_MET)


@app.command(
    epilog="Example: capsim bench prefecture-2022 --repeats 1;"
    " or capsim bench --areas 6 --pupils 60000 --solver highs --solver cbc"
)
def bench(
    scenario: Annotated[
        Path | None,
        typer.Argument(help="Folder of the scenario; without it a city is generated."),
    ] = None,
    areas: Annotated[int | None, typer.Option(min=1, help="Of the generated city; 6.")] = None,
    pupils: Annotated[int | None, typer.Option(min=1, help="Of it, compulsory; 60000.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the generated city.")] = 0,
    solvers: Annotated[
        list[str] | None,
        typer.Option("--solver", help="highs, scipy, cbc or any that PuLP knows; repeat it."),
    ] = None,
    relax: Annotated[bool, typer.Option("--relax", help="Linear relaxation only.")] = False,
    repeats: Annotated[int, typer.Option(min=1, help="Runs; medians count.")] = 3,
    gap: Gap = 1e-3,
    time_limit: TimeLimit = None,
    as_json: Json = False,
) -> None:
    """Time a plan on this machine: build, hand-over and solve, by one solver or several."""
    if scenario is not None and (areas is not None or pupils is not None):
        fail("--areas and --pupils are of a generated city: name no scenario with them")

    def task(progress: workflow.Progress) -> dict[str, Any]:
        from capsim.benchmark import bench as measure
        from capsim.scenario.scenario import load
        from capsim.scenario.synthetic.generator import generate

        progress("reading the scenario" if scenario is not None else "generating a city")
        try:
            given = load(scenario) if scenario else generate(areas or 6, pupils or 60_000, seed)
        except ValueError as error:
            fail(str(error))
        return measure(
            given,
            solvers or ["highs"],
            relax=relax,
            repeats=repeats,
            gap=gap,
            time_limit=time_limit,
            progress=progress,
        )

    result = work(task)
    from capsim.benchmark import timings_text
    from capsim.report.summary import plain, to_json

    typer.echo(to_json(plain(result)) if as_json else timings_text(result), nl=False)
    planned = all(row["objective_cny"] is not None for row in result["solvers"].values())
    raise typer.Exit(OK if planned else NOT_MET)
