"""Per-pixel losses of the four modalities: functions of scalars, shared by every backend.

A hypothesis is composited over the observation, so its residual is P - A * O with the premultiplied value P and
coverage A: zero where it covers nothing. Such a pixel pays kappa instead, or leaving the mask would be a gain.
"""

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.options import SCALAR

ZERO, ONE = np.float32(0.0), np.float32(1.0)
THIRD = np.float32(1.0 / 3.0)


@njit(**SCALAR)
def capped_l1(residual, coverage, cap, kappa, floor):
    """(loss, d/d residual, d/d coverage apart from the residual's, weight of its square in the normal matrix)."""
    size = abs(residual)
    limit = cap * max(coverage, ZERO)
    free = size < limit
    sign = ONE if residual > ZERO else -ONE
    loss = min(size, limit) + kappa * (ONE - coverage)
    slope = sign if free else ZERO
    by_coverage = -kappa if free or coverage <= ZERO else cap - kappa
    return loss, slope, by_coverage, (ONE / max(size, floor) if free else ZERO)


@njit(**SCALAR)
def rgb_terms(p0, p1, p2, coverage, o0, o1, o2, cap, kappa, floor):
    """Mean over the channels: loss, d/dP (3), d/dA, weights (3)."""
    l0, s0, a0, w0 = capped_l1(p0 - coverage * o0, coverage, cap, kappa, floor)
    l1, s1, a1, w1 = capped_l1(p1 - coverage * o1, coverage, cap, kappa, floor)
    l2, s2, a2, w2 = capped_l1(p2 - coverage * o2, coverage, cap, kappa, floor)
    by_coverage = (a0 + a1 + a2 - s0 * o0 - s1 * o1 - s2 * o2) * THIRD
    return (
        (l0 + l1 + l2) * THIRD,
        s0 * THIRD, s1 * THIRD, s2 * THIRD,
        by_coverage,
        w0 * THIRD, w1 * THIRD, w2 * THIRD,
    )  # fmt: skip


@njit(**SCALAR)
def depth_terms(premultiplied, coverage, observed, cap, kappa, inverse_length, floor):
    """Loss, d/d(premultiplied depth), d/dA, weight of (AD - A D)^2; all zero where nothing was measured."""
    residual = (premultiplied - coverage * observed) * inverse_length
    loss, slope, by_coverage, weight = capped_l1(residual, coverage, cap, kappa, floor)
    known = ONE if observed > ZERO else ZERO
    by_depth = slope * inverse_length * known
    return (
        loss * known,
        by_depth,
        by_coverage * known - by_depth * observed,
        weight * known * inverse_length * inverse_length,
    )


@njit(**SCALAR)
def mask_terms(coverage, observed, floor):
    """Loss, d/dA, weight."""
    residual = coverage - observed
    size = abs(residual)
    return size, (ONE if residual > ZERO else -ONE), ONE / max(size, floor)
