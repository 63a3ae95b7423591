"""Results as JSON: one codec for result.json, the journals of `track`, and the records of `bop refine`.

`encode` gives the result's fields under their own names, except for those that files have always had:

| field | key |
|---|---|
| pose | cam_R_m2c, cam_t_m2c (millimetres), T_m2c_metres |
| initial_pose | initial: the same three |
| elapsed_s | seconds |
| cost, initial_cost | null where nothing could be compared, which is infinite in Python |
| history | none: it is large, and serves pictures only; `io/histories.py` writes it beside |

Beside them are note_codes, what each note is about (`diffdope.note_codes`), and, for those who read the file,
change_deg and change_mm, from the initial pose to the result. Whatever else a record holds (the frame's time, the data
set's ids) lies beside these keys, and `decode` passes it over.

`decode` is given the class that it makes, because this package lies below the one that defines it:

    from diffdope.io.results import read_result
    result = read_result("out/result.json", dd.RefinementResult)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from diffdope.error_kinds import unknown_keys
from diffdope.errors import expected
from diffdope.io.files import write_json
from diffdope.io.json_files import read_object
from diffdope.io.plain import fields_of, from_plain, to_plain
from diffdope.io.poses import pose_entry, pose_of
from diffdope.note_codes import Note, NoteCode, from_record

if TYPE_CHECKING:
    from diffdope.pipelines.result import RefinementResult

Result = TypeVar("Result", bound="RefinementResult")

_RENAMED = {"initial_pose": "initial", "elapsed_s": "seconds"}
_FIRST = ("status", "message", "confidence")  # in the file, after the pose
_COSTS = ("cost", "initial_cost")
_SHAPES = {"covariance": (6, 6), "unobserved": (-1, 6)}  # lists do not tell the shape of an array without rows

# What the records of 0.1.0 leave out, and what stands for it: nothing that was measured.
_ABSENT: dict[str, Callable[[Mapping[str, Any]], Any]] = {
    "message": lambda entry: "",
    "initial": lambda entry: _initial_of(entry),
    "initial_cost": lambda entry: None,
    "cost_per_modality": lambda entry: {},
    "initial_cost_per_modality": lambda entry: {},
    "modalities": lambda entry: list(entry.get("cost_per_modality", ())),
    "notes": lambda entry: [],
    "winner": lambda entry: 0,
    "winner_iteration": lambda entry: 0,
    "iterations": lambda entry: 0,
    "seed": lambda entry: 0,
    "window": lambda entry: None,
}


def encode(result: RefinementResult) -> dict[str, Any]:
    """Everything about a result but its history, as JSON can hold it."""
    entry = pose_entry(result.pose)
    names = [field.name for field in fields(result)]
    for name in dict.fromkeys((*_FIRST, *names)):
        if name not in ("pose", "history"):
            entry[_RENAMED.get(name, name)] = to_plain(getattr(result, name))
        if name == "notes":
            entry["note_codes"] = to_plain(result.note_codes)
    for name in _COSTS:
        if getattr(result, name) == math.inf:
            entry[name] = None
    entry["change_deg"] = float(np.degrees(result.pose.angle_to(result.initial_pose)))
    entry["change_mm"] = 1e3 * result.pose.distance_to(result.initial_pose)
    return entry


def decode(entry: Mapping[str, Any], kind: type[Result], where: str = "result") -> Result:
    """The result that was encoded, to the bit; its history is empty.

    Args:
        entry: of `encode`, or a record that 0.1.0 wrote: what that left out is empty, 0, or, of the initial pose, the
            pose itself, and a note names it.
        kind: `RefinementResult`.
        where: file and key, for the error.

    Raises:
        DiffDopeError: naming the key that is missing or broken, or if the record is of a refinement that ended in an
            error and has no result.
    """
    if isinstance(entry.get("error"), str):  # the demo has its errors in degrees and millimetres under that key
        raise expected(where, "a result", f"the error: {entry['error']}")
    values: dict[str, Any] = {}
    absent = []
    for name, (part, required) in fields_of(kind).items():
        key = _RENAMED.get(name, name)
        if name == "pose":
            values[name] = pose_of(dict(entry), where)
        elif name == "history":
            values[name] = _empty(part)
        elif key in entry or (required and key in _ABSENT):
            if key not in entry:
                absent.append(name)
            value = entry[key] if key in entry else _ABSENT[key](entry)
            values[name] = _field(name, part, value, f"{where}, {key}")
        elif required:
            raise unknown_keys(where, f"the key {key}", entry)
    values["notes"] = notes_in(entry, where)
    if absent:
        text = f"the record that this was read from lacks {', '.join(absent)}"
        values["notes"] = (*values["notes"], Note(NoteCode.RECORD_LACKS, text))
    return kind(**values)


def notes_in(entry: Mapping[str, Any], where: str = "result") -> tuple[str, ...]:
    """The notes of a record, with their codes where it has them: 0.1.0 wrote none.

    Raises:
        DiffDopeError: if either is no list of texts.
    """
    kind = tuple[str, ...]
    notes = from_plain(kind, entry.get("notes", []), f"{where}, notes")
    return from_record(notes, from_plain(kind, entry.get("note_codes", []), f"{where}, note_codes"))


def write_result(path: str | Path, result: RefinementResult, beside: Mapping[str, Any] | None = None) -> None:
    """Writes a result as indented JSON, whole or not at all.

    Args:
        path: the file.
        result: everything of it but the history is written.
        beside: further keys, such as settings and inputs; their values may be dataclasses, arrays and the like.
    """
    write_json(Path(path), {**encode(result), **to_plain(dict(beside or {}))})


def read_result(path: str | Path, kind: type[Result]) -> Result:
    """Reads what `write_result`, or `diffdope refine`, wrote.

    Args:
        path: result.json.
        kind: `RefinementResult`.

    Raises:
        DiffDopeError: if the file cannot be read or holds no result.
    """
    return decode(read_object(Path(path), "result"), kind, str(path))


def _field(name: str, kind: Any, value: Any, where: str) -> Any:
    if value is None and name in _COSTS:
        return math.inf
    decoded = from_plain(kind, value, where)
    if decoded is None or name not in _SHAPES:
        return decoded
    try:
        return decoded.reshape(_SHAPES[name])
    except ValueError as error:
        raise expected(where, f"shape {_SHAPES[name]}", decoded.shape) from error


def _initial_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The start pose: `bop refine` keeps it under keys of its own, `track` did not keep it."""
    prefix = "initial_" if "initial_cam_R_m2c" in entry else ""
    return {key: entry[f"{prefix}{key}"] for key in ("cam_R_m2c", "cam_t_m2c")}


def _empty(history: Any) -> Any:
    """A history of no iterations: its arrays begin with axes of iterations and hypotheses, and poses have their own."""
    shapes = {"R_m2c": (0, 0, 3, 3), "t_m2c": (0, 0, 3), "modality_costs": (0, 0, 0), "learning_rates": (0,)}
    required = (name for name, (_, needed) in fields_of(history).items() if needed)
    return history(**{name: np.empty(shapes.get(name, (0, 0))) for name in required})
