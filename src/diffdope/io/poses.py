"""Start poses of files, whichever tool wrote them: one, or several, in the camera's frame and in metres.

What the formats are: `io/pose_texts.py` and `io/pose_objects.py`. A pose under BOP's keys: `io/bop_poses.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from diffdope.error_kinds import UnknownKeysError, unknown_keys
from diffdope.errors import DiffDopeError, check_choice, expected, refused
from diffdope.geometry.pose import Pose
from diffdope.io.bop_poses import pose_entry, pose_of, world_of
from diffdope.io.bop_results import Estimate, read_results
from diffdope.io.json_files import read_text
from diffdope.io.pose_objects import NAMES_ARE_LISTED, POSE_OF_A_CAMERA, StatedPose
from diffdope.io.pose_texts import is_table_of_poses, read_entries
from diffdope.note_codes import Note, NoteCode

__all__ = [
    "KINDS", "StartPoses", "pose_entry", "pose_of", "read_extrinsics", "read_start_pose", "read_start_poses",
    "world_of",
]  # fmt: skip

Kind = Literal["m2c", "c2m", "m2c-opengl", "c2m-opengl"]
KINDS = ("m2c", "c2m", "m2c-opengl", "c2m-opengl")
_METRES = {"m": 1.0, "mm": 1e-3, "cm": 1e-2, "inch": 0.0254}
_NEAREST_MM, _FARTHEST_MM = 10.0, 1e5  # a start pose beyond these is in another unit
_MILLIMETRES = 20.0  # a distance above this, in a file without a unit, is no metres: objects are nearer
_APART_MM = 5000.0  # cameras of one rig are not farther apart, so a number above 5 is no metres


@dataclass(frozen=True)
class StartPoses:
    """Poses to start from.

    Attributes:
        poses: at least one, model to camera, metres.
        notes: what was concluded about unit and frame.
    """

    poses: tuple[Pose, ...]
    notes: tuple[str, ...] = ()


def read_start_poses(
    path: str | Path,
    *,
    obj_id: int | None = None,
    image_id: int | None = None,
    unit: Literal["m", "mm", "cm", "inch"] | None = None,
    kind: Kind = "m2c",
    name: str = "init",
) -> StartPoses:
    """Reads the poses to start from.

    Args:
        path: JSON, YAML, text, .npy, .npz or BOP results CSV; see docs/files.md.
        obj_id: selects where the file names objects.
        image_id: selects where the file names images.
        unit: of lengths in the file; None for what its format, or the distance from the camera, says.
        kind: "m2c" for model to camera, "c2m" for the inverse, with -opengl for a camera that looks along -z.
        name: the argument to blame.

    Raises:
        DiffDopeError: if the file cannot be read, holds no such pose, its numbers make none, or make one that can only
            be in another unit.
    """
    path = Path(path)
    check_choice(f"{name}-kind", kind, KINDS)
    if unit is not None:
        check_choice(f"{name}-unit", unit, tuple(_METRES))
    if path.suffix.lower() == ".csv" and not is_table_of_poses(read_text(path, name)):
        rows = _selected(read_results(path, name=name), path, obj_id, image_id, name)
        entries = [StatedPose(row.pose.R_m2c, 1e3 * row.pose.t_m2c, "mm", exact=row.pose) for row in rows]
    else:
        entries = _chosen(read_entries(path, name), path, obj_id, image_id, name)
    where = f"{name} file {path}"
    made = [_pose(entry, unit, kind, where, name) for entry in entries]
    notes = list(dict.fromkeys(note for _, its in made for note in its))
    frames = dict.fromkeys(one.frame for one in entries if _is_other_frame(one.frame))
    notes += [Note(NoteCode.START_FRAME, _other_frame(frame, where, name)) for frame in frames]
    for pose, _ in made:
        if pose.t_m2c[2] < 0:
            notes.append(Note(NoteCode.START_BEHIND, _behind(pose, kind, name)))
            break
    return StartPoses(tuple(pose for pose, _ in made), tuple(notes))


def read_start_pose(
    path: str | Path, *, obj_id: int | None = None, image_id: int | None = None, name: str = "init"
) -> Pose:
    """Reads the one pose to start from; see `read_start_poses`.

    Raises:
        DiffDopeError: if it holds several, too.
    """
    poses = read_start_poses(path, obj_id=obj_id, image_id=image_id, name=name).poses
    if len(poses) != 1:
        raise expected(f"{name} file {path}", "one pose", f"{len(poses)}", "choose with --image-id and --obj-id")
    return poses[0]


def read_extrinsics(path: str | Path, *, name: str = "depth-extrinsics") -> Pose:
    """Reads the pose of one camera's frame in another's, in metres; where the unit is not stated, a distance above 5 is
    millimetres.

    Raises:
        DiffDopeError: if the file cannot be read, or does not hold one rigid transform.
    """
    try:
        entries = read_entries(Path(path), name)
    except UnknownKeysError as error:  # keys of BOP's poses are of objects, not of cameras
        raise unknown_keys(error.argument, POSE_OF_A_CAMERA, error.keys, NAMES_ARE_LISTED) from error
    return of_cameras(entries, Path(path), name)


def of_cameras(entries: Sequence[StatedPose], path: Path, name: str) -> Pose:
    """The one transform between two cameras that a file states, metres; see `read_extrinsics`."""
    if len(entries) != 1:
        raise expected(f"{name} file {path}", "one transform", len(entries))
    (entry,) = entries
    distance = float(np.linalg.norm(entry.t))
    in_mm = entry.unit == "mm" or (entry.unit is None and distance > 1e-3 * _APART_MM)
    if not np.isfinite(distance) or distance > _APART_MM:
        raise expected(f"{name} file {path}", f"cameras at most {_APART_MM:g} mm apart", f"{distance:.4g}")
    try:
        return Pose(entry.R, entry.t * (1e-3 if in_mm else 1.0))
    except DiffDopeError as error:
        raise refused(f"{name} file {path}", str(error)) from error


def _pose(entry: StatedPose, unit: str | None, kind: Kind, where: str, name: str) -> tuple[Pose, list[Note]]:
    notes = []
    told = unit or entry.unit
    if told is None:
        distance = float(np.linalg.norm(entry.t))
        told = entry.longer if distance > _MILLIMETRES else "m"
        word = {"mm": "millimetres", "cm": "centimetres", "m": "metres"}[told]
        other, *more = (unit for unit in ("m", "mm", "cm", "inch") if unit != told)
        if told == "m":
            other, more = "mm", ["cm", "inch"]
        cure = f"--{name}-unit {other} (or {', '.join(more)}) says otherwise"
        text = f"{where}: lengths were taken for {word}, because t is {distance:.4g} long; {cure}"
        notes.append(Note(NoteCode.START_UNIT, text))
    try:
        if entry.exact is not None and told == entry.unit and kind == "m2c":
            pose = entry.exact
        else:
            pose = Pose(entry.R, entry.t * _METRES[told])
            if kind.startswith("c2m"):
                pose = pose.inverse()
            pose = Pose.from_opengl(pose.matrix) if kind.endswith("opengl") else pose
    except DiffDopeError as error:
        raise refused(where, str(error)) from error
    _check_distance(pose, where, in_bop=entry.unit == "mm" and unit is None, name=name)
    return pose, notes


def _is_other_frame(frame: str) -> bool:
    """Whether a message's frame may be none of a camera as OpenCV has it: ROS calls those optical (REP 103)."""
    word = frame.lower()
    return bool(word) and "optical" not in word and ("cam" not in word or word.endswith(("_link", "_frame")))


