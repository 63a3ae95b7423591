"""The loop of `terms/keyframe.py`: colours of points of an object, against a photograph."""

# mypy: allow-untyped-defs

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.kernel_loading import njit
from diffdope.render.kernels.options import ENTRY, KERNEL, SCALAR
from diffdope.terms.smoothing_kernel import sampled_at

F64 = NDArray[np.float64]

LIGHTS = 5
"""Numbers of the light between two frames: gain, bias, and the change by the normal's three coordinates."""
_LEAST_GAIN, _MOST_GAIN = 0.5, 2.0  # of the light between two frames of a film
_SAME = 1e-2  # holds a gain of 1: a pattern of a tenth of the brightness tells another; faces do by their normals
_EVEN = 1e-4  # holds no change by normals: a hundredth of them, for a noise of a hundredth
_HELD = 1e6  # a gain that must not change
_TINY = 1e-9


class LightRoom(NamedTuple):
    """To work in: matrix (5, 5), right side (5,), light (5,) and one point's row (5,); slopes of its colours (3, 2)."""

    matrix: F64
    right: F64
    light: F64
    row: F64
    slopes: F64

    @classmethod
    def empty(cls) -> "LightRoom":
        """For one channel at a time."""
        square, slopes = np.empty((LIGHTS, LIGHTS)), np.empty((3, 2))
        return cls(square, np.empty(LIGHTS), np.empty(LIGHTS), np.empty(LIGHTS), slopes)


@njit(**KERNEL)
def _solve(A, b, x):
    """Fills x (5,), which solves A x = b for a positive definite A (5, 5): by Cholesky's factors, which replace A."""
    for j in range(LIGHTS):
        for k in range(j):
            A[j, j] -= A[j, k] * A[j, k]
        A[j, j] = np.sqrt(max(A[j, j], 1e-12))
        for i in range(j + 1, LIGHTS):
            for k in range(j):
                A[i, j] -= A[i, k] * A[j, k]
            A[i, j] /= A[j, j]
    for i in range(LIGHTS):
        x[i] = b[i]
        for k in range(i):
            x[i] -= A[i, k] * x[k]
        x[i] /= A[i, i]
    for i in range(LIGHTS - 1, -1, -1):
        for k in range(i + 1, LIGHTS):
            x[i] -= A[k, i] * x[k]
        x[i] /= A[i, i]


@njit(**KERNEL)
def _fit_light(observed, colours, normals, seen, c, usual, held, room):
    """Fills room.light with that of one channel, least squares; returns its gain, which is held to a usual one."""
    room.matrix[:] = 0.0
    room.right[:] = 0.0
    n = 0.0
    for i in range(len(colours)):
        if seen[i] == 0:
            continue
        n += 1.0
        room.row[0], room.row[1] = colours[i, c], 1.0
        room.row[2], room.row[3], room.row[4] = normals[i, 0], normals[i, 1], normals[i, 2]
        for j in range(LIGHTS):
            room.right[j] += room.row[j] * observed[i, c]
            for k in range(j + 1):
                room.matrix[j, k] += room.row[j] * room.row[k]
    n = max(n, 1.0)
    room.matrix[0, 0] += n * held
    room.right[0] += n * held * usual
    room.matrix[1, 1] += n * _TINY
    for j in range(2, LIGHTS):
        room.matrix[j, j] += n * _EVEN
    _solve(room.matrix, room.right, room.light)
    return room.light[0]


@njit(**KERNEL)
def _take_off_light(observed, colours, normals, seen, room):
    """Turns observed (N, 3) into what the light of this frame does not explain of it.

    In each channel, it is a gain and a bias on learned colours (N, 3), and a linear function of the normals (N, 3): as
    an object turns, each of its faces becomes brighter or darker, which is not its motion.
    """
    for c in range(3):
        gain = _fit_light(observed, colours, normals, seen, c, 1.0, _SAME, room)
        if gain < _LEAST_GAIN or gain > _MOST_GAIN:
            gain = min(max(gain, _LEAST_GAIN), _MOST_GAIN)
            _fit_light(observed, colours, normals, seen, c, gain, _HELD, room)
        for i in range(len(colours)):
            if seen[i] > 0:
                turned = (
                    room.light[2] * normals[i, 0] + room.light[3] * normals[i, 1] + room.light[4] * normals[i, 2]
                )  # fmt: skip
                observed[i, c] -= room.light[0] * colours[i, c] + room.light[1] + turned


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
def _squared(residual, i):
    """Squared distance of a point's colour from the learned one in the light of this frame."""
    return residual[i, 0] * residual[i, 0] + residual[i, 1] * residual[i, 1] + residual[i, 2] * residual[i, 2]


