from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose, as_pose, solved_pose


def random_pose(rng: np.random.Generator) -> Pose:
    return Pose(so3.exp(rng.normal(size=3)), rng.normal(size=3))


def assert_same(a: Pose, b: Pose, atol: float = 1e-13) -> None:
    np.testing.assert_allclose(a.matrix, b.matrix, atol=atol)


def test_apply_is_the_convention(rng: np.random.Generator) -> None:
    pose = random_pose(rng)
    x_m = rng.normal(size=(4, 5, 3))
    expected = np.einsum("ij,abj->abi", pose.R_m2c, x_m) + pose.t_m2c
    np.testing.assert_allclose(pose.apply(x_m), expected, atol=1e-14)
    homogeneous = pose.matrix @ [*x_m[0, 0], 1]
    np.testing.assert_allclose(pose.apply(x_m[0, 0]), homogeneous[:3], atol=1e-14)


def test_poses_compose_and_invert_as_a_group(rng: np.random.Generator) -> None:
    a, b, c = (random_pose(rng) for _ in range(3))
    x = rng.normal(size=(7, 3))
    np.testing.assert_allclose((a @ b).apply(x), a.apply(b.apply(x)), atol=1e-13)
    assert_same((a @ b) @ c, a @ (b @ c))
    assert_same(a @ a.inverse(), Pose.identity())
    assert_same(a.inverse() @ a, Pose.identity())
    assert_same(a @ Pose.identity(), a)


def test_retract_is_left_and_decoupled(rng: np.random.Generator) -> None:
    pose, xi = random_pose(rng), rng.normal(size=6)
    moved = pose.retract(xi)
    np.testing.assert_allclose(moved.R_m2c, so3.exp(xi[3:]) @ pose.R_m2c, atol=1e-14)
    np.testing.assert_allclose(moved.t_m2c, pose.t_m2c + xi[:3], atol=1e-14)


def test_points_move_as_the_conventions_say(rng: np.random.Generator) -> None:
    pose, x_m = random_pose(rng), rng.normal(size=3)
    rho, phi = rng.normal(size=(2, 3))
    h = 1e-6
    forth, back = (pose.retract(s * h * np.concatenate([rho, phi])).apply(x_m) for s in (1, -1))
    X = pose.apply(x_m)
    np.testing.assert_allclose((forth - back) / (2 * h), rho + np.cross(phi, X - pose.t_m2c), atol=1e-8)


def test_angle_and_distance(rng: np.random.Generator) -> None:
    pose = random_pose(rng)
    moved = pose.retract([0, 3e-3, 4e-3, 0.1, 0, 0])
    assert pose.angle_to(moved) == pytest.approx(0.1)
    assert moved.angle_to(pose) == pytest.approx(0.1)
    assert pose.distance_to(moved) == pytest.approx(5e-3)
    assert pose.angle_to(pose) < 1e-7


def test_round_trips(rng: np.random.Generator) -> None:
    pose = random_pose(rng)
    assert_same(Pose.from_matrix(pose.matrix), pose)
    assert_same(Pose.from_wxyz_xyz([*(2 * pose.wxyz), *pose.t_m2c]), pose)
    assert_same(Pose.from_bop(*pose.to_bop()), pose)
    assert_same(copy.deepcopy(pose), pose)


def test_bop_is_in_millimetres() -> None:
    pose = Pose.from_bop([1, 0, 0, 0, 0, -1, 0, 1, 0], [10, -20, 700])
    np.testing.assert_allclose(pose.t_m2c, [0.010, -0.020, 0.7])
    np.testing.assert_allclose(pose.R_m2c @ [0, 1, 0], [0, 0, 1])
    assert_same(Pose.from_bop(pose.R_m2c, [10, -20, 700]), pose)
    R, t = pose.to_bop()
    assert R == [1, 0, 0, 0, 0, -1, 0, 1, 0]
    np.testing.assert_allclose(t, [10, -20, 700])


def test_opengl_camera_looks_backwards() -> None:
    T = np.eye(4)
    T[:3, 3] = [0.1, 0.2, -0.7]  # right, up, in front
    pose = Pose.from_opengl(T)
    np.testing.assert_allclose(pose.t_m2c, [0.1, -0.2, 0.7])
    np.testing.assert_allclose(pose.R_m2c, np.diag([1, -1, -1]))


