"""A robot arm of boxes, cylinders and balls, and pictures of it that are drawn: tests and studies calibrate with it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diffdope.calibration.shots import Shot
from diffdope.geometry import so3, solids
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.render.renderer import Renderer
from diffdope.scene.kinematic_tree import Joint, Link
from diffdope.scene.observation import Observation
from diffdope.scene.robot import Robot

F64 = NDArray[np.float64]
Place = tuple[float, float, float]

CAMERA = Camera(640.0, 640.0, 319.5, 239.5, 640, 480)
LOOK_AT_M = np.array([0.1, 0.0, 0.35])
_LIMITS = ((-1.5, 1.5), (-0.9, 0.9), (-1.8, 1.8), (-1.2, 1.2), (-1.5, 1.5), (-2.5, 2.5))
_AXES = ((0, 0, 1), (0, 1, 0), (0, 1, 0), (1, 0, 0), (0, 1, 0), (1, 0, 0))
_PLACES = ((0, 0, 0.16), (0, 0, 0.08), (0, 0, 0.28), (0.06, 0, 0.05), (0.2, 0, 0), (0.07, 0, 0))


def drawn_arm() -> Robot:
    """Six turning joints, about 0.8 m long when stretched; no two sides of it look the same."""
    box, cylinder, ball = solids.box, solids.cylinder, solids.ball
    shapes: list[list[tuple[solids.Triangles, Place]]] = [
        [
            (box((0.2, 0.16, 0.04)), (0, 0, 0.02)), (cylinder(0.06, 0.12), (0, 0, 0.1)),
            (box((0.06, 0.04, 0.03)), (-0.1, 0, 0.05)),
        ],
        [(cylinder(0.055, 0.1), (0, 0, 0.03)), (box((0.05, 0.13, 0.06)), (0, 0.01, 0.08))],
        [(box((0.07, 0.06, 0.3)), (0, 0.01, 0.14)), (cylinder(0.04, 0.06), (0, 0, 0.28))],
        [(ball(0.05), (0, 0, 0)), (box((0.08, 0.06, 0.05)), (0.03, 0, 0.05))],
        [(box((0.2, 0.05, 0.06)), (0.09, 0, 0)), (box((0.04, 0.03, 0.04)), (0.1, 0.03, 0.03))],
        [(cylinder(0.035, 0.08), (0.02, 0, 0)), (box((0.06, 0.04, 0.04)), (0.05, 0, 0.01))],
        [
            (box((0.03, 0.1, 0.05)), (0.02, 0.01, 0)), (box((0.06, 0.02, 0.03)), (0.06, 0.04, 0)),
            (box((0.06, 0.02, 0.03)), (0.06, -0.03, 0)),
        ],
    ]  # fmt: skip
    links = [_link(f"link{n}", parts) for n, parts in enumerate(shapes)]
    joints = []
    for n, (axis, place, (low, high)) in enumerate(zip(_AXES, _PLACES, _LIMITS, strict=True)):
        origin = np.eye(4)
        origin[:3, 3] = place
        joints.append(
            Joint(f"joint{n + 1}", "revolute", f"link{n}", f"link{n + 1}", origin, np.array(axis, float), low, high)
        )
    return Robot(links, joints, name="drawn arm")


def _link(name: str, parts: Sequence[tuple[solids.Triangles, Place]]) -> Link:
    return Link(name, *solids.joined((points + np.asarray(place), triangles) for (points, triangles), place in parts))


def looking_at(rng: np.random.Generator, *, distance_m: tuple[float, float] = (1.1, 1.5)) -> Pose:
    """T_camera_base of a camera that looks at the arm from a random side, from above the table, held nearly upright."""
    azimuth, height = rng.uniform(-np.pi, np.pi), rng.uniform(0.1, 0.9)
    direction = np.array([np.cos(azimuth) * np.cos(height), np.sin(azimuth) * np.cos(height), np.sin(height)])
    place = LOOK_AT_M + rng.uniform(*distance_m) * direction
    forward = -direction
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    R = np.stack([right, np.cross(forward, right), forward])
    R = so3.exp(rng.normal(0.0, 0.1, 3)) @ R
    return Pose(R, -R @ place)


def random_joints(robot: Robot, rng: np.random.Generator) -> dict[str, float]:
    """Values within the joints' limits; one turn for those that have none."""
    return {joint.name: float(rng.uniform(max(joint.lower, -np.pi), min(joint.upper, np.pi))) for joint in robot.moving}


def drawn_shot(
    robot: Robot, pose: Pose, joints: dict[str, float], camera: Camera = CAMERA, *, name: str = "",
    images: Sequence[str] = ("mask",), told: dict[str, float] | None = None, depth_noise_m: float = 0.0,
    rng: np.random.Generator | None = None, whole_pixels: bool = True,
) -> Shot:  # fmt: skip
    """A picture of a robot.

    Args:
        robot: what is drawn.
        pose: of its base in the camera.
        joints: at which it is drawn.
        camera: that sees it.
        name: of the shot.
        images: "mask" and "depth", any of them.
        told: joint values that the shot says; None for the true ones.
        depth_noise_m: standard deviation of each depth.
        rng: of the noise.
        whole_pixels: whether masks are of 0 and 1, as those of people and networks are, or say what share is covered.
    """
    drawn = Renderer(robot.posed(joints).mesh, camera).render(pose.R_m2c, pose.t_m2c)
    given: dict[str, F64] = {}
    if "mask" in images:
        coverage = np.clip(drawn.coverage[0], 0.0, 1.0).astype(np.float64)
        given["mask"] = (coverage > 0.5).astype(np.float64) if whole_pixels else coverage
    if "depth" in images:
        depth = drawn.depth[0].astype(np.float64)
        if rng is not None:
            depth = depth + (depth > 0) * rng.normal(0.0, depth_noise_m, depth.shape)
        given["depth"] = np.maximum(depth, 0.0)
    return Shot(Observation(camera, **given), joints if told is None else told, name)  # type: ignore[arg-type]
