"""Start poses as people have them: a pose, a matrix, a file, or several of these."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, as_floats, expected
from diffdope.geometry.pose import POSE_CURE, Pose, as_pose, is_array_like
from diffdope.io.poses import read_start_poses
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.result import RefinementResult

One = Pose | NDArray[np.floating[Any]] | str | Path
Start = One | Sequence[One]
_SHAPES = ((4, 4), (3, 4))
_WANTED = "a Pose, a matrix (4, 4), the path of a pose file, or a list of these"


def poses_of(start: Any, name: str = "pose") -> tuple[list[Pose], tuple[str, ...]]:
    """All start poses, and what was concluded about files.

    Args:
        start: as `Start` has it.
        name: of the argument.

    Raises:
        DiffDopeError: if it is something else, an empty list, or a file that cannot be read.
    """
    if isinstance(start, Pose):
        return [start], ()
    if start is None:
        raise expected(name, _WANTED, "none", "locate(observation) needs no start")
    if isinstance(start, str | os.PathLike):
        if not Path(start).is_file():
            raise expected(name, _WANTED, repr(start), "there is no such file")
        found = read_start_poses(Path(start), name=name)
        return list(found.poses), found.notes
    matrix = _matrices(start, name)
    if matrix is not None:
        return [as_pose(name, one) for one in matrix], ()
    if not isinstance(start, list | tuple) or not start:
        raise expected(name, _WANTED, "an empty list" if start == [] else type(start).__name__, POSE_CURE)
    poses: list[Pose] = []
    notes: list[str] = []
    for k, one in enumerate(start):
        if isinstance(one, list | tuple) and not isinstance(one, Pose):
            raise expected(f"{name}[{k}]", _WANTED, type(one).__name__, POSE_CURE)
        those, said = poses_of(one, f"{name}[{k}]")
        poses += those
        notes += said
    return poses, tuple(dict.fromkeys(notes))


def best_of(results: Sequence[RefinementResult]) -> RefinementResult:
    """The result to trust most: found, of the highest confidence, of the lowest cost; its notes say which it was."""

    def rank(k: int) -> tuple[bool, float, float]:
        result = results[k]
        return result.ok, -1.0 if result.confidence is None else result.confidence, -result.cost

    best = max(range(len(results)), key=rank)
    seconds = sum(result.elapsed_s for result in results)
    which = Note(NoteCode.BEST_START, f"the best of {len(results)} start poses: number {best + 1}")
    return replace(results[best], notes=(which, *results[best].notes), elapsed_s=seconds)


def _matrices(start: Any, name: str) -> NDArray[np.float64] | None:
    """Matrices (N, 4, 4) or (N, 3, 4), of one or of several; None for what is no array of numbers."""
    if isinstance(start, list | tuple) and any(isinstance(one, Pose | str | os.PathLike) for one in start):
        return None
    if not is_array_like(start) or len(np.shape(start) if hasattr(start, "__array__") else start) == 0:
        return None
    try:
        array = as_floats(name, start)
    except DiffDopeError:
        return None
    if array.shape in _SHAPES:
        return array[None]
    if array.ndim == 3 and array.shape[1:] in _SHAPES:
        return array
    raise expected(name, "a matrix (4, 4), or several (N, 4, 4)", f"an array of shape {array.shape}", POSE_CURE)
