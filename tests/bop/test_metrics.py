"""Errors of poses, held against loops that follow the definitions and cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.bop.metrics import (
    ModelPoints,
    PosePairs,
    add,
    add_errors,
    add_s,
    add_s_errors,
    mspd_errors,
    mssd_errors,
    rotation_translation_errors,
)
from diffdope.bop.metrics import pairs as pairs_module
from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.geometry.symmetry import Symmetries

F64 = NDArray[np.float64]

SQUARE = np.array([[1, 1, 0], [-1, 1, 0], [-1, -1, 0], [1, -1, 0]]) * 0.1
CUBE = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]) * 0.05
K = np.array([[600.0, 0, 320], [0, 610, 240], [0, 0, 1]])
AXIS_AND_HALF_TURN = {
    "symmetries_continuous": [{"axis": [0, 3, 4], "offset": [5, 0, 2]}],
    "symmetries_discrete": [[1, 0, 0, 0, 0, -1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1]],
}
AXIAL = Symmetries.from_bop(AXIS_AND_HALF_TURN)
COARSE = Symmetries.from_bop(AXIS_AND_HALF_TURN, steps=20)
FOURFOLD = Symmetries.from_bop({"symmetries_continuous": [{"axis": [0, 0, 1], "offset": [0, 0, 0]}]}, steps=4)
BALL = Symmetries.from_bop(
    {"symmetries_continuous": [{"axis": [0, 0, 1], "offset": [0, 30, 0]}, {"axis": [0, 1, 0], "offset": [0, 0, 0]}]}
)


def at(x: float = 0.0, y: float = 0.0, z: float = 1.0, turn: tuple[float, float, float] = (0, 0, 0)) -> Pose:
    return Pose(so3.exp(np.array(turn)), np.array([x, y, z]))


def random_pairs(rng: np.random.Generator, count: int, angle: float = 0.3, length: float = 0.01) -> PosePairs:
    R = so3.exp(rng.normal(size=(count, 3)))
    t = rng.uniform(-0.1, 0.1, (count, 3)) + np.array([0, 0, 0.8])
    return PosePairs(so3.exp(angle * rng.normal(size=(count, 3))) @ R, t + length * rng.normal(size=(count, 3)), R, t)


def random_points(rng: np.random.Generator, count: int = 60) -> F64:
    return rng.normal(size=(count, 3)) * [0.03, 0.05, 0.02] + [0.02, 0.0, -0.01]


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every loop over chunks takes several turns."""
    monkeypatch.setattr(pairs_module, "CHUNK_NUMBERS", 1000)


# Definitions, one pair at a time


def add_slowly(e: Pose, g: Pose, points: F64) -> float:
    return float(np.mean([np.linalg.norm(a - b) for a, b in zip(e.apply(points), g.apply(points), strict=True)]))


def add_s_slowly(e: Pose, g: Pose, points: F64) -> float:
    return float(np.mean([np.linalg.norm(e.apply(points) - x, axis=1).min() for x in g.apply(points)]))


def mssd_slowly(e: Pose, g: Pose, points: F64, symmetries: Symmetries) -> float:
    turned = [g @ Pose(R, t) for R, t in zip(symmetries.R, symmetries.t_m, strict=True)]
    return min(np.linalg.norm(e.apply(points) - s.apply(points), axis=1).max() for s in turned)


def mspd_slowly(e: Pose, g: Pose, points: F64, symmetries: Symmetries) -> float:
    def pixels(pose: Pose) -> F64:
        x_c = np.array([K @ (pose.R_m2c @ x + pose.t_m2c) for x in points])
        return x_c[:, :2] / x_c[:, 2:]

    turned = [g @ Pose(R, t) for R, t in zip(symmetries.R, symmetries.t_m, strict=True)]
    return min(np.linalg.norm(pixels(e) - pixels(s), axis=1).max() for s in turned)


def poses_of(pairs: PosePairs) -> list[tuple[Pose, Pose]]:
    return [(Pose(pairs.R_est[n], pairs.t_est[n]), Pose(pairs.R_true[n], pairs.t_true[n])) for n in range(len(pairs))]


# ADD and ADD-S


def test_add_of_a_shift_is_its_length() -> None:
    assert add(at(0.003, 0.004), at(), SQUARE) == pytest.approx(0.005)
    assert add_s(at(0.003, 0.004), at(), SQUARE) == pytest.approx(0.005)


def test_add_s_forgives_a_symmetry_and_add_does_not() -> None:
    turned = at(turn=(0, 0, np.pi / 2))
    assert add(turned, at(), SQUARE) == pytest.approx(0.2)  # each corner moves along one side of the square
    assert add_s(turned, at(), SQUARE) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("angle", [0.1, 1.0, np.pi])
