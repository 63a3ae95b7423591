"""A mesh at several levels of detail, with what is worked out of it once: made when first asked for."""

from __future__ import annotations

import threading
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.tessellation import facet_tilt
from diffdope.estimate.tolerance import apart_m, displacement_form
from diffdope.geometry.pose import Pose
from diffdope.geometry.symmetry import Symmetries
from diffdope.render.buffers import Buffers
from diffdope.render.per_process import PerProcess
from diffdope.scene.alikeness import Alikeness
from diffdope.scene.box_axes import turns_of_box
from diffdope.scene.creases import Creases
from diffdope.scene.folds import folds_of
from diffdope.scene.lod import levels_of_detail
from diffdope.scene.lookalikes import lookalikes
from diffdope.scene.mesh import Mesh
from diffdope.scene.mirror_planes import MirrorPlanes, from_mirrored, has_mirror_plane, mirrored
from diffdope.scene.revolution import AXIS_POINTS, Axis, axis_of_most, longest_axis
from diffdope.scene.sampling import surface_points
from diffdope.search.alternatives.canonical import Unnoticed, unnoticed
from diffdope.search.checks.depth_observability import DepthObservability
from diffdope.search.features.feature_views import FeatureSettings, FeatureViews
from diffdope.search.proposals.closest_points import Surface
from diffdope.search.proposals.templates import TemplateSphere, step_of

F64 = NDArray[np.float64]

_SPHERES = 3  # sets of templates that are kept, of 12 MB each with 576 rotations: a scene has near objects and far ones


