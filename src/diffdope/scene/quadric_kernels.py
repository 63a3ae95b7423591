"""Quadric errors of the places of a triangle mesh, and the faces around each, compiled. Nothing here allocates.

A *place* is a position; a *wedge* is a place with one value of the attributes (texture coordinates or colours), so a
place on a seam has several. All lengths are shares of the object's diameter.
"""

import numpy as np

from diffdope.kernel_compiler import EXACT_ENTRY, EXACT_INNER
from diffdope.kernel_loading import njit

PLANE = 11  # numbers of a quadric: six second moments, three first, the constant, and the weight
_FEATURE = 3.0  # weight of borders and seams against the areas beside them, so that they keep their shape


@njit(**EXACT_ENTRY)
def stars_of(at, start, star):
    """Faces around each place p: star[start[p]:start[p + 1]], from the places at the corners (F, 3)."""
    start[:] = 0
    for f in range(at.shape[0]):
        for c in range(3):
            start[at[f, c] + 1] += 1
    for p in range(start.size - 1):
        start[p + 1] += start[p]
    for f in range(at.shape[0] - 1, -1, -1):
        for c in range(3):
            p = at[f, c] + 1
            star[start[p] - 1] = f
            start[p] -= 1
    # Each start was moved from its end to its beginning, one entry late.
    for p in range(start.size - 1):
        start[p] = start[p + 1]
    start[start.size - 1] = 3 * at.shape[0]


@njit(**EXACT_INNER)
def normal_of(points, a, b, c):
    """Normal of a triangle, twice its area long."""
    x0, y0, z0 = points[a, 0], points[a, 1], points[a, 2]
    x1, y1, z1 = points[b, 0] - x0, points[b, 1] - y0, points[b, 2] - z0
    x2, y2, z2 = points[c, 0] - x0, points[c, 1] - y0, points[c, 2] - z0
    return y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2


@njit(**EXACT_INNER)
def _add_plane(quadric, x, y, z, d, weight):
    quadric[0] += weight * x * x
    quadric[1] += weight * x * y
    quadric[2] += weight * x * z
    quadric[3] += weight * y * y
    quadric[4] += weight * y * z
    quadric[5] += weight * z * z
    quadric[6] += weight * x * d
    quadric[7] += weight * y * d
    quadric[8] += weight * z * d
    quadric[9] += weight * d * d


@njit(**EXACT_INNER)
def value_of(quadric, x, y, z):
    """A quadric at a point: weighted squared distances to its planes."""
    return (
        x * (quadric[0] * x + 2.0 * (quadric[1] * y + quadric[2] * z + quadric[6]))
        + y * (quadric[3] * y + 2.0 * (quadric[4] * z + quadric[7]))
        + z * (quadric[5] * z + 2.0 * quadric[8])
        + quadric[9]
    )


@njit(**EXACT_ENTRY)
def add_faces(points, at, corners, attributes, planes, paints):
    """Adds each face's plane to the quadrics (P, 11) of its places, and its attributes to those of its wedges.

    Quadrics of planes: Garland and Heckbert 1997; of attributes, which are linear on a face: Hoppe 1999.
    paints: (W, 11 + 4 K).
    """
    for f in range(at.shape[0]):
        a, b, c = at[f, 0], at[f, 1], at[f, 2]
        x, y, z = normal_of(points, a, b, c)
        double = np.sqrt(x * x + y * y + z * z)
        if double <= 0.0:
            continue
        x, y, z = x / double, y / double, z / double
        d = -(x * points[a, 0] + y * points[a, 1] + z * points[a, 2])
        for corner in range(3):
            quadric = planes[at[f, corner]]
            _add_plane(quadric, x, y, z, d, double)
            quadric[10] += double
        for k in range(attributes.shape[1]):
            _add_attribute(points, at[f], corners[f], attributes, k, double, paints)


@njit(**EXACT_INNER)
def _add_attribute(points, places, wedges, attributes, k, double, paints):
    a, b, c = places
    s = attributes[wedges[0], k]
    ds, dt = attributes[wedges[1], k] - s, attributes[wedges[2], k] - s
    ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
    vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
    uu, uv, vv = ux * ux + uy * uy + uz * uz, ux * vx + uy * vy + uz * vz, vx * vx + vy * vy + vz * vz
    square = double * double
    p, q = (ds * vv - dt * uv) / square, (dt * uu - ds * uv) / square
    gx, gy, gz = p * ux + q * vx, p * uy + q * vy, p * uz + q * vz
    d = s - (gx * points[a, 0] + gy * points[a, 1] + gz * points[a, 2])
    column = PLANE + 4 * k
    for corner in range(3):
        paint = paints[wedges[corner]]
        _add_plane(paint, gx, gy, gz, d, double)
        if k == 0:
            paint[10] += double
        paint[column] += double * gx
        paint[column + 1] += double * gy
        paint[column + 2] += double * gz
        paint[column + 3] += double * d


@njit(**EXACT_INNER)
def _corner(places, p):
    return 0 if places[0] == p else (1 if places[1] == p else (2 if places[2] == p else -1))


@njit(**EXACT_ENTRY)
def add_features(points, at, corners, start, star, planes):
    """Adds planes that stand upright on borders, seams, and edges of more than two faces, to hold them in place."""
    for f in range(at.shape[0]):
        for c in range(3):
            a, b = at[f, c], at[f, (c + 1) % 3]
            count, seam = 0, False
            for i in range(start[a], start[a + 1]):
                g = star[i]
                other = _corner(at[g], b)
                if other >= 0:
                    count += 1
                    mine = corners[g, _corner(at[g], a)]
                    seam |= mine != corners[f, c] or corners[g, other] != corners[f, (c + 1) % 3]
            if count == 2 and not seam:
                continue
            nx, ny, nz = normal_of(points, at[f, 0], at[f, 1], at[f, 2])
            ex, ey, ez = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
            x, y, z = ey * nz - ez * ny, ez * nx - ex * nz, ex * ny - ey * nx
            size = np.sqrt(x * x + y * y + z * z)
            if size <= 0.0:
                continue
            x, y, z = x / size, y / size, z / size
            d = -(x * points[a, 0] + y * points[a, 1] + z * points[a, 2])
            weight = _FEATURE * (ex * ex + ey * ey + ez * ez)
            _add_plane(planes[a], x, y, z, d, weight)
            _add_plane(planes[b], x, y, z, d, weight)
