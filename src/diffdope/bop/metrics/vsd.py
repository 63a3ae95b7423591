"""VSD, the visible surface discrepancy, from depth images (Hodan, Michel et al., ECCV 2018; BOP Challenge 2019)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.errors import as_floats, check_positive, check_shape, expected
from diffdope.geometry.camera import Camera

F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]

VSD_DELTA_M = 0.015
"""By how much a surface may lie behind the measured one and still count as seen; BOP has 5 mm for ITODD."""
VSD_TAUS = tuple(0.05 * k for k in range(1, 11))
"""Tolerances of BOP19, fractions of the diameter."""


def ray_lengths(camera: Camera) -> F64:
    """How far along its ray a pixel's centre lies at depth 1: distance / depth (H, W)."""
    x = (np.arange(camera.width) - camera.cx) / camera.fx
    y = (np.arange(camera.height) - camera.cy) / camera.fy
    return np.asarray(np.sqrt(1.0 + x * x + (y * y)[:, None]))


def visibility(model_distance_m: F64, observed_distance_m: F64, delta_m: float) -> Bools:
    """Where a model's surface is seen: not more than delta behind what was measured, or nothing was measured.

    The second is BOP19's choice; in ECCV 2018 a pixel without a measurement showed nothing.

    Args:
        model_distance_m: of the rendered model (..., H, W), 0 where it is not drawn.
        observed_distance_m: measured (..., H, W), 0 where missing.
        delta_m: tolerance, metres.
    """
    before = model_distance_m - observed_distance_m <= delta_m
    return np.asarray((model_distance_m > 0.0) & (before | (observed_distance_m == 0.0)))


def vsd_errors(
    estimate_depth_m: ArrayLike,
    truth_depth_m: ArrayLike,
    observed_depth_m: ArrayLike,
    camera: Camera,
    diameter_m: float,
    *,
    taus: ArrayLike = VSD_TAUS,
    delta_m: float = VSD_DELTA_M,
) -> F64:
    """VSD for every tolerance, (..., T) in [0, 1]: the share of seen pixels whose distances differ by tau or more.

    Seen is what the model shows in the estimate or in the truth; a pixel seen in one of the two only is an error.
    Step cost. 1 where neither shows anything. Only pixels where one of the two models is drawn count, so a crop that
    holds both drawings (clipped to the image) gives the same figure as the whole image.

    Args:
        estimate_depth_m: the model rendered in the estimated pose (..., H, W), metres, 0 where it is not drawn; one
            depth a pixel centre, not antialiased (`vsd_depth.HardDepth`).
        truth_depth_m: the same in the true pose; leading axes broadcast.
        observed_depth_m: measured depth, 0 where missing; leading axes broadcast.
        camera: of these images or of this crop.
        diameter_m: of the model, metres.
        taus: tolerances (T,), fractions of the diameter.
        delta_m: tolerance of the visibility, metres.

    Raises:
        DiffDopeError: if a shape is not the camera's, or a length or tolerance is not positive.
    """
    check_positive("diameter_m", diameter_m)
    check_positive("delta_m", delta_m)
    tolerances = np.atleast_1d(as_floats("taus", taus))
    if tolerances.ndim != 1 or not (tolerances > 0).all():
        raise expected("taus", "positive fractions (T,)", tolerances.tolist())
    names = ("estimate_depth_m", "truth_depth_m", "observed_depth_m")
    given = zip(names, (estimate_depth_m, truth_depth_m, observed_depth_m), strict=True)
    images = np.broadcast_arrays(*(_checked(name, depth_m, camera) for name, depth_m in given))
    shape, per_metre = images[0].shape[:-2], ray_lengths(camera)
    estimates, truths, seen = (image.reshape(-1, camera.height, camera.width) for image in images)
    errors = [
        _one_image(estimate, truth, observed, per_metre, diameter_m * tolerances, delta_m)
        for estimate, truth, observed in zip(estimates, truths, seen, strict=True)
    ]
    return np.array(errors).reshape(*shape, len(tolerances))


def _one_image(estimate: F64, truth: F64, observed: F64, per_metre: F64, taus_m: F64, delta_m: float) -> F64:
    drawn = (estimate > 0.0) | (truth > 0.0)
    lengths = per_metre[drawn]
    estimate, truth, observed = estimate[drawn] * lengths, truth[drawn] * lengths, observed[drawn] * lengths
    seen_true = visibility(truth, observed, delta_m)
    # What the truth shows there is seen, so a model drawn there is not taken for hidden (ECCVW 2016, eq. 14).
    seen_est = visibility(estimate, observed, delta_m) | (seen_true & (estimate > 0.0))
    both, union = seen_true & seen_est, np.count_nonzero(seen_true | seen_est)
    if union == 0:
        return np.ones(len(taus_m))
    apart = np.sort(np.abs(estimate[both] - truth[both]))
    right = np.searchsorted(apart, taus_m, side="left")  # how many are below tau
    return np.asarray(1.0 - right / union)


def _checked(name: str, depth_m: ArrayLike, camera: Camera) -> F64:
    z = as_floats(name, depth_m)
    check_shape(name, z, (*z.shape[:-2], camera.height, camera.width))
    if not (np.isfinite(z).all() and (z >= 0.0).all()):
        raise expected(name, "finite depths in metres, 0 where missing", "negative, NaN or infinite ones")
    return z
