"""A drawn arm that turns all of its joints, followed by the pose of its base: camera still, and moved by hand.

    python -m benchmarks.robot_film --films 2
    python -m benchmarks.robot_film --films 2 --stale           joints of the first frame, in all frames
    python -m benchmarks.robot_film --films 2 --joints zero     one joint is off by 0.15 to 0.8 rad; `sign`: another way
    python -m benchmarks.robot_film --films 2 --depth-scale 1.015 --depth-offset 0.004
    python -m benchmarks.robot_film --xarm                      the six pictures of ../shared/data/robot_xarm

Errors are of T_camera_base, against the truth; the surface's are between the links as they are and as they are
believed to be. Wrong is a surface that is off by 3 % of the diameter (RMS), believed a confidence above 0.5, as is
sure. Milliseconds are of processor time. Of the xArm, each picture is followed from the calibrated pose, with its
joints, with one that is off, and with all of them off by up to 0.5 rad.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence

import numpy as np

from benchmarks.robot import QUIET, XARM, xarm_shots
from diffdope import Observation, Pose, RefinementResult, Robot, RobotTracker, calibrate, load_robot
from diffdope.experiments.drawn_arm import drawn_arm, drawn_shot, looking_at, random_joints

FRAMES, FPS = 30, 30.0
SPEED = 1.6  # rad/s, of the fastest joint
NOISE_M = 0.003
OFF = (0.02, -0.01, 0.02, 0.03, -0.03, 0.02)  # (m, rad) of the first pose
ZERO_RAD = (0.15, 0.8)  # by which one joint is off
ALL_RAD = 0.5  # by which all are off, at most
FLIPPED = 2  # number of the joint that turns the other way


def film(
    robot: Robot, seed: int, images: Sequence[str], *, moving: bool
) -> Iterator[tuple[Observation, dict[str, float], Pose]]:
    """Frames, joints and T_camera_base."""
    rng = np.random.default_rng(seed)
    still, rest = looking_at(rng), random_joints(robot, rng)
    swing = {name: rng.uniform(-SPEED, SPEED) / 2.0 for name in rest}
    for k in range(FRAMES):
        t = k / FPS
        joints = {name: value + swing[name] * np.sin(2.0 * t) for name, value in rest.items()}
        waves = np.array([0.1 * np.sin(3 * t), 0.05 * np.sin(4 * t), 0.05 * t, 0.1 * np.sin(2 * t), 0.1 * t, 0.0])
        pose = still.retract(waves) if moving else still
        shot = drawn_shot(robot, pose, joints, images=images, depth_noise_m=NOISE_M, rng=rng)
        yield shot.observation, joints, pose


def told_of(kind: str, first: dict[str, float], joints: dict[str, float], seed: int) -> dict[str, float]:
    """Joint values as they are told.

    Args:
        kind: `right`, `stale`, `zero` or `sign`.
        first: of the first frame.
        joints: of this one.
        seed: of the film: which joint is off, and by how much.
    """
    rng, names, told = np.random.default_rng([seed, 7]), list(joints), dict(joints)
    if kind == "stale":
        return first
    if kind == "zero":
        told[names[rng.integers(0, len(names) - 1)]] += rng.choice([-1, 1]) * rng.uniform(*ZERO_RAD)
    if kind == "sign":
        told[names[FLIPPED]] *= -1.0
    return told


def scaled(observation: Observation, scale: float, offset_m: float) -> Observation:
    """The same with depth that reads too far."""
    if observation.depth is None:
        return observation
    depth = np.asarray(observation.depth)
    masks = {} if observation.mask is None else {"mask": observation.mask}
    return Observation(observation.camera, depth=np.where(depth > 0.0, scale * depth + offset_m, 0.0), **masks)


def surface_error(
    robot: Robot, truth: Pose, joints: dict[str, float], result: RefinementResult, told: dict[str, float]
) -> tuple[float, bool]:
    """RMS distance [m] of the surface from where it is believed to be, and whether that is wrong."""
    is_at, told_as = truth.apply(robot.posed(joints).mesh.vertices_m), robot.posed(told).mesh
    away = np.linalg.norm(is_at - result.pose.apply(told_as.vertices_m), axis=1)
    error_m = float(np.sqrt(np.mean(away**2)))
    return error_m, error_m > 0.03 * told_as.diameter


def row(robot: Robot, images: Sequence[str], given: argparse.Namespace, *, moving: bool) -> str:
    """A line of the table: all films of one kind."""
    errors, sure, spent, believed = [], [], [], 0
    for seed in range(1, given.films + 1):
        tracker, first = RobotTracker(robot, threads=1), None
        for k, (observation, joints, truth) in enumerate(film(robot, seed, images, moving=moving)):
            first = joints if first is None else first
            told = told_of(given.joints, first, joints, seed)
            seen = scaled(observation, given.depth_scale, given.depth_offset)
            began = time.process_time()
            result = tracker.track(seen, told, truth.retract(OFF) if k == 0 else None, time_s=k / FPS)
            spent.append(time.process_time() - began)
            surface_m, wrong = surface_error(robot, truth, joints, result, told)
            believed += int(wrong and (result.confidence or 0.0) > 0.5)
            degrees = np.degrees(result.pose.angle_to(truth))
            errors.append((1e3 * result.pose.distance_to(truth), degrees, 1e3 * surface_m))
            sure.append(result.confidence or 0.0)
    (mm, degrees, surface), most = np.median(errors, axis=0), np.max(errors, axis=0)
    name = f"{', '.join(images)} | {'moved' if moving else 'still'}"
    return (
        f"| {name} | {mm:.2f} / {most[0]:.2f} | {degrees:.2f} / {most[1]:.2f} | {surface:.1f} / {most[2]:.1f} | "
        f"{min(sure):.2f} | {int(np.sum(np.array(sure) > 0.5))} | {believed} of {len(sure)} | "
        f"{1e3 * np.median(spent):.0f} |"
    )


def xarm() -> None:
    """The six pictures, each on its own."""
    robot, shots = load_robot(XARM / "description" / "xarm7.urdf"), xarm_shots(("mask", "depth"))
    pose, rng = calibrate(robot, shots, settings=QUIET).T_camera_base, np.random.default_rng(0)
    print("| images | joints | surface mm | sure | wrong, believed |")
    print("|---|---|---|---|---|")
    for images in (("mask", "depth"), ("depth",), ("mask",)):
        for kind in ("right", "one off", "all off"):
            errors, sure, believed = [], 0, 0
            for shot in shots:
                seen = Observation(
                    shot.observation.camera, **{name: getattr(shot.observation, name) for name in images}
                )
                joints = robot.checked(shot.joints)
                told = dict(joints)
                if kind == "one off":
                    told[robot.needed[rng.integers(1, len(robot.needed) - 1)]] += rng.choice([-1, 1]) * rng.uniform(
                        *ZERO_RAD
                    )
                if kind == "all off":
                    told = {name: value + rng.uniform(-ALL_RAD, ALL_RAD) for name, value in joints.items()}
                result = RobotTracker(robot, threads=1).track(seen, told, pose)
                error_m, wrong = surface_error(robot, pose, joints, result, told)
                errors.append(1e3 * error_m)
                sure += int((result.confidence or 0.0) > 0.5)
                believed += int(wrong and (result.confidence or 0.0) > 0.5)
            print(
                f"| {', '.join(images)} | {kind} | {np.median(errors):.1f} / {max(errors):.1f} | "
                f"{sure} of {len(shots)} | {believed} |",
                flush=True,
            )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, default=2)
    parser.add_argument("--joints", choices=("right", "stale", "zero", "sign"), default="right")
    parser.add_argument("--stale", dest="joints", action="store_const", const="stale")
    parser.add_argument("--depth-scale", type=float, default=1.0)
    parser.add_argument("--depth-offset", type=float, default=0.0, help="metres")
    parser.add_argument("--xarm", action="store_true")
    given, robot = parser.parse_args(), drawn_arm()
    if given.xarm:
        xarm()
        return
    print("| images | camera | mm | degrees | surface mm | least confidence | sure | wrong, believed | ms |")
    print("|---|---|---|---|---|---|---|---|---|")
    for images in (("mask", "depth"), ("depth",), ("mask",)):
        for moving in (False, True):
            print(row(robot, images, given, moving=moving), flush=True)


if __name__ == "__main__":
    main()
