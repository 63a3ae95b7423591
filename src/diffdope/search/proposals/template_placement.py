"""Where templates are laid over a crop, and which poses that makes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import Box, CropWindow, choose_crop
from diffdope.problem.screening_kernel import Placements
from diffdope.search.proposals.templates import PIXEL, TemplateSphere

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Int = NDArray[np.int64]

_PLACES = (0.0, -1.0, 1.0, -0.5, 0.5)  # of a template that is larger than the mask, from end to end of what is possible
_SLACK_PX = 1.5  # a template that is larger by less is as large as the mask


class Proposals(NamedTuple):
    """Poses (B, 3, 3) and (B, 3) metres, best first, and how much each explains (B,), pixels of the crop."""

    R: F64
    t: F64
    explained: F64


def window_around(camera: Camera, box: Box, centre: F64, angle: float, size: int) -> CropWindow:
    """The crop around the mask, and around an object of this angular size [rad] in its middle."""
    half = 0.5 * angle * np.array([camera.fx, camera.fy])
    (x0, y0), (x1, y1) = centre - half, centre + half
    return choose_crop([box, (x0, y0, x1, y1)], camera, margin=0.05, max_size=size)


def on_ray(camera: Camera, pixel: F64) -> F64:
    """Points (..., 3) at depth 1 seen in pixels (..., 2)."""
    x, y = (pixel[..., 0] - camera.cx) / camera.fx, (pixel[..., 1] - camera.cy) / camera.fy
    return np.stack([x, y, np.ones_like(x)], axis=-1)


def spots(boxes: F64, box: F64) -> tuple[Int, F64, F64]:
    """Where drawings are laid: with their middle on a box's, and where they are larger, also over it otherwise.

    Args:
        boxes: (N, 4) borders of what drawings cover, about their middles, pixels of the crop.
        box: (4,) first and last column and row (x0, y0, x1, y1) of what is seen.

    Returns:
        rows of `boxes` (J,), and columns (J,) and rows (J,) of the crop for the drawings' middles.
    """
    ends = box + PIXEL
    aligned = 0.5 * (ends[:2] + ends[2:] - boxes[:, :2] - boxes[:, 2:])
    slack = (boxes[:, 2:] - boxes[:, :2]) - (ends[2:] - ends[:2])
    slack = np.where(slack > _SLACK_PX, 0.5 * slack, 0.0)
    places = np.array(_PLACES)
    x, y = aligned[:, :1] + slack[:, :1] * places, aligned[:, 1:] + slack[:, 1:] * places
    kept = ((slack[:, :1] > 0.0) | (places == 0.0))[:, :, None] & ((slack[:, 1:] > 0.0) | (places == 0.0))[:, None, :]
    row, i, j = np.nonzero(kept)
    return row, x[row, i], y[row, j]


def proposals_of(
    sphere: TemplateSphere, placements: Placements, explained: F32, z_m: F32, camera: Camera, count: int
) -> Proposals:  # fmt: skip
    """The `count` best templates as poses, each in its best place."""
    order = np.lexsort((np.arange(len(explained)), -explained))
    _, first = np.unique(placements.template[order], return_index=True)
    return _poses(sphere, placements, order[np.sort(first)[:count]], explained, z_m, camera)


def _poses(
    sphere: TemplateSphere, placements: Placements, best: Int, explained: F32, z_m: F32, camera: Camera
) -> Proposals:  # fmt: skip
    """Templates as poses where they were laid: what is seen elsewhere in the image is seen from elsewhere."""
    there = on_ray(camera, np.stack([placements.x[best], placements.y[best]], axis=1).astype(np.float64))
    R = turn_between(np.array([0.0, 0.0, 1.0]), there) @ sphere.R[placements.template[best]]
    return Proposals(R, there * z_m[best].astype(np.float64)[:, None], explained[best].astype(np.float64))


def turn_between(here: F64, there: F64) -> F64:
    """The shortest rotations (B, 3, 3) from a direction (3,) to others (B, 3)."""
    nothing = 1e-12  # a start may be in the camera
    a = here / max(float(np.linalg.norm(here)), nothing)
    b = there / np.maximum(np.linalg.norm(there, axis=1, keepdims=True), nothing)
    axis = np.cross(a, b)
    sine = np.linalg.norm(axis, axis=1, keepdims=True)
    angle = np.arctan2(sine, (b @ a)[:, None])
    return so3.exp(axis / np.maximum(sine, 1e-12) * angle)
