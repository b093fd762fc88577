"""The command line: `capsim run`, `check`, `new`, `export`, `import`, `compare` and others.

Exit status: 0 the plan meets all targets; 2 bad input, with all its faults; 3 no plan, or a plan
that misses a target; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capsim.console import NOT_MET, OK, fail, work

if TYPE_CHECKING:
    from capsim.compare import Comparison, Factors
    from capsim.demand import Backtest


class Language(StrEnum):
    """Languages of a report."""

    EN = "en"
    ZH = "zh"


app = typer.Typer(
    name="capsim",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Plan school places: which mix of new public schools, conversions and purchased places"
    " takes every child in, at what cost, and will it be ready on 1 September?",
    epilog="Exit status: 0 all targets met, 2 bad input, 3 no plan or a target missed,"
    " 130 stopped by Ctrl-C.",
)

ScenarioFolder = Annotated[Path, typer.Argument(help="Folder of the scenario.", metavar="SCENARIO")]
Out = Annotated[Path, typer.Option("--out", help="Folder to write; an earlier one is replaced.")]
OptionalOut = Annotated[
    Path | None, typer.Option("--out", help="Folder to write; an earlier one is replaced.")
]
Draws = Annotated[
    int | None, typer.Option(min=0, help="Simulations; default as the scenario says; 0: none.")
]
Seed = Annotated[int, typer.Option(min=0, help="Same seed, same files.")]
Solver = Annotated[str, typer.Option(help="highs, or any solver that PuLP knows (cbc, gurobi…).")]
Gap = Annotated[float, typer.Option(min=0.0, help="Proved gap to reach, of avoidable cost.")]
TimeLimit = Annotated[float | None, typer.Option(min=0.0, help="Seconds to solve.")]
Lang = Annotated[Language, typer.Option(help="Language of the report.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.command(epilog="Example: capsim run scenarios/prefecture-2022 --out report --draws 200")
def run(
    scenario: ScenarioFolder,
    out: Out = Path("report"),
    draws: Draws = None,
    seed: Seed = 0,
    solver: Solver = "highs",
    gap: Gap = 1e-3,
    time_limit: TimeLimit = None,
    lang: Lang = Language.EN,
    probability: Annotated[
        float | None,
        typer.Option(help="With which every child is placed and the share met: a safer plan."),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that simulate.")] = 1,
    store: Annotated[
        Path | None,
        typer.Option(help="Folder for finished blocks: the same run, broken off, goes on."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Plan a scenario, simulate the plan and write a report: answer, tables, figures."""
    from capsim import run as road

    if probability is not None and not 0 < probability < 1:
        fail(f"--probability {probability:g}: a number between 0 and 1 is expected, as 0.95")
    result = work(
        lambda progress: road.run(
            scenario,
            out,
            draws=draws,
            seed=seed,
            solver=solver,
            gap=gap,
            time_limit=time_limit,
            lang=lang.value,
            probability=probability,
            workers=workers,
            store=store,
            progress=progress,
        )
    )
    from capsim.report import meets_all, to_json

    if as_json:
        typer.echo(to_json(result.summary), nl=False)
    else:
        typer.echo(f"{result.answer}\nThe report is in {out}.")
    safe = result.hardened is None or result.hardened.reached
    raise typer.Exit(OK if meets_all(result.summary) and safe else NOT_MET)


@app.command(epilog="Example: capsim check scenarios/prefecture-2022")
def check(scenario: ScenarioFolder, as_json: Json = False) -> None:
    """Check a scenario: all its faults, or the scenario on one screen."""
    from capsim.report.overview import overview, overview_text
    from capsim.report.summary import to_json
    from capsim.scenario import load

    view = work(lambda progress: overview(load(scenario)))
    typer.echo(to_json(view) if as_json else overview_text(view), nl=False)


@app.command(epilog="Example: capsim new my-city --areas 12 --pupils 120000")
def new(
    folder: Annotated[Path, typer.Argument(help="Folder to make.", metavar="DIR")],
    areas: Annotated[int, typer.Option(min=1, help="Number of areas.")] = 18,
    pupils: Annotated[int, typer.Option(min=1, help="Compulsory enrolment, base year.")] = 180_000,
    seed: Seed = 0,
    kind: Annotated[str, typer.Option(help="city, province or nation.")] = "city",
) -> None:
    """Write a synthetic scenario of any size, to fill with your own data."""
    from capsim.runs.folder import whole_folder
    from capsim.scenario.generate import generate

    def make(progress: object) -> None:
        try:
            made = generate(areas, pupils, seed, kind=kind, name=folder.resolve().name)
        except ValueError as error:
            fail(str(error))
        with whole_folder(folder, "") as aside:
            made.save(aside)

    work(make)
    typer.echo(f"A synthetic scenario is in {folder}. Check it with: capsim check {folder}")


