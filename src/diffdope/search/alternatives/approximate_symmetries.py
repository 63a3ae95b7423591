"""The other ways round in which an object may be seen: turns that change little of its shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose, between
from diffdope.geometry.symmetry import Symmetries
from diffdope.problem.failure import Failure
from diffdope.search.alternatives.axis_rotations import (
    about_other_axes,
    turned_alternatives,
    turned_beside,
    upside_down,
    without_rotations,
)
from diffdope.search.alternatives.symmetric_alternatives import FIRST, odds_with_costs, symmetric_alternatives
from diffdope.search.candidates import Candidates, Hypotheses
from diffdope.search.descent import Descent
from diffdope.search.levels import Level, PyramidSettings
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.selection import SAME, SAME_RAD, non_maximum_suppression
from diffdope.search.settings import SearchSettings

F64 = NDArray[np.float64]

_WORSE = 4.0  # log odds by which a turn that has made no steps may be worse than the best


class AnglePrior(NamedTuple):
    """Where poses may lie that are turned by some teeth, holes or spokes: so far [rad] from a start."""

    start: Pose
    most_rad: float

    def log_prior(self, poses: Sequence[Pose]) -> F64:
        """Log odds (B,) of poses by how far they are turned from the start, of which differences count.

        What lies farther off is another way round, for which no more has to speak than without teeth.
        """
        squares = [(one.angle_to(self.start) / self.most_rad) ** 2 for one in poses]
        return np.asarray(np.maximum(-0.5 * np.asarray(squares), -FIRST))


def angle_prior(found: Candidates, start: Pose | None, settings: SearchSettings, *, told: bool) -> AnglePrior | None:
    """Within what the near search takes for possible, if a result fits and lies there; else the far one.

    None for anywhere, without a start.

    Args:
        found: the result.
        start: of its search; None where there was none.
        settings: of the search.
        told: whether it fits, and lies where it was expected.
    """
    if start is None:
        return None
    near_rad, far_rad = (float(np.radians(one.angle_deg)) for one in (settings.near, settings.far))
    return AnglePrior(start, near_rad if told and found.pose.angle_to(start) <= near_rad else far_rad)


def turned_by_folds(known: Sequence[Pose], meshes: MeshLevels) -> list[Pose]:
    """Poses turned so that most of the object is where it was, those alone that are not known already."""
    folds = meshes.folds
    if len(folds) < 2:
        return []
    R, t = [one.R_m2c for one in known], [one.t_m2c for one in known]
    for one in known:
        R += list(one.R_m2c @ folds.R[1:])
        t += list(one.t_m2c + folds.t_m[1:] @ one.R_m2c.T)
    order = np.arange(len(t), dtype=np.float64)  # what is known stands for what is not
    kept = non_maximum_suppression(
        np.stack(R), np.stack(t), order, len(t), angle_rad=SAME_RAD, distance_m=SAME * meshes.length_m
    )
    return [Pose(R[k], t[k]) for k in kept if k >= len(known)]


def turned_by_lookalikes(known: Sequence[Pose], meshes: MeshLevels) -> list[Pose]:
    """The first pose turned so that its shape is nearly the same, if that is not known, and one would notice it.

    Turns about an axis of revolution are not among them: they are compared on their own.

    Args:
        known: poses.
        meshes: the object, about its own middle.
    """
    ways = meshes.approximate_symmetries
    if len(ways) > 1 and meshes.axis is not None:
        ways = about_other_axes(meshes.axis, ways)
    first, same_m = known[0], SAME * meshes.length_m
    turned = [first @ Pose(R, t) for R, t in zip(ways.R, ways.t_m, strict=True)]
    return [
        one
        for one in turned[1:]
        if not any(one.angle_to(a) < SAME_RAD and np.linalg.norm(one.t_m2c - a.t_m2c) < same_m for a in known)
        and not meshes.alikeness.unnoticed(*between(first, one))
    ]


def left_of_folds(
    choice: Sequence[Candidates], meshes: MeshLevels, within: AnglePrior | None = None, *, tried: Sequence[Pose] = (),
    lookalikes: bool = True,
) -> list[Pose]:  # fmt: skip
    """Of turns of these poses that nobody has looked at, those that may be right; the best come first.

    A search comes to some of them by chance, and what tells them apart is small. Without a start, so is what tells the
    first from others of nearly the same shape, where it is hidden or beyond the picture's border.

    Args:
        choice: all that was found, the surest first.
        meshes: the object, about its own middle.
        within: of what start, if one was given; turns that nobody would notice are left out then.
        tried: poses that are refined anyway.
        lookalikes: whether others of nearly the same shape are asked for.
    """
    found = choice[0]
    if within is not None and 2.0 * np.pi / len(meshes.folds) > within.most_rad + found.pose.angle_to(within.start):
        return []
    known = [one.pose for one in choice]
    others = turned_by_folds(known, meshes)
    if within is None:
        others += turned_by_lookalikes([*known, *others, *tried], meshes) if lookalikes else []
    else:
        others = [one for one in others if one.angle_to(within.start) <= within.most_rad]
        others = [one for one in others if not meshes.alikeness.unnoticed(*between(found.pose, one))]
    if not others:
        return []
    odds = odds_with_costs([found.pose, *others], found.level, meshes.buffers(), meshes.length_m)
    return [others[k] for k in np.argsort(-odds[1:], kind="stable") if odds[1 + k] > odds[0] - _WORSE]


def other_ways(
    found: Candidates, descent: Descent, start: Pose | None, faces: int, *, told: bool
) -> tuple[list[Pose], bool]:  # fmt: skip
    """The pose turned otherwise, the best first, and whether one of these is a turn about an axis.

    Args:
        found: the pose.
        descent: prepares levels.
        start: around which was searched; None where there was none.
        faces: triangles of the mesh that is drawn.
        told: whether the start has told the turn about an axis of revolution.
    """
    meshes, settings = descent.inputs.meshes, descent.inputs.settings
    ways = meshes.approximate_symmetries if settings.symmetric_alternatives else Symmetries.none()
    axis = meshes.axis if settings.turns.tried and not told else None
    turned: list[Pose] = []
    if axis is not None:
        turns, given = settings.turns, {"rgb"} & set(found.level.modalities)
        level = descent.levels.before_last(found.pose, Level(turns.size, faces=turns.faces))
        free = start is None or (bool(given) and meshes.mesh.has_pattern)
        # A start is better evidence than a shape that is nearly round.
        within = None if start is None or free else (start, float(np.radians(settings.far.angle_deg)))
        if not isinstance(level, Failure):
            turned = turned_alternatives(
                found.pose, axis, level, meshes, turns, descent.steps,
                reversal=upside_down(axis, ways) if free else None, within=within,
            )  # fmt: skip
        ways = about_other_axes(axis, ways)
    elif told and len(ways) > 1 and meshes.axis is not None:
        ways = without_rotations(meshes.axis, ways)
    same_shape = symmetric_alternatives(found.pose, ways, found.rough, meshes.buffers(faces), meshes.length_m)
    return [*turned, *same_shape], bool(turned)


def ahead_by(start: Pose | None, poses: Sequence[Pose]) -> F64:
    """Log odds (B,) that poses have ahead for a start: the first, found from it, and those that are as near to it.

    Args:
        start: as it was given; None for the first alone, where a print tells turns apart.
        poses: turned about an axis, the first as it was found.
    """
    if start is None:
        return np.where(np.arange(len(poses)) == 0, FIRST, 0.0)
    away_rad = np.array([one.angle_to(start) for one in poses])
    return np.where(away_rad <= away_rad[0], FIRST, 0.0)


def ahead_of(start: Pose, poses: Sequence[Pose], found: Candidates, meshes: MeshLevels) -> F64:
    """The same, for a result of these images and this object, the first of the poses."""
    printed = "rgb" in found.level.modalities and meshes.mesh.has_pattern
    return ahead_by(None if printed else start, poses)


def with_turn_beside(
    found: Candidates, descent: Descent, again: PyramidSettings, column: int
) -> Candidates:  # fmt: skip
    """What was found, or what is found a little turned about an axis of revolution, if more speaks for it.

    Args:
        found: the result.
        descent: as it was found.
        again: levels of one pose.
        column: of the history.
    """
    meshes, turns = descent.inputs.meshes, descent.inputs.settings.turns
    axis = meshes.axis
    if axis is None or not turns.count:
        return found
    beside = turned_beside(found.pose, axis, found.rough, turns, meshes.length_m, start=found.start)
    if beside is None:
        return found
    other = descent.run(again, Hypotheses.of(beside, column), found.start)
    if isinstance(other, Failure):
        return found
    levels = found.level, other.level
    odds = odds_with_costs([found.pose, other.pose], found.level, meshes.buffers(), meshes.length_m, levels=levels)
    return found.doubt_of(other.agreeing(found.quality.agreement)) if odds[1] > odds[0] else found
