"""Between the border of a texture and the middle of its outermost texels the colour is constant: it has no slope."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.render.reference import ReferenceScene, render
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.texture import build_pyramid
from diffdope.scene.topology import build_edges
from tests.oracle.differences import central_difference, rotation

Array = NDArray[np.float64]

WIDTH, HEIGHT, K = 96, 72, (200.0, 200.0, 47.5, 35.5)
CORNERS = np.array([[-1.0, -1.0, 0.0], [1.0, -1.0, 0.0], [1.0, 1.0, 0.0], [-1.0, 1.0, 0.0]])
FACES = np.array([[0, 2, 1], [0, 3, 2]], dtype=np.int32)
UV = 0.5 + 0.5 * CORNERS[:, :2]
R, T = rotation(np.array([0.11, -0.07, 0.03])), np.array([0.003, -0.002, 0.5])


def card(size: int) -> Mesh:
    """A card of 15 cm, which 60 pixels show, with a texture of random colours."""
    texture = np.random.default_rng(size).integers(0, 256, (size, size, 3), dtype=np.uint8)
    return Mesh(0.075 * CORNERS, FACES, UV, texture)


@pytest.mark.parametrize("size", [2, 3, 6])
@pytest.mark.parametrize("border", ["left", "right", "top", "bottom"])
def test_the_outermost_half_texels_have_the_slope_of_the_reference(size: int, border: str) -> None:
    mesh = card(size)
    edges = build_edges(mesh.vertices_m, mesh.faces, None)
    assert mesh.texture is not None
    scene = ReferenceScene(mesh.vertices_m, mesh.faces, edges, uv=UV, pyramid=build_pyramid(mesh.texture))
    # Within the card, away from its outline, in a strip that is narrower than half a texel.
    half = 60.0 / size / 2.0
    left, top = 47.5 + 1.2 - 30.0, 35.5 - 0.8 - 30.0
    u, v = np.meshgrid(np.arange(WIDTH) - left, np.arange(HEIGHT) - top)
    across = {"left": u, "right": 60.0 - u, "top": v, "bottom": 60.0 - v}[border]
    within = (np.minimum(np.minimum(u, 60.0 - u), np.minimum(v, 60.0 - v)) > 3.0) & (across < 0.8 * half)
    assert within.sum() > 20
    weights = np.random.default_rng(1).normal(size=(HEIGHT, WIDTH, 3)) * within[..., None]

    def value(R: Array, t: Array) -> float:
        return float((weights * render(scene, K, WIDTH, HEIGHT, R, t).P).sum())

    expected = central_difference(value, R, T, 1e-8)
    got = Renderer(mesh, Camera(*K, WIDTH, HEIGHT), threads=1).backward(R, T, d_rgb=weights)[0]
    balance = np.array([1.0, 1.0, 1.0, 0.1, 0.1, 0.1])
    error = np.linalg.norm((got - expected) / balance) / np.linalg.norm(expected / balance)
    assert error < 1e-3
