"""Colours learned from a film: points of an object in frames before, against the photograph of this one.

A mesh without colours, or of a single one, is only held by its outline where there is no depth, and what is printed on
the object misleads that. But in a film it has been seen: in a frame whose pose can be trusted, the points of its
surface get the colours of their pixels, and in the next frames they should be where these colours are. That is direct
image alignment against keyframes (Engel, Koltun and Cremers, DSO, TPAMI 2018), with the object's mesh for the depth.
Errors of the first frame's pose stay, but do not grow while the same side of the object is seen. As the object turns,
its faces become brighter and darker, each as it faces the light: what is linear in the normal is taken off, or a plain
object, of which the shading is all that is learned, would be turned to where its faces had these colours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.scene.observation import Observation
from diffdope.terms.contour_points import writable
from diffdope.terms.keyframe_kernel import LightRoom, count_fitting, sum_keyframe
from diffdope.terms.layout import CONTOUR
from diffdope.terms.quadratic_factor import QuadraticFactor

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
Int = NDArray[np.intp]

_MOST_POINTS = 1000  # of a keyframe
_FEWEST_POINTS = 50  # of a keyframe that are seen: fewer say nothing
_WHOLE = 0.99  # coverage: the background is not mixed in
_WEIGHT = 3.0  # a point that is off by a pixel of an average edge (0.07 a pixel) pays what a pixel of outline pays
_TOLERANCE = 0.15  # of a colour's three channels together
_FITS = 0.05  # of a colour, that is as good as the same: noise and blur make half of it
_EDGE = 0.07
"""Change of colour over a pixel, as of an average edge, at which a point counts half beside depth. Shading is flatter:
where its change is not linear in the normal, it is off by pixels. In a photograph alone, it is better than nothing."""
_INSIDE_PX = 2  # from where something else is seen, whose colours blur and slopes mix in
_SHOWN = 0.03  # share of the diameter by which measured depth may be off the object's, as that of its fit quality
_MARGIN = 0.02  # share of the diameter by which a point may lie behind what is drawn


@dataclass(frozen=True)
class Keyframe:
    """Points (N, 3) of an object in its own frame, metres, their colours and normals (N, 3), and that frame's pose."""

    pose: Pose
    points: F64
    colours: F64
    normals: F64

    @classmethod
    def of(
        cls, smooth: F32, coverage: F32, depth: F32, crop: Observation, pose: Pose, length_m: float
    ) -> Keyframe | None:  # fmt: skip
        """None if too little of the object is seen.

        Args:
            smooth: the photograph (H, W, 3), slightly blurred.
            coverage: of the rendering at the pose (H, W).
            depth: of the rendering (H, W), metres.
            crop: what was observed there.
            pose: of the object.
            length_m: its diameter.
        """
        shown = shown_there(coverage, depth, crop.depth, length_m)
        row, column = np.nonzero((shown > _WHOLE) & (depth > 0.0))
        if len(row) < _FEWEST_POINTS:
            return None
        chosen = slice(None, None, -(-len(row) // _MOST_POINTS))
        row, column = row[chosen], column[chosen]
        surface, normals = surface_at(row, column, depth, crop.camera)
        points, facing = (surface - pose.t_m2c) @ pose.R_m2c, normals @ pose.R_m2c
        return cls(pose, np.ascontiguousarray(points), np.array(smooth[row, column], np.float64), facing)

    def factor(
        self, smooth: F32, coverage: F32, depth: F32, crop: Observation, pose: Pose, length_m: float, *,
        weight: float = _WEIGHT, edges: bool = False,
    ) -> QuadraticFactor | None:  # fmt: skip
        """What moves the points to where their colours are; None if too few are seen.

        Args:
            smooth: the photograph (H, W, 3), blurred as the keyframe's.
            coverage: of the rendering at the pose (H, W).
            depth: of the rendering (H, W), metres.
            crop: what was observed there.
            pose: about which it is linear.
            length_m: the object's diameter.
            weight: of the mean square of its colours' errors.
            edges: whether what hardly changes from pixel to pixel counts little without depth, too.
        """
        slope, curvature, sums = np.zeros(6), np.zeros((6, 6)), np.zeros(2)
        edge = 0.0 if crop.depth is None and not edges else _EDGE
        sum_keyframe(
            *self._seen(smooth, coverage, depth, crop, pose, length_m), _TOLERANCE, edge, np.empty(6),
            *self._room(), slope, curvature, sums,
        )  # fmt: skip
        if sums[0] < _FEWEST_POINTS:
            return None
        share = weight / sums[0]
        return QuadraticFactor(pose, 2.0 * share * slope, 2.0 * share * curvature, share * sums[1], shown=CONTOUR)

    def support(
        self, smooth: F32, coverage: F32, depth: F32, crop: Observation, pose: Pose, length_m: float
    ) -> float | None:
        """Share of the points that are seen whose colours fit; arguments as `factor`."""
        sums = np.zeros(2)
        count_fitting(
            *self._seen(smooth, coverage, depth, crop, pose, length_m), _FITS, *self._room(), sums
        )  # fmt: skip
        return None if sums[0] < _FEWEST_POINTS else float(sums[1] / sums[0])

    def _seen(
        self, smooth: F32, coverage: F32, depth: F32, crop: Observation, pose: Pose, length_m: float
    ) -> tuple[Any, ...]:  # fmt: skip
        """What both kernels begin with."""
        camera, shown = crop.camera, shown_there(coverage, depth, crop.depth, length_m)
        view = camera.fx, camera.fy, camera.cx, camera.cy
        return (
            smooth, shown, writable(depth), self.points, self.colours, self.normals, pose.R_m2c.copy(),
            pose.t_m2c.copy(), view, _MARGIN * length_m,
        )  # fmt: skip

    def _room(self) -> tuple[Any, ...]:
        """What both kernels work in: colours, which points are seen, light."""
        count = len(self.points)
        return np.empty((count, 3)), np.empty(count, np.int64), LightRoom.empty()


def shown_there(coverage: F32, drawn: F32, measured: F32 | None, length_m: float) -> F32:
    """Coverage (H, W) of what is drawn, 0 where measured depth says that something else is seen there or next to it.

    Without depth it stays what it is. A hand that holds an object lies on it: it is in front by no more than a finger's
    thickness, has colours of its own, and does not turn as the object does.

    Args:
        coverage: of the rendering (H, W).
        drawn: its depth (H, W), metres.
        measured: depth (H, W), metres, 0 where there is none; None for a photograph alone.
        length_m: the object's diameter.
    """
    if measured is None:
        return writable(coverage)
    shown = (coverage > 0.5) & ((measured == 0.0) | (np.abs(measured - drawn) <= _SHOWN * length_m))
    return np.where(inside(shown), coverage, np.float32(0.0))


def inside(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels (H, W) of a region into which nothing from beside it is blurred."""
    for _ in range(_INSIDE_PX):
        region = _inner(region)
    return region


def _inner(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels (H, W) of a region all of whose four neighbours are in it."""
    inner = np.zeros_like(region)
    inner[1:-1, 1:-1] = (
        region[1:-1, 1:-1] & region[:-2, 1:-1] & region[2:, 1:-1] & region[1:-1, :-2] & region[1:-1, 2:]
    )  # fmt: skip
    return inner


def surface_at(row: Int, column: Int, depth: F32, camera: Camera) -> tuple[F64, F64]:
    """Points and unit normals (N, 3) of a drawn surface at some pixels, in the camera's frame; 0 where there is none.

    A normal is of the neighbours to which the step in depth is smaller: at an outline, those on the object.

    Args:
        row: (N,) of the pixels.
        column: (N,) of the pixels.
        depth: (H, W), metres; 0 where nothing is drawn.
        camera: of it.
    """
    height, width = depth.shape
    lines, places = ((n + np.array([[-1], [0], [1]])) % size for n, size in ((row, height), (column, width)))
    down, right = (lines - camera.cy) / camera.fy, (places - camera.cx) / camera.fx
    flat, starts = depth.ravel(), width * lines

    def at(i: int, j: int) -> F64:
        z = flat[starts[i] + places[j]]
        return np.stack([right[j] * z, down[i] * z, z])

    points = at(1, 1)
    ax, ay, az = _slope(at(1, 0), points, at(1, 2))
    bx, by, bz = _slope(at(0, 1), points, at(2, 1))
    normals = np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx])
    length = np.sqrt(np.einsum("ij,ij->j", normals, normals))
    return points.T, (normals / np.maximum(length, 1e-12)).T


def _slope(before: F64, points: F64, behind: F64) -> F64:
    """The differences (3, N) to those neighbours before or behind to whose depth the step is smaller."""
    after, since = behind - points, points - before
    return np.where(np.abs(after[2]) < np.abs(since[2]), after, since)
