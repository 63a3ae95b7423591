"""Sums over pixels for `regression.py`: moments, scores, and what facets pretend, in chunks that stay in the cache.

A modality is `rows` (C, K + 7, N): for each channel and pixel the K <= 2 columns of the light, the residual, and the
Jacobian. `light` (C, K, 7) is what the light's columns explain of the residual and of each column of the Jacobian.
`room` (ROOM, CHUNK) is for what lies in between. Sums are float32 within a chunk and float64 across chunks.

Residuals are weighed by Huber's M-estimator. Beside least absolute deviations, whose efficiency under Gaussian noise is
2 / pi, it has 95 % with the bound below, and an outlier still pulls no harder than a residual of that bound. Source:
Huber and Ronchetti, Robust Statistics, 2nd edition, Wiley 2009, sections 4.5 (influence) and 7.6 (covariance).
"""

import numpy as np
from numba import njit

from diffdope.render.kernels.options import ENTRY, KERNEL, SCALAR

BOUND = 1.345
"""In standard deviations: residuals beyond it pull with constant force."""
CHUNK = 256
ROOM = 9
_BOUND = np.float32(BOUND)
_ONE, _HALF, _NONE = np.float32(1.0), np.float32(0.5), np.float32(0.0)


@njit(**SCALAR)
def weight_of(u, strict):
    """Huber's psi(u) / u, or, strict, psi'(u)."""
    if strict:
        return _ONE if abs(u) < _BOUND else _NONE
    return _BOUND / max(abs(u), _BOUND)


@njit(**KERNEL)
def dot(one, other):
    """Of two pieces of rows."""
    total = _NONE
    for i in range(len(one)):
        total += one[i] * other[i]
    return total


@njit(**KERNEL)
def left_by(rows, light, row, column, first, out):
    """A piece of a row of one channel, less what the light explains of it (its `column` of 7)."""
    piece = rows[row, first : first + len(out)]
    for i in range(len(out)):
        out[i] = piece[i]
    for k in range(len(light)):
        share, piece = np.float32(light[k, column]), rows[k, first : first + len(out)]
        for i in range(len(out)):
            out[i] -= share * piece[i]


@njit(**KERNEL)
def times(factor, row, out):
    """A piece of a row, weighed."""
    for i in range(len(out)):
        out[i] = factor[i] * row[i]


@njit(**KERNEL)
def mirror(total):
    """Fills the lower triangle."""
    for a in range(len(total)):
        for b in range(a):
            total[a, b] = total[b, a]


@njit(**KERNEL)
def sum_moments(rows, weight, light, scale, unit, strict, room, inner):
    """Moments (K + 7, K + 7) of one channel's rows, with Huber's weights at the residuals less the light."""
    n_rows, n = rows.shape
    inverse = np.float32(1.0 / scale)
    inner[:] = 0.0
    for first in range(0, n, CHUNK):
        count = min(CHUNK, n - first)
        w, own, product = room[0, :count], weight[first : first + count], room[1, :count]
        left_by(rows, light, n_rows - 7, 0, first, w)
        for i in range(count):
            w[i] = weight_of(w[i] * inverse, strict) * own[i] * unit
        for a in range(n_rows):
            times(w, rows[a, first : first + count], product)
            for b in range(a, n_rows):
                inner[a, b] += dot(product, rows[b, first : first + count])
    mirror(inner)


@njit(**KERNEL)
def find_light(inner, weak, light):
    """The light (K, 7) of one channel from its moments; `weak` is its prior precision."""
    if len(light) == 1:
        for j in range(7):
            light[0, j] = inner[0, 1 + j] / (inner[0, 0] + weak)
    elif len(light) == 2:
        a, b, c = inner[0, 0] + weak, inner[0, 1], inner[1, 1] + weak
        determinant = a * c - b * b
        for j in range(7):
            p, q = inner[0, 2 + j], inner[1, 2 + j]
            light[0, j], light[1, j] = (c * p - b * q) / determinant, (a * q - b * p) / determinant


