"""Poses as other tools read them: 4 x 4 in text, BOP's scene_gt.json, TUM's trajectories."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from diffdope.geometry.pose import Pose
from diffdope.io.bop_results import Estimate, write_results
from diffdope.io.files import write_durably, write_json


def write_matrix(path: str | Path, pose: Pose) -> None:
    """Writes T_m2c as 4 lines of 4 numbers, metres, as FoundationPose and numpy.loadtxt read it."""
    rows = [" ".join(f"{value:.17g}" for value in row) for row in pose.matrix]
    write_durably(Path(path), "\n".join(rows) + "\n")


def write_scene_gt(path: str | Path, poses: Iterable[tuple[int, int, Pose]]) -> None:
    """Writes BOP's scene_gt.json of (image, object, pose); millimetres."""
    entries: dict[str, list[dict[str, object]]] = {}
    for im_id, obj_id, pose in poses:
        R, t = pose.to_bop()
        entries.setdefault(str(im_id), []).append({"cam_R_m2c": R, "cam_t_m2c": t, "obj_id": obj_id})
    write_json(Path(path), entries)


def write_tum(path: str | Path, poses: Iterable[tuple[float, Pose]]) -> None:
    """Writes TUM's trajectory of (time in seconds, pose): time tx ty tz qx qy qz qw, metres, of the object in the
    camera."""
    lines = ["# time tx ty tz qx qy qz qw: of the object in the camera, metres"]
    for time_s, pose in poses:
        w, x, y, z = pose.wxyz
        numbers = " ".join(f"{value:.9g}" for value in (*pose.t_m2c, x, y, z, w))
        lines.append(f"{time_s:.6f} {numbers}")
    write_durably(Path(path), "\n".join(lines) + "\n")


def write_pose_files(folder: Path, pose: Pose, *, score: float, seconds: float, im_id: int, obj_id: int) -> None:
    """Writes one pose in every one of these formats: pose.txt, pose.csv (BOP results) and scene_gt.json."""
    write_matrix(folder / "pose.txt", pose)
    write_results(folder / "pose.csv", [Estimate(0, im_id, obj_id, score, pose, seconds)])
    write_scene_gt(folder / "scene_gt.json", [(im_id, obj_id, pose)])


def write_pose_list(folder: Path, poses: Iterable[tuple[int, Pose, float]], *, seconds: float, im_id: int) -> None:
    """Writes several poses in one image, with their scores: poses.csv (BOP results) and scene_gt.json.

    Args:
        folder: for the files.
        poses: numbers of the objects, poses, and scores as they are to stand there.
        seconds: that all of them took.
        im_id: of the image.
    """
    rows = [Estimate(0, im_id, obj_id, score, pose, seconds) for obj_id, pose, score in poses]
    write_results(folder / "poses.csv", rows)
    write_scene_gt(folder / "scene_gt.json", [(im_id, row.obj_id, row.pose) for row in rows])
