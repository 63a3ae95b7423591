"""The arrays that kernels work on, as small named tuples.

Small, because numba passes a tuple to a function field by field and counts a reference for each array of it: whatever
runs once per face, pixel or pair is force-inlined and gets arrays, taken out of their tuples before the loop.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
I32 = NDArray[np.int32]
U32 = NDArray[np.uint32]
U8 = NDArray[np.uint8]

SHADE_NONE, SHADE_VERTEX, SHADE_TEXTURE = 0, 1, 2
PLANE = np.int64(16)  # floats per visible face: one cache line
CHUNK = 128  # fragments shaded at a time: their intermediate values stay in the first-level cache


class Shape(NamedTuple):
    """Geometry of a mesh: vertices as separate coordinates (V,) metres, faces (F, 3).

    A point p is on the outer side of a face's plane if normal . p + offset > 0. Indices are unsigned here and in
    Edges, because numba lets signed ones count from the end of an array, which costs three instructions for each.
    """

    x: F32
    y: F32
    z: F32
    faces: U32
    normal_x: F32  # (F,)
    normal_y: F32
    normal_z: F32
    offset: F32
    closed: int  # 1: back faces are never seen and may be skipped


class Skin(NamedTuple):
    """Colour of a mesh: attributes per vertex, texels of all mip levels one after the other."""

    shading: int  # SHADE_*
    attributes: F32  # (V, 3): rgb, or texture u, v (origin top-left) and 0
    texels: I32  # r | g << 8 | b << 16
    offsets: I32  # (L,)
    widths: I32
    heights: I32


# Of orientations 0 (not drawn), 1 and 2: neighbours agree, or, wound inconsistently, differ; seams count always.
EDGE_AGREE, EDGE_DIFFER, EDGE_ALWAYS = 0, 3, 255


class Edges(NamedTuple):
    """Edges of a mesh that may become contours (E rows)."""

    vertices: U32  # (E, 2)
    faces: U32  # (E, 2), F (a face that is never drawn) for none
    opposite: U32  # (E, 2) vertex of each face that is not on the edge
    flags: U8  # (E,) bit 0: faces wound inconsistently; bit 1: attributes jump across the edge
    smooth: U8  # (E,) exclusive or of the faces' orientations where the edge is no contour, EDGE_*


class MeshArrays(NamedTuple):
    """One mesh."""

    shape: Shape
    skin: Skin
    edges: Edges


class Pinhole(NamedTuple):
    """A pinhole camera of the crop, pixels, integer pixel centres."""

    fx: np.float32
    fy: np.float32
    cx: np.float32
    cy: np.float32
    width: int
    height: int


class Screen(NamedTuple):
    """Projected vertices, and which way faces turn."""

    u: F32  # (V,)
    v: F32
    iz: F32  # 1/Z, or -1 behind the near plane
    orientation: U8  # (F + 1,) 0 not drawn, 1 turned away, 2 turned towards the camera
    drawn: I32  # (F,) faces whose box holds a pixel centre


class Buffer(NamedTuple):
    """What each pixel sees (H*W,): drawn into blocks, then read from images."""

    blocks: I32  # 1/Z of eight pixels as bits, their faces, those of the next eight ...; all 0 between poses
    bits: I32  # those of iz
    iz: F32  # 1/Z where something is
    face: I32  # -1 where nothing is


class Visible(NamedTuple):
    """The covered pixels, and the planes of the faces that own one."""

    pixel: I32  # (H*W,) covered pixels, row by row

    slot: I32  # (F,) row in planes, -1 while the face is not seen
    face: I32  # (F,) face of a slot
    planes: F32  # (F * PLANE,)


class Fragments(NamedTuple):
    """A list of pixels to shade, and the shaded values of one chunk of it."""

    pixel: I32  # (H*W,)
    x: F32
    y: F32
    slot: I32
    chunk: F32  # (CHUNK_SIZE,)
    integers: I32  # (INTEGERS_SIZE,)


class Pairs(NamedTuple):
    """Neighbouring pixels between which a contour passes."""

    table: I32  # (2*H*W,) pair of a pixel and its right neighbour, and of a pixel and the one below; -1 none
    which: I32  # (2*H*W, 5) columns PAIR_*
    place: F32  # (2*H*W, 2) distance of the crossing from the inside pixel in [0, 1], depth of the edge there
    candidates: I32  # (E,) edges that may be a contour


# Columns of Contours.value. Typed, as offsets and lengths below are, because numba compiles a function anew for every
# plain integer that it is given.
CHANNEL_RED, CHANNEL_GREEN, CHANNEL_BLUE, CHANNEL_DEPTH, CHANNEL_COVERAGE = (np.int64(k) for k in range(5))
# Columns of Pairs.which: pixel on the object's side of the contour, pixel beyond it, edge, 0/1 and 0/1.
PAIR_INSIDE, PAIR_OUTSIDE, PAIR_EDGE, PAIR_VERTICAL, PAIR_SEAM = range(5)


JACOBIAN = np.int64(40)  # floats of a pixel's Jacobian: five channels in rows of eight
ROW_COLUMNS = int(JACOBIAN) + 26


class Contours(NamedTuple):
    """Pixels on either side of a contour: raw and antialiased values, with Jacobians.

    Channels: premultiplied r, g, b, premultiplied depth, coverage.
    """

    row: I32  # (H*W,) row of a pixel, -1 none
    pixel: I32  # (N,)
    order: I32  # (N,) 0, 1, 2 ...
    raw: F32  # (N, 5)
    raw_jacobian: F32  # (N, 5, 8): 6 and two zeros
    value: F32  # (N, 8): 5 and three zeros
    jacobian: F32  # (N, 5, 8)
    row6: F32  # (6,) one Jacobian row
    row8: F32  # (8,) the same with two zeros
    columns: F32  # (ROW_COLUMNS * CHUNK,) a chunk of rows, turned, and what is computed of it


class IntensityPlanes(NamedTuple):
    """What the edge modality stores (H*W,)."""

    residual: F32  # mean of rgb residuals
    upstream: F32  # d cost / d residual
    by_coverage: F32  # derivative of the edge loss by a pixel's own coverage
    jacobian: F32  # (H*W, 6) only when a normal matrix is wanted


class Scratch(NamedTuple):
    """Everything one thread writes while it works on one hypothesis."""

    screen: Screen
    buffer: Buffer
    visible: Visible
    fragments: Fragments
    pairs: Pairs
    contours: Contours
    intensity: IntensityPlanes


# Rows of Fragments.chunk, flat with constant offsets: only so does LLVM see that rows do not overlap, and vectorises.
(
    C_X,
    C_Y,
    C_Z,
    C_ZU,
    C_ZV,  # pixel, depth and its screen slopes
    C_R,
    C_G,
    C_B,
    C_RU,
    C_GU,
    C_BU,
    C_RV,
    C_GV,
    C_BV,  # colour and its screen slopes
    C_OR,
    C_OG,
    C_OB,
    C_GATE,
    C_DEPTH,
    C_MASK,
    C_CARE,
    C_INTENSITY,  # what was observed there
    C_GR,
    C_GG,
    C_GB,
    C_GZ,  # d cost / d (rgb, depth)
    C_WR,
    C_WG,
    C_WB,
    C_WZ,  # weights of their squares in the normal matrix
    C_TU,
    C_TV,
    C_TUX,
    C_TUY,
    C_TVX,
    C_TVY,  # texture coordinates and their screen slopes
    C_FX,
    C_FY,
    C_CX,
    C_CY,  # position within a texel of the fine and of the coarse level
) = (np.int64(CHUNK * k) for k in range(40))
C_PLANE = np.int64(CHUNK * 40)  # PLANE rows: the planes of each fragment's face
CHUNK_SIZE = int(C_PLANE + CHUNK * PLANE)
# Rows of Fragments.integers: texel index and steps of the fine and the coarse level, then the eight texels.
(I_FINE, I_FINE_X, I_FINE_Y, I_COARSE, I_COARSE_X, I_COARSE_Y) = (CHUNK * k for k in range(6))
I_TEXEL = CHUNK * 6
INTEGERS_SIZE = I_TEXEL + CHUNK * 8


def _f32(*shape: int) -> F32:
    return np.zeros(shape, np.float32)


def _i32(*shape: int) -> I32:
    return np.full(shape, -1, np.int32)


def _u8(*shape: int) -> U8:
    return np.zeros(shape, np.uint8)


def _blocks(pixels: int) -> I32:
    """Room for whole blocks, where a block does not lie across two cache lines."""
    words = 2 * pixels
    room = np.zeros(words + 16, np.int32)
    start = -(room.ctypes.data // 4) % 16
    return room[start : start + words]


def allocate_scratch(n_vertices: int, n_faces: int, n_edges: int, pixels: int, *, edge_jacobian: bool) -> Scratch:
    """Allocates the scratch of one thread for a mesh and crops of at most this many pixels."""
    n_pairs = 2 * pixels
    padded = (pixels + 7) // 8 * 8
    bits = np.zeros(padded, np.int32)
    return Scratch(
        Screen(_f32(n_vertices), _f32(n_vertices), _f32(n_vertices), _u8(n_faces + 1), _i32(n_faces)),
        Buffer(_blocks(padded), bits, bits.view(np.float32), _i32(padded)),
        Visible(_i32(padded), _i32(n_faces), _i32(n_faces + 1), _f32(n_faces * int(PLANE))),
        Fragments(_i32(pixels), _f32(pixels), _f32(pixels), _i32(pixels), _f32(CHUNK_SIZE), _i32(INTEGERS_SIZE)),
        Pairs(_i32(2 * pixels), _i32(n_pairs, 5), _f32(n_pairs, 2), _i32(n_edges)),
        Contours(
            _i32(pixels), _i32(pixels), np.arange(pixels, dtype=np.int32), _f32(pixels, 5), _f32(pixels, 5, 8),
            _f32(pixels, 8), _f32(pixels, 5, 8), _f32(6), _f32(8), _f32(ROW_COLUMNS * CHUNK),
        ),
        IntensityPlanes(_f32(pixels), _f32(pixels), _f32(pixels), _f32(pixels if edge_jacobian else 1, 6)),
    )  # fmt: skip
