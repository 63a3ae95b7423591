"""Scratch memory that threads borrow: never twice at once, large enough, and not more of it than is used."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from diffdope.render.kernels.layout import Scratch, allocate_scratch
from diffdope.render.scratches import Lease, Room, ScratchStore


class Counted:
    """Makes scratches and counts them; a store sees no more of a scratch than that it is one."""

    def __init__(self) -> None:
        self.made: list[tuple[Room, Scratch]] = []

    def __call__(self, room: Room) -> Scratch:
        scratch = allocate_scratch(1, 1, 1, room.pixels, edge_jacobian=room.edge_jacobian)
        self.made.append((room, scratch))
        return scratch


def pixels_of(scratch: Scratch) -> int:
    return len(scratch.fragments.pixel)


def lease(store: ScratchStore, pixels: int, count: int = 1, *, edge: bool = False) -> Lease:
    return Lease(store, Room(pixels, edge), count)


def test_what_comes_back_is_lent_again() -> None:
    allocate = Counted()
    store = ScratchStore(allocate)
    with lease(store, 100, 2) as first:
        assert len({id(scratch) for scratch in first}) == 2
    with lease(store, 50, 2) as second:
        assert {id(scratch) for scratch in second} == {id(scratch) for scratch in first}
    assert len(allocate.made) == 2


def test_what_is_lent_is_large_enough_and_nobody_elses() -> None:
    store = ScratchStore(Counted())
    with lease(store, 10) as small, lease(store, 1000, edge=True) as large, lease(store, 10) as other:
        assert len({id(scratch) for scratch in (*small, *large, *other)}) == 3
        assert pixels_of(large[0]) >= 1000
        assert large[0].intensity.jacobian.shape == (1000, 6)
    with lease(store, 10) as small, lease(store, 900) as large:
        assert pixels_of(large[0]) == 1000  # the small demand has not taken it
        assert pixels_of(small[0]) == 10


def test_one_that_is_too_small_makes_room_for_a_larger_one_that_serves_both() -> None:
    allocate = Counted()
    store = ScratchStore(allocate)
    for pixels, edge in ((10, True), (20, False), (15, True), (5, False)):
        with lease(store, pixels, edge=edge):
            pass
    assert [room for room, _ in allocate.made] == [Room(10, True), Room(20, True)]
    assert store.idle == 1


def test_no_more_lie_idle_than_were_lent_at_once_of_late() -> None:
    store = ScratchStore(Counted())
    with lease(store, 10, 6):
        pass
    assert store.idle == 6
    for _ in range(600):  # the burst is forgotten
        with lease(store, 10, 2):
            pass
    assert store.idle == 2


def test_an_error_ends_the_loan_and_its_scratch_is_not_trusted_again() -> None:
    allocate = Counted()
    store = ScratchStore(allocate)
    with pytest.raises(RuntimeError, match="half done"), lease(store, 10, 2):
        raise RuntimeError("half done")
    with lease(store, 10, 2) as scratch:
        assert not {id(each) for each in scratch} & {id(made) for _, made in allocate.made[:2]}
    assert store.idle == 2


def test_no_memory_leaves_nothing_lent() -> None:
    allowed = [2]

    def allocate(room: Room) -> Scratch:
        if allowed[0] == 0:
            raise MemoryError
        allowed[0] -= 1
        return Counted()(room)

    store = ScratchStore(allocate)
    with lease(store, 10, 2):
        pass
    with pytest.raises(MemoryError), lease(store, 10, 3):
        pass
    assert store.idle == 2


def test_many_threads_never_hold_the_same_scratch() -> None:
    store = ScratchStore(Counted())
    held: set[int] = set()
    guard = threading.Lock()
    start = threading.Barrier(8)

    def borrow(seed: int) -> int:
        rng = random.Random(seed)
        start.wait()
        clashes = 0
        for _ in range(200):
            pixels, count, edge = rng.randrange(1, 400), rng.randrange(1, 4), rng.random() < 0.3
            with lease(store, pixels, count, edge=edge) as scratch:
                own = {id(each) for each in scratch}
                with guard:
                    clashes += bool(own & held) or len(own) != count
                    held.update(own)
                clashes += any(pixels_of(each) < pixels for each in scratch)
                clashes += edge and any(len(each.intensity.jacobian) < pixels for each in scratch)
                with guard:
                    held.difference_update(own)
        return clashes

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(borrow, range(8))) == 0
    assert store.idle <= 24
