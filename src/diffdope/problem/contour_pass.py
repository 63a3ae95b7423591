"""Losses of the pixels next to a contour: blended with their neighbours, each has a Jacobian of its own.

As inside of faces, a chunk of pixels is first turned into columns, so that the loops that compute vectorise.
"""

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.accumulate import add_lower
from diffdope.render.kernels.lanes import LANES
from diffdope.render.kernels.layout import CHUNK, JACOBIAN
from diffdope.render.kernels.options import KERNEL
from diffdope.render.kernels.shade import EIGHT, START, turn_rows
from diffdope.terms.layout import DEPTH, MASK, RGB
from diffdope.terms.losses import depth_terms, mask_terms, rgb_terms

ZERO = np.float32(0.0)
# Columns of a chunk of contour pixels: five channels of Jacobians, values, what was observed (in the order of
# Observed.packed), then a slope and a weight for each channel.
K_VALUE, K_OBSERVED, K_SLOPE, K_WEIGHT = (CHUNK * (JACOBIAN + k) for k in (0, 8, 16, 21))
K_R, K_G, K_B, K_Z, K_A = (K_VALUE + CHUNK * k for k in range(5))
K_OR, K_OG, K_OB, K_GATE, K_DEPTH, K_MASK, K_CARE, K_NONE = (K_OBSERVED + CHUNK * k for k in range(8))


@njit(**KERNEL)
def fetch_rows(contours, packed, first, count):
    """Turns values, Jacobians and observation of some contour pixels into columns."""
    c, rows, pixel = contours.columns, contours.order, contours.pixel
    jacobian, value = contours.jacobian, contours.value
    for i in range(0, count, LANES):
        for channel in range(5):
            start = np.int64(channel * LANES)
            turn_rows(c, start * CHUNK, jacobian, rows, first, i, count - 1, JACOBIAN, start)
        turn_rows(c, K_VALUE, value, rows, first, i, count - 1, EIGHT, START)
        turn_rows(c, K_OBSERVED, packed, pixel, first, i, count - 1, EIGHT, START)


@njit(**KERNEL)
def row_losses(c, terms, count, with_color, cost):
    """Slopes by the channels and weights of their squares; adds the losses less what an empty pixel pays."""
    rgb, cap_rgb, kappa_rgb, floor = terms.rgb, terms.cap_rgb, terms.kappa_rgb, terms.floor
    depth, cap_depth, kappa_depth, inverse = terms.depth, terms.cap_depth, terms.kappa_depth, terms.inverse_length
    mask = terms.mask
    rgb_cost = depth_cost = mask_cost = ZERO
    for i in range(count):
        gate, care, seen, covered = c[K_GATE + i], c[K_CARE + i], c[K_MASK + i], c[K_A + i]
        c[K_NONE + i] = ZERO
        loss, slope, by_depth, w = depth_terms(
            c[K_Z + i], covered, c[K_DEPTH + i], cap_depth, kappa_depth, inverse, floor
        )
        depth_cost += gate * (loss - (kappa_depth if c[K_DEPTH + i] > ZERO else ZERO))
        c[K_SLOPE + 3 * CHUNK + i], c[K_WEIGHT + 3 * CHUNK + i] = depth * gate * slope, depth * gate * w
        loss, slope, w = mask_terms(covered, seen, floor)
        mask_cost += care * (loss - seen)
        c[K_SLOPE + 4 * CHUNK + i] = mask * care * slope + depth * gate * by_depth
        c[K_WEIGHT + 4 * CHUNK + i] = mask * care * w
    if with_color:
        for i in range(count):
            gate = c[K_GATE + i]
            loss, s0, s1, s2, by_coverage, w0, w1, w2 = rgb_terms(
                c[K_R + i], c[K_G + i], c[K_B + i], c[K_A + i], c[K_OR + i], c[K_OG + i], c[K_OB + i], cap_rgb,
                kappa_rgb, floor,
            )  # fmt: skip
            rgb_cost += gate * (loss - kappa_rgb)
            weight = rgb * gate
            c[K_SLOPE + i], c[K_WEIGHT + i] = weight * s0, weight * w0
            c[K_SLOPE + CHUNK + i], c[K_WEIGHT + CHUNK + i] = weight * s1, weight * w1
            c[K_SLOPE + 2 * CHUNK + i], c[K_WEIGHT + 2 * CHUNK + i] = weight * s2, weight * w2
            c[K_SLOPE + 4 * CHUNK + i] += weight * by_coverage
    cost[RGB] += rgb_cost
    cost[DEPTH] += depth_cost
    cost[MASK] += mask_cost


