"""A triangle mesh, validated once."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.errors import (
    DiffDopeError,
    as_array,
    as_floats,
    check_choice,
    check_finite,
    check_path,
    check_positive,
    check_shape,
    expected,
)
from diffdope.scene.extent import diameter
from diffdope.scene.mesh_io import read_mesh
from diffdope.scene.topology import build_edges, is_closed, weld

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]
Unit = Literal["m", "mm", "cm", "inch"]

METRES_PER_UNIT = {"m": 1.0, "mm": 1e-3, "cm": 1e-2, "inch": 0.0254}
_LARGEST_M, _SMALLEST_M = 5.0, 1e-3


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles with a texture, with colours at the vertices, or with neither. It need not be closed.

    Attributes:
        vertices_m: (V, 3) metres, in the model frame.
        faces: (F, 3) indices of vertices. Faces without area are dropped, with a note in `warnings`.
        uv: texture coordinates (V, 2) in [0, 1]: origin at the TOP LEFT of the texture, v DOWN.
        texture: (H, W, 3) uint8.
        colors: (V, 3) in [0, 1]; left out where there is a texture.
        name: for messages.
        source: the file it was read from.
        warnings: what was repaired or left out.

    Raises:
        DiffDopeError: if it is empty, a shape, number or index is wrong, or the size says that the unit is.
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
        vertices_m = _checked_vertices(self.vertices_m)
        faces, notes = _checked_faces(self.faces, vertices_m)
        uv, texture = _checked_texture(self.uv, self.texture, len(vertices_m))
        # A texture wins over vertex colours, so that one mesh has one appearance.
        colors = None if self.colors is None or texture is not None else _checked_colors(self.colors, len(vertices_m))
        arrays = (vertices_m, faces, uv, texture, colors)
        for name, array in zip(("vertices_m", "faces", "uv", "texture", "colors"), arrays, strict=True):
            if isinstance(array, np.ndarray):
                array.flags.writeable = False
            object.__setattr__(self, name, array)
        object.__setattr__(self, "warnings", (*self.warnings, *notes))
        self._check_size()

    @classmethod
    def load(cls, path: str | Path, *, unit: Unit, allow_missing_texture: bool = False) -> Mesh:
        """Reads PLY (also with `comment TextureFile`), OBJ with MTL, GLB or glTF, or STL.

        All nodes of a scene are joined in place. Several textures are stacked into one; a texture that
        repeats is tiled, at most 8 times an axis. Colours are taken as stored.

        Args:
            path: the mesh file; textures are looked for where it says, then in its own folder.
            unit: of the file's lengths: "m", "mm" (BOP), "cm" or "inch".
            allow_missing_texture: load without colour, with a warning, instead of raising.

        Raises:
            DiffDopeError: if the file is missing, broken or empty, if its texture is missing, or if the unit
                looks wrong.
        """
        check_choice("unit", unit, tuple(METRES_PER_UNIT))
        check_path("path", path)
        path = Path(path)
        part, warnings = read_mesh(path, allow_missing_texture=allow_missing_texture)
        vertices, faces = part.vertices, part.faces
        if path.suffix.lower() == ".stl":
            vertices, faces = _welded(vertices, faces)  # STL repeats every corner
        vertices_m = vertices * METRES_PER_UNIT[unit]
        try:
            return cls(vertices_m, faces, part.uv, part.texture, part.colors, path.stem, path, warnings)
        except DiffDopeError as error:
            raise DiffDopeError(f"{error} ({path}, read with unit={unit!r})") from error

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
        return diameter(self.vertices_m)

    @property
    def has_color(self) -> bool:
        """Whether it has a texture or vertex colours, so that RGB can be compared."""
        return self.texture is not None or self.colors is not None

    @cached_property
    def is_closed(self) -> bool:
        """Whether it is watertight and wound consistently outwards, so that back faces can be left out."""
        return is_closed(self.vertices_m, self.faces, build_edges(self.vertices_m, self.faces, None))

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
        weights = np.array([0.299, 0.587, 0.114])
        if self.texture is not None:
            grey = np.rint(self.texture @ weights).astype(np.uint8)
            return replace(self, texture=np.repeat(grey[..., None], 3, axis=2))
        if self.colors is not None:
            return replace(self, colors=np.repeat((self.colors @ weights)[:, None], 3, axis=1))
        return self

    def _check_size(self) -> None:
        if _SMALLEST_M <= self.diameter <= _LARGEST_M:
            return
        cure = (
            'the file is probably in millimetres: load it with unit="mm"'
            if self.diameter > _LARGEST_M
            else 'the file is probably in metres: load it with unit="m"'
        )
        raise expected("mesh", f"a diameter of {_SMALLEST_M} to {_LARGEST_M} m", f"{self.diameter:.4g} m", cure)

    def __repr__(self) -> str:
        color = "texture" if self.texture is not None else "vertex colours" if self.colors is not None else "no colour"
        size = f"{len(self.vertices_m)} vertices, {len(self.faces)} faces, diameter {self.diameter:.4g} m"
        return f"Mesh({self.name!r}, {size}, {color})"


def _checked_vertices(values: ArrayLike) -> F64:
    vertices_m = as_floats("vertices_m", values)
    check_shape("vertices_m", vertices_m, (None, 3))
    if len(vertices_m) == 0:
        raise DiffDopeError("vertices_m: expected at least one triangle, got an empty mesh")
    check_finite("vertices_m", vertices_m, cure="export the mesh again, or remove those vertices")
    return vertices_m


def _checked_faces(values: ArrayLike, vertices_m: F64) -> tuple[I32, tuple[str, ...]]:
    faces = as_array("faces", values)
    check_shape("faces", faces, (None, 3))
    if len(faces) == 0:
        raise DiffDopeError("faces: expected at least one triangle, got an empty mesh")
    if faces.dtype.kind not in "iu":
        raise expected("faces", "whole numbers", faces.dtype)
    if faces.min() < 0 or faces.max() >= len(vertices_m):
        got = f"{int(faces.min())} to {int(faces.max())}"
        raise expected("faces", f"indices from 0 to {len(vertices_m) - 1}", got, "the file is damaged")
    faces = faces.astype(np.int32)
    a, b, c = np.moveaxis(vertices_m[faces], 1, 0)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    longest = np.maximum(np.sum((b - a) ** 2, axis=1), np.sum((c - a) ** 2, axis=1))
    proper = area > 1e-12 * longest
    dropped = len(faces) - int(np.count_nonzero(proper))
    if dropped == len(faces):
        raise expected("faces", "triangles with an area", f"{dropped} without", "the file is damaged")
    notes = (f"{dropped} of {len(faces)} triangles have no area and were dropped",) if dropped else ()
    return faces[proper], notes


def _checked_texture(uv: ArrayLike | None, texture: Any, count: int) -> tuple[F64 | None, U8 | None]:
    if texture is None:
        return None, None
    if uv is None:
        raise expected("uv", f"texture coordinates ({count}, 2) for the texture", None)
    image = np.array(as_array("texture", texture))
    check_shape("texture", image, (None, None, 3))
    if image.dtype != np.uint8 or image.size == 0:
        raise expected("texture", "uint8 colours", f"{image.dtype} of shape {image.shape}")
    coordinates = as_floats("uv", uv)
    check_shape("uv", coordinates, (count, 2))
    check_finite("uv", coordinates)
    if coordinates.min() < -1e-6 or coordinates.max() > 1 + 1e-6:
        got = f"{coordinates.min():.4g} to {coordinates.max():.4g}"
        raise expected("uv", "numbers in [0, 1]", got, "tile the texture; Mesh.load does so by itself")
    return np.clip(coordinates, 0.0, 1.0), image


def _checked_colors(values: ArrayLike, count: int) -> F64:
    colors = as_floats("colors", values)
    check_shape("colors", colors, (count, 3))
    check_finite("colors", colors)
    if colors.min() < 0 or colors.max() > 1:
        raise expected("colors", "numbers in [0, 1]", f"{colors.min():.4g} to {colors.max():.4g}", "divide by 255")
    return colors


def _welded(vertices: F64, faces: NDArray[Any]) -> tuple[F64, NDArray[Any]]:
    welded = weld(vertices)
    _, first = np.unique(welded, return_index=True)
    return vertices[first], welded[faces]
