"""What is kept between requests, in bounded numbers: refiners of meshes, and tracks."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from diffdope.errors import DiffDopeError
from diffdope.pipelines.refiner import Refiner
from diffdope.service.work import Busy


class UnknownError(DiffDopeError):
    """There is no such mesh or track here (any more)."""


class UnderwayError(DiffDopeError):
    """The frame before is still being worked on."""


class Meshes:
    """Refiners by the mesh's id; the least recently used is dropped where there are too many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[str, Refiner] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, name: str) -> Refiner:
        """The refiner of a mesh, which was used now.

        Raises:
            UnknownError: if there is none.
        """
        with self._lock:
            if name not in self._kept:
                raise UnknownError(f"mesh: {name!r} is not registered (any more); POST it to /meshes")
            self._kept.move_to_end(name)
            return self._kept[name]

    def find(self, name: str) -> Refiner | None:
        """The same, or None."""
        with self._lock:
            if name in self._kept:
                self._kept.move_to_end(name)
            return self._kept.get(name)

    def put(self, name: str, refiner: Refiner) -> None:
        """Keeps a refiner; requests that use one that is dropped end as they would have."""
        with self._lock:
            self._kept[name] = refiner
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
class Track:
    """A video that is followed: its refiner holds what was seen so far.

    Attributes:
        mesh: id of its mesh.
        refiner: its own.
        used: when, by `time.monotonic`.
        underway: whether a frame is being worked on.
        began: whether a frame was taken.
    """

    mesh: str
    refiner: Refiner
    used: float = field(default_factory=time.monotonic)
    underway: bool = False
    began: bool = False


class Tracks:
    """Tracks by the names that clients gave them."""

    def __init__(self, most: int, idle_s: float) -> None:
        self._most, self._idle_s = most, idle_s
        self._kept: dict[str, Track] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    @contextmanager
    def frame(self, name: str, mesh: str | None, meshes: Meshes, threads: int) -> Iterator[Track]:
        """The track for one frame. One that is new is kept if the frame is taken, and not if the block raises.

        Args:
            name: of the track.
            mesh: id of its mesh; may be None from the second frame on.
            meshes: those that are registered.
            threads: of its refiner.

        Raises:
            UnknownError: if it is new, and there is no mesh or no such mesh.
            UnderwayError: if the frame before is still being worked on.
            DiffDopeError: if the mesh is another one than before.
            Busy: if there are as many tracks as may be, and all are in use.
        """
        track = self._begin(name, mesh, meshes, threads)
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

    def _begin(self, name: str, mesh: str | None, meshes: Meshes, threads: int) -> Track:
        with self._lock:
            track = self._kept.get(name)
            if track is None:
                track = self._kept[name] = self._new(name, mesh, meshes, threads)
            elif track.underway:
                raise UnderwayError(f"track {name}: the frame before is not done; send the next after its answer")
            elif mesh is not None and mesh != track.mesh:
                raise DiffDopeError(
                    f"mesh: expected {track.mesh} as before in track {name}, got {mesh}; DELETE it first"
                )
            track.underway = True
            return track

    def _new(self, name: str, mesh: str | None, meshes: Meshes, threads: int) -> Track:
        if mesh is None:
            raise UnknownError(f"track: there is no {name!r} (any more); begin one with the key mesh")
        registered = meshes.get(mesh)
        if len(self._kept) >= self._most:
            old = min(self._kept, key=lambda one: (self._kept[one].underway, self._kept[one].used))
            if self._kept[old].underway or time.monotonic() - self._kept[old].used < self._idle_s:
                raise Busy
            del self._kept[old]
        refiner = Refiner(registered.mesh, preset=registered.preset, seed=registered.seed, threads=threads)
        return Track(mesh, refiner)
