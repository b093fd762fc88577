"""Entry point of the command; Ctrl-C ends it quietly even while its modules are loaded."""

from __future__ import annotations

import sys


def main() -> None:
    """Load the command line and run it."""
    try:
        # Inside the try: loading takes a moment in which Ctrl-C may come.
        from capsim.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
