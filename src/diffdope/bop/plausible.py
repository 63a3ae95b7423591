"""Whether the poses of a results file can be meant as they stand: unit and frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from diffdope.errors import expected
from diffdope.io.bop_results import Estimate

_NEAREST_M = 0.01  # no camera sees an object nearer than this
_NEARLY_ALL = 0.9  # of the poses of a file: what is wrong with those is the file's, not the method's


def check_frame(estimates: Sequence[Estimate], path: Path, *, name: str = "results") -> str:
    """A note on poses that cannot be meant so, where there are some; empty where there are none.

    Args:
        estimates: of the file.
        path: the file, for the error.
        name: the argument to blame.

    Raises:
        DiffDopeError: if nearly all of them are nearer than any camera sees, as metres in place of millimetres are, or
            behind the camera, as those of OpenGL are.
    """
    if not estimates:
        return ""
    t = np.array([estimate.pose.t_m2c for estimate in estimates])
    near = np.linalg.norm(t, axis=1) < _NEAREST_M
    behind = t[:, 2] < 0.0
    middle_mm = 1e3 * float(np.median(np.linalg.norm(t, axis=1)))
    if near.mean() >= _NEARLY_ALL:
        got = f"a median of {middle_mm:.3g} mm"
        cure = "translations are probably in metres: multiply t by 1000"
        raise expected(f"{name} file {path}", "millimetres from the camera", got, cure)
    if behind.mean() >= _NEARLY_ALL:
        got = f"{int(behind.sum())} of {len(t)} behind it (z < 0)"
        cure = "they are probably of an OpenGL camera: turn R and t by diag(1, -1, -1), as Pose.from_opengl does"
        raise expected(f"{name} file {path}", "poses in front of the camera", got, cure)
    parts = []
    if near.any():
        parts.append(f"{int(near.sum())} nearer than {1e3 * _NEAREST_M:g} mm (metres?)")
    if behind.any():
        parts.append(f"{int(behind.sum())} behind the camera (OpenGL?)")
    return f"of {len(t)} poses in {path.name}, {' and '.join(parts)}" if parts else ""
