"""Mesh files into one piece: the reader for each ending, and errors that name the file and the cure."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePath
from typing import Literal
from zipfile import BadZipFile

import numpy as np

from diffdope.errors import DiffDopeError, expected, refused, told_more
from diffdope.io.files import is_file, missing_file
from diffdope.scene.parts import Part, join, without_doubled
from diffdope.scene.readers.source import MeshSource

# Each reader's module is imported when its first file is read.
_READERS = {
    ".ply": "ply.read_ply",
    ".obj": "obj.read_obj",
    ".glb": "gltf.read_gltf",
    ".gltf": "gltf.read_gltf",
    ".stl": "stl.read_stl",
    ".dae": "collada.read_collada",
    ".3mf": "three_mf.read_3mf",
    ".step": "step.read_step",
    ".stp": "step.read_step",
    ".usdz": "usd.read_usd",
    ".usd": "usd.read_usd",
    ".usdc": "usd.read_usd",
    ".usda": "usd.read_usd",
}
SUFFIXES = tuple(_READERS)
WITHOUT_UNIT = (".ply", ".obj", ".stl")  # whose files never state their unit of length
Unit = Literal["m", "mm", "cm", "inch"] | float
"""Of a file's lengths; a number is metres in one of its units, of scans without a scale."""
Reader = Callable[[MeshSource], list[Part]]


def unit_of(path: PurePath, said: Unit | None) -> Unit | None:
    """The unit with which a front end loads a file.

    It is what was said; else millimetres where the format states none, and None for the format's own.
    """
    return "mm" if said is None and path.suffix.lower() in WITHOUT_UNIT else said


def unit_of_word(word: str) -> Unit:
    """A unit that came as a text: a name, or a number of metres; what is neither is refused where it is used."""
    try:
        return float(word)
    except ValueError:
        return word  # type: ignore[return-value]


@dataclass(frozen=True)
class MeshFile:
    """What a mesh file holds.

    Attributes:
        part: all its geometry, in its unit of length.
        notes: what was repaired, changed or left out.
        unit_m: metres per unit, if the file states its unit.
    """

    part: Part
    notes: tuple[str, ...]
    unit_m: float | None


def read_mesh(
    path: Path, *, allow_missing_texture: bool, turned_up: bool = True, beside: Mapping[str, Path] | None = None
) -> MeshFile:
    """All geometry of a mesh file as one part, in the file's unit of length.

    Args:
        path: the file.
        allow_missing_texture: go on without colours where a texture is missing.
        turned_up: of COLLADA: whether x or y that points up is turned to z.
        beside: see `Mesh.load`.

    Raises:
        DiffDopeError: if the file cannot be read, holds no triangles, or its texture is missing or broken.
    """
    if not is_file(path):
        raise missing_file("mesh", "a mesh file", path)
    ending = path.suffix.lower()
    if ending not in SUFFIXES:
        cure = "export the mesh as GLB, OBJ, PLY or STL"
        raise expected("mesh file ending", f"one of {', '.join(SUFFIXES)}", repr(ending), cure)
    if path.stat().st_size == 0:
        raise expected("mesh", f"a mesh in {path}", "an empty file")
    source = MeshSource(path, turned_up=turned_up, beside=beside)
    parts = _parts_of(source, _reader(ending))
    problem = source.problem
    if problem and not allow_missing_texture:
        raise DiffDopeError(f"{problem}, or load with allow_missing_texture=True to go without colour")
    if problem:
        parts = [Part(part.vertices, part.faces) for part in parts]
        source.notes = [f"{problem}; loaded without colour"]
    try:
        if not parts:
            cure = "it is empty or a point cloud without faces, or was cut off before them: export triangles"
            raise expected("mesh", "triangles", "none", cure)
        joined, notes = join(parts)
        once, doubled = without_doubled(joined)
    except DiffDopeError as error:
        raise told_more(error, f" ({path})") from error
    return MeshFile(once, (*source.notes, *notes, *doubled), source.unit_m)


def _reader(ending: str) -> Reader:
    module, name = _READERS[ending].split(".")
    reader: Reader = getattr(import_module(f"diffdope.scene.readers.{module}"), name)
    return reader


def _parts_of(source: MeshSource, reader: Reader) -> list[Part]:
    try:
        return [_checked(part) for part in reader(source) if len(part.faces)]
    except DiffDopeError as error:
        raise told_more(error, f" ({source.path})") from error
    except Exception as error:  # whatever broken bytes lead to
        raise refused("mesh", f"cannot read {source.path}: {_cause(error)}; export it again") from error


def _cause(error: Exception) -> str:
    """What the errors of parsers mean."""
    if isinstance(error, BadZipFile | EOFError | zlib.error):
        return "it was cut off, or is of another kind than its ending says"
    if isinstance(error, UnicodeDecodeError):
        return "it is no text, but was expected to be"
    return f"it is damaged ({' '.join(str(error).split())}; {type(error).__name__})"


def _checked(part: Part) -> Part:
    for what, array in (("texture coordinates", part.uv), ("colours", part.colors)):
        if array is not None and len(array) != len(part.vertices):
            raise expected("mesh", f"{what} for {len(part.vertices)} vertices", len(array), "the file is damaged")
    if part.uv is None or np.isfinite(part.uv).all():
        return part
    raise expected("mesh", "finite texture coordinates", "NaN or infinity", "export the mesh again")
