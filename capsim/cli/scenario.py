"""Commands on scenarios as they stand: `check`, `new`, `export` and `import`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from capsim.cli.console import (
    BAD_INPUT,
    Json,
    Lang,
    Language,
    Reading,
    ScenarioFolder,
    Seed,
    Strict,
    app,
    fail,
    reads_tables,
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


TABLES = "Tables of schools"


@app.command(
    "import",
    epilog="Example: capsim import city.xlsx my-city; or capsim import areas.geojson"
    " schools.geojson --out my-city; or capsim import my-county --from enrolment.csv"
    " --capacity capacity.csv --points schools.csv",
)
@reads_tables
def import_files(
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Workbook (.xlsx), or maps of areas and schools (GeoJSON, GeoPackage, shapefile;"
            " schools also as a table with lon and lat), or nothing with --from; last the folder,"
            " where no --out names it.",
            metavar="FILE",
        ),
    ] = None,
    enrolment: Annotated[
        Path | None,
        typer.Option(
            "--from",
            help="Pupils by school, year and grade: CSV or workbook, wide or long.",
            metavar="TABLE",
            rich_help_panel=TABLES,
        ),
    ] = None,
    capacity: Annotated[
        Path | None,
        typer.Option(
            help="Places by school; default: the same table has them.",
            metavar="TABLE",
            rich_help_panel=TABLES,
        ),
    ] = None,
    points: Annotated[
        Path | None,
        typer.Option(
            help="Schools on the map: lon and lat in a table, GeoJSON …", rich_help_panel=TABLES
        ),
    ] = None,
    country: Annotated[
        str | None,
        typer.Option(
            help="china, england, usa or none; default: told by the grades.",
            rich_help_panel=TABLES,
        ),
    ] = None,
    stage: Annotated[
        list[str] | None,
        typer.Option(
            help="Grades of a stage, for other ones than the country's: elementary=K-6.",
            metavar="STAGE=GRADES",
            rich_help_panel=TABLES,
        ),
    ] = None,
    last_year: Annotated[
        int | None,
        typer.Option(help="Last planned; default: five ahead.", rich_help_panel=TABLES),
    ] = None,
    reach: Annotated[
        int | None,
        typer.Option(
            "--nearest", min=1, help="Schools within reach of a child; 3.", rich_help_panel=TABLES
        ),
    ] = None,
    borrowed_rate: Annotated[
        float | None,
        typer.Option(
            "--borrow",
            help="Prices not given are China's, at so much of the currency for 1 CNY.",
            metavar="RATE",
            rich_help_panel=TABLES,
        ),
    ] = None,
    expand: Annotated[
        float | None,
        typer.Option(
            help="Each public school may get this share of its places more: 0.2.",
            metavar="SHARE",
            rich_help_panel=TABLES,
        ),
    ] = None,
    expand_cost: Annotated[
        float | None, typer.Option(help="Of one such place.", rich_help_panel=TABLES)
    ] = None,
    without_capacity: Annotated[
        str | None,
        typer.Option(
            help="Schools with pupils and no capacity: pupils (are their places) or leave-out.",
            rich_help_panel=TABLES,
        ),
    ] = None,
    places: Annotated[
        str | None,
        typer.Option(help="Column of the capacity.", metavar="COLUMN", rich_help_panel=TABLES),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="A setting: costs.teacher_cny=95000; may be repeated.",
            metavar="KEY=VALUE",
            rich_help_panel=TABLES,
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to make.", metavar="DIR")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the scenario in DIR; other files stay.")
    ] = False,
    crs: Annotated[
        str | None,
        typer.Option(
            help="Coordinate system of maps and points: gcj02, EPSG:4547 …; else as they say."
        ),
    ] = None,
    area_column: Annotated[
        str | None, typer.Option(help="Column of the map that names areas.", metavar="COLUMN")
    ] = None,
    school_column: Annotated[
        str | None, typer.Option(help="Column of the map that names schools.", metavar="COLUMN")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Of the texts of a shapefile or table: gb18030 …; found.")
    ] = None,
    roads: Annotated[
        Path | None,
        typer.Option(help="Road network (GraphML, or a table of edges) that ways go along."),
    ] = None,
    matrix: Annotated[
        Path | None, typer.Option(help="Table of distances in km, areas to areas or schools.")
    ] = None,
    strict: Strict = False,
    lang: Lang = Language.EN,
    as_json: Json = False,
    *,
    how: Reading,
) -> None:
    """Make a scenario folder of a workbook, of maps or of tables of schools, or list all faults.

    Maps put a scenario that stands in DIR in its place (with --replace), or begin a new one. Of
    tables, what was read and what was assumed is printed and saved in the folder.
    """
    from capsim.scenario.map_files import is_map

    given = list(files or ())
    folder = out if out is not None else given.pop() if given else Path()
    of_tables = {
        "capacity": capacity,
        "points": points,
        "country": country,
        "stages": _pairs("--stage", stage, lang),
        "last_year": last_year,
        "nearest_schools": reach,
        "borrowed_rate": borrowed_rate,
        "expand": expand,
        "expand_cost": expand_cost,
        "without_capacity": without_capacity,
        "places": places,
        "set": {key: _value(value) for key, value in _pairs("--set", settings, lang).items()},
        **how,
    }
    if enrolment is not None:
        if given or not (out or files) or area_column or school_column or roads or matrix:
            fail(
                Message(
                    "with --from the folder to make is needed, alone:"
                    " capsim import DIR --from TABLE"
                ),
                lang,
            )
        read = {**of_tables, "crs": crs, "encoding": encoding, "strict": strict}
        _import_tables(enrolment, folder, read, replace, lang, as_json)
        return
    if any(of_tables.values()):
        fail(Message("options of tables need the table of pupils: --from TABLE"), lang)
    if not given and not roads and not matrix:
        fail(
            Message("a file to read and the folder to make are needed: capsim import FILE DIR"),
            lang,
        )
    if roads and matrix:
        fail(Message("--roads and --matrix both say how far it is: give one"), lang)
    if roads or matrix or any(is_map(file) for file in given):
        maps = _Maps(given, crs, encoding, area_column, school_column, roads, matrix)
        _import_maps(maps, folder, replace, lang, as_json)
        return
    if len(given) > 1:
        fail(
            Message(
                "one workbook makes one scenario; of maps one at least must be a .geojson, .gpkg, …"
            ),
            lang,
        )
    if crs or encoding or area_column or school_column:
        fail(Message("--crs, --encoding, --area-column and --school-column are of maps"), lang)
    _import_book(given[0], folder, replace, strict, lang, as_json)


def _pairs(option: str, given: list[str] | None, lang: str) -> dict[str, str]:
    """Read ``KEY=VALUE``; end the command where there is no sign of equality."""
    pairs = [one.partition("=") for one in given or ()]
    for key, sign, value in pairs:
        if not (key.strip() and sign and value.strip()):
            fail(
                Message(
                    "{option}: NAME=VALUE is expected", {"option": f"{option} {key}{sign}{value}"}
                ),
                lang,
            )
    return {key.strip(): value.strip() for key, _, value in pairs}


def _value(text: str) -> Any:
    """Read the value of a setting as TOML has it; what is no TOML is text."""
    import tomllib

    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _import_tables(
    enrolment: Path,
    folder: Path,
    given: dict[str, Any],
    replace: bool,
    lang: Language,
    as_json: bool,
) -> None:
    """Make a scenario of tables, and print what was read and assumed."""
    from capsim.demand.table_set import TableSet, load_tables
    from capsim.i18n.language import filled
    from capsim.io.atomic import check_place
    from capsim.workflow import WRITING

    def task(progress: Progress) -> TableSet:
        if not replace:
            check_place(folder, "")
        progress("reading tables")
        made = load_tables(enrolment, name=folder.resolve().name, **given)
        progress(WRITING)
        made.save(folder, replace=replace, lang=lang)
        return made

    made = work(task, lang)
    scenario = made.scenario
    say = scenario.words(lang)
    rows = made.listed(lang).to_dict("records")
    lists = {
        say("Read"): [one.text(say) for one in made.read],
        say("Assumed"): [f"{row['what']} = {row['value']}: {row['why']}" for row in rows],
        say("Warning"): [one.text(say) for one in scenario.findings],
    }
    for head, listed in lists.items():
        if listed:
            lines = [line for one in listed for line in filled(f"  {one}", "    ")]
            typer.echo("\n".join([head + say.colon, *lines]), err=True)
    text = (
        "{name} is in {folder}, what was assumed in its assumptions.tsv. Check it with: {command}"
    )
    message = say(text, name=scenario.name, folder=folder, command=f"capsim check {folder}")
    details: dict[str, Any] = {
        "folder": str(folder),
        "warnings": [one.text(say) for one in scenario.findings],
        "read_as": [one.text(say) for one in made.read],
        "assumed": rows,
    }
    _echo(message, as_json, scenario=_named(scenario), **details)


def _import_book(
    book: Path, folder: Path, replace: bool, strict: bool, lang: Language, as_json: bool
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
    text = "{name} is in {folder}. Check it with: capsim check {folder}"
    message = words(lang)(text, name=made.name, folder=folder)
    said = {"Read as": made.notes, "Warning": made.findings}
    _echo_import(message, folder, said, lang, as_json, _named(made))


def _echo_import(
    message: str,
    folder: Path,
    findings: Mapping[str, Sequence[Message]],
    lang: Language,
    as_json: bool,
    scenario: dict[str, str] | None,
) -> None:
    """Print what was imported, and before it what it was read as and what is odd."""
    from capsim.i18n.language import words

    say = words(lang)
    texts = {head: [one.text(say) for one in said] for head, said in findings.items()}
    for head, said in texts.items():
        for one in said:
            typer.echo(f"{say(head)}: {one}", err=True)
    details = {"warnings": texts["Warning"], "read_as": texts["Read as"]}
    _echo(message, as_json, scenario=scenario, folder=str(folder), **details)


class _Maps(NamedTuple):
    """What `import` is given of maps."""

    files: Sequence[Path]
    crs: str | None
    encoding: str | None
    area_column: str | None
    school_column: str | None
    roads: Path | None
    matrix: Path | None


def _import_maps(maps: _Maps, folder: Path, replace: bool, lang: Language, as_json: bool) -> None:
    """Put a scenario in its place on the map, or begin one with what maps say."""
    from capsim.io.atomic import check_place
    from capsim.scenario.folder import SETTINGS, write_folder
    from capsim.scenario.geography import (
        read_areas,
        read_points,
        scenario_files,
        shows,
        with_maps,
        with_ways,
    )
    from capsim.scenario.map_files import MissingExtraError, read_matrix, read_roads
    from capsim.scenario.scenario import load
    from capsim.workflow import WRITING, InputError

    def of_kind() -> dict[str, Path]:
        """Tell which file shows areas and which points."""
        found: dict[str, Path] = {}
        for file in maps.files:
            kinds = shows(file)
            if not kinds:
                raise InputError(
                    Message("{file} shows neither areas nor points", {"file": str(file)})
                )
            for kind in kinds:
                if kind in found:
                    raise InputError(
                        Message(
                            "two files show {kind}: give one of areas and one of points",
                            {"kind": Message(kind)},
                        )
                    )
                found[kind] = file
        return found

    def task(progress: Progress) -> tuple[Scenario | None, tuple[Message, ...]]:
        there = (folder / SETTINGS).is_file()
        if there and not replace:
            raise InputError(
                Message(
                    "{folder} holds a scenario: say --replace to put it on the map",
                    {"folder": str(folder)},
                )
            )
        if not there:
            check_place(folder, "")
        progress("reading the maps")
        try:
            found = of_kind()
        except MissingExtraError as error:
            raise InputError(*error.args) from error
        base = load(folder) if there else None
        origin = None if base is None else base.settings.map.origin
        areas = points = None
        said: dict[str, Any] = {"crs": maps.crs, "encoding": maps.encoding}
        if "areas" in found:
            column = maps.area_column
            areas = read_areas(found["areas"], column=column, origin=origin, **said)
            origin = areas.origin
        if "points" in found:
            column = maps.school_column
            points = read_points(found["points"], column=column, origin=origin, **said)
        if base is None:
            if areas is None or maps.roads or maps.matrix:
                text = (
                    "{folder} holds no scenario: one begins with a map of areas; points, roads and"
                    " a matrix are for one that is there"
                )
                raise InputError(Message(text, {"folder": str(folder)}))
            settings, tables, notes = scenario_files(folder.resolve().name, areas, points)
            progress(WRITING)
            write_folder(folder, settings, tables, replace=False)
            return None, notes
        made, notes = with_maps(base, areas, points) if found else (base, ())
        if maps.matrix:
            made, more = with_ways(made, read_matrix(maps.matrix))
            notes += more
        if maps.roads:
            origin = made.settings.map.origin
            if origin is None:
                text = (
                    "roads are in degrees, and where on earth the scenario is, is not known: give"
                    " map.longitude and map.latitude, or a map of the areas"
                )
                raise InputError(Message(text))
            progress("finding ways along roads")
            made, more = with_ways(made, read_roads(maps.roads, origin=origin, crs=maps.crs))
            notes += more
        progress(WRITING)
        made.save(folder, replace=True)
        return made, notes

    made, notes = work(task, lang)
    if made is not None:
        text = "{name} in {folder} is on the map. Check it with: capsim check {folder}"
        message = words(lang)(text, name=made.name, folder=folder)
    else:
        text = (
            "What the maps say is in {folder}. Add enrolment and settings; what is lacking is"
            " listed by: capsim check {folder}"
        )
        message = words(lang)(text, folder=folder)
    said = {"Read as": notes, "Warning": () if made is None else made.findings}
    _echo_import(message, folder, said, lang, as_json, None if made is None else _named(made))
