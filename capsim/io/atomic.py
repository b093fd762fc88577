"""Folders and files that appear whole or not at all: written aside, then renamed; read whole too.

Written beside its place (same file system), an output takes its name in one rename; whatever
stops the writing, nothing half-done bears the name, and what stood there before still stands.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from capsim.i18n.language import Message

MOST_BYTES = 2_000_000_000
"""Size of a file that is read; a larger one is a slip of the hand."""


def whole_bytes(path: Path) -> bytes:
    """Read a file as it stands: a regular one, no pipe or device that may never end.

    Raises
    ------
    OSError
        It is not there, is no regular file, or is too large.
    """
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    if about.st_size > MOST_BYTES:
        raise OSError(errno.EFBIG, f"more than {MOST_BYTES:,} bytes", str(path))
    return path.read_bytes()


class PlaceError(OSError):
    """Raised where a place cannot be written to: not allowed, no room, no folder."""


def check_place(path: Path, mark: str | None) -> None:
    """Refuse a place for a folder that holds something else than an earlier one of its kind.

    Parameters
    ----------
    path
        Where the folder shall appear.
    mark
        Name of a file that every folder of this kind holds; blank where none is replaced, None
        where any is.

    Raises
    ------
    FileExistsError
        Something stands there that is neither an empty folder nor one with the mark.
    PlaceError
        The folder that it shall stand in is missing or cannot be written to.
    """
    check_writable(path.absolute().parent)
    if path.is_symlink():
        there = {"path": str(path), "to": str(path.readlink())}
        raise FileExistsError(Message("{path} is a link to {to}; name that place itself", there))
    if not path.exists():
        return
    if not path.is_dir():
        text = "{path} is not a folder; name another one"
        raise FileExistsError(Message(text, {"path": str(path)}))
    if mark is not None and any(path.iterdir()) and not (path / mark).is_file():
        text = "{path} holds something else and is left alone; name another folder"
        if mark:
            text = (
                "{path} holds something else (no {mark} in it) and is left alone; name another"
                " folder"
            )
        raise FileExistsError(Message(text, {"path": str(path), "mark": mark}))


def check_writable(folder: Path) -> None:
    """Refuse a place to write into that is not a folder, or that cannot be written to.

    One that is not there yet is judged by the folder that it will stand in.

    Raises
    ------
    PlaceError
    """
    whole = folder.absolute()
    there = next(place for place in (whole, *whole.parents) if os.path.lexists(place))
    if not there.is_dir():
        text = "{path} is not a folder; name another place"
        raise PlaceError(Message(text, {"path": str(there)}))
    if not os.access(there, os.W_OK | os.X_OK):
        text = "{path} cannot be written to; name another place"
        raise PlaceError(Message(text, {"path": str(there)}))


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Make an error of the file system name the place itself, not the one aside."""
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        # One of a place inside, itself written aside, is an error of the place around it.
        cause = error.__cause__ if isinstance(error, PlaceError) else error
        if not isinstance(cause, OSError):
            raise
        reason = {"path": str(path), "reason": str(cause.strerror or cause)}
        raise PlaceError(Message("{path} cannot be written: {reason}", reason)) from cause


@contextmanager
def whole_folder(path: Path, mark: str | None) -> Iterator[Path]:
    """Make a new folder to write into, which takes the name `path` when all went well.

    An earlier folder of the kind (see `check_place`) is replaced, at the end.

    Raises
    ------
    FileExistsError
        See `check_place`.
    PlaceError
        The file system refuses it; nothing is left of it.

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
    with _naming(path), _aside(path) as aside:
        fresh = aside / "new"
        fresh.mkdir()
        yield fresh
        # Something else may have appeared there while this folder was written.
        check_place(path, mark)
        if path.exists():
            path.rename(aside / "old")
        try:
            fresh.rename(path)
        except OSError:
            if (aside / "old").exists():
                (aside / "old").rename(path)
            raise


def whole_file(path: Path, content: bytes) -> None:
    """Write a file, which appears whole or not at all; one that stands there is replaced.

    Raises
    ------
    PlaceError
        A folder stands there, or the file system refuses it; nothing is left of it.
    """
    check_writable(path.absolute().parent)
    if path.is_dir():
        raise PlaceError(Message("{path} is a folder; name a file", {"path": str(path)}))
    with _naming(path), _aside(path) as aside:
        (aside / "new").write_bytes(content)
        (aside / "new").replace(path)


@contextmanager
def _aside(path: Path) -> Iterator[Path]:
    """Make a folder beside a place, and remove it at the end with all that is left in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.absolute().parent))
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)
