"""docs/cost.md, sections on the fused pass, written down once more in plain numpy and compared with the kernels.

The gradient is put together by the page's formula from differentiated reference images, not differentiated from the
cost as in tests/problem: so this compares the formula as well as its value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.problem.factor import ImageFactor
from diffdope.problem.problem import Evaluation, Problem
from diffdope.render.buffers import Buffers
from diffdope.render.reference import render
from diffdope.terms.registry import ObjectiveSettings
from tests.oracle.differences import jacobian_images
from tests.oracle.kernels import mesh_of, observation_of, problem_of, responsibility_of
from tests.oracle.scenes import Scene, random_scene

Array = NDArray[np.float64]
SETTINGS = ObjectiveSettings(
    rgb_weight=0.7,
    depth_weight=1.1,
    mask_weight=0.9,
    edge_weight=0.0,
    rgb_cap=0.4,
    depth_cap=0.3,
    edge_cap=0.2,
    uncovered=0.6,
    irls_floor=0.01,
)
SEEDS = tuple(range(1, 33, 2))  # every kind of mesh; a third has no colours


@dataclass(frozen=True)
class Loss:
    """L(r, A) of the page, its two derivatives and the weight of the normal matrix; arrays of one shape."""

    value: Array
    by_residual: Array
    by_coverage: Array
    weight: Array


def loss(r: Array, A: Array, cap: float, kappa: float, floor: float) -> Loss:
    free = np.abs(r) < cap * np.maximum(A, 0.0)
    return Loss(
        np.minimum(np.abs(r), cap * np.maximum(A, 0.0)) + kappa * (1.0 - A),
        np.where(free, np.sign(r), 0.0),
        np.where(free | (A <= 0.0), -kappa, cap - kappa),
        np.where(free, 1.0 / np.maximum(np.abs(r), floor), 0.0),
    )


class Page(NamedTuple):
    """Costs (3,) of rgb, depth and mask without weights; gradient (6,) and normal matrix (6, 6) of the weighted sum."""

    costs: Array
    gradient: Array
    normal: Array


def along(weight: Array, rows: Array) -> Array:
    """Sum of weight * row over all pixels."""
    return np.asarray((weight[..., None] * rows).reshape(-1, 6).sum(axis=0))


def squares(weight: Array, rows: Array) -> Array:
    """Sum of weight * row^T row over all pixels."""
    flat = rows.reshape(-1, 6)
    return np.asarray((flat * weight.reshape(-1, 1)).T @ flat)


def page(scene: Scene, g: Array, c: Array, s: ObjectiveSettings) -> Page:
    """What docs/cost.md says about a scene."""
    seen = scene.observation
    images = render(scene.reference, scene.K, scene.width, scene.height, scene.R, scene.t)
    J = jacobian_images(scene.reference, scene.K, scene.width, scene.height, scene.R, scene.t, 1e-8)
    A, J_A, G = images.A, J[..., 4, :], g.sum()
    costs, gradient, normal = np.zeros(3), np.zeros(6), np.zeros((6, 6))
    if seen.O is not None and (scene.uv is not None or scene.colors is not None):
        for k in range(3):
            one = loss(images.P[..., k] - A * seen.O[..., k], A, s.rgb_cap, s.rgb_cap * s.uncovered, s.irls_floor)
            row, w = J[..., k, :] - seen.O[..., k, None] * J_A, s.rgb_weight / 3.0 * g / G
            costs[0] += (g * one.value).sum() / (3.0 * G)
            gradient += along(w * one.by_residual, row) + along(w * one.by_coverage, J_A)
            normal += squares(w * one.weight, row)
    assert seen.D is not None and seen.M is not None
    known, length = g * (seen.D > 0), scene.length
    one = loss((images.AD - A * seen.D) / length, A, s.depth_cap, s.depth_cap * s.uncovered, s.irls_floor)
    row, w = (J[..., 3, :] - seen.D[..., None] * J_A) / length, s.depth_weight * known / G
    costs[1] = (known * one.value).sum() / G
    gradient += along(w * one.by_residual, row) + along(w * one.by_coverage, J_A)
    normal += squares(w * one.weight, row)
    r, w = A - seen.M, s.mask_weight * c / G
    costs[2] = (c * np.abs(r)).sum() / G
    gradient += along(w * np.sign(r), J_A)
    normal += squares(w / np.maximum(np.abs(r), s.irls_floor), J_A)
    return Page(costs, gradient, normal)


def weights(scene: Scene, seed: int) -> tuple[Array, Array]:
    """Random pixel weights g and c, a tenth of them 0."""
    rng, shape = np.random.default_rng(seed), (scene.height, scene.width)
    g, c = (rng.random(shape) * (rng.random(shape) > 0.1) for _ in range(2))
    return g.astype(np.float32).astype(float), c.astype(np.float32).astype(float)


def problem(scene: Scene, g: Array, c: Array, s: ObjectiveSettings) -> Problem:
    factor = ImageFactor(
        Buffers(mesh_of(scene), threads=1), observation_of(scene), responsibility_of(g, c), s,
        length_m=scene.length, with_normal=True,
    )  # fmt: skip
    return problem_of(factor, scene.length)


def kernels(scene: Scene, g: Array, c: Array, s: ObjectiveSettings) -> Evaluation:
    return problem(scene, g, c, s).evaluate(scene.R[None], scene.t[None])


def test_the_fused_pass_is_what_the_page_says() -> None:
    """Medians over the scenes: what is left is float32, the motion of mip levels, and jumps (docs/rendering.md)."""
    errors = []
    for seed in SEEDS:
        scene = random_scene(seed)
        g, c = weights(scene, seed)
        want, got = page(scene, g, c, SETTINGS), kernels(scene, g, c, SETTINGS)
        balance = np.array([1.0, 1.0, 1.0, *[scene.length / 2] * 3])
        scale = np.outer(balance, balance)
        errors.append((
            np.abs(got.each[0, :3] - want.costs).max() / want.costs.max(),
            np.linalg.norm((got.gradient[0] - want.gradient) / balance) / np.linalg.norm(want.gradient / balance),
            np.linalg.norm((got.normal[0] - want.normal) / scale) / np.linalg.norm(want.normal / scale),
        ))  # fmt: skip
        total = np.array([SETTINGS.rgb_weight, SETTINGS.depth_weight, SETTINGS.mask_weight]) @ want.costs
        assert got.cost[0] == pytest.approx(total, rel=1e-3)
    cost, gradient, normal = np.array(errors).T
    assert np.median(cost) < 1e-5
    assert np.median(gradient) < 1e-3
    assert np.median(normal) < 2e-3


def test_a_pose_that_covers_nothing_pays_what_the_page_says() -> None:
    scene = random_scene(1)
    g, c = weights(scene, 1)
    s = ObjectiveSettings(rgb_weight=0.7, depth_weight=1.1, mask_weight=0.9, edge_weight=0.5, uncovered=0.6)
    seen, G = scene.observation, g.sum()
    got = problem(scene, g, c, s).evaluate(scene.R[None], scene.t[None] + [0.0, 0.0, 1e4])
    assert seen.D is not None and seen.M is not None
    assert not got.gradient.any() and not got.normal.any()
    inner = g[1:-1, 1:-1].sum()
    want = [
        s.rgb_cap * s.uncovered,
        s.depth_cap * s.uncovered * g[seen.D > 0].sum() / G,
        (c * seen.M).sum() / G,
        s.edge_cap * s.uncovered * inner / G,
    ]
    assert got.each[0, :4] == pytest.approx(want, rel=1e-5)


def test_edges_have_the_derivative_that_the_page_says() -> None:
    """One colour for the whole picture of a change d: its row goes through the Sobel masks and the magnitude."""
    errors = []
    s = ObjectiveSettings(
        rgb_weight=0.0, depth_weight=0.0, mask_weight=0.0, edge_weight=0.5, edge_cap=0.2, uncovered=0.6, irls_floor=0.01
    )
    for seed in (1, 3, 7, 13, 15, 19, 21, 27):
        scene = random_scene(seed)
        seen = scene.observation
        if seen.O is None or (scene.uv is None and scene.colors is None):
            continue
        g, c = weights(scene, seed)
        images = render(scene.reference, scene.K, scene.width, scene.height, scene.R, scene.t)
        J = jacobian_images(scene.reference, scene.K, scene.width, scene.height, scene.R, scene.t, 1e-8)
        grey = seen.O.mean(axis=-1)
        change = (images.P - images.A[..., None] * seen.O).mean(axis=-1)
        J_d = J[..., :3, :].mean(axis=-2) - grey[..., None] * J[..., 4, :]
        slopes, before = sobel(grey + change), sobel(grey)
        e, e_seen = (np.sqrt(u**2 + v**2 + 1e-6) for u, v in (slopes, before))
        J_u, J_v = sobel(J_d)
        row = (slopes[0][..., None] * J_u + slopes[1][..., None] * J_v) / e[..., None]
        inner = (slice(1, -1), slice(1, -1))
        one = loss(e - e_seen, images.A[inner], s.edge_cap, s.edge_cap * s.uncovered, s.irls_floor)
        w = s.edge_weight * g[inner] / g.sum()
        want = along(w * one.by_residual, row) + along(w * one.by_coverage, J[..., 4, :][inner])
        matrix, got = squares(w * one.weight, row), kernels(scene, g, c, s)
        balance = np.array([1.0, 1.0, 1.0, *[scene.length / 2] * 3])
        scale = np.outer(balance, balance)
        assert got.cost[0] == pytest.approx(float((w * one.value).sum()), rel=1e-3)
        errors.append((
            np.linalg.norm((got.gradient[0] - want) / balance) / np.linalg.norm(want / balance),
            np.linalg.norm((got.normal[0] - matrix) / scale) / np.linalg.norm(matrix / scale),
        ))  # fmt: skip
    assert len(errors) >= 4
    gradient, normal = np.array(errors).T
    assert np.median(gradient) < 0.02
    assert np.median(normal) < 0.02


def sobel(image: Array) -> tuple[Array, Array]:
    """Slopes along u and v of an image (H, W) or (H, W, 6), its border left out."""
    right, down = image[:, 2:] - image[:, :-2], image[2:] - image[:-2]
    return (
        np.asarray((right[:-2] + 2.0 * right[1:-1] + right[2:]) / 8.0),
        np.asarray((down[:, :-2] + 2.0 * down[:, 1:-1] + down[:, 2:]) / 8.0),
    )
