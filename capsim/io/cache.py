"""A folder of results under keys, so that an interrupted run goes on where it was.

A key says everything that a result follows from (`digest` makes one). Each result is one file:
the SHA-256 of key and content, then the content, pickled. It is written aside and renamed; what is
torn, damaged or of another key counts as absent. Unpickling runs code, so read only folders whose
files your own runs have written.
"""

from __future__ import annotations

import errno
import hashlib
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from capsim.io.atomic import whole_file

SUFFIX = ".result"
CHECKSUM_BYTES = 32


class StoreError(OSError):
    """Raised where results cannot be written; what was written before is whole."""


@dataclass(frozen=True)
class ResultStore:
    """Results in a folder.

    Attributes
    ----------
    folder : Path
        Made when the first result is written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     store = ResultStore(Path(place))
    ...     store.write("a key", {"cost": np.array([1.0, 2.0])})
    ...     store.read("a key")["cost"].tolist(), store.read("another")
    ([1.0, 2.0], None)
    """

    folder: Path

    def path(self, key: str) -> Path:
        """Return the file of a result."""
        return self.folder / f"{hashlib.sha256(key.encode()).hexdigest()[:40]}{SUFFIX}"

    def read(self, key: str) -> Any:
        """Return a result, or None where there is no sound one of the key.

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
            raise StoreError(self._message(error)) from error
        checksum, content = data[:CHECKSUM_BYTES], data[CHECKSUM_BYTES:]
        # Compared before unpickling: a torn file must not reach pickle.
        return pickle.loads(content) if checksum == _checksum(key, content) else None

    def write(self, key: str, result: object) -> None:
        """Write a result (anything but None that can be pickled), whole or not at all.

        Raises
        ------
        StoreError
            The disk is full or the folder cannot be written to.
        """
        content = pickle.dumps(result, pickle.HIGHEST_PROTOCOL)
        try:
            whole_file(self.path(key), _checksum(key, content) + content)
        except OSError as error:
            raise StoreError(self._message(error)) from error

    def _message(self, error: OSError) -> str:
        cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
        full = cause.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        reason = "the disk is full" if full else (cause.strerror or str(cause))
        kept = len(list(self.folder.glob(f"*{SUFFIX}"))) if self.folder.is_dir() else 0
        return (
            f"results cannot be kept in {self.folder}: {reason}. "
            f"{kept} finished results stand there whole; the same run goes on from them."
        )


def _checksum(key: str, content: bytes) -> bytes:
    return hashlib.sha256(key.encode() + b"\n" + content).digest()


def digest(*things: object) -> str:
    """Return a hash of arrays, texts, numbers, settings and what is made of them.

    It is the same in any process, whatever objects are shared among the things.

    Examples
    --------
    >>> digest(np.arange(3), "a") == digest(np.arange(3), "a"), digest(1) == digest(1.0)
    (True, False)
    """
    hasher = hashlib.sha256()
    _feed(hasher, things)
    return hasher.hexdigest()


def _feed(hasher: hashlib._Hash, thing: object) -> None:
    """Add a thing to a hash, with its type and size, so that no two run together."""
    if isinstance(thing, np.ndarray) and thing.dtype == object:
        _feed(hasher, ("objects", thing.tolist()))
    elif isinstance(thing, np.ndarray):
        hasher.update(f"array {thing.dtype.str} {thing.shape}\n".encode())
        hasher.update(np.ascontiguousarray(thing).tobytes())
    elif isinstance(thing, sparse.csr_array):
        _feed(hasher, ("sparse", thing.shape, thing.indptr, thing.indices, thing.data))
    elif is_dataclass(thing) and not isinstance(thing, type):
        hasher.update(f"{type(thing).__name__}\n".encode())
        for field in fields(thing):
            _feed(hasher, (field.name, getattr(thing, field.name)))
    elif isinstance(thing, Mapping):
        _feed(hasher, ("mapping", [(key, thing[key]) for key in sorted(thing, key=str)]))
    elif isinstance(thing, list | tuple):
        hasher.update(f"list {len(thing)}\n".encode())
        for one in thing:
            _feed(hasher, one)
    elif hasattr(thing, "model_dump_json"):
        _feed(hasher, ("settings", thing.model_dump_json()))
    elif thing is None or isinstance(thing, str | int | float | np.generic):
        text = repr(thing.item() if isinstance(thing, np.generic) else thing)
        hasher.update(f"{len(text)} {text}\n".encode())
    else:
        raise TypeError(f"a {type(thing).__name__} has no hash of its content")
