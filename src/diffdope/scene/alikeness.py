"""Whether a motion of an object goes unnoticed: the same surface, in the same colours, as far as images tell."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.vectors import cross
from diffdope.scene.lod_check import colors_of
from diffdope.scene.mesh import Mesh
from diffdope.scene.nearest import Near, Tree, curve_of
from diffdope.scene.sampling import Samples, normals_of, spread_over

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]

_POINTS, _MOVED = 10_000, 1000  # of the surface, some 1 % of the diameter apart; those of them that are moved
_AWAY = 0.015  # share of the diameter: half of what a right pose may be off; of surfaces, in their normal direction
_FAR = 0.05  # share of the diameter: no surface is there; points are some 1 % apart
_LOOKED_AT = 4  # every fourth of the points is looked at first
_ELSEWHERE = 0.0125  # share of the points that may lie farther than `_AWAY` off the surface: a gear's keyway is 2 %
_COUNTED, _OF_STEPS = 2500, 3  # points that are counted; steps are made of every third of them
_STEPS = 4  # a pose that came to rest beside the symmetric one is moved onto it before what lies elsewhere counts
_BESIDE_RAD = np.radians(5.0)  # ... if it did so no farther away: a keyed shaft slides back to where it was
_BROUGHT, _MOST = 300, 0.8  # points of a mirror image, and the share of them that has a counterpart
_BROUGHT_STEPS, _RESTS = 20, 0.0005  # at most; and a step, as a share of the diameter, after which there is no other
_OPEN = 1e-3  # singular values below this share of the largest: a can may be turned
_COLOR = 0.05  # mean difference of colours, of which each is a mean over a patch
_OTHER_COLOR = 0.25  # difference that no light explains
_FEW = 0.005  # share of the points that may be somewhere else, or in another colour: a knob or a logo is more
_PAINTED = 20_000  # points whose colours are asked: of a small print, fewer show by chance more of its paint or less
_PATCH = 32  # of these: some 5 % of the diameter, since a pattern is never repeated to the point


class Alikeness:
    """Points on the surface of a mesh, with normals and the colours around them.

    Args:
        mesh: the object.
    """

    def __init__(self, mesh: Mesh) -> None:
        from scipy.spatial import cKDTree

        self._length_m = mesh.diameter
        samples = spread_over(mesh.vertices_m, mesh.faces, _POINTS)
        self._points = samples.of(mesh.vertices_m, mesh.faces)
        self._normals = normals_of(mesh.vertices_m, mesh.faces, samples.face)
        self._vertices_m, self._faces = mesh.vertices_m, mesh.faces
        self._surface = Tree(mesh.vertices_m, mesh.faces)
        self._near = Near(self._surface, _AWAY * self._length_m)
        self._tree = cKDTree(self._points)
        self._counted = self._points[:: len(self._points) // _COUNTED]
        some = np.arange(0, len(self._counted), _OF_STEPS)  # along a curve: what is near to one is near to the next
        self._stepped = some[np.argsort(curve_of(self._counted[some]), kind="stable")]
        moved = np.arange(0, len(self._points), len(self._points) // _MOVED)
        self._looked_at = len(first := moved[::_LOOKED_AT])
        self._moved = np.concatenate([first, np.setdiff1d(moved, first)])
        self._mesh = mesh
        self._patches = np.full(
            (len(self._points) if mesh.has_color else 0, 3), np.nan
        )  # of points that were asked for

    @cached_property
    def _painted(self) -> tuple[cKDTree, F64]:
        """Points all over the surface, and their colours (N, 3)."""
        from scipy.spatial import cKDTree

        mesh = self._mesh
        samples = spread_over(mesh.vertices_m, mesh.faces, _PAINTED)
        return cKDTree(samples.of(mesh.vertices_m, mesh.faces)), colors_of(mesh, samples, mesh.shown_texture)

    def _colors(self, some: NDArray[np.intp]) -> F64:
        """Of some points (K,) the mean colours (K, 3) of those around each: a few tell, and patches take long."""
        unknown = np.unique(some[np.isnan(self._patches[some, 0])])
        if len(unknown):
            painted, colors = self._painted
            around = painted.query(self._points[unknown], _PATCH)[1]
            self._patches[unknown] = colors[around].mean(axis=1)
        return self._patches[some]

    def unnoticed(self, R: F64, t: F64, *, colours: bool = True) -> bool:
        """Whether the motion x -> R x + t of the model's frame takes the object onto one that looks the same.

        Args:
            R: (3, 3).
            t: (3,), metres.
            colours: whether these are seen; without them, only the shape tells.
        """
        colours = colours and self._mesh.has_color
        number = self._moved
        moved, turned = self._points[number] @ R.T + t, self._normals[number] @ R.T
        # Most motions that are noticed take so many points off the surface, or to another colour, that a few tell.
        far_m, few = _FAR * self._length_m, _FEW * len(moved)
        first = slice(self._looked_at)
        distance, nearest = self._tree.query(moved[first], distance_upper_bound=far_m)
        near = np.isfinite(distance)
        if np.count_nonzero(~near) > few:
            return False
        if colours:
            differs = np.abs(self._colors(number[first][near]) - self._colors(nearest[near])).mean(axis=1)
            if np.count_nonzero(differs > _OTHER_COLOR) >= few:
                return False
        others = self._tree.query(moved[self._looked_at :], distance_upper_bound=far_m)
        distance, nearest = (np.concatenate(both) for both in zip((distance, nearest), others, strict=True))
        far = np.isinf(distance)
        if np.count_nonzero(far) > few:
            return False
        if far.any():
            nearest[far] = self._tree.query(moved[far])[1]
        away = np.abs(((moved - self._points[nearest]) * self._normals[nearest]).sum(axis=1))
        # Next to an edge the nearest point is often on the other side of it, and its plane says nothing.
        same_side = (turned * self._normals[nearest]).sum(axis=1) > 0.5
        if np.mean(same_side) < 0.5 or np.mean(away[same_side]) > _AWAY * self._length_m:
            return False
        if colours:
            differs = np.abs(self._colors(number) - self._colors(nearest)).mean(axis=1)
            if differs.mean() >= _COLOR or np.mean(differs > _OTHER_COLOR) >= _FEW:
                return False
        return not self._elsewhere(R, t)

    def brought_onto(self, R: F64, t: F64, across: F64) -> tuple[F64, F64]:
        """The motion beside x -> R x + t that takes most of a mirror image onto the object's surface.

        What of it has no counterpart, as a lug that is on the other side, does not draw it aside: steps are those of
        trimmed closest points to planes (Chetverikov et al. 2002).

        Args:
            R: (3, 3).
            t: (3,), metres.
            across: (3,) times a place of the object: one of its mirror image (`mirror_planes.ACROSS`).
        """
        points = self._points[:: len(self._points) // _BROUGHT] * across
        for _ in range(_BROUGHT_STEPS):
            moved = points @ R.T + t
            found = self._surface.nearest(moved, np.inf)
            near = found.square <= np.quantile(found.square, _MOST)
            turn, move = self._step(moved[near], found.face[near], found.weights[near])
            R, t = turn @ R, turn @ t + move
            if np.linalg.norm(points @ R.T + t - moved, axis=1).max() < _RESTS * self._length_m:
                break
        return R, t

    def is_same_motion(self, R: F64, t: F64, other_R: F64, other_t: F64) -> bool:
        """Whether x -> R x + t and another motion take no point of the object to places that can be told apart.

        Args:
            R: (3, 3).
            t: (3,), metres.
            other_R: (3, 3).
            other_t: (3,), metres.
        """
        apart = self._points[:: len(self._points) // _BROUGHT] @ (R - other_R).T + (t - other_t)
        return bool(np.linalg.norm(apart, axis=1).max() < _AWAY * self._length_m)

    def mirror_image_off(self, R: F64, t: F64, across: F64, allowed_m: float) -> float:
        """Share of a mirror image, moved by x -> R x + t, that lies farther than `allowed_m` off the object's surface.

        Args:
            R: (3, 3).
            t: (3,), metres.
            across: see `brought_onto`.
            allowed_m: metres.
        """
        moved = self._counted * across @ R.T + t
        return float(np.mean(self._surface.nearest(moved, allowed_m, any_will_do=True).face < 0))

    def _elsewhere(self, R: F64, t: F64) -> bool:
        """Whether a motion takes too many points off the surface, and those beside it do, too.

        Steps are those of iterated closest points to planes (Chen and Medioni 1992).
        """
        points, turned = self._counted @ R.T + t, np.eye(3)
        few, nearest = int(_ELSEWHERE * len(points)), None
        for _ in range(_STEPS):
            if self._near.count_off(points, few) <= few:
                return False
            some = points[self._stepped]
            found = self._surface.nearest(some, np.inf, beside=nearest)
            nearest = found.face
            turn, move = self._step(some, found.face, found.weights)
            turned = turn @ turned
            if np.linalg.norm(so3.log(turned)) > _BESIDE_RAD:
                return True
            points = points @ turn.T + move
        return self._near.count_off(points, few) > few

    def _step(self, points: F64, nearest: I32, weights: F64) -> tuple[F64, F64]:
        """The motion that takes points (N, 3) nearest to the planes of triangles (N,), near these weights (N, 3)."""
        face = nearest.astype(np.intp)
        there = Samples(face, weights).of(self._vertices_m, self._faces)
        normals = normals_of(self._vertices_m, self._faces, face)
        middle = points.mean(axis=0)
        moments = cross(points - middle, normals) / self._length_m  # so that all columns are of one size
        distances = ((there - points) * normals).sum(axis=1)
        x = np.linalg.lstsq(np.hstack([normals, moments]), distances, rcond=_OPEN)[0]
        turn = so3.exp(x[3:] / self._length_m)
        return turn, middle - turn @ middle + x[:3]
