"""The colours of COLLADA materials: the diffuse colour or texture of the effect that they use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.io.numbers import numbers_in
from diffdope.scene.parts import REPEAT, Way, Wrap
from diffdope.scene.readers.source import MeshSource
from diffdope.scene.readers.xml_tree import Element, by_id, text_of

F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]

_SHADERS = ("phong", "blinn", "lambert", "constant")
_WRAPS: dict[str, Way] = {"WRAP": "repeat", "MIRROR": "mirror", "CLAMP": "clamp", "BORDER": "clamp"}


@dataclass(frozen=True)
class Effect:
    """What a material says of its colour.

    Attributes:
        color: (3,) in [0, 1], as stored; None where none is stated.
        picture: the file of the texture; None where there is none.
        coordinates: the effect's name for the texture coordinates.
        wrap: how the texture goes on outside of [0, 1].
    """

    color: F64 | None = None
    picture: str | None = None
    coordinates: str = ""
    wrap: Wrap = REPEAT


class Effects:
    """The materials of a file, by their ids."""

    def __init__(self, root: Element, source: MeshSource) -> None:
        self._materials = by_id(root, "material")
        self._effects = by_id(root, "effect")
        self._images = by_id(root, "image")
        self._source = source

    def of_material(self, material: str | None) -> Effect:
        """The colour of a material; none if there is no such material."""
        found = self._materials.get(material or "")
        instance = found.find("instance_effect") if found is not None else None
        effect = self._effects.get(instance.get("url", "").rpartition("#")[2]) if instance is not None else None
        profile = effect.find("profile_COMMON") if effect is not None else None
        if effect is None or profile is None:
            return Effect()
        for shader in _SHADERS:
            element = profile.find(f"technique/{shader}")
            if element is not None:
                # A `constant` shader is not lit: what it emits is its colour.
                return self._colour(element.find("emission" if shader == "constant" else "diffuse"), effect)
        return Effect()

    def _colour(self, slot: Element | None, effect: Element) -> Effect:
        texture = slot.find("texture") if slot is not None else None
        if texture is not None:
            image, wrap = self._image(texture.get("texture", ""), effect)
            return Effect(picture=image, coordinates=texture.get("texcoord", ""), wrap=wrap)
        values = numbers_in("mesh", text_of(slot, "color"))
        if len(values) < 3:
            return Effect()
        return Effect(color=np.clip(values[:3], 0.0, 1.0))

    def _image(self, name: str, effect: Element) -> tuple[str, Wrap]:
        """The file of a texture, by way of sampler and surface, and how it wraps."""
        params = {param.get("sid", ""): param for param in effect.iter("newparam")}
        sampler = params[name].find("sampler2D") if name in params else None
        wrap = REPEAT
        if sampler is not None:
            wrap = _wrap(sampler)
            instance = sampler.find("instance_image")  # COLLADA 1.5
            surface = text_of(sampler, "source")
            if instance is not None:
                name = instance.get("url", "").rpartition("#")[2]
            elif surface in params:
                name = text_of(params[surface], "surface/init_from") or surface
        image = self._images.get(name)
        if image is None:  # some exporters name the file itself
            return name, wrap
        return text_of(image, "init_from/ref") or text_of(image, "init_from"), wrap


def _wrap(sampler: Element) -> Wrap:
    along = [_WRAPS.get(text_of(sampler, key) or "WRAP", "repeat") for key in ("wrap_s", "wrap_t")]
    return along[0], along[1]
