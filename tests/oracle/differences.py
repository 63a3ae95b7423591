"""Central differences over the pose, tangent order (rho [m], phi [rad]): R <- Exp(phi) R, t <- t + rho."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from diffdope.render.reference import ReferenceImages, ReferenceScene, render
from tests.oracle.objective import ReferenceObjective, ReferenceObservation

Array = NDArray[np.float64]


def rotation(phi: Array) -> Array:
    """Exp(phi) by Rodrigues' formula; its own few lines, to depend on no code under test."""
    angle = float(np.linalg.norm(phi))
    hat = np.array([[0.0, -phi[2], phi[1]], [phi[2], 0.0, -phi[0]], [-phi[1], phi[0], 0.0]])
    if angle < 1e-12:
        return np.asarray(np.eye(3) + hat)
    return np.asarray(np.eye(3) + np.sin(angle) / angle * hat + (1.0 - np.cos(angle)) / angle**2 * (hat @ hat))


def moved(R: Array, t: Array, xi: Array) -> tuple[Array, Array]:
    """The pose moved by the tangent xi = (rho, phi)."""
    return rotation(xi[3:]) @ R, t + xi[:3]


def central_difference(
    f: Callable[[Array, Array], float | Array], R: Array, t: Array, step: float | Array = 1e-6
) -> Array:
    """(..., 6) derivative of f(R, t), a number or an array; step in metres and radians, one or six."""
    steps = np.broadcast_to(step, 6)
    slopes = []
    for k in range(6):
        xi = np.zeros(6)
        xi[k] = steps[k]
        slopes.append((np.asarray(f(*moved(R, t, xi))) - np.asarray(f(*moved(R, t, -xi)))) / (2.0 * steps[k]))
    return np.stack(slopes, axis=-1)


def jacobian_images(
    scene: ReferenceScene,
    K: tuple[float, float, float, float],
    width: int,
    height: int,
    R: Array,
    t: Array,
    step: float | Array = 1e-6,
) -> Array:
    """(H, W, 5, 6) derivative of the antialiased images: P (three), AD, A."""

    def images(R: Array, t: Array) -> Array:
        seen = render(scene, K, width, height, R, t)
        return np.concatenate([seen.P, seen.AD[..., None], seen.A[..., None]], axis=-1)

    return central_difference(images, R, t, step)


def weighted_outer(J: Array, w: Array) -> Array:
    """(6, 6) sum of w J J^T over everything but the last axis of J."""
    rows = J.reshape(-1, J.shape[-1])
    return np.asarray((rows * w.reshape(-1, 1)).T @ rows)


def normal_matrix(
    images: ReferenceImages,
    jacobian: Array,
    observation: ReferenceObservation,
    settings: ReferenceObjective,
    *,
    eps: float,
) -> dict[str, Array]:
    """(6, 6) Gauss-Newton matrices J^T W J of rgb, depth and mask (weight included) and their "total".

    Every term is an L1 residual r, reweighted as w = weight * gate / N / max(|r|, eps); capped terms give nothing.

    Args:
        images: the images at the pose.
        jacobian: (H, W, 5, 6) of `jacobian_images`.
        observation: what is compared with.
        settings: weights, caps, length.
        eps: smallest |r| that is told apart, in the residual's own unit.
    """
    dP, dAD, dA = jacobian[..., :3, :], jacobian[..., 3, :], jacobian[..., 4, :]
    gate = observation.G / observation.G.sum()
    room = np.maximum(images.A, 0.0)
    matrices: dict[str, Array] = {}
    if observation.O is not None and settings.rgb_weight > 0:
        r = np.abs(images.P - images.A[..., None] * observation.O)
        free = r < settings.cap_rgb * room[..., None]
        w = settings.rgb_weight / 3.0 * gate[..., None] * free / np.maximum(r, eps)
        matrices["rgb"] = weighted_outer(dP - observation.O[..., None] * dA[..., None, :], w)
    if observation.D is not None and settings.depth_weight > 0:
        r = np.abs(images.AD - images.A * observation.D) / settings.length
        free = (r < settings.cap_depth * room) & (observation.D > 0)
        w = settings.depth_weight * gate * free / np.maximum(r, eps)
        matrices["depth"] = weighted_outer((dAD - observation.D[..., None] * dA) / settings.length, w)
    if observation.M is not None and settings.mask_weight > 0:
        w = settings.mask_weight / observation.G.sum() / np.maximum(np.abs(images.A - observation.M), eps)
        matrices["mask"] = weighted_outer(dA, w)
    matrices["total"] = np.asarray(sum(matrices.values(), np.zeros((6, 6))))
    return matrices
