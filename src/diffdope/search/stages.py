"""From a start pose: one search after the other, each wider and dearer than the one before, until one convinces."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from diffdope.checked_fields import replace_unchecked
from diffdope.estimate.confidence import right_minimum
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Failure, Status
from diffdope.search.candidates import Candidates, Hypotheses
from diffdope.search.descent import Descent
from diffdope.search.features.feature_boxes import tells_by_pattern
from diffdope.search.features.feature_search import found_by_features
from diffdope.search.levels import PyramidSettings
from diffdope.search.proposals.around_prior import around_prior
from diffdope.search.proposals.around_start import AroundStart
from diffdope.search.proposals.closest_points import aligned, measured_points
from diffdope.search.proposals.view_sphere import view_sphere

F64 = NDArray[np.float64]

SURPLUS = 1.0  # log odds by which a far result must be surer where edges hold the outline: some fit everywhere
MOVED = 1.0  # near searches that went farther than they were meant to have found the start worse than stated
AT_HOME = 0.75  # near searches that stayed well within what they take for possible found the start as good as stated
_LOYALTY = 2.0  # log odds by which a far result must be surer than theirs
_HALF_WAY_RAD = np.radians(15.0)  # about half of what is between neighbours of the view sphere


class Stages:
    """The searches of one refinement.

    Args:
        descent: takes hypotheses through levels.
        start: around which is searched.
        rng: of the proposals.
        held: whether edges hold the outline.
        first_aligned: number in the history of the first pose that measured points lead to.
    """

    def __init__(
        self, descent: Descent, start: Pose, rng: Generator, *, held: bool, first_aligned: int
    ) -> None:  # fmt: skip
        self._descent, self._start, self._rng, self._held = descent, start, rng, held
        inputs = descent.inputs
        meshes, observation, settings = inputs.meshes, inputs.observation, inputs.settings
        self._meshes, self._observation, self._settings = meshes, observation, settings
        depth_counts = inputs.objective.depth_weight > 0.0
        # In a film, other frames tell more than keypoints do.
        alone = observation.modalities == ("rgb",) and not inputs.filmed and settings.features.poses > 0
        self._detects = alone and tells_by_pattern(observation, meshes.mesh)
        points = settings.closest_points
        self._measured = depth_counts and "depth" in observation.modalities
        self._aligns = depth_counts and points.count(observation) > 0
        self._aligned = range(first_aligned, first_aligned + points.count(observation))
        self._reach_of_aligned = settings.near
        self._led_to = set(self._aligned)

    def run(self) -> Candidates | Failure:
        """What the first search that convinces has found, or the surest."""
        settings = self._settings
        first = self._near()
        if settings.fallback_confidence <= 0.0 or not self._doubtful(first):
            return first
        column = settings.near.hypotheses[0]
        second = self._by_keypoints(first, column) or self._far(column)
        if isinstance(second, Failure):
            return first
        if isinstance(first, Failure) or second.surer_than(first, self._surplus_over(first)):
            return second
        return first

    def proposals(self, start: Pose, pyramid: PyramidSettings, column: int) -> Hypotheses:
        """Poses around a start, numbered from a column on."""
        count = pyramid.levels[0].hypotheses
        R, t = around_prior(
            start, count, rng=self._rng,
            angle_rad=np.radians(pyramid.angle_deg), distance_m=pyramid.distance * self._meshes.length_m,
        )  # fmt: skip
        return Hypotheses(R, t, np.arange(column, column + count))

    def moved(self, found: Candidates) -> float:
        """How far the best pose is from the start, in units of what the search that led there takes for possible."""
        led = found.winner in self._led_to
        return self._share_of(self._reach_of_aligned if led else self._settings.near, found.pose)

    def _share_of(self, pyramid: PyramidSettings, pose: Pose) -> float:
        """How far a pose is from the start, in units of what a search takes for possible."""
        angle = pose.angle_to(self._start) / max(np.radians(pyramid.angle_deg), 1e-6)
        far_m = max(pyramid.distance * self._meshes.length_m, 1e-9)
        return float(max(angle, pose.distance_to(self._start) / far_m))

    def _near(self) -> Candidates | Failure:
        """What is found from poses around the start, and from those that measured points lead to."""
        near, led = self._settings.near, self._led()
        if led is None or len(led.t) == 0:
            pyramid = near if led is None else self._as_far(near)
            return self._descent.run(pyramid, self.proposals(self._start, near, 0), self._start)
        around, best = self.proposals(self._start, near, 0), Pose(led.R[0], led.t[0])
        beside, half = around, max(len(around.t) // 2, 1)
        if self._share_of(near, best) > MOVED:  # then what is around the start alone leads nowhere
            beside = self.proposals(best, near, 0)
            self._led_to |= set(range(1, half))
        every = Hypotheses.joined(
            [around.taken(slice(0, 1)), led, beside.taken(slice(1, half)), around.taken(slice(half, None))]
        )
        return self._descent.run(self._as_far(near), every, self._start)

    def _led(self) -> Hypotheses | None:
        """Poses that measured points lead to, best first; None where there are none to be had."""
        settings = self._settings
        if not self._aligns:
            return None
        seen = measured_points(self._observation, settings.closest_points.points)
        by_colour = self._meshes.mesh.has_pattern and "rgb" in self._observation.modalities
        R, t, told = aligned(
            self._meshes.surface, seen, self._start, settings.closest_points,
            diameter_m=self._meshes.length_m, stays=not by_colour, rng=self._rng,
            pool=self._meshes.buffers().pool,
        )  # fmt: skip
        # Where colours alone tell a turn, the wider search has a look, as if they had led there from the start.
        self._reach_of_aligned = settings.far if told or not by_colour else settings.near
        return Hypotheses(R, t, np.arange(self._aligned.start, self._aligned.start + len(t)))

    def _as_far(self, pyramid: PyramidSettings) -> PyramidSettings:
        """Its levels with the prior of the wider search, unless it has none: aligned poses may be as far away."""
        if not (pyramid.angle_deg or pyramid.distance):
            return pyramid
        return replace_unchecked(pyramid, angle_deg=self._settings.far.angle_deg, distance=self._settings.far.distance)

    def _by_keypoints(self, first: Candidates | Failure, column: int) -> Candidates | None:
        """What keypoints find of a photograph alone in which the near search would have failed; None for nothing."""
        fits = isinstance(first, Candidates) and right_minimum(first.confidence, started=True)
        if not self._detects or fits >= self._settings.least_confidence:
            return None
        last = self._as_far(self._settings.near.of_one_pose(1))
        return found_by_features(self._descent, self._start, last, column)

    def _far(self, column: int) -> Candidates | Failure:
        """The wider search: from what is laid over the mask with rotations near the start's, from what explains most of
        the measured depth around it, or from all around it.
        """
        pyramid = self._settings.far
        if "mask" not in self._observation.modalities:
            if self._measured and len(pyramid.levels) > 2:
                return self._from_what_is_seen(column)
            return self._descent.run(pyramid, self.proposals(self._start, pyramid, column), self._start)
        pyramid = pyramid.of_fewer(self._settings.laid)
        laid = self._laid(pyramid, column)
        return laid if isinstance(laid, Failure) else self._descent.run(pyramid, laid, self._start)

    def _from_what_is_seen(self, column: int) -> Candidates | Failure:
        """The wider search where depth is given and no mask: from poses that explain most of what is within reach.

        Those that are left are refined each on its own: what hides one need not hide another.
        """
        settings, start = self._settings, self._start
        few = settings.far.of_fewer(settings.laid)
        few = replace(few, levels=(settings.far.levels[0], *few.levels[1:]))
        seen = AroundStart(self._meshes, self._observation, start, few, settings.box)
        run = partial(self._descent.run, expected=start)
        left = seen.through_levels(run, seen.climbed(self._rng), column)
        last, found = self._as_far(settings.near.of_one_pose(1)), []
        for number, pose in enumerate(map(Pose, left.R, left.t)):
            one = run(last, Hypotheses.of(pose, column + number), pose)
            if isinstance(one, Candidates):
                found.append(replace(one, start=start))
        return seen.best_of(found) if found else Failure(Status.FAILED)

    def led_by_mask(self, column: int) -> Candidates | Failure:
        """Where a mask that is off leads from all around the start, as far as its level before the last: not its own
        best pose but another is right as a rule, so all of the wider search's hypotheses take part.
        """
        far = self._settings.far
        pyramid = replace(far, levels=far.levels[:-1] or far.levels)
        laid = self._laid(pyramid, column)
        return laid if isinstance(laid, Failure) else self._descent.run(pyramid, laid, self._start)

    def _laid(self, pyramid: PyramidSettings, column: int) -> Hypotheses | Failure:
        """The start, and templates with rotations near its own, laid over the mask; numbered from a column on."""
        count = pyramid.hypotheses[0]
        laid = view_sphere(
            self._meshes, self._observation, self._settings.view_sphere, count - 1,
            around=self._start, angle_rad=np.radians(pyramid.angle_deg) + _HALF_WAY_RAD,
        )  # fmt: skip
        if isinstance(laid, Failure):
            return laid
        R, t = np.concatenate([self._start.R_m2c[None], laid.R]), np.concatenate([self._start.t_m2c[None], laid.t])
        return Hypotheses(R, t, np.arange(column, column + len(t)))

    def _doubtful(self, found: Candidates | Failure) -> bool:
        """Whether the near search's result does not convince: a wider one should have a look."""
        if isinstance(found, Failure):
            return found.status is Status.FAILED
        return found.doubtful(self._settings.fallback_confidence) or self.moved(found) > MOVED

    def _surplus_over(self, found: Candidates) -> float:
        """Log odds by which a far result must be surer than the near search's."""
        if self._held:
            return SURPLUS
        return _LOYALTY if self.moved(found) < AT_HOME else 0.0
