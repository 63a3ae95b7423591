"""Poses on their way through the levels of a search, and those that have reached the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.confidence import log_odds_of
from diffdope.estimate.fit_quality import FitQuality
from diffdope.geometry.pose import Pose, solved_pose
from diffdope.problem.level_problem import LevelProblem
from diffdope.search.selection import non_maximum_suppression
from diffdope.solve.levenberg_marquardt import SolverResult
from diffdope.terms.base import Rendering
from diffdope.terms.layout import MASK
from diffdope.terms.photometric_gain import PhotometricGain
from diffdope.terms.quadratic_factor import QuadraticFactor

F64 = NDArray[np.float64]
Intp = NDArray[np.intp]

_UNSETTLED = 0.02  # share by which the last step still lowered the cost
# Hypotheses that end nearer than both, the second of the diameter, agree.
_SAME_ANGLE_RAD, _SAME_DISTANCE = np.radians(2.0), 0.01
_DEARER = 1.2  # ratio of costs from which on a place is not as good as the best
_FITS = 0.9  # ratio of costs but for the mask's from which on a pose fits clearly better than the cheapest


class Hypotheses(NamedTuple):
    """Poses (B, 3, 3) and (B, 3) metres, and their numbers in the history."""

    R: F64
    t: F64
    columns: Intp

    @classmethod
    def of(cls, pose: Pose, column: int) -> Hypotheses:
        """A single pose."""
        return cls(pose.R_m2c[None], pose.t_m2c[None], np.array([column]))

    @classmethod
    def joined(cls, some: Sequence[Hypotheses]) -> Hypotheses:
        """One after the other."""
        return cls(*(np.concatenate(parts) for parts in zip(*some, strict=True)))

    def taken(self, kept: Intp | slice) -> Hypotheses:
        """Some of them."""
        return Hypotheses(self.R[kept], self.t[kept], self.columns[kept])


@dataclass(frozen=True)
class Reached:
    """Where hypotheses ended at a level, and what each costs (B,) there, and but for the mask, if there is one."""

    hypotheses: Hypotheses
    cost: F64
    unmasked: F64 | None = None

    @cached_property
    def best(self) -> Pose:
        """With the lowest cost."""
        k = int(np.argmin(self.cost))
        return solved_pose(self.hypotheses.R[k], self.hypotheses.t[k])

    def joined(self, other: Reached) -> Reached:
        """With where others ended."""
        both = self.unmasked is not None and other.unmasked is not None
        unmasked = np.concatenate([self.unmasked, other.unmasked]) if both else None
        hypotheses = Hypotheses.joined([self.hypotheses, other.hypotheses])
        return Reached(hypotheses, np.concatenate([self.cost, other.cost]), unmasked)

    def best_apart(self, count: int, length_m: float, despite_mask: int = 0) -> Hypotheses:
        """So many of the best at most, the cheapest first, of those that ended in one place the best alone.

        Args:
            count: how many.
            length_m: the object's diameter.
            despite_mask: how many of them, at most, may cost more than others, but for the mask clearly less than the
                cheapest.
        """
        R, t, _ = self.hypotheses
        near = {"angle_rad": _SAME_ANGLE_RAD, "distance_m": _SAME_DISTANCE * length_m}
        score = self.cost.copy()
        if self.unmasked is not None and despite_mask:
            fit = non_maximum_suppression(R, t, self.unmasked, despite_mask, **near)
            fit = fit[self.unmasked[fit] < _FITS * self.unmasked[np.argmin(self.cost)]]
            score[fit] = -1.0
            score[np.argmin(self.cost)] = -2.0
        kept = non_maximum_suppression(R, t, score, count, **near)
        return self.hypotheses.taken(kept[np.argsort(self.cost[kept], kind="stable")])

    def agree(self, length_m: float) -> bool:
        """Whether several ended where the best did, and none of about its cost elsewhere."""
        R, t, _ = self.hypotheses
        best = self.best
        turned = np.einsum("bij,ij->b", R, best.R_m2c) > 1.0 + 2.0 * np.cos(_SAME_ANGLE_RAD)
        there = turned & (np.linalg.norm(t - best.t_m2c, axis=1) < _SAME_DISTANCE * length_m)
        return bool(there.sum() > 1 and np.all(there | (self.cost > _DEARER * self.cost.min())))


Choose = Callable[[Reached, Hypotheses], Hypotheses]
"""Says which of those that have reached the end of a level go on; called with those of the lowest costs, too."""


@dataclass(frozen=True)
class Round:
    """Where rounds of steps ended: all poses, the pull of the photograph's edges, and the winner's images if any."""

    solution: SolverResult
    contour: QuadraticFactor | None
    quadratics: tuple[QuadraticFactor, ...]
    rendering: Rendering | None
    first_row: int
    begun: Round | None = None
    """The first of these hypotheses at this level, where it is another one."""

    def unmasked(self, level: LevelProblem) -> F64:
        """What each costs (B,) where it ended at this level, but for the mask's part."""
        s = self.solution
        rows = np.argmin(s.history_cost, axis=0)
        return np.asarray(s.cost - level.factor.weights[MASK] * s.history_each[rows, np.arange(len(rows)), MASK])

    def cost_of_start(self, column: int, later: Round) -> tuple[float, F64]:
        """What a hypothesis cost where this round began, and that by modality (5,), with the terms of a later round.

        Terms of images are the same at a level; those that are linearised anew before each round are not.
        """
        s = self.solution
        start = solved_pose(s.history_R[0, column, 0], s.history_t[0, column, 0])
        cost, each = float(s.history_cost[0, column]), s.history_each[0, column].copy()
        for sign, factors in ((-1.0, self.quadratics), (1.0, later.quadratics)):
            for factor in factors:
                value = sign * factor.value(start)
                cost += value
                if factor.shown >= 0:
                    each[factor.shown] += value
        return cost, each

    def reached(self, hypotheses: Hypotheses, level: LevelProblem) -> Reached:
        """The ends of these hypotheses, which made the steps."""
        return Reached(hypotheses, self.solution.cost, self.unmasked(level) if "mask" in level.modalities else None)

    @cached_property
    def best(self) -> Pose:
        """With the lowest cost."""
        s = self.solution
        return solved_pose(s.R[s.best, 0], s.t[s.best, 0])


