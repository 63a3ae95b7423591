"""The sums of a regression, compiled in chunks, against their formulas on whole arrays."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.objective.linear import Block
from diffdope.refine import regression_kernel as kernel
from diffdope.refine.regression import Part, View, rows_of
from diffdope.refine.regression_kernel import BOUND
from diffdope.refine.settings import LightModel, NoiseSettings

F64 = NDArray[np.float64]
WIDTH = 40
N = 700  # no multiple of the chunk
LIGHTS: tuple[LightModel, ...] = ("as-is", "gain", "gain-bias")


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


def view(light: LightModel) -> View:
    return View(
        distance_m=0.7, pixel_m=0.001, length_m=0.05, tilt=0.05, width=WIDTH, light=light,
        ray=np.array([0.1, -0.2, 1.0]),
    )  # fmt: skip


def random_block(channels: int, *, outline: bool = False) -> Block:
    rng, f32 = np.random.default_rng(0), np.float32
    jacobian = rng.standard_normal((channels, 6, N)) * [[[20.0]] * 3 + [[1.0]] * 3]
    return Block(
        (0.3 * rng.standard_normal((channels, N)) + 0.1).astype(f32), jacobian.astype(f32),
        rng.random((channels, N)).astype(f32), rng.random(N).astype(f32) * (rng.random(N) < 0.9),
        np.sort(rng.choice(WIDTH * WIDTH, N, replace=False)).astype(np.int32),
        (0.05 * rng.standard_normal((3, N))).astype(f32), rng.random(N).astype(f32),
        None if outline else rng.standard_normal((6, N)).astype(f32),
    )  # fmt: skip


class Whole:
    """A channel less the light that weighted least squares find."""

    def __init__(self, rows: F64, light: F64) -> None:
        self.shared = len(rows) - 7
        self.columns, self.rest, self.light = rows[: self.shared], rows[self.shared :], light

    def refit(self, w: F64) -> None:
        k = self.shared
        inner = (self.columns * w) @ self.columns.T + np.eye(k)
        self.light = np.linalg.solve(inner, (self.columns * w) @ self.rest.T)

    @property
    def left(self) -> F64:
        """Residual and Jacobian (7, N)."""
        return self.rest - self.light.T @ self.columns

    def moments(self, w: F64) -> F64:
        """Of the least squares with a weak prior on the light: M_rr - M_rk (M_kk + I)^-1 M_kr."""
        k = self.shared
        rows = np.concatenate([self.columns, self.rest])
        m = (rows * w) @ rows.T
        return m[k:, k:] - m[k:, :k] @ np.linalg.solve(m[:k, :k] + np.eye(k), m[:k, k:])


@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize("strict", [False, True])
def test_moments_and_light(light: LightModel, strict: bool) -> None:
    block = random_block(3)
    rows = rows_of("rgb", block, light)
    shared = rows.shape[1] - 7
    found, room = np.zeros((3, shared, 7)), np.empty((kernel.ROOM, kernel.CHUNK), np.float32)
    total, inner = np.empty((7, 7)), np.empty((shared + 7, shared + 7))
    kernel.sum_channels(rows, block.weight, found, 0.2, np.float32(3.0), 2, strict, 1.0, room, inner, total)
    expected, huber = np.zeros((7, 7)), slope if strict else weight
    for c in range(3):
        own = Whole(rows[c].astype(float), np.zeros((shared, 7)))
        for _ in range(2 if shared else 1):
            w = 3.0 * block.weight * huber(own.left[0] / 0.2)
            own.refit(w)
        expected += own.moments(w)
        assert found[c] == pytest.approx(own.light, rel=1e-3, abs=1e-4)
    assert total == pytest.approx(expected, rel=1e-4, abs=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("light", LIGHTS)
def test_residuals_and_their_loss(light: LightModel) -> None:
    block = random_block(3)
    rows = rows_of("rgb", block, light)
    found = 0.1 * np.random.default_rng(1).standard_normal((3, rows.shape[1] - 7, 7))
    left = np.stack([Whole(rows[c].astype(float), found[c]).left[0] for c in range(3)])
    out = np.empty((3, N), np.float32)
    kernel.list_residuals(rows, found, out)
    assert out == pytest.approx(left, abs=1e-6)
    room = np.empty((kernel.ROOM, kernel.CHUNK), np.float32)
    cost = kernel.sum_loss(rows, block.weight, found, 0.2, room)
    assert cost == pytest.approx(np.sum(block.weight * loss(left / 0.2)), rel=1e-5)


def test_the_spread_of_sums_over_tiles() -> None:
    """Scores at the optimum a step away, whitened by the curvature, and their sums over tiles of 8 pixels."""
    noise = NoiseSettings(tiles=(8,))
    block, seen = random_block(3), view("gain-bias")
    part = Part("rgb", block, seen, noise)
    scale, correlation, _ = part.known
    curvature, gradient, pieces = np.zeros((6, 6)), np.zeros(6), []
    for c in range(3):
        own = Whole(part._rows[c].astype(float), np.zeros((2, 7)))
        own.light = part._light[c]
        u, J = own.left[0] / scale, own.left[1:] * seen.units[:, None]
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


@pytest.mark.parametrize(("name", "channels"), [("rgb", 3), ("depth", 1), ("mask", 1)])
def test_what_facets_pretend_and_what_an_error_of_all_pixels_does(name: str, channels: int) -> None:
    noise, seen = NoiseSettings(), view("gain-bias")
    block = random_block(channels, outline=name == "mask")
    part = Part(name, block, seen, noise)
    known, (scale, _, _) = part.information(correlated=False), part.known
    pretended, pull = np.zeros((6, 6)), np.zeros(6)
    slide = np.eye(6)[2][:, None] * np.ones(N) if block.slide is None else block.slide
    bias = {"rgb": np.zeros(N), "depth": np.full(N, noise.depth_bias * 0.7)}.get(name)
    if bias is None:
        bias = np.linalg.norm(block.jacobian[0, :3], axis=0) * 0.001 * noise.mask_bias_px
    for c in range(channels):
        own = Whole(part._rows[c].astype(float), part._light[c])
        w = block.weight * slope(own.left[0] / scale) / scale**2
        jacobian = block.jacobian[c].astype(float)
        a = w * block.lever * (jacobian[:3] ** 2).sum(axis=0) * 4.0 * seen.tilt**2
        for i in range(N):
            o = block.offset[:, i].astype(float)
            cross = np.array([[0.0, -o[2], o[1]], [o[2], 0.0, -o[0]], [-o[1], o[0], 0.0]])
            motion = np.hstack([np.eye(3), -cross]) - np.outer(seen.ray, slide[:, i])
            pretended += a[i] * motion.T @ motion
        pull += jacobian @ (w * bias)
    assert known.pretended == pytest.approx(pretended, rel=1e-3, abs=1e-4 * np.abs(pretended).max())
    assert known.pull == pytest.approx(pull, rel=1e-3, abs=1e-4 * max(np.abs(pull).max(), 1e-9))


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
