"""How far an object that is nearly of revolution may be turned without anything showing.

What tells the turn of a mug is its handle, and of a shaft its keyway. Where they are hidden, all turns that keep them
hidden look the same. The curvature of a cost does not know how many these are: a handle that is only just hidden shows
at once to one side, and to the other nothing changes for as long as it stays behind the mug.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.problem.level_problem import LevelProblem
from diffdope.problem.variables import Variables
from diffdope.scene.revolution import Axis
from diffdope.search.mesh_levels import MeshLevels

F64 = NDArray[np.float64]

# Each twice the one before, up to where half of what one side shows is another.
TURNS_RAD = np.radians([4.0, 8.0, 16.0, 32.0, 64.0])
_GYRATION = 0.3  # of the diameter: about the mean distance of a surface from its middle
_SAME = 0.05  # share of a modality's own cost by which it may rise: facets explain as much by chance
_BY_CHANCE = np.array([0.01, 0.01, 0.06, 0.01, 0.01])
"""The same of all costs, by modality. A border is drawn in few pixels: behind a cup its cost rose by 0.05 of all where
nothing was to be seen, that of depth by 0.01; of a handle that is seen, by 0.08 and 0.23 after 4 degrees."""


def open_turn(level: LevelProblem, pose: Pose, meshes: MeshLevels, most_rad: float) -> F64:
    """(6,) deviation (rho [m], phi [rad]) of a turn that does not show, about the axis of which most of the object is.

    All turns from one side to the other that cost the same are as likely: their root mean square. Nothing where there
    is no such axis, and where a print is compared, which tells the turn.

    Args:
        level: a coarse one, prepared near the pose.
        pose: object to camera.
        meshes: the object, about its own middle.
        most_rad: what the turn is known to otherwise, a deviation; 0 where it is not asked.
    """
    axis = meshes.axis if most_rad > 0.0 else None
    if axis is None or (level.colored and meshes.mesh.has_pattern):
        return np.zeros(6)
    before, after = _sides(level, pose, axis, meshes.length_m)
    if before + after == 0.0:
        return np.zeros(6)
    turn_rad = min(deviation_of(before, after), most_rad)
    direction, point_m = pose.R_m2c @ axis.direction, pose.R_m2c @ axis.point_m
    return np.asarray(turn_rad * np.concatenate([np.cross(point_m, direction), direction]))


def left_of(step: F64, turn: F64, pose: Pose, meshes: MeshLevels) -> float:
    """By how much a step (6,) and a turn (6,) would move the surface, as a share of the diameter."""
    turned_m = _GYRATION * meshes.length_m * step[3:6]
    return float(np.linalg.norm([*step[:3], *turned_m, moved_by(turn, pose, meshes)])) / meshes.length_m


def deviation_of(before: float, after: float) -> float:
    """Root mean square [rad] of turns that are as likely from so far on one side to so far on the other."""
    both = before + after
    return float(np.sqrt((before**3 + after**3) / (3.0 * both))) if both > 0.0 else 0.0


def moved_by(motion: F64, pose: Pose, meshes: MeshLevels) -> float:
    """Root mean square displacement [m] of the surface by a motion (6,), modulo turns about an axis of revolution."""
    own = np.kron(np.eye(2), pose.R_m2c.T) @ motion
    squared_m2 = float(own @ meshes.displacement_form @ own)
    return float(np.sqrt(max(squared_m2, 0.0)))


def _sides(level: LevelProblem, pose: Pose, axis: Axis, length_m: float) -> tuple[float, float]:
    """The last turns [rad] to both sides up to which all cost the same; 0 for none."""
    around = np.concatenate([-TURNS_RAD[::-1], [0.0], TURNS_RAD])
    R, t = axis.turns(around)
    problem = level.problem(Variables.one_object(0.5 * length_m))
    each = problem.evaluate(pose.R_m2c @ R, pose.t_m2c + t @ pose.R_m2c.T, with_normal=False).each
    middle = len(TURNS_RAD)
    allowed = np.maximum(_SAME * each[middle], _BY_CHANCE * np.sum(each[middle]))
    same = np.all(each - each[middle] <= allowed, axis=1)
    return last_of(same[middle - 1 :: -1]), last_of(same[middle + 1 :])


def last_of(same: NDArray[np.bool_]) -> float:
    """The last turn [rad] of `TURNS_RAD` up to which all are the same; 0 for none."""
    count = len(same) if same.all() else int(np.argmin(same))
    return float(TURNS_RAD[count - 1]) if count else 0.0
