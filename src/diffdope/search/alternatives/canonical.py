"""The canonical one of the poses that look the same: the one that is turned least from a given pose.

Which of its equivalent poses a symmetric object is found in is chance, and in a video the pose would jump between them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.geometry.symmetry import Symmetries
from diffdope.scene.alikeness import Alikeness

F64 = NDArray[np.float64]

_STEP_RAD = np.radians(35.0)  # something round is found as turns in steps of 30 degrees
_BETWEEN_RAD = np.radians(13.0)  # an angle between those steps, and those of any polygon with fewer than 14 corners
_PARALLEL = 0.95  # cosine from which on two directions are one axis: 18 degrees


class Unnoticed(NamedTuple):
    """Motions of the model's frame that nobody notices, in the images' limits.

    R (S, 3, 3), t_m (S, 3): single ones, the identity first; axis (3,) and centre_m (3,): of something round, or None;
    a ball has a centre only.
    """

    R: F64
    t_m: F64
    axis: F64 | None
    centre_m: F64 | None


def unnoticed(candidates: Symmetries, alike: Alikeness) -> Unnoticed:
    """Those of approximate symmetries that go unnoticed, and the axis of those that belong to something round."""
    kept = [k for k in range(len(candidates)) if k == 0 or alike.unnoticed(candidates.R[k], candidates.t_m[k])]
    R, t_m = candidates.R[kept], candidates.t_m[kept]
    turns = np.stack([so3.log(one) for one in R])
    angles = np.linalg.norm(turns, axis=1)
    axes: list[tuple[F64, F64]] = []
    for k in np.flatnonzero((angles > 0.0) & (angles < _STEP_RAD)):
        axis = turns[k] / angles[k]
        centre = np.linalg.lstsq(np.eye(3) - R[k], t_m[k], rcond=1e-6)[0]
        known = any(abs(axis @ other) > _PARALLEL for other, _ in axes)
        if not known and alike.unnoticed(*_turn_about(axis, centre, _BETWEEN_RAD)):
            axes.append((axis, centre))
    if not axes:
        return Unnoticed(R, t_m, None, None)
    return Unnoticed(R, t_m, axes[0][0] if len(axes) == 1 else None, axes[0][1])


def nearest_alike(pose: Pose, near: Pose, same: Unnoticed) -> Pose:
    """Of the poses that look like one, the one at the smallest angle to another.

    About an axis the best angle has a closed form: the trace of a rotation times a turn by d about the axis is
    constant + C cos(d) + S sin(d).
    """
    if same.centre_m is not None and same.axis is None:
        return Pose(near.R_m2c, pose.apply(same.centre_m) - near.R_m2c @ same.centre_m)
    motions = [(R, t_m) for R, t_m in zip(same.R, same.t_m, strict=True)]
    if same.axis is not None and same.centre_m is not None:
        motions = [_best_turn(pose, near, motion, same.axis, same.centre_m) for motion in motions]
    poses = [pose @ Pose(R, t_m) for R, t_m in motions]
    angles = [one.angle_to(near) for one in poses]
    best = int(np.argmin(angles))
    return pose if angles[0] <= angles[best] + 1e-9 and np.array_equal(motions[0][0], np.eye(3)) else poses[best]


def _best_turn(pose: Pose, near: Pose, motion: tuple[F64, F64], axis: F64, centre: F64) -> tuple[F64, F64]:
    R, t_m = motion
    G = near.R_m2c.T @ pose.R_m2c @ R
    along = np.outer(axis, axis)
    cosine, sine = np.trace(G @ (np.eye(3) - along)), np.trace(G @ so3.hat(axis))
    turn, offset = _turn_about(axis, centre, float(np.arctan2(sine, cosine)))
    return R @ turn, t_m + R @ offset


def _turn_about(axis: F64, centre: F64, angle_rad: float) -> tuple[F64, F64]:
    """x -> R x + t, a turn about an axis through a point."""
    R = so3.exp(angle_rad * axis)
    return R, centre - R @ centre
