"""An object's picture of one frame, found in another, on drawn pictures."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.experiments.shapes import grid_box, mottled, painted
from diffdope.experiments.synthetic import CAMERA, SensorNoise, picture
from diffdope.geometry.pose import Pose
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.tracking.template_matching import TemplateMatcher, on_lattice

START = Pose(np.eye(3), np.array([-0.02, 0.0, 0.5])).retract([0.0, 0.0, 0.0, 0.6, 0.4, 0.0])
MOVED = START.retract([0.07, -0.03, 0.02, 0.0, 0.12, 0.05])
REACH_M = 0.1
IMAGES = [("rgb", "depth"), ("rgb",), ("depth",)]


@pytest.fixture(scope="module")
def matcher(box: Mesh) -> TemplateMatcher:
    return TemplateMatcher(MeshLevels(Mesh(box.vertices_m, box.faces), (0,), threads=1))


def seen(box: Mesh, pose: Pose, images: tuple[str, ...] = IMAGES[0], *parts: tuple[Mesh, Pose]) -> Observation:
    made = picture([*parts, (box, pose)], np.random.default_rng(3), noise=SensorNoise())
    return Observation(CAMERA, **{name: getattr(made, name) for name in images})


@pytest.mark.parametrize("images", IMAGES)
def test_what_has_moved_by_its_own_size_and_turned_a_little_is_found(
    box: Mesh, matcher: TemplateMatcher, images: tuple[str, ...]
) -> None:
    patch = matcher.picture(seen(box, START, images), START)
    assert patch is not None
    found = matcher.moved(patch, seen(box, MOVED, images), START, REACH_M)
    assert found is not None and np.array_equal(found.R_m2c, START.R_m2c)
    beside = (found.t_m2c / found.t_m2c[2] - MOVED.t_m2c / MOVED.t_m2c[2])[:2] * MOVED.t_m2c[2]
    assert np.linalg.norm(beside) < 0.06 * box.diameter
    if "depth" in images:
        assert abs(found.t_m2c[2] - MOVED.t_m2c[2]) < 0.05 * box.diameter
    else:
        assert found.t_m2c[2] == pytest.approx(START.t_m2c[2])


def test_what_hides_the_object_is_not_taken_for_it(box: Mesh, matcher: TemplateMatcher) -> None:
    card = painted("card", *grid_box(np.array([0.03, 0.2, 0.005]), 4), mottled)
    hidden = seen(box, START, IMAGES[0], (card, Pose(np.eye(3), np.array([-0.02, 0.0, 0.35]))))
    patch = matcher.picture(hidden, START)
    assert patch is not None
    # The card has stayed, and the object has gone: the picture has to go with the object.
    now = seen(box, MOVED, IMAGES[0], (card, Pose(np.eye(3), np.array([-0.02, 0.0, 0.35]))))
    found = matcher.moved(patch, now, START, REACH_M)
    assert found is not None and found.distance_to(MOVED) < 0.1 * box.diameter


def test_what_agrees_everywhere_stays_where_it_is_expected(box: Mesh, matcher: TemplateMatcher) -> None:
    flat = Observation(CAMERA, rgb=np.full((CAMERA.height, CAMERA.width, 3), 0.5))
    patch = matcher.picture(flat, START)
    assert patch is not None
    found = matcher.moved(patch, flat, MOVED, REACH_M)
    assert found is not None
    pixels = np.subtract(CAMERA.project(found.t_m2c), CAMERA.project(MOVED.t_m2c))
    assert np.abs(pixels).max() <= 0.5 * patch.window.reduction  # whole pixels of the small picture


def test_no_picture_is_taken_of_what_is_not_in_the_image(box: Mesh, matcher: TemplateMatcher) -> None:
    for t in ([2.0, 0.0, 0.5], [0.0, 0.0, -0.5]):
        assert matcher.picture(seen(box, START), Pose(np.eye(3), np.array(t))) is None


def test_images_with_nothing_in_common_do_not_match(box: Mesh, matcher: TemplateMatcher) -> None:
    patch = matcher.picture(seen(box, START, ("rgb",)), START)
    assert patch is not None
    assert matcher.moved(patch, seen(box, START, ("depth",)), START, REACH_M) is None


def test_an_object_that_may_have_left_the_picture_is_looked_for_in_what_is_left(
    box: Mesh, matcher: TemplateMatcher
) -> None:
    patch = matcher.picture(seen(box, START), START)
    assert patch is not None
    outside = Pose(START.R_m2c, np.array([5.0, 0.0, 0.5]))
    assert matcher.moved(patch, seen(box, START), outside, REACH_M) is None
    border = Pose(START.R_m2c, np.array([0.13, 0.0, 0.5]))
    found = matcher.moved(patch, seen(box, border), START, 3 * REACH_M)
    assert found is not None and found.distance_to(border) < 0.15 * box.diameter


def test_windows_on_one_lattice_lie_whole_blocks_apart() -> None:
    for box in [(3.2, 5.0, 40.1, 60.0), (-7.0, -9.0, 12.0, 13.0), (300.0, 200.0, 400.0, 300.0)]:
        window = on_lattice(box, CAMERA, 7)
        assert window is not None
        window.check_inside(CAMERA)
        assert window.x0 % 7 == window.y0 % 7 == 0 and window.reduction == 7
    assert on_lattice((400.0, 10.0, 420.0, 20.0), CAMERA, 7) is None
