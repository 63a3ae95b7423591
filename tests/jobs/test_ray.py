"""A real cluster: two Ray nodes on this machine, one of them killed during the run."""

from __future__ import annotations

import importlib.util
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from diffdope.errors import DiffDopeError
from diffdope.jobs.ray_engine import RayEngine, _ActorPool
from diffdope.jobs.ray_worker import RayWorker
from tests.jobs.drivers import Drivers, end, wait_for
from tests.jobs.fake_run import FakeWork, fake_tasks, processes

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason='Ray is not installed (pip install "diffdope[ray]")'
)
STORE = 80_000_000  # bytes; Ray would take a third of the memory


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A head with one CPU; more nodes can be added."""
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")  # else it depends on whether this user has a token
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's own, while it is imported and started
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": STORE}
        cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        yield cluster
    finally:
        cluster.shutdown()


@needs_ray
def test_a_lost_node_costs_no_record(cluster: Any, tmp_path: Path) -> None:
    node = cluster.add_node(num_cpus=1, object_store_memory=STORE)
    cluster.wait_for_nodes()
    run = Drivers(tmp_path, groups=6, each=8, sleep_s=0.1, workers=None, engine="ray", address=cluster.address)
    driver = run.start()
    try:
        # Both nodes are at work before one of them is lost.
        assert wait_for(lambda: len(set(processes(run.log))) == 2 and len(run.begun()) > 8, 60), driver.poll()
        cluster.remove_node(node, allow_graceful=False)  # kill -9
        assert len(run.begun()) < run.groups * run.each
        output, errors = driver.communicate(timeout=60)
    finally:
        end(driver)
    assert driver.returncode == 0, errors
    assert output == ""
    assert "worker died at task" in errors
    assert run.out.read_bytes() == run.undisturbed()
    assert len(set(run.begun())) == run.groups * run.each
    assert len(run.begun()) <= run.groups * run.each + 1  # the task that was in work there
    assert run.no_worker_is_left(10)


@needs_ray
def test_another_auth_mode_is_explained(cluster: Any, tmp_path: Path) -> None:
    run = Drivers(tmp_path, workers=1, engine="ray", address=cluster.address)
    driver = run.start(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN="0" * 64)
    try:
        _, errors = driver.communicate(timeout=60)
    finally:
        end(driver)
    assert driver.returncode == 2, errors
    assert "RAY_AUTH_MODE the same on all machines" in errors


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(DiffDopeError, match=r'engine: expected Ray, got none; pip install "diffdope\[ray\]"'):
        next(RayEngine().run(fake_tasks(1, 1), FakeWork(tmp_path / "log")))


def test_an_actor_that_is_gone_already_is_no_error(tmp_path: Path) -> None:
    class GoneError(Exception):
        pass

    def kill(actor: object) -> None:
        raise GoneError("Actor creation cancelled.")

    actor = SimpleNamespace(start=SimpleNamespace(remote=lambda work: "call"))
    ray = SimpleNamespace(
        exceptions=SimpleNamespace(RayError=GoneError), kill=kill, put=lambda work: work,
        remote=lambda **_: lambda _: SimpleNamespace(remote=lambda: actor),
    )  # fmt: skip
    pool = _ActorPool(ray, FakeWork(tmp_path / "log"))
    assert pool.spawn() == 1
    pool.stop(promptly=True)
    pool.stop(promptly=True)  # nothing is left to end


def test_the_actor_without_ray(tmp_path: Path) -> None:
    worker = RayWorker()
    failed = worker.start(FakeWork(tmp_path / "log", broken="no data"))
    assert failed is not None
    assert failed.startswith("ValueError: no data (on ")
    assert worker.start(FakeWork(tmp_path / "log", bad=(("000000/000001", "value"),))) is None
    good, bad = (worker.run(task.payload) for task in fake_tasks(1, 2))
    assert (good["number"], bad) == (0, {"error": "ValueError: a bad value"})
