"""Many threads, sizes and objects at a time, forked children and pickles: the same bits as one call after the other."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from typing import TypeVar

import numpy as np
import pytest
from numpy.typing import NDArray

from diffdope.geometry.camera import Camera
from diffdope.problem.factor import ImageFactor
from diffdope.problem.problem import Problem
from diffdope.problem.responsibility import Responsibility
from diffdope.problem.variables import Variables
from diffdope.render.buffers import Buffers
from diffdope.render.per_process import PerProcess
from diffdope.render.renderer import Renderer
from diffdope.scene.observation import Observation
from diffdope.terms.registry import ObjectiveSettings
from tests.oracle.differences import rotation
from tests.oracle.kernels import mesh_of
from tests.oracle.scenes import random_scene

pytestmark = pytest.mark.usefixtures("threads_share_all")

Arrays = tuple[NDArray[np.generic], ...]
T = TypeVar("T")
SEEDS = (2, 15, 4)  # a fine ball without colour, a box and a torus
SIZES = ((24, 20), (64, 48), (33, 57), (130, 90), (161, 163))
FORK = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def at_once(works: Sequence[Callable[[], T]], threads: int) -> list[T]:
    """Their results, worked out in so many threads that all begin at the same moment."""
    start = threading.Barrier(threads)

    def chosen(k: int) -> list[T]:
        start.wait(60)
        return [work() for work in works[k::threads]]

    results: list[T | None] = [None] * len(works)
    with ThreadPoolExecutor(threads) as pool:
        for k, part in enumerate(pool.map(chosen, range(threads))):
            results[k::threads] = part
    return [result for result in results if result is not None]


def same(one: Arrays, other: Arrays) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@cache  # numpy's linear algebra holds a lock of its own, which a fork in the middle of it leaves taken in the child
def poses(seed: int, count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    scene, rng = random_scene(seed), np.random.default_rng(seed)
    R = np.stack([rotation(rng.normal(0, 0.2, 3)) @ scene.R for _ in range(count)])
    return R, scene.t + rng.normal(0, 0.005, (count, 3))


@cache
def camera_of(seed: int, size: tuple[int, int]) -> Camera:
    """The scene's view, stretched to a size."""
    scene = random_scene(seed)
    fx, fy, cx, cy = scene.K
    across, down = size[0] / scene.width, size[1] / scene.height
    return Camera(fx * across, fy * down, cx * across, cy * down, *size)


def drawn(buffers: Buffers, seed: int, size: tuple[int, int], count: int) -> Arrays:
    """Images of some poses, and a gradient of them."""
    renderer = Renderer(buffers.mesh, camera_of(seed, size), buffers=buffers)
    R, t = poses(seed, count)
    upstream = np.random.default_rng(1).normal(size=(count, size[1], size[0]))
    return (*renderer.render(R, t), renderer.backward(R, t, d_coverage=upstream, d_depth=upstream))


def compared(buffers: Buffers, seed: int, size: tuple[int, int], count: int) -> Arrays:
    """Costs with derivatives of some poses, edges included, and residuals of the first one."""
    height, width = size[1], size[0]
    rng = np.random.default_rng(seed)
    observation = Observation(
        camera_of(seed, size), rgb=rng.random((height, width, 3)), depth=rng.uniform(0.4, 0.9, (height, width)),
        mask=rng.random((height, width)) < 0.5,
    )  # fmt: skip
    settings = ObjectiveSettings(edge_weight=0.5)
    everywhere = Responsibility.everywhere(width, height)
    length_m = buffers.mesh.diameter
    factor = ImageFactor(buffers, observation, everywhere, settings, length_m=length_m, with_normal=True)
    R, t = poses(seed, count)
    found = Problem(Variables.one_object(length_m), [factor]).evaluate(R, t)
    linear = factor.linearise(R[0], t[0])
    blocks = [array.copy() for block in linear.blocks.values() for array in (block.residual, block.jacobian)]
    return (*found, *blocks)


