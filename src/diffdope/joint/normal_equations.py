"""Gauss-Newton over all poses of a scene: leaves, one an object in a view, and what is known of cameras.

A leaf gives cost, gradient (6,) and curvature (6, 6) of T_c_o; the chain's derivative carries them to the world. A leaf
that pulls much harder than the others counts less (Tukey's biweight of its distance from its own optimum), so that a
view that shows something else does not bend the result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.joint.chain import ScenePoses, Unknowns, camera_difference

F64 = NDArray[np.float64]
Where = tuple[int, int]
"""A view and an object."""

_TUKEY = 4.685  # standard deviations beyond which a leaf does not count
_SHORTER = 3  # lengths of a step that are tried, each half of the one before: images are linear over a pixel or two
_RIDGE = 1e-9  # share of a mean curvature that is added, so that nothing is singular


class LeafTerms(NamedTuple):
    """Of one object in one view, by T_c_o: cost, gradient (6,) and curvature (6, 6), in units of variances."""

    cost: float
    gradient: F64
    curvature: F64

    @property
    def damped(self) -> F64:
        """(6, 6) curvature that has an inverse."""
        return np.asarray(self.curvature + _RIDGE * np.trace(self.curvature) / 6.0 * np.eye(6), np.float64)

    @property
    def distance(self) -> float:
        """Mean square, over the six directions, of how far its own optimum is, in its standard deviations."""
        return float(self.gradient @ np.linalg.solve(self.damped, self.gradient)) / 6.0


@dataclass(frozen=True)
class CameraPrior:
    """What is known of a camera's place.

    Attributes:
        T_w2c: as given.
        sigma: standard deviations (metres, degrees).
    """

    T_w2c: Pose
    sigma: tuple[float, float]

    @property
    def information(self) -> F64:
        """(6, 6) by a camera's step."""
        return np.diag(1.0 / np.repeat([self.sigma[0], np.radians(self.sigma[1])], 3) ** 2)

    def gradient(self, at: Pose) -> F64:
        """(6,) of half the squared deviations."""
        return self.information @ camera_difference(at, self.T_w2c)

    def cost(self, at: Pose) -> float:
        """Half the squared deviations."""
        away = camera_difference(at, self.T_w2c)
        return 0.5 * float(away @ self.information @ away)


class System(NamedTuple):
    """Normal equations of all unknowns: gradient (D,), curvature (D, D); and the cost."""

    cost: float
    gradient: F64
    curvature: F64


Leaves = Mapping[Where, LeafTerms]
Evaluate = Callable[[ScenePoses], Leaves]


def weights_of(leaves: Leaves) -> dict[Where, float]:
    """How much each leaf counts, in [0, 1]: less if it is much farther from its own optimum than the others are.

    Distances that all leaves have, of cameras that are a little off for example, say nothing against any of them.
    """
    distance = {where: leaf.distance for where, leaf in leaves.items()}
    common = max(1.0, float(np.median(list(distance.values())))) if distance else 1.0
    return {where: max(0.0, 1.0 - value / (_TUKEY**2 * common)) ** 2 for where, value in distance.items()}


def system_of(
    state: ScenePoses,
    leaves: Leaves,
    weights: Mapping[Where, float],
    unknowns: Unknowns,
    priors: Mapping[int, CameraPrior],
) -> System:
    """The sum over leaves and priors.

    Args:
        state: where the leaves were linearised.
        leaves: by view and object.
        weights: of the leaves.
        unknowns: the columns.
        priors: of free cameras, by view.
    """
    cost, g, H = 0.0, np.zeros(unknowns.size), np.zeros((unknowns.size, unknowns.size))
    for where, leaf in leaves.items():
        columns, J = unknowns.chain(state, *where)
        own, curved = weights[where] * (J.T @ leaf.gradient), weights[where] * (J.T @ leaf.curvature @ J)
        cost += weights[where] * leaf.cost
        add_block(g, H, columns, own, curved)
    for view in unknowns.free:
        prior = priors[view]
        part = unknowns.of_camera(view)
        g[part] += prior.gradient(state.cameras[view])
        H[part, part] += prior.information
        cost += prior.cost(state.cameras[view])
    return System(cost, g, H)


def add_block(g: F64, H: F64, columns: list[slice], own: F64, curved: F64) -> None:
    """Adds what a leaf says about a few poses to the sums over all of them."""
    for i, to in enumerate(columns):
        g[to] += own[6 * i : 6 * i + 6]
        for k, other in enumerate(columns):
            H[to, other] += curved[6 * i : 6 * i + 6, 6 * k : 6 * k + 6]


class JointSolution(NamedTuple):
    """Where the steps ended, the leaves there, and how much each counted."""

    state: ScenePoses
    leaves: Leaves
    weights: dict[Where, float]


def minimise(
    state: ScenePoses, evaluate: Evaluate, unknowns: Unknowns, priors: Mapping[int, CameraPrior], *,
    iterations: int, units: F64, tolerance: float, basis: Callable[[ScenePoses, Leaves], F64] | None = None,
    agreed: bool = False,
) -> JointSolution:  # fmt: skip
    """Gauss-Newton with weights of leaves anew before every step, from a state.

    Args:
        state: to begin with.
        evaluate: the leaves at a state.
        unknowns: the columns.
        priors: of free cameras.
        iterations: steps at most.
        units: (D,) by which steps are divided to compare.
        tolerance: the step that is shorter, in units, is the last.
        basis: columns (D, K) within which steps are taken; None for all directions.
        agreed: whether it was decided already that the leaves agree, as far as cameras are off: all count at the first
            step. At a state where a camera stands beside its place, its leaves are far from their optima.
    """
    leaves = evaluate(state)
    weights = dict.fromkeys(leaves, 1.0) if agreed else weights_of(leaves)
    within = None if basis is None or not leaves else basis(state, leaves)
    for _ in range(iterations):
        if not leaves:
            break
        system = system_of(state, leaves, weights, unknowns, priors)
        step = _step(system, within)
        for _ in range(_SHORTER):
            moved = state.moved(step, unknowns)
            there = evaluate(moved)
            better = set(there) == set(leaves) and _better(moved, there, system.cost, weights, unknowns, priors)
            if better:
                break
            step = 0.5 * step
        if not better:
            break
        state, leaves = moved, there
        weights = weights_of(leaves)
        if float(np.abs(step / units).max()) < tolerance:
            break
    return JointSolution(state, leaves, weights)


def _better(
    state: ScenePoses, leaves: Leaves, cost: float, weights: Mapping[Where, float], unknowns: Unknowns,
    priors: Mapping[int, CameraPrior],
) -> bool:  # fmt: skip
    """Whether the same leaves, with the same weights, cost no more than before."""
    total = sum(weights[where] * leaf.cost for where, leaf in leaves.items())
    return total + sum(priors[view].cost(state.cameras[view]) for view in unknowns.free) <= cost


def _step(system: System, within: F64 | None) -> F64:
    basis = np.eye(len(system.gradient)) if within is None else within
    H, g = basis.T @ system.curvature @ basis, basis.T @ system.gradient
    # Scaled to a unit diagonal: metres and radians, strong and weak directions become alike.
    scale = 1.0 / np.sqrt(np.maximum(np.diag(H), 1e-300))
    balanced = H * np.outer(scale, scale) + _RIDGE * np.eye(len(H))
    return np.asarray(-basis @ (scale * np.linalg.solve(balanced, scale * g)))
