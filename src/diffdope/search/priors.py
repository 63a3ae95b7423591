"""The prior of a search: how much a hypothesis pays for being far from where it is expected."""

from __future__ import annotations

import numpy as np

from diffdope.geometry.pose import Pose
from diffdope.problem.level_problem import LevelProblem
from diffdope.search.levels import PyramidSettings
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.settings import SearchSettings
from diffdope.terms.pose_prior import PosePrior

# How far from its start a mesh is taken to be that only edges hold, where the search says nothing: as near searches do.
# Without any prior, edges that are not the outline's draw it away from a good start.
PLAIN_ANGLE_DEG, _PLAIN_DISTANCE = 12.0, 0.06
_FILM_WEIGHT = 0.25  # of that, in films: along the view edges say little, and a pose would lag behind a hand there


def prior_around(
    pose: Pose, pyramid: PyramidSettings, level: LevelProblem, search: SearchSettings, meshes: MeshLevels, *,
    film: bool = False,
) -> PosePrior | None:  # fmt: skip
    """The prior at a level; None where any turn is as good as any other.

    Args:
        pose: where the object is expected.
        pyramid: says how far from there it may be.
        level: without a mask, it has a weight of its own.
        search: has the weights.
        meshes: the object.
        film: whether the object moves.
    """
    if pyramid.anywhere:
        return None
    weight = search.prior_unmasked if level.crop.mask is None else search.prior
    angle_deg, distance = pyramid.angle_deg, pyramid.distance
    if level.contour_active and not meshes.mesh.has_pattern and not (angle_deg or distance):
        angle_deg, distance, weight = PLAIN_ANGLE_DEG, _PLAIN_DISTANCE, _FILM_WEIGHT * weight if film else weight
    return PosePrior(pose, np.radians(angle_deg), distance * meshes.length_m, weight)
