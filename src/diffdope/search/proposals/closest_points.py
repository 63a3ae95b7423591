"""The first stage from a rough start, where depth and a mask are given: iterated closest points, from many turns.

Each measured point of the object is held against the plane of the nearest point of the surface that is turned to the
camera (Chen and Medioni 1992; Rusinkiewicz and Levoy 2001). Nothing is rendered, so that a step of one pose costs some
ten microseconds, and its basin is as wide as the object; what the drawn levels then choose from are the best of many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_at_least_zero, check_count
from diffdope.geometry import so3
from diffdope.geometry.crop import crop_around
from diffdope.geometry.pose import Pose
from diffdope.problem.closest_points_kernel import descend_planes
from diffdope.render.pool import HypothesisPool
from diffdope.scene.cloud import Cells, cells_of
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.sampling import surface_points
from diffdope.search.proposals.around_prior import drawn_around, draws
from diffdope.search.selection import non_maximum_suppression

F64 = NDArray[np.float64]
Int = NDArray[np.intp]

_POINTS = 2000  # of the surface, some 2 % of the diameter apart
_CELL = 0.03  # of the diameter: some two points
_LIMIT = 0.3  # of the diameter: what is farther from the surface is not the object's
_LEAST_SCALE = 0.01  # of the diameter: depth and meshes are no better where nothing is known of them
_SPREAD = 3.0  # of the mean distance, at which a point counts a quarter
_DAMPING = 1e-3  # of the mean curvature: planes and balls slide
_SAME_RAD, _SAME = np.radians(5.0), 0.03  # poses as close as this lead the drawn levels to the same place
_BEYOND_RAD = np.radians(15.0)  # farther turned than the starts were: some other way round that happens to fit
_UNKNOWN = 0.01  # of the largest curvature: facets of a can lean as much as that
_AS_GOOD = 1.2  # ratio of mean distances below which points do not tell poses apart
_CROP = 96  # pixels: some thousands, of which a few hundred are taken
_FILLED = 0.98  # share of its box that such a mask fills
_LEAST_SEEN = 20  # points
_HALVES = 4  # after half of the steps, with as many times fewer points, the best of so many times as many go on
_FEWER = 20  # times fewer points of the surface tell where its middle is


@dataclass(frozen=True)
@checked_fields()
class ClosestPointSettings:
    """How many poses are aligned with the measured points, and how."""

    starts: int = 16
    """Turns around the start from which it begins, the start's own included; 0 leaves the stage out."""
    angle_deg: float = 45.0
    """How far from the start's they are at most."""
    enough_deg: float = 12.0
    """Where the start alone leads to a pose that is turned less than this,"""
    enough: float = 0.06
    """and nearer than this share of the diameter, the others are left out: the start is good."""
    iterations: int = 12
    """Steps of each."""
    points: int = 300
    """Measured points that take part, spread over the mask."""
    kept: int = 3
    """Of the poses where they end, how many the levels choose from, beside the start."""

    def count(self, observation: Observation) -> int:
        """How many poses it adds at most: none where depth or mask is missing."""
        return self.kept if self.starts > 0 and {"depth", "mask"} <= set(observation.modalities) else 0

    def __post_init__(self) -> None:
        """Refuses numbers that make no stage."""
        check_count("starts", self.starts, least=0, most=10**5)
        for name, most in (("iterations", 10**4), ("points", 10**6), ("kept", 10**4)):
            check_count(name, getattr(self, name), least=1, most=most)
        check_at_least_zero(self, "angle_deg", "enough_deg", "enough")


class Aligned(NamedTuple):
    """Poses (B, 3, 3) and (B, 3) metres that points lead to, best first, and whether points alone tell the best."""

    R: F64
    t: F64
    told: bool


class Surface(NamedTuple):
    """Points (P, 3) spread over a mesh, with normals (P, 3), in the order of their cells; metres."""

    points: F64
    normals: F64
    cells: Cells

    @classmethod
    def of(cls, mesh: Mesh) -> Surface:
        """Of a mesh."""
        points, normals = surface_points(mesh, _POINTS)
        cells = cells_of(points, _CELL * mesh.diameter)
        order = cells.order
        return cls(np.ascontiguousarray(points[order]), np.ascontiguousarray(normals[order]), cells)


