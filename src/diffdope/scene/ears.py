"""A simple polygon in the plane, cut into triangles ear by ear."""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
Int = NDArray[np.intp]

_TOUCHES = 1e-9  # of the polygon's extent: points closer than this are at the same place


def cut_ears(outline: F64) -> Int:
    """Triangles (N - 2, 3) of a counterclockwise polygon (N, 2), as indices of its corners.

    An ear is three successive corners whose triangle holds no other corner, not even on its border: so a corner
    in the middle of a straight side becomes a corner of a triangle, and no neighbour is torn off there. Of all
    ears, the one whose least angle is largest is cut first. An outline may touch itself, as one does that reaches
    a hole by a bridge. What remains when there is no ear (an outline that crosses itself) is cut as it comes.
    Meisters, Polygons have ears, 1975.
    """
    return _Remainder(outline).cut()


class _Remainder:
    """What is left of the polygon: a ring of corners, and which of them may lie in an ear."""

    def __init__(self, outline: F64) -> None:
        count = len(outline)
        self.at = outline
        self.near = _TOUCHES * float(np.ptp(outline, axis=0).max())
        self.after = np.roll(np.arange(count), -1)
        self.before = np.roll(np.arange(count), 1)
        self.left = np.ones(count, np.bool_)
        # Only corners that are not convex can be in an ear first, and convex ones stay convex.
        self.blunt = np.array([self._turn(k) <= self._none(k) for k in range(count)])

    def cut(self) -> Int:
        count = len(self.at)
        triangles: list[tuple[int, int, int]] = []
        waiting = [(-self._quality(k), k, self._around(k)) for k in range(count)]
        heapq.heapify(waiting)
        blocked: list[int] = []
        while len(triangles) < count - 2:
            if not waiting:
                corner, blocked = self._any_of(blocked), []
            else:
                _, corner, around = heapq.heappop(waiting)
                if not self.left[corner] or around != self._around(corner):
                    continue
                if not self._is_ear(corner):
                    blocked.append(corner)
                    continue
            triangles.append((int(self.before[corner]), corner, int(self.after[corner])))
            changed = self._remove(corner)
            for k in {*changed, *(b for b in blocked if self.left[b])}:
                heapq.heappush(waiting, (-self._quality(k), k, self._around(k)))
            blocked = []
        return np.array(triangles, np.intp)

    def _around(self, k: int) -> tuple[int, int]:
        return int(self.before[k]), int(self.after[k])

    def _any_of(self, blocked: list[int]) -> int:
        """The next corner where none is an ear: one without area, else the most convex one."""
        left = [k for k in blocked if self.left[k]] or np.flatnonzero(self.left).tolist()
        flat = [k for k in left if abs(self._turn(k)) <= self._none(k)]
        return flat[0] if flat else max(left, key=self._turn)

    def _remove(self, k: int) -> tuple[int, int]:
        a, c = self._around(k)
        self.after[a], self.before[c], self.left[k] = c, a, False
        self.blunt[k] = False
        for corner in (a, c):
            self.blunt[corner] = self._turn(corner) <= self._none(corner)
        return a, c

    def _turn(self, k: int) -> float:
        """Twice the signed area of the triangle at a corner."""
        a, b, c = self.at[self.before[k]], self.at[k], self.at[self.after[k]]
        return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))

    def _none(self, k: int) -> float:
        """What rounding alone may make of no area there: a corner that is as good as on its diagonal."""
        a, b, c = self.at[self.before[k]], self.at[k], self.at[self.after[k]]
        return self.near * float(max(np.abs(b - a).max(), np.abs(c - b).max(), np.abs(c - a).max()))

    def _quality(self, k: int) -> float:
        """Area by the square of the longest side, which is small where an angle is."""
        a, b, c = self.at[self.before[k]], self.at[k], self.at[self.after[k]]
        longest = max(float(np.sum((p - q) ** 2)) for p, q in ((a, b), (b, c), (c, a)))
        return self._turn(k) / longest if longest > 0 else 0.0

    def _is_ear(self, k: int) -> bool:
        if self.blunt[k]:
            return False
        corners = self.at[[self.before[k], k, self.after[k]]]
        others = np.flatnonzero(self.blunt)
        others = others[(others != self.before[k]) & (others != self.after[k])]
        points = self.at[others]
        inside = np.ones(len(others), np.bool_)
        for p, q in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            side = q - p
            height = side[0] * (points[:, 1] - p[1]) - side[1] * (points[:, 0] - p[0])
            inside &= height >= -self.near * max(abs(side[0]), abs(side[1]))
        apart = np.abs(points[:, None] - corners[None]).max(axis=2) > self.near
        if (inside & apart.all(axis=1)).any():
            return False
        return not any(self._runs_into(int(other), corners) for other in others[~apart[:, 1]])

    def _runs_into(self, other: int, corners: F64) -> bool:
        """Whether the outline, which comes by at the ear's tip once more, goes on between the ear's sides."""
        tip, sides = corners[1], (corners[2] - corners[1], corners[0] - corners[1])
        for end in (self.before[other], self.after[other]):
            way = self.at[end] - tip
            if all(_cross(*pair) > self.near * np.abs(way).max() for pair in ((sides[0], way), (way, sides[1]))):
                return True
        return False


def _cross(a: F64, b: F64) -> float:
    return float(a[0] * b[1] - a[1] * b[0])
