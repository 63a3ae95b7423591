"""`diffdope locate`, and `refine` without a start, as a user runs them, in this process."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffdope.cli.located_instances import kinds_of
from diffdope.cli.main import main
from diffdope.cli.view_sources import content_of
from diffdope.geometry.pose import Pose
from diffdope.io.bop_results import read_results
from diffdope.io.masks import read_labels
from diffdope.pipelines.result import RefinementResult, Status, nothing_compared
from diffdope.scene.mesh import Mesh
from diffdope.search.alternatives.answers import Answer
from tests.cli.conftest import arguments


def locating(folder: Path, **changes: object) -> list[str]:
    """Flags of `diffdope locate` for a copy of the packaged example."""
    return ["locate", *arguments(folder, init=None, **changes)[1:]]


def error_mm(entry: dict[str, object], folder: Path) -> float:
    truth = json.loads((folder / "truth.json").read_text())
    pose = Pose.from_bop(entry["cam_R_m2c"], entry["cam_t_m2c"])
    return 1e3 * pose.distance_to(Pose.from_bop(truth["cam_R_m2c"], truth["cam_t_m2c"]))


def write_labels(folder: Path) -> None:
    """The mask with the label 30, and a patch of background, where there is nothing, with 7."""
    mask = np.asarray(Image.open(folder / "mask.png").convert("L")) > 127
    labels = np.where(mask, np.uint8(30), np.uint8(0))
    labels[5:45, 5:45] = 7
    Image.fromarray(labels).save(folder / "labels.png")


def test_locate_writes_what_it_promises(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(locating(inputs)) == 0
    out = inputs.parent / "out"
    entry = json.loads((out / "result.json").read_text())
    assert error_mm(entry, inputs) < 1.0
    assert entry["answers"][0]["probability"] == pytest.approx(entry["right_minimum"])
    assert sum(one["probability"] for one in entry["answers"]) + entry["none_of_these"] == pytest.approx(1.0)
    assert {"result.json", "overlay.png", "costs.png"} <= {path.name for path in out.iterdir()}
    assert "located" in capsys.readouterr().out


def test_several_answers_are_drawn_beside_each_other(inputs: Path) -> None:
    main(locating(inputs, rgb=None))
    out = inputs.parent / "out"
    answers = json.loads((out / "result.json").read_text())["answers"]
    assert len(answers) > 1
    with Image.open(out / "answers.png") as picture:
        assert picture.size[0] > 300 * min(len(answers), 4)


def test_each_label_of_a_mask_gets_its_result(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_labels(inputs)
    assert read_labels(inputs / "labels.png") == [7, 30]
    assert main(locating(inputs, mask=inputs / "labels.png")) == 1  # for one of the two is nothing
    out = inputs.parent / "out"
    results = {one["label"]: one for one in json.loads((out / "results.json").read_text())["results"]}
    assert set(results) == {7, 30}
    assert error_mm(results[30], inputs) < 1.0 and results[30]["status"] == "converged"
    assert results[7]["status"] in ("failed", "ambiguous", "no_overlap", "out_of_view")
    assert (out / "overlay.png").stat().st_size > 0
    assert "1 of 2 found" in capsys.readouterr().out
    assert len(read_results(out / "poses.csv")) == 1


def test_a_mask_in_two_pieces_gives_one_result(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mask = np.asarray(Image.open(inputs / "mask.png").convert("L")) > 127
    middle = np.median(np.nonzero(mask)[1])
    labels = np.where(mask, np.where(np.arange(mask.shape[1]) < middle, np.uint8(3), np.uint8(4)), np.uint8(0))
    Image.fromarray(labels).save(inputs / "labels.png")
    assert main(locating(inputs, mask=inputs / "labels.png")) == 1
    results = json.loads((inputs.parent / "out" / "results.json").read_text())["results"]
    found = [one for one in results if one["status"] == "converged"]
    assert len(found) == 1 and error_mm(found[0], inputs) < 1.0
    told = capsys.readouterr().out
    assert "1 of 2 found" in told and "show one piece" in told


def test_one_label_of_a_mask_can_be_chosen(inputs: Path) -> None:
    write_labels(inputs)
    assert main(locating(inputs, mask=inputs / "labels.png", mask_id=30)) == 0
    assert error_mm(json.loads((inputs.parent / "out" / "result.json").read_text()), inputs) < 1.0


def test_a_mask_of_one_object_has_no_labels(inputs: Path) -> None:
    assert read_labels(inputs / "mask.png") == []


def test_refine_without_a_start_locates_and_says_so(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments(inputs, init=None), "--no-film"]) == 0
    assert "no --init: the object is located first" in capsys.readouterr().out
    assert error_mm(json.loads((inputs.parent / "out" / "result.json").read_text()), inputs) < 1.0


def box_of(folder: Path) -> str:
    rows, columns = np.nonzero(np.asarray(Image.open(folder / "mask.png").convert("L")) > 127)
    return f"{columns.min()},{rows.min()},{np.ptp(columns) + 1},{np.ptp(rows) + 1}"


@pytest.mark.parametrize("command", ["locate", "refine"])
def test_a_box_will_do(inputs: Path, command: str) -> None:
    extra = ["--no-film"] if command == "refine" else []
    assert main([command, *locating(inputs, mask=None, box=box_of(inputs))[1:], *extra]) == 0
    result = json.loads((inputs.parent / "out" / "result.json").read_text())
    assert error_mm(result, inputs) < 1.0
    assert any("drawn from the box" in note for note in result["notes"])
    compared = set(result["modalities"])  # the mask that is drawn from the box is none of the images
    assert compared == {"rgb", "depth"} == set(result["cost_per_modality"]) == set(result["initial_cost_per_modality"])


def test_a_box_that_would_be_of_no_use_is_refused(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments(inputs, mask=None, box=box_of(inputs)), "--no-film"]) == 2
    assert "no --init beside it" in capsys.readouterr().err
    assert not (inputs.parent / "out").exists()


@pytest.mark.parametrize(
    ("missing", "said", "words"),
    [
        ("mask", ["--mask-id", "2"], "--mask-id: expected --mask beside it"),
        ("mask", ["--mask-inverted", "no"], "--mask-inverted: expected --mask beside it"),
        ("depth", ["--depth-scale", "1"], "--depth-scale: expected --depth beside it"),
        ("depth", ["--depth-kind", "ray"], "--depth-kind: expected --depth beside it"),
    ],
)
@pytest.mark.parametrize("command", ["locate", "refine", "track"])
def test_what_is_said_of_an_image_that_is_not_given_is_refused(
    inputs: Path, capsys: pytest.CaptureFixture[str], command: str, missing: str, said: list[str], words: str
) -> None:
    """Without the mask that was forgotten, another instance would be found."""
    given = [command, *locating(inputs, **{missing: None})[1:]]
    assert main([*given, *said]) == 2
    assert words in capsys.readouterr().err
    assert not (inputs.parent / "out").exists()


@pytest.mark.parametrize("command", ["locate", "refine"])
def test_a_box_of_a_photograph_is_looked_into_and_never_sure_and_wrong(inputs: Path, command: str) -> None:
    pytest.importorskip("cv2")
    extra = ["--no-film"] if command == "refine" else []
    code = main([command, *locating(inputs, mask=None, depth=None, box=box_of(inputs))[1:], *extra])
    result = json.loads((inputs.parent / "out" / "result.json").read_text())
    assert "mask" not in result["modalities"]
    assert code == (0 if result["right_minimum"] >= 0.5 else 1)
    assert error_mm(result, inputs) < 5.0 or result["confidence"] < 0.5


def test_a_box_of_a_photograph_needs_opencv(
    inputs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert main(locating(inputs, mask=None, depth=None, box=box_of(inputs))) == 2
    assert 'pip install "diffdope[features]"' in capsys.readouterr().err
    assert not (inputs.parent / "out").exists()


def test_without_mask_and_box_it_is_looked_for_in_the_depth(inputs: Path) -> None:
    code = main(locating(inputs, mask=None))
    result = json.loads((inputs.parent / "out" / "result.json").read_text())
    assert (code == 0) == (error_mm(result, inputs) < 5.0)  # found, or not called so


def test_a_photograph_alone_says_too_little_without_keypoints(
    inputs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert main(locating(inputs, mask=None, depth=None)) == 2
    assert "a mask that says where the object is" in capsys.readouterr().err
    assert not (inputs.parent / "out").exists()


def test_a_photograph_alone_is_searched_for_what_is_painted_on_the_object(inputs: Path) -> None:
    pytest.importorskip("cv2")
    code = main(locating(inputs, mask=None, depth=None))
    result = json.loads((inputs.parent / "out" / "result.json").read_text())
    assert code == (0 if result["right_minimum"] and result["right_minimum"] >= 0.5 else 1)
    assert code == 1 or error_mm(result, inputs) < 5.0


def test_a_box_of_corners_that_leads_nowhere_is_told(inputs: Path) -> None:
    x, y, width, height = (float(one) for one in box_of(inputs).split(","))
    corners = f"{x:g},{y:g},{x + width:g},{y + height:g}"
    code = main(locating(inputs, mask=None, box=corners))
    result = json.loads((inputs.parent / "out" / "result.json").read_text())
    told = any(f"WIDTH,HEIGHT is {x:g},{y:g},{width:g},{height:g}" in note for note in result["notes"])
    assert told or code == 0


def test_instances_are_numbered_the_surest_first(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(locating(inputs, mask=None, instances=2)) == 0
    out = inputs.parent / "out"
    results = json.loads((out / "results.json").read_text())["results"]
    assert [one["label"] for one in results] == list(range(1, len(results) + 1))
    assert error_mm(results[0], inputs) < 2.0
    assert {"results.json", "overlay.png"} <= {path.name for path in out.iterdir()}
    told = capsys.readouterr()
    assert "1 found" in told.out
    row = read_results(out / "poses.csv")[0]
    assert (row.im_id, row.obj_id, row.score) == (0, 1, pytest.approx(results[0]["confidence"]))
    assert row.pose.distance_to(Pose.from_bop(results[0]["cam_R_m2c"], results[0]["cam_t_m2c"])) < 1e-6
    assert row.time > 0.0


def result_at(place_m: float, status: Status, *probabilities: float) -> RefinementResult:
    """A result with answers one behind the other."""
    poses = [Pose(np.eye(3), np.array([0.0, 0.0, place_m + 0.01 * k])) for k in range(len(probabilities))]
    result = nothing_compared(poses[0], status, "told")
    answers = tuple(Answer(pose, one) for pose, one in zip(poses, probabilities, strict=True))
    return replace(result, answers=answers, confidence=probabilities[0], modalities=("depth",))


def test_instances_are_written_as_poses_and_told_with_their_answers(
    inputs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is ambiguous is no pose of a list that a robot goes through, but its answers are told."""
    found = [
        result_at(0.5, Status.CONVERGED, 0.9), result_at(0.6, Status.CONVERGED, 0.8),
        result_at(0.7, Status.AMBIGUOUS, 0.45, 0.4),
    ]  # fmt: skip

    def located(*_: object, on_instance: Callable[[RefinementResult], object], **__: object) -> list[RefinementResult]:
        on_instance(found[0])
        return found

    monkeypatch.setattr("diffdope.cli.locate_command.Refiner.locate_all", located)
    assert main(locating(inputs, mask=None, instances=9, obj_id=5)) == 0
    out, told = inputs.parent / "out", capsys.readouterr().out
    rows = read_results(out / "poses.csv")
    assert [(row.im_id, row.obj_id, row.score) for row in rows] == [(0, 5, 0.9), (0, 5, 0.8)]
    assert [len(one) for one in json.loads((out / "scene_gt.json").read_text()).values()] == [2]
    assert "3: ambiguous, confidence 0.45" in told and "2 found" in told
    assert "  answer 2: probability 0.40, at (0.0, 0.0, 710.0) mm" in told
    assert (out / "answers_3.png").is_file() and not (out / "answers_1.png").exists()
    assert len(json.loads((out / "results.json").read_text())["results"][2]["answers"]) == 2


