"""BOP results CSV: scene_id,im_id,obj_id,score,R,t,time."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from diffdope.errors import DiffDopeError, expected, refused
from diffdope.geometry.pose import Pose
from diffdope.io.files import write_durably
from diffdope.io.json_files import read_text

COLUMNS = ("scene_id", "im_id", "obj_id", "score", "R", "t", "time")
_SEPARATORS = {";": "semicolons", "\t": "tabs"}  # of spreadsheets


@dataclass(frozen=True)
class Estimate:
    """One row.

    Attributes:
        scene_id: of the image.
        im_id: of the image.
        obj_id: which model.
        score: confidence; higher is better, no unit.
        pose: R and t, here in metres.
        time: seconds for the whole image, the same in all its rows; -1 if unknown.
    """

    scene_id: int
    im_id: int
    obj_id: int
    score: float
    pose: Pose
    time: float = -1.0


def read_results(path: str | Path, *, name: str = "results") -> list[Estimate]:
    """Reads the rows of a file, in order; see `read_rows`."""
    return [estimate for _, estimate in read_rows(path, name=name)]


def read_rows(path: str | Path, *, name: str = "results") -> list[tuple[int, Estimate]]:
    """Reads the rows of a file, in order, each with the number of its line.

    A header is optional, since old submissions have none; with one, columns may be in any order, and others are
    passed over.

    Args:
        path: the file.
        name: the argument to blame.

    Raises:
        DiffDopeError: if the file cannot be read, lacks a column, or a row is broken: the line is named.
    """
    path = Path(path)
    reader = csv.reader(read_text(path, name).splitlines())
    try:
        rows = [(reader.line_num, row) for row in reader if any(word.strip() for word in row)]
    except csv.Error as error:
        raise refused(name, f"cannot read {path}: {error}") from error
    columns, rows = _columns_of(rows, path)
    return [(line, _estimate(row, columns, f"{path}, line {line}")) for line, row in rows]


def write_results(path: str | Path, estimates: Iterable[Estimate]) -> None:
    """Writes a file, valid to the letter: aside first, then moved into place. Its folder is made where it is missing.

    Raises:
        DiffDopeError: if rows of one image have different times.
    """
    estimates = list(estimates)
    _check_times(estimates)
    lines = [",".join(COLUMNS), *(_line(estimate) for estimate in estimates)]
    Path(path).absolute().parent.mkdir(parents=True, exist_ok=True)
    write_durably(Path(path), "\n".join(lines) + "\n")


def _line(e: Estimate) -> str:
    R, t = e.pose.to_bop()
    numbers = (" ".join(f"{value:.10g}" for value in R), " ".join(f"{value:.10g}" for value in t))
    return f"{e.scene_id},{e.im_id},{e.obj_id},{e.score!r},{numbers[0]},{numbers[1]},{e.time!r}"


def _check_times(estimates: list[Estimate]) -> None:
    times: dict[tuple[int, int], float] = {}
    for e in estimates:
        first = times.setdefault((e.scene_id, e.im_id), e.time)
        if first != e.time:
            raise expected("time", f"{first} as in the other rows of scene {e.scene_id}, image {e.im_id}", e.time)


def _columns_of(rows: list[tuple[int, list[str]]], path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Names of the columns, of the header or as BOP orders them, and the rows below the header."""
    header = [word.strip() for word in rows[0][1]] if rows else []
    if len(header) == 1 and (other := next((sign for sign in _SEPARATORS if sign in header[0]), None)) is not None:
        got = f"columns separated by {_SEPARATORS[other]}: {header[0][:80]}"
        raise expected(f"{path}, line {rows[0][0]}", "columns separated by commas", got, "write the file with commas")
    if not set(COLUMNS) & set(header):
        return list(COLUMNS), rows
    missing = [column for column in COLUMNS[:6] if column not in header]
    if missing:
        raise expected(f"{path}, line {rows[0][0]}", f"a header {','.join(COLUMNS)}", f"none of {', '.join(missing)}")
    return header, rows[1:]


def _estimate(row: list[str], columns: list[str], where: str) -> Estimate:
    if len(row) not in (len(columns), len(columns) - (columns[-1] == "time")):
        raise expected(where, ",".join(columns), f"{len(row)} columns: {','.join(row)[:80]}")
    words = dict(zip(columns, row, strict=False))
    try:
        scene_id, im_id, obj_id = (int(words[column]) for column in COLUMNS[:3])
        score, time = float(words["score"]), float(words.get("time", "").strip() or -1.0)
        R, t = ([float(number) for number in words[column].split()] for column in ("R", "t"))
    except ValueError as error:
        raise expected(where, "numbers; R and t separated by spaces", str(error)) from error
    if not (math.isfinite(score) and math.isfinite(time)):
        raise expected(where, "a finite score and time", f"{score}, {time}")
    try:
        return Estimate(scene_id, im_id, obj_id, score, Pose.from_bop(R, t), time)
    except DiffDopeError as error:
        raise refused(where, str(error)) from error
