"""Covariances on pictures whose noise is known, and directions that nothing is known about."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion
from scipy.stats import chi2

from diffdope.errors import DiffDopeError
from diffdope.estimate.bound import fisher_information
from diffdope.estimate.covariance import beyond, in_order, in_words, information_eigenbasis, uncertainty
from diffdope.estimate.regression import RegressionContext, regress
from diffdope.experiments.limits import known_noise
from diffdope.experiments.shapes import blob, mottled, painted, plain, primitives, tube
from diffdope.experiments.synthetic import SensorNoise, picture, random_pose
from diffdope.geometry import so3
from diffdope.geometry.perturb import perturb
from diffdope.geometry.pose import Pose, difference
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.settings import PRESETS, NoiseSettings
from diffdope.problem.linearised import Linearised, ResidualBlock
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation

F64 = NDArray[np.float64]
NOISE = SensorNoise(rgb=0.02, depth_m=0.001, depth_slope=0.0, missing=0.0)
VIEW = RegressionContext(
    distance_m=0.7, pixel_m=0.001, length_m=0.05, tilt=0.0, width=100, light="as-is",
    ray=np.array([0.0, 0.0, 1.0]),
)  # fmt: skip
EXACT = NoiseSettings(depth_bias=0.0, mask_bias_px=0.0, spread_deg=1000.0, spread=100.0)


def block(rng: np.random.Generator, J: F64, sigma: float, *, correlated: int = 1) -> ResidualBlock:
    """Depths (100 x 100) with noise that is the same over squares of a side."""
    coarse = rng.standard_normal((100 // correlated, 100 // correlated))
    noise = sigma * np.repeat(np.repeat(coarse, correlated, 0), correlated, 1).reshape(1, -1)
    f32, n = np.float32, J.shape[1]
    return ResidualBlock(
        noise.astype(f32), J[None].astype(f32), np.ones((1, n), f32), np.ones(n, f32), np.arange(n, dtype=np.int32),
        np.zeros((3, n), f32), np.ones(n, f32), J.astype(f32),
    )  # fmt: skip


def smooth(rng: np.random.Generator) -> F64:
    """Jacobian (6, N) of a surface without detail."""
    v, u = (g.ravel() / 50.0 - 1.0 for g in np.mgrid[:100, :100])
    waves = [np.ones_like(u), u, v, u * v, u * u - v * v, np.sin(2.0 * u + v)]
    return np.asarray((rng.standard_normal((6, 6)) + 3.0 * np.eye(6)) @ np.stack(waves) / VIEW.units[:, None])


def test_of_a_linear_problem_the_covariance_is_known() -> None:
    rng = np.random.default_rng(0)
    J = smooth(rng)
    parts = regress(Linearised({"depth": block(rng, J, 0.002)}, 100, 100), VIEW, EXACT)
    found = uncertainty(information_eigenbasis(parts, VIEW, EXACT), VIEW, EXACT).covariance
    ratio = np.linalg.eigvals(found @ (J @ J.T) / 0.002**2).real
    assert np.sqrt(ratio) == pytest.approx(np.ones(6), abs=0.15)  # Huber's efficiency, and the worst of four estimates


def test_correlated_residuals_inflate_the_covariance() -> None:
    """Noise that is the same over squares of 4 x 4 pixels has one sample in 16."""
    rng = np.random.default_rng(1)
    J = smooth(rng)
    parts = regress(Linearised({"depth": block(rng, J, 0.002, correlated=4)}, 100, 100), VIEW, EXACT)
    found = uncertainty(information_eigenbasis(parts, VIEW, EXACT), VIEW, EXACT).covariance
    ratio = np.linalg.eigvals(found @ (J @ J.T) / 0.002**2).real
    assert np.sqrt(np.median(ratio)) == pytest.approx(4.0, rel=0.3)


def test_an_offset_of_all_depths_is_in_the_covariance() -> None:
    rng = np.random.default_rng(2)
    J = np.zeros((6, 10000))
    J[2] = 1.0
    noise = NoiseSettings(depth_bias=0.002)
    parts = regress(Linearised({"depth": block(rng, J, 0.001)}, 100, 100), VIEW, noise)
    found = uncertainty(information_eigenbasis(parts, VIEW, noise), VIEW, noise)
    assert np.sqrt(found.covariance[2, 2]) == pytest.approx(0.002 * 0.7, rel=0.02)
    assert len(found.unobserved) == 5
    assert np.sqrt(found.covariance[5, 5]) == pytest.approx(np.radians(noise.spread_deg), rel=1e-3)


def test_a_modality_that_pulls_against_the_pose_knows_less() -> None:
    """An error that all its residuals share shows as a gradient where the pose ended, and nowhere else."""
    rng = np.random.default_rng(4)
    J = smooth(rng)
    fitting = block(rng, J, 0.002)
    apart = J.T @ (0.002 * np.linalg.solve(np.linalg.cholesky(J @ J.T).T, 4.0 * np.ones(6)))
    outvoted = fitting._replace(residual=(fitting.residual + apart).astype(np.float32))
    one, other = (regress(Linearised({"depth": b}, 100, 100), VIEW, EXACT)["depth"] for b in (fitting, outvoted))
    assert one.birge_ratio < 3.0
    assert other.birge_ratio == pytest.approx(16.0, rel=0.5)
    ratio = np.linalg.eigvals(np.linalg.solve(other.information().matrix, one.information().matrix)).real
    assert ratio == pytest.approx(np.full(6, other.birge_ratio / max(one.birge_ratio, 1.0)), rel=0.2)
    before = other.information(correlated=False).matrix
    assert np.trace(before) > 5.0 * np.trace(other.information().matrix)


def test_what_is_known_besides_narrows_the_covariance() -> None:
    rng = np.random.default_rng(5)
    J = np.zeros((6, 10000))
    J[2] = 1.0
    parts = regress(Linearised({"depth": block(rng, J, 0.001)}, 100, 100), VIEW, NoiseSettings())
    besides = np.diag([1e8, 1e8, 0.0, 1e4, 1e4, 0.0])
    found = uncertainty(information_eigenbasis(parts, VIEW, NoiseSettings(), also=besides), VIEW, NoiseSettings())
    assert np.sqrt(np.diag(found.covariance)[[0, 1, 3, 4]]) == pytest.approx([1e-4, 1e-4, 0.01, 0.01], rel=0.02)
    assert found.unobserved == pytest.approx(np.eye(6)[5:], abs=1e-6) or found.unobserved == pytest.approx(
        -np.eye(6)[5:], abs=1e-6
    )


def test_without_a_mask_sigma_is_larger() -> None:
    mesh, rng = primitives()["box, label"].mesh, np.random.default_rng(6)
    truth = random_pose(rng)
    seen = picture([(mesh, truth)], rng, noise=NOISE)
    start = perturb(truth, angle_rad=np.radians(2.0), distance_m=0.002, rng=rng)
    default = PRESETS["default"]
    noise = replace(default.search.noise, mask_border_px=0.0)  # the mask is exact
    refiner = Refiner(mesh, preset=replace(default, search=replace(default.search, noise=noise)))
    found = [refiner.refine(Observation(seen.camera, rgb=seen.rgb, mask=mask), start) for mask in (seen.mask, None)]
    with_mask, without = (np.trace(result.covariance) for result in found if result.covariance is not None)
    assert without > 2.0 * with_mask


def test_what_is_pretended_is_taken_out() -> None:
    rng = np.random.default_rng(3)
    root = rng.standard_normal((6, 6))
    matrix = root @ root.T + np.eye(6)
    assert beyond(matrix, np.zeros((6, 6))) == pytest.approx(matrix)
    assert beyond(matrix, 2.0 * matrix) == pytest.approx(np.zeros((6, 6)), abs=1e-9)
    assert beyond(matrix, 0.25 * matrix) == pytest.approx(0.75 * matrix)


def test_directions_of_which_nothing_is_sure_do_not_depend_on_rounding() -> None:
    """Any basis of what they span would do for the sure information; what facets may have made up tells them apart."""
    rng = np.random.default_rng(3)
    orthogonal = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    root = rng.standard_normal((6, 6))
    everything = root @ root.T
    found = []
    for angle in (0.0, 0.7):
        basis = orthogonal.copy()
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        basis[:, :2] = basis[:, :2] @ turn
        found.append(in_order(basis, 2, everything))
    for column in range(6):
        assert abs(found[0][:, column] @ found[1][:, column]) == pytest.approx(1.0)
    assert found[0][:, 0] @ everything @ found[0][:, 1] == pytest.approx(0.0, abs=1e-9)
    assert np.array_equal(in_order(orthogonal, 1, everything), orthogonal)


def test_the_truth_lies_where_the_covariance_says() -> None:
    """Mean of the squared distance, and shares, of 30 refinements; and the bound is nearly reached."""
    mesh, rng = blob(4), np.random.default_rng(5)
    refiner = Refiner(mesh, preset=known_noise(), threads=1)
    squares, over_bound = [], []
    for _ in range(30):
        truth = random_pose(rng, distance_m=0.8)
        observation = picture([(mesh, truth)], rng, noise=NOISE)
        start = perturb(truth, angle_rad=np.radians(4.0), distance_m=0.003, rng=rng)
        result = refiner.refine(observation, start)
        error = difference(result.pose, truth)
        assert result.covariance is not None
        squares.append(error @ np.linalg.solve(result.covariance, error))
        bound = fisher_information(mesh, observation, truth, {"rgb": NOISE.rgb, "depth": NOISE.depth_m})
        over_bound.append(error @ bound @ error / 6.0)
    assert 0.6 < np.mean(squares) / 6.0 < 1.8
    assert np.mean(np.array(squares) < chi2.ppf(0.954, 6)) > 0.8
    assert 0.8 < np.sqrt(np.mean(over_bound)) < 1.3


def start_and_result(mesh: Mesh, seed: int, turn: F64) -> tuple[Pose, Pose, Pose, F64, tuple[str, ...]]:
    """Truth, start (turned about an axis of the model), end, what is not observed, and the notes."""
    rng = np.random.default_rng(seed)
    truth = random_pose(rng, distance_m=0.8)
    observation = picture([(mesh, truth)], rng, noise=NOISE)
    start = Pose(truth.R_m2c @ so3.exp(turn), truth.t_m2c + np.array([0.001, -0.001, 0.002]))
    result = Refiner(mesh, threads=1).refine(observation, start)
    assert result.covariance is not None and result.unobserved is not None
    assert np.isfinite(result.covariance).all()
    assert np.linalg.eigvalsh(result.covariance).min() > 0.0
    return truth, start, result.pose, result.unobserved, result.notes


def test_a_ball_of_one_colour_keeps_its_turn() -> None:
    mesh = primitives()["sphere"].mesh
    truth, start, end, unobserved, notes = start_and_result(mesh, 1, np.array([0.05, -0.08, 0.06]))
    assert end.distance_to(truth) < 5e-4
    assert end.angle_to(start) < np.radians(0.5)
    assert len(unobserved) == 3
    assert np.abs(unobserved[:, :3]).max() < 1e-3
    assert "rotation about any axis is not observed" in notes


def test_a_can_without_a_label_keeps_its_turn_about_its_axis() -> None:
    vertices, faces = tube(96, 24, 0.03, 0.09)
    mesh = painted("can", vertices, faces, plain)
    truth, start, end, unobserved, notes = start_and_result(mesh, 2, np.array([0.0, 0.0, 0.15]))
    axis = truth.R_m2c[:, 2]
    assert len(unobserved) == 1
    assert abs(unobserved[0, 3:] @ axis) > 0.98
    assert abs(so3.log(end.R_m2c @ start.R_m2c.T) @ axis) < np.radians(1.0)
    assert end.distance_to(truth) < 1e-3
    assert any(note.startswith("rotation about camera-frame axis") for note in notes)


def test_a_textured_shape_is_observed_entirely() -> None:
    vertices, faces = tube(96, 24, 0.03, 0.09)
    *_, unobserved, notes = start_and_result(painted("can", vertices, faces, mottled), 3, np.zeros(3))
    assert unobserved.shape == (0, 6)
    assert not any("not observed" in note for note in notes)


def test_what_is_not_observed_is_said_in_words() -> None:
    eye = np.eye(6)
    assert in_words(np.zeros((0, 6)), 0.05) == ()
    assert in_words(-eye[[5]], 0.05) == ("rotation about camera-frame axis (0.00, 0.00, 1.00) is not observed",)
    assert in_words(eye[[3, 5]], 0.05) == (
        "rotation about any camera-frame axis but (0.00, 1.00, 0.00) is not observed",
    )
    assert in_words(0.05 * eye[:3], 0.05) == ("shift along any axis is not observed",)
    mixed = np.array([[0.025, 0.0, 0.0, 0.0, 0.0, -0.5]])
    (note,) = in_words(mixed, 0.05)
    assert "(-0.9, 0.0, 0.0) mm a degree" in note
    assert len(in_words(eye, 0.05)) == 1


def test_the_bound_is_that_of_the_noise() -> None:
    mesh, rng = blob(3), np.random.default_rng(0)
    truth = random_pose(rng)
    observation = picture([(mesh, truth)], rng, noise=NOISE)
    once = fisher_information(mesh, observation, truth, {"depth": 0.001})
    assert fisher_information(mesh, observation, truth, {"depth": 0.002}) == pytest.approx(once / 4.0)
    both = fisher_information(mesh, observation, truth, {"depth": 0.001, "rgb": 0.02})
    assert np.linalg.eigvalsh(both - once).min() > 0.0
    with pytest.raises(DiffDopeError, match="deviations"):
        fisher_information(mesh, observation, truth, {"depth": 0.0})
    with pytest.raises(DiffDopeError, match="deviations"):
        fisher_information(mesh, observation, truth, {"deep": 1.0})


def test_the_information_of_means_over_pixels_is_that_of_the_picture() -> None:
    """Against differences of pictures, in the pixels that the object covers at all poses."""
    mesh, h = primitives()["box, label"].mesh, 2e-4
    truth = Pose(so3.exp(np.array([0.3, 1.2, 0.1])), np.array([0.0, 0.0, 0.8]))

    def seen(step: F64) -> Observation:
        pose = Pose(so3.exp(step[3:]) @ truth.R_m2c, truth.t_m2c + step[:3])
        return picture([(mesh, pose)], np.random.default_rng(0))

    image = seen(np.zeros(6))
    assert image.mask is not None
    inner = binary_erosion(image.mask > 0.5, iterations=2)
    steps = h * np.eye(6) * ([[0.1]] * 3 + [[1.0]] * 3)
    slopes = [(seen(s).rgb[inner] - seen(-s).rgb[inner]).astype(float) / (2.0 * s.sum()) for s in steps]
    expected = [(slope**2).sum() / 0.02**2 for slope in slopes]
    found = fisher_information(mesh, image.with_mask(inner), truth, {"rgb": 0.02}, samples=3)
    assert np.diag(found) == pytest.approx(expected, rel=0.05)


def test_numbers_that_are_no_deviations_are_refused() -> None:
    for name in ("depth_bias", "mask_bias_px", "least_rgb", "inflation", "spread"):
        with pytest.raises(DiffDopeError, match=name):
            replace(NoiseSettings(), **{name: -1.0})
    with pytest.raises(DiffDopeError, match="tiles"):
        NoiseSettings(tiles=(0,))
