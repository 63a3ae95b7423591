"""The iterates of a refinement as a file beside result.json: history.npz, some ten kilobytes."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from diffdope.errors import expected, refused
from diffdope.io.files import atomic
from diffdope.io.plain import fields_of

if TYPE_CHECKING:
    from diffdope.search.history import History as AnyHistory

History = TypeVar("History", bound="AnyHistory")

FILE_NAME = "history.npz"
_AXES = {"costs": 2, "modality_costs": 3, "R_m2c": 4, "t_m2c": 3, "learning_rates": 1, "sizes": 1}


def write_history(folder: Path, history: AnyHistory) -> Path:
    """Writes the arrays of a history into a folder, whole or not at all; returns the file."""
    path = folder / FILE_NAME
    arrays = {field.name: getattr(history, field.name) for field in fields(history)}
    with atomic(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **{name: array for name, array in arrays.items() if array is not None})
    return path


def read_history(folder: Path, kind: type[History]) -> History | None:
    """What `write_history` wrote; None where there is no file.

    Args:
        folder: with result.json.
        kind: `History`, which this package lies below.

    Raises:
        DiffDopeError: if the file cannot be read, lacks an array, or the arrays are not of one history.
    """
    path = folder / FILE_NAME
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays: dict[str, Any] = {name: stored[name] for name in stored.files}
    except Exception as error:  # zip files can be broken in many ways
        raise refused("history", f"cannot read {path}: {error}") from error
    known = fields_of(kind)
    missing = [name for name, (_, needed) in known.items() if needed and name not in arrays]
    if missing:
        raise expected(f"history in {path}", f"the array {missing[0]}", f"arrays {', '.join(arrays) or 'none'}")
    found = {name: arrays[name] for name in known if name in arrays}
    _check_shapes(path, found)
    return kind(**found)


def _check_shapes(path: Path, arrays: dict[str, Any]) -> None:
    """Refuses arrays that do not belong together: (K, B) iterates and hypotheses."""
    for name, array in arrays.items():
        if array.ndim != _AXES[name] or array.dtype.kind not in "fi":
            numbers = f"numbers with {_AXES[name]} axes"
            raise expected(f"history in {path}, {name}", numbers, f"{array.dtype} of shape {array.shape}")
    rows, count = arrays["costs"].shape
    wanted = {"R_m2c": (rows, count, 3, 3), "t_m2c": (rows, count, 3), "learning_rates": (count,), "sizes": (rows,)}
    for name, shape in wanted.items():
        if name in arrays and arrays[name].shape != shape:
            raise expected(f"history in {path}, {name}", f"shape {shape}", arrays[name].shape)
