"""Half-edge collapses of a triangle mesh, compiled: errors as quadrics, what may be collapsed, and the collapse.

A *place* is a position; a *wedge* is a place with one value of the attributes (texture coordinates or colours), so a
place on a seam has several. Nothing here allocates; see `collapse.py` for the arrays. All lengths are shares of the
object's diameter.
"""

import numpy as np
from numba import njit

from diffdope.kernel_cache import KEPT
from diffdope.scene.nearest_kernels import nearest_in_tree, nearest_on_face

_OPTIONS = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True, "_nrt": False}
_ENTRY = {**_OPTIONS, "cache": KEPT}
_INNER = {**_OPTIONS, "no_cpython_wrapper": True}

HUB = 64  # a place with more faces around it stays: it is a centre of fans
PLANE = 11  # numbers of a quadric: six second moments, three first, the constant, and the weight
_TURN = 0.25  # least cosine between a triangle's normals before and after: beyond, it folds over
_SLIVER = 1e-4  # least ratio of twice a triangle's area to its longest side squared, unless it was thinner before
_FEATURE = 3.0  # weight of borders and seams against the areas beside them, so that they keep their shape
_SCATTER = 40503  # odd: neighbours in number take turns in no order
_EVEN = 1e-7  # of the squared length: where all collapses cost nothing, short edges go first


@njit(**_ENTRY)
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


@njit(**_INNER)
def _normal(points, a, b, c):
    x0, y0, z0 = points[a, 0], points[a, 1], points[a, 2]
    x1, y1, z1 = points[b, 0] - x0, points[b, 1] - y0, points[b, 2] - z0
    x2, y2, z2 = points[c, 0] - x0, points[c, 1] - y0, points[c, 2] - z0
    return y1 * z2 - z1 * y2, z1 * x2 - x1 * z2, x1 * y2 - y1 * x2


@njit(**_INNER)
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


@njit(**_INNER)
def _value(quadric, x, y, z):
    return (
        x * (quadric[0] * x + 2.0 * (quadric[1] * y + quadric[2] * z + quadric[6]))
        + y * (quadric[3] * y + 2.0 * (quadric[4] * z + quadric[7]))
        + z * (quadric[5] * z + 2.0 * quadric[8])
        + quadric[9]
    )


@njit(**_ENTRY)
def add_faces(points, at, corners, attributes, planes, paints):
    """Adds each face's plane to the quadrics (P, 11) of its places, and its attributes to those of its wedges.

    Quadrics of planes: Garland and Heckbert 1997; of attributes, which are linear on a face: Hoppe 1999.
    paints: (W, 11 + 4 K).
    """
    for f in range(at.shape[0]):
        a, b, c = at[f, 0], at[f, 1], at[f, 2]
        x, y, z = _normal(points, a, b, c)
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


@njit(**_INNER)
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


@njit(**_INNER)
def _corner(places, p):
    return 0 if places[0] == p else (1 if places[1] == p else (2 if places[2] == p else -1))


@njit(**_ENTRY)
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
            nx, ny, nz = _normal(points, at[f, 0], at[f, 1], at[f, 2])
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


@njit(**_INNER)
def _gather(u, at, corners, start, star, ring):
    """Next and last corner of each face around u, as places and as wedges, and its own wedge; returns how many."""
    size = start[u + 1] - start[u]
    for i in range(size):
        f = star[start[u] + i]
        c = 0 if at[f, 0] == u else (1 if at[f, 1] == u else 2)
        b = c + 1 if c < 2 else 0
        d = b + 1 if b < 2 else 0
        ring[0, i], ring[1, i] = at[f, b], at[f, d]
        ring[2, i], ring[3, i], ring[4, i] = corners[f, c], corners[f, b], corners[f, d]
    return size


@njit(**_INNER)
def _neighbours(size, ring, near):
    """Each neighbour of a place once: v, how many faces lead to it, and which wedges become which on the way there.

    near (6, 2 N): v, faces, wedge and what it becomes, and again for the other face. Returns how many there are.
    """
    found = 0
    for i in range(2 * size):
        side, f = i // size, i % size
        v = ring[side, f]
        known = False
        for n in range(found):
            if near[0, n] == v:
                near[1, n] += 1
                near[4, n], near[5, n] = ring[2, f], ring[3 + side, f]
                known = True
                break
        if not known:
            near[0, found], near[1, found] = v, 1
            near[2, found], near[3, found] = ring[2, f], ring[3 + side, f]
            near[4, found], near[5, found] = ring[2, f], ring[3 + side, f]
            found += 1
    return found


@njit(**_INNER)
def _pairs(n, near, count):
    """Whether each wedge of a place becomes exactly one of its neighbour's."""
    if near[2, n] == near[4, n]:
        return count == 1 and near[3, n] == near[5, n]
    return count == 2


