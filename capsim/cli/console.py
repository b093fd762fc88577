"""The application: options that commands share, progress, Ctrl-C and exit statuses.

`work` runs a command's task in the background and ends it cleanly.
"""

from __future__ import annotations

import inspect
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from typer._completion_classes import completion_init
from typer.completion import install_callback, show_callback
from typer.core import TyperGroup

from capsim.i18n.language import Message, Words, told, words
from capsim.workflow import WRITING, InputError, Progress

T = TypeVar("T")

OK, BAD_INPUT, NOT_MET, INTERRUPTED = 0, 2, 3, 130


class Stopped(Exception):  # noqa: N818 (the user asked for it: not an error)
    """Raised inside a task when it shall stop."""


def fail(message: str | Message, lang: str = "en") -> NoReturn:
    """Print what is wrong with the input in a language, and end with status 2."""
    typer.echo(message.text(words(lang)) if isinstance(message, Message) else message, err=True)
    raise typer.Exit(BAD_INPUT)


def work(task: Callable[[Progress], T], lang: str = "en") -> T:
    """Run a task in the background, show its progress, and end cleanly on Ctrl-C or bad input.

    A solver does not hear Ctrl-C, so the task runs in a thread and this one listens. A task that is
    writing may finish its step, so that it can take its half-written output away.

    Parameters
    ----------
    task
        Gets a function to call with the name of each phase as it begins.
    lang
        Of progress and of what is wrong: `en` or `zh`.
    """
    # The end is an event of its own: a `join` that Ctrl-C breaks off takes the thread for ended.
    lock, stop, ended = threading.Lock(), threading.Event(), threading.Event()
    now = ""
    done: list[T] = []
    failed: list[BaseException] = []
    show, close = _display(lang)

    def progress(phase: str) -> None:
        nonlocal now
        with lock:
            if stop.is_set():
                raise Stopped
            if phase == now:
                return
            now = phase
        show(phase)

    def target() -> None:
        try:
            done.append(task(progress))
        except BaseException as error:  # noqa: BLE001 (handed to the thread that waits)
            failed.append(error)
        finally:
            ended.set()

    try:
        threading.Thread(target=target, daemon=True).start()
        while not ended.wait(0.1):
            pass
    except KeyboardInterrupt:
        with lock:
            stop.set()
            writing = now == WRITING
        close()
        if writing:
            # A second Ctrl-C would leave the output half written.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            ended.wait()
        typer.echo(words(lang)("stopped"), err=True)
        sys.stdout.flush()
        sys.stderr.flush()
        if util := sys.modules.get("multiprocessing.util"):
            util._run_finalizers(0)  # else semaphores of worker processes are said to leak
        # The task's thread may be in the solver, for which an orderly exit could wait.
        os._exit(INTERRUPTED)
    finally:
        close()
    if failed:
        error = failed[0]
        if isinstance(error, OSError):
            fail(f"{error.filename}: {error.strerror}" if error.filename else _told(error, lang))
        if _is_fault(error):
            fail(_told(error, lang))
        raise error
    return done[0]


def _told(error: BaseException, lang: str) -> str:
    from capsim.scenario.faults import ScenarioError

    say = words(lang)
    return error.text(say) if isinstance(error, ScenarioError) else told(error, say)


def _is_fault(error: BaseException) -> bool:
    """Check whether scenario, solver or a worker failed (loaded late: they bring pandas)."""
    from capsim.io.executors import WorkerLost
    from capsim.lp.options_and_result import SolverError
    from capsim.scenario.faults import ScenarioError

    known = InputError | ScenarioError | SolverError | WorkerLost | MemoryError
    return isinstance(error, known)


def named(phase: str, say: Words) -> str:
    """Name a phase in a language: its first words, and in Chinese how far it is.

    Examples
    --------
    >>> named("simulating, 30 % done", words("zh")), named("planning: gap 1 %", words("en"))
    ('模拟 30 %', 'planning: gap 1 %')
    """
    head = re.split(r"[:,]", phase)[0]
    if head not in say.texts:
        return phase
    far = re.search(r"\d+ (%|of \d+)|round \d+", phase)
    return say(head) + (f" {far[0].replace(' of ', '/').replace('round', '')}" if far else "")


