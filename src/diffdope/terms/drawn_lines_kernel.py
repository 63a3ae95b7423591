"""The loops of `terms/drawn_lines.py`: how much of what is drawn of an object lies on edges of a photograph."""

# mypy: allow-untyped-defs

import numpy as np

from diffdope.kernel_loading import njit
from diffdope.render.kernels.options import ENTRY, KERNEL
from diffdope.terms.contour_kernel import profile
from diffdope.terms.inner_contour_kernel import trace_creases
from diffdope.terms.outline_kernel import trace_outline

_SPARSE = 3  # pixels between places at which lines of any direction are looked for
_DIAGONAL = 0.7071067811865476


@njit(**KERNEL)
def _on_edge(smooth, usual, x, y, nx, ny, strong, scratch):
    """From 0 to 1, how good an edge there is along a normal, and how near: two deviations off at the last sample."""
    count, contrast = len(scratch.contrast), scratch.contrast
    profile(smooth, usual, x, y, nx, ny, count, scratch.colours, contrast)
    half, best = count // 2, 0.0
    for s in range(1, count - 1):
        if contrast[s] >= contrast[s - 1] and contrast[s] >= contrast[s + 1]:  # beside an edge there is contrast, too
            off = 2.0 * (s - half) / half
            best = max(best, min(contrast[s] / strong, 1.0) * np.exp(-0.5 * off * off))
    return best


@njit(**ENTRY)
def share_anywhere(smooth, usual, strong, scratch):
    """The same of lines that lie anywhere and in any direction, their mean."""
    height, width = smooth.shape[0], smooth.shape[1]
    total, count = 0.0, 0
    for v in range(_SPARSE, height - _SPARSE, _SPARSE):
        for u in range(_SPARSE, width - _SPARSE, _SPARSE):
            turn = (u // _SPARSE + v // _SPARSE) % 4  # of four directions, one a place
            nx = 1.0 if turn == 0 else (0.0 if turn == 1 else _DIAGONAL)
            ny = 0.0 if turn == 0 else (1.0 if turn == 1 else (_DIAGONAL if turn == 2 else -_DIAGONAL))
            total += _on_edge(smooth, usual, u, v, nx, ny, strong, scratch)
            count += 1
    return total / max(count, 1)


@njit(**ENTRY)
def sum_on_edges(
    smooth, usual, coverage, depth, R, t, points, directions, lengths, margin_m, view, strong, outline, inner, scratch,
    sums,
):  # fmt: skip
    """Fills sums (B, 4): points of the outline of each rendering, how much of them lies on edges, and both of creases.

    smooth, usual: of `smooth_photograph`; coverage, depth (B, H, W): as drawn; R (B, 3, 3), t (B, 3): in these poses;
    points, directions (M, 3), lengths (M,): of `Creases`; margin_m: see `trace_creases`; outline, inner, scratch:
    filled.
    """
    for b in range(len(t)):
        count = trace_outline(
            coverage[b], depth[b], view.gauss, view.variance, view.fx, view.fy, view.cx, view.cy,
            outline.place, outline.normal, outline.point,
        )  # fmt: skip
        within = trace_creases(
            points, directions, lengths, R[b], t[b], view.fx, view.fy, view.cx, view.cy, coverage[b], depth[b],
            margin_m, inner.place, inner.normal, inner.point,
        )  # fmt: skip
        sums[b, 0], sums[b, 1], sums[b, 2], sums[b, 3] = count, 0.0, within, 0.0
        for i in range(count):
            sums[b, 1] += _on_edge(
                smooth, usual, outline.place[i, 0], outline.place[i, 1], outline.normal[i, 0], outline.normal[i, 1],
                strong, scratch,
            )  # fmt: skip
        for i in range(within):
            sums[b, 3] += _on_edge(
                smooth, usual, inner.place[i, 0], inner.place[i, 1], inner.normal[i, 0], inner.normal[i, 1],
                strong, scratch,
            )  # fmt: skip
