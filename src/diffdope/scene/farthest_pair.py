"""The greatest distance between two of many points, by branch and bound over pairs of boxes.

Points are halved along the longest side of their box, again and again. A pair of boxes is left out where nothing in
them can be farther apart than what is known. Two bounds together leave few of them, whatever the shape:

- |p - q|^2 = 2 |p|^2 + 2 |q|^2 - |p + q|^2, with the origin in the middle: for balls, of which each corner has a
  partner as far away as any other, p and -q must nearly be in one place.
- What the boxes' own corners allow.

For the points of two last boxes it is |v|^2 = (v . d)^2 + |v - (v . d) d|^2 with d from middle to middle: where a pair
is farthest apart, surfaces stand square to d, and v . d hardly changes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Int = NDArray[np.intp]
Bool = NDArray[np.bool_]

_LEAF = 16  # points of a last box, at most: of two of them all pairs are compared
_MOST_BOXES = 2**16  # pairs of boxes at a time, and
_MOST_LEAVES = 2**11  # of last boxes, whose points are compared: both bound the memory
_ROUNDING = 1e-13  # of a square: what is no farther by more than this is as far
_SIDES = np.array(
    [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1], [1, 1, -1], [1, -1, 1], [-1, 1, 1]], np.float64
)  # fmt: skip


class _Boxes:
    """The boxes of one level: least and greatest corner (K, 3), and the greatest squared distance from the origin."""

    def __init__(self, points: F64) -> None:
        self._low, self._high = points.min(axis=1), points.max(axis=1)
        self._squares = np.einsum("kni,kni->kn", points, points).max(axis=1)

    def bound(self, a: Int, b: Int) -> F64:
        """No two points of boxes a and b (N,) have a greater squared distance."""
        gap = np.maximum(0.0, np.maximum(self._low[a] + self._low[b], -(self._high[a] + self._high[b])))  # of a from -b
        across = np.maximum(self._high[a] - self._low[b], self._high[b] - self._low[a])
        opposite = 2.0 * (self._squares[a] + self._squares[b]) - np.sum(gap**2, axis=1)
        least: F64 = np.minimum(opposite, np.sum(across**2, axis=1))
        return least


def farthest_pair(points: F64) -> float:
    """Greatest distance between two points of (N, 3)."""
    points = points - (points.min(axis=0) + points.max(axis=0)) / 2
    best = _by_walks(points)
    leaves, levels = _halved(points)
    root = np.zeros(1, np.intp)
    waiting = [(0, root, root)]
    while waiting:
        level, a, b = waiting.pop()
        far = levels[level].bound(a, b) > best * (1.0 + _ROUNDING)
        a, b = a[far], b[far]
        if level + 1 < len(levels):
            a, b = _children(a, b)
            parts = max(1, -(-len(a) // _MOST_BOXES))
            waiting += [
                (level + 1, *both) for both in zip(*(np.array_split(one, parts) for one in (a, b)), strict=True)
            ]
            continue
        for k in range(0, len(a), _MOST_LEAVES):
            best = max(best, _of_leaves(leaves[a[k : k + _MOST_LEAVES]], leaves[b[k : k + _MOST_LEAVES]], best))
    return float(np.sqrt(best))


def _by_walks(points: F64) -> float:
    """A squared distance that two points have, mostly nearly the greatest: from a side to what is farthest, and on."""
    best = 0.0
    for side in _SIDES:
        point = points[np.argmax(points @ side)]
        for _ in range(3):
            squares = np.sum((points - point) ** 2, axis=1)
            farthest = int(np.argmax(squares))
            best, point = max(best, float(squares[farthest])), points[farthest]
    return best


def _halved(points: F64) -> tuple[F64, list[_Boxes]]:
    """Points of the last boxes (K, n, 3), of which some are repeated; and the boxes of all levels, one first."""
    depth = max(0, int(np.ceil(np.log2(len(points) / _LEAF))))
    whole = -(-len(points) // 2**depth) * 2**depth
    points = np.concatenate([points, np.repeat(points[-1:], whole - len(points), axis=0)])[None]
    levels = [_Boxes(points)]
    for _ in range(depth):
        longest = np.ptp(points, axis=1).argmax(axis=1)
        along = np.take_along_axis(points, longest[:, None, None], 2)[..., 0]
        half = points.shape[1] // 2
        order = np.argpartition(along, half, axis=1)
        points = np.take_along_axis(points, order[..., None], 1).reshape(-1, half, 3)
        levels.append(_Boxes(points))
    return points, levels


def _children(a: Int, b: Int) -> tuple[Int, Int]:
    """All pairs of halves of boxes a and b (N,); each once where a box is paired with itself."""
    two = a != b
    return (
        np.concatenate([2 * a, 2 * a, 2 * a + 1, (2 * a + 1)[two]]),
        np.concatenate([2 * b, 2 * b + 1, 2 * b + 1, (2 * b)[two]]),
    )


def _of_leaves(p: F64, q: F64, best: float) -> float:
    """The greatest squared distance between points p (N, n, 3) and q (N, n, 3) of pairs of boxes, or `best`."""
    middle_p, middle_q = p.mean(axis=1, keepdims=True), q.mean(axis=1, keepdims=True)
    d = middle_q[:, 0] - middle_p[:, 0]
    d /= np.maximum(np.linalg.norm(d, axis=1, keepdims=True), np.finfo(float).tiny)
    along_p, along_q = np.einsum("nki,ni->nk", p, d), np.einsum("nki,ni->nk", q, d)
    along = np.maximum(along_q.max(axis=1) - along_p.min(axis=1), along_p.max(axis=1) - along_q.min(axis=1))
    wide = sum(np.sqrt(np.sum((one - its) ** 2, axis=2).max(axis=1)) for one, its in ((p, middle_p), (q, middle_q)))
    far: Bool = along**2 + wide**2 > best * (1.0 + _ROUNDING)
    if not far.any():
        return best
    apart = p[far][:, :, None] - q[far][:, None]
    return max(best, float(np.einsum("nkli,nkli->nkl", apart, apart).max()))
