"""Small meshes about 0.1 m across, made from nothing: (vertices, faces, uv) triples."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Faces = NDArray[np.int32]


class Shape(NamedTuple):
    """(V, 3) metres, (F, 3) int32 and (V, 2) texture coordinates in [0, 1]; wound counter-clockwise from outside."""

    vertices_m: Array
    faces: Faces
    uv: Array


def grid_faces(rows: int, columns: int) -> Faces:
    """Two triangles for every cell of a row-major grid of rows x columns vertices."""
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    return np.stack([np.stack([a, b, c], -1), np.stack([a, c, d], -1)]).reshape(-1, 3).astype(np.int32)


def icosphere(subdivisions: int, radius_m: float = 0.05) -> Shape:
    """Icosahedron, 20 * 4 ** subdivisions faces, texture projected along z; no seam."""
    golden = (1.0 + np.sqrt(5.0)) / 2.0
    corners = [(-1, golden, 0), (1, golden, 0), (-1, -golden, 0), (1, -golden, 0)]
    vertices = np.array([np.roll(corner, shift) for shift in (0, 1, 2) for corner in corners])
    distance = np.linalg.norm(vertices[:, None] - vertices[None], axis=-1)
    near = (distance < 2.1) & (distance > 0)
    faces = np.array(
        [(i, j, k) for i in range(12) for j in range(i) for k in range(j) if near[i, j] & near[j, k] & near[i, k]]
    )
    for _ in range(subdivisions):
        sides = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        unique, middle = np.unique(sides, axis=0, return_inverse=True)
        ab, bc, ca = middle.reshape(-1, 3).T + len(vertices)
        a, b, c = faces.T
        vertices = np.concatenate([vertices, vertices[unique].mean(axis=1)])
        faces = np.concatenate([np.stack(f, 1) for f in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])
    unit = vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    corner = unit[faces]
    inward = np.linalg.det(corner) < 0
    faces[inward] = faces[inward, ::-1]
    return Shape(unit * radius_m, faces.astype(np.int32), 0.5 + 0.45 * unit[:, :2])


def box(sides_m: tuple[float, float, float] = (0.06, 0.08, 0.05), cells: int = 1) -> Shape:
    """Box of six sheets whose border vertices are duplicated; each sheet has its own tile of a 3 x 2 atlas."""
    s, r = np.meshgrid(np.linspace(0, 1, cells + 1), np.linspace(0, 1, cells + 1))
    parts = []
    for tile in range(6):
        axis, positive = tile % 3, tile >= 3
        unit = np.empty((s.size, 3))
        unit[:, axis] = float(positive)
        unit[:, (axis + 1) % 3] = (s if positive else r).ravel()
        unit[:, (axis + 2) % 3] = (r if positive else s).ravel()
        uv = np.stack([(axis + 0.05 + 0.9 * s.ravel()) / 3, (positive + 0.05 + 0.9 * r.ravel()) / 2], axis=1)
        parts.append(Shape((unit - 0.5) * sides_m, grid_faces(cells + 1, cells + 1), uv))
    return join(parts)


def torus(around: int, across: int, radius_m: float = 0.035, tube_m: float = 0.015) -> Shape:
    """Ring that hides itself in most poses; the texture wraps once each way, so there are two seams."""
    s, r = np.meshgrid(np.arange(around + 1), np.arange(across + 1))
    # taken modulo, so that the doubled vertices of a seam coincide to the bit
    ring, tube = 2 * np.pi * (s % around).ravel() / around, 2 * np.pi * (r % across).ravel() / across
    reach = radius_m + tube_m * np.cos(tube)
    vertices = np.stack([reach * np.cos(ring), reach * np.sin(ring), tube_m * np.sin(tube)], axis=1)
    uv = np.stack([s.ravel() / around, r.ravel() / across], axis=1)
    return Shape(vertices, grid_faces(across + 1, around + 1), uv)


def sheet(cells: int, side_m: float = 0.09) -> Shape:
    """Open wavy surface, seen from both sides, with folds."""
    s, r = np.meshgrid(np.linspace(0, 1, cells + 1), np.linspace(0, 1, cells + 1))
    height = 0.012 * np.sin(6.0 * s) * np.cos(4.0 * r)
    vertices = np.stack([(s - 0.5) * side_m, (r - 0.5) * side_m, height], axis=-1).reshape(-1, 3)
    return Shape(vertices, grid_faces(cells + 1, cells + 1), np.stack([s.ravel(), r.ravel()], axis=1))


def soup(rng: np.random.Generator, count: int, size_m: float = 0.03) -> Shape:
    """Triangles that share nothing and pass through each other."""
    middle = rng.uniform(-0.04, 0.04, (count, 1, 3))
    vertices = (middle + rng.normal(0.0, size_m / 2, (count, 3, 3))).reshape(-1, 3)
    return Shape(vertices, np.arange(3 * count, dtype=np.int32).reshape(-1, 3), rng.uniform(0, 1, (3 * count, 2)))


def join(parts: list[Shape]) -> Shape:
    """One shape of several."""
    starts = np.cumsum([0] + [len(part.vertices_m) for part in parts[:-1]])
    return Shape(
        np.concatenate([part.vertices_m for part in parts]),
        np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=True)]).astype(np.int32),
        np.concatenate([part.uv for part in parts]),
    )


def shifted(shape: Shape, offset_m: tuple[float, float, float]) -> Shape:
    """The shape elsewhere."""
    return shape._replace(vertices_m=shape.vertices_m + np.asarray(offset_m))


def inconsistently_wound(rng: np.random.Generator, shape: Shape) -> Shape:
    """The shape with a random half of its faces turned over."""
    faces = shape.faces.copy()
    turned = rng.random(len(faces)) < 0.5
    faces[turned] = faces[turned, ::-1]
    return shape._replace(faces=faces)
