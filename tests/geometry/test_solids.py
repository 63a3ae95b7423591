"""Primitives are closed, wound outwards, and as large as they should be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from diffdope.geometry import solids
from diffdope.scene.mesh import Mesh

CASES: dict[str, tuple[Callable[[], solids.Triangles], float, list[float]]] = {
    "box": (lambda: solids.box((0.2, 0.3, 0.4)), 0.2 * 0.3 * 0.4, [0.2, 0.3, 0.4]),
    "cylinder": (lambda: solids.cylinder(0.1, 0.5), np.pi * 0.1**2 * 0.5, [0.2, 0.2, 0.5]),
    "ball": (lambda: solids.ball(0.1), 4.0 / 3.0 * np.pi * 0.1**3, [0.2, 0.2, 0.2]),
}


@pytest.mark.parametrize("name", CASES)
def test_volume_size_and_winding(name: str) -> None:
    make, volume, size = CASES[name]
    vertices, faces = make()
    a, b, c = np.moveaxis(vertices[faces], 1, 0)
    assert np.einsum("fk,fk->", a, np.cross(b, c)) / 6.0 == pytest.approx(volume, rel=0.006)  # negative if inside out
    assert np.ptp(vertices, axis=0) == pytest.approx(size, rel=1e-9)
    assert vertices.max(axis=0) + vertices.min(axis=0) == pytest.approx(np.zeros(3), abs=1e-12)
    assert Mesh(vertices, faces).is_closed
