"""docs/cost.md, sections on the robust Gauss-Newton stage and the covariance, with whole arrays in float64."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.estimate.covariance import beyond, information_eigenbasis, uncertainty
from diffdope.estimate.regression import RegressionContext, TermEquations
from diffdope.estimate.start_weight import weighed
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.pipelines.settings import NoiseSettings
from diffdope.problem.linearised import ResidualBlock
from diffdope.solve import robust

Array = NDArray[np.float64]
WIDTH, N, K = 64, 1500, 1.345
NOISE = NoiseSettings(inflation=1.3)
VIEW = RegressionContext(
    distance_m=0.7, pixel_m=0.001, length_m=0.05, tilt=0.05, width=WIDTH, light="gain-bias",
    ray=np.array([0.1, -0.2, 1.0]),
)  # fmt: skip
S = np.diag([0.05] * 3 + [1.0] * 3)


def block(channels: int, seed: int, *, outline: bool = False) -> ResidualBlock:
    """Residuals that a small motion, light, noise correlated in tiles and outliers make."""
    rng, f32 = np.random.default_rng(seed), np.float32
    pixel = np.sort(rng.choice(WIDTH * WIDTH, N, replace=False)).astype(np.int32)
    rendered = rng.random((channels, N))
    tile = pixel // WIDTH // 8 * 8 + pixel % WIDTH // 8
    J = rng.standard_normal((channels, 6, 64))[..., tile] + 0.5 * rng.standard_normal((channels, 6, N))
    J *= [[20.0]] * 3 + [[1.0]] * 3
    r = 0.05 * rng.standard_normal((channels, N)) + 0.02 * rng.standard_normal(64)[tile]
    r += np.einsum("k,ckn->cn", rng.standard_normal(6) * [1e-3] * 6, J) * 0.5
    r[:, ::17] += rng.standard_normal((channels, len(r[0, ::17])))
    if channels == 3:
        r += 0.1 * rendered - 0.03
    weight = rng.random(N) * (rng.random(N) < 0.9)
    return ResidualBlock(
        r.astype(f32), J.astype(f32), rendered.astype(f32), weight.astype(f32), pixel,
        (0.05 * rng.standard_normal((3, N))).astype(f32), np.full(N, 2.0, f32) if channels == 3 else np.ones(N, f32),
        None if outline else rng.standard_normal((6, N)).astype(f32),
    )  # fmt: skip


@dataclass
class Whole:
    """A modality by the page's formulas, given its scale, its correlation and its light."""

    name: str
    block: ResidualBlock
    sigma: float
    chi: float
    light: Array
    noise: NoiseSettings = NOISE

    def rows(self, c: int) -> tuple[Array, Array, Array]:
        """Light's columns (K, N), residual and Jacobian (7, N), pixel weights (N,) of a channel."""
        J, r = self.block.jacobian[c].astype(float), self.block.residual[c].astype(float)
        B = np.zeros((0, N))
        if self.name == "rgb":
            B = np.stack([self.block.rendered[c].astype(float), np.ones(N)])
        elif self.name == "mask" and self.noise.mask_width_px > 0.0:
            B = np.linalg.norm(J[:3], axis=0)[None] * VIEW.pixel_m * self.noise.mask_width_px
        return B, np.vstack([r, J]), self.block.weight.astype(float)

    def weights(self, c: int) -> tuple[Array, Array, Array]:
        """u, gamma eta and gamma eta' of a channel, its light as it was kept."""
        B, rows, gamma = self.rows(c)
        u = (rows[0] - self.light[c] @ B) / self.sigma
        return u, gamma * np.minimum(1.0, K / np.maximum(np.abs(u), 1e-30)), gamma * (np.abs(u) < K)

    def reduced(self, c: int, w: Array, unit: float) -> Array:
        """(7, 7) moments of residual and Jacobian, what is shared eliminated with its prior."""
        B, rows, _ = self.rows(c)
        every = np.vstack([B, rows])
        joint = unit * (every * w) @ every.T
        k = len(B)
        if k == 0:
            return joint
        schur = joint[k:, :k] @ np.linalg.solve(joint[:k, :k] + np.eye(k), joint[:k, k:])
        return np.asarray(joint[k:, k:] - schur)

    @property
    def channels(self) -> range:
        return range(len(self.block.residual))


