"""Frames of a robot whose joint values are not those of the frame: links are compared with each other."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope import Camera, Observation, Pose, RefinementResult, Robot, RobotTracker
from diffdope.experiments.drawn_arm import drawn_arm, drawn_shot, looking_at, random_joints
from diffdope.geometry import solids
from diffdope.pipelines.tracking.link_agreement import apart_by_link
from diffdope.render.renderer import Renderer
from diffdope.scene.kinematic_tree import Link
from diffdope.scene.mesh import Mesh

BOTH, DEPTH, MASK = ("mask", "depth"), ("depth",), ("mask",)
TOLERANCE_M = 0.02
ROBOT = drawn_arm()
Frame = tuple[Observation, dict[str, float], Pose]


def frame(images: tuple[str, ...], seed: int = 1) -> Frame:
    """A drawn one, its joints and T_camera_base."""
    rng = np.random.default_rng(seed)
    pose, joints = looking_at(rng), random_joints(ROBOT, rng)
    return drawn_shot(ROBOT, pose, joints, images=images, depth_noise_m=0.003, rng=rng).observation, joints, pose


def with_arrays(seen: Observation, *, depth: np.ndarray | None = None, mask: np.ndarray | None = None) -> Observation:
    """The same camera with other images."""
    given = {"depth": depth, "mask": mask}
    return Observation(seen.camera, **{name: image for name, image in given.items() if image is not None})


def link_seen(camera: Camera, joints: dict[str, float], pose: Pose, name: str) -> np.ndarray:
    """(H, W) whether a pixel shows a link."""
    posed = ROBOT.posed(joints)
    face = Renderer(posed.mesh, camera).render(pose.R_m2c, pose.t_m2c).triangle_id[0]
    number = [link.name for link in ROBOT.links].index(name)
    return (face >= 0) & (posed.link[np.maximum(face, 0)] == number)


def misfit(result: RefinementResult) -> str:
    """The note, empty if there is none."""
    codes = result.note_codes
    return result.notes[codes.index("link-misfit")] if "link-misfit" in codes else ""


@pytest.mark.parametrize("images", [BOTH, DEPTH, MASK])
@pytest.mark.parametrize("joint", ["joint2", "joint3"])
def test_a_joint_that_is_off_is_doubted_and_named(images: tuple[str, ...], joint: str) -> None:
    observation, joints, pose = frame(images)
    right = RobotTracker(ROBOT).track(observation, joints, pose)
    off = RobotTracker(ROBOT).track(observation, {**joints, joint: joints[joint] + 0.5}, pose)
    assert (right.confidence or 0.0) > 0.5
    assert not misfit(right)
    assert (off.confidence or 0.0) <= 0.5
    if images == BOTH:
        assert f"is {joint} or one beside it" in misfit(off)


@pytest.mark.parametrize("images", [BOTH, DEPTH])
def test_depth_that_reads_too_far_alike_is_no_misfit(images: tuple[str, ...]) -> None:
    observation, joints, pose = frame(images)
    depth = np.asarray(observation.depth)
    far = np.where(depth > 0.0, 1.015 * depth + 0.004, 0.0)
    result = RobotTracker(ROBOT).track(with_arrays(observation, depth=far, mask=observation.mask), joints, pose)
    assert (result.confidence or 0.0) > 0.5
    assert not misfit(result)


@pytest.mark.parametrize("images", [BOTH, DEPTH, MASK])
def test_what_hides_links_is_no_misfit(images: tuple[str, ...]) -> None:
    """A thing before the arm hides half of the forearm, and masks show what is seen of the robot."""
    observation, joints, pose = frame(images)
    rows, columns = np.nonzero(link_seen(observation.camera, joints, pose, "link4"))
    hidden = np.zeros((observation.camera.height, observation.camera.width), bool)
    hidden[rows.min() : rows.max(), columns.min() : int(np.median(columns))] = True
    depth = None if observation.depth is None else np.where(hidden, 0.8, observation.depth)
    mask = None if observation.mask is None else np.where(hidden, 0.0, observation.mask)
    result = RobotTracker(ROBOT).track(with_arrays(observation, depth=depth, mask=mask), joints, pose)
    assert not misfit(result)


@pytest.mark.parametrize(("images", "told"), [(BOTH, False), (DEPTH, True)])
def test_a_link_without_depth_is_only_sure_by_a_mask(images: tuple[str, ...], told: bool) -> None:
    observation, joints, pose = frame(images)
    black = link_seen(observation.camera, joints, pose, "link4")
    depth = np.where(black, 0.0, observation.depth)
    result = RobotTracker(ROBOT).track(with_arrays(observation, depth=depth, mask=observation.mask), joints, pose)
    assert ("no depth where link4" in misfit(result)) == told
    assert ((result.confidence or 0.0) > 0.5) != told


def test_what_links_share_is_taken_out() -> None:
    """A scale, an offset and noise of 12 mm are everybody's; one link that is 60 mm before its depth is not."""
    rng = np.random.default_rng(0)
    link = np.repeat(np.arange(5), 400)
    drawn_m = 1.0 + 0.1 * link + rng.uniform(0.0, 0.1, len(link))
    measured_m = 1.015 * drawn_m + 0.004 + rng.normal(0.0, 0.012, len(link))
    alike = apart_by_link(link, drawn_m, measured_m - drawn_m, 5, TOLERANCE_M, np.ones(len(link), bool))
    assert np.max(alike) < 0.1
    for sign, side in ((1.0, 0), (-2.0, 1)):
        away = measured_m - drawn_m + sign * 0.06 * (link == 3)
        share = apart_by_link(link, drawn_m, away, 5, TOLERANCE_M, np.ones(len(link), bool))[side]
        assert share[3] > 0.5
        assert np.delete(share, 3).max() < 0.1


def test_a_robot_of_one_piece_is_followed() -> None:
    """With no joint, there is nothing to disagree about."""
    points, triangles = solids.joined([solids.box((0.2, 0.1, 0.05)), solids.box((0.05, 0.05, 0.3))])
    block, pose = Robot([Link("block", points, triangles)], []), Pose(np.eye(3), np.array([0.0, 0.0, 1.0]))
    camera = Camera(600.0, 600.0, 159.5, 119.5, 320, 240)
    depth = Renderer(Mesh(points, triangles.astype(np.int32)), camera).render(pose.R_m2c, pose.t_m2c).depth[0]
    result = RobotTracker(block).track(Observation(camera, depth=depth), {}, pose)
    assert result.ok
    assert not misfit(result)
