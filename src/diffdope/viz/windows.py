"""Which part of an image shows an object at given poses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from diffdope.errors import DiffDopeError
from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import Box, CropWindow, choose_crop
from diffdope.geometry.pose import Pose
from diffdope.problem.region import NEAR_M
from diffdope.scene.mesh import Mesh


def window_of(
    mesh: Mesh, camera: Camera, poses: Sequence[Pose], *, margin: float, max_size: int | None = None
) -> CropWindow | None:
    """The window around all poses; the whole image if the camera plane cuts one; None if none is seen.

    Args:
        mesh: the object.
        camera: of the full image.
        poses: at least one.
        margin: added on every side, as a fraction of the larger side.
        max_size: longest side of the reduced crop, pixels; None leaves the resolution as it is.
    """
    corners = np.stack(np.meshgrid(*mesh.bounds.T, indexing="ij"), axis=-1).reshape(8, 3)
    boxes = [box for pose in poses if (box := _box(pose.apply(corners), camera)) is not None]
    try:
        return choose_crop(boxes, camera, margin=margin, max_size=max_size or max(camera.width, camera.height))
    except DiffDopeError:  # no box, or none that meets the image
        return None


def _box(x_c: np.ndarray, camera: Camera) -> Box | None:
    near = x_c[:, 2] <= NEAR_M
    if near.any():
        return None if near.all() else (0.0, 0.0, camera.width - 1.0, camera.height - 1.0)
    u, v = camera.project(x_c)
    if u.max() < 0 or v.max() < 0 or u.min() > camera.width - 1 or v.min() > camera.height - 1:
        return None
    # Cut before the union: an estimate beside the image must not blow up the margin.
    u, v = np.clip(u, 0.0, camera.width - 1.0), np.clip(v, 0.0, camera.height - 1.0)
    return float(u.min()), float(v.min()), float(u.max()), float(v.max())
