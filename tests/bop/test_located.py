"""A data set whose objects are located, with no start poses."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from diffdope.bop.dataset import DataSet
from diffdope.bop.masks import MaskSource, mask_source
from diffdope.bop.refine_work import RefineWork
from diffdope.bop.start_sources import StartSource
from diffdope.bop.starts import Selection, Start
from diffdope.bop.starts_without_poses import starts_of_masks
from diffdope.errors import DiffDopeError
from diffdope.io.results import decode
from diffdope.pipelines.refiner import Refiner
from diffdope.pipelines.result import RefinementResult, Status, nothing_compared
from diffdope.pipelines.settings import preset
from tests.oracle.bop_tree import Tree
from tests.oracle.rle import encode_rle

ONE_IMAGE = Selection(scenes=(1,), images=(0,))


def work(tree: Tree, mask: str = "mask_visib") -> RefineWork:
    return RefineWork(
        root=tree.root, split="val", models=("models", "models_eval"), camera_type=None, mask=mask, depth=True,
        preset=preset("fast"), seed=0, threads=1,
    )  # fmt: skip


def starts(tree: Tree, mask: str = "mask_visib", selection: Selection = ONE_IMAGE) -> list[Start]:
    return StartSource("none", mask=mask).starts(DataSet.open(tree.root, "val"), selection)


def detect(tree: Tree, numbers: list[int]) -> str:
    """A detector's file with the masks of these instances of scene 1, image 0, all of object 1."""
    scene = DataSet.open(tree.root, "val").scene(1)
    entries = [
        {"scene_id": 1, "image_id": 0, "category_id": 1, "score": 0.2, "segmentation": encode_rle(scene.mask(0, k))}
        for k in numbers
    ]
    path = tree.root / "detections.json"
    path.write_text(json.dumps(entries))
    return str(path)


def test_an_instance_is_found_by_its_mask_and_the_first_proposal_stands_for_a_start(shared_tree: Tree):
    some = starts(shared_tree)
    assert [(s.key, s.obj_id, s.gt_id, s.pose) for s in some[1:]] == [
        ("000001/000000/000001", 1, 1, None),
        ("000001/000000/000002", 2, 2, None),
    ]
    record = work(shared_tree)()(some[0])
    assert record["match"] == {"instance_by": "index", "mask": {"number": 0, "by": "index", "overlap": None}}
    assert record["errors"]["add_s_mm"] < 1.0 < record["errors"]["start_add_mm"]
    result = decode(json.loads(json.dumps(record, allow_nan=False)), RefinementResult)
    assert np.allclose(1e3 * result.initial_pose.t_m2c, record["initial_cam_t_m2c"])
    assert record["score"] == record["confidence"]


def test_detections_are_located_one_by_one_and_matched_by_what_was_found(tree: Tree):
    mask = detect(tree, [1])
    some = starts(tree, mask)
    assert [(s.index, s.obj_id, s.gt_id) for s in some] == [(0, 1, None), (1, 1, None), (2, 2, None)]
    locate = work(tree, mask)()
    record = locate(some[0])
    assert (record["gt_id"], record["match"]["instance_by"]) == (1, "overlap")
    assert record["match"]["mask"]["number"] == 0 and record["errors"]["add_s_mm"] < 1.0
    for start in some[1:]:
        assert f"object {start.obj_id}: expected a mask of this instance" in locate(start)["error"]


def test_a_hidden_instance_that_was_not_detected_is_not_missed(tree: Tree):
    mask = detect(tree, [0, 1])
    path = tree.scene(1) / "scene_gt_info.json"
    info = json.loads(path.read_text())
    info["0"][2]["visib_fract"] = 0.05
    path.write_text(json.dumps(info))
    some = starts(tree, mask, Selection(scenes=(1,), images=(0,), min_visib=0.1))
    assert [(s.index, s.obj_id) for s in some] == [(0, 1), (1, 1)]


def test_detections_need_no_truth(tree: Tree):
    mask = detect(tree, [0])
    for name in ("scene_gt.json", "scene_gt_info.json"):
        (tree.scene(1) / name).unlink()
    (only,) = starts(tree, mask)
    record = work(tree, mask)()(only)
    assert record["status"] == "converged" and (record["gt_id"], record["errors"]) == (None, None)


@pytest.mark.parametrize("empty", [False, True])
def test_an_instance_without_a_mask_becomes_an_error_that_says_so(tree: Tree, empty: bool):
    path = tree.scene(1) / "mask_visib" / "000000_000001.png"
    path.unlink()
    if empty:
        Image.fromarray(np.zeros((120, 160), np.uint8)).save(path)
    record = work(tree)()(starts(tree)[1])
    got = "one in which every pixel is 0" if empty else "none"
    assert f"scene 1, image 0, object 1: expected a mask of this instance in mask_visib, got {got}" in record["error"]
    assert (record["gt_id"], record["start"]) == (1, 1) and "initial_cam_R_m2c" not in record


