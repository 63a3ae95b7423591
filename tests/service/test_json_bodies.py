"""Requests in JSON with base64: the same answers as those of forms, and what is refused."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.service.conftest import CAMERA, DEMO, KINDS, START, mesh_upload, part, pictures

NOT_COMPARED = ("seconds",)


def base64_of(name: str) -> str:
    return base64.b64encode((DEMO / name).read_bytes()).decode()


def body(**keys: Any) -> dict[str, Any]:
    return {"camera": CAMERA, **{kind: base64_of(f"{kind}.png") for kind in KINDS}, **keys}


def result_of(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    return {key: value for key, value in answer.json().items() if key not in NOT_COMPARED}


def test_a_mesh_in_json_is_the_mesh_of_a_form(client: Any, mesh: str) -> None:
    sent = {
        "mesh": base64_of("object.ply"), "name": "object.ply", "beside": {"object.png": base64_of("object.png")},
        "unit": "mm", "preset": "fast",
    }  # fmt: skip
    answer = client.post("/meshes", json=sent)
    assert answer.status_code == 201 and answer.json()["id"] == mesh
    assert client.post("/meshes", json={**sent, "seed": 3}).json()["id"] != mesh
    numbers = client.post("/meshes", json={**sent, "unit": 0.0005}).json()
    assert numbers["diameter_mm"] == pytest.approx(0.5 * answer.json()["diameter_mm"])
    assert client.post("/meshes", **mesh_upload(unit="0.0005")).json()["id"] == numbers["id"]


@pytest.mark.parametrize(("path", "keys"), [("/refine", {"start": START}), ("/locate", {}), ("/track/a", {})])
def test_poses_are_the_same_to_the_bit(client: Any, mesh: str, path: str, keys: dict[str, Any]) -> None:
    of_form = result_of(client.post(path, data=part(mesh=mesh, **keys), files=pictures()))
    if path.startswith("/track"):
        client.delete(path)
    assert result_of(client.post(path, json=body(mesh=mesh, **keys))) == of_form


def test_a_data_url_will_do(client: Any, mesh: str) -> None:
    rgb = f"data:image/png;base64,{base64_of('rgb.png')}"
    assert client.post("/refine", json=body(mesh=mesh, start=START, rgb=rgb)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rgb": "§"}, "rgb: expected a file in base64"),
        ({"rgb": "AAA"}, "rgb: expected a file in base64"),
        ({"rgb": 5}, "rgb: expected a file in base64, got a number"),
        ({"rgb": None}, "rgb: expected a file in base64, got null"),
        ({"depth": ""}, "depth: expected a PNG or a JPEG"),
        ({"mask": base64.b64encode(b"GIF89a").decode()}, "mask: expected a PNG or a JPEG"),
        ({"pgm": ""}, "request, key"),
        ({"request": "{}"}, "request, key"),
        ({"mesh": 7}, "mesh"),
        ({"camera": None}, "camera"),
    ],
)
def test_broken_bodies_are_told(client: Any, mesh: str, changes: dict[str, Any], words: str) -> None:
    answer = client.post("/refine", json={**body(mesh=mesh, start=START), **changes})
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert client.get("/health").json()["working"] == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"null",
        b'"x"',
        b"{",
        b"\xff\xfe",
        b'{"camera": NaN}',
        b'{"a": 1e999}',
        b"[" * 100_000,
        b'{"rgb": {}}',
    ],
)
@pytest.mark.parametrize("path", ["/refine", "/meshes", "/track/a"])
def test_what_is_no_object(client: Any, path: str, content: bytes) -> None:
    answer = client.post(path, content=content, headers={"content-type": "application/json; charset=utf-8"})
    assert answer.status_code == 422 and answer.json()["detail"]


BROKEN_MESHES: list[dict[str, Any]] = [
    {"name": "o.exe"}, {"name": 5}, {"mesh": "?"}, {"beside": []}, {"beside": {"a": 1}}, {"unit": [3]}, {"seed": -1},
    {"unit": 0}, {"unit": "-1"}, {"unit": "km"}, {"seed": 1.5},
    {"seed": "x"}, {"allow_missing_texture": "maybe"}, {"more": 1},
]  # fmt: skip


def test_broken_meshes_in_json(client: Any) -> None:
    good = {"mesh": base64_of("object.ply"), "name": "o.ply"}
    for changes in BROKEN_MESHES:
        answer = client.post("/meshes", json={**good, **changes})
        assert answer.status_code == 422, (changes, answer.text)
    assert client.post("/meshes", json={"name": "o.ply"}).status_code == 422


def test_the_size_of_a_body_is_bounded(serve: Any) -> None:
    small = serve(max_bytes=1000)
    assert small.post("/refine", json=body(start=START)).status_code == 413


def test_the_openapi_page_has_both(client: Any) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    for path in ("/meshes", "/locate", "/refine", "/track/{name}"):
        assert set(paths[path]["post"]["requestBody"]["content"]) == {"multipart/form-data", "application/json"}
