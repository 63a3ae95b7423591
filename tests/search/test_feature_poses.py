"""Keypoints of an object from all around, and the poses that pairs of them make."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.features.feature_poses import feature_poses, poses_of
from diffdope.search.features.feature_views import FeatureSettings, FeatureViews
from diffdope.search.features.keypoint_matches import KeypointPairs
from diffdope.search.features.keypoints import Keypoints
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.selection import non_maximum_suppression

CAMERA = Camera(500.0, 500.0, 310.0, 250.0, 640, 480)
_NONE = np.zeros((1, 128), np.float32)


def test_a_single_pair_is_the_pose_that_shows_it() -> None:
    """What a drawing shows of a point, moved about the camera's middle and along its ray, is seen so in the picture."""
    drawn_by = Camera(300.0, 300.0, 127.5, 127.5, 256, 256)
    drawn_at = Pose.from_wxyz_xyz([0.7, 0.1, 0.5, -0.3, 0.0, 0.0, 0.4])
    point_m = np.array([0.03, -0.02, 0.01])
    u, v = drawn_by.project(drawn_at.apply(point_m))
    z_m, scale, turn = float(drawn_at.apply(point_m)[2]), 1.6, 0.7
    views = FeatureViews(
        Keypoints(np.array([[u, v]]), np.array([8.0]), np.array([0.2]), _NONE), point_m[None],
        np.zeros(1, np.int64), np.array([z_m]), drawn_at.R_m2c[None], drawn_by,
    )  # fmt: skip
    seen = Keypoints(np.array([[400.0, 180.0]]), np.array([8.0 * scale]), np.array([0.2 + turn]), _NONE)
    pairs = KeypointPairs(seen, views, np.zeros(1, np.int64), np.zeros(1, np.int64), np.ones(1))
    R, t = poses_of(pairs, CAMERA)
    there = R[0] @ point_m + t[0]
    np.testing.assert_allclose(CAMERA.project(there), [400.0, 180.0], atol=1e-9)
    assert there[2] == pytest.approx(z_m * 500.0 / 300.0 / scale)
    # Seen along its ray, the surface is turned about it, and not otherwise.
    ray_here, ray_there = (
        drawn_at.apply(point_m) / np.linalg.norm(drawn_at.apply(point_m)),
        there / np.linalg.norm(there),
    )
    np.testing.assert_allclose(R[0].T @ ray_there, drawn_at.R_m2c.T @ ray_here, atol=1e-9)


def test_settings_that_find_nothing_are_refused() -> None:
    for changed in ({"tolerance": 0.0}, {"weight": -1.0}, {"views": 1}, {"distance_error": -0.1}):
        with pytest.raises(DiffDopeError, match=next(iter(changed))):
            FeatureSettings(**changed)  # type: ignore[arg-type]


def test_a_plain_surface_has_no_keypoints_and_no_poses() -> None:
    pytest.importorskip("cv2")
    corners = 0.05 * np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], np.float64)
    triples = "013 032 475 467 045 051 237 276 026 064 157 173"
    faces = [[int(corner) for corner in triple] for triple in triples.split()]
    meshes = MeshLevels(Mesh(corners, np.array(faces), colors=np.full((8, 3), 0.5)))
    noise = np.random.default_rng(0).uniform(size=(480, 640, 3))
    settings = FeatureSettings(views=6)
    assert len(meshes.features(settings).z_m) == 0
    assert feature_poses(meshes, Observation(CAMERA, rgb=noise), (200.0, 100.0, 400.0, 300.0), settings) == []


def test_directions_are_spread_evenly() -> None:
    from diffdope.search.features.feature_views import _directions

    R = _directions(48)
    np.testing.assert_allclose(R @ np.swapaxes(R, 1, 2), np.broadcast_to(np.eye(3), R.shape), atol=1e-12)
    cosine = R[:, 2] @ R[:, 2].T - 2.0 * np.eye(48)
    assert np.degrees(np.arccos(cosine.max(axis=1))).min() > 20.0  # no two are nearly the same
    kept = non_maximum_suppression(R, np.zeros((48, 3)), np.arange(48.0), 48, angle_rad=0.2, distance_m=1.0)
    assert len(kept) == 48
