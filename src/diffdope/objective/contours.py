"""Losses of the pixels next to a contour: blended with their neighbours, each has a Jacobian of its own."""

import numpy as np
from numba import njit

from diffdope.objective.layout import DEPTH, MASK, RGB
from diffdope.objective.losses import depth_terms, mask_terms, rgb_terms
from diffdope.render.kernels.lanes import LANES, add_lanes
from diffdope.render.kernels.layout import CHUNK, JACOBIAN, ROW_SUMS
from diffdope.render.kernels.options import KERNEL, SCALAR

ZERO = np.float32(0.0)


@njit(**SCALAR)
def add_residual(jacobian, row, channel, observed, slope, weight, sums, with_normal):
    """Adds slope * dP to the gradient and weight * (dP - O dA)^T (dP - O dA) to the normal matrix.

    The row of P is replaced by that of the residual.
    """
    at = row * JACOBIAN + channel * LANES
    add_lanes(sums, 0, slope, jacobian, at)
    if with_normal:
        add_lanes(jacobian, at, -observed, jacobian, row * JACOBIAN + 4 * LANES)
        add_square(jacobian, row, channel, weight, sums)


@njit(**SCALAR)
def add_square(jacobian, row, channel, weight, sums):
    """Adds weight * j^T j of a channel's row j."""
    for k in range(6):
        add_lanes(
            sums, LANES + LANES * k, weight * jacobian[row, channel, k], jacobian, row * JACOBIAN + channel * LANES
        )


@njit(**KERNEL)
def add_row_sums(sums, gradient, normal):
    """Moves the sums of some rows to the gradient and the lower triangle of the normal matrix."""
    for i in range(6):
        gradient[i] += sums[i]
        if normal is not None:
            for k in range(i + 1):
                normal[i, k] += sums[LANES + LANES * i + k]
    for k in range(ROW_SUMS):
        sums[k] = ZERO


@njit(**KERNEL)
def contour_pass(contours, n_rows, observed, terms, with_color, cost, gradient, normal):
    """Everything about the pixels that are next to a contour, as differences to what an empty pixel pays."""
    value, jacobian, sums, pixels = contours.value, contours.jacobian, contours.sums, contours.pixel
    red, green, blue, gates = observed.red, observed.green, observed.blue, observed.gate
    depths, masks, cares = observed.depth, observed.mask, observed.care
    with_normal = normal is not None
    rgb_cost = depth_cost = mask_cost = ZERO
    for row in range(n_rows):
        pixel = np.uint32(pixels[row])
        gate, care, coverage = gates[pixel], cares[pixel], value[row, 4]
        depth, mask = depths[pixel], masks[pixel]
        loss, slope, by_depth_coverage, w = depth_terms(
            value[row, 3], coverage, depth, terms.cap_depth, terms.kappa_depth, terms.inverse_length, terms.floor
        )
        depth_cost += gate * (loss - (terms.kappa_depth if depth > ZERO else ZERO))
        weight = terms.depth * gate
        by_coverage = weight * by_depth_coverage
        add_residual(jacobian, row, 3, depth, weight * slope, weight * w, sums, with_normal)
        if with_color:
            o0, o1, o2 = red[pixel], green[pixel], blue[pixel]
            loss, s0, s1, s2, by_color_coverage, w0, w1, w2 = rgb_terms(
                value[row, 0], value[row, 1], value[row, 2], coverage, o0, o1, o2, terms.cap_rgb, terms.kappa_rgb,
                terms.floor,
            )  # fmt: skip
            rgb_cost += gate * (loss - terms.kappa_rgb)
            weight = terms.rgb * gate
            by_coverage += weight * by_color_coverage
            add_residual(jacobian, row, 0, o0, weight * s0, weight * w0, sums, with_normal)
            add_residual(jacobian, row, 1, o1, weight * s1, weight * w1, sums, with_normal)
            add_residual(jacobian, row, 2, o2, weight * s2, weight * w2, sums, with_normal)
        loss, slope, w = mask_terms(coverage, mask, terms.floor)
        mask_cost += care * (loss - mask)
        weight = terms.mask * care
        add_lanes(sums, 0, by_coverage + weight * slope, jacobian, row * JACOBIAN + 4 * LANES)
        if with_normal:
            add_square(jacobian, row, 4, weight * w, sums)
        if row % CHUNK == CHUNK - 1:  # sums of many rows in single precision would lose digits
            add_row_sums(sums, gradient, normal)
    add_row_sums(sums, gradient, normal)
    cost[RGB] += rgb_cost
    cost[DEPTH] += depth_cost
    cost[MASK] += mask_cost
