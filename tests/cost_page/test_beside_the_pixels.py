"""docs/cost.md: which pixels count, the light, the prior, the outline's factor and the step, each by its formula."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates, maximum_filter1d

from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.problem.level_settings import trusting
from diffdope.problem.problem import Evaluation
from diffdope.problem.responsibility import border_error, least_gap
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.solve import steps
from diffdope.terms.contour import ContourCorrespondences, ContourSettings
from diffdope.terms.contour_points import ContourPoints
from diffdope.terms.photometric_gain import fit_gain
from diffdope.terms.pose_prior import PosePrior
from diffdope.terms.quadratic_factor import QuadraticFactor
from diffdope.terms.registry import ObjectiveSettings
from tests.oracle.differences import central_difference, moved
from tests.oracle.problems import added_by
from tests.oracle.shapes import icosphere

Array = NDArray[np.float64]
CAMERA = Camera(150.0, 150.0, 39.5, 39.5, 80, 80)
POSE = Pose(so3.exp(np.array([0.3, -0.2, 0.5])), np.array([0.004, -0.003, 0.4]))


def added(R: Array, t: Array, **known: object) -> Evaluation:
    """Cost and derivatives of what is known beside the images, at one pose."""
    return added_by([Pose(R, t)], **known)


# Which pixels count


def disc(radius: float) -> NDArray[np.float32]:
    v, u = np.mgrid[:80, :80]
    return (np.hypot(u - 39.5, v - 39.5) < radius).astype(np.float32)


def test_the_border_error_is_the_area_between_the_outlines_over_the_borders_length() -> None:
    coverage, mask = disc(20.0), disc(22.0)
    inside = mask > 0.5
    steps = np.count_nonzero(inside[:, 1:] != inside[:, :-1]) + np.count_nonzero(inside[1:] != inside[:-1])
    e = np.abs(coverage - mask).sum() / (np.pi / 4 * steps)
    assert border_error(coverage, mask, np.ones_like(mask)) == pytest.approx(e)
    assert e == pytest.approx(2.0, rel=0.1)  # and so is what it stands for, pixels
    assert least_gap(coverage, mask, 0.3) == pytest.approx(2.0 * e / 40.0)
    assert least_gap(coverage, mask, 0.05) == 0.05
    assert least_gap(coverage, coverage, 0.1) == 0.03


@pytest.mark.parametrize("ratio", [2.0, 1.0, 0.7, 0.1])
def test_a_mask_that_is_off_counts_as_the_square(ratio: float) -> None:
    s = trusting(ObjectiveSettings(), ratio)
    f = min(1.0, ratio) ** 2
    assert s.mask_weight == pytest.approx(f)
    assert s.uncovered == pytest.approx(max(f, 0.3))


# Light


@pytest.mark.parametrize("hold", [0.01, 0.1])
@pytest.mark.parametrize("with_bias", [True, False])
def test_the_light_solves_the_reweighted_least_squares_of_the_page(with_bias: bool, hold: float) -> None:
    rng = np.random.default_rng(3)
    model = 0.2 + 0.3 * rng.random((500, 3))
    observed = model * [0.7, 1.2, 0.9] + [0.1, -0.05, 0.02] + 0.02 * rng.standard_normal((500, 3))
    observed[:80] = rng.random((80, 3))  # outliers
    light = fit_gain(model, observed, with_bias=with_bias, hold=hold)
    for k in range(3):
        P, photo, weight = model[:, k], observed[:, k], np.ones(500)
        for _ in range(4):
            S = weight.sum()
            root = np.sqrt(weight)
            rows = np.stack([root * P, root], axis=1)[:, : 1 + with_bias]
            held = np.diag([0.1 * 0.05 * np.sqrt(S), np.sqrt(hold * S)])[: 1 + with_bias, : 1 + with_bias]
            right = np.concatenate([root * photo, [0.1 * 0.05 * np.sqrt(S), 0.0][: 1 + with_bias]])
            solved = np.linalg.lstsq(np.vstack([rows, held]), right, rcond=None)[0]
            alpha, beta = solved[0], solved[1] if with_bias else 0.0
            weight = 1.0 / np.maximum(np.abs(photo - alpha * P - beta), 0.02)
        assert light.gain[k] == pytest.approx(alpha, rel=1e-6)
        assert light.bias[k] == pytest.approx(beta, abs=1e-7)


# Pose prior


def test_the_prior_has_the_cost_gradient_and_curvature_of_the_page() -> None:
    prior = PosePrior(POSE, np.radians(12.0), 0.006, 0.002)
    R, t = moved(POSE.R_m2c, POSE.t_m2c, np.array([0.002, -0.001, 0.003, 0.1, 0.2, -0.15]))

    def cost(R: Array, t: Array) -> float:
        theta = np.linalg.norm(so3.log(R @ POSE.R_m2c.T))
        shift = t - POSE.t_m2c
        return float(0.002 * (4.0 * np.sin(theta / 2.0) ** 2 / np.radians(12.0) ** 2 + shift @ shift / 0.006**2))

    got = added(R, t, priors=[(0, prior)])
    B = R @ POSE.R_m2c.T
    b = np.array([B[2, 1] - B[1, 2], B[0, 2] - B[2, 0], B[1, 0] - B[0, 1]])
    assert got.cost[0] == pytest.approx(cost(R, t))
    assert got.gradient[0, 3:] == pytest.approx(0.002 / np.radians(12.0) ** 2 * b)
    assert got.gradient[0] == pytest.approx(central_difference(cost, R, t, 1e-6), rel=1e-5)
    diagonal = np.repeat([2 * 0.002 / 0.006**2, 2 * 0.002 / np.radians(12.0) ** 2], 3)
    assert got.normal[0] == pytest.approx(np.diag(diagonal))


# Outline


@pytest.fixture(scope="module")
def seen() -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """A photograph of a painted ball, and coverage, depth and colours of a rendering two pixels beside it."""
    shape = icosphere(3, 0.06)
    colors = 0.5 + 0.4 * np.sin(shape.vertices_m @ np.array([[90.0, 0, 40], [0, 70, 20], [30, 0, 80]]))
    renderer = Renderer(Mesh(shape.vertices_m, shape.faces, colors=colors), CAMERA, threads=1)
    truth = renderer.render(POSE.R_m2c, POSE.t_m2c + np.array([0.005, 0.002, 0.0]))
    rng = np.random.default_rng(0)
    behind = 0.3 + 0.1 * rng.random((80, 80, 3))
    photo = truth.rgb[0] + (1.0 - truth.coverage[0])[..., None] * behind
    drawn = renderer.render(POSE.R_m2c, POSE.t_m2c)
    return np.clip(photo, 0, 1).astype(np.float32), drawn.coverage[0], drawn.depth[0], drawn.rgb[0]


def between(plane: Array, where: Array) -> Array:
    return np.asarray(map_coordinates(plane, where, order=1, mode="nearest"))


def change(samples: Array) -> Array:
    """Of colours (3, N, S), half a pixel apart."""
    return np.asarray(np.sqrt((np.gradient(samples, 0.5, axis=2) ** 2).sum(axis=0)))


def pixel(where: Array) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The nearest pixel of each place (2, N, S)."""
    row, column = np.clip(np.floor(where + 0.5).astype(int), 0, 79)
    return row, column


