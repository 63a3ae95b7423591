from __future__ import annotations

import numpy as np

from diffdope.joint.settle import Claim, Loser, rivals_in, settled
from diffdope.search.drawn import Drawing


def claim(x: int, depth: float, *, size: int = 20, mask: np.ndarray | None = None) -> Claim:
    image = np.full((size, size), depth, np.float32)
    return Claim(Drawing(slice(10, 10 + size), slice(x, x + size), image), mask, 0.1)


def masked(x: int) -> np.ndarray:
    mask = np.zeros((60, 80), np.float32)
    mask[10:30, x : x + 20] = 1.0
    return mask


def test_surfaces_that_coincide_are_one_thing() -> None:
    assert rivals_in([claim(10, 0.5), claim(12, 0.501)]) == [(0, 1)]


def test_one_behind_another_and_one_beside_another_are_two() -> None:
    assert rivals_in([claim(10, 0.5), claim(12, 0.6)]) == []
    assert rivals_in([claim(10, 0.5), claim(27, 0.5)]) == []
    assert rivals_in([claim(10, 0.5), claim(60, 0.5), None, Claim(None, None, 0.1)]) == []


def test_the_same_mask_twice_at_other_distances() -> None:
    assert rivals_in([claim(10, 0.5, mask=masked(10)), claim(11, 0.7, mask=masked(10))]) == [(0, 1)]
    assert rivals_in([claim(10, 0.5, mask=masked(10)), claim(11, 0.7, mask=masked(50))]) == []


def test_two_masks_of_one_piece_and_plates_in_a_stack() -> None:
    """An occluder splits a piece in two; of two plates, the lower one shows an edge."""
    assert rivals_in([claim(10, 0.5, mask=masked(10)), claim(10, 0.5002, mask=masked(50))]) == [(0, 1)]
    assert rivals_in([claim(10, 0.5, mask=masked(10)), claim(10, 0.502, mask=masked(50))]) == []
    assert rivals_in([claim(10, 0.5, mask=masked(10)), claim(10, 0.502, mask=masked(12))]) == [(0, 1)]


def test_the_less_sure_one_loses() -> None:
    assert settled([(0, 1)], [3.0, 0.5], ["cup", "box"]) == [Loser(1, 0, True)]


def test_of_two_different_things_that_are_as_sure_neither_is_known() -> None:
    assert settled([(0, 1)], [3.0, 2.8], ["cup", "box"]) == [Loser(1, 0, False), Loser(0, 1, False)]


def test_of_two_alike_one_stays() -> None:
    assert settled([(0, 1)], [3.0, 2.8], ["cup", "cup"]) == [Loser(1, 0, True)]


def test_what_has_lost_claims_nothing_any_more() -> None:
    lost = settled([(0, 1), (1, 2)], [5.0, 3.0, 1.0], ["a", "b", "c"])
    assert lost == [Loser(1, 0, True)]
