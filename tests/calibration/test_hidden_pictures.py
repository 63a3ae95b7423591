"""Pictures in which something stands before the robot: they contradict nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diffdope.calibration.calibrate import CalibrationSettings, calibrate
from diffdope.calibration.left_out import behind_something, lacks_and_beside
from diffdope.calibration.shots import Shot
from diffdope.experiments.drawn_arm import CAMERA, drawn_arm, drawn_shot, looking_at, random_joints
from diffdope.problem.failure import Status
from diffdope.scene.observation import Observation

ARM = drawn_arm()
QUIET = CalibrationSettings(suggestions=0)


def behind_a_board(shot: Shot, share: float) -> Shot:
    """Without the right-most part of the mask, by its pixels."""
    mask = np.array(shot.observation.mask)
    columns = np.cumsum(mask.sum(axis=0)) / mask.sum()
    mask[:, columns > 1.0 - share] = 0.0
    return Shot(Observation(CAMERA, mask=mask), shot.joints, shot.name)


def test_pictures_behind_a_board_contradict_nothing() -> None:
    """Two of five had the status ambiguous, and asked whether the camera had been moved."""
    rng = np.random.default_rng(3)
    pose = looking_at(rng)
    shots = [drawn_shot(ARM, pose, random_joints(ARM, rng), name=str(k)) for k in range(5)]
    shots[1], shots[3] = behind_a_board(shots[1], 0.35), behind_a_board(shots[3], 0.7)
    result = calibrate(ARM, shots, settings=QUIET)
    assert result.status is Status.CONVERGED
    assert result.T_camera_base.distance_to(pose) < 2e-3 and np.degrees(result.T_camera_base.angle_to(pose)) < 0.1
    reasons = [one.reason for one in result.pictures if not one.used]
    assert reasons and all("and has nothing beside it; does something hide it there" in one for one in reasons)
    assert "picture-left-out" in result.note_codes and "pictures-disagree" not in result.note_codes

    wrong = {name: value + 0.6 for name, value in shots[1].joints.items()}
    shots[1] = replace(shots[1], joints=wrong)
    told = calibrate(ARM, shots, settings=QUIET)
    assert not told.pictures[1].used and "are its joints right?" in told.pictures[1].reason


def test_what_a_mask_lacks_and_what_it_has_beside() -> None:
    drawn, mask = np.zeros((20, 40), bool), np.zeros((20, 40), bool)
    drawn[5:15, 0:20] = True
    mask[5:15, 0:10] = True
    assert lacks_and_beside(drawn, mask, 1) == (pytest.approx(0.45), 0.0)
    mask[5:15, 30:40] = True
    lacks, beside = lacks_and_beside(drawn, mask, 1)
    assert lacks == pytest.approx(0.45) and beside == pytest.approx(0.5)
    assert not behind_something({0: "bad"}, [(lacks, beside)]) and not behind_something({0: "bad"}, [None])
    assert "lacks 45 %" in behind_something({0: "bad"}, [(0.45, 0.0)])[0]
