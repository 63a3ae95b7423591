"""glTF 2.0, as GLB or with files beside: the triangles of a scene in place, with their colours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.scene.parts import Part
from diffdope.scene.readers.colours import constant, srgb_of_linear, tinted
from diffdope.scene.readers.gltf_file import DRACO, Gltf, Json, uncompressed
from diffdope.scene.readers.gltf_materials import Appearance, Texture, appearance_of
from diffdope.scene.readers.gltf_nodes import placed_meshes
from diffdope.scene.readers.gltf_shapes import in_place
from diffdope.scene.readers.ply import COLOURS_LEFT, NO_COORDINATES, NO_TEXTURE
from diffdope.scene.readers.source import MeshSource
from diffdope.scene.readers.strips import fan, strip

F64 = NDArray[np.float64]
Int = NDArray[np.intp]

_TRIANGLES, _STRIP, _FAN = 4, 5, 6
WHITE = np.ones(3)


def read_gltf(source: MeshSource) -> list[Part]:
    """The pieces of a glTF file: all triangles of its scene, in place, in its unit, which should be metres.

    Colours at vertices, a material's factor and its texture are multiplied in linear light, as the format says,
    and given in sRGB, as photographs are.

    Raises:
        DiffDopeError: if it is no glTF 2.0, is compressed, or needs an extension that is unknown.
    """
    gltf = Gltf(source)
    placed = placed_meshes(gltf)
    reader = _Primitives(gltf)
    pieces = {index: reader.of_mesh(index) for index in dict.fromkeys(one.mesh for one in placed)}
    reader.note_strays([part for made in pieces.values() for part, _ in made])
    return [in_place(gltf, part, primitive, one) for one in placed for part, primitive in pieces[one.mesh]]


class _Primitives:
    """The primitives of a file; what several of them share is read once."""

    def __init__(self, gltf: Gltf) -> None:
        self._gltf = gltf
        self._vertices: dict[int, F64] = {}
        self._appearances: dict[int | None, Appearance] = {}

    def of_mesh(self, index: int) -> list[tuple[Part, Json]]:
        """The pieces of a mesh, before they are put in place, each with its primitive."""
        primitives = self._gltf.list("meshes")[index]["primitives"]
        made = [(self._piece(primitive), primitive) for primitive in primitives]
        return [(part, primitive) for part, primitive in made if part is not None and len(part.faces)]

    def note_strays(self, parts: list[Part]) -> None:
        """Notes vertices that no piece uses; pieces that share an array of vertices leave some to each other."""
        for shared in {id(part.vertices): part.vertices for part in parts}.values():
            indices = (part.faces for part in parts if part.vertices is shared)
            self._gltf.source.note_strays(len(shared), *indices)

    def _piece(self, primitive: Json) -> Part | None:
        attributes = primitive.get("attributes", {})
        faces = _faces(self._gltf, primitive)
        if faces is None or "POSITION" not in attributes:
            return None
        position = attributes["POSITION"]
        if position not in self._vertices:
            self._vertices[position] = self._gltf.array(position).astype(np.float64)
        part = Part(self._vertices[position], faces)
        material = primitive.get("material")
        if material is None and "COLOR_0" not in attributes:
            return part
        if material not in self._appearances:
            stated = {} if material is None else self._gltf.list("materials")[material]
            self._appearances[material] = appearance_of(self._gltf, stated)
        return _colored(self._gltf, part, attributes, self._appearances[material])


def _faces(gltf: Gltf, primitive: Json) -> Int | None:
    """Triangles (T, 3); None where there are points or lines only."""
    mode = primitive.get("mode", _TRIANGLES)
    if mode not in (_TRIANGLES, _STRIP, _FAN):
        gltf.source.note("points and lines are left out")
        return None
    attributes = primitive.get("attributes", {})
    # A file may have the same geometry once more, for readers that do not know Draco.
    used = [k for k in (attributes.get("POSITION"), primitive.get("indices")) if k is not None]
    if DRACO in primitive.get("extensions", {}) and not all("bufferView" in gltf.list("accessors")[k] for k in used):
        raise uncompressed(f"Draco ({DRACO})")
    if "indices" in primitive:
        corners = gltf.array(primitive["indices"])[:, 0].astype(np.intp)
    else:
        corners = np.arange(gltf.list("accessors")[attributes["POSITION"]]["count"])
    if mode == _TRIANGLES:
        return corners[: len(corners) // 3 * 3].reshape(-1, 3)
    return strip(corners) if mode == _STRIP else fan(corners)


def _colored(gltf: Gltf, part: Part, attributes: Json, appearance: Appearance) -> Part:
    """The part with its colour: texture, colours at vertices and factor, as far as they are stated."""
    source = gltf.source
    light = _light(gltf, attributes, len(part.vertices))
    factor = WHITE if appearance.factor is None else appearance.factor
    texture = appearance.texture
    uv = _coordinates(gltf, attributes, texture) if texture is not None else None
    if texture is not None and uv is not None:
        pixels = texture.pixels  # with the material's factor in them
        if light is not None and np.ptp(light, axis=0).max() > 1e-3:
            source.note(COLOURS_LEFT)
        elif light is not None and light.min() < 1.0:
            pixels = tinted(pixels, light[0])
        return replace(part, uv=uv, texture=pixels, wrap=texture.wrap)
    if appearance.wants_texture and uv is None and texture is not None:
        source.note(NO_COORDINATES)
    if light is not None:
        return replace(part, colors=srgb_of_linear(light * factor))
    if appearance.factor is not None:
        return replace(part, colors=constant(srgb_of_linear(factor), len(part.vertices)))
    if "TEXCOORD_0" in attributes and not appearance.wants_texture:
        source.note(NO_TEXTURE)
    return part


def _light(gltf: Gltf, attributes: Json, count: int) -> F64 | None:
    """Colours at the vertices (V, 3), linear; None where there are none."""
    if "COLOR_0" not in attributes:
        return None
    colors = gltf.array(attributes["COLOR_0"])[:, :3]
    if len(colors) != count:
        raise expected("mesh", f"a colour for each of {count} vertices", len(colors), "the file is damaged")
    if colors.dtype.kind in "iu":  # the format asks for `normalized`, which some writers forget
        return colors / float(np.iinfo(colors.dtype).max)
    return np.clip(np.nan_to_num(colors.astype(np.float64)), 0.0, 1.0)


def _coordinates(gltf: Gltf, attributes: Json, texture: Texture) -> F64 | None:
    """Texture coordinates (V, 2), v down; None where the texture's own set is not there."""
    name = f"TEXCOORD_{texture.coordinates}"
    if name not in attributes:
        return None
    uv = gltf.array(attributes[name]).astype(np.float64)
    moved_uv: F64 = uv @ texture.matrix[:, :2].T + texture.matrix[:, 2]
    return moved_uv
