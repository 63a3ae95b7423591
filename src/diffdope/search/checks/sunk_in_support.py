"""Whether an object would be sunk in the surface that it stands on, whatever of that the view hides.

A mesh that is taller than the object fits its top and its sides as well, and reaches through the table below, which
hides that part. How much is hidden depends on the view (`support_penetration.py`); how deep it lies does not. A table
goes on all around what stands on it, and nothing is measured below it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.geometry.vectors import axes_across
from diffdope.note_codes import Note, NoteCode
from diffdope.scene.observation import Observation
from diffdope.scene.sampling import surface_points
from diffdope.search.checks.contradictions import NONE, Doubt, softened
from diffdope.search.checks.outline_evidence import drawn_around
from diffdope.search.checks.support_penetration import DEEPER, FEWEST, FLAT, SurroundingPlane, plane_around
from diffdope.search.mesh_levels import MeshLevels

F64 = NDArray[np.float64]

_POINTS = 1000  # of the surface
_LEAST = 0.05  # share of the surface that must lie so deep: pins, feet and cables of a mesh may not be there
_ABOVE = 0.5  # of what is seen of the object, that must stand above the plane
_BELOW = 0.1  # of what is around, that may lie below it: more, and it is no floor, but the top of what is beside
_INSIDE = 0.5  # of the sunk part, that must lie below where the plane is measured: an object may hang over an edge
_HULL_POINTS = 400  # of the plane, whose hull that is
_OFFSET, _SURELY = 0.06, 1.5
"""Share of the diameter by which an object may seem sunk, beside a deviation of the plane's depth, for depth and CAD
models are off; and how many times as deep contradicts. Of 272 objects at their true poses with a plane around (`sim`,
`parts`, HOPE, YCB-Video, path-traced scenes), the deepest lies at 0.58 of it; of some in sockets, at up to 5.2
(docs/studies/2026-11-30-sunk-in-a-support.md)."""


def of_sinking(meshes: MeshLevels, observation: Observation, pose: Pose) -> Doubt:
    """Whether an object would be sunk in what it stands on.

    Args:
        meshes: the object.
        observation: with depth.
        pose: object to camera.
    """
    found = sunk_m(meshes, observation, pose)
    if found is None:
        return NONE
    depth_m, noise_m = found
    plausible_m = _OFFSET * meshes.length_m + noise_m
    if depth_m <= plausible_m:
        return NONE
    text = (
        f"support: the object would be sunk {1e3 * depth_m:.0f} mm in the plane that it stands on: is it another one, "
        "not as tall? If it is set in there, give a mask, a box or a start pose"
    )
    left = (_SURELY * plausible_m - depth_m) / ((_SURELY - 1.0) * plausible_m)
    return Doubt(softened(left), Note(NoteCode.THROUGH_SUPPORT, text))


def sunk_m(meshes: MeshLevels, observation: Observation, pose: Pose) -> tuple[float, float] | None:
    """How deep a part of an object lies in the plane that it stands on, and how far off its depth is, a deviation; both
    metres. None if it stands on none, as far as depth shows.

    Args:
        meshes: the object.
        observation: with depth.
        pose: object to camera.
    """
    around = drawn_around(meshes, observation, pose) if "depth" in observation.modalities else None
    if around is None:
        return None
    crop, images = around
    assert crop.depth is not None
    length_m, measured = meshes.length_m, crop.depth > 0.0
    drawn = images.coverage[0] > 0.5
    seen = drawn & measured & (np.abs(crop.depth - images.depth[0]) <= DEEPER * length_m)
    plane = plane_around(crop, drawn, seen, length_m) if np.count_nonzero(seen) >= FEWEST else None
    if plane is None or plane.below > _BELOW:
        return None
    points_c = crop.camera.back_project(crop.depth)
    height_m = plane.height_m(points_c)
    if np.mean(height_m[seen] > FLAT * length_m) < _ABOVE:
        return None
    surface_c = pose.apply(surface_points(meshes.mesh, _POINTS)[0])
    surface_m = plane.height_m(surface_c)
    depth_m = -float(np.quantile(surface_m, _LEAST))
    if depth_m <= 0.0:
        return None
    lowest = surface_c[surface_m <= -depth_m]
    flat = points_c[measured & ~seen & (np.abs(height_m) < FLAT * length_m)]
    return (depth_m, plane.noise_m) if _share_over(lowest, flat, plane) >= _INSIDE else None


def _share_over(points: F64, flat: F64, plane: SurroundingPlane) -> float:
    """Share of some points (N, 3) that lie above or below the hull of others (M, 3), which are in a plane."""
    from scipy.spatial import Delaunay, QhullError

    axes = np.stack(axes_across(plane.normal), axis=1)
    some = flat[np.linspace(0, len(flat) - 1, min(len(flat), _HULL_POINTS)).astype(np.intp)]
    try:
        hull = Delaunay((some - plane.origin) @ axes)
    except (QhullError, ValueError):
        return 0.0
    return float(np.mean(hull.find_simplex((points - plane.origin) @ axes) >= 0))