WIDE = replace(NOISE, mask_width_px=0.3)


def parts() -> list[tuple[TermEquations, Whole]]:
    both = []
    for name, one, noise in (
        ("rgb", block(3, 0), NOISE),
        ("depth", block(1, 1), NOISE),
        ("mask", block(1, 2, outline=True), NOISE),
        ("mask", block(1, 2, outline=True), WIDE),
    ):
        part = TermEquations(name, one, VIEW, noise)
        both.append((part, Whole(name, one, *part.known, noise)))
    return both


BOTH = parts()
PLAIN = BOTH[:3]


@pytest.mark.parametrize(("part", "whole"), BOTH)
def test_normal_equations(part: TermEquations, whole: Whole) -> None:
    """At the light that was kept: one more round from it must reproduce the gradient to its own convergence."""
    again = TermEquations(whole.name, whole.block, VIEW, whole.noise, part.known)
    unit = 1.0 / (whole.sigma**2 * whole.chi)
    total = sum(whole.reduced(c, whole.weights(c)[1], unit) for c in whole.channels)
    assert again.step == pytest.approx(total[1:, 1:], rel=1e-4, abs=1e-5 * np.abs(total[1:, 1:]).max())
    assert again.gradient == pytest.approx(total[0, 1:], rel=1e-3, abs=1e-5 * np.abs(total[0, 1:]).max())
    if not whole.light.size:  # what is shared: the loss is taken in the light of the round after
        size = np.abs(whole.weights(0)[0])
        inside = np.minimum(size, K)
        loss = whole.block.weight @ (inside * (size - 0.5 * inside)) / whole.chi
        assert part.cost == pytest.approx(loss, rel=1e-4)


@pytest.mark.parametrize(("part", "whole"), BOTH)
def test_the_scale_is_the_median_absolute_residual(part: TermEquations, whole: Whole) -> None:
    there = whole.block.weight > 0
    r = np.concatenate([(whole.weights(c)[0] * whole.sigma)[there] for c in whole.channels])
    assert robust.scale(r.astype(np.float32), 1e-9) == pytest.approx(1.4826 * np.median(np.abs(r)), rel=1e-2)
    assert part.known.scale == pytest.approx(1.4826 * np.median(np.abs(r)), rel=0.05)  # in the light of a round before


@pytest.mark.parametrize(("part", "whole"), [pair for pair in BOTH if not pair[1].light.size])
def test_correlation(part: TermEquations, whole: Whole) -> None:
    """Without light, where scores need no reduction."""
    _, rows, _ = whole.rows(0)
    u, huber, strict = whole.weights(0)
    J = S @ rows[1:]
    C, g = (J * strict) @ J.T, J @ (huber * u)
    values, vectors = np.linalg.eigh(C)
    assert values[0] > 1e-4 * values[-1]
    V = (vectors / np.sqrt(values)).T
    z = (V @ J) * (huber * u - strict * (np.linalg.solve(C, g) @ J))
    chi, pixel = [float((z**2).sum()) / 6], whole.block.pixel
    for q in NOISE.tiles:
        tile = pixel // WIDTH // q * WIDTH + pixel % WIDTH // q
        used = np.unique(tile)
        if len(used) >= 12:
            sums = np.stack([z[:, tile == one].sum(axis=1) for one in used])
            chi.append(float((sums**2).sum()) / 6 * len(used) / (len(used) - 1))
    assert max(chi) > chi[0]
    assert part.known.correlation == pytest.approx(max(chi), rel=1e-3)


