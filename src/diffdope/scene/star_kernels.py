"""The faces around one place of a triangle mesh, and what a collapse of it would do to them, compiled.

See `quadric_kernels.py` for what places and wedges are. Nothing here allocates.
"""

from diffdope.kernel_compiler import EXACT_INNER
from diffdope.kernel_loading import njit
from diffdope.scene.nearest_kernels import nearest_in_tree, nearest_on_face
from diffdope.scene.quadric_kernels import normal_of

_TURN = 0.25  # least cosine between a triangle's normals before and after: beyond, it folds over
_SLIVER = 1e-4  # least ratio of twice a triangle's area to its longest side squared, unless it was thinner before


@njit(**EXACT_INNER)
def gather(u, at, corners, start, star, ring):
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


@njit(**EXACT_INNER)
def neighbours(size, ring, near):
    """Each neighbour of a place once: v, how many faces lead to it, and which wedges become which on the way there.

    near (6 or more, 2 N): v, faces, wedge and what it becomes, and again for the other face. Returns how many.
    """
    found = 0
    for side in range(2):
        for f in range(size):
            v = ring[side, f]
            n = 0
            while n < found and near[0, n] != v:
                n += 1
            if n < found:
                near[1, n] += 1
            else:
                found += 1
                near[0, n], near[1, n] = v, 1
                near[2, n], near[3, n] = ring[2, f], ring[3 + side, f]
            near[4, n], near[5, n] = ring[2, f], ring[3 + side, f]
    return found


@njit(**EXACT_INNER)
def folds(u, v, size, points, ring):
    """Whether a face around u would fold over or lose its area if u moved to v."""
    for i in range(size):
        b, d = ring[0, i], ring[1, i]
        if b == v or d == v:
            continue
        ox, oy, oz = normal_of(points, u, b, d)
        nx, ny, nz = normal_of(points, v, b, d)
        cosine, old, new = ox * nx + oy * ny + oz * nz, ox * ox + oy * oy + oz * oz, nx * nx + ny * ny + nz * nz
        if cosine <= 0.0 or cosine * cosine <= _TURN * _TURN * old * new:
            return True
        across = square_between(points, b, d)
        longest = max(across, square_between(points, v, b), square_between(points, v, d))
        if new <= (_SLIVER * longest) ** 2:
            before = max(across, square_between(points, u, b), square_between(points, u, d))
            if new * before * before < old * longest * longest:
                return True
    return False


@njit(**EXACT_INNER)
def square_between(points, a, b):
    """Squared distance of two places."""
    x, y, z = points[a, 0] - points[b, 0], points[a, 1] - points[b, 1], points[a, 2] - points[b, 2]
    return x * x + y * y + z * z


@njit(**EXACT_INNER)
def keeps_topology(u, v, size, at, start, star, ring, seen, stamp):
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


@njit(**EXACT_INNER)
def wedges_of(size, ring):
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


@njit(**EXACT_INNER)
def leaves_behind(u, v, size, points, ring, following, square):
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


@njit(**EXACT_INNER)
def lift_of(u, v, size, points, ring):
    """How far v is at most from the planes of the faces around u, squared."""
    x, y, z = points[v, 0] - points[u, 0], points[v, 1] - points[u, 1], points[v, 2] - points[u, 2]
    most = 0.0
    for i in range(size):
        b, d = ring[0, i], ring[1, i]
        if b != v and d != v:
            nx, ny, nz = normal_of(points, u, b, d)
            height = nx * x + ny * y + nz * z
            most = max(most, height * height / max(nx * nx + ny * ny + nz * nz, 1e-300))
    return most


@njit(**EXACT_INNER)
def bridges(v, size, ring, points, limit, tree_points, tree_faces, boxes, stack, bound):
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


@njit(**EXACT_INNER)
def entangled(v, size, ring, changed):
    """Whether v, which has new neighbours, may have got one that is a neighbour of the place, too."""
    for i in range(size):
        if ring[0, i] != v and ring[1, i] != v and (changed[ring[0, i]] or changed[ring[1, i]]):
            return True
    return False
