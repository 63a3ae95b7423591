"""The files and the summary of `diffdope calibrate`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from diffdope.calibration.result import CalibrationResult, PictureResidual
from diffdope.calibration.shots import Shot
from diffdope.cli.report import view_line
from diffdope.geometry.crop import choose_crop
from diffdope.geometry.pose import Pose
from diffdope.io.files import write_json
from diffdope.io.plain import to_plain
from diffdope.io.transforms import T_OPTICAL_BODY, body_frame, publisher_line, write_transforms
from diffdope.io.wording import in_options
from diffdope.problem.failure import Status
from diffdope.problem.region import box_of
from diffdope.render.renderer import Renderer
from diffdope.scene.robot import Robot
from diffdope.viz.compose import CYAN, GREEN, caption, contour, enlarge, side_by_side, tint, to_bytes
from diffdope.viz.overlay import depth_panel, write_overlay

_SIDE = 640  # pixels of a picture at most, before it is enlarged
_ENLARGED = 480  # pixels: smaller pictures are shown twice as large
_DRAWN = 0.001  # metres by which drawn surfaces may be off
_DEPTH_LIMIT_MM = 30.0
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
    write_json(folder / "result.json", calibration_entry(result, camera) | {"inputs": to_plain(inputs)})
    if result.covariance is None:
        return
    (folder / "overlays").mkdir()
    (drawn,) = robot.simplified(_DRAWN)
    for shot, residual in zip(shots, result.pictures, strict=True):
        name = re.sub(r"[^\w.-]", "_", shot.name)
        write_overlay(folder / "overlays" / f"{name}.png", overlay(drawn, shot, result, residual))
    if result.ok:
        write_transforms(folder, result.T_camera_base, base=result.base, camera=camera)


def calibration_entry(result: CalibrationResult, camera: str) -> dict[str, Any]:
    """The result as JSON can hold it. T_a_b takes points from frame b to frame a, metres."""
    from diffdope import __version__

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
        "status": str(result.status), "message": result.message, "notes": list(result.notes),
        "covariance": to_plain(result.covariance),
        "covariance_of": _COVARIANCE,
        "pictures": [to_plain(one) for one in result.pictures],
        "mask_border_px": to_plain(result.mask_border_px), "depth_scale": to_plain(result.depth_scale),
        "joint_error_deg": result.joint_error_deg, "joint_offsets_deg": to_plain(result.joint_offsets_deg),
        "leave_one_out": {"camera_mm": result.leave_one_out_mm, "angle_deg": result.leave_one_out_deg},
        "unobserved": to_plain(result.unobserved),
        "alternatives": [one.matrix.tolist() for one in result.alternatives],
        "contradiction": to_plain(result.contradiction),
        "suggested_joints": [to_plain(one) for one in result.suggestions],
        "seconds": result.elapsed_s, "diffdope_version": __version__,
    }  # fmt: skip


def overlay(robot: Robot, shot: Shot, result: CalibrationResult, residual: PictureResidual) -> NDArray[np.uint8]:
    """The picture around the robot: drawn outline green, the mask's border blue; beside it, depth less drawn depth."""
    offsets = {name: float(np.radians(one.value)) for name, one in result.joint_offsets_deg.items()}
    values = {name: value + offsets.get(name, 0.0) for name, value in robot.checked(shot.joints, shot.name).items()}
    mesh = robot.posed(values).mesh
    crop = shot.observation.crop(_window(shot, mesh.vertices_m, result.T_camera_base))
    pose = result.T_camera_base
    drawn = Renderer(mesh, crop.camera).render(pose.R_m2c, pose.t_m2c)
    size = (crop.camera.height, crop.camera.width)
    ground = np.full((*size, 3), 0.35) if crop.rgb is None else np.asarray(crop.rgb, np.float64)
    factor = 1 if max(size) > _ENLARGED else 2
    picture, coverage = enlarge(ground, factor), enlarge(np.asarray(drawn.coverage[0], np.float64), factor)
    if crop.mask is not None:
        mask = enlarge(np.asarray(crop.mask, np.float64), factor)
        picture = contour(tint(picture, mask, alpha=0.15), mask, color=CYAN)
    picture = caption(contour(picture, coverage, color=GREEN), _words(residual))
    if crop.depth is None:
        return to_bytes(picture)
    there = (crop.depth > 0.0) & (drawn.depth[0] > 0.0) & (drawn.coverage[0] > 0.99)
    away = np.where(there, 1e3 * (drawn.depth[0] - crop.depth), np.nan)
    return to_bytes(side_by_side(picture, caption(depth_panel(away, _DEPTH_LIMIT_MM, factor), "depth")))