@pytest.mark.parametrize("threads_of_pool", [1, 3])
def test_threads_get_what_one_call_after_the_other_gets(threads_of_pool: int) -> None:
    """Eight threads on three objects, five sizes of crop and one to five poses, in two orders."""
    buffers = {seed: Buffers(mesh_of(random_scene(seed)), threads=threads_of_pool) for seed in SEEDS}
    works = [
        partial(what, buffers[seed], seed, size, 1 + k % 5)
        for k, (seed, size) in enumerate((seed, size) for seed in SEEDS for size in SIZES)
        for what in (drawn, compared)
    ]
    one_by_one = [work() for work in works]
    fresh = {seed: Buffers(buffers[seed].mesh, threads=threads_of_pool) for seed in SEEDS}
    again = [partial(work.func, fresh[work.args[1]], *work.args[1:]) for work in works]
    for order in (np.arange(len(works)), np.random.default_rng(0).permutation(len(works))):
        together = at_once([again[k] for k in order], 8)
        assert len(together) == len(works)
        wrong = [int(k) for k, found in zip(order, together, strict=True) if not same(found, one_by_one[k])]
        assert not wrong


def test_crops_that_grow_disturb_nobody() -> None:
    """One renderer draws the same again and again, while others bring ever larger crops to its buffers."""
    seed, size = SEEDS[0], (64, 48)
    buffers = Buffers(mesh_of(random_scene(seed)), threads=2)
    expected = drawn(Buffers(buffers.mesh, threads=1), seed, size, 4)
    grown = threading.Event()

    def steady() -> int:
        wrong = 0
        while not grown.is_set():
            wrong += not same(drawn(buffers, seed, size, 4), expected)
        return wrong

    def growing(first: int) -> int:
        wrong = 0
        for side in range(first, 300, 40):
            square = (side, side + 1)
            wrong += not same(drawn(buffers, seed, square, 2), drawn(Buffers(buffers.mesh, threads=1), seed, square, 2))
        return wrong

    with ThreadPoolExecutor(6) as pool:
        same_again = [pool.submit(steady) for _ in range(3)]
        larger = [pool.submit(growing, first) for first in (65, 75, 85)]
        try:
            assert [future.result() for future in larger] == [0, 0, 0]
        finally:
            grown.set()
        assert [future.result() for future in same_again] == [0, 0, 0]


def test_one_renderer_serves_many_threads() -> None:
    seed = SEEDS[1]
    renderer = Renderer(mesh_of(random_scene(seed)), camera_of(seed, (90, 70)), threads=2)
    R, t = poses(seed, 40)
    one_by_one = [tuple(renderer.render(R[k], t[k])) for k in range(40)]
    works = [partial(lambda k: tuple(renderer.render(R[k], t[k])), k) for k in range(40)]
    assert all(same(a, b) for a, b in zip(at_once(works, 8), one_by_one, strict=True))


def test_kernels_are_compiled_by_whichever_thread_comes_first() -> None:
    """In a process of its own, where nothing is loaded yet."""
    run(
        """
        found = at_once([partial(drawn, buffers, SEEDS[0], (64, 48), 2) for _ in range(8)], 8)
        assert all(same(one, found[0]) for one in found)
        """,
        warm=False,
    )


# --- forks ------------------------------------------------------------------------------------------------------


def run(body: str, *, warm: bool = True) -> None:
    """Runs lines in a process of their own; a hanging child would hang the tests else."""
    head = """
        import os, signal, sys, threading, time
        from functools import cache, partial
        from diffdope.render import pool
        from tests.render.test_threads import SEEDS, at_once, drawn, same
        from diffdope.problem.factor import ImageFactor
from diffdope.problem.problem import Problem
from diffdope.problem.responsibility import Responsibility
from diffdope.problem.variables import Variables
from diffdope.render.buffers import Buffers
        from tests.oracle.kernels import mesh_of
        from tests.oracle.scenes import random_scene

        pool.WORTH_THREADS = 0

        def forked(work):
            child = os.fork()
            if child == 0:
                signal.alarm(60)  # ends a child that hangs
                try:
                    os._exit(0 if work() else 1)
                except BaseException as error:
                    print(error, file=sys.stderr, flush=True)
                    os._exit(2)
            return lambda: os.waitpid(child, 0)[1]

        buffers = Buffers(mesh_of(random_scene(SEEDS[0])), threads=3)
        """
    lines = [head, "        expected = drawn(buffers, SEEDS[0], (64, 48), 9)\n" if warm else "", body]
    text = "\n".join(line[8:] if line.startswith(" " * 8) else line for part in lines for line in part.split("\n"))
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", text]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ, **_paths()})
    assert done.returncode == 0, done.stderr


