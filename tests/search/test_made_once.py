"""Properties that are made once."""

from __future__ import annotations

import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from diffdope.search.made_once import MadeOnce, Maker


class Shape(Maker):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []

    @MadeOnce
    def side(self) -> object:
        """Its side."""
        self.calls.append(threading.get_ident())
        time.sleep(0.05)
        return object()

    @MadeOnce
    def sides(self) -> tuple[object, None]:
        return self.side, self.nothing

    @MadeOnce
    def nothing(self) -> None:
        self.calls.append(0)


def test_all_threads_get_what_the_first_one_made() -> None:
    shape = Shape()
    with ThreadPoolExecutor(4) as pool:
        every = list(pool.map(lambda _: shape.sides, range(8)))
    assert all(one is every[0] for one in every) and every[0] == (shape.side, None)
    assert len(shape.calls) == 2  # None is a value, too


def test_what_is_forgotten_is_made_anew_and_each_owner_has_its_own() -> None:
    shape, other = Shape(), Shape()
    first = shape.side
    assert other.side is not first
    shape.made = {}
    assert shape.side is not first
    assert Shape.side.__doc__ == "Its side."


def test_what_was_made_is_pickled_with_its_owner() -> None:
    shape = Shape()
    assert shape.nothing is None and len(shape.calls) == 1
    again = pickle.loads(pickle.dumps(shape))
    assert again.nothing is None and len(again.calls) == 1 and again.side is again.side
