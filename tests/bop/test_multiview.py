"""Images of several sensors, as BOP-Industrial lays them out, as one problem."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from diffdope.bop.same_thing import Sighted, one_thing_each
from diffdope.bop.view_groups import SensorImage, read_view_groups
from diffdope.cli.main import main
from diffdope.errors import DiffDopeError
from diffdope.geometry.pose import Pose
from diffdope.io.bop_results import read_results, write_results
from tests.oracle.rle import encode_rle
from tests.oracle.view_tree import ViewTree, around, dump, make_view_tree

STEREO = {("photo", 0): around(0.0), ("cam1", 0): around(35.0, 10.0)}


@pytest.fixture(scope="module")
def stereo(tmp_path_factory: pytest.TempPathFactory) -> ViewTree:
    """An RGB-D sensor and a grey one; tests must not change it."""
    return make_view_tree(tmp_path_factory.mktemp("views") / "duo", STEREO)


@pytest.fixture
def spoilt(stereo: ViewTree, tmp_path: Path) -> ViewTree:
    shutil.copytree(stereo.root, tmp_path / "duo")
    return replace(stereo, root=tmp_path / "duo", targets=tmp_path / "duo" / stereo.targets.name)


def command(tree: ViewTree, out: Path, *flags: str, init: str = "gt", targets: str = "") -> list[str]:
    words = ["bop", "refine", "--dataset", str(tree.root), "--split", "val", "--init", init, "--out", str(out)]
    words += ["--multiview", targets or tree.targets.name, "--preset", "fast"]
    return [*words, *(["--perturb-deg", "8", "--perturb-mm", "4"] if init == "gt" else []), *flags]


def check_poses(tree: ViewTree, path: Path, sensor: str, im_id: int, *, within_mm: float = 0.5) -> None:
    """Every object has a row at its true place in that image."""
    rows = [row for row in read_results(path) if row.im_id == im_id]
    assert sorted(row.obj_id for row in rows) == [1, 1, 2]
    for obj_id, pose in tree.world:
        there = tree.places[sensor, im_id] @ pose
        away = [np.linalg.norm(row.pose.t_m2c - there.t_m2c) for row in rows if row.obj_id == obj_id]
        assert 1e3 * min(away) < within_mm


@pytest.mark.parametrize("init", ["gt", "none"])
def test_both_sensors_give_one_pose_an_object_and_a_file_each(
    stereo: ViewTree, tmp_path: Path, capsys: pytest.CaptureFixture[str], init: str
) -> None:
    out = tmp_path / "results.csv"
    assert main(command(stereo, out, init=init)) == 0
    said = capsys.readouterr().out
    assert "targets of several views: 1; objects: 3: 3 converged" in said and "masks: ground truth" in said
    assert re.search(r"ADD median [\d.]+ mm, ADD-S median [\d.]+ mm\n", said)
    assert {one.name for one in tmp_path.iterdir()} == {"results_photo.csv", "results_cam1.csv", "results.jsonl"}
    for sensor in ("photo", "cam1"):
        check_poses(stereo, tmp_path / f"results_{sensor}.csv", sensor, 0)
    header, record = (json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines())
    assert header["sensors"] == ["photo", "cam1"] and header["complete"]
    assert record["images"] == [["photo", 0], ["cam1", 0]]
    for entry in record["objects"]:
        assert [one["gt_id"] for one in entry["sightings"]] == [entry["sightings"][0]["gt_id"]] * 2
        assert [view["used"] for view in entry["views"]] == [True, True]
        assert entry["errors"]["add_s_mm"] < 1.0 and entry["score"] == entry["confidence"]


def test_each_file_is_evaluated_as_its_sensors(stereo: ViewTree, tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    assert main(command(stereo, out)) == 0
    for sensor in ("photo", "cam1"):
        words = ["bop", "eval", "--dataset", str(stereo.root), "--split", "val", "--camera-type", sensor, "--no-vsd"]
        folder = tmp_path / sensor
        assert main([*words, "--results", str(tmp_path / f"results_{sensor}.csv"), "--out", str(folder)]) == 0
        summary = json.loads((folder / "summary.json").read_text())
        assert summary["all"]["instances"] == 3 and not summary["missing"]
        assert summary["all"]["adds_below_5mm"] == 1.0


def test_images_of_one_sensor_and_starts_of_one_image(tmp_path: Path) -> None:
    """As T-LESS and XYZ-IBD have it; the start poses of one image serve all views."""
    views = {("photo", 4): around(0.0), ("photo", 7): around(-30.0), ("photo", 9): around(20.0, -15.0)}
    tree = make_view_tree(tmp_path / "one", views, named=False)
    out = tmp_path / "results.csv"
    assert main(command(tree, out)) == 0
    rows = read_results(out)
    assert {row.im_id for row in rows} == {4, 7, 9}
    for im_id in (4, 7, 9):
        check_poses(tree, out, "photo", im_id)
    moved = [
        replace(row, score=0.7, pose=Pose(row.pose.R_m2c, row.pose.t_m2c + np.array([0.003, 0.002, 0.004])))
        for row in rows if row.im_id == 7
    ]  # fmt: skip
    write_results(tmp_path / "starts.csv", moved)
    again = tmp_path / "again.csv"
    assert main(command(tree, again, init=str(tmp_path / "starts.csv"))) == 0
    check_poses(tree, again, "photo", 9)
    assert {row.score for row in read_results(again)} == {0.7}


def test_detections_of_two_alike_are_told_apart(spoilt: ViewTree, tmp_path: Path) -> None:
    """Masks of two boxes, in another order in each view, and no truth."""
    from diffdope.io.masks import read_mask

    for sensor, order in (("photo", (0, 1)), ("cam1", (1, 0))):
        entries = [
            {
                "scene_id": 1, "image_id": 0, "category_id": 1, "score": 1.0,
                "segmentation": encode_rle(
                    read_mask(spoilt.scene / f"mask_visib_{sensor}" / f"000000_{k:06d}.png") > 0
                ),
            }
            for k in order
        ]  # fmt: skip
        dump(tmp_path / f"found_{sensor}.json", entries)
        (spoilt.scene / f"scene_gt_{sensor}.json").unlink()
        (spoilt.scene / f"scene_gt_info_{sensor}.json").unlink()
    dump(tmp_path / "found.json", [])
    out = tmp_path / "results.csv"
    assert main(command(spoilt, out, "--mask", str(tmp_path / "found.json"), init="none")) == 0
    record = json.loads((tmp_path / "results.jsonl").read_text().splitlines()[1])
    pairs = sorted(tuple(one["start"] for one in entry["sightings"]) for entry in record["objects"])
    assert pairs == [(0, 1), (1, 0)]
    assert all(entry["status"] == "converged" for entry in record["objects"])


def test_a_run_goes_on_where_it_ended(stereo: ViewTree, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    targets = tmp_path / "targets.json"
    dump(targets, [{"scene_id": 1, "im_id": [["photo", 0], ["cam1", 0]]}, {"scene_id": 1, "im_id": [["photo", 0]]}])
    words = command(stereo, tmp_path / "results.csv", "--objects", "1", targets=str(targets))
    assert main(words) == 0
    whole = (tmp_path / "results.jsonl").read_text().splitlines()
    assert len(whole) == 3
    header = json.loads(whole[0]) | {"complete": False}
    (tmp_path / "results.jsonl").write_text("\n".join([json.dumps(header), whole[1]]) + "\n")
    (tmp_path / "results_cam1.csv").unlink()
    capsys.readouterr()
    assert main(words) == 0
    assert "resuming: 1 of 2 targets are done already" in capsys.readouterr().err
    after = (tmp_path / "results.jsonl").read_text().splitlines()
    assert after[1] == whole[1] and len(after) == 3
    assert len(read_results(tmp_path / "results_cam1.csv")) == 2
    for part in ("1/2", "2/2"):
        flags = ("--objects", "1", "--shard", part)
        assert main(command(stereo, tmp_path / "part.csv", *flags, targets=str(targets))) == 0
    parts = [str(path) for path in sorted(tmp_path.glob("part.*.jsonl"))]
    assert main(["bop", "merge", *parts, "--out", str(tmp_path / "merged.csv")]) == 0
    assert len(read_results(tmp_path / "merged_photo.csv")) == 4


def test_cameras_that_are_off_are_refined(spoilt: ViewTree, tmp_path: Path) -> None:
    path = spoilt.scene / "scene_camera_cam1.json"
    cameras = json.loads(path.read_text())
    cameras["0"]["cam_t_w2c"] = list(np.add(cameras["0"]["cam_t_w2c"], [5.0, -4.0, 3.0]))
    dump(path, cameras)
    assert main(command(spoilt, tmp_path / "results.csv", "--extrinsics-sigma", "10,1")) == 0
    check_poses(spoilt, tmp_path / "results_cam1.csv", "cam1", 0, within_mm=1.0)
    record = json.loads((tmp_path / "results.jsonl").read_text().splitlines()[1])
    moved = [view["moved_mm"] for view in record["views"]]
    assert moved[0] == 0.0 and abs(moved[1] - np.linalg.norm([5.0, -4.0, 3.0])) < 1.5


def test_what_is_missing_is_told(spoilt: ViewTree, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(*flags: str, preset: str = "fast", targets: str = "") -> str:
        words = [
            preset if word == "fast" else word for word in command(spoilt, tmp_path / "r.csv", *flags, targets=targets)
        ]
        assert main(words) == 2
        return " ".join(capsys.readouterr().err.split())

    assert "only with --multiview" in " ".join(_without_views(spoilt, tmp_path, capsys).split())
    assert "one whose solver searches, because of --multiview" in refused(preset="paper")
    assert "--camera-type: expected none beside --multiview, got photo" in refused("--camera-type", "photo")
    assert "images: expected none beside --multiview, got 0" in refused("--images", "0")
    assert "extrinsics-sigma: expected MM,DEG" in refused("--extrinsics-sigma", "-1,2")
    assert "multiview: expected a targets file of several views" in refused(targets="nothing.json")
    assert "scenes: expected some of the targets file: 1, got 7" in refused("--scenes", "7")
    dump(spoilt.targets, [{"scene_id": 1, "im_id": [["photo", 0], ["cam9", 0]]}])
    assert "--camera-type: expected one of cam1, photo, got cam9" in refused()
    dump(spoilt.targets, [{"scene_id": 1, "im_id": [["photo", 0], ["cam1", 0]]}])
    path = spoilt.scene / "scene_camera_cam1.json"
    cameras = json.loads(path.read_text())
    del cameras["0"]["cam_R_w2c"], cameras["0"]["cam_t_w2c"]
    dump(path, cameras)
    told = refused()
    assert "scene_camera_cam1.json, key 0: expected cam_R_w2c and cam_t_w2c" in told
    assert "leave --multiview out" in told


def _without_views(tree: ViewTree, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    words = ["bop", "refine", "--dataset", str(tree.root), "--split", "val", "--init", "gt", "--camera-type", "photo"]
    assert main([*words, "--out", str(tmp_path / "r.csv"), "--extrinsics-sigma", "10,1"]) == 2
    return capsys.readouterr().err


def test_a_broken_image_does_not_end_the_run(spoilt: ViewTree, tmp_path: Path) -> None:
    dump(
        spoilt.targets,
        [{"scene_id": 1, "im_id": [["photo", 0], ["cam1", 0]]}, {"scene_id": 1, "im_id": [["photo", 0]]}],
    )
    (spoilt.scene / "gray_cam1" / "000000.png").write_bytes(b"no picture")
    assert main(command(spoilt, tmp_path / "results.csv")) == 1
    records = [json.loads(line) for line in (tmp_path / "results.jsonl").read_text().splitlines()[1:]]
    assert "gray_cam1/000000.png" in records[0]["error"] and len(records[1]["objects"]) == 3
    assert len(read_results(tmp_path / "results_photo.csv")) == 3


def test_groups_of_targets(tmp_path: Path) -> None:
    path = tmp_path / "t.json"
    dump(
        path,
        [
            {"scene_id": 3, "im_id": [["xyz", 24], ["xyz", 24], ["xyz", 2]]},
            {"scene_id": 4, "im_ids": [0, 5], "obj_id": 2},
            {"scene_id": 4, "im_ids": [0, 5], "obj_id": 7},
        ],
    )
    first, second = read_view_groups(path)
    assert first.images == (SensorImage("xyz", 24), SensorImage("xyz", 2)) and first.objects is None
    assert second.images == (SensorImage("default", 0), SensorImage("default", 5)) and second.objects == {2, 7}
    assert (first.key, second.key) == ("000003/000000", "000004/000001")
    for broken, told in (
        ([{"scene_id": 1, "im_id": 3}], "this file is of single images"),
        ([{"scene_id": 1, "im_id": []}], "entry 0, im_id: expected images such as"),
        ([{"scene_id": 1, "im_id": [["a", 1, 2]]}], "entry 0, im_id: expected images such as"),
        ([{"im_id": [1, 2]}], "entry 0"),
        ([], "a list of targets"),
    ):
        dump(path, broken)
        with pytest.raises(DiffDopeError, match=told):
            read_view_groups(path)


def test_places_are_compared_across_lines_of_sight() -> None:
    """A place that is wrong along the line of sight is still of one thing; one that is wrong across it is not."""
    left, right = np.array([-0.3, 0.0, 0.0]), np.array([0.3, 0.0, 0.0])
    thing, beside = np.array([0.0, 0.0, 0.6]), np.array([0.07, 0.0, 0.6])
    seen = [
        Sighted(0, thing, left), Sighted(0, beside, left), Sighted(1, right + 1.1 * (thing - right), right),
        Sighted(1, right + 0.9 * (beside - right), right),
    ]  # fmt: skip
    assert one_thing_each(seen, 0.1) == [[0, 2], [1, 3]]
    assert one_thing_each([seen[0], Sighted(1, thing + np.array([0.0, 0.09, 0.0]), right)], 0.1) == [[0], [1]]


def test_views_without_an_object_in_common_are_doubted(
    spoilt: ViewTree, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cameras in metres: each object would be taken for as many as there are views."""
    for path in spoilt.scene.glob("scene_camera_*.json"):
        entries = json.loads(path.read_text())
        for entry in entries.values():
            entry["cam_t_w2c"] = [0.001 * value for value in entry["cam_t_w2c"]]
        dump(path, entries)
    out = tmp_path / "results.csv"
    assert main(command(spoilt, out, init="none")) == 0
    assert "converged" not in capsys.readouterr().out.split("targets of several views")[1].splitlines()[0]
    record = json.loads((tmp_path / "results.jsonl").read_text().splitlines()[1])
    assert len(record["objects"]) == 6
    for entry in record["objects"]:
        assert entry["confidence"] < 0.3 and entry["score"] < 0.3
        assert any("no object in common" in note for note in entry["notes"])
    assert max(row.score for row in read_results(tmp_path / "results_cam1.csv")) < 0.3
