"""How probable it is that a pose is within a tolerance, given its covariance."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose, difference
from diffdope.scene.mesh import Mesh
from diffdope.scene.revolution import AXIS_POINTS, Axis, axes_of_revolution
from diffdope.scene.sampling import surface_points

F64 = NDArray[np.float64]

_USUAL = 0.012  # mean error of 138 results of `fast` with depth, as a share of the diameter; spread as e^-x
_USUAL_BY_DEPTH = 0.001, 1.6, 1.7  # the same of 280: a constant, times depth's deviation, and times the next step
_LONGEST = 0.05  # of the diameter: longer steps say no more
_USUAL_WITHOUT_DEPTH = 0.052  # and of 98 in the right minimum with a photograph and a mask: the distance is open


def displacement_form(mesh: Mesh, surface: tuple[F64, F64] | None = None) -> F64:
    """Mean square displacement of a surface as a form A (6, 6) of small motions xi = (rho [m], phi [rad]): xi^T A xi.

    Motions are in the axes of the mesh's frame, about its origin: x -> x + rho + phi x x. Turns about an axis of
    revolution count nothing: A - A s (s^T A s)^-1 s^T A, with s those turns, is the least over all of them.

    Args:
        mesh: the object.
        surface: its `surface_points`, `AXIS_POINTS` of them, where they are known.
    """
    points_m, normals = surface_points(mesh, AXIS_POINTS) if surface is None else surface
    form = np.eye(6)
    mean = points_m.mean(axis=0)
    form[:3, 3:] = -so3.hat(mean)
    form[3:, :3] = form[:3, 3:].T
    form[3:, 3:] = np.eye(3) * np.mean(np.sum(points_m**2, axis=1)) - points_m.T @ points_m / len(points_m)
    axes = axes_of_revolution(points_m, normals, mesh.diameter)
    if len(axes) == 0:
        return form
    turns = np.concatenate([-np.cross(axes, mean), axes], axis=1).T  # (6, K): about axes through the middle
    pulled = form @ turns
    return np.asarray(form - pulled @ np.linalg.pinv(turns.T @ pulled) @ pulled.T)


def modulo_folds(covariance: F64, axis: Axis | None, fold_rad: float, R_m2c: F64) -> F64:
    """The covariance of an error modulo turns by a fraction of a full turn, after which an object is as it was.

    Nobody is off by more than half of such a turn: where all of them are equally probable, the variance of the turn is
    (fold / 2)^2 / 3, and it is never more. The error is split into s theta, with theta the turn about the axis and s
    that turn by one radian, and a rest that stays as it is.

    Args:
        covariance: (6, 6) in the camera's axes, (rho [m], phi [rad]) about the origin of the mesh.
        axis: in the mesh's frame; None where there are no such turns.
        fold_rad: the least of these turns.
        R_m2c: (3, 3) of the pose.
    """
    if axis is None:
        return covariance
    direction = R_m2c @ axis.direction
    turn = np.concatenate([-np.cross(direction, R_m2c @ axis.point_m), direction])
    theta = np.concatenate([np.zeros(3), direction])
    known, most = float(theta @ covariance @ theta), fold_rad**2 / 12.0
    if known <= most:
        return covariance
    bounded = np.eye(6) - (1.0 - np.sqrt(most / known)) * np.outer(turn, theta)
    return np.asarray(bounded @ covariance @ bounded.T)


def probability_within(tolerance_m: float, covariance: F64, form: F64, R_m2c: F64) -> float:
    """Of the RMS displacement of the surface being less than a tolerance, for a Gaussian error of the pose.

    The square of the displacement is a sum of chi-square variables times weights, the eigenvalues l_i of the form times
    the covariance. With c_k = sum l_i^k, the trace of that product's k-th power, Pearson's approximation by three
    moments (Imhof, Biometrika 1961) is

        P(sum <= q) = P(chi2_h <= h + (q - c_1) sqrt(h / c_2)),    h = c_2^3 / c_3^2

    Args:
        tolerance_m: metres.
        covariance: (6, 6) in the camera's axes, (rho [m], phi [rad]) about the origin of the mesh.
        form: (6, 6) of `displacement_form`.
        R_m2c: (3, 3) of the pose.
    """
    return probability_below(tolerance_m, _in_mesh(covariance, R_m2c) @ form)


def probability_below(tolerance_m: float, once: F64) -> float:
    """Of the root of a sum of chi-square variables being below a tolerance; see `probability_within`.

    Args:
        tolerance_m: metres.
        once: (K, K) whose eigenvalues are their weights, metres squared.
    """
    from scipy.special import gammainc

    twice = once @ once
    c1, c2, c3 = float(np.trace(once)), float(np.trace(twice)), float(np.vdot(twice, once.T))
    if c3 <= 0.0:
        return 1.0
    h = c2**3 / c3**2
    return float(gammainc(0.5 * h, 0.5 * max(h + (tolerance_m**2 - c1) * np.sqrt(h / c2), 0.0)))


def turn_within(share: float, deviation: float) -> float:
    """Of a Gaussian error of this deviation being within a tolerance, both as shares of the diameter."""
    return 1.0 if deviation <= 0.0 else math.erf(share / (math.sqrt(2.0) * deviation))


def usually_within(
    share: float, known: float, *, depth: bool = True, depth_error: float | None = None, left: float | None = None
) -> float:  # fmt: skip
    """Of an error being below a tolerance where no covariance is known.

    What is measured with noise, or explained badly, is found less well, as is what has not come to rest: errors grow
    with what depth is off, and with the step that would be next.

    Args:
        share: the tolerance as a share of the diameter.
        known: the tolerance that the fit was learned for: with depth, errors in the right minimum are within it.
        depth: whether depth was compared. Without it, a good fit leaves the distance open by more than that tolerance.
        depth_error: median absolute deviation of the depths from what is drawn, as a share of the diameter; None where
            it is not known.
        left: by how much the next step would move the surface, as a share of the diameter; counts beside the former.
    """
    if depth_error is not None:
        constant, by_depth, by_step = _USUAL_BY_DEPTH
        usual = constant + by_depth * depth_error + by_step * min(left or 0.0, _LONGEST)
        return float(-np.expm1(-share / usual))
    if not depth:
        return float(-np.expm1(-share / _USUAL_WITHOUT_DEPTH))
    return float(min(np.expm1(-share / _USUAL) / np.expm1(-known / _USUAL), 1.0))


def displacement(covariance: F64, form: F64, R_m2c: F64) -> float:
    """The RMS displacement of the surface that a covariance says, metres; for arguments see `probability_within`."""
    return float(np.sqrt(max(np.trace(_in_mesh(covariance, R_m2c) @ form), 0.0)))


def apart_m(one: Pose, other: Pose, form: F64) -> float:
    """RMS displacement of the surface from one pose to another that is near it, metres.

    Args:
        one: of them.
        other: the other.
        form: (6, 6) of `displacement_form`.
    """
    step = difference(one, other)
    return displacement(np.outer(step, step), form, other.R_m2c)


def _in_mesh(covariance: F64, R_m2c: F64) -> F64:
    turn = np.zeros((6, 6))
    turn[:3, :3] = turn[3:, 3:] = R_m2c
    return np.asarray(turn.T @ covariance @ turn)
