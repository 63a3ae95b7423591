"""Sizes, numbers, times and the token."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.service.conftest import START, mesh_upload, part, pictures


def registered(client: Any, **texts: str) -> str:
    answer = client.post("/meshes", **mesh_upload(**texts))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


class Blocked:
    """Keeps all workers of a service busy until it ends."""

    def __init__(self, client: Any) -> None:
        self.service = client.app.state.service
        self.free = threading.Event()

    def __enter__(self) -> Blocked:
        for _ in range(self.service.limits.workers):
            self.service.work.submit(self.free.wait)
        return self

    def __exit__(self, *_: object) -> None:
        self.free.set()


def test_a_full_queue_answers_503_with_retry_after(serve: Any) -> None:
    client = serve(queue=0)
    mesh = registered(client)
    with Blocked(client):
        answer = client.post("/refine", data=part(mesh=mesh, start=START), files=pictures())
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert client.get("/health").json()["working"] == 1
    while client.get("/health").json()["working"]:
        pass
    assert client.post("/refine", data=part(mesh=mesh, start=START), files=pictures()).status_code == 200


def test_of_many_clients_those_that_fit_are_answered(serve: Any) -> None:
    """Of 12 at a time, with room for 3; the 503 are told before the body is read, or after."""
    client = serve(queue=2)
    mesh = registered(client)

    with client, ThreadPoolExecutor(12) as clients:  # one loop for all of them
        post = [
            clients.submit(client.post, "/refine", data=part(mesh=mesh, start=START), files=pictures())
            for _ in range(12)
        ]
        codes = [job.result().status_code for job in post]
    assert set(codes) == {200, 503}
    assert codes.count(200) >= 3


def test_a_request_that_waits_too_long_is_answered_504(serve: Any) -> None:
    client = serve(timeout_s=0.5)
    mesh = registered(client)
    with Blocked(client):
        answer = client.post("/refine", data=part(mesh=mesh, start=START), files=pictures())
    assert answer.status_code == 504 and "0.5 s" in answer.json()["detail"]


def test_large_requests_are_refused(serve: Any) -> None:
    client = serve(max_bytes=10_000)
    assert client.post("/locate", data=part(), files=pictures()).status_code == 413

    def chunks() -> Any:
        yield b'--x\r\nContent-Disposition: form-data; name="rgb"; filename="a"\r\n\r\n'
        for _ in range(100):
            yield bytes(1000)

    kind = {"content-type": "multipart/form-data; boundary=x"}
    assert client.post("/locate", content=chunks(), headers=kind).status_code == 413
    small = serve(max_pixels=1000)
    answer = small.post("/locate", data=part(), files=pictures("rgb"))
    assert answer.status_code == 422 and "1000 pixels" in answer.json()["detail"]


def test_the_least_recently_used_mesh_is_dropped(serve: Any) -> None:
    client = serve(meshes=2)
    first, second = registered(client, seed="1"), registered(client, seed="2")
    assert registered(client, seed="1") == first  # used again, and kept once
    assert client.get("/health").json()["meshes"] == 2
    third = registered(client, seed="3")
    codes = [
        client.post("/refine", data=part(mesh=one, start=START), files=pictures()).status_code
        for one in (first, second, third)
    ]
    assert codes == [200, 404, 200]
    assert client.delete(f"/meshes/{first}").status_code == 204
    assert client.delete(f"/meshes/{first}").status_code == 404


def test_tracks_are_bounded(serve: Any) -> None:
    client = serve(tracks=1, track_idle_s=1000.0)
    mesh = registered(client)
    frame = {"data": part(mesh=mesh, start=START), "files": pictures()}
    assert client.post("/track/a", **frame).status_code == 200
    assert client.post("/track/b", **frame).status_code == 503
    assert client.post("/track/a", **frame).status_code == 200
    assert client.delete("/track/a").status_code == 204
    assert client.post("/track/b", **frame).status_code == 200
    brief = serve(tracks=1, track_idle_s=1e-6)
    registered(brief)
    assert [brief.post(f"/track/{name}", **frame).status_code for name in "abc"] == [200, 200, 200]
    assert brief.get("/health").json()["tracks"] == 1


def test_frames_of_a_track_come_one_after_the_other(serve: Any) -> None:
    client = serve()
    mesh = registered(client)
    frame = {"data": part(mesh=mesh, start=START), "files": pictures()}
    assert client.post("/track/a", **frame).status_code == 200
    service = client.app.state.service
    with service.tracks.frame("a", mesh, lambda _: None):
        assert client.post("/track/a", **frame).status_code == 409
    assert client.post("/track/a", **frame).status_code == 200
    other = registered(client, seed="7")
    answer = client.post("/track/a", data=part(mesh=other), files=pictures())
    assert answer.status_code == 422 and "as before" in answer.json()["detail"]


def test_the_token(serve: Any) -> None:
    client = serve(token="s3cret")
    for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "s3cret"}, {"authorization": "Bearer "}):
        answer = client.post("/locate", data=part(), files=pictures(), headers=headers)
        assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
    assert client.delete("/meshes/a").status_code == 401
    good = {"authorization": "Bearer s3cret"}
    assert client.delete("/meshes/a", headers=good).status_code == 404
    assert client.get("/health").status_code == 200


def test_the_openapi_page(client: Any) -> None:
    assert client.get("/docs").status_code == 200
    page = client.get("/openapi.json").json()
    assert {"/health", "/meshes", "/locate", "/refine", "/track/{name}"} <= set(page["paths"])


def test_the_command_binds_to_this_machine_and_names_its_mistakes(tmp_path: Any, capsys: Any) -> None:
    from diffdope.cli.main import main
    from diffdope.cli.serve_command import ServeArguments

    assert ServeArguments().host == "127.0.0.1"
    assert ServeArguments(workers=2, max_megabytes=3).limits.max_bytes == 3_000_000
    empty = tmp_path / "token"
    empty.write_text("\n")
    for arguments in (["--workers", "0"], ["--port", "70000"], ["--token-file", str(empty)], ["--timeout-s", "0"]):
        assert main(["serve", *arguments]) == 2
        assert arguments[0].strip("-").split("-")[0] in capsys.readouterr().err


@pytest.mark.parametrize(("workers", "least"), [(1, 1), (10**6, 1)])
def test_threads_are_divided(workers: int, least: int) -> None:
    from diffdope.render.pool import available_cores
    from diffdope.service.limits import Limits

    assert Limits(workers=workers).threads == max(least, available_cores() // workers)


def numbers_of(client: Any) -> dict[str, float]:
    answer = client.get("/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines)}


def test_requests_are_counted(serve: Any) -> None:
    client = serve(token="secret", queue=0)
    assert numbers_of(client)["diffdope_workers"] == 1
    head = {"Authorization": "Bearer secret"}
    assert client.post("/locate").status_code == 401
    for path in ("/locate", "/refine"):
        assert client.post(path, headers=head, data={"request": "{"}).status_code == 422
    assert client.delete("/track/one", headers=head).status_code == 404
    assert client.get("/a b/c?d", headers=head).status_code == 404
    assert client.post("/meshes", headers=head, **mesh_upload()).status_code == 201
    found = numbers_of(client)
    counts = {
        ("/locate", 401): 1, ("/locate", 422): 1, ("/refine", 422): 1, ("/track", 404): 1, ("other", 404): 1,
        ("/meshes", 201): 1, ("/metrics", 200): 1,
    }  # fmt: skip
    for (path, status), count in counts.items():
        assert found[f'diffdope_requests_total{{path="{path}",status="{status}"}}'] == count
    assert found['diffdope_request_seconds_count{path="/locate"}'] == 2
    assert found['diffdope_request_seconds_sum{path="/meshes"}'] > 0 and found["diffdope_meshes"] == 1
    within = [value for name, value in found.items() if name.startswith('diffdope_request_seconds_bucket{le="')]
    assert found['diffdope_request_seconds_bucket{le="+Inf",path="/locate"}'] == 2 and len(within) == 13 * 6
    accept = {"accept": "application/openmetrics-text; version=1.0.0"}
    assert client.get("/metrics", headers=accept).text.endswith("# EOF\n")


def test_each_request_has_a_line_in_the_log() -> None:
    pytest.importorskip("prometheus_client", reason="the extra `service` is not installed")
    from fastapi.testclient import TestClient

    from diffdope.service.app import create_app

    lines: list[str] = []
    client = TestClient(create_app(log=lines.append))
    client.get("/health")
    client.get("/a%0ab c")
    assert [line.split()[2:5] for line in lines] == [["GET", "/health", "200"], ["GET", "/a\\nb%20c", "404"]]
    assert all(float(line.split()[5]) >= 0 and len(line.split()) == 6 for line in lines)
