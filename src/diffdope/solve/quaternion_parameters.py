"""The paper's pose parameters: a unit quaternion and a translation, in comparable units.

A step of size e turns a quaternion by 2 e rad, which moves the surface of an object of diameter D by about e D. A
translation in units of D moves it by e D too. So with `length_m` = D one learning rate fits both, for every object.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.so3 import matrix_from_wxyz, wxyz_from_matrix

F64 = NDArray[np.float64]


class Parameters:
    """B poses as parameters (B, 7): quaternion wxyz, translation / length_m."""

    def __init__(self, R_m2c: F64, t_m2c: F64, length_m: float) -> None:
        self.length_m = length_m
        self.values = np.concatenate([wxyz_from_matrix(R_m2c), t_m2c / length_m], axis=1)

    @property
    def R_m2c(self) -> F64:
        """Rotations (B, 3, 3)."""
        return np.asarray(matrix_from_wxyz(self.values[:, :4]))

    @property
    def t_m2c(self) -> F64:
        """Translations (B, 3), metres."""
        return np.asarray(self.values[:, 4:] * self.length_m)

    def gradient(self, tangent: F64) -> F64:
        """From the tangent gradient (B, 6) in (rho, phi) to the gradient (B, 7) by the parameters.

        A left turn phi changes q by (0, phi) q / 2, so the gradient within the unit sphere is 2 (0, g_phi) q.
        """
        w, v = self.values[:, :1], self.values[:, 1:4]
        g = tangent[:, 3:]
        scalar = -np.sum(g * v, axis=1, keepdims=True)
        return np.concatenate([2.0 * scalar, 2.0 * (w * g + np.cross(g, v)), tangent[:, :3] * self.length_m], axis=1)

    def move(self, step: F64) -> None:
        """Adds a step (B, 7) and normalises the quaternions."""
        self.values += step
        self.values[:, :4] /= np.linalg.norm(self.values[:, :4], axis=1, keepdims=True)
