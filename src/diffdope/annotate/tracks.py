"""What `diffdope track` found, one folder an object, as annotations to be corrected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath
from typing import Any

from diffdope.annotate.state import Annotations, Origin, Placement
from diffdope.errors import expected, none_at, some_of
from diffdope.io.poses import pose_of
from diffdope.jobs.journal import read_journal
from diffdope.problem.failure import Status

JOURNAL = "poses.jsonl"
_ARGUMENT = "tracked"


def state_of_tracks(folders: Sequence[Path], meshes: Mapping[int, str], pictures: Mapping[str, int]) -> Annotations:
    """The tracked objects in all pictures, each the same object throughout; frames in which one was lost have none.

    Args:
        folders: of `track`, or their poses.jsonl, one an object.
        meshes: stem of the mesh file of each object's number.
        pictures: number of each picture, by the stem of its files.

    Raises:
        DiffDopeError: if one is no run of a rigid object, or given twice, its mesh is not among these, or its frames
            are not among the pictures.
    """
    state, runs = Annotations(min(pictures.values())), set[Path]()
    for folder in folders:
        path = folder if folder.suffix == ".jsonl" else folder / JOURNAL
        if not path.is_file():
            raise none_at(_ARGUMENT, f"a folder of `diffdope track` with {JOURNAL}", folder)
        if path.resolve() in runs:  # every frame would have the object twice in one place
            raise expected(_ARGUMENT, "each run once", f"{folder} twice", "a run is one object: leave one out")
        runs.add(path.resolve())
        header, records, _ = read_journal(path)
        inputs = header.get("inputs")
        where = f"{_ARGUMENT} {folder}"
        state = state.with_thing(_object_of(inputs if isinstance(inputs, Mapping) else {}, meshes, where))
        assert state.selected is not None
        _check_frames(list(records), pictures, where)
        state = state.with_placements(*(
            Placement(
                pictures[name], state.selected, pose_of(record, f"{path}, {name}"), Origin.TRACKED,
                confidence=record.get("confidence"),
            )
            for name, record in records.items() if name in pictures and record.get("status") != Status.LOST
        ))  # fmt: skip
    return state.looking_at(state.im_id)


def _object_of(inputs: Mapping[str, Any], meshes: Mapping[int, str], where: str) -> int:
    """The number of the object whose mesh was tracked: told by the name of its file, for runs count from 1, too."""
    mesh = inputs.get("mesh")
    if not isinstance(mesh, str):
        raise expected(where, "a run of one rigid object, with its mesh", "none of a mesh", "robots are not annotated")
    stem = PureWindowsPath(mesh).stem  # takes both kinds of slash
    found = [obj_id for obj_id, name in meshes.items() if name == stem]
    if len(found) != 1:
        listed = some_of(meshes.values())
        cure = "give the same mesh file" if not found else "name the mesh files differently"
        raise expected(where, f"one of the meshes {listed}", f"a run with {mesh}", cure)
    return found[0]


def _check_frames(frames: Sequence[str], pictures: Mapping[str, int], where: str) -> None:
    """Refuses pictures that are other than the frames.

    A film's frames are counted from 0, pictures that ffmpeg writes from 1: all but one would have the poses of others.
    """
    shared = [name for name in frames if name in pictures]
    if not shared:
        got = f"frames {some_of(frames)}" if frames else "a run without frames"
        raise expected(where, f"frames named as the pictures {some_of(pictures)}", got, "give the pictures of the run")
    counted = frames[0].isdecimal() and int(frames[0]) == 0
    later = counted and frames[0] not in pictures and len(pictures) >= len(frames)
    if later:
        cure = "count them from 0: ffmpeg -i FILM -start_number 0 rgb/%06d.png"
        raise expected(where, f"a picture {frames[0]}", f"pictures {some_of(pictures)}", cure)
