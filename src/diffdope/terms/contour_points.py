"""Points of contours, between pixels: those of a drawn outline, as its edges are looked for along their normals."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.terms.contour_kernel import OutlinePoints, OutlineView
from diffdope.terms.outline_kernel import count_outline, find_outline

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Int = NDArray[np.intp]

_SMOOTHING = 1.5  # pixels, of the coverage, for its normals


class EdgePoints(Protocol):
    """Points of contours: place (N, 2) in pixels, normal (N, 2), camera-frame point (N, 3) [m]."""

    place: F64
    normal: F64
    X_c: F64


class ContourPoints:
    """Points of a rendered outline: place (N, 2) in pixels, outward normal (N, 2), camera-frame point (N, 3) [m]."""

    def __init__(self, coverage: F32, depth: F32, camera: Camera) -> None:
        coverage, depth, view = writable(coverage), writable(depth), view_of(camera)
        self.place, self.normal, self.X_c = outline = OutlinePoints.of(count_outline(coverage, depth))
        find_outline(
            coverage, depth, view.gauss, view.variance, view.fx, view.fy, view.cx, view.cy, *outline
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.place)

    def pixels_beside(self, offsets: F64, width: int, height: int) -> tuple[F64, Int, Int]:
        """What is beside each point along its normal.

        Args:
            offsets: (K,) pixels, positive outside.
            width: of the picture.
            height: of the picture.

        Returns:
            Places (N, K, 2), and columns and rows (N, K) of the pixels that are nearest to them in the picture.
        """
        places = self.place[:, None] + offsets[:, None] * self.normal[:, None]
        nearest = np.clip(np.rint(places), 0.0, np.array([width - 1.0, height - 1.0])).astype(np.intp)
        return places, nearest[..., 0], nearest[..., 1]

    def jacobian(self, camera: Camera, centre: F64) -> F64:
        """(N, 6): pixels by which a point moves along its normal, by (rho [m], phi [rad]) about `centre`."""
        x, y, z = self.X_c.T
        a, b = camera.fx * self.normal[:, 0] / z, camera.fy * self.normal[:, 1] / z
        row = np.stack([a, b, -(a * x + b * y) / z], axis=1)
        return np.concatenate([row, np.cross(self.X_c - centre, row)], axis=1)


def writable(image: F32) -> F32:
    """The image itself, or a copy that numba takes for the one type for which kernels are compiled."""
    if image.dtype == np.float32 and image.flags.c_contiguous and image.flags.writeable:
        return image
    return np.array(image, np.float32, order="C")


@lru_cache(maxsize=64)  # a film has a few cameras of crops, and rounds of steps share one
def view_of(camera: Camera) -> OutlineView:
    """What finds outlines in a camera's renderings."""
    return OutlineView(camera.fx, camera.fy, camera.cx, camera.cy, gaussian(_SMOOTHING), _SMOOTHING**2)


@lru_cache(maxsize=64)
def gaussian(sigma: float) -> F64:
    """Weights (2 n + 1,) of a Gaussian filter, cut off at four standard deviations; they sum to 1."""
    n = max(int(np.ceil(4.0 * sigma)), 1)
    weights = np.exp(-0.5 * (np.arange(-n, n + 1) / sigma) ** 2)
    return np.asarray(weights / weights.sum())