@dataclass(frozen=True)
class Candidates:
    """Poses that reached the end of a pyramid, and what is known of the best."""

    start: Pose
    level: LevelProblem
    rough: LevelProblem
    """Of the level before the last, where there is one: a quarter of the pixels."""
    columns: Intp
    ended: Round
    quality: FitQuality
    gain: PhotometricGain | None
    levels: int
    border_px: float = 0.0
    """How far the mask's border is from the best's outline, pixels of the crop; 0 without a mask."""
    at_most: float = np.inf
    """Log odds that the best has at most, whatever its fit quality: less than infinite where something contradicts."""
    off_along_view_m: float = 0.0
    """Deviation of an error of the distance that the covariance holds beside what the residuals tell, metres."""
    off_across_view_m: float = 0.0
    """The same of an error across the view, along either axis."""
    border_fits: float = 0.0
    """How exactly the mask's border follows its outline, from 0 to 1, see `checks/border_fits.py`; 0 if not asked."""
    beside: float = 0.0
    """Log odds that evidence of another kind than its fit quality adds."""
    evidence: tuple[QuadraticFactor, ...] = ()
    """What the last steps know of the pose beside residuals: of a mask that led there and is not compared, and of edges
    beside which it is left out. Half of squared errors over their variances."""
    notes: tuple[str, ...] = ()
    """For people."""
    apart_m: float = 0.0
    """How far the object's print alone would lead the best, in a film of photographs, metres."""

    @property
    def pose(self) -> Pose:
        """The best."""
        return self.ended.best

    @property
    def cost(self) -> float:
        """Of the best at the last level, with what the prior adds."""
        solution = self.ended.solution
        return float(solution.cost[solution.best])

    @property
    def winner(self) -> int:
        """Its number in the history."""
        return int(self.columns[self.ended.solution.best])

    @property
    def winner_row(self) -> int:
        """The iterate at which it was reached."""
        solution = self.ended.solution
        return self.ended.first_row + int(np.argmin(solution.history_cost[:, solution.best]))

    @property
    def begun(self) -> Round | None:
        """The first of several rounds that began at the start of the whole search, all at one level; else None."""
        begun = self.ended.begun
        return begun if begun is not None and begun.first_row == 0 and self.levels == 1 else None

    @property
    def curvature(self) -> F64:
        """Of the cost at the best pose, (6, 6) in (rho [m], phi [rad])."""
        normal: F64 = self.ended.solution.normal[self.ended.solution.best]
        return normal

    @property
    def confidence(self) -> float:
        """In the best pose."""
        return float(1.0 / (1.0 + np.exp(-self.log_odds)))

    @property
    def unsettled(self) -> bool:
        """Whether the last step still lowered the cost."""
        solution = self.ended.solution
        return bool(solution.last_reduction[solution.best] > _UNSETTLED)

    def doubtful(self, confidence: float) -> bool:
        """Whether it does not convince: it is less sure than that, or has not come to rest."""
        return self.confidence < confidence or self.unsettled

    @property
    def log_odds(self) -> float:
        """Of the best pose being right."""
        return min(log_odds_of(self.quality) + self.beside, self.at_most)

    def surer_than(self, other: Candidates, surplus: float = 0.0) -> bool:
        """Whether the fit quality speaks more for this than for the other, by more than a surplus of log odds."""
        return self.log_odds > other.log_odds + surplus

    def agreeing(self, agreement: float | None) -> Candidates:
        """The same, with another agreement of hypotheses."""
        return replace(self, quality=replace(self.quality, agreement=agreement))

    def doubt_of(self, other: Candidates) -> Candidates:
        """Another pose of the same images, doubted for what these were doubted for."""
        return replace(
            other, at_most=self.at_most, off_along_view_m=self.off_along_view_m,
            off_across_view_m=self.off_across_view_m,
        )  # fmt: skip
