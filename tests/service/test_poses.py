"""Poses over HTTP are those of the bare `Refiner`, to the bit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from diffdope.geometry.pose import Pose
from diffdope.io.results import encode
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status, nothing_compared
from diffdope.scene.observation import Observation
from diffdope.scene.packaged import packaged_example
from tests.service.conftest import DEMO, START, mesh_upload, part, pictures

MEASURED = ("seconds",)  # differ between any two runs


def same(answer: Any, result: Any) -> None:
    assert answer.status_code == 200, answer.text
    got, wanted = answer.json(), encode(result)
    assert list(got) == list(wanted)
    for key in wanted:
        assert key in MEASURED or got[key] == wanted[key], key


@pytest.fixture(scope="module")
def example() -> Any:
    return packaged_example()


@pytest.fixture
def refiner(example: Any) -> Refiner:
    return Refiner(example.mesh, preset="fast")


def test_located_as_by_the_bare_refiner(client: Any, mesh: str, refiner: Refiner, example: Any) -> None:
    same(client.post("/locate", data=part(mesh=mesh), files=pictures()), refiner.locate(example.observation))


def test_located_in_a_box(client: Any, mesh: str, refiner: Refiner, example: Any) -> None:
    x0, y0, x1, y1 = example.observation.mask_box
    box = [x0, y0, x1 - x0 + 1, y1 - y0 + 1]
    answer = client.post("/locate", data=part(mesh=mesh, box=box), files=pictures("rgb", "depth"))
    same(answer, refiner.locate(example.observation.without_mask(), box=box))


def test_several_instances_are_numbered_the_surest_first(
    client: Any, mesh: str, refiner: Refiner, example: Any
) -> None:  # fmt: skip
    answer = client.post("/locate", data=part(mesh=mesh, instances=2), files=pictures("rgb", "depth"))
    assert answer.status_code == 200, answer.text
    got, wanted = answer.json()["results"], refiner.locate_all(example.observation.without_mask(), most=2)
    assert len(got) == len(wanted) >= 1
    for number, (one, result) in enumerate(zip(got, wanted, strict=True), 1):
        assert one.pop("label") == number
        assert {k: v for k, v in one.items() if k not in MEASURED} == {
            k: v for k, v in encode(result).items() if k not in MEASURED
        }


def test_several_kinds_say_whose_they_are(client: Any, mesh: str, monkeypatch: pytest.MonkeyPatch) -> None:
    upload = mesh_upload(seed="1")
    other = str(client.post("/meshes", **upload).json()["id"])
    asked: list[tuple[list[int], int]] = []

    def located(refiners: list[Refiner], observation: Observation, *, most: int) -> list[list[RefinementResult]]:
        asked.append(([one.seed for one in refiners], most))
        poses = [Pose(np.eye(3), np.array([0.0, 0.0, z])) for z in (0.5, 0.6)]
        results = [nothing_compared(pose, Status.CONVERGED, "") for pose in poses]
        return [[replace(results[0], confidence=0.7)], [replace(results[1], confidence=0.9)]]

    monkeypatch.setattr("diffdope.service.worker_state.locate_objects", located)
    keys = {"meshes": [mesh, other], "instances": 3}
    answer = client.post("/locate", data=part(**keys), files=pictures("rgb", "depth"))
    assert answer.status_code == 200, answer.text
    assert asked == [([0, 1], 3)]
    got = answer.json()["results"]
    assert [(one["label"], one["mesh"], one["confidence"]) for one in got] == [(1, other, 0.9), (2, mesh, 0.7)]


@pytest.mark.parametrize(
    ("keys", "kinds", "told"),
    [
        ({}, ("rgb", "depth", "mask"), "meshes: expected no mask and no box beside it, got 1"),
        ({}, ("rgb",), "meshes: expected the picture depth, which tells several kinds apart, got 1"),
        ({"mesh": "MESH"}, ("rgb", "depth"), "meshes: expected no mesh beside it"),
        ({"near": START}, ("rgb", "depth"), "near: expected nothing beside meshes"),
        ({"meshes": ["a", "a"]}, ("rgb", "depth"), "meshes: expected each id once"),
        ({"meshes": "a"}, ("rgb", "depth"), "meshes: expected a list of ids"),
        ({"meshes": ["nobody"]}, ("rgb", "depth"), "mesh: 'nobody' is not registered"),
    ],
)
def test_several_kinds_are_refused_beside_what_is_of_one(
    client: Any, mesh: str, keys: dict[str, Any], kinds: tuple[str, ...], told: str
) -> None:  # fmt: skip
    answer = client.post("/locate", data=part(**{"meshes": [mesh], **keys}), files=pictures(*kinds))
    assert answer.status_code in (404, 422)
    assert told in answer.json()["detail"]


def test_more_kinds_than_searches_are_refused(serve: Any) -> None:
    answer = serve(searches=1).post("/locate", data=part(meshes=["a", "b"]), files=pictures("depth"))
    assert answer.status_code == 422
    assert "meshes: expected at most 1, got 2" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("keys", "kinds", "told"),
    [
        ({}, ("rgb", "depth", "mask"), "instances: expected no mask and no box beside it, got 2"),
        ({"box": [10, 10, 50, 50]}, ("rgb", "depth"), "instances: expected no mask and no box beside it, got 2"),
        ({}, ("rgb",), "instances: expected the picture depth, which tells several of one kind apart, got 2"),
    ],
)
def test_instances_need_depth_alone(
    client: Any, mesh: str, keys: dict[str, Any], kinds: tuple[str, ...], told: str
) -> None:  # fmt: skip
    answer = client.post("/locate", data=part(mesh=mesh, instances=2, **keys), files=pictures(*kinds))
    assert answer.status_code == 422
    assert told in answer.json()["detail"]


def test_refined_as_by_the_bare_refiner(client: Any, mesh: str, refiner: Refiner, example: Any) -> None:
    wanted = refiner.refine(example.observation, example.start)
    same(client.post("/refine", data=part(mesh=mesh, start=START), files=pictures()), wanted)
    matrix = example.start.matrix.tolist()
    same(client.post("/refine", data=part(mesh=mesh, start=matrix), files=pictures()), wanted)


def test_the_best_of_several_starts(client: Any, mesh: str, refiner: Refiner, example: Any) -> None:
    starts = [START, example.truth.matrix.tolist()]
    wanted = refiner.refine(example.observation, [example.start, example.truth])
    same(client.post("/refine", data=part(mesh=mesh, start=starts), files=pictures()), wanted)


def test_a_track_goes_on_and_ends(client: Any, mesh: str, refiner: Refiner, example: Any) -> None:
    first = client.post("/track/belt-1", data=part(mesh=mesh, start=START, time_s=0.0), files=pictures())
    same(first, refiner.track(example.observation, example.start, time_s=0.0))
    # As files have them: means of whole numbers and of metres have other last digits.
    unmasked = Observation.load(DEMO / "camera.json", rgb=DEMO / "rgb.png", depth=DEMO / "depth.png")
    for time_s in (0.1, 0.2):
        answer = client.post("/track/belt-1", data=part(time_s=time_s), files=pictures("rgb", "depth"))
        same(answer, refiner.track(unmasked, time_s=time_s))
    late = client.post("/track/belt-1", data=part(time_s=0.1), files=pictures("rgb", "depth"))
    assert late.status_code == 422 and "time_s" in late.json()["detail"]
    assert client.delete("/track/belt-1").status_code == 204
    assert client.delete("/track/belt-1").status_code == 404
    assert client.post("/track/belt-1", data=part(), files=pictures()).status_code == 404


def test_two_workers_give_the_same(serve: Any, refiner: Refiner, example: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from tests.service.conftest import mesh_upload

    client = serve(workers=2)
    mesh = client.post("/meshes", **mesh_upload()).json()["id"]
    wanted = refiner.refine(example.observation, example.start)

    with client, ThreadPoolExecutor(4) as clients:  # one loop for all of them
        jobs = [
            clients.submit(client.post, "/refine", data=part(mesh=mesh, start=START), files=pictures())
            for _ in range(6)
        ]
    for job in jobs:
        same(job.result(), wanted)
