"""The objective at one pose as a robust regression: what each modality says about the pose, and how surely.

Three things make it more than J^T J / sigma^2. The light, which all pixels share, is an unknown of its own, eliminated
(its correction: what was fitted before was fitted at another pose). Residuals of neighbouring pixels are not
independent: sums of scores over tiles say how much less they know together (a sandwich estimate with clusters, Liang
and Zeger 1986). And the facets of a mesh lean away from the surface they stand for, which must not be taken for shape:
a ball of triangles would feel its turn.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.channels import Channels, SeenSurface, rows_of
from diffdope.estimate.equations_kernel import NEGLIGIBLE
from diffdope.problem.level_problem import GainModel
from diffdope.problem.linearised import Linearised, ResidualBlock
from diffdope.solve import robust
from diffdope.terms.base import PixelGeometry
from diffdope.terms.registry import BY_NAME, NoiseSettings

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_LEANING = 4.0  # variance: the visible part of a mesh may lean twice as far as the average of the whole


def _motion() -> F64:
    """B (3, 6, 10): dX_k = B_k (1, offset) by (rho, phi), for d X / d (rho, phi) = [I, -[offset]x]."""
    B = np.zeros((3, 6, 10))
    for k in range(3):
        one, other = (k + 1) % 3, (k + 2) % 3
        B[k, k, 0], B[k, 3 + one, 1 + other], B[k, 3 + other, 1 + one] = 1.0, 1.0, -1.0
    return B


_MOTION, _SLIDE = _motion(), np.eye(6, 10, 4)
_ALONG_VIEW = np.eye(6, dtype=np.float32)[2][:, None]


@dataclass(frozen=True)
class RegressionContext:
    """What the regression needs to know beside the images.

    distance_m: of the object; pixel_m: length of a pixel there; length_m: half the diameter; tilt: of the mesh's
    facets [rad]; width: of the crop in pixels; light: what was fitted of it; ray (3,) towards the object, its depth 1.
    """

    distance_m: float
    pixel_m: float
    length_m: float
    tilt: float
    width: int
    light: GainModel
    ray: F64

    @property
    def units(self) -> F64:
        """(6,) multiplies (rho / length, phi)."""
        return np.array([self.length_m] * 3 + [1.0] * 3)


class RobustScale(NamedTuple):
    """What is known of a modality from another pose close by.

    scale: standard deviation; correlation: variance over that of single pixels, both held while the pose moves;
    light: (C, K) of each channel, from which its own is found in one round.
    """

    scale: float
    correlation: float
    light: F64


class Information(NamedTuple):
    """Of one modality.

    matrix (6, 6); tessellation (6, 6): as much may be the facets'; pull (6,): what one deviation of an error that the
    whole object shares adds to the gradient.
    """

    matrix: F64
    tessellation: F64
    pull: F64


class TermEquations:
    """One modality at one pose.

    Args:
        name: of the modality.
        block: its residuals and Jacobians.
        view: see there.
        noise: what is known about errors.
        known: scale and correlation to hold; estimated if missing.

    Attributes:
        gradient: (6,) of the cost.
        step: (6, 6) curvature for Gauss-Newton, in (rho [m], phi [rad]) as all of them.
        cost: Huber's, over the correlation.
        count: sum of the pixels' weights.
        known: the scale, the correlation and the lights.
    """

    def __init__(
        self,
        name: str,
        block: ResidualBlock,
        view: RegressionContext,
        noise: NoiseSettings,
        known: RobustScale | None = None,
    ) -> None:
        self.name, self._block, self._view, self._noise = name, block, view, noise
        self._independent: Information | None = None
        weight = np.ascontiguousarray(block.weight, np.float32)
        lights, common = None if known is None else known.light, self._unknown()
        self._channels = Channels(rows_of(name, block, view.light, common), weight, lights)
        self.count = float(weight.sum())
        scale, correlation = self._estimate(BY_NAME[name].least_deviation(noise)) if known is None else known[:2]
        unit = 1.0 / (scale * scale * correlation)
        if known is None:
            self._channels.fit_lights(scale, unit)
        moments, loss = self._channels.reduce(scale, unit)
        self.known = RobustScale(scale, correlation, self._channels.lights[:, :, 0].copy())
        self.gradient, self.step = moments[0, 1:], moments[1:, 1:]
        self.cost = loss / correlation
        if common is not None:
            self.cost += self._channels.penalty

    def _estimate(self, least: float) -> tuple[float, float]:
        """Scale and correlation of the residuals."""
        channels = self._channels
        there = channels.weight > 0.0
        everywhere, shared = bool(there.all()), channels.shared > 0
        scale = least
        for last in (False, True) if shared else (True,):
            sizes = channels.residuals
            scale = robust.scale(sizes if everywhere else sizes[:, there], least)
            if not last:
                channels.fit_lights(scale, 1.0 / (scale * scale))
        if shared:
            channels.reduce(scale, 1.0 / (scale * scale))
        view = self._view
        return scale, channels.correlation(scale, view.units, self._block.pixel, view.width, self._noise.tiles)

    def moved(self, step: F64) -> TermEquations:
        """The same after a step (6,) that is so short that the cost is quadratic along it."""
        other, bend = copy(self), self.step @ step
        other.gradient, other.cost = self.gradient + bend, self.cost + float(step @ (self.gradient + 0.5 * bend))
        return other

    def held_to(self, most: float) -> TermEquations:
        """The same, as if its residuals were so correlated that it says no more of a shift across the view.

        Args:
            most: information on a shift, 1 / m^2: its errors are shared by all of it then.
        """
        says = 0.5 * float(self.step[0, 0] + self.step[1, 1])
        if says <= most:
            return self
        other, share = copy(self), most / says
        other.gradient, other.step, other.cost = share * self.gradient, share * self.step, share * self.cost
        other.known = self.known._replace(correlation=self.known.correlation / share)
        return other

    def information(self, *, correlated: bool = True, near: TermEquations | None = None) -> Information:
        """What the modality says about the pose.

        Args:
            correlated: False to take residuals for independent, as long as the pose is not final.
            near: the same at another pose close by, whose sums of independent residuals will do; None for its own.
        """
        if not correlated:
            return (self if near is None else near)._of_independent()
        share = 1.0 / (self.known.correlation * max(1.0, self.birge_ratio))
        if near is None:
            return self._inform(share * self.known.scale**-2.0)
        known = near._of_independent()
        return Information(share * known.matrix, share * known.tessellation, share * known.pull)

    def _of_independent(self) -> Information:
        """The same of residuals that are independent; worked out once."""
        if self._independent is None:
            self._independent = self._inform(self.known.scale**-2.0)
        return self._independent

    def _inform(self, unit: float) -> Information:
        block, slide = self._block, self._block.depth_jacobian
        if slide is None:
            slide = np.broadcast_to(_ALONG_VIEW, (6, len(block.pixel)))
        sensitivity, offset, slide = map(np.ascontiguousarray, (block.normal_sensitivity, block.offset, slide))
        surface = SeenSurface(sensitivity, offset, slide, _LEANING * self._view.tilt**2)
        # What is shared and no light is propagated to the pose: colours may say less of it than facets pretend.
        known = self._channels.inform(self.known.scale, unit, surface, light=self.name == "rgb")
        bias, pull = self._bias(), np.zeros(6)
        if bias is not None:
            pull += unit * (self._channels.rows[0, -6:] @ (known.weights[0] * bias))
        return Information(known.matrix, unit * self._leaning(known.leaning), pull)

    @property
    def birge_ratio(self) -> float:
        """How hard the modality pulls at the pose, against what its own errors explain: 1 if they explain it all.

        More is what nothing else tells: that its errors are shared by the whole object, or that it was outvoted. As
        with measurements that disagree (Birge 1932), it is taken for larger errors of its own.
        """
        units = self._view.units
        values, vectors = np.linalg.eigh(self.step * np.outer(units, units))
        seen = values > NEGLIGIBLE * max(values[-1], 1e-300)
        along = vectors[:, seen].T @ (self.gradient * units)
        return float((along**2 / values[seen]).sum() / max(int(seen.sum()), 1))

    def _bias(self) -> F32 | None:
        """(N,) what one deviation of an error that the whole object shares adds to the residuals; None for nothing."""
        return BY_NAME[self.name].common_error(self._block.jacobian, self._noise, self._geometry)

    def _unknown(self) -> F32 | None:
        """(N,) the same of an error that is an unknown of the regression."""
        return BY_NAME[self.name].unknown_error(self._block.jacobian, self._noise, self._geometry)

    @property
    def _geometry(self) -> PixelGeometry:
        return PixelGeometry(self._view.distance_m, self._view.pixel_m)

    def _leaning(self, moments: F64) -> F64:
        """J^T W J that leaning facets would pretend: in each row tilt^2 |m|^2, m the motion across what is seen there.

        A normal n + e instead of n changes the depth n . dX / n . v by e . m / n . v with m = dX - v dZ, v the ray and
        dZ the depth's change: going along the ray does not slide over the surface. An outline only does not notice a
        shift along the ray.

        Args:
            moments: (10, 10) of offset and depth's change, see `equations_kernel.inform`.
        """
        B = _MOTION - self._view.ray[:, None, None] * _SLIDE
        return np.asarray(_LEANING * self._view.tilt**2 * (B @ moments @ B.transpose(0, 2, 1)).sum(axis=0))


def regress(
    linearised: Linearised,
    view: RegressionContext,
    noise: NoiseSettings,
    known: Mapping[str, RobustScale] | None = None,
) -> dict[str, TermEquations]:
    """Normal equations of each modality at the pose where it was linearised; for the arguments see `TermEquations`."""
    held = {} if known is None else known
    return {name: TermEquations(name, block, view, noise, held.get(name)) for name, block in linearised.blocks.items()}