def measured_points(observation: Observation, count: int) -> F64:
    """Points (N, 3) in the camera's frame, metres, of what the mask shows that has depth: about `count` of them.

    None of a mask that fills its box: it is a detector's box, in which other things are seen too.
    """
    box = observation.mask_box
    assert box is not None
    window = crop_around([box], observation.camera, margin=0.0, max_size=_CROP)
    crop = observation.without_rgb().crop(window)
    assert crop.depth is not None and crop.mask is not None
    shown = crop.mask > 0.5
    if shown.mean() > _FILLED:
        return np.empty((0, 3))
    measured = np.flatnonzero(shown & (crop.depth > 0.0))
    some = measured[np.linspace(0, len(measured) - 1, min(count, len(measured))).astype(np.intp)]
    camera, z = crop.camera, crop.depth.ravel()[some].astype(np.float64)
    v, u = np.divmod(some, camera.width)
    return np.stack([(u - camera.cx) / camera.fx * z, (v - camera.cy) / camera.fy * z, z], axis=1)


def aligned(
    surface: Surface, seen: F64, start: Pose, settings: ClosestPointSettings, *, diameter_m: float, stays: bool,
    rng: np.random.Generator, pool: HypothesisPool | None = None,
) -> Aligned:  # fmt: skip
    """Poses that measured points lead to; none if there are few points.

    Args:
        surface: of the object.
        seen: (N, 3) in the camera's frame, metres.
        start: around which they turn.
        settings: see there.
        diameter_m: of the object.
        stays: whether a pose is as near to the start as it can be where points do not tell: where a can is turned to
            about its axis, for example. False to leave it where its own start was, for colours to choose.
        rng: of the turns.
        pool: threads that share the poses; None for the calling one alone.
    """
    nothing = Aligned(np.empty((0, 3, 3)), np.empty((0, 3)), False)
    if len(seen) < _LEAST_SEEN:
        return nothing
    turns = draws(rng, settings.starts)  # in any case, so that what is drawn later does not depend on them

    def ends(R: F64, t: F64) -> tuple[F64, F64, F64, F64]:
        few = np.ascontiguousarray(seen[:: max(1, len(seen) * _HALVES // settings.points)])
        half, far = settings.iterations // 2, np.full(len(t), _LIMIT * diameter_m)
        R, t, away, _ = _descended(surface, few, R, _centred(surface, few, R, t), half, far, diameter_m, pool)
        best = np.argsort(away, kind="stable")[: max(settings.kept, len(away) // _HALVES)]
        R, t, away, H = _descended(
            surface, seen, R[best], t[best], settings.iterations - half, away[best], diameter_m, pool
        )
        return (*_stayed(R, t, H, start, diameter_m), away, H) if stays else (R, t, away, H)

    alone = ends(start.R_m2c[None], start.t_m2c[None])
    end = Pose(alone[0][0], alone[1][0])
    if (end.angle_to(start) < np.radians(settings.enough_deg)
            and end.distance_to(start) < settings.enough * diameter_m):  # fmt: skip
        return Aligned(alone[0], alone[1], _told(alone[3][0]))
    R, t = drawn_around(start, turns, angle_rad=np.radians(settings.angle_deg), distance_m=0.0)
    every = [np.concatenate(both) for both in zip(alone, ends(R[1:], t[1:]), strict=True)]
    turned = np.linalg.norm(so3.log(every[0] @ start.R_m2c.T), axis=1)
    R, t, away, H = (one[turned < np.radians(settings.angle_deg) + _BEYOND_RAD] for one in every)
    if not len(t):
        return nothing
    kept = _apart(R, t, away, settings.kept, diameter_m)
    return Aligned(R[kept], t[kept], _told(H[kept[0]]))


def _told(curvature: F64) -> bool:
    """Whether points know all turns of a curvature (6, 6), wherever the object is moved meanwhile."""
    values, vectors = np.linalg.eigh(curvature[:3, :3])
    known = values > _UNKNOWN * values[-1]
    along = vectors[:, known].T @ curvature[:3, 3:]
    turns = np.linalg.eigvalsh(curvature[3:, 3:] - (along.T / values[known]) @ along)
    return bool(turns[0] >= _UNKNOWN * turns[-1])


def _apart(R: F64, t: F64, away: F64, count: int, diameter_m: float) -> Int:
    """Rows of poses that differ: of those that fit about as well as the best, which are far apart; then the next best.

    Where points leave a turn open, as of a can about its axis, colours tell it, from about the right one.
    """
    different = non_maximum_suppression(R, t, away, len(t), angle_rad=float(_SAME_RAD), distance_m=_SAME * diameter_m)
    alike = away[different] < _AS_GOOD * away[different[0]]
    like, others = different[alike], different[~alike]
    chosen = [int(like[0])]
    while len(chosen) < min(count, len(like)):
        cosines = np.einsum("aij,bij->ab", R[like], R[chosen]).max(axis=1)
        chosen.append(int(like[np.argmin(cosines)]))
    return np.array([*chosen, *others[: count - len(chosen)]], np.intp)


def _descended(
    surface: Surface, seen: F64, R: F64, t: F64, steps: int, away: F64, diameter_m: float,
    pool: HypothesisPool | None = None,
) -> tuple[F64, F64, F64, F64]:  # fmt: skip
    """Poses after some Gauss-Newton steps; mean distances (M,) and curvature (M, 6, 6) before the last of them.

    The curvature is by shares of half the diameter and radians.

    Args:
        surface: of the object.
        seen: (N, 3).
        R: (M, 3, 3).
        t: (M, 3), metres.
        steps: of each.
        away: (M,) mean distances at first.
        diameter_m: of the object.
        pool: see `aligned`.
    """
    cells, count = surface.cells, len(t)
    R, t, away = np.array(R, order="C"), np.array(t, order="C"), np.array(away)
    curvature, slope = np.empty((count, 6, 6)), np.empty((count, 6))
    limit_m, least_m = _LIMIT * diameter_m, _LEAST_SCALE * diameter_m
    arrays = surface.points, surface.normals, cells.start, cells.nearest, cells.low, cells.size, cells.shape
    rules = np.array([steps, 0.5 * diameter_m, _DAMPING, _SPREAD, least_m, limit_m])

    def work(_: int, first: int, last: int) -> None:
        own, room = slice(first, last), np.empty((3, 6, 6))
        descend_planes(seen, R[own], t[own], arrays, rules, away[own], room, curvature[own], slope[own])

    if pool is None:
        work(0, 0, count)
    else:
        pool.run(work, count, count * steps * len(seen))
    return R, t, away, curvature


def _units(diameter_m: float) -> F64:
    """(6,) multiplies shares of half the diameter and radians."""
    return np.array([0.5 * diameter_m] * 3 + [1.0] * 3)


def _moved(R: F64, t: F64, motion: F64) -> tuple[F64, F64]:
    """Poses (M, 3, 3), (M, 3) by which seen points lie moved by (a, omega) (M, 6) in the model's frame."""
    R = R @ so3.exp(motion[:, 3:]).transpose(0, 2, 1)
    return R, t - np.einsum("mij,mj->mi", R, motion[:, :3])


def _stayed(R: F64, t: F64, curvature: F64, start: Pose, diameter_m: float) -> tuple[F64, F64]:
    """Poses moved back towards the start along directions of which the curvature (M, 6, 6) knows nothing."""
    values, vectors = np.linalg.eigh(curvature)
    free = vectors * (values < _UNKNOWN * values[:, -1:])[:, None, :]
    unit = _units(diameter_m)
    for _ in range(3):  # turns do not add up
        there = np.einsum("ji,mjk->mik", start.R_m2c, R)
        away = np.concatenate([(t - start.t_m2c) @ start.R_m2c, so3.log(there)], axis=1) / unit
        back = np.einsum("mij,mkj,mk->mi", free, free, away)
        R, t = _moved(R, t, back * unit)
    return R, t


def _centred(surface: Surface, seen: F64, R: F64, t: F64) -> F64:
    """Translations (M, 3) with which the side that is turned to the camera lies where the points are."""
    some = slice(None, None, _FEWER)
    placed = surface.points[some] @ R.transpose(0, 2, 1) + t[:, None]
    facing = np.einsum("mpk,mpk->mp", surface.normals[some] @ R.transpose(0, 2, 1), placed) < 0.0
    share = facing / np.maximum(facing.sum(axis=1, keepdims=True), 1)
    middle = np.einsum("mp,mpk->mk", share, placed)
    return np.where(facing.any(axis=1)[:, None], t + seen.mean(axis=0) - middle, t)
