"""The service in this process, and the packaged example as a client sends it."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

DEMO = Path(str(files("diffdope"))) / "data" / "demo"
CAMERA = json.loads((DEMO / "camera.json").read_text())
START = json.loads((DEMO / "init.json").read_text())
KINDS = ("rgb", "depth", "mask")


def pictures(*kinds: str) -> dict[str, Any]:
    return {kind: (f"{kind}.png", (DEMO / f"{kind}.png").read_bytes(), "image/png") for kind in kinds or KINDS}


def part(**keys: Any) -> dict[str, str]:
    return {"request": json.dumps({"camera": CAMERA, **keys})}


def mesh_upload(**texts: str) -> dict[str, Any]:
    sent = [
        ("mesh", ("object.ply", (DEMO / "object.ply").read_bytes())),
        ("beside", ("object.png", (DEMO / "object.png").read_bytes())),
    ]
    return {"files": sent, "data": {"unit": "mm", "preset": "fast", **texts}}


@pytest.fixture
def serve() -> Iterator[Callable[..., Any]]:
    """Makes a client of a service with limits; it raises what the service does not answer itself."""
    for module in ("fastapi", "prometheus_client"):
        pytest.importorskip(module, reason=f"the extra `service` is not installed: {module}")
    pytest.importorskip("httpx", reason="fastapi's test client needs httpx")
    with warnings.catch_warnings():  # starlette asks for httpx2, which few have; httpx does as well
        warnings.filterwarnings("ignore", "Using `httpx`")
        from fastapi.testclient import TestClient

    from diffdope.service.app import create_app
    from diffdope.service.limits import Limits

    made: list[Any] = []

    def client(*, token: str | None = None, processes: bool = False, **limits: Any) -> Any:
        app = create_app(Limits(**limits), token=token, processes=processes)
        made.append(app.state.service)
        return TestClient(app)

    yield client
    for service in made:
        service.close()


@pytest.fixture
def client(serve: Callable[..., Any]) -> Any:
    return serve()


@pytest.fixture
def mesh(client: Any) -> str:
    answer = client.post("/meshes", **mesh_upload())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])
