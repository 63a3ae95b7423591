"""How what is seen of a result lies in a box, and how much of it in the picture."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from diffdope.geometry.crop import Box, choose_crop
from diffdope.geometry.pose import Pose
from diffdope.render.renderer import Renderer
from diffdope.scene.observation import Observation
from diffdope.search.box_proposals import AROUND, inside_of
from diffdope.search.mesh_levels import MeshLevels

_COMPARED_PX = 64
_STRAY = 1.0  # percent of the visible pixels at either end that do not count: depth fits here and there by chance


class InBox(NamedTuple):
    """How the visible part of an object lies in a box: share of it outside, and of a side by which it falls short."""

    outside: float
    short: float


def lies_in_box(meshes: MeshLevels, observation: Observation, box: Box, pose: Pose, depth_range: float) -> InBox:
    """How the visible pixels of an object under a pose lie in a box; the worst if none is visible.

    Those of which the depth says that something else is there are not visible.
    """
    window = choose_crop([box], observation.camera, margin=AROUND, max_size=_COMPARED_PX)
    crop = observation.crop(window)
    images = Renderer(meshes.mesh, crop.camera, buffers=meshes.buffers()).render(pose.R_m2c, pose.t_m2c)
    shown = images.coverage[0] > 0.5
    assert crop.depth is not None
    shown &= (crop.depth <= 0.0) | (np.abs(crop.depth - images.depth[0]) < depth_range * meshes.length_m)
    ends = inside_of(crop, box, window)
    x0, y0, x1, y1 = (int(one) for one in ends)
    inside = shown[y0 : y1 + 1, x0 : x1 + 1]
    if not inside.any():
        return InBox(1.0, 1.0)
    outside = 1.0 - float(np.count_nonzero(inside)) / float(np.count_nonzero(shown))
    rows, columns = np.nonzero(shown)
    low, high = (np.percentile([columns, rows], share, axis=1) for share in (_STRAY, 100.0 - _STRAY))
    gaps = np.concatenate([low - ends[:2], ends[2:] - high]) / np.tile(ends[2:] - ends[:2] + 1.0, 2)
    return InBox(outside, max(float(gaps.max()), 0.0))


def share_in_picture(meshes: MeshLevels, observation: Observation, pose: Pose) -> float:
    """Share of an object's vertices that the camera has in its picture."""
    camera, points = observation.camera, pose.apply(meshes.mesh.vertices_m)
    ahead = points[points[:, 2] > 0.0]
    u, v = camera.project(ahead)
    inside = (u > -0.5) & (u < camera.width - 0.5) & (v > -0.5) & (v < camera.height - 0.5)
    return float(np.count_nonzero(inside)) / len(points)
