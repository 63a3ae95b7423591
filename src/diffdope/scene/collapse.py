"""Fewer triangles by half-edge collapses: each vertex that stays is where it was, with its own attributes.

So texture coordinates and colours stay true, and seams stay shut. Collapses are done once, the cheapest first; each
level of detail is the mesh after the first so many of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.scene import collapse_kernels as kernels
from diffdope.scene import quadric_kernels as quadrics
from diffdope.scene.nearest import Tree
from diffdope.scene.topology import weld

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
Int = NDArray[np.intp]

_TURNS = 2  # passes in which each place is looked at once: half of them get less in each other's way
_GUARD = 0.8  # of the tolerance: how far each collapse may leave the surface, so that checks of other points pass, too
_SURE = 0.3  # of the tolerance: collapses that change less are not held against the full mesh one by one
_TOO_FEW = 0.005  # share of the faces: a pass that takes fewer of them was the last


class Wedges(NamedTuple):
    """A mesh without repeated vertices: W wedges (a position and its attributes) at P places (positions).

    vertex (W,): the first original vertex of each wedge. place (W,). points (P, 3). attributes (W, K).
    corners (F, 3): wedges; faces with two corners in one place are left out.
    """

    vertex: Int
    place: I32
    points: F64
    attributes: F64
    corners: I32


def wedges_of(vertices: F64, attributes: F64, faces: I32) -> Wedges:
    """Welds vertices (V, 3) in one place, and those of them with equal attributes (V, K)."""
    place = weld(vertices)
    wedge = weld(np.column_stack([place, attributes])) if attributes.shape[1] else place
    vertex = first_of(wedge)
    of_wedge = place[vertex].astype(np.int32)
    corners = wedge[faces].astype(np.int32)
    at = of_wedge[corners]
    proper = (at[:, 0] != at[:, 1]) & (at[:, 1] != at[:, 2]) & (at[:, 2] != at[:, 0])
    return Wedges(
        vertex, of_wedge, np.ascontiguousarray(vertices[first_of(place)]), np.ascontiguousarray(attributes[vertex]),
        np.ascontiguousarray(corners[proper]),
    )  # fmt: skip


def first_of(numbers: Int) -> Int:
    """Where each of the numbers 0, 1, ... occurs first."""
    first = np.empty(int(numbers.max()) + 1, np.intp)
    first[numbers[::-1]] = np.arange(len(numbers) - 1, -1, -1)
    return first


@dataclass
class Collapses:
    """Collapses of a mesh in the order in which they were done.

    Args:
        wedges: of the mesh; lengths are shares of its diameter, and so are attributes in effect.
        tree: of the mesh in full detail, in the same lengths.
    """

    wedges: Wedges
    tree: Tree
    stages: list[tuple[int, int]] = field(init=False)
    """After each pass: the entries of the log so far, and the number of faces left."""

    def __post_init__(self) -> None:
        """Measures each face."""
        wedges = self.wedges
        places, count, width = len(wedges.points), len(wedges.place), wedges.attributes.shape[1]
        self._corners, self._at = wedges.corners.copy(), wedges.place[wedges.corners]
        self._planes = np.zeros((places, quadrics.PLANE))
        self._paints = np.zeros((count, quadrics.PLANE + 4 * width if width else 0))
        self._chain = np.stack([np.full(places, -1, np.int32), np.arange(places, dtype=np.int32)])
        self._log = np.empty((2, count), np.int32)
        self._start, self._star = np.zeros(places + 1, np.int32), np.empty(wedges.corners.size, np.int32)
        self._room, self._ring = np.ones((2, places), np.int32), np.empty((5, kernels.HUB), np.int32)
        self._near, self._price = np.empty((7, 2 * kernels.HUB), np.int32), np.empty(2 * kernels.HUB)
        self._target, self._cost = np.empty(places, np.int32), np.empty(places)
        self.stages = [(0, len(wedges.corners))]
        quadrics.stars_of(self._at, self._start, self._star)
        quadrics.add_faces(wedges.points, self._at, self._corners, wedges.attributes, self._planes, self._paints)
        quadrics.add_features(wedges.points, self._at, self._corners, self._start, self._star, self._planes)

    def reduce(self, faces: int, tolerance: float) -> None:
        """Goes on until `faces` are left, or until each collapse would change the surface by more than `tolerance`."""
        self._room[0] = 1  # what was too expensive before may be cheap enough now
        while self.stages[-1][1] > faces:
            before = self.stages[-1][1]
            for _ in range(_TURNS):
                if self.stages[-1][1] > faces:
                    self._pass(faces, tolerance)
            if before - self.stages[-1][1] <= _TOO_FEW * before:
                break

    def _pass(self, faces: int, tolerance: float) -> None:
        wedges, (logged, left) = self.wedges, self.stages[-1]
        quadrics.stars_of(self._at, self._start, self._star)
        kernels.candidates(
            wedges.points, self._at, self._corners, self._start, self._star, wedges.attributes, self._planes,
            self._paints, tolerance**2, len(self.stages) % _TURNS, _TURNS, self._room, self._ring, self._near,
            self._price, self._target, self._cost,
        )  # fmt: skip
        able = np.flatnonzero(self._target >= 0)
        order = able[np.argsort(self._cost[able], kind="stable")]
        logged = kernels.collapse(
            order, self._target, self._cost, wedges.points, self._at, self._corners, self._start, self._star,
            self._planes, self._paints, _GUARD * tolerance, (_SURE * tolerance) ** 2, *self.tree.arrays,
            left - faces, self._room, self._ring, self._near, self._chain, self._log, logged,
        )  # fmt: skip
        alive = np.flatnonzero(self._corners[:, 0] >= 0)
        self._corners, self._at = self._corners.take(alive, axis=0), self._at.take(alive, axis=0)
        self.stages.append((int(logged), len(self._corners)))

    def corners_at(self, stage: int) -> I32:
        """Faces (F, 3), as wedges, after a number of passes."""
        root = np.empty(len(self.wedges.place), np.int32)
        kernels.roots_of(self._log, self.stages[stage][0], root)
        corners = root[self.wedges.corners]
        at = self.wedges.place[corners]
        proper = (at[:, 0] != at[:, 1]) & (at[:, 1] != at[:, 2]) & (at[:, 2] != at[:, 0])
        return np.ascontiguousarray(corners[proper])
