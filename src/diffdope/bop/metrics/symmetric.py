"""Errors modulo symmetry: rotation and translation, MSSD and MSPD."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.bop.metrics.pairs import I64, ModelPoints, PosePairs, chunks, model_points
from diffdope.errors import as_floats, check_finite, check_shape
from diffdope.geometry import so3
from diffdope.geometry.symmetry import Symmetries

F64 = NDArray[np.float64]


def rotation_translation_errors(pairs: PosePairs, symmetries: Symmetries) -> tuple[F64, F64]:
    """Angle (N,) in radians and distance (N,) in metres to the true pose that is turned most alike.

    The distance is measured to the origin of the true pose that `with_nearest_truths` chooses.
    """
    pairs = with_nearest_truths(pairs, symmetries)
    angle = np.linalg.norm(so3.log(np.swapaxes(pairs.R_true, 1, 2) @ pairs.R_est), axis=1)
    return angle, np.linalg.norm(pairs.t_est - pairs.t_true, axis=1)


def with_nearest_truths(pairs: PosePairs, symmetries: Symmetries) -> PosePairs:
    """The same estimates with, of all true poses that look the same, the one at the smallest angle to each.

    Turns about an axis of symmetry and about the middle of a ball are free, not in steps.
    """
    pairs, symmetries = pairs.turned_like_estimate(symmetries)
    R_s, t_s = np.empty((len(pairs), 3, 3)), np.empty((len(pairs), 3))
    for part in chunks(len(pairs), 4 * len(symmetries)):
        R_s[part], t_s[part] = _nearest_turns(pairs[part], symmetries)
    t_true = np.einsum("nij,nj->ni", pairs.R_true, t_s) + pairs.t_true
    return PosePairs(pairs.R_est, pairs.t_est, pairs.R_true @ R_s, t_true)


def _nearest_turns(pairs: PosePairs, symmetries: Symmetries) -> tuple[F64, F64]:
    """For each pair the symmetry with the smallest angle, (N, 3, 3) and (N, 3) metres."""
    # tr(G S) = 1 + 2 cos(angle) with G = R_est^T R_true: a product of matrices of 9 columns for all pairs and motions.
    G = (np.swapaxes(pairs.R_est, 1, 2) @ pairs.R_true).reshape(-1, 9)

    def traces(X: F64) -> F64:
        """tr(G X S) of all pairs and symmetries: (N, S)."""
        return np.asarray(G @ np.swapaxes(X @ symmetries.R, 1, 2).reshape(-1, 9).T)

    if symmetries.axis is None or symmetries.centre_m is None:
        best = traces(np.eye(3)).argmax(axis=1)
        return symmetries.R[best], symmetries.t_m[best]
    # A further turn by d about the axis a: a a^T + cos(d) (I - a a^T) + sin(d) hat(a), whose trace has one maximum.
    along = np.outer(symmetries.axis, symmetries.axis)
    cosine, sine = traces(np.eye(3) - along), traces(so3.hat(symmetries.axis))
    best = (traces(along) + np.hypot(cosine, sine)).argmax(axis=1)
    rows = np.arange(len(best))
    turn = so3.exp(np.arctan2(sine, cosine)[rows, best][:, None] * symmetries.axis)
    offset = symmetries.centre_m - turn @ symmetries.centre_m
    return turn @ symmetries.R[best], np.einsum("nij,nj->ni", turn, symmetries.t_m[best]) + offset


def mssd_errors(pairs: PosePairs, points: ModelPoints | ArrayLike, symmetries: Symmetries) -> F64:
    """MSSD of N pairs: the largest distance of corresponding points, least over the symmetries, metres (N,).

    Hodan et al., BOP Challenge 2020 on 6D Object Localization. How far a rigid motion moves a point is convex in the
    point, so that its maximum lies at a corner of the convex hull: only those are looked at, and nothing is lost.

    Args:
        pairs: N estimates with their truths.
        points: model points (P, 3), metres; a `ModelPoints` keeps its hull for the next call.
        symmetries: of the model.
    """
    model = model_points(points)
    pairs, symmetries = pairs.turned_like_estimate(symmetries)
    middle = model.points_m.mean(axis=0)
    bounding, all_corners = _monomials(model.extremes - middle), _monomials(model.hull - middle)
    R, t = pairs.truth_from_estimate()
    t = t + R @ middle
    t_s = symmetries.t_m + symmetries.R @ middle

    def squares(rows: I64 | slice, s: I64 | slice, monomials: F64) -> F64:
        """Largest squared distance over the points that the monomials are of."""
        motion = np.concatenate([R[rows] - symmetries.R[s], (t[rows] - t_s[s])[..., None]], axis=-1)
        return np.asarray((_quadratic(motion) @ monomials).max(axis=-1))

    def bound(part: slice) -> F64:
        every, rows = np.arange(len(symmetries)), np.arange(part.start, part.stop)
        n, s = np.repeat(rows, len(every)), np.tile(every, len(rows))
        return squares(n, s, bounding).reshape(len(rows), len(every))

    def exact(rows: I64, s: I64) -> F64:
        parts = [squares(rows[part], s[part], all_corners) for part in chunks(len(rows), all_corners.shape[1])]
        return np.concatenate(parts)

    least = _least(len(pairs), len(symmetries) * bounding.shape[1], bound, exact)
    return np.sqrt(np.maximum(least, 0.0))


def _monomials(points_m: F64) -> F64:
    """The ten products of pairs of (x, y, z, 1): (10, P)."""
    homogeneous = np.concatenate([points_m, np.ones((len(points_m), 1))], axis=1)
    i, j = np.triu_indices(4)
    return np.ascontiguousarray((homogeneous[:, i] * homogeneous[:, j]).T)


def _quadratic(motion: F64) -> F64:
    """The squared length of motion (..., 3, 4) @ (x, y, z, 1) as factors of the ten monomials: (..., 10)."""
    square = np.swapaxes(motion, -1, -2) @ motion
    i, j = np.triu_indices(4)
    return np.asarray(np.where(i == j, 1.0, 2.0) * square[..., i, j])


def mspd_errors(pairs: PosePairs, points: ModelPoints | ArrayLike, symmetries: Symmetries, K: ArrayLike) -> F64:
    """MSPD of N pairs: the largest distance of projected points, least over the symmetries, pixels (N,).

    Hodan et al., BOP Challenge 2020 on 6D Object Localization. Pixels of the image as it is; BOP's thresholds hold for
    640 columns: multiply by 640 / width. Infinite where a point lies at or behind the camera.

    Args:
        pairs: N estimates with their truths.
        points: model points (P, 3), metres.
        symmetries: of the model.
        K: calibration (3, 3) or (N, 3, 3), pixels.
    """
    model = model_points(points)
    K = as_floats("K", K)
    K = np.broadcast_to(K, (len(pairs), 3, 3)) if K.shape == (3, 3) else K
    check_shape("K", K, (len(pairs), 3, 3))
    check_finite("K", K)
    pairs, symmetries = pairs.turned_like_estimate(symmetries)
    P_est, p_est = K @ pairs.R_est, np.einsum("nij,nj->ni", K, pairs.t_est)
    P_true, p_true = K @ pairs.R_true, np.einsum("nij,nj->ni", K, pairs.t_true)

    def squares(rows: I64, s: I64 | slice, points_m: F64) -> F64:
        """Largest squared distance over the points: (rows, S) for a slice of symmetries."""
        if isinstance(s, slice):
            turned = np.einsum("nij,sjk->nsik", P_true[rows], symmetries.R)
            moved = np.einsum("nij,sj->nsi", P_true[rows], symmetries.t_m) + p_true[rows, None]
            estimate = _project(P_est[rows], p_est[rows], points_m)[:, None]
        else:
            turned = P_true[rows] @ symmetries.R[s]
            moved = np.einsum("nij,nj->ni", P_true[rows], symmetries.t_m[s]) + p_true[rows]
            estimate = _project(P_est[rows], p_est[rows], points_m)
        apart = estimate - _project(turned, moved, points_m)
        square = apart[..., 0, :] ** 2 + apart[..., 1, :] ** 2
        return np.asarray(np.where(np.isnan(square), np.inf, square).max(axis=-1))

    def bound(part: slice) -> F64:
        return squares(np.arange(part.start, part.stop), slice(None), model.extremes)

    def exact(rows: I64, s: I64) -> F64:
        parts = [squares(rows[part], s[part], model.points_m) for part in chunks(len(rows), 6 * len(model))]
        return np.concatenate(parts)

    return np.sqrt(_least(len(pairs), 6 * len(symmetries) * len(model.extremes), bound, exact))


def _project(P: F64, p: F64, points_m: F64) -> F64:
    """Pixels (..., 2, P) of points under P (..., 3, 3) x + p (..., 3); NaN at or behind the camera."""
    x_c = P @ points_m.T + p[..., None]
    inverse = 1.0 / np.where(x_c[..., 2:, :] > 0.0, x_c[..., 2:, :], np.nan)
    return np.asarray(x_c[..., :2, :] * inverse)


def _least(count: int, numbers_each: int, bound: Callable[[slice], F64], exact: Callable[[I64, I64], F64]) -> F64:
    """The least value over the symmetries for each of `count` pairs, without computing most of them: (count,).

    `bound` gives a lower bound (rows, S) of every value, `exact(rows, s)` some values. The most promising symmetry of
    each pair is computed until no bound is below the best value found.
    """
    result = np.full(count, np.inf)
    for part in chunks(count, numbers_each):
        bounds, best = bound(part), result[part]
        open_rows = np.arange(len(best))
        while len(open_rows):
            s = bounds[open_rows].argmin(axis=1)
            hopeful = bounds[open_rows, s] < best[open_rows]
            open_rows, s = open_rows[hopeful], s[hopeful]
            if len(open_rows):
                best[open_rows] = np.minimum(best[open_rows], exact(open_rows + part.start, s))
                bounds[open_rows, s] = np.inf
    return result
