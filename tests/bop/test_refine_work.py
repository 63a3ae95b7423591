from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from diffdope.bop.dataset import DataSet
from diffdope.bop.refine_run import header_of
from diffdope.bop.refine_work import Refinery, RefineWork
from diffdope.bop.starts import Selection, Start, starts_of_truth
from diffdope.io.results import decode
from diffdope.pipelines.result import RefinementResult
from diffdope.pipelines.settings import DescentSettings, Preset, preset
from tests.oracle.bop_tree import Tree
from tests.oracle.rle import encode_rle

QUICK = replace(Preset(), descent=DescentSettings(hypotheses=4, iterations=30))


def work(tree: Tree, **changes: Any) -> RefineWork:
    settings: dict[str, Any] = dict(
        root=tree.root, split="val", models=("models", "models_eval"), camera_type=None, mask="mask_visib", depth=True,
        preset=QUICK, seed=0, threads=1,
    )  # fmt: skip
    return RefineWork(**(settings | changes))


def starts(tree: Tree, **selected: Any) -> list[Start]:
    dataset = DataSet.open(tree.root, "val")
    return starts_of_truth(dataset, Selection(**selected), angle_rad=0.12, distance_m=0.004, seed=1)


def test_every_object_gets_closer_to_its_truth(shared_tree: Tree):
    refine = work(shared_tree)()
    for start in starts(shared_tree, scenes=(1,), images=(0,)):
        record = refine(start)
        assert record["status"] in ("converged", "iteration_limit")
        assert record["match"] == {
            "instance_by": "index",
            "mask": {"number": start.index, "by": "index", "overlap": None},
        }
        assert record["errors"]["start_add_mm"] > 4.0
        if start.obj_id == 1:  # the torus may spin unnoticed
            assert record["errors"]["add_mm"] < 0.5
        moved = np.subtract(record["cam_t_m2c"], 1e3 * shared_tree.truth[1, 0][start.index][1].t_m2c)
        assert np.linalg.norm(moved) < 1.0 < np.linalg.norm(1e3 * (start.pose.t_m2c) - record["cam_t_m2c"])
        result = decode(json.loads(json.dumps(record, allow_nan=False)), RefinementResult)
        assert np.array_equal(result.initial_pose.matrix, start.pose.matrix)
        assert result.modalities == ("rgb", "depth", "mask")[start.obj_id == 2 :] and result.seed == 0


def test_a_start_without_an_instance_finds_mask_and_truth_by_overlap(shared_tree: Tree):
    refine = work(shared_tree)()
    for start in starts(shared_tree, scenes=(1,), images=(3,)):
        record = refine(replace(start, gt_id=None))
        assert record["gt_id"] == start.index
        assert record["match"]["instance_by"] == "overlap"
        assert 0.5 < record["match"]["mask"]["overlap"] <= 1.0


def test_detected_masks_are_matched_by_overlap_even_if_the_instance_is_known(tree: Tree):
    scene = DataSet.open(tree.root, "val").scene(1)
    entries = [
        {"scene_id": 1, "image_id": 0, "category_id": 1, "score": 1.0, "segmentation": encode_rle(scene.mask(0, k))}
        for k in (1, 0)
    ]
    (tree.root / "detections.json").write_text(json.dumps(entries))
    refine = work(tree, mask=str(tree.root / "detections.json"))()
    first, second, torus = (refine(start) for start in starts(tree, scenes=(1,), images=(0,)))
    assert first["match"]["mask"]["number"] == 1 and second["match"]["mask"]["number"] == 0
    assert first["match"]["instance_by"] == "index"
    assert torus["status"] == "no_overlap" and torus["score"] == 0.0
    assert decode(torus, RefinementResult).cost == float("inf")
    assert torus["cam_t_m2c"] == torus["initial_cam_t_m2c"]


def test_without_masks_the_instance_is_found_by_its_silhouette(shared_tree: Tree):
    start = starts(shared_tree, scenes=(1,), images=(0,))[1]
    record = work(shared_tree, mask="none")()(replace(start, gt_id=None))
    assert (record["gt_id"], record["match"]["instance_by"], record["match"]["mask"]["by"]) == (1, "overlap", "none")
    assert any("without a mask" in note for note in record["notes"])


