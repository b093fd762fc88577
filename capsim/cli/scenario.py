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
from capsim.i18n.language import Message, told, words

if TYPE_CHECKING:
    from capsim.scenario.scenario import Scenario
    from capsim.workflow import Progress


@app.command(epilog="Example: capsim check prefecture-2022")
def check(
    scenario: ScenarioFolder,
    strict: Strict = False,
    lang: Lang = Language.EN,
    as_json: Json = False,
) -> None:
    """Check a scenario: all its faults, or the scenario on one screen."""
    from capsim.report.screen import overview_text
    from capsim.report.summary import overview, to_json
    from capsim.scenario.faults import ScenarioError
    from capsim.scenario.scenario import load

    def task(progress: Progress) -> dict[str, Any] | ScenarioError:
        try:
            return overview(load(scenario, strict=strict), lang)
        except ScenarioError as error:
            return error

    view = work(task, lang)
    if isinstance(view, ScenarioError):
        say = words(lang)
        if as_json:
            typer.echo(to_json({"faults": [one.details(say) for one in view.faults]}), nl=False)
            raise typer.Exit(BAD_INPUT)
        fail(view.text(say))
    typer.echo(to_json(view) if as_json else overview_text(view, lang), nl=False)


@app.command(
    epilog="Example: capsim new my-city --areas 12 --pupils 120000;"
    " or capsim new my-city --like prefecture-2022"
)
def new(
    folder: Annotated[Path, typer.Argument(help="Folder to make.", metavar="DIR")],
    areas: Annotated[int | None, typer.Option(min=1, help="Number of areas; 18.")] = None,
    pupils: Annotated[
        int | None, typer.Option(min=1, help="Compulsory enrolment, base year; 180000.")
    ] = None,
    seed: Seed = 0,
    kind: Annotated[str, typer.Option(help="city, province or nation.")] = "city",
    like: Annotated[
        str | None,
        typer.Option(metavar="EXAMPLE", help="Copy an example; no city is made up."),
    ] = None,
    lang: Lang = Language.EN,
    as_json: Json = False,
) -> None:
    """Write a synthetic scenario of any size, or a copy of an example, to fill with your data."""
    from capsim.io.atomic import check_place
    from capsim.scenario.scenario import example
    from capsim.scenario.synthetic.generator import generate
    from capsim.workflow import WRITING

    if like is not None and (areas is not None or pupils is not None):
        text = "--areas and --pupils are of a made-up city: leave them out with --like"
        fail(Message(text), lang)
    if like is not None and like not in example():
        text = "--like {name}: the examples are {names}"
        fail(Message(text, {"name": like, "names": tuple(example())}), lang)

    say = words(lang)

    def make(progress: Progress) -> Scenario:
        check_place(folder, "")
        if like is not None:
            progress("reading the example")
            copied = example(like)
            progress(WRITING)
            copied.save(folder)
            return copied
        progress("making a city")
        try:
            name = folder.resolve().name
            made = generate(areas or 18, pupils or 180_000, seed, kind=kind, name=name)
        except ValueError as error:
            fail(told(error, say), lang)
        progress(WRITING)
        made.save(folder)
        return made

    made = work(make, lang)
    if like is None:
        text = "A synthetic scenario is in {folder}. Check it with: capsim check {folder}"
    else:
        text = "A copy of {name} is in {folder}. Check it with: capsim check {folder}"
    message = say(text, name=like, folder=folder)
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
    epilog="Example: capsim export prefecture-2022 city.xlsx; or capsim export --template"
    " empty.xlsx; or capsim export my-city --mps my-city.mps",
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
    lp: Annotated[
        Path | None, typer.Option("--lp", help="Write the program as an LP file for solvers.")
    ] = None,
    mps: Annotated[
        Path | None, typer.Option("--mps", help="Write the program as an MPS file for solvers.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a scenario as one workbook (.xlsx), an empty one to fill, or its program for solvers.

    A program (--lp, --mps) has readable names; it minimises million RMB that decisions can move.
    """
    from capsim.io.atomic import whole_file
    from capsim.scenario.excel.scenario_workbook import template_bytes, workbook_bytes
    from capsim.scenario.scenario import load
    from capsim.workflow import WRITING

    if template is not None:
        if scenario is not None:
            fail(Message("--template writes an empty workbook: name no scenario with it"), lang)
        empty = template
        content = template_bytes(lang)

        def write(progress: Progress) -> None:
            progress(WRITING)
            whole_file(empty, content)

        work(write, lang)
        text = "An empty workbook is in {book}. Read it with: capsim import {book} DIR"
        message = words(lang)(text, book=empty)
        _echo(message, as_json, scenario=None, book=str(empty))
        return
    programs = [file for file in (lp, mps) if file is not None]
    if scenario is not None and book is None and programs:
        _export_program(scenario, lp, mps, lang, as_json)
        return
    if programs:
        text = "--lp and --mps write the program of a scenario: name one, and no workbook"
        fail(Message(text), lang)
    if scenario is None or book is None:
        text = "a scenario and the workbook to write are needed, or --template BOOK, --lp or --mps"
        fail(Message(text), lang)
    folder, target = scenario, book

    def task(progress: Progress) -> Scenario:
        progress("reading the scenario")
        given = load(folder)
        try:
            content = workbook_bytes(given)
        except ValueError as error:
            fail(told(error, words(lang)), lang)
        progress(WRITING)
        whole_file(target, content)
        return given

    given = work(task, lang)
    text = "{scenario} is in {book}. Read it back with: capsim import {book} DIR"
    message = words(lang)(text, scenario=folder, book=target)
    _echo(message, as_json, scenario=_named(given), book=str(target))


def _export_program(
    scenario: Path, lp: Path | None, mps: Path | None, lang: str, as_json: bool
) -> None:
    """Write the program of a scenario as files that other solvers read."""
    from capsim.io.atomic import whole_file
    from capsim.lp.pulp_bridge import file_bytes
    from capsim.model.model import formulate
    from capsim.scenario.scenario import load
    from capsim.workflow import WRITING

    targets = {form: file for form, file in (("lp", lp), ("mps", mps)) if file is not None}

    def task(progress: Progress) -> Scenario:
        progress("reading the scenario")
        given = load(scenario)
        progress("building the program")
        program = formulate(given).program
        for form, file in targets.items():
            content = file_bytes(program, form)
            progress(WRITING)
            whole_file(file, content)
        return given

    given = work(task, lang)
    files = {form: str(file) for form, file in targets.items()}
    say = words(lang)
    where = say(" and ").join(files.values())
    message = say("The program of {scenario} is in {files}.", scenario=scenario, files=where)
    _echo(message, as_json, scenario=_named(given), **files)


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

    made = work(task, lang)
    for head, texts in (("Read as", made.notes), ("Warning", made.findings)):
        for one in texts:
            typer.echo(f"{say(head)}: {one.text(say)}", err=True)
    text = "{name} is in {folder}. Check it with: capsim check {folder}"
    message = say(text, name=made.name, folder=folder)
    details: dict[str, Any] = {
        "folder": str(folder),
        "warnings": [one.text(say) for one in made.findings],
    }
    details["read_as"] = [one.text(say) for one in made.notes]
    _echo(message, as_json, scenario=_named(made), **details)
