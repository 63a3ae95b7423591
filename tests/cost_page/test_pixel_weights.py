"""docs/cost.md, "Which pixels count": the weights g and c by their definitions, pixel by pixel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.problem.level_settings import contour_weight, held_by_contours, unmasked
from diffdope.problem.responsibility import eroded as within
from diffdope.problem.responsibility import responsibility_of, silhouette_weights
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.terms.contour import ContourSettings
from diffdope.terms.registry import ObjectiveSettings

SIZE = 40
CAMERA = Camera(60.0, 60.0, 19.5, 19.5, SIZE, SIZE)
V, U = np.mgrid[:SIZE, :SIZE]
DIAMETER_M = 0.2
F32 = NDArray[np.float32]


def square(low: int, high: int) -> F32:
    """1 where low <= u, v < high."""
    return ((low <= U) & (high > U) & (low <= V) & (high > V)).astype(np.float32)


def continued(depth: NDArray[np.float64], mask: F32, y: int, x: int) -> float:
    """What is measured there; where it is missing, the farthest of what is next in its row and its column."""
    if depth[y, x] > 0.0 or mask[y, x] >= 0.5:
        return float(depth[y, x])
    known = np.where(mask < 0.5, depth, 0.0)
    sides = known[y, :x][::-1], known[y, x + 1 :], known[:y, x][::-1], known[y + 1 :, x]
    return max((float(side[side > 0.0][0]) for side in sides if (side > 0.0).any()), default=0.0)


def test_with_a_mask_its_pixels_count() -> None:
    mask = square(10, 30)
    everywhere = np.ones((SIZE, SIZE), np.float32)
    found = responsibility_of(square(12, 32), Observation(CAMERA, mask=mask), everywhere)
    assert np.array_equal(found.appearance, mask)
    assert found.silhouette is everywhere
    assert found.overlap == 18**2


def test_without_a_mask_the_widened_silhouette_counts_and_caps_are_lower() -> None:
    depth = np.ones((SIZE, SIZE))
    found = responsibility_of(square(10, 30), Observation(CAMERA, depth=depth), np.ones((SIZE, SIZE), np.float32))
    assert np.array_equal(found.appearance, square(8, 32))  # 0.05 of 40 pixels on each side
    assert found.overlap == 20**2
    lower = replace(ObjectiveSettings(), rgb_cap=0.3, depth_cap=0.1, uncovered=0.5)
    assert unmasked(ObjectiveSettings()) == lower
    strict = ObjectiveSettings(rgb_cap=0.2, depth_cap=0.05, uncovered_unmasked=0.1)
    assert unmasked(strict) == replace(strict, uncovered=0.1), "of two caps, the lesser"


def test_without_an_overlap_nothing_is_compared() -> None:
    seen = Observation(CAMERA, mask=square(2, 8))
    assert responsibility_of(square(20, 30), seen, np.ones((SIZE, SIZE), np.float32)).overlap == 0.0


@pytest.mark.parametrize(("high", "eroded"), [(30, True), (13, False)])
def test_erosion_takes_the_outermost_pixels_unless_hardly_any_are_left(high: int, eroded: bool) -> None:
    mask = square(10, high)  # of 3 x 3 pixels, one of nine would be left
    assert np.array_equal(within(mask), square(11, high - 1) if eroded else mask)


def test_with_depth_the_mask_says_nothing_where_a_surface_is_nearer_by_the_margin() -> None:
    rng = np.random.default_rng(0)
    drawn = (square(10, 30) * (1.0 + 0.05 * rng.random((SIZE, SIZE)))).astype(np.float32)
    D = rng.uniform(0.9, 1.1, (SIZE, SIZE)) * (rng.random((SIZE, SIZE)) < 0.9)
    mask = (rng.random((SIZE, SIZE)) < 0.5).astype(np.float32)
    c = silhouette_weights(drawn, Observation(CAMERA, depth=D, mask=mask), share=0.1, diameter_m=DIAMETER_M)
    v, u = np.nonzero(drawn)
    for y, x in zip(V.ravel(), U.ravel(), strict=True):
        away = (v - y) ** 2 + (u - x) ** 2
        nearest = drawn[v[away == away.min()], u[away == away.min()]]  # several may be as near
        there = continued(D, mask, y, x)
        hides = (there > 0.0) & (there < nearest - 0.1 * DIAMETER_M)
        if hides.all() or not hides.any():
            assert c[y, x] == (0.0 if hides.all() and mask[y, x] < 0.5 else 1.0)


@pytest.mark.parametrize(("right", "hidden"), [(0.9, True), (1.2, False)])
def test_a_hole_in_depth_hides_where_all_beside_it_is_nearer(right: float, hidden: bool) -> None:
    """An occluder's own hole; with what is behind on one side, it is rather what the second camera does not see."""
    drawn, hole, mask = square(10, 30), square(4, 18), square(10, 30) * (U >= 18)
    depth = np.where(U < 18, 0.9, right)
    seen = Observation(CAMERA, depth=depth * (1.0 - hole) * (1.0 - mask), mask=mask)
    c = silhouette_weights(drawn, seen, share=0.1, diameter_m=DIAMETER_M)
    assert np.all(c[hole > 0.0] == (0.0 if hidden else 1.0))


