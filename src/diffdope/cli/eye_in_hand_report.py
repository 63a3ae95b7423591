"""The files and the summary of `diffdope calibrate --eye-in-hand`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from diffdope.calibration.eye_in_hand.result import EyeInHandResult, HandPicture
from diffdope.calibration.eye_in_hand.shots import HandShot, placed_shots
from diffdope.cli.report_of_pictures import (
    Numbers,
    outlined,
    part_around,
    picture_name,
    print_place,
    print_status,
    print_suggestions,
    shared_entry,
    table_of,
)
from diffdope.geometry.pose import Pose
from diffdope.io.files import write_json
from diffdope.io.plain import to_plain
from diffdope.io.transforms import T_OPTICAL_BODY, body_frame, publisher_line, write_hand_transforms
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.robot import Robot
from diffdope.viz.compose import to_bytes
from diffdope.viz.overlay import write_overlay

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
        write_overlay(
            folder / "overlays" / f"{picture_name(shot.name)}.png", overlay(mesh, shot.observation, pose, said)
        )
    if result.ok:
        write_hand_transforms(folder, result.T_flange_camera, base=result.base, flange=result.flange, camera=camera)


def hand_entry(result: EyeInHandResult, camera: str) -> dict[str, Any]:
    """The result as JSON can hold it. T_a_b takes points from frame b to frame a, metres."""
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
        "object_covariance": to_plain(result.object_covariance),
    } | shared_entry(result, _COVARIANCE)  # fmt: skip


def overlay(mesh: Mesh, observation: Observation, pose: Pose, said: HandPicture) -> NDArray[np.uint8]:
    """The picture around the object: where all pictures have it green, the mask's border blue."""
    crop = part_around(observation, pose.apply(mesh.vertices_m), margin=0.2)
    drawn = Renderer(mesh, crop.camera).render(pose.R_m2c, pose.t_m2c)
    return to_bytes(outlined(crop, drawn.coverage[0], _words(said)))


def _words(one: HandPicture) -> str:
    parts = [one.name] if one.used else [f"{one.name} (left out)"]
    parts += [] if one.iou is None else [f"IoU {one.iou:.3f}"]
    parts += [] if one.own_mm is None else [f"alone {one.own_mm:.1f} mm off"]
    return ", ".join(parts)


def print_hand(result: EyeInHandResult, robot: Robot | None, camera: str, out: Path, console: Console) -> None:
    """What was found, how sure it is, every picture, and what to do next."""
    print_status(result, console)
    if result.covariance is None:
        return
    print_place(result, result.T_flange_camera.t_m2c, camera, result.flange, "flange", console)
    console.print(table_of(_HEADINGS, [(one.name, one.used, _numbers(one)) for one in result.pictures]))
    print_suggestions(result, robot, console)
    if result.ok:
        line = publisher_line(result.flange, camera, result.T_flange_camera)
        console.print(line, highlight=False, soft_wrap=True)
    console.print(f"files: {out}", highlight=False)


_HEADINGS = ("IoU", "depth mm", "alone: mm", "deg", "left out: mm", "deg")


def _numbers(one: HandPicture) -> Numbers:
    return (
        (one.iou, ".3f"), (one.depth_mm, "+.1f"), (one.own_mm, ".1f"), (one.own_deg, ".2f"),
        (one.left_out_mm, ".2f"), (one.left_out_deg, ".3f"),
    )  # fmt: skip
