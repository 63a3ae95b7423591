"""The object's picture in the last frame that could be trusted: made when somebody asks where it is seen now."""

from __future__ import annotations

from diffdope.geometry.pose import Pose
from diffdope.pipelines.tracking.relocalization import LastSeen
from diffdope.scene.observation import Observation
from diffdope.search.tracking.template_matching import Patch, TemplateMatcher


class LastTemplate:
    """Of most frames nobody asks for it, so the frame itself is kept until then.

    Args:
        matcher: takes pictures and finds them; None for no picture ever.
        reach_m_per_s: how fast the object may move.
    """

    def __init__(self, matcher: TemplateMatcher | None, reach_m_per_s: float) -> None:
        self._matcher, self._reach_m_per_s = matcher, reach_m_per_s
        self.clear()

    def clear(self) -> None:
        """For a new film."""
        self._patch: Patch | None = None
        self._unread: Pose | None = None
        self._frame: Observation | None = None

    def take(self, observation: Observation, pose: Pose) -> None:
        """A frame that can be trusted."""
        self._frame, self._unread = observation, pose

    def seen(self, observation: Observation, expected: Pose, elapsed_s: float) -> Pose | None:
        """Where it is seen, as far around as a hand may have carried it in so many seconds; None if nowhere."""
        if self._matcher is None:
            return None
        if self._frame is not None and self._unread is not None:
            self._patch = self._matcher.picture(self._frame, self._unread) or self._patch
            self._unread = None
        if self._patch is None:
            return None
        return self._matcher.moved(self._patch, observation, expected, self._reach_m_per_s * elapsed_s)

    def last_seen(self, pose: Pose, elapsed_s: float) -> LastSeen:
        """Where the object was in the last frame that could be trusted, so many seconds before."""
        return LastSeen(pose, elapsed_s, self._reach_m_per_s, self._frame)
