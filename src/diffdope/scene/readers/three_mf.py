"""3MF: the objects that the file builds, in place, in the unit that it states, with their colours."""

from __future__ import annotations

import zipfile
from posixpath import normpath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected, refused
from diffdope.io.numbers import numbers_in
from diffdope.scene.parts import Part
from diffdope.scene.readers.placing import moved
from diffdope.scene.readers.source import MeshSource
from diffdope.scene.readers.three_mf_colours import Groups, pieces_of
from diffdope.scene.readers.xml_tree import Element, parsed

F64 = NDArray[np.float64]

_METRES = {"micron": 1e-6, "millimeter": 1e-3, "centimeter": 1e-2, "inch": 0.0254, "foot": 0.3048, "meter": 1.0}
_USUAL = "3D/3dmodel.model"
_MOST_BYTES = 2**31  # a package of some kilobytes can hold far more
_DEEPEST = 200  # components in one another; more are an object that holds itself
# What slicers paint on triangles, in ways of their own.
_PAINTED = ("mmu_segmentation", "paint_color")


class _Model(NamedTuple):
    """One model part of the package: its objects and groups of colours."""

    objects: dict[str, Element]
    groups: Groups


def read_3mf(source: MeshSource) -> list[Part]:
    """The pieces of a 3MF file, in its unit.

    Raises:
        DiffDopeError: if it is no 3MF, or holds references to what is not there.
    """
    try:
        with zipfile.ZipFile(source.path) as package:
            return _Package(package, source).pieces()
    except zipfile.BadZipFile as error:
        raise refused(
            "mesh", f"expected a 3MF package: {error}; it was cut off or is of another kind, export it again"
        ) from error


class _Package:
    """The parts of a package, each read once."""

    def __init__(self, package: zipfile.ZipFile, source: MeshSource) -> None:
        self._package = package
        self._names = {normpath(name).lstrip("/").lower(): name for name in package.namelist()}
        self._source = source
        self._models: dict[str, _Model] = {}
        self._made: dict[tuple[str, str], list[Part]] = {}

    def pieces(self) -> list[Part]:
        start = self._start()
        root = self._root(start)
        unit = root.get("unit", "millimeter")
        if unit not in _METRES:
            raise expected("mesh", f"a unit of 3MF ({', '.join(_METRES)})", repr(unit), "the file is damaged")
        self._source.unit_m = _METRES[unit]
        parts = []
        for item in root.findall("build/item"):
            matrix = _matrix(item)
            for part in self._object(item.get("path", start), item.get("objectid", ""), 0):
                parts.append(moved(part, matrix))
        return parts

    def _start(self) -> str:
        """The name of the model that the package begins with."""
        if "_rels/.rels" in self._names:
            for relation in parsed(self._bytes("_rels/.rels")).iter("Relationship"):
                if relation.get("Type", "").endswith("/3dmodel"):
                    return relation.get("Target", _USUAL)
        return _USUAL

    def _bytes(self, name: str) -> bytes:
        key = normpath(name).lstrip("/").lower()
        if key not in self._names:
            raise refused("mesh", f"the package names {name}, but holds no such part; it is damaged")
        size = self._package.getinfo(self._names[key]).file_size
        if size > _MOST_BYTES:
            raise expected("mesh", f"parts of at most {_MOST_BYTES} bytes", size, "the package is damaged, or a trap")
        return self._package.read(self._names[key])

    def _root(self, name: str) -> Element:
        root = parsed(self._bytes(name))
        resources = root.find("resources")
        objects = {} if resources is None else {o.get("id", ""): o for o in resources.findall("object")}
        self._models[name] = _Model(objects, Groups(resources, self._bytes, self._source))
        return root

    def _object(self, path: str, key: str, depth: int) -> list[Part]:
        if path not in self._models:
            self._root(path)
        if (path, key) in self._made:
            return self._made[path, key]
        model = self._models[path]
        element = model.objects.get(key)
        if element is None:
            raise refused("mesh", f"the package names an object {key!r}, but holds none; it is damaged")
        if depth > _DEEPEST:
            raise refused("mesh", "an object of the package holds itself; the file is damaged")
        parts: list[Part] = []
        if element.get("type", "model") in ("support", "solidsupport"):
            self._source.note("supports for printing are left out")
        else:
            mesh = element.find("mesh")
            if mesh is not None:
                self._note_what_is_left(mesh)
                parts.extend(pieces_of(mesh, element, model.groups, self._source))
            for component in element.findall("components/component"):
                matrix = _matrix(component)
                inside = self._object(component.get("path", path), component.get("objectid", ""), depth + 1)
                parts.extend(moved(part, matrix) for part in inside)
        self._made[path, key] = parts
        return parts

    def _note_what_is_left(self, mesh: Element) -> None:
        if mesh.find("beamlattice") is not None:
            self._source.note("a lattice of beams is left out")
        first = mesh.find("triangles/triangle")
        if first is not None and any(name in t.attrib for t in mesh.iter("triangle") for name in _PAINTED):
            self._source.note("colours that a slicer painted on triangles are not read")


def _matrix(element: Element) -> F64:
    """The matrix (4, 4) of a `transform`: 12 numbers for row vectors, the offset last."""
    text = element.get("transform")
    matrix = np.eye(4)
    if text:
        numbers = numbers_in("mesh", text)
        if len(numbers) != 12:
            raise expected("mesh", "a transform of 12 numbers", len(numbers), "the file is damaged")
        matrix[:3] = numbers.reshape(4, 3).T
    return matrix
