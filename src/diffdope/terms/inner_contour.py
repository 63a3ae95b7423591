"""Inner contours: creases and depth steps of a drawn object, within its outline.

Where two faces of an object meet at an angle, or one part of it hides another, most lights leave an edge in a photograph,
whatever the object's colour is. Points of such edges are looked for as those of the outline are (`terms/contour.py`).
Sources: Harris and Stennett, RAPID, BMVC 1990; Drummond and Cipolla, PAMI 2002 (edges of a CAD model that can be seen).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.terms.contour import ContourCorrespondences, border
from diffdope.terms.inner_contour_kernel import find_inner
from diffdope.terms.quadratic_factor import QuadraticFactor

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_LEAST_ANGLE_DEG = 25.0  # between the faces of a crease
_LEAST_STEP = 0.03  # of the diameter, of a depth step
_SMOOTHING, _REACH_PX = 1.0, 3  # pixels, of what is in front of a depth step, for its normal


class InnerPoints:
    """Points of inner contours: place (N, 2) in pixels, normal (N, 2), camera-frame point (N, 3) [m].

    Args:
        coverage: of a rendering (H, W).
        depth: of it (H, W), metres.
        camera: of it.
        length_m: the object's diameter.
    """

    def __init__(self, coverage: F32, depth: F32, camera: Camera, length_m: float) -> None:
        coverage, depth = np.array(coverage, np.float32, order="C"), np.array(depth, np.float32, order="C")
        most, count = int(np.count_nonzero(coverage > 0.5)), np.zeros(1, np.int64)
        place, normal, points = np.empty((most, 2)), np.empty((most, 2)), np.empty((most, 3))
        weights = np.exp(-0.5 * (np.arange(-_REACH_PX, _REACH_PX + 1) / _SMOOTHING) ** 2)
        find_inner(
            coverage, depth, weights / weights.sum(), _SMOOTHING**2, np.cos(np.radians(_LEAST_ANGLE_DEG)),
            _LEAST_STEP * length_m, camera.fx, camera.fy, camera.cx, camera.cy, place, normal, points, count,
        )  # fmt: skip
        found = int(count[0])
        self.place, self.normal, self.X_c = place[:found].copy(), normal[:found].copy(), points[:found].copy()

    def __len__(self) -> int:
        return len(self.place)


def inner_factor(
    edges: ContourCorrespondences, coverage: F32, depth: F32, pose: Pose, reach_px: float, length_m: float
) -> QuadraticFactor | None:
    """Where the photograph's edges would move the inner contours of a rendering; None if it has none.

    A point of them counts as one of the outline does, times `edges.inner`.

    Args:
        edges: of the photograph.
        coverage: of the rendering (H, W).
        depth: of it (H, W), metres.
        pose: that was rendered.
        reach_px: how far off edges are looked for.
        length_m: the object's diameter.
    """
    around = int(np.count_nonzero(border(coverage)))
    if edges.inner <= 0.0 or around == 0:
        return None
    points = InnerPoints(coverage, depth, edges.camera, length_m)
    return edges.pull(points, pose, reach_px, edges.inner * edges.weight / around) if len(points) else None
