"""The pinhole camera of the reference renderer, and what crosses its near plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Intrinsics = tuple[float, float, float, float]

NEAR_M = 1e-3  # metres: what is nearer is cut off, as of the kernels


@dataclass(frozen=True)
class Projection:
    """Vertices seen by the camera.

    Attributes:
        K: (fx, fy, cx, cy) in pixels.
        points_c: (V, 3) camera frame, metres.
        in_front: (V,) in front of the near plane.
        points_px: (V, 2) pixels; those of the others have no meaning.
        inverse_z: (V,) 1/m; likewise.
    """

    K: Intrinsics
    points_c: Array
    in_front: NDArray[np.bool_]
    points_px: Array
    inverse_z: Array

    def is_cut(self, faces: NDArray[np.int32]) -> NDArray[np.bool_]:
        """(n,) whether the near plane passes between the corners of (n, 3) faces."""
        ahead = self.in_front[faces]
        return np.asarray(ahead.any(axis=1) & ~ahead.all(axis=1))

    def rays(self, points_px: Array) -> Array:
        """(n, 3) rays of depth 1 through (n, 2) pixels."""
        fx, fy, cx, cy = self.K
        return np.stack([(points_px[:, 0] - cx) / fx, (points_px[:, 1] - cy) / fy, np.ones(len(points_px))], axis=1)


def project(vertices_m: Array, K: Intrinsics, R: Array, t: Array) -> Projection:
    """Step 1, pinhole camera: u = fx X / Z + cx, v = fy Y / Z + cy."""
    points_c = np.asarray(vertices_m, dtype=np.float64) @ np.asarray(R).T + np.asarray(t)
    in_front = points_c[:, 2] > NEAR_M
    return Projection(K, points_c, in_front, *on_image(points_c, K))


def on_image(points_c: Array, K: Intrinsics) -> tuple[Array, Array]:
    """(n, 2) pixels and (n,) inverse depth of points; without meaning behind the near plane."""
    fx, fy, cx, cy = K
    inverse_z = 1.0 / np.where(points_c[:, 2] >= NEAR_M, points_c[:, 2], 1.0)
    u, v = fx * points_c[:, 0] * inverse_z + cx, fy * points_c[:, 1] * inverse_z + cy
    return np.stack([u, v], axis=1), inverse_z


def weights_over_depth(projection: Projection, corners: NDArray[np.int32], points_px: Array) -> Array:
    """(n, 3) b with b_0 P_0 + b_1 P_1 + b_2 P_2 = ray: barycentric weights over depth, so that their sum is 1/Z."""
    return np.asarray(projection.rays(points_px) @ np.linalg.inv(projection.points_c[corners]))


def cut_points(a: Array, b: Array) -> Array:
    """(n, 3) where lines from (n, 3) to (n, 3) pass the near plane; without meaning where they do not."""
    rise = b[:, 2] - a[:, 2]
    share = (NEAR_M - a[:, 2]) / np.where(rise == 0.0, 1.0, rise)
    cut = a + share[:, None] * (b - a)
    cut[:, 2] = NEAR_M  # which rounding could miss
    return np.asarray(cut)
