"""The plane on which objects rest, estimated: from what depth shows around them, or from the objects together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.geometry.vectors import axes_across
from diffdope.joint.body import SolidBody
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.scene import Scene
from diffdope.search.drawn import drawing_of

F64 = NDArray[np.float64]

_DRAWS, _MOST_POINTS = 300, 8000  # of three points; and of points in all
_NEAR_M = 0.002  # a point that is nearer belongs to the plane; the bottom of a bin is 3 mm above the table below it
_AROUND = 1.0  # how far around the objects depth is looked at, in radii of their ball
_LEAST_POINTS = 0.08  # of what depth shows around them: less is no plane
_TOUCH, _TOUCH_M = 0.02, 0.002  # of the diameter, and metres: lowest points that are nearer touch, roughly
_KNOWN_M = 0.0005  # of a plane of depth: its points share errors that no number of them averages out
_FACING = 0.2  # of one object more or less: a plane that the cameras look down on is more probably a table than a wall
_UNKNOWN_M, _UNKNOWN_RAD = 0.02, np.radians(5.0)  # of a plane of which only objects tell


@dataclass(frozen=True)
class SupportSurface:
    """normal . (x - point) = 0 in the world; the normal points to the side on which the objects are.

    Attributes:
        point_w: (3,) metres.
        normal_w: (3,) of length 1.
        covariance: (3, 3) of its height at the point (metres) and its turns about `axes` (radians).
        touching: numbers of the objects of which it was made; empty where it was not.
    """

    point_w: F64
    normal_w: F64
    covariance: F64
    touching: tuple[int, ...] = ()

    @property
    def axes(self) -> tuple[F64, F64]:
        """Two directions in the plane."""
        return axes_across(self.normal_w)

    def moved(self, step: F64) -> SupportSurface:
        """After a step (3,): higher by step[0], the normal tilted by step[1:] along `axes`."""
        one, other = self.axes
        normal = self.normal_w + step[1] * one + step[2] * other
        point = self.point_w + step[0] * self.normal_w
        return replace(self, point_w=point, normal_w=normal / np.linalg.norm(normal))

    @property
    def equation(self) -> tuple[float, float, float, float]:
        """(a, b, c, d) of a x + b y + c z = d, metres."""
        a, b, c = (float(value) for value in self.normal_w)
        return a, b, c, float(self.normal_w @ self.point_w)


def lowest(body: SolidBody, pose: Pose, plane: SupportSurface) -> tuple[float, F64]:
    """Height (metres) of a body's lowest point above a plane, and the point (3,) in the world."""
    points = pose.apply(body.extreme_m)
    heights = (points - plane.point_w) @ plane.normal_w
    n = int(np.argmin(heights))
    return float(heights[n]), points[n]


def plane_of_depth(
    scene: Scene, cameras: Sequence[Pose], refiners: Sequence[Refiner], bodies: Sequence[SolidBody],
    poses: Sequence[Pose],
) -> SupportSurface | None:  # fmt: skip
    """The plane that depth shows around the objects, on which most of them stand; None where it shows none.

    Args:
        scene: with depth in some view.
        cameras: T_w2c of the views.
        refiners: of the objects that take part.
        bodies: of them.
        poses: T_m2w of them.
    """
    points = [_around(scene, v, T_w2c, refiners, bodies, poses) for v, T_w2c in enumerate(cameras)]
    cloud = np.concatenate([np.zeros((0, 3)), *points])
    if len(cloud) < 100:
        return None
    rng = np.random.default_rng(0)
    best, most = None, 0.0
    for three in rng.integers(0, len(cloud), (_DRAWS, 3)):
        plane = _through(cloud[three], cameras)
        if plane is None:
            continue
        share = float(np.mean(np.abs((cloud - plane.point_w) @ plane.normal_w) < _NEAR_M))
        if share < _LEAST_POINTS or share * len(poses) <= most:
            continue
        score = share * _touching(plane, bodies, poses)
        if score > most:
            best, most = plane, score
    if best is None:
        return None
    for near_m in (_NEAR_M, 0.5 * _NEAR_M):
        fitted = _fitted(cloud[np.abs((cloud - best.point_w) @ best.normal_w) < near_m], cameras, poses)
        best = fitted or best
    return best


