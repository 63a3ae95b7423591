"""What a mask's own shape tells of its width: whether its border is off by as much all around.

A border that is some pixels outside of the object is nearly that of a nearer object, but for what no motion of the
object makes: a border that moves outwards by a pixel all around makes thin parts thicker by as much as thick ones, and
a nearer object grows by a share. So what is left between the border and the outline that follows it, point by point,
tells the width, as far as the border's own errors allow. Those of masks of networks are rough and alike along whole
stretches, and tell nothing; those of masks that are drawn, or whose border is a pixel's, hardly more than rounding.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.solve.robust import GAUSSIAN
from diffdope.terms.contour_points import ContourPoints
from diffdope.terms.outline_kernel import LEAST_POINTS

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_REACH_PX, _STEP_PX = 4.0, 0.5  # along a normal, of the crop: what something nearer hides is farther from the border
_CLEAR = 0.1  # of the mask's coverage that may lie on the other side, at the ends of a normal
_FREE = 5.0, 0.15, 20.0  # deviations beforehand: motions that follow a border, in half diameters, radians; pixels
_ROUNDS, _OUTLIER = 8, 3.0  # of reweighting, and deviations from which on Huber's loss is linear
_SECTORS = 32  # around the middle, whose points err on their own
_LEAST_PX = 0.05  # of the image, by which an exact border may be off as a whole: outlines are drawn by pixels
_ROUNDED_PX = 0.37  # robust deviation of errors that are uniform over a pixel: those of a border of whole pixels
_ROUGHER = 3.0  # times what a border is rougher than that, its width may be off: such errors are alike along stretches


class Width(NamedTuple):
    """By how many pixels of the image a mask's border lies outside of the object.

    Attributes:
        outside_px: by its shape.
        deviation_px: of that.
        least_px: deviation of the width of an exact mask that is as rough.
    """

    outside_px: float
    deviation_px: float
    least_px: float

    @property
    def fits(self) -> float:
        """How exactly the border follows the outline, from 0 to 1, where it is no rougher than rounding makes it."""
        return (_LEAST_PX / self.least_px) ** 2


def width_of(
    mask: F32, coverage: F32, points: ContourPoints, camera: Camera, pose: Pose, *, length_m: float, scale: float
) -> Width | None:  # fmt: skip
    """The width of a mask by its shape; None where hardly any of its border is at the outline.

    With d_i the way from the drawn outline to the border along the normal, J_i that of a motion of the object, and n_i
    the border's own errors: d_i = J_i xi + b + n_i, in robust least squares. The variance is that of the scores of
    sectors (a sandwich, Huber 1967; Liang and Zeger 1986), for neighbours err alike.

    Args:
        mask: (H, W) of the crop.
        coverage: (H, W) drawn.
        points: of the outline that is drawn.
        camera: of the crop.
        pose: that is drawn; it has followed the border.
        length_m: half the object's diameter.
        scale: pixels of the crop in one of the image.
    """
    way, at_border = _ways(mask, coverage, points)
    if np.count_nonzero(at_border) < LEAST_POINTS:
        return None
    units = np.repeat([length_m, 1.0], 3)
    jacobian = points.jacobian(camera, pose.t_m2c)[at_border] * units
    rows = np.hstack([jacobian, np.full((len(jacobian), 1), scale)])
    free = np.repeat(_FREE, [3, 3, 1])
    from_middle = points.place[at_border] - points.place.mean(axis=0)
    sector = np.floor((np.arctan2(*from_middle.T) / (2.0 * np.pi) + 0.5) * _SECTORS).astype(np.intp) % _SECTORS
    found, variance, rough = _fitted(rows, way[at_border], free, sector)
    least = _LEAST_PX**2 + _ROUGHER**2 * max((rough / scale) ** 2 - _ROUNDED_PX**2, 0.0)
    return Width(found, float(np.sqrt(variance + least)), float(np.sqrt(least)))


def _ways(mask: F32, coverage: F32, points: ContourPoints) -> tuple[F64, NDArray[np.bool_]]:
    """From the drawn outline to the mask's border (N,), pixels of the crop; and where both are met once."""
    from scipy.ndimage import map_coordinates

    height, width = mask.shape
    offsets = np.arange(-_REACH_PX, _REACH_PX + 0.5 * _STEP_PX, _STEP_PX)
    places = points.place[:, None] + offsets[:, None] * points.normal[:, None]
    once = np.all((places >= 0.0) & (places <= [width - 1.0, height - 1.0]), axis=(1, 2))
    within = []
    for image in (mask, coverage):
        along = map_coordinates(image, [places[..., 1], places[..., 0]], output=np.float64, order=1, mode="nearest")
        once &= (along[:, 0] > 1.0 - _CLEAR) & (along[:, -1] < _CLEAR)
        within.append(along.sum(axis=1))
    return np.asarray(_STEP_PX * (within[0] - within[1])), once


def _fitted(rows: F64, values: F64, free: F64, sector: NDArray[np.intp]) -> tuple[float, float, float]:
    """The last unknown of values (N,) = rows (N, K) x, its variance, and the robust deviation of what is left.

    Args:
        rows: of the unknowns.
        values: that they explain.
        free: (K,) deviations of the unknowns beforehand.
        sector: (N,) of each, whose errors are its own.
    """
    x, deviation = np.zeros(len(free)), np.inf
    for _ in range(_ROUNDS):
        left = values - rows @ x
        deviation = max(GAUSSIAN * float(np.median(np.abs(left))), _LEAST_PX)
        weight = 1.0 / np.maximum(np.abs(left) / (_OUTLIER * deviation), 1.0)
        prior = np.diag((deviation / free) ** 2)
        inverse = np.linalg.inv((rows * weight[:, None]).T @ rows + prior)
        x = inverse @ ((rows * weight[:, None]).T @ values)
    scores = np.zeros((_SECTORS, len(free)))
    np.add.at(scores, sector, rows * (weight * (values - rows @ x))[:, None])
    count = len(np.unique(sector))
    told = inverse[-1] @ scores.T
    variance = float(told @ told) * count / max(count - len(free), 1)
    variance += float(inverse[-1] @ prior @ inverse[-1]) * deviation**2
    return float(x[-1]), variance, deviation
