"""Where to look: the crop around mask and start pose, and which of its pixels count."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import CropWindow, choose_crop
from diffdope.geometry.pose import Pose
from diffdope.refine.result import Status
from diffdope.refine.settings import CropSettings
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

F32 = NDArray[np.float32]
Box = tuple[float, float, float, float]
NEAR_M = 1e-3


def projected_box(mesh: Mesh, pose: Pose, camera: Camera) -> Box | Status:
    """Pixel box (x0, y0, x1, y1) of the object under a pose, or why there is none."""
    x_c = pose.apply(mesh.vertices_m)
    x_c = x_c[x_c[:, 2] > NEAR_M]
    if len(x_c) == 0:
        return Status.BEHIND_CAMERA
    u, v = camera.project(x_c)
    box = (float(u.min()), float(v.min()), float(u.max()), float(v.max()))
    outside = box[2] < 0 or box[3] < 0 or box[0] > camera.width - 1 or box[1] > camera.height - 1
    return Status.OUT_OF_VIEW if outside else box


def mask_box(mask: F32) -> Box:
    """Pixel box of a mask that is not empty."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return float(columns[0]), float(rows[0]), float(columns[-1]), float(rows[-1])


def choose_window(start_box: Box, observation: Observation, settings: CropSettings) -> CropWindow:
    """The crop that holds the start pose and the mask."""
    boxes = [start_box]
    if observation.mask is not None:
        boxes.append(mask_box(observation.mask))
    return choose_crop(boxes, observation.camera, margin=settings.margin, max_size=settings.size)


def dilate(coverage: F32, pixels: int) -> F32:
    """Grows a coverage image by a square of `pixels` on each side."""
    from scipy.ndimage import maximum_filter

    return np.asarray(maximum_filter(coverage, size=2 * pixels + 1), dtype=np.float32)


def mask_care(start_depth: F32, observation: Observation, margin_m: float) -> F32:
    """How much each pixel counts for the mask: 0 where something nearer than the object hides what is behind it.

    There, outside of the visible mask, nobody knows whether the object goes on; counting it as background would push
    the pose out from behind its occluder. Needs depth; without it every pixel counts.

    Args:
        start_depth: rendered depth of the start pose (H, W), metres, 0 where it covers nothing.
        observation: the crop.
        margin_m: how much nearer the observed surface must be.
    """
    care = np.ones_like(start_depth)
    if observation.depth is None or observation.mask is None or not start_depth.any():
        return care
    from scipy.ndimage import distance_transform_edt

    rows, columns = distance_transform_edt(start_depth <= 0.0, return_distances=False, return_indices=True)
    nearer = (observation.depth > 0.0) & (observation.depth < start_depth[rows, columns] - margin_m)
    care[nearer & (observation.mask < 0.5)] = 0.0
    return care
