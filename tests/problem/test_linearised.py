"""Residuals and Jacobians, pixel by pixel, against the float64 reference and its central differences."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.problem.linearised import Linearised
from diffdope.render.reference import render
from tests.oracle.differences import jacobian_images
from tests.oracle.kernels import factor_of, settings
from tests.oracle.scenes import Scene, random_scene

Array = NDArray[np.float64]
SCENES = 33  # every kind with every colouring
STEP = 1e-7


def linearised(scene: Scene) -> Linearised:
    pair = settings((1.0, 1.0, 1.0, 0.0), scene.length)
    return factor_of(scene, pair.fused).linearise(scene.R, scene.t)


@cache
def differences(seed: int) -> tuple[dict[str, Array], dict[str, Array]]:
    """Residuals (H*W, C) and Jacobians (H*W, C, 6) of the reference's images."""
    scene = random_scene(seed)
    images = render(scene.reference, scene.K, scene.width, scene.height, scene.R, scene.t)
    J = jacobian_images(scene.reference, scene.K, scene.width, scene.height, scene.R, scene.t, STEP).reshape(-1, 5, 6)
    seen, n = scene.observation, scene.width * scene.height
    residuals = {"mask": images.A.reshape(n, 1) - np.asarray(seen.M).reshape(n, 1)}
    if seen.O is not None:
        residuals["rgb"] = images.P.reshape(n, 3) - seen.O.reshape(n, 3)
    if seen.D is not None:
        residuals["depth"] = images.AD.reshape(n, 1) - seen.D.reshape(n, 1)
    return residuals, {"rgb": J[:, :3], "depth": J[:, 3:4], "mask": J[:, 4:]}


@pytest.mark.parametrize("name", ["rgb", "depth", "mask"])
def test_residuals_and_jacobians_are_those_of_the_reference(name: str) -> None:
    """The median pixel is exact but for rounding; the tail is mip levels and contours that pass on to the next edge."""
    errors, sizes = [], []
    for seed in range(SCENES):
        scene = random_scene(seed)
        found = linearised(scene).blocks.get(name)
        if found is None:
            continue
        residuals, jacobians = differences(seed)
        there = found.weight > 0.0
        assert np.abs((found.residual.T - residuals[name][found.pixel])[there]).max() < (
            2e-2 if name == "rgb" else 2e-3
        )
        balance = np.array([1.0, 1.0, 1.0, *[2.0 / scene.length] * 3])
        got, wanted = np.moveaxis(found.jacobian, 2, 0) * balance, jacobians[name][found.pixel] * balance
        errors.append(np.linalg.norm(got - wanted, axis=-1).ravel())
        sizes.append(np.linalg.norm(wanted, axis=-1).ravel())
    error, size = np.concatenate(errors), np.concatenate(sizes)
    seen = size > 0.01 * np.median(size)
    assert np.median(error[seen] / size[seen]) < 1e-3
    assert np.percentile(error[seen] / size[seen], 90) < 0.05
