"""A drawn arm that turns all of its joints, followed by the pose of its base: camera still, and moved by hand.

    python -m benchmarks.robot_film --films 2
    python -m benchmarks.robot_film --films 2 --stale      joints of the first frame, in all frames

Errors are of T_camera_base, against the truth; the surface's are between the links as they are and as they are
believed to be. Wrong is a surface that is off by 3 % of the diameter (RMS), believed a confidence above 0.5.
Milliseconds are of processor time.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence

import numpy as np

from diffdope import Observation, Pose, Robot, RobotTracker
from diffdope.experiments.drawn_arm import drawn_arm, drawn_shot, looking_at, random_joints

FRAMES, FPS = 30, 30.0
SPEED = 1.6  # rad/s, of the fastest joint
NOISE_M = 0.003
OFF = (0.02, -0.01, 0.02, 0.03, -0.03, 0.02)  # (m, rad) of the first pose


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


def row(robot: Robot, images: Sequence[str], given: argparse.Namespace, *, moving: bool) -> str:
    """A line of the table: all films of one kind."""
    errors, sure, spent, believed = [], [], [], 0
    for seed in range(1, given.films + 1):
        tracker, first = RobotTracker(robot, threads=1), None
        for k, (observation, joints, truth) in enumerate(film(robot, seed, images, moving=moving)):
            first = joints if first is None else first
            told = first if given.stale else joints
            began = time.process_time()
            result = tracker.track(observation, told, truth.retract(OFF) if k == 0 else None, time_s=k / FPS)
            spent.append(time.process_time() - began)
            is_at = truth.apply(robot.posed(joints).mesh.vertices_m)
            away = np.linalg.norm(is_at - result.pose.apply(robot.posed(told).mesh.vertices_m), axis=1)
            degrees = np.degrees(result.pose.angle_to(truth))
            wrong = np.sqrt(np.mean(away**2)) > 0.03 * robot.posed(told).mesh.diameter
            believed += int(wrong and (result.confidence or 0.0) > 0.5)
            errors.append((1e3 * result.pose.distance_to(truth), degrees, 1e3 * np.sqrt(np.mean(away**2))))
            sure.append(result.confidence or 0.0)
    (mm, degrees, surface), most = np.median(errors, axis=0), np.max(errors, axis=0)
    name = f"{', '.join(images)} | {'moved' if moving else 'still'}"
    return (
        f"| {name} | {mm:.2f} / {most[0]:.2f} | {degrees:.2f} / {most[1]:.2f} | {surface:.1f} / {most[2]:.1f} | "
        f"{min(sure):.2f} | {believed} of {len(sure)} | {1e3 * np.median(spent):.0f} |"
    )


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, default=2)
    parser.add_argument("--stale", action="store_true")
    given, robot = parser.parse_args(), drawn_arm()
    print("| images | camera | mm | degrees | surface mm | least confidence | wrong, believed | ms |")
    print("|---|---|---|---|---|---|---|---|")
    for images in (("mask", "depth"), ("depth",), ("mask",)):
        for moving in (False, True):
            print(row(robot, images, given, moving=moving), flush=True)


if __name__ == "__main__":
    main()
