"""Poses that climb a score which has no derivative: random local search, from many poses at once.

Each round draws poses around those that are left, keeps what is better, and leaves out the worst and what has come
together; steps shrink from round to round (an evolution strategy: Beyer and Schwefel, Natural Computing 2002).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_above_zero, expected
from diffdope.geometry import so3
from diffdope.search.selection import non_maximum_suppression

F64 = NDArray[np.float64]
Score = Callable[[F64, F64], NDArray[np.floating]]

_SAME_RAD, _SAME = np.radians(4.0), 0.02  # of the diameter: poses that are closer come to the same end
_STEP = 0.3  # of the diameter, for a turn of 1 rad: what a surface point moves by, about
_LEFT = 0.7  # share of the poses that go on to the next round


@dataclass(frozen=True)
@checked_fields(least={"drawn": 1, "drawn_again": 1, "rounds_again": 0})
class ClimbSettings:
    """How poses climb.

    Attributes:
        drawn: poses a round, shared by those that are left. With half as many, those that are near the truth are left
            out before they have climbed.
        turn_deg: standard deviation of turns about each axis in the first round, 14 degrees in all: what is between a
            rotation and the nearest of the view sphere.
        last_turn_deg: in the last round.
        drawn_again: poses a round of finer levels, where those that are left climb on.
        rounds_again: how many rounds there.
    """

    drawn: int = 800
    turn_deg: float = 8.0
    last_turn_deg: float = 3.0
    drawn_again: int = 128
    rounds_again: int = 4

    def __post_init__(self) -> None:
        """Refuses steps of no length, and such as grow."""
        check_above_zero(self, "turn_deg", "last_turn_deg")
        if self.last_turn_deg > self.turn_deg:
            raise expected("last_turn_deg", f"at most turn_deg, {self.turn_deg}", self.last_turn_deg)

    def finer(self, by: float) -> ClimbSettings:
        """Those of a level whose pixels are smaller by a factor: steps go on from where they ended."""
        return replace(
            self, drawn=self.drawn_again, turn_deg=self.last_turn_deg, last_turn_deg=self.last_turn_deg / max(by, 1.0)
        )


@dataclass(frozen=True)
class Scored:
    """Poses (B, 3, 3) and (B, 3) metres, and their scores (B,), the more the better."""

    R: F64
    t: F64
    score: F64

    @classmethod
    def of(cls, R: F64, t: F64, score: Score) -> Scored:
        """Poses, scored."""
        return cls(R, t, np.asarray(score(R, t), np.float64))

    def bettered(self, other: Scored) -> Scored:
        """Of each pose and its counterpart the better one."""
        better = other.score > self.score
        return Scored(
            np.where(better[:, None, None], other.R, self.R), np.where(better[:, None], other.t, self.t),
            np.maximum(other.score, self.score),
        )  # fmt: skip

    def best_apart(self, count: int, length_m: float) -> Scored:
        """So many of the best at most, of those in one place the best alone; the best come first."""
        kept = non_maximum_suppression(
            self.R, self.t, -self.score, count, angle_rad=_SAME_RAD, distance_m=_SAME * length_m
        )
        return Scored(self.R[kept], self.t[kept], self.score[kept])


def climbed(
    start: Scored, count: int, settings: ClimbSettings, rng: np.random.Generator, *, rounds: int, length_m: float,
    score: Score,
) -> Scored:  # fmt: skip
    """The `count` best poses that are reached, the best first.

    Args:
        start: the poses.
        count: how many are left in the end, at least 1.
        settings: of the steps.
        rng: of the draws.
        rounds: how many.
        length_m: the object's diameter.
        score: of poses, as those of `start` were scored.
    """
    left, shrinking = start, (settings.last_turn_deg / settings.turn_deg) ** (1.0 / max(rounds - 1, 1))
    for number in range(rounds):
        sigma = np.radians(settings.turn_deg * shrinking**number)
        size, each = len(left.t), max(settings.drawn // len(left.t), 1)
        R = so3.exp(sigma * rng.standard_normal((size, each, 3))) @ left.R[:, None]
        t = left.t[:, None] + _STEP * length_m * sigma * rng.standard_normal((size, each, 3))
        drawn = np.asarray(score(R.reshape(-1, 3, 3), t.reshape(-1, 3)), np.float64).reshape(size, each)
        every, best = np.arange(size), drawn.argmax(axis=1)
        left = left.bettered(Scored(R[every, best], t[every, best], drawn[every, best]))
        left = left.best_apart(max(count, int(_LEFT * size)), length_m)
    return left.best_apart(count, length_m)