def _window(shot: Shot, vertices_m: NDArray[np.float64], pose: Pose) -> Any:
    camera = shot.observation.camera
    box = box_of(pose.apply(vertices_m), camera)
    boxes = [] if isinstance(box, Status) else [box]
    boxes += [] if shot.observation.mask_box is None else [shot.observation.mask_box]
    return choose_crop(
        boxes or [(0.0, 0.0, camera.width - 1.0, camera.height - 1.0)], camera, margin=0.1, max_size=_SIDE
    )


def _words(one: PictureResidual) -> str:
    parts = [one.name] if one.used else [f"{one.name} (left out)"]
    if one.iou is not None and one.iou_without_base is not None:
        parts.append(f"IoU {one.iou:.3f}, without base {one.iou_without_base:.3f}")
    if one.outline_px is not None:
        parts.append(f"outline {one.outline_px:.1f} px")
    if one.depth_mm is not None:
        parts.append(f"depth {one.depth_mm:+.1f} mm")
    return ", ".join(parts)


def print_calibration(result: CalibrationResult, camera: str, out: Path, console: Console) -> None:
    """What was found, how sure it is, every picture, and what to do next."""
    console.print(f"[bold]{result.status}[/]: {result.message}")
    for note in result.notes:
        console.print(f"note: {in_options(note)}", highlight=False)
    if result.covariance is None:
        return
    x, y, z = result.camera_in_base_m
    console.print(f"camera ({camera}) in {result.base}: ({x:.4f}, {y:.4f}, {z:.4f}) m, {result.elapsed_s:.1f} s")
    if result.leave_one_out_mm is not None and result.leave_one_out_deg is not None:
        size = f"{result.leave_one_out_mm:.1f} mm, {result.leave_one_out_deg:.2f} degrees"
        console.print(f"leave-one-out error of the camera in the base: {size} (what is good: docs/calibration.md)")
    console.print(_table(result.pictures))
    for name, offset in result.joint_offsets_deg.items():
        console.print(f"offset of {name}: {offset.value:+.2f} +- {offset.deviation:.2f} degrees", highlight=False)
    for number, one in enumerate(result.suggestions, 1):
        values = ", ".join(f"{name} {np.degrees(value):.0f}" for name, value in one.joints.items())
        console.print(f"pose that tells more, {number}: {values} (degrees)", highlight=False)
    if result.ok:
        console.print(publisher_line(result.base, camera, result.T_base_camera), highlight=False, soft_wrap=True)
    console.print(f"files: {out}", highlight=False)
    console.print(view_line(out), highlight=False, soft_wrap=True)


def _table(pictures: Sequence[PictureResidual]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("picture", "used", "IoU", "without base", "outline px", "depth mm", "left out: mm", "deg"):
        table.add_column(heading, justify="left" if heading == "picture" else "right")
    for one in pictures:
        cells = (
            (one.iou, ".3f"), (one.iou_without_base, ".3f"), (one.outline_px, ".2f"), (one.depth_mm, "+.1f"),
            (one.left_out_mm, ".1f"), (one.left_out_deg, ".2f"),
        )  # fmt: skip
        texts = ["" if value is None else format(value, form) for value, form in cells]
        table.add_row(one.name, "yes" if one.used else "no", *texts)
    return table
