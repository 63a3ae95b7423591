"""The probability of an error below a tolerance, against errors that are drawn."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from diffdope.estimate.tolerance import (
    displacement,
    displacement_form,
    modulo_folds,
    probability_within,
    usually_within,
)
from diffdope.geometry import so3
from diffdope.scene.mesh import Mesh
from diffdope.scene.revolution import AXIS_POINTS, Axis
from diffdope.scene.sampling import surface_points


def mesh_of(shape: trimesh.Trimesh) -> Mesh:
    return Mesh(np.asarray(shape.vertices), np.asarray(shape.faces))


BOX = mesh_of(trimesh.creation.box([0.1, 0.06, 0.04]))
CAN = mesh_of(trimesh.creation.cylinder(0.03, 0.1, sections=64))
R = so3.exp(np.array([0.4, -0.9, 0.2]))


def covariance_of(rng: np.random.Generator) -> np.ndarray:
    """Of millimetres and tenths of degrees to degrees, in any directions."""
    scale = np.repeat([1e-3, 1e-2], 3) * np.exp(rng.normal(size=6))
    some = rng.normal(size=(6, 6)) * scale[:, None]
    return some @ some.T


def test_the_form_is_the_mean_square_displacement_of_the_surface() -> None:
    points, _ = surface_points(BOX, 8000)
    xi = np.array([2e-3, -1e-3, 5e-4, 0.01, -0.02, 0.015])
    moved = xi[:3] + np.cross(xi[3:], points)
    assert xi @ displacement_form(BOX) @ xi == pytest.approx(np.mean(np.sum(moved**2, axis=1)), rel=1e-9)


def test_the_points_of_the_surface_may_be_given() -> None:
    known = surface_points(CAN, AXIS_POINTS)
    np.testing.assert_array_equal(displacement_form(CAN, known), displacement_form(CAN))
    np.testing.assert_array_equal(displacement_form(CAN, surface_points(BOX, AXIS_POINTS)), displacement_form(BOX))


def test_a_turn_about_an_axis_of_revolution_counts_nothing_wherever_the_origin_is() -> None:
    along, away = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.5]), np.array([0.2, 0.0, 0.0])
    assert along @ displacement_form(CAN) @ along < 1e-6 * 0.25 * 0.03**2
    beside = CAN.moved(away)
    turn = np.concatenate([-np.cross([0.0, 0.0, 0.5], away), [0.0, 0.0, 0.5]])
    assert turn @ displacement_form(beside) @ turn < 1e-3 * 0.25 * 0.03**2
    tilt = np.array([0.0, 0.0, 0.0, 0.01, 0.0, 0.0])
    assert np.sqrt(tilt @ displacement_form(CAN) @ tilt) == pytest.approx(0.01 * 0.0402, rel=0.01)  # by integrals


@pytest.mark.parametrize("mesh", [BOX, CAN], ids=["box", "can"])
def test_it_is_the_share_of_drawn_errors_below_the_tolerance(mesh: Mesh) -> None:
    rng, form = np.random.default_rng(0), displacement_form(mesh)
    turn = np.kron(np.eye(2), R)
    for _ in range(20):
        covariance = covariance_of(rng)
        errors = rng.multivariate_normal(np.zeros(6), covariance, 20_000) @ turn
        size = np.sqrt(np.einsum("ni,ij,nj->n", errors, form, errors))
        assert displacement(covariance, form, R) == pytest.approx(np.sqrt(np.mean(size**2)), rel=0.03)
        for share, allowed in ((0.2, 0.06), (0.5, 0.04), (0.8, 0.03), (0.95, 0.015), (0.99, 0.01)):
            tolerance_m = float(np.quantile(size, share))
            assert probability_within(tolerance_m, covariance, form, R) == pytest.approx(share, abs=allowed)


def test_what_is_known_exactly_is_within_and_what_is_not_known_is_not() -> None:
    form = displacement_form(BOX)
    assert probability_within(1e-3, np.zeros((6, 6)), form, R) == 1.0
    along_view = np.zeros((6, 6))
    along_view[2, 2] = 10.7e-3**2
    assert probability_within(4.5e-3, along_view, form, R) == pytest.approx(0.326, abs=0.01)  # erf of one deviation
    assert probability_within(0.0, along_view, form, R) == pytest.approx(0.0, abs=1e-3)


def test_a_turn_is_never_off_by_more_than_half_a_tooth() -> None:
    """Errors are drawn, and turned back by whole teeth about the axis, which is not through the origin."""
    fold, axis = np.radians(15.0), Axis(np.array([0.0, 0.6, 0.8]), np.array([0.01, -0.02, 0.03]))
    direction = R @ axis.direction
    turn = np.concatenate([-np.cross(direction, R @ axis.point_m), direction])
    rest = np.diag(np.repeat([1e-3, 2e-3], 3) ** 2)
    rng = np.random.default_rng(0)
    for deviation in (0.3, 1.5, 4.0):
        covariance = rest + np.outer(turn, turn) * deviation**2
        errors = rng.multivariate_normal(np.zeros(6), covariance, 200_000)
        theta = errors[:, 3:] @ direction
        errors -= np.outer(np.round(theta / fold) * fold, turn)
        known = modulo_folds(covariance, axis, fold, R)
        np.testing.assert_allclose(known, np.cov(errors.T), rtol=0.02, atol=0.02 * known.max() * 0.1)
    few = rest + np.outer(turn, turn) * 0.01**2
    assert modulo_folds(few, axis, fold, R) is few
    assert modulo_folds(covariance, None, 0.0, R) is covariance


def test_usual_errors_grow_with_what_depth_is_off_and_with_the_step_that_is_left() -> None:
    errors = np.random.default_rng(0).exponential(0.001 + 1.6 * 0.01 + 1.7 * 0.005, 200_000)
    assert usually_within(0.03, 0.03, depth_error=0.01, left=0.005) == pytest.approx(np.mean(errors < 0.03), abs=0.005)
    good, noisy, moving = (usually_within(0.03, 0.03, depth_error=q, left=d) for q, d in ((0, 0), (0.02, 0), (0, 0.02)))
    assert good > 0.999 > 0.7 > max(noisy, moving)
    assert usually_within(0.03, 0.03, depth_error=0.0, left=10.0) == usually_within(
        0.03, 0.03, depth_error=0.0, left=0.05
    )
    assert usually_within(0.03, 0.03) == 1.0 > usually_within(0.03, 0.03, depth=False)
