"""Frames of a film by their number, of a source that reads them in order."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

from diffdope.scene.observation import Observation

_KEPT = 8  # frames that stay in memory
_AHEAD = 30  # frames that are read on rather than begun anew: decoding a film from its start takes longer


class FrameReader:
    """Gives any frame; goes on where the last one was read, where that is near before the one asked for.

    Args:
        read: an iterator of frames from a number on.
        observation: makes the images of a frame.
        count: of the frames.
    """

    def __init__(
        self, read: Callable[[int], Iterator[Any]], observation: Callable[[Any], Observation], count: int
    ) -> None:
        self._read, self._observation, self._count = read, observation, count
        self._frames: Iterator[Any] | None = None
        self._next = 0
        self._kept: OrderedDict[int, Observation | None] = OrderedDict()

    def view(self, k: int) -> Observation | None:
        """The images of the k-th frame; None where the source ends before it."""
        if k not in self._kept:
            self._kept[k] = self._frame(k)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return self._kept[k]

    def _frame(self, k: int) -> Observation | None:
        if self._frames is None or not self._next <= k < self._next + _AHEAD:
            self._frames, self._next = self._read(k), k
        for frame in self._frames:
            self._next += 1
            if self._next == k + 1:
                return self._observation(frame)
        self._frames = None
        return None
