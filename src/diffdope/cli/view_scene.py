"""What `diffdope view` shows of scene.json: the files that it names, read as `diffdope scene` reads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from diffdope.cli.made_with import Places, flags_of
from diffdope.cli.scene_command import SceneArguments, capture_files
from diffdope.errors import DiffDopeError, expected
from diffdope.geometry.pose import Pose
from diffdope.io.poses import pose_of
from diffdope.pipelines.result import Status
from diffdope.scene.mesh import Mesh
from diffdope.scene.mesh_io import Unit, unit_of
from diffdope.scene.observation import Observation
from diffdope.viewer.content import Content
from diffdope.viewer.scene_content import SightedObject, SightedView, scene_content

_CURE = "make it again with this version"


def scene_of(entry: Mapping[str, Any], file: Path, places: Places) -> Content:
    """Objects and views of a scene.json.

    Args:
        entry: what it holds.
        file: its path.
        places: where its files are.

    Raises:
        DiffDopeError: if a mesh that it names is not there, or it does not say which files it was made of.
    """
    inputs = entry.get("inputs") or {}
    meshes = _meshes(inputs, len(entry["objects"]), places)
    objects = [
        _object(one, mesh, f"{file}, objects[{k}]")
        for k, (one, mesh) in enumerate(zip(entry["objects"], meshes, strict=True))
    ]
    images, missing = _images(inputs, len(entry["views"]), places)
    views = [
        SightedView(one["name"], seen, Pose.from_matrix(one["T_w2c"]), _words_of_view(one))
        for one, seen in zip(entry["views"], images, strict=True)
    ]
    text = [f"note: {note}" for note in entry.get("notes", ())]
    return scene_content(objects, views, title=places.title, text=text, missing=missing)


def _meshes(inputs: Mapping[str, Any], count: int, places: Places) -> list[Mesh]:
    named = inputs.get("objects") or []
    if len(named) != count:
        raise expected("result", f"the meshes of {count} objects in its inputs", len(named), _CURE)
    kept: dict[tuple[Path, Unit | None], Mesh] = {}
    meshes = []
    for one in named:
        path, unit = places.find(one["mesh"]), one.get("unit")
        if not path.is_file():
            raise expected("result", "the mesh that it names", f"{path}, which is not there", "give --root FOLDER")
        if (path, unit) not in kept:
            kept[path, unit] = Mesh.load(path, unit=unit_of(path, unit))
        meshes.append(kept[path, unit])
    return meshes


def _images(inputs: Mapping[str, Any], count: int, places: Places) -> tuple[list[Observation | None], list[str]]:
    """Of each view, and what is gone."""
    named = {name: value for name, value in inputs.items() if name != "objects"}
    nothing: list[Observation | None] = [None] * count
    if not named.get("rgb") and not named.get("depth"):
        return nothing, [f"images: the result does not name them; {_CURE}"]
    try:
        files = capture_files(flags_of(SceneArguments, named, places, out=places.folder))
    except DiffDopeError as error:
        return nothing, [f"images: {error}"]
    if len(files) != count:
        return nothing, [f"images: of {len(files)} views, while the result has {count}"]
    seen, missing = nothing, []
    for number, one in enumerate(files):
        try:
            capture = one.read()
            seen[number] = Observation(capture.camera, **capture.images)
        except DiffDopeError as error:
            missing.append(f"images of view {number}: {error}")
    return seen, missing


def _object(one: Mapping[str, Any], mesh: Mesh, where: str) -> SightedObject:
    covariance = None if one.get("covariance") is None else np.array(one["covariance"], np.float64)
    why = "" if Status(one["status"]).ok else f": {one['message']}"
    return SightedObject(
        one["name"], mesh, Status(one["status"]).ok, Pose.from_matrix(one["T_m2w"]),
        tuple(pose_of(seen, where) for seen in one["views"]), covariance,
        f"{one['name']}: {one['status']}, confidence {one['confidence']:.2f}{why}",
        tuple(_words_of_sight(one["name"], seen) for seen in one["views"]),
    )  # fmt: skip


def _words_of_sight(name: str, seen: Mapping[str, Any]) -> str:
    if not seen.get("used"):
        return f"{name}: not used here: {seen['reason']}" if seen.get("reason") else ""
    sure = "" if seen.get("confidence") is None else f"confidence {seen['confidence']:.2f} here"
    off = "" if seen.get("deviations") is None else f"{seen['deviations']:.1f} sigma from what this view says alone"
    return f"{name}: {', '.join(word for word in (sure, off) if word)}" if sure or off else ""


def _words_of_view(one: Mapping[str, Any]) -> tuple[str, ...]:
    lines = [] if one.get("used", True) else [f"left out: {one.get('reason', '')}"]
    if one.get("refined") and one.get("used", True):
        lines.append(f"its camera moved by {one['moved_mm']:.2f} mm and {one['moved_deg']:.3f} degrees")
    return tuple(lines)
