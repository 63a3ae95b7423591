"""The order of frames, and the time that their numbers tell."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.io.names import counted, times_of

ORDERS: dict[str, list[str]] = {
    "plain": ["0", "1", "2", "9", "10", "11", "100"],
    "padded": ["000008", "000009", "000010"],
    "padded too little": ["98", "99", "100"],
    "before and after": ["frame2_left", "frame10_left", "frame11_left"],
    "with a sign": ["img-2", "img-10"],
    "two numbers": ["a1_2", "a1_10", "a2_1", "a10_0"],
    "timestamps": ["1403636579.76", "1403636579.8", "1403636579.813", "1403636580.1"],
    "nanoseconds": ["999999999763555584", "1403636579763555584", "1403636579813555456"],
    "a second number after a point": ["0.1", "0.2", "0.10"],  # 0.1 and 0.10 are not the same time
    "seconds and nanoseconds": ["9_5", "9_999", "10_4"],
    "text": ["a", "b", "c"],
    "numbers before text": ["1", "a"],
    "the same number": ["01", "1", "2"],
    "one": ["7"],
    "none": [],
}


@pytest.mark.parametrize("name", ORDERS)
def test_names_come_as_people_count(name: str) -> None:
    right = ORDERS[name]
    shuffled = [right[k] for k in np.random.default_rng(1).permutation(len(right))]
    assert counted(shuffled) == counted(sorted(right)) == right


TIMES: dict[str, tuple[list[str], list[float]]] = {
    "one after another": (["10", "11", "12"], [0.0, 0.1, 0.2]),
    "a gap": (["f8", "f9", "f10", "f20", "f21"], [0.0, 0.1, 0.2, 1.2, 1.3]),
    "every fifth": (["000000", "000005", "000010", "000020"], [0.0, 0.1, 0.2, 0.4]),
    "timestamps": (["5.00", "5.05", "5.1", "5.15", "5.25"], [0.0, 0.1, 0.2, 0.3, 0.5]),
    "jitter": (["1000", "1033", "1066", "1100", "1133"], [0.0, 0.1, 0.2, 10 / 33, 13.3 / 33]),
    "text": (["a", "b", "c"], [0.0, 0.1, 0.2]),
    "two numbers": (["1_5", "2_7", "2_9"], [0.0, 0.1, 0.2]),
    "one": (["7"], [0.0]),
}


@pytest.mark.parametrize("name", TIMES)
def test_numbers_are_the_clock(name: str) -> None:
    names, seconds = TIMES[name]
    assert counted(names) == names
    np.testing.assert_allclose(times_of(names, 10.0), seconds, atol=1e-12)
