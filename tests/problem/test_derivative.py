"""The fused kernels against central differences of the float64 reference's antialiased cost, on random scenes.

What is left of the difference is known: the kernels hold a face's mip level fixed, though it changes with distance
and slant (the median relative error of textured rgb); and a contour that passes from one mesh edge to the next makes
a small jump in the cost, which a central difference sees when it straddles one (the tail). Jumps become rarer with
the step, hence 1e-8 m and rad.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.render.reference import render
from tests.oracle.differences import central_difference, jacobian_images, normal_matrix
from tests.oracle.kernels import COMBINATIONS, fused, settings
from tests.oracle.objective import cost
from tests.oracle.scenes import Scene, random_scene

Array = NDArray[np.float64]
SCENES = 220
STEP = 1e-8
MODALITIES = "rgb", "depth", "mask", "edge"  # in the order of a combination's weights


def coloured(scene: Scene) -> bool:
    return scene.uv is not None or scene.colors is not None


def combinations(scene: Scene) -> list[str]:
    """Those that the scene can be compared by: a mesh without colour has no rgb and no edges."""
    return [name for name in COMBINATIONS if coloured(scene) or name not in ("rgb", "edge")]


def oracle_totals(scene: Scene, names: list[str], R: Array, t: Array) -> Array:
    """Of each combination: they differ in their weights alone, so that each modality is looked at once."""
    images = render(scene.reference, scene.K, scene.width, scene.height, R, t)
    everything = settings((1.0, 1.0, 1.0, 1.0), scene.length).oracle
    if not coloured(scene):
        everything = replace(everything, rgb_weight=0.0, edge_weight=0.0)
    costs = cost(images, scene.observation, everything)
    weights = [dict(zip(MODALITIES, COMBINATIONS[name], strict=True)) for name in names]
    return np.array([sum(w[name] * costs[name] for name in MODALITIES if name in costs) for w in weights])


@pytest.fixture(scope="module")
def agreement() -> dict[str, Array]:
    """Per combination: (cosine, relative error of the gradient, relative error of the cost) of every scene."""
    rows: dict[str, list[tuple[float, float, float]]] = {name: [] for name in COMBINATIONS}
    for seed in range(SCENES):
        scene = random_scene(seed)
        names = combinations(scene)
        balance = np.array([1.0, 1.0, 1.0, *[scene.length / 2] * 3])  # a radian moves the surface by about that
        expected_cost = oracle_totals(scene, names, scene.R, scene.t)
        slopes = central_difference(lambda R, t, s=scene, n=names: oracle_totals(s, n, R, t), scene.R, scene.t, STEP)
        for name, expected, wanted in zip(names, slopes / balance, expected_cost, strict=True):
            result = fused(scene, settings(COMBINATIONS[name], scene.length))
            got = result.gradient[0] / balance
            size = float(np.linalg.norm(expected))
            cosine = float(got @ expected) / max(size * float(np.linalg.norm(got)), 1e-30)
            error = float(np.linalg.norm(got - expected)) / max(size, 1e-30)
            rows[name].append((cosine, error, abs(result.cost[0] - wanted) / wanted))
    return {name: np.array(values) for name, values in rows.items()}


@pytest.mark.parametrize("name", COMBINATIONS)
def test_the_gradient_is_that_of_the_antialiased_cost(agreement: dict[str, Array], name: str) -> None:
    cosine, error, _ = agreement[name].T
    assert len(cosine) >= 140
    assert np.median(cosine) >= 0.999
    assert np.median(error) <= 0.02
    assert np.percentile(cosine, 5) >= 0.98


@pytest.mark.parametrize("name", COMBINATIONS)
def test_the_cost_is_the_references(agreement: dict[str, Array], name: str) -> None:
    # float32 against float64; where they see a different face at a pixel, a hundredth of a percent.
    assert np.median(agreement[name][:, 2]) < 1e-5
    assert np.percentile(agreement[name][:, 2], 95) < 1e-3


def normal_matrix_error(seed: int, name: str) -> float:
    """Relative difference of the kernels' normal matrix and J^T W J from differentiated reference images."""
    scene = random_scene(seed)
    pair = settings(COMBINATIONS[name], scene.length)
    images = render(scene.reference, scene.K, scene.width, scene.height, scene.R, scene.t)
    jacobian = jacobian_images(scene.reference, scene.K, scene.width, scene.height, scene.R, scene.t, STEP)
    expected = normal_matrix(images, jacobian, scene.observation, pair.oracle, eps=pair.fused.irls_floor)["total"]
    got = fused(scene, pair, with_normal=True).normal[0]
    assert np.array_equal(got, got.T)
    balance = np.array([1.0, 1.0, 1.0, *[scene.length / 2] * 3])
    scale = np.outer(balance, balance)
    return float(np.linalg.norm((got - expected) / scale) / np.linalg.norm(expected / scale))


@pytest.mark.parametrize("name", ["depth", "mask"])
def test_the_normal_matrix_is_j_transposed_w_j(name: str) -> None:
    errors = [normal_matrix_error(seed, name) for seed in range(0, 88, 4)]
    assert np.median(errors) < 2e-4
    assert np.percentile(errors, 90) < 5e-3


def test_the_normal_matrix_of_rgb_lacks_only_the_motion_of_the_mip_level() -> None:
    coloured_seeds = [seed for seed in range(0, 88, 4) if coloured(random_scene(seed))]
    textured = [seed for seed in coloured_seeds if random_scene(seed).uv is not None]
    plain = [seed for seed in coloured_seeds if seed not in textured]
    assert np.median([normal_matrix_error(seed, "rgb") for seed in plain]) < 1e-3
    assert np.median([normal_matrix_error(seed, "rgb") for seed in textured]) < 0.03


@pytest.mark.parametrize("seed", [1, 3, 15, 41])
def test_the_edge_modality_has_the_normal_matrix_of_its_residuals(seed: int) -> None:
    """Without an oracle of its own: adding edges adds a positive semi-definite matrix whose trace is not zero."""
    scene = random_scene(seed)
    without = fused(scene, settings((0.7, 1.0, 1.0, 0.0), scene.length), with_normal=True).normal[0].copy()
    with_edges = fused(scene, settings((0.7, 1.0, 1.0, 0.5), scene.length), with_normal=True).normal[0]
    added = with_edges - without
    scale = np.trace(added)
    assert scale > 0
    assert np.linalg.eigvalsh(added).min() > -1e-4 * scale
