"""The fused pass: cost, gradient and normal matrix of one object in one view, without storing an image."""

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.problem.contour_pass import contour_pass
from diffdope.render.kernels.accumulate import add_gradient, add_normal, mirror_lower
from diffdope.render.kernels.calls import prepare_at, shade_at
from diffdope.render.kernels.images import clear_images, paint_chunk, paint_rows
from diffdope.render.kernels.lanes import LANES
from diffdope.render.kernels.layout import (
    C_B,
    C_CARE,
    C_DEPTH,
    C_G,
    C_GATE,
    C_GB,
    C_GG,
    C_GR,
    C_GZ,
    C_MASK,
    C_OB,
    C_OG,
    C_OR,
    C_R,
    C_WB,
    C_WG,
    C_WR,
    C_WZ,
    C_Z,
    CHUNK,
)  # fmt: skip
from diffdope.render.kernels.options import CALLED, KERNEL
from diffdope.render.kernels.prepare import release_pose
from diffdope.render.kernels.shade import EIGHT, START, turn_rows
from diffdope.terms.layout import DEPTH, MASK, RGB
from diffdope.terms.losses import depth_terms, rgb_terms

ZERO, ONE, TWO = np.float32(0.0), np.float32(1.0), np.float32(2.0)


@njit(**KERNEL)
def fetch_observed(f, packed, first, count):
    """Copies what was observed at a chunk of fragments."""
    c, pixel = f.chunk, f.pixel
    for i in range(0, count, LANES):
        turn_rows(c, C_OR, packed, pixel, first, i, count - 1, EIGHT, START)


@njit(**KERNEL)
def chunk_rgb(c, terms, count):
    """Colour derivatives of a chunk of fully covered fragments; returns loss less what an empty pixel pays."""
    scale, cap, kappa, floor = terms.rgb, terms.cap_rgb, terms.kappa_rgb, terms.floor
    total = ZERO
    for i in range(count):
        gate = c[C_GATE + i]
        weight = scale * gate
        loss, s0, s1, s2, _, w0, w1, w2 = rgb_terms(
            c[C_R + i], c[C_G + i], c[C_B + i], ONE, c[C_OR + i], c[C_OG + i], c[C_OB + i], cap, kappa, floor
        )
        total += gate * (loss - kappa)
        c[C_GR + i], c[C_GG + i], c[C_GB + i] = weight * s0, weight * s1, weight * s2
        c[C_WR + i], c[C_WG + i], c[C_WB + i] = weight * w0, weight * w1, weight * w2
    return total


@njit(**KERNEL)
def chunk_depth(c, terms, count):
    """Depth derivatives of a chunk; returns loss less what an empty pixel pays."""
    cap, kappa, inverse, floor, scale = (
        terms.cap_depth,
        terms.kappa_depth,
        terms.inverse_length,
        terms.floor,
        terms.depth,
    )
    total = ZERO
    for i in range(count):
        depth, gate = c[C_DEPTH + i], c[C_GATE + i]
        loss, slope, _, weight = depth_terms(c[C_Z + i], ONE, depth, cap, kappa, inverse, floor)
        total += gate * (loss - (kappa if depth > ZERO else ZERO))
        c[C_GZ + i], c[C_WZ + i] = scale * gate * slope, scale * gate * weight
    return total


@njit(**KERNEL)
def chunk_mask(c, count):
    """Mask loss of a chunk less what an empty pixel pays: |1 - M| - M. Covered pixels have no derivative."""
    total = ZERO
    for i in range(count):
        total += c[C_CARE + i] * (ONE - TWO * c[C_MASK + i])
    return total


@njit(**KERNEL)
def fragments_pass(
    at, mesh, view, t, s, packed, terms, n, with_color, with_normal, cost, gradient, normal, images, paint
):
    """Everything about the pixels that are next to no contour."""
    f = s.fragments
    for first in range(0, n, CHUNK):
        count = min(CHUNK, n - first)
        shade_at(at.shade, mesh.skin, s.visible.planes, f, first, count, with_color)
        if paint:
            paint_chunk(f, first, count, with_color, images.rgb, images.depth, images.coverage)
        fetch_observed(f, packed, first, count)
        if with_color:
            cost[RGB] += chunk_rgb(f.chunk, terms, count)
        cost[DEPTH] += chunk_depth(f.chunk, terms, count)
        cost[MASK] += chunk_mask(f.chunk, count)
        add_gradient(view, t, f.chunk, count, with_color, gradient)
        if with_normal:
            add_normal(view, t, f.chunk, count, with_color, normal)


@njit(**KERNEL)
def start_sums(empty_cost, cost, gradient, normal):
    """Cost of an empty image, no derivative."""
    for k in range(4):
        cost[k] = empty_cost[k]
    for i in range(6):
        gradient[i] = 0.0
        for k in range(6):
            normal[i, k] = 0.0


@njit(**CALLED)
def evaluate_pose(
    at, mesh, view, R, t, s, packed, terms, empty_cost, with_normal, cost, gradient, normal, images, paint
):
    """rgb, depth and mask of one pose; returns the number of pixels that it covers or touches.

    Takes what was observed as `PixelBuffers.packed`. Writes the unweighted cost by term (4,), and of the weighted total
    the gradient (6,) and, where it is wanted, the normal matrix (6, 6), in (rho, phi). `empty_cost` (4,) is what a pose
    that covers nothing pays. Paints the images beside, if that is wanted.
    """
    if paint:
        clear_images(images.rgb, images.depth, images.coverage)
    with_color = mesh.skin.shading != 0 and terms.rgb > ZERO
    start_sums(empty_cost, cost, gradient, normal)
    n, n_rows, used = prepare_at(at.prepare, mesh, view, R, t, s, at.shade, True)
    fragments_pass(
        at, mesh, view, t, s, packed, terms, n, with_color, with_normal, cost, gradient, normal, images, paint
    )
    contour_pass(s.contours, n_rows, packed, terms, with_color, with_normal, cost, gradient, normal)
    if paint:
        paint_rows(s.contours, n_rows, images.rgb, images.depth, images.coverage)
    mirror_lower(normal)
    release_pose(view, s, used)
    return n + n_rows
