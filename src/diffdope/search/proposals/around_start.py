"""The wider search where depth is given and no mask: poses spread about the start climb what they explain.

A descent from a pose that is off by 40 degrees ends on whatever lies there: what an object leaves uncovered, and what
hides it, costs as much as what fits. So poses are judged as those in a box are (`box_proposals.py`): a drawing earns
for pixels that it explains, pays for surfaces that are seen through it, hardly for what hides it, and nothing is owed
for the rest of the picture. At levels, a pose that explains less after its steps than before stays as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.random import Generator

from diffdope.geometry.crop import Box
from diffdope.geometry.pose import Pose
from diffdope.problem.failure import Failure, Status
from diffdope.problem.region import projected_box
from diffdope.scene.observation import Observation
from diffdope.search.candidates import Candidates, Hypotheses
from diffdope.search.levels import Level, PyramidSettings
from diffdope.search.mesh_levels import MeshLevels
from diffdope.search.proposals.around_prior import around_prior
from diffdope.search.proposals.box_proposals import BoxSettings, box_score
from diffdope.search.proposals.local_search import Score, Scored, climbed

Run = Callable[[PyramidSettings, Hypotheses, Pose], Candidates | Failure]

_CLIMBED_PX = 48  # of all that is within reach; of 32, slender parts have too few pixels to be told from a neighbour
_JUDGED_PX = 100  # the same after a level, when poses are about right
_DRAWN = 200  # poses a round; those of a box, which may be turned anyhow, are twice as many
_ROUNDS = 5  # of the climb
_SPREAD = 2  # times as many poses as descents would begin from are drawn: one costs a tenth of a descent
_BEGUN = 40  # poses of the first round at most: as many as have four each
_BEATEN = 0.7  # share of what the best explains: one that explains less is not refined


class AroundStart:
    """What is seen within reach of a start, and how much of it poses explain.

    Args:
        meshes: the object, about its own middle.
        observation: with depth, without a mask.
        start: around which is searched.
        pyramid: how far from there a pose may be, and the levels.
        settings: what pixels pay.
    """

    def __init__(
        self, meshes: MeshLevels, observation: Observation, start: Pose, pyramid: PyramidSettings, settings: BoxSettings
    ) -> None:
        self._start, self._pyramid, self._settings = start, pyramid, settings
        self._length_m = meshes.length_m
        box = within_reach(meshes, observation, start, pyramid.distance * meshes.length_m)
        # The borders of what is within reach are not the object's.
        self._scored = partial(box_score, meshes, observation, box, replace(settings, outside=0.0, edge=0.0))

    def climbed(self, rng: Generator) -> Scored:
        """The poses that explain most, the best first: as many as the second level takes."""
        first, second = self._pyramid.levels[:2]
        R, t = around_prior(
            self._start, _SPREAD * first.hypotheses, rng=rng,
            angle_rad=np.radians(self._pyramid.angle_deg), distance_m=self._pyramid.distance * self._length_m,
        )  # fmt: skip
        score = self._scored(size=_CLIMBED_PX, faces=first.faces, depth_range=self._settings.depth_range)
        return climbed(
            Scored.of(R, t, score).best_apart(_BEGUN, self._length_m), second.hypotheses,
            replace(self._settings.climb, drawn=_DRAWN), rng, rounds=_ROUNDS, length_m=self._length_m, score=score,
        )  # fmt: skip

    def through_levels(self, run: Run, poses: Scored, column: int) -> Scored:
        """Those that are left after all levels but the first and the last, the best first; see `climbed`.

        Args:
            run: takes hypotheses through levels, around a pose.
            poses: where they begin.
            column: number of the first of them in the history.
        """
        kept, pyramid = poses, self._pyramid
        for number, (level, following) in enumerate(zip(pyramid.levels[1:-1], pyramid.levels[2:], strict=True), 1):
            hypotheses = Hypotheses(kept.R, kept.t, np.arange(column, column + len(kept.t)))
            found = run(pyramid.of_level(number), hypotheses, Pose(kept.R[0], kept.t[0]))
            if isinstance(found, Failure):
                break
            score, solution = self.judging(level), found.ended.solution
            moved = Scored.of(solution.R[:, 0], solution.t[:, 0], score)
            kept = Scored.of(kept.R, kept.t, score).bettered(moved).best_apart(following.hypotheses, self._length_m)
        good = kept.score >= _BEATEN * kept.score[0]
        good[0] = True  # all of them may be paid for more than they earn
        return Scored(kept.R[good], kept.t[good], kept.score[good])

    def judging(self, level: Level) -> Score:
        """The function that says how much poses explain that are about right."""
        return self._scored(size=_JUDGED_PX, faces=level.faces, depth_range=self._settings.depth_range_fine)

    def best_of(self, found: list[Candidates]) -> Candidates:
        """The one whose pose explains most."""
        R, t = (np.stack(some) for some in zip(*((one.pose.R_m2c, one.pose.t_m2c) for one in found), strict=True))
        return found[int(np.argmax(self.judging(self._pyramid.levels[-2])(R, t)))]


def within_reach(meshes: MeshLevels, observation: Observation, start: Pose, distance_m: float) -> Box:
    """The box (x0, y0, x1, y1) of all places where an object may be that is a distance from a start at most, pixels.

    Args:
        meshes: the object, about its own middle.
        observation: the whole image.
        start: object to camera.
        distance_m: metres.
    """
    camera = observation.camera
    last = np.array([camera.width - 1.0, camera.height - 1.0])
    box = projected_box(meshes.corners_m, start, camera)
    if isinstance(box, Status):
        return 0.0, 0.0, float(last[0]), float(last[1])
    reach = distance_m / max(float(start.t_m2c[2]), distance_m) * np.array([camera.fx, camera.fy])
    x0, y0 = np.maximum(np.array(box[:2]) - reach, 0.0)
    x1, y1 = np.minimum(np.array(box[2:]) + reach, last)
    return float(x0), float(y0), float(x1), float(y1)
