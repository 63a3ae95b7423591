"""Cameras of a scene that are not calibrated: how far off objects are for that."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.focal_error import focal_covariance
from diffdope.joint.together import Together
from diffdope.scene.scene import Scene

F64 = NDArray[np.float64]


def of_cameras(scene: Scene, solved: Together, n: int) -> F64 | None:
    """Covariance (6, 6) in the world's axes of an object's pose, about its middle, for focal lengths that are not known
    exactly: that of the view which knows it best. None where one of the views that see it is calibrated.

    Args:
        scene: what was given.
        solved: what was found.
        n: number of the object among those that took part.
    """
    every = []
    for view, number in solved.members:
        camera = scene.views[view].observation.camera
        if number != n or view in solved.left_out:
            continue
        if camera.focal_deviation == 0.0:
            return None
        measured = "depth" in scene.views[view].observation.modalities
        in_camera = focal_covariance(solved.state.in_camera(view, n), camera.focal_deviation, measured=measured)
        turn = np.kron(np.eye(2), solved.state.cameras[view].R_m2c.T)
        every.append(turn @ in_camera @ turn.T)
    return min(every, key=lambda one: float(np.trace(one[:3, :3])), default=None)
