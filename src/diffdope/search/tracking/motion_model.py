"""How the object is expected to move between two frames: at a constant velocity that is forgotten in time."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import expected
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose

F64 = NDArray[np.float64]

_SAME_RAD, _SAME_DISTANCE = math.radians(0.5), 0.005  # starts closer than this, in diameters, end alike


def tangent(start: Pose, end: Pose) -> F64:
    """The motion (6,) = (rho [m], phi [rad]) with start.retract(motion) = end."""
    return np.concatenate([end.t_m2c - start.t_m2c, so3.log(end.R_m2c @ start.R_m2c.T)])


class MotionModel:
    """A damped constant velocity of a pose.

    Args:
        memory_s: seconds after which an unconfirmed velocity has fallen to 1/e.
        smoothing: share in [0, 1) of the old velocity that a new measurement leaves.
    """

    def __init__(self, memory_s: float, smoothing: float) -> None:
        self._memory_s, self._smoothing = memory_s, smoothing
        self._pose = Pose.identity()
        self._velocity: F64 = np.zeros(6)
        self._measured, self._most_s = False, math.inf

    @property
    def pose(self) -> Pose:
        """The last pose that was taken in."""
        return self._pose

    @property
    def velocity(self) -> F64:
        """(rho [m/s], phi [rad/s]), (6,)."""
        return self._velocity

    def restart(self, pose: Pose) -> None:
        """Begins anew, at rest."""
        self._pose, self._velocity, self._measured, self._most_s = pose, np.zeros(6), False, math.inf

    def predict(self, elapsed_s: float) -> Pose:
        """Where the object is expected `elapsed_s` after the last pose.

        The velocity decays, so the prediction never gets farther than `memory_s` at the full one; and not beyond where
        it was stopped.
        """
        travel_s = self._memory_s * -math.expm1(-min(elapsed_s, self._most_s) / self._memory_s)
        return self._pose.retract(travel_s * self._velocity)

    def starts(self, elapsed_s: float, last: Pose, diameter_m: float) -> list[Pose]:
        """Where the object may be, likeliest first: where it is predicted, and where it was `last`."""
        predicted = self.predict(elapsed_s)
        return [predicted] if end_alike(predicted, last, diameter_m) else [predicted, last]

    def stop(self, elapsed_s: float) -> Pose:
        """Where an object that is lost is expected from here on: where it was `elapsed_s` after the last pose.

        What cannot be seen may have stopped or turned back, and the last velocity may be what lost it: carried on for
        ten frames, a wrong one turned a box by 33 degrees.
        """
        self._most_s = min(self._most_s, elapsed_s)
        return self.predict(elapsed_s)

    def take(self, pose: Pose, elapsed_s: float) -> None:
        """Takes in a pose that can be trusted, `elapsed_s` after the last one."""
        measured = tangent(self._pose, pose) / elapsed_s
        kept = self._smoothing if self._measured else 0.0
        self._velocity = kept * self._velocity + (1.0 - kept) * measured
        self._pose, self._measured, self._most_s = pose, True, math.inf


def finite_time(time_s: float) -> float:
    """The time of a frame, seconds, if it is one."""
    if not math.isfinite(time_s):
        raise expected("time_s", "seconds", time_s)
    return time_s


def next_time(time_s: float | None, before_s: float, frame_s: float) -> float:
    """The time of a frame, seconds: later than that of the frame before, or so much later where it has none."""
    if time_s is None:
        return before_s + frame_s
    if not (math.isfinite(time_s) and time_s > before_s):
        cure = "frames come in the order of their times; to start anew, give a pose"
        raise expected("time_s", f"more than {before_s:g}, the time of the frame before", time_s, cure)
    return time_s


def end_alike(one: Pose, other: Pose, diameter_m: float) -> bool:
    """Whether two starts are so near to each other that descents from them end alike.

    Args:
        one: of them.
        other: of them.
        diameter_m: of the object.
    """
    return one.distance_to(other) < _SAME_DISTANCE * diameter_m and one.angle_to(other) < _SAME_RAD
