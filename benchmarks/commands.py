"""The further benchmarks by name: ``python -m benchmarks NAME …``."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence

Arguments = Sequence[str]


def orlib(arguments: Arguments) -> None:
    """Solve capacitated warehouse location to the published optima (JSON lines)."""
    from benchmarks import orlib as module

    module.main(_parsed("orlib", arguments, "directory").directory)


def psplib(arguments: Arguments) -> None:
    """Schedule standard project instances (JSON lines)."""
    from benchmarks import psplib as module

    parser = _parser("psplib", "directory")
    parser.add_argument("schedules", type=int, nargs="?", default=1000)
    asked = parser.parse_args(arguments)
    module.main(asked.directory, asked.schedules)


def flagship(arguments: Arguments) -> None:
    """Hold the flagship against its goals (``--json``)."""
    from benchmarks import flagship as module

    parser = _parser("flagship")
    parser.add_argument("--json", action="store_true")
    parser.parse_args(arguments)
    module.main(list(arguments))


def demand(arguments: Arguments) -> None:
    """Hold forecasts against their goals and each other (``--json``, ``--figure FILE``)."""
    from benchmarks import demand as module

    parser = _parser("demand")
    parser.add_argument("data", nargs="?", default=os.environ.get("CAPSIM_DATA"))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--figure", metavar="FILE")
    asked = parser.parse_args(arguments)
    module.main(asked.data, asked.json, asked.figure)


def construction(arguments: Arguments) -> None:
    """Count replications of the building programme a second."""
    from benchmarks import construction as module

    parser = _parser("construction")
    parser.add_argument("scenario", nargs="?", default="scenarios/prefecture-2022")
    module.main(parser.parse_args(arguments).scenario)


def scenario(arguments: Arguments) -> None:
    """Read, check, hash and save a scenario of 600,000 rows."""
    from benchmarks import scenario_check as module

    _parsed("scenario", arguments)
    module.main()


def sweep(arguments: Arguments) -> None:
    """Solve a hundred variants of a city, beside cold solves and PuLP loops (``--json``)."""
    from benchmarks import sweep as module

    module.main(arguments)


def growth(arguments: Arguments) -> None:
    """Measure how time and memory of the arrays grow with areas, schools and years."""
    from benchmarks import growth as module

    module.main(arguments)


def milp(arguments: Arguments) -> None:
    """Prove gaps with whole numbers at every size (``--json``)."""
    from benchmarks import milp as module

    module.main(arguments)


def shapes(arguments: Arguments) -> None:
    """Solve thirty-odd shapes of programs beside raw HiGHS, to the same gap (``--json``)."""
    from benchmarks import shapes as module

    module.main(arguments)


def cluster(arguments: Arguments) -> None:
    """Predict what N workers give from serial share and bytes, beside two Dask workers."""
    from benchmarks import cluster as module

    module.main(arguments)


def carried_out(arguments: Arguments) -> None:
    """Count what in plans cannot be carried out, from their CSV files alone (``--json``)."""
    from benchmarks import carried_out as module

    module.main(arguments)


def reliability(arguments: Arguments) -> None:
    """Make plans safe and hold what is reached against what is asked (``--json``)."""
    from benchmarks import reliability as module

    module.main(arguments)


def time_limits(arguments: Arguments) -> None:
    """Ask every question with time limits, and hold the clock against them (``--json``)."""
    from benchmarks import time_limits as module

    module.main(arguments)


COMMANDS: dict[str, Callable[[Arguments], None]] = {
    command.__name__: command
    for command in (
        orlib,
        psplib,
        flagship,
        demand,
        construction,
        scenario,
        sweep,
        growth,
        milp,
        shapes,
        cluster,
        carried_out,
        reliability,
        time_limits,
    )
}


def _parser(name: str, *required: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(f"benchmarks {name}", description=COMMANDS[name].__doc__)
    for word in required:
        parser.add_argument(word)
    return parser


def _parsed(name: str, arguments: Arguments, *required: str) -> argparse.Namespace:
    return _parser(name, *required).parse_args(arguments)
