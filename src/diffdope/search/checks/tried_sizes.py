"""An object of other sizes at a result: what that costs, before and after some steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose, solved_pose
from diffdope.problem.level_problem import LevelProblem
from diffdope.problem.problem import Evaluation, Problem
from diffdope.search.checks.contradictions import LEAST, STEPS, problem_of, state_of
from diffdope.solve.levenberg_marquardt import LevenbergSettings, minimise
from diffdope.terms.layout import MASK

F64 = NDArray[np.float64]

SMALLER, LARGER = (0.95, 0.9, 0.85), (1.05, 1.1, 1.15)
"""Sizes that are tried in any case: what is off by more fits nowhere."""
_OBSERVABLE = 1e-6  # share of the largest curvature below which a direction is not moved along


class Sized(NamedTuple):
    """The object of another size: what that costs after some steps, what of it is the mask's, and where it is drawn."""

    scale: float
    cost: float
    mask: float
    drawn: Pose


class Sizes:
    """The object of other sizes at a pose: what they cost, before and after some steps. Each is made and drawn once.

    Args:
        level: a coarse one, prepared near the pose.
        pose: the result.
        length_m: the object's diameter.
        step: of the solver.
        own: of the result.
        hidden: whether most of it is: then what is seen stays where it is, and not the object's middle.
    """

    def __init__(
        self, level: LevelProblem, pose: Pose, length_m: float, step: LevenbergSettings, own: Evaluation, *,
        hidden: bool,
    ) -> None:  # fmt: skip
        self._level, self._pose, self._length_m, self._step, self._hidden = level, pose, length_m, step, hidden
        self._about_m = _middle_of_seen(level, pose) if hidden else pose.t_m2c
        self._problems: dict[float, Problem] = {}
        self._drawn: dict[float, Evaluation] = {1.0: own}

    def cost(self, scale: float, *, promised: bool) -> float:
        """Of a size before any step; promised: whether what a step promises is asked next."""
        if scale not in self._drawn:
            state = self._state(scale)
            self._drawn[scale] = self._problem(scale).evaluate(*state, with_normal=promised)
        return float(self._drawn[scale].cost[0])

    def worth(self, sides: tuple[tuple[float, ...], ...], most: float, promised: float = np.inf) -> Sized | None:
        """The best size of the side whose first size costs less; None where that costs more than `most`.

        Nor does anything descend where a step is expected to leave more than the share that is `promised`.
        """
        asked = promised < np.inf
        costs = [self.cost(side[0], promised=asked) for side in sides]
        if self._hidden and not asked:  # costs before any step hardly tell the sides apart
            ended = [self.descended(side) for side, cost in zip(sides, costs, strict=True) if cost <= most]
            return min(ended, key=lambda one: one.cost, default=None)
        side = sides[int(np.argmin(costs))]
        if min(costs) > most or (asked and self._left(side[0]) > promised * self._left(1.0)):
            return None
        return self.descended(side)

    def descended(self, scales: tuple[float, ...]) -> Sized:
        """The size that costs least after some steps: the next as long as that costs less."""
        best = Sized(1.0, np.inf, 0.0, self._pose)
        for scale in scales:
            state = self._state(scale)
            ended = minimise(self._problem(scale), *state, iterations=STEPS, settings=self._step)
            if ended.cost[0] >= best.cost:
                break
            drawn = solved_pose(ended.R[0, 0], ended.t[0, 0])
            best = Sized(scale, float(ended.cost[0]), float(ended.history_each[-1, 0, MASK]), drawn)
        return best

    def nearest(self, scale: float) -> Iterator[Sized]:
        """The nearest size of the same side as another, and that of the other side, each after some steps."""
        sides = (LARGER[:1], SMALLER[:1])
        return (self.descended(side) for side in (sides if scale > 1.0 else sides[::-1]))

    def _state(self, scale: float) -> tuple[F64, F64]:
        """The pose of an object of a size as if it were not, (1, 1, 3, 3) and (1, 1, 3)."""
        moved = Pose(self._pose.R_m2c, scale * self._pose.t_m2c + (1.0 - scale) * self._about_m)
        return state_of(moved, scale)

    def _problem(self, scale: float) -> Problem:
        if scale not in self._problems:
            self._problems[scale] = problem_of(self._level, 1.0 / scale, self._length_m)
        return self._problems[scale]

    def _left(self, scale: float) -> float:
        """What a Gauss-Newton step may leave of a size's cost, which falls by half of g' H^-1 g by its quadratic model.

        Of a size whose cost was asked with what a step promises.
        """
        found, unit = self._drawn[scale], self._problem(scale).unit
        values, vectors = np.linalg.eigh(found.normal[0] * np.outer(unit, unit))
        along = vectors.T @ (found.gradient[0] * unit)
        seen = values > _OBSERVABLE * max(values[-1], LEAST)
        return float(found.cost[0] - 0.5 * np.sum(along[seen] ** 2 / values[seen]))


def _middle_of_seen(level: LevelProblem, pose: Pose) -> F64:
    """(3,) mean of what is drawn of a pose and lies in the mask, in the camera's frame; its own where nothing does.

    About the middle of an object that is mostly hidden another size moves all of what is seen.
    """
    images, camera = level.drawn(level.factor.buffers, pose), level.crop.camera
    seen = images.coverage[0] > 0.5
    if level.crop.mask is not None:
        seen &= level.crop.mask > 0.5
    if not seen.any():
        return pose.t_m2c
    return np.asarray(camera.back_project(images.depth[0])[seen].mean(axis=0), np.float64)