@app.command(
    "export",
    epilog="Example: capsim export scenarios/prefecture-2022 city.xlsx,"
    " or capsim export --template empty.xlsx",
)
def export_book(
    scenario: Annotated[
        Path | None, typer.Argument(help="Folder of the scenario.", metavar="SCENARIO")
    ] = None,
    book: Annotated[Path | None, typer.Argument(help="File to write.", metavar="BOOK")] = None,
    template: Annotated[
        Path | None, typer.Option(help="Write an empty workbook to fill in, and nothing else.")
    ] = None,
) -> None:
    """Write a scenario as one workbook (.xlsx), with what it extends; or an empty one to fill."""
    from capsim.runs.folder import whole_file
    from capsim.scenario import load
    from capsim.scenario.workbook import template_bytes, workbook_bytes

    if template is not None:
        if scenario is not None:
            fail("--template writes an empty workbook: name no scenario with it")
        empty = template
        work(lambda progress: whole_file(empty, template_bytes()))
        typer.echo(f"An empty workbook is in {empty}. Read it with: capsim import {empty} DIR")
        return
    if scenario is None or book is None:
        fail("a scenario and the workbook to write are needed, or --template BOOK")
    folder, target = scenario, book

    def task(progress: Callable[[str], None]) -> None:
        given = load(folder)
        try:
            content = workbook_bytes(given)
        except ValueError as error:
            fail(str(error))
        whole_file(target, content)

    work(task)
    typer.echo(f"{folder} is in {target}. Read it back with: capsim import {target} DIR")


@app.command("import", epilog="Example: capsim import city.xlsx my-city")
def import_book(
    book: Annotated[Path, typer.Argument(help="Workbook (.xlsx).", metavar="BOOK")],
    folder: Annotated[Path, typer.Argument(help="Folder to make.", metavar="DIR")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the scenario in DIR; other files stay.")
    ] = False,
) -> None:
    """Make a scenario folder of a workbook, or list all its faults with their cells."""
    from capsim.scenario.workbook import load_workbook

    made = work(lambda progress: load_workbook(book))
    work(lambda progress: made.save(folder, replace=replace))
    for warning in made.warnings:
        typer.echo(f"Warning: {warning}", err=True)
    typer.echo(f"{made.name} is in {folder}. Check it with: capsim check {folder}")


