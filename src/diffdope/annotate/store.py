"""The files of a session: its own annotation.json, and a data set in the BOP format that is always in step with it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from diffdope.annotate.state import Annotations, Origin, Placement
from diffdope.annotate.undo import History, UndoText, history_of
from diffdope.errors import DiffDopeError, expected
from diffdope.geometry.pose import Pose
from diffdope.io.files import atomic, write_durably
from diffdope.io.json_files import read_numbered, read_object
from diffdope.io.plain import from_plain, to_plain
from diffdope.io.ply import write_ply
from diffdope.io.poses import pose_of
from diffdope.jobs.lock import WriterLock
from diffdope.scene.mesh import Mesh

VERSION = 1
OWN, TRUTH, KEPT = "annotation.json", "scene_gt.json", "scene_gt.before_annotation.json"
UNDO = "annotation.undo.json"


class Store:
    """The folder of one scene, OUT/SPLIT/SCENE; one process at a time.

    Args:
        out: folder of the data set.
        split: folder of the scenes in it.
        scene_id: which scene.

    Raises:
        DiffDopeError: if another process works on the scene.
        OSError: if the folder cannot be written.
    """

    def __init__(self, out: Path, split: str, scene_id: int) -> None:
        self.out, self.folder = out, out / split / f"{scene_id:06d}"
        self._made = [one for one in (self.folder, self.folder.parent, out) if not one.exists()]
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = WriterLock(self.folder / OWN)
        self._undo = UndoText()

    def load(self) -> Annotations | None:
        """Where the session was left; else the scene_gt.json that is there; None where there is neither.

        A scene_gt.json that no session wrote is kept under another name before the first change.

        Raises:
            DiffDopeError: if one of them is broken, or annotation.json is of another version.
        """
        own = self.folder / OWN
        if own.is_file():
            entry = read_object(own)
            if entry.get("diffdope_annotation") != VERSION:
                raise expected(str(own), f"diffdope_annotation {VERSION}", entry.get("diffdope_annotation"))
            state: Annotations = from_plain(Annotations, entry.get("state"), str(own))
            return state
        if (self.folder / TRUTH).is_file():
            return _state_of(read_numbered(self.folder / TRUTH), self.folder / TRUTH)
        return None

    def save(self, state: Annotations) -> None:
        """Writes annotation.json and scene_gt.json: each whole or not at all, and on the disk when this returns.

        annotation.json comes first, and a restart makes scene_gt.json from it again, so that a crash between the two
        loses nothing.

        Raises:
            OSError: if the disk is full, say; what was there stays.
        """
        own, truth = self.folder / OWN, self.folder / TRUTH
        if not own.is_file() and truth.is_file() and not (self.folder / KEPT).is_file():
            shutil.copy2(truth, self.folder / KEPT)
        write_durably(own, _text({"diffdope_annotation": VERSION, "state": to_plain(state)}))
        write_durably(truth, _text(truth_of(state)))

    def save_history(self, history: History, state: Annotations) -> None:
        """Writes what undo and redo go through beside the session; where that fails, nothing but that is lost."""
        path = self.folder / UNDO
        try:
            with atomic(path) as unfinished:
                unfinished.write_text(json.dumps(self._undo.entry(history, state), allow_nan=False), encoding="utf-8")
        except OSError:
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def load_history(self, state: Annotations) -> History:
        """What undo and redo go through from the state that was loaded; nothing where the file is of another one, was
        cut off, or is not there."""
        try:
            return history_of(read_object(self.folder / UNDO), state)
        except (DiffDopeError, OSError):
            return [], []

    def write_models(self, meshes: Mapping[int, Mesh]) -> None:
        """Writes models/obj_000001.ply and so on, and models_info.json; files that are there stay."""
        folder = self.out / "models"
        folder.mkdir(exist_ok=True)
        info = read_object(folder / "models_info.json") if (folder / "models_info.json").is_file() else {}
        before = dict(info)
        for obj_id, mesh in meshes.items():
            path = folder / f"obj_{obj_id:06d}.ply"
            if not path.is_file():
                write_ply(
                    path, mesh.vertices_m, mesh.faces, uv=mesh.uv, texture=mesh.texture, colors=mesh.colors
                )  # fmt: skip
            info.setdefault(str(obj_id), _extent(mesh))
        if info != before:
            write_durably(folder / "models_info.json", _text(info))

    def close(self) -> None:
        """Lets another process work on the scene; folders that were made and hold nothing are removed again."""
        self._lock.release()
        for folder in self._made:
            with suppress(OSError):  # there is something in it
                folder.rmdir()


def truth_of(state: Annotations) -> dict[str, list[dict[str, Any]]]:
    """scene_gt.json: what is annotated, by picture; millimetres."""
    entries: dict[str, list[dict[str, Any]]] = {}
    for im_id in sorted({one.im_id for one in state.placements}):
        placed = state.annotations(im_id)
        if placed:
            entries[str(im_id)] = [_truth_entry(one.pose, state.obj_id(one.thing)) for one in placed]
    return entries


def _truth_entry(pose: Pose, obj_id: int) -> dict[str, Any]:
    R, t = pose.to_bop()
    return {"cam_R_m2c": R, "cam_t_m2c": t, "obj_id": obj_id}


def _state_of(entries: Mapping[int, Any], path: Path) -> Annotations:
    """The objects of a scene_gt.json; nobody says which of different pictures are the same, so none are."""
    state = Annotations(min(entries, default=0))
    for im_id, listed in sorted(entries.items()):
        if not isinstance(listed, list):
            raise expected(f"{path}, key {im_id}", "a list of objects", type(listed).__name__)
        for k, entry in enumerate(listed):
            where = f"{path}, key {im_id}[{k}]"
            pose = pose_of(entry, where)
            obj_id = entry.get("obj_id")
            if type(obj_id) is not int:
                raise expected(where, "the key obj_id", repr(obj_id))
            state = state.with_thing(obj_id)
            assert state.selected is not None
            state = state.with_placements(Placement(im_id, state.selected, pose, Origin.FILE))
    return state.looking_at(state.im_id)


def _extent(mesh: Mesh) -> dict[str, float]:
    """An entry of models_info.json, millimetres."""
    low, high = 1e3 * mesh.bounds
    names = ("min_x", "min_y", "min_z"), ("size_x", "size_y", "size_z")
    least, size = (
        dict(zip(name, part.tolist(), strict=True)) for name, part in zip(names, (low, high - low), strict=True)
    )
    return {"diameter": 1e3 * mesh.diameter, **least, **size}


def _text(entry: Mapping[str, Any]) -> str:
    return json.dumps(entry, indent=1, allow_nan=False) + "\n"
