"""The loop of `terms/keyframe.py`: colours of points of an object, against a photograph."""

# mypy: allow-untyped-defs

import numpy as np
from numba import njit

from diffdope.render.kernels.options import ENTRY, KERNEL, SCALAR
from diffdope.terms.smoothing_kernel import sampled_at

_LEAST_GAIN, _MOST_GAIN = 0.5, 2.0  # of the light between two frames of a film


@njit(**KERNEL)
def _light(observed, colours, seen, light):
    """Fills light (2, 3): gain and bias of each channel that take colours (N, 3) to observed ones, least squares."""
    for c in range(3):
        n, s_c, s_i, s_cc, s_ci = 0.0, 0.0, 0.0, 0.0, 0.0
        for i in range(len(colours)):
            if seen[i] > 0:
                a, b = colours[i, c], observed[i, c]
                n, s_c, s_i, s_cc, s_ci = n + 1.0, s_c + a, s_i + b, s_cc + a * a, s_ci + a * b
        n = max(n, 1.0)
        # A flat prior of one grey step's variance: without a pattern, only the bias can be told.
        spread = s_cc / n - (s_c / n) ** 2 + 1e-4
        gain = (s_ci / n - s_c * s_i / n**2 + 1e-4) / spread
        gain = min(max(gain, _LEAST_GAIN), _MOST_GAIN)
        light[0, c], light[1, c] = gain, (s_i - gain * s_c) / n


@njit(**KERNEL)
def _look(smooth, coverage, depth, points, R, t, view, margin_m, observed, seen):
    """Fills observed (N, 3), the photograph's colours at the points, and seen (N,), 1 for those that are seen."""
    fx, fy, cx, cy = view
    height, width = coverage.shape
    for i in range(len(points)):
        x = R[0, 0] * points[i, 0] + R[0, 1] * points[i, 1] + R[0, 2] * points[i, 2] + t[0]
        y = R[1, 0] * points[i, 0] + R[1, 1] * points[i, 1] + R[1, 2] * points[i, 2] + t[1]
        z = R[2, 0] * points[i, 0] + R[2, 1] * points[i, 1] + R[2, 2] * points[i, 2] + t[2]
        seen[i] = 0
        if z <= 0.0:
            continue
        u, v = fx * x / z + cx, fy * y / z + cy
        column, line = int(np.floor(u + 0.5)), int(np.floor(v + 0.5))
        if column < 1 or line < 1 or column >= width - 1 or line >= height - 1:
            continue
        if coverage[line, column] <= 0.5 or z > depth[line, column] + margin_m:
            continue
        seen[i] = 1
        for c in range(3):
            observed[i, c] = sampled_at(smooth, v, u, c)


@njit(**SCALAR)
def _residual(observed, colours, light, i):
    """Squared distance of a point's colour from the learned one in the light of this frame."""
    total = 0.0
    for c in range(3):
        off = observed[i, c] - light[0, c] * colours[i, c] - light[1, c]
        total += off * off
    return total


@njit(**ENTRY)
def count_fitting(smooth, coverage, depth, points, colours, R, t, view, margin_m, fits, observed, seen, light, sums):
    """Adds to sums (2,): points that are seen, and those whose colour fits; arguments as `sum_keyframe`."""
    _look(smooth, coverage, depth, points, R, t, view, margin_m, observed, seen)
    _light(observed, colours, seen, light)
    for i in range(len(points)):
        if seen[i] == 0:
            continue
        sums[0] += 1.0
        if _residual(observed, colours, light, i) < fits**2:
            sums[1] += 1.0


@njit(**ENTRY)
def sum_keyframe(
    smooth, coverage, depth, points, colours, R, t, view, margin_m, tolerance, row, observed, seen, light, slope,
    curvature, sums,
):  # fmt: skip
    """Normal equations of the points that are seen.

    smooth (H, W, 3): the photograph; coverage, depth (H, W): of the rendering at the pose R (3, 3), t (3,); points
    (N, 3) in the object's frame, and their colours (N, 3); view: fx, fy, cx, cy; margin_m: by which a point may lie
    behind the rendering; tolerance: a colour that is off by more counts as an outlier does (Cauchy).

    Fills row (6,), observed (N, 3), seen (N,) and light (2, 3) to work in; adds to slope (6,), curvature (6, 6), and
    sums (2,): points that are seen, weighted squared residuals.
    """
    _look(smooth, coverage, depth, points, R, t, view, margin_m, observed, seen)
    _light(observed, colours, seen, light)
    fx, fy, cx, cy = view
    for i in range(len(points)):
        if seen[i] == 0:
            continue
        px = R[0, 0] * points[i, 0] + R[0, 1] * points[i, 1] + R[0, 2] * points[i, 2]
        py = R[1, 0] * points[i, 0] + R[1, 1] * points[i, 1] + R[1, 2] * points[i, 2]
        pz = R[2, 0] * points[i, 0] + R[2, 1] * points[i, 1] + R[2, 2] * points[i, 2]
        x, y, z = px + t[0], py + t[1], pz + t[2]
        u, v = fx * x / z + cx, fy * y / z + cy
        total = _residual(observed, colours, light, i)
        weight = 1.0 / (1.0 + total / tolerance**2)
        sums[0] += 1.0
        sums[1] += weight * total
        for c in range(3):
            off = observed[i, c] - light[0, c] * colours[i, c] - light[1, c]
            across = sampled_at(smooth, v, u + 0.5, c) - sampled_at(smooth, v, u - 0.5, c)
            down = sampled_at(smooth, v + 0.5, u, c) - sampled_at(smooth, v - 0.5, u, c)
            a, b = fx * across / z, fy * down / z
            row[0], row[1], row[2] = a, b, -(a * x + b * y) / z
            row[3] = py * row[2] - pz * row[1]
            row[4] = pz * row[0] - px * row[2]
            row[5] = px * row[1] - py * row[0]
            for j in range(6):
                slope[j] += weight * off * row[j]
                for k in range(6):
                    curvature[j, k] += weight * row[j] * row[k]
