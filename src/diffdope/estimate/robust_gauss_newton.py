"""The last steps: from where the search ended, Gauss-Newton on Huber's objective with the variances of the residuals.

The search's least absolute deviations have 64 % efficiency under Gaussian noise and fixed weights; this has 95 %, and
weighs modalities by what their residuals say, correlation included.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.covariance import (
    InformationEigenbasis,
    Uncertainty,
    in_words,
    information_eigenbasis,
    uncertainty,
)
from diffdope.estimate.gauss_newton import Parts, cost_of, gauss_newton, stay
from diffdope.estimate.polish_settings import PolishSettings
from diffdope.estimate.regression import RegressionContext, regress
from diffdope.estimate.shortened_steps import CostedPose, shortened_steps
from diffdope.geometry.pose import Pose
from diffdope.geometry.vectors import axes_across
from diffdope.problem.linearised import Linearised
from diffdope.terms.quadratic_factor import QuadraticFactor, summed
from diffdope.terms.registry import NoiseSettings

F64 = NDArray[np.float64]
Linearise = Callable[[F64, F64], Linearised]
Evidence = Callable[[Pose], QuadraticFactor]
"""What is known of a pose beside the images: half of squared errors over their variances, near the pose."""


def nothing_beside(pose: Pose) -> QuadraticFactor:
    """Nothing is known of a pose beside the images."""
    return summed(pose, [])


_SAME = 1.05  # ratio of robust costs: what facets explain by chance is less than this
_WITHIN = 0.5  # variances: after a last step as short, what the images know is the same, but for some percent
_NOTHING = 0.1  # the same of a step that is the last for it, however long: where hardly anything is known, steps are
_SHORTEST = 0.1  # share of a motion that is the least
_NEARER = 0.7  # times the spread: results lie nearer than their starts, by `python -m benchmarks.calibration`


@dataclass(frozen=True)
class RobustEstimate:
    """Where the steps ended, and how far off that may be. Not `moved`: it is the old pose."""

    pose: Pose
    uncertainty: Uncertainty | None = None
    """None if it was not asked for."""
    moved: bool = False
    notes: tuple[str, ...] = ()
    """What the images do not show, for people."""
    parts: Parts | None = None
    """Normal equations there, if the steps were asked for."""
    first: Parts | None = None
    """Those with which the last of the steps began, whose sums of independent residuals will do for both."""

    @property
    def covariance(self) -> F64 | None:
        """(6, 6), if it was asked for."""
        return None if self.uncertainty is None else self.uncertainty.covariance

    @property
    def unobserved(self) -> F64 | None:
        """(K, 6), if it was asked for."""
        return None if self.uncertainty is None else self.uncertainty.unobserved

    def beside(self, direction: F64, deviation_m: float) -> RobustEstimate:
        """The same with a shift along a direction (3,) that its residuals do not tell; see `Uncertainty.beside`."""
        known = self.uncertainty
        return self if known is None else replace(self, uncertainty=known.beside(direction, deviation_m))

    def across(self, direction: F64, deviation_m: float) -> RobustEstimate:
        """The same with a shift at right angles to a direction (3,), of a deviation along either axis."""
        if deviation_m == 0.0:
            return self
        first, second = axes_across(direction / np.linalg.norm(direction))
        return self.beside(first, deviation_m).beside(second, deviation_m)

    def maybe_off(self, motion: F64) -> RobustEstimate:
        """The same with a motion (6,) that its residuals do not tell."""
        known = self.uncertainty
        if known is None:
            return self
        return replace(self, uncertainty=replace(known, covariance=known.covariance + np.outer(motion, motion)))


class ForeseenMotion(NamedTuple):
    """A step (6,) in (rho [m], phi [rad]) that was not made, and the covariance (6, 6) after it."""

    step: F64
    covariance: F64


class RobustGaussNewton:
    """Of the last level's objective.

    Args:
        linearise: of the objective.
        view: what the regression needs to know.
        settings: of the steps.
        noise: what is known about errors.
        beside: what is known of a pose beside the images.
    """

    def __init__(
        self, linearise: Linearise, view: RegressionContext, settings: PolishSettings, noise: NoiseSettings,
        beside: Evidence = nothing_beside,
    ) -> None:  # fmt: skip
        self._linearise, self._view, self._settings, self._noise = linearise, view, settings, noise
        self._beside = beside

    def __call__(self, pose: Pose, start: Pose) -> RobustEstimate:
        """Takes the steps; undoes them if they go far or the robust cost rises, in a photograph alone for shorter ones.

        A pose that moved far is polished again, for its residuals were those of a wrong pose.

        Args:
            pose: where the search ended.
            start: of the whole refinement: where the pose stays in directions that the images say nothing about.
        """
        found, parts, first = self._descend_anew(pose, self._parts(pose))
        also = self._beside(found).curvature
        end = information_eigenbasis(parts, self._view, self._noise, also=also, near=first)
        if not end.observed.all():
            back = stay(found, start, end)
            held = self._parts(back, parts)
            if set(held) == set(parts) and self._cost(back, held, parts) < _SAME * self._cost(found, parts, parts):
                found, parts = back, held
        return replace(self._estimated(found, end, parts, moved=found is not pose), first=first)

    def loose_mask(self, led: RobustEstimate) -> F64:
        """(6, 6) information of the mask at a pose, that says no more of a shift than masks of networks can.

        All points of a border count on their own in the regression, though what shifts one shifts its neighbours.

        Args:
            led: where the steps have ended beside the mask.
        """
        mask = (led.parts or {}).get("mask")
        if mask is None:
            return np.zeros((6, 6))
        return mask.held_to((self._noise.mask_shift_px * self._view.pixel_m) ** -2.0).step

    def foreseen_without(self, name: str, led: RobustEstimate) -> ForeseenMotion | None:
        """Where one more step would lead without a modality, by the normal equations at a pose: nothing is drawn.

        Residuals, and the pixels that count, are those at the pose. None where nothing else was compared.

        Args:
            name: of the modality.
            led: where the steps have ended beside it.
        """
        left = {one: part for one, part in (led.parts or {}).items() if one != name}
        if not left:
            return None
        beside = self._beside(led.pose)
        known = partial(
            information_eigenbasis, view=self._view, noise=self._noise, also=beside.curvature, near=led.first
        )
        step = gauss_newton(left, known(left, correlated=False), beside)
        end = known({one: part.moved(step) for one, part in left.items()})
        return ForeseenMotion(step, uncertainty(end, self._view, self._noise).covariance)

    def held(self, pose: Pose, information: F64) -> RobustEstimate:
        """The pose as it is, and how far off it may be, where something beside the residuals holds it.

        Args:
            pose: where the search ended.
            information: (6, 6) of what holds it.
        """
        also = information + self._beside(pose).curvature
        parts = self._parts(pose)
        found = information_eigenbasis(parts, self._view, self._noise, also=also)
        return self._estimated(pose, found, parts, moved=False)

    def _estimated(self, pose: Pose, found: InformationEigenbasis, here: Parts, *, moved: bool) -> RobustEstimate:
        known = uncertainty(self._narrowed(pose, found, here), self._view, self._noise)
        return RobustEstimate(pose, known, moved, in_words(known.unobserved, self._view.length_m), here)

    def _narrowed(self, pose: Pose, found: InformationEigenbasis, here: Parts) -> InformationEigenbasis:
        """The same, with what the robust cost says along directions that residuals alone leave open: something beside
        them that tells little of these must not make a pose less sure than nothing.

        Facets may explain a rise of the cost there, but by a few percent only. So an error is about as large as the
        motion by which the cost has risen by as much, or as that of the start if this is less.
        """
        wide = self._noise.inflation**2 * found.variance > _SHORTEST**2  # less is no extent
        hidden = np.flatnonzero(~found.observed | (~found.shown & wide & bool(here)))
        if len(hidden) == 0:
            return found
        extent = np.ones(6)
        for k in hidden:
            extent[k] = self._extent(pose, here, _NEARER * found.directions[:, k]) * _NEARER
        return replace(found, extent=extent)

    def _extent(self, pose: Pose, here: Parts, motion: F64) -> float:
        """Share of a motion, to either side, by which the cost rises as much as facets explain; at most 1.

        As if the cost grew with the motion's square. Where it grows slower than that, the share is too large.
        """
        lowest, rise = max(self._cost(pose, here, here), 1e-12), np.inf
        for sign in (-1.0, 1.0):
            rise = min(rise, self._rise(pose.retract(sign * motion), here, lowest))
            if rise <= _SAME - 1.0:  # whatever the other side says
                return 1.0
        return float(max(np.sqrt((_SAME - 1.0) / rise), _SHORTEST))

    def _rise(self, pose: Pose, like: Parts, lowest: float) -> float:
        """By which share the robust cost of a pose is above the lowest."""
        parts = self._parts(pose, like)
        return self._cost(pose, parts, like) / lowest - 1.0 if set(parts) == set(like) else np.inf

    def _cost(self, pose: Pose, parts: Parts, first: Parts) -> float:
        """Robust cost, and what is paid beside the images."""
        return cost_of(parts, first) + self._beside(pose).constant

    def _parts(self, pose: Pose, like: Parts | None = None) -> Parts:
        """Normal equations at a pose, with the scales and correlations of others if there are any."""
        known = None if like is None else {name: part.known for name, part in like.items()}
        return regress(self._linearise(pose.R_m2c, pose.t_m2c), self._view, self._noise, known)

    def _before(self, pose: Pose, parts: Parts) -> InformationEigenbasis:
        """Which directions are observed near a pose that is not final."""
        also = self._beside(pose).curvature
        return information_eigenbasis(parts, self._view, self._noise, correlated=False, also=also)

    def _descend_anew(self, start: Pose, first: Parts) -> tuple[Pose, Parts, Parts]:
        """`_descend`, and from there once more if that is far; with the equations with which the last of them began.

        Where that leaves a modality nothing to compare, the steps are not to be trusted.
        """
        before = self._before(start, first)
        found, parts = self._descend(start, first, before)
        if self._distance(found, start) > self._settings.anew:
            again = self._parts(found)
            if set(again) != set(first):
                return start, first, first
            first = again
            found, parts = self._descend(found, first, before)
        return found, parts, first

    def _descend(self, start: Pose, first: Parts, before: InformationEigenbasis) -> tuple[Pose, Parts]:
        """Where the steps from a pose lead; to itself if there are none, or they are not to be trusted."""
        pose, parts = start, first
        steps = self._settings.steps if "depth" in first or self._settings.without_depth else 0
        if steps == 0:
            return start, first
        for _ in range(steps):
            beside = self._beside(pose)
            step = gauss_newton(parts, before, beside)
            pose = pose.retract(step)
            last = np.linalg.norm(step / self._view.units) < self._settings.tolerance
            known = sum((part.step for part in parts.values()), beside.curvature)
            if float(step @ known @ step) < (_WITHIN if last else _NOTHING):
                parts = {name: part.moved(step) for name, part in parts.items()}
                break
            parts = self._parts(pose, first)
            if set(parts) != set(first) or not self._distance(pose, start) < self._settings.longest:
                return self._shortened(start, first, before)
            if last:
                break
        better = self._cost(pose, parts, first) < self._cost(start, first, first)
        return (pose, parts) if better else self._shortened(start, first, before)

    def _shortened(self, start: Pose, first: Parts, before: InformationEigenbasis) -> tuple[Pose, Parts]:
        """Where shorter steps lead in a photograph alone; to the pose itself beside other images."""
        if set(first) != {"rgb"}:
            return start, first

        def at(pose: Pose) -> CostedPose | None:
            if not self._distance(pose, start) < self._settings.longest:
                return None
            parts = self._parts(pose, first)
            return CostedPose(pose, parts, self._cost(pose, parts, first)) if set(parts) == set(first) else None

        begun = CostedPose(start, first, self._cost(start, first, first))
        return shortened_steps(
            begun, lambda pose, parts: gauss_newton(parts, before, self._beside(pose)), at, self._settings.steps
        )[:2]

    def _distance(self, pose: Pose, other: Pose) -> float:
        """Radians and shares of half the diameter, taken together."""
        return float(np.hypot(pose.angle_to(other), pose.distance_to(other) / self._view.length_m))
