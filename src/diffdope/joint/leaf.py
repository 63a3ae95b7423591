"""One object in one view, at a pose that is known well: what its images say, and how well they fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import NothingToCompareError
from diffdope.estimate.confidence import log_odds_of
from diffdope.estimate.covariance import PoseEvidence, evidence_of, spread_of
from diffdope.estimate.fit_quality import FitQuality, assess
from diffdope.estimate.gauss_newton import cost_of
from diffdope.estimate.level_context import context_of, noise_at
from diffdope.estimate.loose_mask import is_rough, loosened
from diffdope.estimate.regression import RobustScale, TermEquations, regress
from diffdope.geometry.pose import Pose
from diffdope.joint.normal_equations import LeafTerms
from diffdope.pipelines.refiner import Refiner
from diffdope.problem.failure import Failure
from diffdope.problem.level_problem import LevelProblem
from diffdope.problem.variables import Variables
from diffdope.render.renderer import Renderer
from diffdope.scene.observation import Observation
from diffdope.search.descent import Descent
from diffdope.search.history import Recorder
from diffdope.terms.base import Comparison, Rendering

F64 = NDArray[np.float64]


class Fit(NamedTuple):
    """How well the images fit a pose."""

    quality: FitQuality
    log_odds: float


class Leaf:
    """See the module.

    Args:
        refiner: of the object.
        observation: of the view, with the object's mask, and with what is known of other objects.
    """

    def __init__(self, refiner: Refiner, observation: Observation) -> None:
        preset = refiner.preset
        self.meshes, self._search = refiner.meshes, preset.resolved_search
        self._descent = Descent(
            self.meshes, observation, self._search, preset.objective, preset.crop.margin, Recorder()
        )  # fmt: skip
        self._level: LevelProblem | None = None
        self._scales: dict[str, RobustScale] | None = None
        self._first: dict[str, TermEquations] | None = None

    def prepared(self, pose: Pose) -> bool:
        """Prepares the last level of a search around a pose in the camera; whether anything can be compared there."""
        self._scales = self._first = self._level = None
        try:
            level = self._descent.levels.last(pose, self._search.near.levels[-1])
        except NothingToCompareError:
            return False
        if isinstance(level, Failure):
            return False
        self._level = level
        return True

    @property
    def level(self) -> LevelProblem:
        """As prepared."""
        assert self._level is not None
        return self._level

    @property
    def holds_outline(self) -> bool:
        """Whether only a photograph's edges hold the outline: then images alone make no regression."""
        return self.level.contour_active and "depth" not in self.level.modalities

    def costs(self, poses: Sequence[Pose]) -> F64:
        """Costs (B,) of poses in the camera, as a search compares them."""
        problem = self.level.problem(Variables.one_object(0.5 * self.meshes.length_m))
        R, t = np.stack([pose.R_m2c for pose in poses]), np.stack([pose.t_m2c for pose in poses])
        return problem.evaluate(R, t).cost

    def parts(self, pose: Pose) -> dict[str, TermEquations]:
        """Normal equations by modality, with the scales of the first pose after it was prepared."""
        level = self.level
        context = context_of(
            level, pose, length_m=self.meshes.length_m, tilt=self.meshes.tilt, gain=self._search.light
        )  # fmt: skip
        linearised = level.factor.linearise(pose.R_m2c, pose.t_m2c)
        noise = noise_at(level, self._search.noise)
        parts = regress(linearised, context, noise, self._scales)
        if self._first is None and parts:
            parts = loosened(parts, context, noise) if is_rough(parts, noise) else parts
            self._first = parts
            self._scales = {name: part.known for name, part in parts.items()}
        return parts

    def terms(self, parts: dict[str, TermEquations]) -> LeafTerms | None:
        """All modalities together; None where one that was compared first is not any more."""
        if self._first is None or set(parts) != set(self._first):
            return None
        gradient, curvature = np.zeros(6), np.zeros((6, 6))
        for part in parts.values():
            gradient, curvature = gradient + part.gradient, curvature + part.step
        return LeafTerms(cost_of(parts, self._first), gradient, curvature)

    @property
    def spread(self) -> F64:
        """(6,) deviations of a pose of which nothing is known."""
        pose = Pose(np.eye(3), np.array([0.0, 0.0, 1.0]))
        context = context_of(self.level, pose, length_m=self.meshes.length_m, tilt=0.0, gain="as-is")
        return spread_of(context, self._search.noise)

    def evidence(self, parts: dict[str, TermEquations], *, correlated: bool = True) -> PoseEvidence:
        """What the images say about the pose in the camera, in units of the spread."""
        found = evidence_of(parts, self.spread, correlated=correlated)
        sure = 1.0 / noise_at(self.level, self._search.noise).inflation ** 2
        return PoseEvidence(sure * found.everything, sure * found.sure, found.pulls)

    def fit(self, pose: Pose) -> Fit:
        """How well the rendering explains the images, whatever hypotheses agree on it."""
        level = self.level
        renderer = Renderer(self.meshes.mesh, level.crop.camera, buffers=self.meshes.buffers())
        drawn = Rendering.of(renderer.render(pose.R_m2c, pose.t_m2c))
        quality = assess(Comparison(drawn, level.crop, level.responsibility.silhouette, self.meshes.length_m))
        if level.contours is not None:
            quality = replace(quality, outline=level.contours.support(drawn.coverage, drawn.depth))
        return Fit(quality, log_odds_of(quality))
