"""The last steps of a search, from where a pose was found, and how far off it may be then."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.level_context import context_of, noise_at, unmasked
from diffdope.estimate.robust_gauss_newton import Evidence, ForeseenMotion, RobustEstimate, RobustGaussNewton
from diffdope.geometry.pose import Pose
from diffdope.problem.level_problem import LevelProblem
from diffdope.problem.pose_evidence import pose_evidence
from diffdope.search.candidates import Candidates
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.search_inputs import SearchInputs
from diffdope.search.settings import SearchSettings
from diffdope.search.stages import Stages
from diffdope.search.start_error import left_by_mask
from diffdope.terms.quadratic_factor import QuadraticFactor, summed

F64 = NDArray[np.float64]

_ASKED = 4  # poses of which it is kept what is known of them: each step asks of two, some of them several times


def last_steps_at(
    level: LevelProblem, pose: Pose, meshes: MeshLevels, search: SearchSettings, beside: Evidence,
    *, border_px: float = 0.0, good_px: float = np.inf, told: bool = False,
) -> RobustGaussNewton:  # fmt: skip
    """The last steps of a level, from near a pose.

    Args:
        level: the last of a search.
        pose: about where they are made.
        meshes: the object, about its own middle.
        search: light, noise, and how many steps.
        beside: what is known of a pose beside residuals.
        border_px: see `noise_at`.
        good_px: see `noise_at`.
        told: see `noise_at`.
    """
    view = context_of(level, pose, length_m=meshes.length_m, tilt=meshes.tilt, gain=search.light)
    noise = noise_at(level, search.noise, border_px, good_px, told=told)
    return RobustGaussNewton(level.factor.linearise, view, search.polish, noise, beside)


def held_by_edges(level: LevelProblem) -> bool:
    """Whether the photograph's edges hold a pose, and last steps do not move it."""
    return level.contours is not None and level.contour_active and "depth" not in level.modalities


@dataclass(frozen=True)
class LastSteps:
    """Of one search.

    Attributes:
        inputs: of the search.
        stages: from the start; None where none was given.
    """

    inputs: SearchInputs
    stages: Stages | None

    def estimate(self, found: Candidates) -> RobustEstimate:
        """The last steps, and how far off the pose may be."""
        level, contour = found.level, found.ended.contour
        refine = self.steps(found, partial(self._known, found.evidence))
        if level.contours is None or not held_by_edges(level):
            estimate = refine(found.pose, found.start).beside(found.pose.t_m2c, found.off_along_view_m)
            estimate = estimate.across(found.pose.t_m2c, found.off_across_view_m)
        else:
            information = np.zeros((6, 6)) if contour is None else level.contours.information(contour)
            estimate = refine.held(found.pose, information)
        if self.stages is not None:
            return estimate
        return estimate.beside(found.pose.t_m2c, left_by_mask(found, self.inputs.meshes.buffers()))

    def steps(self, found: Candidates, beside: Evidence) -> RobustGaussNewton:
        """The last steps; beside: what is known beside residuals."""
        search = self.inputs.settings
        told = "depth" not in found.level.modalities and found.off_along_view_m > 0.0  # by the mask's border
        return last_steps_at(
            found.level, found.pose, self.inputs.meshes, search, lru_cache(maxsize=_ASKED)(beside),
            border_px=found.border_px, good_px=search.mask_error_px or np.inf, told=told,
        )  # fmt: skip

    def mask(self, found: Candidates, led: RobustEstimate) -> QuadraticFactor:
        """What a mask says of the pose to which it led, as far as those of networks can be trusted."""
        information = self.steps(found, partial(self._known, ())).loose_mask(led)
        return QuadraticFactor(led.pose, np.zeros(6), information)

    def foreseen_without_mask(
        self, found: Candidates, led: RobustEstimate, known: QuadraticFactor
    ) -> ForeseenMotion | None:  # fmt: skip
        """Where one more step would lead without a mask from where it led to; see `RobustGaussNewton`.

        Args:
            found: beside the mask.
            led: after its last steps.
            known: what is known of the pose in the mask's place.
        """
        level, search = found.level, self.inputs.settings
        view = context_of(
            level, found.pose, length_m=self.inputs.meshes.length_m, tilt=self.inputs.meshes.tilt, gain=search.light
        )
        beside = lru_cache(maxsize=_ASKED)(partial(self._known, (*found.evidence, known)))
        steps = RobustGaussNewton(level.factor.linearise, view, search.polish, unmasked(search.noise), beside)
        return steps.foreseen_without("mask", led)

    def edges(self, found: Candidates) -> QuadraticFactor | None:
        """What edges say of the pose at which they ended; None where they do not hold it."""
        contours, contour = found.level.contours, found.ended.contour
        if contours is None or contour is None or not found.level.contour_active:
            return None
        return QuadraticFactor(found.pose, np.zeros(6), contours.information(contour))

    def _known(self, evidence: tuple[QuadraticFactor, ...], pose: Pose) -> QuadraticFactor:
        """What is known of a pose beside residuals."""
        own = pose_evidence(self.inputs.meshes.corners_m, pose, self.inputs.objective)
        return summed(pose, [own, *(one.about(pose) for one in evidence)])