def _display(lang: str) -> tuple[Progress, Callable[[], None]]:
    """Return a function that shows a phase and one that ends the display.

    On a terminal one line with the time and how far it is; elsewhere a line for each phase.
    """
    say = words(lang)
    if not sys.stderr.isatty():
        begun: list[str] = []

        def line(phase: str) -> None:
            name = phase.partition(":")[0]
            if [name] != begun[-1:]:
                begun.append(name)
                typer.echo(f"{named(name, say)} …", err=True)

        return line, lambda: None
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    bar = Bar(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    row = bar.add_task(say("starting"))
    bar.start()
    return lambda phase: bar.update(row, description=named(phase, say)), bar.stop


class Language(StrEnum):
    """Languages of a report."""

    EN = "en"
    ZH = "zh"


class Shell(StrEnum):
    """Shells that can complete commands."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"
    PWSH = "pwsh"


REFUSALS = (
    "No such command {name}. Did you mean {names}?",
    "No such command {name}.",
    "No such option: {name} (Possible options: {names})",
    "No such option: {name}",
    "Missing argument {name}.",
    "Missing option {name}.",
    "Option {name} requires an argument.",
    "Option {name} does not take a value.",
    "Got unexpected extra argument(s) ({names})",
    "Invalid value for {name}: Input should be a valid integer, unable to parse string as an"
    " integer",
    "Invalid value for {name}: Input should be a valid number, unable to parse string as a number",
    "Invalid value for {name}: Input should be greater than or equal to {bound}",
    "Invalid value for {name}: Input should be less than or equal to {bound}",
    "Invalid value for {name}: Value error, {value} is not one of {names}.",
    "Invalid value for {name}: Value error, {value} does not match the formats {names}.",
)
"""What the library that reads the arguments says of them."""


def refusal(said: str, say: Words) -> str:
    """Write in a language what the library says of the arguments.

    Examples
    --------
    >>> refusal("No such option: --sed (Possible options: --seed)", words("zh"))
    '没有选项--sed（相近的选项：--seed）'
    """
    for text in REFUSALS:
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(text))
        if found := re.fullmatch(pattern, said):
            return say(text, **found.groupdict())
    return said


class Commands(TyperGroup):
    """The commands, with their help and refusals in the language that is asked for."""

    say: Words | None = None

    def invoke(self, ctx: Any) -> Any:
        """Run a command; an error of its arguments is written in the language."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            if self.say is not None and hasattr(error, "format_message"):
                said = refusal(error.format_message(), self.say)
                error.format_message = lambda: said
            raise

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Run a command; help is written before options are read, so they are looked at here."""
        given = " ".join(sys.argv[1:] if args is None else args).replace("--lang=", "--lang ")
        asked = re.findall(r"--lang (\w+)", given) or [os.environ.get("CAPSIM_LANG")]
        if asked[-1] != Language.ZH:
            return super().main(args, *rest, **extra)
        self.say = words("zh")
        for command in (self, *self.commands.values()):
            _in_words(command, self.say)
        with _headings(self.say):
            return super().main(args, *rest, **extra)


HEADINGS = {
    "OPTIONS_PANEL_TITLE": "Options",
    "ARGUMENTS_PANEL_TITLE": "Arguments",
    "COMMANDS_PANEL_TITLE": "Commands",
    "ERRORS_PANEL_TITLE": "Error",
    "DEFAULT_STRING": "[default: {}]",
    "ENVVAR_STRING": "[env var: {}]",
    "REQUIRED_LONG_STRING": "[required]",
    "RICH_HELP": "Try [blue]'{command_path} {help_option}'[/] for help.",
}
"""What the library writes round the help of a command, by its own names."""


@contextmanager
def _headings(say: Words) -> Iterator[None]:
    """Have the library write its headings in a language while a command runs."""
    from typer import rich_utils

    before = {name: getattr(rich_utils, name) for name in HEADINGS}
    try:
        vars(rich_utils).update({name: say(text) for name, text in HEADINGS.items()})
        yield
    finally:
        vars(rich_utils).update(before)


def _in_words(command: Any, say: Words) -> None:
    """Write the help of a command, and of what it takes, in a language, where that has it."""

    def said(text: str | None) -> str | None:
        parts = (text or "").split("\n\n")
        whole = "\n\n".join(say.texts.get(part, part) for part in parts)
        # A line of help ends at a blank alone.
        return re.sub("([，；：、])", r"\1 ", whole) or None

    def usage(context: Any, write: Callable[[Any], str] = command.get_usage) -> str:
        return write(context).replace("Usage: ", say("Usage: "))

    def help_option(context: Any, make: Callable[[Any], Any] = command.get_help_option) -> Any:
        made = make(context)
        made.help = say("Show this message and exit.")
        return made

    command.get_usage, command.get_help_option = usage, help_option
    command.options_metavar = say("[OPTIONS]")
    if command.name == app.info.name:
        command.subcommand_metavar = say("COMMAND [ARGS]...")
    command.help = said(command.help)
    example = (said(command.epilog) or "").replace("; or capsim", say("; or capsim"))
    command.epilog = example.replace("Example:", say("Example:"))
    for taken in command.params:
        taken.help = said(getattr(taken, "help", None))
        if panel := getattr(taken, "rich_help_panel", None):
            taken.rich_help_panel = said(panel)


# Typer's own options of completion guess the shell and take no name; ours take it.
completion_init()
app = typer.Typer(
    name="capsim",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Plan school places: which mix of new public schools, conversions and purchased places"
    " takes every child in, at what cost, and will it be ready on 1 September?",
    epilog="Exit status: 0 the targets asked for hold with the probability asked for, 2 bad input,"
    " 3 they do not, or no plan, 130 stopped by Ctrl-C.",
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"capsim {version('capsim')}")
        raise typer.Exit


@app.callback()
def capsim(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and end."
        ),
    ] = False,
    install_completion: Annotated[
        Shell | None,
        typer.Option(
            callback=install_callback,
            metavar="SHELL",
            help="Set completion up for bash, zsh, fish, powershell, pwsh.",
        ),
    ] = None,
    show_completion: Annotated[
        Shell | None,
        typer.Option(
            callback=show_callback,
            metavar="SHELL",
            help="Print what does, for bash, zsh, fish, powershell, pwsh.",
        ),
    ] = None,
) -> None:
    """Take options that come before any command."""


ScenarioFolder = Annotated[
    Path,
    typer.Argument(help="Folder of the scenario, or the name of an example.", metavar="SCENARIO"),
]
Out = Annotated[Path, typer.Option("--out", help="Folder to write; an earlier one is replaced.")]
OptionalOut = Annotated[
    Path | None, typer.Option("--out", help="Folder to write; an earlier one is replaced.")
]
MOST_DRAWS = 10_000_000
"""Simulations that can be asked for: more are a slip of the hand."""
Draws = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=MOST_DRAWS,
        help="Simulations; default as the scenario says; 0: none.",
    ),
]
Seed = Annotated[int, typer.Option(min=0, help="Same seed, same files.")]
Solver = Annotated[str, typer.Option(help="highs, or any solver that PuLP knows (cbc, gurobi…).")]
Gap = Annotated[float, typer.Option(min=0.0, max=1e6, help="Gap to prove, of avoidable cost.")]
TimeLimit = Annotated[float | None, typer.Option(min=0.0, max=1e9, help="Seconds to solve.")]
Prices = Annotated[
    bool,
    typer.Option(
        "--prices/--no-prices",
        help="Price what is scarce and say why a target is missed.",
    ),
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict", help="Refuse what is not written plainly, instead of putting it right."
    ),
]
Lang = Annotated[
    Language,
    typer.Option(envvar="CAPSIM_LANG", help="Language of what is printed and written."),
]
READING = "How a table is read"


def _column(what: str, *names: str, metavar: str | None = None) -> Any:
    return Annotated[
        str | None, typer.Option(*names, help=what, metavar=metavar, rich_help_panel=READING)
    ]


OF_READING: dict[str, Any] = {
    "area": _column("Column of the area: a school, a district …"),
    "year": _column("Column of the school year."),
    "grades": _column("Grades in order, columns or cells: K,1,2,…; default: as they are named."),
    "grade": _column("Column of the grade, of a long table."),
    "value": _column("Column of the pupils, of a long table."),
    "county": _column("Column of counties, toward which areas lean."),
    "missing": _column('Cells that say *not observed*: "--,*,z,<10".', metavar="CODES"),
    "sheet": _column("Sheet of a workbook."),
    "encoding": _column("Of a CSV file: gb18030, cp949 …; default: found."),
}
"""Options of how a table of pupils is read, as `capsim.demand.panel` takes them."""
Reading = dict[str, Any]
R = TypeVar("R")


def reads_tables(command: Callable[..., R]) -> Callable[..., R]:
    """Give a command the options of how a table is read; it gets them as its mapping `how`.

    `strict` is one of them; those that the command has of its own it gets as its own.
    """
    own = list(inspect.signature(command, eval_str=True).parameters.values())
    named = {one.name for one in own}
    options = {name: option for name, option in OF_READING.items() if name not in named}
    if "strict" not in named:
        text = "Refuse all that would have to be put right."
        option = typer.Option("--strict", help=text, rich_help_panel=READING)
        options["strict"] = Annotated[bool, option]
    keyword = inspect.Parameter.KEYWORD_ONLY
    kept = [one.replace(kind=keyword) for one in own if one.name != "how"]
    added = [
        inspect.Parameter(
            name, keyword, default=False if name == "strict" else None, annotation=option
        )
        for name, option in options.items()
    ]

    @wraps(command)
    def called(**given: Any) -> R:
        how = {name: given.pop(name) for name in options}
        if how["grades"]:
            how["grades"] = [one.strip() for one in how["grades"].split(",")]
        return command(**given, how={**how, "missing": how["missing"] or ()})

    parameters = [*kept, *added]
    vars(called)["__signature__"] = inspect.Signature(parameters)
    called.__annotations__ = {one.name: one.annotation for one in parameters}
    return called


Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
