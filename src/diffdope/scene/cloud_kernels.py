"""Nearest points of a cloud for the points of many motions at once, compiled. Nothing here allocates."""

import numpy as np
from numba import njit

from diffdope.kernel_compiler import EXACT_ENTRY, EXACT_INNER


@njit(**EXACT_INNER)
def _nearest_of(x, y, z, points, first, last, best, at):
    for p in range(first, last):
        dx, dy, dz = points[p, 0] - x, points[p, 1] - y, points[p, 2] - z
        square = dx * dx + dy * dy + dz * dz
        if square < best:
            best, at = square, p
    return best, at


@njit(**EXACT_ENTRY)
def match(R, t, some, points, start, nearest_cell, low, size, shape, away, goal, product):
    """For each motion (M, 3, 3), (M, 3) of some points (N, 3): how far they are from the nearest points on average.

    Points (P, 3) are in the order of their cells (`start`); beyond the neighbouring cells, those of the nearest cell
    that is not empty are taken. Into away (M,), and into goal (M, 3) and product (M, 3, 3) the means of the nearest
    points and of their products with the points that were moved.
    """
    nx, ny, nz = shape[0], shape[1], shape[2]
    share = 1.0 / some.shape[0]
    for m in range(R.shape[0]):
        away[m], goal[m, :], product[m, :, :] = 0.0, 0.0, 0.0
        for n in range(some.shape[0]):
            a, b, c = some[n, 0], some[n, 1], some[n, 2]
            x = R[m, 0, 0] * a + R[m, 0, 1] * b + R[m, 0, 2] * c + t[m, 0]
            y = R[m, 1, 0] * a + R[m, 1, 1] * b + R[m, 1, 2] * c + t[m, 1]
            z = R[m, 2, 0] * a + R[m, 2, 1] * b + R[m, 2, 2] * c + t[m, 2]
            i = int(min(max((x - low[0]) / size, 0.0), nx - 1.0))
            j = int(min(max((y - low[1]) / size, 0.0), ny - 1.0))
            k = int(min(max((z - low[2]) / size, 0.0), nz - 1.0))
            best, at = np.inf, 0
            for u in range(max(i - 1, 0), min(i + 2, nx)):
                for v in range(max(j - 1, 0), min(j + 2, ny)):
                    row = (u * ny + v) * nz  # cells of a row are neighbours in memory, and so are their points
                    first, last = start[row + max(k - 1, 0)], start[row + min(k + 1, nz - 1) + 1]
                    best, at = _nearest_of(x, y, z, points, first, last, best, at)
            if best > size * size:
                cell = nearest_cell[(i * ny + j) * nz + k]
                best, at = _nearest_of(x, y, z, points, start[cell], start[cell + 1], best, at)
            away[m] += share * np.sqrt(best)
            for d in range(3):
                p = share * points[at, d]
                goal[m, d] += p
                product[m, d, 0] += p * a
                product[m, d, 1] += p * b
                product[m, d, 2] += p * c
