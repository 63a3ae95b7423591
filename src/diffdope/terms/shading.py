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
from diffdope.terms.base import LEAST_PIXELS, Comparison, median
from diffdope.terms.photometric import within_tiles
from diffdope.terms.photometric_gain import HOLD, HOLD_UNMASKED, PhotometricGain, colors_at, fit_gain

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

_ROUNDS = 2  # the line without slopes has told outliers already
_ALL_ROUNDS = 4  # where no line has
_WHOLE = 0.99  # coverage: the background is not mixed in


class Unshaded(NamedTuple):
    """rgb (H, W, 3): the photograph as if each surface faced as the object does on average; the light it is then in."""

    rgb: F32
    gain: PhotometricGain


def without_shading(
    images: RenderedImages, shape: Shape, pose: Pose, photo: F32, appearance: F32, gain: PhotometricGain, *,
    hold: float, held: float | None = None, rounds: int = _ROUNDS,
) -> Unshaded:  # fmt: skip
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
        held: the same of the slopes alone; None for `hold`.
        rounds: of reweighting.
    """
    coverage, triangle = images.coverage[0], images.triangle_id[0]
    pixels, lines, middle = coverage.size, np.zeros((5, 3)), np.zeros(3)
    lines[0], lines[1] = gain.gain, gain.bias
    facing, listed, flat = np.empty((*coverage.shape, 3), np.float32), np.empty(pixels, np.int64), np.empty_like(photo)
    from diffdope.terms.shading_kernel import remove_shading

    fitted = remove_shading(
        images.rgb[0].reshape(pixels, 3), readable(photo).reshape(pixels, 3), coverage.reshape(pixels),
        readable(appearance).reshape(pixels), triangle, shape, np.array(pose.R_m2c, order="C"), np.array(pose.t_m2c),
        rounds, hold, hold if held is None else held, facing, listed, np.empty((5, 6)), lines, middle,
        flat.reshape(pixels, 3),
    )  # fmt: skip
    if not fitted:
        return Unshaded(photo, gain)
    return Unshaded(flat, PhotometricGain(lines[0].copy(), lines[1].copy()))


class Explained(NamedTuple):
    """Shares of the photograph's variation that colours explain in a shaded light.

    overall: of absolute deviations from the median colour; within: of squares within tiles of a seventh of the object.
    0 where they explain less than none would: a right print that does not lie there yet is no worse than a wrong one.
    """

    overall: float
    within: float


def explained(images: RenderedImages, shape: Shape, pose: Pose, seen: Comparison) -> Explained | None:
    """What the colours of a pose explain, in the light and the shading that suit it; None where hardly a pixel shows.

    A correlation lets a contrast be as weak as it likes, so that any print beside a face in the shade explains more
    than a plain face does. Here light multiplies paint, faces may be lit as differently as they like, and the bias is
    held more strongly than they are: a print that the photograph does not show is an error, and no haze.

    Args:
        images: the pose, drawn.
        shape: of the mesh that was drawn.
        pose: that was drawn.
        seen: the same beside the photograph.
    """
    own = seen.own & (images.coverage[0] > _WHOLE)
    pixels, photo = np.flatnonzero(own), seen.crop.rgb
    if photo is None or len(pixels) < LEAST_PIXELS:
        return None
    model, observed = colors_at(images.rgb[0], pixels), colors_at(photo, pixels)
    gain = fit_gain(model.T, observed.T, with_bias=False)
    flat, light = without_shading(
        images, shape, pose, photo, own.astype(np.float32), gain, hold=HOLD_UNMASKED, held=HOLD, rounds=_ALL_ROUNDS
    )
    left = colors_at(flat, pixels) - light.gain[:, None] * model - light.bias[:, None]
    there = float(np.abs(observed - median(observed)[:, None]).sum())
    errors, details = (within_tiles(image, pixels, seen.own.shape[1]) for image in (left, observed))
    overall = 1.0 - float(np.abs(left).sum()) / max(there, 1e-9)
    within = 1.0 - float((errors**2).sum()) / max(float((details**2).sum()), 1e-9)
    return Explained(max(overall, 0.0), max(within, 0.0))