@njit(**KERNEL)
def add_rows(slope, j, count, gradient):
    """Adds slope * j of one channel."""
    g0 = g1 = g2 = g3 = g4 = g5 = ZERO
    for i in range(count):
        s = slope[i]
        g0 += s * j[i]
        g1 += s * j[CHUNK + i]
        g2 += s * j[2 * CHUNK + i]
        g3 += s * j[3 * CHUNK + i]
        g4 += s * j[4 * CHUNK + i]
        g5 += s * j[5 * CHUNK + i]
    gradient[0] += g0
    gradient[1] += g1
    gradient[2] += g2
    gradient[3] += g3
    gradient[4] += g4
    gradient[5] += g5


@njit(**KERNEL)
def add_squares(weight, j, observed, coverage, count, normal):
    """Adds weight * r^T r with the residual's row r = dP - O dA."""
    n00 = n10 = n11 = n20 = n21 = n22 = n30 = n31 = n32 = n33 = n40 = n41 = n42 = n43 = n44 = ZERO
    n50 = n51 = n52 = n53 = n54 = n55 = ZERO
    for i in range(count):
        w, o = weight[i], observed[i]
        r0 = j[i] - o * coverage[i]
        r1 = j[CHUNK + i] - o * coverage[CHUNK + i]
        r2 = j[2 * CHUNK + i] - o * coverage[2 * CHUNK + i]
        r3 = j[3 * CHUNK + i] - o * coverage[3 * CHUNK + i]
        r4 = j[4 * CHUNK + i] - o * coverage[4 * CHUNK + i]
        r5 = j[5 * CHUNK + i] - o * coverage[5 * CHUNK + i]
        w0, w1, w2, w3, w4 = w * r0, w * r1, w * r2, w * r3, w * r4
        n00 += w0 * r0
        n10 += w0 * r1
        n20 += w0 * r2
        n30 += w0 * r3
        n40 += w0 * r4
        n50 += w0 * r5
        n11 += w1 * r1
        n21 += w1 * r2
        n31 += w1 * r3
        n41 += w1 * r4
        n51 += w1 * r5
        n22 += w2 * r2
        n32 += w2 * r3
        n42 += w2 * r4
        n52 += w2 * r5
        n33 += w3 * r3
        n43 += w3 * r4
        n53 += w3 * r5
        n44 += w4 * r4
        n54 += w4 * r5
        n55 += w * r5 * r5
    add_lower(normal, (
        n00, n10, n11, n20, n21, n22, n30, n31, n32, n33, n40, n41, n42, n43, n44, n50, n51, n52, n53, n54, n55,
    ))  # fmt: skip


@njit(**KERNEL)
def contour_pass(contours, n_rows, packed, terms, with_color, with_normal, cost, gradient, normal):
    """Everything about the pixels that are next to a contour."""
    c = contours.columns
    coverage = c[4 * LANES * CHUNK :]
    for first in range(0, n_rows, CHUNK):
        count = min(CHUNK, n_rows - first)
        fetch_rows(contours, packed, first, count)
        row_losses(c, terms, count, with_color, cost)
        for channel in range(0 if with_color else 3, 5):
            j, place = c[channel * LANES * CHUNK :], channel * CHUNK
            add_rows(c[K_SLOPE + place :], j, count, gradient)
            if with_normal:
                seen = K_DEPTH if channel == 3 else (K_NONE if channel == 4 else K_OR + place)
                add_squares(c[K_WEIGHT + place :], j, c[seen:], coverage, count, normal)
