"""Polygons are covered once by their triangles, whatever their shape, and keep all their corners."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.scene.mesh import Mesh
from diffdope.scene.polygons import triangulate

F64 = NDArray[np.float64]

CHANNEL = [(0, 0), (80, 0), (80, 60), (70, 60), (70, 10), (10, 10), (10, 60), (0, 60)]
NOTCHED = [(-50, -50), (0, 0), (50, -50), (50, 50), (-50, 50)]
ARROW = [(0, 0), (2, 1), (0, 2), (0.5, 1)]
SIDES_WITH_CORNERS = [(0, 0), (1, 0), (2, 0), (3, 0), (3, 1), (3, 2), (2, 2), (1, 2), (0, 2), (0, 1)]
FLAT_TRIANGLE = [(0, 0), (1, 0), (2, 0), (3, 0), (0, 3)]
WINDOW = [(0, 0), (4, 0), (4, 4), (0, 4), (0, 0), (1, 1), (1, 3), (3, 3), (3, 1), (1, 1)]
TWO_WINDOWS = [
    (0, 0), (6, 0), (6, 4), (0, 4), (0, 2), (1, 2), (1, 3), (2, 3), (2, 2), (4, 2), (4, 3), (5, 3), (5, 1), (4, 1),
    (4, 2), (2, 2), (2, 1), (1, 1), (1, 2), (0, 2),
]  # fmt: skip
COMB = [(0, -1), *((k, 1 - k % 2) for k in range(41)), (40, -1)][::-1]
_TURN = np.linspace(0, 4 * np.pi, 60)[:, None]
SPIRAL = np.concatenate([
    (1 + _TURN) * np.hstack([np.cos(_TURN), np.sin(_TURN)]),
    ((3 + _TURN) * np.hstack([np.cos(_TURN), np.sin(_TURN)]))[::-1],
])[::-1]  # fmt: skip
SHAPES = {
    "channel": CHANNEL, "notched": NOTCHED, "arrow": ARROW, "sides with corners": SIDES_WITH_CORNERS, "comb": COMB,
    "flat triangle": FLAT_TRIANGLE, "window": WINDOW, "two windows": TWO_WINDOWS, "spiral": SPIRAL,
}  # fmt: skip


def signed_area(outline: F64) -> float:
    x, y = outline.T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def areas_of(outline: F64, triangles: NDArray[np.intp]) -> F64:
    a, b, c = np.moveaxis(outline[triangles], 1, 0)
    return np.asarray((b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])) / 2


def assert_covered_once(outline: F64, place: F64 | None = None) -> None:
    """All triangles are wound as the outline is, so that the sum of their areas is right only without overlaps."""
    points = np.column_stack([outline, np.zeros(len(outline))]) if place is None else place
    triangles, owner = triangulate(points, np.arange(len(outline)), np.array([len(outline)]))
    areas = areas_of(outline, triangles) * np.sign(signed_area(outline))
    assert len(triangles) == len(outline) - 2 and (owner == 0).all()
    assert areas.min() > 1e-9 * areas.sum()
    assert areas.sum() == pytest.approx(abs(signed_area(outline)))
    assert set(triangles.ravel().tolist()) == set(range(len(outline)))


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("backwards", [False, True], ids=["", "backwards"])
def test_every_shape_is_covered_once(name: str, backwards: bool) -> None:
    """From each of their corners on, and turned in space."""
    outline = np.array(SHAPES[name], float)
    outline = outline[::-1] if backwards else outline
    turn = so3.exp(np.array([0.3, -1.1, 0.7]))
    for first in range(0, len(outline), max(1, len(outline) // 20)):
        rolled = np.roll(outline, first, axis=0)
        assert_covered_once(rolled)
        assert_covered_once(rolled, np.column_stack([rolled, np.zeros(len(rolled))]) @ turn.T + [1e3, 2e3, 3e3])


def test_random_stars_with_corners_on_their_sides(rng: np.random.Generator) -> None:
    tried = 0
    for _ in range(120):
        count = int(rng.integers(4, 50))
        angles = np.sort(rng.uniform(0, 2 * np.pi, count))
        if np.diff(np.append(angles, angles[0] + 2 * np.pi)).max() > 3.0:
            continue  # the middle is outside: no star
        radius = rng.uniform(0.2, 1.0, count)
        outline = np.stack([radius * np.cos(angles), radius * np.sin(angles)], axis=1)
        with_middles = np.stack([outline, (outline + np.roll(outline, -1, axis=0)) / 2], axis=1).reshape(-1, 2)
        for one in (outline, with_middles):
            assert_covered_once(np.roll(one, int(rng.integers(len(one))), axis=0))
        tried += 1
    assert tried > 80


def test_a_convex_polygon_stays_a_fan_from_its_first_corner() -> None:
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    triangles, _ = triangulate(ring, np.arange(12), np.array([12]))
    assert triangles.tolist() == [[0, k, k + 1] for k in range(1, 11)]
    quad = np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0.2), (0, 1, 0)], float)  # not flat
    assert triangulate(quad, np.arange(4), np.array([4]))[0].tolist() == [[0, 1, 2], [0, 2, 3]]


def test_polygons_of_many_sizes_keep_their_order() -> None:
    points = np.array([(x, y, 0) for x, y in CHANNEL], float)
    corners = np.array([0, 1, 7, *range(8), 0, 1, 0, 1, 2, 7, 5, 6, 7])
    triangles, owner = triangulate(points, corners, np.array([3, 8, 2, 4, 3]))
    assert owner.tolist() == [0, *[1] * 6, 3, 3, 4]
    assert triangles[0].tolist() == [0, 1, 2] and triangles[-1].tolist() == [17, 18, 19]
    assert ((triangles[1:7] >= 3) & (triangles[1:7] < 11)).all()


def test_nothing_at_all() -> None:
    triangles, owner = triangulate(np.zeros((0, 3)), np.empty(0, np.intp), np.empty(0, np.intp))
    assert triangles.shape == (0, 3) and owner.shape == (0,)


@pytest.mark.parametrize("outline", [[(0, 0), (1, 1), (1, 0), (0, 1)], [(0, 0)] * 5, [(k, 0) for k in range(6)]])
def test_what_is_no_polygon_still_gives_an_answer(outline: list[tuple[int, int]]) -> None:
    points = np.array([(x, y, 0) for x, y in outline], float)
    triangles, _ = triangulate(points, np.arange(len(points)), np.array([len(points)]))
    assert triangles.shape == (len(points) - 2, 3)


def test_a_solid_of_concave_polygons_is_closed() -> None:
    """A channel of 80 x 60 x 30: neighbours keep all the corners that they share."""
    points = np.array([(x, y, z) for z in (0, 30) for x, y in CHANNEL], float) * 1e-3
    polygons = [list(range(7, -1, -1)), list(range(8, 16))]
    polygons += [[k, (k + 1) % 8, (k + 1) % 8 + 8, k + 8] for k in range(8)]
    for shift in range(8):
        turned = [[*p[shift % len(p) :], *p[: shift % len(p)]] for p in polygons]
        corners = np.concatenate(turned)
        triangles, _ = triangulate(points, corners, np.array([len(p) for p in turned]))
        mesh = Mesh(points, corners[triangles])
        assert mesh.is_closed
        a, b, c = np.moveaxis(mesh.vertices_m[mesh.faces], 1, 0)
        assert np.einsum("ij,ij->", a, np.cross(b, c)) / 6 == pytest.approx(1800e-6 * 30e-3)
