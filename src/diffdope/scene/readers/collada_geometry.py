"""The geometries of COLLADA: triangles, strips, fans and polygons whose corners have several indices."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.io.numbers import numbers_in
from diffdope.scene.parts import Part
from diffdope.scene.readers.collada_materials import Effect
from diffdope.scene.readers.colours import constant, in_unit_range
from diffdope.scene.readers.corners import Polygons, as_part
from diffdope.scene.readers.ply import COLOURS_LEFT, NO_COORDINATES
from diffdope.scene.readers.source import MeshSource
from diffdope.scene.readers.strips import fan, strip
from diffdope.scene.readers.xml_tree import Element, children, text_of

F64 = NDArray[np.float64]
Int = NDArray[np.intp]

_SURFACES = ("triangles", "polylist", "polygons", "tristrips", "trifans")


@dataclass(frozen=True)
class _Input:
    """A stream of values and the place of its index among those of a corner."""

    semantic: str
    set: str
    offset: int
    values: F64


@dataclass(frozen=True)
class ColladaPolygons:
    """Polygons of one material: corners with an index for each input (C, K), and sizes (P,)."""

    symbol: str
    inputs: list[_Input]
    corners: Int
    sizes: Int

    def colored(self, effect: Effect, sets: dict[str, str], source: MeshSource) -> Part:
        """The polygons as triangles, with the texture, else the colours at the corners, else the material's colour.

        Args:
            effect: what the material says.
            sets: which set of texture coordinates the material's names stand for.
            source: the file.
        """
        points = self.points
        colors = self._input("COLOR")
        rgb = in_unit_range(colors.values) if colors is not None and colors.values.shape[1] >= 3 else None
        uv = self._input("TEXCOORD", sets.get(effect.coordinates)) if effect.picture is not None else None
        texture = source.texture(effect.picture) if effect.picture and uv is not None else None
        if effect.picture is not None and uv is None:
            source.note(NO_COORDINATES)
        if texture is not None and uv is not None:
            if rgb is not None and np.ptp(rgb, axis=0).max() > 0:
                source.note(COLOURS_LEFT)
            down = uv.values[:, :2] * [1.0, -1.0] + [0.0, 1.0]
            polygons = Polygons(self.sizes, self.corners[:, points.offset], self.corners[:, uv.offset])
            part = as_part(points.values, polygons, down)
            return replace(part, texture=texture, wrap=effect.wrap)
        place = self.corners[:, points.offset]
        if rgb is not None and colors is not None:
            if effect.color is not None:
                source.note("the mesh has colours at its corners and in its materials; those of the corners are taken")
            polygons = Polygons(self.sizes, place, color=self.corners[:, colors.offset])
            return as_part(points.values, polygons, colors=rgb)
        part = as_part(points.values, Polygons(self.sizes, place))
        return part if effect.color is None else replace(part, colors=constant(effect.color, len(part.vertices)))

    @property
    def points(self) -> _Input:
        """The stream of positions.

        Raises:
            DiffDopeError: if there is none.
        """
        points = self._input("POSITION")
        if points is None:
            raise expected("mesh", "positions for its polygons", "none", "the file is damaged")
        return points

    def moved_to(self, places: F64) -> ColladaPolygons:
        """The same with other positions (V, 3)."""
        inputs = [replace(one, values=places) if one.semantic == "POSITION" else one for one in self.inputs]
        return replace(self, inputs=inputs)

    def _input(self, semantic: str, chosen: str | None = None) -> _Input | None:
        found = [entry for entry in self.inputs if entry.semantic == semantic]
        return next((entry for entry in found if entry.set == chosen), found[0] if found else None)


class Geometry:
    """A geometry element, whose numbers are read once."""

    def __init__(self, element: Element) -> None:
        self._mesh = element.find("mesh")
        self._sources: dict[str, F64] = {}
        self._primitives: list[ColladaPolygons] | None = None

    @property
    def places(self) -> F64:
        """The positions of its vertices (V, 3).

        Raises:
            DiffDopeError: if there are none.
        """
        assert self._mesh is not None
        for entry in self._mesh.findall("vertices/input"):
            if entry.get("semantic") == "POSITION":
                return self._values(entry.get("source", "").rpartition("#")[2])
        raise expected("mesh", "positions of its vertices", "none", "the file is damaged")

    def primitives(self, source: MeshSource) -> list[ColladaPolygons]:
        """All polygons, by material.

        Raises:
            DiffDopeError: if numbers are missing.
        """
        if self._primitives is None:
            assert self._mesh is not None
            if next(children(self._mesh, "lines", "linestrips"), None) is not None:
                source.note("points and lines are left out")
            self._primitives = [self._primitive(element, source) for element in children(self._mesh, *_SURFACES)]
            self._note_strays(source)
        return self._primitives

    def _note_strays(self, source: MeshSource) -> None:
        used: dict[int, list[Int]] = {}
        points: dict[int, F64] = {}
        for primitive in self._primitives or ():
            given = primitive.points
            points[id(given.values)] = given.values
            used.setdefault(id(given.values), []).append(primitive.corners[:, given.offset])
        for key, indices in used.items():
            source.note_strays(len(points[key]), *indices)

    def _primitive(self, element: Element, source: MeshSource) -> ColladaPolygons:
        inputs = [given for entry in element.findall("input") for given in self._inputs(entry)]
        width = 1 + max((given.offset for given in inputs), default=0)
        for entry in element.findall("input"):  # also those that are not used take a place
            width = max(width, 1 + int(entry.get("offset", "0")))
        rings = [_indices(p, width) for p in children(element, "p")]
        for hole in element.findall("ph"):
            rings.append(_indices(hole.find("p"), width))
            source.note("polygons with holes (<ph>) are drawn without their holes")
        sizes, corners = _polygons(element, rings, width)
        return ColladaPolygons(element.get("material", ""), inputs, corners, sizes)

    def _inputs(self, entry: Element) -> list[_Input]:
        """The streams of an input; several for VERTEX, which stands for all that its element holds."""
        assert self._mesh is not None
        semantic, offset = entry.get("semantic", ""), int(entry.get("offset", "0"))
        key = entry.get("source", "").rpartition("#")[2]
        if semantic == "VERTEX":
            vertices = next((v for v in self._mesh.findall("vertices") if v.get("id") == key), None)
            below = [] if vertices is None else vertices.findall("input")
            return [replace(given, offset=offset) for child in below for given in self._inputs(child)]
        if semantic not in ("POSITION", "TEXCOORD", "COLOR"):
            return []
        return [_Input(semantic, entry.get("set", "0"), offset, self._values(key))]

    def _values(self, key: str) -> F64:
        if key not in self._sources:
            assert self._mesh is not None
            element = next((s for s in self._mesh.findall("source") if s.get("id") == key), None)
            if element is None:
                raise expected("mesh", f"a <source> {key!r}", "none", "the file is damaged")
            self._sources[key] = _rows(element)
        return self._sources[key]


def _rows(element: Element) -> F64:
    """The values of a source (N, K): of its params that have names, as the accessor says."""
    accessor = element.find("technique_common/accessor")
    numbers = numbers_in("mesh", text_of(element, "float_array"))
    if accessor is None:
        return numbers.reshape(-1, 3)
    stride = int(accessor.get("stride", "1"))
    numbers = numbers[int(accessor.get("offset", "0")) :]
    count = min(int(accessor.get("count", "0")), len(numbers) // stride)
    named = [k for k, param in enumerate(accessor.findall("param")) if param.get("name")]
    return numbers[: count * stride].reshape(count, stride)[:, named or slice(None)]


def _indices(element: Element | None, width: int) -> Int:
    numbers = numbers_in("mesh", (element.text or "") if element is not None else "").astype(np.intp)
    return numbers[: len(numbers) // width * width].reshape(-1, width)


def _polygons(element: Element, rings: list[Int], width: int) -> tuple[Int, Int]:
    """Sizes (P,) of the polygons and the indices of their corners (C, K)."""
    none = np.empty((0, width), np.intp)
    if element.tag in ("tristrips", "trifans"):
        make = strip if element.tag == "tristrips" else fan
        triangles = np.concatenate([none, *(ring[make(np.arange(len(ring)))].reshape(-1, width) for ring in rings)])
        return np.full(len(triangles) // 3, 3), triangles
    corners = np.concatenate([none, *rings])
    if element.tag == "polygons":
        return np.array([len(ring) for ring in rings], np.intp), corners
    if element.tag == "polylist":
        sizes = numbers_in("mesh", text_of(element, "vcount")).astype(np.intp)
        if sizes.sum() > len(corners) or (sizes < 0).any():
            raise expected("mesh", f"{sizes.sum()} corners", len(corners), "the file is damaged")
        return sizes, corners[: sizes.sum()]
    count = len(corners) // 3
    return np.full(count, 3), corners[: 3 * count]
