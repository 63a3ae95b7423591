from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist

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


def test_one_point_has_none() -> None:
    assert diameter(np.ones((4, 3))) == 0
    assert diameter(np.ones((1, 3))) == 0