def _paths() -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


@FORK
def test_a_forked_child_makes_its_own_threads() -> None:
    run("""
        def again():
            return same(drawn(buffers, SEEDS[0], (64, 48), 9), expected)

        children = [forked(again) for _ in range(2)]
        grandchild = forked(lambda: again() and forked(again)() == 0)
        assert again()
        assert [wait() for wait in children] == [0, 0]
        assert grandchild() == 0
        """)


@FORK
def test_a_child_that_is_forked_in_the_middle_of_work_is_free() -> None:
    """Threads hold locks, scratch and the pool at any moment; the child has none of these threads."""
    run("""
        stop = threading.Event()

        def busy(size):
            while not stop.is_set():
                drawn(buffers, SEEDS[0], size, 5)

        threads = [threading.Thread(target=busy, args=((40 + 30 * k, 50),)) for k in range(4)]
        for thread in threads:
            thread.start()
        codes = []
        for k in range(12):
            time.sleep(0.003 * k)
            codes.append(forked(lambda: same(drawn(buffers, SEEDS[0], (64, 48), 9), expected))())
        stop.set()
        for thread in threads:
            thread.join()
        assert codes == [0] * 12, codes
        """)


@FORK
def test_a_fork_waits_until_nobody_compiles() -> None:
    """Else the child waits for ever for numba's lock, at its first call of what is not compiled."""
    run("""
        from numba import njit

        def compiled(seed):
            lines = "\\n".join(f"    x = x * {k + 1} % 1000003 + {seed}" for k in range(150))
            names = {}
            exec(f"def f(x):\\n{lines}\\n    return x", names)
            return njit(names["f"])

        begun = threading.Event()

        def long():
            begun.set()
            for seed in range(3):
                compiled(seed)(1)

        thread = threading.Thread(target=long)
        thread.start()
        begun.wait()
        codes = []
        while thread.is_alive() and len(codes) < 20:
            time.sleep(0.01)
            codes.append(forked(lambda: njit(lambda x: x + 1)(1) == 2)())
        thread.join()
        assert codes and not any(codes), codes
        """)


def test_what_belongs_to_a_process_is_one_for_all_its_threads() -> None:
    owner = PerProcess(threading.Lock)
    assert len({id(lock) for lock in at_once([owner.get] * 64, 8)}) == 1


# --- pickles ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_buffers_and_renderers_pickle(seed: int) -> None:
    buffers = Buffers(mesh_of(random_scene(seed)), threads=2)
    before = (*drawn(buffers, seed, (64, 48), 3), *compared(buffers, seed, (64, 48), 3))
    copy = pickle.loads(pickle.dumps(buffers))
    assert same((*drawn(copy, seed, (64, 48), 3), *compared(copy, seed, (64, 48), 3)), before)

    renderer = Renderer(buffers.mesh, camera_of(seed, (64, 48)), buffers=buffers)
    R, t = poses(seed, 3)
    moved = pickle.loads(pickle.dumps(renderer))
    assert same(tuple(moved.render(R, t)), tuple(renderer.render(R, t)))


def test_a_pickle_carries_no_scratch() -> None:
    buffers = Buffers(mesh_of(random_scene(SEEDS[1])), threads=2)
    before = len(pickle.dumps(buffers))
    drawn(buffers, SEEDS[1], (161, 163), 3)
    assert len(pickle.dumps(buffers)) == before


def test_an_observation_pickles() -> None:
    rng = np.random.default_rng(0)
    seen = Observation(Camera(50, 50, 16, 12, 32, 24), rgb=rng.random((24, 32, 3)), mask=rng.random((24, 32)) < 0.5)
    copy = pickle.loads(pickle.dumps(seen))
    assert copy.camera == seen.camera
    assert copy.mask_box == seen.mask_box
    assert copy.depth is None
    assert np.array_equal(copy.rgb, seen.rgb)
    assert np.array_equal(copy.mask, seen.mask)