def test_what_cannot_be_located_claims_no_instance(tree: Tree, monkeypatch: pytest.MonkeyPatch):
    """A search that fails leaves a pose that means nothing, wherever it happens to lie."""
    mask = detect(tree, [0])
    (start, *_), truth = starts(tree, mask), tree.truth[1, 0][0][1]
    nothing = nothing_compared(truth, Status.FAILED, "nothing")
    monkeypatch.setattr(Refiner, "locate", lambda self, observation: nothing)
    record = work(tree, mask)()(start)
    assert (record["gt_id"], record["match"]["instance_by"], record["score"]) == (None, "none", 0.0)


def test_without_masks_depth_shows_as_many_as_targets_ask_for(shared_tree: Tree):
    some = starts(shared_tree, "none")
    assert [(s.index, s.obj_id, s.rank, s.asked) for s in some] == [(0, 1, 0, 2), (1, 1, 1, 2), (2, 2, 0, 1)]
    locate = work(shared_tree, "none")()
    records = [locate(start) for start in some[:2]]
    assert sorted(record["gt_id"] for record in records) == [0, 1]
    assert all(record["errors"]["add_s_mm"] < 1.0 for record in records)
    assert records[0]["score"] >= records[1]["score"] and records[0]["seconds"] == records[1]["seconds"]


def test_what_targets_ask_for_and_depth_does_not_show_is_an_error(tree: Tree, monkeypatch: pytest.MonkeyPatch):
    asked: list[int] = []
    monkeypatch.setattr(Refiner, "locate_all", lambda self, observation, *, most: asked.append(most) or [])
    locate = work(tree, "none")()
    for start in starts(tree, "none")[:2]:
        text = "scene 1, image 0, object 1: expected 2 instances that depth shows, got 0"
        assert text in locate(start)["error"]
    assert asked == [2]  # an image is searched once


def test_where_no_targets_say_how_many_the_truth_does(tree: Tree):
    (tree.root / "test_targets_bop19.json").unlink()
    path = tree.scene(1) / "scene_gt_info.json"
    info = json.loads(path.read_text())
    info["0"][0]["visib_fract"] = 0.05
    path.write_text(json.dumps(info))
    some = starts(tree, "none", Selection(scenes=(1,), images=(0,), min_visib=0.1))
    assert [(s.obj_id, s.rank, s.asked) for s in some] == [(1, 0, 1), (2, 0, 1)]
    for name in ("scene_gt.json", "scene_gt_info.json"):
        (tree.scene(1) / name).unlink()
    with pytest.raises(DiffDopeError, match=r"init: expected a targets file that says how many of which object"):
        starts(tree, "none")


def test_what_makes_sense_only_with_a_start_is_refused():
    for options, message in (
        ({"level": "001_trans_001"}, "level: expected only with start poses from a folder"),
        ({"perturb_deg": 1.0}, "perturb: expected only with --init gt"),
        ({"perturb_mm": 1.0}, "perturb: expected only with --init gt"),
    ):
        with pytest.raises(DiffDopeError, match=message):
            StartSource("none", **options)


def test_masks_of_a_folder_say_the_objects_of_the_truth(shared_tree: Tree):
    dataset = DataSet.open(shared_tree.root, "val")
    source = mask_source(dataset, "mask_visib")
    assert isinstance(source, MaskSource) and source.objects(1, 0) == (1, 1, 2)
    assert len(starts_of_masks(dataset, Selection(), source)) == 9


def test_a_detection_may_be_a_box_alone(shared_tree: Tree) -> None:
    scene = DataSet.open(shared_tree.root, "val").scene(1)
    mask = scene.mask(0, 1)
    assert mask is not None
    rows, columns = np.nonzero(mask)
    x, y, width, height = columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1
    entry = {
        "scene_id": 1,
        "image_id": 0,
        "category_id": 1,
        "score": 0.9,
        "bbox": [int(v) for v in (x, y, width, height)],
    }
    path = shared_tree.root / "boxes.json"
    path.write_text(json.dumps([entry]))
    (candidate,) = mask_source(DataSet.open(shared_tree.root, "val"), str(path)).candidates(1, 0, 1)  # type: ignore[union-attr]
    assert candidate.mask.shape == mask.shape and candidate.mask.sum() == width * height
    only = starts(shared_tree, str(path))[0]
    record = work(shared_tree, str(path))()(only)
    assert "error" not in record and record["errors"]["add_s_mm"] < 2.0
    path.write_text(json.dumps([{**entry, "bbox": [1, 2, 3]}]))
    assert "bbox" in work(shared_tree, str(path))()(only)["error"]
    path.unlink()
