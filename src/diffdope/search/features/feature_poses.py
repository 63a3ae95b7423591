"""Poses from keypoints of a photograph that look like keypoints of an object.

A keypoint has a place, a size and a direction. So a single pair of them is a pose: that of the drawing, turned and
moved to where the photograph shows it (Lowe, IJCV 2004, votes so). All pairs propose one; those with which most other
pairs agree go through Gauss-Newton steps with a tolerance that shrinks. Nothing is drawn at random.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import Box
from diffdope.geometry.pnp import reprojection
from diffdope.geometry.pose import Pose
from diffdope.scene.observation import Observation
from diffdope.search.features.feature_views import FeatureSettings
from diffdope.search.features.keypoint_matches import KeypointPairs, keypoints_in, pairs_of
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.around_start import within_reach
from diffdope.search.proposals.template_placement import turn_between
from diffdope.search.selection import non_maximum_suppression
from diffdope.terms.matched_points import MatchedPoints

F64 = NDArray[np.float64]
Int = NDArray[np.int64]
Bool = NDArray[np.bool_]
Possible = Callable[[F64, F64, float], Bool]

_AHEAD = np.array([0.0, 0.0, 1.0])
_PROPOSING = 600  # pairs in a box, those most alike
_ROUGHLY = 1.5  # times as far from a start, of single pairs
_STEPPED = 16  # proposals that make steps
_TOLERANCES = (5.0, 3.0, 2.0, 1.5, 1.0, 1.0)  # of the steps: a single pair is off by some degrees and percent
_WIDE = 6.0  # times the tolerance, of proposals
_FACING = 0.25  # cosine between the directions of a drawing and of a pose: from farther around, nothing looks alike
_NEAREST = 0.6  # diameters of the object's middle from the camera
_LONGEST_RAD, _LONGEST = 0.3, 0.2  # of a step: radians, and share of the distance
_DAMPING = 1e-3  # share of the diagonal that is added to it
SAME_RAD, SAME = np.radians(8.0), 0.08  # of the diameter: proposals that are closer come to the same end
_RIVAL = 0.25  # share of the best one's agreement below which another is no answer
_BESIDE = 0.8  # cosine, as `_FACING`, of what is looked for once the pose is known
_NEAR = 3.0  # times the tolerance, from where it is expected
_ALIKE = 0.75  # likeness that it has at least
_FEWEST = 6.0  # pairs that agree: fewer are found in any picture


@dataclass(frozen=True, eq=False)
class FeaturePose:
    """A pose (3, 3) and (3,) metres, how many keypoints of the photograph agree with it, and the pairs that hold it."""

    R: F64
    t: F64
    agreeing: float
    pairs: MatchedPoints


def feature_poses(
    meshes: MeshLevels, observation: Observation, box: Box, settings: FeatureSettings
) -> list[FeaturePose]:  # fmt: skip
    """Distinct poses with which most keypoints in a box agree, the best first; none if there is no such pose.

    Args:
        meshes: the object, about its own middle, with a pattern.
        observation: with RGB.
        box: first and last column and row (x0, y0, x1, y1) of the object's visible part, pixels.
        settings: see there.
    """
    camera = observation.camera
    size_px = max(box[2] - box[0] + 1.0, box[3] - box[1] + 1.0)
    near_m = _NEAREST * meshes.length_m

    def possible(R: F64, t: F64, _: float) -> Bool:
        return np.asarray(_covering(R, t, meshes, camera, box, settings) & (t[:, 2] > near_m))

    return _poses(meshes, observation, box, size_px, settings, possible, _PROPOSING)


def feature_poses_around(
    meshes: MeshLevels, observation: Observation, start: Pose, settings: FeatureSettings, *, angle_rad: float,
    distance_m: float,
) -> list[FeaturePose]:  # fmt: skip
    """The same around a start: poses that are turned and moved from there no farther than a start may be off.

    Args:
        meshes: the object, about its own middle, with a pattern.
        observation: with RGB.
        start: object to camera.
        settings: see there.
        angle_rad: by which the start may be turned.
        distance_m: by which it may be moved, metres.
    """
    camera = observation.camera
    size_px = meshes.length_m * camera.fx / max(float(start.t_m2c[2]), _NEAREST * meshes.length_m)

    def possible(R: F64, t: F64, times: float) -> Bool:
        turned = np.einsum("bij,ij->b", R, start.R_m2c) > 1.0 + 2.0 * np.cos(min(times * angle_rad, np.pi))
        moved = np.linalg.norm(t - start.t_m2c, axis=1) < times * distance_m
        return np.asarray(turned & moved & (t[:, 2] > _NEAREST * meshes.length_m))

    box = within_reach(meshes, observation, start, distance_m)
    every = settings.keypoints * settings.neighbours  # few of them are possible
    return _poses(meshes, observation, box, size_px, settings, possible, every)


def _poses(
    meshes: MeshLevels, observation: Observation, box: Box, size_px: float, settings: FeatureSettings,
    possible: Possible, proposing: int,
) -> list[FeaturePose]:  # fmt: skip
    """Distinct poses with which most keypoints in a box agree, of those that are possible.

    Args:
        meshes: the object, about its own middle, with a pattern.
        observation: with RGB.
        box: in which keypoints are looked for.
        size_px: the object's size in the photograph.
        settings: see there.
        possible: says which poses (B, 3, 3), (B, 3) are, (B,); of single pairs, which are roughly right, by a factor
            beyond.
        proposing: pairs that propose poses at most, those most alike.
    """
    seen = keypoints_in(observation, box, settings)
    pairs = pairs_of(seen, meshes.features(settings), settings)
    if len(pairs.alike) < _FEWEST:
        return []
    camera, length_m = observation.camera, meshes.length_m
    tolerance_px = settings.tolerance * size_px
    matched = MatchedPoints(pairs.points_m, pairs.pixels, camera, tolerance_px, settings.weight)
    R, t = poses_of(pairs, camera)
    kept = possible(R, t, _ROUGHLY)
    kept &= _among_most(pairs.alike, proposing)
    R, t = R[kept], t[kept]
    if len(t) == 0:
        return []
    score = _score(pairs, replace(matched, tolerance_px=_WIDE * tolerance_px), R, t)
    best = non_maximum_suppression(R, t, -score, _STEPPED, angle_rad=SAME_RAD, distance_m=SAME * length_m)
    R, t = R[best], t[best]
    for factor in _TOLERANCES:
        R, t = stepped(pairs, replace(matched, tolerance_px=factor * tolerance_px), R, t)
    kept = possible(R, t, 1.0)
    return _distinct(pairs, matched, R[kept], t[kept], length_m, settings.poses)


def _among_most(values: F64, most: int) -> Bool:
    """Which are among the largest."""
    kept = np.zeros(len(values), np.bool_)
    kept[np.argsort(-values, kind="stable")[:most]] = True
    return kept


def _rays(camera: Camera, pixels: F64) -> F64:
    """Points (N, 3) at depth 1 that pixels (N, 2) show."""
    u, v = pixels.T
    return np.stack([(u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy, np.ones(len(u))], axis=1)


def poses_of(pairs: KeypointPairs, camera: Camera) -> tuple[F64, F64]:
    """The pose (N, 3, 3), (N, 3) of every pair."""
    views, seen = pairs.views, pairs.seen
    drawn = views.keypoints
    here = _rays(views.camera, drawn.place[pairs.of_object])
    there = _rays(camera, pairs.pixels)
    around = np.zeros((len(here), 3))
    around[:, 2] = seen.angle_rad[pairs.of_seen] - drawn.angle_rad[pairs.of_object]
    turn = turn_between(_AHEAD, there) @ so3.exp(around) @ np.swapaxes(turn_between(_AHEAD, here), 1, 2)
    R = turn @ views.R[views.view[pairs.of_object]]
    focal = np.sqrt(camera.fx * camera.fy) / views.camera.fx
    z_m = views.z_m[pairs.of_object] * focal * drawn.size[pairs.of_object] / seen.size[pairs.of_seen]
    return R, there * z_m[:, None] - np.einsum("nij,nj->ni", R, pairs.points_m)


def _covering(
    R: F64, t: F64, meshes: MeshLevels, camera: Camera, box: Box, settings: FeatureSettings
) -> Bool:  # fmt: skip
    """Under which poses (B, ...) the object reaches to the edges of its box, at least nearly.

    It may reach beyond: the box is that of its visible part.
    """
    corners = meshes.corners_m
    points = corners @ np.swapaxes(R, 1, 2) + t[:, None]
    z = np.maximum(points[..., 2], 1e-6)
    u, v = camera.fx * points[..., 0] / z + camera.cx, camera.fy * points[..., 1] / z + camera.cy
    slack_u, slack_v = (settings.uncovered * (box[k + 2] - box[k] + 1.0) for k in (0, 1))
    return np.asarray(
        (u.min(axis=1) <= box[0] + slack_u) & (u.max(axis=1) >= box[2] - slack_u)
        & (v.min(axis=1) <= box[1] + slack_v) & (v.max(axis=1) >= box[3] - slack_v)
    )  # fmt: skip


def _weights(pairs: KeypointPairs, matched: MatchedPoints, R: F64, t: F64) -> F64:
    """How much pairs count (B, N) under poses: those that agree, are alike, and show the object from about there."""
    back = -np.einsum("bji,bj->bi", R, t / np.linalg.norm(t, axis=1, keepdims=True))
    drawn_from = -pairs.views.R[pairs.views.view[pairs.of_object], 2]
    facing = back @ drawn_from.T > _FACING
    return np.asarray(matched.agreeing(R, t) * facing * pairs.likeness)


def _of_each(weights: F64, number: Int) -> F64:
    """The largest weight (B, K) of those that share a number (N,)."""
    order = np.argsort(number, kind="stable")
    first = np.flatnonzero(np.r_[True, np.diff(number[order]) > 0])
    return np.maximum.reduceat(weights[:, order], first, axis=1)


def _score(pairs: KeypointPairs, matched: MatchedPoints, R: F64, t: F64) -> F64:
    """How many keypoints (B,) of the photograph agree with poses, those that are more alike counting more."""
    return np.asarray(_of_each(_weights(pairs, matched, R, t), pairs.of_seen).sum(axis=1))


def stepped(pairs: KeypointPairs, matched: MatchedPoints, R: F64, t: F64) -> tuple[F64, F64]:
    """Poses (B, ...) after two Gauss-Newton steps on the pairs that agree."""
    for _ in range(2):
        residual, jacobian = reprojection(R, t, matched.points_m, matched.pixels, matched.camera)
        weight = _weights(pairs, matched, R, t)
        weight = np.concatenate([weight, weight], axis=1)
        weighted = jacobian * weight[..., None]
        normal = np.swapaxes(jacobian, 1, 2) @ weighted
        gradient = np.einsum("bnk,bn->bk", weighted, residual)
        scale = np.einsum("bkk->bk", normal)
        damped = normal + np.eye(6) * (_DAMPING * scale + 1e-6 * scale.max(axis=1, keepdims=True) + 1e-9)[:, None]
        step = -np.linalg.solve(damped, gradient[..., None])[..., 0]
        phi, rho = _limited(step[:, 3:], _LONGEST_RAD), _limited(step[:, :3], _LONGEST * np.abs(t[:, 2:]))
        R, t = so3.exp(phi) @ R, t + rho
    return R, t


def _limited(step: F64, longest: F64 | float) -> F64:
    length = np.linalg.norm(step, axis=1, keepdims=True)
    return np.asarray(step * np.minimum(1.0, longest / np.maximum(length, 1e-12)))


def _distinct(
    pairs: KeypointPairs, matched: MatchedPoints, R: F64, t: F64, length_m: float, most: int
) -> list[FeaturePose]:  # fmt: skip
    """Poses that differ, those with which most pairs agree first."""
    if len(t) == 0:
        return []
    weights = _weights(pairs, matched, R, t)
    score = _of_each(weights, pairs.of_seen).sum(axis=1)
    kept = non_maximum_suppression(R, t, -score, most, angle_rad=SAME_RAD, distance_m=SAME * length_m)
    found = []
    for k in kept:
        agreeing = weights[k] > 0.0
        # Some places of the object were found in several drawings, and some of the photograph in several sizes.
        places = np.unique(np.rint(pairs.pixels[agreeing] / matched.tolerance_px), axis=0)
        if len(places) < _FEWEST or score[k] < _RIVAL * score[kept[0]]:
            continue
        found.append(_closer(pairs, matched, FeaturePose(R[k], t[k], float(len(places)), matched)))
    return found


def _closer(pairs: KeypointPairs, matched: MatchedPoints, found: FeaturePose) -> FeaturePose:
    """The same pose after steps on more pairs: those of keypoints that are about where the pose shows them.

    They say where exactly the object is, and nothing about whether it is there: they were looked for.
    """
    R, t = found.R[None], found.t[None]
    for factor in (_NEAR, 1.0):
        guided = _guided(pairs, replace(matched, tolerance_px=factor * matched.tolerance_px), R[0], t[0])
        if len(guided.alike) < _FEWEST:
            return found
        near = replace(matched, points_m=guided.points_m, pixels=guided.pixels)
        for wider in (1.5, 1.0):
            R, t = stepped(guided, replace(near, tolerance_px=wider * matched.tolerance_px), R, t)
    return FeaturePose(R[0], t[0], found.agreeing, near)


def _guided(pairs: KeypointPairs, matched: MatchedPoints, R: F64, t: F64) -> KeypointPairs:
    """Keypoints of the photograph with what looks most like them of that which a pose shows there."""
    views, camera = pairs.views, matched.camera
    beside = views.R[views.view, 2] @ R.T @ (t / np.linalg.norm(t)) > _BESIDE
    shown = np.flatnonzero(beside)
    residual, _ = reprojection(R[None], t[None], views.points_m[shown], np.zeros((len(shown), 2)), camera)
    place = residual.reshape(2, -1).T
    off = np.square(pairs.seen.place[:, None] - place).sum(axis=-1)
    alike = pairs.seen.descriptor @ views.keypoints.descriptor[shown].T
    alike = np.where(off < matched.tolerance_px**2, alike, 0.0)
    best = alike.argmax(axis=1) if len(shown) else np.zeros(len(alike), np.int64)
    rows = np.arange(len(alike))
    kept = alike[rows, best] > _ALIKE if len(shown) else np.zeros(len(alike), np.bool_)
    return KeypointPairs(
        pairs.seen, views, rows[kept], shown[best[kept]], alike[rows[kept], best[kept]].astype(np.float64)
    )  # fmt: skip
