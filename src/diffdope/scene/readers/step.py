"""STEP: exact surfaces, cut into triangles by OpenCASCADE in the package cascadio (the extra `cad`)."""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from diffdope.errors import not_installed, refused
from diffdope.scene.parts import Part
from diffdope.scene.readers.gltf import read_gltf
from diffdope.scene.readers.source import MeshSource

# A tenth of what a pose can be told by on a part of the size of a hand; and about 30 sides for the smallest circle.
_DEVIATION_MM = 0.05
_TURN_RAD = 0.2  # between neighbouring facets of a curved surface, at most
_PREFIXES = {b"MILLI": 1e-3, b"CENTI": 1e-2, b"DECI": 0.1, b"MICRO": 1e-6}


def read_step(source: MeshSource) -> list[Part]:
    """The pieces of a STEP file, in its unit, in the file's own axes, with its colours.

    Raises:
        DiffDopeError: if it is no STEP, or cascadio is not there, or cannot read it.
    """
    data = source.path.read_bytes()
    if not data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"ISO-10303-21"):
        raise refused("mesh", "expected a STEP file, which begins with ISO-10303-21; the file is damaged")
    cascadio = _cascadio()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mesh.glb"
        failed = cascadio.step_to_glb(str(source.path), str(path), tol_linear=_DEVIATION_MM, tol_angular=_TURN_RAD)
        if failed or not path.is_file():
            raise refused("mesh", "OpenCASCADE cannot read it; export it again, as AP214 or AP242")
        made = MeshSource(path)
        parts = read_gltf(made)
    source.notes.extend(made.notes)
    source.unit_m = _unit_m(data)
    return [replace(part, vertices=part.vertices / source.unit_m) for part in parts]  # OpenCASCADE made metres of it


def _unit_m(data: bytes) -> float:
    """Metres per unit of length of a STEP file: inches where it converts them, else the metre with its prefix."""
    if re.search(rb"CONVERSION_BASED_UNIT\s*\(\s*'INCH'", data, re.IGNORECASE):
        return 0.0254
    found = re.search(rb"SI_UNIT\s*\(\s*\.?(\w*|\$)\.?\s*,\s*\.METRE\.", data)
    return _PREFIXES.get(found.group(1), 1.0) if found else 1.0


def _cascadio() -> Any:
    try:
        import cascadio
    except ImportError as error:
        otherwise = "or export the part as STL, OBJ or GLB"
        raise not_installed("mesh", "cascadio, which reads STEP", "cad", otherwise=otherwise) from error
    return cascadio
