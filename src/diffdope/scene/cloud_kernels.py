"""Nearest points of a cloud for the points of many motions at once, compiled. Nothing here allocates."""

# mypy: allow-untyped-defs

import numpy as np

from diffdope.kernel_compiler import EXACT_ENTRY, EXACT_INNER
from diffdope.kernel_loading import njit


@njit(**EXACT_INNER)
def _nearest_of(x, y, z, points, first, last, best, at):
    for p in range(first, last):
        dx, dy, dz = points[p, 0] - x, points[p, 1] - y, points[p, 2] - z
        square = dx * dx + dy * dy + dz * dz
        if square < best:
            best, at = square, p
    return best, at


@njit(**EXACT_INNER)
def _beside(x, low, size):
    """Squared distance of a number from an interval, a little less than it is, so that rounding leaves out nothing."""
    away = max(low - x, x - low - size, 0.0)
    return 0.999 * away * away


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
            low_k, high_k = max(k - 1, 0), min(k + 1, nz - 1) + 1
            row = (i * ny + j) * nz  # cells of a row are neighbours in memory, and so are their points
            best, at = _nearest_of(x, y, z, points, start[row + low_k], start[row + high_k], np.inf, 0)
            for u in range(max(i - 1, 0), min(i + 2, nx)):
                across = _beside(x, low[0] + size * u, size)
                for v in range(max(j - 1, 0), min(j + 2, ny)):
                    if across + _beside(y, low[1] + size * v, size) < best and (u != i or v != j):
                        row = (u * ny + v) * nz
                        best, at = _nearest_of(x, y, z, points, start[row + low_k], start[row + high_k], best, at)
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


@njit(**EXACT_INNER)
def _nearest_facing(x, y, z, vx, vy, vz, points, normals, first, last, best, at):
    """The nearest of some points whose normal is turned against a direction (vx, vy, vz)."""
    for p in range(first, last):
        dx, dy, dz = points[p, 0] - x, points[p, 1] - y, points[p, 2] - z
        square = dx * dx + dy * dy + dz * dz
        if square < best and normals[p, 0] * vx + normals[p, 1] * vy + normals[p, 2] * vz < 0.0:
            best, at = square, p
    return best, at


@njit(**EXACT_INNER)
def sum_planes(
    seen, R, t, points, normals, start, nearest_cell, low, size, shape, scale, limit, row, curvature, slope
):  # fmt: skip
    """The normal equations of the distances of seen points from the planes of their nearest points, at one pose.

    seen (N, 3): in the camera's frame; R (3, 3), t (3,): the pose; points, normals (P, 3): of the surface, in the order
    of their cells (`start`), of which those count that are turned to the camera; nearest_cell, low, size, shape: of the
    cells; scale: distance at which a point counts a quarter (Geman and McClure 1985); limit: distance beyond which it
    does not count; row (6,): scratch. Into curvature (6, 6) and slope (6,), by a motion (a, omega) of the seen points
    in the model's frame, p -> p + a + omega x p, per point. Returns the mean distance, of each `limit` at most.
    """
    nx, ny, nz = shape[0], shape[1], shape[2]
    share, away, inverse = 1.0 / seen.shape[0], 0.0, 1.0 / (scale * scale)
    slope[:], curvature[:, :] = 0.0, 0.0
    for n in range(seen.shape[0]):
        px, py, pz = seen[n, 0], seen[n, 1], seen[n, 2]
        a, b, c = px - t[0], py - t[1], pz - t[2]
        x = R[0, 0] * a + R[1, 0] * b + R[2, 0] * c
        y = R[0, 1] * a + R[1, 1] * b + R[2, 1] * c
        z = R[0, 2] * a + R[1, 2] * b + R[2, 2] * c
        vx = R[0, 0] * px + R[1, 0] * py + R[2, 0] * pz
        vy = R[0, 1] * px + R[1, 1] * py + R[2, 1] * pz
        vz = R[0, 2] * px + R[1, 2] * py + R[2, 2] * pz
        i = int(min(max((x - low[0]) / size, 0.0), nx - 1.0))
        j = int(min(max((y - low[1]) / size, 0.0), ny - 1.0))
        k = int(min(max((z - low[2]) / size, 0.0), nz - 1.0))
        best, at = limit * limit, -1
        for u in range(max(i - 1, 0), min(i + 2, nx)):
            for v in range(max(j - 1, 0), min(j + 2, ny)):
                cells = (u * ny + v) * nz  # cells of a row are neighbours in memory, and so are their points
                first, last = start[cells + max(k - 1, 0)], start[cells + min(k + 1, nz - 1) + 1]
                best, at = _nearest_facing(x, y, z, vx, vy, vz, points, normals, first, last, best, at)
        if at < 0:
            cell = nearest_cell[(i * ny + j) * nz + k]
            best, at = _nearest_facing(
                x, y, z, vx, vy, vz, points, normals, start[cell], start[cell + 1], best, at
            )  # fmt: skip
        away += share * np.sqrt(best)
        if at < 0:
            continue
        n0, n1, n2 = normals[at, 0], normals[at, 1], normals[at, 2]
        r = (x - points[at, 0]) * n0 + (y - points[at, 1]) * n1 + (z - points[at, 2]) * n2
        weight = 1.0 / (1.0 + r * r * inverse)
        weight *= share * weight
        row[0], row[1], row[2] = n0, n1, n2
        row[3], row[4], row[5] = y * n2 - z * n1, z * n0 - x * n2, x * n1 - y * n0
        for d in range(6):
            slope[d] += weight * r * row[d]
            for e in range(6):
                curvature[d, e] += weight * row[d] * row[e]
    return away