@njit(**ENTRY)
def sum_channels(rows, weight, light, scale, unit, rounds, strict, weak, room, inner, total):
    """Moments (7, 7) of residual and Jacobian less the light, of all channels together; finds the light (C, K, 7).

    Args:
        rows: (C, K + 7, N).
        weight: (N,) of the pixels.
        light: (C, K, 7); the residuals start from its first column.
        scale: standard deviation of the residuals.
        unit: factor on all weights.
        rounds: of weighing by what the light leaves and finding it anew.
        strict: weighs by the slope of Huber's influence.
        weak: prior precision of the light.
        room: see above.
        inner: (K + 7, K + 7), room too.
        total: (7, 7), the result.
    """
    total[:] = 0.0
    k = light.shape[1]
    for c in range(len(rows)):
        for _ in range(rounds if k > 0 else 1):
            sum_moments(rows[c], weight, light[c], scale, unit, strict, room, inner)
            find_light(inner, weak, light[c])
        for i in range(7):
            for j in range(7):
                left = inner[k + i, k + j]
                for m in range(k):
                    left -= 0.5 * (inner[k + i, m] * light[c, m, j] + inner[k + j, m] * light[c, m, i])
                total[i, j] += left


@njit(**ENTRY)
def list_residuals(rows, light, out):
    """Residuals (C, N) less what the light explains."""
    for c in range(len(rows)):
        for first in range(0, rows.shape[2], CHUNK):
            piece = out[c, first : min(first + CHUNK, rows.shape[2])]
            left_by(rows[c], light[c], rows.shape[1] - 7, 0, first, piece)


@njit(**ENTRY)
def sum_loss(rows, weight, light, scale, room):
    """Huber's cost of all channels."""
    inverse, bound = np.float32(1.0 / scale), _BOUND
    total = np.float64(0.0)
    for c in range(len(rows)):
        for first in range(0, rows.shape[2], CHUNK):
            own = weight[first : first + CHUNK]
            u = room[0, : len(own)]
            left_by(rows[c], light[c], rows.shape[1] - 7, 0, first, u)
            part = np.float32(0.0)
            for i in range(len(own)):
                size = abs(u[i] * inverse)
                inside = min(size, bound)
                part += own[i] * inside * (size - _HALF * inside)
            total += part
    return total


@njit(**KERNEL)
def list_pieces(rows, weight, light, scale, units, first, room):
    """Of a chunk: influence, strict weight and the Jacobian in `units`, into the first eight rows of the room."""
    inverse, bound, at = np.float32(1.0 / scale), _BOUND, len(rows) - 7
    own = weight[first : first + CHUNK]
    count = len(own)
    pull, strict = room[0, :count], room[1, :count]
    left_by(rows, light, at, 0, first, pull)
    for i in range(count):
        u = pull[i] * inverse
        pull[i] = own[i] * min(max(u, -bound), bound)
        strict[i] = own[i] * weight_of(u, True)
    for j in range(6):
        out, factor = room[2 + j, :count], np.float32(units[j])
        left_by(rows, light, at + 1 + j, 1 + j, first, out)
        for i in range(count):
            out[i] *= factor
    return count


@njit(**ENTRY)
def sum_scores(rows, weight, light, scale, units, room, curvature, gradient):
    """Curvature (6, 6) with strict weights and gradient (6,) of the cost, the pose in `units` (6,), all channels."""
    curvature[:] = 0.0
    gradient[:] = 0.0
    for c in range(len(rows)):
        for first in range(0, rows.shape[2], CHUNK):
            count = list_pieces(rows[c], weight, light[c], scale, units, first, room)
            for a in range(6):
                gradient[a] += dot(room[2 + a, :count], room[0, :count])
                times(room[1, :count], room[2 + a, :count], room[8, :count])
                for b in range(a, 6):
                    curvature[a, b] += dot(room[8, :count], room[2 + b, :count])
    mirror(curvature)


@njit(**ENTRY)
def list_scores(rows, weight, light, scale, units, step, whiten, room, white):
    """Scores of the pixels, all channels, at the optimum that is a step away, whitened, into `white` (R, N).

    Args:
        rows: see above, as weight, light and room.
        weight: (N,).
        light: (C, K, 7).
        scale: of the residuals.
        units: (6,) of the pose.
        step: (6,) in them.
        whiten: (R, 6).
        room: (ROOM, CHUNK).
        white: the result.
    """
    white[:] = 0.0
    for c in range(len(rows)):
        for first in range(0, rows.shape[2], CHUNK):
            count = list_pieces(rows[c], weight, light[c], scale, units, first, room)
            along, pull = room[8, :count], room[0, :count]
            along[:] = 0.0
            for j in range(6):
                share, row = np.float32(step[j]), room[2 + j, :count]
                for i in range(count):
                    along[i] += share * row[i]
            for i in range(count):
                pull[i] -= room[1, i] * along[i]
            for r in range(len(whiten)):
                out = white[r, first : first + count]
                for j in range(6):
                    share, row = np.float32(whiten[r, j]), room[2 + j, :count]
                    for i in range(count):
                        out[i] += share * row[i] * pull[i]


