"""How far a mesh's facets lean away from the smooth surface that they stand for."""

from __future__ import annotations

import numpy as np

from diffdope.geometry.vectors import cross
from diffdope.render.kernels.layout import MeshArrays

_SHARPEST = np.cos(np.radians(40.0))  # edges bent more belong to the object, not to its tessellation


def facet_tilt(mesh: MeshArrays) -> float:
    """RMS angle [rad] between facets and surface, by area; 0 for a box.

    Facets of a sphere lean by half the bend of their edges: RMS distance from the centroid over the radius,
    l / sqrt(12) R, against a bend of l / sqrt(3) R.
    """
    shape, faces = mesh.shape, mesh.edges.faces.astype(np.int64)
    count = len(shape.faces)
    faces = faces[(faces < count).all(axis=1)]
    if len(faces) == 0:
        return 0.0
    normals = np.stack([shape.normal_x, shape.normal_y, shape.normal_z], axis=1).astype(np.float64)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    points = np.stack([shape.x, shape.y, shape.z], axis=1).astype(np.float64)[shape.faces.astype(np.int64)]
    areas = np.linalg.norm(cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0]), axis=1)
    cosine = np.abs((normals[faces[:, 0]] * normals[faces[:, 1]]).sum(axis=1))  # either winding
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    smooth = cosine > _SHARPEST
    weight = areas[faces].sum(axis=1)
    return float(0.5 * np.sqrt((weight * np.where(smooth, angle, 0.0) ** 2).sum() / max(weight.sum(), 1e-30)))
