"""The border of a mask that is off: it moves an outline to where it is, and no farther than edges and it agree."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.terms.contour import ContourCorrespondences, ContourSettings
from diffdope.terms.mask_border import MaskBorder

SIDE = 96
CAMERA = Camera(200.0, 200.0, 0.5 * (SIDE - 1), 0.5 * (SIDE - 1), SIDE, SIDE)
POSE = Pose(np.eye(3), np.array([0.0, 0.0, 0.5]))


def disc(column: float, radius: float) -> np.ndarray:
    rows, columns = np.mgrid[:SIDE, :SIDE]
    return (np.hypot(columns - column, rows - CAMERA.cy) < radius).astype(np.float32)


def step_of(drawn: np.ndarray, mask: np.ndarray, off_px: float) -> np.ndarray:
    """The step (rho [m], phi [rad]) that the border alone asks for."""
    blank = np.full((SIDE, SIDE, 3), 0.5, np.float32)
    edges = ContourCorrespondences(blank, CAMERA, ContourSettings()).within(mask, off_px)
    factor = edges.border_factor(drawn, 0.5 * drawn, POSE)
    assert factor is not None
    return -np.linalg.pinv(factor.curvature, rcond=1e-6) @ factor.slope


def test_distances_are_signed_and_zero_at_the_border() -> None:
    mask = np.zeros((20, 20), np.float32)
    mask[:, 8:] = 1.0
    places = np.array([[7.5, 10.0], [4.0, 10.0], [12.0, 10.0]])
    np.testing.assert_allclose(MaskBorder(mask, 1.0).distances(places), [0.0, 3.5, -4.5])


def test_the_outline_follows_the_border_across_the_view() -> None:
    drawn, mask = disc(CAMERA.cx, 25.0), disc(CAMERA.cx + 3.0, 25.0)
    assert step_of(drawn, mask, 2.0)[0] == pytest.approx(3.0 * 0.5 / 200.0, rel=0.15)


def test_the_outline_follows_the_border_along_the_view() -> None:
    drawn, mask = disc(CAMERA.cx, 25.0), disc(CAMERA.cx, 27.0)
    assert step_of(drawn, mask, 2.0)[2] == pytest.approx(-0.5 * 2.0 / 25.0, rel=0.15)


def test_a_border_that_is_twice_as_far_off_counts_a_quarter() -> None:
    mask, curvature = disc(CAMERA.cx, 25.0), []
    for off_px in (2.0, 4.0):
        edges = ContourCorrespondences(np.zeros((SIDE, SIDE, 3), np.float32), CAMERA, ContourSettings())
        factor = edges.within(mask, off_px).border_factor(mask, 0.5 * mask, POSE)
        assert factor is not None
        curvature.append(factor.curvature[0, 0])
    assert curvature[0] == pytest.approx(4.0 * curvature[1], rel=0.05)


def test_its_width_is_unknown_so_it_says_little_about_the_distance_and_as_much_as_ever_across() -> None:
    radius, off_px, mask = 25.0, 2.0, disc(CAMERA.cx, 25.0)
    edges = ContourCorrespondences(np.zeros((SIDE, SIDE, 3), np.float32), CAMERA, ContourSettings())
    factor = edges.within(mask, off_px).border_factor(mask, 0.5 * mask, POSE)
    assert factor is not None
    per_metre = np.array([CAMERA.fx / 0.5 * np.sqrt(0.5), radius / 0.5]) / off_px  # r.m.s. across, along the view
    known = 2.0 * edges.weight * per_metre**2
    assert factor.curvature[0, 0] == pytest.approx(known[0], rel=0.05)
    assert factor.curvature[2, 2] == pytest.approx(known[1] / 11.0, rel=0.1)


def test_a_mask_that_says_only_what_is_hidden_does_not_hold_the_outline() -> None:
    edges = ContourCorrespondences(np.zeros((SIDE, SIDE, 3), np.float32), CAMERA, ContourSettings())
    mask = disc(CAMERA.cx, 25.0)
    assert edges.border_factor(mask, 0.5 * mask, POSE) is None
    assert edges.within(mask).border_factor(mask, 0.5 * mask, POSE) is None


def test_what_an_occluder_hides_hardly_moves_the_outline() -> None:
    drawn = disc(CAMERA.cx, 25.0)
    cut = drawn.copy()
    cut[:, : int(CAMERA.cx) - 12] = 0.0
    assert abs(step_of(drawn, cut, 1.0)[0]) < 0.5 * 0.5 / 200.0
