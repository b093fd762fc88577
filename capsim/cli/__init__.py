"""The command line: `capsim run`, `check`, `new`, `export`, `import`, `compare` and others.

Exit status: 0 the plan meets all targets; 2 bad input, with all its faults; 3 no plan, or a plan
that misses a target; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

from capsim.cli import answers, folders, judge
from capsim.cli.options import app

__all__ = ["answers", "app", "folders", "judge", "main"]


def main() -> None:
    """Run the command line."""
    app()
