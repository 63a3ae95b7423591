"""Mesh files into parts, through trimesh, whose silence about missing and broken textures is broken here."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, check_choice
from diffdope.io.images import as_rgb_texture
from diffdope.scene.parts import Part, join

SUFFIXES = (".ply", ".obj", ".glb", ".gltf", ".stl")
_IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".tga", ".tif", ".tiff", ".webp"}
F64 = NDArray[np.float64]


@dataclass
class _Files:
    """What the mesh file asked for beside itself. trimesh swallows the failures, so they are noted here."""

    folder: Path
    missing: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def get(self, name: str) -> bytes:
        plain = name.strip().replace("\\", "/")  # written on Windows
        for candidate in (plain, plain.rsplit("/", 1)[-1]):
            path = self.folder / candidate
            if path.is_file():
                data = path.read_bytes()
                self._note_broken(path, data)
                return data
        self.missing.append(name.strip())
        raise FileNotFoundError(name)

    def _note_broken(self, path: Path, data: bytes) -> None:
        from PIL import Image

        if path.suffix.lower() in _IMAGE_SUFFIXES:
            try:
                with Image.open(io.BytesIO(data)) as image:
                    image.load()
            except (OSError, ValueError, SyntaxError):
                self.broken.append(path.name)


def read_mesh(path: Path, *, allow_missing_texture: bool) -> tuple[Part, tuple[str, ...]]:
    """All geometry of a mesh file as one part in the file's unit, and warnings.

    Raises:
        DiffDopeError: if the file cannot be read, holds no triangles, or its texture is missing or broken.
    """
    if not path.is_file():
        raise DiffDopeError(f"mesh: expected a mesh file, but there is none at {path}")
    check_choice("mesh file ending", path.suffix.lower(), SUFFIXES)
    files = _Files(path.parent)
    scene = _load_scene(path, files)
    message = _texture_message(path, files) if files.missing or files.broken else ""
    if message and not allow_missing_texture:
        raise DiffDopeError(f"{message}, or load with allow_missing_texture=True to go without colour")
    try:
        parts, warnings = _parts_of(scene, with_color=not message)
        if not parts:
            raise DiffDopeError("mesh: expected triangles, got none; it is empty or a point cloud")
        joined, more = join(parts)
    except DiffDopeError as error:
        raise DiffDopeError(f"{error} ({path})") from error
    return joined, (*warnings, *more, *([f"{message}; loaded without colour"] if message else []))


def _texture_message(path: Path, files: _Files) -> str:
    if files.missing:
        names = ", ".join(dict.fromkeys(files.missing))
        return f"mesh: {path.name} names {names}, but that is not in {path.parent}; put it there"
    names = ", ".join(dict.fromkeys(files.broken))
    return f"mesh: {path.name} names {names}, which cannot be read as an image; replace it"


def _load_scene(path: Path, files: _Files) -> Any:
    import trimesh

    resolver = trimesh.resolvers.FilePathResolver(str(path))
    resolver.get = files.get  # on the instance: a subclass would need trimesh when this module is imported
    try:
        with _quiet("trimesh"):
            # process=False, because merging vertices would drop texture coordinates.
            return trimesh.load_scene(str(path), process=False, resolver=resolver)
    except Exception as error:  # trimesh's readers raise whatever the broken bytes lead to
        if files.missing:
            raise DiffDopeError(_texture_message(path, files)) from error
        raise DiffDopeError(f"mesh: cannot read {path}: {error} ({type(error).__name__})") from error


@contextmanager
def _quiet(logger_name: str) -> Iterator[None]:
    """Without the traceback that a library logs about what is reported here in one line."""
    logger = logging.getLogger(logger_name)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _parts_of(scene: Any, *, with_color: bool) -> tuple[list[Part], list[str]]:
    parts, warnings = [], []
    for node in scene.graph.nodes_geometry:
        transform, name = scene.graph[node]
        geometry = scene.geometry[name]
        if len(getattr(geometry, "faces", ())) == 0:
            continue
        vertices = np.array(geometry.vertices, np.float64)
        faces = np.array(geometry.faces)
        if not np.array_equal(transform, np.eye(4)):
            vertices = vertices @ transform[:3, :3].T + transform[:3, 3]
            if np.linalg.det(transform[:3, :3]) < 0:
                faces = faces[:, ::-1]  # a mirroring node turns faces inside out
        part = Part(vertices, faces)
        if with_color:
            part, notes = _colored(part, geometry.visual)
            warnings.extend(notes)
        parts.append(part)
    return parts, list(dict.fromkeys(warnings))


def _colored(part: Part, visual: Any) -> tuple[Part, list[str]]:
    """The part with the colour of trimesh's `visual`; texture first, as trimesh has it."""
    if visual.kind == "vertex":
        return replace(part, colors=_unit(visual.vertex_colors)), []
    if visual.kind == "face":
        corners = part.faces.ravel()
        faces = np.arange(len(corners)).reshape(-1, 3)
        colors = np.repeat(_unit(visual.face_colors), 3, axis=0)
        return Part(part.vertices[corners], faces, colors=colors), []
    if visual.kind != "texture":
        return part, []
    material = visual.material
    image = getattr(material, "image", None) or getattr(material, "baseColorTexture", None)
    if image is None:
        return _of_one_color(part, visual)
    # An image that no file was opened for has no format: it is the placeholder which trimesh makes up.
    if image.format is None or visual.uv is None:
        return part, ["the mesh has texture coordinates but names no texture"] if visual.uv is not None else []
    uv = np.array(visual.uv, np.float64)
    if not np.isfinite(uv).all():
        raise DiffDopeError("mesh: expected finite texture coordinates, got NaN or infinity; export the mesh again")
    uv[:, 1] = 1.0 - uv[:, 1]  # trimesh counts v from the bottom
    try:
        texture = as_rgb_texture(image)
    except (OSError, ValueError, SyntaxError) as error:  # a picture inside a GLB is first decoded here
        raise DiffDopeError(f"mesh: the texture inside the file is broken: {error}") from error
    return replace(part, uv=uv, texture=texture), _tint_warning(material)


def _of_one_color(part: Part, visual: Any) -> tuple[Part, list[str]]:
    """The colours at vertices that come with a material, else the material's own; none where it has none."""
    stored = getattr(visual, "vertex_attributes", {}).get("color")
    if stored is not None and len(stored) == len(part.vertices):
        return replace(part, colors=_unit(stored)), []
    material = visual.material
    if hasattr(material, "baseColorFactor") and material.baseColorFactor is None:
        return part, []
    color = _unit(np.asarray(material.main_color)[None])
    return replace(part, colors=np.repeat(color, len(part.vertices), axis=0)), []


def _tint_warning(material: Any) -> list[str]:
    """glTF multiplies texture and factor, but exporters also leave a grey factor there by accident."""
    factor = getattr(material, "baseColorFactor", None)
    if factor is None or np.min(_unit(np.asarray(factor)[None])) > 0.99:
        return []
    return ["the material's base colour factor is not white; it is left out, the texture is taken as it is"]


def _unit(colors: Any) -> F64:
    """RGB in [0, 1] of colours (N, 3 or 4) in any number type."""
    array = np.asarray(colors)
    scale = float(np.iinfo(array.dtype).max) if array.dtype.kind in "ui" else 1.0
    return np.clip(array[:, :3].astype(np.float64) / scale, 0.0, 1.0)
