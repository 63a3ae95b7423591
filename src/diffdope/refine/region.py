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
