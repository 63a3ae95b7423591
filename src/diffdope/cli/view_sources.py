"""Which result a path holds, and what is read to show it: the same files, by the same flags, as when it was made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from diffdope.cli.calibrate_command import CalibrateArguments, read_shots
from diffdope.cli.input_flags import observation_of
from diffdope.cli.locate_command import LocateArguments
from diffdope.cli.located_instances import names_of_kinds
from diffdope.cli.made_with import Places, flags_of
from diffdope.cli.refine_command import RefineArguments
from diffdope.cli.track_command import read_video
from diffdope.cli.track_flags import TrackArguments
from diffdope.cli.track_run import poses_of
from diffdope.cli.view_scene import scene_of
from diffdope.errors import DiffDopeError, expected
from diffdope.geometry.pose import Pose
from diffdope.io.histories import FILE_NAME, read_history
from diffdope.io.json_files import read_object
from diffdope.io.results import decode
from diffdope.jobs.journal import read_journal
from diffdope.pipelines.result import History, RefinementResult
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from diffdope.scene.urdf import load_robot
from diffdope.viewer.content import Content
from diffdope.viewer.frame_reader import FrameReader
from diffdope.viewer.result_content import result_content
from diffdope.viewer.several_content import instances_content, pictures_content, track_content

RESULT, RESULTS, JOURNAL, SCENE = "result.json", "results.json", "poses.jsonl", "scene.json"
_FILES = (RESULT, RESULTS, JOURNAL, SCENE)
KINDS = (
    f"a folder with {RESULT}, {RESULTS}, {JOURNAL} or {SCENE}, one of these files, or the folder of a BOP data set "
    "with --split"
)


def content_of(path: Path, root: Path | None = None) -> Content:
    """What is to be shown of a result of refine, locate, track, scene or calibrate.

    Args:
        path: the file, or its folder.
        root: the folder that relative paths in it begin from; None to look for it.

    Raises:
        DiffDopeError: if there is no such result, or what is needed to show anything of it cannot be read.
    """
    if not path.exists():
        raise expected("result", KINDS, f"{path}, which is not there")
    places = Places(path if path.is_dir() else path.parent, root)
    file = _file_in(path)
    if file.suffix == ".jsonl":
        return _track(file, places)
    entry = read_object(file, "result")
    read = next((reader for key, reader in _READERS.items() if key in entry), _result)
    return read(entry, file, places)


def _file_in(path: Path) -> Path:
    if path.is_file():
        if path.suffix.lower() not in (".json", ".jsonl"):
            cure = "pictures, meshes and poses are shown as part of a result: refine or locate first"
            raise expected("result", KINDS, str(path), cure)
        return path
    found = [path / name for name in _FILES if (path / name).is_file()]
    if not found:
        raise expected("result", KINDS, f"{path}, which has none of these")
    # `track` leaves files of other commands where they are, and they its own: the last one is meant.
    return max(found, key=lambda file: file.stat().st_mtime_ns)


def _result(entry: Mapping[str, Any], file: Path, places: Places) -> Content:
    result = decode(entry, RefinementResult, str(file))
    history = read_history(file.parent, History) if file.name == RESULT else None
    missing: tuple[str, ...] = ()
    if history is not None and history.costs.shape[0] == result.iterations + 1:
        result = replace(result, history=history)
    elif history is not None:
        missing = (f"{FILE_NAME} is of another result",)
    meshes, view, gone = _meshes_and_view(entry, places)
    (mesh,) = meshes.values()
    return result_content(mesh, result, observation=view, title=places.title, missing=(*missing, *gone))


def _instances(entry: Mapping[str, Any], file: Path, places: Places) -> Content:
    meshes, view, gone = _meshes_and_view(entry, places)
    found = []
    for k, one in enumerate(entry["results"]):
        result = decode(one, RefinementResult, f"{file}, results[{k}]")
        name = str(one.get("object", ""))
        mesh = meshes.get(name, next(iter(meshes.values())))
        found.append((f"{one.get('label', k)} {name}".rstrip(), mesh, result))
    return instances_content(found, view=view, title=places.title, missing=gone)


def _meshes_and_view(
    entry: Mapping[str, Any], places: Places
) -> tuple[dict[str, Mesh], Observation | None, tuple[str, ...]]:  # fmt: skip
    """Meshes by their names, and images of a result of refine or locate; what of the images is gone."""
    inputs = entry.get("inputs") or {}
    if inputs.get("example") == "packaged":
        example = packaged_example()
        return {"": example.mesh}, example.observation, ()
    out = places.folder
    kind: Any = RefineArguments if "init" in inputs else LocateArguments
    given = flags_of(kind, inputs, places, out=out)
    for path in given.mesh_files:
        if not path.is_file():
            raise expected("result", "the mesh that it names", f"{path}, which is not there", "give --root FOLDER")
    typed = inputs["mesh"]
    names = names_of_kinds([Path(one) for one in (typed if isinstance(typed, list) else [typed])])
    meshes = dict(zip(names, given.load_meshes(), strict=True))
    changed: dict[str, Any] = {}
    gone = []
    for name in ("rgb", "depth", "mask"):
        path = getattr(given, name)
        if path is not None and not path.exists():
            changed[name] = None
            gone.append(f"{name}: {path} is not there; --root FOLDER says where paths begin")
    labels = given.mask_labels() if "mask" not in changed else []
    try:
        capture = given.files(mask_label=labels[0] if labels else given.mask_id, **changed).read()
    except DiffDopeError as error:
        return meshes, None, (*gone, f"images: {error}")
    return meshes, observation_of(capture), tuple(gone)


def _track(file: Path, places: Places) -> Content:
    header, records, complete = read_journal(file)
    if "inputs" not in header:
        cure = "of a run of `bop refine`, give the data set with --split and --results"
        raise expected("result", f"what `track` wrote in {file}", "another journal", cure)
    if not records:
        raise expected("result", f"tracked frames in {file}", "none")
    given = flags_of(TrackArguments, header["inputs"], places, out=places.folder)
    if given.mesh is None:
        cure = f"look at track.mp4 in {places.folder}"
        raise expected("result", "a film of an object of one shape", f"{file}, of a robot", cure)
    mesh = given.load_mesh()
    frames = list(poses_of(records))
    doubt = float(header.get("settings", {}).get("tracking", {}).get("doubt", 0.0))
    missing: tuple[str, ...] = () if complete else ("the run is not complete: the frames so far",)
    reader: FrameReader | None = None
    try:
        video = read_video(given)
        reader = FrameReader(video.frames.read, video.observation, len(frames))
    except (DiffDopeError, OSError) as error:
        missing = (*missing, f"images: {error}")
    view_of = (lambda k: None) if reader is None else reader.view
    return track_content(mesh, frames, view_of, title=places.title, doubt=doubt, missing=missing)


def _calibration(entry: Mapping[str, Any], file: Path, places: Places) -> Content:
    given = flags_of(CalibrateArguments, entry.get("inputs", {}), places, out=places.folder)
    packages = {name: str(places.find(folder)) for name, _, folder in (one.partition("=") for one in given.package)}
    robot = load_robot(given.urdf, base=given.base_link, surface=given.surface, packages=packages)
    T = Pose.from_matrix(entry["T_camera_base"])
    kinds = (("joint_offsets_deg", np.radians(1.0)), ("joint_offsets_mm", 1e-3))
    offsets = {name: unit * one["value"] for key, unit in kinds for name, one in (entry.get(key) or {}).items()}
    said = {one["name"]: one for one in entry.get("pictures", ())}
    pictures = []
    for shot in read_shots(given, robot):
        values = {name: value + offsets.get(name, 0.0) for name, value in robot.checked(shot.joints, shot.name).items()}
        pictures.append(
            (shot.name, robot.posed(values).mesh, shot.observation, _words_of_picture(said.get(shot.name, {})))
        )
    text = [f"{entry['status']}: {entry['message']}", *(f"note: {note}" for note in entry.get("notes", ()))]
    alternatives = [Pose.from_matrix(one) for one in entry.get("alternatives", ())]
    return pictures_content(pictures, T, alternatives, title=places.title, text=text)


def _hand(entry: Mapping[str, Any], file: Path, places: Places) -> Content:
    cure = f"look at the overlays in {file.parent}: a camera on the hand is not shown yet"
    raise expected("result", KINDS, f"{file}, of a calibration with --eye-in-hand", cure)


# By the key that only such a result has. Another kind of result is a line here, and a function that makes its content.
_READERS: dict[str, Callable[[Mapping[str, Any], Path, Places], Content]] = {
    "T_camera_base": _calibration,
    "T_flange_camera": _hand,
    "results": _instances,
    "objects": scene_of,
}


def _words_of_picture(said: Mapping[str, Any]) -> tuple[str, ...]:
    if not said:
        return ()
    lines = ["used" if said.get("used") else f"left out: {said.get('reason', '')}"]
    for key, words in (("iou", "IoU {:.3f}"), ("outline_px", "outline {:.1f} px"), ("depth_mm", "depth {:+.1f} mm")):
        if said.get(key) is not None:
            lines.append(words.format(said[key]))
    return tuple(lines)
