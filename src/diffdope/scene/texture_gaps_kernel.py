"""Which texels of a texture show on a mesh, and colours for those that do not. Nothing here allocates."""

# mypy: allow-untyped-defs, allow-untyped-decorators

import numpy as np
from numpy.typing import NDArray

from diffdope.kernel_compiler import EXACT_ENTRY, EXACT_INNER
from diffdope.kernel_loading import njit

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]


@njit(**EXACT_INNER)
def _clamped(place, size):
    """The texel nearest to a place along an axis, of those that there are."""
    return min(max(int(np.floor(place + 0.5)), 0), size - 1)


@njit(**EXACT_INNER)
def _crossing(along, p, across_p, q, across_q, least, most):
    """Where an edge from (p, across_p) to (q, across_q) is at a place along the other axis: widens (least, most)."""
    if min(p, q) <= along <= max(p, q):
        across = across_p if p == q else across_p + (along - p) / (q - p) * (across_q - across_p)
        least, most = min(least, across), max(most, across)
        if p == q:
            least, most = min(least, across_q), max(most, across_q)
    return least, most


@njit(**EXACT_INNER)
def _mark_thin(a, across_a, b, across_b, c, across_c, turned, used):
    """Marks the texel in the middle of a triangle at each step along an axis: of rows, or of columns if turned."""
    height, width = used.shape
    low, high = min(a, b, c), max(a, b, c)
    for step in range(_clamped(low, width if turned else height), _clamped(high, width if turned else height) + 1):
        along = min(max(float(step), low), high)
        least, most = _crossing(along, a, across_a, b, across_b, np.inf, -np.inf)
        least, most = _crossing(along, b, across_b, c, across_c, least, most)
        least, most = _crossing(along, c, across_c, a, across_a, least, most)
        middle = 0.5 * (least + most)
        if turned:
            used[_clamped(middle, height), step] = 1
        else:
            used[step, _clamped(middle, width)] = 1


@njit(**EXACT_INNER)
def _mark_face(ax, ay, bx, by, cx, cy, used):
    """Marks the texels whose middle is within a triangle or on its border; of one that is thinner, those that it
    crosses.

    Returns how many texels were looked at.
    """
    height, width = used.shape
    left, right = max(int(np.ceil(min(ax, bx, cx))), 0), min(int(np.floor(max(ax, bx, cx))), width - 1)
    top, bottom = max(int(np.ceil(min(ay, by, cy))), 0), min(int(np.floor(max(ay, by, cy))), height - 1)
    side = 1.0 if (bx - ax) * (cy - ay) - (by - ay) * (cx - ax) >= 0.0 else -1.0
    found = 0
    for y in range(top, bottom + 1):
        for x in range(left, right + 1):
            if (
                side * ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) >= 0.0
                and side * ((cx - bx) * (y - by) - (cy - by) * (x - bx)) >= 0.0
                and side * ((ax - cx) * (y - cy) - (ay - cy) * (x - cx)) >= 0.0
            ):
                used[y, x] = 1
                found += 1
    wide, high = max(ax, bx, cx) - min(ax, bx, cx), max(ay, by, cy) - min(ay, by, cy)
    if found <= max(wide, high):
        if wide > high:
            _mark_thin(ax, ay, bx, by, cx, cy, True, used)
        else:
            _mark_thin(ay, ax, by, bx, cy, cx, False, used)
    return max(bottom + 1 - top, 0) * max(right + 1 - left, 0)


@njit(**EXACT_ENTRY)
def mark_used(corners: F64, most: int, used: U8) -> bool:
    """Marks the texels that faces show; False if that is too much work, and nobody knows.

    Args:
        corners: of faces on the texture (F, 3, 2), texels, columns before rows; that of a texel's middle is whole.
        most: texels that may be looked at.
        used: (H, W), zeros.
    """
    looked = 0
    for i in range(len(corners)):
        a, b, c = corners[i, 0], corners[i, 1], corners[i, 2]
        looked += _mark_face(a[0], a[1], b[0], b[1], c[0], c[1], used)
        if looked > most:
            return False
    return True


@njit(**EXACT_ENTRY)
def fill_unused(texture: U8, used: U8, sums: F32, heights: NDArray[np.int64], widths: NDArray[np.int64]) -> None:
    """Gives texels that are not used the mean colour of those that are, of the smallest block that has some.

    Blocks are of 2, 4, 8 ... texels: "push-pull" (Gortler et al., The Lumigraph, SIGGRAPH 1996).

    Args:
        texture: (H, W, 3); filled.
        used: (H, W), some of it not 0.
        sums: (N, 4) zeros: colours and number of used texels of each block, level by level.
        heights: of the levels, the first of which has blocks of 2 x 2 texels.
        widths: the same.
    """
    height, width = used.shape
    for y in range(height):
        for x in range(width):
            if used[y, x]:
                k = (y >> 1) * widths[0] + (x >> 1)
                for c in range(3):
                    sums[k, c] += np.float32(texture[y, x, c])
                sums[k, 3] += np.float32(1.0)
    start = 0
    for level in range(1, len(heights)):
        coarse = start + heights[level - 1] * widths[level - 1]
        for y in range(heights[level - 1]):
            for x in range(widths[level - 1]):
                k, up = start + y * widths[level - 1] + x, coarse + (y >> 1) * widths[level] + (x >> 1)
                for c in range(4):
                    sums[up, c] += sums[k, c]
        start = coarse
    for level in range(len(heights) - 2, -1, -1):
        coarse = start
        start -= heights[level] * widths[level]
        for y in range(heights[level]):
            for x in range(widths[level]):
                k, up = start + y * widths[level] + x, coarse + (y >> 1) * widths[level + 1] + (x >> 1)
                if sums[k, 3] == 0.0:
                    for c in range(4):
                        sums[k, c] = sums[up, c]
    for y in range(height):
        for x in range(width):
            if not used[y, x]:
                k = (y >> 1) * widths[0] + (x >> 1)
                for c in range(3):
                    texture[y, x, c] = np.uint8(sums[k, c] / sums[k, 3] + np.float32(0.5))
