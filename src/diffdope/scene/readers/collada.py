"""COLLADA 1.4 and 1.5: the geometry of a visual scene in place, with z up, and with its colours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.scene.parts import Part
from diffdope.scene.readers.collada_geometry import Geometry
from diffdope.scene.readers.collada_materials import Effects
from diffdope.scene.readers.collada_nodes import Placed, instances
from diffdope.scene.readers.collada_shapes import Shaped, Shapes
from diffdope.scene.readers.placing import moved
from diffdope.scene.readers.source import MeshSource
from diffdope.scene.readers.xml_tree import by_id, parsed, text_of

F64 = NDArray[np.float64]

# The axes that become x, y and z, with their signs, so that z points up.
_TURNS = {
    "Z_UP": np.eye(3),
    "Y_UP": np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]]),
    "X_UP": np.array([[0, -1.0, 0], [0, 0, -1.0], [1.0, 0, 0]]),
}


def read_collada(source: MeshSource) -> list[Part]:
    """The pieces of a COLLADA file, in its unit, which it states, and turned so that z points up.

    Raises:
        DiffDopeError: if it is no COLLADA, or its data are damaged.
    """
    root = parsed(source.path.read_bytes())
    if root.tag != "COLLADA":
        raise expected("mesh", "the XML of COLLADA", f"<{root.tag}>")
    asset = root.find("asset")
    unit = asset.find("unit") if asset is not None else None
    if unit is not None and unit.get("meter"):
        source.unit_m = float(unit.get("meter", "1").replace(",", "."))
    turn = np.eye(4)
    if source.turned_up:
        turn[:3, :3] = _turn(text_of(asset, "up_axis"), source)
    effects = Effects(root, source)
    geometries: dict[str, Geometry] = {
        key: Geometry(element) for key, element in by_id(root, "geometry").items() if element.find("mesh") is not None
    }
    shapes, parts = Shapes(root, geometries, source), []
    for placed in instances(root):
        shaped = shapes.of(placed)
        if shaped is not None:
            for part in _pieces(geometries[shaped.geometry], shaped, placed, effects, source):
                parts.append(moved(part, turn @ shaped.matrix))
    return parts


def _turn(axis: str, source: MeshSource) -> F64:
    if axis in ("X_UP", "Y_UP"):
        source.note(f"the file says {axis}: it was turned so that z points up")
    elif axis != "Z_UP":
        source.note("the file does not say which axis points up; it is taken as it is, as if it said Z_UP")
    return _TURNS.get(axis, np.eye(3))


def _pieces(
    geometry: Geometry, shaped: Shaped, placed: Placed, effects: Effects, source: MeshSource
) -> list[Part]:  # fmt: skip
    pieces = []
    for primitive in geometry.primitives(source):
        material, inputs = placed.materials.get(primitive.symbol, (None, {}))
        shown = primitive if shaped.points is None else primitive.moved_to(shaped.points)
        part = shown.colored(effects.of_material(material), inputs, source)
        pieces.append(replace(part, faces=part.faces[:, ::-1]) if shaped.mirrors else part)
    return [part for part in pieces if len(part.faces)]
