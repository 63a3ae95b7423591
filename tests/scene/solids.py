"""Meshes as CAD programs, scanners and careless exporters write them."""

from __future__ import annotations

import numpy as np
import trimesh

from diffdope.scene.mesh import Mesh
from diffdope.scene.sampling import spread_over


def mesh_of(vertices: np.ndarray, faces: np.ndarray, **appearance: np.ndarray) -> Mesh:
    return Mesh(np.asarray(vertices, np.float64), np.asarray(faces, np.int32), **appearance)


def distances_m(mesh: Mesh, other: Mesh) -> np.ndarray:
    """From vertices and other points of one surface to the other, by a second route: a dense cloud on it."""
    from scipy.spatial import cKDTree

    cloud = spread_over(other.vertices_m, other.faces, 200_000).of(other.vertices_m, other.faces)
    points = spread_over(mesh.vertices_m, mesh.faces, 5000).of(mesh.vertices_m, mesh.faces)
    return np.asarray(cKDTree(cloud).query(np.concatenate([points, mesh.vertices_m[np.unique(mesh.faces)]]))[0])


def _joined(*parts: trimesh.Trimesh) -> Mesh:
    solid = trimesh.util.concatenate(list(parts))
    return mesh_of(solid.vertices, solid.faces)


def _at(part: trimesh.Trimesh, *place: float) -> trimesh.Trimesh:
    part.apply_translation(place)
    return part


def ring() -> Mesh:
    """32,768 triangles, almost all of them in flat faces."""
    solid = trimesh.creation.annulus(0.02, 0.04, 0.05, sections=64)
    for _ in range(3):
        solid = solid.subdivide()
    solid.merge_vertices()
    return mesh_of(solid.vertices, solid.faces)


def ribbed_housing() -> Mesh:
    """A box of thin walls and ribs, shells in one another, finely tessellated."""
    walls = [_at(trimesh.creation.box((0.08, 0.05, 0.002)), 0, 0, 0)]
    walls += [_at(trimesh.creation.box((0.002, 0.046, 0.02)), x, 0, 0.011) for x in np.linspace(-0.039, 0.039, 7)]
    walls += [_at(trimesh.creation.box((0.08, 0.002, 0.02)), 0, y, 0.011) for y in (-0.024, 0.024)]
    solid = trimesh.util.concatenate(walls)
    for _ in range(3):
        solid = solid.subdivide()
    return mesh_of(solid.vertices, solid.faces)


def hinge() -> Mesh:
    """Two plates with holes around one pin: three shells."""
    eye = [_at(trimesh.creation.annulus(0.004, 0.009, 0.012, sections=96), 0, 0, z) for z in (-0.012, 0.0, 0.012)]
    pin = trimesh.creation.cylinder(0.0035, 0.05, sections=128)
    plates = [_at(trimesh.creation.box((0.05, 0.003, 0.036)), x, 0, 0) for x in (-0.033, 0.033)]
    return _joined(*eye, pin, *plates)


def needle_fans() -> Mesh:
    """A cylinder of 400 sides: its caps are fans, its sides needles."""
    return _joined(trimesh.creation.cylinder(0.02, 0.1, sections=400))


def with_t_junctions() -> Mesh:
    """A fine sphere whose upper half is twice as fine, so that edges of one half end on edges of the other."""
    solid = trimesh.creation.icosphere(4, 0.04)
    upper = solid.triangles_center[:, 2] > 0.0
    fine = solid.submesh([np.flatnonzero(upper)], append=True).subdivide()
    coarse = solid.submesh([np.flatnonzero(~upper)], append=True)
    return _joined(fine, coarse)


def unwelded() -> Mesh:
    """Each triangle with corners of its own."""
    solid = trimesh.creation.torus(0.04, 0.012, major_sections=96, minor_sections=48)
    return mesh_of(solid.vertices[solid.faces.ravel()], np.arange(solid.faces.size).reshape(-1, 3))


def painted() -> Mesh:
    """A sphere with vertex colours: one half red, the other from blue to green."""
    solid = trimesh.creation.icosphere(5, 0.05)
    x, z = solid.vertices[:, 0] / 0.05, solid.vertices[:, 2] / 0.05
    colors = np.where(x[:, None] > 0.0, [1.0, 0.0, 0.0], np.stack([0 * z, (1 + z) / 2, (1 - z) / 2], axis=1))
    return mesh_of(solid.vertices, solid.faces, colors=np.clip(colors, 0.0, 1.0))


def self_meeting_chart() -> Mesh:
    """A can whose texture goes once around it: u = 1 beside u = 0, in one chart with a doubled column."""
    columns, rows = 129, 40
    u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    angle = 2 * np.pi * (u % 1.0)
    vertices = np.stack([0.03 * np.cos(angle), 0.03 * np.sin(angle), 0.1 * v - 0.05], axis=-1).reshape(-1, 3)
    first = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    faces = np.concatenate([
        np.stack([first, first + 1, first + columns + 1], axis=1),
        np.stack([first, first + columns + 1, first + columns], axis=1),
    ])  # fmt: skip
    texture = np.zeros((64, 128, 3), np.uint8)
    texture[..., 0] = np.linspace(0, 255, 128).astype(np.uint8)
    texture[16:48, :, 2] = 255
    return mesh_of(vertices, faces, uv=np.stack([u, v], axis=-1).reshape(-1, 2), texture=texture)


SOLIDS = {
    one.__name__: one
    for one in (ring, ribbed_housing, hinge, needle_fans, with_t_junctions, unwelded, painted, self_meeting_chart)
}
