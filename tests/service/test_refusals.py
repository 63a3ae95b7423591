"""Whatever is sent, the answer is a status below 500 that says what is wrong, and the next request is answered."""

from __future__ import annotations

import io
import json
import random
import re
import zlib
from typing import Any

import numpy as np
import pytest

from tests.service.conftest import CAMERA, DEMO, START, mesh_upload, part, pictures

RGB = (DEMO / "rgb.png").read_bytes()


def png(array: Any) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def huge_png() -> bytes:
    """A header that promises 60000 x 60000 pixels."""
    head = b"IHDR" + (60000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + head + zlib.crc32(head).to_bytes(4, "big")


# Words of Python, of the command line, and of files that a client has not sent.
FOREIGN = re.compile(
    r"NoneType|<U\d|\b(str|dict|tuple|ndarray|bool)\b|--\w|Pose\.|Refiner|observation|camera\.json|\.npy|sys\.|"
    r"T_m2c:|masks=|starts=|diffdope-|read_mask|inverted=|(\b\w+\b)[: ]+\2:"
)


def check_words(detail: str) -> None:
    """Of the request, in JSON's words, with what was expected and what came."""
    found = FOREIGN.search(detail)
    assert found is None, f"{found[0] if found else ''} in {detail}"


def refused(answer: Any, *words: str, status: int = 422) -> None:
    assert answer.status_code == status, answer.text
    detail = answer.json()["detail"]
    for word in words:
        assert word in detail
    check_words(detail)


PARTS = {
    "no JSON": "{",
    "a list": "[]",
    "a number": "3",
    "empty": "",
    "NaN": json.dumps({"camera": {**CAMERA, "depth_scale": float("nan")}}),
    "too large a number": '{"camera": {"fx": 1e999}}',
    "too many digits": '{"camera": ' + "9" * 5000 + "}",
    "too deep": '{"camera": ' + "[" * 50_000 + "]" * 50_000 + "}",
    "deep": json.dumps({"camera": {}})[:-2] + '{"a":' * 500 + "1" + "}" * 502,
    "half a character": '{"camera": {"cam_K": "\\ud800"}}',
    "no camera": "{}",
    "camera null": '{"camera": null}',
    "camera a path": '{"camera": "/etc/passwd"}',
    "camera empty": '{"camera": {}}',
    "K short": '{"camera": [[1, 2], [3, 4]]}',
    "K of words": '{"camera": [["a", 0, 0], [0, "b", 0], [0, 0, 1]]}',
    "K of zeros": json.dumps({"camera": np.zeros((3, 3)).tolist()}),
    "a key nobody knows": part(mehs="x")["request"],
    "mesh a list": part(mesh=["x"])["request"],
    "mesh a number": part(mesh=1)["request"],
    "start a path": part(mesh="MESH", start="/etc/passwd")["request"],
    "start a list of paths": part(mesh="MESH", start=["/etc/passwd"])["request"],
    "start empty": part(mesh="MESH", start=[])["request"],
    "start an empty object": part(mesh="MESH", start={})["request"],
    "start no rotation": part(mesh="MESH", start=(2 * np.eye(4)).tolist())["request"],
    "start ragged": part(mesh="MESH", start=[[1, 2], [3]])["request"],
    "start mixed": part(mesh="MESH", start=[START, 3])["request"],
    "starts too many": part(mesh="MESH", start=[START] * 17)["request"],
    "start of words": part(mesh="MESH", start={"cam_R_m2c": "x", "cam_t_m2c": {}})["request"],
    "box short": part(mesh="MESH", start=START, box=[1, 2, 3])["request"],
    "box here": part(mesh="MESH", start=START, box=[1, 2, 3, 4])["request"],
    "scale 0": part(mesh="MESH", start=START, depth_scale=0)["request"],
    "scale a word": part(mesh="MESH", start=START, depth_scale="1")["request"],
    "mask_id negative": part(mesh="MESH", start=START, mask_id=-1)["request"],
    "mask_id not there": part(mesh="MESH", start=START, mask_id=7)["request"],
    "mask_inverted a word": part(mesh="MESH", start=START, mask_inverted="no")["request"],
    "depth_kind unknown": part(mesh="MESH", start=START, depth_kind={})["request"],
    "camera_size": part(mesh="MESH", start=START, camera_size=[0, 1])["request"],
    "rectified": part(mesh="MESH", start=START, rectified=1)["request"],
    "depth_rectified": part(mesh="MESH", start=START, depth_rectified="no")["request"],
    "near in refine": part(mesh="MESH", start=START, near=START)["request"],
    "instances in refine": part(mesh="MESH", start=START, instances=2)["request"],
    "instances none": part(mesh="MESH", start=START, instances=0)["request"],
    "instances too many": part(mesh="MESH", start=START, instances=101)["request"],
    "no mesh": part(start=START)["request"],
    "no start": part(mesh="MESH")["request"],
}


def test_broken_json_parts(client: Any, mesh: str) -> None:
    for name, text in PARTS.items():
        answer = client.post("/refine", data={"request": text.replace("MESH", mesh)}, files=pictures())
        assert answer.status_code == 422, f"{name}: {answer.status_code} {answer.text}"
        assert ": expected " in answer.json()["detail"] or "start, expected" in answer.json()["detail"], name
        check_words(answer.json()["detail"])
    good = client.post("/refine", data=part(mesh=mesh, start=START), files=pictures())
    assert good.status_code == 200


PICTURES = {
    "empty": b"",
    "text": b"no picture",
    "a GIF": b"GIF89a" + bytes(100),
    "a PNG cut short": RGB[: len(RGB) // 2],
    "a PNG's signature": RGB[:8],
    "a JPEG's signature": b"\xff\xd8\xff",
    "another size": png(np.zeros((48, 64, 3), np.uint8)),
    "a promise": huge_png(),
}


@pytest.mark.parametrize("kind", ["rgb", "depth", "mask"])
def test_broken_pictures(client: Any, mesh: str, kind: str) -> None:
    for name, data in PICTURES.items():
        files = {**pictures(), kind: ("x.png", data)}
        answer = client.post("/locate", data=part(mesh=mesh), files=files)
        assert answer.status_code == 422, f"{name}: {answer.status_code} {answer.text}"
        check_words(answer.json()["detail"])


def test_pictures_that_do_not_do(client: Any, mesh: str) -> None:
    refused(client.post("/locate", data=part(mesh=mesh)), "images")
    refused(client.post("/locate", data=part(mesh=mesh, start=START), files=pictures()), "start")
    as_depth = {"depth": ("d.png", RGB)}
    refused(client.post("/locate", data=part(mesh=mesh), files=as_depth), "depth")
    black = {**pictures(), "mask": ("m.png", png(np.zeros((480, 640), np.uint8)))}
    refused(client.post("/locate", data=part(mesh=mesh), files=black), "mask")
    camera = {key: value for key, value in CAMERA.items() if key != "depth_scale"}
    refused(client.post("/locate", data=part(mesh=mesh, camera=camera), files=pictures()), "give depth_scale")


def test_a_photograph_alone_is_searched_by_keypoints(client: Any, mesh: str) -> None:
    answer = client.post("/locate", data=part(mesh=mesh), files=pictures("rgb"))
    assert answer.status_code == 200, answer.text
    assert any("found without mask, box and depth" in note for note in answer.json()["notes"])


@pytest.mark.parametrize(
    ("path", "keys", "kinds", "said"),
    [
        ("locate", {"box": [1, 2, 30, 40]}, ("depth", "mask"), "box: expected none, for the request has a mask"),
        ("locate", {"mask_id": 7}, ("rgb", "mask"), "mask: expected a label of mask"),
        ("locate", {"camera_size": [100, 100]}, ("rgb", "mask"), "leave camera_size out, or correct the file"),
        ("locate", {"depth_scale": 1e9}, ("rgb", "depth"), "depth_scale is millimetres per unit: 0.1 for those"),
        ("refine", {"start": (2 * np.eye(4)).tolist()}, ("rgb", "depth"), "start, expected last row"),
        ("track/a", {}, ("rgb",), "start: expected a pose for the first frame, or a mask"),
    ],
)
def test_words_are_those_of_the_request(
    client: Any, mesh: str, path: str, keys: dict[str, Any], kinds: tuple[str, ...], said: str
) -> None:
    answer = client.post(f"/{path}", data=part(mesh=mesh, **keys), files=pictures(*kinds))
    refused(answer, said)


def test_a_result_that_failed_says_what_to_send(client: Any, mesh: str) -> None:
    behind = np.diag([1.0, 1.0, 1.0, 1.0])
    behind[2, 3] = -0.7
    result = client.post("/refine", data=part(mesh=mesh, start=behind.tolist()), files=pictures()).json()
    assert "is sent with its second and third row negated" in result["message"]
    for text in (result["message"], *result["notes"]):
        check_words(text)


def test_spoilt_bytes_of_everything(client: Any, mesh: str) -> None:
    """Random damage to bodies: pictures, meshes, and the frame of the multipart text itself."""
    rng = random.Random(5)
    request = client.build_request("POST", "/locate", data=part(mesh=mesh), files=pictures("depth", "mask"))
    upload = client.build_request("POST", "/meshes", **mesh_upload())
    objects = [{"mesh": mesh, "mask_id": 255}, {"mesh": mesh, "box": [10, 10, 80, 60]}]
    scene = client.build_request("POST", "/scene", data=part(objects=objects), files=pictures("depth", "mask"))
    for made in (request, upload, scene):
        made.read()
        for _ in range(40):
            body = bytearray(made.content)
            for _ in range(rng.choice([1, 3, 300])):
                place = rng.randrange(len(body)) if rng.random() < 0.5 else rng.randrange(600)
                body[place : place + rng.choice([0, 1, 9])] = rng.randbytes(rng.choice([0, 1, 5]))
            kind = {"content-type": made.headers["content-type"]}
            answer = client.post(made.url.path, content=bytes(body), headers=kind)
            assert answer.status_code < 500, answer.text


def test_other_bodies(client: Any) -> None:
    for path in ("/meshes", "/locate", "/refine", "/scene", "/track/a"):
        refused(client.post(path))
        refused(client.post(path, json={"camera": 1}))
        kinds = ("multipart/form-data", "multipart/form-data; boundary=x", "application/json", "\x00")
        for kind in kinds:
            answer = client.post(path, content=b"--x\r\nnonsense", headers={"content-type": kind})
            assert answer.status_code in (400, 415, 422), answer.text
    assert client.get("/locate").status_code == 405
    assert client.get("/nothing").status_code == 404
    assert client.post("/track/..%2Fx", data=part(), files=pictures()).status_code in (404, 422)
    refused(client.post("/track/a b", data=part(), files=pictures()))


@pytest.mark.parametrize(
    ("name", "data", "texts"),
    [
        ("object.ply", b"", {}),
        ("object.ply", b"ply\nformat ascii 1.0\nelement vertex 99999999999\nend_header\n", {}),
        ("object.stl", b"solid", {}),
        ("object.stl", bytes(80) + b"\xff\xff\xff\x7f", {}),
        ("object.glb", b"glTF" + bytes(60), {}),
        ("object.obj", b"f 1 2 3\n", {}),
        ("object.exe", b"MZ", {}),
        ("object", b"x", {}),
        ("../../etc/passwd", b"x", {}),
        ("object.ply/", b"x", {}),
        ("x.3mf", b"PK", {}),
        ("object.ply", None, {"unit": "furlong"}),
        ("object.ply", None, {"preset": "nothing"}),
        ("object.ply", None, {"seed": "-1"}),
        ("object.ply", None, {"seed": "x"}),
        ("object.ply", None, {"unit": "m"}),
    ],
)
def test_broken_meshes(client: Any, name: str, data: bytes | None, texts: dict[str, str]) -> None:
    content = (DEMO / "object.ply").read_bytes() if data is None else data
    answer = client.post("/meshes", files={"mesh": (name, content)}, data={"unit": "mm", **texts})
    refused(answer)
    assert client.get("/health").json()["meshes"] == 0


def test_a_mesh_reads_no_file_of_this_machine(client: Any, tmp_path: Any) -> None:
    """The texture is there, where the mesh says; only what is uploaded counts."""
    secret = tmp_path / "secret.png"
    secret.write_bytes((DEMO / "object.png").read_bytes())
    ply = (DEMO / "object.ply").read_bytes()
    for called in (str(secret), f"file://{secret}", f"../../../../../../../..{secret}"):
        data = ply.replace(b"TextureFile object.png", f"TextureFile {called}".encode())
        assert data != ply
        refused(client.post("/meshes", files={"mesh": ("o.ply", data)}), "not among the files given with it")
        sent = [("mesh", ("o.ply", data)), ("beside", ("../SECRET.png", secret.read_bytes()))]
        assert client.post("/meshes", files=sent).status_code == 201
    obj = f"mtllib {tmp_path / 'm.mtl'}\nv 0 0 0\nv 50 0 0\nv 0 50 0\nusemtl a\nf 1 2 3\n".encode()
    (tmp_path / "m.mtl").write_text(f"newmtl a\nKd 1 0 0\nmap_Kd {secret}\n")
    answer = client.post("/meshes", files={"mesh": ("o.obj", obj)})
    assert "m.mtl" in answer.text and "secret" not in answer.text.replace(str(tmp_path), "")


def test_a_bad_request_harms_no_other(client: Any, mesh: str) -> None:
    wanted = client.post("/refine", data=part(mesh=mesh, start=START), files=pictures()).json()["T_m2c_metres"]
    refused(client.post("/track/a", data=part(mesh=mesh), files=pictures("rgb")))
    assert client.get("/health").json()["tracks"] == 0
    refused(client.post("/refine", data=part(mesh="other", start=START), files=pictures()), status=404)
    again = client.post("/refine", data=part(mesh=mesh, start=START), files=pictures()).json()["T_m2c_metres"]
    assert again == wanted
