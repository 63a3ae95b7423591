"""Which faces meet at which edge, with vertices welded by position: the table that contours are found in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.vectors import cross

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]
Int = NDArray[np.intp]
Bool = NDArray[np.bool_]

_SEAM_TOLERANCE = 1e-6  # of attributes that are the same on both sides of an edge
_CRACKS = 0.1  # of the box's diagonal, around all holes together: a round one is 3 % of it wide, a few pixels


class EdgeTable(NamedTuple):
    """One row an edge with one or two faces; an edge of three or more faces has one row per face.

    v0, v1 (E,): end points in the direction in which f0 runs through them, indices of the original vertices.
    f0, f1 (E,): faces; f1 is -1 where the edge has no partner, or too many.
    o0, o1 (E,): the vertex of f0 and of f1 opposite the edge; o1 is -1 without f1.
    flip (E,): 1 where f0 and f1 run through the edge in the same direction, i.e. are wound inconsistently.
    seam (E,): 1 where the attributes of f0 and f1 differ at either end.
    """

    v0: I32
    v1: I32
    f0: I32
    f1: I32
    o0: I32
    o1: I32
    flip: U8
    seam: U8


def weld(vertices_m: F64) -> Int:
    """A number per vertex (V,), equal exactly where positions are equal."""
    points = vertices_m + 0.0  # turns -0.0 into 0.0, which would sort apart
    order = np.lexsort(points.T)
    ordered = points[order]
    starts = np.any(ordered[1:] != ordered[:-1], axis=1)
    welded = np.empty(len(points), np.intp)
    welded[order] = np.concatenate([[0], np.cumsum(starts)]) if len(points) else order
    return welded


def build_edges(vertices_m: F64, faces: I32, corner_attributes: F64 | None) -> EdgeTable:
    """Builds the edge table.

    Args:
        vertices_m: (V, 3).
        faces: (F, 3) indices. Faces with two corners in one place have no area, thus no edges here.
        corner_attributes: what is interpolated over faces, texture coordinates or colours, per original
            vertex (V, C); without it there are no seams.
    """
    welded = weld(vertices_m)
    corners = welded[faces]
    proper = (corners != np.roll(corners, -1, axis=1)).all(axis=1)
    # A half-edge h is corner h % 3 of face h // 3 together with the next corner.
    half = np.flatnonzero(np.repeat(proper, 3))
    start, end = corners.ravel(), np.roll(corners, -1, axis=1).ravel()
    first, second = _pair(np.minimum(start, end)[half] * len(welded) + np.maximum(start, end)[half], half)
    paired = second >= 0
    flip = paired & (start[first] == start[second])
    seam: Bool = np.zeros(len(first), bool)
    if corner_attributes is not None:
        seam = paired & _attributes_differ(faces, corner_attributes, first, second, flip)
    v, v_next, v_last = (np.roll(faces, -shift, axis=1).ravel() for shift in range(3))
    columns = (v[first], v_next[first], first // 3, np.where(paired, second // 3, -1), v_last[first])
    v0, v1, f0, f1, o0 = (column.astype(np.int32) for column in columns)
    o1 = np.where(paired, v_last[second], -1).astype(np.int32)
    return EdgeTable(v0, v1, f0, f1, o0, o1, flip.astype(np.uint8), seam.astype(np.uint8))


def is_closed(vertices_m: F64, faces: I32, edges: EdgeTable) -> bool:
    """Whether a surface is watertight and wound consistently outwards, each connected piece; see `piece_volumes`."""
    volumes = piece_volumes(vertices_m, faces, edges)
    return volumes is not None and bool(np.all(volumes > 0.0))


def shows_no_backs(vertices_m: F64, faces: I32, edges: EdgeTable) -> bool:
    """Whether the backs of faces are not seen from outside: a surface is closed, or but for what is as small as cracks.

    Scans often lack a triangle or two, or have two of them back to back. What lies behind a hole on the inside is seen
    through a few pixels at most, is no more right than nothing there, and would have all of the inside drawn for it.
    Each piece must enclose by far more than its holes are wide, for a sheet is seen from both sides; but for specks.
    """
    if len(edges.f0) == 0 or np.any(edges.flip):
        return False
    alone, small = edges.f1 < 0, _CRACKS * float(np.linalg.norm(np.ptp(vertices_m, axis=0)))
    sizes = np.linalg.norm(vertices_m[edges.v1] - vertices_m[edges.v0], axis=1)
    if sizes[alone].sum() > small:
        return False
    piece, volume = _pieces(vertices_m, faces, edges)
    of_edge = piece[edges.f0]
    rim = np.bincount(of_edge[alone], sizes[alone], len(volume))
    open_pieces = ~(volume > rim**3)
    return bool(np.bincount(of_edge, sizes, len(volume))[open_pieces].sum() <= small)


def signed_volumes(vertices_m: F64, faces: I32) -> F64:
    """Six times the signed volume (F,) of the tetrahedron of each triangle and the middle of all vertices."""
    a, b, c = np.moveaxis((vertices_m - vertices_m.mean(axis=0))[faces], 1, 0)
    return np.asarray(np.einsum("fi,fi->f", a, cross(b, c)))


def piece_volumes(vertices_m: F64, faces: I32, edges: EdgeTable) -> F64 | None:
    """Six times the signed volume (K,) of each connected piece, positive where faces have their fronts outside.

    None unless the surface is watertight and wound consistently: only then does it enclose anything. Its triangles
    with the apex in the middle are tetrahedra, whose signed volumes add up (Zhang and Chen, ICIP 2001).
    """
    if len(edges.f0) == 0 or np.any(edges.f1 < 0) or np.any(edges.flip):
        return None
    piece, volume = _pieces(vertices_m, faces, edges)
    # A face without edges is degenerate, a piece of its own, and draws nothing.
    with_edges = np.bincount(piece[edges.f0], minlength=len(volume)) > 0
    return np.asarray(volume[with_edges], np.float64)


def _pieces(vertices_m: F64, faces: I32, edges: EdgeTable) -> tuple[NDArray[np.int32], F64]:
    """The connected piece (F,) of each face, and six times the signed volume (K,) of each piece."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    paired = edges.f1 >= 0
    first, second = edges.f0[paired], edges.f1[paired]
    links = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(len(faces), len(faces)))
    count, piece = connected_components(links, directed=False)
    return piece, np.bincount(piece, signed_volumes(vertices_m, faces), count).astype(np.float64, copy=False)


def _pair(keys: Int, half: Int) -> tuple[Int, Int]:
    """First and second half-edge of every row, the second -1 where there is none, in the order of faces."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])) if len(keys) else order
    counts = np.diff(np.append(starts, len(keys)))
    two = starts[counts == 2]
    alone = np.flatnonzero(np.repeat(counts != 2, counts))
    first = np.concatenate([half[order[two]], half[order[alone]]])
    second = np.concatenate([half[order[two + 1]], np.full(len(alone), -1, np.intp)])
    by_face = np.argsort(first)
    return first[by_face], second[by_face]


def _attributes_differ(faces: I32, attributes: F64, first: Int, second: Int, flip: Bool) -> Bool:
    here, there = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    # f1 runs through the edge backwards unless it is flipped, so its corner at v0 is its second one.
    at_v0 = np.where(flip, here[second], there[second])
    at_v1 = np.where(flip, there[second], here[second])
    differs: Bool = np.zeros(len(first), bool)
    for mine, other in ((here[first], at_v0), (there[first], at_v1)):
        differs |= (np.abs(attributes[mine] - attributes[other]) > _SEAM_TOLERANCE).any(axis=1)
    return differs
