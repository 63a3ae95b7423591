"""A start is worth as much as the images find it to be."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from diffdope.estimate.start_weight import WeighedPose, systematic, weighed
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose, difference
from diffdope.geometry.vectors import axes_across

RADIUS = {"angle_rad": np.radians(12.0), "distance_m": 0.009}
# Well known across the view and in turns, badly along the view.
COVARIANCE = np.diag(np.square([3e-4, 3e-4, 4e-3, 0.01, 0.01, 0.01]))


@pytest.fixture
def truth() -> Pose:
    return Pose(so3.exp(np.array([0.3, -0.2, 0.5])), np.array([0.02, -0.01, 0.8]))


def drawn(rng: np.random.Generator, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Errors of a start (6,), and of what the images know (6,)."""
    radius = np.repeat([RADIUS["distance_m"], RADIUS["angle_rad"]], 3) / np.sqrt(3.0)
    return scale * radius * rng.standard_normal(6), np.sqrt(np.diag(COVARIANCE)) * rng.standard_normal(6)


def trials(truth: Pose, seed: int, scale: float) -> Iterator[tuple[np.ndarray, np.ndarray, WeighedPose]]:
    """Errors of 400 starts and of what the images know, (6,) each, and what is made of both."""
    rng = np.random.default_rng(seed)
    for _ in range(400):
        of_start, of_images = drawn(rng, scale)
        yield of_start, of_images, weighed(truth.retract(of_images), COVARIANCE, truth.retract(of_start), **RADIUS)


def test_a_start_that_proves_to_be_good_holds_what_the_images_know_badly(truth: Pose) -> None:
    start = truth.retract(np.array([2e-4, 1e-4, 3e-4, 0.005, -0.01, 0.004]))
    images = truth.retract(np.array([1e-4, -2e-4, 4e-3, 0.01, 0.002, -0.008]))
    found = weighed(images, COVARIANCE, start, **RADIUS)
    assert found.scale < 0.2
    assert abs(found.pose.t_m2c[2] - truth.t_m2c[2]) < 1e-3


def test_a_start_that_proves_to_be_bad_hardly_counts(truth: Pose) -> None:
    start = truth.retract(np.array([0.02, -0.02, 0.03, 0.5, -0.4, 0.3]))
    images = truth.retract(np.array([1e-4, -2e-4, 4e-3, 0.01, 0.002, -0.008]))
    found = weighed(images, COVARIANCE, start, **RADIUS)
    assert found.scale > 1.5
    assert found.pose.angle_to(images) < np.radians(0.1)
    assert np.linalg.norm(found.pose.t_m2c[:2] - images.t_m2c[:2]) < 1e-4


@pytest.mark.parametrize("scale", [0.1, 0.5, 2.0])
def test_it_is_about_as_good_as_the_better_of_both_though_nobody_says_which_it_is(truth: Pose, scale: float) -> None:
    errors = []
    for of_start, of_images, found in trials(truth, 1, scale):
        errors.append([abs(of_start[2]), abs(of_images[2]), abs(found.pose.t_m2c[2] - truth.t_m2c[2])])
    start, images, both = np.mean(errors, axis=0)
    assert both < 1.1 * min(start, images)


@pytest.mark.parametrize("scale", [0.1, 0.5, 2.0])
def test_the_covariance_is_that_of_the_errors(truth: Pose, scale: float) -> None:
    squares = []
    for _, _, found in trials(truth, 2, scale):
        away = difference(found.pose, truth)
        squares.append(away @ np.linalg.solve(found.covariance, away) / 6.0)
    assert 0.8 < np.mean(squares) < 1.25


def test_images_that_know_a_pose_exactly_are_not_moved(truth: Pose) -> None:
    start = truth.retract(np.array([1e-3, 5e-4, 1e-3, 0.01, 0.0, 0.02]))
    found = weighed(truth, np.diag(np.square(np.full(6, 1e-9))), start, **RADIUS)
    assert found.pose.distance_to(truth) < 1e-9
    assert found.pose.angle_to(truth) < 1e-7


def test_a_share_of_none_leaves_pose_and_covariance_as_they_are(truth: Pose) -> None:
    start = truth.retract(np.array([1e-3, 5e-4, 1e-3, 0.01, 0.0, 0.02]))
    whole, half, none = (weighed(truth, COVARIANCE, start, **RADIUS, share=share) for share in (1.0, 0.5, 0.0))
    assert none.pose.distance_to(truth) == 0.0
    assert np.array_equal(none.covariance, COVARIANCE)
    assert half.pose.distance_to(truth) == pytest.approx(0.5 * whole.pose.distance_to(truth))


