"""Shading: light that changes with the direction a surface faces, a nuisance of the colours as gain and bias are.

    observed = (gain + slope . (n - m)) model + bias

for each channel, n the unit normal of what is drawn, in the camera's frame, and m its mean over the object. That is
light from all around and from one direction, on a matt surface: spherical harmonics of order 1 of the normals. Sources:
Basri and Jacobs, IEEE TPAMI 2003, and Ramamoorthi and Hanrahan, JOSA A 2001 (a matt surface in distant light).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.render.arrays import readable
from diffdope.render.kernels.layout import Shape
from diffdope.render.renderer import RenderedImages
from diffdope.terms.photometric_gain import SPREAD, PhotometricGain

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_ROUNDS = 2  # the line without slopes has told outliers already


class Unshaded(NamedTuple):
    """rgb (H, W, 3): the photograph as if each surface faced as the object does on average; the light it is then in."""

    rgb: F32
    gain: PhotometricGain


def without_shading(
    images: RenderedImages, shape: Shape, pose: Pose, photo: F32, appearance: F32, gain: PhotometricGain, *, hold: float
) -> Unshaded:
    """The photograph without the shading that fits best in a pose.

    Least absolute deviations by reweighted least squares, as of `fit_gain`. Slopes are held to 0, so that few pixels,
    or a face all of which has one normal, change nothing.

    Args:
        images: the pose, drawn.
        shape: of the mesh that was drawn.
        pose: that was drawn.
        photo: (H, W, 3) of the same crop.
        appearance: weights (H, W) of its pixels.
        gain: that fits best without shading.
        hold: how strongly the bias and the slopes are held to 0, as a share of what all pixels would say about them.
    """
    coverage, triangle = images.coverage[0], images.triangle_id[0]
    pixels, lines, middle = coverage.size, np.zeros((5, 3)), np.zeros(3)
    lines[0], lines[1] = gain.gain, gain.bias
    facing, listed, flat = np.empty((*coverage.shape, 3), np.float32), np.empty(pixels, np.int64), np.empty_like(photo)
    from diffdope.terms.shading_kernel import remove_shading

    fitted = remove_shading(
        images.rgb[0].reshape(pixels, 3), readable(photo).reshape(pixels, 3), coverage.reshape(pixels),
        readable(appearance).reshape(pixels), triangle, shape, np.array(pose.R_m2c, order="C"), np.array(pose.t_m2c),
        _ROUNDS, SPREAD, hold, hold, facing, listed, np.empty((5, 6)), lines, middle, flat.reshape(pixels, 3),
    )  # fmt: skip
    if not fitted:
        return Unshaded(photo, gain)
    return Unshaded(flat, PhotometricGain(lines[0].copy(), lines[1].copy()))
