"""Hypotheses: poses spread around a start whose uncertainty is stated, and which of them are still distinct."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose

F64 = NDArray[np.float64]


def spread(pose: Pose, count: int, *, angle_rad: float, distance_m: float, rng: np.random.Generator) -> tuple[F64, F64]:
    """Poses (B, 3, 3) and (B, 3), the first of them the start itself, the others evenly in two balls around it.

    The first k do not depend on `count`.

    Args:
        pose: the start.
        count: B.
        angle_rad: radius of the ball of rotation vectors.
        distance_m: radius of the ball of translations.
        rng: of the draws.
    """
    draws = rng.normal(size=(count, 8))
    turn = _in_ball(draws[:, :3], draws[:, 3]) * angle_rad
    shift = _in_ball(draws[:, 4:7], draws[:, 7]) * distance_m
    turn[0] = shift[0] = 0.0
    return np.asarray(so3.exp(turn) @ pose.R_m2c), pose.t_m2c + shift


def _in_ball(directions: F64, normal: F64) -> F64:
    """Points evenly in the unit ball, from normal draws (B, 3) and (B,)."""
    from scipy.special import ndtr

    length = np.linalg.norm(directions, axis=1, keepdims=True)
    return np.asarray(directions / np.maximum(length, 1e-300) * np.cbrt(ndtr(normal))[:, None])


def distinct(R: F64, t: F64, cost: F64, keep: int, *, angle_rad: float, distance_m: float) -> NDArray[np.intp]:
    """Indices of the `keep` best poses, leaving out those that another, better one already stands for.

    Args:
        R: (B, 3, 3).
        t: (B, 3), metres.
        cost: (B,), lower is better.
        keep: at most.
        angle_rad: poses closer than this and than `distance_m` are the same.
        distance_m: see `angle_rad`.
    """
    kept: list[int] = []
    same_trace = 1.0 + 2.0 * np.cos(angle_rad)
    for b in np.argsort(cost, kind="stable"):
        if kept:
            near = np.linalg.norm(t[kept] - t[b], axis=1) < distance_m
            alike = np.einsum("kij,ij->k", R[kept], R[b]) > same_trace
            if (near & alike).any():
                continue
        kept.append(int(b))
        if len(kept) == keep:
            break
    return np.array(kept, np.intp)
