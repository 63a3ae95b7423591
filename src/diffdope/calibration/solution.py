"""What is known of errors before a calibration, and what its steps end with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.checked_fields import checked_fields
from diffdope.errors import check_above_zero
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose

F64 = NDArray[np.float64]

POSE, BORDER, SCALE, SHARED = slice(0, 6), 6, 7, 8
"""Columns of the unknowns that all pictures share; offsets of joints follow."""


@dataclass(frozen=True)
@checked_fields()
class CalibrationNoise:
    """What is known about errors before the pictures are looked at."""

    border_px: float = 1.0
    """Standard deviation of how far masks' borders lie outside, pixels of the image, the same in all pictures."""
    depth_scale: float = 0.01
    """Standard deviation of the share by which depths read too far."""
    offset_deg: float = 1.0
    """Standard deviation of a turning joint's offset, where offsets are asked for."""
    offset_mm: float = 5.0
    """The same of a joint that slides: as far as home switches and stops are off."""
    joint_deg: float = 0.1
    """Standard deviation of joint values in single pictures, to begin with; the pictures tell it better. Of joints that
    slide, a metre counts as a radian."""
    least_joint_deg: float = 0.005
    """The least that it is taken for."""
    most_joint_deg: float = 1.0
    """The most."""
    outline_px: float = 0.1
    """Least standard deviation of an outline's residual, pixels of the crop."""
    zero_deg: float = 0.2
    """Standard deviation of joints' zeros, the same in all pictures, as arms usually have it: where offsets are not
    asked for, the covariance has what they do. It weighs as much as one joint whose zero the pictures tell. Of an arm
    that is mastered well, say less."""
    depth_m: float = 3e-4
    """Least standard deviation of a depth's residual."""

    def __post_init__(self) -> None:
        """Refuses numbers that are no deviations."""
        check_above_zero(self, *(name for name in self.__dataclass_fields__))


_EVIDENCE_ROUNDS = 20
_BEGIN_RAD = np.radians(2.0)  # far more than zeros are off, from which that shrinks


class NormalEquations(NamedTuple):
    """One kind of rows of one picture, weighed: sums over them.

    shared (S, S), own (J, J), between (S, J), gradient (S,) and own_gradient (J,), all over the variance and what
    neighbours share; rows: how many count.
    """

    shared: F64
    between: F64
    own: F64
    gradient: F64
    own_gradient: F64

    @classmethod
    def summed(cls, blocks: Sequence[NormalEquations]) -> NormalEquations:
        """Of all kinds of rows."""
        shared, between, own, gradient, own_gradient = (
            np.sum([block[k] for block in blocks], axis=0) for k in range(5)
        )
        return cls(shared, between, own, gradient, own_gradient)


@dataclass(frozen=True, eq=False)
class Scales:
    """Of residuals, by kind: deviation (px of the image, m), and variance of sums over that of single ones."""

    deviation: dict[str, float]
    correlation: dict[str, float]


class CommonErrors(NamedTuple):
    """Normal equations of what joints are off in all pictures, errors of single pictures eliminated.

    own (J, J), between (S, J) them and the shared unknowns, gradient (J,).
    """

    own: F64
    between: F64
    gradient: F64

    @classmethod
    def none(cls, shared: int, joints: int) -> CommonErrors:
        """Of no picture."""
        return cls(np.zeros((joints, joints)), np.zeros((shared, joints)), np.zeros(joints))

    def told_by(self, picture: NormalEquations, left: F64) -> CommonErrors:
        """With one picture more.

        Args:
            picture: what it says.
            left: (J, J) what errors of that picture alone leave of an error of all: own errors' covariance, over their
                variance before.
        """
        own, between = self.own + picture.own @ left, self.between + picture.between @ left
        return CommonErrors(own, between, self.gradient + left @ picture.own_gradient)

    def answered(self, covariance: F64, gradient: F64) -> CommonErrors:
        """What is left of the gradient once the shared unknowns have answered theirs.

        Steps end while they are short: what is left of one would be read as zeros that no picture tells.

        Args:
            covariance: (S, S) of the shared unknowns, 0 for those that are not looked for.
            gradient: (S,) of those.
        """
        return self._replace(gradient=self.gradient - self.between.T @ covariance @ gradient)

    def deviation(self, covariance: F64, usual: float) -> float:
        """Of these errors: what pictures tell, by MacKay's evidence update, and the usual one as one joint more.

        Args:
            covariance: (S, S) of the shared unknowns, 0 for those that are not looked for.
            usual: radians.
        """
        information = self.own - self.between.T @ covariance @ self.between
        variance = _BEGIN_RAD**2
        for _ in range(_EVIDENCE_ROUNDS):
            posterior = np.linalg.inv(information + np.eye(len(self.gradient)) / variance)
            known = len(self.gradient) - float(np.trace(posterior)) / variance
            variance = (float(np.sum((posterior @ self.gradient) ** 2)) + usual**2) / (known + 1.0)
        return float(np.sqrt(variance))

    def moves(self, covariance: F64, deviation: float) -> F64:
        """(S, S) of what they put on a covariance: they are not looked for, so all of it is error (Schmidt's consider
        covariance).

        Args:
            covariance: (S, S) of the shared unknowns.
            deviation: radians.
        """
        moved = covariance @ self.between
        return np.asarray(deviation**2 * moved @ moved.T, np.float64)


