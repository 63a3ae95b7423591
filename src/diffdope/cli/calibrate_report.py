"""The files and the summary of `diffdope calibrate`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from diffdope.calibration.result import CalibrationResult, PictureResidual
from diffdope.calibration.shots import Shot
from diffdope.cli.report import view_line
from diffdope.cli.report_of_pictures import (
    CameraPlace,
    Image,
    Numbers,
    deviation_words,
    enlargement,
    outlined,
    part_around,
    print_result,
    shared_entry,
    table_of,
    write_with_overlays,
)
from diffdope.io.plain import to_plain
from diffdope.io.transforms import T_OPTICAL_BODY, body_frame, write_transforms
from diffdope.render.renderer import Renderer
from diffdope.scene.robot import Robot
from diffdope.viz.compose import caption, side_by_side, to_bytes
from diffdope.viz.overlay import depth_panel

_DRAWN = 0.001  # metres by which drawn surfaces may be off
_DEPTH_LIMIT_MM = 30.0  # at which the panel's colours end
_COVARIANCE = "T_camera_base: (rho x y z [m], phi x y z [rad]) in the camera's axes, R <- Exp(phi) R, t <- t + rho"


def write_calibration(
    folder: Path, robot: Robot, shots: Sequence[Shot], result: CalibrationResult, camera: str, inputs: Mapping[str, Any]
) -> None:
    """result.json, overlays/NAME.png, and files for other tools if the camera was found.

    Args:
        folder: for the files.
        robot: in full detail.
        shots: the pictures.
        result: of the calibration.
        camera: name of the camera's optical frame.
        inputs: what stands beside the result.
    """
    write_with_overlays(folder, calibration_entry(result, camera), inputs, _overlays(robot, shots, result))
    if result.ok:
        write_transforms(folder, result.T_camera_base, base=result.base, camera=camera)


def _overlays(robot: Robot, shots: Sequence[Shot], result: CalibrationResult) -> Iterator[tuple[str, Image]]:
    """Each picture with the robot drawn; none of them where no pose was found."""
    if result.covariance is None:
        return
    (drawn,) = robot.simplified(_DRAWN)
    for shot, residual in zip(shots, result.pictures, strict=True):
        yield shot.name, overlay(drawn, shot, result, residual)


def calibration_entry(result: CalibrationResult, camera: str) -> dict[str, Any]:
    """The result as JSON can hold it. T_a_b takes points from frame b to frame a, metres."""
    T = result.T_camera_base
    body = T.inverse() @ T_OPTICAL_BODY
    return {
        "T_camera_base": T.matrix.tolist(),
        "T_base_camera": T.inverse().matrix.tolist(),
        "T_base_camera_body": body.matrix.tolist(),
        "frames": {
            "base": result.base, "camera": f"{camera}: OpenCV optical frame, x right, y down, z forward",
            "camera_body": f"{body_frame(camera)}: x forward, y left, z up",
            "meaning": "p_camera = T_camera_base p_base; T_a_b takes points from b to a; metres",
        },
        "mask_border_px": to_plain(result.mask_border_px), "depth_scale": to_plain(result.depth_scale),
        "joint_offsets_deg": to_plain(result.joint_offsets_deg),
        "joint_offsets_mm": to_plain(result.joint_offsets_mm), "zero_error_deg": result.zero_error_deg,
        "contradiction": to_plain(result.contradiction),
    } | shared_entry(result, _COVARIANCE)  # fmt: skip


def overlay(robot: Robot, shot: Shot, result: CalibrationResult, residual: PictureResidual) -> Image:
    """The picture around the robot: drawn outline green, the mask's border blue; beside it, depth less drawn depth."""
    offsets = result.joint_offsets
    values = {name: value + offsets.get(name, 0.0) for name, value in robot.checked(shot.joints, shot.name).items()}
    mesh = robot.posed(values).mesh
    pose = result.T_camera_base
    crop = part_around(shot.observation, pose.apply(mesh.vertices_m), margin=0.1)
    drawn = Renderer(mesh, crop.camera).render(pose.R_m2c, pose.t_m2c)
    picture = outlined(crop, drawn.coverage[0], _words(residual))
    if crop.depth is None:
        return to_bytes(picture)
    there = (crop.depth > 0.0) & (drawn.depth[0] > 0.0) & (drawn.coverage[0] > 0.99)
    away = np.where(there, 1e3 * (drawn.depth[0] - crop.depth), np.nan)
    beside = depth_panel(away, _DEPTH_LIMIT_MM, enlargement(crop))
    return to_bytes(side_by_side(picture, caption(beside, "depth")))


def _words(one: PictureResidual) -> str:
    parts = [one.name] if one.used else [f"{one.name} (left out)"]
    if one.iou is not None and one.iou_without_base is not None:
        parts.append(f"IoU {one.iou:.3f}, without base {one.iou_without_base:.3f}")
    if one.outline_px is not None:
        parts.append(f"outline {one.outline_px:.1f} px")
    if one.depth_mm is not None:
        parts.append(f"depth {one.depth_mm:+.1f} mm")
    return ", ".join(parts)


def print_calibration(result: CalibrationResult, robot: Robot, camera: str, out: Path, console: Console) -> None:
    """What was found, how sure it is, every picture, and what to do next."""
    place = CameraPlace(result.base, "base", camera, result.T_base_camera)
    table = table_of(_HEADINGS, [(one.name, one.used, _numbers(one)) for one in result.pictures])
    offsets = [
        f"offset of {name}: {offset.value:+.2f} +- {offset.deviation:.2f} {unit}"
        for some, unit in ((result.joint_offsets_deg, "degrees"), (result.joint_offsets_mm, "mm"))
        for name, offset in some.items()
    ]
    print_result(result, place, robot, table, [*deviation_words(result, place), *offsets], console)
    if result.covariance is None:
        return
    console.print(f"files: {out}", highlight=False)
    console.print(view_line(out), highlight=False, soft_wrap=True)


_HEADINGS = ("IoU", "without base", "outline px", "depth mm", "left out: mm", "deg")


def _numbers(one: PictureResidual) -> Numbers:
    return (
        (one.iou, ".3f"), (one.iou_without_base, ".3f"), (one.outline_px, ".2f"), (one.depth_mm, "+.1f"),
        (one.left_out_mm, ".1f"), (one.left_out_deg, ".2f"),
    )  # fmt: skip
