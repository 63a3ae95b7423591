"""A triangle mesh, validated once."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.errors import (
    DiffDopeError,
    as_floats,
    check_finite,
    check_path,
    check_positive,
    check_shape,
    check_type,
    told_more,
)
from diffdope.io.images import LUMA
from diffdope.note_codes import NoteCode, without_codes
from diffdope.scene.extent import farthest_apart, hull_of
from diffdope.scene.mesh_checks import checked
from diffdope.scene.mesh_io import Unit, read_mesh
from diffdope.scene.mesh_units import check_unit, metres_of, metres_per_unit, of_no_object, size_notes, told_unit
from diffdope.scene.parts import join, without_doubled
from diffdope.scene.stray_pieces import note_on_stray_pieces
from diffdope.scene.texture_gaps import without_gaps
from diffdope.scene.topology import build_edges, piece_volumes, signed_volumes

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]
Int = NDArray[np.intp]

_INSIDE_OUT = (
    "the mesh is inside out: its triangles are wound with their backs to the outside, and were turned around; if that "
    "comes of an axis that was mirrored, it is its own mirror image"
)

_OF_SIZE = frozenset({NoteCode.MESH_SIZE, NoteCode.MESH_STRAY})
_PLAIN = 0.02  # colours in [0, 1] that differ by less are one: JPEG's noise is as large
_SOME = 8  # every 8th texel along each axis: where these differ, the others need not be looked at


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles with a texture, with colours at the vertices, or with neither. It need not be closed.

    `Mesh(vertices_m, faces)` takes lists and arrays alike; `Mesh.load` reads a file, `Mesh.from_trimesh` takes over
    a mesh of trimesh.

    Attributes:
        vertices_m: (V, 3) metres, in the model frame. Those that no face uses are dropped, with a note in
            `warnings`.
        faces: (F, 3) indices of vertices. Faces without area are dropped, with a note in `warnings`.
        uv: texture coordinates (V, 2) in [0, 1]: origin at the TOP LEFT of the texture, v DOWN.
        texture: (H, W, 3) uint8, sRGB.
        colors: (V, 3) in [0, 1] or uint8, sRGB; left out where there is a texture.
        name: for messages.
        source: the file it was read from.
        warnings: what was repaired or left out.

    Raises:
        DiffDopeError: if it is empty, a shape, number or index is wrong, or it is smaller than 1 mm or larger
            than 100 m.
    """

    vertices_m: F64
    faces: I32
    uv: F64 | None = None
    texture: U8 | None = None
    colors: F64 | None = None
    name: str = "mesh"
    source: Path | None = None
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        arrays = checked(self.vertices_m, self.faces, self.uv, self.texture, self.colors)
        for name in ("vertices_m", "faces", "uv", "texture", "colors"):
            array = getattr(arrays, name)
            if isinstance(array, np.ndarray):
                array.flags.writeable = False
            object.__setattr__(self, name, array)
        kept = without_codes(self.warnings, _OF_SIZE)  # of another size, where it was scaled
        stray = note_on_stray_pieces(self.vertices_m, self.faces, self.diameter)
        notes = (*kept, *arrays.notes, *size_notes(self.diameter), *stray)
        object.__setattr__(self, "warnings", tuple(dict.fromkeys(notes)))

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        unit: Unit | None = None,
        allow_missing_texture: bool = False,
        beside: Mapping[str, Path] | None = None,
    ) -> Mesh:
        """Reads a mesh file: PLY, OBJ with MTL, GLB or glTF, STL, COLLADA (.dae), 3MF, STEP (extra `cad`), USD (`usd`).

        All nodes of a scene are joined in place. Several textures are stacked into one; a texture that repeats is
        tiled, at most 8 times an axis. Colours come as sRGB. What each format gives: docs/meshes.md.

        Args:
            path: the mesh file; textures are looked for where it says, then in its own folder.
            unit: of the file's lengths, "m", "mm" (BOP), "cm" or "inch", where the file does not state its unit, as
                COLLADA, 3MF, STEP and USD do. Theirs counts, with a note if it is another one, unless only the given
                one makes the object 1 mm to 5 m large. Without `unit`, glTF is in metres, as it should be. Or a
                number, metres in one unit of the file, of scans without a scale; it counts whatever the file states.
            allow_missing_texture: load without colour, with a warning, instead of raising.
            beside: for files of strangers: textures and materials that the mesh may name, by name without folders;
                nothing else on the disk is looked at.

        Raises:
            DiffDopeError: if the file is missing, broken or empty, if its texture is missing or of a kind that is
                not read, if its unit is not known, or if it is smaller than 1 mm or larger than 100 m.
        """
        check_path("path", path)
        path = Path(path)
        check_unit(unit, path)
        if beside is not None:
            check_type("beside", beside, Mapping, cure="{'texture.png': path} of the files that the mesh may name")
        file = read_mesh(path, allow_missing_texture=allow_missing_texture, beside=beside)
        metres, notes = metres_per_unit(file, unit)
        part = file.part
        warnings = (*file.notes, *notes)
        try:
            arrays = (part.vertices * metres, part.faces, part.uv, part.texture, part.colors)
            made = cls(*arrays, path.stem, path, warnings)
            in_mm = metres == metres_of("mm")  # so no hint that they may be
            return made._with_warnings(without_codes(made.warnings, {NoteCode.MESH_SIZE})) if in_mm else made
        except DiffDopeError as error:
            why = of_no_object(part, metres) if error.argument == "mesh" else error
            raise told_more(why, f" ({path}, {told_unit(file, unit)})") from error

    @classmethod
    def from_trimesh(cls, mesh: Any, *, unit: Unit = "m", name: str = "mesh") -> Mesh:
        """Takes over a `trimesh.Trimesh`, or all meshes of a `trimesh.Scene` in place, with their colours.

        Args:
            mesh: the mesh or scene; it is copied.
            unit: of its lengths; see `load`.
            name: for messages.

        Raises:
            DiffDopeError: if it is neither, or has no triangles.
        """
        from diffdope.scene.from_trimesh import parts_of

        metres = metres_of(unit)
        notes: list[str] = []
        joined, more = join(parts_of(mesh, notes))
        part, doubled = without_doubled(joined)
        vertices_m = part.vertices * metres
        return cls(vertices_m, part.faces, part.uv, part.texture, part.colors, name, None, (*notes, *more, *doubled))

    @cached_property
    def bounds(self) -> F64:
        """Least and greatest corner of the box (2, 3), metres."""
        return np.stack([self.vertices_m.min(axis=0), self.vertices_m.max(axis=0)])

    @cached_property
    def center_m(self) -> F64:
        """Middle of the box (3,), metres."""
        middle: F64 = self.bounds.mean(axis=0)
        return middle

    @cached_property
    def radius_m(self) -> float:
        """Radius of the ball around `center_m` that holds all vertices, metres."""
        return float(np.linalg.norm(self.vertices_m - self.center_m, axis=1).max())

    @cached_property
    def diameter(self) -> float:
        """Greatest distance between two vertices, metres."""
        return farthest_apart(self.hull_m)

    @property
    def hull_m(self) -> F64:
        """Corners (N, 3) of its convex hull, metres: what bounds it is bounded by these, which are far fewer."""
        return self.vertices_m[self._hull]

    @cached_property
    def _hull(self) -> Int:
        return hull_of(self.vertices_m)

    @property
    def has_color(self) -> bool:
        """Whether it has a texture or vertex colours, so that RGB can be compared."""
        return self.texture is not None or self.colors is not None

    @cached_property
    def shown_texture(self) -> U8 | None:
        """The texture (H, W, 3) as it is drawn: what is between its charts, which no face shows, has their colours."""
        if self.texture is None or self.uv is None:
            return self.texture
        return without_gaps(self.texture, self.uv, self.faces)

    @cached_property
    def has_pattern(self) -> bool:
        """Whether its colours differ anywhere: a single one tells no turn from another."""
        if self.shown_texture is not None:
            shown = self.shown_texture
            return any(_spread(part) > 255 * _PLAIN for part in (shown[::_SOME, ::_SOME], shown))
        return self.colors is not None and bool(np.ptp(self.colors, axis=0).max() > _PLAIN)

    @cached_property
    def is_grey(self) -> bool:
        """Whether it has colours, and all of them are grey."""
        shown = self.colors if self.texture is None else self.texture
        return shown is not None and bool((shown == shown[..., :1]).all())

    @cached_property
    def is_closed(self) -> bool:
        """Whether it is watertight and wound consistently outwards, so that back faces can be left out.

        The volume of every connected piece must be positive: one piece turned inside out would vanish.
        """
        volumes = self._piece_volumes
        return volumes is not None and bool(np.all(volumes > 0.0))

    @cached_property
    def is_inside_out(self) -> bool:
        """Whether it is watertight and wound consistently, but with its triangles' backs to the outside."""
        if float(signed_volumes(self.vertices_m, self.faces).sum()) >= 0.0:  # a cavity is less than what is around it
            return False
        return self._piece_volumes is not None

    @cached_property
    def _piece_volumes(self) -> F64 | None:
        return piece_volumes(self.vertices_m, self.faces, build_edges(self.vertices_m, self.faces, None))

    def turned_outside(self) -> Mesh:
        """The mesh with all triangles wound the other way, and a note in `warnings`: one that is inside out, mended."""
        return replace(self, faces=self.faces[:, ::-1])._with_warnings((*self.warnings, _INSIDE_OUT))

    def scaled(self, factor: float) -> Mesh:
        """The mesh `factor` times as large, about the model's origin.

        Args:
            factor: a positive number.

        Raises:
            DiffDopeError: if it is none, or the size then says that the unit is wrong.
        """
        check_positive("factor", factor)
        return replace(self, vertices_m=self.vertices_m * factor)

    def moved(self, offset_m: ArrayLike) -> Mesh:
        """The mesh with its vertices moved: the same shape in another frame.

        Args:
            offset_m: (3,) metres.

        Raises:
            DiffDopeError: if it has another shape, or a number is not finite.
        """
        offset = as_floats("offset_m", offset_m)
        check_shape("offset_m", offset, (3,))
        check_finite("offset_m", offset)
        other = copy(self)  # what was worked out of the shape stays true
        for name in ("bounds", "center_m"):
            other.__dict__.pop(name, None)
        vertices_m = self.vertices_m + offset
        vertices_m.flags.writeable = False
        object.__setattr__(other, "vertices_m", vertices_m)
        return other

    def in_grey(self) -> Mesh:
        """The mesh with its colours replaced by their luma (ITU-R BT.601), to be compared with grey photographs."""
        weights = np.array(LUMA)
        if self.texture is not None:
            grey = np.rint(self.texture @ weights).astype(np.uint8)
            made = replace(self, texture=np.repeat(grey[..., None], 3, axis=2))
        elif self.colors is not None:
            made = replace(self, colors=np.repeat((self.colors @ weights)[:, None], 3, axis=1))
        else:
            return self
        return made._with_warnings(self.warnings)  # in the file's frame, wherever this one was moved

    def _with_warnings(self, warnings: tuple[str, ...]) -> Mesh:
        other = copy(self)
        object.__setattr__(other, "warnings", warnings)
        return other

    def __repr__(self) -> str:
        color = "texture" if self.texture is not None else "vertex colours" if self.colors is not None else "no colour"
        size = f"{len(self.vertices_m)} vertices, {len(self.faces)} faces, diameter {self.diameter:.4g} m"
        return f"Mesh({self.name!r}, {size}, {color})"


def _spread(texture: U8) -> int:
    """The greatest difference within a channel of a texture (H, W, 3); along rows first, which vectorises."""
    least, most = (reduce(texture, axis=0).reshape(-1, 3) for reduce in (np.min, np.max))
    return int((most.max(axis=0).astype(int) - least.min(axis=0)).max())