@njit(**ENTRY)
def count_fitting(
    smooth, coverage, depth, points, colours, normals, R, t, view, margin_m, fits, observed, seen, light, sums
):  # fmt: skip
    """Adds to sums (2,): points that are seen, and those whose colour fits; arguments as `sum_keyframe`."""
    _look(smooth, coverage, depth, points, R, t, view, margin_m, observed, seen)
    _take_off_light(observed, colours, normals, seen, light)
    for i in range(len(points)):
        if seen[i] == 0:
            continue
        sums[0] += 1.0
        if _squared(observed, i) < fits**2:
            sums[1] += 1.0


@njit(**ENTRY)
def sum_keyframe(
    smooth, coverage, depth, points, colours, normals, R, t, view, margin_m, tolerance, edge, row, observed, seen,
    light, slope, curvature, sums,
):  # fmt: skip
    """Normal equations of the points that are seen.

    smooth (H, W, 3): the photograph; coverage, depth (H, W): of the rendering at the pose R (3, 3), t (3,); points
    (N, 3) in the object's frame, their colours and normals (N, 3); view: fx, fy, cx, cy; margin_m: by which a point may
    lie behind the rendering; tolerance: a colour that is off by more counts as an outlier does (Cauchy);
    edge: change of colours over a pixel, the channels together, at which a point counts half.

    Fills row (6,), observed (N, 3), seen (N,) and light to work in; adds to slope (6,), curvature (6, 6), symmetric
    before, and sums (2,): points that are seen, weighted squared residuals.
    """
    _look(smooth, coverage, depth, points, R, t, view, margin_m, observed, seen)
    _take_off_light(observed, colours, normals, seen, light)
    fx, fy, cx, cy = view
    for i in range(len(points)):
        if seen[i] == 0:
            continue
        px = R[0, 0] * points[i, 0] + R[0, 1] * points[i, 1] + R[0, 2] * points[i, 2]
        py = R[1, 0] * points[i, 0] + R[1, 1] * points[i, 1] + R[1, 2] * points[i, 2]
        pz = R[2, 0] * points[i, 0] + R[2, 1] * points[i, 1] + R[2, 2] * points[i, 2]
        x, y, z = px + t[0], py + t[1], pz + t[2]
        u, v = fx * x / z + cx, fy * y / z + cy
        total = _squared(observed, i)
        steep = _TINY
        for c in range(3):
            light.slopes[c, 0] = sampled_at(smooth, v, u + 0.5, c) - sampled_at(smooth, v, u - 0.5, c)
            light.slopes[c, 1] = sampled_at(smooth, v + 0.5, u, c) - sampled_at(smooth, v - 0.5, u, c)
            steep += light.slopes[c, 0] * light.slopes[c, 0] + light.slopes[c, 1] * light.slopes[c, 1]
        weight = steep / (steep + edge**2) / (1.0 + total / tolerance**2)
        sums[0] += 1.0
        sums[1] += weight * total
        for c in range(3):
            off = observed[i, c]
            a, b = fx * light.slopes[c, 0] / z, fy * light.slopes[c, 1] / z
            row[0], row[1], row[2] = a, b, -(a * x + b * y) / z
            row[3] = py * row[2] - pz * row[1]
            row[4] = pz * row[0] - px * row[2]
            row[5] = px * row[1] - py * row[0]
            for j in range(6):
                slope[j] += weight * off * row[j]
                for k in range(j + 1):
                    curvature[j, k] += weight * row[j] * row[k]
    for j in range(6):
        for k in range(j):
            curvature[k, j] = curvature[j, k]
