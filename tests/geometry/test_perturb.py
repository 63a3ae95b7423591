"""The perturbation has the stated sizes, and random axis and direction."""

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry.perturb import perturb, random_rotation
from diffdope.geometry.pose import Pose
from diffdope.geometry.so3 import exp

TRUTH = Pose(exp([0.3, -1.2, 0.5]), np.array([0.1, -0.05, 0.8]))


def angle_between(a: np.ndarray, b: np.ndarray) -> float:
    """The second route: chord length of the rotations, |A - B|_F = 2 sqrt(2) sin(angle / 2)."""
    return 2.0 * np.arcsin(np.linalg.norm(a - b) / np.sqrt(8.0))


@pytest.mark.parametrize(("degrees", "millimetres"), [(1, 1), (10, 4), (40, 16), (179, 0), (0, 250)])
def test_angle_and_distance_are_exact(degrees: float, millimetres: float) -> None:
    rng = np.random.default_rng(degrees)
    for _ in range(20):
        start = perturb(TRUTH, angle_rad=np.radians(degrees), distance_m=millimetres * 1e-3, rng=rng)
        assert np.degrees(angle_between(start.R_m2c, TRUTH.R_m2c)) == pytest.approx(degrees, abs=1e-6)
        assert 1e3 * np.linalg.norm(start.t_m2c - TRUTH.t_m2c) == pytest.approx(millimetres, abs=1e-9)


def test_nothing_asked_nothing_changed() -> None:
    start = perturb(TRUTH, angle_rad=0.0, distance_m=0.0, rng=np.random.default_rng(0))
    np.testing.assert_allclose(start.matrix, TRUTH.matrix, atol=1e-15)


def test_directions_and_axes_are_uniform() -> None:
    rng = np.random.default_rng(1)
    starts = [perturb(TRUTH, angle_rad=0.5, distance_m=1.0, rng=rng) for _ in range(2000)]
    directions = np.array([s.t_m2c - TRUTH.t_m2c for s in starts])
    turns = np.array([s.R_m2c @ TRUTH.R_m2c.T for s in starts])
    axes = np.stack([turns[:, 2, 1] - turns[:, 1, 2], turns[:, 0, 2] - turns[:, 2, 0], turns[:, 1, 0] - turns[:, 0, 1]])
    axes = axes.T / (2.0 * np.sin(0.5))
    # Of a uniform unit vector, the mean is 0 and the second moments are a third of the identity.
    for vectors in (directions, axes):
        np.testing.assert_allclose(vectors.mean(axis=0), 0.0, atol=0.05)
        np.testing.assert_allclose(vectors.T @ vectors / len(vectors), np.eye(3) / 3.0, atol=0.05)
    assert abs(np.einsum("ij,ij->i", directions, axes).mean()) < 0.05  # and they know nothing of each other


def test_equal_seeds_give_the_same_axis_and_direction_at_every_size() -> None:
    small = perturb(TRUTH, angle_rad=0.1, distance_m=0.001, rng=np.random.default_rng(5))
    large = perturb(TRUTH, angle_rad=0.2, distance_m=0.002, rng=np.random.default_rng(5))
    np.testing.assert_allclose(large.t_m2c - TRUTH.t_m2c, 2.0 * (small.t_m2c - TRUTH.t_m2c), atol=1e-15)
    once = small.R_m2c @ TRUTH.R_m2c.T
    np.testing.assert_allclose(large.R_m2c @ TRUTH.R_m2c.T, once @ once, atol=1e-12)


def test_random_rotations_are_uniform() -> None:
    rng = np.random.default_rng(2)
    rotations = np.array([random_rotation(rng) for _ in range(3000)])
    np.testing.assert_allclose(np.linalg.det(rotations), 1.0, atol=1e-12)
    np.testing.assert_allclose(rotations.mean(axis=0), 0.0, atol=0.05)
    # The angle's density is (1 - cos a) / pi, so its mean is pi / 2 + 2 / pi.
    angles = [angle_between(R, np.eye(3)) for R in rotations]
    assert np.mean(angles) == pytest.approx(np.pi / 2 + 2 / np.pi, abs=0.04)


@pytest.mark.parametrize(
    ("angle", "distance", "name"),
    [
        (-0.1, 0, "angle_rad"),
        (4, 0, "angle_rad"),
        (float("nan"), 0, "angle_rad"),
        (0, -1, "distance_m"),
        (0, float("nan"), "distance_m"),
    ],
)
def test_impossible_sizes_are_refused(angle: float, distance: float, name: str) -> None:
    with pytest.raises(DiffDopeError, match=f"{name}: expected"):
        perturb(TRUTH, angle_rad=angle, distance_m=distance, rng=np.random.default_rng(0))