@dataclass(frozen=True, eq=False)
class Solution:
    """Where the steps ended.

    Attributes:
        pose: of the base in the camera.
        centre_c: (3,) about which (rho, phi) of the pose are told.
        shared: (S,) border [px], scale and offsets at the entries after the pose's.
        own: (N, J) what the joints of each picture are off, radians.
        information: (S, S) of the shared unknowns, priors included, joint errors eliminated.
        of_picture: (N, S, S) what each picture adds to it.
        pull: (N, S) gradient of each picture at the solution.
        joint_rad: deviation of joint values that the pictures tell.
        scales: of the residuals.
        counted: (N,) whether a picture takes part.
        free: (S,) which of the shared unknowns are looked for.
        zeros: what the pictures say of errors that a joint has in all of them; None where offsets are looked for.
        rows: number of rows of each picture by kind.
        rms: of rows that count, by kind: of each picture, pixels and metres.
    """

    pose: Pose
    centre_c: F64
    shared: F64
    own: F64
    information: F64
    of_picture: F64
    pull: F64
    joint_rad: float
    scales: Scales
    counted: NDArray[np.bool_]
    free: NDArray[np.bool_]
    zeros: CommonErrors | None = None
    rows: list[dict[str, int]] = field(default_factory=list)
    rms: list[dict[str, float]] = field(default_factory=list)
    moved: float = 0.0

    @property
    def covariance(self) -> F64:
        """(S, S) of the shared unknowns; 0 for those that are not looked for."""
        return inverse_of(self.information, self.free)

    def zero_rad(self, usual: float) -> float:
        """Deviation of joints' zeros; 0 where offsets are looked for.

        Args:
            usual: radians; see `CommonErrors.deviation`.
        """
        return 0.0 if self.zeros is None else self.zeros.deviation(self.covariance, usual)

    def with_zeros(self, zero_rad: float) -> F64:
        """(6, 6) of the pose, zeros of joints with it, as poses have it."""
        return in_base((self.covariance + self.by_zeros(zero_rad))[POSE, POSE], self.pose, self.centre_c)

    def by_zeros(self, zero_rad: float) -> F64:
        """(S, S) of what zeros with a deviation put on the covariance."""
        if self.zeros is None:
            return np.zeros_like(self.information)
        return self.zeros.moves(self.covariance, zero_rad)


def inverse_of(information: F64, free: NDArray[np.bool_]) -> F64:
    """Covariance of the free unknowns, 0 elsewhere; directions without information stay where they are."""
    kept = np.flatnonzero(free)
    part = information[np.ix_(kept, kept)]
    size = np.sqrt(np.maximum(np.diag(part), 1e-12))
    values, vectors = np.linalg.eigh(part / np.outer(size, size))
    inverse = np.where(values > 1e-9 * values[-1], 1.0 / np.maximum(values, 1e-300), 0.0)
    out = np.zeros_like(information)
    out[np.ix_(kept, kept)] = (vectors * inverse) @ vectors.T / np.outer(size, size)
    return out


def in_base(covariance: F64, pose: Pose, centre_c: F64) -> F64:
    """(6, 6) of (rho, phi) about a point, as one of the base's origin: rho_base = rho + phi x (t - c)."""
    J = np.eye(6)
    J[:3, 3:] = -so3.hat(pose.t_m2c - centre_c)
    return np.asarray(J @ covariance @ J.T)
