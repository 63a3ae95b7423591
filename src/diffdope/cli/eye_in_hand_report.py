"""The files and the summary of `diffdope calibrate --eye-in-hand`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from diffdope.calibration.eye_in_hand.result import EyeInHandResult, HandPicture
from diffdope.calibration.eye_in_hand.shots import HandShot, placed_shots
from diffdope.cli.report_of_pictures import (
    CameraPlace,
    Image,
    Numbers,
    deviation_words,
    outlined,
    part_around,
    print_result,
    shared_entry,
    table_of,
    write_with_overlays,
)
from diffdope.geometry.pose import Pose
from diffdope.io.plain import to_plain
from diffdope.io.transforms import T_OPTICAL_BODY, body_frame, write_hand_transforms
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.robot import Robot
from diffdope.viz.compose import to_bytes

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
    placed = () if result.covariance is None else placed_shots(shots, robot, flange)
    overlays = (
        (shot.name, overlay(mesh, shot.observation, result.T_camera_object(shot.T_base_flange), said))
        for shot, said in zip(placed, result.pictures, strict=bool(placed))
    )
    write_with_overlays(folder, hand_entry(result, camera), inputs, overlays)
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
        "object_covariance": to_plain(result.object_covariance), "zero_error_deg": result.zero_error_deg,
    } | shared_entry(result, _COVARIANCE)  # fmt: skip


def overlay(mesh: Mesh, observation: Observation, pose: Pose, said: HandPicture) -> Image:
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
    place = CameraPlace(result.flange, "flange", camera, result.T_flange_camera)
    table = table_of(_HEADINGS, [(one.name, one.used, _numbers(one)) for one in result.pictures])
    print_result(result, place, robot, table, deviation_words(result, place), console)
    if result.covariance is not None:
        console.print(f"files: {out}", highlight=False)


_HEADINGS = ("IoU", "depth mm", "alone: mm", "deg", "left out: mm", "deg")


def _numbers(one: HandPicture) -> Numbers:
    return (
        (one.iou, ".3f"), (one.depth_mm, "+.1f"), (one.own_mm, ".1f"), (one.own_deg, ".2f"),
        (one.left_out_mm, ".2f"), (one.left_out_deg, ".3f"),
    )  # fmt: skip
