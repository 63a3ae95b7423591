"""The last steps of a photograph without depth or a good mask: its colours and its rims, each as sure as it is.

Edges hold the outline while the object is searched for, but the strongest contrast beside an outline is seldom where it
is: a shadow, a print or a blur draws it outwards, by a third of a pixel, and the object ends too near. Pixels that the
outline crosses, as mixtures of both sides' colours, have no such bias, but have to begin within a pixel or two. A mask
that is off leads as near; beside one that was not left out for it, they tell what its border's width leaves open.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.robust_gauss_newton import RobustEstimate
from diffdope.geometry.pose import Pose
from diffdope.problem.level_problem import LevelProblem, gain_at
from diffdope.problem.level_settings import contour_weight
from diffdope.problem.pose_evidence import pose_evidence
from diffdope.render.buffers import Buffers
from diffdope.scene.mesh import Mesh
from diffdope.search.candidates import Candidates
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.settings import SearchSettings
from diffdope.terms.base import Rendering
from diffdope.terms.quadratic_factor import QuadraticFactor, summed
from diffdope.terms.registry import ObjectiveSettings
from diffdope.terms.rim import RimEvidence, Rims

F64 = NDArray[np.float64]

REACH_PX = 1.0  # to both sides: as far as the search may have left the outline, and as little background as that allows


def rims_tell(found: Candidates, mesh: Mesh, settings: SearchSettings, objective: ObjectiveSettings) -> bool:
    """Whether rims tell where the outline is: of a pattern, in a photograph without depth, with no mask or one that is
    off. Who trusts every mask, or no edges in place of one, has no rims beside it.

    Args:
        found: where the search ended.
        mesh: the object.
        settings: of the search.
        objective: of the terms.
    """
    level, crop = found.level, found.level.crop
    if crop.rgb is None or crop.depth is not None or not (level.colored and mesh.has_pattern):
        return False
    if crop.mask is None:
        return level.contour_active
    off = 0.0 < settings.mask_error_px < found.border_px and settings.mask_refused_px > 0.0
    return off and contour_weight(crop.without_mask(), settings.outline, objective, mesh) > 0.0


class RimEstimate:
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
