from __future__ import annotations

import numpy as np
import pytest

from diffdope.render.pool import HypothesisPool, available_cores, default_threads, set_threads


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("count", [0, 1, 2, 5, 64, 101])
def test_every_hypothesis_is_done_once(threads: int, count: int) -> None:
    done = np.zeros(count, int)

    def work(worker: int, first: int, last: int) -> None:
        assert 0 <= worker < threads
        done[first:last] += 1

    HypothesisPool(threads).run(work, count)
    assert (done == 1).all()


def test_an_exception_of_any_thread_arrives() -> None:
    def work(worker: int, first: int, last: int) -> None:
        raise RuntimeError("from a thread")

    with pytest.raises(RuntimeError, match="from a thread"):
        HypothesisPool(2).run(work, 8)


def test_the_library_setting_is_the_default() -> None:
    try:
        set_threads(3)
        assert default_threads() == 3
    finally:
        set_threads(None)
    assert default_threads() >= 1


def test_an_absurd_number_of_threads_is_reduced():
    pool = HypothesisPool(100_000)
    assert pool.threads <= max(64, available_cores())
    done: list[int] = []
    pool.run(lambda _, first, last: done.extend(range(first, last)), 10)
    assert sorted(done) == list(range(10))
