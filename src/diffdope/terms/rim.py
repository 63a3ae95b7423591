"""Pixels of the rim as a mixture of the object's colour and the background's: what holds the outline without a bias.

A pixel that an outline crosses shows alpha F + (1 - alpha) B: the object's colour F as it is drawn, in the light of the
photograph, and the background's B, which is read just outside of the outline. How much of F there is along a normal,
summed up, says where the outline is, whatever the blur, and of a contrast of either sign. Statistics of colours
over a whole picture take a mixed pixel for the background's, whose colours are many, and a price for pixels that are
left uncovered takes it for the object's. Mixtures along a contour: Hanek and Beetz, The contracting curve density
algorithm, IJCV 2004.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.terms.base import Rendering
from diffdope.terms.contour_kernel import OutlinePoints
from diffdope.terms.contour_points import view_of, writable
from diffdope.terms.outline_kernel import LEAST_POINTS, count_outline
from diffdope.terms.photometric_gain import PhotometricGain
from diffdope.terms.quadratic_factor import QuadraticFactor
from diffdope.terms.rim_kernel import WIDEST_PX, RimRoom, sum_rims

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_DEVIATION_PX = 0.15  # of rims beside each other, at the truth of drawn films and photographs: 0.1 to 0.2
_SHARED_PX = 0.05  # and all around: 0.01 (films) to 0.08 (path-traced photographs)
_INDEPENDENT = 10.0  # pieces of an outline whose rims err on their own, each as long as the background's pattern


class RimEvidence(NamedTuple):
    """What rims say of a pose: half of squared errors over their variances, and what one deviation of an error that
    all of them share adds to the gradient (6,)."""

    factor: QuadraticFactor
    pull: F64


@dataclass(frozen=True)
class Rims:
    """Of one crop of a photograph.

    Attributes:
        rgb: the photograph (H, W, 3).
        camera: of the crop.
        gain: the light that turns drawn colours into the photograph's.
        weight: what an outline pays that is one pixel off clear rims all around.
    """

    rgb: F32
    camera: Camera
    gain: PhotometricGain
    weight: float

    def factor(self, images: Rendering, pose: Pose, reach_px: float = WIDEST_PX) -> QuadraticFactor | None:
        """Where the rims would move a pose that was drawn; None if it has hardly any outline, or nothing is looked at.

        Args:
            images: the drawing.
            pose: the pose.
            reach_px: to both sides of the outline, where colours may be mixed, at most `WIDEST_PX`: as far as the pose
                may be off, and the blur; 0 for nothing. The background beyond it stands for that within, which is
                another one where it has a pattern, or the object's shadow.
        """
        found = self._summed(images, pose, reach_px) if reach_px > 0.0 else None
        return None if found is None else found[0]

    def evidence(self, images: Rendering, pose: Pose, reach_px: float = WIDEST_PX) -> RimEvidence | None:
        """The same as what the rims know of the pose, whatever their weight; for the arguments see `factor`."""
        found = self._summed(images, pose, reach_px)
        if found is None:
            return None
        one, shared = found
        known = _INDEPENDENT / (2.0 * self.weight * _DEVIATION_PX**2)
        factor = QuadraticFactor(pose, known * one.slope, known * one.curvature, known * one.constant)
        return RimEvidence(factor, known * _SHARED_PX * shared)

    def _summed(self, images: Rendering, pose: Pose, reach_px: float) -> tuple[QuadraticFactor, F64] | None:
        """The factor, and by how much its slope falls (6,) if all rims are a pixel farther outwards."""
        coverage, depth = writable(images.coverage), writable(images.depth)
        most = count_outline(coverage, depth)
        if most < LEAST_POINTS:
            return None
        slope, curvature, shared, sums = np.zeros(6), np.zeros((6, 6)), np.zeros(6), np.zeros(2)
        points = sum_rims(
            writable(self.rgb), writable(images.rgb), coverage, depth, np.stack([self.gain.gain, self.gain.bias]),
            view_of(self.camera), pose.t_m2c.copy(), float(reach_px), OutlinePoints.of(most), RimRoom.empty(),
            slope, curvature, shared, sums,
        )  # fmt: skip
        twice = 2.0 * self.weight / points
        factor = QuadraticFactor(pose, twice * slope, twice * curvature, self.weight / points * float(sums[0]))
        return factor, twice * shared
