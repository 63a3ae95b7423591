"""What the reports of both calibrations share: pictures with outlines, their table, the summary, entries of JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from diffdope.calibration.eye_in_hand.result import EyeInHandResult
from diffdope.calibration.result import CalibrationResult
from diffdope.geometry.crop import choose_crop
from diffdope.geometry.pose import Pose
from diffdope.io.files import write_json
from diffdope.io.plain import to_plain
from diffdope.io.transforms import publisher_line
from diffdope.io.wording import in_options
from diffdope.problem.failure import Status
from diffdope.problem.region import box_of
from diffdope.scene.observation import Observation
from diffdope.scene.robot import Robot
from diffdope.viz.compose import CYAN, GREEN, caption, contour, enlarge, tint
from diffdope.viz.overlay import write_overlay

F64 = NDArray[np.float64]
Image = NDArray[np.uint8]
Numbers = Iterable[tuple[float | None, str]]
"""Numbers of a row of the table, and their formats; None for an empty cell."""

_SIDE = 640  # pixels of a picture at most, before it is enlarged
_ENLARGED = 480  # pixels: smaller pictures are shown twice as large


def picture_name(name: str) -> str:
    """A picture's name as a file's."""
    return re.sub(r"[^\w.-]", "_", name)


def part_around(observation: Observation, points_c: F64, *, margin: float) -> Observation:
    """The part of a picture that shows points (N, 3) in the camera's frame, metres, and its mask; else all of it."""
    camera, box = observation.camera, box_of(points_c, observation.camera)
    boxes = [] if isinstance(box, Status) else [box]
    boxes += [] if observation.mask_box is None else [observation.mask_box]
    whole = (0.0, 0.0, camera.width - 1.0, camera.height - 1.0)
    return observation.crop(choose_crop(boxes or [whole], camera, margin=margin, max_size=_SIDE))


def enlargement(crop: Observation) -> int:
    """How many times as large a part is shown."""
    return 1 if max(crop.camera.width, crop.camera.height) > _ENLARGED else 2


def outlined(crop: Observation, coverage: NDArray[np.floating], words: str) -> F64:
    """The picture with words below: what is drawn has a green outline, the mask a blue one."""
    ground = np.full((*coverage.shape, 3), 0.35) if crop.rgb is None else np.asarray(crop.rgb, np.float64)
    factor = enlargement(crop)
    picture = enlarge(ground, factor)
    if crop.mask is not None:
        mask = enlarge(np.asarray(crop.mask, np.float64), factor)
        picture = contour(tint(picture, mask, alpha=0.15), mask, color=CYAN)
    return caption(contour(picture, enlarge(np.asarray(coverage, np.float64), factor), color=GREEN), words)


def shared_entry(result: CalibrationResult | EyeInHandResult, covariance_of: str) -> dict[str, Any]:
    """What the results of both say, as JSON can hold it.

    Args:
        result: of either.
        covariance_of: what its covariance is of: which transform, in which axes and units.
    """
    from diffdope import __version__

    return {
        "status": str(result.status), "message": result.message, "notes": list(result.notes),
        "note_codes": [str(code) for code in result.note_codes],
        "covariance": to_plain(result.covariance), "covariance_of": covariance_of,
        "pictures": [to_plain(one) for one in result.pictures], "joint_error_deg": result.joint_error_deg,
        "leave_one_out": {"camera_mm": result.leave_one_out_mm, "angle_deg": result.leave_one_out_deg},
        "unobserved": to_plain(result.unobserved),
        "alternatives": [one.matrix.tolist() for one in result.alternatives],
        "suggested_joints": [to_plain(one) for one in result.suggestions],
        "seconds": result.elapsed_s, "diffdope_version": __version__,
    }  # fmt: skip


def write_with_overlays(
    folder: Path, entry: Mapping[str, Any], inputs: Mapping[str, Any], overlays: Iterable[tuple[str, Image]]
) -> None:
    """Writes result.json, and overlays/NAME.png of each picture; no folder if there is none.

    Args:
        folder: for the files.
        entry: the result, as JSON can hold it.
        inputs: what stands beside the result.
        overlays: names of pictures and what is drawn of them (H, W, 3), drawn one after the other.
    """
    write_json(folder / "result.json", {**entry, "inputs": to_plain(inputs)})
    for name, picture in overlays:
        (folder / "overlays").mkdir(exist_ok=True)
        write_overlay(folder / "overlays" / f"{picture_name(name)}.png", picture)


