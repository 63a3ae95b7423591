"""What a run over groups of views writes down: a record a group, and a results CSV a sensor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diffdope.bop.metrics import add, add_s
from diffdope.bop.scene import Instance
from diffdope.geometry.pose import Pose
from diffdope.io.bop_results import Estimate
from diffdope.io.poses import pose_of
from diffdope.io.scene_results import encode_scene
from diffdope.joint.result import SceneResult
from diffdope.note_codes import NoteCode
from diffdope.pipelines.result import Status
from diffdope.scene.mesh import Mesh
from diffdope.search.checks.contradictions import CONTRADICTED

if TYPE_CHECKING:
    from diffdope.bop.multiview_starts import GroupTask, Thing
    from diffdope.bop.refine_work import Photograph

NOTHING_IN_COMMON = (
    "the views have no object in common, though several show one of a kind: are cam_R_w2c and cam_t_w2c right, world "
    "to camera, in millimetres, and of these images?"
)
_POINTS = 2000  # for the running error; `bop eval` takes ten times as many
_NEAR = 0.5  # of the diameter: nearer to a true instance of its kind, a result is taken to be of that


def record_of(
    task: GroupTask, score: str, photographs: Sequence[Photograph],
    meshes: Sequence[Mesh], things: Sequence[Thing], result: SceneResult,
) -> dict[str, Any]:  # fmt: skip
    """The record of a group: what `diffdope scene` writes, and of each object what it was matched with.

    Args:
        task: the group.
        score: where an object's score comes from; "start": that of its start poses, where they have one.
        photographs: of each view.
        meshes: of each object.
        things: the objects.
        result: of the scene.
    """
    record = task.described() | encode_scene(result, [one.obj_id for one in things])
    for entry, thing, one, mesh in zip(record["objects"], things, result.objects, meshes, strict=True):
        entry["sightings"] = [
            {
                "view": seen.view, "start": seen.start.index,
                "gt_id": thing.truth[seen.view].gt_id if seen.view in thing.truth else None,
                "mask": seen.view in thing.masks,
            }
            for seen in thing.sightings
        ]  # fmt: skip
        keeps = bool(thing.scores) and score == "start"
        entry["score"] = max(thing.scores) if keeps else one.confidence
        entry["errors"] = None
        if one.views:
            poses = {seen.view: seen.pose for seen in one.views}
            truth = thing.truth or _nearest(thing.obj_id, poses, photographs, mesh)
            for view, instance in sorted(truth.items())[:1]:
                entry["errors"] = {"view": view, **_errors(poses[view], instance, mesh)}
    if _nothing_in_common(things):
        for entry in record["objects"]:
            entry["notes"] = [*entry["notes"], NOTHING_IN_COMMON]
            entry["note_codes"] = [*entry["note_codes"], NoteCode.VIEWS_APART.value]
            entry["confidence"] = min(entry["confidence"] or 0.0, CONTRADICTED)
            entry["score"] = min(entry["score"], entry["confidence"])
            if entry["status"] in (Status.CONVERGED, Status.ITERATION_LIMIT):
                entry["status"], entry["message"] = str(Status.AMBIGUOUS), NOTHING_IN_COMMON
    return record


def _nothing_in_common(things: Sequence[Thing]) -> bool:
    """Whether several views show objects of one kind, and no two of them the same one."""
    views: dict[int, set[int]] = {}
    for one in things:
        views.setdefault(one.obj_id, set()).update(seen.view for seen in one.sightings)
    shared = {obj_id for obj_id, seen in views.items() if len(seen) > 1}
    return bool(shared) and all(len(one.sightings) == 1 for one in things if one.obj_id in shared)


def estimates_of_sensor(records: Iterable[Mapping[str, Any]], sensor: str) -> list[Estimate]:
    """Rows of the CSV of one sensor: each object in each of its images. An image's time is that of all groups it is in.

    Args:
        records: of a run; those that ended in an error have no rows.
        sensor: which one.
    """
    rows = []
    good = [record for record in records if "error" not in record]
    seconds: Counter[tuple[int, str, int]] = Counter()
    for record in good:
        for name, im_id in record["images"]:
            seconds[record["scene_id"], name, im_id] += record["seconds"]
    for record in good:
        for entry in record["objects"]:
            for seen in entry["views"]:
                name, im_id = record["images"][seen["view"]]
                if name == sensor:
                    where = f"record of scene {record['scene_id']}, {name}, image {im_id}"
                    key, pose = (record["scene_id"], name, im_id), pose_of(dict(seen), where)
                    rows.append(Estimate(key[0], im_id, entry["obj_id"], entry["score"], pose, seconds[key]))
    return sorted(rows, key=lambda row: (row.scene_id, row.im_id))


def results_file(out: Path, sensor: str, sensors: Sequence[str]) -> Path:
    """The CSV of a sensor: that which was asked for, where there is one sensor; else NAME_SENSOR.csv."""
    return out if len(sensors) == 1 else out.with_name(f"{out.stem}_{sensor}{out.suffix}")


def _nearest(
    obj_id: int, poses: Mapping[int, Pose], photographs: Sequence[Photograph], mesh: Mesh
) -> dict[int, Instance]:  # fmt: skip
    """By view, the true instance of that kind that stands nearest, if it stands there."""
    found = {}
    for view, pose in poses.items():
        middle = pose.apply(mesh.center_m)
        same = [one for one in photographs[view].truth if one.obj_id == obj_id]
        away = [float(np.linalg.norm(one.pose.apply(mesh.center_m) - middle)) for one in same]
        if same and min(away) < _NEAR * mesh.diameter:
            found[view] = same[int(np.argmin(away))]
    return found


def _errors(pose: Pose, truth: Instance, mesh: Mesh) -> dict[str, float]:
    """ADD and ADD-S, millimetres, for the running display."""
    points = mesh.vertices_m[:: max(1, len(mesh.vertices_m) // _POINTS)]
    return {"add_mm": 1e3 * add(pose, truth.pose, points), "add_s_mm": 1e3 * add_s(pose, truth.pose, points)}
