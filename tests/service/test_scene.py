"""/scene: several objects, several views; the answer is that of `SceneRefiner`, to the bit."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image

from diffdope.geometry.pose import Pose
from diffdope.io.scene_results import encode_scene
from diffdope.joint.scene_refiner import SceneRefiner
from diffdope.scene.packaged import packaged_example
from diffdope.scene.scene import SceneObject
from diffdope.scene.view import View
from tests.service.conftest import CAMERA, DEMO, START, mesh_upload, pictures

AROUND = Pose(np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]), np.array([0.1, 0.0, 0.4]))
MASK = np.asarray(Image.open(DEMO / "mask.png").convert("L")) > 127


def png(array: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def ghost() -> np.ndarray:
    """A mask of a corner in which the object is not."""
    patch = np.zeros_like(MASK)
    patch[5:45, 5:45] = True
    return patch


def labels() -> bytes:
    return png(np.where(MASK, np.uint8(3), np.uint8(8) * ghost().astype(np.uint8)))


def asked(**keys: Any) -> dict[str, str]:
    return {"request": json.dumps(keys)}


def files(**parts: bytes) -> dict[str, Any]:
    return {name.replace("_", "."): (f"{name}.png", data) for name, data in parts.items()}


def sent(kind: str) -> bytes:
    return (DEMO / f"{kind}.png").read_bytes()


def two_views() -> dict[str, bytes]:
    return {f"{kind}_{view}": sent(kind) for kind in ("rgb", "depth") for view in (0, 1)}


@pytest.fixture(scope="module")
def example() -> Any:
    return packaged_example()


def same(answer: Any, result: Any, ids: list[int]) -> None:
    assert answer.status_code == 200, answer.text
    got, wanted = answer.json(), json.loads(json.dumps(encode_scene(result, ids)))
    assert got.pop("seconds") > 0 and wanted.pop("seconds") > 0
    assert got == wanted


def bare(example: Any, names: list[str], views: list[View], masks: Any, **more: Any) -> Any:
    refiner = SceneRefiner([SceneObject(example.mesh, name=name) for name in names], preset="fast")
    return refiner.refine(views, masks, **more)


def test_objects_of_one_picture(client: Any, mesh: str, example: Any) -> None:
    """Labels in one mask; one of them is of nothing."""
    objects = [{"mesh": mesh, "mask_id": 3, "name": "carton", "id": 12}, {"mesh": mesh, "mask_id": 8, "name": "ghost"}]
    images = {**pictures("rgb", "depth"), **files(mask=labels())}
    answer = client.post("/scene", data=asked(camera=CAMERA, objects=objects), files=images)
    view = View(example.observation.without_mask(), name="view 0")
    same(answer, bare(example, ["carton", "ghost"], [view], {(0, 0): MASK, (0, 1): ghost()}), [12, 2])
    found = {one["name"]: one["status"] for one in answer.json()["objects"]}
    assert found["carton"] == "converged" and found["ghost"] == "no_overlap"


def test_two_views_and_a_camera_that_is_refined(client: Any, mesh: str, example: Any) -> None:
    views = [{"T_w2c": AROUND.matrix.tolist(), "name": "left"}, {"T_w2c": AROUND.matrix.tolist(), "sigma": [10, 1]}]
    request = asked(camera=CAMERA, views=views, objects=[{"mesh": mesh}])
    images = files(**two_views(), mask_0=sent("mask"), mask_1_0=sent("mask"))
    seen = example.observation.without_mask()
    given = [View(seen, AROUND, name="left"), View(seen, AROUND, sigma=(0.01, 1.0), name="view 1")]
    wanted = bare(example, ["object 0"], given, {(0, 0): MASK, (1, 0): MASK})
    answer = client.post("/scene", data=request, files=images)
    same(answer, wanted, [1])
    assert [view["refined"] for view in answer.json()["views"]] == [False, True]
    pose = AROUND @ Pose.from_matrix(answer.json()["objects"][0]["T_m2w"])
    assert pose.distance_to(example.truth) < 1e-3


def test_a_place_that_nobody_states_is_found(client: Any, mesh: str, example: Any) -> None:
    request = asked(camera=CAMERA, views=[{}, {}], objects=[{"mesh": mesh}], find_places=True)
    answer = client.post("/scene", data=request, files=files(**two_views(), mask_0=sent("mask"), mask_1_0=sent("mask")))
    given = [View(example.observation.without_mask(), name=f"view {k}") for k in range(2)]
    same(answer, bare(example, ["object 0"], given, {(0, 0): MASK, (1, 0): MASK}, find_places=True), [1])
    assert [view["place"] for view in answer.json()["views"]] == ["given", "found"]


def test_starts_by_view_and_in_the_world(client: Any, mesh: str, example: Any) -> None:
    view = {"camera": {**CAMERA, "cam_R_w2c": AROUND.R_m2c.ravel().tolist(), "cam_t_w2c": [100.0, 0.0, 400.0]}}
    in_world = AROUND.inverse() @ example.start
    images = files(**two_views(), mask_0=sent("mask"), mask_1=sent("mask"))
    seen = example.observation.without_mask()
    given, masks = [View(seen, AROUND, name=f"view {k}") for k in (0, 1)], {(0, 0): MASK, (1, 0): MASK}
    for start, meant in (
        (in_world.matrix.tolist(), {0: in_world}),
        ([START, None], {(0, 0): example.start}),
        ([None, START], {(1, 0): example.start}),
    ):
        objects = [{"mesh": mesh, "start": start}]
        answer = client.post("/scene", data=asked(views=[view, view], objects=objects), files=images)
        same(answer, bare(example, ["object 0"], given, masks, starts=meant), [1])


def test_a_body_of_json_and_a_box(client: Any, mesh: str) -> None:
    import base64

    x0, y0, x1, y1 = packaged_example().observation.mask_box
    objects = [{"mesh": mesh, "box": [x0, y0, x1 - x0 + 1, y1 - y0 + 1]}]
    body = {"camera": CAMERA, "objects": objects}
    body |= {kind: base64.b64encode(sent(kind)).decode() for kind in ("rgb", "depth")}
    answer = client.post("/scene", json=body)
    assert answer.status_code == 200 and answer.json()["objects"][0]["status"] == "converged", answer.text


def test_meshes_with_presets_of_their_own_and_processes(serve: Any) -> None:
    client = serve(processes=True, meshes=2)
    upload = mesh_upload(preset="fast")
    ids = [client.post("/meshes", **mesh_upload(preset=preset)).json()["id"] for preset in ("fast", "default")]
    objects = [{"mesh": ids[0], "mask_id": 3}, {"mesh": ids[1], "mask_id": 8}]
    images = {**pictures("rgb", "depth"), **files(mask=labels())}
    first = client.post("/scene", data=asked(camera=CAMERA, objects=objects), files=images)
    assert first.status_code == 200, first.text
    assert [one["status"] for one in first.json()["objects"]] == ["converged", "no_overlap"]
    client.post("/meshes", **{**upload, "data": {**upload["data"], "seed": "5"}})  # drops the first
    gone = client.post("/scene", data=asked(camera=CAMERA, objects=objects), files=images)
    assert gone.status_code == 404 and ids[0] in gone.json()["detail"]


EYE = np.eye(4).tolist()
TWO = [{"T_w2c": EYE}, {"T_w2c": EYE}]
BROKEN: dict[str, tuple[dict[str, Any], dict[str, bytes], str]] = {
    "no objects": ({"objects": None}, {}, "objects: expected a list"),
    "an empty list": ({"objects": []}, {}, "objects: expected a list"),
    "an object that is none": ({"objects": [3]}, {}, "objects[0]: expected an object"),
    "no mesh": ({"objects": [{"mask_id": 3}]}, {}, "objects[0], mesh: expected the id"),
    "a key nobody knows": ({"objects": [{"mesh": "MESH", "maskid": 3}]}, {}, "did you mean mask_id?"),
    "a key of the request": ({"object": []}, {}, "did you mean objects?"),
    "a key beside views": ({"views": TWO, "T_w2c": EYE}, {}, "beside views"),
    "a label not there": ({"objects": [{"mesh": "MESH", "mask_id": 5}]}, {}, "got 5; labels that there are: 3, 8"),
    "a label and no mask": ({"objects": [{"mesh": "MESH", "mask_id": 3}]}, {"mask": b""}, "the part mask.VIEW"),
    "labels of whom": ({"objects": [{"mesh": "MESH"}] * 2}, {}, "objects, mask_id: expected one that says"),
    "no places": ({"views": [{}, {}]}, {}, "views[0], T_w2c: expected where each of 2 cameras stands"),
    "places of one view": ({"find_places": True}, {}, "find_places: expected several views"),
    "places that are no flag": ({"views": [{}, {}], "find_places": "yes"}, {}, "find_places: expected true or false"),
    "a place that is none": ({"views": [{"T_w2c": [[1]]}]}, {}, "views[0], T_w2c: expected shape"),
    "half of a place": ({"views": [{"cam_R_w2c": [1] * 9}]}, {}, "cam_t_w2c"),
    "sigma without a place": ({"sigma": [1, 1]}, {}, "sigma: expected T_w2c"),
    "sigma of one number": ({"views": [{"T_w2c": EYE, "sigma": 3}]}, {}, "sigma: expected"),
    "sigma too large": ({"views": [{"T_w2c": EYE, "sigma": [5000, 1]}]}, {}, "sigma"),
    "a view without pictures": ({"views": TWO}, {}, "pictures: expected the part rgb.1 or depth.1"),
    "a part of no view": ({}, {"rgb_1": sent("rgb")}, "rgb.1: expected views from 0 to 0"),
    "a part of no object": ({}, {"mask_0_7": sent("mask")}, "mask.0.7: expected objects from 0 to 1"),
    "a part twice": ({}, {"rgb_0": sent("rgb")}, "one rgb of view 0"),
    "a part of no name": ({}, {"mask_x": sent("mask")}, "mask.VIEW.OBJECT"),
    "another size": ({}, {"mask_0_0": png(np.full((48, 64), 255, np.uint8))}, "640 x 480 pixels"),
    "boxes of two views": ({"views": TWO, "objects": [{"mesh": "MESH", "box": [1, 2, 3, 4]}]}, {}, "one a view"),
    "a start too many": ({"objects": [{"mesh": "MESH", "start": [START, START]}]}, {}, "one for each of 1 views"),
    "too much": ({"objects": [{"mesh": "MESH"}] * 65}, {}, "at most 64"),
    "a long name": ({"objects": [{"mesh": "MESH", "name": "x" * 999}]}, {}, "name"),
    "two of a name": (
        {"views": TWO, "objects": [{"mesh": "MESH", "name": "a", "mask_id": 3}, {"mesh": "MESH", "mask_id": 3}]},
        {"rgb_1": b"x"}, "rgb.1: expected a PNG",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_refused(client: Any, mesh: str, name: str) -> None:
    keys, parts, said = BROKEN[name]
    objects = [{"mesh": mesh, "mask_id": 3}, {"mesh": mesh, "mask_id": 8}]
    request = json.dumps({"camera": CAMERA, "objects": objects, **keys}).replace("MESH", mesh)
    images = {**pictures("rgb", "depth"), **files(mask=labels()), **files(**parts)}
    answer = client.post("/scene", data={"request": request}, files={k: v for k, v in images.items() if v[1]})
    assert answer.status_code == 422, answer.text
    detail = answer.json()["detail"]
    assert said in detail, detail
    assert "--" not in detail and "diffdope-" not in detail


def test_an_unknown_mesh_and_nothing_to_go_by(client: Any, mesh: str) -> None:
    images = pictures("rgb")
    answer = client.post("/scene", data=asked(camera=CAMERA, objects=[{"mesh": "other"}]), files=images)
    assert answer.status_code == 404
    answer = client.post("/scene", data=asked(camera=CAMERA, objects=[{"mesh": mesh}]), files=images)
    assert answer.status_code == 422
    detail = answer.json()["detail"]
    assert detail.startswith("objects[0]") and "mask_id" in detail and "masks={" not in detail


def test_pictures_that_are_too_many(serve: Any) -> None:
    client = serve(max_pixels=640 * 480)
    mesh = client.post("/meshes", **mesh_upload()).json()["id"]
    objects = [{"mesh": mesh, "mask_id": 3 + 5 * (k % 2)} for k in range(11)]
    images = {**pictures("rgb"), **files(mask=labels())}
    answer = client.post("/scene", data=asked(camera=CAMERA, objects=objects), files=images)
    assert answer.status_code == 422 and "pixels in all of them" in answer.json()["detail"]


def test_it_is_on_the_page(client: Any) -> None:
    body = client.get("/openapi.json").json()["paths"]["/scene"]["post"]["requestBody"]["content"]
    assert set(body) == {"multipart/form-data", "application/json"}
    assert "objects" in body["application/json"]["schema"]["required"]
