"""What is worked out pixel by pixel when a level is made ready, compiled: each pass reads a crop once.

Images that were observed come as arrays that cannot be written to (`readable`), so that each kernel is compiled for one
set of types.
"""

# mypy: allow-untyped-defs

import math

import numpy as np

from diffdope.kernel_compiler import EXACT_ENTRY
from diffdope.kernel_loading import njit

NONE, HALF, THIRD = np.float32(0.0), np.float32(0.5), np.float32(3.0)
NOWHERE = np.int64(-1)


@njit(**EXACT_ENTRY)
def hide_behind_nearer(start, depth, mask, margin, nearest, bounds, columns, weights):
    """Sets weights to 0 outside of the mask where the observed surface is nearer than the object.

    The object's depth is continued beyond its outline from the nearest pixel that has one: of several as near, from
    that of the leftmost column, and in a column from the upper one. Nearest pixels of columns come first; along a row,
    each then owns a run of pixels, and the ends of these runs are the lower envelope of parabolas (Maurer, Qi and
    Raghavan 2003; Felzenszwalb and Huttenlocher 2012). Only rows in which a surface may be nearer are looked at.

    Args:
        start: depth (H, W) of the object, metres, 0 where there is none.
        depth: observed (H, W), metres, 0 where it is missing.
        mask: (H, W).
        margin: by which a surface must be nearer, metres.
        nearest: (H, W) int32, room.
        bounds: (W,) int64, room.
        columns: (W,) int64, room.
        weights: (H, W); 0 is written.
    """
    height, width = start.shape
    farthest = NONE
    for y in range(height):
        for x in range(width):
            farthest = max(farthest, start[y, x])
    farthest -= margin  # none that is farther than all of the object can be in front of it
    first, last = height, -1
    for y in range(height):
        for x in range(width):
            if NONE < depth[y, x] < farthest and mask[y, x] < HALF:
                first = min(first, y)
                last = y
    if last < 0:
        return
    for x in range(width):
        columns[x] = NOWHERE
    for y in range(height):
        for x in range(width):
            if start[y, x] > NONE:
                columns[x] = y
            nearest[y, x] = columns[x]
    for x in range(width):
        columns[x] = NOWHERE
    for y in range(height - 1, first - 1, -1):
        for x in range(width):
            if start[y, x] > NONE:
                columns[x] = y
            below, above = columns[x], nearest[y, x]
            if below >= 0 and (above < 0 or below - y < y - above):
                nearest[y, x] = below
    for y in range(first, last + 1):
        kept = NOWHERE
        for x in range(width):
            if nearest[y, x] < 0:
                continue
            bound = NOWHERE
            away = (y - nearest[y, x]) ** 2 + x * x
            while kept >= 0:
                other = columns[kept]
                end = (away - (y - nearest[y, other]) ** 2 - other * other) / (2.0 * (x - other))
                bound = np.int64(math.floor(end))  # the last pixel of the row that is the other's
                if bound > bounds[kept]:
                    break
                kept -= 1
                bound = NOWHERE
            kept += 1
            columns[kept], bounds[kept] = x, bound
        at = np.int64(0)
        for x in range(width):
            while at < kept and bounds[at + 1] < x:
                at += 1
            z = depth[y, x]
            if NONE < z < farthest and mask[y, x] < HALF and z < start[nearest[y, columns[at]], columns[at]] - margin:
                weights[y, x] = NONE


@njit(**EXACT_ENTRY)
def fill_holes(depth, mask, columns, filled):
    """Depth with what is missing outside of the mask taken for the farthest of what is next on its four sides.

    Cameras that see depth by two views miss what one of them does not see: that is behind, on one side. What is missing
    between near surfaces is rather one of them. Pixels of the mask are passed over.

    Args:
        depth: observed (H, W), metres, 0 where it is missing.
        mask: (H, W).
        columns: (W,) float32, room.
        filled: (H, W); written, 0 where nothing is measured on any side.
    """
    height, width = depth.shape
    for downwards in (True, False):
        for x in range(width):
            columns[x] = NONE
        for row in range(height):
            y = row if downwards else height - 1 - row
            beside = NONE
            for column in range(width):
                x = column if downwards else width - 1 - column
                z = depth[y, x]
                if mask[y, x] >= HALF:
                    filled[y, x] = z
                elif z > NONE:
                    filled[y, x] = columns[x] = beside = z
                elif downwards:
                    filled[y, x] = max(beside, columns[x])
                else:
                    filled[y, x] = max(filled[y, x], beside, columns[x])


@njit(**EXACT_ENTRY)
def count_border(mask, weights):
    """Steps of the mask's border to the right and down where it is weighed, of each kind."""
    height, width = mask.shape
    across, along = 0, 0
    for y in range(height):
        for x in range(width):
            if weights[y, x] > HALF:
                inside = mask[y, x] > HALF
                if x > 0 and inside != (mask[y, x - 1] > HALF):
                    across += 1
                if y > 0 and inside != (mask[y - 1, x] > HALF):
                    along += 1
    return across, along


@njit(**EXACT_ENTRY)
def sum_shared(coverage, mask):
    """What of the mask there is, and what it shares with the coverage, pixels."""
    height, width = coverage.shape
    total, shared = 0.0, 0.0
    for y in range(height):
        for x in range(width):
            total += np.float64(mask[y, x])
            shared += np.float64(min(coverage[y, x], mask[y, x]))
    return total, shared


@njit(**EXACT_ENTRY)
def pack_pixels(rgb, depth, mask, appearance, silhouette, gain, bias, intensity, packed, sums):
    """Writes the observed crop (H*W, 8), see `factor.packed_pixels`, and what is summed over it.

    Args:
        rgb: (H*W, 3), or (0, 3) for none.
        depth: (H*W,) metres, or (0,).
        mask: (H*W,), or (0,).
        appearance: weights (H*W,) of colours and depth.
        silhouette: weights (H*W,) of the mask.
        gain: (3,) of the light, which is taken out of the colours; 0 leaves a channel as it is.
        bias: (3,).
        intensity: whether the mean of the channels is wanted.
        packed: (H*W, 8); all of it is written.
        sums: (3,) weights of colours, those where there is depth, and what the mask has of its own.
    """
    colours, depths, masks = len(rgb) > 0, len(depth) > 0, len(mask) > 0
    weighed, with_depth, silhouettes = 0.0, 0.0, 0.0
    lit_r, lit_g, lit_b = gain[0], gain[1], gain[2]
    for i in range(np.uint64(len(packed))):
        weight, care = appearance[i], silhouette[i]
        weighed += np.float64(weight)
        r = g = b = z = share = mean = NONE
        if colours:
            r, g, b = rgb[i, 0], rgb[i, 1], rgb[i, 2]
            if lit_r != NONE:
                r, g, b = (r - bias[0]) / lit_r, (g - bias[1]) / lit_g, (b - bias[2]) / lit_b
            if intensity:
                mean = (r + g + b) / THIRD
        if depths:
            z = depth[i]
            if z > NONE:
                with_depth += np.float64(weight)
        if masks:
            share = mask[i]
            silhouettes += np.float64(care * share)
        packed[i, 0], packed[i, 1], packed[i, 2], packed[i, 3] = r, g, b, weight
        packed[i, 4], packed[i, 5], packed[i, 6], packed[i, 7] = z, share, care, mean
    sums[0], sums[1], sums[2] = weighed, with_depth, silhouettes
