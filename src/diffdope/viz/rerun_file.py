"""Results as a recording of rerun (.rrd), which its viewer plays: images, depth, mesh, poses, and how sure they are.

Everything is in the camera's frame (x right, y down, z forward), metres.

| entity | what |
|---|---|
| view | the frame of the camera |
| view/camera, .../rgb, .../depth, .../mask | pinhole, photograph (JPEG), depth, mask |
| view/object, .../mesh | pose, mesh |
| view/start | of a refinement: the start pose, as a mesh of one colour |
| view/answers/K | of `locate`: other poses that the images support |
| view/position | where the object's origin is: the ellipsoid of one standard deviation |
| plots/confidence, plots/cost, plots/sigma_mm, plots/sigma_deg | numbers; sigma along and about x, y, z |
| result, events | the result in words; what happened in a frame |
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.pipelines.result import RefinementResult
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.viz.rerun_parts import (
    log,
    log_images,
    log_mesh,
    log_number,
    position_ellipsoid,
    recording,
    text_document,
    transform,
)

F64 = NDArray[np.float64]
_START, _ANSWER = (230, 60, 60), (240, 180, 40)
_CAMERA = "view/camera"
_FRAME, _TIME, _STEP = "frame", "time", "iteration"


@dataclass(frozen=True, eq=False)
class TrackedFrame:
    """What is drawn of a frame of a film.

    Attributes:
        time_s: seconds from the first frame.
        observation: its images.
        pose: of the object; None where it is lost.
        confidence: in [0, 1], or None.
        covariance: (6, 6) of the pose, or None.
        event: what happened; empty for nothing.
        stamp_ns: of the picture, nanoseconds since 1970, where that is known.
    """

    time_s: float
    observation: Observation
    pose: Pose | None
    confidence: float | None
    covariance: F64 | None = None
    event: str = ""
    stamp_ns: int | None = None


def write_refinement(path: Path, mesh: Mesh, observation: Observation, result: RefinementResult) -> None:
    """Writes a refinement: the winning hypothesis at every iteration, the others' costs, and the result.

    Args:
        path: of the .rrd file; it is there when it is whole.
        mesh: of the object.
        observation: the images.
        result: of `refine` or `locate`.
    """
    with recording(path) as stream:
        _log_scene(stream, mesh, observation.camera)
        log_mesh(stream, "view/object/mesh", mesh)
        log_images(stream, _CAMERA, observation, static=True)
        _log_other_poses(stream, mesh, result)
        steps = list(_iterations(result))
        for step, pose, cost in steps:
            stream.set_time(_STEP, sequence=step)
            _log_pose(stream, pose)
            log_number(stream, "plots/cost", cost)
        stream.set_time(_STEP, sequence=steps[-1][0] + 1 if steps else 0)
        _log_pose(stream, result.pose)
        _log_sureness(stream, result.pose, result.confidence, result.covariance)
        log(stream, "result", _text(result), static=True)


def write_track(path: Path, mesh: Mesh, camera: Camera, frames: Iterable[TrackedFrame]) -> None:
    """Writes a tracked film; a lost frame has no object.

    Args:
        path: of the .rrd file; it is there when it is whole.
        mesh: of the object.
        camera: of the frames.
        frames: in their order; one at a time is in memory.
    """
    import rerun as rr

    with recording(path) as stream:
        _log_scene(stream, mesh, camera.rectified)
        shown = False
        for number, frame in enumerate(frames):
            stream.set_time(_FRAME, sequence=number)
            stream.set_time(_TIME, duration=frame.time_s)
            if frame.stamp_ns is not None:
                stream.set_time("stamp", timestamp=np.datetime64(frame.stamp_ns, "ns"))
            log_images(stream, _CAMERA, frame.observation)
            if frame.pose is None:
                for entity in ("view/object", "view/position"):
                    log(stream, entity, rr.Clear(recursive=True))
                shown = False
            else:
                if not shown:  # at first, and after it was cleared
                    log_mesh(stream, "view/object/mesh", mesh, static=False)
                shown = True
                _log_pose(stream, frame.pose)
            _log_sureness(stream, frame.pose, frame.confidence, frame.covariance)
            if frame.event:
                log(stream, "events", rr.TextLog(frame.event))


def _log_scene(stream: Any, mesh: Mesh, camera: Camera) -> None:
    import rerun as rr

    log(stream, "view", rr.ViewCoordinates.RDF, static=True)
    pinhole = rr.Pinhole(
        image_from_camera=camera.K, width=camera.width, height=camera.height, camera_xyz=rr.ViewCoordinates.RDF,
        image_plane_distance=2.0 * mesh.diameter,
    )  # fmt: skip
    log(stream, "view/camera", pinhole, static=True)


def _log_pose(stream: Any, pose: Pose) -> None:
    log(stream, "view/object", transform(pose))


def _log_other_poses(stream: Any, mesh: Mesh, result: RefinementResult) -> None:
    others = [("view/start", result.initial_pose, _START)] if result.iterations else []
    others += [(f"view/answers/{k}", one.pose, _ANSWER) for k, one in enumerate(result.answers[1:], 2)]
    for entity, pose, color in others:
        log(stream, entity, transform(pose), static=True)
        log_mesh(stream, f"{entity}/mesh", mesh, color)


def _log_sureness(stream: Any, pose: Pose | None, confidence: float | None, covariance: F64 | None) -> None:
    import rerun as rr

    log_number(stream, "plots/confidence", 0.0 if confidence is None else confidence)
    if pose is None or covariance is None:
        return
    sigma = np.sqrt(np.diag(covariance))
    log(stream, "plots/sigma_mm", rr.Scalars(1e3 * sigma[:3]))
    log(stream, "plots/sigma_deg", rr.Scalars(np.degrees(sigma[3:])))
    log(stream, "view/position", position_ellipsoid(pose, covariance))


def _iterations(result: RefinementResult) -> Iterator[tuple[int, Pose, float]]:
    """The winning hypothesis where it took part, up to the result."""
    history, column = result.history, result.winner
    if not result.iterations:
        return
    for k in np.flatnonzero(np.isfinite(history.costs[: result.winner_iteration + 1, column])).tolist():
        yield k, Pose(history.R_m2c[k, column], history.t_m2c[k, column]), float(history.costs[k, column])


def _text(result: RefinementResult) -> Any:
    return text_document([f"**{result.status}**: {result.message}", "", *(f"- {note}" for note in result.notes)])