def test_a_run_leaves_nothing_of_the_run_before(inputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A robot that reads pose.txt after `--instances` must not be given the pose of another picture."""
    assert main(locating(inputs)) == 0
    out = inputs.parent / "out"
    assert (out / "pose.txt").is_file() and (out / "result.json").is_file()
    monkeypatch.setattr("diffdope.cli.locate_command.Refiner.locate_all", lambda *_, **__: [])
    main(locating(inputs, mask=None, instances=2))
    names = {path.name for path in out.iterdir() if not path.name.startswith(".")}
    assert names == {"results.json", "poses.csv", "scene_gt.json", "overlay.png"}


def test_where_none_is_found_the_command_and_its_file_say_why(
    inputs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("diffdope.cli.locate_command.Refiner.locate_all", lambda *_, **__: [])
    assert main(locating(inputs, mask=None, instances=2)) == 1
    written = json.loads((inputs.parent / "out" / "results.json").read_text())
    assert written["results"] == []
    for text in (written["message"], capsys.readouterr().out):
        assert "are K, the mesh and its unit, and the depth scale right?" in text


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "instances: expected no --mask beside it, got 2"),
        ({"mask": None, "box": "10,10,50,50"}, "instances: expected no --box beside it, got 2"),
        ({"mask": None, "depth": None}, "instances: expected --depth"),
        ({"mask": None, "instances": 0}, "instances: expected"),
    ],
)
def test_instances_that_cannot_be_told_apart_are_refused(
    inputs: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, object], told: str
) -> None:
    assert main(locating(inputs, **{"instances": 2, **changes})) == 2
    assert told in " ".join(capsys.readouterr().err.split())


def two_kinds(folder: Path) -> list[str]:
    """Two meshes of different names."""
    other = folder / "other.ply"
    other.write_bytes((folder / "object.ply").read_bytes())
    return [str(folder / "object.ply"), str(other)]


def test_several_kinds_are_in_one_file_by_their_names(
    inputs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two_kinds(inputs)
    asked: list[int] = []

    def located(refiners: list[object], _: object, *, most: int, on_instance: object) -> list[list[RefinementResult]]:
        asked.extend([len(refiners), most])
        low, sure = result_at(0.5, Status.CONVERGED, 0.7), result_at(0.6, Status.CONVERGED, 0.9)
        return [[low, result_at(0.7, Status.AMBIGUOUS, 0.4, 0.3)], [sure]]

    monkeypatch.setattr("diffdope.cli.locate_command.locate_objects", located)
    words = locating(inputs, mask=None)
    at = words.index("--mesh")
    assert main([*words[: at + 1], first, "--mesh", second, *words[at + 2 :]]) == 0
    out, told = inputs.parent / "out", capsys.readouterr().out
    assert asked == [2, 20]
    written = json.loads((out / "results.json").read_text())
    assert [(one["label"], one["object"], one["obj_id"]) for one in written["results"]] == [
        (1, "other", 2), (2, "object", 1), (3, "object", 1),
    ]  # fmt: skip
    assert written["inputs"]["mesh"] == [first, second]
    rows = read_results(out / "poses.csv")
    assert [(row.obj_id, row.score) for row in rows] == [(2, 0.9), (1, 0.7)]
    assert "1 other: converged, confidence 0.90" in told and "2 found" in told
    assert (out / "overlay.png").is_file() and (out / "answers_3.png").is_file()
    content = content_of(out)
    assert [body.label for body in content.moment(0).bodies] == ["1 other", "2 object", "3 object"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, "mesh: expected no --mask beside several kinds"),
        ({"mask": None, "box": "10,10,50,50"}, "mesh: expected no --box beside several kinds"),
        ({"mask": None, "depth": None}, "mesh: expected --depth, which tells several kinds apart"),
        ({"mask": None, "obj_id": 3}, "obj-id: expected one --mesh beside it, got 2"),
    ],
)
def test_several_kinds_are_refused_beside_what_is_of_one(
    inputs: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, object], told: str
) -> None:
    _, second = two_kinds(inputs)
    assert main([*locating(inputs, **changes), "--mesh", second]) == 2
    assert told in " ".join(capsys.readouterr().err.split())


def test_a_kind_is_named_once(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = locating(inputs, mask=None)
    assert main([*words, "--mesh", words[words.index("--mesh") + 1]]) == 2
    assert "mesh: expected each kind once" in " ".join(capsys.readouterr().err.split())


def test_kinds_have_the_numbers_of_their_names_where_all_have_one(inputs: Path) -> None:
    mesh = Mesh.load(inputs / "object.ply", unit="mm")
    named = kinds_of([Path("a/obj_000007.ply"), Path("b/obj_000003.ply")], [mesh, mesh])
    assert [one.obj_id for one in named] == [7, 3]
    mixed = kinds_of([Path("a/cup.ply"), Path("b/cup.ply")], [mesh, mesh])
    assert [(one.obj_id, one.name) for one in mixed] == [(1, str(Path("a/cup.ply"))), (2, str(Path("b/cup.ply")))]