def plane_of_objects(
    cameras: Sequence[Pose], bodies: Sequence[SolidBody], poses: Sequence[Pose]
) -> SupportSurface | None:
    """The side of all objects' convex hull, away from the cameras, that most of them touch: three at least."""
    from scipy.spatial import ConvexHull, QhullError

    every = np.concatenate([pose.apply(body.extreme_m) for body, pose in zip(bodies, poses, strict=True)])
    try:
        hull = ConvexHull(every)
    except QhullError:
        return None
    best, most = None, 2.5
    centres = [T_w2c.inverse().t_m2c for T_w2c in cameras]
    for equation, corners in zip(hull.equations, hull.simplices, strict=True):
        normal, point = -equation[:3], every[corners[0]]  # inwards: the side of the objects
        facing = min(float((c - point) @ normal) / max(float(np.linalg.norm(c - point)), 1e-9) for c in centres)
        if facing <= 0.0:
            continue
        spread = np.diag([_UNKNOWN_M, _UNKNOWN_RAD, _UNKNOWN_RAD]) ** 2
        plane = SupportSurface(np.asarray(point), np.asarray(normal), spread)
        heights = _heights(plane, bodies, poses)
        score = float((heights < 1.0).sum()) - 0.1 * float(np.minimum(heights, 1.0).mean()) + _FACING * facing
        if score > most:
            touching = tuple(int(n) for n in np.nonzero(heights < 1.0)[0])
            best, most = replace(plane, touching=touching), score
    return best


def _around(
    scene: Scene, view: int, T_w2c: Pose, refiners: Sequence[Refiner], bodies: Sequence[SolidBody],
    poses: Sequence[Pose],
) -> F64:  # fmt: skip
    """Points (N, 3) in the world that depth of a view shows around the objects, and not on them."""
    observation = scene.views[view].observation
    if "depth" not in observation.modalities or observation.depth is None:
        return np.zeros((0, 3))
    camera, depth = observation.camera, np.array(observation.depth)
    for refiner, pose in zip(refiners, poses, strict=True):
        drawing = drawing_of(refiner.meshes, refiner.frame.enter(T_w2c @ pose), camera)
        if drawing is not None:
            depth[drawing.rows, drawing.columns][drawing.depth > 0.0] = 0.0
    rows, columns = np.nonzero(depth > 0.0)
    step = max(1, len(rows) // (4 * _MOST_POINTS))
    rows, columns = rows[::step], columns[::step]
    z = depth[rows, columns].astype(np.float64)
    points_c = np.column_stack([(columns - camera.cx) * z / camera.fx, (rows - camera.cy) * z / camera.fy, z])
    points = T_w2c.inverse().apply(points_c)
    middles = np.array([pose.apply(body.mesh.center_m) for body, pose in zip(bodies, poses, strict=True)])
    middle = middles.mean(axis=0)
    radius = max(
        float(np.linalg.norm(m - middle)) + 0.5 * body.mesh.diameter for m, body in zip(middles, bodies, strict=True)
    )
    points = points[np.linalg.norm(points - middle, axis=1) < (1.0 + _AROUND) * radius]
    return np.asarray(points[:: max(1, len(points) // _MOST_POINTS)])


def _through(points: F64, cameras: Sequence[Pose]) -> SupportSurface | None:
    """The plane through points (3, 3), seen by all cameras from its upper side."""
    a, b, c = points
    normal = np.cross(b - a, c - a)
    size = float(np.linalg.norm(normal))
    if size < 1e-9:
        return None
    return _upright(a, normal / size, cameras)


def _upright(point: F64, normal: F64, cameras: Sequence[Pose]) -> SupportSurface | None:
    sides = [float((T_w2c.inverse().t_m2c - point) @ normal) for T_w2c in cameras]
    if min(sides) * max(sides) <= 0.0:
        return None
    return SupportSurface(point, normal if sides[0] > 0.0 else -normal, np.zeros((3, 3)))


def _heights(plane: SupportSurface, bodies: Sequence[SolidBody], poses: Sequence[Pose]) -> F64:
    """Of the lowest points (N,), in units of what touches roughly."""
    return np.array(
        [
            lowest(body, pose, plane)[0] / (_TOUCH * body.mesh.diameter + _TOUCH_M)
            for body, pose in zip(bodies, poses, strict=True)
        ]
    )


def _touching(plane: SupportSurface, bodies: Sequence[SolidBody], poses: Sequence[Pose]) -> float:
    """How many objects touch a plane from above, and how nearly; those that go through it count against it."""
    heights = _heights(plane, bodies, poses)
    near = np.maximum(1.0 - np.abs(heights), 0.0)
    return float(near.sum() + 0.02 * (heights >= 1.0).sum() - (heights <= -1.0).sum())


def _fitted(near: F64, cameras: Sequence[Pose], poses: Sequence[Pose]) -> SupportSurface | None:
    """Least squares through the points, about the place below the objects."""
    if len(near) < 10:
        return None
    middle = near.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov((near - middle).T))
    fitted = _upright(middle, vectors[:, 0], cameras)
    if fitted is None:
        return None
    below = np.mean([pose.t_m2c for pose in poses], axis=0)
    below = below - ((below - middle) @ fitted.normal_w) * fitted.normal_w
    tilt = _KNOWN_M / max(float(np.sqrt(values[1])), 1e-3)
    return SupportSurface(below, fitted.normal_w, np.diag([_KNOWN_M, tilt, tilt]) ** 2)
