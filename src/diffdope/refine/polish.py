"""The last steps: from where the search ended, Gauss-Newton on Huber's objective with the variances of the residuals.

The search's least absolute deviations have 64 % efficiency under Gaussian noise and fixed weights; this has 95 %, and
weighs modalities by what their residuals say, correlation included.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.objective.linear import Linearised
from diffdope.refine.regression import Part, View, regress
from diffdope.refine.settings import NoiseSettings, PolishSettings
from diffdope.refine.uncertainty import Spectrum, Uncertainty, spectrum, uncertainty

F64 = NDArray[np.float64]
Parts = Mapping[str, Part]
Linearise = Callable[[F64, F64], Linearised]

_AT_REST = 1e-4  # radians, or share of half the diameter
_SAME = 2.0  # robust cost, in units of a log-likelihood, by which two poses do not differ


@dataclass(frozen=True)
class Polished:
    """Where the steps ended, and how far off that may be. Not `moved`: it is the old pose."""

    pose: Pose
    uncertainty: Uncertainty
    moved: bool


class Polish:
    """From one pose that a search ended at.

    Args:
        linearise: of the last level's objective.
        pose: where the search ended.
        view: what the regression needs to know.
        settings: of the steps.
        noise: what is known about errors.
    """

    def __init__(
        self, linearise: Linearise, pose: Pose, view: View, settings: PolishSettings, noise: NoiseSettings
    ) -> None:
        self._linearise, self._pose, self._view = linearise, pose, view
        self._settings, self._noise = settings, noise
        self._first = regress(linearise(pose.R_m2c, pose.t_m2c), view, noise)
        self._known = {name: part.known for name, part in self._first.items()}
        self._counts = {name: part.count for name, part in self._first.items()}
        self._before = spectrum(self._first, view, noise)

    def run(self, start: Pose) -> Polished:
        """Takes the steps; undoes them if they go far, or the robust cost rises.

        Args:
            start: of the whole refinement: where the pose stays in directions that the images say nothing about.
        """
        pose, parts = self._descend(self._pose, self._first) or (self._pose, self._first)
        if not self._before.observed.all():
            back = stay(pose, start, self._before)
            held = self._parts(back)
            found = None if held is None else self._descend(back, held) or (back, held)
            if found is not None and self._cost_of(found[1]) < self._cost_of(parts) + _SAME:
                pose, parts = found
        if parts is self._first:
            return Polished(pose, uncertainty(self._before, self._view), False)
        return Polished(pose, uncertainty(spectrum(parts, self._view, self._noise), self._view), True)

    def _parts(self, pose: Pose) -> Parts | None:
        """Of another pose than the first; None if that has not the same modalities."""
        parts = regress(self._linearise(pose.R_m2c, pose.t_m2c), self._view, self._noise, self._known)
        return parts if set(parts) == set(self._first) else None

    def _descend(self, pose: Pose, first: Parts) -> tuple[Pose, Parts] | None:
        """The steps from a pose; None if there are none, or they are not to be trusted."""
        parts, found = first, None
        away = np.zeros(6)
        step = gauss_newton(parts, self._before)
        for _ in range(self._settings.steps):
            scaled = step / self._view.units
            away += scaled
            if not np.linalg.norm(away) < self._settings.longest:
                return None
            pose = Pose(so3.exp(step[3:]) @ pose.R_m2c, pose.t_m2c + step[:3])
            found = self._parts(pose)
            if found is None:
                return None
            parts = found
            step = gauss_newton(parts, self._before)
            if np.linalg.norm(scaled) < _AT_REST:
                break
        return None if found is None or self._cost_of(parts) > self._cost_of(first) else (pose, parts)

    def _cost_of(self, parts: Parts) -> float:
        """Robust cost, as if every pose covered as many pixels as the first."""
        return sum(part.cost * self._counts[name] / max(part.count, 1e-9) for name, part in parts.items())


def stay(pose: Pose, start: Pose, found: Spectrum) -> Pose:
    """The pose without what it moved from the start along directions that are not observed."""
    away_of = np.linalg.inv(found.directions)
    for _ in range(3):  # turns do not add up
        away = np.concatenate([pose.t_m2c - start.t_m2c, so3.log(pose.R_m2c @ start.R_m2c.T)])
        back = found.directions @ np.where(found.observed, 0.0, away_of @ away)
        pose = Pose(so3.exp(-back[3:]) @ pose.R_m2c, pose.t_m2c - back[:3])
    return pose


def gauss_newton(parts: Parts, before: Spectrum) -> F64:
    """-(sum H)^-1 (sum g) (6,) within the observed directions: in the others the pose stays."""
    basis = before.directions[:, before.observed]
    H = sum((part.step for part in parts.values()), np.zeros((6, 6)))
    g = sum((part.gradient for part in parts.values()), np.zeros(6))
    reduced = basis.T @ H @ basis
    damped = reduced + 1e-9 * np.trace(reduced) * np.eye(len(reduced))
    return np.asarray(-basis @ np.linalg.solve(damped, basis.T @ g))
