"""Turns of a pose that are compared with it where no mask was given: what looks nearly the same is no local minimum
that a descent leaves, and a mask that is drawn from one of them confirms that one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.geometry.symmetry import Symmetries
from diffdope.scene.revolution import Axis
from diffdope.search.alternatives.axis_rotations import about_other_axes
from diffdope.search.mesh_levels import MeshLevels

F64 = NDArray[np.float64]

_QUARTERS: F64 = np.radians(np.array([90.0, 180.0, 270.0]))
_SAME_RAD = np.radians(15.0)  # of two turns: a descent from either ends in the same pose


def compared_turns(box: tuple[F64, F64], axis: Axis | None, symmetries: Symmetries) -> tuple[F64, F64]:
    """Motions R (K, 3, 3) and t (K, 3), x -> R x + t, metres, the identity not among them.

    Approximate symmetries, and quarter turns about an axis of which most is of revolution, for a square body has it,
    too; then those of the smallest box that none of these are near. What sticks out at one side moves a box's middle
    away from the axis of the rest, so that its turns lead beside the pose that looks alike.

    Args:
        box: motions that map the smallest box onto itself.
        axis: of most of the shape; None where there is none.
        symmetries: approximate ones, the identity first.
    """
    R, t = np.zeros((0, 3, 3)), np.zeros((0, 3))
    if axis is not None:
        R, t = axis.turns(_QUARTERS)
        symmetries = about_other_axes(axis, symmetries)
    for some_R, some_t in ((symmetries.R[1:], symmetries.t_m[1:]), box):
        cosine = 0.5 * (np.einsum("kij,lij->kl", some_R, R) - 1.0)
        new = (cosine < np.cos(_SAME_RAD)).all(axis=1)
        R, t = np.concatenate([R, some_R[new]]), np.concatenate([t, some_t[new]])
    return R, t


def turned_poses(pose: Pose, meshes: MeshLevels) -> list[Pose]:
    """A pose after each of the turns that are compared with it; see `compared_turns`."""
    motions = compared_turns(meshes.turns_of_box, meshes.axis, meshes.approximate_symmetries)
    return [pose @ Pose(R, t) for R, t in zip(*motions, strict=True)]
