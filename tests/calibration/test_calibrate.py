"""Where a camera stands, from drawn pictures of a drawn arm."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import binary_erosion

import diffdope as dd
from diffdope.calibration.assess import depth_off_mm, is_shaky
from diffdope.calibration.calibrate import CalibrationSettings, calibrate
from diffdope.calibration.result import CalibrationResult, PictureResidual
from diffdope.calibration.shots import Shot
from diffdope.calibration.solution import CalibrationNoise
from diffdope.errors import DiffDopeError
from diffdope.experiments.drawn_arm import CAMERA, drawn_arm, drawn_shot, looking_at, random_joints
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.note_codes import code_of
from diffdope.problem.failure import Status
from diffdope.scene.observation import Observation
from diffdope.scene.robot import Robot

ARM = drawn_arm()
QUIET = CalibrationSettings(suggestions=0)
MASTERED = CalibrationSettings(suggestions=0, noise=CalibrationNoise(zero_deg=0.01))


@cache
def drawn(seed: int, count: int, **how: Any) -> tuple[list[Shot], Pose]:
    """Tests must not change it."""
    rng = np.random.default_rng([5, seed])
    pose = looking_at(rng)
    return [drawn_shot(ARM, pose, random_joints(ARM, rng), name=str(k), **how) for k in range(count)], pose


def pictures(seed: int, count: int = 3, **how: Any) -> tuple[list[Shot], Pose]:
    shots, pose = drawn(seed, count, **how)
    return [*shots], pose


@cache
def undisturbed(seed: int, count: int = 3, **how: Any) -> CalibrationResult:
    """What comes of `pictures` as they were drawn: several tests compare with it."""
    return calibrate(ARM, pictures(seed, count, **how)[0], settings=QUIET)


def changed(shot: Shot, **images: Any) -> Shot:
    """With other images or joints."""
    joints = images.pop("joints", shot.joints)
    kept = {name: np.array(getattr(shot.observation, name)) for name in shot.observation.modalities}
    return Shot(Observation(CAMERA, **{**kept, **images}), joints, shot.name)


def error(result: CalibrationResult, pose: Pose) -> tuple[float, float]:
    """Millimetres and degrees."""
    found = result.T_camera_base
    return 1e3 * found.distance_to(pose), float(np.degrees(found.angle_to(pose)))


@pytest.mark.parametrize("images", [("mask",), ("mask", "depth")])
@pytest.mark.parametrize("seed", range(4))
def test_three_pictures_and_no_start(seed: int, images: tuple[str, ...]) -> None:
    result, pose = undisturbed(seed, images=images), pictures(seed, images=images)[1]
    millimetres, degrees = error(result, pose)
    assert result.status is Status.CONVERGED and result.ok
    assert millimetres < 1.0 and degrees < 0.05
    assert all(one.used and one.iou is not None and one.iou > 0.97 for one in result.pictures)


def test_depth_alone_from_a_rough_start() -> None:
    shots, pose = pictures(0, images=("depth",))
    start = pose.retract([0.04, -0.03, 0.05, 0.1, -0.08, 0.1])
    result = calibrate(ARM, shots, start=start, settings=QUIET)
    assert error(result, pose)[0] < 1.0 and error(result, pose)[1] < 0.05
    assert result.mask_border_px is None and result.depth_scale is not None


def test_joint_noise_widens_the_covariance_and_little_else() -> None:
    squares = []
    for seed in range(4):
        rng = np.random.default_rng([9, seed])
        shots, pose = pictures(seed, 4)
        noisy = [
            changed(shot, joints={name: value + np.radians(0.5) * rng.normal() for name, value in shot.joints.items()})
            for shot in shots
        ]
        exact, result = (calibrate(ARM, some, settings=MASTERED) for some in (shots, noisy))
        assert error(result, pose)[0] < 3.0
        assert result.covariance is not None and exact.covariance is not None
        assert np.trace(result.covariance) > 3.0 * np.trace(exact.covariance)
        assert result.joint_error_deg is not None and exact.joint_error_deg is not None
        assert 0.1 < result.joint_error_deg < 1.0 and exact.joint_error_deg < 0.1
        xi = np.concatenate([
            result.T_camera_base.t_m2c - pose.t_m2c, so3.log(result.T_camera_base.R_m2c @ pose.R_m2c.T)
        ])  # fmt: skip
        squares.append(float(xi @ np.linalg.solve(result.covariance, xi)))
    assert 0.5 < np.median(squares) < 14.0  # 5.3 for a Gaussian of six


def test_a_bad_picture_is_left_out_and_named(rng: np.random.Generator) -> None:
    shots, pose = pictures(1, 4)
    shots[2] = changed(shots[2], joints=random_joints(ARM, rng))
    result = calibrate(ARM, shots, settings=QUIET)
    assert error(result, pose)[0] < 1.0 and error(result, pose)[1] < 0.05
    assert [one.used for one in result.pictures] == [True, True, False, True]
    assert any(note.startswith("2: left out: it does not fit where the other pictures do") for note in result.notes)
    assert "picture-left-out" in result.note_codes and "other" not in result.note_codes


def test_offsets_of_joints_are_found_where_they_are_asked_for() -> None:
    offsets = dict(zip(ARM.needed, np.radians([0.0, 0.8, -0.6, 0.5, 0.7, 0.0]), strict=True))
    shots, pose = pictures(2, 6, images=("mask", "depth"))
    told = [changed(one, joints={name: value - offsets[name] for name, value in one.joints.items()}) for one in shots]
    plain, asked = (calibrate(ARM, told, joint_offsets=wanted, settings=QUIET) for wanted in (False, True))
    assert not plain.joint_offsets_deg
    for name in ARM.needed[1:5]:
        found = asked.joint_offsets_deg[name]
        assert found.value == pytest.approx(np.degrees(offsets[name]), abs=max(3.0 * found.deviation, 0.1))
    assert error(asked, pose)[0] < 1.0 and error(asked, pose)[1] < 0.1


def test_depth_that_reads_too_far_is_told_with_its_size() -> None:
    shots, pose = pictures(3, images=("mask", "depth"))
    far = [changed(one, depth=1.02 * np.array(one.observation.depth)) for one in shots]
    result = calibrate(ARM, far, settings=QUIET)
    assert error(result, pose)[0] < 2.0
    assert result.depth_scale is not None and result.depth_scale.value == pytest.approx(0.02, abs=0.003)
    assert any("depths read" in note and "too far" in note for note in result.notes)
    assert "depth-beside-outlines" in result.note_codes and "other" not in result.note_codes
    assert result.contradiction is not None
    right = undisturbed(3, images=("mask", "depth"))
    assert not any("depths read" in note for note in right.notes)


def test_masks_that_are_too_narrow_all_around() -> None:
    shots, pose = pictures(0)
    narrow = [changed(one, mask=binary_erosion(np.array(one.observation.mask) > 0.5, iterations=2)) for one in shots]
    result = calibrate(ARM, narrow, settings=QUIET)
    assert result.mask_border_px is not None and -2.6 < result.mask_border_px.value < -1.4
    assert error(result, pose)[0] < 1.0 and error(result, pose)[1] < 0.15


def test_masks_of_nothing_that_looks_like_the_robot_find_nothing() -> None:
    shots, _ = pictures(0)
    disc = np.hypot(*np.mgrid[-240:240, -320:320]) < 60.0
    result = calibrate(ARM, [changed(one, mask=disc) for one in shots], settings=QUIET)
    assert not result.ok


@pytest.mark.parametrize("images", [("mask",), ("mask", "depth")])
def test_a_first_joint_whose_zero_is_wrong_turns_the_camera_and_is_told(images: tuple[str, ...]) -> None:
    shots, pose = pictures(2, 6, images=images)
    first = ARM.needed[0]
    told = [changed(one, joints={**one.joints, first: one.joints[first] + np.radians(10.0)}) for one in shots]
    result, right = calibrate(ARM, told, settings=QUIET), undisturbed(2, 6, images=images)
    assert error(result, pose)[1] > 5.0
    assert any(f"the zero of {first}" in note for note in result.notes)
    assert {"joint-zero", "link-misfit"} & {*result.note_codes} and "other" not in result.note_codes
    assert not any("the zero of" in note or "drawn" in note for note in right.notes) and right.ok
    if "depth" in images:  # masks alone may lack a part of the foot
        assert result.status is Status.AMBIGUOUS and not result.ok


@pytest.mark.parametrize("joint", [0, 2])
@pytest.mark.parametrize("images", [("mask",), ("mask", "depth")])
def test_a_zero_that_is_two_degrees_off_in_all_pictures_is_named_with_its_size(
    joint: int, images: tuple[str, ...]
) -> None:
    """All pictures agree on the wrong camera: leaving one out tells nothing."""
    shots, _ = pictures(2, 6, images=images)
    name = ARM.needed[joint]
    told = [changed(one, joints={**one.joints, name: one.joints[name] + np.radians(2.0)}) for one in shots]
    notes = [note for note in calibrate(ARM, told, settings=QUIET).notes if code_of(note) == "joint-zero"]
    assert len(notes) == 1
    found = re.match(rf"the zero of {name} by (\S+) ", notes[0])
    assert found is not None and float(found[1]) == pytest.approx(-2.0, abs=0.1)
    assert not any(code_of(note) == "joint-zero" for note in undisturbed(2, 6, images=images).notes)


def test_a_zero_that_is_nine_degrees_off_is_named_and_found() -> None:
    """What does not fit where the other links lead counts as an outlier there, and said nothing."""
    shots, pose = pictures(3, 6, images=("mask", "depth"))
    told = [changed(one, joints={**one.joints, "joint3": one.joints["joint3"] - np.radians(9.0)}) for one in shots]
    plain, asked = (calibrate(ARM, told, joint_offsets=wanted, settings=QUIET) for wanted in (False, True))
    (note,) = [one for one in plain.notes if one.startswith("the zero of")]
    assert note.startswith("the zero of joint3 by ")
    assert float(note.removeprefix("the zero of joint3 by ").split()[0]) == pytest.approx(9.0, abs=0.3)
    assert asked.joint_offsets_deg["joint3"].value == pytest.approx(9.0, abs=0.3)
    assert asked.ok and error(asked, pose)[0] < 2.0 and error(asked, pose)[1] < 0.15


def test_a_small_foot_tells_that_the_first_zero_turned_the_camera() -> None:
    foot = replace(ARM.links[0], vertices_m=0.6 * ARM.links[0].vertices_m)
    arm = Robot([foot, *ARM.links[1:]], ARM.joints, name="small foot")
    rng = np.random.default_rng(6)
    pose = looking_at(rng)
    shots = [drawn_shot(arm, pose, random_joints(arm, rng), name=str(k), images=("mask", "depth")) for k in range(6)]
    first = arm.needed[0]
    told = [changed(one, joints={**one.joints, first: one.joints[first] + np.radians(2.5)}) for one in shots]
    result, right = (calibrate(arm, given, settings=QUIET) for given in (told, shots))
    assert right.ok and error(right, pose)[0] < 1.0
    assert error(result, pose)[1] > 2.0 and result.status is Status.AMBIGUOUS
    assert any(note.startswith(f"the zero of {first} by -2.") for note in result.notes)


def test_links_are_looked_at_with_the_offsets_that_were_asked_for() -> None:
    shots, _ = pictures(2, 6, images=("mask", "depth"))
    name = ARM.needed[2]
    told = [changed(one, joints={**one.joints, name: one.joints[name] + np.radians(2.0)}) for one in shots]
    result = calibrate(ARM, told, joint_offsets=True, settings=QUIET)
    assert result.ok and not {"link-misfit", "joint-zero"} & {*result.note_codes}


def test_a_joint_that_turns_the_other_way_is_told_by_the_links_that_it_moves() -> None:
    shots, pose = pictures(2, 6, images=("mask", "depth"))
    last = ARM.needed[-2]
    told = [changed(one, joints={**one.joints, last: -one.joints[last]}) for one in shots]
    result = calibrate(ARM, told, settings=QUIET)
    assert error(result, pose)[0] < 5.0 and result.ok
    assert any("a joint's zero or sign" in note for note in result.notes)


def test_a_camera_that_was_moved_between_the_pictures_is_not_found() -> None:
    shots, pose = pictures(1, 6, images=("mask", "depth"))
    away = pose.retract([0.05, 0.04, -0.02, 0.05, -0.06, 0.04])
    moved = [drawn_shot(ARM, away, one.joints, name=one.name, images=("mask", "depth")) for one in shots[3:]]
    result = calibrate(ARM, [*shots[:3], *moved], settings=QUIET)
    assert not result.ok
    assert any("was the camera or the robot's base moved" in note for note in result.notes)
    assert "pictures-disagree" in result.note_codes and "other" not in result.note_codes


def without_base() -> Robot:
    """The arm with nothing at its foot, as masks show it that lack the base link."""
    links = [ARM.links[0].__class__("link0", np.zeros((0, 3)), np.zeros((0, 3), np.int64)), *ARM.links[1:]]
    return Robot(links, ARM.joints, name="without base")


@pytest.mark.parametrize(("seed", "found"), [(0, True), (2, False), (7, False)])
def test_masks_without_the_base_are_never_sure_and_wrong(seed: int, found: bool) -> None:
    rng = np.random.default_rng([11, seed])
    pose, part = looking_at(rng), without_base()
    shots = [drawn_shot(part, pose, random_joints(ARM, rng), name=str(k)) for k in range(3)]
    result = calibrate(ARM, shots, settings=QUIET)
    assert result.ok == (error(result, pose)[0] < 10.0)
    if found:
        assert result.ok and error(result, pose)[0] < 1.0
    elif not result.ok:
        assert result.status is Status.FAILED or any(note.startswith("not sure: ") for note in result.notes)


def test_leave_one_out_and_suggestions() -> None:
    shots, pose = pictures(1, 4)
    known = CalibrationNoise(zero_deg=0.01)  # what zeros do to the camera, more pictures do not take away
    result = calibrate(ARM, shots, settings=CalibrationSettings(suggestions=2, noise=known))
    assert result.leave_one_out_mm is not None and 0.0 < result.leave_one_out_mm < 2.0
    assert len(result.suggestions) == 2
    more = []
    for one in result.suggestions:
        assert 0.0 < one.gain < 1.0
        for joint in ARM.moving:
            assert joint.lower <= one.joints[joint.name] <= joint.upper
        more.append(drawn_shot(ARM, pose, dict(one.joints), name=f"more {len(more)}"))
    again = calibrate(ARM, [*shots, *more], settings=MASTERED)
    assert result.covariance is not None and again.covariance is not None
    assert np.linalg.det(again.covariance) < np.linalg.det(result.covariance)
    two = calibrate(ARM, shots[:2], settings=QUIET)
    assert two.leave_one_out_mm is None


@pytest.mark.parametrize("images", [("mask",), ("mask", "depth")])
@pytest.mark.parametrize("seed", range(3))
def test_joints_that_belong_to_the_next_picture_are_never_a_calibration(seed: int, images: tuple[str, ...]) -> None:
    shots, _ = pictures(seed, 6, images=images)
    following = [*shots[1:], shots[0]]
    late = [changed(one, joints=other.joints) for one, other in zip(shots, following, strict=True)]
    result = calibrate(ARM, late, settings=QUIET)
    assert not result.ok and (result.status is Status.FAILED or result.notes)
    assert not {"pictures-mirrored", "joints-exchanged"} & {*result.note_codes}


def test_disagreement_is_told_in_millimetres() -> None:
    assert is_shaky((25.0, 0.1)) and is_shaky((1.0, 2.5)) and not is_shaky((19.0, 1.9))
    one = PictureResidual("0", True, "", depth_mm=50.0)
    assert depth_off_mm([one, one, replace(one, depth_mm=-1.0)], 1.0) == 50.0
    assert depth_off_mm([one, one], 2.0) is None  # 2.5 %: a depth camera's error
    assert depth_off_mm([replace(one, used=False)], 1.0) is None


def test_poor_choices_of_configurations_are_named() -> None:
    shots, _ = pictures(2)
    one = calibrate(ARM, shots[:1], settings=QUIET)
    assert any(note.startswith("one picture:") for note in one.notes)
    assert "few-pictures" in one.note_codes
    pose, joints = pictures(2)[1], dict(shots[0].joints)
    turned = [drawn_shot(ARM, pose, {**joints, "joint1": value}, name=str(value)) for value in (-0.8, 0.0, 0.8)]
    alone = calibrate(ARM, turned, settings=QUIET)
    assert any(note.startswith("only joint1 moves between the pictures") for note in alone.notes)
    same = calibrate(ARM, [Shot(shots[0].observation, joints, name) for name in "abc"], settings=QUIET)
    assert any("same configuration in all pictures" in note for note in same.notes)


def test_a_start_that_is_wrong_is_not_believed_where_there_are_masks() -> None:
    shots, pose = pictures(2)
    result = calibrate(ARM, shots, start=pose.inverse(), settings=QUIET)  # the most usual mistake
    assert result.ok and error(result, pose)[0] < 1.0
    assert any("from the start: is that T_camera_base" in note for note in result.notes)
    assert "start-elsewhere" in result.note_codes and "other" not in result.note_codes
    near = calibrate(ARM, shots, start=pose.retract([0.03, 0, 0, 0.1, 0, 0]), settings=QUIET)
    assert error(near, pose)[0] < 1.0 and not any("from the start" in note for note in near.notes)


def test_the_same_pictures_give_the_same_result() -> None:
    shots, pose = pictures(0)
    start = pose.retract([0.05, 0.0, 0.05, 0.05, 0.05, 0.0])
    one, two = (calibrate(ARM, shots, start=start, seed=3, settings=QUIET, threads=n) for n in (1, 2))
    assert one.T_camera_base.matrix == pytest.approx(two.T_camera_base.matrix, abs=1e-9)


def test_public_names_and_bad_arguments() -> None:
    assert dd.calibrate is calibrate and dd.CalibrationResult is CalibrationResult and dd.Shot is Shot
    shots, _ = pictures(0)
    rgb = Shot(Observation(CAMERA, rgb=np.zeros((480, 640, 3), np.uint8)), shots[0].joints, "x")
    bare = Shot(pictures(0, images=("depth",))[0][0].observation, shots[0].joints)
    with pytest.raises(DiffDopeError, match="x: expected a mask or depth, got rgb; give masks of the robot"):
        calibrate(ARM, [rgb])
    with pytest.raises(DiffDopeError, match="shots: expected masks, or a start pose, got neither"):
        calibrate(ARM, [bare])
    with pytest.raises(DiffDopeError, match="shots: expected at least one picture, got none"):
        calibrate(ARM, [])
    with pytest.raises(DiffDopeError, match="shots: expected each name once"):
        calibrate(ARM, [shots[0], shots[0]])
    with pytest.raises(DiffDopeError, match="joints of 0: expected values of the joints"):
        calibrate(ARM, [Shot(shots[0].observation, {"joint1": 0.0}, "0")])
    with pytest.raises(DiffDopeError, match="start: expected a Pose or a matrix"):
        calibrate(ARM, shots, start="here")  # type: ignore[arg-type]
    with pytest.raises(DiffDopeError, match="robot: expected a Robot, got str; load_robot reads a URDF"):
        calibrate("arm.urdf", shots)  # type: ignore[arg-type]


@pytest.mark.parametrize("in_step", [True, False])
def test_masks_of_two_arms(in_step: bool) -> None:
    """In step, either of them fits all pictures; else the other one is passed over."""
    rng = np.random.default_rng(3)
    pose = looking_at(rng)
    beside, shots = pose @ Pose(np.eye(3), np.array([0.0, 0.6, 0.0])), []
    for k in range(5):
        joints = random_joints(ARM, rng)
        both = [
            drawn_shot(ARM, place, values, name=str(k))
            for place, values in ((pose, joints), (beside, joints if in_step else random_joints(ARM, rng)))
        ]
        shots.append(changed(both[0], mask=np.maximum(*(one.observation.mask for one in both))))
    result = calibrate(ARM, shots, settings=QUIET)
    if not in_step:
        assert result.status is Status.CONVERGED and error(result, pose)[0] < 1.0
        return
    assert result.status is Status.AMBIGUOUS
    found = [result, *(replace(result, T_camera_base=one) for one in result.alternatives)]
    for place in (pose, beside):
        assert min(error(one, place)[0] for one in found) < 5.0
    assert any("give masks of one, or a start" in note for note in result.notes)
    assert calibrate(ARM, shots, start=pose, settings=QUIET).status is Status.CONVERGED


def mirrored(shot: Shot) -> Shot:
    return changed(shot, **{name: np.array(getattr(shot.observation, name))[:, ::-1].copy()
                            for name in shot.observation.modalities})  # fmt: skip


@pytest.mark.parametrize("images", [("mask",), ("mask", "depth")])
def test_mirrored_pictures_are_named_and_no_camera_of_theirs_is_believed(images: tuple[str, ...]) -> None:
    """Of seed 1 the mirrored robot fits well enough to have been believed."""
    shots, _ = pictures(1, 6, images=images)
    result = calibrate(ARM, [mirrored(one) for one in shots], settings=QUIET)
    assert result.status is Status.FAILED and result.note_codes[0] == "pictures-mirrored"
    assert result.message == result.notes[0]
    assert result.message.startswith("with the pictures mirrored, left and right, 6 of 6 pictures fit one place")


def ordered(shot: Shot, order: list[str]) -> Shot:
    return changed(shot, joints=dict(zip(ARM.needed, [shot.joints[name] for name in order], strict=True)))


@pytest.mark.parametrize(
    ("order", "named"),
    [([0, 2, 1, 3, 4, 5], "the values of joint2 and joint3 exchanged"), ([5, 4, 3, 2, 1, 0], "in reverse order")],
)
def test_joints_in_another_order_are_named(order: list[int], named: str) -> None:
    shots, _ = pictures(0, 6)
    names = [ARM.needed[n] for n in order]
    result = calibrate(ARM, [ordered(one, names) for one in shots], settings=QUIET)
    assert not result.ok and result.note_codes[0] == "joints-exchanged"
    assert named in result.notes[0] and "are the values in another order than the names?" in result.notes[0]


def test_joints_that_count_the_other_way_and_degrees_are_named() -> None:
    shots, pose = pictures(0, 6, images=("mask", "depth"))
    for factors, named in (
        ({"joint2": -1.0}, "the value of joint2 negated"),
        (dict.fromkeys(ARM.needed, -1.0), "all angles negated"),
        (dict.fromkeys(ARM.needed, np.degrees(1.0)), "taken for degrees"),
    ):
        wrong = [
            changed(one, joints={name: value * factors.get(name, 1.0) for name, value in one.joints.items()})
            for one in shots
        ]
        result = calibrate(ARM, wrong, settings=QUIET)
        assert result.note_codes[0] == "joints-exchanged" and named in result.notes[0]
        assert not result.ok or not is_shaky(error(result, pose))


def test_joints_that_ros_sorts_by_the_alphabet_are_named() -> None:
    """UR's, of which the elbow comes first, and the shoulder's pan third."""
    called = dict(zip(ARM.needed, ("pan", "lift", "elbow", "wrist_1", "wrist_2", "wrist_3"), strict=True))
    arm = Robot(ARM.links, [replace(one, name=called.get(one.name, one.name)) for one in ARM.joints], name="named")
    shots, _ = pictures(0, 6)
    values = [{called[name]: value for name, value in one.joints.items() if name in called} for one in shots]
    told = [dict(zip(called.values(), [one[name] for name in sorted(one)], strict=True)) for one in values]
    result = calibrate(arm, [changed(one, joints=j) for one, j in zip(shots, told, strict=True)], settings=QUIET)
    assert result.note_codes[0] == "joints-exchanged" and "in the order of the alphabet" in result.notes[0]
    right = calibrate(arm, [changed(one, joints=j) for one, j in zip(shots, values, strict=True)], settings=QUIET)
    assert right.ok and not right.notes
