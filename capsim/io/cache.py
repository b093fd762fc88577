"""A folder of results in blocks, so that an interrupted run goes on where it was.

A block is a few named arrays under a key that says everything they follow from. Its file is
written aside and renamed, and ends with a checksum: what is torn, damaged or of another key is
taken for absent. Nothing in it is executable.

A file is one line of JSON (key; name, type and shape of each array), the arrays' bytes in that
order, and the SHA-256 of all that.
"""

from __future__ import annotations

import errno
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from capsim.io.atomic import whole_file

Arrays = Mapping[str, NDArray[Any]]
FORMAT = "capsim block 1"
CHECKSUM = 32
TYPES = ("<f8", "<i8", "|b1")


class StoreError(OSError):
    """Raised where blocks cannot be written; what was written before is whole."""


@dataclass(frozen=True)
class BlockStore:
    """Blocks in a folder.

    Attributes
    ----------
    folder : Path
        Made when the first block is written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     store = BlockStore(Path(place))
    ...     store.write("a key", {"cost": np.array([1.0, 2.0])})
    ...     store.read("a key")["cost"].tolist(), store.read("another")
    ([1.0, 2.0], None)
    """

    folder: Path

    def path(self, key: str) -> Path:
        """File of a block."""
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}.block"

    def read(self, key: str) -> dict[str, NDArray[Any]] | None:
        """Return a block's arrays, or None where there is no sound block of the key.

        Raises
        ------
        StoreError
            The folder cannot be read.
        """
        try:
            data = self.path(key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreError(self._said(error)) from error
        body, checksum = data[:-CHECKSUM], data[-CHECKSUM:]
        if hashlib.sha256(body).digest() != checksum:
            return None
        head, _, content = body.partition(b"\n")
        # The checksum held, so the header is what some version of this module wrote.
        header = json.loads(head)
        if header["format"] != FORMAT or header["key"] != key:
            return None
        out, start = {}, 0
        for name, kind, shape in header["arrays"]:
            count = int(np.prod(shape))
            part = np.frombuffer(content, np.dtype(kind), count, start)
            out[name] = part.reshape(shape).copy()
            start += part.nbytes
        return out

    def write(self, key: str, arrays: Arrays) -> None:
        """Write a block, whole or not at all.

        Raises
        ------
        StoreError
            The disk is full or the folder cannot be written to.
        """
        parts = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
        for name, array in parts.items():
            if array.dtype.str not in TYPES:
                raise TypeError(f"array {name!r} is {array.dtype.str}, none of {', '.join(TYPES)}")
        listed = [[name, array.dtype.str, array.shape] for name, array in parts.items()]
        header = json.dumps({"format": FORMAT, "key": key, "arrays": listed})
        body = b"".join([header.encode(), b"\n", *(array.tobytes() for array in parts.values())])
        try:
            whole_file(self.path(key), body + hashlib.sha256(body).digest())
        except OSError as error:
            raise StoreError(self._said(error)) from error

    def _said(self, error: OSError) -> str:
        cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
        full = cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        what = "the disk is full" if full else (cause.strerror or str(cause))
        kept = len(list(self.folder.glob("*.block"))) if self.folder.is_dir() else 0
        return (
            f"results cannot be kept in {self.folder}: {what}. "
            f"{kept} finished blocks stand there whole; the same run goes on from them."
        )


def digest(*things: object) -> str:
    """Hash of arrays, texts, numbers, settings and what is made of them; the same in any process.

    Examples
    --------
    >>> digest(np.arange(3), "a") == digest(np.arange(3), "a"), digest(1) == digest(1.0)
    (True, False)
    """
    found = hashlib.sha256()
    _feed(found, things)
    return found.hexdigest()


def _feed(found: hashlib._Hash, thing: object) -> None:
    """Add a thing to a hash, with its type and size, so that no two run together."""
    if isinstance(thing, np.ndarray) and thing.dtype == object:
        _feed(found, ("objects", thing.tolist()))
    elif isinstance(thing, np.ndarray):
        found.update(f"array {thing.dtype.str} {thing.shape}\n".encode())
        found.update(np.ascontiguousarray(thing).tobytes())
    elif isinstance(thing, sparse.csr_array):
        _feed(found, ("sparse", thing.shape, thing.indptr, thing.indices, thing.data))
    elif is_dataclass(thing) and not isinstance(thing, type):
        found.update(f"{type(thing).__name__}\n".encode())
        for field in fields(thing):
            _feed(found, (field.name, getattr(thing, field.name)))
    elif isinstance(thing, Mapping):
        _feed(found, ("mapping", [(key, thing[key]) for key in sorted(thing, key=str)]))
    elif isinstance(thing, list | tuple):
        found.update(f"list {len(thing)}\n".encode())
        for one in thing:
            _feed(found, one)
    elif hasattr(thing, "model_dump_json"):
        _feed(found, ("settings", thing.model_dump_json()))
    elif thing is None or isinstance(thing, str | int | float | np.generic):
        text = repr(thing.item() if isinstance(thing, np.generic) else thing)
        found.update(f"{len(text)} {text}\n".encode())
    else:
        raise TypeError(f"a {type(thing).__name__} has no hash of its content")
