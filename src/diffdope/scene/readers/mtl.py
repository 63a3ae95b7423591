"""MTL: the materials of an OBJ file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.io.numbers import is_number
from diffdope.scene.parts import REPEAT, Wrap
from diffdope.scene.readers.source import MeshSource

F64 = NDArray[np.float64]
U8 = NDArray[np.uint8]

# The options of a texture and how many values follow each; -o, -s and -t take one to three numbers.
_VALUES = {
    "-blendu": 1, "-blendv": 1, "-bm": 1, "-boost": 1, "-cc": 1, "-clamp": 1, "-imfchan": 1, "-mm": 2,
    "-o": 3, "-s": 3, "-t": 3, "-texres": 1, "-type": 1, "-colorspace": 1,
}  # fmt: skip
_UP_TO = ("-o", "-s", "-t")


@dataclass
class Material:
    """A material of an MTL file.

    Attributes:
        color: Kd (3,) in [0, 1]; None where it is not stated.
        texture: the file that map_Kd names.
        scale, offset: of texture coordinates (2,), v up: scale first.
        gain, base: texels become base + gain * texel.
        clamp: whether the texture ends at its border instead of repeating.
    """

    color: F64 | None = None
    texture: str | None = None
    scale: tuple[float, float] = (1.0, 1.0)
    offset: tuple[float, float] = (0.0, 0.0)
    gain: float = 1.0
    base: float = 0.0
    clamp: bool = False

    @property
    def wrap(self) -> Wrap:
        """How the texture goes on outside of [0, 1]."""
        return ("clamp", "clamp") if self.clamp else REPEAT

    def placed(self, uv: F64) -> F64:
        """Texture coordinates (U, 2) as the options -s and -o move them."""
        return uv * self.scale + self.offset

    def adjusted(self, texture: U8) -> U8:
        """The texture as the option -mm changes it."""
        if (self.base, self.gain) == (0.0, 1.0):
            return texture
        levels = np.clip(255.0 * self.base + self.gain * np.arange(256), 0.0, 255.0)
        changed: U8 = np.rint(levels).astype(np.uint8)[texture]
        return changed


def read_materials(text: str, source: MeshSource) -> dict[str, Material]:
    """The materials by name; what they say of other things than their colour is left out.

    Raises:
        ValueError: if a number is none.
    """
    materials: dict[str, Material] = {}
    current = Material()
    for line in text.replace("\r", "\n").split("\n"):
        key, *rest = line.split(None, 1) or ("",)
        value = rest[0].strip() if rest else ""
        match key.lower():
            case "newmtl":
                current = materials[value] = Material()
            case "kd":
                current.color = _color(value, source)
            case "map_kd" if value:
                _read_texture(current, value, source)
    return materials


def _color(value: str, source: MeshSource) -> F64 | None:
    words = value.split()
    if not words or words[0] in ("spectral", "xyz"):
        source.note(f"a material's colour is given as {value.strip() or 'nothing'}, which is not read; it has none")
        return None
    numbers = [float(word) for word in words[:3]]  # one number alone is a grey
    color: F64 = np.clip(np.array(numbers if len(numbers) == 3 else numbers[:1] * 3), 0.0, 1.0)
    return color


def _read_texture(material: Material, value: str, source: MeshSource) -> None:
    """Reads `map_Kd [options] name`, where the name may have spaces in it, or be a number; options may come last."""
    if source.find(value) is not None:  # a name that looks like an option, or has more than one space in a row
        material.texture = value
        return
    words = value.split()
    name: list[str] = []
    while words:
        word = words.pop(0)
        if word.lower() not in _VALUES:
            name.append(word)
            continue
        values = [words.pop(0) for _ in range(_count(word.lower(), words if name else words[:-1]))]
        _set(material, word.lower(), values, source)
    material.texture = " ".join(name)


def _count(option: str, words: list[str]) -> int:
    """How many of the words that follow belong to an option."""
    following = words[: _VALUES[option]]
    numbers = [is_number(word) for word in following]
    return numbers.index(False) if option in _UP_TO and False in numbers else len(following)


def _set(material: Material, option: str, values: list[str], source: MeshSource) -> None:
    match option:
        case "-s" | "-o":
            default = 1.0 if option == "-s" else 0.0
            u, v = (*map(float, values), default, default)[:2]
            if option == "-s":
                material.scale = (u, v)
            else:
                material.offset = (u, v)
        case "-mm":
            material.base, material.gain = (*map(float, values), 1.0)[:2]
        case "-clamp":
            material.clamp = values == ["on"]
        case "-t" if any(float(value) for value in values):
            source.note("a texture's turbulence (-t) is left out")
        case "-cc" if values == ["on"]:
            source.note("a texture's colour correction (-cc) is left out")
