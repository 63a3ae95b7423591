from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from diffdope.scene import farthest_pair
from diffdope.scene.extent import diameter


@pytest.mark.parametrize("kind", ["cloud", "sphere", "flat", "line", "tilted", "pair", "copies", "nearly flat"])
def test_is_the_largest_distance(rng: np.random.Generator, kind: str) -> None:
    points = rng.normal(size=(300, 3)) * [1, 2, 3]
    if kind == "sphere":
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    elif kind == "flat":
        points[:, 1] = 0.7
    elif kind == "line":
        points = points[:, :1] * [1, 2, -1] + [5, 5, 5]
    elif kind == "tilted":
        points = points[:, :1] * [1, 2, -1] + points[:, 1:2] * [0, 1, 3]
    elif kind == "pair":
        points = points[:2]
    elif kind == "copies":
        points = np.repeat(points[:5], 50, axis=0)
    elif kind == "nearly flat":
        points[:, 1] *= 1e-13
    for offset in (0, 100):
        assert diameter(points + offset) == pytest.approx(pdist(points + offset).max(), rel=1e-12)


def test_many_hull_corners(rng: np.random.Generator) -> None:
    points = rng.normal(size=(5000, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    assert diameter(points) == pytest.approx(pdist(points).max(), rel=1e-12)


@pytest.mark.parametrize("shape", ["grid", "noisy", "ellipsoid", "ring", "far away"])
def test_bodies_whose_corners_are_about_equally_far(rng: np.random.Generator, shape: str) -> None:
    """All corners of a ball may be one of the pair; some stand exactly opposite to another."""
    if shape == "grid":
        u, v = (axis.ravel() for axis in np.meshgrid(np.arange(80) * np.pi / 40, np.linspace(-1.57, 1.57, 40)))
        points = np.stack([np.cos(v) * np.cos(u), np.cos(v) * np.sin(u), np.sin(v)], axis=1)
    else:
        points = rng.normal(size=(3000, 3)) * [1, 1, 0 if shape == "ring" else 1]
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    points = points * {"noisy": 1 + 0.01 * rng.normal(size=(len(points), 1)), "ellipsoid": [1.0, 1.01, 1.02]}.get(
        shape, 1
    )
    points = points.astype(np.float32).astype(np.float64) + (100 if shape == "far away" else 0)
    assert diameter(points) == pytest.approx(pdist(points).max(), rel=1e-12)


def lobed(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Points of a smooth body of three lobes, about as wide in every direction: opposite to a lobe, it is flat."""
    points = rng.normal(size=(count, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    turn, flat = np.arctan2(points[:, 1], points[:, 0]), np.hypot(points[:, 0], points[:, 1])
    return points * (1.0 + 0.05 * np.cos(3.0 * turn) * flat**3)[:, None]


@pytest.mark.parametrize("count", [513, 1024, 3000])
def test_the_farthest_pair_of_lobes_is_found(rng: np.random.Generator, count: int) -> None:
    for scale in ([1, 1, 1], [1, 1, 0.2], [3, 1, 1], [1, 1, 0]):
        points = lobed(rng, count) * scale + [0.3, -7, 0.1]
        assert farthest_pair.farthest_pair(points) == pytest.approx(pdist(points).max(), rel=1e-12)


@pytest.mark.parametrize("body", ["lobes", "ball"])
def test_few_pairs_of_many_points_are_compared(
    rng: np.random.Generator, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []
    of_leaves = farthest_pair._of_leaves

    def counted(p: NDArray[np.float64], q: NDArray[np.float64], best: float) -> float:
        compared.append(len(p) * p.shape[1] * q.shape[1])
        return of_leaves(p, q, best)

    monkeypatch.setattr(farthest_pair, "_of_leaves", counted)
    points = lobed(rng, 40_000)
    if body == "ball":
        points /= np.linalg.norm(points, axis=1, keepdims=True)
    farthest_pair.farthest_pair(points)
    assert sum(compared) < 200 * len(points)  # of 20 000 for each, did all have to be


def test_a_ball_of_many_points_needs_little_memory() -> None:
    u, v = (axis.ravel() for axis in np.meshgrid(np.arange(240) * np.pi / 120, np.linspace(-1.57, 1.57, 120)))
    points = np.stack([np.cos(v) * np.cos(u), np.cos(v) * np.sin(u), np.sin(v)], axis=1)
    tracemalloc.start()
    assert diameter(points) == pytest.approx(2.0, rel=1e-9)
    assert tracemalloc.get_traced_memory()[1] < 150e6  # all pairs of a block of 1024 rows would take 230 MB
    tracemalloc.stop()


def test_one_point_has_none() -> None:
    assert diameter(np.ones((4, 3))) == 0
    assert diameter(np.ones((1, 3))) == 0
