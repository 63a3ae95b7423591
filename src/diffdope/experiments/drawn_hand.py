"""A camera on the hand of an arm, an object on the table, and pictures of it that are drawn: tests and studies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.calibration.eye_in_hand.shots import HandShot, flange_of
from diffdope.experiments.drawn_arm import random_joints
from diffdope.experiments.shapes import mottled, painted, subdivided
from diffdope.experiments.synthetic import SensorNoise, picture
from diffdope.geometry import so3, solids
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.scene.robot import Robot

F64 = NDArray[np.float64]

CAMERA = Camera(600.0, 600.0, 319.5, 239.5, 640, 480)
_DISTANCES_M = 0.35, 0.75  # between which the object is seen
_DRAWS = 40_000  # configurations that are tried for one that sees the object
_MARGIN_PX = 15.0  # between the object and the picture's border


class HandTruth(NamedTuple):
    """T_flange_camera and T_base_object."""

    T_flange_camera: Pose
    T_base_object: Pose


def drawn_target() -> Mesh:
    """A mottled bracket of boxes, 0.2 m long; no two sides of it look the same."""
    box = solids.box
    parts = [
        (box((0.18, 0.10, 0.02)), (0.0, 0.0, 0.01)), (box((0.02, 0.10, 0.09)), (-0.08, 0.0, 0.06)),
        (box((0.07, 0.03, 0.05)), (0.04, -0.03, 0.045)), (box((0.03, 0.03, 0.03)), (0.06, 0.035, 0.035)),
    ]  # fmt: skip
    points, triangles = solids.joined((p + np.asarray(place), t) for (p, t), place in parts)
    shape = Mesh(points, triangles.astype(np.int32))
    fine = subdivided(painted("bracket", shape.vertices_m, shape.faces, mottled), 3)
    return painted("bracket", fine.vertices_m, fine.faces, mottled)


def on_the_hand(rng: np.random.Generator, along: F64) -> Pose:
    """T_flange_camera of a camera that looks about along an axis of the flange, some centimetres beside it.

    Args:
        rng: of the place.
        along: (3,) the flange's axis that points away from the arm.
    """
    beside = np.linalg.svd(along[None])[2][1]
    R = np.stack([beside, np.cross(along, beside), along], axis=1)
    R = so3.exp(rng.normal(0.0, 0.15, 3)) @ R @ so3.exp([0.0, 0.0, rng.uniform(-np.pi, np.pi)])
    return Pose(R, 0.06 * along + rng.uniform(-0.05, 0.05, 3))


def placed_before(rng: np.random.Generator, *, reach_m: float = 0.5) -> Pose:
    """T_base_object somewhere on a table before the arm, in some orientation about the vertical."""
    angle, distance = rng.uniform(-0.6, 0.6), rng.uniform(0.8, 1.2) * reach_m
    turn = so3.exp([0.0, 0.0, rng.uniform(-np.pi, np.pi)]) @ so3.exp(rng.normal(0.0, 0.05, 3))
    return Pose(turn, distance * np.array([np.cos(angle), np.sin(angle), 0.0]))


def configurations(
    robot: Robot, link: int, truth: HandTruth, mesh: Mesh, count: int, rng: np.random.Generator, *,
    held: Sequence[str] = (),
) -> list[dict[str, float]]:  # fmt: skip
    """Joint values at which the whole object is seen, from above the table.

    Args:
        robot: the arm.
        link: number of the flange.
        truth: places.
        mesh: the object.
        count: how many.
        rng: of the draws.
        held: joints that are the same in all.

    Raises:
        RuntimeError: if too few are found.
    """
    found: list[dict[str, float]] = []
    corners = mesh.vertices_m
    for _ in range(_DRAWS):
        values = random_joints(robot, rng)
        if found:
            values |= {name: found[0][name] for name in held}
        pose = in_camera(robot, link, truth, values)
        if not _DISTANCES_M[0] < pose.t_m2c[2] < _DISTANCES_M[1] or pose.inverse().t_m2c[2] < 0.15:
            continue
        u, v = CAMERA.project(pose.apply(corners))
        low, high = min(u.min(), v.min()), max(u.max() - CAMERA.width, v.max() - CAMERA.height)
        if low > _MARGIN_PX and high < -_MARGIN_PX:
            found.append(values)
        if len(found) == count:
            return found
    raise RuntimeError(f"{len(found)} of {count} configurations see the object")


def in_camera(robot: Robot, link: int, truth: HandTruth, values: dict[str, float]) -> Pose:
    """T_camera_object at joint values."""
    flange = Pose.from_matrix(robot.forward(values)[link])
    return (flange @ truth.T_flange_camera).inverse() @ truth.T_base_object


def drawn_hand_shot(
    robot: Robot, link: int, truth: HandTruth, mesh: Mesh, values: dict[str, float], *, name: str = "",
    images: Sequence[str] = ("mask",), told: dict[str, float] | None = None, camera: Camera = CAMERA,
    rng: np.random.Generator | None = None, noise: SensorNoise | None = None, poses: bool = False,
) -> HandShot:  # fmt: skip
    """A picture of the object.

    Args:
        robot: the arm.
        link: number of the flange.
        truth: places.
        mesh: the object.
        values: joints at which it is drawn.
        name: of the shot.
        images: "rgb", "depth" and "mask", any of them.
        told: joint values that the shot says; None for the true ones.
        camera: that sees it.
        rng: of background and noise.
        noise: of the sensor; None for its usual one.
        poses: whether the shot has the flange's pose in place of joints.
    """
    rng = np.random.default_rng(0) if rng is None else rng
    pose = in_camera(robot, link, truth, values)
    seen = picture([(mesh, pose)], rng, camera=camera, noise=noise or SensorNoise())
    given: dict[str, Any] = {kind: np.array(getattr(seen, kind)) for kind in images}
    observation, joints = Observation(camera, **given), values if told is None else told
    if poses:
        return HandShot(observation, T_base_flange=Pose.from_matrix(robot.forward(joints)[link]), name=name)
    return HandShot(observation, joints, name=name)


def drawn_hand(
    robot: Robot, seed: int, count: int, mesh: Mesh, *, along: Sequence[float] = (1.0, 0.0, 0.0),
    joint_noise_deg: float = 0.0, images: Sequence[str] = ("mask",), flange: str | None = None, reach_m: float = 0.5,
    held: Sequence[str] = (), poses: bool = False,
) -> tuple[list[HandShot], HandTruth]:  # fmt: skip
    """Some pictures and the truth.

    Args:
        robot: the arm.
        seed: of everything.
        count: of pictures.
        mesh: the object.
        along: the flange's axis that points away from the arm.
        joint_noise_deg: standard deviation of what is told of joints.
        images: "rgb", "depth" and "mask", any of them.
        flange: the link; None for the last one.
        reach_m: about how far from the base the object lies.
        held: joints that are the same in all pictures.
        poses: whether shots have the flange's pose in place of joints.
    """
    rng = np.random.default_rng([23, seed])
    link = flange_of(robot, flange)
    X = on_the_hand(rng, np.asarray(along, np.float64))
    truth = HandTruth(X, placed_before(rng, reach_m=reach_m))
    shots = []
    for k, values in enumerate(configurations(robot, link, truth, mesh, count, rng, held=held)):
        told = {name: value + np.radians(joint_noise_deg) * rng.normal() for name, value in values.items()}
        how: dict[str, Any] = {"name": str(k), "images": images, "told": told, "rng": rng, "poses": poses}
        shots.append(drawn_hand_shot(robot, link, truth, mesh, values, **how))
    return shots, truth
