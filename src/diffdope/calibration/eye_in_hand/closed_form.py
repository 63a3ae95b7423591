"""AX = XB in closed form, and what too few kinds of motion leave open.

A is a motion of the flange between two pictures, B the motion of the camera's view of a still object: with X =
T_flange_camera, A X = X B. Rotation vectors obey a = R_X b, so that turns about two axes determine R_X (Park and
Martin, IEEE Transactions on Robotics and Automation 10, 1994), and (R_A - 1) t_X = R_X t_B - t_A the shift. Turns about
one axis leave the shift along it open; if that axis stays in its place, the turn about it, too. No turns at all leave
the whole shift open.

A turn by half a circle has two rotation vectors, and which one comes out of a matrix is chance. So, of turns that may
be that far, both are tried; where rotations fit either way, as of a wrist that is turned over and tilted across, the
shifts tell which camera it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose

F64 = NDArray[np.float64]

_LEAST_TURN_RAD = np.radians(3.0)  # about a second axis: less is what poses of single pictures are off
_HALF_TURN_RAD = np.pi - np.radians(8.0)  # from here on, poses that are 4 degrees off may have the other vector


class FlangeMotions(NamedTuple):
    """How the flange turned between pictures.

    turns (M, 3): rotation vectors in the base, of each pair; axes: about how many independent axes, 0 to 3; axis (3,):
    the main one in the base.
    """

    turns: F64
    axes: int
    axis: F64


def flange_motions(flanges: Sequence[Pose]) -> FlangeMotions:
    """The turns between pictures.

    Args:
        flanges: T_base_flange of each picture.
    """
    turns = [
        so3.log(one.R_m2c @ other.R_m2c.T) for n, one in enumerate(flanges) for other in flanges[:n]
    ]  # fmt: skip
    vectors = np.array(turns).reshape(-1, 3)
    values, axes = np.linalg.eigh(vectors.T @ vectors / max(len(vectors), 1))
    sizes = np.sqrt(np.maximum(values[::-1], 0.0))
    return FlangeMotions(vectors, int((sizes > _LEAST_TURN_RAD).sum()), axes[:, -1])


def hand_eyes(flanges: Sequence[Pose], objects: Sequence[Pose]) -> list[Pose]:
    """T_flange_camera of a camera that sees one still object; none if nothing moves.

    What the motions leave open is 0: the shift along a common axis, or all of it. Where turns by half a circle leave
    several cameras that fit the rotations, all of these, the best first.

    Args:
        flanges: T_base_flange of each picture, two at least.
        objects: T_camera_object of each picture.
    """
    A = [one.inverse() @ other for n, one in enumerate(flanges) for other in flanges[:n]]
    B = [one @ other.inverse() for n, one in enumerate(objects) for other in objects[:n]]
    a, b = (np.array([so3.log(one.R_m2c) for one in some]) for some in (A, B))
    t_a, t_b = (np.array([one.t_m2c for one in some]) for some in (A, B))
    sizes = np.linalg.svd(a, compute_uv=False) / np.sqrt(len(a))
    if sizes[0] <= _LEAST_TURN_RAD:
        return [] if np.linalg.norm(t_a) == 0.0 else [Pose(_aligned(t_a, t_b), np.zeros(3))]
    R_A = np.array([one.R_m2c for one in A])
    found = []
    for turns in _ways_round(a, b):
        if len(sizes) > 1 and sizes[1] > _LEAST_TURN_RAD:
            R = _aligned(a, turns)
            X = Pose(R, _shift(R_A, R, t_a, t_b))
        else:
            X = _about_one_axis(R_A, a, turns, t_a, t_b)
        found.append((_rms(a - turns @ X.R_m2c.T), _rms(_left_of_shift(R_A, X, t_a, t_b)), X))
    least = min(turn_rad for turn_rad, _, _ in found)
    found = [one for one in found if one[0] <= least + _LEAST_TURN_RAD]
    return [X for _, _, X in sorted(found, key=lambda one: one[1])]


def _ways_round(a: F64, b: F64) -> list[F64]:
    """Rotation vectors (M, 3) of the camera's turns, each of several ways to take those by half a circle.

    The two turns that differ most in direction, either way round, propose a rotation; the others go the way it says.
    """
    angle = np.linalg.norm(b, axis=1)
    half = np.maximum(angle, np.linalg.norm(a, axis=1)) > _HALF_TURN_RAD
    if not half.any():
        return [b]
    back = b - 2.0 * np.pi * b / np.where(half, angle, 1.0)[:, None]
    across = np.linalg.norm(np.cross(a[:, None], a[None]), axis=2)
    i, j = np.unravel_index(int(np.argmax(across)), across.shape)
    ways: list[F64] = []
    for one in (b[i], back[i])[: 1 + int(half[i])]:
        for other in (b[j], back[j])[: 1 + int(half[j])]:
            R = _aligned(a[[i, j]], np.stack([one, other]))
            nearer = np.linalg.norm(a - back @ R.T, axis=1) < np.linalg.norm(a - b @ R.T, axis=1)
            way = np.where((half & nearer)[:, None], back, b)
            if not any(np.array_equal(way, known) for known in ways):
                ways.append(way)
    return ways


def _rms(rows: F64) -> float:
    """Root mean square of the lengths of rows (M, 3)."""
    return float(np.sqrt((rows * rows).sum(axis=-1).mean()))


def _aligned(a: F64, b: F64) -> F64:
    """The rotation with a = R b in the sense of least squares (Kabsch, Acta Crystallographica A 32, 1976)."""
    return so3.project_to_so3(a.T @ b)


def _shift(R_A: F64, R: F64, t_a: F64, t_b: F64) -> F64:
    left = (R_A - np.eye(3)).reshape(-1, 3)
    right = (t_b @ R.T - t_a).reshape(-1)
    return np.asarray(np.linalg.lstsq(left, right, rcond=1e-3)[0], np.float64)


def _left_of_shift(R_A: F64, X: Pose, t_a: F64, t_b: F64) -> F64:
    """What is left (M, 3), metres, of (R_A - 1) t_X = R_X t_B - t_A."""
    return np.asarray((R_A - np.eye(3)) @ X.t_m2c + t_a - t_b @ X.R_m2c.T, np.float64)


def _about_one_axis(R_A: F64, a: F64, b: F64, t_a: F64, t_b: F64) -> Pose:
    """R_X = Exp(angle axis) R_0, where R_0 takes b's axis to a's: linear in the angle's cosine and sine, and the shift.

    With u = R_0 t_B: R_X t_B = (axis . u) axis + cos (u - (axis . u) axis) + sin (axis x u).
    """
    axis_a, axis_b = (np.linalg.svd(one)[2][0] for one in (a, b))
    axis_b = axis_b * np.sign(np.sum((a @ axis_a) * (b @ axis_b)))
    R_0 = _turn_to(axis_b, axis_a)
    u = t_b @ R_0.T
    along = (u @ axis_a)[:, None] * axis_a
    M = np.concatenate([R_A - np.eye(3), -(u - along)[:, :, None], -np.cross(axis_a, u)[:, :, None]], axis=2)
    found = np.linalg.lstsq(M.reshape(-1, 5), (along - t_a).reshape(-1), rcond=1e-3)[0]
    R = so3.exp(float(np.arctan2(found[4], found[3])) * axis_a) @ R_0
    return Pose(R, _shift(R_A, R, t_a, t_b))


def _turn_to(one: F64, other: F64) -> F64:
    """The shortest rotation that takes a unit vector to another."""
    across = np.cross(one, other)
    sine, cosine = float(np.linalg.norm(across)), float(one @ other)
    if sine < 1e-9:
        if cosine > 0.0:
            return np.eye(3)
        beside = np.linalg.svd(one[None])[2][1]
        return so3.exp(np.pi * beside)
    return so3.exp(np.arctan2(sine, cosine) * across / sine)