def log_ratio(photo: NDArray[np.float32], coverage: NDArray[np.float32], points: ContourPoints) -> Array:
    """log p(colour | object) / p(colour | surroundings) of every pixel."""
    inside = coverage > 0.5
    cell = np.minimum((photo * 16).astype(int), 15)
    deep = np.zeros_like(inside)
    for v in range(3, 77):
        for u in range(3, 77):
            deep[v, u] = all(inside[v + j, u + i] for j, i in ((0, 0), (-3, 0), (3, 0), (0, -3), (0, 3)))
    outside = []
    for place, normal in zip(points.place, points.normal, strict=True):
        for k in range(4, int(25.0 / 160.0 * 80) + 1):
            u, v = np.floor(place + k * normal + 0.5).astype(int)
            if not (0 <= u < 80 and 0 <= v < 80) or inside[v, u]:
                break
            outside.append(cell[v, u])

    def density(chosen: NDArray[np.intp]) -> Array:
        counts, _ = np.histogramdd(chosen, bins=16, range=[(0, 16)] * 3)
        smooth = gaussian_filter(counts, 0.7, mode="nearest", truncate=2.0 / 0.7)
        return np.asarray(smooth / smooth.sum() + 0.1 / 16**3)

    ratio = np.log(density(cell[deep]) / density(np.array(outside)))
    return np.asarray(np.clip(ratio, -2.0, 2.0)[cell[..., 0], cell[..., 1], cell[..., 2]])


def own_colours(rgb: NDArray[np.float32], coverage: NDArray[np.float32], where: Array) -> Array:
    """What is painted on the model (3, N, S); beyond its outline, the last colour along the normal goes on."""
    row, column = pixel(where)
    found = np.zeros((3, *row.shape))
    for i in range(row.shape[0]):
        last = np.zeros(3)
        for k in range(row.shape[1]):
            share = coverage[row[i, k], column[i, k]]
            if share > 0.5:
                last = rgb[row[i, k], column[i, k]] / share
            found[:, i, k] = last
    return found


