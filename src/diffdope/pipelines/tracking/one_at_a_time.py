"""What follows a video is called by one thread at a time: a second call that comes meanwhile is refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from diffdope.errors import expected


class SingleCall:
    """Says whether a call is under way; a copy, and a pickle's, begin with none."""

    def __init__(self) -> None:
        self.lock = Lock()

    def __reduce__(self) -> tuple[type[SingleCall], tuple[()]]:
        return SingleCall, ()


class TracksVideo(Protocol):
    """Its state goes on from call to call."""

    _one: SingleCall


Self = TypeVar("Self", bound=TracksVideo)
P = ParamSpec("P")
R = TypeVar("R")


def one_at_a_time(method: Callable[Concatenate[Self, P], R]) -> Callable[Concatenate[Self, P], R]:
    """A method that refuses to be called while another thread's call of one like it, on the same object, is under way.

    To wait would hide a fault: whose frame comes first would be chance, and the motion that is predicted none.
    """

    @wraps(method)
    def guarded(self: Self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if not self._one.lock.acquire(blocking=False):
            cure = "give each video an object of its own; of one video, call for a frame when the one before is done"
            raise expected(method.__name__, "one call at a time", "a second thread's while the first's runs", cure)
        try:
            return method(self, *args, **kwargs)
        finally:
            self._one.lock.release()

    return guarded
