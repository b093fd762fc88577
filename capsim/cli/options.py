"""The application, and arguments and options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from typer._completion_classes import completion_init
from typer.completion import install_callback, show_callback


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


SHELLS = ", ".join(Shell)

# Typer's own options of completion guess the shell and take no name; ours take it.
completion_init()
app = typer.Typer(
    name="capsim",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Plan school places: which mix of new public schools, conversions and purchased places"
    " takes every child in, at what cost, and will it be ready on 1 September?",
    epilog="Exit status: 0 all targets met, 2 bad input, 3 no plan or a target missed,"
    " 130 stopped by Ctrl-C.",
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
            callback=install_callback, metavar="SHELL", help=f"Set completion up for {SHELLS}."
        ),
    ] = None,
    show_completion: Annotated[
        Shell | None,
        typer.Option(
            callback=show_callback, metavar="SHELL", help=f"Print what does, for {SHELLS}."
        ),
    ] = None,
) -> None:
    """Take options that come before any command."""


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
Prices = Annotated[
    bool,
    typer.Option(
        "--prices/--no-prices",
        help="Price what is scarce and say why a target is missed.",
    ),
]
Lang = Annotated[Language, typer.Option(help="Language of the report.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
