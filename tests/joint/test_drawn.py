from __future__ import annotations

import numpy as np

from diffdope.problem.responsibility import silhouette_weights
from diffdope.scene.observation import Observation
from diffdope.search.drawn import Drawing, depth_of_others, drawing_of
from diffdope.search.mesh_levels import MeshLevels
from tests.joint.conftest import CAMERA, Drawn


def test_the_nearest_of_the_others(drawn: Drawn) -> None:
    meshes = [MeshLevels(mesh, threads=1) for mesh in drawn.meshes]
    drawings = [drawing_of(one, pose, CAMERA) for one, pose in zip(meshes, drawn.truth, strict=True)]
    others = depth_of_others(drawings, 0, CAMERA)
    assert others is not None and drawings[1] is not None
    ring = drawings[1]
    np.testing.assert_array_equal(others[ring.rows, ring.columns], ring.depth)
    assert np.count_nonzero(others) == np.count_nonzero(ring.depth)
    assert depth_of_others([drawings[0], None], 0, CAMERA) is None


def test_of_two_others_the_nearer_one() -> None:
    near = Drawing(slice(0, 4), slice(0, 4), np.full((4, 4), 0.4, np.float32))
    far = Drawing(slice(2, 6), slice(2, 6), np.full((4, 4), 0.6, np.float32))
    for order in ([None, near, far], [None, far, near]):
        depth = depth_of_others(order, 0, CAMERA)
        assert depth is not None
        assert (depth[2, 2], depth[5, 5], depth[7, 7]) == (np.float32(0.4), np.float32(0.6), 0.0)


def test_out_of_the_picture_nothing_is_drawn(drawn: Drawn) -> None:
    behind = drawn.truth[0].retract([0.0, 0.0, -2.0, 0.0, 0.0, 0.0])
    assert drawing_of(MeshLevels(drawn.meshes[0], threads=1), behind, CAMERA) is None


def test_where_another_is_in_front_the_mask_says_nothing() -> None:
    own = np.zeros((144, 192), np.float32)
    own[20:60, 20:80] = 0.5
    mask, others = own > 0.0, np.zeros_like(own)
    mask[20:60, 60:80] = False  # hidden, as the drawn other says; without depth nobody else does
    others[20:60, 60:120] = 0.4
    seen = Observation(CAMERA, mask=mask).with_others(others)
    weights = silhouette_weights(own, seen, share=0.5, diameter_m=0.1)
    assert not weights[20:60, 60:80].any()  # hidden
    assert weights[20:60, 20:60].all()  # its own pixels
    assert weights[100, 20]  # background
    behind = np.where(others > 0.0, np.float32(0.7), np.float32(0.0))
    assert silhouette_weights(own, seen.with_others(behind), share=0.5, diameter_m=0.1).all()


def test_crops_keep_the_others() -> None:
    from diffdope.geometry.crop import CropWindow

    others = np.zeros((144, 192), np.float32)
    others[:, 96:] = 0.4
    crop = Observation(CAMERA, mask=np.ones((144, 192), bool)).with_others(others).crop(CropWindow(0, 0, 192, 144, 2))
    assert crop.others is not None and crop.modalities == ("mask",)
    assert crop.others.shape == (72, 96)
    np.testing.assert_allclose(crop.others[:, 48:], 0.4, rtol=1e-6)
    assert not crop.others[:, :48].any()
