"""A mesh to compile with: round enough for every kernel, and like itself from no two sides."""

from __future__ import annotations

import numpy as np

from diffdope.scene.mesh import Mesh


def bumpy_sphere() -> Mesh:
    """A textured mesh of 5000 triangles, made here: to read a file takes half a second of imports."""
    count = 51
    u, v = (grid.ravel() for grid in np.meshgrid(*2 * [np.linspace(0.0, 1.0, count)]))
    around, down = 2.0 * np.pi * u, np.pi * (0.02 + 0.96 * v)
    directions = np.stack([np.cos(around) * np.sin(down), np.sin(around) * np.sin(down), np.cos(down)], axis=1)
    radius_m = 0.05 * (1.0 + 0.2 * np.sin(around) * np.sin(down) + 0.1 * np.cos(3.0 * down))
    corner = (np.arange(count - 1)[:, None] * count + np.arange(count - 1)).ravel()
    right, below = corner + 1, corner + count
    faces = np.concatenate([np.stack([corner, below, right], 1), np.stack([right, below, below + 1], 1)])
    texture = np.full((512, 512, 3), 128, np.uint8)
    return Mesh(radius_m[:, None] * directions, faces, uv=np.stack([u, v], axis=1), texture=texture)