@njit(**_INNER)
def _paint_error(wedge, to, x, y, z, attributes, paints):
    paint = paints[wedge]
    error = _value(paint, x, y, z)
    for k in range(attributes.shape[1]):
        s, column = attributes[to, k], PLANE + 4 * k
        slope = paint[column] * x + paint[column + 1] * y + paint[column + 2] * z + paint[column + 3]
        error += s * (paint[10] * s - 2.0 * slope)
    return max(error, 0.0)


@njit(**_INNER)
def _cost(u, n, near, points, attributes, planes, paints):
    """Mean squared error of a collapse of u into a neighbour."""
    v = near[0, n]
    x, y, z = points[v, 0], points[v, 1], points[v, 2]
    total = max(_value(planes[u], x, y, z), 0.0)
    if attributes.shape[1] > 0:
        total += _paint_error(near[2, n], near[3, n], x, y, z, attributes, paints)
        if near[4, n] != near[2, n]:
            total += _paint_error(near[4, n], near[5, n], x, y, z, attributes, paints)
    return total / planes[u, 10] + _EVEN * _square(points, u, v)


@njit(**_INNER)
def _folds(u, v, size, points, ring):
    """Whether a face around u would fold over or lose its area if u moved to v."""
    for i in range(size):
        b, d = ring[0, i], ring[1, i]
        if b == v or d == v:
            continue
        ox, oy, oz = _normal(points, u, b, d)
        nx, ny, nz = _normal(points, v, b, d)
        cosine, old, new = ox * nx + oy * ny + oz * nz, ox * ox + oy * oy + oz * oz, nx * nx + ny * ny + nz * nz
        if cosine <= 0.0 or cosine * cosine <= _TURN * _TURN * old * new:
            return True
        across = _square(points, b, d)
        longest = max(across, _square(points, v, b), _square(points, v, d))
        if new <= (_SLIVER * longest) ** 2:
            before = max(across, _square(points, u, b), _square(points, u, d))
            if new * before * before < old * longest * longest:
                return True
    return False


@njit(**_INNER)
def _square(points, a, b):
    x, y, z = points[a, 0] - points[b, 0], points[a, 1] - points[b, 1], points[a, 2] - points[b, 2]
    return x * x + y * y + z * z


@njit(**_INNER)
def _keeps_topology(u, v, size, at, start, star, ring, seen, stamp):
    """Whether u and v have no neighbour in common but those of their faces (the link condition)."""
    for i in range(size):
        seen[ring[0, i]], seen[ring[1, i]] = stamp, stamp
    for i in range(size):
        if ring[0, i] == v or ring[1, i] == v:
            seen[ring[0, i]], seen[ring[1, i]] = -1, -1
    for i in range(start[v], start[v + 1]):
        f = star[i]
        a, b, c = at[f, 0], at[f, 1], at[f, 2]
        if a != u and b != u and c != u and (seen[a] == stamp or seen[b] == stamp or seen[c] == stamp):
            return False
    return True


@njit(**_INNER)
def _wedges(size, ring):
    """How many wedges a place has: 1, 2, or 3 for more."""
    first = ring[2, 0]
    second = first
    for i in range(1, size):
        wedge = ring[2, i]
        if wedge != first and wedge != second:
            if second != first:
                return 3
            second = wedge
    return 1 if second == first else 2


@njit(**_ENTRY)
def candidates(
    points, at, corners, start, star, attributes, planes, paints, limit, turn, turns, room, ring, near, price, target, cost
):
    """The cheapest allowed collapse of each place whose turn it is: into target (P,), -1 for none, at cost (P,).

    limit: the greatest cost. room (2, P): the first row says which places have changed. ring (5, HUB), near (6, 2 HUB):
    integers; price (2 HUB,).
    """
    changed, seen = room[0], room[1]
    seen[:] = -1
    stamp = 0
    for u in range(points.shape[0]):
        if not changed[u]:
            continue
        target[u], cost[u] = -1, np.inf
        if (u * _SCATTER >> 8) % turns != turn:
            continue
        changed[u] = 0
        size = start[u + 1] - start[u]
        if size == 0 or size > HUB:
            continue
        _gather(u, at, corners, start, star, ring)
        wedges = _wedges(size, ring)
        if wedges > 2:
            continue  # where more than two charts meet, it stays
        found, features = _neighbours(size, ring, near), 0
        for n in range(found):
            features += near[1, n] != 2
        if features != 0 and features != 2:
            continue  # a corner of borders stays
        for n in range(found):
            price[n] = np.inf
            if (features == 0 or near[1, n] != 2) and _pairs(n, near, wedges):  # a border moves along itself only
                price[n] = _cost(u, n, near, points, attributes, planes, paints)
        while True:
            best = 0
            for n in range(1, found):
                if price[n] < price[best]:
                    best = n
            if not price[best] <= limit:
                break
            v = near[0, best]
            stamp += 1
            if not _folds(u, v, size, points, ring) and _keeps_topology(u, v, size, at, start, star, ring, seen, stamp):
                target[u], cost[u] = v, price[best]
                break
            price[best] = np.inf


