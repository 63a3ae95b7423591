"""A textured, bumpy ball of any number of triangles, and pictures of it: what the speed benchmark renders."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

F64 = NDArray[np.float64]
COVERED = 0.62  # share of the crop that the ball covers
DISTANCE_M = 0.7


def bumpy_ball(triangles: int, *, radius_m: float = 0.05, texture_size: int = 512) -> Mesh:
    """An icosahedron, each face divided into n^2 triangles (20 n^2 in all), with a texture of noise.

    The 20 faces have a patch of the texture each, so that there are seams, as scanned objects have. The bumps hide
    parts of each other near the outline.
    """
    import trimesh

    n = max(1, round(np.sqrt(triangles / 20.0)))
    base = trimesh.creation.icosahedron()
    weights, pattern = divided_triangle(n)
    corners = np.asarray(base.vertices)[np.asarray(base.faces)]
    directions = np.einsum("nk,fkd->fnd", weights, corners).reshape(-1, 3)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    bumps = 1.0 + 0.08 * np.prod(np.sin(7.0 * directions + 0.5), axis=1, keepdims=True)
    # Rounded, so that points shared by two faces agree to the bit and their edge is found.
    vertices_m = np.round(radius_m * directions * bumps, 9)
    faces = (np.arange(20)[:, None, None] * len(weights) + pattern).reshape(-1, 3)
    return Mesh(vertices_m, faces, uv=patches(weights), texture=noise(texture_size), name=f"ball{len(faces)}")


def divided_triangle(n: int) -> tuple[F64, NDArray[np.int64]]:
    """Barycentric weights (N, 3) of the points of a triangle divided into n^2, and its faces."""
    points = [(i, j) for i in range(n + 1) for j in range(n + 1 - i)]
    index = {point: k for k, point in enumerate(points)}
    weights = np.array([(n - i - j, i, j) for i, j in points]) / n
    up = [(index[i, j], index[i + 1, j], index[i, j + 1]) for i in range(n) for j in range(n - i)]
    down = [(index[i + 1, j], index[i + 1, j + 1], index[i, j + 1]) for i in range(n) for j in range(n - i - 1)]
    return weights, np.array(up + down)


def patches(weights: F64) -> F64:
    """Texture coordinates of 20 faces on a 5 x 4 grid of patches."""
    cells = np.array([(column, row) for row in range(4) for column in range(5)])
    inside = 0.05 + 0.9 * weights[:, 1:]
    return np.asarray(((cells[:, None] + inside) / [5.0, 4.0]).reshape(-1, 2))


def noise(size: int) -> NDArray[np.uint8]:
    """Noise of several scales (size, size, 3)."""
    rng = np.random.default_rng(0)
    image = np.zeros((size, size, 3))
    for cell in (64, 16, 4):
        image += np.kron(rng.uniform(0.0, 85.0, (size // cell, size // cell, 3)), np.ones((cell, cell, 1)))
    return image.astype(np.uint8)


def painted_ball(triangles: int) -> Mesh:
    """The same ball with colours at its vertices instead of a texture, so without seams."""
    ball = bumpy_ball(triangles)
    vertices_m, first = np.unique(ball.vertices_m, axis=0, return_inverse=True)
    faces = first.reshape(-1)[ball.faces].astype(np.int32)
    return Mesh(vertices_m, faces, colors=0.5 + 0.5 * np.sin(40.0 * vertices_m + 1.0), name=f"painted{len(faces)}")


def ball_camera(mesh: Mesh, pixels: int) -> Camera:
    """Of a square crop, such that the ball covers the wanted share of it."""
    middle, focal = (pixels - 1) / 2, 0.5 * pixels * DISTANCE_M / mesh.radius_m
    for _ in range(2):  # bumps make its size on the image hard to foretell, so it is measured
        camera = Camera(focal, focal, middle, middle, pixels, pixels)
        images = Renderer(mesh, camera, threads=1).render(np.eye(3), np.array([0.0, 0.0, DISTANCE_M]))
        focal *= float(np.sqrt(COVERED / images.coverage.mean()))
    return Camera(focal, focal, middle, middle, pixels, pixels)


def poses(count: int) -> tuple[F64, F64]:
    """Within about 5 degrees and 3 mm of the truth."""
    rng = np.random.default_rng(1)
    R = so3.exp(rng.normal(0.0, np.radians(3.0), (count, 3)))
    return R, np.array([0.0, 0.0, DISTANCE_M]) + rng.normal(0.0, 0.002, (count, 3))


def observe(mesh: Mesh, camera: Camera) -> tuple[Observation, F64]:
    """The picture at the truth with some noise, and what the object covers."""
    images = Renderer(mesh, camera, threads=1).render(np.eye(3), np.array([0.0, 0.0, DISTANCE_M]))
    coverage = images.coverage[0].clip(0.0, 1.0).astype(np.float64)
    rng = np.random.default_rng(2)
    rgb = (images.rgb[0] + rng.normal(0.0, 0.02, images.rgb[0].shape)).clip(0.0, 1.0)
    depth = images.depth[0] + (images.depth[0] > 0) * rng.normal(0.0, 0.001, images.depth[0].shape)
    return Observation(camera, rgb=rgb, depth=depth, mask=coverage), coverage
