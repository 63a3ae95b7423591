"""Runs tasks on the machines of a Ray cluster. The journal stays with the driver; a lost machine loses no record."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any

from diffdope.checked_fields import checked_fields
from diffdope.errors import DiffDopeError, not_installed
from diffdope.jobs.ray_worker import RayWorker
from diffdope.jobs.scheduler import schedule
from diffdope.jobs.task import Record, Task, Work
from diffdope.jobs.worker_pool import Died, Done, Event, Ready, StartFailed

_POLL_S = 1.0  # how often Ctrl-C and an empty cluster are noticed
_SAME_VERSION = "are Ray's version and RAY_AUTH_MODE the same on all machines, this one included?"
_START_S = 300.0  # without any worker, before the run ends with an error


@dataclass(frozen=True)
@checked_fields(least={"workers": 0})
class RayEngine:
    """Actors of one CPU each. Data and program must be under the same paths on all machines.

    Attributes:
        address: "HOST:PORT" of a cluster, or "auto"; None starts one on this machine for the time of the run. If the
            program is connected already, that connection is used and kept.
        workers: actors at a time; None: as many as the cluster has CPUs when the run begins.
    """

    address: str | None = None
    workers: int | None = None

    def run(self, tasks: Sequence[Task], work: Work) -> Generator[tuple[Task, Record]]:
        """Yields each task with its record, in the order in which they are done.

        Raises:
            DiffDopeError: if Ray is not installed, the cluster does not answer, or no worker can be started.
        """
        ray = _import_ray()
        with nullcontext() if ray.is_initialized() else _connected(ray, self.address):
            size = self.workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
            yield from schedule(_ActorPool(ray, work), tasks, size)


def _import_ray() -> Any:
    # Read when Ray is imported or started.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise not_installed("engine", "Ray", "ray") from error
    return ray


@contextmanager
def _connected(ray: Any, address: str | None) -> Iterator[None]:
    # Ray prints pages to stdout about a lost worker, and has no public switch for it; the scheduler logs a line.
    ray._private.worker._worker_logs_enabled = False
    try:
        _connect(ray, address)
        yield
    finally:
        ray.shutdown()
        ray._private.worker._worker_logs_enabled = True


def _connect(ray: Any, address: str | None) -> None:
    try:
        ray.init(
            address=address or "local", include_dashboard=None if address else False, log_to_driver=False,
            logging_level=logging.ERROR, namespace="diffdope",
        )  # fmt: skip
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as error:
        raise DiffDopeError(
            f"address {address or 'local'}: expected a Ray cluster, got: {error}; "
            f"is it up (`ray status`)? {_SAME_VERSION}"
        ) from error


class _ActorPool:
    """A `WorkerPool` of Ray actors. Each has at most one call in flight: its start, or a task."""

    def __init__(self, ray: Any, work: Work) -> None:
        self._ray = ray
        # Restarts are ours to do: Ray would call a lost task anew without saying so.
        self._actor = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0)(RayWorker)
        self._work = ray.put(work)
        self._workers: dict[int, Any] = {}
        self._calls: dict[Any, int] = {}
        self._ready: set[int] = set()
        self._spawned = 0
        self._last_progress = time.monotonic()

    def spawn(self) -> int:
        self._spawned += 1
        actor = self._actor.remote()
        self._workers[self._spawned] = actor
        self._calls[actor.start.remote(self._work)] = self._spawned
        return self._spawned

    def submit(self, worker: int, task: Task) -> None:
        self._calls[self._workers[worker].run.remote(task.payload)] = worker

    def events(self) -> Iterator[Event]:
        ended, _ = self._ray.wait(list(self._calls), num_returns=1, timeout=_POLL_S)
        if ended or self._ready:
            self._last_progress = time.monotonic()
        elif time.monotonic() - self._last_progress > _START_S:
            resources = self._ray.cluster_resources()
            raise DiffDopeError(f"no worker could be started for {_START_S:.0f} s; the cluster has {resources}")
        for call in ended:
            yield self._event(call, self._calls.pop(call))

    def _event(self, call: Any, worker: int) -> Event:
        try:
            answer = self._ray.get(call)
        except self._ray.exceptions.RayError as error:  # the actor or its machine
            hint = "" if worker in self._ready else f" {_SAME_VERSION}"
            self._remove(worker)
            return Died(worker, f"{type(error).__name__}: {_first_line(error)}{hint}")
        if worker in self._ready:
            return Done(worker, answer)
        if answer is not None:
            self._remove(worker)
            return StartFailed(worker, answer)
        self._ready.add(worker)
        return Ready(worker)

    def _remove(self, worker: int) -> None:
        self._ready.discard(worker)
        with suppress(self._ray.exceptions.RayError):  # one whose start was cancelled is gone already
            self._ray.kill(self._workers.pop(worker))

    def stop(self, *, promptly: bool) -> None:
        self._calls.clear()
        for worker in list(self._workers):
            self._remove(worker)


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), "")
