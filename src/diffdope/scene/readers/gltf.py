"""glTF 2.0, as GLB or with files beside: the triangles of a scene in place, with their colours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.scene.parts import Part
from diffdope.scene.readers.colours import constant, srgb_of_linear, tinted
from diffdope.scene.readers.corners import compact
from diffdope.scene.readers.gltf_file import DRACO, Gltf, Json, uncompressed
from diffdope.scene.readers.gltf_materials import Appearance, Texture, appearance_of
from diffdope.scene.readers.gltf_nodes import placed_meshes
from diffdope.scene.readers.placing import moved
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
    pieces: dict[int, list[Part]] = {}
    vertices: dict[int, F64] = {}  # shared by the primitives that share them
    parts: list[Part] = []
    for index, matrix in placed_meshes(gltf):
        if index not in pieces:
            mesh = gltf.list("meshes")[index]
            if any(mesh.get("weights", ())):
                source.note("the mesh has shapes to blend (morph targets); they are left out")
            made = [part for primitive in mesh["primitives"] for part in _pieces(gltf, primitive, vertices)]
            made = [part for part in made if len(part.faces)]
            for shared in {id(part.vertices): part.vertices for part in made}.values():
                indices = (part.faces for part in made if part.vertices is shared)
                source.note_strays(len(shared), *indices)
            pieces[index] = [compact(part) for part in made]
        parts.extend(moved(part, matrix) for part in pieces[index])
    return parts


def _pieces(gltf: Gltf, primitive: Json, known: dict[int, F64]) -> list[Part]:
    attributes = primitive.get("attributes", {})
    faces = _faces(gltf, primitive)
    if faces is None or "POSITION" not in attributes:
        return []
    position = attributes["POSITION"]
    if position not in known:
        known[position] = gltf.array(position).astype(np.float64)
    part = Part(known[position], faces)
    if "material" not in primitive and "COLOR_0" not in attributes:
        return [part]
    material = gltf.list("materials")[primitive["material"]] if "material" in primitive else {}
    return [_colored(gltf, part, attributes, appearance_of(gltf, material))]


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
        if light is not None:
            if np.ptp(light, axis=0).max() > 1e-3:
                source.note(COLOURS_LEFT)
            else:
                factor = factor * light[0]
        pixels = texture.pixels if (factor == 1.0).all() else tinted(texture.pixels, factor)
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
