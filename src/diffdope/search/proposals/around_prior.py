"""Proposals: the poses from which a search begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose

F64 = NDArray[np.float64]


def around_prior(
    pose: Pose, count: int, *, angle_rad: float, distance_m: float, rng: np.random.Generator
) -> tuple[F64, F64]:
    """Poses (B, 3, 3) and (B, 3), the first of them the start itself, the others evenly in two balls around it.

    The first k do not depend on `count`.

    Args:
        pose: the start.
        count: B.
        angle_rad: radius of the ball of rotation vectors.
        distance_m: radius of the ball of translations.
        rng: of the draws.
    """
    return drawn_around(pose, draws(rng, count), angle_rad=angle_rad, distance_m=distance_m)


def draws(rng: np.random.Generator, count: int) -> F64:
    """Normal draws (B, 8) of so many proposals, that can be made of them later."""
    return rng.normal(size=(count, 8))


def drawn_around(pose: Pose, draws: F64, *, angle_rad: float, distance_m: float) -> tuple[F64, F64]:
    """The proposals of some draws (B, 8); for the other arguments see `around_prior`."""
    if len(draws) == 1:
        return pose.R_m2c[None].copy(), pose.t_m2c[None].copy()
    turn = _in_ball(draws[:, :3], draws[:, 3]) * angle_rad
    shift = _in_ball(draws[:, 4:7], draws[:, 7]) * distance_m
    turn[0] = shift[0] = 0.0
    return np.asarray(so3.exp(turn) @ pose.R_m2c), pose.t_m2c + shift


def _in_ball(directions: F64, normal: F64) -> F64:
    """Points evenly in the unit ball, from normal draws (B, 3) and (B,)."""
    from scipy.special import ndtr

    length = np.linalg.norm(directions, axis=1, keepdims=True)
    return np.asarray(directions / np.maximum(length, 1e-300) * np.cbrt(ndtr(normal))[:, None])
