"""Rows of outlines and depths: their derivatives are differences of what is drawn elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.calibration.rows import ShotCrop, depth_rows, expected_rows, outline_rows, outline_support
from diffdope.calibration.shots import ArmShot, arm_shots, joint_rows, turned_about
from diffdope.experiments.drawn_arm import CAMERA, drawn_arm, drawn_shot, looking_at, random_joints
from diffdope.geometry.pose import Pose
from diffdope.scene.observation import Observation

F64 = NDArray[np.float64]
ROBOT = drawn_arm()
ALONG = ("joint4", "joint6")  # turn the arm about its own length: outlines move by less than a pixel
# Where between two pixels a mask ends is known to a tenth of one: outlines must move by some pixels to be compared.
LONGER = {"mask": 3.0, "depth": 1.0}


def drawn(seed: int) -> tuple[ArmShot, Pose]:
    rng = np.random.default_rng(seed)
    pose, joints = looking_at(rng), random_joints(ROBOT, rng)
    shot = drawn_shot(ROBOT, pose, joints, images=("mask", "depth"), whole_pixels=False)
    (arm,) = arm_shots(ROBOT, [shot])
    return arm, pose


def rows_at(arm: ArmShot, pose: Pose, kind: str, at: Pose | None = None) -> tuple[F64, F64, F64]:
    """Residuals, and derivatives by the pose and by joints, in the crop of another pose."""
    seen = ShotCrop.around(arm, at or pose, 640)
    assert seen is not None
    centre = (at or pose).apply(arm.posed.mesh.center_m)
    images = seen.drawn(pose)
    rows = (
        outline_rows(seen, images, pose, centre, 10.0)
        if kind == "mask"
        else depth_rows(seen, images, pose, centre, 0.01)
    )
    return rows.residual, rows.pose, rows.joints


def ratio(pairs: list[tuple[F64, F64]]) -> float:
    """Of actual by predicted residuals, the median over the half of the rows that should change most: 1 if right.

    Not a sum: at corners, the slope of a smoothed silhouette is that of neither side.
    """
    actual, predicted = (np.concatenate(part) for part in zip(*pairs, strict=True))
    clear = np.abs(predicted) > np.median(np.abs(predicted))
    return float(np.median(actual[clear] / predicted[clear]))


@pytest.mark.parametrize("kind", ["mask", "depth"])
@pytest.mark.parametrize("axis", range(6))
def test_residuals_grow_with_the_pose_as_derivatives_say(kind: str, axis: int) -> None:
    step = np.zeros(6)
    step[axis] = (2e-3, 2e-3, 1e-2, 5e-3, 5e-3, 5e-3)[axis]  # outlines hardly move along z
    step *= LONGER[kind]
    pairs = []
    for seed in range(4):
        arm, pose = drawn(seed)
        moved = turned_about(pose, pose.apply(arm.posed.mesh.center_m), step)
        residual, J, _ = rows_at(arm, moved, kind)  # the images are drawn at the pose, where all residuals are 0
        pairs.append((residual, J @ step))
    assert ratio(pairs) == pytest.approx(1.0, abs=0.04)


@pytest.mark.parametrize("kind", ["mask", "depth"])
@pytest.mark.parametrize("joint", [name for name in ROBOT.needed if name not in ALONG])
def test_residuals_grow_with_joints_as_derivatives_say(kind: str, joint: str) -> None:
    number = joint_rows(ROBOT)[ROBOT.needed.index(joint)]
    step = (6e-3 if joint != "joint4" or kind == "depth" else 5e-2) * LONGER[
        kind
    ]  # that turns the arm about its length
    pairs = []
    for seed in range(4):
        arm, pose = drawn(seed)
        told = {**arm.values, joint: arm.values[joint] + step}
        (other,) = arm_shots(ROBOT, [type(arm.shot)(arm.shot.observation, told, "x")])
        residual, _, J = rows_at(other, pose, kind)
        moving = np.abs(J[:, number]) > 0.0
        pairs.append((residual[moving], step * J[moving, number]))
    assert ratio(pairs) == pytest.approx(1.0, abs=0.04)


def test_at_the_true_pose_nothing_is_left_and_everything_is_met() -> None:
    for seed in range(3):
        arm, pose = drawn(seed)
        for kind, limit in (("mask", 0.2), ("depth", 1e-6)):
            residual, _, _ = rows_at(arm, pose, kind)
            assert len(residual) > 300
            assert np.median(np.abs(residual)) < limit and abs(residual.mean()) < 0.1 * limit
        seen = ShotCrop.around(arm, pose, 640)
        assert seen is not None and outline_support(seen, pose, 2.0) > 0.95


def test_an_outline_says_nothing_where_the_mask_does_not_end() -> None:
    """A gripper that the description does not have, and a part that something hides, do not pull."""
    arm, pose = drawn(0)
    mask = np.array(arm.shot.observation.mask)
    columns = np.nonzero(mask)[1]
    middle = int(np.median(columns))
    mask[:, middle:] = 0.0  # hidden
    mask[:, columns.max() - 10 :] = 1.0
    hidden = type(arm.shot)(Observation(CAMERA, mask=mask), arm.values, "x")
    (other,) = arm_shots(ROBOT, [hidden])
    residual, _, _ = rows_at(other, pose, "mask")
    assert 100 < len(residual) < 0.8 * len(rows_at(arm, pose, "mask")[0])
    assert np.median(np.abs(residual)) < 0.2


def test_expected_rows_are_those_of_a_mask(rng: np.random.Generator) -> None:
    arm, pose = drawn(1)
    seen = ShotCrop.around(arm, pose, 640)
    assert seen is not None
    rows, share = expected_rows(seen, seen.drawn(pose), pose, pose.apply(arm.posed.mesh.center_m))
    measured, J, _ = rows_at(arm, pose, "mask")
    assert 0.9 < len(measured) / len(rows.residual) <= 1.0 and 0.5 < share <= 1.0
    H, want = rows.pose.T @ rows.pose, J.T @ J
    assert np.linalg.norm(H - want) < 0.15 * np.linalg.norm(want)


def test_out_of_the_picture_there_is_nothing() -> None:
    arm, pose = drawn(0)
    assert ShotCrop.around(arm, Pose(pose.R_m2c, -pose.t_m2c - [0, 0, 3.0]), 640) is None
