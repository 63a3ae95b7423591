"""Joint values of pictures: JSON, YAML, CSV or npz, with the names of the joints and, perhaps, of the pictures.

Bags: `ros/joint_states.py`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import as_floats, check_choice, check_path, check_shape, expected
from diffdope.io.array_files import read_arrays
from diffdope.io.joint_rows import WITHOUT_NAMES, bare_rows, check_numbers
from diffdope.io.joint_units import in_radians, unit_stated
from diffdope.io.json_files import read_json, read_text
from diffdope.io.names import counted
from diffdope.io.numbers import is_number
from diffdope.io.stamps import stamp_ns, stamp_of_message
from diffdope.io.tables import rows_of
from diffdope.io.yaml_files import read_yaml

F64 = NDArray[np.float64]

_FRAME = ("frame", "frames", "image", "picture", "name", "id", "stamp", "time", "timestamp", "__time", "%time")
_NEAR_NS = 100_000_000  # between a picture and its joint values: an arm stands still by then, or it moved before
# As PlotJuggler names the fields of messages.
_FIELD = re.compile(r"(?:.*/)?([^/]+)/(position|velocity|effort)")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


@dataclass(frozen=True, eq=False)
class JointTable:
    """Joint values of N pictures.

    Attributes:
        names: of the J joints.
        positions: (N, J) radians; metres of joints that slide.
        frames: names of the N pictures; None where the file only has their order.
        told: whether the file names the joints.

    Raises:
        DiffDopeError: if shapes do not fit, or a number is not finite.
    """

    names: tuple[str, ...]
    positions: F64
    frames: tuple[str, ...] | None = None
    told: bool = True

    def __post_init__(self) -> None:
        positions = as_floats("joints, positions", self.positions)
        check_shape("joints, positions", positions, (None, len(self.names)))
        if len(set(self.names)) != len(self.names):
            raise expected("joints", "each joint once", ", ".join(self.names))
        if self.frames is not None and len(self.frames) != len(positions):
            raise expected("joints", f"{len(self.frames)} rows, one a picture", len(positions))
        check_numbers(positions, self.names, self.frames)
        object.__setattr__(self, "positions", positions)

    def of(self, pictures: Sequence[str]) -> list[dict[str, float]]:
        """The values by joint of each picture.

        Pictures are found by their names, or by the numbers in them (`000012` and `12`, `img_3` and `3`); where the
        file has no names, rows are in the order in which people count the pictures. Where the file has the times of
        messages (seconds or nanoseconds since 1970), pictures that are named by theirs take the values closest in time,
        within a tenth of a second; others, if they are as many, take them in their order.

        Args:
            pictures: names without endings.

        Raises:
            DiffDopeError: naming pictures that have no values.
        """
        rows = self._rows(pictures)
        return [dict(zip(self.names, self.positions[row].tolist(), strict=True)) for row in rows]

    def _rows(self, pictures: Sequence[str]) -> list[int]:
        stamps = _stamps(self.frames or ())
        times = _stamps(pictures) if stamps else []
        if times:
            return _nearest(times, stamps, pictures)
        in_order = len(stamps) == len(pictures) and all(a < b for a, b in pairwise(stamps))
        if self.frames is None or (in_order and not any(stamp_ns(name) for name in pictures)):
            if len(pictures) != len(self.positions):
                cure = "name the pictures in the file of the joints"
                raise expected("joints", f"a row for each of {len(pictures)} pictures", len(self.positions), cure)
            place = {name: n for n, name in enumerate(counted(pictures))}
            return [place[name] for name in pictures]
        exact = {frame: n for n, frame in enumerate(self.frames)}
        if all(name in exact for name in pictures):
            return [exact[name] for name in pictures]
        numbered = _by_number(self.frames)
        rows = [exact.get(name, numbered.get(_numbers(name), -1)) for name in pictures]
        missing = [name for name, row in zip(pictures, rows, strict=True) if row < 0]
        if missing or len(set(rows)) != len(rows):
            some = ", ".join(missing[:3]) or "names that are the same number"
            got = f"none for {some}; the file has {', '.join(self.frames[:3])}, ..."
            raise expected("joints", f"values for each of the {len(pictures)} pictures", got)
        return rows


def read_joints(
    path: str | Path,
    *,
    unit: str | None = None,
    sliding: Collection[str] = (),
    names: Sequence[str] = (),
    limited: Collection[str] = (),
) -> JointTable:
    """Reads the joint values of pictures.

    JSON: `{"joint_names": [...], "positions": {"0": [...], ...}}`, where a list instead of the inner object is in the
    order of the pictures; or `{"0": {"joint1": 0.1, ...}, ...}`; or a list of such objects; they may also be messages
    of ROS (JointState; RobotState; JointTrajectory). YAML: the same, or such messages one after the other. CSV: a
    heading with the names of the joints, and `frame` before them if pictures are named. npz: `joint_names`,
    `positions` (N, J), and `frames` if pictures are named. Numbers without names (.txt, .npy, CSV without a heading): a
    row for each picture, as `names` are. Radians, unless file ("unit") or argument say "deg"; what slides, in metres.

    Args:
        path: `.json`, `.yaml`, `.csv`, `.npz`, `.txt` or `.npy`.
        unit: "rad" or "deg"; wins over the file.
        sliding: names of the joints that slide, whose values are lengths.
        names: of the columns, where the file has none.
        limited: names of those that cannot turn on and on: they alone tell degrees.

    Raises:
        DiffDopeError: if the file cannot be read, or numbers are too large for radians, or for metres.
    """
    check_path("joints", path)
    path = Path(path)
    ending = path.suffix.lower()
    readers = {".json": _from_json, ".yaml": _from_yaml, ".yml": _from_yaml, ".csv": _from_csv, ".npz": _from_npz}
    check_choice("ending of the joints file", ending, (*readers, *WITHOUT_NAMES))
    bare = bare_rows(path) if ending in (".csv", *WITHOUT_NAMES) else None
    if bare is not None and (names or ending != ".csv"):
        table, stated = _from_rows(bare, names, path), None
    else:
        table, stated = readers[ending](path)
    said = unit or unit_stated(stated, path)
    check_choice("unit of the joints", said, ("rad", "deg"))
    positions = in_radians(table.positions, table.names, said, sliding, path, limited)
    return JointTable(table.names, positions, table.frames, table.told)


def _from_rows(rows: F64, names: Sequence[str], path: Path) -> JointTable:
    if rows.shape[1] != len(names):
        cure = "name them: a CSV with a heading, or JSON; --fix NAME=VALUE holds those that the file does not have"
        wanted = f"a value for each of {', '.join(names)}" if names else "names of joints"
        raise expected("joints", wanted, f"{rows.shape[1]} in each row of {path}", cure)
    return JointTable(tuple(names), rows, told=False)


def _from_json(path: Path) -> tuple[JointTable, str | None]:
    return _of_data(read_json(path, "joints"), path)


def _from_yaml(path: Path) -> tuple[JointTable, str | None]:
    return _of_data(read_yaml(path, "joints"), path)


def _of_data(data: Any, path: Path) -> tuple[JointTable, str | None]:
    if isinstance(data, dict) and ("joint_state" in data or isinstance(data.get("name"), list)):
        data = [data]  # one message
    if not isinstance(data, dict):
        return _of_pictures(data, None, path), None
    if "joint_names" in data:
        return _of_columns(data, path), data.get("unit")
    keys = [key for key in data if key != "unit"]
    return _of_pictures([data[key] for key in keys], [str(key) for key in keys], path), data.get("unit")


def _of_columns(data: dict[str, Any], path: Path) -> JointTable:
    """Of names, and rows of numbers beside them."""
    rows = data.get("positions", data.get("position"))
    if rows is None and isinstance(data.get("points"), list):  # of a JointTrajectory
        rows = [one.get("positions") if isinstance(one, dict) else None for one in data["points"]]
    frames = [str(key) for key in rows] if isinstance(rows, dict) else None
    return _table(path, data["joint_names"], list(rows.values()) if isinstance(rows, dict) else rows, frames)


def _of_pictures(rows: Any, frames: list[str] | None, path: Path) -> JointTable:
    """Of an object of joint values, or a message, for each picture."""
    if isinstance(rows, list):
        stamps = [stamp_of_message(_state_in(row)) for row in rows]
        frames = stamps if frames is None and stamps and None not in stamps else frames  # type: ignore[assignment]
        rows = [_named(row) for row in rows]
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) and row for row in rows):
        wanted = "joint_names and positions, or an object of joint values for each picture"
        raise expected("joints", wanted, f"something else in {path}")
    names = list(rows[0])
    for number, row in enumerate(rows):
        if set(row) != set(names):
            wanted = f"the joints {', '.join(map(str, names))} of every picture"
            raise expected("joints", wanted, f"others in row {number}")
    return _table(path, names, [[row[name] for name in names] for row in rows], frames)


def _named(row: Any) -> Any:
    """A message as ROS's sensor_msgs/JointState has it (name, position) as an object of joint values."""
    row = _state_in(row)
    if not isinstance(row, dict) or not isinstance(row.get("name"), list) or "position" not in row:
        return row
    if not isinstance(row["position"], list) or len(row["position"]) != len(row["name"]):
        raise expected("joints, position", f"{len(row['name'])} numbers, as many as names", repr(row["position"])[:60])
    return dict(zip(map(str, row["name"]), row["position"], strict=True))


