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
    READING,
    Gap,
    Json,
    Lang,
    Language,
    OptionalOut,
    Reading,
    ScenarioFolder,
    Seed,
    TimeLimit,
    app,
    fail,
    reads_tables,
    work,
)
from capsim.i18n.language import Message, told, words


class Births(StrEnum):
    """Variants of births."""

    LOW = "low"
    PRINCIPAL = "principal"
    HIGH = "high"


@app.command(
    epilog="Example: capsim forecast prefecture-2022 --out enrolment.csv;"
    " or capsim forecast enrolment.xlsx --years 10"
)
@reads_tables
def forecast(
    path: Annotated[
        Path,
        typer.Argument(
            help="Scenario, or table (CSV, workbook) of areas × years × grades.", metavar="PATH"
        ),
    ],
    out: Annotated[Path | None, typer.Option("--out", help="CSV file to write, by grade.")] = None,
    births: Annotated[
        Births,
        typer.Option(help="Of a scenario, births after the base year: quantile 0.1, 0.5 or 0.9."),
    ] = Births.PRINCIPAL,
    years: Annotated[int, typer.Option(min=1, max=50, help="School years ahead of a table.")] = 10,
    born: Annotated[
        Path | None,
        typer.Option("--births-table", help="Births: year, births, area.", rich_help_panel=READING),
    ] = None,
    ratios: Annotated[
        Path | None,
        typer.Option(help="Progression given: grade, ratio, area.", rich_help_panel=READING),
    ] = None,
    entry: Annotated[
        Path | None,
        typer.Option(help="Entry given: area, year, pupils.", rich_help_panel=READING),
    ] = None,
    lang: Lang = Language.EN,
    as_json: Json = False,
    *,
    how: Reading,
) -> None:
    """Project enrolment of a scenario, by stage and school year, or of a table of observed pupils.

    Of a table: with 80 and 95 % intervals, and how far the same forecasts missed before.
    """
    if not (path / "scenario.toml").is_file() and (path.is_file() or path.is_dir()):
        from capsim.report import enrolment_forecast as of_table
        from capsim.report.summary import to_json

        def forecast_table(progress: workflow.Progress) -> of_table.Forecast:
            found = of_table.forecast(
                path, years, births=born, ratios=ratios, entry=entry, progress=progress, **how
            )
            if out is not None:
                progress(workflow.WRITING)
                found.save(out, lang)
            return found

        found = work(forecast_table, lang)
        text = of_table.forecast_text(found, lang)
        typer.echo(to_json(of_table.forecast_view(found)) if as_json else text, nl=False)
        return
    from capsim.demand.observed import birth_variant
    from capsim.demand.projection import project
    from capsim.io.atomic import whole_file
    from capsim.report.files import csv
    from capsim.report.screen import enrolment_text
    from capsim.report.summary import enrolment, to_json
    from capsim.scenario.scenario import load

    def task(progress: workflow.Progress) -> dict[str, Any]:
        progress("projecting enrolment")
        given = birth_variant(load(path), births)
        demand = project(given)
        view = enrolment(given, demand, lang)
        if out is not None:
            table = csv(demand.frame())
            progress(workflow.WRITING)
            whole_file(out, table)
        return view

    view = work(task, lang)
    typer.echo(to_json(view) if as_json else enrolment_text(view, lang), nl=False)


@app.command(epilog="Example: capsim backtest enrolment.csv --area district --year autumn")
@reads_tables
def backtest(
    path: Annotated[
        Path,
        typer.Argument(help="Scenario, or table (CSV, workbook) of areas × years × grades."),
    ],
    leads: Annotated[
        str | None,
        typer.Option(help="Years ahead: 1,3,5; default: to a third of the years, at most 10."),
    ] = None,
    first_origin: Annotated[
        int | None, typer.Option(help="First autumn from which forecasts count.")
    ] = None,
    out: OptionalOut = None,
    lang: Lang = Language.EN,
    as_json: Json = False,
    *,
    how: Reading,
) -> None:
    """Back-test the forecasts on observed enrolment: error and coverage by method and lead."""
    ahead = None if leads is None else _years_ahead(leads, lang)
    result = work(
        lambda progress: workflow.backtest_run(
            path,
            out,
            leads=ahead,
            first_origin=first_origin,
            lang=lang,
            progress=progress,
            **how,
        ),
        lang,
    )
    from capsim.report.screen import backtest_text

    typer.echo(result.to_json() if as_json else backtest_text(result, lang), nl=False)


