"""BOP results CSV: scene_id,im_id,obj_id,score,R,t,time."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from diffdope.errors import DiffDopeError, expected
from diffdope.geometry.pose import Pose
from diffdope.jobs.durable import write_durably

COLUMNS = ("scene_id", "im_id", "obj_id", "score", "R", "t", "time")


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


def read_results(path: str | Path) -> list[Estimate]:
    """Reads the rows of a file, in order. A header is optional, since old submissions have none.

    Raises:
        DiffDopeError: if the file cannot be read, or a row is broken: the line is named.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DiffDopeError(f"results: cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    if rows and [word.strip() for word in rows[0][:6]] == list(COLUMNS[:6]):
        rows[0] = []
    return [_estimate(row, f"{path}, line {number}") for number, row in enumerate(rows, start=1) if any(row)]


def write_results(path: str | Path, estimates: Iterable[Estimate]) -> None:
    """Writes a file, valid to the letter: aside first, then moved into place.

    Raises:
        DiffDopeError: if rows of one image have different times.
    """
    estimates = list(estimates)
    _check_times(estimates)
    lines = [",".join(COLUMNS), *(_line(estimate) for estimate in estimates)]
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


def _estimate(row: list[str], where: str) -> Estimate:
    if len(row) not in (6, 7):
        raise expected(where, ",".join(COLUMNS), f"{len(row)} columns: {','.join(row)[:80]}")
    try:
        ids = [int(word) for word in row[:3]]
        score = float(row[3])
        R, t = ([float(word) for word in column.split()] for column in row[4:6])
        time = float(row[6]) if len(row) == 7 and row[6].strip() else -1.0
    except ValueError as error:
        raise expected(where, "numbers; R and t separated by spaces", str(error)) from error
    if not (math.isfinite(score) and math.isfinite(time)):
        raise expected(where, "a finite score and time", f"{score}, {time}")
    try:
        return Estimate(ids[0], ids[1], ids[2], score, Pose.from_bop(R, t), time)
    except DiffDopeError as error:
        raise DiffDopeError(f"{where}: {error}") from error
