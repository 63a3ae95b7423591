"""One `Refiner` used by many threads, after a fork, and after a pickle: the bits of one call after the other."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import numpy as np
import pytest

from diffdope import Pose, Refiner
from diffdope.errors import DiffDopeError
from diffdope.experiments.drawn_arm import drawn_arm
from diffdope.geometry.perturb import perturb
from diffdope.pipelines.tracking.robot_tracker import RobotTracker
from diffdope.pipelines.tracking.tracker import Tracker
from diffdope.scene.packaged import packaged_example

pytestmark = pytest.mark.usefixtures("threads_share_all")

EXAMPLE = packaged_example()


def starts(count: int) -> list[Pose]:
    """At different distances, so that crops differ in size."""
    rng = np.random.default_rng(0)
    return [
        perturb(EXAMPLE.truth, angle_rad=0.02 + 0.02 * k, distance_m=0.001 * (1 + k), rng=rng) for k in range(count)
    ]


@pytest.mark.parametrize(("preset", "threads", "count"), [("default", 1, 8), ("default", 2, 8), ("fast", 1, 16)])
def test_threads_find_what_one_call_after_the_other_finds(preset: str, threads: int, count: int) -> None:
    given = starts(count)
    alone = Refiner(EXAMPLE.mesh, preset=preset, threads=1)
    one_by_one = [alone.refine(EXAMPLE.observation, start) for start in given]
    shared = Refiner(EXAMPLE.mesh, preset=preset, threads=threads)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda start: shared.refine(EXAMPLE.observation, start), given))
    for found, expected in zip(together, one_by_one, strict=True):
        assert np.array_equal(found.pose.matrix, expected.pose.matrix)
        assert found.cost == expected.cost
        assert found.status == expected.status


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.parametrize("threads", [1, 2])
def test_a_forked_child_refines(threads: int) -> None:
    """In a process of its own, so that a child that hangs does not hang the tests."""
    lines = f"""
import os, signal
import numpy as np
from diffdope import Refiner
from diffdope.render import pool
from diffdope.scene.packaged import packaged_example

pool.WORTH_THREADS = 0
example = packaged_example()
refiner = Refiner(example.mesh, preset="fast", threads={threads})
expected = refiner.refine(example.observation, example.start).pose.matrix
child = os.fork()
if child == 0:
    signal.alarm(60)
    found = refiner.refine(example.observation, example.start).pose.matrix
    os._exit(0 if np.array_equal(found, expected) else 1)
assert os.waitpid(child, 0)[1] == 0
assert np.array_equal(refiner.refine(example.observation, example.start).pose.matrix, expected)
"""
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", lines]
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ, "PYTHONPATH": paths})
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("preset", ["default", "fast", "paper"])
def test_a_refiner_pickles_before_and_after_it_is_used(preset: str) -> None:
    refiner = Refiner(EXAMPLE.mesh, preset=preset, threads=2)
    fresh = pickle.dumps(refiner)
    expected = refiner.refine(EXAMPLE.observation, EXAMPLE.start)
    for data in (fresh, pickle.dumps(refiner)):
        found = pickle.loads(data).refine(EXAMPLE.observation, EXAMPLE.start)
        assert np.array_equal(found.pose.matrix, expected.pose.matrix)
        assert found.cost == expected.cost


def test_frames_by_two_threads_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """They mixed their states: the velocity between them was no number, and both went on from it."""
    entered, go_on = Event(), Event()
    track = Tracker.track

    def slow(self: Tracker, *given: Any, **how: Any) -> Any:
        entered.set()
        assert go_on.wait(60)
        return track(self, *given, **how)

    refiner = Refiner(EXAMPLE.mesh, preset="fast")
    monkeypatch.setattr(Tracker, "track", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(refiner.track, EXAMPLE.observation, EXAMPLE.start)
        assert entered.wait(60)
        with pytest.raises(DiffDopeError, match=r"track: expected one call at a time, got a second thread's .* video"):
            refiner.track(EXAMPLE.observation, EXAMPLE.start)
        copied = pickle.loads(pickle.dumps(Refiner(EXAMPLE.mesh, preset="fast")))
        go_on.set()
        assert first.result().ok
    monkeypatch.undo()
    with pytest.raises(DiffDopeError, match="pose"):
        refiner.track(EXAMPLE.observation, "nowhere")  # type: ignore[arg-type]
    assert refiner.track(EXAMPLE.observation).ok and copied.track(EXAMPLE.observation, EXAMPLE.start).ok


def test_a_robots_frames_by_two_threads_at_once_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    tracker, entered, go_on = RobotTracker(drawn_arm()), Event(), Event()

    def slow(self: RobotTracker, joints: Any) -> Any:
        entered.set()
        assert go_on.wait(60)
        raise DiffDopeError("joints: of the first call")

    monkeypatch.setattr(RobotTracker, "_posed", slow)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(tracker.track, EXAMPLE.observation, {})
        assert entered.wait(60)
        with pytest.raises(DiffDopeError, match="track: expected one call at a time"):
            tracker.track(EXAMPLE.observation, {})
        go_on.set()
        assert "joints: of the first call" in str(first.exception())
