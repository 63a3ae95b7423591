"""Zeros that are off in all pictures alike, which nobody asked for: what the covariance knows of them."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.calibration.calibrate import CalibrationSettings, calibrate
from diffdope.calibration.estimate import FINE_REACH, Estimator
from diffdope.calibration.result import CalibrationResult
from diffdope.calibration.shots import arm_shots, checked_shots
from diffdope.calibration.solution import CalibrationNoise, Solution
from diffdope.experiments.drawn_arm import drawn_arm, drawn_shot, looking_at, random_joints
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.note_codes import NoteCode

ARM = drawn_arm()
QUIET = CalibrationSettings(suggestions=0)


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
    known = calibrate(ARM, shots, settings=QUIET, threads=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Solution, "by_zeros", lambda self, zero_rad: np.zeros_like(self.information))
        blind = calibrate(ARM, shots, settings=QUIET, threads=1)
    np.testing.assert_array_equal(known.T_camera_base.matrix, blind.T_camera_base.matrix)
    return known, blind, pose


def test_zeros_of_half_a_degree_are_in_the_covariance() -> None:
    """They were not: the squares of errors were thirty times as large as stated, of arms whose axes are parallel."""
    known, blind = [], []
    for seed in range(3):
        one, other, pose = both(seed, 0.5)
        known.append(squares(one, pose))
        blind.append(squares(other, pose))
        assert one.zero_error_deg is not None and 0.1 < one.zero_error_deg < 1.0
    assert np.mean(known) < 2.0 and np.mean(known) < 0.5 * np.mean(blind)


def test_exact_zeros_add_little() -> None:
    one, other, pose = both(0, 0.0)
    assert one.zero_error_deg is not None and one.zero_error_deg < 0.12
    assert squares(one, pose) < 3.0
    assert one.covariance is not None and other.covariance is not None
    wider = np.sqrt(np.trace(one.covariance[:3, :3]) / np.trace(other.covariance[:3, :3]))
    assert wider < 5.0


def test_one_configuration_names_no_zero() -> None:
    """Pictures of one configuration bear each other out about the wrong joint."""
    rng = np.random.default_rng(4)
    pose, values = looking_at(rng), random_joints(ARM, rng)
    told = {name: value + np.radians(rng.normal(0.0, 0.7)) for name, value in values.items()}
    shots = [
        drawn_shot(ARM, pose, values, name=str(k), images=("mask", "depth"), told=told, rng=rng, depth_noise_m=1e-3)
        for k in range(5)
    ]
    result = calibrate(ARM, shots, settings=QUIET, threads=1)
    assert NoteCode.JOINT_ZERO not in result.note_codes and NoteCode.MOTIONS_ALIKE in result.note_codes


def test_the_camera_s_deviation_is_that_of_its_centre() -> None:
    """By moving the base as the covariance has it."""
    result, _, _ = both(1, 0.5)
    assert result.covariance is not None and result.camera_deviation is not None
    steps = np.random.default_rng(0).multivariate_normal(np.zeros(6), result.covariance, 4000)
    T, R = result.T_camera_base, result.T_camera_base.R_m2c
    moved = [Pose(so3.exp(one[3:]) @ R, T.t_m2c + one[:3]).inverse().t_m2c for one in steps]
    away = np.linalg.norm(np.array(moved) - T.inverse().t_m2c, axis=1)
    assert 1e3 * np.sqrt(np.mean(away**2)) == pytest.approx(result.camera_deviation[0], rel=0.05)


def test_offsets_that_were_asked_for_are_in_it_already() -> None:
    rng = np.random.default_rng(5)
    pose = looking_at(rng)
    shots = []
    for k in range(4):
        values = random_joints(ARM, rng)
        shots.append(drawn_shot(ARM, pose, values, name=str(k), images=("mask",)))
    less = CalibrationSettings(suggestions=0, noise=CalibrationNoise(zero_deg=0.01))
    results = [calibrate(ARM, shots, joint_offsets=True, settings=one, threads=1) for one in (QUIET, less)]
    assert results[0].zero_error_deg is None
    np.testing.assert_array_equal(results[0].covariance, results[1].covariance)


def test_steps_that_are_left_are_no_zeros() -> None:
    """What a pose that is not at its end pulls was read as zeros of five degrees, and the camera was unsure by it."""
    rng = np.random.default_rng(6)
    pose, shots = looking_at(rng), []
    for k in range(3):
        values = random_joints(ARM, rng)
        shots.append(drawn_shot(ARM, pose, values, name=str(k), images=("mask",)))
    estimator = Estimator(arm_shots(ARM, checked_shots(shots)), CalibrationNoise(), size=160, offsets=False, threads=1)
    off = Pose(pose.R_m2c, pose.t_m2c + np.array([0.004, -0.003, 0.0]))
    begun = estimator.solve(off, FINE_REACH, rounds=1, joint_rad=float(np.radians(0.1)))
    assert np.degrees(begun.zero_rad(float(np.radians(0.2)))) < 0.3
