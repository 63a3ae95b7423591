"""Pictures are made harder by exactly the stated amounts."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from diffdope.errors import DiffDopeError
from diffdope.experiments.cases import packaged
from diffdope.experiments.spoil import occlude, with_gain, with_neighbours, without_mask, wrong_mask
from diffdope.geometry.camera import Camera
from diffdope.scene.observation import Observation

CASE = packaged()
SEEN = CASE.observation


def mask_of(observation: Observation) -> np.ndarray:
    assert observation.mask is not None
    return observation.mask > 0.5


@pytest.mark.parametrize("share", [0.0, 0.2, 0.55, 0.8])
def test_the_card_hides_the_stated_share(share: float, rng: np.random.Generator) -> None:
    before = mask_of(SEEN)
    for _ in range(3):
        after = mask_of(occlude(SEEN, share, rng))
        assert not (after & ~before).any()
        assert 1.0 - after.sum() / before.sum() == pytest.approx(share, abs=1.0 / before.sum())


def test_the_card_is_in_front_and_nothing_else_changes(rng: np.random.Generator) -> None:
    hidden = occlude(SEEN, 0.4, rng)
    assert SEEN.depth is not None and hidden.depth is not None and SEEN.rgb is not None and hidden.rgb is not None
    card = hidden.depth != SEEN.depth
    gone = mask_of(SEEN) & ~mask_of(hidden)
    assert card[gone].all()
    assert hidden.depth[card].max() < SEEN.depth[mask_of(SEEN) & (SEEN.depth > 0)].min()
    np.testing.assert_array_equal(hidden.rgb[~card], SEEN.rgb[~card])
    assert np.abs(hidden.rgb[gone] - SEEN.rgb[gone]).mean() > 0.05


def border(mask: np.ndarray) -> np.ndarray:
    """Points half way between an object pixel and its neighbour below or to the right, or the reverse."""
    rows, columns = np.nonzero(mask[1:] != mask[:-1])
    points = [np.stack([rows + 0.5, columns], axis=1)]
    rows, columns = np.nonzero(mask[:, 1:] != mask[:, :-1])
    return np.concatenate([*points, np.stack([rows, columns + 0.5], axis=1)])


@pytest.mark.parametrize("pixels", [1.0, 3.0])
def test_the_border_of_the_mask_moves_by_the_stated_length(pixels: float) -> None:
    rows, columns = np.mgrid[:200, :300]
    disc = Observation(Camera(300, 300, 150, 100, 300, 200), mask=(rows - 100) ** 2 + (columns - 150) ** 2 < 70**2)
    squares = []
    for seed in range(8):
        moved = border(mask_of(wrong_mask(disc, pixels, np.random.default_rng(seed))))
        radius = np.hypot(moved[:, 0] - 100, moved[:, 1] - 150)
        squares.append(np.mean((radius - 70) ** 2))
    assert np.sqrt(np.mean(squares)) == pytest.approx(pixels, rel=0.2, abs=0.3)


def test_a_mask_error_of_zero_changes_nothing_and_a_large_one_stays_near(rng: np.random.Generator) -> None:
    np.testing.assert_array_equal(mask_of(wrong_mask(SEEN, 0.0, rng)), mask_of(SEEN))
    moved = border(mask_of(wrong_mask(SEEN, 2.0, rng)))
    distance, _ = cKDTree(border(mask_of(SEEN))).query(moved)
    assert 0.5 < np.sqrt(np.mean(distance**2)) < 4.0


def test_gain_is_a_factor_that_clips() -> None:
    assert SEEN.rgb is not None
    darker, brighter = with_gain(SEEN, 0.5).rgb, with_gain(SEEN, 3.0).rgb
    assert darker is not None and brighter is not None
    np.testing.assert_allclose(darker, 0.5 * SEEN.rgb, atol=1e-6)
    np.testing.assert_allclose(brighter, np.minimum(3.0 * SEEN.rgb, 1.0), atol=1e-6)


def test_neighbours_stand_beside_the_object_and_never_before_it(rng: np.random.Generator) -> None:
    crowded = with_neighbours(SEEN, CASE.truth, CASE.mesh.diameter, 6, rng)
    assert SEEN.rgb is not None and crowded.rgb is not None and SEEN.depth is not None and crowded.depth is not None
    mask = mask_of(SEEN)
    np.testing.assert_array_equal(mask_of(crowded), mask)
    np.testing.assert_array_equal(crowded.rgb[mask], SEEN.rgb[mask])
    changed = (crowded.rgb != SEEN.rgb).any(axis=2)
    assert changed.sum() > 0.1 * mask.sum()
    known = changed & (SEEN.depth > 0)
    assert (crowded.depth[known] < SEEN.depth[known]).all()
    np.testing.assert_array_equal(with_neighbours(SEEN, CASE.truth, 0.1, 0, rng).rgb, SEEN.rgb)


def test_impossible_amounts_are_refused(rng: np.random.Generator) -> None:
    with pytest.raises(DiffDopeError, match="share: expected"):
        occlude(SEEN, 1.0, rng)
    with pytest.raises(DiffDopeError, match="pixels: expected"):
        wrong_mask(SEEN, -1.0, rng)
    with pytest.raises(DiffDopeError, match="gain: expected"):
        with_gain(SEEN, 0.0)
    with pytest.raises(DiffDopeError, match="mask: expected an observation with a mask"):
        occlude(without_mask(SEEN), 0.5, rng)
