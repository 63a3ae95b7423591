"""PoseHypotheses of the camera's pose through coarse levels, all pictures at once.

What a hypothesis pays is the product of what it pays in each picture, by its logarithm: one bad picture (wrong joint
values, the mask of something else) then adds about as much to every hypothesis, and outvotes none of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry import so3
from diffdope.geometry.crop import choose_crop
from diffdope.geometry.pose import Pose
from diffdope.problem.factor import ImageFactor
from diffdope.problem.failure import Status
from diffdope.problem.level_settings import unmasked
from diffdope.problem.problem import Problem
from diffdope.problem.region import box_of
from diffdope.problem.responsibility import Responsibility, responsibility_of
from diffdope.problem.variables import Variables
from diffdope.render.buffers import Buffers
from diffdope.render.renderer import Renderer
from diffdope.scene.mesh import Mesh
from diffdope.scene.observation import Observation
from diffdope.search.selection import non_maximum_suppression
from diffdope.terms.registry import ObjectiveSettings

F64 = NDArray[np.float64]

_FLOOR = 0.1  # of a cost: as much a good pose pays where masks lack something, and 1 what pays who covers nothing
_MARGIN = 0.15  # about mask and start, as a share of the longer side
_DAMPING, _DECREASE, _INCREASE = 1e-3, 0.2, 8.0  # at first; factors after a good step and after a bad one
_LONGEST = 0.3  # step: radians, or this share of half the robot's size
# Hypotheses that are nearer than both, the second a share of the robot's size, are one.
_SAME_RAD, _SAME = np.radians(3.0), 0.02


class Stage(NamedTuple):
    """One level: longest side of the crops, hypotheses and steps."""

    size: int
    hypotheses: int
    steps: int


class PoseHypotheses(NamedTuple):
    """Poses (B, 3, 3) and (B, 3) metres, and what they pay (B,)."""

    R: F64
    t: F64
    cost: F64

    def pose(self, number: int) -> Pose:
        """One of them."""
        return Pose(self.R[number], self.t[number])

    def joined(self, other: PoseHypotheses) -> PoseHypotheses:
        """With others, the best first."""
        R, t, cost = (np.concatenate([one, more]) for one, more in zip(self, other, strict=True))
        order = np.argsort(cost, kind="stable")
        return PoseHypotheses(R[order], t[order], cost[order])

    def taken(self, kept: NDArray[np.intp]) -> PoseHypotheses:
        """Some of them."""
        return PoseHypotheses(self.R[kept], self.t[kept], self.cost[kept])

    def distinct(self, count: int, length_m: float) -> PoseHypotheses:
        """The best that differ."""
        return self.taken(
            non_maximum_suppression(self.R, self.t, self.cost, count, angle_rad=_SAME_RAD, distance_m=_SAME * length_m)
        )


@dataclass(frozen=True, eq=False)
class ArmTarget:
    """One picture and the robot in it, about a middle that all pictures share."""

    observation: Observation
    buffers: Buffers

    @property
    def mesh(self) -> Mesh:
        """Of the robot."""
        return self.buffers.mesh


class Cost:
    """What hypotheses pay at one level.

    Args:
        targets: the pictures.
        size: longest side of crops, pixels.
        length_m: the robot's size.
        near: a pose near which the robot is, where it is known: crops hold it, and it stands for a mask where there is
            none.
    """

    def __init__(self, targets: Sequence[ArmTarget], size: int, length_m: float, near: Pose | None) -> None:
        self.length_m = length_m
        self._each = [_problem(target, size, length_m, near) for target in targets]
        self._problems = [problem for problem in self._each if problem is not None]

    def __call__(self, R: F64, t: F64) -> tuple[F64, F64, F64]:
        """Cost (B,), gradient (B, 6) and normal matrix (B, 6, 6) in (rho [m], phi [rad])."""
        b = len(t)
        cost, gradient, normal = np.zeros(b), np.zeros((b, 6)), np.zeros((b, 6, 6))
        for problem in self._problems:
            one = problem.evaluate(R, t)
            weight = 1.0 / (one.cost + _FLOOR)
            cost += np.log(one.cost + _FLOOR)
            gradient += weight[:, None] * one.gradient
            normal += weight[:, None, None] * one.normal
        return cost, gradient, normal

    def each(self, R: F64, t: F64) -> F64:
        """(N, B) what each hypothesis pays in each picture; NaN where the robot is out of it."""
        nothing = np.full(len(t), np.nan)
        return np.array([nothing if problem is None else problem.evaluate(R, t).cost for problem in self._each])


def _problem(target: ArmTarget, size: int, length_m: float, near: Pose | None) -> Problem | None:
    """The cost of one picture; None if the robot is out of it."""
    observation = target.observation
    boxes = [] if observation.mask_box is None else [observation.mask_box]
    if near is not None:
        box = box_of(near.apply(target.mesh.vertices_m), observation.camera)
        boxes += [] if isinstance(box, Status) else [box]
    if not boxes:
        return None
    crop = observation.crop(choose_crop(boxes, observation.camera, margin=_MARGIN, max_size=size))
    settings = ObjectiveSettings(irls_floor=0.01, rgb_weight=0.0)
    if crop.mask is not None:
        ones = np.ones_like(crop.mask)
        if not crop.mask.any():
            return None
        responsibility = Responsibility(crop.mask, ones, float(crop.mask.sum()))
    else:
        assert near is not None
        images = Renderer(target.mesh, crop.camera, buffers=target.buffers).render(near.R_m2c, near.t_m2c)
        coverage = images.coverage[0]
        responsibility = responsibility_of(coverage, crop, np.ones_like(coverage))
        settings = unmasked(settings)
    if responsibility.overlap <= 0.0:
        return None
    factor = ImageFactor(target.buffers, crop, responsibility, settings, length_m=length_m, with_normal=True)
    return Problem(Variables.one_object(0.5 * length_m), [factor])


def descend(cost: Cost, start: PoseHypotheses, steps: int) -> PoseHypotheses:
    """Levenberg-Marquardt, each hypothesis with its own damping.

    Args:
        cost: of the level.
        start: its costs are not looked at.
        steps: how many are tried.
    """
    R, t = start.R.copy(), start.t.copy()
    value, gradient, normal = cost(R, t)
    damping = np.full(len(t), _DAMPING)
    unit = np.array([0.5 * cost.length_m] * 3 + [1.0] * 3)
    for _ in range(steps):
        H, g = normal * np.outer(unit, unit), gradient * unit
        largest = np.maximum(np.einsum("bii->bi", H).max(axis=1), 1e-12)
        damped = H + (damping * largest)[:, None, None] * np.eye(6)
        step = -np.linalg.solve(damped, g[..., None])[..., 0]
        size = np.maximum(np.linalg.norm(step[:, :3], axis=1), np.linalg.norm(step[:, 3:], axis=1))
        step *= np.minimum(1.0, _LONGEST / np.maximum(size, 1e-12))[:, None] * unit
        R2, t2 = so3.exp(step[:, 3:]) @ R, t + step[:, :3]
        value2, gradient2, normal2 = cost(R2, t2)
        better = value2 < value
        damping = np.where(better, np.maximum(damping * _DECREASE, 1e-7), damping * _INCREASE)
        R[better], t[better], value[better] = R2[better], t2[better], value2[better]
        gradient[better], normal[better] = gradient2[better], normal2[better]
    return PoseHypotheses(R, t, value)
