"""Reading .npy and .npz files; whatever is wrong with one is told in words, not in numpy's."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, expected
from diffdope.io.files import unreadable

_NPY, _ZIP, _EMPTY_ZIP = b"\x93NUMPY", b"PK\x03\x04", b"PK\x05\x06"
_EXPORT = "write it again"


def read_arrays(name: str, path: Path, wanted: str = "arrays of numbers") -> NDArray[Any] | Mapping[str, NDArray[Any]]:
    """The array of a .npy file, or those of a .npz by name.

    Args:
        name: the argument to blame.
        path: the file; its content counts, not its ending.
        wanted: what is expected of it, for the message.

    Raises:
        DiffDopeError: if it cannot be read, is cut off or of another kind, or holds Python's objects.
    """
    try:
        with path.open("rb") as file:
            head = file.read(len(_NPY))
            _check_kind(head, name, path, wanted)
            file.seek(0)
            stored = np.load(file, allow_pickle=False)
            if isinstance(stored, np.ndarray):
                return stored
            return {key: np.asarray(stored[key]) for key in stored.files}
    except DiffDopeError:
        raise
    except OSError as error:
        raise unreadable(path, name, error) from error
    except Exception as error:  # zip files can be broken in many ways
        raise expected(name, f"{wanted} in {path}", _cause(error), _EXPORT) from error


def _check_kind(head: bytes, name: str, path: Path, wanted: str) -> None:
    if not head:
        raise expected(name, f"{wanted} in {path}", "an empty file", _EXPORT)
    if head.startswith(_NPY) or head[:4] in (_ZIP, _EMPTY_ZIP):
        return
    if _NPY.startswith(head) or _ZIP.startswith(head):
        raise expected(name, f"{wanted} in {path}", "a file that was cut off", _EXPORT)
    raise expected(name, f"{wanted} in {path}", "a file that numpy did not write", "save it by numpy.save")


def _cause(error: Exception) -> str:
    """What numpy's and zip's errors mean."""
    text = " ".join(str(error).split())
    if "allow_pickle" in text or "Object arrays" in text:
        return "objects of Python, which are not loaded: save an array of numbers"
    short = isinstance(error, EOFError | zipfile.BadZipFile | zlib.error) or "read all data" in text or "EOF" in text
    return "a file that was cut off" if short else f"a damaged file ({text})"
