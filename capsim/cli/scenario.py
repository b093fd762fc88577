"""Commands on scenarios as they stand: `check`, `new`, `export` and `import`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capsim.cli.console import (
    BAD_INPUT,
    Json,
    Lang,
    Language,
    ScenarioFolder,
    Seed,
    Strict,
    app,
    fail,
    work,
)

if TYPE_CHECKING:
    from capsim.scenario.scenario import Scenario
    from capsim.workflow import Progress


@app.command(epilog="Example: capsim check scenarios/prefecture-2022")
def check(
    scenario: ScenarioFolder,
    strict: Strict = False,
    lang: Lang = Language.EN,
    as_json: Json = False,
) -> None:
    """Check a scenario: all its faults, or the scenario on one screen."""
    from capsim.i18n.language import words
    from capsim.report.screen import overview_text
    from capsim.report.summary import overview, to_json
    from capsim.scenario.faults import ScenarioError
    from capsim.scenario.scenario import load

    def task(progress: Progress) -> dict[str, Any] | ScenarioError:
        try:
            return overview(load(scenario, strict=strict), lang)
        except ScenarioError as error:
            return error

    view = work(task)
    if isinstance(view, ScenarioError):
        say = words(lang)
        if as_json:
            typer.echo(to_json({"faults": [one.details(say) for one in view.faults]}), nl=False)
            raise typer.Exit(BAD_INPUT)
        fail(view.text(say))
    typer.echo(to_json(view) if as_json else overview_text(view, lang), nl=False)


@app.command(epilog="Example: capsim new my-city --areas 12 --pupils 120000")
def new(
    folder: Annotated[Path, typer.Argument(help="Folder to make.", metavar="DIR")],
    areas: Annotated[int, typer.Option(min=1, help="Number of areas.")] = 18,
    pupils: Annotated[int, typer.Option(min=1, help="Compulsory enrolment, base year.")] = 180_000,
    seed: Seed = 0,
    kind: Annotated[str, typer.Option(help="city, province or nation.")] = "city",
    as_json: Json = False,
) -> None:
    """Write a synthetic scenario of any size, to fill with your own data."""
    from capsim.io.atomic import check_place
    from capsim.scenario.synthetic.generator import generate
    from capsim.workflow import WRITING

    def make(progress: Progress) -> Scenario:
        check_place(folder, "")
        progress("making a city")
        try:
            made = generate(areas, pupils, seed, kind=kind, name=folder.resolve().name)
        except ValueError as error:
            fail(str(error))
        progress(WRITING)
        made.save(folder)
        return made

    made = work(make)
    message = f"A synthetic scenario is in {folder}. Check it with: capsim check {folder}"
    _echo(message, as_json, scenario=_named(made), folder=str(folder))


def _named(scenario: Scenario) -> dict[str, str]:
    return {"name": scenario.name, "hash": scenario.hash}


def _echo(message: str, as_json: bool, **details: Any) -> None:
    """Print what was written: in words, or as JSON."""
    if as_json:
        from capsim.report.summary import to_json

        message = to_json(details).rstrip()
    typer.echo(message)


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
    lang: Lang = Language.EN,
    as_json: Json = False,
) -> None:
    """Write a scenario as one workbook (.xlsx), with what it extends; or an empty one to fill."""
    from capsim.io.atomic import whole_file
    from capsim.scenario.excel.scenario_workbook import template_bytes, workbook_bytes
    from capsim.scenario.scenario import load
    from capsim.workflow import WRITING

    if template is not None:
        if scenario is not None:
            fail("--template writes an empty workbook: name no scenario with it")
        empty = template
        content = template_bytes(lang)

        def write(progress: Progress) -> None:
            progress(WRITING)
            whole_file(empty, content)

        work(write)
        message = f"An empty workbook is in {empty}. Read it with: capsim import {empty} DIR"
        _echo(message, as_json, scenario=None, book=str(empty))
        return
    if scenario is None or book is None:
        fail("a scenario and the workbook to write are needed, or --template BOOK")
    folder, target = scenario, book

    def task(progress: Progress) -> Scenario:
        progress("reading the scenario")
        given = load(folder)
        try:
            content = workbook_bytes(given)
        except ValueError as error:
            fail(str(error))
        progress(WRITING)
        whole_file(target, content)
        return given

    given = work(task)
    message = f"{folder} is in {target}. Read it back with: capsim import {target} DIR"
    _echo(message, as_json, scenario=_named(given), book=str(target))


@app.command("import", epilog="Example: capsim import city.xlsx my-city")
def import_book(
    book: Annotated[Path, typer.Argument(help="Workbook (.xlsx).", metavar="BOOK")],
    folder: Annotated[Path, typer.Argument(help="Folder to make.", metavar="DIR")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the scenario in DIR; other files stay.")
    ] = False,
    strict: Strict = False,
    lang: Lang = Language.EN,
    as_json: Json = False,
) -> None:
    """Make a scenario folder of a workbook, or list all its faults with their cells."""
    from capsim.i18n.language import words
    from capsim.scenario.excel.scenario_workbook import load_workbook
    from capsim.scenario.faults import ScenarioError
    from capsim.workflow import WRITING

    say = words(lang)

    def task(progress: Progress) -> Scenario:
        progress("reading the workbook")
        try:
            made = load_workbook(book, strict=strict)
        except ScenarioError as error:
            fail(error.text(say))
        progress(WRITING)
        made.save(folder, replace=replace)
        return made

    made = work(task)
    for head, told in (("Read as", made.notes), ("Warning", made.findings)):
        for one in told:
            typer.echo(f"{say(head)}: {one.text(say)}", err=True)
    message = f"{made.name} is in {folder}. Check it with: capsim check {folder}"
    details: dict[str, Any] = {
        "folder": str(folder),
        "warnings": [one.text(say) for one in made.findings],
    }
    details["read_as"] = [one.text(say) for one in made.notes]
    _echo(message, as_json, scenario=_named(made), **details)
