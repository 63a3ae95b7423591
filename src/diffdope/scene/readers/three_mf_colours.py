"""The colours of 3MF: groups of materials, colours and texture coordinates that triangles refer to."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.scene.parts import Part, Way, Wrap
from diffdope.scene.readers.corners import Polygons, as_part
from diffdope.scene.readers.source import MeshSource, decoded
from diffdope.scene.readers.xml_tree import Element

F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]
Int = NDArray[np.intp]

_WRAPS: dict[str, Way] = {"wrap": "repeat", "mirror": "mirror", "clamp": "clamp", "none": "clamp"}
_LAYERED = ("compositematerials", "multiproperties")


class _Textured(NamedTuple):
    """A picture and texture coordinates (N, 2), v down."""

    pixels: U8 | None
    uv: F64
    wrap: Wrap


class Groups:
    """All groups of properties of a model part, by their ids."""

    def __init__(self, resources: Element | None, read: Callable[[str], bytes], source: MeshSource) -> None:
        self._read = read
        self._source = source
        elements = list(resources) if resources is not None else []
        self._pictures = {element.get("id", ""): element for element in elements if element.tag == "texture2d"}
        self._textures: dict[str, _Textured] = {}
        self._elements = {element.get("id", ""): element for element in elements}
        starts: dict[str, int] = {}
        palette: list[tuple[float, ...] | None] = []
        for element in elements:
            if element.tag in ("basematerials", "colorgroup"):
                starts[element.get("id", "")] = len(palette)
                palette.extend(_colour(child) for child in element)
        self.starts = starts
        self.has_color = np.array([color is not None for color in palette], np.bool_)
        self.palette = np.array([color or (0.0, 0.0, 0.0) for color in palette], np.float64).reshape(-1, 3)

    def texture(self, key: str) -> _Textured | None:
        """A group of texture coordinates with its picture; None if the group is no such one."""
        element = self._elements.get(key)
        if element is None or element.tag != "texture2dgroup":
            if element is not None and element.tag in _LAYERED:
                self._source.note("colours in layers or mixtures (multiproperties, compositematerials) are not read")
            return None
        if key not in self._textures:
            self._textures[key] = self._read_texture(element)
        return self._textures[key]

    def _read_texture(self, element: Element) -> _Textured:
        rows = [(float(c.get("u", "0")), 1.0 - float(c.get("v", "0"))) for c in element.findall("tex2coord")]
        uv = np.array(rows, np.float64).reshape(-1, 2)
        picture = self._pictures.get(element.get("texid", ""))
        if picture is None:
            raise expected("mesh", f"a texture2d {element.get('texid')!r}", "none", "the file is damaged")
        along = [_WRAPS.get(picture.get(name, "wrap"), "repeat") for name in ("tilestyleu", "tilestylev")]
        wrap = along[0], along[1]
        try:
            return _Textured(decoded(self._read(picture.get("path", ""))), uv, wrap)
        except (OSError, ValueError) as error:
            self._source.unread.append(f"has a texture that cannot be read: {error}; export the mesh again")
            return _Textured(None, uv, wrap)


def pieces_of(mesh: Element, owner: Element, groups: Groups, source: MeshSource) -> list[Part]:
    """The triangles of an object: those with colours, those of each texture, and those without."""
    points = np.array([[float(v.get(k, "nan")) for k in "xyz"] for v in mesh.iterfind("vertices/vertex")], np.float64)
    elements = list(mesh.iterfind("triangles/triangle"))
    if not elements:
        return []
    place = np.array([[int(t.get(k, "-1")) for k in ("v1", "v2", "v3")] for t in elements], np.intp)
    source.note_strays(len(points), place)
    names, group, index = _properties(elements, owner)
    colour, left = np.full_like(place, -1), np.ones(len(place), np.bool_)
    pieces = []
    for number, name in enumerate(names):
        chosen = group == number
        if name in groups.starts:
            colour[chosen] = groups.starts[name] + index[chosen]
            continue
        textured = groups.texture(name) if name else None
        if textured is None or textured.pixels is None:
            continue
        part = as_part(points, _polygons(place[chosen], index[chosen]), textured.uv)
        pieces.append(Part(part.vertices, part.faces, part.uv, textured.pixels, wrap=textured.wrap))
        left &= ~chosen
    if colour.max() >= len(groups.palette):
        raise expected("mesh", f"indices of colours up to {len(groups.palette) - 1}", colour.max(), "it is damaged")
    known = (colour >= 0).all(axis=1) & left
    known[known] = groups.has_color[colour[known]].all(axis=1)
    if known.any():
        colored = Polygons(np.full(known.sum(), 3), place[known].ravel(), color=colour[known].ravel())
        pieces.append(as_part(points, colored, colors=groups.palette))
    if (left & ~known).any():
        pieces.append(as_part(points, _polygons(place[left & ~known])))
    return pieces


def _properties(elements: list[Element], owner: Element) -> tuple[list[str], Int, Int]:
    """Names of groups, the number of the group of each triangle (T,), and each corner's index in it (T, 3).

    A triangle without a group has its object's. A corner without an index has that of the first one.
    """
    default, default_index = owner.get("pid", ""), owner.get("pindex", "0")
    numbers: dict[str, int] = {}
    group = np.empty(len(elements), np.intp)
    index = np.zeros((len(elements), 3), np.intp)
    for k, element in enumerate(elements):
        get = element.get
        first = get("p1")
        group[k] = numbers.setdefault(get("pid", default), len(numbers))
        if first is None:
            index[k] = int(default_index)
        else:
            index[k] = int(first), int(get("p2", first)), int(get("p3", first))
    return list(numbers), group, index


def _polygons(place: Int, uv: Int | None = None) -> Polygons:
    return Polygons(np.full(len(place), 3), place.ravel(), None if uv is None else uv.ravel())


def _colour(element: Element) -> tuple[float, ...] | None:
    """The colour `#RRGGBB` or `#RRGGBBAA` of a material or colour; None if it states none."""
    text = element.get("displaycolor") or element.get("color") or ""
    if len(text) not in (7, 9) or not text.startswith("#"):
        return None
    return tuple(int(text[k : k + 2], 16) / 255.0 for k in (1, 3, 5))
