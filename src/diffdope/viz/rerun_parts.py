"""What recordings of rerun (.rrd) are made of: streams into files, images, meshes, poses, ellipsoids."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import not_installed
from diffdope.geometry.pose import Pose
from diffdope.io.files import atomic
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

F64 = NDArray[np.float64]
_QUALITY = 90  # of JPEG: some 60 KB for 640 x 480
_UNITS_PER_M = 1e4  # depth as 16 bits of a tenth of a millimetre, up to 6.5 m; beyond that of a millimetre


def check_rerun(name: str = "rerun") -> None:
    """Refuses to write a recording without rerun.

    Raises:
        DiffDopeError: if it is not installed.
    """
    if find_spec("rerun") is None:
        raise not_installed(name, "rerun, which writes recordings", "rerun")


@contextmanager
def recording(path: Path) -> Iterator[Any]:
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


def log(stream: Any, entity: str, what: Any, *, static: bool = False) -> None:
    """Logs, and raises what rerun would only warn of."""
    stream.log(entity, what, static=static, strict=True)


def log_number(stream: Any, entity: str, value: float) -> None:
    """A number, where it is one."""
    import rerun as rr

    if np.isfinite(value):
        log(stream, entity, rr.Scalars(float(value)))


def log_mesh(
    stream: Any, entity: str, mesh: Mesh, color: tuple[int, int, int] | None = None, *, static: bool = True
) -> None:
    """A mesh in its own colours, or in one."""
    import rerun as rr

    look: dict[str, Any] = {}
    if color is not None:
        look = {"albedo_factor": [*color, 255]}
    elif mesh.shown_texture is not None:
        look = {"vertex_texcoords": mesh.uv, "albedo_texture": mesh.shown_texture}
    elif mesh.colors is not None:
        look = {"vertex_colors": np.round(255.0 * mesh.colors).astype(np.uint8)}
    drawn = rr.Mesh3D(vertex_positions=mesh.vertices_m, triangle_indices=mesh.faces, **look)
    log(stream, entity, drawn, static=static)


def log_images(stream: Any, entity: str, observation: Observation, *, static: bool = False) -> None:
    """Photograph (JPEG), depth and mask, below the entity of their camera."""
    import rerun as rr

    if observation.rgb is not None:
        encoded = rr.EncodedImage(contents=_jpeg(observation.rgb), media_type="image/jpeg")
        log(stream, f"{entity}/rgb", encoded, static=static)
    if observation.depth is not None:
        units = _UNITS_PER_M if observation.depth.max() * _UNITS_PER_M <= np.iinfo(np.uint16).max else 1e3
        stored = np.clip(np.round(observation.depth * units), 0, np.iinfo(np.uint16).max).astype(np.uint16)
        log(stream, f"{entity}/depth", rr.DepthImage(stored, meter=units), static=static)
    if observation.mask is not None:
        mask = (observation.mask >= 0.5).astype(np.uint8)
        log(stream, f"{entity}/mask", rr.SegmentationImage(mask, opacity=0.3), static=static)


def transform(pose: Pose) -> Any:
    """A pose as rerun has it."""
    import rerun as rr

    return rr.Transform3D(translation=pose.t_m2c, mat3x3=pose.R_m2c)


def position_ellipsoid(pose: Pose, covariance: F64) -> Any:
    """Where the mesh file's origin is: the ellipsoid of one standard deviation.

    Args:
        pose: of the object.
        covariance: (6, 6) in (rho [m], phi [rad]) of it.
    """
    import rerun as rr

    variance, axes = np.linalg.eigh(covariance[:3, :3])
    axes = axes * np.sign(np.linalg.det(axes))
    w, x, y, z = Pose(axes, pose.t_m2c).wxyz
    return rr.Ellipsoids3D(
        half_sizes=[np.sqrt(np.maximum(variance, 0.0))], centers=[pose.t_m2c],
        quaternions=[rr.Quaternion(xyzw=[x, y, z, w])],
    )  # fmt: skip


def text_document(lines: Iterable[str]) -> Any:
    """Lines of Markdown."""
    import rerun as rr

    return rr.TextDocument("\n".join(lines), media_type="text/markdown")


def _jpeg(rgb: NDArray[np.floating]) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.round(255.0 * np.clip(rgb, 0.0, 1.0)).astype(np.uint8)).save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()