def test_an_object_without_colours_in_a_colour_image_keeps_its_start_and_says_why(shared_tree: Tree):
    torus = next(s for s in starts(shared_tree, scenes=(1,), images=(0,)) if s.obj_id == 2)
    record = work(shared_tree, mask="none", depth=False, preset=preset("paper"))()(torus)
    assert record["status"] == "failed"
    assert "the mesh has no colours, so RGB cannot be compared" in record["message"]
    assert np.allclose(record["cam_t_m2c"], 1e3 * torus.pose.t_m2c)
    assert record["score"] == 0.0


def test_the_score_is_the_confidence_where_there_is_one(shared_tree: Tree):
    start = starts(shared_tree, scenes=(1,), images=(0,))[0]
    record = work(shared_tree, preset=preset("default"))()(start)
    assert 0.5 < record["score"] == record["confidence"] <= 1.0


def test_the_score_of_another_method_is_kept(shared_tree: Tree):
    start = starts(shared_tree, scenes=(1,), images=(0,))[0]
    refine = work(shared_tree)()
    assert refine(replace(start, score=0.123))["score"] == 0.123
    record = refine(start)
    assert record["score"] == pytest.approx(1 / (1 + record["cost"]))


def test_depth_can_be_left_out(shared_tree: Tree):
    start = starts(shared_tree, scenes=(1,), images=(0,))[0]
    assert "depth" in work(shared_tree)()(start)["cost_per_modality"]
    assert "depth" not in work(shared_tree, depth=False)()(start)["cost_per_modality"]


def test_grey_pictures_are_compared_with_a_grey_mesh(tree: Tree):
    path = tree.scene(1) / "rgb" / "000000.png"
    Image.open(path).convert("L").save(path)
    start = starts(tree, scenes=(1,), images=(0,))[0]
    record = work(tree, depth=False)()(start)
    assert record["cost_per_modality"]["rgb"] < 0.5 * record["initial_cost_per_modality"]["rgb"]


def test_order_and_history_do_not_change_a_record(shared_tree: Tree):
    def without_seconds(record: dict[str, Any]) -> dict[str, Any]:
        return record | {"seconds": None}

    some = starts(shared_tree)
    forwards = work(shared_tree)()
    records = {s.key: without_seconds(forwards(s)) for s in some[:5]}
    backwards = work(shared_tree, threads=2)()
    for start in reversed(some[:5]):
        assert without_seconds(backwards(start)) == records[start.key]


def test_broken_images_name_their_file(tree: Tree):
    start = starts(tree, scenes=(1,), images=(0,))[0]
    (tree.scene(1) / "depth" / "000000.png").write_bytes(b"no picture")
    record = work(tree)()(start)
    assert "depth/000000.png" in record["error"]
    assert (record["scene_id"], record["im_id"], record["obj_id"], record["gt_id"]) == (1, 0, 1, 0)
    (tree.scene(1) / "mask_visib" / "000000_000000.png").unlink()
    assert "mask mask_visib/000000_000000, got no such file" in work(tree, depth=False)()(start)["error"]


def test_an_invisible_object_is_not_refined(tree: Tree):
    start = starts(tree, scenes=(1,), images=(0,))[0]
    path = tree.scene(1) / "mask_visib" / "000000_000000.png"
    Image.fromarray(np.zeros((120, 160), np.uint8)).save(path)
    record = work(tree)()(start)
    assert record["status"] == "no_overlap" and record["score"] == 0.0


def test_reasons_can_be_left_out_and_a_run_says_so(shared_tree: Tree):
    silent = Refinery(work(shared_tree, explain=False), DataSet.open(shared_tree.root, "val"), None)
    assert not silent.refiner(1, False).explain
    headers = [header_of(work(shared_tree, explain=one), starts(shared_tree), "gt") for one in (True, False)]
    assert "explain" not in headers[0] and headers[1] == headers[0] | {"explain": False}