def test_nearly_orthonormal_is_projected(rng: np.random.Generator) -> None:
    R = so3.exp(rng.normal(size=3))
    pose = Pose(R + 2e-4 * rng.uniform(-1, 1, (3, 3)), np.zeros(3))
    np.testing.assert_allclose(pose.R_m2c @ pose.R_m2c.T, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(pose.R_m2c, R, atol=1e-3)


@pytest.mark.parametrize(
    ("R", "t", "message"),
    [
        (np.eye(4), np.zeros(3), r"R_m2c: expected shape \(3, 3\), got \(4, 4\)"),
        (np.eye(3), np.zeros((3, 1)), r"t_m2c: expected shape \(3,\), got \(3, 1\)"),
        (np.full((3, 3), np.nan), np.zeros(3), "R_m2c: expected finite numbers, got 9 of 9"),
        (np.eye(3), [0, 0, np.inf], "t_m2c: expected finite numbers, got 1 of 3"),
        (np.eye(3) + 0.01, np.zeros(3), "R_m2c: expected an orthonormal matrix"),
        (1000 * np.eye(3), np.zeros(3), "it holds a scale of 1000: divide by it"),
        (np.zeros((3, 3)), np.zeros(3), "R_m2c: expected an orthonormal matrix"),
        (np.diag([1, 1, -1]), np.zeros(3), r"got a reflection .* left-handed"),
        ("spam", np.zeros(3), "R_m2c: expected an array of numbers"),
    ],
)
def test_what_is_no_pose_is_refused(R: object, t: object, message: str) -> None:
    with pytest.raises(DiffDopeError, match=message):
        Pose(R, t)  # type: ignore[arg-type]


def test_transposed_matrix_is_named(rng: np.random.Generator) -> None:
    with pytest.raises(DiffDopeError, match="transposed"):
        Pose.from_matrix(random_pose(rng).matrix.T)
    with pytest.raises(DiffDopeError, match=r"last row \(0, 0, 0, 1\)"):
        Pose.from_matrix(np.ones((4, 4)))


def test_is_immutable_and_keeps_its_own_copy() -> None:
    t = np.zeros(3)
    pose = Pose(np.eye(3), t)
    t[0] = 1
    assert pose.t_m2c[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        pose.t_m2c[0] = 1
    with pytest.raises(dataclasses.FrozenInstanceError):
        pose.t_m2c = t  # type: ignore[misc]


def test_lists_will_do_and_repr_is_short() -> None:
    pose = Pose([[1, 0, 0], [0, 1, 0], [0, 0, 1]], [0, 0, 1])  # type: ignore[arg-type]
    assert repr(pose) == "Pose(wxyz=[1., 0., 0., 0.], t_m2c=[0., 0., 1.] m)"


def test_an_exact_rotation_is_copied_too() -> None:
    R = np.eye(3)
    pose = Pose(R, np.zeros(3))
    R[0, 0] = 5.0
    assert pose.R_m2c[0, 0] == 1.0 and R.flags.writeable


def test_a_solver_s_pose_is_a_copy_that_nobody_writes_to() -> None:
    R, t = so3.exp(np.array([0.3, -0.2, 0.1])), np.array([0.1, 0.2, 0.5])
    pose, same = solved_pose(R, t), Pose(R, t)
    R[:], t[:] = 0.0, 0.0
    assert (pose.R_m2c == same.R_m2c).all() and (pose.t_m2c == same.t_m2c).all()
    with pytest.raises(ValueError, match="read-only"):
        pose.t_m2c[0] = 1.0


def test_the_first_three_rows_will_do(rng: np.random.Generator) -> None:
    pose = random_pose(rng)
    rows = pose.matrix[:3]
    assert np.array_equal(Pose.from_matrix(rows).matrix, pose.matrix)
    assert np.array_equal(as_pose("pose", rows.tolist()).matrix, pose.matrix)
    with pytest.raises(DiffDopeError, match=r"expected shape \(4, 4\), got \(4, 3\)"):
        Pose.from_matrix(pose.matrix[:, :3])
