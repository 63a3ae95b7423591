"""The colours of glTF materials: a factor of linear light and a texture in sRGB, multiplied."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.scene.parts import Way, Wrap
from diffdope.scene.readers.colours import tinted
from diffdope.scene.readers.gltf_file import Gltf, Json
from diffdope.scene.readers.source import decoded

F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]

_WRAPS: dict[int, Way] = {10497: "repeat", 33071: "clamp", 33648: "mirror"}
_SPECULAR_GLOSSINESS = "KHR_materials_pbrSpecularGlossiness"
_TRANSFORM = "KHR_texture_transform"
_KTX2 = "KHR_texture_basisu"
# Pictures that Pillow may be able to read, where the file has no PNG or JPEG.
_OTHER_PICTURES = ("EXT_texture_webp", "EXT_texture_avif", "MSFT_texture_dds")


class Texture(NamedTuple):
    """A picture, which texture coordinates it is for, and how these are moved."""

    pixels: U8
    coordinates: int
    matrix: F64  # (2, 3)
    wrap: Wrap


class Appearance(NamedTuple):
    """What a material says of its colour: a factor (3,) of linear light, None if it says none, and a texture.

    The texture has the factor in it.
    """

    factor: F64 | None
    texture: Texture | None
    wants_texture: bool


def appearance_of(gltf: Gltf, material: Json) -> Appearance:
    """The colour of a material.

    Metallic-roughness, or specular-glossiness where the material has it, which then tells its diffuse colour better.
    """
    extensions = material.get("extensions", {})
    if _SPECULAR_GLOSSINESS in extensions:
        model, factor, texture = extensions[_SPECULAR_GLOSSINESS], "diffuseFactor", "diffuseTexture"
    else:
        model, factor, texture = material.get("pbrMetallicRoughness", {}), "baseColorFactor", "baseColorTexture"
    _note_what_is_left(gltf, material)
    color = np.array(model[factor][:3], np.float64) if factor in model else None
    if texture not in model:
        return Appearance(color, None, wants_texture=False)
    found = _texture(gltf, model[texture])
    if found is not None and color is not None and (color != 1.0).any():
        found = found._replace(pixels=tinted(found.pixels, color))
    return Appearance(color, found, wants_texture=True)


def _note_what_is_left(gltf: Gltf, material: Json) -> None:
    if "emissiveTexture" in material or any(material.get("emissiveFactor", ())):
        gltf.source.note("a material shines by itself (emissive); that is left out")
    if material.get("alphaMode", "OPAQUE") != "OPAQUE":
        gltf.source.note("a material is transparent; it is drawn as solid")


def _texture(gltf: Gltf, info: Json) -> Texture | None:
    texture = gltf.list("textures")[info["index"]]
    pixels = _pixels(gltf, texture)
    if pixels is None:
        return None
    sampler = gltf.list("samplers")[texture["sampler"]] if "sampler" in texture else {}
    wrap = _WRAPS.get(sampler.get("wrapS", 0), "repeat"), _WRAPS.get(sampler.get("wrapT", 0), "repeat")
    transform = info.get("extensions", {}).get(_TRANSFORM, {})
    return Texture(pixels, transform.get("texCoord", info.get("texCoord", 0)), _matrix(transform), wrap)


def _matrix(transform: Json) -> F64:
    """Texture coordinates' change (2, 3): scaled, turned counterclockwise as seen on the picture, then moved."""
    (u, v), (su, sv) = transform.get("offset", (0.0, 0.0)), transform.get("scale", (1.0, 1.0))
    cos, sin = np.cos(transform.get("rotation", 0.0)), np.sin(transform.get("rotation", 0.0))
    return np.array([[cos * su, sin * sv, u], [-sin * su, cos * sv, v]])


def _pixels(gltf: Gltf, texture: Json) -> U8 | None:
    """The picture of a texture; None, with the reason in the source, if it cannot be read."""
    extensions = texture.get("extensions", {})
    others = [extensions[name]["source"] for name in _OTHER_PICTURES if name in extensions]
    images = [*([texture["source"]] if "source" in texture else []), *others]
    if not images and _KTX2 in extensions:
        _note_unread(gltf, f"has its texture as KTX2 only ({_KTX2}), which is not read")
        return None
    if not images:
        _note_unread(gltf, "has a texture without a picture")
        return None
    for index in images[:-1]:
        pixels = _quietly(gltf, index)
        if pixels is not None:
            return pixels
    if images[-1] not in gltf.pictures:
        gltf.pictures[images[-1]] = _picture(gltf, gltf.list("images")[images[-1]])
    return gltf.pictures[images[-1]]


def _quietly(gltf: Gltf, index: int) -> U8 | None:
    """The first of several pictures of one texture, if it can be read."""
    image = gltf.list("images")[index]
    try:
        return decoded(_bytes_of(gltf, image))
    except (OSError, ValueError):
        return None


def _picture(gltf: Gltf, image: Json) -> U8 | None:
    uri = image.get("uri", "")
    if uri and not uri.startswith("data:") and not uri.lower().endswith(".ktx2"):
        return gltf.source.texture(uri)
    data = _bytes_of(gltf, image)
    if image.get("mimeType") == "image/ktx2" or data[1:7] == b"KTX 20":
        _note_unread(gltf, "has its texture as KTX2 only, which is not read")
        return None
    try:
        return decoded(data)
    except (OSError, ValueError) as error:
        gltf.source.unread.append(f"has a texture inside the file that is broken: {error}; export the mesh again")
        return None


def _bytes_of(gltf: Gltf, image: Json) -> bytes:
    return gltf.data_of(image["uri"]) if "uri" in image else gltf.bytes_of_view(image["bufferView"])


def _note_unread(gltf: Gltf, what: str) -> None:
    gltf.source.unread.append(f"{what}; convert its pictures to PNG or JPEG and export it again")
