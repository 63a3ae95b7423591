"""Turns about an axis of which an object is nearly of revolution: cans, bottles, cups, shafts.

What tells the turn is a print, a handle or a keyway, and a descent finds it from some ten degrees only. So all turns
are tried on a small crop, and the best of them go on as alternatives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_count, expected
from diffdope.geometry.pose import Pose, between
from diffdope.geometry.symmetry import Symmetries
from diffdope.problem.level_problem import LevelProblem
from diffdope.problem.problem import Problem
from diffdope.problem.variables import Variables
from diffdope.render.buffers import Buffers
from diffdope.scene.revolution import Axis
from diffdope.search.alternatives.symmetric_alternatives import odds_with_costs
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.selection import SAME, SAME_RAD, non_maximum_suppression
from diffdope.solve.levenberg_marquardt import LevenbergSettings, minimise

F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

_UPSIDE_DOWN = -0.95  # cosine between an axis and where a symmetry takes it
_LOWER = 0.99  # of the cost of the pose as it was found: a turn that nobody would notice must be better
_DEARER = 1.2  # of the lowest cost: what costs more is not the best once it is refined
_WORTH_STEPS = 1.6  # of the lowest cost before any step: of what few steps made one of the best, the most was 1.37
_WORTH_A_LOOK = 2.0  # the same of a turn beside which others are looked at
_WORSE = 4.0  # log odds by which a turn that has made few steps may be worse than the best
_BESIDE = 3  # turns to both sides that are tried where the turn is not in doubt
EVEN = 0.003  # share by which costs of all turns differ where no turn is better than another


@dataclass(frozen=True)
@checked_fields()
class TurnSettings:
    """How the turn of an object is found that is nearly of revolution.

    Attributes:
        count: turns that are tried, evenly over a full one: what is painted on a can is some degrees wide. 0 leaves
            the search out.
        size: longest side of the crop, pixels.
        faces: triangles of the mesh.
        kept: of these turns, how many make steps.
        iterations: of each.
        all_around: whether turns all around are tried where the turn is in doubt; if not, only those beside the pose.
    """

    count: int = 72
    size: int = 80
    faces: int = 2000
    kept: int = 12
    iterations: int = 4
    all_around: bool = True

    @property
    def tried(self) -> bool:
        """Whether turns all around are tried where the turn is in doubt."""
        return self.count > 0 and self.all_around

    def __post_init__(self) -> None:
        """Refuses numbers that make no search."""
        for name, least in (("count", 0), ("size", 8), ("faces", 0), ("kept", 1), ("iterations", 1)):
            check_count(name, getattr(self, name), least=least, most=10**5)
        if 0 < self.count < 3:
            raise expected("count", "0, or at least 3 turns", self.count)


def upside_down(axis: Axis, symmetries: Symmetries) -> tuple[F64, F64] | None:
    """The motion (R, t) of approximate symmetries that turns the axis round; None if the shape tells its ends apart."""
    cosine = np.einsum("i,kij,j->k", axis.direction, symmetries.R, axis.direction)
    k = int(np.argmin(cosine))
    return (symmetries.R[k], symmetries.t_m[k]) if cosine[k] < _UPSIDE_DOWN else None


def about_other_axes(axis: Axis, symmetries: Symmetries) -> Symmetries:
    """Approximate symmetries without those that map the axis onto itself, which turns about it stand for."""
    cosine = np.einsum("i,kij,j->k", axis.direction, symmetries.R, axis.direction)
    kept = np.abs(cosine) < -_UPSIDE_DOWN
    kept[0] = True  # the identity
    return Symmetries(symmetries.R[kept], symmetries.t_m[kept])


def without_rotations(axis: Axis, symmetries: Symmetries) -> Symmetries:
    """Approximate symmetries without the turns about the axis, for a start that has told the turn; it need not tell
    which end is up.
    """
    cosine = np.einsum("i,kij,j->k", axis.direction, symmetries.R, axis.direction)
    kept = cosine < -_UPSIDE_DOWN
    kept[0] = True  # the identity
    return Symmetries(symmetries.R[kept], symmetries.t_m[kept])


def turned_alternatives(
    pose: Pose, axis: Axis, level: LevelProblem, meshes: MeshLevels, settings: TurnSettings, steps: LevenbergSettings,
    *, reversal: tuple[F64, F64] | None = None, within: tuple[Pose, float] | None = None,
) -> list[Pose]:  # fmt: skip
    """Turned poses that may explain the images better than this one, once they are refined; the best come first.

    Args:
        pose: as it was found.
        axis: of revolution, in the model's frame.
        level: a small crop, prepared at the pose.
        meshes: the object, which says which turns nobody would notice; those must explain the images better.
        settings: of the search.
        steps: of the steps that the best turns make.
        reversal: the motion that turns the axis round, if the shape does not tell its ends apart.
        within: a pose, and how far [rad] a turn may be from it; None for all around.
    """
    length_m, buffers = meshes.length_m, meshes.buffers(settings.faces)
    problem = level.problem(Variables.one_object(0.5 * length_m))
    angles = 2.0 * np.pi * np.arange(settings.count) / settings.count
    motions = [axis.turns(angles)]
    if reversal is not None:
        R, t = motions[0]
        motions.append((R @ reversal[0], R @ reversal[1] + t))
    turns = [(pose.R_m2c @ R, pose.t_m2c + t @ pose.R_m2c.T) for R, t in motions]
    reached = [_reached(R, within) for R, _ in turns]
    costs = _costs_of(problem, turns, reached)
    lowest = min(float(cost.min()) for cost in costs)
    starts: list[tuple[float, F64, F64]] = []
    for which, ((R, t), cost, there) in enumerate(zip(turns, costs, reached, strict=True)):
        some = cost[::2][np.isfinite(cost[::2])]
        if len(some) == 0 or np.ptp(some) < EVEN * float(some.min()):
            continue
        best = (cost <= np.roll(cost, 1)) & (cost <= np.roll(cost, -1)) & (cost <= _WORTH_STEPS * lowest)
        best &= np.roll(there, 1) & np.roll(there, -1)
        best[0] &= which > 0
        starts += [(float(cost[k]), R[k], t[k]) for k in np.flatnonzero(best)]
    starts = sorted(starts, key=lambda one: one[0])[: settings.kept]
    if not starts:
        return []
    R, t = np.stack([pose.R_m2c, *(one[1] for one in starts)]), np.stack([pose.t_m2c, *(one[2] for one in starts)])
    solution = minimise(problem, R[:, None], t[:, None], iterations=settings.iterations, settings=steps)
    R, t, cost = solution.R[:, 0], solution.t[:, 0], solution.cost
    distinct = non_maximum_suppression(R, t, cost, len(cost), angle_rad=SAME_RAD, distance_m=SAME * length_m)
    found, turned = Pose(R[0], t[0]), []
    for k in distinct:
        other = Pose(R[k], t[k])
        if k == 0 or cost[k] > _DEARER * cost.min() or _same(other, found, length_m):
            continue
        if cost[k] > _LOWER * cost[0] and meshes.alikeness.unnoticed(*between(found, other)):
            continue
        turned.append(other)
    return _ranked(turned, found, level, buffers, length_m)


def turned_beside(
    pose: Pose, axis: Axis, level: LevelProblem, settings: TurnSettings, length_m: float, lower: float = _LOWER,
    start: Pose | None = None,
) -> Pose | None:  # fmt: skip
    """The pose turned by some degrees, if the images are explained better so; None if it stands best.

    The borders of a print are few pixels wide, and what fits beside them curves the cost: a descent comes to rest some
    degrees beside the turn that they tell, though the cost falls all the way there. Bars of a cage or ribs fit one
    place on as well but for a handle, and there the cost does not fall: so turns back to the start are tried, too.

    Args:
        pose: as it was found.
        axis: of revolution, in the model's frame.
        level: a crop, prepared near the pose.
        settings: how far apart turns are that are tried.
        length_m: the object's diameter.
        lower: share of the pose's cost below which a turn explains the images better.
        start: from which it was found; turns as far as it, and as many beyond as beside the pose, are tried, too.
    """
    problem = level.problem(Variables.one_object(0.5 * length_m))
    step = 2.0 * np.pi / settings.count
    back = 0 if start is None else round(_turn_to(start, pose, axis) / step)
    first, last = min(back, 0) - _BESIDE, max(back, 0) + _BESIDE
    around = np.asarray(step * np.arange(first, last + 1), np.float64)
    cost = _turned_costs(problem, pose, axis, around)
    if np.ptp(cost) < EVEN * cost.min() or cost.min() > lower * cost[-first]:
        return None
    best = around[int(np.argmin(cost))]
    finer = np.asarray(best + step * np.array([-0.5, -0.25, 0.0, 0.25, 0.5]), np.float64)
    R, t = axis.turns(finer[[int(np.argmin(_turned_costs(problem, pose, axis, finer)))]])
    return Pose(pose.R_m2c @ R[0], pose.t_m2c + pose.R_m2c @ t[0])


def _turn_to(other: Pose, pose: Pose, axis: Axis) -> float:
    """The angle about an axis by which a pose has to be turned to be as near to another as such turns bring it, rad."""
    R = pose.R_m2c.T @ other.R_m2c
    turned = np.array([R[2, 1] - R[1, 2], R[0, 2] - R[2, 0], R[1, 0] - R[0, 1]])
    return float(2.0 * np.arctan2(turned @ axis.direction, 1.0 + np.trace(R)))


def _turned_costs(problem: Problem, pose: Pose, axis: Axis, angles: F64) -> F64:
    R, t = axis.turns(angles)
    return problem.evaluate(pose.R_m2c @ R, pose.t_m2c + t @ pose.R_m2c.T, with_normal=False).cost


def _reached(R: F64, within: tuple[Pose, float] | None) -> Bool:
    """Which rotations (C, 3, 3) are as near to a pose as they may be."""
    if within is None:
        return np.ones(len(R), np.bool_)
    start, most = within
    return np.asarray(np.einsum("cij,ij->c", R, start.R_m2c) >= 1.0 + 2.0 * np.cos(min(most, np.pi)))


def _costs_of(problem: Problem, turns: Sequence[tuple[F64, F64]], reached: Sequence[Bool]) -> list[F64]:
    """Costs (C,) of turned poses (C, 3, 3) and (C, 3), in order of their angles.

    Of those that may be reached (C,), every second is drawn, and those beside what costs little; all others are
    infinite, for they would cost much, too.
    """
    costs = [np.full(len(t), np.inf) for _, t in turns]
    for (R, t), cost, there in zip(turns, costs, reached, strict=True):
        first = 2 * np.flatnonzero(there[::2])
        if len(first):
            cost[first] = problem.evaluate(R[first], t[first], with_normal=False).cost
    most = _WORTH_A_LOOK * min(float(cost.min()) for cost in costs)
    for (R, t), cost, there in zip(turns, costs, reached, strict=True):
        low = cost < most
        beside = there & np.isinf(cost) & (np.roll(low, 1) | np.roll(low, -1))
        if beside.any():
            cost[beside] = problem.evaluate(R[beside], t[beside], with_normal=False).cost
    return costs


def _ranked(poses: list[Pose], found: Pose, level: LevelProblem, buffers: Buffers, length_m: float) -> list[Pose]:
    """By what speaks for each in the light that suits it, without those for which far less speaks than for the best.

    They come in the order of their costs, which are in the light of the pose that was found.
    """
    if not poses or "rgb" not in level.modalities:
        return poses
    score = odds_with_costs([found, *poses], level, buffers, length_m)
    order = np.argsort(-score[1:], kind="stable")
    return [poses[k] for k in order if score[1 + k] > score.max() - _WORSE]


def _same(one: Pose, other: Pose, length_m: float) -> bool:
    return one.angle_to(other) < SAME_RAD and one.distance_to(other) < SAME * length_m
