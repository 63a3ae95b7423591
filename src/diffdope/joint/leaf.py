"""One object in one view, at a pose that is known well: what its images say, and how well they fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.error_kinds import NothingToCompareError
from diffdope.estimate.confidence import log_odds_of
from diffdope.estimate.covariance import PoseEvidence, evidence_of, spread_of
from diffdope.estimate.fit_quality import FitQuality, assess
from diffdope.estimate.gauss_newton import cost_of
from diffdope.estimate.level_context import context_of, noise_at
from diffdope.estimate.regression import RegressionContext, RobustScale, TermEquations, regress
from diffdope.estimate.robust_gauss_newton import nothing_beside
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
from diffdope.search.last_steps import last_steps_at
from diffdope.search.mask_as_region import CLEARLY, BorderEvidence, may_be_region, maybe_off
from diffdope.search.search_inputs import SearchInputs
from diffdope.terms.base import Comparison, Rendering
from diffdope.terms.contour import ContourSettings
from diffdope.terms.quadratic_factor import QuadraticFactor

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

    Attributes:
        maybe_off: (6,) deviation of T_c_o that residuals do not tell: a mask's border may be where the object ends, or
            may not be.
    """

    def __init__(self, refiner: Refiner, observation: Observation) -> None:
        preset = refiner.preset
        self.meshes, self._search = refiner.meshes, preset.resolved_search
        self._inputs = SearchInputs(self.meshes, observation, self._search, preset.objective, preset.crop.margin)
        self._descent = Descent(self._inputs, Recorder())
        self._without_mask = observation.without_mask() if may_be_region(observation, self._search) else None
        self._level: LevelProblem | None = None
        self._forget()

    def _forget(self) -> None:
        """What is known of a pose that is none any more."""
        self._scales: dict[str, RobustScale] | None = None
        self._first: dict[str, TermEquations] | None = None
        self._compared: LevelProblem | None = None
        self._held: QuadraticFactor | None = None
        self.maybe_off = np.zeros(6)

    def prepared(self, pose: Pose) -> bool:
        """Prepares the last level of a search around a pose in the camera; whether anything can be compared there."""
        self._level = None
        self._forget()
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
        if self._compared is None:
            self._compared = self._beside_mask(pose) or self.level
        level = self._compared
        linearised = level.factor.linearise(pose.R_m2c, pose.t_m2c)
        context, noise = self._context(level, pose), noise_at(level, self._search.noise)
        if self._scales is None:
            known = {name: part.known for name, part in regress(linearised, context, noise).items()}
            # Scores of few tiles may cancel by chance, and colours then outweigh depth, which is surer.
            least = 1.0 if "depth" in known else 0.0
            self._scales = {name: one._replace(correlation=max(one.correlation, least)) for name, one in known.items()}
            self._first = regress(linearised, context, noise, self._scales)
            return self._first
        return regress(linearised, context, noise, self._scales)

    def _context(self, level: LevelProblem, pose: Pose) -> RegressionContext:
        length_m, tilt = self.meshes.length_m, self.meshes.tilt
        return context_of(level, pose, length_m=length_m, tilt=tilt, gain=self._search.light)

    def _beside_mask(self, pose: Pose) -> LevelProblem | None:
        """The same level without a mask whose border the other images do not bear out near a pose; else None.

        Then what the mask says is held, as far as such masks can be trusted. See `search.mask_as_region`.
        """
        if self._without_mask is None or not {"depth", "mask"} <= set(self.level.modalities):
            return None
        plain = self._inputs.of(self._without_mask).by(replace(self._search, outline=ContourSettings.off()))
        free = Descent(plain, Recorder()).levels.last(pose, self._search.near.levels[-1])
        if isinstance(free, Failure) or "depth" not in free.modalities:
            return None
        beside = last_steps_at(self.level, pose, self.meshes, self._search, nothing_beside)
        led = beside(pose, pose)
        known = QuadraticFactor(led.pose, np.zeros(6), beside.loose_mask(led))
        freed = last_steps_at(free, pose, self.meshes, self._search, known.about)(led.pose, led.pose)
        motion, odds = BorderEvidence(self.level, led, self.meshes, self._search.outline).borne_out_by(freed)
        kept = odds > CLEARLY  # no descent led to either pose
        self.maybe_off = maybe_off(motion, odds if kept else -odds)
        if kept:
            return None
        self._held = known
        return free

    def terms(self, parts: dict[str, TermEquations], pose: Pose) -> LeafTerms | None:
        """All modalities together at a pose; None where one that was compared first is not any more."""
        if self._first is None or set(parts) != set(self._first):
            return None
        held = nothing_beside(pose) if self._held is None else self._held.about(pose)
        gradient, curvature = held.slope, held.curvature
        for part in parts.values():
            gradient, curvature = gradient + part.gradient, curvature + part.step
        return LeafTerms(cost_of(parts, self._first) + held.constant, gradient, curvature)

    @property
    def spread(self) -> F64:
        """(6,) deviations of a pose of which nothing is known."""
        context = self._context(self.level, Pose(np.eye(3), np.array([0.0, 0.0, 1.0])))
        return spread_of(context, self._search.noise)

    def evidence(self, parts: dict[str, TermEquations], *, correlated: bool = True) -> PoseEvidence:
        """What the images say about the pose in the camera, in units of the spread."""
        found = evidence_of(parts, self.spread, correlated=correlated)
        held = 0.0 if self._held is None else self._held.curvature * np.outer(self.spread, self.spread)
        sure = 1.0 / noise_at(self._compared or self.level, self._search.noise).inflation ** 2
        return PoseEvidence(sure * (found.everything + held), sure * (found.sure + held), found.pulls)

    def fit(self, pose: Pose) -> Fit:
        """How well the rendering explains the images, whatever hypotheses agree on it."""
        level = self.level
        renderer = Renderer(self.meshes.mesh, level.crop.camera, buffers=self.meshes.buffers())
        drawn = Rendering.of(renderer.render(pose.R_m2c, pose.t_m2c))
        quality = assess(Comparison(drawn, level.crop, level.responsibility.silhouette, self.meshes.length_m))
        if level.contours is not None:
            quality = replace(quality, outline=level.contours.support(drawn.coverage, drawn.depth))
        return Fit(quality, log_odds_of(quality))