@app.command(
    epilog="Example: capsim compare scenarios/prefecture-2022 scenarios/low-births --out compared;"
    " or capsim compare my-city --set policy.private_share_cap.2022=0.04,0.05,0.06 --workers 2"
)
def compare(
    scenarios: Annotated[
        list[Path], typer.Argument(help="Two or more folders; one with --set.", metavar="A B …")
    ],
    out: Out = Path("comparison"),
    draws: Draws = None,
    seed: Seed = 0,
    solver: Solver = "highs",
    gap: Gap = 1e-3,
    time_limit: TimeLimit = None,
    by: Annotated[str, typer.Option(help="Column of summary.csv to rank by.")] = "avoidable_cny",
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE,…",
            help="Vary a setting; repeated: every combination, or see --one-at-a-time.",
        ),
    ] = None,
    alone: Annotated[
        bool, typer.Option("--one-at-a-time", help="Vary each --set alone, for a tornado.")
    ] = False,
    prices: Annotated[bool, typer.Option(help="Price what binds; slow in large cities.")] = False,
    workers: Annotated[int, typer.Option(min=1, help="Processes, a scenario each.")] = 1,
    store: Annotated[
        Path | None,
        typer.Option(
            help="Folder that keeps finished scenarios: a stopped run goes on from there."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Set scenarios side by side, each planned and simulated with the same luck."""
    from contextlib import nullcontext

    from capsim import run as road

    def task(progress: road.Progress) -> Comparison:
        from capsim.compare import compare as side_by_side
        from capsim.compare import grid, one_at_a_time, parse_settings, refuse
        from capsim.report import comparison_files
        from capsim.report.comparison import MARK
        from capsim.runs.executors import processes
        from capsim.runs.folder import check_place
        from capsim.scenario import load

        check_place(out, MARK)
        given = [load(folder) for folder in scenarios]
        factors: Factors = {}
        try:
            if settings:
                if len(given) > 1:
                    fail("--set varies one scenario; name one")
                vary = one_at_a_time if alone else grid
                given, factors = vary(given[0], parse_settings(settings))
            refuse([one.name for one in given], by)
        except ValueError as error:
            fail(str(error))
        with processes(workers) if workers > 1 else nullcontext() as pool:
            comparison = side_by_side(
                given,
                draws=draws,
                seed=seed,
                solver=solver,
                gap=gap,
                time_limit=time_limit,
                criterion=by,
                prices=prices,
                factors=factors,
                executor=pool,
                store=store,
                progress=progress,
            )
        road.write_folder(out, MARK, comparison_files(comparison), progress)
        return comparison

    comparison = work(task)
    from capsim.report.comparison import comparison_summary, comparison_text
    from capsim.report.summary import to_json

    if as_json:
        typer.echo(to_json(comparison_summary(comparison)), nl=False)
    else:
        typer.echo(f"{comparison_text(comparison)}\nThe tables and figures are in {out}.")


@app.command(epilog="Example: capsim forecast scenarios/prefecture-2022 --out enrolment.csv")
def forecast(
    scenario: ScenarioFolder,
    out: Annotated[Path | None, typer.Option("--out", help="CSV file to write, by grade.")] = None,
    as_json: Json = False,
) -> None:
    """Project enrolment: children to be placed by stage and school year."""
    from capsim.demand import project
    from capsim.report import csv, to_json
    from capsim.report.overview import enrolment, enrolment_text
    from capsim.runs.folder import whole_file
    from capsim.scenario import load

    given = work(lambda progress: load(scenario))
    demand = work(lambda progress: project(given))
    view = enrolment(given, demand)
    if out is not None:
        whole_file(out, csv(demand.frame()))
    typer.echo(to_json(view) if as_json else enrolment_text(view), nl=False)


@app.command(epilog="Example: capsim backtest enrolment.csv --area district --year autumn")
def backtest(
    path: Annotated[Path, typer.Argument(help="Scenario, or CSV of areas × years × grades.")],
    area: Annotated[str | None, typer.Option(help="Column of the area.")] = None,
    year: Annotated[str | None, typer.Option(help="Column of the autumn.")] = None,
    grades: Annotated[str | None, typer.Option(help="Columns of grades: K,1,2,…")] = None,
    leads: Annotated[str, typer.Option(help="Years ahead.")] = "1,2,3,4,5",
    out: OptionalOut = None,
    as_json: Json = False,
) -> None:
    """Back-test the forecasts on observed enrolment: error and coverage by method and lead."""
    from capsim import run as road

    try:
        ahead = [int(lead) for lead in leads.split(",")]
    except ValueError:
        fail(f"--leads {leads}: whole numbers separated by commas are expected")
    if min(ahead) < 1:
        fail(f"--leads {leads}: years ahead of 1 or more are expected")

    def task(progress: road.Progress) -> Backtest:
        from capsim.demand import backtest as judge
        from capsim.demand import panel, panel_of
        from capsim.report.forecasts import BACKTEST_MARK, backtest_files
        from capsim.runs.folder import check_place
        from capsim.runs.wide import read_wide
        from capsim.scenario import load

        if out is not None:
            check_place(out, BACKTEST_MARK)
        progress("reading")
        if (path / "scenario.toml").is_file():
            table = panel_of(load(path))
        else:
            columns = grades.split(",") if grades else None
            table = panel(read_wide(path), area, year, columns, path.name)
        progress("judging forecasts")
        judged = judge(table, leads=ahead)
        if out is not None:
            road.write_folder(out, BACKTEST_MARK, backtest_files(judged), progress)
        return judged

    judged = work(task)
    from capsim.report.forecasts import backtest_text

    typer.echo(judged.to_json() if as_json else backtest_text(judged), nl=False)


@app.command(epilog="Example: capsim build scenarios/prefecture-2022 --draws 500")
def build(
    scenario: ScenarioFolder,
    out: OptionalOut = None,
    draws: Annotated[int, typer.Option(min=1, help="Simulations.")] = 1000,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Simulate the building programme alone: when each ordered project is in use."""
    from capsim import run as road

    def task(progress: road.Progress) -> dict[str, Any]:
        from capsim.construction import build as simulate_building
        from capsim.report.building import BUILD_MARK, building, building_files
        from capsim.runs.folder import check_place
        from capsim.scenario import load

        if out is not None:
            check_place(out, BUILD_MARK)
        progress("building")
        given = load(scenario)
        programme = simulate_building(given, replications=draws, seed=seed)
        view = building(given, programme)
        if out is not None:
            road.write_folder(out, BUILD_MARK, building_files(view, programme), progress)
        return view

    view = work(task)
    from capsim.report.building import building_text
    from capsim.report.summary import to_json

    typer.echo(to_json(view) if as_json else building_text(view), nl=False)


@app.command(epilog="Example: capsim explain scenarios/no-purchase")
def explain(
    scenario: ScenarioFolder,
    solver: Solver = "highs",
    gap: Gap = 1e-3,
    time_limit: TimeLimit = None,
    as_json: Json = False,
) -> None:
    """Say why: which rules cannot hold together and what would cure it, or what is scarce."""
    from capsim import run as road

    def task(progress: road.Progress) -> tuple[str, bool]:
        from capsim.demand import project
        from capsim.optimize import formulate, optimize
        from capsim.optimize.explain import explain as say_why
        from capsim.optimize.prices import prices
        from capsim.report.reasons import reasons, reasons_text
        from capsim.report.summary import to_json
        from capsim.scenario import load

        progress("reading the scenario")
        given = load(scenario)
        progress("planning")
        model = formulate(given, project(given))
        plan = optimize(model, solver=solver, gap=gap, time_limit=time_limit)
        progress("explaining")
        why = say_why(model, plan)
        priced = prices(model, plan) if why is None else None
        words = to_json(reasons(plan, why, priced)) if as_json else reasons_text(plan, why, priced)
        return words, plan.meets_targets

    words, met = work(task)
    typer.echo(words, nl=False)
    raise typer.Exit(OK if met else NOT_MET)


def main() -> None:
    """Run the command line."""
    app()