def test_add_of_a_turned_ring_is_the_chord(angle: float) -> None:
    around = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    ring = 0.05 * np.stack([np.cos(around), np.sin(around), 0.3 * around], axis=1)
    assert add(at(turn=(0, 0, angle)), at(), ring) == pytest.approx(2 * 0.05 * np.sin(angle / 2))


def test_add_s_goes_from_the_truth_to_the_estimate() -> None:
    """Points at 0, 2 and 10 mm, shifted by 10: the nearest of 10, 12, 20 are 10, 8 and 0 away (and 0, 2, 10 back)."""
    line = np.array([[0.0, 0, 0], [0.002, 0, 0], [0.01, 0, 0]])
    assert add_s(at(0.01), at(), line) == pytest.approx(0.018 / 3)


@pytest.mark.parametrize("angle", [0.01, 0.3, 2.0])
def test_add_and_add_s_follow_their_definitions(rng: np.random.Generator, angle: float, small_chunks: None) -> None:
    pairs, points = random_pairs(rng, 25, angle), random_points(rng)
    slow = [(add_slowly(e, g, points), add_s_slowly(e, g, points)) for e, g in poses_of(pairs)]
    np.testing.assert_allclose(add_errors(pairs, points), [s[0] for s in slow], rtol=1e-10)
    np.testing.assert_allclose(add_s_errors(pairs, points), [s[1] for s in slow], rtol=1e-10)
    model = ModelPoints(points)
    np.testing.assert_array_equal(add_s_errors(pairs, model, threads=2), add_s_errors(pairs, model))


# Rotation and translation modulo symmetry


def test_angle_and_distance_without_symmetry(rng: np.random.Generator) -> None:
    pairs = random_pairs(rng, 20)
    angle, distance = rotation_translation_errors(pairs, Symmetries.none())
    np.testing.assert_allclose(angle, [e.angle_to(g) for e, g in poses_of(pairs)], rtol=1e-9)
    np.testing.assert_allclose(distance, [e.distance_to(g) for e, g in poses_of(pairs)], rtol=1e-9)


def test_the_distance_belongs_to_the_symmetry_of_the_smallest_angle() -> None:
    about_offset = Symmetries.from_bop({"symmetries_discrete": [[-1, 0, 0, 80, 0, -1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]]})
    half = at(0.081, turn=(0, 0, np.pi - 0.01))  # half a turn about x = 40 mm, up to 10 mrad and 1 mm
    angle, distance = rotation_translation_errors(PosePairs.of([half], [at()]), about_offset)
    assert angle[0] == pytest.approx(0.01) and distance[0] == pytest.approx(0.001)


def test_turns_about_an_axis_are_free_not_in_steps(rng: np.random.Generator) -> None:
    """A turn between two of the 315 steps costs nothing; a tilt of the axis costs just its angle."""
    axis, centre = np.array([0.0, 0.6, 0.8]), np.array([0.005, 0.0, 0.002])
    truth = Pose(so3.exp(rng.normal(size=3)), np.array([0.1, 0.0, 0.9]))
    turn = so3.exp(1.2345 * axis)
    tilt = so3.exp(0.05 * np.array([1.0, 0.0, 0.0]))  # perpendicular to the axis
    between = truth @ Pose(turn, centre - turn @ centre)
    tilted = truth @ Pose(tilt @ turn, centre - tilt @ turn @ centre)
    angle, distance = rotation_translation_errors(PosePairs.of([between, tilted], [truth] * 2), AXIAL)
    np.testing.assert_allclose(angle, [0.0, 0.05], atol=1e-7)
    assert distance[0] == pytest.approx(0.0, abs=1e-9)


def test_angle_modulo_symmetry_is_the_least_of_many_turns(rng: np.random.Generator) -> None:
    pairs = random_pairs(rng, 8, angle=1.5)
    angle, _ = rotation_translation_errors(pairs, AXIAL)
    turns = so3.exp(np.linspace(0, 2 * np.pi, 3600)[:, None] * [0.0, 0.6, 0.8])
    for n, (e, g) in enumerate(poses_of(pairs)):
        tried = [g.R_m2c @ turns @ D for D in (np.eye(3), np.diag([1.0, -1.0, -1.0]))]
        chords = np.linalg.norm(np.concatenate(tried) - e.R_m2c, axis=(1, 2)).min()
        assert angle[n] == pytest.approx(2 * np.arcsin(chords / np.sqrt(8)), abs=2e-3)
        assert angle[n] <= 2 * np.arcsin(chords / np.sqrt(8)) + 1e-9