def information(part: TermEquations, whole: Whole) -> tuple[Array, Array, Array]:
    """I, T and the sum behind Delta of a modality."""
    one, theta = whole.block, VIEW.tilt
    values, vectors = np.linalg.eigh(S @ part.step @ S)
    seen = values > 1e-4 * values[-1]
    birge = ((vectors[:, seen].T @ S @ part.gradient) ** 2 / values[seen]).sum() / seen.sum()
    assert part.birge_ratio == pytest.approx(birge, rel=1e-6)
    unit = 1.0 / (whole.sigma**2 * whole.chi * max(1.0, birge))
    clear = 1.0 if whole.name != "rgb" else (4.0 * theta**2 * one.normal_sensitivity < 0.25**2).astype(float)
    info, T = np.zeros((6, 6)), np.zeros((6, 6))
    x, y, z = one.offset.astype(float)
    zero, unity = np.zeros(N), np.ones(N)
    by_phi = np.array([[zero, z, -y], [-z, zero, x], [y, -x, zero]])  # dX = rho + phi x offset
    dX = np.concatenate([np.eye(3)[:, :, None] * unity, by_phi], axis=1)
    dZ = np.eye(6)[2][:, None] * unity if one.depth_jacobian is None else one.depth_jacobian.astype(float)
    m = dX - VIEW.ray[:, None, None] * dZ[None]
    for c in whole.channels:
        _, rows, _ = whole.rows(c)
        strict = clear * whole.weights(c)[2]
        # A width that is not known is propagated to the pose, not eliminated.
        info += (
            whole.reduced(c, strict, unit)[1:, 1:] if whole.name == "rgb" else unit * (rows[1:] * strict) @ rows[1:].T
        )
        w = unit * 4.0 * theta**2 * strict * one.normal_sensitivity * (rows[1:4] ** 2).sum(axis=0)
        T += np.einsum("kin,n,kjn->ij", m, w, m)
    beta = {
        "rgb": zero,
        "depth": np.full(N, NOISE.depth_bias * VIEW.distance_m),
        "mask": np.linalg.norm(one.jacobian[0, :3], axis=0)
        * VIEW.pixel_m
        * np.hypot(whole.noise.mask_bias_px, whole.noise.mask_width_px),
    }[whole.name]
    _, rows, _ = whole.rows(0)
    return info, T, unit * rows[1:] @ (clear * whole.weights(0)[2] * beta)


@pytest.mark.parametrize(("part", "whole"), BOTH)
def test_information(part: TermEquations, whole: Whole) -> None:
    info, T, pull = information(part, whole)
    got = part.information()
    assert got.matrix == pytest.approx(info, rel=1e-3, abs=1e-5 * np.abs(info).max())
    assert got.tessellation == pytest.approx(T, rel=1e-3, abs=1e-5 * np.abs(T).max())
    assert got.pull == pytest.approx(pull, rel=1e-3, abs=1e-5 * max(np.abs(pull).max(), 1e-12))


def root(matrix: Array, power: float) -> Array:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * values**power) @ vectors.T)


def test_covariance() -> None:
    P = np.diag(np.repeat([NOISE.spread * 0.1, np.radians(NOISE.spread_deg)], 3))
    said = {whole.name: information(part, whole) for part, whole in PLAIN}
    sure, every = np.zeros((6, 6)), np.zeros((6, 6))
    for group in (("rgb",), ("depth", "mask")):
        info, T = (P @ sum(said[name][k] for name in group) @ P for k in (0, 1))
        values, U = np.linalg.eigh(root(T, -0.5) @ info @ root(T, -0.5))
        left = root(T, 0.5) @ (U * np.maximum(values - 1.0, 0.0)) @ U.T @ root(T, 0.5)
        assert beyond(info, T) == pytest.approx(left, rel=1e-6, abs=1e-9 * np.abs(left).max())
        sure, every = sure + left, every + info
    held = np.diag([1e4, 1e4, 1e4, 10.0, 10.0, 10.0])
    sure, every = sure + P @ held @ P, every + P @ held @ P
    values, U = np.linalg.eigh(sure)
    nu = 1.0 / (1.0 + np.maximum(values, 0.0))
    inflated = np.where(nu < 0.25, np.minimum(NOISE.inflation**2 * nu, 1.0), 1.0)
    shifts = [P @ np.linalg.solve(every + np.eye(6), P @ said[name][2]) for name in said]
    want = P @ (U * inflated) @ U.T @ P + sum(np.outer(d, d) for d in shifts)
    found = information_eigenbasis({whole.name: part for part, whole in PLAIN}, VIEW, NOISE, also=held)
    got = uncertainty(found, VIEW, NOISE).covariance
    scale = np.sqrt(np.diag(want))
    assert got / np.outer(scale, scale) == pytest.approx(want / np.outer(scale, scale), abs=1e-3)


