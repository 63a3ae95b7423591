"""A pose that was found without a mask, turned to where it explains more of what depth shows.

Without a mask, a pose is compared on the pixels that it draws. What stands out of an object, as a handle, a spout or a
tab, costs nothing where it is turned behind what was measured, and where it was measured nothing is drawn: a descent
comes to rest beside the turn that depth shows. So turns are compared by what each of them explains of all that was
measured around, whichever draws it (`proposals/box_proposals.py`).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Failure
from diffdope.search.alternatives.symmetric_alternatives import FIRST
from diffdope.search.candidates import Candidates, Hypotheses
from diffdope.search.descent import Descent
from diffdope.search.levels import PyramidSettings
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.around_start import within_reach
from diffdope.search.proposals.box_proposals import box_score

F64 = NDArray[np.float64]
Bool = NDArray[np.bool_]

_HARDLY, _FITS = 0.4, 0.95
"""Shares of what is drawn that depth confirms. With less than the first, a pose is off by more than a turn: of 51 that
turns explained better, none was right after them. With more than the other, hardly anything is turned away."""
_FARTHER = 1.5  # of the angle that the wider search reaches: half a turn explains as much where little is seen
_STEP_DEG = 10.0  # between turns, from which what stands out by half of the diameter is 4 % of it away at most
_REACH = 0.25  # of the diameter, around the box of a pose: where turns may bring what stands out
_PX, _FACES = 100, 2000  # of the crop, and triangles
_BETTER = 0.05  # share by which a turn must explain more: of right results, turns explain less as a rule
_TRIED = 2  # turns that make steps


def turned_to_explain(
    found: Candidates, descent: Descent, again: PyramidSettings
) -> Candidates:  # fmt: skip
    """The same, or what is found from a turn of it that explains more.

    Asked only where depth is given and no mask, and depth does not confirm all that is drawn.

    Args:
        found: from a start.
        descent: as it was found.
        again: levels of one pose.
    """
    inputs, quality, pose = descent.inputs, found.quality, found.pose
    meshes, observation, settings = inputs.meshes, inputs.observation, inputs.settings.box
    if "mask" in observation.modalities or quality.depth_inliers is None or quality.matched is not None:
        return found  # a mask, and keypoints, tell turns apart
    turns = []
    if _HARDLY < quality.depth_inliers * quality.visible < _FITS:
        turns = _turns(pose, meshes, found.start, _FARTHER * np.radians(inputs.settings.far.angle_deg))
    if not turns:
        return found
    box = within_reach(meshes, observation, pose, _REACH * meshes.length_m)
    # The borders of what is around are not the object's.
    score = box_score(
        meshes, observation, box, replace(settings, outside=0.0, edge=0.0), size=_PX, faces=_FACES,
        depth_range=settings.depth_range_fine,
    )  # fmt: skip
    kept, most = found, float(score(pose.R_m2c[None], pose.t_m2c[None])[0])
    best = []  # about each axis
    for R, t, near in turns:
        explained = score(R, t)
        k = int(np.argmax(np.where(near, explained, -np.inf)))
        # Half way to a turn that is out of reach, what stands out is hidden, and explains more than where it is drawn.
        if _more(float(explained[k]), most) and not _more(float(explained.max()), float(explained[k])):
            best.append((float(explained[k]), Pose(R[k], t[k])))
    for _, start in sorted(best, key=lambda one: -one[0])[:_TRIED]:
        ended = descent.run(again, Hypotheses.of(start, found.winner), start)
        if isinstance(ended, Failure):
            continue
        other = replace(ended.agreeing(quality.agreement), start=found.start)
        own = float(score(other.pose.R_m2c[None], other.pose.t_m2c[None])[0])
        if _more(own, most) and not found.surer_than(other, FIRST):
            kept, most = other, own
    return kept


def _more(one: float, other: float) -> bool:
    """Whether a pose explains clearly more than another: pixels, less what others pay."""
    return one > other + max(_BETTER * abs(other), 1.0)


def _turns(pose: Pose, meshes: MeshLevels, start: Pose, most_rad: float) -> list[tuple[F64, F64, Bool]]:
    """Turns of a pose about each axis of a part of the object, (K, 3, 3) and (K, 3), and which are so near to a start.

    Axes about which none is are left out.
    """
    angles, turns = np.radians(np.arange(_STEP_DEG, 360.0, _STEP_DEG)), []
    for axis in meshes.axes_of_parts:
        R, t = axis.turns(angles)
        R, t = pose.R_m2c @ R, pose.t_m2c + t @ pose.R_m2c.T
        near = np.einsum("kij,ij->k", R, start.R_m2c) >= 1.0 + 2.0 * np.cos(min(most_rad, np.pi))
        if near.any():
            turns.append((R, t, near))
    return turns
