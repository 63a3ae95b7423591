"""Inner contours: creases of an object that are seen within its outline.

Where two faces of an object meet at an angle, most lights leave an edge in a photograph, whatever the object's colour
is. Points of creases that are seen are looked for along their normals, as those of the outline are
(`terms/contour.py`); one that leaves no edge there has a large variance, and says little. Sources: Harris and Stennett,
RAPID, BMVC 1990; Drummond and Cipolla, PAMI 2002 (edges of a CAD model that can be seen).
"""

from __future__ import annotations

from copy import copy

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.scene.creases import Creases
from diffdope.terms.contour import ContourCorrespondences
from diffdope.terms.contour_points import writable
from diffdope.terms.inner_contour_kernel import project_creases
from diffdope.terms.outline_kernel import count_outline
from diffdope.terms.quadratic_factor import QuadraticFactor

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

MARGIN = 0.005  # of the diameter, by which a crease may lie behind the surface that was drawn around it


class InnerPoints:
    """Points of creases that are seen: place (N, 2) in pixels, normal (N, 2), camera-frame point (N, 3) [m].

    There is about one a pixel of crease; creases on the outline, which has points of its own, are left out.

    Args:
        creases: of the object.
        pose: that was rendered.
        coverage: of the rendering (H, W).
        depth: of it (H, W), metres.
        camera: of it.
        length_m: the object's diameter.
    """

    def __init__(
        self, creases: Creases, pose: Pose, coverage: F32, depth: F32, camera: Camera, length_m: float
    ) -> None:
        coverage, depth = np.array(coverage, np.float32, order="C"), np.array(depth, np.float32, order="C")
        most, count = len(creases), np.zeros(1, np.int64)
        place, normal, points = np.empty((most, 2)), np.empty((most, 2)), np.empty((most, 3))
        project_creases(
            creases.points, creases.directions, creases.lengths, np.array(pose.R_m2c), np.array(pose.t_m2c),
            camera.fx, camera.fy, camera.cx, camera.cy, coverage, depth, MARGIN * length_m,
            place, normal, points, count,
        )  # fmt: skip
        found = int(count[0])
        self.place, self.normal, self.X_c = place[:found], normal[:found], points[:found]

    def taken(self, chosen: NDArray[np.bool_]) -> InnerPoints:
        """Some of them; chosen: (N,)."""
        other = copy(self)
        other.place, other.normal, other.X_c = self.place[chosen], self.normal[chosen], self.X_c[chosen]
        return other

    def __len__(self) -> int:
        return len(self.place)


def inner_factor(
    edges: ContourCorrespondences, creases: Creases, coverage: F32, depth: F32, pose: Pose, reach_px: float,
    length_m: float,
) -> QuadraticFactor | None:  # fmt: skip
    """Where the photograph's edges would move the creases of a rendering; None if none is seen.

    A point of a crease counts as one of the outline does, times `edges.inner`.

    Args:
        edges: of the photograph.
        creases: of the object.
        coverage: of the rendering (H, W).
        depth: of it (H, W), metres.
        pose: that was rendered.
        reach_px: how far off edges are looked for.
        length_m: the object's diameter.
    """
    coverage, depth = writable(coverage), writable(depth)
    around = int(count_outline(coverage, depth))
    if edges.inner <= 0.0 or around == 0 or not len(creases):
        return None
    points = InnerPoints(creases, pose, coverage, depth, edges.camera, length_m)
    points = points.taken(edges.seen(points))
    return edges.pull(points, pose, reach_px, edges.inner * edges.weight / around) if len(points) else None
