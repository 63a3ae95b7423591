"""When the object's picture is made, and of which frame."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from diffdope.geometry.pose import Pose
from diffdope.pipelines.tracking.last_template import LastTemplate
from diffdope.scene.observation import Observation
from diffdope.search.tracking.template_matching import TemplateMatcher

HERE = Pose(np.eye(3), np.array([0.0, 0.0, 0.5]))


class Matcher:
    """Says what was asked of it; of a frame named `empty` there is no picture."""

    def __init__(self) -> None:
        self.made: list[Any] = []
        self.asked: list[tuple[Any, ...]] = []

    def picture(self, observation: Any, pose: Pose) -> Any:
        self.made.append(observation)
        return None if observation == "empty" else f"picture of {observation}"

    def moved(self, patch: Any, observation: Any, expected: Pose, reach_m: float) -> Pose:
        self.asked.append((patch, observation, reach_m))
        return expected


def frame(name: str) -> Observation:
    """A stand-in."""
    return cast(Observation, name)


def last(matcher: Matcher) -> LastTemplate:
    return LastTemplate(cast(TemplateMatcher, matcher), 1.5)


def test_only_the_last_frame_before_a_question_is_looked_at_and_once() -> None:
    matcher = Matcher()
    picture = last(matcher)
    for name in ("one", "two", "three"):
        picture.take(frame(name), HERE)
    assert matcher.made == []
    assert picture.seen(frame("now"), HERE, 0.2) is HERE
    picture.seen(frame("next"), HERE, 0.4)
    assert matcher.made == ["three"]
    assert [one[:2] for one in matcher.asked] == [("picture of three", "now"), ("picture of three", "next")]
    assert np.allclose([one[2] for one in matcher.asked], [0.3, 0.6])


def test_a_frame_without_a_picture_leaves_the_one_before() -> None:
    matcher = Matcher()
    picture = last(matcher)
    picture.take(frame("one"), HERE)
    picture.seen(frame("now"), HERE, 0.1)
    picture.take(frame("empty"), HERE)
    picture.seen(frame("next"), HERE, 0.1)
    assert matcher.asked[-1][0] == "picture of one"


def test_nothing_is_seen_before_a_frame_nor_without_a_matcher_nor_in_a_new_film() -> None:
    matcher = Matcher()
    picture = last(matcher)
    assert picture.seen(frame("now"), HERE, 0.1) is None
    picture.take(frame("one"), HERE)
    picture.clear()
    assert picture.seen(frame("now"), HERE, 0.1) is None
    none = LastTemplate(None, 1.5)
    none.take(frame("one"), HERE)
    assert none.seen(frame("now"), HERE, 0.1) is None
    assert matcher.made == []
