"""OBJ: places, texture coordinates and polygons in text, with the materials of an MTL file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import refused
from diffdope.io.numbers import numbers_in
from diffdope.scene.parts import Part
from diffdope.scene.readers.colours import constant, in_unit_range
from diffdope.scene.readers.corners import Polygons, as_part
from diffdope.scene.readers.mtl import Material, read_materials
from diffdope.scene.readers.obj_faces import absolute, polygons_of
from diffdope.scene.readers.ply import COLOURS_LEFT, NO_TEXTURE
from diffdope.scene.readers.source import MeshSource

_FEWEST = {"v": 3, "vt": 1, "f": 3}  # words of a line that is whole

F64 = NDArray[np.float64]

COLOURS_BEFORE_MATERIALS = (
    "the mesh has colours at its vertices and in its materials (Kd); those of the vertices are taken"
)


@dataclass
class _Lines:
    """What the lines of an OBJ file hold, without their keywords; faces by the material that they use."""

    places: list[str] = field(default_factory=list)
    uv: list[str] = field(default_factory=list)
    faces: dict[str | None, list[str]] = field(default_factory=dict)
    libraries: list[str] = field(default_factory=list)


def read_obj(source: MeshSource) -> list[Part]:
    """The pieces of an OBJ file, one for each material.

    A texture (map_Kd) counts before colours at vertices, and these before a material's colour (Kd): a program
    that writes colours at vertices writes a grey Kd beside them. Kd does not tint a texture, whatever the format
    says, because exporters leave it grey or black there.

    Raises:
        DiffDopeError: if a number or an index is wrong.
    """
    text = source.path.read_bytes().decode("utf-8", "replace")
    _check_whole(text)
    lines = _sorted(text, source)
    points, colors = _points(lines.places, source)
    uv = _coordinates(lines.uv)
    materials = _materials(lines, source, needs_colour=colors is None or len(uv) > 0)
    groups = {name: polygons_of(faces) for name, faces in lines.faces.items()}
    if any(polygons.uv is not None and polygons.uv.max() >= len(uv) for polygons in groups.values()):
        source.unread.append(f"has faces with texture coordinates beyond its {len(uv)}; export the mesh again")
        groups = {name: replace(polygons, uv=None) for name, polygons in groups.items()}
    source.note_strays(len(points), *(polygons.place for polygons in groups.values()))
    parts = []
    for name, polygons in groups.items():
        parts.extend(_pieces(points, uv, colors, polygons, materials.get(name or "", Material()), source))
    if len(uv) and not source.missing and not any(part.has_color for part in parts):
        source.note(NO_TEXTURE)
    return parts


def _check_whole(text: str) -> None:
    """Refuses a text whose last line, without an end, lacks a part: of files that were cut off, half of the cases."""
    last = text[max(text.rfind("\n"), text.rfind("\r")) + 1 :]
    key, *words = last.split("#", 1)[0].split() or ("",)
    if len(words) < _FEWEST.get(key, 0) or last.endswith("-"):
        raise refused("mesh", f"the file ends in the middle of a line, {last[:40]!r}: it was cut off; export it again")


def _sorted(text: str, source: MeshSource) -> _Lines:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\\\n", " ")  # a backslash joins lines
    lines = _Lines()
    current = lines.faces.setdefault(None, [])
    for line in text.split("\n"):
        key, *rest = line.split(None, 1) or ("",)
        value = rest[0] if rest else ""
        if key in ("v", "vt", "f"):
            if "#" in value:
                value = value[: value.index("#")]
            if key == "v":
                lines.places.append(value)
            elif key == "vt":
                lines.uv.append(value)
            else:
                current.append(absolute(value, len(lines.places), len(lines.uv)) if "-" in value else value)
        elif key == "usemtl":
            current = lines.faces.setdefault(value.strip(), [])
        elif key == "mtllib":
            lines.libraries.append(value.strip())
        elif key == "#MRGB":
            source.note("colours painted in ZBrush (#MRGB) are not read; export a texture instead")
    lines.faces = {name: faces for name, faces in lines.faces.items() if faces}
    return lines


def _points(lines: list[str], source: MeshSource) -> tuple[F64, F64 | None]:
    """Points (V, 3), and colours at them, which follow the coordinates where there are any."""
    numbers = numbers_in("mesh", "\n".join(lines))
    if len(numbers) == 3 * len(lines):
        return numbers.reshape(-1, 3), None
    widths = np.array([len(line.split()) for line in lines])
    first = np.cumsum(widths) - widths
    if widths.min() < 3:
        raise ValueError(f"a vertex has {widths.min()} coordinates instead of 3")
    points = numbers[first[:, None] + np.arange(3)]
    colored = widths >= 6  # a single number more is a weight, which counts for curves only
    if not colored.any():
        return points, None
    if not colored.all():
        source.note(f"{np.count_nonzero(~colored)} of {len(lines)} vertices have no colour and are taken as grey")
    colors = np.full((len(lines), 3), 0.5)
    colors[colored] = in_unit_range(numbers[first[colored][:, None] + np.arange(3, 6)])
    return points, colors


def _coordinates(lines: list[str]) -> F64:
    """Texture coordinates (U, 2), v up."""
    numbers = numbers_in("mesh", "\n".join(lines))
    if len(numbers) == 2 * len(lines):
        return numbers.reshape(-1, 2)
    rows = [(*map(float, line.split()), 0.0)[:2] for line in lines]  # v may be left out; a third number is depth
    return np.array(rows, np.float64).reshape(-1, 2)


def _materials(lines: _Lines, source: MeshSource, *, needs_colour: bool) -> dict[str, Material]:
    """The materials of all libraries by name, if any is used."""
    used = {name for name in lines.faces if name is not None}
    materials: dict[str, Material] = {}
    if not used:
        return materials
    for library in lines.libraries:
        # Several names, or one with spaces in it.
        names = [library] if source.find(library) is not None else library.split()
        for name in names:
            path = source.find(name)
            if path is not None:
                materials |= read_materials(path.read_bytes().decode("utf-8", "replace"), source)
            elif needs_colour:
                source.missing.append(name)
            else:
                source.note(f"{source.path.name} names {name}, which is not there; its vertices have colours")
    unknown = sorted(used - materials.keys()) if materials else []
    if unknown:
        source.note(f"the MTL file has no material {', '.join(unknown)}, which faces use")
    return materials


def _pieces(
    points: F64, uv: F64, colors: F64 | None, polygons: Polygons, material: Material, source: MeshSource
) -> list[Part]:
    """The faces of one material: those with a texture, and those without texture coordinates."""
    if material.texture is None or polygons.uv is None:
        if material.texture is not None:
            _note_bare(len(polygons.sizes), source)
        return [_plain(points, colors, polygons, material, source)]
    placed = polygons.of_corners(polygons.uv) >= 0
    if not placed.all():
        _note_bare(int(np.count_nonzero(~placed)), source)
    pieces = [] if placed.all() else [_plain(points, colors, polygons.where(~placed), material, source)]
    if placed.any():
        if colors is not None and np.ptp(colors, axis=0).max() > 0:
            source.note(COLOURS_LEFT)
        pieces.append(_textured(points, uv, polygons.where(placed), material, source))
    return pieces


def _textured(points: F64, uv: F64, polygons: Polygons, material: Material, source: MeshSource) -> Part:
    assert material.texture is not None
    part = as_part(points, polygons, material.placed(uv))
    texture = source.texture(material.texture)
    if texture is None or part.uv is None:
        return Part(part.vertices, part.faces)
    down = np.stack([part.uv[:, 0], 1.0 - part.uv[:, 1]], axis=1)
    return Part(part.vertices, part.faces, down, material.adjusted(texture), wrap=material.wrap)


def _plain(points: F64, colors: F64 | None, polygons: Polygons, material: Material, source: MeshSource) -> Part:
    # White at all vertices says nothing: it is what writers put there that have no colours.
    if colors is not None and not (material.color is not None and colors.min() == 1.0):
        if material.color is not None:
            source.note(COLOURS_BEFORE_MATERIALS)
        return as_part(points, Polygons(polygons.sizes, polygons.place, color=polygons.place), colors=colors)
    part = as_part(points, Polygons(polygons.sizes, polygons.place))
    if material.color is None:
        return part
    return Part(part.vertices, part.faces, colors=constant(material.color, len(part.vertices)))


def _note_bare(count: int, source: MeshSource) -> None:
    source.note(f"{count} faces have a material with a texture but no texture coordinates; they do not show it")
