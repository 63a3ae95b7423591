"""Levenberg-Marquardt on the tangent of the pose: B poses at once, each with its own damping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError

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
    negligible: float = 0.0
    """Done, without another evaluation, when no pose's next step is expected to lower its cost by this share."""

    def __post_init__(self) -> None:
        """Refuses numbers that make no descent."""
        if not 0.0 <= self.negligible < 1.0:
            raise DiffDopeError(f"negligible: expected a share from 0 to below 1, got {self.negligible}")
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
    from diffdope.solve.steps import curvatures, observable_directions, propose

    s = settings or LevenbergSettings()
    R, t = np.array(R_m2c, np.float64, order="C"), np.array(t_m2c, np.float64, order="C")
    first = evaluate(R, t)
    cost, gradient, normal = first.cost.copy(), first.gradient.copy(), first.normal.copy()
    if watch is not None:
        watch(R, t, np.ones(len(t), bool))
    damping = np.full(len(t), s.damping)
    gain = np.full(len(t), np.inf)
    last_gain = np.zeros(len(t))
    R_new, t_new, steps = np.empty_like(R), np.empty_like(t), np.empty((len(t), 6))
    size, fall = np.empty(len(t)), np.empty(len(t))
    done = 0
    while done < iterations and not (gain < s.tolerance).all():
        propose(
            R, t, gradient, *curvatures(normal, length_m), damping, length_m, s.observable, s.longest,
            R_new, t_new, steps, size, fall,
        )  # fmt: skip
        if (fall < s.negligible * cost).all():
            gain = np.minimum(gain, fall / np.maximum(cost, 1e-300))
            break
        done += 1
        new = evaluate(R_new, t_new)
        better = new.cost < cost
        # A step that failed says nothing yet: damp and try again. One too small to matter says that this is the end.
        gain = np.where(better, (cost - new.cost) / np.maximum(cost, 1e-300), np.where(size < 1e-6, 0.0, np.inf))
        for kept, moved in (
            (last_gain, gain), (R, R_new), (t, t_new), (cost, new.cost), (gradient, new.gradient), (normal, new.normal),
        ):  # fmt: skip
            kept[better] = moved[better]
        if watch is not None:
            watch(R, t, better)
        damping = np.clip(damping * np.where(better, s.shrink, s.grow), 1e-9, 1e6)
    observed = observable_directions(normal, length_m, s.observable)
    return Solution(R, t, cost, gradient, normal, observed, gain < s.tolerance, last_gain, done)
