"""STEP: exact surfaces, cut into triangles by OpenCASCADE in the package cascadio (the extra `cad`)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from diffdope.errors import DiffDopeError
from diffdope.scene.parts import Part
from diffdope.scene.readers.gltf import read_gltf
from diffdope.scene.readers.source import MeshSource

# A tenth of what a pose can be told by on a part of the size of a hand; and about 30 sides for the smallest circle.
_DEVIATION_MM = 0.05
_TURN_RAD = 0.2


def read_step(source: MeshSource) -> list[Part]:
    """The pieces of a STEP file, in metres, in the file's own axes, with its colours.

    Raises:
        DiffDopeError: if it is no STEP, or cascadio is not there, or cannot read it.
    """
    with source.path.open("rb") as file:
        if not file.read(1000).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"ISO-10303-21"):
            raise DiffDopeError("mesh: expected a STEP file, which begins with ISO-10303-21; the file is damaged")
    cascadio = _cascadio()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mesh.glb"
        failed = cascadio.step_to_glb(str(source.path), str(path), tol_linear=_DEVIATION_MM, tol_angular=_TURN_RAD)
        if failed or not path.is_file():
            raise DiffDopeError("mesh: OpenCASCADE cannot read it; export it again, as AP214 or AP242")
        made = MeshSource(path)
        parts = read_gltf(made)
    source.notes.extend(made.notes)
    source.unit_m = 1.0  # of the GLB; the STEP file's own unit is in its lengths already
    return parts


def _cascadio() -> Any:
    try:
        import cascadio
    except ImportError as error:
        cure = 'pip install "diffdope[cad]", or export the part as STL, OBJ or GLB'
        raise DiffDopeError(f"mesh: STEP needs the package cascadio, which is not installed; {cure}") from error
    return cascadio
