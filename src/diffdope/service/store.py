"""What is kept between requests, in bounded numbers: meshes, and tracks."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, TypeVar

from diffdope.errors import DiffDopeError, expected
from diffdope.service.work import Busy

Kept = TypeVar("Kept")
_KEYS = count()


class UnknownError(DiffDopeError):
    """There is no such mesh or track here (any more)."""


class UnderwayError(DiffDopeError):
    """The frame before is still being worked on."""


class Meshes(Generic[Kept]):
    """Something for each mesh by the mesh's id; the least recently used is dropped where there are too many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, name: str) -> Kept:
        """What is kept of a mesh, which was used now.

        Raises:
            UnknownError: if there is none.
        """
        with self._lock:
            if name not in self._kept:
                raise UnknownError(f"mesh: {name!r} is not registered (any more); POST it to /meshes")
            self._kept.move_to_end(name)
            return self._kept[name]

    def find(self, name: str) -> Kept | None:
        """The same, or None."""
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._kept.get(name)

    def put(self, name: str, kept: Kept) -> None:
        """Keeps something; requests that use what is dropped end as they would have."""
        with self._lock:
            self._kept[name] = kept
            self._kept.move_to_end(name)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def drop(self, name: str) -> None:
        """Forgets one.

        Raises:
            UnknownError: if there is none.
        """
        with self._lock:
            if self._kept.pop(name, None) is None:
                raise UnknownError(f"mesh: {name!r} is not registered")


@dataclass
class Track(Generic[Kept]):
    """A video that is followed.

    Attributes:
        mesh: id of its mesh.
        place: where it is followed.
        key: which no other track has, not even one of the same name before.
        used: when, by `time.monotonic`.
        underway: whether a frame is being worked on.
        began: whether a frame was taken.
    """

    mesh: str
    place: Kept
    key: int = field(default_factory=lambda: next(_KEYS))
    used: float = field(default_factory=time.monotonic)
    underway: bool = False
    began: bool = False


class Tracks(Generic[Kept]):
    """Tracks by the names that clients gave them."""

    def __init__(self, most: int, idle_s: float) -> None:
        self._most, self._idle_s = most, idle_s
        self._kept: dict[str, Track[Kept]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def keys(self) -> tuple[int, ...]:
        """Of those that are kept."""
        with self._lock:
            return tuple(track.key for track in self._kept.values())

    @property
    def places(self) -> list[Kept]:
        """Where they are followed; of the caller that holds no frame at the moment."""
        return [track.place for track in tuple(self._kept.values())]

    @contextmanager
    def frame(self, name: str, mesh: str | None, begin: Callable[[str], Kept]) -> Iterator[Track[Kept]]:
        """The track for one frame. One that is new is kept if the frame is taken, and not if the block raises.

        Args:
            name: of the track.
            mesh: id of its mesh; may be None from the second frame on.
            begin: from the id of the mesh to the place of a new track; raises `UnknownError` if there is no such mesh.

        Raises:
            UnknownError: if it is new, and there is no mesh or no such mesh.
            UnderwayError: if the frame before is still being worked on.
            DiffDopeError: if the mesh is another one than before.
            Busy: if there are as many tracks as may be, and all are in use.
        """
        track = self._begin(name, mesh, begin)
        try:
            yield track
            track.began = True
        finally:
            with self._lock:
                track.underway, track.used = False, time.monotonic()
                if not track.began and self._kept.get(name) is track:
                    del self._kept[name]

    def drop(self, name: str) -> None:
        """Ends one.

        Raises:
            UnknownError: if there is none.
        """
        with self._lock:
            if self._kept.pop(name, None) is None:
                raise UnknownError(f"track: there is no {name!r}")

    def _begin(self, name: str, mesh: str | None, begin: Callable[[str], Kept]) -> Track[Kept]:
        with self._lock:
            track = self._kept.get(name)
            if track is None:
                track = self._kept[name] = self._new(name, mesh, begin)
            elif track.underway:
                raise UnderwayError(f"track {name}: the frame before is not done; send the next after its answer")
            elif mesh is not None and mesh != track.mesh:
                raise expected("mesh", f"{track.mesh} as before in track {name}", mesh, "DELETE it first")
            track.underway = True
            return track

    def _new(self, name: str, mesh: str | None, begin: Callable[[str], Kept]) -> Track[Kept]:
        if mesh is None:
            raise UnknownError(f"track: there is no {name!r} (any more); begin one with the key mesh")
        place = begin(mesh)
        if len(self._kept) >= self._most:
            old = min(self._kept, key=lambda one: (self._kept[one].underway, self._kept[one].used))
            if self._kept[old].underway or time.monotonic() - self._kept[old].used < self._idle_s:
                raise Busy
            del self._kept[old]
        return Track(mesh, place)
