"""Turn the notebooks of docs/ into pages of the site, run as they stand: a hook of mkdocs.

Notebooks are kept without their outputs, so that what a page shows is what the code does now. One
that was run before is not run again while neither it nor the package has changed: results are kept
in ``build/notebooks``. Alone, ``python scripts/notebook_pages.py NOTEBOOK.ipynb OUT.html`` runs one
and writes it as a page of its own.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

TOP = Path(__file__).parents[1]
NOTEBOOKS = TOP / "docs" / "notebooks"
KEPT = TOP / "build" / "notebooks"
SECONDS = 600
"""Most time of one cell."""


def executed(path: Path) -> Any:
    """Run a notebook in an empty folder; an error of a cell is an error here."""
    book = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            book, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": folder}}
        )
        client.execute()
    return book


def _kept(path: Path) -> Any:
    """Run a notebook, or take what it gave when it and the package were the same."""
    code = hashlib.sha256(path.read_bytes())
    for module in sorted((TOP / "capsim").rglob("*.py")):
        code.update(module.read_bytes())
    file = KEPT / f"{path.stem}-{code.hexdigest()[:16]}.ipynb"
    if not file.is_file():
        KEPT.mkdir(parents=True, exist_ok=True)
        nbformat.write(executed(path), file)
    return nbformat.read(file, as_version=4)


def on_files(files: Any, config: Any) -> Any:
    """Put a page for every notebook, with its pictures, among the files of the site."""
    from mkdocs.structure.files import File
    from nbconvert import MarkdownExporter

    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        page, pictures = MarkdownExporter().from_notebook_node(
            _kept(path), resources={"unique_key": path.stem}
        )
        page = page.replace(".ipynb)", ".md)")
        files.append(File.generated(config, f"notebooks/{path.stem}.md", content=page))
        for name, content in pictures["outputs"].items():
            files.append(File.generated(config, f"notebooks/{name}", content=content))
    return files


if __name__ == "__main__":
    from nbconvert import HTMLExporter

    text, _ = HTMLExporter().from_notebook_node(executed(Path(sys.argv[1])))
    Path(sys.argv[2]).write_text(text, encoding="utf-8")