def _years_ahead(leads: str, lang: str) -> list[int]:
    """Read ``--leads``; end the command where it is not a list of years."""
    try:
        ahead = [int(lead) for lead in leads.split(",")]
    except ValueError:
        text = "--leads {leads}: whole numbers separated by commas are expected"
        fail(Message(text, {"leads": leads}), lang)
    if min(ahead) < 1:
        text = "--leads {leads}: years ahead of 1 or more are expected"
        fail(Message(text, {"leads": leads}), lang)
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
        float | None, typer.Option(help="With which; default: that of the settings (reliability).")
    ] = None,
    lang: Lang = Language.EN,
    as_json: Json = False,
) -> None:
    """Simulate the building programme alone: when each ordered project is in use."""
    if closed is not None and fit is None:
        fail(Message("--closed is of a record: name one with --fit"), lang)
    if hurry is None and (number is not None or probability is not None):
        text = "--number and --probability are of a programme: name one with --hurry"
        fail(Message(text), lang)
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
        ),
        lang,
    )
    from capsim.report.screen import building_text
    from capsim.report.summary import to_json

    typer.echo(to_json(view) if as_json else building_text(view, lang), nl=False)
    if hurry is not None and view["hurry"]["enough"] is None:
        raise typer.Exit(NOT_MET)


@app.command(
    epilog="Example: capsim bench prefecture-2022 --repeats 1;"
    " or capsim bench --sizes 20000,60000 --seeds 0,1 --solvers highs,cbc --out timed"
)
def bench(
    scenarios: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders or names of examples; without any a city is generated.",
            metavar="[SCENARIO …]",
        ),
    ] = None,
    areas: Annotated[int | None, typer.Option(min=1, help="Of a generated city; 6.")] = None,
    pupils: Annotated[
        str | None,
        typer.Option(
            "--pupils", "--sizes", help="Of generated cities, compulsory: 20000,60000; 60000."
        ),
    ] = None,
    seeds: Annotated[
        str, typer.Option("--seed", "--seeds", help="Of generated cities, a city of each: 0,1,2.")
    ] = "0",
    solvers: Annotated[
        list[str] | None,
        typer.Option(
            "--solver",
            "--solvers",
            help="highs, scipy, cbc or any that PuLP knows: highs,cbc.",
        ),
    ] = None,
    relax: Annotated[bool, typer.Option("--relax", help="Linear relaxation only.")] = False,
    repeats: Annotated[int, typer.Option(min=1, help="Runs; medians count.")] = 3,
    gap: Gap = 1e-3,
    time_limit: TimeLimit = None,
    out: OptionalOut = None,
    lang: Lang = Language.EN,
    as_json: Json = False,
) -> None:
    """Time plans on this machine: build, hand-over and solve, by one solver or several."""
    if scenarios and (areas is not None or pupils is not None):
        text = "--areas and --sizes are of generated cities: name no scenario with them"
        fail(Message(text), lang)
    sizes = _whole("--sizes", pupils or "60000", 1, lang)
    seeded = _whole("--seeds", seeds, 0, lang)
    wanted = [one for many in solvers or ["highs"] for one in many.split(",")]

    def task(progress: workflow.Progress) -> list[dict[str, Any]]:
        from capsim.benchmark import BENCH_MARK, bench_files
        from capsim.benchmark import bench as measure
        from capsim.io.atomic import check_place, whole_folder
        from capsim.lp.pulp_bridge import silent
        from capsim.scenario.scenario import load
        from capsim.scenario.synthetic.generator import generate

        if out is not None:
            check_place(out, BENCH_MARK)
        progress("reading scenarios" if scenarios else "generating cities")
        try:
            given = [load(one) for one in scenarios or ()] or [
                generate(areas or 6, size, seed, name=f"{size}-pupils-seed-{seed}")
                for size in sizes
                for seed in seeded
            ]
        except ValueError as error:
            fail(told(error, words(lang)), lang)
        keywords: dict[str, Any] = {"relax": relax, "repeats": repeats, "gap": gap}
        keywords |= {"time_limit": time_limit, "progress": progress}
        # Standard output is for the answer: some solvers print a licence or a log of their own.
        with silent():
            found = [measure(one, wanted, **keywords) for one in given]
        if out is not None:
            progress(workflow.WRITING)
            with whole_folder(out, BENCH_MARK) as folder:
                for name, content in bench_files(found, lang):
                    (folder / name).write_bytes(content)
        return found

    found = work(task, lang)
    from capsim.benchmark import timings_text
    from capsim.report.summary import plain, to_json

    if as_json:
        one = found[0] if len(found) == 1 else {"benchmarks": found}
        typer.echo(to_json(plain(one)), nl=False)
    else:
        typer.echo("\n".join(timings_text(one, lang) for one in found), nl=False)
    rows = [row for one in found for row in one["solvers"].values()]
    raise typer.Exit(OK if all(row["objective_cny"] is not None for row in rows) else NOT_MET)


def _whole(option: str, text: str, least: int, lang: str) -> list[int]:
    """Read whole numbers separated by commas; end the command where they are not."""
    parts = text.split(",")
    if not all(part.strip().isdigit() and int(part) >= least for part in parts):
        said = (
            "{option} {text}: whole numbers of {least} or more, separated by commas, are expected"
        )
        fail(Message(said, {"option": option, "text": text, "least": least}), lang)
    return [int(part) for part in parts]
