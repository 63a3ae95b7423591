"""AX = XB in closed form: two axes, one axis, no turns; and derivatives of the chain against differences."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.calibration.eye_in_hand.chain import FlangeScrews, HandState
from diffdope.calibration.eye_in_hand.closed_form import flange_motions, hand_eyes
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose, difference


def random_pose(rng: np.random.Generator, size_m: float = 0.3) -> Pose:
    return Pose(so3.exp(rng.normal(0.0, 1.0, 3)), rng.normal(0.0, size_m, 3))


def seen(X: Pose, Y: Pose, flanges: list[Pose]) -> list[Pose]:
    return [(flange @ X).inverse() @ Y for flange in flanges]


def solve_hand_eye(flanges: list[Pose], objects: list[Pose]) -> Pose | None:
    return next(iter(hand_eyes(flanges, objects)), None)


@pytest.mark.parametrize("count", [3, 6])
def test_turns_about_two_axes_determine_everything(count: int, rng: np.random.Generator) -> None:
    X, Y = random_pose(rng), random_pose(rng)
    flanges = [random_pose(rng) for _ in range(count)]
    found = solve_hand_eye(flanges, seen(X, Y, flanges))
    assert found is not None and found.angle_to(X) < 1e-9 and found.distance_to(X) < 1e-9
    assert flange_motions(flanges).axes >= 2


SPIN, TILT = np.array([0.0, 0.0, np.pi]), np.array([0.5, 0.0, 0.0])
HALF_TURNS = {
    "turned over and tilted across": (0 * SPIN, SPIN, TILT),
    "quarters": (0 * SPIN, 0.5 * SPIN, SPIN, -0.5 * SPIN, TILT),
    "about two axes": (0 * SPIN, SPIN, np.array([np.pi, 0.0, 0.0])),
}


@pytest.mark.parametrize("turns", HALF_TURNS.values(), ids=HALF_TURNS)
def test_turns_by_half_a_circle(turns: tuple[np.ndarray, ...], rng: np.random.Generator) -> None:
    """Noise of 0.2 degrees and 1 mm makes the sign of their vectors chance: the camera came out upside down."""
    for _ in range(20):
        X, Y, base = random_pose(rng, 0.1), random_pose(rng, 1.0), so3.exp(rng.normal(0.0, 1.0, 3))
        flanges = [Pose(base @ so3.exp(turn), rng.normal(0.0, 0.3, 3)) for turn in turns]
        objects = [
            Pose(so3.exp(rng.normal(0.0, np.radians(0.2), 3)) @ one.R_m2c, one.t_m2c + rng.normal(0.0, 1e-3, 3))
            for one in seen(X, Y, flanges)
        ]
        found = solve_hand_eye(flanges, objects)
        assert found is not None and np.degrees(found.angle_to(X)) < 5.0 and found.distance_to(X) < 0.2


def test_half_a_turn_about_one_axis(rng: np.random.Generator) -> None:
    X, Y = random_pose(rng), random_pose(rng)
    for count in (2, 3):
        flanges = [Pose(so3.exp(k * SPIN / (count - 1)), rng.normal(0.0, 0.3, 3)) for k in range(count)]
        objects = seen(X, Y, flanges)
        cameras = hand_eyes(flanges, objects)
        # Two pictures leave more than one open; each that is given explains them.
        assert cameras and all(
            (flanges[0] @ one @ objects[0]).angle_to(flanges[1] @ one @ objects[1]) < 1e-6 for one in cameras
        )
        assert min(one.angle_to(X) for one in cameras) < 1e-6 or count == 2


@pytest.mark.parametrize("axis", np.eye(3))
def test_a_camera_that_sits_half_a_turn_from_the_flange(axis: np.ndarray, rng: np.random.Generator) -> None:
    X, Y = Pose(so3.exp(np.pi * axis), np.array([0.1, 0.05, 0.02])), random_pose(rng)
    flanges = [random_pose(rng) for _ in range(6)]
    found = solve_hand_eye(flanges, seen(X, Y, flanges))
    assert found is not None and found.angle_to(X) < 1e-9 and found.distance_to(X) < 1e-9


def test_turns_about_one_axis_that_moves_leave_the_shift_along_it_open(rng: np.random.Generator) -> None:
    X, Y, axis = random_pose(rng), random_pose(rng), np.array([0.0, 0.6, 0.8])
    flanges = [Pose(so3.exp(angle * axis), rng.normal(0.0, 0.3, 3)) for angle in (0.0, 0.7, 1.5, -0.8)]
    found = solve_hand_eye(flanges, seen(X, Y, flanges))
    assert found is not None and found.angle_to(X) < 1e-8
    away = found.t_m2c - X.t_m2c
    assert np.linalg.norm(np.cross(away, axis)) < 1e-8  # in the flange's axes, too: they turn about it
    motions = flange_motions(flanges)
    assert motions.axes == 1 and abs(motions.axis @ axis) > 1.0 - 1e-9


def test_shifts_alone_tell_the_rotation_and_nothing_moving_tells_nothing(rng: np.random.Generator) -> None:
    X, Y = random_pose(rng), random_pose(rng)
    flanges = [Pose(np.eye(3), rng.normal(0.0, 0.3, 3)) for _ in range(4)]
    found = solve_hand_eye(flanges, seen(X, Y, flanges))
    assert found is not None and found.angle_to(X) < 1e-8
    assert flange_motions(flanges).axes == 0
    assert solve_hand_eye(flanges[:1] * 3, seen(X, Y, flanges[:1] * 3)) is None


def test_derivatives_of_the_chain(rng: np.random.Generator) -> None:
    screws = FlangeScrews(rng.normal(0.0, 1.0, (4, 3)), rng.normal(0.0, 0.3, (4, 3)))
    state = HandState(random_pose(rng), random_pose(rng), (random_pose(rng),), (screws,), np.zeros((1, 4)))
    by_shared, by_own = state.derivatives(0)
    step = 1e-6
    for k in range(12):
        ends = [state.moved(sign * step * np.eye(12)[k], state.errors).in_camera(0) for sign in (1.0, -1.0)]
        slope = (difference(ends[0], state.in_camera(0)) - difference(ends[1], state.in_camera(0))) / (2.0 * step)
        assert by_shared[:, k] == pytest.approx(slope, abs=1e-6)
    for k in range(4):
        ends = [state.moved(np.zeros(12), sign * step * np.eye(4)[[k]]).in_camera(0) for sign in (1.0, -1.0)]
        slope = (difference(ends[0], state.in_camera(0)) - difference(ends[1], state.in_camera(0))) / (2.0 * step)
        assert by_own[:, k] == pytest.approx(slope, abs=1e-6)
