"""How far the pose of a film may have drifted along what its frames do not show.

A mug whose handle is hidden may turn, and a plain box in photographs alone may come nearer, and the frame fits as well
as before: no fit quality tells. But the cost tells along which motions it hardly rises. Along these, a pose is as sure
as the frame before, and as much less as the object has moved since.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from diffdope.estimate.confidence import TOLERANCE, fit_of, right_minimum
from diffdope.estimate.tolerance import probability_below
from diffdope.geometry.pose import Pose, difference
from diffdope.note_codes import Note, NoteCode
from diffdope.pipelines.result import RefinementResult, Status

F64 = NDArray[np.float64]

_PULL = 0.005
"""Slope of the cost, a tolerance of 3 % of the diameter being the unit of length, by which an error that a whole frame
shares (light, a hand's shadow, a bias of depth) pulls a pose, a deviation: its error is that over the curvature. In 618
frames of path-traced films, with depth, masks, both or neither, three quarters of the errors along the motion of least
curvature are within it."""
_APART = 4.0  # times as far as a print's next step leads is the pose off, a deviation: others share its errors
_GIVEN = 0.2  # tolerances: deviation of a given pose, along each motion
_EVEN = 1.48
"""Deviations by which a given pose is off, in those by which a frame has moved it along a motion that it does not show:
what has moved by the tolerance is as likely within it as not."""
_REACH = 0.1  # share of the diameter from which a descent still finds the pose
_UNSEEN = 1.0  # diameters: deviation of a pose of which nothing is known
_FLUSH = 1e-9  # share of the largest displacement: turns about an axis of revolution move nothing
_TOLD = 0.99  # probability from which on nothing is said


class PoseDrift:
    """What is known of the pose of a film's object: a covariance, in coordinates whose length is that of the surface's
    displacement (root mean square, metres), in the axes of the mesh, and the probability of its minimum.

    Errors of successive frames are of one kind, so that they do not average out: of what a frame tells and what is
    known from before, the surer counts, motion by motion. What has drifted farther than a descent reaches may rest in
    another minimum once more is seen, so that probability does not come back before the object is searched anew.

    Args:
        form: (6, 6) of `displacement_form`.
        length_m: the object's diameter.
        memory_s: seconds over which the object's speed is a mean.
    """

    def __init__(self, form: F64, length_m: float, memory_s: float) -> None:
        scale = np.repeat([1.0, 1.0 / length_m], 3)
        size, axes = np.linalg.eigh(form * np.outer(scale, scale))
        kept = size > _FLUSH * size[-1]
        root, axes = np.sqrt(size[kept]), axes[:, kept]
        self._to_motion = scale[:, None] * axes / root  # (6, k)
        self._from_motion = from_motion = root[:, None] * axes.T / scale
        self._moved = [from_motion[:, part] @ from_motion[:, part].T / 3.0 for part in (slice(0, 3), slice(3, 6))]
        self._tolerance_m, self._length_m = TOLERANCE * length_m, length_m
        self._memory_s = memory_s
        self._ends: list[tuple[Pose, F64, float]] = []
        self._begin(_GIVEN * self._tolerance_m)
        self._clock_s = 0.0
        self._last: tuple[Pose, float] | None = None
        self._speeds: F64 | None = None

    def _begin(self, deviation_m: float) -> None:
        self._covariance = deviation_m**2 * np.eye(self._to_motion.shape[1])
        self._share = self._near = 1.0

    def ended(self, pose: Pose, curvature: F64, apart_m: float = 0.0) -> None:
        """Where a search has ended.

        Args:
            pose: there.
            curvature: of the cost there, (6, 6) in (rho [m], phi [rad]).
            apart_m: how far the object's print alone would lead the surface from there, metres.
        """
        self._ends.append((pose, curvature, apart_m))

    def weighed(
        self, result: RefinementResult, tolerance_m: float, *, given: bool, clock_s: float,
    ) -> RefinementResult:  # fmt: skip
        """The result of a frame, no surer than it is known that the pose has not drifted.

        Args:
            result: of the tracker, in the own frame.
            tolerance_m: of the confidence, metres.
            given: whether the frame came with a start pose.
            clock_s: time of the frame, seconds.
        """
        curvature, apart_m = next((one[1:] for one in reversed(self._ends) if one[0] is result.pose), (None, 0.0))
        self._ends.clear()
        elapsed_s, self._clock_s = clock_s - self._clock_s, clock_s
        if given:
            self._last, self._speeds = None, None
            self._begin(_GIVEN * self._tolerance_m)
        elif elapsed_s > 0.0:
            self._age(elapsed_s)
        if not result.ok or result.status is Status.LOST:
            return result
        if not given and self._last is None:  # located: nothing is known from before
            self._begin(_UNSEEN * self._length_m)
        if not given and {NoteCode.FOUND_AGAIN, NoteCode.FOUND_WIDER} & set(result.note_codes):
            self._begin(_UNSEEN * self._length_m)
        self._see(result.pose, curvature, result.initial_pose if given else None)
        return self._no_surer(result, tolerance_m, _APART * apart_m)

    def _age(self, elapsed_s: float) -> None:
        """As much less is known as the object may have moved.

        What is not seen goes on as it was: errors of successive frames add up, and not only their squares. Of errors
        that may be correlated, (1 + a) P + (1 + 1 / a) Q is a bound for every a > 0 (Julier and Uhlmann, 1997); this a
        makes its trace the least.
        """
        if self._speeds is None:
            return
        moved = elapsed_s**2 * sum(square * one for square, one in zip(self._speeds, self._moved, strict=True))
        known, new = float(np.trace(self._covariance)), float(np.trace(moved))
        if known > 0.0 and new > 0.0:
            a = np.sqrt(new / known)
            self._covariance = (1.0 + a) * self._covariance + (1.0 + 1.0 / a) * moved

    def _see(self, pose: Pose, curvature: F64 | None, given: Pose | None) -> None:
        before = self._near  # the frame before: what it may have moved since is foretold
        if self._last is not None and self._clock_s > self._last[1]:
            elapsed_s = self._clock_s - self._last[1]
            step = difference(pose, self._last[0]) / elapsed_s
            speeds = np.array([step[:3] @ step[:3], step[3:] @ step[3:]])
            fresh = 1.0 if self._speeds is None else -np.expm1(-elapsed_s / self._memory_s)
            known = speeds if self._speeds is None else self._speeds
            self._speeds = known + fresh * (speeds - known)
            if fresh == 1.0:  # the first step is only known now
                self._age(elapsed_s)
        self._last = pose, self._clock_s
        if curvature is None:
            return
        turn = np.zeros((6, 6))
        turn[:3, :3] = turn[3:, 3:] = pose.R_m2c
        to_motion = turn @ self._to_motion
        steep, motions = np.linalg.eigh(to_motion.T @ curvature @ to_motion)
        if given is not None:  # if it is right, the pose is off now by what the frame has moved it
            moved = motions.T @ self._from_motion @ turn.T @ difference(pose, given)
            self._covariance += (motions * (_EVEN * moved) ** 2) @ motions.T
        # A slope / tolerance [cost / m] over a curvature [cost / m^2].
        deviation = _PULL / (self._tolerance_m * np.maximum(steep, 1e-12))
        deviation = np.minimum(deviation, _UNSEEN * self._length_m)
        known, ways = np.linalg.eigh((motions / deviation).T @ self._covariance @ (motions / deviation))
        ways = (motions * deviation) @ ways
        self._covariance = (ways * np.minimum(known, 1.0)) @ ways.T
        self._near = self._within(_REACH * self._length_m)
        self._share *= min(before / max(self._near, 1e-6), 1.0)

    def _within(self, distance_m: float) -> float:
        return probability_below(distance_m, self._covariance)

    def _no_surer(self, result: RefinementResult, tolerance_m: float, apart_m: float) -> RefinementResult:
        told = probability_below(tolerance_m, apart_m**2 * np.eye(1)) if apart_m > 0.0 else 1.0
        within = told * self._share * self._within(tolerance_m)
        if result.confidence is None or within > _TOLD:
            return result
        drifted_m = float(np.sqrt(np.trace(self._covariance)))
        why = f"by about {1e3 * drifted_m:.0f} mm" if drifted_m > tolerance_m else "farther than a frame finds it again"
        text = f"film: the pose may have drifted {why}, by motions that its frames do not show"
        if apart_m > drifted_m:
            text = f"film: what is printed on the object lies about {1e3 * apart_m:.0f} mm beside where the pose has it"
        confidence = fit_of(within * right_minimum(result.confidence, started=True))
        return replace(result, confidence=confidence, notes=(*result.notes, Note(NoteCode.DRIFT, text)))