@dataclass(frozen=True)
class CameraPlace:
    """Where a camera was found, in words and numbers.

    Attributes:
        parent: the frame that it stands in.
        kind: what that frame is: base or flange.
        camera: name of the camera's optical frame.
        T_parent_camera: p_parent = T p_camera, metres.
    """

    parent: str
    kind: str
    camera: str
    T_parent_camera: Pose


def print_result(
    result: CalibrationResult | EyeInHandResult, place: CameraPlace, robot: Robot | None, table: Table,
    more: Sequence[str], console: Console,
) -> None:  # fmt: skip
    """What was found, how sure it is, every picture, and what to do next.

    Args:
        result: of either; one that found nothing is told by its status alone.
        place: where the camera is.
        robot: whose joints are suggested.
        table: of the pictures.
        more: lines below the table.
        console: to print on.
    """
    _print_status(result, console)
    if result.covariance is None:
        return
    _print_place(result, place, console)
    console.print(table)
    for line in more:
        console.print(line, highlight=False)
    print_suggestions(result, robot, console)
    if result.ok:
        line = publisher_line(place.parent, place.camera, place.T_parent_camera)
        console.print(line, highlight=False, soft_wrap=True)


def deviation_words(result: CalibrationResult | EyeInHandResult, place: CameraPlace) -> list[str]:
    """How sure the place is, and of what size zeros of joints are in it; nothing where none was found."""
    if result.camera_deviation is None:
        return []
    size = "{:.1f} mm, {:.2f} degrees".format(*result.camera_deviation)
    text = f"standard deviation of the camera in the {place.kind}: {size}"
    if result.zero_error_deg is not None:
        text += f"; zeros of joints are in it with {result.zero_error_deg:.2f} degrees"
    return [text]


def _print_status(result: CalibrationResult | EyeInHandResult, console: Console) -> None:
    console.print(f"[bold]{result.status}[/]: {result.message}")
    for note in result.notes:
        console.print(f"note: {in_options(note)}", highlight=False)


def _print_place(result: CalibrationResult | EyeInHandResult, place: CameraPlace, console: Console) -> None:
    """Where the camera is, and how far that moves by one picture."""
    x, y, z = place.T_parent_camera.t_m2c
    where = f"camera ({place.camera}) in {place.parent}"
    console.print(f"{where}: ({x:.4f}, {y:.4f}, {z:.4f}) m, {result.elapsed_s:.1f} s")
    if result.leave_one_out_mm is not None and result.leave_one_out_deg is not None:
        size = f"{result.leave_one_out_mm:.1f} mm, {result.leave_one_out_deg:.2f} degrees"
        console.print(
            f"leave-one-out error of the camera in the {place.kind}: {size} (what is good: docs/calibration.md)"
        )


def print_suggestions(result: CalibrationResult | EyeInHandResult, robot: Robot | None, console: Console) -> None:
    """Poses of the robot for further pictures; degrees, of joints that slide millimetres."""
    sliding = () if robot is None else robot.sliding
    for number, one in enumerate(result.suggestions, 1):
        turned = ", ".join(f"{k} {np.degrees(value):.0f}" for k, value in one.joints.items() if k not in sliding)
        slid = ", ".join(f"{k} {1e3 * value:.0f} mm" for k, value in one.joints.items() if k in sliding)
        values = ", ".join(part for part in (turned and f"{turned} (degrees)", slid) if part)
        console.print(f"pose that tells more, {number}: {values}", highlight=False)


def table_of(headings: Sequence[str], rows: Iterable[tuple[str, bool, Numbers]]) -> Table:
    """Of pictures: name, whether it was used, and numbers."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("picture", "used", *headings):
        table.add_column(heading, justify="left" if heading == "picture" else "right")
    for name, used, numbers in rows:
        texts = ["" if value is None else format(value, form) for value, form in numbers]
        table.add_row(name, "yes" if used else "no", *texts)
    return table