def test_without_a_mask_what_measured_depth_hides_says_nothing() -> None:
    drawn, bar = square(10, 30), square(10, 30) * (U < 18)
    depth = np.where(bar > 0.0, 0.9, 1.0)
    seen = Observation(CAMERA, depth=depth)
    c = silhouette_weights(drawn, seen, share=0.1, diameter_m=DIAMETER_M)
    assert np.array_equal(c, 1.0 - bar)
    assert np.array_equal(responsibility_of(drawn, seen, c).appearance, square(8, 32) * (1.0 - bar))
    almost = Observation(CAMERA, depth=np.where(depth < 1.0, 0.985, 1.0))
    assert np.all(silhouette_weights(drawn, almost, share=0.1, diameter_m=DIAMETER_M) == 1.0), "within the margin"


@pytest.mark.parametrize(("columns", "counts"), [(13, False), (15, True)])
def test_without_a_mask_a_pose_that_hardly_shows_is_too_far_away_and_not_hidden(columns: int, counts: bool) -> None:
    """0.3 of 20 columns are 6: of 7 that are hidden as little is left, of 5 more."""
    drawn = square(10, 30)
    depth = np.where(drawn * (10 + columns > U) > 0.0, 0.9, 1.0)
    c = silhouette_weights(drawn, Observation(CAMERA, depth=depth), share=0.1, diameter_m=DIAMETER_M)
    assert bool(c.min() == 1.0) is counts


@pytest.mark.parametrize(("bite", "deep"), [(2, False), (6, True)])
def test_without_depth_the_mask_says_nothing_around_deep_gaps(bite: int, deep: bool) -> None:
    """h = max(0.2 * 20, 1.5) = 4 pixels; the gap is widened by 4 pixels, in steps along rows and columns."""
    silhouette = square(10, 30)
    gap = silhouette * (30 - bite <= U)
    mask = silhouette - gap
    c = silhouette_weights(silhouette, Observation(CAMERA, mask=mask), share=0.2, diameter_m=DIAMETER_M)
    v, u = np.nonzero(gap)
    steps = (np.abs(V[..., None] - v) + np.abs(U[..., None] - u)).min(axis=-1)
    assert np.array_equal(c == 0.0, (steps <= 4) & (mask < 0.5) if deep else np.zeros((SIZE, SIZE), bool))


def test_edges_have_no_weight_beside_a_mask_and_by_default_none_beside_depth_of_what_has_colours() -> None:
    rgb, depth, mask = np.ones((SIZE, SIZE, 3)), np.ones((SIZE, SIZE)), square(10, 30)
    outline, objective = ContourSettings(weight=0.5, weight_with_depth=0.25, plain=0.75), ObjectiveSettings()
    vertices, faces = np.eye(3), np.array([[0, 1, 2]])
    bare = Mesh(vertices, faces)
    patterned, uniform = Mesh(vertices, faces, colors=np.eye(3)), Mesh(vertices, faces, colors=np.full((3, 3), 0.4))
    for mesh, alone, beside in ((patterned, 0.5, 0.25), (uniform, 0.75, 0.75), (bare, 0.75, 0.75)):
        assert contour_weight(Observation(CAMERA, rgb=rgb), outline, objective, mesh) == alone
        assert contour_weight(Observation(CAMERA, rgb=rgb, depth=depth), outline, objective, mesh) == beside
        assert contour_weight(Observation(CAMERA, rgb=rgb, mask=mask), outline, objective, mesh) == 0.0
        assert held_by_contours(mesh, Observation(CAMERA, rgb=rgb), outline, objective) == (mesh is uniform)
    assert ContourSettings().weight_with_depth == 0.0