def test_the_start_is_weighed_by_the_formulas_of_the_page() -> None:
    rng = np.random.default_rng(4)
    d, a = 0.008, np.radians(12.0)
    root = rng.standard_normal((6, 6)) * np.repeat([0.002, 0.02], 3)[:, None]
    sigma = root @ root.T
    pose = Pose(so3.exp(rng.standard_normal(3)), np.array([0.02, 0.01, 0.7]))
    start = Pose(so3.exp([0.05, -0.03, 0.1]) @ pose.R_m2c, pose.t_m2c + np.array([0.003, -0.002, 0.004]))
    found = weighed(pose, sigma, start, angle_rad=a, distance_m=d, elongation=5.0)

    z = np.concatenate([start.t_m2c - pose.t_m2c, so3.log(start.R_m2c @ pose.R_m2c.T)])
    ray = pose.t_m2c / np.linalg.norm(pose.t_m2c)
    likely, steps, within = np.zeros((2, 17)), np.zeros((2, 17, 6)), np.zeros((2, 17, 6, 6))
    for kind, squared in enumerate((1.0, 25.0)):
        P = np.diag([d**2] * 3 + [a**2] * 3) / 3.0
        P[:3, :3] += (squared - 1.0) * d**2 / 3.0 * np.outer(ray, ray)
        for k, s in enumerate(2.0 ** np.arange(-4.0, 4.1, 0.5)):
            total = sigma + s**2 * P
            likely[kind, k] = np.exp(-0.5 * z @ np.linalg.solve(total, z)) / np.sqrt(np.linalg.det(total))
            steps[kind, k] = sigma @ np.linalg.solve(total, z)
            within[kind, k] = s**2 * P @ np.linalg.solve(total, sigma)
    share = likely / likely.sum()
    best = np.argmax(share.sum(axis=1))
    step = share[best] @ steps[best] / share[best].sum()
    covariance = sum(
        share[kind, k] * (within[kind, k] + np.outer(steps[kind, k] - step, steps[kind, k] - step))
        for kind in range(2)
        for k in range(17)
    )
    assert np.abs(found.pose.t_m2c - pose.t_m2c - step[:3]).max() < 1e-12
    assert np.abs(so3.log(found.pose.R_m2c @ pose.R_m2c.T) - step[3:]).max() < 1e-9
    assert np.abs(found.covariance - covariance).max() < 1e-9 * np.abs(covariance).max()


def test_of_several_covariances_each_is_as_likely_as_the_start_makes_it() -> None:
    """The page's sum over scales of the start and covariances of the images, written down once more."""
    d, a = 0.008, np.radians(12.0)
    pose = Pose(np.eye(3), np.array([0.02, 0.01, 0.7]))
    start = pose.retract([0.003, -0.002, 0.004, 0.05, -0.03, 0.1])
    sigmas = np.array([np.diag([1e-3, 1e-3, 4e-3, 0.01, 0.02, 0.01]) ** 2, np.diag([4e-3] * 3 + [0.05] * 3) ** 2])
    found = weighed(pose, sigmas, start, angle_rad=a, distance_m=d)

    P = np.diag([d**2] * 3 + [a**2] * 3) / 3.0
    z = np.concatenate([start.t_m2c - pose.t_m2c, so3.log(start.R_m2c @ pose.R_m2c.T)])
    likely, steps, within = [], [], []
    for sigma in sigmas:
        for s in 2.0 ** np.arange(-4.0, 4.1, 0.5):
            total = sigma + s**2 * P
            likely.append(np.exp(-0.5 * z @ np.linalg.solve(total, z)) / np.sqrt(np.linalg.det(total)))
            steps.append(sigma @ np.linalg.solve(total, z))
            within.append(s**2 * P @ np.linalg.solve(total, sigma))
    share = np.array(likely) / np.sum(likely)
    assert 0.05 < share[: len(share) // 2].sum() < 0.95, "one of the two alone would show nothing"
    step = share @ np.array(steps)
    covariance = sum(p * (C + np.outer(one - step, one - step)) for p, C, one in zip(share, within, steps, strict=True))
    assert np.abs(found.pose.t_m2c - pose.t_m2c - step[:3]).max() < 1e-12
    assert np.abs(found.covariance - covariance).max() < 1e-9 * np.abs(covariance).max()
