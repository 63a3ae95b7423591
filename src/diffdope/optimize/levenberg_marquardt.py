"""Levenberg-Marquardt on the tangent of the pose: B poses at once, each with its own damping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError
from diffdope.geometry.so3 import exp

F64 = NDArray[np.float64]


class Quadratic(Protocol):
    """What an objective says of B poses.

    cost (B,), gradient (B, 6) and normal (B, 6, 6) = J^T W J, in the tangent order (rho [m], phi [rad]). The arrays may
    be reused by the next evaluation.
    """

    @property
    def cost(self) -> F64: ...  # noqa: D102

    @property
    def gradient(self) -> F64: ...  # noqa: D102

    @property
    def normal(self) -> F64: ...  # noqa: D102


@dataclass(frozen=True)
class LevenbergSettings:
    """How a step is damped and when it is enough."""

    damping: float = 1e-3
    """First damping, as a share of the largest curvature."""
    shrink: float = 0.2
    """Factor on the damping after a step that lowered the cost."""
    grow: float = 8.0
    """Factor on the damping after one that did not."""
    longest: float = 0.3
    """Longest step: radians, or this share of `length_m`."""
    observable: float = 1e-5
    """Directions with less than this share of the largest curvature are left alone."""
    tolerance: float = 1e-4
    """Done when every pose's last step lowered its cost by less than this share."""

    def __post_init__(self) -> None:
        """Refuses numbers that make no descent."""
        for name in ("damping", "longest", "observable", "tolerance"):
            if not getattr(self, name) > 0.0:
                raise DiffDopeError(f"{name}: expected a number > 0, got {getattr(self, name)}")
        if not (0.0 < self.shrink < 1.0 < self.grow):
            raise DiffDopeError(f"shrink, grow: expected 0 < shrink < 1 < grow, got {self.shrink} and {self.grow}")


@dataclass(frozen=True)
class Solution:
    """Where the poses ended: the best that each has seen.

    R_m2c (B, 3, 3), t_m2c (B, 3) metres; cost (B,), gradient (B, 6), normal (B, 6, 6) there; observed (B, 6, 6):
    projector on the directions that the normal matrix says something about, in (rho / length_m, phi); converged (B,);
    last_gain (B,): share by which the last step that helped lowered the cost; iterations.
    """

    R_m2c: F64
    t_m2c: F64
    cost: F64
    gradient: F64
    normal: F64
    observed: F64
    converged: NDArray[np.bool_]
    last_gain: F64
    iterations: int


def minimise(
    evaluate: Callable[[F64, F64], Quadratic],
    R_m2c: F64,
    t_m2c: F64,
    *,
    length_m: float,
    iterations: int,
    settings: LevenbergSettings | None = None,
    watch: Callable[[F64, F64, NDArray[np.bool_]], None] | None = None,
) -> Solution:
    """Lowers the cost of B poses; hypotheses do not interact, except that all stop together.

    A step that does not lower its pose's cost is undone and damped more (Levenberg 1944, Marquardt 1963). Curvatures
    are those of (rho / length_m, phi), so that metres and radians compare; a direction without curvature (the turn of a
    sphere, the slide of a plane) is not moved along.

    Args:
        evaluate: from poses (B, 3, 3) and (B, 3) to costs and derivatives.
        R_m2c: start (B, 3, 3).
        t_m2c: start (B, 3), metres.
        length_m: half the object's size or so: how far a turn by one radian moves its surface.
        iterations: at most; each is one evaluation, after the first.
        settings: numbers of the damping.
        watch: called after each evaluation as watch(R, t, better) with the poses (B, ...) that the next step starts
            from and which of them are new; the evaluation's arrays still hold what was evaluated.
    """
    s = settings or LevenbergSettings()
    scale = np.array([length_m, length_m, length_m, 1.0, 1.0, 1.0])
    R, t = R_m2c.copy(), t_m2c.copy()
    first = evaluate(R, t)
    cost, gradient, normal = first.cost.copy(), first.gradient.copy(), first.normal.copy()
    if watch is not None:
        watch(R, t, np.ones(len(t), bool))
    damping = np.full(len(t), s.damping)
    gain = np.full(len(t), np.inf)
    last_gain = np.zeros(len(t))
    done = 0
    while done < iterations and not (gain < s.tolerance).all():
        done += 1
        step = scale * damped_step(normal * np.outer(scale, scale), gradient * scale, damping, s)
        R_new, t_new = exp(step[:, 3:]) @ R, t + step[:, :3]
        new = evaluate(R_new, t_new)
        better = new.cost < cost
        # A step that failed says nothing yet: damp and try again. One too small to matter says that this is the end.
        small = np.linalg.norm(step / scale, axis=1) < 1e-6
        gain = np.where(better, (cost - new.cost) / np.maximum(cost, 1e-300), np.where(small, 0.0, np.inf))
        last_gain = np.where(better, gain, last_gain)
        R, t = np.where(better[:, None, None], R_new, R), np.where(better[:, None], t_new, t)
        cost = np.where(better, new.cost, cost)
        gradient = np.where(better[:, None], new.gradient, gradient)
        normal = np.where(better[:, None, None], new.normal, normal)
        if watch is not None:
            watch(R, t, better)
        damping = np.clip(damping * np.where(better, s.shrink, s.grow), 1e-9, 1e6)
    observed = observable_directions(normal * np.outer(scale, scale), s.observable)
    return Solution(R, t, cost, gradient, normal, observed, gain < s.tolerance, last_gain, done)


def damped_step(normal: F64, gradient: F64, damping: F64, settings: LevenbergSettings) -> F64:
    """-(N + damping max(N) I)^-1 g within the observable directions, (B, 6), limited in length."""
    curvature, directions = np.linalg.eigh(normal)
    largest = np.maximum(curvature[:, -1:], 1e-300)
    along = np.matmul(directions.transpose(0, 2, 1), gradient[:, :, None])[:, :, 0]
    seen = curvature > settings.observable * largest
    along = np.where(seen, along / (np.maximum(curvature, 0.0) + damping[:, None] * largest), 0.0)
    step = -np.matmul(directions, along[:, :, None])[:, :, 0]
    length = np.linalg.norm(step, axis=1, keepdims=True)
    return np.asarray(step * np.minimum(1.0, settings.longest / np.maximum(length, 1e-300)))


def observable_directions(normal: F64, share: float) -> F64:
    """Projectors (B, 6, 6) on the directions with more than `share` of the largest curvature."""
    curvature, directions = np.linalg.eigh(normal)
    seen = curvature > share * np.maximum(curvature[:, -1:], 1e-300)
    kept = directions * seen[:, None, :]
    return np.asarray(np.matmul(kept, kept.transpose(0, 2, 1)))
