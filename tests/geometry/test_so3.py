"""Group axioms as properties of seeded random rotations."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3

F64 = NDArray[np.float64]
N = 500


def random_phi(rng: np.random.Generator, largest: float = np.pi - 1e-6) -> F64:
    axes = rng.normal(size=(N, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    return axes * rng.uniform(0, largest, (N, 1))


def random_R(rng: np.random.Generator) -> F64:
    return so3.exp(random_phi(rng))


def test_exp_gives_rotations(rng: np.random.Generator) -> None:
    R = random_R(rng)
    np.testing.assert_allclose(R @ np.swapaxes(R, -1, -2), np.broadcast_to(np.eye(3), R.shape), atol=1e-14)
    np.testing.assert_allclose(np.linalg.det(R), 1, atol=1e-14)


def test_closure_and_associativity(rng: np.random.Generator) -> None:
    a, b, c = (random_R(rng) for _ in range(3))
    np.testing.assert_allclose(so3.exp(so3.log(a @ b)), a @ b, atol=1e-13)
    np.testing.assert_allclose((a @ b) @ c, a @ (b @ c), atol=1e-14)


def test_identity_and_inverse(rng: np.random.Generator) -> None:
    phi = random_phi(rng)
    np.testing.assert_array_equal(so3.exp(np.zeros(3)), np.eye(3))
    np.testing.assert_array_equal(so3.log(np.eye(3)), np.zeros(3))
    np.testing.assert_allclose(so3.exp(-phi), np.swapaxes(so3.exp(phi), -1, -2), atol=1e-14)


@pytest.mark.parametrize("scale", [1e-12, 1e-9, 1e-7, 1e-4, 1e-2, 1.0, 3.0, np.pi - 1e-5])
def test_log_inverts_exp_at_every_angle(rng: np.random.Generator, scale: float) -> None:
    phi = random_phi(rng)
    phi *= scale / np.linalg.norm(phi, axis=1, keepdims=True)
    np.testing.assert_allclose(so3.log(so3.exp(phi)), phi, rtol=0, atol=1e-14 + 1e-13 * scale)


def test_half_turns(rng: np.random.Generator) -> None:
    axes = random_phi(rng)
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    R = 2 * axes[:, :, None] * axes[:, None, :] - np.eye(3)
    phi = so3.log(R)
    np.testing.assert_allclose(np.linalg.norm(phi, axis=1), np.pi, atol=1e-12)
    np.testing.assert_allclose(so3.exp(phi), R, atol=1e-12)


def test_exp_turns_about_its_axis_by_its_angle() -> None:
    R = so3.exp([0, 0, np.pi / 2])
    np.testing.assert_allclose(R @ [1, 0, 0], [0, 1, 0], atol=1e-15)
    np.testing.assert_allclose(so3.exp([np.pi / 2, 0, 0]) @ [0, 1, 0], [0, 0, 1], atol=1e-15)


def test_exp_is_the_matrix_exponential(rng: np.random.Generator) -> None:
    from scipy.linalg import expm

    for phi in random_phi(rng)[:20]:
        np.testing.assert_allclose(so3.exp(phi), expm(so3.hat(phi)), atol=1e-13)


def test_exp_takes_angles_beyond_a_turn(rng: np.random.Generator) -> None:
    phi = random_phi(rng)
    unit = phi / np.linalg.norm(phi, axis=1, keepdims=True)
    np.testing.assert_allclose(so3.exp(phi + 2 * np.pi * unit), so3.exp(phi), atol=1e-13)


def test_hat_is_the_cross_product(rng: np.random.Generator) -> None:
    phi, x = rng.normal(size=(2, N, 3))
    np.testing.assert_allclose(np.einsum("nij,nj->ni", so3.hat(phi), x), np.cross(phi, x), atol=1e-15)


def test_adjoint(rng: np.random.Generator) -> None:
    R, phi = random_R(rng), random_phi(rng)
    turned = np.einsum("nij,nj->ni", R, phi)
    np.testing.assert_allclose(R @ so3.exp(phi) @ np.swapaxes(R, -1, -2), so3.exp(turned), atol=1e-13)


def test_quaternions_round_trip(rng: np.random.Generator) -> None:
    R = random_R(rng)
    q_wxyz = so3.wxyz_from_matrix(R)
    assert (q_wxyz[:, 0] >= 0).all()
    np.testing.assert_allclose(np.linalg.norm(q_wxyz, axis=1), 1, atol=1e-15)
    np.testing.assert_allclose(so3.matrix_from_wxyz(q_wxyz), R, atol=1e-14)
    np.testing.assert_allclose(so3.matrix_from_wxyz(-3.5 * q_wxyz), R, atol=1e-14)


def test_quaternion_order_is_wxyz() -> None:
    np.testing.assert_allclose(so3.wxyz_from_matrix(so3.exp([0, 0, 1.0])), [np.cos(0.5), 0, 0, np.sin(0.5)])


def test_quaternions_agree_with_scipy(rng: np.random.Generator) -> None:
    from scipy.spatial.transform import Rotation

    xyzw = Rotation.from_matrix(random_R(rng)).as_quat()
    mine = so3.wxyz_from_matrix(Rotation.from_quat(xyzw).as_matrix())
    np.testing.assert_allclose(np.abs(np.sum(mine[:, [1, 2, 3, 0]] * xyzw, axis=1)), 1, atol=1e-14)


@pytest.mark.parametrize("q_wxyz", [[0, 0, 0, 0], [np.nan, 0, 0, 1]])
def test_quaternion_without_direction_is_refused(q_wxyz: list[float]) -> None:
    with pytest.raises(DiffDopeError, match="q_wxyz: expected finite quaternions other than zero"):
        so3.matrix_from_wxyz(q_wxyz)


def test_projection_keeps_rotations_and_undoes_scale(rng: np.random.Generator) -> None:
    R = random_R(rng)
    np.testing.assert_allclose(so3.project_to_so3(R), R, atol=1e-14)
    np.testing.assert_allclose(so3.project_to_so3(2.5 * R), R, atol=1e-14)


def test_projection_is_the_nearest_rotation(rng: np.random.Generator) -> None:
    M = rng.normal(size=(N, 3, 3))
    nearest = so3.project_to_so3(M)
    np.testing.assert_allclose(np.linalg.det(nearest), 1, atol=1e-12)
    distance = np.linalg.norm(M - nearest, axis=(1, 2))
    for size in (1e-3, 0.1, 1.0):
        other = so3.exp(size * rng.normal(size=(N, 3))) @ nearest
        assert (np.linalg.norm(M - other, axis=(1, 2)) >= distance - 1e-12).all()


def test_batch_axes_are_kept(rng: np.random.Generator) -> None:
    phi = random_phi(rng).reshape(5, 4, -1, 3)
    R = so3.exp(phi)
    assert R.shape == (5, 4, 25, 3, 3)
    assert so3.log(R).shape == phi.shape
    assert so3.exp(np.zeros((0, 3))).shape == (0, 3, 3)
    np.testing.assert_array_equal(R[2, 1, 3], so3.exp(phi[2, 1, 3]))


def test_wrong_shape() -> None:
    with pytest.raises(DiffDopeError, match=r"phi: expected shape \(3,\), got \(4,\)"):
        so3.exp(np.zeros(4))
    with pytest.raises(DiffDopeError, match=r"R: expected shape"):
        so3.log(np.zeros(3))


def test_logarithms_agree_on_both_sides_of_where_the_formula_changes(rng: np.random.Generator):
    axes = rng.normal(size=(6, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    for angle in (0.0, 1e-12, 1e-7, 1.0, 2.0, 2.0944, 2.1, 3.1):
        np.testing.assert_allclose(so3.log(so3.exp(angle * axes)), angle * axes, rtol=0, atol=1e-12)


@pytest.mark.parametrize("scale", [0.0, 1e-12, 1e-7, 1e-3, 0.5, 2.0, 3.0])
def test_a_single_rotation_is_the_first_of_a_batch(scale: float) -> None:
    phi = scale * so3.log(so3.evenly(7)[3]) / 2.0
    one, batch = so3.exp(phi), so3.exp(phi[None])[0]
    np.testing.assert_allclose(one, batch, rtol=0.0, atol=1e-15)
    np.testing.assert_allclose(so3.log(one), so3.log(one[None])[0], rtol=1e-15, atol=1e-18)


def test_numbers_of_one_matrix_are_those_of_arrays(rng: np.random.Generator) -> None:
    for R in random_R(rng)[:20]:
        assert so3.angle_of(R) == pytest.approx(np.linalg.norm(so3.log(R)), rel=1e-14)
        M = R + 1e-3 * rng.normal(size=(3, 3))
        assert so3.off_orthonormal(M) == pytest.approx(np.abs(M.T @ M - np.eye(3)).max(), rel=1e-12)
