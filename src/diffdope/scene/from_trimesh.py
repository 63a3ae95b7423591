"""Meshes and scenes of trimesh as pieces of a mesh, with the colours that were really given to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.io.images import as_rgb_texture
from diffdope.scene.parts import Part
from diffdope.scene.readers.colours import constant, in_unit_range, srgb_of_linear, tinted
from diffdope.scene.readers.placing import moved
from diffdope.scene.readers.ply import NO_TEXTURE

F64 = NDArray[np.float64]
LINEAR_OR_NOT = (
    "colours at vertices that trimesh has read from glTF are linear light, says the format, unless trimesh wrote the "
    "file: they are taken as sRGB here, and would then be too dark; Mesh.load(path) turns them into sRGB"
)


def parts_of(mesh: Any, notes: list[str]) -> list[Part]:
    """The meshes of a `trimesh.Scene`, in place, or the one `trimesh.Trimesh`; adds what is left out to `notes`.

    Raises:
        DiffDopeError: if it is neither, or has no triangles.
    """
    if hasattr(mesh, "graph") and hasattr(mesh, "geometry"):
        placed = [(mesh.geometry[name], matrix) for matrix, name in map(mesh.graph.get, mesh.graph.nodes_geometry)]
    elif hasattr(mesh, "vertices") and hasattr(mesh, "faces"):
        placed = [(mesh, np.eye(4))]
    else:
        raise expected("mesh", "a trimesh.Trimesh or trimesh.Scene", type(mesh).__name__, "Mesh.load reads a file")
    parts = []
    for geometry, matrix in placed:
        if len(getattr(geometry, "faces", ())):
            part = Part(np.array(geometry.vertices, np.float64), np.array(geometry.faces))
            part = _colored(part, geometry.visual, notes)
            if _as_gltf_stores(geometry, part):
                _note(notes, LINEAR_OR_NOT)
            parts.append(moved(part, np.asarray(matrix, np.float64)))
    if not parts:
        raise expected("mesh", "triangles", "none", "it is empty or a point cloud")
    return parts


def _as_gltf_stores(geometry: Any, part: Part) -> bool:
    """Whether colours are as glTF's COLOR_0 has them: trimesh leaves a word in what its reader of glTF has made."""
    if part.colors is None or "from_gltf_primitive" not in (getattr(geometry, "metadata", None) or {}):
        return False
    stored = getattr(geometry.visual, "vertex_attributes", {}).get("color") is not None
    between = bool(((part.colors > 0.0) & (part.colors < 1.0)).any())  # 0 and 1 are the same in both
    return between and (geometry.visual.kind == "vertex" or stored)


def _colored(part: Part, visual: Any, notes: list[str]) -> Part:
    if visual.kind == "vertex":
        return replace(part, colors=in_unit_range(np.asarray(visual.vertex_colors)))
    if visual.kind == "face":
        corners = part.faces.ravel()
        colors = np.repeat(in_unit_range(np.asarray(visual.face_colors)), 3, axis=0)
        return Part(part.vertices[corners], np.arange(len(corners)).reshape(-1, 3), colors=colors)
    return _of_material(part, visual, notes) if visual.kind == "texture" else part


def _of_material(part: Part, visual: Any, notes: list[str]) -> Part:
    """The texture, else the colours at vertices that come with a material, else the material's colour.

    trimesh keeps the factor of glTF's materials as it is stored, of linear light.
    """
    material, stored = visual.material, getattr(visual, "vertex_attributes", {}).get("color")
    factor = getattr(material, "baseColorFactor", None)
    light = None if factor is None else in_unit_range(np.asarray(factor)[None])[0]
    image = getattr(material, "image", None) or getattr(material, "baseColorTexture", None)
    # What trimesh makes up where no picture is given.
    if image is not None and (image.format, image.mode, image.size) != (None, "RGBA", (2, 2)):
        if visual.uv is None:
            _note(notes, "the mesh has a texture but no texture coordinates: the texture is left out")
        else:
            uv = np.array(visual.uv, np.float64) * [1.0, -1.0] + [0.0, 1.0]  # trimesh counts v from the bottom
            pixels = as_rgb_texture(image)
            return replace(
                part, uv=uv, texture=pixels if light is None or light.min() == 1.0 else tinted(pixels, light)
            )
    elif visual.uv is not None and stored is None and light is None:
        _note(notes, NO_TEXTURE)
    if stored is not None and len(stored) == len(part.vertices):
        return replace(part, colors=in_unit_range(np.asarray(stored)))
    if light is not None:
        return replace(part, colors=constant(srgb_of_linear(light), len(part.vertices)))
    return _of_simple_material(part, material)


def _of_simple_material(part: Part, material: Any) -> Part:
    """The diffuse colour of an OBJ material, if it is stated: trimesh itself puts a grey where none is."""
    import trimesh

    diffuse = getattr(material, "diffuse", None)
    if diffuse is None or np.array_equal(diffuse, trimesh.visual.color.DEFAULT_COLOR):
        return part
    return replace(part, colors=constant(in_unit_range(np.asarray(diffuse)[None])[0], len(part.vertices)))


def _note(notes: list[str], text: str) -> None:
    if text not in notes:
        notes.append(text)
