from __future__ import annotations

import numpy as np
import pytest

from diffdope.terms.photometric_gain import NEUTRAL, colors_at, fit_gain, lines_through


def test_gain_and_bias_are_found_beneath_outliers(rng: np.random.Generator) -> None:
    model = rng.random((400, 3))
    gain, bias = np.array([0.7, 1.1, 1.4]), np.array([0.1, -0.05, 0.02])
    seen = gain * model + bias + rng.normal(0, 0.005, model.shape)
    seen[:80] = 0.95  # a highlight on a fifth of the object
    light = fit_gain(model, seen, with_bias=True)
    assert np.allclose(light.gain, gain, atol=0.03)
    assert np.allclose(light.bias, bias, atol=0.02)
    assert np.allclose(light.removed(seen[80:].astype(np.float32)), model[80:], atol=0.08)


def test_without_a_bias_the_line_goes_through_black(rng: np.random.Generator) -> None:
    model = 0.2 + 0.6 * rng.random((400, 3))
    light = fit_gain(model, 0.5 * model, with_bias=False)
    assert np.allclose(light.gain, 0.5, atol=0.01)
    assert np.array_equal(light.bias, np.zeros(3))


def test_one_colour_cannot_tell_gain_from_bias_and_moves_the_bias() -> None:
    model = np.full((100, 3), 0.4)
    light = fit_gain(model, np.full((100, 3), 0.6), with_bias=True)
    assert np.allclose(light.gain * 0.4 + light.bias, 0.6, atol=0.01)
    assert np.all((light.gain > 0.5) & (light.gain < 2.0))


def test_too_few_pixels_say_nothing() -> None:
    assert fit_gain(np.zeros((3, 3)), np.ones((3, 3)), with_bias=True) is NEUTRAL


@pytest.mark.parametrize("scale", [0.0, 100.0])
def test_gains_stay_within_bounds(scale: float, rng: np.random.Generator) -> None:
    model = rng.random((200, 3))
    light = fit_gain(model, scale * model, with_bias=True)
    assert np.all((light.gain >= 0.2) & (light.gain <= 4.0))


def test_what_a_line_leaves_is_what_numpy_says(rng: np.random.Generator) -> None:
    model, photo = rng.random((3, 51)), rng.random((3, 51))
    found, left, there = lines_through(model, photo, np.median(photo, axis=1))
    light = fit_gain(model.T, photo.T, with_bias=True)
    assert np.array_equal(found.gain, light.gain) and np.array_equal(found.bias, light.bias)
    assert left == pytest.approx(np.abs(photo - light.gain[:, None] * model - light.bias[:, None]).sum())
    assert there == pytest.approx(np.abs(photo - np.median(photo, axis=1, keepdims=True)).sum())


def test_colours_of_pixels_are_rows_of_channels(rng: np.random.Generator) -> None:
    image = rng.random((4, 5, 3)).astype(np.float32)
    np.testing.assert_array_equal(colors_at(image, np.array([0, 7])), image.reshape(-1, 3)[[0, 7]].T)
