"""The compiled steps against numpy's own words for them."""

from __future__ import annotations

import numpy as np

from diffdope.geometry import so3
from diffdope.solve.steps import curvatures, propose, turn


def test_turns_are_those_of_so3(rng: np.random.Generator) -> None:
    out = np.empty((3, 3))
    for size in (0.0, 1e-12, 1e-6, 0.3, 3.0):
        phi, R = size * rng.normal(size=3), so3.exp(rng.normal(size=3))
        turn(np.concatenate([np.full(3, np.nan), phi]), R, out)
        np.testing.assert_allclose(out, so3.exp(phi) @ R, atol=1e-14)


def test_a_step_solves_the_damped_equations_and_foretells_the_fall(rng: np.random.Generator) -> None:
    b, length_m, damping = 5, 0.05, np.full(5, 0.01)
    jacobian, gradient = rng.normal(size=(b, 20, 6)), 0.01 * rng.normal(size=(b, 6))
    normal = jacobian.transpose(0, 2, 1) @ jacobian
    scale = np.array([length_m] * 3 + [1.0] * 3)
    scaled = normal * np.outer(scale, scale)
    damped = scaled + 0.01 * np.linalg.eigvalsh(scaled)[:, -1, None, None] * np.eye(6)
    step = -scale * np.linalg.solve(damped, (gradient * scale)[..., None])[..., 0]
    R, t = so3.exp(rng.normal(size=(b, 3))), rng.normal(size=(b, 3))
    R_new, t_new, steps, size, fall = np.empty_like(R), np.empty_like(t), np.empty((b, 6)), np.empty(b), np.empty(b)
    propose(
        R, t, gradient, *curvatures(normal, length_m), damping, length_m, 1e-9, 10.0, R_new, t_new, steps, size, fall
    )
    np.testing.assert_allclose(steps * scale, step, atol=1e-12)
    np.testing.assert_allclose(t_new, t + step[:, :3], atol=1e-12)
    np.testing.assert_allclose(R_new, so3.exp(step[:, 3:]) @ R, atol=1e-12)
    np.testing.assert_allclose(size, np.linalg.norm(step / scale, axis=1), rtol=1e-9)
    quadratic = np.einsum("bi,bi->b", gradient, step) + 0.5 * np.einsum("bi,bij,bj->b", step, normal, step)
    np.testing.assert_allclose(fall, -quadratic, rtol=1e-9)
