"""What a mesh is made of, checked; faces without area and vertices without faces are left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffdope.errors import as_array, as_floats, check_finite, check_shape, expected
from diffdope.geometry.vectors import cross, lengths

F64 = NDArray[np.float64]
I32 = NDArray[np.int32]
U8 = NDArray[np.uint8]
Bool = NDArray[np.bool_]

_FLAT = 1e-12  # twice the area by the square of the longest side: less is rounding


@dataclass(frozen=True)
class Checked:
    """The arrays of a mesh, and notes of what was left out."""

    vertices_m: F64
    faces: I32
    uv: F64 | None
    texture: U8 | None
    colors: F64 | None
    notes: tuple[str, ...]


def checked(vertices_m: ArrayLike, faces: ArrayLike, uv: Any, texture: Any, colors: Any) -> Checked:
    """The arrays of a mesh, without faces that have no area and without vertices that no face uses.

    Raises:
        DiffDopeError: if it is empty, or a shape, number or index is wrong.
    """
    vertices = as_floats("vertices_m", vertices_m)
    check_shape("vertices_m", vertices, (None, 3))
    if len(vertices) == 0:
        raise expected("vertices_m", "at least one triangle", "an empty mesh")
    triangles = _triangles(faces, len(vertices))
    used = _used(triangles, len(vertices))
    whole = bool(used.all())
    cure = "export the mesh again, or remove those vertices"
    check_finite("vertices_m", vertices if whole else vertices[used], cure=cure)
    image = _image(texture)
    coordinates = _coordinates(uv, len(vertices), used) if image is not None else None
    # A texture wins over vertex colours, so that one mesh has one appearance.
    painted = None if colors is None or image is not None else _colors(colors, len(vertices), used)
    proper, kept = kept_parts(vertices, triangles)
    notes = _notes(len(triangles), int(np.count_nonzero(~proper)), used)
    triangles, used = triangles[proper], kept
    if used.all():
        return Checked(vertices, triangles, coordinates, image, painted, notes)
    number = np.cumsum(used, dtype=np.int32) - 1
    return Checked(
        vertices[used],
        number[triangles].astype(np.int32, copy=False),
        None if coordinates is None else coordinates[used],
        image,
        None if painted is None else painted[used],
        notes,
    )


def kept_parts(vertices_m: F64, faces: I32) -> tuple[Bool, Bool]:
    """Which triangles (F,) have an area, and which vertices (V,) these use: what a mesh keeps."""
    proper = _have_area(vertices_m, faces)
    return proper, _used(faces[proper], len(vertices_m))


def _notes(count: int, flat: int, used: Bool) -> tuple[str, ...]:
    if flat == count:
        raise expected("faces", "triangles with an area", f"{flat} without", "the file is damaged")
    notes = (f"{flat} of {count} triangles have no area and were dropped",) if flat else ()
    return notes if used.all() else (*notes, stray_note(used))


def stray_note(used: Bool) -> str:
    """The note of vertices (V,) that no triangle uses."""
    return f"{np.count_nonzero(~used)} of {len(used)} vertices belong to no triangle and were dropped"


def _triangles(values: ArrayLike, count: int) -> I32:
    faces = as_array("faces", values)
    cure = "triangles only; cut polygons first" if faces.ndim == 2 and faces.shape[1] > 3 else ""
    check_shape("faces", faces, (None, 3), cure=cure)
    if len(faces) == 0:
        raise expected("faces", "at least one triangle", "an empty mesh")
    if faces.dtype.kind not in "iu":
        raise expected("faces", "whole numbers", faces.dtype)
    if faces.min() < 0 or faces.max() >= count:
        got = f"{int(faces.min())} to {int(faces.max())}"
        raise expected("faces", f"indices from 0 to {count - 1}", got, "the file is damaged")
    return faces.astype(np.int32)


def _used(faces: I32, count: int) -> Bool:
    used = np.zeros(count, np.bool_)
    used[faces.ravel()] = True
    return used


def _have_area(vertices_m: F64, faces: I32) -> Bool:
    a, b, c = np.moveaxis(vertices_m[faces], 1, 0)
    area = lengths(cross(b - a, c - a))
    longest = np.maximum(np.sum((b - a) ** 2, axis=1), np.sum((c - a) ** 2, axis=1))
    proper: Bool = area > _FLAT * longest
    return proper


def _image(texture: Any) -> U8 | None:
    if texture is None:
        return None
    image = np.array(as_array("texture", texture))
    check_shape("texture", image, (None, None, 3))
    if image.dtype != np.uint8 or image.size == 0:
        raise expected("texture", "uint8 colours", f"{image.dtype} of shape {image.shape}")
    return image


def _coordinates(uv: Any, count: int, used: Bool) -> F64:
    if uv is None:
        raise expected("uv", f"texture coordinates ({count}, 2) for the texture", None)
    coordinates = as_floats("uv", uv)
    check_shape("uv", coordinates, (count, 2))
    coordinates[~used] = 0.0
    check_finite("uv", coordinates)
    if coordinates.min() < -1e-6 or coordinates.max() > 1 + 1e-6:
        got = f"{coordinates.min():.4g} to {coordinates.max():.4g}"
        raise expected("uv", "numbers in [0, 1]", got, "tile the texture; Mesh.load does so by itself")
    return np.clip(coordinates, 0.0, 1.0)


def _colors(values: Any, count: int, used: Bool) -> F64:
    given = as_array("colors", values)
    colors = as_floats("colors", given)
    check_shape("colors", colors, (count, 3))
    if given.dtype in (np.uint8, np.uint16):
        return colors / np.iinfo(given.dtype).max
    colors[~used] = 0.0
    check_finite("colors", colors)
    if colors.min() < 0 or colors.max() > 1:
        raise expected("colors", "numbers in [0, 1]", f"{colors.min():.4g} to {colors.max():.4g}", "divide by 255")
    return colors
