"""The files and the summary of `diffdope calibrate --eye-in-hand`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from diffdope.calibration.eye_in_hand.result import EyeInHandResult, HandPicture
from diffdope.calibration.eye_in_hand.shots import HandShot, placed_shots
from diffdope.cli.wording import in_options
from diffdope.geometry.crop import choose_crop
from diffdope.geometry.pose import Pose
from diffdope.io.files import write_json
from diffdope.io.plain import to_plain
from diffdope.io.transforms import T_OPTICAL_BODY, body_frame, publisher_line, write_hand_transforms
from diffdope.problem.failure import Status
from diffdope.problem.region import box_of
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.robot import Robot
from diffdope.viz.compose import CYAN, GREEN, caption, contour, enlarge, tint, to_bytes
from diffdope.viz.overlay import write_overlay

_SIDE, _ENLARGED = 640, 480  # pixels of a picture at most, and up to which it is shown twice as large
_COVARIANCE = "T_flange_camera: (rho x y z [m], phi x y z [rad]) in the flange's axes, R <- Exp(phi) R, t <- t + rho"


def write_hand(
    folder: Path, mesh: Mesh, robot: Robot | None, flange: str | None, shots: Sequence[HandShot],
    result: EyeInHandResult, camera: str, inputs: Mapping[str, Any],
) -> None:  # fmt: skip
    """result.json, overlays/NAME.png, and files for other tools if the camera's place was found.

    Args:
        folder: for the files.
        mesh: the object.
        robot: where shots have joints.
        flange: the link that holds the camera; None for the last one.
        shots: the pictures.
        result: of the calibration.
        camera: name of the camera's optical frame.
        inputs: what stands beside the result.
    """
    write_json(folder / "result.json", hand_entry(result, camera) | {"inputs": to_plain(inputs)})
    if result.covariance is None:
        return
    (folder / "overlays").mkdir()
    for shot, said in zip(placed_shots(shots, robot, flange), result.pictures, strict=True):
        pose = result.T_camera_object(shot.T_base_flange)
        name = re.sub(r"[^\w.-]", "_", shot.name)
        write_overlay(folder / "overlays" / f"{name}.png", overlay(mesh, shot.observation, pose, said))
    if result.ok:
        write_hand_transforms(folder, result.T_flange_camera, base=result.base, flange=result.flange, camera=camera)


def hand_entry(result: EyeInHandResult, camera: str) -> dict[str, Any]:
    """The result as JSON can hold it. T_a_b takes points from frame b to frame a, metres."""
    from diffdope import __version__

    T = result.T_flange_camera
    return {
        "T_flange_camera": T.matrix.tolist(), "T_camera_flange": T.inverse().matrix.tolist(),
        "T_flange_camera_body": (T @ T_OPTICAL_BODY).matrix.tolist(),
        "T_base_object": result.T_base_object.matrix.tolist(),
        "frames": {
            "flange": result.flange, "base": result.base,
            "camera": f"{camera}: OpenCV optical frame, x right, y down, z forward",
            "camera_body": f"{body_frame(camera)}: x forward, y left, z up", "object": "as in the mesh file, metres",
            "meaning": "p_flange = T_flange_camera p_camera; T_a_b takes points from b to a; metres",
        },
        "status": str(result.status), "message": result.message, "notes": list(result.notes),
        "covariance": to_plain(result.covariance), "covariance_of": _COVARIANCE,
        "object_covariance": to_plain(result.object_covariance),
        "pictures": [to_plain(one) for one in result.pictures], "joint_error_deg": result.joint_error_deg,
        "leave_one_out": {"camera_mm": result.leave_one_out_mm, "angle_deg": result.leave_one_out_deg},
        "unobserved": to_plain(result.unobserved),
        "alternatives": [one.matrix.tolist() for one in result.alternatives],
        "suggested_joints": [to_plain(one) for one in result.suggestions],
        "seconds": result.elapsed_s, "diffdope_version": __version__,
    }  # fmt: skip


def overlay(mesh: Mesh, observation: Observation, pose: Pose, said: HandPicture) -> NDArray[np.uint8]:
    """The picture around the object: where all pictures have it green, the mask's border blue."""
    camera, box = observation.camera, box_of(pose.apply(mesh.vertices_m), observation.camera)
    boxes = [] if isinstance(box, Status) else [box]
    boxes += [] if observation.mask_box is None else [observation.mask_box]
    whole = (0.0, 0.0, camera.width - 1.0, camera.height - 1.0)
    crop = observation.crop(choose_crop(boxes or [whole], camera, margin=0.2, max_size=_SIDE))
    drawn = Renderer(mesh, crop.camera).render(pose.R_m2c, pose.t_m2c)
    size = (crop.camera.height, crop.camera.width)
    ground = np.full((*size, 3), 0.35) if crop.rgb is None else np.asarray(crop.rgb, np.float64)
    factor = 1 if max(size) > _ENLARGED else 2
    picture = enlarge(ground, factor)
    if crop.mask is not None:
        mask = enlarge(np.asarray(crop.mask, np.float64), factor)
        picture = contour(tint(picture, mask, alpha=0.15), mask, color=CYAN)
    coverage = enlarge(np.asarray(drawn.coverage[0], np.float64), factor)
    return to_bytes(caption(contour(picture, coverage, color=GREEN), _words(said)))


def _words(one: HandPicture) -> str:
    parts = [one.name] if one.used else [f"{one.name} (left out)"]
    parts += [] if one.iou is None else [f"IoU {one.iou:.3f}"]
    parts += [] if one.own_mm is None else [f"alone {one.own_mm:.1f} mm off"]
    return ", ".join(parts)


def print_hand(result: EyeInHandResult, camera: str, out: Path, console: Console) -> None:
    """What was found, how sure it is, every picture, and what to do next."""
    console.print(f"[bold]{result.status}[/]: {result.message}")
    for note in result.notes:
        console.print(f"note: {in_options(note)}", highlight=False)
    if result.covariance is None:
        return
    x, y, z = result.T_flange_camera.t_m2c
    console.print(f"camera ({camera}) in {result.flange}: ({x:.4f}, {y:.4f}, {z:.4f}) m, {result.elapsed_s:.1f} s")
    if result.leave_one_out_mm is not None and result.leave_one_out_deg is not None:
        size = f"{result.leave_one_out_mm:.1f} mm, {result.leave_one_out_deg:.2f} degrees"
        console.print(f"leave-one-out error of the camera in the flange: {size} (what is good: docs/calibration.md)")
    console.print(_table(result.pictures))
    for number, one in enumerate(result.suggestions, 1):
        values = ", ".join(f"{name} {np.degrees(value):.0f}" for name, value in one.joints.items())
        console.print(f"pose that tells more, {number}: {values} (degrees)", highlight=False)
    if result.ok:
        line = publisher_line(result.flange, camera, result.T_flange_camera)
        console.print(line, highlight=False, soft_wrap=True)
    console.print(f"files: {out}", highlight=False)


def _table(pictures: Sequence[HandPicture]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("picture", "used", "IoU", "depth mm", "alone: mm", "deg", "left out: mm", "deg"):
        table.add_column(heading, justify="left" if heading == "picture" else "right")
    for one in pictures:
        cells = (
            (one.iou, ".3f"), (one.depth_mm, "+.1f"), (one.own_mm, ".1f"), (one.own_deg, ".2f"),
            (one.left_out_mm, ".2f"), (one.left_out_deg, ".3f"),
        )  # fmt: skip
        texts = ["" if value is None else format(value, form) for value, form in cells]
        table.add_row(one.name, "yes" if one.used else "no", *texts)
    return table
