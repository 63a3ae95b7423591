"""Whether masks show a second robot of the kind, in step with the first: which of both is meant, nobody can tell.

Two arms that one script sends the same joint values stand alike in every picture, so all pictures agree on either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from diffdope.calibration.assess import share_of_outline
from diffdope.calibration.choose import is_apart
from diffdope.calibration.search import CalibrationSearch, Searcher
from diffdope.calibration.shots import ArmShot, Shot
from diffdope.geometry.pose import Pose
from diffdope.render.renderer import Renderer
from diffdope.scene.observation import Observation
from diffdope.scene.robot import Robot

_MUCH = 0.5  # of what is drawn of the first, that masks show beside it: grippers, cables and people are less
_SMALLER = 4  # times, of the picture in which areas are compared
_WIDER_PX = 4  # by which masks are too wide


def second_robot(
    robot: Robot, arms: Sequence[ArmShot], pose: Pose, search: CalibrationSearch, fitted: Callable[[Pose], Pose], *,
    length_m: float, least_share: float, threads: int | None = None,
) -> Pose | None:  # fmt: skip
    """Where another one stands; None where masks show no other that moves as the first does.

    Args:
        robot: in full detail.
        arms: the shots.
        pose: of the first one's base in the camera.
        search: its settings.
        fitted: refines a pose roughly.
        length_m: about the robot's size.
        least_share: of its outline that masks' borders meet: wrong poses have less.
        threads: None for the library setting.
    """
    masked = [arm for arm in arms if arm.shot.observation.mask_box is not None]
    if not masked or np.median([_times_as_large(arm, pose) for arm in masked]) < 1.0 + _MUCH:  # as a rule
        return None
    left = [_beside(arm, pose) for arm in masked]
    if np.median([share for _, share in left]) < _MUCH:
        return None
    shots = [
        Shot(Observation(arm.shot.observation.camera, mask=mask), arm.shot.joints, arm.name)
        for arm, (mask, _) in zip(masked, left, strict=True)
        if mask.any()
    ]
    found = Searcher(robot, shots, search, threads=threads).anywhere()
    if found is None or len(found.t) == 0:
        return None
    other = fitted(found.pose(0))
    meets = float(np.median([share_of_outline(arm, other) for arm in masked]))
    return other if meets >= least_share and is_apart(other, pose, length_m) else None


def _times_as_large(arm: ArmShot, pose: Pose) -> float:
    """How many times as large a mask is as the robot, drawn in a small picture."""
    camera = arm.shot.observation.camera
    small = camera.resize(max(1, camera.width // _SMALLER), max(1, camera.height // _SMALLER))
    drawn = float(Renderer(arm.posed.mesh, small).render(pose.R_m2c, pose.t_m2c).coverage[0].sum())
    mask = arm.shot.observation.mask
    assert mask is not None
    return float(mask.mean()) * small.width * small.height / max(drawn, 1.0)


def _beside(arm: ArmShot, pose: Pose) -> tuple[NDArray[np.bool_], float]:
    """What of a mask (H, W) the drawn robot leaves, and its area as a share of the drawn one's."""
    from scipy.ndimage import binary_dilation, binary_opening

    mask = arm.shot.observation.mask
    assert mask is not None
    drawn = Renderer(arm.posed.mesh, arm.shot.observation.camera).render(pose.R_m2c, pose.t_m2c).coverage[0] > 0.5
    left = (mask > 0.5) & ~binary_dilation(drawn, iterations=_WIDER_PX)
    left = binary_opening(left, iterations=_WIDER_PX // 2)
    return left, float(left.sum()) / max(float(drawn.sum()), 1.0)