def test_a_ball_has_no_rotation_error(rng: np.random.Generator) -> None:
    pairs = random_pairs(rng, 10, angle=2.0)
    centre = np.array([0.0, 0.03, 0.0])
    apart = [np.linalg.norm(e.apply(centre) - g.apply(centre)) for e, g in poses_of(pairs)]
    angle, distance = rotation_translation_errors(pairs, BALL)
    np.testing.assert_allclose(angle, 0.0, atol=1e-9)
    np.testing.assert_allclose(distance, apart, rtol=1e-9)
    np.testing.assert_allclose(mssd_errors(pairs, random_points(rng), BALL), apart, rtol=1e-9)


# MSSD and MSPD


def test_mssd_of_a_cube_turned_by_45_degrees() -> None:
    """Modulo quarter turns half of 90 degrees is the worst: corners 0.05 sqrt(2) from the axis move by a chord."""
    pairs = PosePairs.of([at(turn=(0, 0, a)) for a in (np.pi / 4, np.pi / 2, np.radians(100))], [at()] * 3)
    wanted = [2 * 0.05 * np.sqrt(2) * np.sin(a / 2) for a in (np.pi / 4, 0.0, np.radians(10))]
    np.testing.assert_allclose(mssd_errors(pairs, CUBE, FOURFOLD), wanted, atol=1e-12)


def test_mspd_of_a_sideways_shift_at_one_depth() -> None:
    """f * shift / depth, here on a square that faces the camera; 610 pixels of focal length along v."""
    pairs = PosePairs.of([at(0.01, z=0.5), at(0, 0.01, z=0.5)], [at(z=0.5)] * 2)
    np.testing.assert_allclose(mspd_errors(pairs, SQUARE, Symmetries.none(), K), [12.0, 12.2])


def test_mspd_behind_the_camera_is_infinite() -> None:
    pairs = PosePairs.of([at(z=-1.0), at(z=0.01), at()], [at()] * 3)
    errors = mspd_errors(pairs, CUBE, FOURFOLD, K)
    assert np.isinf(errors[:2]).all() and errors[2] == 0.0


@pytest.mark.parametrize("angle", [0.01, 0.4, 2.0])
@pytest.mark.parametrize("symmetries", [Symmetries.none(), FOURFOLD, COARSE])
def test_mssd_and_mspd_follow_their_definitions(
    rng: np.random.Generator, angle: float, symmetries: Symmetries, small_chunks: None
) -> None:
    """Hull, bounds and chunks change nothing: all points, all symmetries, one after the other."""
    pairs, points = random_pairs(rng, 6, angle), random_points(rng, 25)
    slow = [(mssd_slowly(e, g, points, symmetries), mspd_slowly(e, g, points, symmetries)) for e, g in poses_of(pairs)]
    np.testing.assert_allclose(mssd_errors(pairs, points, symmetries), [s[0] for s in slow], rtol=1e-9)
    np.testing.assert_allclose(mspd_errors(pairs, points, symmetries, K), [s[1] for s in slow], rtol=1e-9)


def test_mssd_looks_beyond_the_few_points_of_the_bound(rng: np.random.Generator) -> None:
    """On a ball of 2,000 points, all of them corners of the hull, the farthest is rarely one of the 48."""
    points = rng.normal(size=(2000, 3))
    points *= 0.05 / np.linalg.norm(points, axis=1, keepdims=True)
    pairs = random_pairs(rng, 30)
    assert len(ModelPoints(points).extremes) < 50 and len(ModelPoints(points).hull) == 2000
    moved = points @ np.swapaxes(pairs.R_est - pairs.R_true, 1, 2) + (pairs.t_est - pairs.t_true)[:, None]
    np.testing.assert_allclose(mssd_errors(pairs, points, Symmetries.none()), np.linalg.norm(moved, axis=2).max(axis=1))


@pytest.mark.parametrize("points", [SQUARE, SQUARE[:1], np.concatenate([SQUARE[:2]] * 4)], ids=["flat", "one", "line"])
def test_flat_models_have_no_hull_and_are_measured_all_the_same(points: F64, rng: np.random.Generator) -> None:
    pairs = random_pairs(rng, 5)
    slow = [mssd_slowly(e, g, points, FOURFOLD) for e, g in poses_of(pairs)]
    np.testing.assert_allclose(mssd_errors(pairs, points, FOURFOLD), slow, rtol=1e-9)


# Properties


