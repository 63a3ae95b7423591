"""Colours of USD's materials: the diffuse colour of a UsdPreviewSurface, which is a number or a texture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.scene.parts import REPEAT, Way, Wrap
from diffdope.scene.readers.source import MeshSource, decoded

F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]

_WAYS: dict[str, Way] = {"repeat": "repeat", "clamp": "clamp", "mirror": "mirror"}


@dataclass(frozen=True)
class Colour:
    """What a material says of colour.

    Attributes:
        color: (3,) linear light; None if it states none, or a texture.
        texture: (H, W, 3) sRGB; None if there is none.
        coordinates: name of the primvar that holds the texture's coordinates.
        matrix: (2, 3) that is applied to these, v up.
        wrap: how the texture goes on.
    """

    color: F64 | None = None
    texture: U8 | None = None
    coordinates: str = "st"
    matrix: F64 = field(default_factory=lambda: np.eye(2, 3))
    wrap: Wrap = REPEAT


def colour_of(pxr: Any, prim: Any, source: MeshSource) -> Colour:
    """The colour of the material that is bound to a prim; none where there is no material that states one."""
    material, _ = pxr.UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()
    surface = material.ComputeSurfaceSource()[0] if material else None
    if not surface:
        return Colour()
    if surface.GetIdAttr().Get() != "UsdPreviewSurface":
        source.note(f"the material {material.GetPath().name} is no UsdPreviewSurface: its colour is left out")
        return Colour()
    diffuse = surface.GetInput("diffuseColor")
    if not diffuse:
        return Colour()
    attributes = diffuse.GetValueProducingAttributes()
    shader = pxr.UsdShade.Shader(attributes[0].GetPrim()) if attributes else None
    if shader and shader.GetIdAttr().Get() == "UsdUVTexture":
        return _textured(pxr, shader, source)
    value = attributes[0].Get() if attributes else None
    return Colour() if value is None else Colour(color=np.asarray(value, np.float64))


def _textured(pxr: Any, shader: Any, source: MeshSource) -> Colour:
    asset = _value(shader, "file")
    name = getattr(asset, "path", "") or "a texture without a name"
    pixels = _pixels(pxr, asset, name, source)
    if pixels is None:
        return Colour()
    if shader.GetInput("scale").GetAttr() or shader.GetInput("bias").GetAttr():
        source.note(f"scale and bias of the texture {name} are left out")
    ways = [_WAYS.get(str(_value(shader, key)), "clamp") for key in ("wrapS", "wrapT")]
    coordinates, matrix = _coordinates(pxr, shader)
    return Colour(texture=pixels, coordinates=coordinates, matrix=matrix, wrap=(ways[0], ways[1]))


def _pixels(pxr: Any, asset: Any, name: str, source: MeshSource) -> U8 | None:
    """The picture, which in USDZ lies within the file itself."""
    resolved = getattr(asset, "resolvedPath", "")
    packed = bool(resolved) and pxr.Ar.IsPackageRelativePath(resolved)
    opened = pxr.Ar.GetResolver().OpenAsset(pxr.Ar.ResolvedPath(resolved)) if packed else None
    if opened is None:
        return source.texture(name)
    try:
        return decoded(bytes(opened.GetBuffer()))
    except ValueError:
        source.broken.append(name)
        return None


def _coordinates(pxr: Any, shader: Any) -> tuple[str, F64]:
    """Which primvar, and how it is moved, by the shaders before the texture."""
    matrix, at = np.eye(3), shader.GetInput("st")
    while at:
        attributes = at.GetValueProducingAttributes()
        reader = pxr.UsdShade.Shader(attributes[0].GetPrim()) if attributes else None
        if reader is None:
            break
        kind = reader.GetIdAttr().Get() if reader else None
        if kind == "UsdTransform2d":
            matrix = matrix @ _moved(reader)
            at = reader.GetInput("in")
            continue
        if kind == "UsdPrimvarReader_float2":
            return str(_value(reader, "varname") or "st"), matrix[:2]
        break
    return "st", matrix[:2]


def _moved(reader: Any) -> F64:
    """The matrix (3, 3) of a UsdTransform2d: scaled, then turned, then moved."""
    angle = np.radians(float(_value(reader, "rotation") or 0.0))
    scale, offset = (_value(reader, name) for name in ("scale", "translation"))
    c, s = np.cos(angle), np.sin(angle)
    matrix = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    matrix[:2, :2] *= np.ones(2) if scale is None else np.asarray(scale, np.float64)
    matrix[:2, 2] = 0.0 if offset is None else np.asarray(offset, np.float64)
    return matrix


def _value(shader: Any, name: str) -> Any:
    """What an input is, itself or by an attribute that it is connected to."""
    given = shader.GetInput(name)
    attributes = given.GetValueProducingAttributes() if given else []
    return attributes[0].Get() if attributes else None
