"""PLY: vertices, faces or strips, with colours or textures at either."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected, refused
from diffdope.io.ply_tables import Column, Lists, Table, read_header, read_tables
from diffdope.scene.parts import Part
from diffdope.scene.readers.colours import in_unit_range
from diffdope.scene.readers.corners import Polygons, as_part
from diffdope.scene.readers.source import MeshSource
from diffdope.scene.readers.strips import triangles_of_strips

F64 = NDArray[np.float64]
Int = NDArray[np.intp]

# As exporters name them: Blender s, t; MeshLab texture_u; others u, v.
_UV_NAMES = (("texture_u", "texture_v"), ("s", "t"), ("u", "v"), ("texture_s", "texture_t"))
_RGB_NAMES = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"), ("r", "g", "b"))
NO_TEXTURE = "the mesh has texture coordinates but names no texture"
NO_COORDINATES = "the mesh names a texture but has no texture coordinates: the texture is left out"
COLOURS_LEFT = "the mesh has a texture and colours at its vertices or faces; the colours are left out"


def read_ply(source: MeshSource) -> list[Part]:
    """The pieces of a PLY file, one for each texture.

    Raises:
        DiffDopeError: if the header or the data are not PLY's, or it is a point cloud.
    """
    data = source.path.read_bytes()
    header = read_header("mesh", data)
    tables = read_tables(data, header)
    vertices = tables.get("vertex", {})
    if not all(name in vertices for name in "xyz"):
        raise expected("mesh", "an element vertex with x, y, z", ", ".join(header.elements) or "none")
    points = np.stack([_numbers(vertices[name]) for name in "xyz"], axis=1)
    table, polygons = _polygons(tables)
    if len(polygons.sizes) == 0:
        return []
    source.note_strays(len(points), polygons.place)
    colors, polygons = _colors(vertices, table, polygons, source)
    uv, polygons = _coordinates(vertices, table, polygons)
    names = header.textures
    if any(name.startswith("multi_texture") for name in tables):
        source.note("the file has several layers of textures; only the one of its faces or vertices is read")
    if uv is None or not names:
        if names:
            source.note(NO_COORDINATES)
        elif uv is not None and colors is None:
            source.note(NO_TEXTURE)
        return [as_part(points, polygons, colors=colors)]
    if colors is not None:
        source.note(COLOURS_LEFT)
    numbers = _texture_numbers(vertices, table, polygons, len(names), source)
    return [_textured(points, polygons.where(numbers == k), uv, k, names, source) for k in np.unique(numbers).tolist()]


def _textured(points: F64, polygons: Polygons, uv: F64, number: int, names: list[str], source: MeshSource) -> Part:
    if number < 0 or number >= len(names):
        source.note(f"{len(polygons.sizes)} faces have no texture: their number names none of the file's")
        return as_part(points, polygons)
    part = as_part(points, polygons, uv)
    texture = source.texture(names[number])
    return Part(part.vertices, part.faces, part.uv, texture) if texture is not None else part


def _polygons(tables: dict[str, Table]) -> tuple[Table, Polygons]:
    for name, strips in (("face", False), ("tristrips", True)):
        table = tables.get(name, {})
        for key in ("vertex_indices", "vertex_index"):
            column = table.get(key)
            if isinstance(column, Lists):
                places = column.values.astype(np.intp)
                if strips:
                    triangles = triangles_of_strips(places)
                    return {}, Polygons(np.full(len(triangles), 3), triangles.ravel())
                return table, Polygons(column.sizes, places)
    return {}, Polygons(np.empty(0, np.intp), np.empty(0, np.intp))


def _colors(vertices: Table, faces: Table, polygons: Polygons, source: MeshSource) -> tuple[F64 | None, Polygons]:
    """Colours of vertices, else of faces, and the polygons with indices of them."""
    of_faces = _rgb(faces)
    of_vertices = _rgb(vertices)
    if of_vertices is not None:
        if of_faces is not None:
            source.note("the mesh has colours at its vertices and at its faces; those of the faces are left out")
        return of_vertices, Polygons(polygons.sizes, polygons.place, polygons.uv, polygons.place)
    if of_faces is not None:
        owner = np.repeat(np.arange(len(polygons.sizes)), polygons.sizes)
        return of_faces, Polygons(polygons.sizes, polygons.place, polygons.uv, owner)
    return None, polygons


def _coordinates(vertices: Table, faces: Table, polygons: Polygons) -> tuple[F64 | None, Polygons]:
    """Texture coordinates with v down, of faces' corners, else of vertices, and the polygons with indices of them."""
    corners = faces.get("texcoord")
    if isinstance(corners, Lists) and len(corners.values):
        if not np.array_equal(corners.sizes, 2 * polygons.sizes):
            raise refused("mesh", "expected 2 texture coordinates for each corner of a face; export the mesh again")
        uv = corners.values.reshape(-1, 2).astype(np.float64)
        index: Int = np.arange(len(polygons.place))
    else:
        pair = next((pair for pair in _UV_NAMES if all(name in vertices for name in pair)), None)
        if pair is None:
            return None, polygons
        uv = np.stack([_numbers(vertices[name]) for name in pair], axis=1)
        index = polygons.place
    uv[:, 1] = 1.0 - uv[:, 1]
    return uv, Polygons(polygons.sizes, polygons.place, index, polygons.color)


def _texture_numbers(vertices: Table, faces: Table, polygons: Polygons, count: int, source: MeshSource) -> Int:
    """Which of the file's textures each polygon has (P,)."""
    numbers = faces.get("texnumber")
    if numbers is not None and not isinstance(numbers, Lists):
        return numbers.astype(np.intp)
    at_vertices = vertices.get("texnumber")
    if at_vertices is not None and not isinstance(at_vertices, Lists):
        return polygons.of_corners(at_vertices.astype(np.intp)[polygons.place])
    if count > 1:
        source.note(f"the file names {count} textures, but no face says which is its own; the first is taken")
    return np.zeros(len(polygons.sizes), np.intp)


def _rgb(table: Table) -> F64 | None:
    names = next((names for names in _RGB_NAMES if all(name in table for name in names)), None)
    if names is None:
        return None
    channels: list[NDArray[Any]] = [np.asarray(table[name]) for name in names]
    return in_unit_range(np.stack(channels, axis=1)) if len(channels[0]) else None


def _numbers(column: Column) -> F64:
    if isinstance(column, Lists):
        raise expected("mesh", "a number for each coordinate of a vertex", "lists", "the file is damaged")
    return column.astype(np.float64)
