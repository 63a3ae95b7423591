"""An object's own frame: its origin in the middle of the object, whatever the mesh file's is.

Searches, priors, steps and motions turn an object about its origin. A file's origin may be a metre away (a CAD
assembly, a robot's base), and a turn about it would throw the object out of the picture. So pipelines work in the own
frame, and poses are converted where they come in and go out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from diffdope.checked_fields import replace_unchecked
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.pipelines.result import Answer, RefinementResult
from diffdope.scene.mesh import Mesh
from diffdope.search.history import History

F64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ObjectFrame:
    """The middle of a mesh's box.

    Attributes:
        mesh: about its own middle.
        offset_m: (3,) the middle in the file's frame: x_file = x_own + offset_m.
    """

    mesh: Mesh
    offset_m: F64

    @classmethod
    def of(cls, mesh: Mesh) -> ObjectFrame:
        """Of a mesh in its file's frame; one that is inside out is turned, for normals tell which side is seen."""
        offset_m = mesh.center_m
        own = mesh.moved(-offset_m) if offset_m.any() else mesh
        return cls(own.turned_outside() if own.is_inside_out else own, offset_m)

    def bent(self, mesh: Mesh) -> ObjectFrame:
        """The same for the mesh in another shape: the origin stays where it is, though that is the middle no more.

        Args:
            mesh: in its file's frame, its parts moved, each rigidly.
        """
        own = mesh.moved(-self.offset_m) if self.offset_m.any() else mesh
        return ObjectFrame(own.turned_outside() if own.is_inside_out else own, self.offset_m)

    @property
    def idle(self) -> bool:
        """Whether the file's origin is the middle already."""
        return not self.offset_m.any()

    def enter(self, pose: Pose) -> Pose:
        """The own frame's pose, from the file's."""
        return pose if self.idle else Pose(pose.R_m2c, pose.t_m2c + pose.R_m2c @ self.offset_m)

    def leave(self, pose: Pose) -> Pose:
        """The file's frame's pose, from the own one's."""
        return pose if self.idle else Pose(pose.R_m2c, pose.t_m2c - pose.R_m2c @ self.offset_m)

    def result(self, result: RefinementResult, start: Pose) -> RefinementResult:
        """A result in the file's frame.

        Args:
            result: in the own frame.
            start: as it was given.
        """
        if self.idle:
            return replace_unchecked(result, initial_pose=start)
        motion = self.motion(result.pose)
        covariance = None if result.covariance is None else motion @ result.covariance @ motion.T
        return replace_unchecked(
            result, pose=self.leave(result.pose), initial_pose=start, covariance=covariance,
            unobserved=None if result.unobserved is None else result.unobserved @ motion.T,
            history=self.history(result.history), answers=tuple(self.answer(one) for one in result.answers),
        )  # fmt: skip

    def answer(self, answer: Answer) -> Answer:
        """One of `locate`'s in the file's frame; turns of the model keep their angles and axes."""
        return replace(
            answer, pose=self.leave(answer.pose), alternatives=tuple(self.leave(one) for one in answer.alternatives)
        )

    def motion(self, pose: Pose) -> F64:
        """(6, 6) from motions (rho, phi) of the own origin to those of the file's: rho_file = rho - phi x R c."""
        away = np.eye(6)
        away[:3, 3:] = so3.hat(pose.R_m2c @ self.offset_m)
        return away

    def history(self, history: History) -> History:
        """Iterates in the file's frame."""
        return replace(history, t_m2c=history.t_m2c - history.R_m2c @ self.offset_m)
