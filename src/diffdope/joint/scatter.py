"""How far apart views are that are said to be exact: what places of cameras, lenses and masks are off, all views alike.

Each view has an object where its own images put it. What these places differ by beyond what each is off by itself is an
error that no view's pixels know of. It is taken for Gaussian, the same along all axes and in all views, and an object's
place is unsure by it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.joint.merge import Single
from diffdope.joint.together import JointTask, Together
from diffdope.search.alternatives.canonical import nearest_alike

F64 = NDArray[np.float64]

_ROUNDS = 50  # of expectation and maximisation, from a millimetre
_BEGIN_M = 1e-3
_SURELY = 8.0  # log likelihood that views are apart by more than each is off itself: four deviations
_OF_SMALLEST = 0.01  # of the smallest object's diameter: exact places are compared with that, too


class Scatter(NamedTuple):
    """deviation_m of a view's place of an object, beyond its own; gain in log likelihood over none."""

    deviation_m: float
    gain: float

    def surely_mm(self, smallest_m: float) -> float:
        """Of views that are surely apart by more than is worth a word beside the smallest object's diameter; else 0."""
        sure = self.gain > _SURELY and self.deviation_m > _OF_SMALLEST * smallest_m
        return 1e3 * self.deviation_m if sure else 0.0


class _Apart(NamedTuple):
    """(3,) from the common place to a view's own, metres, and its covariance (3, 3)."""

    away: F64
    covariance: F64


def scatter_of(solved: Together, task: JointTask) -> Scatter:
    """Of all objects that two views or more have found, in the places that they agree on."""
    every = [_apart(solved, task, view, n) for (view, n), one in solved.members.items() if one.used]
    seen = [n for (_, n), one in solved.members.items() if one.used]
    several = [one for n, one in zip(seen, every, strict=True) if one is not None and seen.count(n) > 1]
    if len(several) < 2:
        return Scatter(0.0, 0.0)
    variance = _BEGIN_M**2
    for _ in range(_ROUNDS):
        total = 0.0
        for away, covariance in several:
            K = variance * np.linalg.inv(variance * np.eye(3) + covariance)
            total += float(np.sum((K @ away) ** 2)) + variance * float(np.trace(np.eye(3) - K))
        variance = total / (3.0 * len(several))
    gain = _log_likelihood(several, variance) - _log_likelihood(several, 0.0)
    return Scatter(float(np.sqrt(variance)), gain) if gain > 0.0 else Scatter(0.0, 0.0)


def _apart(solved: Together, task: JointTask, view: int, n: int) -> _Apart | None:
    single: Single | None = task.singles.get((view, n))
    if single is None or view not in solved.votes[n].agreeing:
        return None
    common, length = solved.state.in_camera(view, n), 0.5 * task.refiners[n].mesh.diameter
    same = task.refiners[n].meshes.unnoticed
    turned = [nearest_alike(pose, common, same) for pose, _ in single.answers]
    own = min(turned, key=lambda one: one.distance_to(common) / length + one.angle_to(common))
    return _Apart(own.t_m2c - common.t_m2c, (single.covariance - np.diag(single.floor))[:3, :3])


def _log_likelihood(every: list[_Apart], variance: float) -> float:
    total = 0.0
    for away, covariance in every:
        whole = variance * np.eye(3) + covariance
        total -= 0.5 * (float(np.linalg.slogdet(whole)[1]) + float(away @ np.linalg.solve(whole, away)))
    return total
