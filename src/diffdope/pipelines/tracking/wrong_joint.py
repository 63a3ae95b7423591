"""Which joint's value explains best that links do not fit: with it free beside the pose, more depths fit.

The pose lies between what the links ask for, so that those at both ends may be off, and the wrong joint in the middle.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.scene.robot import Screws

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

_FEWEST = 20  # depths
_GRAZING = 0.25  # cosine between ray and surface below which a depth says little
_REACH = 0.1  # of the distance: depths that are farther off are of something else
_ROUNDS = 10  # of reweighting, from wide to narrow
_MOST = 1500  # rows: neighbours say the same


class SeenDepths(NamedTuple):
    """N depths on the drawn robot: row and column (N,) in the crop, drawn_m and away (N,) where they are drawn and how
    far behind that they were measured, metres; normal_c (N, 3) of the surface in the camera's frame; link (N,)."""

    row: I64
    column: I64
    drawn_m: F64
    away: F64
    normal_c: F64
    link: I64

    def taken(self, kept: Bool | slice) -> SeenDepths:
        """Some of them."""
        row, column, drawn_m, away, normal_c, link = self
        return SeenDepths(row[kept], column[kept], drawn_m[kept], away[kept], normal_c[kept], link[kept])


def most_telling(seen: SeenDepths, screws: Screws, pose: Pose, camera: Camera, width_m: float) -> int | None:
    """Number of the joint that, turned together with the pose, explains most of the depths; None if too few are seen.

    Args:
        seen: the depths.
        screws: of the joints, at the values that were told.
        pose: of the base in the camera.
        camera: of the crop.
        width_m: how far depths that fit lie off.
    """
    seen = seen.taken(np.abs(seen.away) < _REACH * seen.drawn_m)
    seen = seen.taken(slice(None, None, max(-(-len(seen.row) // _MOST), 1)))
    ray = np.stack(
        [(seen.column - camera.cx) / camera.fx, (seen.row - camera.cy) / camera.fy, np.ones(len(seen.row))], axis=1
    )
    along = np.einsum("nk,nk->n", seen.normal_c, ray)
    clear = np.abs(along) > _GRAZING * np.linalg.norm(ray, axis=1)
    if np.count_nonzero(clear) < _FEWEST:
        return None
    seen, ray, along = seen.taken(clear), ray[clear], along[clear]
    X = ray * seen.drawn_m[:, None]
    by_point = np.asarray(seen.normal_c / along[:, None])
    middle: F64 = X.mean(axis=0)
    shared = np.hstack([by_point, np.cross(X - middle, by_point), seen.drawn_m[:, None]])
    axis, shift = screws.axis @ pose.R_m2c.T, screws.shift @ pose.R_m2c.T
    moved = np.asarray(np.cross(axis[:, seen.link], X - pose.t_m2c) + shift[:, seen.link])
    joints = np.einsum("jnk,nk->nj", moved, by_point)
    costs = [_cost(np.hstack([shared, one[:, None]]), seen.away, width_m) for one in joints.T]
    return int(np.argmin(costs))


def _cost(A: F64, b: F64, width_m: float) -> float:
    """Sum of Geman and McClure's losses at the least squares that they weigh, found from wide to narrow."""
    x: F64 = np.zeros(A.shape[1])
    ridge = 1e-6 * np.diag(np.maximum(np.einsum("nk,nk->k", A, A), 1e-9))
    width = 0.0
    for n in range(_ROUNDS):
        width = width_m * max(8.0 * 0.7**n, 1.0)
        weight = 1.0 / (1.0 + ((b - A @ x) / width) ** 2) ** 2
        x = np.asarray(np.linalg.solve(A.T @ (weight[:, None] * A) + ridge, A.T @ (weight * b)), np.float64)
    squares = ((b - A @ x) / width) ** 2
    return float(np.sum(squares / (1.0 + squares)))