def test_the_outline_gives_the_factor_of_the_page(seen: tuple[NDArray[np.float32], ...]) -> None:
    photo, coverage, depth, rgb = seen
    s, reach = ContourSettings(), 4.0
    points = ContourPoints(coverage, depth, CAMERA)
    s_px = np.arange(-reach, reach + 0.25, 0.5)
    place = points.place[:, None, :] + s_px[None, :, None] * points.normal[:, None, :]
    where = np.stack([place[..., 1], place[..., 0]])
    blurred = gaussian_filter(photo.astype(float), (0.7, 0.7, 0.0), mode="nearest")
    down, across = np.gradient(blurred, axis=(0, 1))
    strength = np.sqrt((down**2 + across**2).sum(axis=2)).reshape(20, 4, 20, 4).mean(axis=(1, 3))
    usual = between(gaussian_filter(strength, 80 / 16 / 4, mode="nearest") + 0.01, (where - 1.5) / 4.0)
    C_m = maximum_filter1d(change(own_colours(rgb, coverage, where)) / usual, 3, axis=1)
    C = change(np.stack([between(blurred[..., k], where) for k in range(3)])) / usual
    C = np.maximum(C - s.painted * C_m, 0.1 * C)
    Lambda = np.cumsum(log_ratio(photo, coverage, points)[pixel(where)], axis=1)
    statistics = s.colours * (Lambda - 0.5 * Lambda[:, -1:])
    likelihood = C**s.contrast * np.exp(-0.5 * (s_px / (0.6 * reach)) ** 2) * np.exp(statistics)
    mu = likelihood @ s_px / likelihood.sum(axis=1)
    v = likelihood @ s_px**2 / likelihood.sum(axis=1) - mu**2
    omega = np.minimum(C.max(axis=1) / 3.0, 1.0) / (v + 0.3) / (1.0 + (mu / s.tolerance_px) ** 2)
    J, w = points.jacobian(CAMERA, POSE.t_m2c), s.weight / len(points)
    found = ContourCorrespondences(photo, CAMERA, s).factor(coverage, depth, POSE, reach, rgb)
    assert found is not None and found.at is POSE
    assert found.constant == pytest.approx(w * (omega * mu**2).sum(), rel=1e-5)
    assert found.slope == pytest.approx(-2.0 * w * J.T @ (omega * mu), rel=1e-5)
    assert found.curvature == pytest.approx(2.0 * w * (J.T * omega) @ J, rel=1e-5)
    xi = np.array([0.001, 0.002, -0.001, 0.01, 0.02, -0.01])
    R, t = moved(POSE.R_m2c, POSE.t_m2c, xi)
    whole = w * (omega * (mu - J @ xi) ** 2).sum()
    assert added(R, t, quadratics=[(0, found)]).cost[0] == pytest.approx(whole, rel=1e-5)


def test_a_quadratic_factor_has_the_gradient_of_the_page() -> None:
    rng = np.random.default_rng(1)
    half = rng.standard_normal((6, 6))
    factor = QuadraticFactor(POSE, rng.standard_normal(6), half @ half.T, 0.7)
    R, t = moved(POSE.R_m2c, POSE.t_m2c, np.array([0.1, 0.2, -0.3, 0.5, -0.4, 0.3]))
    got = added(R, t, quadratics=[(0, factor)])
    want = central_difference(lambda R, t: float(added(R, t, quadratics=[(0, factor)]).cost[0]), R, t, 1e-6)
    assert got.gradient[0] == pytest.approx(want, rel=1e-6, abs=1e-7)
    assert got.normal[0] == pytest.approx(factor.curvature)


# Step


@njit
def propose(normal, gradient, unit, damping, observable, longest, R, t, R_new, t_new):  # type: ignore[no-untyped-def]
    """What is compiled for the solvers cannot be called from Python."""
    matrix, values, vectors, step = np.empty((6, 6)), np.empty(6), np.empty((6, 6)), np.empty(6)
    steps.set_curvatures(normal, unit, matrix, values, vectors)
    steps.damped_step(gradient, unit, values, vectors, damping, observable, step)
    steps.limit_step(step, longest)
    steps.move_poses(step, unit, np.zeros(1, np.int64), R, t, R_new, t_new)


@pytest.mark.parametrize("longest", [0.3, 1e-3])
def test_a_step_is_the_damped_one_of_the_page(longest: float) -> None:
    rng = np.random.default_rng(2)
    half, h = rng.standard_normal((6, 5)), 0.05  # rank 5: one direction without curvature
    S = np.diag([h, h, h, 1.0, 1.0, 1.0])
    N = np.linalg.inv(S) @ half @ half.T @ np.linalg.inv(S)
    g, mu, o = np.linalg.inv(S) @ rng.standard_normal(6), 0.02, 1e-5
    values, vectors = np.linalg.eigh(S @ N @ S)
    delta = np.zeros(6)
    for value, vector in zip(values, vectors.T, strict=True):
        if value > o * values.max():
            delta -= vector @ S @ g / (value + mu * values.max()) * vector
    xi = S @ delta * min(1.0, longest / float(np.linalg.norm(delta)))
    R, t = moved(POSE.R_m2c, POSE.t_m2c, xi)
    R_new, t_new = np.empty((1, 3, 3)), np.empty((1, 3))
    propose(N, g, np.diag(S).copy(), mu, o, longest, POSE.R_m2c[None].copy(), POSE.t_m2c[None].copy(), R_new, t_new)
    assert R_new[0] == pytest.approx(R, abs=1e-9)
    assert t_new[0] == pytest.approx(t, abs=1e-9)
