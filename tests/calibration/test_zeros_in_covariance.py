"""Zeros that are off in all pictures alike, which nobody asked for: what the covariance knows of them."""

from __future__ import annotations

import numpy as np

from diffdope.calibration.calibrate import CalibrationSettings, calibrate
from diffdope.calibration.result import CalibrationResult
from diffdope.calibration.solution import CalibrationNoise
from diffdope.experiments.drawn_arm import drawn_arm, drawn_shot, looking_at, random_joints
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose

ARM = drawn_arm()
QUIET = CalibrationSettings(suggestions=0)
BLIND = CalibrationSettings(suggestions=0, noise=CalibrationNoise(zero_deg=1e-6))


def squares(result: CalibrationResult, pose: Pose) -> float:
    """How far off the pose is, in its covariance: about 1 a coordinate if that is right."""
    assert result.covariance is not None
    found = result.T_camera_base
    away = np.concatenate([found.t_m2c - pose.t_m2c, so3.log(found.R_m2c @ pose.R_m2c.T)])
    return float(away @ np.linalg.solve(result.covariance, away)) / 6.0


def both(seed: int, zeros_deg: float) -> tuple[CalibrationResult, CalibrationResult, Pose]:
    rng = np.random.default_rng([23, seed])
    pose, shots = looking_at(rng), []
    off = {name: np.radians(rng.normal(0.0, zeros_deg)) for name in ARM.needed}
    for k in range(5):
        values = random_joints(ARM, rng)
        told = {name: value - off[name] for name, value in values.items()}
        shots.append(drawn_shot(ARM, pose, values, name=str(k), images=("mask",), told=told))
    known, blind = (calibrate(ARM, shots, settings=settings, threads=1) for settings in (QUIET, BLIND))
    np.testing.assert_array_equal(known.T_camera_base.matrix, blind.T_camera_base.matrix)
    return known, blind, pose


def test_zeros_of_half_a_degree_are_in_the_covariance() -> None:
    """It was up to thirty times too small: who believes it drives the arm into what the camera sees."""
    known, blind = [], []
    for seed in range(3):
        one, other, pose = both(seed, 0.5)
        known.append(squares(one, pose))
        blind.append(squares(other, pose))
        assert one.zero_error_deg is not None and 0.1 < one.zero_error_deg < 1.5
    assert np.mean(known) < 4.0 < np.mean(blind)


def test_exact_zeros_add_little() -> None:
    one, other, pose = both(0, 0.0)
    assert one.zero_error_deg is not None and one.zero_error_deg < 0.05
    assert squares(one, pose) < 3.0
    assert one.covariance is not None and other.covariance is not None
    wider = np.sqrt(np.trace(one.covariance[:3, :3]) / np.trace(other.covariance[:3, :3]))
    print("WIDER", wider, np.sqrt(np.trace(one.covariance[:3, :3])), np.sqrt(np.trace(other.covariance[:3, :3])), squares(other, pose))
    assert wider < 5.0


def test_offsets_that_were_asked_for_are_in_it_already() -> None:
    rng = np.random.default_rng(5)
    pose = looking_at(rng)
    shots = []
    for k in range(4):
        values = random_joints(ARM, rng)
        shots.append(drawn_shot(ARM, pose, values, name=str(k), images=("mask",)))
    results = [calibrate(ARM, shots, joint_offsets=True, settings=one, threads=1) for one in (QUIET, BLIND)]
    assert results[0].zero_error_deg is None
    np.testing.assert_array_equal(results[0].covariance, results[1].covariance)
