"""Whether a film's depth is of another moment than its photographs.

Cameras take both one after the other, and what pairs images by their order may pair a photograph with the depth before
it. Each frame fits then: its pose lies between both, or where depth is. Of an object that is at rest that is no matter.
But in frames in which it moves, the photograph alone has it farther along its way than depth alone, by as much as it
moves in that time, and to the same side in frame after frame. Where depth is not registered, it is not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.confidence import fit_of, right_minimum
from diffdope.estimate.tolerance import probability_below
from diffdope.geometry.pose import Pose
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.attempt import Follow
from diffdope.pipelines.result import RefinementResult, Status
from diffdope.pipelines.tracking.frame import sureness
from diffdope.scene.observation import Observation
from diffdope.search.tracking.motion_model import tangent
from diffdope.terms.photometric_gain import PhotometricGain

F64 = NDArray[np.float64]

_MOVES = 0.03  # of the diameter, from frame to frame: less does not tell, and would not be wrong
_FEWEST = 2  # frames by which it is told: in a single one, a regular print may have slipped by a cell along the way
_KNOWN, _AT_MOST = 2.0, 16  # frames, each as sure as its photograph, and in all: then only the 8th, 16th, 32nd, ...
_LEAST = 0.3  # frames: of films whose depth is of the same moment, 0.2 in a single frame and 0.1 in all
_EXPLAINED = 0.3  # share of the square of what photograph and depth differ by, that one lag explains
_CLEAR = 1.0  # what it explains over what is left, times the frames, each as sure as its photograph
_FARTHEST = 3.0  # frames: searches that end farther apart have found something else


class _Frame(NamedTuple):
    """Where the object was at a time [s], by all images of the frame, or, where `images` is None, by depth alone."""

    pose: Pose
    clock_s: float
    images: Observation | None = None


class DepthLag:
    """How long before the photograph depth was taken, from frames in which the object moves.

    Photograph and depth are refined each alone, from where the frame has ended, in few frames. What the film has
    learned of colours is left out, for it was learned where both together have had the object. So is the mask, which
    belongs to one or the other.

    Args:
        follow: refines a frame from a start close by.
        form: (6, 6) of `displacement_form`.
        length_m: the object's diameter.
        tolerance_m: of the confidence, metres.
    """

    def __init__(self, follow: Follow, form: F64, length_m: float, tolerance_m: float) -> None:
        size, axes = np.linalg.eigh(form)
        self._root = np.sqrt(np.maximum(size, 0.0))[:, None] * axes.T
        self._follow, self._length_m, self._tolerance_m = follow, length_m, tolerance_m
        self.clear()

    def clear(self) -> None:
        """For a new film."""
        self._last: _Frame | None = None
        self._before_m = self._moving_s = 0.0
        self._moving, self._frames, self._known = 0, 0, 0.0
        self._sums = np.zeros(3)  # of motion by motion [m^2/s^2], by what both differ by [m^2/s], and of that [m^2]

    @property
    def lag_s(self) -> float:
        """By how many seconds depth is late; negative where it is early, and 0 where that is not known."""
        motion, shared, apart = self._sums
        explained = shared**2 / max(motion * apart, 1e-300)
        if self._frames < _FEWEST or explained < max(_EXPLAINED, _CLEAR * (1.0 - explained) / self._known):
            return 0.0
        if abs(shared / motion) < _LEAST * self._moving_s / self._moving:
            return 0.0
        # Both sides have errors, for which the slope of either by the other is too flat: the mean of both slopes.
        return float(np.copysign(np.sqrt(apart / motion), shared))

    def weighed(
        self, result: RefinementResult, observation: Observation, clock_s: float, gain: PhotometricGain | None
    ) -> RefinementResult:  # fmt: skip
        """A frame's result, no surer than it is known where the object is at the moment of its photograph.

        Args:
            result: of the tracker, in the own frame.
            observation: the frame.
            clock_s: its time, seconds.
            gain: the light of the frame before, if it is known.
        """
        if not result.ok or result.status is Status.LOST or not {"rgb", "depth"} <= set(observation.modalities):
            self._last = None
            return result
        last, self._last = self._last, _Frame(result.pose, clock_s, observation)
        if last is None:
            return result
        elapsed_s = clock_s - last.clock_s
        moved_m = float(np.linalg.norm(self._across(last.pose, result.pose)))
        if moved_m > _MOVES * self._length_m:
            self._moving, self._moving_s = self._moving + 1, self._moving_s + elapsed_s
            unknown = self._known < _KNOWN and self._moving <= _AT_MOST
            if unknown or self._moving & (self._moving - 1) == 0:
                self._look(self._last, last, observation, gain)
        # What has just begun to move is seen to move by what is late only in the next frame, and so is what stops.
        lag_s = self.lag_s
        off_m, self._before_m = abs(lag_s) / elapsed_s * max(moved_m, self._before_m), moved_m
        return result if lag_s == 0.0 else self._told(result, lag_s, off_m)

    def _look(self, now: _Frame, last: _Frame, observation: Observation, gain: PhotometricGain | None) -> None:
        # Between depth and photograph, poses jump to and fro, so that depth alone tells the motion as well.
        before, measured = (self._by_depth(one, gain) for one in (last, now))
        if before is None or measured is None:
            return
        self._last = _Frame(measured, now.clock_s)
        moved, elapsed_s = self._across(before, measured), now.clock_s - last.clock_s
        # A fine print is not found from a frame's way off, but it is from where the object would be if depth were late.
        onwards = measured.retract(tangent(before, measured))
        photograph = observation.without_mask().without_depth()
        seen = max((self._follow(photograph, one, gain).result for one in (measured, onwards)), key=sureness)
        apart = self._across(measured, seen.pose)
        if np.linalg.norm(apart) > _FARTHEST * np.linalg.norm(moved):
            return
        speed, weight = moved / elapsed_s, sureness(seen)
        self._frames, self._known = self._frames + 1, self._known + weight
        self._sums += weight * np.array([speed @ speed, speed @ apart, apart @ apart])

    def _by_depth(self, frame: _Frame, gain: PhotometricGain | None) -> Pose | None:
        """Where depth alone has the object; None where it does not say."""
        if frame.images is None:
            return frame.pose
        result = self._follow(frame.images.without_rgb().without_mask(), frame.pose, gain).result
        return result.pose if sureness(result) else None

    def _across(self, one: Pose, other: Pose) -> F64:
        """The surface's displacement (RMS, metres) as (6,), but for what is along the view: a photograph hardly knows
        that.
        """
        motion = tangent(one, other)
        view = other.t_m2c / np.linalg.norm(other.t_m2c)
        motion[:3] -= view * (view @ motion[:3])
        return np.asarray(self._root @ np.concatenate([other.R_m2c.T @ motion[:3], other.R_m2c.T @ motion[3:]]))

    def _told(self, result: RefinementResult, lag_s: float, off_m: float) -> RefinementResult:
        when = f"about {1e3 * abs(lag_s):.0f} ms ({abs(lag_s) * self._moving / self._moving_s:.1f} frames)"
        text = (
            f"film: depth has the object where it is {when} {'after' if lag_s < 0.0 else 'before'} the photograph, "
            f"{1e3 * off_m:.0f} mm beside it in this frame: pair images by the times at which they were taken"
        )
        result = replace(result, notes=(*result.notes, Note(NoteCode.DEPTH_LATE, text)))
        if result.confidence is None or off_m == 0.0:
            return result
        within = probability_below(self._tolerance_m, off_m**2 * np.eye(1))
        sure = fit_of(within * right_minimum(result.confidence, started=True))
        return replace(result, confidence=min(result.confidence, sure))