@njit(**ENTRY)
def sum_tiles(white, pixel, width, tile, sums, seen):
    """Sums (T, R) of the scores (R, N) over tiles of a side, counted row by row; marks tiles that have pixels (T,).

    Returns:
        How many have.
    """
    sums[:] = 0.0
    seen[:] = 0
    across = (width - 1) // tile + 1
    for i in range(len(pixel)):
        y = pixel[i] // width
        number = y // tile * across + (pixel[i] - y * width) // tile
        seen[number] = 1
        for r in range(len(white)):
            sums[number, r] += white[r, i]
    return seen.sum()


@njit(**ENTRY)
def sum_leaning(rows, weight, light, scale, offset, lever, slide, ray, room, total):
    """J^T W J (6, 6) that facets would pretend if they leant by a radian, with strict weights; see `Part`.

    Args:
        rows: see above, as weight, light, scale and room.
        weight: (N,).
        light: (C, K, 7).
        scale: of the residuals.
        offset: (3, N) from the object's origin, metres.
        lever: (N,) of the pixels.
        slide: (6, N) Jacobian of the depth.
        ray: (3,) towards the object, its depth 1.
        room: (ROOM, CHUNK).
        total: the result.
    """
    total[:] = 0.0
    inverse, at = np.float32(1.0 / scale), rows.shape[1] - 7
    for first in range(0, rows.shape[2], CHUNK):
        own, reach = weight[first : first + CHUNK], lever[first : first + CHUNK]
        count = len(own)
        a, u = room[0, :count], room[1, :count]
        a[:] = 0.0
        for c in range(len(rows)):
            left_by(rows[c], light[c], at, 0, first, u)
            for i in range(count):
                u[i] = weight_of(u[i] * inverse, True)
            for j in range(3):
                row = rows[c, at + 1 + j, first : first + count]
                for i in range(count):
                    a[i] += u[i] * row[i] * row[i]
        for i in range(count):
            a[i] *= own[i] * reach[i]
        for axis in range(3):
            list_motion(axis, offset, slide, ray, first, room[2:8, :CHUNK], count)
            for p in range(6):
                times(a, room[2 + p, :count], room[8, :count])
                for q in range(p, 6):
                    total[p, q] += dot(room[8, :count], room[2 + q, :count])
    mirror(total)


@njit(**KERNEL)
def list_motion(axis, offset, slide, ray, first, out, count):
    """One coordinate of the motion across what is seen, d X / d (rho, phi) - ray d depth, by (rho, phi)."""
    for p in range(6):
        share, row, piece = np.float32(ray[axis]), slide[p, first : first + count], out[p, :count]
        for i in range(count):
            piece[i] = -share * row[i]
    piece = out[axis, :count]
    for i in range(count):
        piece[i] += _ONE
    one, other = (axis + 1) % 3, (axis + 2) % 3  # d X / d phi = -[offset]x
    row, piece = offset[other, first : first + count], out[3 + one, :count]
    for i in range(count):
        piece[i] += row[i]
    row, piece = offset[one, first : first + count], out[3 + other, :count]
    for i in range(count):
        piece[i] -= row[i]


@njit(**ENTRY)
def sum_pulls(rows, weight, scale, bias, room, total):
    """What errors `bias` (N,) of the residuals of one channel without light add to the gradient (6,)."""
    total[:] = 0.0
    inverse = np.float32(1.0 / scale)
    for first in range(0, rows.shape[2], CHUNK):
        own, error = weight[first : first + CHUNK], bias[first : first + CHUNK]
        a, residual = room[0, : len(own)], rows[0, 0, first : first + CHUNK]
        for i in range(len(own)):
            a[i] = weight_of(residual[i] * inverse, True) * own[i] * error[i]
        for j in range(6):
            total[j] += dot(a, rows[0, 1 + j, first : first + CHUNK])
