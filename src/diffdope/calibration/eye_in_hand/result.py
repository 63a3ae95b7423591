"""What a calibration of a camera on the hand found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from diffdope.calibration.result import PictureShare, Suggestion
from diffdope.geometry.deviations import camera_deviation
from diffdope.geometry.pose import Pose, PoseLike, as_pose
from diffdope.note_codes import NoteCode, codes_of
from diffdope.problem.failure import Status

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class HandPicture(PictureShare):
    """What one picture of the object says to the result; beside what `PictureShare` has:

    Attributes:
        own_mm: how far the object, as found in this picture alone, is from where all pictures have it; None where it
            was not found.
        own_deg: how far it is turned.
        deviations: how far the picture's own optimum is, in its standard deviations; about 1 if nothing is wrong.
    """

    own_mm: float | None = None
    own_deg: float | None = None
    deviations: float | None = None


@dataclass(frozen=True, eq=False)
class EyeInHandResult:
    """Where the camera is on the hand. Look at `ok` first.

    Attributes:
        T_flange_camera: pose of the camera's optical frame (OpenCV: x right, y down, z forward) in the flange:
            p_flange = T_flange_camera.apply(p_camera).
        T_base_object: pose of the object in the base: p_base = T_base_object.apply(p_object), in the mesh's frame.
        flange: name of the link that holds the camera.
        base: name of the base link.
        covariance: (6, 6) of T_flange_camera in (rho [m], phi [rad]), R <- Exp(phi) R, t <- t + rho, in the flange's
            axes; None if nothing was found.
        object_covariance: (6, 6) of T_base_object, the same way, in the base's axes; 0 where it was given.
        status: how it ended; `status.ok` says whether to use it.
        message: the status in words.
        notes: what a user should know: pictures that were left out, what is not observed.
        pictures: what each picture says, in the order given.
        joint_error_deg: deviation of the joints' values that the pictures tell.
        leave_one_out_mm: jackknife standard error of the camera's place in the flange; None for fewer than four
            pictures (three, if the object's place is known).
        leave_one_out_deg: the same of its orientation.
        unobserved: (K, 6) motions (rho, phi) of the camera, in its own axes, about which the pictures say too little.
        alternatives: other T_flange_camera that the pictures support nearly as well.
        suggestions: configurations of the robot that would tell most; empty without a robot.
        elapsed_s: wall time.
        zero_error_deg: deviation of what zeros of joints are off in all pictures alike, as the pictures tell it; both
            covariances have it. That of the last joint turns the camera on the flange. None where the flange's poses
            were given.
    """

    T_flange_camera: Pose
    T_base_object: Pose
    flange: str
    base: str
    covariance: F64 | None
    object_covariance: F64 | None
    status: Status
    message: str
    notes: tuple[str, ...] = ()
    pictures: tuple[HandPicture, ...] = ()
    joint_error_deg: float | None = None
    leave_one_out_mm: float | None = None
    leave_one_out_deg: float | None = None
    unobserved: F64 | None = None
    alternatives: tuple[Pose, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()
    elapsed_s: float = 0.0
    zero_error_deg: float | None = None

    @property
    def note_codes(self) -> tuple[NoteCode, ...]:
        """What each note is about, for programs."""
        return codes_of(self.notes)

    @property
    def ok(self) -> bool:
        """Whether the camera's place was found."""
        return self.status.ok

    @property
    def camera_deviation(self) -> tuple[float, float] | None:
        """(mm, degrees) of the camera in the flange: standard deviation of its place and of its orientation."""
        return None if self.covariance is None else camera_deviation(self.covariance, Pose.identity())

    @property
    def T_camera_flange(self) -> Pose:
        """Pose of the flange in the camera: p_camera = T_camera_flange.apply(p_flange)."""
        return self.T_flange_camera.inverse()

    def T_camera_object(self, T_base_flange: PoseLike) -> Pose:
        """Pose of the object in the camera, by the poses of camera and object: p_camera = T.apply(p_object).

        Args:
            T_base_flange: pose of the flange in the base, or its matrix (4, 4), metres.

        Raises:
            DiffDopeError: if it is no pose.
        """
        return (as_pose("T_base_flange", T_base_flange) @ self.T_flange_camera).inverse() @ self.T_base_object

    def __repr__(self) -> str:
        x, y, z = self.T_flange_camera.t_m2c
        return f"EyeInHandResult({self.status}, camera in {self.flange} at ({x:.4f}, {y:.4f}, {z:.4f}) m)"
