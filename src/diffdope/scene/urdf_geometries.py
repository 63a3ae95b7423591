"""What a URDF's <geometry> may hold beside what yourdfpy parses: capsules, which are drawn, and kinds that are not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import LARGEST, expected
from diffdope.geometry import solids

_PARSED = frozenset({"box", "cylinder", "sphere", "mesh"})  # by yourdfpy, which refuses a whole file for any other
_OTHER = "geometry-of-another-kind:"  # begins the file name of the mesh that holds its place
_CAPSULE = f"{_OTHER}capsule"


def with_placeholders(root: Any) -> bytes:
    """A description in which a mesh without a file stands for each geometry of a kind that yourdfpy does not parse.

    Args:
        root: of the description, as lxml has it; it is changed.
    """
    from lxml import etree

    for geometry in root.iter("geometry"):
        first = geometry[0] if len(geometry) else None
        name = "nothing" if first is None else etree.QName(first).localname
        if name in _PARSED:
            continue
        size = "" if first is None else f" {first.get('radius', '')} {first.get('length', '')}"
        geometry.clear()
        etree.SubElement(geometry, "mesh", filename=f"{_OTHER}{name}{size if name == 'capsule' else ''}")
    found: bytes = etree.tostring(root)
    return found


def is_readable(mesh: Any, suffixes: frozenset[str] | tuple[str, ...]) -> bool:
    """Whether a mesh of yourdfpy is of a kind that is read, or stands for a capsule."""
    name = str(mesh.filename)
    return name.startswith(_CAPSULE) if name.startswith(_OTHER) else name.lower().endswith(tuple(suffixes))


def other_geometry(name: str, link: str) -> solids.Triangles | None:
    """What a mesh of that file name stands for; None if it is a mesh.

    Args:
        name: of the file.
        link: for errors.

    Raises:
        DiffDopeError: if it is of a kind that is not drawn, or a capsule without radius and length.
    """
    if not name.startswith(_OTHER):
        return None
    kind, *sizes = name.removeprefix(_OTHER).split(" ")
    if kind != "capsule":
        cure = "give the link a mesh of it, or a primitive that is like it"
        got = "none" if kind == "nothing" else f"<{kind}>"
        raise expected(f"link {link}, geometry", "a mesh, box, cylinder, sphere or capsule", got, cure)
    try:
        radius_m, length_m = (float(one) for one in sizes)
        if not (0.0 <= radius_m <= LARGEST and 0.0 <= length_m <= LARGEST):
            raise ValueError("no length")
    except ValueError as error:
        wanted = "a radius and a length (of the part between its ends), metres"
        raise expected(f"link {link}, capsule", wanted, " and ".join(map(repr, sizes))) from error
    return solids.capsule(radius_m, length_m)


def numbers_of(name: str, values: Any, count: int) -> NDArray[np.float64]:
    """So many numbers of a description.

    Args:
        name: for errors.
        values: as yourdfpy has them.
        count: how many there must be.

    Raises:
        DiffDopeError: if they are more, or fewer, or one is not finite.
    """
    array = np.ravel(np.asarray(values, np.float64))
    if array.size != count or not (np.abs(array) <= LARGEST).all():
        raise expected(name, f"{count} finite numbers" if count > 1 else "a finite number", array.tolist())
    return array


def sizes_of(name: str, values: Any, count: int) -> list[float]:
    """Lengths of a primitive, metres; for the arguments see `numbers_of`.

    Raises:
        DiffDopeError: if one is below 0, or none.
    """
    found: list[float] = numbers_of(name, values, count).tolist()
    if min(found) < 0.0:
        raise expected(name, "lengths of at least 0 m", found)
    return found
