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

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.io.files import atomic
from diffdope.pipelines.result import RefinementResult
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

F64 = NDArray[np.float64]
_QUALITY = 90  # of JPEG: some 60 KB for 640 x 480
_UNITS_PER_M = 1e4  # depth as 16 bits of a tenth of a millimetre, up to 6.5 m; beyond that of a millimetre
_START, _ANSWER = (230, 60, 60), (240, 180, 40)
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


def check_rerun(name: str = "rerun") -> None:
    """Refuses to write a recording without rerun.

    Raises:
        DiffDopeError: if it is not installed.
    """
    if find_spec("rerun") is None:
        raise expected(name, "rerun, which writes recordings", "none", 'pip install "diffdope[rerun]"')


def write_refinement(path: Path, mesh: Mesh, observation: Observation, result: RefinementResult) -> None:
    """Writes a refinement: the winning hypothesis at every iteration, the others' costs, and the result.

    Args:
        path: of the .rrd file; it is there when it is whole.
        mesh: of the object.
        observation: the images.
        result: of `refine` or `locate`.
    """
    with _recording(path) as stream:
        _log_scene(stream, mesh, observation.camera)
        _log_mesh(stream, "view/object/mesh", mesh)
        _log_images(stream, observation, static=True)
        _log_other_poses(stream, mesh, result)
        steps = list(_iterations(result))
        for step, pose, cost in steps:
            stream.set_time(_STEP, sequence=step)
            _log_pose(stream, pose)
            _scalar(stream, "plots/cost", cost)
        stream.set_time(_STEP, sequence=steps[-1][0] + 1 if steps else 0)
        _log_pose(stream, result.pose)
        _log_sureness(stream, result.pose, result.confidence, result.covariance)
        _log(stream, "result", _text(result), static=True)


def write_track(path: Path, mesh: Mesh, camera: Camera, frames: Iterable[TrackedFrame]) -> None:
    """Writes a tracked film; a lost frame has no object.

    Args:
        path: of the .rrd file; it is there when it is whole.
        mesh: of the object.
        camera: of the frames.
        frames: in their order; one at a time is in memory.
    """
    import rerun as rr

    with _recording(path) as stream:
        _log_scene(stream, mesh, camera.rectified)
        shown = False
        for number, frame in enumerate(frames):
            stream.set_time(_FRAME, sequence=number)
            stream.set_time(_TIME, duration=frame.time_s)
            if frame.stamp_ns is not None:
                stream.set_time("stamp", timestamp=np.datetime64(frame.stamp_ns, "ns"))
            _log_images(stream, frame.observation)
            if frame.pose is None:
                for entity in ("view/object", "view/position"):
                    _log(stream, entity, rr.Clear(recursive=True))
                shown = False
            else:
                if not shown:  # at first, and after it was cleared
                    _log_mesh(stream, "view/object/mesh", mesh, static=False)
                shown = True
                _log_pose(stream, frame.pose)
            _log_sureness(stream, frame.pose, frame.confidence, frame.covariance)
            if frame.event:
                _log(stream, "events", rr.TextLog(frame.event))


@contextmanager
def _recording(path: Path) -> Iterator[Any]:
    """A stream into a file that takes its place when everything is in it."""
    check_rerun()
    import rerun as rr

    with atomic(path) as unfinished:
        stream = rr.RecordingStream("diffdope")
        stream.save(unfinished)
        try:
            yield stream
            stream.flush()
        finally:
            stream.disconnect()


def _log(stream: Any, entity: str, what: Any, *, static: bool = False) -> None:
    stream.log(entity, what, static=static, strict=True)


def _scalar(stream: Any, entity: str, value: float) -> None:
    import rerun as rr

    if np.isfinite(value):
        _log(stream, entity, rr.Scalars(float(value)))


def _log_scene(stream: Any, mesh: Mesh, camera: Camera) -> None:
    import rerun as rr

    _log(stream, "view", rr.ViewCoordinates.RDF, static=True)
    pinhole = rr.Pinhole(
        image_from_camera=camera.K, width=camera.width, height=camera.height, camera_xyz=rr.ViewCoordinates.RDF,
        image_plane_distance=2.0 * mesh.diameter,
    )  # fmt: skip
    _log(stream, "view/camera", pinhole, static=True)


