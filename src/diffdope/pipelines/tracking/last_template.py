"""The object's picture in the last frame that could be trusted: made when somebody asks where it is seen now."""

from __future__ import annotations

from diffdope.geometry.pose import Pose
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
        self._frame: tuple[Observation, Pose] | None = None

    def take(self, observation: Observation, pose: Pose) -> None:
        """A frame that can be trusted."""
        self._frame = observation, pose

    def seen(self, observation: Observation, expected: Pose, elapsed_s: float) -> Pose | None:
        """Where it is seen, as far around as a hand may have carried it in so many seconds; None if nowhere."""
        if self._matcher is None:
            return None
        if self._frame is not None:
            self._patch = self._matcher.picture(*self._frame) or self._patch
            self._frame = None
        if self._patch is None:
            return None
        return self._matcher.moved(self._patch, observation, expected, self._reach_m_per_s * elapsed_s)
