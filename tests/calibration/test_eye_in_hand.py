"""Where a camera is on a hand, from drawn pictures of an object that stands still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import diffdope as dd
from diffdope.calibration.eye_in_hand.calibrate import EyeInHandSettings, calibrate_eye_in_hand
from diffdope.calibration.eye_in_hand.result import EyeInHandResult
from diffdope.calibration.eye_in_hand.shots import HandShot
from diffdope.errors import DiffDopeError
from diffdope.experiments.drawn_arm import drawn_arm, random_joints
from diffdope.experiments.drawn_hand import HandTruth, drawn_hand, drawn_target
from diffdope.experiments.shapes import painted, plain, tube
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Status
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

ARM, TARGET = drawn_arm(), drawn_target()
QUIET = EyeInHandSettings(suggestions=0)


@cache
def drawn(seed: int, count: int, **how: Any) -> tuple[list[HandShot], HandTruth]:
    """With all images; tests must not change it."""
    return drawn_hand(ARM, seed, count, TARGET, images=("rgb", "depth", "mask"), **how)


def hand(seed: int, count: int, images: Sequence[str] = ("mask",), **how: Any) -> tuple[list[HandShot], HandTruth]:
    """What `drawn_hand` draws for those images, which are the same whatever is drawn beside them."""
    shots, truth = drawn(seed, count, **how)
    kept = [{name: getattr(shot.observation, name) for name in images} for shot in shots]
    return [
        replace(shot, observation=Observation(shot.observation.camera, **given))
        for shot, given in zip(shots, kept, strict=True)
    ], truth


def error(result: EyeInHandResult, truth: HandTruth) -> tuple[float, float]:
    X = result.T_flange_camera
    return 1e3 * X.distance_to(truth.T_flange_camera), float(np.degrees(X.angle_to(truth.T_flange_camera)))


@pytest.mark.parametrize("images", [("mask",), ("mask", "depth"), ("depth",)])
def test_five_pictures_and_no_start(images: Sequence[str]) -> None:
    shots, truth = hand(0, 5, images=images)
    result = calibrate_eye_in_hand(TARGET, shots, robot=ARM, settings=QUIET)
    assert result.status is Status.CONVERGED and all(one.used for one in result.pictures)
    assert error(result, truth)[0] < 1.0 and error(result, truth)[1] < 0.05
    assert result.T_base_object.distance_to(truth.T_base_object) < 1e-3
    assert result.leave_one_out_mm is not None and result.leave_one_out_mm < 2.0
    assert result.flange == "link6" and result.base == "link0"


def test_joint_noise_is_told_and_widens_the_covariance() -> None:
    squares = []
    for seed in range(3):
        shots, truth = hand(seed, 5, images=("mask", "depth"), joint_noise_deg=0.5)
        result = calibrate_eye_in_hand(TARGET, shots, robot=ARM, settings=QUIET)
        assert result.ok and result.joint_error_deg is not None and 0.2 < result.joint_error_deg < 1.0
        X = result.T_flange_camera
        xi = np.concatenate([
            X.t_m2c - truth.T_flange_camera.t_m2c, so3.log(X.R_m2c @ truth.T_flange_camera.R_m2c.T)
        ])  # fmt: skip
        assert result.covariance is not None
        squares.append(float(xi @ np.linalg.solve(result.covariance, xi)))
    assert 0.5 < np.median(squares) < 14.0  # 5.3 for a Gaussian of six


def test_pictures_of_other_joint_values_are_left_out_and_named(rng: np.random.Generator) -> None:
    shots, truth = hand(1, 6, images=("mask", "depth"))
    for k in (1, 4):
        shots[k] = HandShot(shots[k].observation, random_joints(ARM, rng), name=shots[k].name)
    result = calibrate_eye_in_hand(TARGET, shots, robot=ARM, settings=QUIET)
    assert result.ok and error(result, truth)[0] < 1.0
    assert [one.used for one in result.pictures] == [True, False, True, True, False, True]
    assert any(note.startswith("1: left out: ") for note in result.notes)
    assert "picture-left-out" in result.note_codes and "other" not in result.note_codes


def test_something_round_is_as_good() -> None:
    points, triangles = tube(48, 12, 0.04, 0.12)
    can = painted("can", points, triangles, plain)
    shots, truth = drawn_hand(ARM, 1, 6, can, images=("mask", "depth"))
    result = calibrate_eye_in_hand(can, shots, robot=ARM, settings=QUIET)
    assert result.ok and error(result, truth)[0] < 1.0 and error(result, truth)[1] < 0.05


def test_turns_about_one_axis_are_named_and_not_used() -> None:
    held = tuple(f"joint{n}" for n in range(1, 6))
    shots, truth = hand(0, 5, images=("mask", "depth"), held=held)
    result = calibrate_eye_in_hand(TARGET, shots, robot=ARM, settings=QUIET)
    assert result.status is Status.AMBIGUOUS and result.unobserved is not None and len(result.unobserved) == 2
    assert any(note.startswith("the flange turns about one axis only") for note in result.notes)
    assert "motions-alike" in result.note_codes and "other" not in result.note_codes
    known = calibrate_eye_in_hand(TARGET, shots, robot=ARM, target=truth.T_base_object, settings=QUIET)
    assert known.ok and error(known, truth)[0] < 1.0


def test_one_picture_of_a_known_target_and_flange_poses() -> None:
    shots, truth = hand(1, 1, images=("mask", "depth"), poses=True)
    result = calibrate_eye_in_hand(TARGET, shots, target=truth.T_base_object, settings=QUIET)
    assert result.ok and error(result, truth)[0] < 1.0
    alone = calibrate_eye_in_hand(TARGET, shots, settings=QUIET)
    assert not alone.ok and alone.message.startswith("one picture leaves open where the camera is on the hand")


@pytest.mark.parametrize(("images", "known"), [(("mask", "depth"), False), (("mask",), True)])
def test_flange_poses_that_are_the_wrong_way_round_are_named(images: Sequence[str], known: bool) -> None:
    shots, truth = hand(0, 6, images=images, poses=True)
    poses = [shot.T_base_flange for shot in shots]
    given = {"start": truth.T_flange_camera, "target": truth.T_base_object} if known else {}
    right = calibrate_eye_in_hand(TARGET, shots, settings=QUIET, **given)
    assert right.ok and error(right, truth)[0] < 1.0
    inverse = [replace(shot, T_base_flange=pose.inverse()) for shot, pose in zip(shots, poses, strict=True) if pose]
    result = calibrate_eye_in_hand(TARGET, inverse, settings=QUIET, **given)
    assert not result.ok and result.note_codes[0] == "flange-inverse" and result.message == result.notes[0]
    assert "6 of 6 pictures fit" in result.message and result.message.endswith("Give their inverses, T_base_flange")
    mixed = [replace(shot, T_base_flange=pose) for shot, pose in zip(shots, poses[2:] + poses[:2], strict=True)]
    other = calibrate_eye_in_hand(TARGET, mixed, settings=QUIET, **given)
    assert not other.ok and "flange-inverse" not in other.note_codes


def shifted(pose: Pose, shift_m: Sequence[float]) -> Pose:
    return Pose(pose.R_m2c, pose.t_m2c + np.asarray(shift_m))


@pytest.mark.parametrize("joint_noise_deg", [0.0, 0.5])
def test_a_target_that_is_elsewhere_is_named_and_the_camera_without_it_given(joint_noise_deg: float) -> None:
    shots, truth = hand(0, 5, joint_noise_deg=joint_noise_deg)
    right = calibrate_eye_in_hand(TARGET, shots, robot=ARM, target=truth.T_base_object, settings=QUIET)
    assert right.status is Status.CONVERGED and not right.notes
    wrong = shifted(truth.T_base_object, (0.012, -0.016, 0.0))  # 20 mm
    told = calibrate_eye_in_hand(TARGET, shots, robot=ARM, target=wrong, settings=QUIET)
    assert told.status is Status.AMBIGUOUS and "contradict the target" in told.message
    (note,) = [one for one in told.notes if one.startswith("target: ")]
    assert 15.0 < float(note.split(" mm")[0].split()[-1]) < 25.0
    assert told.alternatives[0].distance_to(truth.T_flange_camera) < (0.001 if joint_noise_deg == 0.0 else 0.005)
    loose = calibrate_eye_in_hand(
        TARGET, shots, robot=ARM, target=wrong, target_sigma=(0.02, 2.0), settings=QUIET
    )  # fmt: skip
    assert loose.status is Status.CONVERGED and error(loose, truth)[0] < 5.0


@pytest.mark.parametrize("count", [1, 4])
@pytest.mark.parametrize("with_start", [False, True])
def test_a_target_in_millimetres_is_told(count: int, with_start: bool) -> None:
    shots, truth = hand(1, count)
    place = truth.T_base_object
    target = Pose(place.R_m2c, 1e3 * place.t_m2c)
    start = truth.T_flange_camera if with_start else None
    result = calibrate_eye_in_hand(TARGET, shots, robot=ARM, target=target, start=start, settings=QUIET)
    assert result.status is Status.FAILED
    assert result.notes[0].startswith("target: ") and "in millimetres it would fit" in result.notes[0]
    assert result.note_codes[0] == "target-elsewhere"


def test_what_does_not_fit_is_not_found() -> None:
    shots, _ = hand(0, 5, images=("mask", "depth"))
    other = [HandShot(one.observation, random_joints(ARM, np.random.default_rng(k))) for k, one in enumerate(shots)]
    assert not calibrate_eye_in_hand(TARGET, other, robot=ARM, settings=QUIET).ok
    small = Mesh(0.8 * TARGET.vertices_m, TARGET.faces)
    assert not calibrate_eye_in_hand(small, shots, robot=ARM, settings=QUIET).ok


def test_suggestions_lie_within_limits_and_tell_more() -> None:
    shots, _ = hand(2, 4)
    result = calibrate_eye_in_hand(TARGET, shots, robot=ARM, settings=EyeInHandSettings(suggestions=2))
    assert len(result.suggestions) == 2
    for one in result.suggestions:
        assert 0.0 < one.gain < 1.0
        for joint in ARM.moving:
            assert joint.lower <= one.joints[joint.name] <= joint.upper


def test_arguments_that_fit_nothing_are_refused() -> None:
    assert dd.calibrate_eye_in_hand is calibrate_eye_in_hand and dd.HandShot is HandShot
    shots, truth = hand(0, 2, images=("rgb",))
    with pytest.raises(DiffDopeError, match="0: expected a mask or depth, got rgb"):
        calibrate_eye_in_hand(TARGET, shots, robot=ARM)
    with pytest.raises(DiffDopeError, match="robot: expected a Robot, for 0 has joints"):
        calibrate_eye_in_hand(TARGET, shots)
    with pytest.raises(DiffDopeError, match="flange: expected a link of drawn arm"):
        calibrate_eye_in_hand(TARGET, shots, robot=ARM, flange="tool0")
    with pytest.raises(DiffDopeError, match="HandShot: expected either joints or T_base_flange, got neither"):
        HandShot(shots[0].observation)
    with pytest.raises(DiffDopeError, match="joints of x: expected values of the joints"):
        calibrate_eye_in_hand(TARGET, [HandShot(shots[0].observation, {"joint1": 0.0}, name="x")], robot=ARM)
    with pytest.raises(DiffDopeError, match="target_sigma: expected two deviations"):
        calibrate_eye_in_hand(TARGET, shots, robot=ARM, target=truth.T_base_object, target_sigma=(0.01, 0.0))
