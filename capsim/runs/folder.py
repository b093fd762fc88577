"""Folders and files that appear whole or not at all: written aside, then renamed.

Written beside its place (same file system), an output takes its name in one rename; whatever
stops the writing, nothing half-done bears the name, and what stood there before still stands.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def check_place(path: Path, mark: str) -> None:
    """Refuse a place for a folder that holds something else than an earlier one of its kind.

    Parameters
    ----------
    path
        Where the folder shall appear.
    mark
        Name of a file that every folder of this kind holds; blank where none is replaced.

    Raises
    ------
    FileExistsError
        Something stands there that is neither an empty folder nor one with the mark.
    """
    if not path.exists() and not path.is_symlink():
        return
    if not path.is_dir():
        raise FileExistsError(f"{path} is not a folder; name another one")
    if any(path.iterdir()) and not (path / mark).is_file():
        lacks = f" (no {mark} in it)" if mark else ""
        raise FileExistsError(
            f"{path} holds something else{lacks} and is left alone; name another folder"
        )


@contextmanager
def whole_folder(path: Path, mark: str) -> Iterator[Path]:
    """Give a new folder to write into, which takes the name `path` when all went well.

    An earlier folder of the kind (see `check_place`) is replaced, at the end.

    Raises
    ------
    FileExistsError
        See `check_place`.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as place:
    ...     with whole_folder(Path(place) / "report", "summary.json") as folder:
    ...         _ = (folder / "summary.json").write_text("{}")
    ...     [file.name for file in (Path(place) / "report").iterdir()]
    ['summary.json']
    """
    path = path.absolute()
    check_place(path, mark)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        fresh = aside / "new"
        fresh.mkdir()
        yield fresh
        check_place(path, mark)
        if path.exists():
            path.rename(aside / "old")
        try:
            fresh.rename(path)
        except OSError:
            if (aside / "old").exists():
                (aside / "old").rename(path)
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def whole_file(path: Path, content: bytes) -> None:
    """Write a file, which appears whole or not at all; one that stands there is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}-", delete=False
    ) as aside:
        written = Path(aside.name)
        try:
            aside.write(content)
            aside.close()
            written.chmod(0o644)
            written.replace(path)
        except BaseException:
            written.unlink(missing_ok=True)
            raise
