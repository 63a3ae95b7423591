"""Where a camera stands by pictures of a robot: drawn arms, and six real pictures of an xArm 7.

    python -m benchmarks.robot drawn --count 100          3 pictures, no start: found, error, time
    python -m benchmarks.robot drawn --joint-noise 0.5
    python -m benchmarks.robot drawn --urdf arm.urdf      another robot (needs diffdope[robot])
    python -m benchmarks.robot hand --count 20            camera on the hand: 3, 5, 10 pictures of a still object
    python -m benchmarks.robot xarm                       every 3 of the pictures of ../shared/data/robot_xarm
    python -m benchmarks.robot time                       10 pictures of 1280 x 720

Errors are of T_camera_base, or of T_flange_camera for `hand`: the place, and the angle. Against solutions of others,
the place of the camera in the base is compared, as their file does. `found` is within 10 mm and 1 degree.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.shared_data import DATA
from diffdope import CalibrationResult, EyeInHandResult, Observation, Pose, Robot, Shot, calibrate, load_robot
from diffdope.calibration.assess import moved
from diffdope.calibration.calibrate import CalibrationSettings
from diffdope.calibration.eye_in_hand.calibrate import EyeInHandSettings, calibrate_eye_in_hand
from diffdope.experiments.drawn_arm import CAMERA, drawn_arm, drawn_shot, looking_at, random_joints
from diffdope.experiments.drawn_hand import drawn_hand, drawn_target
from diffdope.geometry.camera import Camera
from diffdope.io.cameras import load_camera_of_image
from diffdope.io.images import read_depth
from diffdope.io.joints import read_joints
from diffdope.io.masks import read_mask
from diffdope.render.renderer import Renderer

XARM = DATA / "robot_xarm"
QUIET = CalibrationSettings(suggestions=0)
QUIET_HAND = EyeInHandSettings(suggestions=0)
FOOT_M = 0.03  # of the base, which the masks lack


def drawn(given: argparse.Namespace) -> None:
    """Pictures of a drawn arm."""
    robot = drawn_arm() if given.urdf is None else load_robot(given.urdf)
    reach = float(np.linalg.norm(np.ptp(robot.posed(dict.fromkeys(robot.needed, 0.0)).mesh.bounds, axis=0)))
    print(
        f"{robot.name}, {given.pictures} pictures, joint noise {given.joint_noise} degrees, {given.count} trials each"
    )
    print("| images | found | base mm median / p95 | degrees median / p95 | camera mm median / p95 | chi2 | s |")
    print("|---|---|---|---|---|---|---|")
    for images in (("mask",), ("mask", "depth")):
        rows = [trial(robot, reach, images, seed, given) for seed in range(given.count)]
        errors = np.array([row[:4] for row in rows])
        found = (errors[:, 0] < 10.0) & (errors[:, 1] < 1.0)
        good = errors[found]
        cells = [f"{np.median(column):.2f} / {np.quantile(column, 0.95):.2f}" for column in good[:, :3].T]
        cells[1] = f"{np.median(good[:, 1]):.3f} / {np.quantile(good[:, 1], 0.95):.3f}"
        seconds = float(np.median([row[4] for row in rows]))
        share = f"{int(found.sum())} of {len(found)}"
        print(f"| {' + '.join(images)} | {share} | {' | '.join(cells)} | {np.median(good[:, 3]):.1f} | {seconds:.2f} |")
        wrong = [n for n in range(len(rows)) if not found[n]]
        said = sum(rows[n][5] for n in wrong)
        if wrong:
            print(f"not found: {wrong}; of those, {said} say so themselves", file=sys.stderr)


def trial(
    robot: Robot, reach_m: float, images: Sequence[str], seed: int, given: argparse.Namespace
) -> tuple[float, float, float, float, float, bool]:
    """Errors (mm, degrees, mm of the camera), squared Mahalanobis distance, processor seconds, whether it failed."""
    from diffdope.geometry import so3

    rng = np.random.default_rng([11, seed])
    pose = looking_at(rng, distance_m=(1.4 * reach_m, 1.9 * reach_m) if given.urdf is not None else (1.1, 1.5))
    shots = []
    for k in range(given.pictures):
        joints = random_joints(robot, rng)
        told = {name: value + np.radians(given.joint_noise) * rng.normal() for name, value in joints.items()}
        shots.append(drawn_shot(robot, pose, joints, CAMERA, name=str(k), images=images, told=told))
    began = time.process_time()
    result = calibrate(robot, shots, settings=QUIET)
    seconds = time.process_time() - began
    T = result.T_camera_base
    xi = np.concatenate([T.t_m2c - pose.t_m2c, so3.log(T.R_m2c @ pose.R_m2c.T)])
    squares = np.nan if result.covariance is None else float(xi @ np.linalg.solve(result.covariance, xi))
    return (1e3 * T.distance_to(pose), float(np.degrees(T.angle_to(pose))), moved(T, pose)[0], squares, seconds,
            not result.ok)  # fmt: skip


def hand(given: argparse.Namespace) -> None:
    """Pictures of a still object from a camera on the hand of an arm."""
    robot = drawn_arm() if given.urdf is None else load_robot(given.urdf)
    mesh, along = drawn_target(), (1.0, 0.0, 0.0) if given.urdf is None else (0.0, 0.0, 1.0)
    print(f"{robot.name}, joint noise {given.joint_noise} degrees, {given.count} trials each")
    print("| pictures | images | found | mm median / p95 | degrees median / p95 | chi2 | s |")
    print("|---|---|---|---|---|---|---|")
    for pictures in given.pictures:
        for images in (("mask",), ("mask", "depth"), ("rgb", "mask")):
            rows = []
            for seed in range(given.count):
                try:
                    shots, truth = drawn_hand(
                        robot, seed, pictures, mesh, along=along, joint_noise_deg=given.joint_noise, images=images,
                        flange=given.flange,
                    )  # fmt: skip
                except RuntimeError:  # the arm does not reach places from which the object is seen
                    continue
                began = time.process_time()
                result = calibrate_eye_in_hand(mesh, shots, robot=robot, flange=given.flange, settings=QUIET_HAND)
                rows.append(hand_errors(result, truth.T_flange_camera, time.process_time() - began))
            print_hand_row(pictures, images, np.array(rows))


def hand_errors(result: EyeInHandResult, truth: Pose, seconds: float) -> tuple[float, float, float, float, bool]:
    """Millimetres, degrees, squared Mahalanobis distance, processor seconds, and whether it says that it found it."""
    from diffdope.geometry import so3

    X = result.T_flange_camera
    xi = np.concatenate([X.t_m2c - truth.t_m2c, so3.log(X.R_m2c @ truth.R_m2c.T)])
    squares = np.nan if result.covariance is None else float(xi @ np.linalg.solve(result.covariance, xi))
    return 1e3 * X.distance_to(truth), float(np.degrees(X.angle_to(truth))), squares, seconds, result.ok


def print_hand_row(pictures: int, images: Sequence[str], rows: NDArray[np.float64]) -> None:
    said = rows[:, 4] > 0.5
    good = rows[said]
    mm, degrees = (f"{np.median(one):.2f} / {np.quantile(one, 0.95):.2f}" for one in (good[:, 0], good[:, 1]))
    seconds = f"{np.median(rows[:, 3]):.1f}"
    found = f"{int(said.sum())} of {len(rows)}"
    print(
        f"| {pictures} | {' + '.join(images)} | {found} | {mm} | {degrees} | {np.median(good[:, 2]):.1f} | {seconds} |"
    )
    sys.stdout.flush()


def xarm_shots(images: Sequence[str], numbers: Sequence[int] = range(6)) -> list[Shot]:
    """Of the shared pictures."""
    camera, _ = load_camera_of_image(XARM / "camera_info.yaml", (720, 1280))
    table, shots = read_joints(XARM / "joints.json"), []
    for number in numbers:
        name = f"{number:06d}"
        seen = {"mask": read_mask(XARM / "mask" / f"{name}.png")}
        if "depth" in images:
            seen["depth"] = read_depth(XARM / "depth" / f"{name}.png")
        observation = Observation(camera, **seen, depth_scale=1e-3 if "depth" in images else None)
        shots.append(Shot(observation, table.of([name])[0], name))
    return shots


def xarm(given: argparse.Namespace) -> None:
    """Every three of six pictures, with no start."""
    robot = load_robot(XARM / "description" / "xarm7.urdf")
    known = json.loads((XARM / "extrinsics.json").read_text())
    published, own = (Pose.from_matrix(known[name]["base_to_camera"]) for name in ("published", "own"))
    (drawn_robot,) = robot.simplified(0.0005)
    print("| images | against | mm median / greatest | degrees median / greatest |")
    print("|---|---|---|---|")
    for images in (("mask",), ("mask", "depth")):
        shots = xarm_shots(images)
        found: dict[tuple[int, ...], CalibrationResult] = {
            three: calibrate(robot, [shots[n] for n in three], settings=QUIET) for three in combinations(range(6), 3)
        }
        poses = {three: result.T_camera_base for three, result in found.items()}
        gaps = {
            "published": [moved(pose, published) for pose in poses.values()],
            "own": [moved(pose, own) for pose in poses.values()],
            "the other three": [moved(pose, poses[rest_of(three)]) for three, pose in poses.items() if 0 in three],
        }
        for name, pairs in gaps.items():
            mm, degrees = np.array(pairs).T
            cells = f"{np.median(mm):.1f} / {mm.max():.1f} | {np.median(degrees):.2f} / {degrees.max():.2f}"
            print(f"| {' + '.join(images)} | {name} | {cells} |")
        left = [[iou(drawn_robot, shots[n], pose) for n in rest_of(three)] for three, pose in poses.items()]
        theirs = [iou(drawn_robot, shot, published) for shot in shots]
        print(
            f"{' + '.join(images)}: IoU without the foot on pictures left out {np.mean(left):.4f} (least of a trial "
            f"{np.min(np.mean(left, axis=1)):.4f}), published {np.mean(theirs):.4f}; "
            f"{sum(result.ok for result in found.values())} of {len(found)} say that they found it",
        )


def rest_of(three: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in range(6) if n not in three)


def iou(robot: Robot, shot: Shot, pose: Pose) -> float:
    """Of drawn robot and mask, without what is drawn of the lowest part of the base."""
    camera: Camera = shot.observation.camera
    images = Renderer(robot.posed(robot.checked(shot.joints)).mesh, camera).render(pose.R_m2c, pose.t_m2c)
    inside: NDArray[np.bool_] = images.coverage[0] > 0.5
    height = (camera.back_project(images.depth[0]) - pose.t_m2c) @ pose.R_m2c[:, 2]
    foot = inside & (height < FOOT_M)
    mask = np.asarray(shot.observation.mask) > 0.5
    return float(np.count_nonzero(inside & mask & ~foot) / np.count_nonzero((inside | mask) & ~foot))


def timed(given: argparse.Namespace) -> None:
    """Ten pictures: the six, and four of them again."""
    robot = load_robot(XARM / "description" / "xarm7.urdf")
    for images in (("mask",), ("mask", "depth")):
        shots = xarm_shots(images)
        shots += [Shot(shot.observation, shot.joints, f"{shot.name} again") for shot in shots[:4]]
        walls, processor = [], []
        for _ in range(4):
            wall, own = time.perf_counter(), time.process_time()
            calibrate(robot, shots, settings=QUIET)
            walls.append(time.perf_counter() - wall)
            processor.append(time.process_time() - own)
        print(f"{' + '.join(images)}, 10 pictures: {min(walls):.2f} s, of the processor {min(processor):.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    arm = commands.add_parser("drawn")
    arm.add_argument("--count", type=int, default=100)
    arm.add_argument("--pictures", type=int, default=3)
    arm.add_argument("--joint-noise", type=float, default=0.0)
    arm.add_argument("--urdf", type=Path, default=None)
    arm.set_defaults(run=drawn)
    on_hand = commands.add_parser("hand")
    on_hand.add_argument("--count", type=int, default=20)
    on_hand.add_argument("--pictures", type=int, nargs="+", default=[3, 5, 10])
    on_hand.add_argument("--joint-noise", type=float, default=0.0)
    on_hand.add_argument("--urdf", type=Path, default=None)
    on_hand.add_argument("--flange", default=None)
    on_hand.set_defaults(run=hand)
    for name, run in (("xarm", xarm), ("time", timed)):
        commands.add_parser(name).set_defaults(run=run)
    given = parser.parse_args()
    if given.run not in (drawn, hand) and not XARM.is_dir():
        raise SystemExit("no ../shared/data/robot_xarm beside the project: nothing to measure")
    given.run(given)


if __name__ == "__main__":
    main()