def _log_mesh(
    stream: Any, entity: str, mesh: Mesh, color: tuple[int, int, int] | None = None, *, static: bool = True
) -> None:
    import rerun as rr

    look: dict[str, Any] = {}
    if color is not None:
        look = {"albedo_factor": [*color, 255]}
    elif mesh.texture is not None:
        look = {"vertex_texcoords": mesh.uv, "albedo_texture": mesh.texture}
    elif mesh.colors is not None:
        look = {"vertex_colors": np.round(255.0 * mesh.colors).astype(np.uint8)}
    drawn = rr.Mesh3D(vertex_positions=mesh.vertices_m, triangle_indices=mesh.faces, **look)
    _log(stream, entity, drawn, static=static)


def _log_images(stream: Any, observation: Observation, *, static: bool = False) -> None:
    import rerun as rr

    if observation.rgb is not None:
        encoded = rr.EncodedImage(contents=_jpeg(observation.rgb), media_type="image/jpeg")
        _log(stream, "view/camera/rgb", encoded, static=static)
    if observation.depth is not None:
        units = _UNITS_PER_M if observation.depth.max() * _UNITS_PER_M <= np.iinfo(np.uint16).max else 1e3
        stored = np.clip(np.round(observation.depth * units), 0, np.iinfo(np.uint16).max).astype(np.uint16)
        _log(stream, "view/camera/depth", rr.DepthImage(stored, meter=units), static=static)
    if observation.mask is not None:
        mask = (observation.mask >= 0.5).astype(np.uint8)
        _log(stream, "view/camera/mask", rr.SegmentationImage(mask, opacity=0.3), static=static)


def _log_pose(stream: Any, pose: Pose) -> None:
    _log(stream, "view/object", _transform(pose))


def _transform(pose: Pose) -> Any:
    import rerun as rr

    return rr.Transform3D(translation=pose.t_m2c, mat3x3=pose.R_m2c)


def _log_other_poses(stream: Any, mesh: Mesh, result: RefinementResult) -> None:
    others = [("view/start", result.initial_pose, _START)] if result.iterations else []
    others += [(f"view/answers/{k}", one.pose, _ANSWER) for k, one in enumerate(result.answers[1:], 2)]
    for entity, pose, color in others:
        _log(stream, entity, _transform(pose), static=True)
        _log_mesh(stream, f"{entity}/mesh", mesh, color)


def _log_sureness(stream: Any, pose: Pose | None, confidence: float | None, covariance: F64 | None) -> None:
    import rerun as rr

    _scalar(stream, "plots/confidence", 0.0 if confidence is None else confidence)
    if pose is None or covariance is None:
        return
    sigma = np.sqrt(np.diag(covariance))
    _log(stream, "plots/sigma_mm", rr.Scalars(1e3 * sigma[:3]))
    _log(stream, "plots/sigma_deg", rr.Scalars(np.degrees(sigma[3:])))
    variance, axes = np.linalg.eigh(covariance[:3, :3])
    axes = axes * np.sign(np.linalg.det(axes))
    turned = Pose(axes, pose.t_m2c)
    w, x, y, z = turned.wxyz
    ellipsoid = rr.Ellipsoids3D(
        half_sizes=[np.sqrt(np.maximum(variance, 0.0))], centers=[pose.t_m2c],
        quaternions=[rr.Quaternion(xyzw=[x, y, z, w])],
    )  # fmt: skip
    _log(stream, "view/position", ellipsoid)


def _iterations(result: RefinementResult) -> Iterator[tuple[int, Pose, float]]:
    """The winning hypothesis where it took part, up to the result."""
    history, column = result.history, result.winner
    if not result.iterations:
        return
    for k in np.flatnonzero(np.isfinite(history.costs[: result.winner_iteration + 1, column])).tolist():
        yield k, Pose(history.R_m2c[k, column], history.t_m2c[k, column]), float(history.costs[k, column])


def _text(result: RefinementResult) -> Any:
    import rerun as rr

    lines = [f"**{result.status}**: {result.message}", "", *(f"- {note}" for note in result.notes)]
    return rr.TextDocument("\n".join(lines), media_type="text/markdown")


def _jpeg(rgb: NDArray[np.floating]) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.round(255.0 * np.clip(rgb, 0.0, 1.0)).astype(np.uint8)).save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
