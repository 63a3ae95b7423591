"""Frames of a film whose object needs no edges: those of which depth sees every motion, and colours are compared."""

from __future__ import annotations

from diffdope.checked_fields import replace_unchecked
from diffdope.geometry.pose import Pose
from diffdope.problem.level_problem import LevelProblem
from diffdope.search.mesh_levels import MeshLevels


def without_needless_edges(level: LevelProblem, meshes: MeshLevels, pose: Pose, margin: float) -> LevelProblem:
    """A level whose edges no longer hold the object where they add little, but still speak for or against it.

    To find them at each round, and to step again to where they lead, takes as long as all the rest of a frame.

    Args:
        level: of a frame that is followed.
        meshes: the object.
        pose: where it is expected.
        margin: how far from the surface what is measured is still the object's, as a share of the diameter.
    """
    edges = level.contours
    if edges is None or not (level.contour_active and level.colored) or level.crop.depth is None:
        return level
    held = meshes.depth_observability.all_of_them(level.crop, pose, margin)
    return replace_unchecked(level, contours=edges.weighing(0.0)) if held else level