def _other_frame(frame: str, where: str, name: str) -> str:
    return (
        f"{where}: the pose is given in the frame {frame!r}, and was taken for one in the camera's optical frame (x "
        f"right, y down, z forward): convert it, if these differ, or give --{name}-kind c2m if {frame!r} is the object"
    )


def _behind(pose: Pose, kind: Kind, name: str) -> str:
    """What may be meant by a pose behind the camera."""
    others = [f"--{name}-kind {word}" for word in ("m2c-opengl", "c2m", "c2m-opengl") if word != kind]
    z = 1e3 * pose.t_m2c[2]
    return f"the start pose is behind the camera (z = {z:.4g} mm): is it of another kind? {' or '.join(others)}"


def _chosen(
    entries: list[StatedPose], path: Path, obj_id: int | None, image_id: int | None, name: str
) -> list[StatedPose]:
    entries = _numbered(entries)
    kept = [
        entry for entry in entries
        if obj_id in (None, entry.obj_id) or entry.obj_id is None
        if image_id in (None, entry.image_id) or entry.image_id is None
    ]  # fmt: skip
    names = sorted({(e.image_id, e.obj_id) for e in kept}, key=str)
    if kept and len(names) == 1:
        return kept
    known = sorted({(e.image_id, e.obj_id) for e in entries}, key=str)
    cure = _choice(known, {e.obj_id: e.label for e in entries})
    raise expected(f"{name} file {path}", "poses of one object in one image", _count(kept, entries), cure)


