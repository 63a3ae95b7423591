"""The objects of `diffdope scene`: words such as cup.ply,label=3, or a file that lists them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffdope.cli.input_flags import box_of
from diffdope.errors import check_choice, expected
from diffdope.io.json_files import read_json
from diffdope.io.yaml_files import read_yaml
from diffdope.scene.mesh_io import Unit, unit_of_word
from diffdope.scene.mesh_units import metres_of

KEYS = ("mask", "label", "box", "init", "name", "id", "unit")
NONE = "-"  # in place of a file: nothing is known there


@dataclass(frozen=True)
class ObjectFlags:
    """One object as it was asked for.

    Attributes:
        mesh: file.
        masks: files, one a view; None where nothing is known.
        label: in the masks that all objects share; None for none.
        boxes: (x, y, width, height), one a view; None where there is none.
        inits: files of start poses: one a view, or a single one.
        name: for messages and files.
        obj_id: number in BOP's files; that of the mesh file's name, obj_000007.ply, where none is said.
        unit: of the mesh, or metres in one; None for that of its format, or millimetres.
    """

    mesh: Path
    masks: tuple[Path | None, ...] = ()
    label: int | None = None
    boxes: tuple[tuple[float, float, float, float] | None, ...] = ()
    inits: tuple[Path | None, ...] = ()
    name: str = ""
    obj_id: int | None = None
    unit: Unit | None = None

    def entry(self) -> dict[str, Any]:
        """What stands beside a result."""
        return {"mesh": str(self.mesh), "masks": [None if one is None else str(one) for one in self.masks],
                "label": self.label, "boxes": [None if one is None else list(one) for one in self.boxes],
                "init": [None if one is None else str(one) for one in self.inits], "unit": self.unit}  # fmt: skip


def objects_of(words: Sequence[str], file: Path | None, unit: Unit | None) -> list[ObjectFlags]:
    """All objects, of words and of a file.

    Args:
        words: each MESH[,KEY=VALUE ...].
        file: JSON or YAML list of objects with the keys mesh, mask, label, box, init, name, id and unit; files in it
            are relative to its folder.
        unit: of meshes of which none is said.

    Raises:
        DiffDopeError: if there is no object, or one is not written so.
    """
    found = [_of_word(word, unit) for word in words]
    if file is not None:
        found += [_of_entry(entry, f"objects[{n}]", file.parent, unit) for n, entry in enumerate(_listed(file))]
    if not found:
        raise expected("object", "at least one, MESH[,mask=FILE | label=N | box=X:Y:W:H | init=FILE]", "none")
    labels = [one.label for one in found if one.label is not None]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        cure = "give each object a label of its own, or each a mask of its own"
        raise expected("object", "one object a label of the masks", f"label={twice} for several", cure)
    return found


def _of_word(word: str, unit: Unit | None) -> ObjectFlags:
    mesh, *pairs = word.split(",")
    entry: dict[str, Any] = {"mesh": mesh}
    for pair in pairs:
        key, sign, value = pair.partition("=")
        if not sign or not value:
            raise expected(f"object {mesh}", "KEY=VALUE after the mesh, separated by commas", repr(pair))
        check_choice(f"object {mesh}", key, KEYS)
        entry.setdefault(key, []).append(value.replace(":", ",") if key == "box" else value)
    return _of_entry(entry, f"object {mesh}", Path(), unit)


def _listed(file: Path) -> list[Any]:
    data = (read_yaml if file.suffix.lower() in (".yaml", ".yml") else read_json)(file, "objects")
    if isinstance(data, Mapping):
        data = data.get("objects", data)
    if not isinstance(data, list):
        raise expected("objects", f"a list of objects in {file}", type(data).__name__)
    return data


def _of_entry(entry: Any, where: str, folder: Path, unit: Unit | None) -> ObjectFlags:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("mesh"), str) or not entry["mesh"]:
        raise expected(where, "an object with the key mesh", repr(entry)[:60])
    for key in entry:
        if key != "mesh":
            check_choice(where, str(key), KEYS)
    if "mask" in entry and "label" in entry:
        cure = "a label is one of the masks that all objects share"
        raise expected(where, "a mask of its own or a label", "both", cure)
    own_unit = _single(entry, "unit", where) or unit
    if own_unit is not None:
        own_unit = unit_of_word(own_unit) if isinstance(own_unit, str) else own_unit
        metres_of(own_unit, f"{where}, unit")
    return ObjectFlags(
        folder / entry["mesh"], _files(entry, "mask", folder), _number(entry, "label", where),
        tuple(_box(one, where) for one in _several(entry, "box")), _files(entry, "init", folder),
        str(_single(entry, "name", where) or ""), _id(entry, where), own_unit,
    )  # fmt: skip


def _several(entry: Mapping[str, Any], key: str) -> list[Any]:
    value = entry.get(key)
    if value is None:
        return []
    if key == "box" and isinstance(value, list) and value and all(isinstance(one, int | float) for one in value):
        return [value]
    return value if isinstance(value, list) else [value]


def _files(entry: Mapping[str, Any], key: str, folder: Path) -> tuple[Path | None, ...]:
    return tuple(None if one in (None, NONE) else folder / str(one) for one in _several(entry, key))


def _single(entry: Mapping[str, Any], key: str, where: str) -> Any:
    values = _several(entry, key)
    if len(values) > 1:
        raise expected(f"{where}, {key}", "one", f"{len(values)}")
    return values[0] if values else None


def _number(entry: Mapping[str, Any], key: str, where: str) -> int | None:
    value = _single(entry, key, where)
    if value is None:
        return None
    if isinstance(value, bool) or not str(value).isdecimal():
        raise expected(f"{where}, {key}", "a whole number, at least 0", repr(value))
    return int(str(value))


def _id(entry: Mapping[str, Any], where: str) -> int | None:
    told = _number(entry, "id", where)
    named = re.fullmatch(r"obj_(\d{6})", Path(entry["mesh"]).stem)
    return int(named[1]) if told is None and named else told


def _box(value: Any, where: str) -> tuple[float, float, float, float] | None:
    if value in (None, NONE):
        return None
    text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    found = box_of(f"{where}, box", text)
    assert found is not None
    return found