def test_a_symmetric_turn_is_no_error(rng: np.random.Generator) -> None:
    truth = random_pairs(rng, len(COARSE))
    estimate_R = truth.R_true @ COARSE.R
    estimate_t = np.einsum("nij,nj->ni", truth.R_true, COARSE.t_m) + truth.t_true
    pairs = PosePairs(estimate_R, estimate_t, truth.R_true, truth.t_true)
    points = random_points(rng)
    np.testing.assert_allclose(mssd_errors(pairs, points, COARSE), 0.0, atol=1e-12)
    np.testing.assert_allclose(mspd_errors(pairs, points, COARSE, K), 0.0, atol=1e-9)
    np.testing.assert_allclose(rotation_translation_errors(pairs, COARSE), 0.0, atol=1e-7)
    assert add_errors(pairs, points).max() > 0.01


def test_a_common_motion_changes_no_distance(rng: np.random.Generator) -> None:
    pairs, points = random_pairs(rng, 10), random_points(rng)
    R, t = so3.exp(rng.normal(size=3)), rng.normal(size=3)
    moved = PosePairs(R @ pairs.R_est, pairs.t_est @ R.T + t, R @ pairs.R_true, pairs.t_true @ R.T + t)
    for error in (add_errors, add_s_errors, lambda p, x: mssd_errors(p, x, AXIAL)):
        np.testing.assert_allclose(error(moved, points), error(pairs, points), rtol=1e-9)
    before, after = (rotation_translation_errors(p, AXIAL) for p in (pairs, moved))
    np.testing.assert_allclose(after, before, rtol=1e-7)


def test_order_of_the_metrics(rng: np.random.Generator) -> None:
    """ADD-S <= ADD <= MSSD without symmetry; symmetries only lower MSSD and MSPD."""
    pairs, points = random_pairs(rng, 50, angle=1.0), random_points(rng)
    add_, add_s_ = add_errors(pairs, points), add_s_errors(pairs, points)
    alone = mssd_errors(pairs, points, Symmetries.none())
    assert (add_s_ <= add_).all() and (add_ <= alone).all()
    assert (mssd_errors(pairs, points, AXIAL) <= alone).all()
    assert (mspd_errors(pairs, points, AXIAL, K) <= mspd_errors(pairs, points, Symmetries.none(), K)).all()
    # a model with the symmetry itself: the closest point is never farther than the symmetric partner
    assert (add_s_errors(pairs, CUBE) <= mssd_errors(pairs, CUBE, FOURFOLD) + 1e-12).all()


# Input


def test_one_truth_serves_many_estimates(rng: np.random.Generator) -> None:
    pairs = random_pairs(rng, 4)
    shared = PosePairs(pairs.R_est, pairs.t_est, pairs.R_true[0], pairs.t_true[0])
    spelled = PosePairs(pairs.R_est, pairs.t_est, np.stack([pairs.R_true[0]] * 4), np.stack([pairs.t_true[0]] * 4))
    np.testing.assert_array_equal(add_errors(shared, CUBE), add_errors(spelled, CUBE))
    assert len(shared) == 4 and len(shared[1:3]) == 2


def test_no_pairs_no_errors() -> None:
    nothing = PosePairs.of([], [])
    assert add_errors(nothing, CUBE).shape == add_s_errors(nothing, CUBE).shape == (0,)
    assert mssd_errors(nothing, CUBE, FOURFOLD).shape == mspd_errors(nothing, CUBE, FOURFOLD, K).shape == (0,)
    assert [a.shape for a in rotation_translation_errors(nothing, AXIAL)] == [(0,), (0,)]


def test_wrong_input_is_named() -> None:
    eye, zero = np.eye(3), np.zeros(3)
    with pytest.raises(DiffDopeError, match=r"t_true: expected shape \(2, 3\)"):
        PosePairs(np.stack([eye] * 2), np.zeros((2, 3)), eye, np.zeros((3, 3))[:1].repeat(1, 0)[:, :2])
    with pytest.raises(DiffDopeError, match=r"R_est\[1\]: expected a rotation"):
        PosePairs(np.stack([eye, 2 * eye]), np.zeros((2, 3)), eye, zero)
    with pytest.raises(DiffDopeError, match="t_est: expected finite"):
        PosePairs(eye, np.array([0, 0, np.nan]), eye, zero)
    with pytest.raises(DiffDopeError, match="truths: expected 1"):
        PosePairs.of([at()], [])
    with pytest.raises(DiffDopeError, match="points_m: expected shape"):
        add_errors(PosePairs.of([at()], [at()]), np.zeros((3, 2)))
    with pytest.raises(DiffDopeError, match="points_m: expected at least one"):
        ModelPoints(np.zeros((0, 3)))
    with pytest.raises(DiffDopeError, match="K: expected shape"):
        mspd_errors(PosePairs.of([at()], [at()]), CUBE, FOURFOLD, np.eye(4))
