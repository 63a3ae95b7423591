"""Contour step of the reference renderer: coverage and depth blended where a contour edge crosses a pixel pair.

Follows the idea of the analytic antialiasing of nvdiffrast (Laine et al. 2020, arXiv 2011.03277, section 3.5),
with weights by edge direction, so that triangles may be smaller than a pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.scene.topology import EdgeTable

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]

OCCLUSION_MARGIN = 1e-4


@dataclass(frozen=True)
class Segments:
    """The part of each of E edges that lies before the near plane.

    Attributes:
        a_px: (E, 2) its beginning, on the side of the edge's first vertex, pixels.
        a_inverse: (E,) 1/Z there, 1/m.
        b_px: (E, 2) its end.
        b_inverse: (E,) 1/Z there.
        exists: (E,) whether there is any; else the others have no meaning.
    """

    a_px: Array
    a_inverse: Array
    b_px: Array
    b_inverse: Array
    exists: Flags


@dataclass(frozen=True)
class ContourCandidates:
    """Edges that may be contours: (n,) row of the edge table, side of the surface (+1, -1), seam or contour."""

    row: Indices
    inside: Array
    seam: Flags


@dataclass(frozen=True)
class Crossings:
    """Places where a candidate edge passes between two neighbouring pixel centres; every field is (n,).

    Attributes:
        row: row of the edge table.
        seam: the candidate is a seam, not a contour.
        pair: number of the pixel pair, horizontal pairs before vertical ones.
        p: row-major index of the pixel on the surface's side.
        q: the other pixel.
        s: distance of the crossing from p, in [0, 1] pixels.
        weight: share of this direction, the squared cosine between the pair and the edge's normal.
        z: depth of the edge at the crossing, metres.
    """

    row: Indices
    seam: Flags
    pair: Indices
    p: Indices
    q: Indices
    s: Array
    weight: Array
    z: Array

    def __getitem__(self, index: Indices | Flags) -> Crossings:
        """Select some of the crossings."""
        return Crossings(**{name: value[index] for name, value in vars(self).items()})


def antialias(
    raw: Array,
    ids: NDArray[np.int32],
    *,
    edges: EdgeTable,
    segments: Segments,
    points_c: Array,
    drawn: Flags,
) -> Array:
    """Step 5: blend raw images across contours.

    Args:
        raw: (H, W, 5) premultiplied rgb, depth in metres, coverage.
        ids: (H, W) visible face, -1 for none.
        edges: E welded edges.
        segments: what is seen of them.
        points_c: (V, 3) vertices in the camera's frame, metres.
        drawn: (F,) faces that are drawn.
    """
    height, width = ids.shape
    candidates = contour_candidates(edges, segments, points_c, drawn)
    crossings = concatenate([pair_crossings(candidates, segments, width, height, axis=axis) for axis in range(2)])
    kept = select(accept(crossings, edges, ids.ravel(), raw[..., 3].ravel()), ids.ravel())
    return blend(raw.reshape(height * width, -1), kept).reshape(raw.shape)


def side_of_edge(points_c: Array, start: Indices, end: Indices, point: Indices) -> Array:
    """Sign (+1, 0, -1) of the side of the line start-end on which the point lies; all are vertex indices.

    On which side of the plane through the camera and the line, that is: so it holds behind the camera, too.
    """
    return np.asarray(np.sign(np.einsum("nk,nk->n", np.cross(points_c[start], points_c[end]), points_c[point])))


def contour_candidates(edges: EdgeTable, segments: Segments, points_c: Array, drawn: Flags) -> ContourCandidates:
    """Boundary edges, folds (both faces on one side) and seams, of which a part is before the near plane."""
    v0, v1 = edges.v0.astype(np.int64), edges.v1.astype(np.int64)
    drawn0 = drawn[edges.f0]
    drawn1 = (edges.f1 >= 0) & drawn[edges.f1]
    # an absent face or vertex is -1, which reads the last one: masked by drawn1
    side0 = side_of_edge(points_c, v0, v1, edges.o0.astype(np.int64))
    side1 = side_of_edge(points_c, v0, v1, edges.o1.astype(np.int64))

    alone = drawn0 ^ drawn1
    both = drawn0 & drawn1
    contour = alone | (both & (side0 == side1))
    seam = both & (side0 != side1) & (edges.seam != 0)
    row = np.flatnonzero((contour | seam) & segments.exists)
    return ContourCandidates(row=row, inside=np.where(drawn0, side0, side1)[row], seam=seam[row])


def integers_between(low: Array, high: Array, count: int) -> tuple[Indices, Indices]:
    """List (interval index, integer) for all integers of 0 .. count-1 with low <= integer < high."""
    first = np.clip(np.ceil(low), 0, count).astype(np.int64)
    stop = np.clip(np.ceil(high), 0, count).astype(np.int64)
    number = np.maximum(stop - first, 0)
    interval = np.repeat(np.arange(len(low)), number)
    rank = np.arange(number.sum()) - np.repeat(np.cumsum(number) - number, number)
    return interval, first[interval] + rank


def pair_crossings(
    candidates: ContourCandidates,
    segments: Segments,
    width: int,
    height: int,
    *,
    axis: int,
) -> Crossings:
    """Cross the candidates with the pixel rows (axis 0, pairs lie along x) or columns (axis 1, along y)."""
    other = 1 - axis
    a, b = segments.a_px[candidates.row], segments.b_px[candidates.row]
    ends = np.stack([a[:, other], b[:, other]])
    each, line = integers_between(ends.min(axis=0), ends.max(axis=0), (width, height)[other])
    row, a, along = candidates.row[each], a[each], (b - a)[each]

    fraction = (line - a[:, other]) / along[:, other]
    position = a[:, axis] + fraction * along[:, axis]
    inverse = (1.0 - fraction) * segments.a_inverse[row] + fraction * segments.b_inverse[row]
    before = np.floor(position)

    # the edge function grows along x by -dv and along y by +du: the surface is where it has the inside's sign
    grows = candidates.inside[each] * (along[:, 1] * -1.0 if axis == 0 else along[:, 0])
    surface_after = grows > 0.0
    x_p = before + surface_after
    stride, line_stride = ((1, width), (width, 1))[axis]
    in_image = (before >= 0) & (before + 1 < (width, height)[axis])
    first = (np.where(in_image, before, 0.0).astype(np.int64)) * stride + line * line_stride
    return Crossings(
        row=row,
        seam=candidates.seam[each],
        pair=first + axis * width * height,
        p=first + stride * surface_after,
        q=first + stride * ~surface_after,
        s=np.abs(position - x_p),
        weight=along[:, other] ** 2 / (along**2).sum(axis=1),
        z=1.0 / inverse,
    )[in_image]


def concatenate(parts: list[Crossings]) -> Crossings:
    """Join lists of crossings."""
    return Crossings(**{name: np.concatenate([vars(part)[name] for part in parts]) for name in vars(parts[0])})


def accept(crossings: Crossings, edges: EdgeTable, ids: NDArray[np.int32], z: Array) -> Crossings:
    """Keep the crossings at which the edge is what separates the two pixels.

    A contour: p is seen, and q is empty or lies clearly behind an edge that belongs to p rather than to q.
    A seam: the pixels show just the two faces of the edge; p becomes the one that shows the first face.
    """
    face_p, face_q = ids[crossings.p], ids[crossings.q]
    z_p, z_q = z[crossings.p], z[crossings.q]
    before_q = crossings.z < z_q * (1.0 - OCCLUSION_MARGIN)
    belongs_to_p = np.abs(crossings.z - z_p) < np.abs(crossings.z - z_q)
    occludes = (face_q >= 0) & (face_q != face_p) & before_q & belongs_to_p
    contour = ~crossings.seam & (face_p >= 0) & ((face_q < 0) | occludes)

    f0, f1 = edges.f0[crossings.row], edges.f1[crossings.row]
    straight = (face_p == f0) & (face_q == f1)
    swapped = (face_p == f1) & (face_q == f0)
    seam = crossings.seam & (straight | swapped)
    exchange = seam & swapped
    return Crossings(
        row=crossings.row,
        seam=crossings.seam,
        pair=crossings.pair,
        p=np.where(exchange, crossings.q, crossings.p),
        q=np.where(exchange, crossings.p, crossings.q),
        s=np.where(exchange, 1.0 - crossings.s, crossings.s),
        weight=crossings.weight,
        z=crossings.z,
    )[contour | seam]


def select(crossings: Crossings, ids: NDArray[np.int32]) -> Crossings:
    """One crossing per pair: contours before seams; the outermost, or where q is covered the nearest."""
    rank = np.where(ids[crossings.q] < 0, -crossings.s, crossings.z)
    rank = np.where(crossings.seam, 0.0, rank)
    order = np.lexsort((crossings.row, rank, crossings.seam, crossings.pair))
    return crossings[order[np.unique(crossings.pair[order], return_index=True)[1]]]


def blend(raw: Array, kept: Crossings) -> Array:
    """Move the border from the pixels' middle to the crossing: (H * W, C) images, several pairs add up."""
    out = raw.copy()
    in_p = kept.s < 0.5
    target, source = np.where(in_p, kept.p, kept.q), np.where(in_p, kept.q, kept.p)
    share = kept.weight * np.abs(0.5 - kept.s)
    np.add.at(out, target, share[:, None] * (raw[source] - raw[target]))
    return out
