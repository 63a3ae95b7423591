"""Scratch memory that threads borrow: nobody else holds what a lease gives, and it is large enough for its holder."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple

from diffdope.render.kernels.layout import Scratch

_WINDOW = 256  # leases after which a burst of threads is forgotten


class Room(NamedTuple):
    """What a scratch has room for: crops of so many pixels, and the edge modality's normal matrix or not."""

    pixels: int
    edge_jacobian: bool

    def holds(self, wanted: Room) -> bool:
        """Whether there is enough."""
        return self.pixels >= wanted.pixels and self.edge_jacobian >= wanted.edge_jacobian

    def widened(self, other: Room) -> Room:
        """Enough for both."""
        return Room(max(self.pixels, other.pixels), self.edge_jacobian or other.edge_jacobian)


class Held(NamedTuple):
    """One scratch and its room."""

    room: Room
    scratch: Scratch


class ScratchStore:
    """Lends scratches, and keeps those that come back for the next.

    It never holds more than were lent at once of late: a scratch that is made while others lie idle, but are too
    small, takes the place of one of them, and what comes back in excess is dropped. Any number of threads may borrow
    at a time.

    Args:
        allocate: makes a scratch with room for so many pixels, and for the edge modality's normal matrix or not.
    """

    def __init__(self, allocate: Callable[[Room], Scratch]) -> None:
        self._allocate = allocate
        self._lock = threading.Lock()
        self._idle: list[Held] = []
        self._lent = 0
        self._most = self._most_of_window = self._leases = 0

    @property
    def idle(self) -> int:
        """How many nobody uses at the moment."""
        return len(self._idle)

    def take(self, wanted: Room, count: int) -> list[Held]:
        """Borrows `count` scratches with the wanted room."""
        with self._lock:
            self._note(count)
            taken = [held for _ in range(count) if (held := self._pick(wanted)) is not None]
            for _ in range(count - len(taken)):  # those left are too small
                if self._idle:
                    wanted = self._idle.pop(0).room.widened(wanted)
        try:
            # Outside of the lock: to clear so much memory takes milliseconds.
            return taken + [Held(wanted, self._allocate(wanted)) for _ in range(count - len(taken))]
        except BaseException:
            self.give_back(taken, count)
            raise

    def give_back(self, held: list[Held], count: int) -> None:
        """Ends a loan of `count`; `held` are those that are clean."""
        with self._lock:
            self._lent -= count
            room = self._most - self._lent - len(self._idle)
            self._idle.extend(held[: max(room, 0)])

    def _note(self, count: int) -> None:
        """Counts what is lent, and how much of it at once: in this window of leases or the one before."""
        self._lent += count
        self._leases += 1
        self._most_of_window = max(self._most_of_window, self._lent)
        self._most = max(self._most, self._most_of_window)
        if self._leases % _WINDOW == 0:
            self._most, self._most_of_window = self._most_of_window, self._lent
            del self._idle[max(self._most - self._lent, 0) :]

    def _pick(self, wanted: Room) -> Held | None:
        """Takes the smallest idle scratch with the wanted room; of equal ones the last that came back, still cached."""
        best = -1
        for k, held in enumerate(self._idle):
            if held.room.holds(wanted) and (best < 0 or held.room <= self._idle[best].room):
                best = k
        return self._idle.pop(best) if best >= 0 else None


class Lease:
    """A loan of scratches, as a context: `with buffers.lease(...) as scratch:` gives a list of them."""

    def __init__(self, store: ScratchStore, wanted: Room, count: int) -> None:
        self._store, self._wanted, self._count = store, wanted, count

    def __enter__(self) -> list[Scratch]:
        self._held = self._store.take(self._wanted, self._count)
        return [held.scratch for held in self._held]

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # After an error nobody knows whether a thread still writes to them, nor how it left them.
        self._store.give_back(self._held if kind is None else [], self._count)
