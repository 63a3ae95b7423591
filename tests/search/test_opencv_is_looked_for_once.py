"""A film asks in every frame whether OpenCV is installed: that is looked up once, unless it was missing."""

from __future__ import annotations

import sys

import pytest

from diffdope.search.features import keypoints


@pytest.mark.parametrize(("found", "times"), [(object(), 1), (None, 3)])
def test_it_is_looked_up_once_and_again_if_it_was_missing(
    found: object | None, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def find(name: str) -> object | None:
        asked.append(name)
        return found

    monkeypatch.delitem(sys.modules, "cv2", raising=False)  # as before anything has imported it
    monkeypatch.setattr(keypoints, "find_spec", find)
    assert [keypoints.can_detect() for _ in range(3)] == [found is not None] * 3
    assert asked == ["cv2"] * times
