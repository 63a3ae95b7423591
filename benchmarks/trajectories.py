"""Real hand-held camera paths beside the project, at a video's rate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.shared_data import DATA
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose

FOLDER = DATA / "ycbv_trajectories"
RATE = 30.0  # of the original film
# File -> model of ycbv_frames, whose object frame is the same.
PATHS = {
    "0052_006_mustard_bottle": 5, "0053_005_tomato_soup_can": 4, "0059_003_cracker_box": 2, "0059_035_power_drill": 15,
    "0054_021_bleach_cleanser": 12, "0048_002_master_chef_can": 1, "0058_004_sugar_box": 3,
    "0059_010_potted_meat_can": 9, "0056_011_banana": 10, "0053_024_bowl": 13, "0051_037_scissors": 17,
}  # fmt: skip


def model_path(name: str) -> Path:
    """The textured mesh of a path's object, in millimetres."""
    return DATA / "ycbv_frames" / "models" / f"obj_{PATHS[name]:06d}.ply"


def poses(name: str, count: int, *, speed: float) -> list[Pose]:
    """`count` poses at 30 a second, the path played `speed` times as fast; it is walked to and fro if it is short.

    Key frames are sparse and uneven in time (a third of a second apart, typically): cubic splines go through them.
    """
    from scipy.interpolate import CubicSpline
    from scipy.spatial.transform import Rotation, RotationSpline

    rows = np.loadtxt(FOLDER / f"{name}.txt")
    times = key_times(name[:4])
    rotations = Rotation.from_matrix(so3.matrix_from_wxyz(rows[:, :4]))
    turn, shift = RotationSpline(times, rotations), CubicSpline(times, rows[:, 4:])
    length = float(times[-1] - times[0])
    at = np.arange(count) * speed / RATE % (2.0 * length)
    at = times[0] + np.minimum(at, 2.0 * length - at)
    return [Pose(R, t) for R, t in zip(turn(at).as_matrix(), shift(at), strict=True)]


def key_times(scene: str) -> NDArray[np.float64]:
    """Seconds of a scene's key frames."""
    lines = (FOLDER / "keyframe.txt").read_text().split()
    return np.array([int(line.split("/")[1]) for line in lines if line.startswith(scene)]) / RATE
