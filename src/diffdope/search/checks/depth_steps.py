"""Whether the measured surface of an object ends where a result draws its outline.

A mask and a photograph say how large an object looks, its depth how far away it is. But a depth image shows both: it
steps where the object ends. So depth that is off contradicts its own steps, and a mask that is off does not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.scene.observation import Observation
from diffdope.search.checks.outline_evidence import AT_PX, EDGES_PX, HIDES_PX, STEP_OF_DEPTH, drawn_around
from diffdope.search.mesh_levels import MeshLevels
from diffdope.terms.contour_points import ContourPoints
from diffdope.terms.outline_kernel import LEAST_POINTS

F64 = NDArray[np.float64]

_RANGE = 1.0  # of the diameter, nearer and farther than a pose: all else is as far
_OBJECT, _NEARER, _FARTHER, _MISSING = range(4)


def share_on_steps(
    meshes: MeshLevels, observation: Observation, pose: Pose, size: float = 1.0, around: Pose | None = None
) -> float | None:
    """Share of an outline at which the object's measured surface ends; None where depth does not tell.

    Along the normal of each of its points, from inside outwards, the last pixel is looked for that has the object's
    depth, and the next one that is farther. Between them there may be pixels without depth, which what is nearer casts
    on what is behind. A point counts if it may be there. Where nothing farther follows, as on a table, or something
    nearer hides it, a point says nothing.

    Args:
        meshes: the object.
        observation: with depth.
        pose: object to camera.
        size: of the object; the pose is that of one of its own size, which looks the same.
        around: see `drawn_around`.
    """
    drawn = drawn_around(meshes, observation, pose, around) if "depth" in observation.modalities else None
    if drawn is None:
        return None
    crop, images = drawn
    depth, (height, width) = np.asarray(crop.depth, np.float64), images.coverage[0].shape
    points = ContourPoints(images.coverage[0], images.depth[0], crop.camera)
    offsets = np.arange(-EDGES_PX, EDGES_PX + 1.0)
    places, u, v = points.pixels_beside(offsets, width, height)
    inside = np.all((places >= 0.0) & (places <= [width - 1.0, height - 1.0]), axis=(1, 2))
    own = np.where(images.coverage[0][v, u] > 0.5, images.depth[0][v, u], points.X_c[:, 2:])
    kinds = _kinds(depth[v, u] / size, own, STEP_OF_DEPTH * meshes.length_m)
    hidden = np.any(kinds[:, np.abs(offsets) <= HIDES_PX] == _NEARER, axis=1)
    last, following, ended = _where_it_ends(kinds)
    told = inside & ~hidden & ended
    if np.count_nonzero(told) < LEAST_POINTS:
        return None
    least, most = offsets[last[told]] + 0.5, offsets[following[told]] - 0.5  # between pixels
    away = np.maximum(np.maximum(least, -most), 0.0)
    return float(np.mean(away <= AT_PX))


def _kinds(there: F64, own: F64, near_m: float) -> NDArray[np.int64]:
    """What depths are of, by those of the object."""
    kinds = np.where(there > own + near_m, _FARTHER, np.where(there < own - near_m, _NEARER, _OBJECT))
    return np.where(there > 0.0, kinds, _MISSING)


def _where_it_ends(kinds: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Of each row: its last pixel of the object, the first that is farther and follows, and whether there are both."""
    count = kinds.shape[1]
    places = np.arange(count)
    outermost = np.where(kinds == _FARTHER, places, -1).max(axis=1)
    last = np.where((kinds == _OBJECT) & (places < outermost[:, None]), places, -1).max(axis=1)
    following = np.where((kinds == _FARTHER) & (places > last[:, None]), places, count).min(axis=1)
    ended = (last >= 0) & (following < count)
    return last, np.minimum(following, count - 1), ended


def stepped(observation: Observation, pose: Pose, length_m: float) -> Observation:
    """Depth with a grey picture of itself, around a pose: black at the front, white where it is far behind or unknown.

    Args:
        observation: with depth.
        pose: object to camera.
        length_m: the object's diameter.
    """
    depth = np.asarray(observation.depth, np.float32)
    nearest = float(pose.t_m2c[2]) - _RANGE * length_m
    grey = np.clip((depth - nearest) / (2.0 * _RANGE * length_m), 0.0, 1.0)
    grey = np.where(depth > 0.0, grey, 1.0).astype(np.float32)
    return Observation(observation.camera, rgb=np.repeat(grey[..., None], 3, axis=2), depth=depth)
