"""How far off objects of a scene are: in the frames of their files, and for cameras that are not calibrated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.focal_error import focal_covariance
from diffdope.joint.chain import as_tangent_of_pose
from diffdope.joint.together import Together
from diffdope.pipelines.refiner import Refiner
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


def in_files_frames(solved: Together, refiners: Sequence[Refiner], kept: Sequence[int]) -> tuple[F64, list[F64]]:
    """Covariance of all unknowns as poses of files have them, and the motions (6, 6) of the objects that do it.

    Args:
        solved: what was found.
        refiners: of each object of the scene.
        kept: numbers in the scene of the objects that took part.
    """
    motion = np.eye(solved.unknowns.size)
    each = []
    for n, obj in enumerate(kept):
        part, frame = solved.unknowns.of_object(n), refiners[obj].frame
        motion[part, part] = frame.motion(solved.state.objects[n])
        each.append(motion[part, part])
    for view in solved.unknowns.free:
        part = solved.unknowns.of_camera(view)
        motion[part, part] = as_tangent_of_pose(solved.state.cameras[view])
    return motion @ solved.covariance.matrix @ motion.T, each
