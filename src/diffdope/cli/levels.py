"""Levels of a search in settings files and flags: a list for each number, with one entry a level."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from tyro.constructors import StructConstructorSpec, StructFieldSpec, StructTypeInfo

from diffdope.cli.flag_types import REGISTRY, refusals
from diffdope.search.levels import PyramidSettings


@dataclass(frozen=True)
class PyramidLists:
    """`PyramidSettings` as flags and settings files have it."""

    sizes: tuple[int, ...]
    hypotheses: tuple[int, ...]
    iterations: tuple[int, ...]
    faces: tuple[int, ...]
    angle_deg: float
    distance: float
    first: int

    @classmethod
    def of(cls, pyramid: PyramidSettings) -> PyramidLists:
        """The same numbers."""
        return cls(**{field.name: getattr(pyramid, field.name) for field in fields(cls)})

    def pyramid(self) -> PyramidSettings:
        """The same numbers.

        Raises:
            DiffDopeError: as `PyramidSettings.of`.
        """
        return PyramidSettings.of(**{field.name: getattr(self, field.name) for field in fields(self)})


_HELP = {
    "sizes": "Longest side of the crop in pixels, one number a level, coarsest first.",
    "hypotheses": "How many poses take part: the proposals at the first level, at the others the best of the level "
    "before.",
    "iterations": "Steps at most.",
    "faces": "Triangles of the mesh, 0 for all of them.",
    "angle_deg": "How uncertain the start is: hypotheses turn it by up to this angle.",
    "distance": "And move it by up to this share of the object's diameter.",
    "first": "How many poses begin at the first level: where these end in one place, the others are left out. 0 "
    "for all at once.",
}


def _flags_of_pyramid(info: StructTypeInfo) -> StructConstructorSpec | None:
    """Makes flags of lists instead of ones for every number of every level."""
    if info.type is not PyramidSettings:
        return None
    lists = PyramidLists.of(info.default if isinstance(info.default, PyramidSettings) else PyramidSettings())
    kinds: dict[str, Any] = dict.fromkeys(_HELP, tuple[int, ...]) | {
        "angle_deg": float, "distance": float, "first": int,
    }  # fmt: skip
    return StructConstructorSpec(
        instantiate=refusals(_pyramid),
        fields=tuple(StructFieldSpec(name, kinds[name], getattr(lists, name), text) for name, text in _HELP.items()),
    )


def _pyramid(**lists: Any) -> PyramidSettings:
    """A search around a pose, coarsest level first; each list has one number a level."""
    return PyramidSettings.of(**lists)


__all__ = ["REGISTRY", "PyramidLists"]
REGISTRY.struct_rule(_flags_of_pyramid)
