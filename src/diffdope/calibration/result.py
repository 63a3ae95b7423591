"""What a calibration found: the pose, how sure it is, and what every picture says to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from diffdope.geometry.deviations import camera_deviation
from diffdope.geometry.pose import Pose
from diffdope.note_codes import NoteCode, codes_of
from diffdope.problem.failure import Status

F64 = NDArray[np.float64]


@dataclass(frozen=True)
class UncertainValue:
    """A number that the pictures tell, and its standard deviation."""

    value: float
    deviation: float

    def times(self, factor: float) -> UncertainValue:
        """In another unit."""
        return UncertainValue(float(self.value * factor), float(self.deviation * factor))


@dataclass(frozen=True)
class PictureShare:
    """What one picture says to the result of either calibration: camera before the robot, or on its hand.

    Attributes:
        name: of the picture.
        used: whether it took part; if not, `reason` says why.
        reason: empty if it took part.
        iou: intersection over union of what is drawn (robot, or object) and the mask; None without a mask.
        depth_mm: median of measured less drawn depth; None without depth.
        left_out_mm: how far the camera moves, in the base or in the flange, if this picture is left out.
        left_out_deg: how far it turns.
        joint_error_deg: root mean square of what its joints are off, as the pictures tell.
    """

    name: str
    used: bool
    reason: str = ""
    iou: float | None = None
    depth_mm: float | None = None
    left_out_mm: float | None = None
    left_out_deg: float | None = None
    joint_error_deg: float | None = None


@dataclass(frozen=True)
class PictureResidual(PictureShare):
    """What one picture of the robot says to the result; beside what `PictureShare` has:

    Attributes:
        iou_without_base: the same without the links that stand still, whose foot masks often lack.
        outline_px: root mean square distance of outline and mask's border where both are, pixels of the image.
        outline_share: share of the drawn outline beside which the mask ends, too: a pose that is wrong has little.
        depth_spread_mm: standard deviation of `depth_mm`, by the median absolute deviation.
    """

    iou_without_base: float | None = None
    outline_px: float | None = None
    outline_share: float | None = None
    depth_spread_mm: float | None = None


@dataclass(frozen=True)
class Contradiction:
    """What depth alone says, against what outlines alone say."""

    camera_mm: float
    angle_deg: float
    depth_scale: UncertainValue
    distance_m: float

    @property
    def text(self) -> str:
        """In words, for people."""
        share = 100.0 * self.depth_scale.value
        side = "far" if share > 0.0 else "near"
        sure, away_mm = 100.0 * self.depth_scale.deviation, abs(10.0 * share * self.distance_m)
        return (
            f"depth and outlines disagree: depths read {abs(share):.2f} % (+- {sure:.2f}) too {side}, {away_mm:.1f} mm "
            f"at {self.distance_m:.2f} m; the camera from depth alone and from outlines alone is "
            f"{self.camera_mm:.1f} mm and {self.angle_deg:.2f} degrees apart; is depth's scale wrong, or K?"
        )


@dataclass(frozen=True)
class Suggestion:
    """A pose of the robot that would tell much: joint values, and the factor on the deviation of the camera's pose."""

    joints: Mapping[str, float]
    gain: float


@dataclass(frozen=True, eq=False)
class CalibrationResult:
    """Where the camera stands.

    Attributes:
        T_camera_base: pose of the robot's base in the camera: p_camera = T_camera_base.apply(p_base), in the OpenCV
            optical frame (x right, y down, z forward).
        base: name of the base link.
        covariance: (6, 6) of T_camera_base in (rho [m], phi [rad]), R <- Exp(phi) R, t <- t + rho, in the camera's
            axes; None if nothing was found.
        status: how it ended; `status.ok` says whether to use it.
        message: the status in words.
        notes: what a user should know: pictures that were left out, contradictions, what is not observed.
        pictures: what each picture says, in the order given.
        mask_border_px: how far outside masks' borders lie, pixels of the image; None without masks.
        depth_scale: by which share depths read too far; None without depth, or where nothing else tells it.
        joint_error_deg: deviation of the joints' values that the pictures tell.
        joint_offsets_deg: to be added to the values of joints that turn; empty unless asked for.
        joint_offsets_mm: the same of joints that slide.
        leave_one_out_mm: jackknife standard error of the camera's place in the base; None for fewer than 3 pictures.
        leave_one_out_deg: the same of its orientation.
        unobserved: (K, 6) directions in which the pictures say nothing, see `RefinementResult`.
        alternatives: other poses that the pictures fit nearly as well.
        contradiction: of depth and outlines, where both are.
        suggestions: poses of the robot that would tell most.
        elapsed_s: wall time.
        zero_error_deg: deviation of what zeros of joints are off in all pictures alike, as the pictures tell it; the
            covariance has it. None where offsets were looked for.
    """

    T_camera_base: Pose
    base: str
    covariance: F64 | None
    status: Status
    message: str
    notes: tuple[str, ...] = ()
    pictures: tuple[PictureResidual, ...] = ()
    mask_border_px: UncertainValue | None = None
    depth_scale: UncertainValue | None = None
    joint_error_deg: float | None = None
    joint_offsets_deg: Mapping[str, UncertainValue] = field(default_factory=dict)
    joint_offsets_mm: Mapping[str, UncertainValue] = field(default_factory=dict)
    leave_one_out_mm: float | None = None
    leave_one_out_deg: float | None = None
    unobserved: F64 | None = None
    alternatives: tuple[Pose, ...] = ()
    contradiction: Contradiction | None = None
    suggestions: tuple[Suggestion, ...] = ()
    elapsed_s: float = 0.0
    zero_error_deg: float | None = None

    @property
    def note_codes(self) -> tuple[NoteCode, ...]:
        """What each note is about, for programs."""
        return codes_of(self.notes)

    @property
    def joint_offsets(self) -> dict[str, float]:
        """What is to be added to the joints' values: radians, metres of joints that slide; empty unless asked for."""
        turned = {name: float(np.radians(one.value)) for name, one in self.joint_offsets_deg.items()}
        return turned | {name: 1e-3 * one.value for name, one in self.joint_offsets_mm.items()}

    @property
    def ok(self) -> bool:
        """Whether a pose was found."""
        return self.status.ok

    @property
    def camera_deviation(self) -> tuple[float, float] | None:
        """(mm, degrees) of the camera in the base: standard deviation of its place and of its orientation."""
        return None if self.covariance is None else camera_deviation(self.covariance, self.T_camera_base)

    @property
    def T_base_camera(self) -> Pose:
        """Pose of the camera's optical frame in the base: p_base = T_base_camera.apply(p_camera)."""
        return self.T_camera_base.inverse()

    @property
    def camera_in_base_m(self) -> F64:
        """(3,) metres."""
        return self.T_base_camera.t_m2c

    def __repr__(self) -> str:
        x, y, z = self.camera_in_base_m
        return f"CalibrationResult({self.status}, camera in {self.base} at ({x:.4f}, {y:.4f}, {z:.4f}) m)"
