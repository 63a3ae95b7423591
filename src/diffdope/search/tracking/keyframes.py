"""What a film has shown of an object so far: keyframes from several sides."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.crop import choose_crop
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Status
from diffdope.problem.region import projected_box
from diffdope.render.renderer import draw
from diffdope.scene.observation import Observation
from diffdope.search.mesh_levels import MeshLevels
from diffdope.terms.contour import smoothed
from diffdope.terms.keyframe import Keyframe

F64 = NDArray[np.float64]

_SIZE = 80  # pixels of a keyframe's longer side: the crop in which a frame is followed
_TURN_RAD = math.radians(20.0)  # from the nearest keyframe, for another one: each takes over the errors of its pose
_CLOSER = 1.4  # ratio of distances for another one
_MOST = 64  # all around an object


class Keyframes:
    """Learns how an object looks, where its mesh does not know: no colours, or a single one.

    Args:
        meshes: the object, about its own middle.
    """

    def __init__(self, meshes: MeshLevels) -> None:
        self._meshes = meshes
        self.clear()

    def clear(self) -> None:
        """Forgets all."""
        self._frames: list[Keyframe] = []
        self._turns: F64 = np.zeros((0, 9))

    def nearest(self, pose: Pose) -> Keyframe | None:
        """That in which the object was turned least from this pose."""
        if not self._frames:
            return None
        # The trace of the turn from one to the other: it falls with the angle.
        return self._frames[int(np.argmax(self._turns @ pose.R_m2c.ravel()))]

    def take(self, observation: Observation, pose: Pose) -> None:
        """Learns from a frame whose pose can be trusted, if it shows the object from another side than before."""
        if self._meshes.mesh.has_pattern or "rgb" not in observation.modalities or len(self._frames) >= _MOST:
            return
        known = self.nearest(pose)
        if known is not None and known.pose.angle_to(pose) < _TURN_RAD:
            ratio = known.pose.t_m2c[2] / pose.t_m2c[2]
            if 1.0 / _CLOSER < ratio < _CLOSER:
                return
        box = projected_box(self._meshes.corners_m, pose, observation.camera)
        if isinstance(box, Status):
            return
        crop = observation.crop(choose_crop([box], observation.camera, margin=0.05, max_size=_SIZE))
        buffers = self._meshes.buffers()
        images = draw(buffers, crop.camera, pose)
        assert crop.rgb is not None
        drawn = images.coverage[0], images.depth[0]
        frame = Keyframe.of(smoothed(crop.rgb), *drawn, crop, pose, self._meshes.length_m)
        if frame is not None:
            self._frames.append(frame)
            self._turns = np.concatenate([self._turns, pose.R_m2c.reshape(1, 9)])
