"""Boxes of a photograph in which an object may be: nothing says where it is but keypoints that look like its own.

Every pair of keypoints is a pose. Those that agree about where the object is, how large and how turned, vote for each
other (Lowe, IJCV 2004); the box of what most vote for is then searched like one that was given.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.geometry.crop import Box
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Status
from diffdope.problem.region import projected_box
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.features.feature_poses import poses_of, stepped
from diffdope.search.features.feature_views import FeatureSettings
from diffdope.search.features.keypoint_matches import KeypointPairs, keypoints_in, pairs_of
from diffdope.search.features.keypoints import can_detect
from diffdope.search.mesh_levels import MeshLevels
from diffdope.terms.matched_points import MatchedPoints

F64 = NDArray[np.float64]
Int = NDArray[np.int64]
Bool = NDArray[np.bool_]

_VOTING = 1500  # pairs, those most alike: of a whole picture, most pairs are of other things
_NEAREST, _FARTHEST = 0.6, 60.0  # diameters of the object's middle from the camera
_PLACE, _SIZE, _TURN_RAD = (
    0.25,
    1.5,
    np.radians(30.0),
)  # of the object, ratio, and angle, by which two that agree differ
_APART = 0.5  # of the object's size between the middles of two boxes
_FEWEST = 4.0  # votes: fewer are found in any picture
_TOLERANCES = (6.0, 4.0, 2.5)  # of the steps, in units of `FeatureSettings.tolerance`
_LEAST_PX = 12.0  # side of a box


def tells_by_pattern(observation: Observation, mesh: Mesh) -> bool:
    """Whether a photograph alone may tell where an object is: it has a pattern, and OpenCV is installed."""
    return "rgb" in observation.modalities and mesh.has_pattern and can_detect()


def feature_boxes(meshes: MeshLevels, observation: Observation, settings: FeatureSettings) -> list[Box]:
    """Boxes (x0, y0, x1, y1) in which most keypoints speak for the object, the likeliest first; none if none do.

    Args:
        meshes: the object, about its own middle, with a pattern.
        observation: with RGB.
        settings: see there.
    """
    camera, length_m = observation.camera, meshes.length_m
    whole = (0.0, 0.0, camera.width - 1.0, camera.height - 1.0)
    in_picture = replace(settings, size=settings.picture, keypoints=settings.picture_keypoints, neighbours=1)
    pairs = pairs_of(keypoints_in(observation, whole, in_picture), meshes.features(settings), in_picture)
    pairs = pairs.taken(np.argsort(-pairs.alike, kind="stable")[:_VOTING])
    R, t = poses_of(pairs, camera)
    there = (t[:, 2] > _NEAREST * length_m) & (t[:, 2] < _FARTHEST * length_m)
    pairs, R, t = pairs.taken(there), R[there], t[there]
    if len(t) == 0:
        return []
    place, size_px = _seen_at(t, camera, length_m)
    agree = _agreeing(place, size_px, R)
    votes = agree @ pairs.likeness
    boxes: list[Box] = []
    for k in _peaks(votes, place, size_px, settings.boxes):
        box = _box(pairs.taken(agree[k]), R[k], t[k], float(size_px[k]), meshes, camera, settings)
        if box is not None:
            boxes.append(box)
    return boxes


def _seen_at(t: F64, camera: Camera, length_m: float) -> tuple[F64, F64]:
    """Where the object's middle is seen (N, 2), and how large it is (N,), pixels."""
    focal = np.array([camera.fx, camera.fy])
    place = focal * t[:, :2] / t[:, 2:] + np.array([camera.cx, camera.cy])
    return place, np.sqrt(camera.fx * camera.fy) * length_m / t[:, 2]


def _agreeing(place: F64, size_px: F64, R: F64) -> Bool:
    """Which poses (N, N) are about the same."""
    apart = np.square(place[:, None] - place).sum(axis=-1)
    smaller = np.minimum(size_px[:, None], size_px)
    flat = R.reshape(-1, 9)
    same = flat @ flat.T > 1.0 + 2.0 * np.cos(_TURN_RAD)
    return np.asarray(
        same & (apart < (_PLACE * smaller) ** 2) & (np.maximum(size_px[:, None], size_px) < _SIZE * smaller)
    )


def _peaks(votes: F64, place: F64, size_px: F64, most: int) -> list[int]:
    """Poses with most votes, in different places of the picture."""
    found: list[int] = []
    for k in np.argsort(-votes, kind="stable"):
        if votes[k] < _FEWEST or len(found) == most:
            break
        if all(np.linalg.norm(place[k] - place[other]) > _APART * size_px[other] for other in found):
            found.append(int(k))
    return found


def _box(
    pairs: KeypointPairs, R: F64, t: F64, size_px: float, meshes: MeshLevels, camera: Camera, settings: FeatureSettings
) -> Box | None:  # fmt: skip
    """What the object covers of the picture, after steps on the pairs that voted for its pose."""
    R, t = R[None], t[None]
    for factor in _TOLERANCES:
        tolerance_px = factor * settings.tolerance * size_px
        matched = MatchedPoints(pairs.points_m, pairs.pixels, camera, tolerance_px, settings.weight)
        R, t = stepped(pairs, matched, R, t)
    if not t[0, 2] > _NEAREST * meshes.length_m:
        return None
    box = projected_box(meshes.corners_m, Pose(R[0], t[0]), camera)
    if isinstance(box, Status):
        return None
    x0, y0 = max(box[0], 0.0), max(box[1], 0.0)
    x1, y1 = min(box[2], camera.width - 1.0), min(box[3], camera.height - 1.0)
    return (x0, y0, x1, y1) if min(x1 - x0, y1 - y0) > _LEAST_PX else None
