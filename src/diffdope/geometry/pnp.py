"""A pose from points of the model and the pixels that show them (perspective n points)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.errors import as_floats, check_finite, check_shape, expected
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose

F64 = NDArray[np.float64]

LEAST_POINTS = 4
"""Three leave up to four poses."""
_STARTS = 60  # rotations about 40 degrees apart: of 2000 random poses of 4 to 8 points, all were found
_STEPS = 40  # of Levenberg-Marquardt
_FLAT = 1e-2  # least width of the points by their length: thinner sets are a line, about which anything may turn
_SAME_RAD = np.radians(3.0)  # poses that are closer are one
_NEARLY_PX = 1.0  # clicks are about that exact, so that poses this close in error cannot be told apart


class PointPose(NamedTuple):
    """A pose that takes the points near their pixels, and the root mean square of what is left, pixels a point."""

    pose: Pose
    rms_px: float


def poses_from_points(points_m: ArrayLike, pixels: ArrayLike, camera: Camera) -> tuple[PointPose, ...]:
    """The poses that fit pairs of points, the best first.

    More than one comes back where the points cannot tell them apart: their errors are within a pixel. Levenberg-
    Marquardt on the reprojection error, from rotations all around, each with the translation that is linear given it.

    Args:
        points_m: (N, 3) of the model, metres; N at least 4, not on one line.
        pixels: (N, 2) columns and rows (u, v) that show them, in the rectified picture.
        camera: of the picture.

    Raises:
        DiffDopeError: if there are too few points, they lie on one line, or no pose has them before the camera.
    """
    points, seen = _checked(points_m, pixels)
    middle = points.mean(axis=0)
    own = points - middle
    widths = np.linalg.svd(own, compute_uv=False)
    if widths[1] <= _FLAT * widths[0]:
        raise expected("points_m", "points that are not on one line", "a line", "click one beside it")
    pinhole = camera.rectified
    R = so3.evenly(_STARTS)
    t = _translations(R @ own.T, seen, pinhole)
    R, t, squares = _descended(R, t, own, seen, pinhole)
    there = np.flatnonzero(((own @ np.swapaxes(R, 1, 2))[..., 2] + t[:, None, 2] > 0.0).all(axis=1))
    if len(there) == 0:
        cure = "check the pairs, or K"
        raise expected("pixels", "a pose that has all points before the camera", "none", cure)
    order = there[np.argsort(squares[there], kind="stable")]
    rms = np.sqrt(squares / len(own))
    kept: list[PointPose] = []
    for k in order:
        pose = Pose(R[k], t[k] - R[k] @ middle)
        if rms[k] > rms[order[0]] + _NEARLY_PX:
            break
        if all(pose.angle_to(other.pose) > _SAME_RAD for other in kept):
            kept.append(PointPose(pose, float(rms[k])))
    return tuple(kept)


def _checked(points_m: ArrayLike, pixels: ArrayLike) -> tuple[F64, F64]:
    points, seen = as_floats("points_m", points_m), as_floats("pixels", pixels)
    check_shape("points_m", points, (None, 3))
    check_shape("pixels", seen, (len(points), 2))
    check_finite("points_m", points)
    check_finite("pixels", seen)
    if len(points) < LEAST_POINTS:
        raise expected("points_m", f"at least {LEAST_POINTS} points", len(points), "three leave up to four poses")
    return points, seen


def _translations(turned: F64, seen: F64, camera: Camera) -> F64:
    """(S, 3) the translations that fit best, in the algebraic error, given turned points (S, 3, N).

    fx (x + tx) = (u - cx) (z + tz), and so for v: linear in t, with one matrix for all rotations.
    """
    du, dv = seen[:, 0] - camera.cx, seen[:, 1] - camera.cy
    zero = np.zeros(len(seen))
    rows = np.concatenate([
        np.stack([np.full(len(seen), camera.fx), zero, -du], axis=1),
        np.stack([zero, np.full(len(seen), camera.fy), -dv], axis=1),
    ])  # fmt: skip
    x, y, z = turned[:, 0], turned[:, 1], turned[:, 2]
    wanted = np.concatenate([du * z - camera.fx * x, dv * z - camera.fy * y], axis=1)
    t = np.linalg.lstsq(rows, wanted.T, rcond=None)[0].T
    size = np.linalg.norm(turned, axis=1).max()
    t[:, 2] = np.maximum(t[:, 2], 2.0 * size)  # a wrong rotation may ask for points behind the camera
    return np.asarray(t, np.float64)


def _descended(R: F64, t: F64, own: F64, seen: F64, camera: Camera) -> tuple[F64, F64, F64]:
    """Rotations (S, 3, 3), translations (S, 3) and sums of squares (S,) after Levenberg-Marquardt."""
    damping = np.full(len(R), 1e-3)
    residual, jacobian = reprojection(R, t, own, seen, camera)
    squares = np.einsum("sn,sn->s", residual, residual)
    for _ in range(_STEPS):
        normal = np.einsum("snk,snl->skl", jacobian, jacobian)
        gradient = np.einsum("snk,sn->sk", jacobian, residual)
        scale = np.einsum("skk->sk", normal)
        damped = normal + np.eye(6) * (damping[:, None] * scale + 1e-12)[:, None]
        step = -np.linalg.solve(damped, gradient[..., None])[..., 0]
        R_next, t_next = so3.exp(step[:, 3:]) @ R, t + step[:, :3]
        residual_next, jacobian_next = reprojection(R_next, t_next, own, seen, camera)
        squares_next = np.einsum("sn,sn->s", residual_next, residual_next)
        better = squares_next < squares
        damping = np.where(better, np.maximum(damping * 0.2, 1e-9), np.minimum(damping * 5.0, 1e6))
        R, t = np.where(better[:, None, None], R_next, R), np.where(better[:, None], t_next, t)
        residual = np.where(better[:, None], residual_next, residual)
        jacobian = np.where(better[:, None, None], jacobian_next, jacobian)
        squares = np.where(better, squares_next, squares)
    return R, t, squares


def reprojection(R: F64, t: F64, own: F64, seen: F64, camera: Camera) -> tuple[F64, F64]:
    """Residuals (S, 2N), pixels, all columns before all rows, and their derivative (S, 2N, 6) by (rho [m], phi [rad]).

    Args:
        R: (S, 3, 3) model to camera.
        t: (S, 3), metres.
        own: (N, 3) points of the model, metres.
        seen: (N, 2) columns and rows that show them.
        camera: a pinhole.
    """
    arm = own @ np.swapaxes(R, 1, 2)  # (S, N, 3): the point about the object's middle, in the camera's axes
    x, y, z = np.moveaxis(arm + t[:, None], -1, 0)
    inverse = 1.0 / np.maximum(z, 1e-6)  # a step may put a point behind the camera; it is not taken then
    a, b = x * inverse, y * inverse
    residual = np.concatenate([camera.fx * a + camera.cx - seen[:, 0], camera.fy * b + camera.cy - seen[:, 1]], axis=1)
    zero = np.zeros_like(a)
    by_point = np.stack([
        np.stack([camera.fx * inverse, zero, -camera.fx * a * inverse], axis=-1),
        np.stack([zero, camera.fy * inverse, -camera.fy * b * inverse], axis=-1),
    ], axis=1)  # fmt: skip
    by_turn = np.cross(arm[:, None], by_point)  # d (phi x arm) . g = phi . (arm x g)
    jacobian = np.concatenate([by_point, by_turn], axis=-1)
    return residual, jacobian.reshape(len(R), -1, 6)
