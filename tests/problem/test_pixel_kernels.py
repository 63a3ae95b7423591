"""What makes a level ready pixel by pixel, against the same in plain numpy and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from diffdope.geometry.camera import Camera
from diffdope.problem.factor import packed_pixels
from diffdope.problem.responsibility import (
    Responsibility,
    border_error,
    responsibility_of,
    silhouette_weights,
    without_holes,
)
from diffdope.scene.observation import Observation
from diffdope.terms.photometric_gain import PhotometricGain, colors_at, fit_gain, fit_gain_at

F32 = NDArray[np.float32]


def plane(rng: np.random.Generator, size: tuple[int, int], share: float) -> F32:
    """Depths between 0.4 and 0.8 m at a share of the pixels, 0 elsewhere; somewhere there is one."""
    image = np.where(rng.random(size) < share, rng.uniform(0.4, 0.8, size), 0.0).astype(np.float32)
    image[0, 0] = 0.5
    return image


def observed(rng: np.random.Generator, size: tuple[int, int]) -> Observation:
    """Noise of all three kinds."""
    mask = (rng.random(size) < 0.2).astype(np.float32)
    mask[0, 0] = 1.0
    camera = Camera(60.0, 60.0, 1.0, 1.0, size[1], size[0])
    return Observation(camera, rgb=rng.random((*size, 3)), depth=plane(rng, size, 0.9), mask=mask)


@pytest.mark.parametrize("share", [0.002, 0.02, 0.3, 0.9])
@pytest.mark.parametrize("size", [(1, 9), (9, 1), (23, 40), (40, 23)])
def test_a_surface_is_compared_with_the_nearest_pixel_of_the_object(size: tuple[int, int], share: float) -> None:
    rng = np.random.default_rng(7)
    for _ in range(12):
        start, seen = plane(rng, size, share), observed(rng, size)
        assert seen.depth is not None and seen.mask is not None
        rows, columns = distance_transform_edt(start <= 0.0, return_distances=False, return_indices=True)
        depth = without_holes(seen.depth, seen.mask)
        nearer = (depth > 0.0) & (depth < start[rows, columns] - np.float32(0.05)) & (seen.mask < 0.5)
        weights = silhouette_weights(start, seen, share=0.5, diameter_m=0.1)
        np.testing.assert_array_equal(weights == 0.0, nearer)
        np.testing.assert_array_equal(weights[~nearer], 1.0)


@pytest.mark.parametrize("size", [(1, 9), (9, 1), (23, 40)])
def test_a_hole_is_as_far_as_the_farthest_beside_it(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(11)
    for _ in range(4):
        depth, mask = plane(rng, size, 0.3), (rng.random(size) < 0.2).astype(np.float32)
        filled = without_holes(depth, mask)
        known = np.where(mask < 0.5, depth, 0.0)
        for y, x in np.ndindex(size):
            sides = known[y, :x][::-1], known[y, x + 1 :], known[:y, x][::-1], known[y + 1 :, x]
            next_to = [float(side[side > 0.0][0]) for side in sides if (side > 0.0).any()]
            there = depth[y, x] if depth[y, x] > 0.0 or mask[y, x] >= 0.5 else max(next_to, default=0.0)
            assert filled[y, x] == there


def test_nothing_is_hidden_by_what_is_farther_than_all_of_the_object() -> None:
    rng = np.random.default_rng(8)
    seen = observed(rng, (20, 30))
    assert silhouette_weights(np.full((20, 30), 0.41, np.float32), seen, share=0.2, diameter_m=0.1).all()


def test_the_border_is_counted_where_it_is_weighed() -> None:
    rng = np.random.default_rng(9)
    coverage, weights = rng.random((2, 25, 33)).astype(np.float32)
    mask = observed(rng, (25, 33)).mask
    assert mask is not None
    inside = mask > 0.5
    across = ((inside[:, 1:] != inside[:, :-1]) & (weights[:, 1:] > 0.5)).sum()
    along = ((inside[1:] != inside[:-1]) & (weights[1:] > 0.5)).sum()
    expected = (weights * np.abs(coverage - mask)).sum() / (0.25 * np.pi * (across + along))
    assert border_error(coverage, mask, weights) == pytest.approx(expected, rel=1e-6)


def test_the_overlap_is_what_mask_and_rendering_share() -> None:
    rng = np.random.default_rng(10)
    seen, coverage = observed(rng, (12, 17)), rng.random((12, 17)).astype(np.float32)
    assert seen.mask is not None
    found = responsibility_of(coverage, seen, np.ones_like(coverage))
    assert found.overlap == pytest.approx(np.minimum(coverage, seen.mask).sum(dtype=float))
    np.testing.assert_array_equal(found.appearance, seen.mask)


@pytest.mark.parametrize("lit", [False, True])
@pytest.mark.parametrize("missing", [None, "rgb", "depth", "mask"])
def test_a_packed_crop_holds_what_was_observed(missing: str | None, lit: bool) -> None:
    rng = np.random.default_rng(11)
    seen = observed(rng, (9, 14))
    if missing is not None:
        seen = getattr(seen, f"without_{missing}")()
    gate, care = rng.random((2, 9, 14)).astype(np.float32)
    gain = PhotometricGain(np.array([0.5, 1.0, 2.0]), np.array([0.1, 0.0, -0.1])) if lit else None
    packed, sums = packed_pixels(seen, Responsibility(gate, care, 1.0), gain, intensity=True)
    image = packed.reshape(9, 14, 8)
    none = np.zeros((9, 14), np.float32)
    rgb = np.zeros((9, 14, 3), np.float32) if seen.rgb is None else seen.rgb if gain is None else gain.removed(seen.rgb)
    depth, mask = none if seen.depth is None else seen.depth, none if seen.mask is None else seen.mask
    np.testing.assert_array_equal(image[..., :3], rgb)
    np.testing.assert_array_equal(image[..., 3:7], np.stack([gate, depth, mask, care], axis=-1))
    np.testing.assert_array_equal(image[..., 7], rgb.sum(axis=2) / np.float32(3.0))
    expected = [gate.sum(dtype=float), gate[depth > 0.0].sum(dtype=float), (care * mask).sum(dtype=float)]
    np.testing.assert_allclose(sums, expected, rtol=1e-12)


@pytest.mark.parametrize("with_bias", [False, True])
def test_the_light_is_that_of_the_pixels_that_show_the_object(with_bias: bool) -> None:
    rng = np.random.default_rng(12)
    model, photo = rng.random((2, 20, 30, 3)).astype(np.float32)
    coverage, appearance = rng.choice([0.5, 1.0], (20, 30)).astype(np.float32), rng.random((20, 30)).astype(np.float32)
    pixels = np.flatnonzero((coverage > 0.99) & (appearance > 0.5))
    expected = fit_gain(colors_at(model, pixels).T, colors_at(photo, pixels).T, with_bias=with_bias, hold=0.1)
    found = fit_gain_at(model, photo, coverage, appearance, with_bias=with_bias, hold=0.1)
    np.testing.assert_allclose(found.gain, expected.gain, rtol=1e-12)
    np.testing.assert_allclose(found.bias, expected.bias, rtol=1e-12, atol=1e-15)


def test_of_a_few_pixels_no_light_is_fitted() -> None:
    image, coverage = np.full((3, 3, 3), 0.5, np.float32), np.zeros((3, 3), np.float32)
    coverage[:2] = 1.0
    found = fit_gain_at(image, 0.5 * image, coverage, np.ones_like(coverage), with_bias=True, hold=0.01)
    np.testing.assert_array_equal(found.gain, 1.0)
    np.testing.assert_array_equal(found.bias, 0.0)
