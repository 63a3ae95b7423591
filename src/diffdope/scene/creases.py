"""Creases of a mesh: edges at which two faces meet at an angle, and rims that have a face on one side only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.vectors import cross
from diffdope.scene.mesh import Mesh
from diffdope.scene.topology import build_edges

F64 = NDArray[np.float64]

_LEAST_ANGLE_DEG = 25.0  # a cylinder of 16 facets turns by 22.5 degrees at each, and has no creases along it
_SPACING = 1.0 / 150.0  # of the diameter: about a pixel of the last level's crop
_MOST = 40_000  # points: a mesh whose every edge is a crease, a thread say, has them farther apart


@dataclass(frozen=True, eq=False)
class Creases:
    """Points along creases, one crease after the other.

    Attributes:
        points: (N, 3) metres, in the mesh's frame.
        directions: (N, 3) unit vectors along the crease.
        lengths: (N,) metres of crease that each point stands for.
    """

    points: F64
    directions: F64
    lengths: F64

    def __len__(self) -> int:
        return len(self.points)

    @classmethod
    def of(cls, mesh: Mesh) -> Creases:
        """Of a mesh; none where it is smooth everywhere, or so fine that its facets turn little from each to the next.

        Args:
            mesh: vertices in one place are one, whatever the file says.
        """
        vertices, faces = mesh.vertices_m, mesh.faces
        edges = build_edges(vertices, faces, None)
        a, b, c = np.moveaxis(vertices[faces], 1, 0)
        normals = cross(b - a, c - a)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
        cosine = (normals[edges.f0] * normals[edges.f1]).sum(axis=1) * np.where(edges.flip > 0, -1.0, 1.0)
        sharp = (edges.f1 < 0) | (cosine < np.cos(np.radians(_LEAST_ANGLE_DEG)))
        first, last = vertices[edges.v0[sharp]], vertices[edges.v1[sharp]]
        lengths = np.linalg.norm(last - first, axis=1)
        spacing = max(_SPACING * mesh.diameter, lengths.sum() / _MOST, 1e-12)
        counts = np.maximum(np.ceil(lengths / spacing).astype(np.intp), 1)
        if counts.sum() > 2 * _MOST:  # of edges that are shorter than the spacing, some stand for all
            keep = np.arange(0, len(counts), -(-int(counts.sum()) // _MOST))
            lengths = lengths * (lengths.sum() / max(lengths[keep].sum(), 1e-30))
            first, last, lengths, counts = first[keep], last[keep], lengths[keep], counts[keep]
        crease = np.repeat(np.arange(len(counts)), counts)
        number = np.arange(len(crease)) - np.repeat(np.cumsum(counts) - counts, counts)
        share = (number + 0.5) / counts[crease]
        along = (last - first)[crease]
        directions = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-30)
        return cls(first[crease] + share[:, None] * along, directions, (lengths / counts)[crease])
