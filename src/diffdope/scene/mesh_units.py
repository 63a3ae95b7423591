"""The unit of a mesh file's lengths, and what a mesh's size says of it."""

from __future__ import annotations

from pathlib import PurePath

import numpy as np

from diffdope.errors import DiffDopeError, check_choice, expected, is_number
from diffdope.note_codes import Note, NoteCode
from diffdope.scene.extent import diameter
from diffdope.scene.mesh_io import WITHOUT_UNIT, MeshFile, Unit
from diffdope.scene.parts import Part

METRES_PER_UNIT = {"m": 1.0, "mm": 1e-3, "cm": 1e-2, "inch": 0.0254}
_NAMES = {"m": "metres", "mm": "millimetres", "cm": "centimetres", "inch": "inches"}
_A_NUMBER = "or a number (metres in one unit of the file: length measured / length in the file)"
# Diameters: what is smaller or larger than the outer two is refused, what is above the middle one named.
_SMALLEST_M, _USUAL_M, _LARGEST_M = 1e-3, 5.0, 100.0


def check_unit(unit: Unit | None, path: PurePath) -> None:
    """Refuses a unit that is none, and none for a file that does not state its own.

    Raises:
        DiffDopeError: naming the units.
    """
    if unit is not None:
        metres_of(unit)
    elif path.suffix.lower() in WITHOUT_UNIT:
        raise expected("unit", f"{_expectation()}: {path.suffix} files do not state it", None)


def metres_of(unit: Unit, name: str = "unit") -> float:
    """Metres per unit.

    Args:
        unit: its name, or the metres themselves.
        name: of the argument.

    Raises:
        DiffDopeError: if it is neither, zero, negative, NaN or infinite.
    """
    if isinstance(unit, str):
        if unit not in METRES_PER_UNIT:
            check_choice(name, unit, (*METRES_PER_UNIT, _A_NUMBER))
        return METRES_PER_UNIT[unit]
    if not is_number(unit) or not 0.0 < unit < np.inf:
        raise expected(name, _expectation(), repr(unit))
    return float(unit)


def _expectation() -> str:
    return f"one of {', '.join((*METRES_PER_UNIT, _A_NUMBER))}"


def size_notes(diameter_m: float) -> tuple[str, ...]:
    """What a mesh's size says that is unusual.

    Args:
        diameter_m: metres.

    Raises:
        DiffDopeError: if it is that of no object in front of a camera.
    """
    if not _SMALLEST_M <= diameter_m <= _LARGEST_M:
        raise _size_error(diameter_m, "lengths are metres here: multiply the vertices, or scale the mesh")
    if diameter_m <= _USUAL_M:
        return ()
    text = f'the diameter is {diameter_m:.4g} m; if its lengths are in millimetres, load it with unit="mm"'
    return (Note(NoteCode.MESH_SIZE, text),)


def of_no_object(part: Part, metres: float) -> DiffDopeError:
    """The error of a file whose object is too small or too large (see `size_notes`): in which unit it would not be.

    Args:
        part: in the file's numbers.
        metres: per unit, as they were read.
    """
    size = diameter(part.vertices[np.unique(part.faces)])
    fits = [unit for unit, other in METRES_PER_UNIT.items() if _SMALLEST_M <= size * other <= _USUAL_M]
    # A drawing in metres or millimetres is likelier than one in centimetres; of both, what is nearer to a metre.
    fits.sort(key=lambda unit: (unit not in ("m", "mm"), abs(np.log(size * METRES_PER_UNIT[unit]))))
    cure = "no unit makes it 1 mm to 5 m large: say how many metres one of its units is (unit=0.25)"
    if fits:
        cure = f'the file is probably in {_NAMES[fits[0]]}: load it with unit="{fits[0]}"'
    if size * metres > _LARGEST_M:
        cure += "; what is truly larger has to be given in parts"
    return _size_error(size * metres, cure)


def told_unit(file: MeshFile, unit: Unit | None) -> str:
    """How the lengths of a file were read, for messages: "read with unit='mm'"; see `metres_per_unit`."""
    metres, _ = metres_per_unit(file, unit)
    if unit is not None and metres == metres_of(unit):
        return f"read with unit={unit!r}"
    names = [_NAMES[name] for name, other in METRES_PER_UNIT.items() if np.isclose(metres, other, rtol=1e-6)]
    who = "its format has it" if file.unit_m is None else "the file says"
    return f"read in {names[0] if names else f'units of {metres:.4g} m'}, as {who}"


def _size_error(diameter_m: float, cure: str) -> DiffDopeError:
    size = f"a diameter of {_SMALLEST_M} to {_LARGEST_M} m"
    return expected("mesh", size, f"{diameter_m:.4g} m", cure)


def metres_per_unit(file: MeshFile, unit: Unit | None) -> tuple[float, tuple[str, ...]]:
    """Metres per unit of a file, and a note where that which was given and the file's differ.

    The file's counts where a name was given, which may have been one for many files, unless only the given one makes
    the object 1 mm to 5 m large. A number was measured for this file, and counts.

    Args:
        file: as read.
        unit: that was given; None to take the file's.
    """
    given, stated = None if unit is None else metres_of(unit), file.unit_m
    if stated is None:
        return (1.0 if given is None else given), ()  # glTF and COLLADA are in metres where they say nothing
    if given is None or np.isclose(given, stated, rtol=1e-6):
        return stated, ()
    size = float(np.linalg.norm(np.ptp(file.part.vertices, axis=0)))
    usual = {metres: _SMALLEST_M <= size * metres <= _USUAL_M for metres in (given, stated)}
    if not isinstance(unit, str) or (usual[given] and not usual[stated]):
        taken = unit if isinstance(unit, str) else f"unit={unit:.6g}"
        text = f"the file states its unit, {stated:.6g} m, which makes {size * stated:.3g} m; {taken} was taken"
        return given, (Note(NoteCode.MESH_UNIT, text),)
    text = f"the file states its unit, {stated:.6g} m; unit={unit!r} was not used"
    return stated, (Note(NoteCode.MESH_UNIT, text),)