def _numbered(entries: list[StatedPose]) -> list[StatedPose]:
    """Objects that have names without numbers are counted from 1, in their order, where there are several names."""
    labels = list(dict.fromkeys(entry.label for entry in entries if entry.label))
    if len(labels) < 2:
        return entries
    return [replace(one, obj_id=labels.index(one.label) + 1) if one.label else one for one in entries]


def _count(kept: list[StatedPose], entries: list[StatedPose]) -> str:
    return f"{len(kept)} of {len(entries)} poses"


def _choice(names: list[tuple[int | None, int | None]], labels: Mapping[int | None, str]) -> str:
    texts = [
        " ".join(f"{word} {value}" for word, value in (("image", image), ("object", obj)) if value is not None)
        + (f" ({labels[obj]})" if labels.get(obj) else "")
        for image, obj in names[:10]
    ]
    listed = "; ".join(text for text in texts if text) + ("; ..." if names[10:] else "")
    return f"choose with --image-id and --obj-id among: {listed}" if listed else ""


def _selected(rows: list[Estimate], path: Path, obj_id: int | None, image_id: int | None, name: str) -> list[Estimate]:
    chosen = [row for row in rows if obj_id in (None, row.obj_id) and image_id in (None, row.im_id)]
    if chosen and len({(row.im_id, row.obj_id) for row in chosen}) == 1:
        return chosen
    names = sorted({(row.im_id, row.obj_id) for row in rows})
    listed = "; ".join(f"image {image} object {obj}" for image, obj in names[:10]) + ("; ..." if names[10:] else "")
    cure = f"choose with --image-id and --obj-id among: {listed}" if rows else ""
    raise expected(f"{name} file {path}", "exactly one row", f"{len(chosen)} of {len(rows)}", cure)


def _check_distance(pose: Pose, where: str, *, in_bop: bool, name: str) -> None:
    distance_mm = 1e3 * float(np.linalg.norm(pose.t_m2c))
    key = f"{where}: cam_t_m2c" if in_bop else where
    if distance_mm < _NEAREST_MM:
        cure = (
            f"it is probably in metres: multiply by 1000, or give --{name}-unit m"
            if distance_mm > 0
            else "it is missing"
        )
        raise expected(key, f"millimetres from the camera, at least {_NEAREST_MM:g}", f"{distance_mm:.4g} mm", cure)
    if distance_mm > _FARTHEST_MM:
        cure = "" if in_bop else f"--{name}-unit mm, if lengths are millimetres"
        raise expected(key, f"millimetres from the camera, at most {_FARTHEST_MM:g}", f"{distance_mm:.4g} mm", cure)
