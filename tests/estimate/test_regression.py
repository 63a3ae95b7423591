"""The sums of a regression, compiled in chunks, against their formulas on whole arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.estimate.channels import Channels, SeenSurface, rows_of
from diffdope.estimate.regression import RegressionContext, RobustScale, TermEquations
from diffdope.estimate.regression_kernel import BOUND
from diffdope.pipelines.settings import NoiseSettings
from diffdope.problem.level_problem import GainModel
from diffdope.problem.linearised import ResidualBlock

F64 = NDArray[np.float64]
WIDTH = 40
N = 700  # no multiple of the chunk
LIGHTS: tuple[GainModel, ...] = ("as-is", "gain", "gain-bias")


def loss(u: F64) -> F64:
    size = np.abs(u)
    inside = np.minimum(size, BOUND)
    return inside * (size - 0.5 * inside)


def influence(u: F64) -> F64:
    return np.clip(u, -BOUND, BOUND)


def weight(u: F64) -> F64:
    return BOUND / np.maximum(np.abs(u), BOUND)


def slope(u: F64) -> F64:
    return (np.abs(u) < BOUND).astype(float)


def view(light: GainModel) -> RegressionContext:
    return RegressionContext(
        distance_m=0.7, pixel_m=0.001, length_m=0.05, tilt=0.05, width=WIDTH, light=light,
        ray=np.array([0.1, -0.2, 1.0]),
    )  # fmt: skip


def random_block(channels: int, *, outline: bool = False) -> ResidualBlock:
    rng, f32 = np.random.default_rng(0), np.float32
    jacobian = rng.standard_normal((channels, 6, N)) * [[[20.0]] * 3 + [[1.0]] * 3]
    return ResidualBlock(
        (0.3 * rng.standard_normal((channels, N)) + 0.1).astype(f32), jacobian.astype(f32),
        rng.random((channels, N)).astype(f32), rng.random(N).astype(f32) * (rng.random(N) < 0.9),
        np.sort(rng.choice(WIDTH * WIDTH, N, replace=False)).astype(np.int32),
        (0.05 * rng.standard_normal((3, N))).astype(f32), rng.random(N).astype(f32),
        None if outline else rng.standard_normal((6, N)).astype(f32),
    )  # fmt: skip


class Whole:
    """A channel less the light that weighted least squares find, by whole arrays."""

    def __init__(self, rows: F64) -> None:
        self.shared = len(rows) - 7
        self.rows = rows.astype(float)
        self.columns, self.rest = self.rows[: self.shared], self.rows[self.shared :]
        self.light: F64 = np.zeros((self.shared, 7))

    def moments(self, w: F64) -> F64:
        """Of least squares with a weak prior on the light, which is kept: M_rr - M_rk (M_kk + I)^-1 M_kr."""
        k = self.shared
        m = (self.rows * w) @ self.rows.T
        self.light = np.linalg.solve(m[:k, :k] + np.eye(k), m[:k, k:])
        return m[k:, k:] - m[k:, :k] @ self.light

    @property
    def left(self) -> F64:
        """Residual and Jacobian (7, N)."""
        return self.rest - self.light.T @ self.columns


def whole_of(channels: Channels) -> list[Whole]:
    """The same channels, their lights too."""
    found = []
    for rows, light in zip(channels.rows, channels.lights, strict=True):
        found.append(Whole(rows))
        found[-1].light = light.copy()
    return found


@pytest.mark.parametrize("light", LIGHTS)
def test_moments_and_light(light: GainModel) -> None:
    block = random_block(3)
    channels = Channels(rows_of("rgb", block, light), block.weight)
    for _ in range(3):
        expected = np.zeros((7, 7))
        everything = whole_of(channels)
        for whole in everything:
            expected += whole.moments(3.0 * block.weight * weight(whole.left[0] / 0.2))
        moments, cost = channels.reduce(0.2, 3.0)
        assert moments == pytest.approx(expected, rel=1e-4, abs=1e-4 * np.abs(expected).max())
        losses = [np.sum(block.weight * loss(whole.left[0] / 0.2)) for whole in everything]
        assert cost == pytest.approx(sum(losses), rel=1e-5)
        for c, whole in enumerate(everything):
            assert channels.lights[c] == pytest.approx(whole.light, rel=1e-3, abs=1e-4)
            assert channels.residuals[c] == pytest.approx(whole.left[0], abs=1e-5)


@pytest.mark.parametrize("light", LIGHTS)
def test_the_light_of_residuals_alone(light: GainModel) -> None:
    block = random_block(3)
    one, other = (Channels(rows_of("rgb", block, light), block.weight) for _ in range(2))
    one.fit_lights(0.2, 3.0)
    other.reduce(0.2, 3.0)
    assert one.lights[:, :, 0] == pytest.approx(other.lights[:, :, 0]) and np.all(one.lights[:, :, 1:] == 0.0)


@pytest.mark.parametrize("light", LIGHTS)
def test_strict_weights(light: GainModel) -> None:
    block = random_block(3)
    channels = Channels(rows_of("rgb", block, light), block.weight)
    channels.reduce(0.2, 3.0)
    clear, expected = np.arange(N) % 3 > 0, np.zeros((7, 7))
    steep = np.where(clear, 0.0, 1.0).astype(np.float32)  # facets that lean by 1 rad may have made up some
    surface = SeenSurface(steep, np.zeros((3, N), np.float32), np.zeros((6, N), np.float32), 1.0)
    found = channels.inform(0.2, 3.0, surface, light=True)
    for whole, weights in zip(whole_of(channels), found.weights, strict=True):
        w = clear * block.weight * slope(whole.left[0] / 0.2)
        assert weights == pytest.approx(w, abs=1e-6)
        expected += whole.moments(3.0 * w)
    assert found.matrix == pytest.approx(expected[1:, 1:], rel=1e-4, abs=1e-4 * np.abs(expected).max())


def test_the_spread_of_sums_over_tiles() -> None:
    """Scores at the optimum a step away, whitened by the curvature, and their sums over tiles of 8 pixels."""
    block, seen = random_block(3), view("gain-bias")
    part = TermEquations("rgb", block, seen, NoiseSettings(tiles=(8,)))
    scale, correlation, lights = part.known
    curvature, gradient, pieces = np.zeros((6, 6)), np.zeros(6), []
    for whole, light in zip(whole_of(part._channels), lights, strict=True):
        assert np.array_equal(light, whole.light[:, 0])
        u, J = whole.left[0] / scale, whole.left[1:] * seen.units[:, None]
        pull, strict = block.weight * influence(u), block.weight * slope(u)
        curvature += (J * strict) @ J.T
        gradient += J @ pull
        pieces.append((J, pull, strict))
    step = np.linalg.solve(curvature, gradient)
    scores = sum(J * (pull - strict * (step @ J)) for J, pull, strict in pieces)
    white = np.linalg.solve(np.linalg.cholesky(curvature), scores)
    tile = block.pixel // WIDTH // 8 * 5 + block.pixel % WIDTH // 8
    sums = np.stack([np.bincount(tile, row, minlength=25) for row in white])
    assert len(np.unique(tile)) == 25
    singles, tiles = (white**2).sum() / 6.0, (sums**2).sum() / 6.0 * 25.0 / 24.0
    # The light of the part is of the last round, weighed by its correlation; the estimate's is of the round before.
    assert correlation == pytest.approx(max(singles, tiles), rel=0.02)


def test_the_spread_of_sums_finds_what_neighbours_share() -> None:
    """Errors that are the same over tiles of 8 x 8 are 64 times as far spread; too few tiles say nothing."""
    rng, n = np.random.default_rng(0), WIDTH * WIDTH
    pixel = np.arange(n, dtype=np.int32)
    tile = pixel // WIDTH // 8 * 5 + pixel % WIDTH // 8
    values = np.where(rng.random((7, 25)) < 0.5, -1.0, 1.0)[:, tile]
    values[0] *= 0.5  # no outliers
    channels = Channels(values.astype(np.float32)[None], np.ones(n, np.float32))
    found = [channels.correlation(1.0, np.ones(6), pixel, WIDTH, tiles) for tiles in ((), (8,), (16,))]
    # 9 tiles of 16 x 16 are too few.
    assert found[0] == found[2]
    assert found[1] == pytest.approx(64.0 * 25.0 / 24.0 * found[0], rel=1e-4)


@pytest.mark.parametrize(("name", "channels"), [("rgb", 3), ("depth", 1), ("mask", 1)])
def test_what_facets_pretend_and_what_an_error_of_all_pixels_does(name: str, channels: int) -> None:
    noise, seen = NoiseSettings(), view("gain-bias")
    block = random_block(channels, outline=name == "mask")
    part = TermEquations(name, block, seen, noise)
    known, (scale, _, _) = part.information(correlated=False), part.known
    pretended, pull = np.zeros((6, 6)), np.zeros(6)
    slide = np.eye(6)[2][:, None] * np.ones(N) if block.depth_jacobian is None else block.depth_jacobian
    bias = {"rgb": np.zeros(N), "depth": np.full(N, noise.depth_bias * 0.7)}.get(name)
    if bias is None:
        bias = np.linalg.norm(block.jacobian[0, :3], axis=0) * 0.001 * noise.mask_bias_px
    for rows, residual in zip(part._channels.rows, part._channels.residuals, strict=True):
        w = block.weight * slope(residual / scale) / scale**2
        jacobian = rows[-6:].astype(float)
        a = w * block.normal_sensitivity * (jacobian[:3] ** 2).sum(axis=0) * 4.0 * seen.tilt**2
        for i in range(N):
            o = block.offset[:, i].astype(float)
            cross = np.array([[0.0, -o[2], o[1]], [o[2], 0.0, -o[0]], [-o[1], o[0], 0.0]])
            motion = np.hstack([np.eye(3), -cross]) - np.outer(seen.ray, slide[:, i])
            pretended += a[i] * motion.T @ motion
        pull += jacobian @ (w * bias)
    assert known.tessellation == pytest.approx(pretended, rel=1e-3, abs=1e-4 * np.abs(pretended).max())
    assert known.pull == pytest.approx(pull, rel=1e-3, abs=1e-4 * max(np.abs(pull).max(), 1e-9))


def test_colours_that_are_seen_edge_on_say_nothing_where_there_are_facets() -> None:
    """Else they would pretend more than all others know. Depth is believed: what it feels is the facets anyway."""
    block, known = random_block(3), RobustScale(0.2, 1.0, np.zeros((3, 0)))
    steep = np.arange(N) < 5
    jacobian, lever = (
        np.where(steep, 30.0, 1.0).astype(np.float32) * block.jacobian,
        np.where(steep, 1e3, block.normal_sensitivity),
    )
    grazing = block._replace(jacobian=jacobian, normal_sensitivity=lever.astype(np.float32))
    without = block._replace(weight=np.where(steep, 0.0, block.weight).astype(np.float32))
    said = [
        TermEquations("rgb", b, view("as-is"), NoiseSettings(), known).information(correlated=False)
        for b in (grazing, without)
    ]
    assert said[0].tessellation == pytest.approx(said[1].tessellation, rel=1e-5)
    flat = replace(view("as-is"), tilt=0.0)
    said.append(TermEquations("rgb", grazing, flat, NoiseSettings(), known).information(correlated=False))
    assert np.trace(said[2].matrix) > 2.0 * np.trace(said[0].matrix)
    deep = random_block(1)._replace(normal_sensitivity=np.full(N, 1e3, np.float32))
    assert np.trace(TermEquations("depth", deep, view("as-is"), NoiseSettings()).information().matrix) > 0.0


def test_influence_weight_slope_and_loss_belong_together() -> None:
    """The formulas that the kernels are compared with."""
    u, h = np.array([-3.0, -1.0, 0.0, 0.5, 1.3, 2.0, 10.0]), 1e-4
    assert weight(u) * u == pytest.approx(influence(u))
    assert (loss(u + h) - loss(u - h)) / (2 * h) == pytest.approx(influence(u), abs=1e-6)
    assert (influence(u + h) - influence(u - h)) / (2 * h) == pytest.approx(slope(u), abs=1e-6)


def test_the_efficiency_under_gaussian_noise_is_95_percent() -> None:
    """E[psi']^2 / E[psi^2], over a sample."""
    u = np.random.default_rng(1).standard_normal(200_000)
    assert slope(u).mean() ** 2 / (influence(u) ** 2).mean() == pytest.approx(0.95, abs=0.01)


@pytest.mark.parametrize("name", ["depth", "mask"])
def test_after_a_short_step_the_equations_are_those_of_the_pose_it_leads_to(name: str) -> None:
    block, step = random_block(1, outline=name == "mask"), 1e-3 * np.arange(1.0, 7.0)
    known = RobustScale(10.0, 1.3, np.zeros((1, 0)))  # no residual is large, so the cost is a square
    there = block._replace(residual=block.residual + np.einsum("ckn,k->cn", block.jacobian, step).astype(np.float32))
    moved = TermEquations(name, block, view("as-is"), NoiseSettings(), known).moved(step)
    drawn = TermEquations(name, there, view("as-is"), NoiseSettings(), known)
    assert moved.cost == pytest.approx(drawn.cost, rel=1e-5)
    np.testing.assert_allclose(moved.gradient, drawn.gradient, rtol=1e-4, atol=1e-5 * np.abs(drawn.gradient).max())
    assert moved.birge_ratio == pytest.approx(drawn.birge_ratio, rel=1e-4)
