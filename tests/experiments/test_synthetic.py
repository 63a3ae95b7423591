"""Synthetic pictures show what they should, with the stated noise."""

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.experiments.shapes import icosphere, painted, plain
from diffdope.experiments.synthetic import CAMERA, SensorNoise, add_noise, blotches, picture
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose

BALL = painted("ball", *icosphere(4, 0.05), plain)
AT = Pose(np.eye(3), np.array([0.0, 0.0, 0.5]))


def test_a_ball_is_a_disc_of_the_right_size_and_depth(rng: np.random.Generator) -> None:
    seen = picture([(BALL, AT)], rng)
    assert seen.mask is not None and seen.depth is not None and seen.rgb is not None
    # The cone that touches a ball of radius r at distance d has the half angle asin(r / d).
    radius_px = CAMERA.fx * np.tan(np.arcsin(0.05 / 0.5))
    assert seen.mask.sum() == pytest.approx(np.pi * radius_px**2, rel=0.002)
    rows, columns = np.nonzero(seen.mask)
    assert (columns.mean(), rows.mean()) == pytest.approx((CAMERA.cx, CAMERA.cy), abs=0.05)
    v, u = round(CAMERA.cy), round(CAMERA.cx)
    assert seen.depth[v, u] == pytest.approx(0.45, abs=2e-4)
    np.testing.assert_allclose(seen.rgb[v, u], [0.75, 0.45, 0.25], atol=1e-3)
    assert seen.depth[0, 0] > 1.0  # the wall


def test_what_is_nearer_hides(rng: np.random.Generator) -> None:
    in_front = Pose(np.eye(3), np.array([0.04, 0.0, 0.35]))
    alone, hidden = picture([(BALL, AT)], rng), picture([(BALL, AT), (BALL, in_front)], rng)
    behind = picture([(BALL, in_front), (BALL, AT)], rng)
    assert alone.mask is not None and hidden.mask is not None and behind.mask is not None
    assert 0.1 * alone.mask.sum() < hidden.mask.sum() < 0.9 * alone.mask.sum()
    assert not (hidden.mask * behind.mask).any()  # a pixel shows one of the two


@pytest.mark.parametrize(
    "t_m",
    [(0.03, 0.02, 0.5), (-0.12, 0.0, 0.5), (0.12, 0.1, 0.5), (0.6, 0.0, 0.5), (0.0, 0.0, -0.5), (0.055, 0.0, 0.035)],
)
def test_borders_of_a_picture_only_cut(t_m: tuple[float, float, float]) -> None:
    """An object inside, over a border, over a corner, beside the picture, behind the camera and beside it."""
    more = 90
    wide = Camera(
        CAMERA.fx, CAMERA.fy, CAMERA.cx + more, CAMERA.cy + more, CAMERA.width + 2 * more, CAMERA.height + 2 * more
    )
    pose, inner = Pose(np.eye(3), np.array(t_m)), slice(more, -more)
    cut, whole = (
        picture([(BALL, AT), (BALL, pose)], np.random.default_rng(0), camera=camera) for camera in (CAMERA, wide)
    )
    assert cut.mask is not None and whole.mask is not None and cut.depth is not None and whole.depth is not None
    np.testing.assert_array_equal(cut.mask, whole.mask[inner, inner])
    np.testing.assert_allclose(cut.depth, whole.depth[inner, inner], atol=1e-5)


def test_with_one_sample_no_pixel_is_mixed(rng: np.random.Generator) -> None:
    mixed, sharp = (picture([(BALL, AT)], np.random.default_rng(0), samples=k) for k in (3, 1))
    colour = np.array([0.75, 0.45, 0.25])
    assert sharp.mask is not None and sharp.rgb is not None and mixed.rgb is not None
    inside = sharp.mask > 0.5
    np.testing.assert_allclose(sharp.rgb[inside], np.tile(colour, (inside.sum(), 1)), atol=0.01)
    assert np.abs(mixed.rgb[inside] - colour).max() > 0.05
    with pytest.raises(DiffDopeError, match="samples: expected an odd number of at least 1, got 2"):
        picture([(BALL, AT)], rng, samples=2)


def test_noise_has_the_stated_levels(rng: np.random.Generator) -> None:
    rgb, depth = np.full((200, 300, 3), 0.5, np.float32), np.full((200, 300), 0.9, np.float32)
    noise = SensorNoise(rgb=0.02, depth_m=0.001, depth_slope=0.004, missing=0.1)
    noisy, deep = add_noise(rgb, depth, rng, noise)
    assert np.std(noisy - rgb) == pytest.approx(0.02, rel=0.02)
    assert np.mean(deep == 0) == pytest.approx(0.1, abs=0.01)
    assert np.std((deep - depth)[deep > 0]) == pytest.approx(0.001 + 0.004 * 0.25, rel=0.03)


def test_equal_seeds_give_equal_pictures() -> None:
    one, two = (picture([(BALL, AT)], np.random.default_rng(3), noise=SensorNoise()) for _ in range(2))
    np.testing.assert_array_equal(one.rgb, two.rgb)
    np.testing.assert_array_equal(one.depth, two.depth)


def test_the_wall_is_not_flat(rng: np.random.Generator) -> None:
    wall = blotches(rng, 60, 80)
    assert wall.std() > 0.1
    assert 0.0 <= wall.min() < wall.max() <= 1.0
