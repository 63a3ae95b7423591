"""The turn of an object of revolution that its print alone tells: a can, a jar, a drum.

A small label moves few pixels when the object turns, and the borders of a print curve the cost so much that steps end
some degrees beside the turn at which it is least. And where the print should be seen and the photograph does not bear
it out, as under a light that drowns it or of another edition, no turn is known, however well the shape fits.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.robust_gauss_newton import RobustEstimate
from diffdope.geometry.pose import Pose
from diffdope.problem.level_problem import LevelProblem
from diffdope.problem.variables import Variables
from diffdope.render.renderer import Renderer
from diffdope.scene.revolution import Axis
from diffdope.search.alternatives.axis_rotations import EVEN, TurnSettings, turned_beside
from diffdope.search.checks.open_turn import TURNS_RAD, deviation_of, last_of, moved_by
from diffdope.search.mesh_levels import MeshLevels
from diffdope.terms.layout import RGB

F64 = NDArray[np.float64]

_ROUNDS = 3  # each turns it by 15 degrees and a bit at most
_ALIKE = 0.1  # of how far a turn moves the surface: less is left of it where the shape tells no turn
_BORNE_OUT = 0.05  # of what a turn changes of the colours: costs of a print that is there rise by a tenth and more
_SEEN = 0.05  # share of the colours' own cost: what changes less of them is not seen
_WHOLE = 0.5  # coverage
_MOSTLY = 0.5  # share of a direction that is not observed


def told_by_print(
    estimate: RobustEstimate, level: LevelProblem, meshes: MeshLevels, settings: TurnSettings
) -> tuple[RobustEstimate, float | None]:  # fmt: skip
    """The estimate at the turn that the print tells, and `print_open` there; None where no print alone tells a turn, or
    residuals do.

    Args:
        estimate: after the last steps.
        level: the last, prepared near the pose.
        meshes: the object, about its own middle.
        settings: how far apart turns are that are tried; none, and the estimate stays.
    """
    axis = printed_axis(meshes) if settings.count and level.colored else None
    if axis is None:
        return estimate, None
    pose = at_its_turn(estimate.pose, axis, level, settings, meshes.length_m)
    if pose is not estimate.pose:
        estimate = replace(estimate, pose=pose, moved=True)
    # Where residuals tell the turn, costs of a photograph that is registered badly say nothing against it.
    hidden = estimate.unobserved
    if hidden is None or not np.any(np.abs(hidden[:, 3:] @ pose.R_m2c @ axis.direction) > _MOSTLY):
        return estimate, None
    return estimate, print_open(pose, axis, level, meshes)


def printed_axis(meshes: MeshLevels) -> Axis | None:
    """The axis about which the print of an object alone tells the turn; None where there is none.

    Args:
        meshes: the object, about its own middle.
    """
    axis, own = meshes.axis if meshes.mesh.has_pattern else None, Pose.identity()
    if axis is None:
        return None
    once = np.concatenate([np.cross(axis.point_m, axis.direction), axis.direction])
    return axis if moved_by(once, own, meshes) < _ALIKE * meshes.axis_arm_m else None


def at_its_turn(pose: Pose, axis: Axis, level: LevelProblem, settings: TurnSettings, length_m: float) -> Pose:
    """The pose, or the same turned to where the cost is least, if that is near.

    Args:
        pose: of the result.
        axis: `printed_axis`.
        level: the last, prepared near the pose.
        settings: how far apart turns are that are tried.
        length_m: the object's diameter.
    """
    for _ in range(_ROUNDS):
        turned = turned_beside(pose, axis, level, settings, length_m, 1.0 - EVEN)
        if turned is None:
            break
        pose = turned
    return pose


def print_open(pose: Pose, axis: Axis, level: LevelProblem, meshes: MeshLevels) -> float:
    """By how much the surface may be turned although the print should tell: a deviation, as a share of the diameter.

    0 where the photograph tells the turn, and where nobody would see it: a plain side looks the same however it turns.

    Args:
        pose: of the result.
        axis: `printed_axis`.
        level: the last, prepared near the pose.
        meshes: the object, about its own middle.
    """
    around = np.concatenate([-TURNS_RAD[::-1], [0.0], TURNS_RAD])
    R, t = axis.turns(around)
    R, t = pose.R_m2c @ R, pose.t_m2c + t @ pose.R_m2c.T
    costs = level.problem(Variables.one_object(0.5 * meshes.length_m)).evaluate(R, t, with_normal=False).each[:, RGB]
    middle = len(TURNS_RAD)
    rise = costs - costs[middle]
    if min(rise[middle - 1], rise[middle + 1]) > _SEEN * costs[middle]:
        return 0.0
    changed = _changed(R, t, level, meshes)
    same = rise <= _BORNE_OUT * changed
    before, after = last_of(same[middle - 1 :: -1]), last_of(same[middle + 1 :])
    ends = np.isin(around, [-before, after]) & (around != 0.0)
    if not np.any(changed[ends] > _SEEN * costs[middle]):
        return 0.0
    return deviation_of(before, after) * meshes.axis_arm_m / meshes.length_m


def turned_share(covariance: F64, pose: Pose, meshes: MeshLevels) -> float:
    """The deviation of the turn that a print alone tells, as `print_open` has it; 0 where there is no such turn.

    Args:
        covariance: (6, 6) of the pose, (rho [m], phi [rad]).
        pose: object to camera.
        meshes: the object, about its own middle.
    """
    axis = printed_axis(meshes)
    if axis is None:
        return 0.0
    direction = pose.R_m2c @ axis.direction
    turn_rad = float(np.sqrt(max(float(direction @ covariance[3:, 3:] @ direction), 0.0)))
    return turn_rad * meshes.axis_arm_m / meshes.length_m


def _changed(R: F64, t: F64, level: LevelProblem, meshes: MeshLevels) -> F64:
    """Mean change (B,) of what is drawn in colours from the middle of some poses to each, where both are drawn."""
    buffers, middle = meshes.buffers(), len(t) // 2
    images = Renderer(buffers.mesh, level.crop.camera, buffers=buffers).render(R, t)
    assert images.rgb is not None  # colours are compared
    drawn = images.coverage > _WHOLE
    both = drawn & drawn[middle]
    change = np.abs(images.rgb - images.rgb[middle]).mean(axis=-1)
    return np.asarray((change * both).sum(axis=(1, 2)) / max(np.count_nonzero(drawn[middle]), 1), np.float64)
