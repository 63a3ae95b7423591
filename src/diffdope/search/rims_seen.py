"""The last steps of a photograph alone: its colours and its rims, each as sure as it is.

Edges hold the outline while the object is searched for, but the strongest contrast beside an outline is seldom where it
is: a shadow, a print or a blur draws it outwards, by a third of a pixel, and the object ends too near. Pixels that the
outline crosses, as mixtures of both sides' colours, have no such bias, but have to begin within a pixel or two.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.robust_gauss_newton import RobustEstimate
from diffdope.geometry.pose import Pose
from diffdope.problem.level_problem import LevelProblem, gain_at
from diffdope.problem.pose_evidence import pose_evidence
from diffdope.render.buffers import Buffers
from diffdope.scene.mesh import Mesh
from diffdope.search.mesh_levels import MeshLevels
from diffdope.terms.base import Rendering
from diffdope.terms.quadratic_factor import QuadraticFactor, summed
from diffdope.terms.registry import ObjectiveSettings
from diffdope.terms.rim import RimEvidence, Rims

F64 = NDArray[np.float64]

REACH_PX = 1.0  # to both sides: as far as the search may have left the outline, and as little background as that allows


def seen_alone(level: LevelProblem, mesh: Mesh) -> bool:
    """Whether rims tell where the outline is: of a pattern, in a photograph without depth or a mask."""
    crop = level.crop
    alone = crop.rgb is not None and crop.depth is None and crop.mask is None and level.mask_refused_px is None
    return alone and level.colored and level.contour_active and mesh.has_pattern


class RimsSeen:
    """The rims of one level, and what else is known of a pose beside its residuals.

    Args:
        level: the last.
        meshes: the object.
        objective: of the terms.
        pose: that is known to a pixel or two, in the light of which rims are looked at.
    """

    def __init__(self, level: LevelProblem, meshes: MeshLevels, objective: ObjectiveSettings, pose: Pose) -> None:
        self._level, self._buffers, self._objective = level, meshes.buffers(), objective
        self._corners_m = meshes.corners_m
        self._rims = _rims_at(level, self._buffers, pose)
        self._known: list[tuple[Pose, RimEvidence | None]] = []

    def beside(self, pose: Pose) -> QuadraticFactor:
        """Half of squared errors over their variances: of the rims, and of the terms of the pose alone."""
        others, rims = pose_evidence(self._corners_m, pose, self._objective), self._at(pose)
        return others if rims is None else summed(pose, [others, rims.factor])

    def shared(self, estimate: RobustEstimate) -> F64:
        """(6, 6) covariance of an estimate, with what an error does that all rims share."""
        assert estimate.covariance is not None
        rims = self._at(estimate.pose)
        shift = np.zeros(6) if rims is None else estimate.covariance @ rims.pull
        return np.asarray(estimate.covariance + np.outer(shift, shift))

    def _at(self, pose: Pose) -> RimEvidence | None:
        """At a pose; the last ones are asked for again."""
        for known, evidence in self._known:
            if known is pose:
                return evidence
        evidence = self._rims.evidence(Rendering.of(self._level.drawn(self._buffers, pose)), pose, REACH_PX)
        self._known = [*self._known[-3:], (pose, evidence)]
        return evidence


def _rims_at(level: LevelProblem, buffers: Buffers, pose: Pose) -> Rims:
    crop = level.crop
    assert crop.rgb is not None
    gain = gain_at(level.drawn(buffers, pose), crop, level.responsibility, with_bias=True)
    return Rims(crop.rgb, crop.camera, gain, 1.0)