def test_one_covariance_of_one_is_that_covariance(truth: Pose) -> None:
    start = truth.retract(np.array([1e-3, 5e-4, 1e-3, 0.01, 0.0, 0.02]))
    one, several = (weighed(truth, covariance, start, **RADIUS) for covariance in (COVARIANCE, COVARIANCE[None]))
    assert np.array_equal(one.pose.t_m2c, several.pose.t_m2c) and np.array_equal(one.pose.R_m2c, several.pose.R_m2c)
    assert np.array_equal(one.covariance, several.covariance)


def turned_to_ray(truth: Pose, deviations: np.ndarray) -> np.ndarray:
    """Root (3, 3) of a covariance, two deviations across the ray and the third one along it."""
    ray = truth.t_m2c / np.linalg.norm(truth.t_m2c)
    return np.asarray(np.stack([*axes_across(ray), ray], axis=1) * deviations)


@pytest.mark.parametrize("along", [1.0, 10.0])
@pytest.mark.parametrize("scale", [0.1, 0.3, 1.0])
def test_the_covariance_holds_starts_of_both_kinds(truth: Pose, along: float, scale: float) -> None:
    """Starts that err alike in all directions, and those from a picture: nobody says which they are."""
    rng, squares = np.random.default_rng(5), []
    metres, radians = RADIUS["distance_m"] / np.sqrt(3.0), RADIUS["angle_rad"] / np.sqrt(3.0)
    of_start = turned_to_ray(truth, scale * metres * np.array([1.0, 1.0, along]))
    of_images = turned_to_ray(truth, np.array([3e-4, 3e-4, 4e-3]))
    known = np.diag(np.square(np.full(6, 0.01)))
    known[:3, :3] = of_images @ of_images.T
    for _ in range(400):
        start = np.concatenate([of_start @ rng.standard_normal(3), scale * radians * rng.standard_normal(3)])
        images = np.concatenate([of_images @ rng.standard_normal(3), 0.01 * rng.standard_normal(3)])
        found = weighed(truth.retract(images), known, truth.retract(start), **RADIUS, elongation=10.0)
        away = difference(found.pose, truth)
        squares.append(away @ np.linalg.solve(found.covariance, away) / 6.0)
    assert 0.7 < np.mean(squares) < 1.25


def test_of_a_start_that_is_off_along_the_view_alone_the_covariance_holds_the_truth(truth: Pose) -> None:
    """A pixel or so across the view, 12 mm along it; the images know the distance to 1 mm."""
    ray = truth.t_m2c / np.linalg.norm(truth.t_m2c)
    known = systematic(truth, np.diag(np.square([1e-4, 1e-4, 1e-3, 3e-3, 3e-3, 2e-3])))
    start = truth.retract(np.concatenate([[4e-4, -6e-4, 0.0] + 0.012 * ray, [0.01, -0.02, 0.01]]))
    away_m, deviations = [], []
    for elongation in (1.0, 10.0):
        found = weighed(truth, known, start, **RADIUS, elongation=elongation)
        away_m.append(found.pose.distance_to(truth))
        deviations.append(away_m[-1] / np.sqrt(ray @ found.covariance[:3, :3] @ ray))
    assert deviations[0] > 5.0  # if it errs alike in all directions, it is as good along the view as across
    assert deviations[1] < 2.0 and away_m[1] < 0.75 * away_m[0]


@pytest.mark.parametrize(("apart_m", "least", "most"), [(0.003, 0.6, 1.0), (0.02, 0.0, 0.5)])
def test_photographs_are_believed_about_sizes_unless_a_good_start_refutes_them(
    truth: Pose, apart_m: float, least: float, most: float
) -> None:
    """Images that say they know the distance to 1 mm, at 0.8 m, and a start that is 4 mm and 10 degrees off."""
    ray = truth.t_m2c / np.linalg.norm(truth.t_m2c)
    known = np.diag(np.square([2e-4, 2e-4, 1e-3, 2e-3, 2e-3, 2e-3]))
    start = truth.retract([0.003, -0.003, 0.0, 0.1, -0.1, 0.1])
    start = Pose(start.R_m2c, start.t_m2c - apart_m * ray)
    found = weighed(truth, systematic(truth, known), start, **RADIUS)
    stayed = 1.0 - float((truth.t_m2c - found.pose.t_m2c) @ ray) / apart_m
    assert least < stayed < most


def test_an_error_of_size_is_along_the_ray_and_a_share_of_the_distance(truth: Pose) -> None:
    small, large = systematic(truth, np.zeros((6, 6)))
    ray = truth.t_m2c / np.linalg.norm(truth.t_m2c)
    assert np.sqrt(ray @ small[:3, :3] @ ray) == pytest.approx(1e-3 * np.linalg.norm(truth.t_m2c))
    assert np.sqrt(ray @ large[:3, :3] @ ray) == pytest.approx(2e-2 * np.linalg.norm(truth.t_m2c))
    assert np.trace(large) == pytest.approx(ray @ large[:3, :3] @ ray)
