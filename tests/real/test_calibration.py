"""A camera before a real xArm 7: six pictures, and published solutions that are known to within some millimetres."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from diffdope.calibration.assess import moved
from diffdope.calibration.calibrate import CalibrationSettings, calibrate
from diffdope.geometry.pose import Pose
from diffdope.scene.urdf import load_robot

pytest.importorskip("yourdfpy", reason="yourdfpy (diffdope[robot]) is not installed")


def test_masks_of_six_pictures_and_no_start(shared_data: Path) -> None:
    folder = shared_data / "robot_xarm"
    if not folder.is_dir():
        pytest.skip("no robot_xarm in ../shared/data")
    from benchmarks.robot import iou, xarm_shots

    robot = load_robot(folder / "description" / "xarm7.urdf")
    known = json.loads((folder / "extrinsics.json").read_text())
    published = Pose.from_matrix(known["published"]["base_to_camera"])
    shots = xarm_shots(("mask", "depth"))
    result = calibrate(robot, shots, settings=CalibrationSettings(suggestions=0))
    millimetres, degrees = moved(result.T_camera_base, published)
    assert result.ok and millimetres < 25.0 and degrees < 1.0
    assert np.mean([iou(robot, shot, result.T_camera_base) for shot in shots]) > 0.94
    assert result.mask_border_px is not None and result.mask_border_px.value < -0.3  # the masks lie inside
    assert result.depth_scale is not None and 0.008 < result.depth_scale.value < 0.025
    assert any("depths read" in note and "too far" in note for note in result.notes)
