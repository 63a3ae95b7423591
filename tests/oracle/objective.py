"""Float64 oracle of the cost, written from its definition; shares no code with `diffdope.problem`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.render.reference import ReferenceImages

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ReferenceObjective:
    """Weights (a modality of weight 0 is left out), caps and coverage rewards; `length` in metres."""

    rgb_weight: float = 0.7
    depth_weight: float = 1.0
    mask_weight: float = 1.0
    edge_weight: float = 0.0
    cap_rgb: float = 0.5
    kappa_rgb: float = 0.1
    cap_depth: float = 0.1
    kappa_depth: float = 0.02
    cap_edge: float = 0.2
    kappa_edge: float = 0.02
    length: float = 0.1


@dataclass(frozen=True)
class ReferenceObservation:
    """Observed crop: O (H, W, 3) or None, D (H, W) metres, 0 missing, or None, M (H, W) or None, G (H, W)."""

    O: Array | None  # noqa: E741
    D: Array | None
    M: Array | None
    G: Array


def loss(x_abs: Array, coverage: Array, cap: float, kappa: float) -> Array:
    """Residual capped in proportion to coverage, plus the price of an uncovered pixel."""
    return np.minimum(x_abs, cap * np.maximum(coverage, 0.0)) + kappa * (1.0 - coverage)


def edge_strength(grey: Array) -> Array:
    """(H-2, W-2) smoothed gradient magnitude from 3x3 Sobel / 8, image border left out."""

    def derivative(image: Array) -> Array:
        slope = image[:, 2:] - image[:, :-2]
        return np.asarray((slope[:-2] + 2.0 * slope[1:-1] + slope[2:]) / 8.0)

    return np.sqrt(derivative(grey) ** 2 + derivative(grey.T).T ** 2 + 1e-6)


def rgb_cost(images: ReferenceImages, observation: ReferenceObservation, s: ReferenceObjective) -> float:
    """Mean over channels of the colour residual, over the gate."""
    assert observation.O is not None
    residual = np.abs(images.P - images.A[..., None] * observation.O)
    terms = loss(residual, images.A[..., None], s.cap_rgb, s.kappa_rgb).mean(axis=-1)
    return float((observation.G * terms).sum() / observation.G.sum())


def depth_cost(images: ReferenceImages, observation: ReferenceObservation, s: ReferenceObjective) -> float:
    """Depth residual in object lengths, where depth was measured."""
    assert observation.D is not None
    residual = np.abs(images.AD - images.A * observation.D) / s.length
    terms = loss(residual, images.A, s.cap_depth, s.kappa_depth) * (observation.D > 0)
    return float((observation.G * terms).sum() / observation.G.sum())


def mask_cost(images: ReferenceImages, observation: ReferenceObservation) -> float:
    """Difference of coverage and mask over the whole crop."""
    assert observation.M is not None
    return float(np.abs(images.A - observation.M).sum() / observation.G.sum())


def edge_cost(images: ReferenceImages, observation: ReferenceObservation, s: ReferenceObjective) -> float:
    """Difference of the edge strength of the observation and of the composite, off the border."""
    assert observation.O is not None
    observed = observation.O.mean(axis=-1)
    change = (images.P - images.A[..., None] * observation.O).mean(axis=-1)
    residual = np.abs(edge_strength(observed + change) - edge_strength(observed))
    inner = (slice(1, -1), slice(1, -1))
    terms = loss(residual, images.A[inner], s.cap_edge, s.kappa_edge)
    return float((observation.G[inner] * terms).sum() / observation.G.sum())


def cost(images: ReferenceImages, observation: ReferenceObservation, settings: ReferenceObjective) -> dict[str, float]:
    """Unweighted cost of each active modality (rgb, depth, mask, edge) and the weighted "total".

    A modality is active if its weight is positive and its image was observed.
    """
    costs: dict[str, float] = {}
    if observation.O is not None and settings.rgb_weight > 0:
        costs["rgb"] = rgb_cost(images, observation, settings)
    if observation.D is not None and settings.depth_weight > 0:
        costs["depth"] = depth_cost(images, observation, settings)
    if observation.M is not None and settings.mask_weight > 0:
        costs["mask"] = mask_cost(images, observation)
    if observation.O is not None and settings.edge_weight > 0:
        costs["edge"] = edge_cost(images, observation, settings)
    costs["total"] = sum(getattr(settings, f"{name}_weight") * value for name, value in costs.items())
    return costs
