"""Levels of detail: the same surface with fewer triangles, and with its texture or its colours."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.scene.collapse import Collapses, wedges_of
from diffdope.scene.lod_check import Original
from diffdope.scene.mesh import Mesh
from diffdope.scene.vertex_colors import averaged_colors

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]

_PIXELS = 1.79  # crop's size by the root of the triangles that it is drawn with: triangles of about 1.5 pixels
_PAYS = 0.7  # share of the triangles of the next finer mesh, beyond which a reduced one saves too little time
_STEP = 1.3  # triangles of the next try by those of one that was not true
_COLOR_LENGTH = 0.15  # diameters by which a surface is off that count as much as a colour that is off by 1
_UV_WEIGHT = 2.0  # of a shift of the texture against one of the surface: prints have more detail than shapes
_LONGEST_UV = 20.0  # diameters that a texture is taken to span at most: palettes are single points of it
_DETAIL = 4.0  # texels a pixel, at least, that a reduced mesh keeps


def tolerance_of(count: int) -> float:
    """Half a pixel, in diameters of the object, of the crop that a mesh of so many triangles is meant for.

    Triangles are about one and a half pixels each: 500 for a crop of 40 pixels, which the object about fills, 2000 for
    80.
    """
    return 0.5 / (_PIXELS * float(np.sqrt(count)))


def level_of_detail(mesh: Mesh, faces: int, tolerance: float) -> Mesh:
    """The mesh with about `faces` triangles, or with as many more as it takes to be within `tolerance`.

    Args:
        mesh: the full detail.
        faces: wanted number of triangles, at least 4.
        tolerance: half a pixel of the image it is drawn in, as a share of the mesh's diameter.

    Returns:
        the reduced mesh; `mesh` itself where a reduced one would save little.

    Raises:
        DiffDopeError: if `faces` is below 4 or `tolerance` not above 0.
    """
    return levels_of_detail(mesh, [faces], [tolerance])[faces]


def levels_of_detail(mesh: Mesh, counts: Sequence[int], tolerances: Sequence[float] | None = None) -> dict[int, Mesh]:
    """Reduced meshes by their number of triangles, for images in which those of `mesh` are smaller than a pixel.

    Half-edge collapses with quadric errors (Garland and Heckbert 1997; Hoppe 1999), on which see `collapse.py`. Each
    level is held against `mesh`: `lod_check.Original.is_shown_by` says how. One that is off gets more triangles.
    Colours of vertices are those of a pixel of the image: see `vertex_colors.py`.

    Args:
        mesh: the full detail.
        counts: wanted numbers of triangles, at least 4 each.
        tolerances: of each count, how far its surface may be off, as a share of the diameter: half a pixel of the image
            it is drawn in. None for `tolerance_of` each.

    Returns:
        the mesh of each count. It has more triangles than wanted where fewer cannot be true; where they are more than
        0.7 of those of the next finer mesh, it is that one.

    Raises:
        DiffDopeError: if a count is below 4, a tolerance not above 0, or if there are not as many of both.
    """
    if any(count < 4 for count in counts):
        raise expected("counts", "at least 4 triangles", min(counts))
    if tolerances is None:
        tolerances = [tolerance_of(count) for count in counts]
    if len(tolerances) != len(counts):
        raise expected("tolerances", f"one for each of the {len(counts)} counts", len(tolerances))
    if any(not tolerance > 0.0 for tolerance in tolerances):
        raise expected("tolerances", "shares of the diameter above 0", min(tolerances))
    levels: dict[int, Mesh] = {}
    reduction, finer, spent, within = Reduction(mesh), mesh, 0.0, 0.0
    for count, tolerance in sorted(zip(counts, tolerances, strict=True), reverse=True):
        if count not in levels:
            seen = averaged_colors(finer, 2.0 * tolerance)
            if seen is not finer:  # from afar, what is painted on it is another pattern: begun anew, from there
                reduction, finer, spent = Reduction(seen), seen, within
            finer = levels[count] = reduction.level(count, tolerance - spent, finer)
            within = tolerance
    return levels


class Reduction:
    """The levels of one mesh, made from fine to coarse.

    Args:
        mesh: the full detail.
    """

    def __init__(self, mesh: Mesh) -> None:
        self._original = Original(mesh)

    def level(self, count: int, tolerance: float, finer: Mesh) -> Mesh:
        """The coarsest one that is true, has `count` triangles at least, and saves time; else the finer one."""
        most = int(_PAYS * len(finer.faces))
        if most < count:
            return finer
        self._collapses.reduce(count, tolerance)
        stages = np.array([faces for _, faces in self._collapses.stages])
        stage = len(stages) - 1
        while stages[stage] <= most:
            level = self._at(stage, tolerance)
            if level is not None and self._original.is_shown_by(level, tolerance):
                return level
            stage = int(np.flatnonzero(stages >= min(_STEP * stages[stage], stages[0]))[-1])
        return finer

    @cached_property
    def _collapses(self) -> Collapses:
        original = self._original
        return Collapses(wedges_of(original.vertices, self._attributes(), original.mesh.faces), original.tree)

    def _attributes(self) -> F64:
        """What is interpolated over faces (V, K), in lengths by which it counts."""
        mesh = self._original.mesh
        if mesh.uv is not None and mesh.texture is not None:
            return mesh.uv * (_UV_WEIGHT * min(self._original.uv_length, _LONGEST_UV))
        if mesh.colors is not None:
            return mesh.colors * _COLOR_LENGTH
        return np.empty((len(mesh.vertices_m), 0))

    def _at(self, stage: int, tolerance: float) -> Mesh | None:
        """The mesh after a number of passes; None if nothing sensible is left of it."""
        mesh, collapses = self._original.mesh, self._collapses
        corners = collapses.corners_at(stage)
        if len(corners) < 4:
            return None
        present = np.zeros(len(collapses.wedges.vertex), np.bool_)
        present[corners] = True
        kept = collapses.wedges.vertex[present]
        return Mesh(
            mesh.vertices_m[kept], (np.cumsum(present, dtype=np.int32) - 1)[corners],
            uv=None if mesh.uv is None else mesh.uv[kept],
            texture=self._original.at_least(mesh.shown_texture, _DETAIL, tolerance),
            colors=None if mesh.colors is None else mesh.colors[kept], name=f"{mesh.name}, {len(corners)} triangles",
        )  # fmt: skip
