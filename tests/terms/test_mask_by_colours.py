"""Masks whose border is moved to where the photograph's colours change."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.scene.observation import Observation
from diffdope.terms.mask_by_colours import with_border_by_colours

RED, BLUE = np.array([0.7, 0.3, 0.3]), np.array([0.3, 0.35, 0.6])


def disc(radius: float, size: int = 120, at: tuple[float, float] = (0.0, 0.0)) -> NDArray[np.bool_]:
    v, u = np.mgrid[:size, :size] - (size - 1) / 2.0
    return np.asarray(np.hypot(u - at[0], v - at[1]) < radius)


def seen(
    shown: NDArray[np.bool_], mask: NDArray[np.bool_], around: NDArray[np.float64] = BLUE, noise: float = 0.05
) -> Observation:
    """A thing in front of something of another colour, with the noise of a sensor, and a mask of it."""
    size = len(shown)
    rgb = np.where(shown[..., None], RED, around) + noise * np.random.default_rng(0).normal(size=(size, size, 3))
    camera = Camera(200.0, 200.0, 0.5 * size, 0.5 * size, size, size)
    return Observation(camera, rgb=np.clip(rgb, 0.0, 1.0), mask=mask)


def moved(observation: Observation) -> NDArray[np.bool_]:
    mask = with_border_by_colours(observation).mask
    assert mask is not None
    return np.asarray(mask > 0.5)


def wide_by(mask: NDArray[np.bool_], truth: NDArray[np.bool_], radius: float) -> float:
    """Pixels, a mean along the border of a disc."""
    return float(int(mask.sum()) - int(truth.sum())) / (2.0 * np.pi * radius)


@pytest.mark.parametrize("by", [-3.0, -1.5, 0.0, 1.5, 3.0])
def test_a_border_goes_to_where_colours_change(by: float) -> None:
    truth = disc(30.0)
    mask = moved(seen(truth, disc(30.0 + by)))
    assert abs(wide_by(mask, truth, 30.0)) < 0.25
    assert np.count_nonzero(mask != truth) < 0.2 * 2.0 * np.pi * 30.0


def test_a_shift_is_mended() -> None:
    truth = disc(30.0)
    given = disc(30.0, at=(2.0, -1.5))
    mask = moved(seen(truth, given))
    assert np.count_nonzero(mask != truth) < 0.15 * np.count_nonzero(given != truth)


@pytest.mark.parametrize("by", [-2.0, 0.0, 2.0])
def test_before_its_own_colour_it_stays_where_it_is(by: float) -> None:
    given = disc(30.0 + by)
    mask = moved(seen(disc(30.0), given, around=RED))
    assert abs(wide_by(mask, given, 30.0 + by)) < 0.5


def test_of_a_large_picture_a_border_is_good_to_a_block_of_its_pixels() -> None:
    truth = disc(250.0, 640)
    mask = moved(seen(truth, disc(258.0, 640)))
    assert abs(wide_by(mask, truth, 250.0)) < 1.5
    far_inside, far_outside = disc(200.0, 640), ~disc(300.0, 640)
    assert mask[far_inside].all() and not mask[far_outside].any()


def test_what_the_picture_cuts_has_no_border_there() -> None:
    truth = disc(30.0, at=(-45.0, 0.0))
    given = disc(33.0, at=(-45.0, 0.0))
    mask = moved(seen(truth, given))
    assert np.count_nonzero(mask != truth) < 0.2 * np.count_nonzero(given != truth)


@pytest.mark.parametrize("radius", [1.0, 1.5, 2.5])
def test_specks_do_not_fail(radius: float) -> None:
    shown = disc(radius)
    assert np.count_nonzero(moved(seen(shown, shown))) <= 200


def test_beside_depth_or_without_a_photograph_or_a_mask_nothing_is_moved() -> None:
    mask, camera = disc(30.0), Camera(200.0, 200.0, 60.0, 60.0, 120, 120)
    rgb = np.full((120, 120, 3), 0.5)
    depth = np.full((120, 120), 0.5)
    given = [{"mask": mask}, {"rgb": rgb}, {"rgb": rgb, "mask": mask, "depth": depth}]
    for observation in (Observation(camera, **images) for images in given):
        assert with_border_by_colours(observation) is observation