@njit(**_INNER)
def _leaves_behind(u, v, size, points, ring, following, square):
    """Whether a place that went into u, or u, would be farther than allowed from the faces around it."""
    p = u
    while p >= 0:
        near = False
        for i in range(size):
            b, d = ring[0, i], ring[1, i]
            if b != v and d != v:
                near = nearest_on_face(points[p, 0], points[p, 1], points[p, 2], points, v, b, d)[0] <= square
                if near:
                    break
        if not near:
            return True
        p = following[p]
    return False


@njit(**_INNER)
def _lift(u, v, size, points, ring):
    """How far v is at most from the planes of the faces around u, squared."""
    x, y, z = points[v, 0] - points[u, 0], points[v, 1] - points[u, 1], points[v, 2] - points[u, 2]
    most = 0.0
    for i in range(size):
        b, d = ring[0, i], ring[1, i]
        if b != v and d != v:
            nx, ny, nz = _normal(points, u, b, d)
            height = nx * x + ny * y + nz * z
            most = max(most, height * height / max(nx * nx + ny * ny + nz * nz, 1e-300))
    return most


@njit(**_INNER)
def _bridges(v, size, ring, points, limit, tree_points, tree_faces, boxes, stack, bound):
    """Whether a face that would reach to v lies farther than allowed from the original: its middle, or an edge's."""
    x, y, z = points[v, 0], points[v, 1], points[v, 2]
    for i in range(size):
        b, d = ring[0, i], ring[1, i]
        if b == v or d == v:
            continue
        for part in range(2):  # the edge to d is another face's edge to b
            w = part / 3.0
            k = 0.5 - w / 2.0 if part == 0 else w
            px = k * x + (1.0 - k - w) * points[b, 0] + w * points[d, 0]
            py = k * y + (1.0 - k - w) * points[b, 1] + w * points[d, 1]
            pz = k * z + (1.0 - k - w) * points[b, 2] + w * points[d, 2]
            if nearest_in_tree(px, py, pz, limit, True, tree_points, tree_faces, boxes, stack, bound)[1] < 0:
                return True
    return False


@njit(**_INNER)
def _entangled(v, size, ring, changed):
    """Whether v, which has new neighbours, may have got one that is a neighbour of the place, too."""
    for i in range(size):
        if ring[0, i] != v and ring[1, i] != v and (changed[ring[0, i]] or changed[ring[1, i]]):
            return True
    return False


@njit(**_ENTRY)
def collapse(
    order, target, cost, points, at, corners, start, star, planes, paints, guard, sure, tree_points, tree_faces, boxes,
    stack, bound, spare,    room, ring, near, chain, log, logged,
):
    """Collapses places in the given order, unless a neighbour has just been; dead faces get corners of -1.

    square: squared distance that what goes into a place may keep from the surface. spare: faces that may go.
    chain: (2, P), the places that went into each place, as lists, and their ends. log: (2, W), which wedge became
    which, the first `logged` entries taken. Returns how many are taken now.
    """
    changed, seen, following, end = room[0], room[1], chain[0], chain[1]
    seen[:] = -1
    for n in range(order.size):
        u = order[n]
        v = target[u]
        if changed[u] or changed[v] == 2:
            continue
        size = _gather(u, at, corners, start, star, ring)
        if changed[v] and _entangled(v, size, ring, changed):
            continue
        # A neighbour of u may have got neighbours in a pass before.
        if not _keeps_topology(u, v, size, at, start, star, ring, seen, n):
            changed[u] = 1
            continue
        if _leaves_behind(u, v, size, points, ring, following, guard * guard) or (
            (cost[u] > sure or _lift(u, v, size, points, ring) > sure)
            and _bridges(v, size, ring, points, guard, tree_points, tree_faces, boxes, stack, bound)
        ):
            target[u] = -1
            continue
        k = 0
        _neighbours(size, ring, near)
        while near[0, k] != v:
            k += 1
        for row in (2, 4):
            wedge, to = near[row, k], near[row + 1, k]
            if row == 2 or wedge != near[2, k]:
                log[0, logged], log[1, logged] = wedge, to
                logged += 1
                for column in range(paints.shape[1]):
                    paints[to, column] += paints[wedge, column]
        for i in range(size):
            f = star[start[u] + i]
            changed[ring[0, i]], changed[ring[1, i]] = 1, 1
            c = 0 if at[f, 0] == u else (1 if at[f, 1] == u else 2)
            at[f, c], corners[f, c] = v, near[3, k] if ring[2, i] == near[2, k] else near[5, k]
            if ring[0, i] == v or ring[1, i] == v:
                corners[f, 0] = -1
                spare -= 1
        changed[u], target[u] = 2, -1
        for column in range(PLANE):
            planes[v, column] += planes[u, column]
        following[end[v]], end[v] = u, end[u]
        if spare <= 0:
            break
    return logged


@njit(**_ENTRY)
def roots_of(log, logged, root):
    """Which wedge each has become (W,) after the first collapses of a log."""
    for w in range(root.size):
        root[w] = w
    for n in range(logged - 1, -1, -1):
        root[log[0, n]] = root[log[1, n]]
