"""Painted primitives whose symmetries are known exactly, and a bumpy ball of any number of triangles.

Colours are functions of the position on the surface, so every tessellation of a shape has the same appearance, and a
colour that depends only on invariants of a group makes the shape symmetric under just that group.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.symmetry import Symmetries
from diffdope.scene.mesh import Mesh

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
Paint = Callable[[F64], F64]


@dataclass(frozen=True, eq=False)
class Primitive:
    """A mesh around the origin with vertex colours, and how it may be turned unnoticed."""

    name: str
    mesh: Mesh
    symmetries: Symmetries


def primitives() -> dict[str, Primitive]:
    """The shapes of the symmetry study by name."""
    sides = np.array([0.05, 0.075, 0.10])
    ball, can, tin = icosphere(4, 0.045), tube(64, 24, 0.033, 0.1), grid_box(sides, 16)
    flip = {"symmetries_discrete": [np.diag([1.0, -1.0, -1.0, 1.0]).ravel().tolist()]}
    along_x, along_z = ({"axis": axis, "offset": [0, 0, 0]} for axis in ([1, 0, 0], [0, 0, 1]))
    every_turn = Symmetries.from_bop({"symmetries_continuous": [along_x, along_z]})
    about_z = Symmetries.from_bop({**flip, "symmetries_continuous": [along_z]})
    made = {
        "sphere": (*ball, plain, every_turn),
        "cylinder": (*can, bands, about_z),
        "box": (*tin, opposite_faces_alike, turns(half_turns())),
        "cube": (*grid_box(np.full(3, 0.07), 16), all_faces_alike, turns(cube_rotations())),
        "cylinder, label": (*can, mottled, Symmetries.none()),
        "box, label": (*tin, mottled, Symmetries.none()),
    }
    return {name: Primitive(name, painted(name, v, f, paint), how) for name, (v, f, paint, how) in made.items()}


def turns(rotations: F64) -> Symmetries:
    """Rotations (S, 3, 3) about the origin as symmetries."""
    return Symmetries(rotations, np.zeros((len(rotations), 3)))


def painted(name: str, vertices_m: F64, faces: I32, paint: Paint) -> Mesh:
    """A mesh with the colours of `paint` at its vertices."""
    return Mesh(vertices_m, faces, colors=np.clip(paint(vertices_m), 0.0, 1.0), name=name)


def plain(x_m: F64) -> F64:
    """One colour."""
    return np.tile([0.75, 0.45, 0.25], (len(x_m), 1))


def bands(x_m: F64) -> F64:
    """Rings about z, the same above and below."""
    wave = np.cos(300.0 * x_m[:, 2] ** 2 / 0.05)
    return np.stack([0.5 + 0.3 * wave, 0.45 - 0.2 * wave, np.full(len(x_m), 0.35)], axis=1)


def mottled(x_m: F64) -> F64:
    """Blotches without any symmetry."""
    a = np.sin(x_m @ [90.0, 55.0, -70.0] + 0.4) * np.sin(x_m @ [-60.0, 120.0, 45.0])
    b = np.sin(x_m @ [40.0, -95.0, 110.0] + 1.1)
    c = np.sin(x_m @ [130.0, 35.0, 60.0] - 0.7)
    return np.stack([0.5 + 0.35 * a, 0.45 + 0.25 * b, 0.5 + 0.2 * c + 0.15 * a], axis=1)


def opposite_faces_alike(x_m: F64) -> F64:
    """Invariant under the half turns about x, y and z, and under nothing else."""
    x2, y2, z2 = (20.0 * x_m.T) ** 2
    chiral = np.prod(20.0 * x_m, axis=1)
    return np.stack(
        [0.5 + 0.35 * np.sin(4 * chiral), 0.5 + 0.3 * np.cos(9 * y2), 0.45 + 0.3 * np.cos(5 * (x2 + z2))], 1
    )


def all_faces_alike(x_m: F64) -> F64:
    """Invariant under the 24 rotations of a cube."""
    squares = (25.0 * x_m) ** 2
    second, fourth = squares.sum(axis=1), (squares**2).sum(axis=1)
    return np.stack(
        [0.5 + 0.35 * np.cos(6 * second), 0.5 + 0.3 * np.sin(5 * fourth), 0.5 - 0.2 * np.cos(4 * second)], 1
    )


def half_turns() -> F64:
    """The identity and the half turns about x, y and z: (4, 3, 3)."""
    return np.array([np.diag(d) for d in ([1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1])])


def cube_rotations() -> F64:
    """The 24 rotations of a cube, identity first: (24, 3, 3)."""
    signed = [
        np.eye(3)[list(order)] * np.array(signs)[:, None]
        for order in permutations(range(3))
        for signs in product((1.0, -1.0), repeat=3)
    ]
    return np.array([R for R in signed if np.linalg.det(R) > 0])


def icosphere(subdivisions: int, radius_m: float) -> tuple[F64, I32]:
    """An icosahedron, each triangle divided into four `subdivisions` times: 20 * 4 ** subdivisions triangles."""
    from trimesh.creation import icosphere as make

    ball = make(subdivisions=subdivisions, radius=radius_m)
    return np.asarray(ball.vertices, dtype=np.float64), np.asarray(ball.faces, dtype=np.int32)


def blob(subdivisions: int, radius_m: float = 0.05) -> Mesh:
    """A bumpy, mottled ball of 20 * 4 ** subdivisions triangles, all of whose vertices lie on the same surface."""
    directions, faces = icosphere(subdivisions, 1.0)
    x, y, z = directions.T
    bumps = 0.12 * np.sin(3.0 * x + 1.0) * np.cos(4.0 * y) + 0.08 * np.sin(5.0 * z + 2.0 * x) + 0.1 * x * y
    return painted(f"blob of {len(faces)}", directions * (radius_m * (1.0 + bumps))[:, None], faces, mottled)


def tube(around: int, along: int, radius_m: float, height_m: float) -> tuple[F64, I32]:
    """A closed cylinder about z, its caps in rings."""
    angle = 2.0 * np.pi * np.arange(around) / around
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    half, caps = height_m / 2, 4
    radii = [*np.linspace(0.02, 1, caps, endpoint=False), *np.ones(along), *np.linspace(1, 0.02, caps + 1)[1:]]
    heights = [*np.full(caps, -half), *np.linspace(-half, half, along), *np.full(caps, half)]
    rows = [np.column_stack([ring * r * radius_m, np.full(around, z)]) for r, z in zip(radii, heights, strict=True)]
    index = np.arange(len(rows) * around).reshape(len(rows), around)
    a, b = index[:-1], index[1:]
    c, d = np.roll(b, -1, axis=1), np.roll(a, -1, axis=1)
    sides = np.concatenate([np.stack([a, d, c], -1).reshape(-1, 3), np.stack([a, c, b], -1).reshape(-1, 3)])
    bottom = np.stack([np.zeros(around - 2), np.arange(2, around), np.arange(1, around - 1)], axis=1)
    top = (len(rows) - 1) * around + bottom[:, [0, 2, 1]]
    return np.concatenate(rows), np.concatenate([sides, bottom, top]).astype(np.int32)


def grid_box(sides_m: F64, cells: int) -> tuple[F64, I32]:
    """A box of six sheets of cells x cells squares."""
    s, r = (g.ravel() for g in np.meshgrid(np.linspace(-0.5, 0.5, cells + 1), np.linspace(-0.5, 0.5, cells + 1)))
    index = np.arange((cells + 1) ** 2).reshape(cells + 1, cells + 1)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    sheet = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])
    vertices, faces = [], []
    for k, (axis, side) in enumerate(product(range(3), (-0.5, 0.5))):
        points = np.empty((len(s), 3))
        points[:, axis], points[:, (axis + 1) % 3], points[:, (axis + 2) % 3] = side, s, r
        vertices.append(points * sides_m)
        faces.append(k * len(s) + (sheet if side > 0 else sheet[:, ::-1]))
    return np.concatenate(vertices), np.concatenate(faces).astype(np.int32)


def subdivided(mesh: Mesh, times: int) -> Mesh:
    """The same surface and appearance in 4 ** times as many triangles."""
    for _ in range(times):
        mesh = _subdivided_once(mesh)
    return mesh


def _subdivided_once(mesh: Mesh) -> Mesh:
    pairs = np.sort(mesh.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    unique, which = np.unique(pairs, axis=0, return_inverse=True)
    ab, bc, ca = which.reshape(-1, 3).T + len(mesh.vertices_m)
    a, b, c = mesh.faces.T
    faces = np.concatenate([np.stack(f, 1) for f in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))])

    def refined(values: F64 | None) -> F64 | None:
        return None if values is None else np.concatenate([values, values[unique].mean(axis=1)])

    vertices_m = np.concatenate([mesh.vertices_m, mesh.vertices_m[unique].mean(axis=1)])
    uv, colors = refined(mesh.uv), refined(mesh.colors)
    return Mesh(vertices_m, faces.astype(np.int32), uv, mesh.texture, colors, mesh.name)
