"""Half-edge collapses of a triangle mesh, compiled: which is the cheapest of each place, and the collapse.

See `quadric_kernels.py` for what places and wedges are, and `collapse.py` for the arrays. Nothing here allocates.
"""

import numpy as np

from diffdope.kernel_compiler import EXACT_ENTRY, EXACT_INNER
from diffdope.kernel_loading import njit
from diffdope.scene.quadric_kernels import PLANE, value_of
from diffdope.scene.star_kernels import (
    bridges,
    entangled,
    folds,
    gather,
    keeps_topology,
    leaves_behind,
    lift_of,
    neighbours,
    square_between,
    wedges_of,
)

HUB = 64  # a place with more faces around it stays: it is a centre of fans
_SCATTER = 40503  # odd: neighbours in number take turns in no order
_EVEN = 1e-7  # of the squared length: where all collapses cost nothing, short edges go first


@njit(**EXACT_INNER)
def _pairs(n, near, count):
    """Whether each wedge of a place becomes exactly one of its neighbour's."""
    if near[2, n] == near[4, n]:
        return count == 1 and near[3, n] == near[5, n]
    return count == 2


@njit(**EXACT_INNER)
def _paint_error(wedge, to, x, y, z, attributes, paints):
    paint = paints[wedge]
    error = value_of(paint, x, y, z)
    for k in range(attributes.shape[1]):
        s, column = attributes[to, k], PLANE + 4 * k
        slope = paint[column] * x + paint[column + 1] * y + paint[column + 2] * z + paint[column + 3]
        error += s * (paint[10] * s - 2.0 * slope)
    return max(error, 0.0)


@njit(**EXACT_INNER)
def _cost(u, n, near, points, attributes, planes, paints, painted):
    """Mean squared error of a collapse of u into a neighbour; without its paint it is never more than with it."""
    v = near[0, n]
    x, y, z = points[v, 0], points[v, 1], points[v, 2]
    total = max(value_of(planes[u], x, y, z), 0.0)
    if painted:
        total += _paint_error(near[2, n], near[3, n], x, y, z, attributes, paints)
        if near[4, n] != near[2, n]:
            total += _paint_error(near[4, n], near[5, n], x, y, z, attributes, paints)
    return total / planes[u, 10] + _EVEN * square_between(points, u, v)


@njit(**EXACT_ENTRY)
def candidates(
    points,
    at,
    corners,
    start,
    star,
    attributes,
    planes,
    paints,
    limit,
    turn,
    turns,
    room,
    ring,
    near,
    price,
    target,
    cost,
):
    """The cheapest allowed collapse of each place whose turn it is: into target (P,), -1 for none, at cost (P,).

    limit: the greatest cost. room (2, P): the first row says which places have changed. ring (5, HUB), near (7, 2 HUB):
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
        gather(u, at, corners, start, star, ring)
        wedges = wedges_of(size, ring)
        if wedges > 2:
            continue  # where more than two charts meet, it stays
        found, features = neighbours(size, ring, near), 0
        for n in range(found):
            features += near[1, n] != 2
        if features != 0 and features != 2:
            continue  # a corner of borders stays
        for n in range(found):
            price[n] = np.inf
            if (features == 0 or near[1, n] != 2) and _pairs(n, near, wedges):  # a border moves along itself only
                price[n], near[6, n] = _cost(u, n, near, points, attributes, planes, paints, False), 0
        while True:
            best = 0
            for n in range(1, found):
                if price[n] < price[best]:
                    best = n
            if not price[best] <= limit:
                break
            v = near[0, best]
            if near[6, best] == 0:  # of the others, it does not matter what they cost
                near[6, best] = 1
                if folds(u, v, size, points, ring):
                    price[best] = np.inf
                elif attributes.shape[1] > 0:
                    price[best] = _cost(u, best, near, points, attributes, planes, paints, True)
                continue
            stamp += 1
            if keeps_topology(u, v, size, at, start, star, ring, seen, stamp):
                target[u], cost[u] = v, price[best]
                break
            price[best] = np.inf


@njit(**EXACT_ENTRY)
def collapse(
    order,
    target,
    cost,
    points,
    at,
    corners,
    start,
    star,
    planes,
    paints,
    guard,
    sure,
    tree_points,
    tree_faces,
    boxes,
    stack,
    bound,
    spare,
    room,
    ring,
    near,
    chain,
    log,
    logged,
):
    """Collapses places in the given order, unless a neighbour has just been; dead faces get corners of -1.

    guard: how far what has gone into a place may be from the surface, and the new surface from the full mesh (the
    tree's arrays); the latter is looked up where the squared error is above `sure`. spare: faces that may go.
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
        size = gather(u, at, corners, start, star, ring)
        if changed[v] and entangled(v, size, ring, changed):
            continue
        # A neighbour of u may have got neighbours in a pass before.
        if not keeps_topology(u, v, size, at, start, star, ring, seen, n):
            changed[u] = 1
            continue
        if leaves_behind(u, v, size, points, ring, following, guard * guard) or (
            (cost[u] > sure or lift_of(u, v, size, points, ring) > sure)
            and bridges(v, size, ring, points, guard, tree_points, tree_faces, boxes, stack, bound)
        ):
            target[u] = -1
            continue
        k = 0
        neighbours(size, ring, near)
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


@njit(**EXACT_ENTRY)
def roots_of(log, logged, root):
    """Which wedge each has become (W,) after the first collapses of a log."""
    for w in range(root.size):
        root[w] = w
    for n in range(logged - 1, -1, -1):
        root[log[0, n]] = root[log[1, n]]
