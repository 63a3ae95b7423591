"""Small pictures of estimates in their photographs: the contour of the truth and that of the estimate."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diffdope.bop.dataset import DataSet
from diffdope.bop.evaluation import Row
from diffdope.bop.scene import BopScene
from diffdope.errors import DiffDopeError
from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import CropWindow
from diffdope.geometry.pose import Pose
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.viz.compose import GREEN, MAGENTA, Color, Image, contour, enlarge, to_bytes
from diffdope.viz.windows import window_of

LONGEST_SIDE = 300  # pixels of a picture
_MARGIN = 0.12  # around the object, of its box's larger side
_QUALITY = 80  # of JPEG: edges have hardly any rings


def case_pictures(dataset: DataSet, rows: Sequence[Row]) -> dict[str, bytes]:
    """A JPEG of each row, by its key; rows whose pictures cannot be made are left out.

    Args:
        dataset: with photographs, cameras and models.
        rows: in any order; those of one image share its photograph.
    """
    made: dict[str, bytes] = {}
    image: tuple[int, int] | None = None
    photo: NDArray[np.floating] | None = None
    for row in sorted(rows, key=lambda row: (row.scene_id, row.im_id)):
        if row.key in made:
            continue
        try:
            if (row.scene_id, row.im_id) != image:
                image = (row.scene_id, row.im_id)
                photo = photograph(dataset.scene(row.scene_id), row.im_id)
            picture = _picture(dataset, row, photo)
        except DiffDopeError:  # a report must not fail for a picture that is broken
            continue
        if picture is not None:
            made[row.key] = as_jpeg(picture)
    return made


def photograph(scene: BopScene, im_id: int) -> NDArray[np.floating] | None:
    """What lies underneath, (H, W) or (H, W, 3) in [0, 1]: the photograph, else the depth in grey, else nothing.

    It is rectified where a lens with distortion took it, as poses refer to the pinhole.
    """
    rgb, camera = scene.rgb(im_id), scene.camera(im_id, pictured=False)
    if camera.distortion is not None:
        return None if rgb is None else Observation(camera, rgb=rgb).rgb
    if rgb is not None:
        return np.asarray(rgb / np.float32(np.iinfo(rgb.dtype).max if rgb.dtype.kind in "ui" else 1.0), np.float32)
    depth = scene.depth(im_id)
    if depth is None or not depth.any():
        return None
    near, far = np.quantile(depth[depth > 0], [0.01, 0.99])
    return np.where(depth > 0, np.clip(0.9 - 0.7 * (depth - near) / max(far - near, 1e-6), 0.1, 0.9), 0.0)


def _picture(dataset: DataSet, row: Row, photo: NDArray[np.floating] | None) -> NDArray[np.uint8] | None:
    camera = dataset.scene(row.scene_id).camera(row.im_id, pictured=False).rectified
    mesh = dataset.models.mesh(row.obj_id)
    poses = (row.truth,) if row.estimate is None else (row.truth, row.estimate.pose)
    window = window_of(mesh, camera, poses, margin=_MARGIN, max_size=LONGEST_SIDE)
    if window is None:
        return None
    small = window.camera(camera)
    factor = max(1, LONGEST_SIDE // max(small.width, small.height))
    large = small.resize(small.width * factor, small.height * factor)
    drawn = enlarge(underneath(photo, window), factor)
    for pose, color in zip(poses, (MAGENTA, GREEN), strict=False):
        drawn = contour(drawn, _coverage(mesh, large, pose), color=color, thickness=1.7)
        drawn = with_axes(drawn, mesh, large, pose, color)
    return to_bytes(drawn)


def _coverage(mesh: Mesh, camera: Camera, pose: Pose) -> NDArray[np.floating]:
    coverage: NDArray[np.floating] = Renderer(mesh, camera, threads=1).render(pose.R_m2c, pose.t_m2c).coverage[0]
    return coverage


def with_axes(image: Image, mesh: Mesh, camera: Camera, pose: Pose, color: Color) -> Image:
    """Draws the axes of the model from its middle: a turned can has the same contour, but not the same axes."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    ends = mesh.center_m + np.concatenate([np.zeros((1, 3)), 0.35 * mesh.diameter * np.eye(3)])
    u, v = camera.project(pose.apply(ends))
    # The contour of an object far outside has been cut; so are its axes.
    if not np.isfinite(u).all() or max(np.abs(u).max(), np.abs(v).max()) > 1e5:
        return image
    picture = Pillow.fromarray(to_bytes(image))
    draw = ImageDraw.Draw(picture)
    shade = tuple(round(255 * value) for value in color)
    for k in range(1, 4):
        draw.line([(float(u[0]), float(v[0])), (float(u[k]), float(v[k]))], fill=shade, width=1)
    return np.asarray(picture, np.float64) / 255.0


def underneath(photo: NDArray[np.floating] | None, window: CropWindow) -> Image:
    """The window of the photograph (H, W, 3), reduced; grey where there is none."""
    k, (width, height) = window.reduction, window.size
    if photo is None:
        return np.full((height, width, 3), 0.35)
    part = photo[window.y0 : window.y0 + window.height, window.x0 : window.x0 + window.width]
    part = part[..., None].repeat(3, axis=2) if part.ndim == 2 else part[..., :3]
    return np.asarray(part.reshape(height, k, width, k, 3).mean(axis=(1, 3)), np.float64)


def as_jpeg(picture: NDArray[np.uint8]) -> bytes:
    """(H, W, 3) as the bytes of a JPEG file."""
    from PIL import Image as Pillow

    file = io.BytesIO()
    Pillow.fromarray(picture).save(
        file, format="JPEG", quality=_QUALITY, subsampling=0
    )  # thin coloured lines would fade
    return file.getvalue()