def _state_in(row: Any) -> Any:
    """The JointState in MoveIt's RobotState; what is none, as it is."""
    return row["joint_state"] if isinstance(row, dict) and isinstance(row.get("joint_state"), dict) else row


def _stamps(names: Sequence[str]) -> list[int]:
    """The times that names tell, nanoseconds; none where one of them tells none."""
    times = [time for name in names if (time := stamp_ns(name)) is not None]
    return times if len(times) == len(names) else []


def _nearest(wanted: list[int], stamps: list[int], pictures: Sequence[str]) -> list[int]:
    known = np.array(stamps, np.int64)
    rows = [int(np.abs(known - time).argmin()) for time in wanted]
    for name, row, time in zip(pictures, rows, wanted, strict=True):
        if abs(stamps[row] - time) > _NEAR_NS:
            off = f"{1e-9 * abs(stamps[row] - time):.3g} s from the closest"
            raise expected("joints", f"values within {1e-9 * _NEAR_NS:g} s of the picture {name}", off)
    return rows


def _from_csv(path: Path) -> tuple[JointTable, str | None]:
    rows = rows_of(read_text(path, "joints"), f"joints file {path}", delimiters=",;\t")
    if len(rows) < 2:
        raise expected("joints", f"a heading and rows in {path}", f"{len(rows)} lines")
    heading = [cell.strip() for cell in rows[0]]
    named = heading[0].lower() in _FRAME
    if all(is_number(cell) for cell in heading):
        raise expected("joints", f"a heading in {path}", "numbers in its first line", "begin with frame,NAME,NAME,...")
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(heading):
            raise expected(f"joints, line {number} of {path}", f"{len(heading)} values, as in the heading", len(row))
    kept, names = _joint_columns(heading, named)
    values = [[row[k] for k in kept] for row in rows[1:]]
    try:
        numbers = [[float(cell) for cell in row] for row in values]
    except ValueError as error:
        cure = "the first line names the joints, and decimals have points"
        raise expected("joints", f"numbers in {path}", str(error), cure) from error
    frames = [Path(row[0].strip()).stem if not is_number(row[0]) else row[0].strip() for row in rows[1:]]
    return _table(path, names, numbers, frames if named else None), None


