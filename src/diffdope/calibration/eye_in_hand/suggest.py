"""Which configurations of the robot would tell most about where the camera is on its hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diffdope.calibration.eye_in_hand.chain import CAMERA, OBJECT, HandState
from diffdope.calibration.eye_in_hand.estimate import HandSolution
from diffdope.calibration.eye_in_hand.shots import HandShot, PlacedShot, placed_shots
from diffdope.calibration.result import Suggestion
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.robot import Robot

F64 = NDArray[np.float64]

_TRIED, _KEPT = 400, 40  # drawn about the pictures' configurations, and those of them that see the object
_SPREAD_RAD = 0.6  # deviation of suggested joints about those of the pictures
_NEARER, _FARTHER = 0.6, 1.6  # of the pictures' distances: what a camera that is focused there can use


def suggestions(
    robot: Robot, link: str, shots: Sequence[HandShot], placed: Sequence[PlacedShot], solution: HandSolution,
    refiner: Refiner, count: int, seed: int,
) -> tuple[Suggestion, ...]:  # fmt: skip
    """The best of some configurations that see the object, one after the other, each given those before it.

    A picture there is taken to know of the object what the pictures do on average. Nothing here knows of obstacles.

    Args:
        robot: that holds the camera.
        link: the flange.
        shots: the pictures as given; empty result where none has joints.
        placed: the same, with flanges.
        solution: of all pictures.
        refiner: of the object.
        count: how many are wanted.
        seed: of the draws.
    """
    given = [shot for shot in shots if shot.joints is not None]
    if not given or not solution.counted:
        return ()
    state, camera = solution.state, placed[0].observation.camera
    known = np.mean([solution.leaves[n, 0].curvature for n in solution.counted], axis=0)
    distances = [float(state.in_camera(n).t_m2c[2]) for n in solution.counted]
    within = _NEARER * min(distances), _FARTHER * max(distances)
    rng = np.random.default_rng([seed, 2])
    names = [name for name in robot.needed if all(name in (shot.joints or {}) for shot in given)]
    tried: list[dict[str, float]] = []
    gains: list[F64] = []
    limits = {joint.name: (joint.lower, joint.upper) for joint in robot.moving}
    for _ in range(_TRIED):
        about = dict(given[int(rng.integers(len(given)))].joints or {})
        values = {n: float(np.clip(about[n] + _SPREAD_RAD * rng.normal(), *limits[n])) for n in names}
        full = {**about, **values}
        flange = Pose.from_matrix(
            robot.forward({j.name: full.get(j.name, 0.0) for j in robot.moving})[_row(robot, link)]
        )
        if not _seen(state, flange, camera, refiner, within):
            continue
        (one,) = placed_shots([HandShot(placed[0].observation, full)], robot, link)
        tried.append(values)
        gains.append(_information(state, one, known, solution.sigma))
        if len(tried) == _KEPT:
            break
    return _greedy(tried, gains, solution.information, count)


def _row(robot: Robot, link: str) -> int:
    return [one.name for one in robot.links].index(link)


def _seen(state: HandState, flange: Pose, camera: Camera, refiner: Refiner, within: tuple[float, float]) -> bool:
    """Whether the whole object is in the picture, at a distance at which the others saw it."""
    pose = (flange @ state.T_camera_flange.inverse()).inverse() @ state.T_base_object
    if not within[0] < pose.t_m2c[2] < within[1]:
        return False
    points = pose.apply(refiner.meshes.corners_m)
    if points[:, 2].min() <= 0.0:
        return False
    u, v = camera.project(points)
    return bool(u.min() > 0.0 and v.min() > 0.0 and u.max() < camera.width - 1.0 and v.max() < camera.height - 1.0)


def _information(state: HandState, shot: PlacedShot, known: F64, sigma: float) -> F64:
    """(12, 12) of camera and object, errors of joints eliminated."""
    errors = np.zeros((1, len(shot.screws.axis)))
    there = HandState(state.T_camera_flange, state.T_base_object, (shot.T_base_flange,), (shot.screws,), errors)
    by_shared, by_own = there.derivatives(0)
    between = by_shared.T @ known @ by_own
    inner = np.linalg.inv(by_own.T @ known @ by_own + np.eye(errors.shape[1]) / sigma**2)
    return np.asarray(by_shared.T @ known @ by_shared - between @ inner @ between.T)


def _greedy(
    tried: Sequence[dict[str, float]], gains: list[F64], information: F64, count: int
) -> tuple[Suggestion, ...]:
    chosen: list[Suggestion] = []
    total = information.copy()
    for _ in range(min(count, len(tried))):
        before = _of_camera(total)
        scores = [_of_camera(total + one) - before for one in gains]
        best = int(np.argmax(scores))
        if scores[best] <= 1e-6:
            break
        total, gains[best] = total + gains[best], np.zeros_like(total)
        chosen.append(Suggestion(dict(tried[best]), float(np.exp(-scores[best] / 12.0))))
    return tuple(chosen)


def _of_camera(information: F64) -> float:
    """Log determinant of what is known of the camera, the object's place eliminated."""
    of_object = information[OBJECT, OBJECT] + 1e-9 * np.trace(information) * np.eye(6)
    between = information[CAMERA, OBJECT]
    rest = information[CAMERA, CAMERA] - between @ np.linalg.solve(of_object, between.T)
    return float(np.linalg.slogdet(rest + 1e-9 * np.trace(rest) * np.eye(6))[1])
