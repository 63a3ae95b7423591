"""What else a lost object may be, where a single descent from its last picture has found it.

One descent ends in the next minimum: of a smooth object, depth fits at two thirds of all turns nearly as well. So a
pose that is found again is as sure as it is beside others that fit, as those of `locate` are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from diffdope.estimate.confidence import log_odds
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.pipelines.attempt import Attempt
from diffdope.pipelines.searcher import MeshSearcher
from diffdope.pipelines.settings import Preset
from diffdope.pipelines.tracking.frame import sureness
from diffdope.scene.observation import Observation
from diffdope.search.alternatives.answers import answers_of

_TURN_RAD = np.radians(30.0)  # how far off a descent still finds the pose
SAME_RAD = np.radians(20.0)  # descents that rest nearer to each other were on the way to the same pose
_AXES = np.concatenate([np.eye(3), -np.eye(3)])  # about which turns are tried, both ways


@dataclass(frozen=True)
class CompetingPoses:
    """Looks for other poses where one was found.

    Learned colours are left out: they agree with a wrong pose that they were learned from. What was found without them
    counts as it is.

    Attributes:
        searcher: of the object.
        near: preset of a search from a start close by.
    """

    searcher: MeshSearcher
    near: Preset

    def weighed(self, found: Attempt, observation: Observation, last: Pose) -> Attempt:
        """The surest of the poses around one that was found, as sure as the others leave it.

        Args:
            found: in the object's own frame.
            observation: the frame.
            last: pose that could be trusted last: it may be turned as it was.
        """
        here = found.result.pose
        turned = (so3.exp(_TURN_RAD * axis) @ here.R_m2c for axis in _AXES)
        starts = [here, Pose(last.R_m2c, here.t_m2c), *(Pose(R, here.t_m2c) for R in turned)]
        attempts = [self._refined(observation, start) for start in starts]
        if found.result.evidence is None or found.result.evidence.learned is None:
            attempts.append(found)
        distinct: list[Attempt] = []
        for one in sorted(attempts, key=_sureness, reverse=True):
            if all(one.result.pose.angle_to(other.result.pose) > SAME_RAD for other in distinct):
                distinct.append(one)
        odds = np.array([log_odds(_sureness(one)) for one in distinct])
        answers = answers_of([one.result.pose for one in distinct], odds, self.searcher.meshes.alikeness)
        best = max(distinct[0], self._refined(observation, distinct[0].result.pose), key=_sureness)
        share = 0.0 if answers.rivalled else answers.ranked[0].probability
        return best._replace(result=replace(best.result, confidence=min(share, sureness(best.result))))

    def _refined(self, observation: Observation, start: Pose) -> Attempt:
        return self.searcher.attempt(self.near, observation, start)


def _sureness(attempt: Attempt) -> float:
    return sureness(attempt.result)