def _joint_columns(heading: list[str], named: bool) -> tuple[list[int], list[str]]:
    """Which columns are joints, and their names; of a recording's fields, those of positions."""
    fields = [_FIELD.fullmatch(cell) for cell in heading[named:]]
    kept = [(k, field[1]) for k, field in enumerate(fields, named) if field is not None and field[2] == "position"]
    if not kept or not all(fields):
        return list(range(named, len(heading))), heading[named:]
    return [k for k, _ in kept], [name for _, name in kept]


def _from_npz(path: Path) -> tuple[JointTable, str | None]:
    data = read_arrays("joints", path, "the arrays joint_names and positions")
    if isinstance(data, np.ndarray):
        raise expected("joints", f"the arrays joint_names and positions in {path}", "one array without a name")
    for name in ("joint_names", "positions"):
        if name not in data:
            raise expected("joints", f"the array {name} in {path}", ", ".join(data) or "none")
    if data["joint_names"].dtype.kind not in "US":
        raise expected("joints, joint_names", f"an array of texts in {path}", data["joint_names"].dtype)
    frames = [str(name) for name in data["frames"].ravel()] if "frames" in data else None
    unit = str(data["unit"]) if "unit" in data else None
    return _table(path, [str(name) for name in data["joint_names"].ravel()], data["positions"], frames), unit


def _table(path: Path, names: Any, rows: Any, frames: list[str] | None) -> JointTable:
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise expected("joints, joint_names", f"a list of names in {path}", repr(names)[:60])
    lengths = {len(row) if isinstance(row, list) else 1 for row in rows} if isinstance(rows, list) else {1}
    if len(lengths) > 1:
        raise expected("joints, positions", f"{len(names)} numbers a picture in {path}", "rows of several lengths")
    values = as_floats("joints, positions", rows)
    if values.ndim != 2 or values.shape[1] != len(names) or len(values) == 0:
        raise expected("joints, positions", f"{len(names)} numbers a picture in {path}", f"shape {values.shape}")
    return JointTable(tuple(names), values, None if frames is None else tuple(Path(f).name for f in frames))


def _numbers(name: str) -> tuple[float, ...]:
    return tuple(float(part) for part in _NUMBER.findall(name))


def _by_number(frames: Sequence[str]) -> dict[tuple[float, ...], int]:
    """Rows by the numbers in their names, of those whose numbers no other has."""
    keys = [_numbers(frame) for frame in frames]
    return {key: n for n, key in enumerate(keys) if key and keys.count(key) == 1}
