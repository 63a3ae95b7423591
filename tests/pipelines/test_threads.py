"""One refiner in many hands: threads, forks and pickles give the bits of one call after the other."""

from __future__ import annotations

import multiprocessing as mp
import os
import pickle
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import PRESETS
from diffdope.scene.packaged import packaged_example

pytestmark = pytest.mark.usefixtures("threads_share_all")

MESH, WHOLE, _, TRUTH = packaged_example()
PAPER = PRESETS["paper"]
SHORT = replace(PAPER, descent=replace(PAPER.descent, iterations=10, hypotheses=3))
PRESET = {"default": PRESETS["default"], "fast": PRESETS["fast"], "paper": SHORT}


def starts(count: int) -> list[Pose]:
    rng = np.random.default_rng(0)
    return [
        Pose(so3.exp(0.08 * rng.normal(size=3)) @ TRUTH.R_m2c, TRUTH.t_m2c + 0.003 * rng.normal(size=3))
        for _ in range(count)
    ]


def equal(one: RefinementResult, other: RefinementResult) -> bool:
    """To the bit, the history included."""
    arrays = [
        (one.pose.matrix, other.pose.matrix), (one.history.costs, other.history.costs),
        (one.history.t_m2c, other.history.t_m2c), (one.history.R_m2c, other.history.R_m2c),
    ]  # fmt: skip
    if (one.covariance is None) != (other.covariance is None):
        return False
    if one.covariance is not None and other.covariance is not None:
        arrays.append((one.covariance, other.covariance))
    numbers = one.cost == other.cost and one.confidence == other.confidence and one.notes == other.notes
    return numbers and all(np.array_equal(a, b, equal_nan=True) for a, b in arrays)


def together(refiner: Refiner, poses: list[Pose], threads: int) -> list[RefinementResult | BaseException | None]:
    """All poses, by so many threads that begin at the same moment."""
    results: list[RefinementResult | BaseException | None] = [None] * len(poses)
    barrier = threading.Barrier(threads)

    def work(first: int) -> None:
        barrier.wait()
        for k in range(first, len(poses), threads):
            try:
                results[k] = refiner.refine(WHOLE, poses[k])
            except BaseException as error:
                results[k] = error

    workers = [threading.Thread(target=work, args=(k,)) for k in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return results


@pytest.mark.parametrize(("preset", "own", "threads"), [("default", 2, 4), ("fast", 1, 8), ("paper", 2, 4)])
def test_many_threads_share_one_refiner(preset: str, own: int, threads: int) -> None:
    poses = starts(2 * threads)
    alone = Refiner(MESH, preset=PRESET[preset], threads=1)
    expected = [alone.refine(WHOLE, pose) for pose in poses]
    fresh = Refiner(MESH, preset=PRESET[preset], threads=own)  # the first calls make tables and levels at the same time
    for found, want in zip(together(fresh, poses, threads), expected, strict=True):
        assert isinstance(found, RefinementResult), found
        assert equal(found, want)


@pytest.mark.parametrize("preset", PRESET)
def test_a_pickled_refiner_does_the_same(preset: str) -> None:
    refiner, pose = Refiner(MESH, preset=PRESET[preset], seed=3, threads=2), starts(1)[0]
    cold = pickle.loads(pickle.dumps(refiner))
    want = refiner.refine(WHOLE, pose)
    warm = pickle.loads(pickle.dumps(refiner))
    for copied in (cold, warm):
        assert copied.seed == 3 and copied.preset == refiner.preset
        assert equal(copied.refine(WHOLE, pose), want)


def test_a_refiner_that_tracks_can_be_pickled() -> None:
    refiner = Refiner(MESH, preset="fast", threads=1)
    refiner.track(WHOLE, starts(1)[0])
    copied = pickle.loads(pickle.dumps(refiner))
    assert np.array_equal(copied.track(WHOLE).pose.matrix, refiner.track(WHOLE).pose.matrix)


def test_a_result_can_be_pickled() -> None:
    result = Refiner(MESH, preset="fast", threads=1).refine(WHOLE, starts(1)[0])
    assert equal(pickle.loads(pickle.dumps(result)), result)


FORKING = """
import multiprocessing as mp
import sys
import numpy as np
from diffdope.pipelines.refiner import Refiner
from diffdope.render import pool
from diffdope.scene.packaged import packaged_example

pool.WORTH_THREADS = 0
mesh, whole, _, truth = packaged_example()
start = truth.retract([0.002, 0.0, 0.003, 0.04, -0.03, 0.02])


def child(refiner, queue):
    queue.put(refiner.refine(whole, start).pose.matrix)


if __name__ == "__main__":
    refiner = Refiner(mesh, preset=sys.argv[1], threads=2)
    want = refiner.refine(whole, start).pose.matrix
    context = mp.get_context("fork")
    queue = context.Queue()
    children = [context.Process(target=child, args=(refiner, queue)) for _ in range(2)]
    for one in children:
        one.start()
    found = [queue.get(timeout=120) for _ in children]
    for one in children:
        one.join(30)
    assert all(one.exitcode == 0 for one in children)
    assert all(np.array_equal(matrix, want) for matrix in found)
    assert np.array_equal(refiner.refine(whole, start).pose.matrix, want)
    print("equal")
"""


@pytest.mark.skipif("fork" not in mp.get_all_start_methods(), reason="this system cannot fork")
@pytest.mark.parametrize("preset", ["default", "fast", "paper"])
def test_a_warm_refiner_survives_a_fork(preset: str) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}  # what these tests import
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", FORKING, preset]  # forking beside threads
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert done.stdout.strip() == "equal", done.stderr[-2000:]
