"""Workers that are processes: the same answers, and one that is killed loses the request that it was at."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from diffdope.io.results import encode
from diffdope.pipelines.refiner import Refiner
from diffdope.scene.packaged import packaged_example
from tests.service.conftest import START, mesh_upload, part, pictures

ABSENT = [name for name in ("fastapi", "uvicorn", "prometheus_client") if importlib.util.find_spec(name) is None]
pytestmark = pytest.mark.skipif(
    bool(ABSENT) or sys.platform == "win32", reason="needs the extra `service`, and SIGKILL"
)


@pytest.fixture
def client(serve: Any) -> Iterator[Any]:
    made = serve(workers=2, processes=True, timeout_s=120.0)
    made.app.state.service.workers.start(warm=True)
    with made:
        yield made


def pid_of(client: Any, worker: int) -> int:
    return int(client.app.state.service.workers._workers[worker]._process.pid)


def busy(client: Any) -> list[int]:
    """Workers that are at a request."""
    workers = client.app.state.service.workers
    return sorted(set(range(2)) - workers._free)


def same(answer: Any, result: Any) -> bool:
    found, wanted = answer.json(), encode(result)
    return all(found[key] == wanted[key] for key in ("cam_R_m2c", "cam_t_m2c", "covariance", "cost", "confidence"))


def test_a_killed_worker_loses_one_request(client: Any) -> None:
    mesh = str(client.post("/meshes", **mesh_upload(preset="default")).json()["id"])
    refine = {"data": part(mesh=mesh, start=START), "files": pictures()}
    example = packaged_example()
    bare = Refiner(example.mesh, preset="default").refine(example.observation, example.start)

    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(client.post, "/refine", **refine) for _ in range(8)]
        until = time.monotonic() + 60
        while not busy(client) and time.monotonic() < until:
            time.sleep(0.001)
        os.kill(pid_of(client, busy(client)[0]), signal.SIGKILL)
        answers = [job.result() for job in jobs]
    codes = sorted(answer.status_code for answer in answers)
    assert codes in ([200] * 7 + [503], [200] * 8)  # all, if the worker had just sent its answer
    for answer in answers:
        assert answer.status_code == 503 or same(answer, bare)
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) >= 1
            assert "the worker ended while it was at this request (exit code -9)" in answer.json()["detail"]
    again = [client.post("/refine", **refine) for _ in range(4)]  # the mesh is sent to the new process
    assert all(same(answer, bare) for answer in again)
    assert client.get("/health").json()["restarts"] == 1


def test_a_worker_that_is_killed_at_its_request_says_so(client: Any) -> None:
    """Stopped first, so that it is surely in the middle of it."""
    mesh = str(client.post("/meshes", **mesh_upload()).json()["id"])
    refine = {"data": part(mesh=mesh, start=START), "files": pictures()}
    pids = [pid_of(client, worker) for worker in range(2)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    killer = threading.Timer(1.0, lambda: [os.kill(pid, signal.SIGKILL) for pid in pids])
    killer.start()
    assert client.post("/refine", **refine).status_code == 503
    assert client.post("/refine", **refine).status_code in (200, 503)  # the other one was killed while it was idle
    assert client.post("/refine", **refine).status_code == 200


def test_tracks_of_a_killed_worker_are_gone_and_others_go_on(client: Any) -> None:
    mesh = str(client.post("/meshes", **mesh_upload()).json()["id"])
    frame = {"data": part(mesh=mesh, start=START), "files": pictures()}
    later = {"data": part(), "files": pictures()}
    for name in ("a", "b"):
        assert client.post(f"/track/{name}", **frame).status_code == 200
    places = {name: client.app.state.service.tracks._kept[name].place.worker for name in ("a", "b")}
    assert set(places.values()) == {0, 1}  # spread over the workers
    os.kill(pid_of(client, places["a"]), signal.SIGKILL)
    assert client.post("/track/a", **later).status_code == 503  # it is noticed at its next call
    gone = client.post("/track/a", **later)
    assert gone.status_code == 404 and "has ended" in gone.json()["detail"]
    assert client.post("/track/b", **later).status_code == 200
    assert client.post("/track/a", **frame).status_code == 200
    assert client.post("/track/a", **later).status_code == 200


def test_a_broken_mesh_is_refused_as_without_processes(client: Any) -> None:
    answer = client.post("/meshes", files={"mesh": ("o.ply", b"ply")})
    assert answer.status_code == 422 and "Traceback" not in answer.text
    assert client.get("/health").json()["restarts"] == 0


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks for children in /proc")
def test_workers_end_with_their_service() -> None:
    """Killed, it cannot end them itself."""
    words = [sys.executable, "-m", "diffdope.cli.main", "serve", "--port", "0", "--no-warm", "--workers", "2"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        next(line for line in server.stdout if line.startswith("listening at "))
        children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
        server.kill()
    assert len(children) >= 2
    until = time.monotonic() + 30
    while any(alive(pid) for pid in children) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in children)


def alive(pid: str) -> bool:
    status = Path(f"/proc/{pid}/stat")
    try:
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