class MeshLevels:
    """What a refiner keeps of its mesh: tables and scratch for every number of triangles in use.

    Any number of threads may ask at a time: what takes long is made by the first, and the others wait for it.

    Args:
        mesh: in full detail.
        counts: numbers of triangles that will be asked for; 0 is full detail.
        threads: None for the library setting.
        colored: the mesh with its colours, where `mesh` is that one in its luma.
    """

    def __init__(
        self, mesh: Mesh, counts: tuple[int, ...] = (), *, threads: int | None = None, colored: Mesh | None = None
    ) -> None:
        self.mesh, self._threads = mesh, threads
        self._wanted = {count for count in counts if count > 0}
        self._full = Buffers(mesh, threads=threads)
        self._begin()
        # The mesh and what was made of it, shared with the grey levels, and not levels that refer to each other: what
        # holds itself stays, with all its arrays, until Python looks for such rings.
        self._colored = mesh if colored is None else colored
        self._alikeness: list[Alikeness] = []
        self._making = PerProcess(threading.RLock)

    def _begin(self) -> None:
        """Nothing is known of the mesh yet."""
        self._reduced: dict[int, Buffers] = {}
        self._spread_m: tuple[F64, F64] | None = None
        self._tilt: float | None = None
        self._form: F64 | None = None
        self._corners_m: F64 | None = None
        self._symmetries: Symmetries | None = None
        self._axes: tuple[Axis | None] | None = None
        self._long_axes: tuple[Axis | None] | None = None
        self._turns_of_box: tuple[F64, F64] | None = None
        self._surface: Surface | None = None
        self._folds: Symmetries | None = None
        self._creases: Creases | None = None
        self._seen_by_depth: DepthObservability | None = None
        self._unnoticed: Unnoticed | None = None
        self._templates: dict[tuple[int, int, int], TemplateSphere] = {}
        self._features: tuple[FeatureSettings, FeatureViews] | None = None
        self._grey: MeshLevels | None = None
        self._mirrored: MeshLevels | None = None
        self._from_mirrored: list[tuple[F64, F64]] | None = None
        self._own_mirror_image: bool | None = None

    def bend(self, mesh: Mesh) -> None:
        """Goes on with the mesh, which has no colours, its parts moved: what does not depend on places is kept."""
        with self._making.get():
            self.mesh = self._colored = mesh
            self._full = self._full.bent(mesh)
            self._alikeness = []
            self._begin()

    @property
    def length_m(self) -> float:
        """The object's diameter."""
        return self.mesh.diameter

    @property
    def corners_m(self) -> F64:
        """Corners (N, 3) of the convex hull: an object's box on an image is that of these, which are far fewer."""
        with self._making.get():
            if self._corners_m is None:
                self._corners_m = self.mesh.hull_m
            return self._corners_m

    @property
    def points_m(self) -> tuple[F64, F64]:
        """Points (N, 3) spread over the surface, and its normals there, by which its axes are told."""
        with self._making.get():
            if self._spread_m is None:
                self._spread_m = surface_points(self.mesh, AXIS_POINTS)
            return self._spread_m

    @property
    def tilt(self) -> float:
        """RMS angle [rad] between facets and the surface they stand for, in full detail."""
        with self._making.get():
            if self._tilt is None:
                self._tilt = facet_tilt(self._full.arrays)
            return self._tilt

    @property
    def displacement_form(self) -> F64:
        """(6, 6) of the mean square displacement of the surface, see `estimate/tolerance.py`."""
        with self._making.get():
            if self._form is None:
                self._form = displacement_form(self.mesh, self.points_m)
            return self._form

    def apart_m(self, one: Pose, other: Pose) -> float:
        """RMS displacement of the surface from one pose to another that is near it, metres."""
        return apart_m(one, other, self.displacement_form)

    @property
    def approximate_symmetries(self) -> Symmetries:
        """Turns after which the shape is nearly the same; found when first asked for, in some tenths of a second."""
        with self._making.get():
            if self._symmetries is None:
                self._symmetries = lookalikes(self.mesh)
            return self._symmetries

    @property
    def axis(self) -> Axis | None:
        """The axis about which most of it is of revolution; None where there is none."""
        with self._making.get():
            if self._axes is None:
                self._axes = (axis_of_most(*self.points_m, self.length_m),)
            return self._axes[0]

    @property
    def long_axis(self) -> Axis | None:
        """The axis of its smallest box along which it is longest; None where it is flat."""
        with self._making.get():
            if self._long_axes is None:
                self._long_axes = (longest_axis(self.corners_m),)
            return self._long_axes[0]

    @property
    def folds(self) -> Symmetries:
        """Turns about an axis, all by the same angle, that most of it has; the identity alone where there are none."""
        with self._making.get():
            if self._folds is None:
                self._folds = folds_of(self.points_m[0], self.length_m)
            return self._folds

    @property
    def turns_of_box(self) -> tuple[F64, F64]:
        """Motions R (K, 3, 3) and t (K, 3), metres, that turn its smallest box onto itself."""
        with self._making.get():
            if self._turns_of_box is None:
                self._turns_of_box = turns_of_box(self.corners_m)
            return self._turns_of_box

    @property
    def surface(self) -> Surface:
        """Points of it that measured ones are aligned with."""
        with self._making.get():
            if self._surface is None:
                self._surface = Surface.of(self.mesh)
            return self._surface

    @property
    def depth_observability(self) -> DepthObservability:
        """Which of its motions depth sees."""
        with self._making.get():
            if self._seen_by_depth is None:
                self._seen_by_depth = DepthObservability.of(self.mesh)
            return self._seen_by_depth

    @property
    def creases(self) -> Creases:
        """Its creases, in full detail."""
        with self._making.get():
            if self._creases is None:
                self._creases = Creases.of(self.mesh)
            return self._creases

    @property
    def alikeness(self) -> Alikeness:
        """Tells which motions go unnoticed, colours included."""
        with self._making.get():
            if not self._alikeness:  # what differs in colour alone is not the same because a photograph is grey
                self._alikeness.append(Alikeness(self._colored))
            return self._alikeness[0]

    @property
    def in_grey(self) -> MeshLevels:
        """The same mesh in its luma, for photographs without colours; itself where it has none. Made once."""
        if not self.mesh.has_color or self.mesh.is_grey:
            return self
        with self._making.get():
            if self._grey is None:
                wanted = tuple(self._wanted)
                self._grey = MeshLevels(self.mesh.in_grey(), wanted, threads=self._threads, colored=self.mesh)
                self._grey._alikeness = self._alikeness
            return self._grey

    @property
    def mirrored(self) -> MeshLevels:
        """The mirror image of the mesh; made once."""
        with self._making.get():
            if self._mirrored is None:
                self._mirrored = MeshLevels(mirrored(self.mesh), threads=self._threads)
            return self._mirrored

    @cached_property
    def _planes(self) -> MirrorPlanes:
        return MirrorPlanes.of(self.mesh)

    @property
    def from_mirrored(self) -> list[tuple[F64, F64]]:
        """Motions R (3, 3), t (3,) [m] that take the mirror image to where most of it is on the surface; made once."""
        with self._making.get():
            if self._from_mirrored is None:
                self._from_mirrored = from_mirrored(self._planes, self.alikeness)
            return self._from_mirrored

    @property
    def is_own_mirror_image(self) -> bool:
        """Whether a mirrored mesh of it is the same object, colours included; found when first asked for."""
        with self._making.get():
            if self._own_mirror_image is None:
                self._own_mirror_image = has_mirror_plane(self._planes, self.alikeness)
            return self._own_mirror_image

    @property
    def unnoticed(self) -> Unnoticed:
        """The motions that go unnoticed; found when first asked for."""
        with self._making.get():
            if self._unnoticed is None:
                self._unnoticed = unnoticed(self.approximate_symmetries, self.alikeness)
            return self._unnoticed

    def templates(self, rotations: int, faces: int, distance: float) -> TemplateSphere:
        """The object from all around.

        Args:
            rotations: how many.
            faces: triangles of the mesh that is rendered.
            distance: about from where it is seen, diameters.
        """
        with self._making.get():
            key = rotations, faces, step_of(distance)
            if key not in self._templates:
                while len(self._templates) >= _SPHERES:
                    self._templates.pop(next(iter(self._templates)))
                self._templates[key] = TemplateSphere.of(self.buffers(faces), self.length_m, rotations, key[2])
            return self._templates[key]

    def features(self, settings: FeatureSettings) -> FeatureViews:
        """Keypoints of the object from all around; found when first asked for, which needs OpenCV.

        Args:
            settings: those of the last call are kept.
        """
        with self._making.get():
            if self._features is None or self._features[0] != settings:
                self._features = settings, FeatureViews.of(self._full, self.length_m, settings)
            return self._features[1]

    def buffers(self, count: int = 0) -> Buffers:
        """Of the mesh with about `count` triangles; 0 for full detail.

        The first call for a reduced one makes all that are wanted, since each is made from the next finer.
        """
        if count <= 0:
            return self._full
        with self._making.get():
            if count not in self._reduced:
                self._wanted.add(count)
                made: dict[int, Buffers] = {id(self.mesh): self._full}
                levels = levels_of_detail(self.mesh, sorted(self._wanted))
                for mesh in levels.values():
                    if id(mesh) not in made:
                        made[id(mesh)] = Buffers(mesh, threads=self._threads)
                self._reduced = {wanted: made[id(mesh)] for wanted, mesh in levels.items()}
            return self._reduced[count]
