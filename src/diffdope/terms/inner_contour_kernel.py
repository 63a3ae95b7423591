"""The loops of `terms/inner_contour.py`: creases and depth steps of a drawn object, within its outline."""

# mypy: allow-untyped-defs

import numpy as np
from numba import njit

from diffdope.render.kernels.options import ENTRY, KERNEL, SCALAR

_REACH = 3  # pixels on either side that must be covered
_BEND = 0.2  # share of the change of slope at a crease by which the slope may change beside it: else it is a curve
_AT_PX = 0.5  # a crease belongs to the pixel that it passes within this distance
_SIDE = 2  # pixels from a crease to the middle of the window in which the plane beside it is read off
_MARGIN = 0.99  # coverage of a pixel that no contour passes


@njit(**SCALAR)
def _q(depth, v, u):
    """1 / Z of a covered pixel: on a plane, it is linear in the picture."""
    return 1.0 / np.float64(depth[v, u])


@njit(**KERNEL)
def _within(coverage, depth, v, u):
    """Whether the object covers a pixel and all around it."""
    for j in range(-_REACH, _REACH + 1):
        for i in range(-_REACH, _REACH + 1):
            if coverage[v + j, u + i] < _MARGIN or depth[v + j, u + i] <= 0.0:
                return False
    return True


@njit(**SCALAR)
def _plane(depth, v, u):
    """1 / Z at a pixel and its slopes by u and v."""
    across = 0.5 * (_q(depth, v, u + 1) - _q(depth, v, u - 1))
    down = 0.5 * (_q(depth, v + 1, u) - _q(depth, v - 1, u))
    return _q(depth, v, u), across, down


@njit(**SCALAR)
def _cosine(a, b, v, u, v2, u2, fx, fy, cx, cy):
    """Cosine of the angle between the planes a and b of 1 / Z, each (value, slope by u, slope by v) at its pixel."""
    # n . X = 1 on a plane, so that 1 / Z = n . (x, y, 1) with x = (u - cx) / fx.
    ax, ay = a[1] * fx, a[2] * fy
    bx, by = b[1] * fx, b[2] * fy
    az = a[0] - a[1] * (u - cx) - a[2] * (v - cy)
    bz = b[0] - b[1] * (u2 - cx) - b[2] * (v2 - cy)
    both = (ax * ax + ay * ay + az * az) * (bx * bx + by * by + bz * bz)
    return (ax * bx + ay * by + az * bz) / np.sqrt(max(both, 1e-30))


@njit(**SCALAR)
def _bend(depth, v, u, j, i):
    """How much the slope of 1 / Z changes within three pixels in a direction."""
    return abs(_q(depth, v + j, u + i) - 2.0 * _q(depth, v, u) + _q(depth, v - j, u - i))


@njit(**KERNEL)
def _crease(depth, v, u, j, i, least_cosine, fx, fy, cx, cy):
    """Of a crease across a direction (i, j): normal (nx, ny) in the picture, offset along it; offset 9 if none."""
    v1, u1, v2, u2 = v - _SIDE * j, u - _SIDE * i, v + _SIDE * j, u + _SIDE * i
    first, second = _plane(depth, v1, u1), _plane(depth, v2, u2)
    if _cosine(first, second, v1, u1, v2, u2, fx, fy, cx, cy) > least_cosine:
        return 0.0, 0.0, 9.0
    gu, gv = second[1] - first[1], second[2] - first[2]
    length = np.sqrt(gu * gu + gv * gv)
    if abs(gu * i + gv * j) < 0.7 * length or length <= 0.0:  # it runs along the direction rather than across
        return 0.0, 0.0, 9.0
    if max(_bend(depth, v1, u1, j, i), _bend(depth, v2, u2, j, i)) > _BEND * length:
        return 0.0, 0.0, 9.0
    # Where both planes meet.
    here = (second[0] - second[1] * (u2 - u) - second[2] * (v2 - v)) - (
        first[0] - first[1] * (u1 - u) - first[2] * (v1 - v)
    )
    return gu / length, gv / length, -here / length


@njit(**KERNEL)
def _step(depth, gauss, variance, v, u, step_m):
    """Of a depth step beside a pixel of the nearer surface: normal towards the farther one, and offset; 9 if none."""
    z, farther = np.float64(depth[v, u]), 0.0
    for k in range(4):
        j, i = (1 - k // 2) * (2 * (k % 2) - 1), (k // 2) * (2 * (k % 2) - 1)
        expected = 2.0 / z - _q(depth, v - j, u - i)  # as the surface goes on
        beyond = np.float64(depth[v + j, u + i])
        if beyond - z > step_m and 1.0 / beyond < expected and beyond - 1.0 / max(expected, 1e-9) > step_m:
            farther = max(farther, beyond)
    if farther == 0.0:
        return 0.0, 0.0, 9.0
    halfway = 0.5 * (z + farther)
    n = len(gauss) // 2
    level, across, down = 0.0, 0.0, 0.0
    for j in range(-n, n + 1):
        for i in range(-n, n + 1):
            if depth[v + j, u + i] < halfway:
                weight = gauss[j + n] * gauss[i + n]
                level += weight
                across += weight * i
                down += weight * j
    across, down = across / variance, down / variance
    length = max(np.sqrt(across * across + down * down), 1e-6)
    off = min(max((level - 0.5) / length, -1.5), 1.5)
    return -across / length, -down / length, off


@njit(**ENTRY)
def find_inner(coverage, depth, gauss, variance, least_cosine, step_m, fx, fy, cx, cy, place, normal, point, count):
    """Points of creases and depth steps within an outline, sub-pixel; filled as `find_outline` fills its own.

    least_cosine: of the angle between the faces of a crease, those that are flatter are none; step_m: of a depth step,
    at least. gauss (2 n + 1,), n at most 3: weights of the smoothing of steps, of that variance.
    """
    height, width = coverage.shape
    found, most = 0, len(place)
    for v in range(_REACH + 1, height - _REACH - 1):
        for u in range(_REACH + 1, width - _REACH - 1):
            if found == most or coverage[v, u] < _MARGIN or not _within(coverage, depth, v, u):
                continue
            nx, ny, off = _step(depth, gauss, variance, v, u, step_m)
            if off > 2.0:
                nx, ny, off = _crease(depth, v, u, 0, 1, least_cosine, fx, fy, cx, cy)
                if abs(off) > _AT_PX:
                    nx, ny, off = _crease(depth, v, u, 1, 0, least_cosine, fx, fy, cx, cy)
                if abs(off) > _AT_PX:
                    continue
            z = depth[v, u]
            normal[found, 0], normal[found, 1] = nx, ny
            place[found, 0], place[found, 1] = u + off * nx, v + off * ny
            point[found, 0] = (place[found, 0] - cx) / fx * z
            point[found, 1] = (place[found, 1] - cy) / fy * z
            point[found, 2] = z
            found += 1
    count[0] = found
