"""The fused kernels on an oracle scene, without the classes around them."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.problem.factor import ImageFactor
from diffdope.problem.problem import Evaluation, Problem
from diffdope.problem.responsibility import Responsibility
from diffdope.problem.variables import Variables
from diffdope.render.buffers import Buffers
from diffdope.render.reference import render
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.terms.registry import ObjectiveSettings
from tests.oracle.differences import central_difference
from tests.oracle.objective import ReferenceObjective, cost
from tests.oracle.scenes import Scene

Array = NDArray[np.float64]

COMBINATIONS: dict[str, tuple[float, float, float, float]] = {
    "rgb": (1.0, 0.0, 0.0, 0.0),
    "depth": (0.0, 1.0, 0.0, 0.0),
    "mask": (0.0, 0.0, 1.0, 0.0),
    "edge": (0.0, 0.0, 0.0, 1.0),
    "rgb+depth+mask": (0.7, 1.0, 1.0, 0.0),
    "all": (0.7, 1.0, 1.0, 0.5),
}


class Pair(NamedTuple):
    """The same settings for the fused kernels and for the oracle."""

    fused: ObjectiveSettings
    oracle: ReferenceObjective


def settings(weights: tuple[float, float, float, float], length: float) -> Pair:
    """Settings of one combination of modalities, with caps that some residuals reach."""
    rgb, depth, mask, edge = weights
    fused = ObjectiveSettings(
        rgb_weight=rgb, depth_weight=depth, mask_weight=mask, edge_weight=edge,
        rgb_cap=0.5, depth_cap=0.3, edge_cap=0.2, uncovered=0.6,
    )  # fmt: skip
    oracle = ReferenceObjective(
        rgb_weight=rgb, depth_weight=depth, mask_weight=mask, edge_weight=edge, cap_rgb=0.5, kappa_rgb=0.3,
        cap_depth=0.3, kappa_depth=0.18, cap_edge=0.2, kappa_edge=0.12, length=length,
    )  # fmt: skip
    return Pair(fused, oracle)


def mesh_of(scene: Scene) -> Mesh:
    """The scene's object as the library sees it."""
    return Mesh(scene.vertices_m, scene.faces, scene.uv, scene.texture, scene.colors)


def renderer_of(scene: Scene) -> Renderer:
    """Of the scene's object in its camera, in one thread."""
    return Renderer(mesh_of(scene), Camera(*scene.K, scene.width, scene.height), threads=1)


def responsibility_of(appearance: Array, silhouette: Array | None = None) -> Responsibility:
    """Weights (H, W) of pixels for colours, depth and gradients, and for the mask; all alike if those are missing."""
    g = np.asarray(appearance, np.float32)
    c = np.ones_like(g) if silhouette is None else np.asarray(silhouette, np.float32)
    return Responsibility(g, c, float(g.sum()))


def observation_of(scene: Scene) -> Observation:
    """What the library is given of a scene."""
    o = scene.observation
    return Observation(Camera(*scene.K, scene.width, scene.height), rgb=o.O, depth=o.D, mask=o.M)


def factor_of(scene: Scene, fused: ObjectiveSettings, *, with_normal: bool = False) -> ImageFactor:
    """The library's image terms for a scene."""
    return ImageFactor(
        Buffers(mesh_of(scene), threads=1), observation_of(scene), responsibility_of(scene.observation.G), fused,
        length_m=scene.length, with_normal=with_normal,
    )  # fmt: skip


def problem_of(factor: ImageFactor, length_m: float) -> Problem:
    """One object in one view; the object's diameter in metres."""
    return Problem(Variables.one_object(0.5 * length_m), [factor])


def fused(scene: Scene, pair: Pair, *, with_normal: bool = False) -> Evaluation:
    """Cost, gradient and normal matrix by the kernels."""
    factor = factor_of(scene, pair.fused, with_normal=with_normal)
    return problem_of(factor, scene.length).evaluate(scene.R[None], scene.t[None])


def oracle_cost(scene: Scene, pair: Pair, R: Array, t: Array) -> float:
    """The weighted total of the float64 reference."""
    images = render(scene.reference, scene.K, scene.width, scene.height, R, t)
    settings = pair.oracle
    if scene.uv is None and scene.colors is None:
        settings = replace(settings, rgb_weight=0.0, edge_weight=0.0)
    return cost(images, scene.observation, settings)["total"]


def oracle_gradient(scene: Scene, pair: Pair, step: float = 1e-6) -> Array:
    """Central differences of the antialiased cost, (6,)."""
    return central_difference(lambda R, t: oracle_cost(scene, pair, R, t), scene.R, scene.t, step)
