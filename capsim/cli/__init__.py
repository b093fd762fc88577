"""The command line: `capsim run`, `check`, `new`, `export`, `import`, `compare` and others.

Exit status: 0 the targets asked for hold with the probability asked for; 2 bad input, with all its
faults; 3 they do not, or there is no plan; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import os
import sys

from capsim.cli import components, plan, scenario
from capsim.cli.console import BAD_INPUT, app

__all__ = ["app", "components", "main", "plan", "scenario"]


def main() -> None:
    """Run the command line."""
    try:
        app()
    except OSError as error:
        # Only errors of the output come here: commands report those of the files they use.
        print(f"the output cannot be written: {error.strerror or error}", file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the rest of the output
        sys.exit(BAD_INPUT)
