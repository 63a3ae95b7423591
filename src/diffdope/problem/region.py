"""Where to look: the crop around mask and start pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.checked_fields import checked_fields
from diffdope.errors import expected
from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import CropWindow, crop_around
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Status
from diffdope.scene.extent import hull_corners
from diffdope.scene.observation import Observation

F64 = NDArray[np.float64]
Box = tuple[float, float, float, float]
NEAR_M = 1e-3  # metres: what is nearer is not drawn, as in the kernels


@dataclass(frozen=True)
@checked_fields()
class CropSettings:
    """The part of the image that is compared."""

    size: int = 160
    """Longest side of the crop in pixels; larger ones are reduced by an integer factor. Of the solver `descent`: the
    levels of a search have sizes of their own."""
    margin: float = 0.15
    """Free space around mask and start pose, as a share of the longer side."""

    def __post_init__(self) -> None:
        """Refuses crops without pixels."""
        if self.size < 8:
            raise expected("crop.size", "at least 8 pixels", self.size)
        if self.size > 2**15:
            raise expected("crop.size", f"at most {2**15} pixels", self.size)
        if not 0.0 <= self.margin <= 10.0:
            raise expected("crop.margin", "a share between 0 and 10", self.margin)


def projected_box(vertices_m: F64, pose: Pose, camera: Camera) -> Box | Status:
    """Pixel box (x0, y0, x1, y1) of an object's vertices (V, 3) under a pose, or why there is none.

    The vertices of its convex hull will do.
    """
    return box_of(vertices_m @ pose.R_m2c.T + pose.t_m2c, camera)


def box_of(x_c: F64, camera: Camera) -> Box | Status:
    """Pixel box of points (N, 3) in the camera's frame, metres, or why there is none."""
    ahead = x_c[:, 2] > NEAR_M
    if not ahead.any():
        return Status.BEHIND_CAMERA
    crosses = not ahead.all()
    if crosses or camera.distortion is not None:
        u, v = camera.project(_in_front(x_c) if crosses else x_c)
    else:
        inverse = 1.0 / x_c[:, 2]
        u, v = camera.fx * x_c[:, 0] * inverse + camera.cx, camera.fy * x_c[:, 1] * inverse + camera.cy
    box = (float(u.min()), float(v.min()), float(u.max()), float(v.max()))
    right, bottom = camera.width - 1, camera.height - 1
    if box[2] < 0 or box[3] < 0 or box[0] > right or box[1] > bottom:
        return Status.OUT_OF_VIEW
    # What comes up to the camera is seen as wide as one likes: beyond the border its size says nothing.
    return (max(box[0], 0.0), max(box[1], 0.0), min(box[2], right), min(box[3], bottom)) if crosses else box


def _in_front(x_c: F64) -> F64:
    """Points with the convex hull of the part of that of (N, 3) that lies before the near plane, metres."""
    corners = hull_corners(x_c)  # fewer: every one in front is joined with every one behind
    ahead = corners[:, 2] > NEAR_M
    front, behind = corners[ahead], corners[~ahead]
    share = (NEAR_M - behind[:, None, 2]) / (front[None, :, 2] - behind[:, None, 2])
    cuts = behind[:, None] + share[..., None] * (front[None] - behind[:, None])
    return np.concatenate([front, cuts.reshape(-1, 3)])


def choose_window(start_box: Box, observation: Observation, *, size: int, margin: float) -> CropWindow:
    """The crop that holds the start pose and the mask; see `crop_around`."""
    boxes = [start_box] if observation.mask_box is None else [start_box, observation.mask_box]
    return crop_around(boxes, observation.camera, margin=margin, max_size=size)
