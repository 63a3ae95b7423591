"""The unit of a mesh file's lengths, and what a mesh's size says of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from diffdope.errors import check_choice, expected
from diffdope.note_codes import Note, NoteCode
from diffdope.scene.mesh_io import WITHOUT_UNIT, MeshFile, Unit

METRES_PER_UNIT = {"m": 1.0, "mm": 1e-3, "cm": 1e-2, "inch": 0.0254}
_SMALLEST_M, _USUAL_M, _LARGEST_M = 1e-3, 5.0, 100.0


def check_unit(unit: Unit | None, path: Path) -> None:
    """Refuses a unit that is none, and none for a file that does not state its own.

    Raises:
        DiffDopeError: naming the units.
    """
    if unit is not None:
        check_choice("unit", unit, tuple(METRES_PER_UNIT))
    elif path.suffix.lower() in WITHOUT_UNIT:
        raise expected("unit", f"one of {', '.join(METRES_PER_UNIT)}: {path.suffix} files do not state it", None)


def size_notes(diameter_m: float) -> tuple[str, ...]:
    """What a mesh's size says that is unusual.

    Args:
        diameter_m: metres.

    Raises:
        DiffDopeError: if it is that of no object in front of a camera.
    """
    if not _SMALLEST_M <= diameter_m <= _LARGEST_M:
        unit, name = ("m", "metres") if diameter_m < _SMALLEST_M else ("mm", "millimetres")
        cure = f'the file is probably in {name}: load it with unit="{unit}"'
        cure += "" if diameter_m < _SMALLEST_M else "; what is truly larger has to be given in parts"
        size = f"a diameter of {_SMALLEST_M} to {_LARGEST_M} m"
        raise expected("mesh", size, f"{diameter_m:.4g} m", cure)
    if diameter_m <= _USUAL_M:
        return ()
    text = f'the diameter is {diameter_m:.4g} m; if its lengths are in millimetres, load it with unit="mm"'
    return (Note(NoteCode.MESH_SIZE, text),)


def metres_per_unit(file: MeshFile, unit: Unit | None) -> tuple[float, tuple[str, ...]]:
    """Metres per unit of a file, and a note where it is not the one that was given.

    Args:
        file: as read.
        unit: that was given; None to take the file's.
    """
    given, stated = None if unit is None else METRES_PER_UNIT[unit], file.unit_m
    if stated is None:
        return (1.0 if given is None else given), ()  # glTF and COLLADA are in metres where they say nothing
    if given is None or np.isclose(given, stated, rtol=1e-6):
        return stated, ()
    size = float(np.linalg.norm(np.ptp(file.part.vertices, axis=0)))
    usual = {metres: _SMALLEST_M <= size * metres <= _USUAL_M for metres in (given, stated)}
    if usual[given] and not usual[stated]:
        text = f"the file states its unit, {stated:.6g} m, which makes {size * stated:.3g} m; {unit} was taken"
        return given, (Note(NoteCode.MESH_UNIT, text),)
    text = f"the file states its unit, {stated:.6g} m; unit={unit!r} was not used"
    return stated, (Note(NoteCode.MESH_UNIT, text),)
