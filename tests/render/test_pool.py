from __future__ import annotations

import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from diffdope.render.pool import WORTH_THREADS, HypothesisPool, available_cores, default_threads, set_threads


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


def test_little_work_is_done_by_the_caller_alone() -> None:
    """Who asks how many workers there are, and who gives them work, are told the same."""
    pool, callers = HypothesisPool(4), set[int]()
    begun = threading.Barrier(4)

    def work(*_: int) -> None:
        callers.add(threading.get_ident())

    def together(*_: int) -> None:
        begun.wait(60)
        work()

    assert pool.workers(8, WORTH_THREADS - 1) == 1
    pool.run(work, 8, WORTH_THREADS - 1)
    assert callers == {threading.get_ident()}
    assert pool.workers(8, WORTH_THREADS) == pool.workers(8) == 4
    pool.run(together, 4, WORTH_THREADS)
    assert len(callers) == 4


def test_callers_do_not_wait_for_threads_that_are_busy_with_others() -> None:
    """One thread besides the callers: while it is held up, other callers do all of their work alone."""
    pool, release, held = HypothesisPool(2), threading.Event(), threading.Event()

    def hold(worker: int) -> None:
        if worker == 1:
            held.set()
        assert release.wait(60)

    with ThreadPoolExecutor(1) as outside:
        blocked = outside.submit(pool.share, hold, 2)
        assert held.wait(60)
        done: list[int] = []
        pool.run(lambda _, first, last: done.extend(range(first, last)), 20)
        assert sorted(done) == list(range(20))
        assert not blocked.done()
        release.set()
        blocked.result(60)


def test_work_may_use_the_pool_itself() -> None:
    pool = HypothesisPool(3)
    counts = np.zeros((6, 5), int)

    def outer(_: int, first: int, last: int) -> None:
        for row in counts[first:last]:

            def inner(_: int, low: int, high: int, row: np.ndarray = row) -> None:
                row[low:high] += 1

            pool.run(inner, 5)

    pool.run(outer, 6)
    assert (counts == 1).all()


def test_many_callers_at_once() -> None:
    pool = HypothesisPool(4)

    def total(seed: int) -> int:
        done = np.zeros(seed % 37, int)

        def work(worker: int, first: int, last: int) -> None:
            assert 0 <= worker < pool.workers(len(done))
            done[first:last] += 1

        pool.run(work, len(done))
        return int((done != 1).sum())

    with ThreadPoolExecutor(8) as callers:
        assert sum(callers.map(total, range(400))) == 0


@pytest.mark.parametrize("failing", [0, 1])
def test_nobody_works_any_more_when_an_exception_arrives(failing: int) -> None:
    """What a thread still wrote to would be lent to someone else."""
    pool, begun, working = HypothesisPool(2), threading.Barrier(2), threading.Event()

    def work(worker: int) -> None:
        begun.wait(60)
        if worker == failing:
            raise RuntimeError(f"from {worker}")
        working.set()
        time.sleep(0.05)
        working.clear()

    for _ in range(3):
        with pytest.raises(RuntimeError, match=f"from {failing}"):
            pool.share(work, 2)
        assert not working.is_set()


def test_a_pool_pickles() -> None:
    pool = HypothesisPool(3)
    pool.run(lambda *_: None, 9)
    copy = pickle.loads(pickle.dumps(pool))
    done = np.zeros(9, int)

    def work(_: int, first: int, last: int) -> None:
        done[first:last] += 1

    copy.run(work, 9)
    assert copy.threads == 3
    assert (done == 1).all()
