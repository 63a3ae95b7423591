from __future__ import annotations

import numpy as np
import pytest

from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.pipelines.result import Status
from diffdope.problem.region import choose_window, projected_box
from diffdope.problem.responsibility import dilate, least_gap, silhouette_weights
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from tests.oracle.shapes import box

CAMERA = Camera(600.0, 600.0, 319.5, 239.5, 640, 480)
MESH = Mesh(box().vertices_m, box().faces)


def at(x: float, y: float, z: float) -> Pose:
    return Pose(np.eye(3), np.array([x, y, z]))


def test_the_box_of_a_visible_object_holds_its_centre() -> None:
    found = projected_box(MESH.vertices_m, at(0, 0, 0.7), CAMERA)
    assert not isinstance(found, Status)
    assert found[0] < 319.5 < found[2]
    assert found[1] < 239.5 < found[3]


@pytest.mark.parametrize(
    ("pose", "status"),
    [(at(0, 0, -0.7), Status.BEHIND_CAMERA), (at(2, 0, 0.7), Status.OUT_OF_VIEW), (at(0, -2, 0.7), Status.OUT_OF_VIEW)],
)
def test_an_object_that_cannot_be_seen_has_a_status(pose: Pose, status: Status) -> None:
    assert projected_box(MESH.vertices_m, pose, CAMERA) is status


def test_the_window_holds_start_and_mask_and_is_reduced_to_size() -> None:
    mask = np.zeros((480, 640), bool)
    mask[100:150, 50:90] = True
    observation = Observation(CAMERA, mask=mask)
    found = projected_box(MESH.vertices_m, at(0, 0, 0.7), CAMERA)
    assert not isinstance(found, Status)
    window = choose_window(found, observation, size=100, margin=0.1)
    assert window.x0 <= 50
    assert window.y0 <= 100
    assert window.x0 + window.width >= found[2]
    assert max(window.size) <= 100


def test_dilation_grows_by_its_pixels() -> None:
    coverage = np.zeros((9, 9), np.float32)
    coverage[4, 4] = 1
    assert dilate(coverage, 2).sum() == 25


def test_only_what_is_nearer_and_outside_the_mask_is_ignored() -> None:
    depth = np.full((20, 30), 0.7, np.float32)
    depth[:, :10] = 0.5  # an occluder in front of the left third
    depth[0] = 0.0  # nothing measured: among its pixels, these are its own
    mask = np.zeros((20, 30), bool)
    mask[:, 8:20] = True
    camera = Camera(100.0, 100.0, 15.0, 10.0, 30, 20)
    start = np.zeros((20, 30), np.float32)
    start[5:15, 12:18] = 0.7
    care = silhouette_weights(start, Observation(camera, depth=depth, mask=mask), share=0.5, diameter_m=0.1)
    assert (care[:, :8] == 0).all()
    assert (care[:, 8:] == 1).all()  # the mask's own pixels always count


def test_without_depth_a_deep_gap_in_the_mask_is_an_occluder_and_a_rim_is_not() -> None:
    camera = Camera(100.0, 100.0, 30.0, 20.0, 60, 40)
    start = np.zeros((40, 60), np.float32)
    start[10:30, 20:44] = 0.7
    rim, bitten = np.zeros((40, 60), bool), np.zeros((40, 60), bool)
    rim[10:30, 22:46] = True  # the object is two pixels further right than the start says
    bitten[10:30, 20:34] = True  # something hides the right ten columns
    sure = silhouette_weights(start, Observation(camera, mask=rim), share=0.1, diameter_m=0.1)
    assert (sure == 1).all()
    care = silhouette_weights(start, Observation(camera, mask=bitten), share=0.1, diameter_m=0.1)
    assert (care[12:28, 34:44] == 0).all()
    assert (care[10:30, 20:34] == 1).all()  # the mask itself
    assert (care[:, :30] == 1).all()
    assert (care[:, 50:] == 1).all()
    nothing = silhouette_weights(np.zeros_like(start), Observation(camera, mask=rim), share=0.1, diameter_m=0.1)
    assert (nothing == 1).all()


def test_a_bite_may_be_shallower_where_the_mask_is_good() -> None:
    silhouette = np.zeros((60, 120), np.float32)
    silhouette[10:50, 10:110] = 1.0
    bitten, rough = silhouette.copy(), silhouette.copy()
    bitten[10:30, 104:] = 0.0  # 6 of 100 columns, over a seventh of the border
    rough[10:50, 10:15] = rough[10:50, 105:110] = 0.0  # 5 pixels off at both ends
    assert least_gap(silhouette, silhouette, 0.1) == pytest.approx(0.03)
    assert least_gap(silhouette, bitten, 0.1) == pytest.approx(0.03)
    assert 0.03 < least_gap(silhouette, rough, 0.1) < 0.1
    assert least_gap(silhouette, np.roll(silhouette, 20, axis=1), 0.1) == 0.1
    assert least_gap(np.zeros_like(silhouette), bitten, 0.1) == 0.1


def test_a_sliver_that_a_neighbour_hides_is_an_occluder_once_the_silhouette_is_known() -> None:
    camera = Camera(100.0, 100.0, 60.0, 30.0, 120, 60)
    start = np.zeros((60, 120), np.float32)
    start[10:50, 10:110] = 0.7
    hidden = start > 0.0
    hidden[10:35, 104:] = False
    observation = Observation(camera, mask=hidden)
    rough = silhouette_weights(start, observation, share=0.1, diameter_m=0.1)
    share = least_gap((start > 0.0).astype(np.float32), hidden.astype(np.float32), 0.1)
    good = silhouette_weights(start, observation, share=share, diameter_m=0.1)
    assert (rough == 1).all()
    assert (good[10:35, 104:110] == 0).all() and (good[hidden] == 1).all()


def test_the_border_of_a_small_silhouette_is_no_bite() -> None:
    camera = Camera(100.0, 100.0, 16.0, 16.0, 33, 33)
    v, u = np.mgrid[:33, :33] - 16
    start, mask = np.where(np.hypot(u, v) < 11.5, np.float32(0.7), np.float32(0.0)), np.hypot(u, v) < 10.5
    care = silhouette_weights(start, Observation(camera, mask=mask), share=0.03, diameter_m=0.1)  # 0.7 pixels
    assert (care == 1).all()
    mask[:, 20:] = False
    hidden = silhouette_weights(start, Observation(camera, mask=mask), share=0.03, diameter_m=0.1)
    assert (hidden[16, 22:26] == 0).all()
