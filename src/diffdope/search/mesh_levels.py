"""A mesh at several levels of detail, with what is worked out of it once: made when first asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.tessellation import facet_tilt
from diffdope.estimate.tolerance import apart_m, displacement_form, modulo_folds
from diffdope.geometry.pose import Pose
from diffdope.geometry.symmetry import Symmetries
from diffdope.render.buffers import Buffers
from diffdope.scene.alikeness import Alikeness
from diffdope.scene.box_axes import turns_of_box
from diffdope.scene.creases import Creases
from diffdope.scene.folds import folds_of, least_turn
from diffdope.scene.lod import levels_of_detail
from diffdope.scene.lookalikes import lookalikes
from diffdope.scene.mesh import Mesh
from diffdope.scene.mirror_planes import MirrorPlanes, from_mirrored, has_mirror_plane, mirrored
from diffdope.scene.revolution import AXIS_POINTS, Axis, axes_of_parts, axis_of_most
from diffdope.scene.sampling import surface_points
from diffdope.search.alternatives.canonical import Unnoticed, unnoticed
from diffdope.search.checks.depth_observability import DepthObservability
from diffdope.search.features.feature_views import FeatureSettings, FeatureViews
from diffdope.search.made_once import MadeOnce, Maker
from diffdope.search.proposals.closest_points import Surface
from diffdope.search.proposals.templates import TemplateSphere, step_of

F64 = NDArray[np.float64]

_SPHERES = 3  # sets of templates that are kept, of 12 MB each with 576 rotations: a scene has near objects and far ones
_ARM_POINTS = 1000  # of the surface, to know how far it is from an axis


class MeshLevels(Maker):
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
        super().__init__()
        self.mesh, self._threads = mesh, threads
        self._wanted = {count for count in counts if count > 0}
        self._full = Buffers(mesh, threads=threads)
        self._begin()
        # The mesh and what was made of it, shared with the grey levels, and not levels that refer to each other: what
        # holds itself stays, with all its arrays, until Python looks for such rings.
        self._colored = mesh if colored is None else colored
        self._alikeness: list[Alikeness] = []

    def _begin(self) -> None:
        """Nothing is known of the mesh yet."""
        self.made = {}
        self._reduced: dict[int, Buffers] = {}
        self._templates: dict[tuple[int, int, int], TemplateSphere] = {}
        self._features: tuple[FeatureSettings, FeatureViews] | None = None

    def bend(self, mesh: Mesh) -> None:
        """Goes on with the mesh, which has no colours, its parts moved: what does not depend on places is kept."""
        with self.making.get():
            self.mesh = self._colored = mesh
            self._full = self._full.bent(mesh)
            self._alikeness = []
            self._begin()

    @property
    def length_m(self) -> float:
        """The object's diameter."""
        return self.mesh.diameter

    @MadeOnce
    def corners_m(self) -> F64:
        """Corners (N, 3) of the convex hull: an object's box on an image is that of these, which are far fewer."""
        return self.mesh.hull_m

    @MadeOnce
    def _points_m(self) -> tuple[F64, F64]:
        """Points (N, 3) spread over the surface, and its normals there, by which its axes are told."""
        return surface_points(self.mesh, AXIS_POINTS)

    @MadeOnce
    def tilt(self) -> float:
        """RMS angle [rad] between facets and the surface they stand for, in full detail."""
        return facet_tilt(self._full.arrays)

    @MadeOnce
    def displacement_form(self) -> F64:
        """(6, 6) of the mean square displacement of the surface, see `estimate/tolerance.py`."""
        return displacement_form(self.mesh, self._points_m)

    def apart_m(self, one: Pose, other: Pose) -> float:
        """RMS displacement of the surface from one pose to another that is near it, metres."""
        return apart_m(one, other, self.displacement_form)

    @MadeOnce
    def approximate_symmetries(self) -> Symmetries:
        """Turns after which the shape is nearly the same; found when first asked for, in some tenths of a second."""
        return lookalikes(self.mesh)

    @MadeOnce
    def axis(self) -> Axis | None:
        """The axis about which most of it is of revolution; None where there is none."""
        return axis_of_most(*self._points_m, self.length_m)

    @MadeOnce
    def axis_arm_m(self) -> float:
        """Root mean square distance [m] of the surface from `axis`; 0 where there is none."""
        if self.axis is None:
            return 0.0
        away_m = surface_points(self.mesh, _ARM_POINTS)[0] - self.axis.point_m
        return float(np.sqrt(np.mean(np.sum(np.cross(away_m, self.axis.direction) ** 2, axis=1))))

    @MadeOnce
    def axes_of_parts(self) -> tuple[Axis, ...]:
        """Axes about which parts of it are of revolution, or nearly."""
        return axes_of_parts(*self._points_m, self.length_m)

    @MadeOnce
    def folds(self) -> Symmetries:
        """Turns about an axis, all by the same angle, that most of it has; the identity alone where there are none."""
        return folds_of(self._points_m[0], self.length_m)

    @MadeOnce
    def _fold(self) -> tuple[Axis | None, float]:
        """Axis and angle [rad] of the least of these turns that goes unnoticed, colours included."""
        return least_turn(self.folds, self.alikeness)

    def modulo_folds(self, covariance: F64, R_m2c: F64) -> F64:
        """The covariance (6, 6) of an error modulo turns that go unnoticed, see `estimate/tolerance.py`."""
        return modulo_folds(covariance, *self._fold, R_m2c)

    @MadeOnce
    def turns_of_box(self) -> tuple[F64, F64]:
        """Motions R (K, 3, 3) and t (K, 3), metres, that turn its smallest box onto itself."""
        return turns_of_box(self.corners_m)

    @MadeOnce
    def surface(self) -> Surface:
        """Points of it that measured ones are aligned with."""
        return Surface.of(self.mesh)

    @MadeOnce
    def depth_observability(self) -> DepthObservability:
        """Which of its motions depth sees."""
        return DepthObservability.of(self.mesh)

    @MadeOnce
    def creases(self) -> Creases:
        """Its creases, in full detail."""
        return Creases.of(self.mesh)

    @property
    def alikeness(self) -> Alikeness:
        """Tells which motions go unnoticed, colours included."""
        with self.making.get():
            if not self._alikeness:  # what differs in colour alone is not the same because a photograph is grey
                self._alikeness.append(Alikeness(self._colored))
            return self._alikeness[0]

    @property
    def in_grey(self) -> MeshLevels:
        """The same mesh in its luma, for photographs without colours; itself where it has none. Made once."""
        return self._grey if self.mesh.has_color and not self.mesh.is_grey else self

    @MadeOnce
    def _grey(self) -> MeshLevels:
        grey = MeshLevels(self.mesh.in_grey(), tuple(self._wanted), threads=self._threads, colored=self.mesh)
        grey._alikeness = self._alikeness
        return grey

    @MadeOnce
    def mirrored(self) -> MeshLevels:
        """The mirror image of the mesh; made once."""
        return MeshLevels(mirrored(self.mesh), threads=self._threads)

    @MadeOnce
    def _planes(self) -> MirrorPlanes:
        return MirrorPlanes.of(self.mesh)

    @MadeOnce
    def from_mirrored(self) -> list[tuple[F64, F64]]:
        """Motions R (3, 3), t (3,) [m] that take the mirror image to where most of it is on the surface; made once."""
        return from_mirrored(self._planes, self.alikeness)

    def is_own_mirror_image(self, *, colours: bool = True) -> bool:
        """Whether a mirrored mesh of it is the same object; found when first asked for.

        Args:
            colours: whether a photograph shows these; without one, what is printed on it makes no difference.
        """
        return self._same_mirrored or (not colours and self.mesh.has_color and self._same_shape_mirrored)

    @MadeOnce
    def _same_mirrored(self) -> bool:
        return has_mirror_plane(self._planes, self.alikeness)

    @MadeOnce
    def _same_shape_mirrored(self) -> bool:
        return has_mirror_plane(self._planes, self.alikeness, colours=False)

    @MadeOnce
    def unnoticed(self) -> Unnoticed:
        """The motions that go unnoticed; found when first asked for."""
        return unnoticed(self.approximate_symmetries, self.alikeness)

    def templates(self, rotations: int, faces: int, distance: float) -> TemplateSphere:
        """The object from all around.

        Args:
            rotations: how many.
            faces: triangles of the mesh that is rendered.
            distance: about from where it is seen, diameters.
        """
        with self.making.get():
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
        with self.making.get():
            if self._features is None or self._features[0] != settings:
                self._features = settings, FeatureViews.of(self._full, self.length_m, settings)
            return self._features[1]

    def buffers(self, count: int = 0) -> Buffers:
        """Of the mesh with about `count` triangles; 0 for full detail.

        The first call for a reduced one makes all that are wanted, since each is made from the next finer.
        """
        if count <= 0:
            return self._full
        with self.making.get():
            if count not in self._reduced:
                self._wanted.add(count)
                made: dict[int, Buffers] = {id(self.mesh): self._full}
                levels = levels_of_detail(self.mesh, sorted(self._wanted))
                for mesh in levels.values():
                    if id(mesh) not in made:
                        made[id(mesh)] = Buffers(mesh, threads=self._threads, reduced=True)
                self._reduced = {wanted: made[id(mesh)] for wanted, mesh in levels.items()}
            return self._reduced[count]
