"""A film of a robot, drawn: the pose of its base, by its joints in each frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pytest

from diffdope import DiffDopeError, Observation, Pose, Robot, RobotTracker
from diffdope.experiments.drawn_arm import drawn_arm, drawn_shot, looking_at, random_joints

FRAMES = 8
OFF = [0.02, -0.01, 0.02, 0.03, -0.03, 0.02]  # of the pose that is given
Film = list[tuple[Observation, dict[str, float], Pose]]


def film(
    robot: Robot, images: tuple[str, ...], *, moving: bool
) -> Iterator[tuple[Observation, dict[str, float], Pose]]:
    """Frames, joints and T_camera_base: every joint turns, and the camera is moved, if asked for."""
    rng = np.random.default_rng(1)
    still, rest = looking_at(rng), random_joints(robot, rng)
    speeds = {name: rng.uniform(-1.0, 1.0) for name in rest}
    for k in range(FRAMES):
        joints = {name: rest[name] + 0.05 * k * speeds[name] for name in rest}
        pose = still.retract(k * np.array([0.004, 0.0, 0.002, 0.004, 0.0, 0.004])) if moving else still
        shot = drawn_shot(robot, pose, joints, images=images, depth_noise_m=0.002, rng=rng)
        yield shot.observation, joints, pose


def followed(
    tracker: RobotTracker, frames: Film, joints_of: Mapping[int, dict[str, float]] | None = None
) -> list[tuple[float, float]]:
    """Errors [mm] and confidences."""
    found = []
    for k, (observation, joints, truth) in enumerate(frames):
        told = joints if joints_of is None else joints_of[k]
        result = tracker.track(observation, told, truth.retract(OFF) if k == 0 else None, time_s=k / 30)
        found.append((1e3 * result.pose.distance_to(truth), result.confidence or 0.0))
    return found


@pytest.mark.parametrize("images", [("depth",), ("mask",)])
def test_the_base_is_followed_while_joints_and_camera_move(images: tuple[str, ...]) -> None:
    robot = drawn_arm()
    frames = list(film(robot, images, moving=True))
    found = followed(RobotTracker(robot), frames)
    assert max(error for error, _ in found) < 5.0
    assert min(confidence for _, confidence in found) > 0.5


def test_the_joints_of_each_frame_count() -> None:
    """The same film with the joints of its first frame, as a mesh of one shape would have it, is another one."""
    robot = drawn_arm()
    frames = list(film(robot, ("mask", "depth"), moving=False))
    errors = [error for error, _ in followed(RobotTracker(robot), frames)]
    stale = [error for error, _ in followed(RobotTracker(robot), frames, {k: frames[0][1] for k in range(FRAMES)})]
    assert max(errors) < 1.0
    assert stale[-1] > 4.0


def test_the_first_pose_may_come_from_a_mask() -> None:
    robot = drawn_arm()
    observation, joints, truth = next(film(robot, ("mask", "depth"), moving=False))
    result = RobotTracker(robot).track(observation, joints)
    assert result.pose.distance_to(truth) < 0.005
    assert result.confidence is not None and result.confidence > 0.5


def test_of_a_camera_on_the_hand_the_hand_is_the_base() -> None:
    """The film of a camera that is fixed to the last link: in that link's frame, nothing but the arm moves."""
    robot = drawn_arm()
    hand = Robot(robot.links, robot.joints, base="link6", name="arm, from its hand")
    row = [link.name for link in robot.links].index("link6")
    frames: Film = []
    T_camera_hand = None
    for observation, joints, T_camera_base in film(robot, ("depth",), moving=False):
        T_base_hand = Pose.from_matrix(robot.forward(joints)[row])
        if T_camera_hand is None:
            T_camera_hand = Pose.from_matrix(T_camera_base.matrix @ T_base_hand.matrix)
        base = Pose.from_matrix(T_camera_hand.matrix @ np.linalg.inv(T_base_hand.matrix))
        shot = drawn_shot(robot, base, joints, observation.camera, images=("depth",))
        frames.append((shot.observation, joints, T_camera_hand))
    found = followed(RobotTracker(hand), frames)
    assert max(error for error, _ in found) < 5.0


def test_a_joint_that_is_missing_is_named() -> None:
    robot = drawn_arm()
    observation, joints, truth = next(film(robot, ("depth",), moving=False))
    del joints["joint3"]
    with pytest.raises(DiffDopeError, match=r"joints: .*none for joint3"):
        RobotTracker(robot).track(observation, joints, truth)
