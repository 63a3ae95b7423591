"""Answers: distinct poses that the images support, with probabilities that sum with 'none of these' to 1."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.confidence import fit_of, right_minimum
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose, between
from diffdope.scene.alikeness import Alikeness

F64 = NDArray[np.float64]

_OPEN_RAD = np.radians(20.0)  # beyond it the next pose is a different one, for whoever grasps the object
_TURNED_RAD = np.radians(10.0)  # less is the same pose, not come to rest in quite the same place
_OPEN_STEPS = (-2, -1, 1, 2)  # to both sides of the pose, where a direction is open
_LEAST = 1e-3  # probability below which a pose is no answer
_NEGLIGIBLE = np.log(1e-4)  # less the log odds of the best: of what is so unlikely it is not asked what it looks like
_LEAD = 2.0  # times as likely as the next, or a throw of a coin would do: of two that look alike, one has 0.5 and a bit


@dataclass(frozen=True, eq=False)
class Answer:
    """A pose that the images support, with those that look the same by the object's symmetry.

    Attributes:
        pose: model to camera.
        probability: of this pose being right, or one that looks the same.
        alternatives: the other poses that were found and look the same.
        symmetry: in words, one for each of them: by which turn of the model's frame.
    """

    pose: Pose
    probability: float
    alternatives: tuple[Pose, ...] = ()
    symmetry: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answers:
    """Ranked answers, the most probable first, and the probability of none of them being right."""

    ranked: tuple[Answer, ...]
    none: float

    @property
    def of_first(self) -> float:
        """Probability of the first as results have it: its share of `right_minimum` of one of them being right."""
        return right_minimum(1.0 - self.none) * self.share

    @property
    def share(self) -> float:
        """Probability of the first, if one of them is right."""
        some = 1.0 - self.none
        return self.ranked[0].probability / some if some > 0.0 else 0.0

    def fit(self, *, left: bool) -> float:
        """Probability of the first by its fit. Where a start is `left` for it, its share holds however well all fit."""
        if left:
            return fit_of(self.share * right_minimum(1.0 - self.none, started=True))
        return self.ranked[0].probability

    @property
    def ambiguous(self) -> bool:
        """Whether one of the answers is probably right, and the first has not half of it, or is not twice as likely as
        the second.
        """
        return self.none < 0.5 and (self.of_first < 0.5 or self.rivalled)

    @property
    def rivalled(self) -> bool:
        """Whether the second is more than half as likely as the first."""
        return len(self.ranked) > 1 and _LEAD * self.ranked[1].probability > self.ranked[0].probability


def along(pose: Pose, unobserved: F64 | None) -> list[Pose]:
    """Poses along directions (K, 6) that the images leave open, in steps that a symmetry would have to explain.

    Args:
        pose: the best.
        unobserved: in (rho [m], phi [rad]), as `RefinementResult.unobserved`; None where that is not known.
    """
    if unobserved is None:
        return []
    return [pose.retract(step * _OPEN_RAD * one) for one in unobserved for step in _OPEN_STEPS]


def answers_of(
    poses: Sequence[Pose], log_odds: F64, alike: Alikeness, *, compared: Sequence[Pose] | None = None,
    apart_m: Callable[[Pose, Pose], float] | None = None, tolerance_m: float = 0.0,
) -> Answers:  # fmt: skip
    """Merges poses that look the same, and gives the others probabilities.

    At most one pose is right. So with odds o_i of pose i against none of all, P(i) = o_i / (1 + sum o) and
    P(none) = 1 / (1 + sum o); poses that look the same are one, of the best one's odds, and so are those of which each
    is right if the other is.

    Args:
        poses: (B) of them.
        log_odds: (B,) of each against no pose being right.
        alike: says which look the same.
        compared: (B) in their place where it is asked whether they look the same: as if all had made the last steps;
            None for themselves.
        apart_m: how far the surface is from that of another pose, metres; None if nobody asks.
        tolerance_m: by which a right pose may be off.
    """
    groups: list[list[int]] = []
    held = poses if compared is None else compared

    def same_as(one: Pose, other: Pose) -> bool:
        if apart_m is not None and one.angle_to(other) < _TURNED_RAD and apart_m(one, other) < tolerance_m:
            return True
        return alike.unnoticed(*between(one, other))

    for k in np.argsort(-np.asarray(log_odds), kind="stable"):
        if groups and log_odds[k] < log_odds[groups[0][0]] + _NEGLIGIBLE:
            break
        same = (group for group in groups if same_as(held[group[0]], held[k]))
        group = next(same, None)
        if group is None:
            groups.append([int(k)])
        else:
            group.append(int(k))
    best = np.array([log_odds[group[0]] for group in groups])
    largest = max(float(best.max()), 0.0)
    odds = np.exp(best - largest)
    total = float(np.exp(-largest) + odds.sum())
    ranked = tuple(
        _answer([poses[k] for k in group], float(share / total))
        for group, share in zip(groups, odds, strict=True)
        if share / total >= _LEAST or group is groups[0]
    )
    return Answers(ranked, 1.0 - sum(one.probability for one in ranked))


def _answer(poses: Sequence[Pose], probability: float) -> Answer:
    first = poses[0]
    turned = [pose for pose in poses[1:] if pose.angle_to(first) > _TURNED_RAD]
    return Answer(first, probability, tuple(turned), tuple(_in_words(first, pose) for pose in turned))


def with_turns(answer: Answer, R: F64, t: F64, alike: Alikeness) -> Answer:
    """An answer with those of some motions that nobody would notice, beside what was found.

    Args:
        answer: of the object in the frame of the motions.
        R: (K, 3, 3) motions x -> R x + t of the model's frame.
        t: (K, 3) metres.
        alike: says which of them take the object onto one that looks the same.
    """
    more: list[Pose] = []
    for turn, shift in zip(R, t, strict=True):
        pose = answer.pose @ Pose(turn, shift)
        known = (answer.pose, *answer.alternatives, *more)
        if all(pose.angle_to(one) > _TURNED_RAD for one in known) and alike.unnoticed(turn, shift):
            more.append(pose)
    words = tuple(_in_words(answer.pose, pose) for pose in more)
    return replace(answer, alternatives=(*answer.alternatives, *more), symmetry=(*answer.symmetry, *words))


def _in_words(one: Pose, other: Pose) -> str:
    turn = so3.log(between(one, other)[0])
    angle = float(np.linalg.norm(turn))
    axis = ", ".join(f"{value:.2f}" for value in turn / max(angle, 1e-12))
    return f"turned by {np.degrees(angle):.0f} degrees about model axis ({axis})"
