"""Targets of detection tasks and of several views, duplicates, and results that are not meant as they stand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from diffdope.bop.dataset import DataSet, read_targets
from diffdope.bop.duplicates import without_duplicates
from diffdope.bop.masks import mask_origin
from diffdope.bop.plausible import check_frame
from diffdope.bop.refine_work import score_of
from diffdope.bop.starts import Selection, Start
from diffdope.bop.targets import wanted_instances
from diffdope.errors import DiffDopeError
from diffdope.geometry.pose import Pose
from diffdope.io.bop_results import Estimate
from diffdope.pipelines.result import Status, nothing_compared
from tests.oracle.bop_tree import Tree
from tests.oracle.files import written

FAR = Pose(np.eye(3), [0.0, 0.0, 0.5])


def test_targets_without_an_object_select_images(tree: Tree, tmp_path: Path) -> None:
    dataset = DataSet.open(tree.root, "val")
    path = written(tmp_path / "targets.json", [{"scene_id": 1, "im_id": 3}, {"scene_id": 2, "im_id": 0}])
    wanted = wanted_instances(dataset, Selection(), dataset.targets(path), min_visib=0.0)
    assert {key: len(those) for key, those in wanted.items()} == {
        (1, 3, 1): 2, (1, 3, 2): 1, (2, 0, 1): 2, (2, 0, 2): 1,
    }  # fmt: skip
    only = wanted_instances(dataset, Selection(objects=(2,)), dataset.targets(path), min_visib=0.0)
    assert set(only) == {(1, 3, 2), (2, 0, 2)}


@pytest.mark.parametrize("year", ["bop24", "bop25", "multiview_bop25"])
def test_the_data_sets_own_targets_are_found(tree: Tree, year: str) -> None:
    (tree.root / "test_targets_bop19.json").unlink()
    written(tree.root / f"test_targets_{year}.json", [{"scene_id": 1, "im_id": 0}])
    targets = DataSet.open(tree.root, "val").targets()
    assert targets is not None and [(t.scene_id, t.im_id, t.obj_id) for t in targets] == [(1, 0, None)]


def test_lists_of_views(tmp_path: Path) -> None:
    entries = [{"scene_id": 1, "im_id": [0, 3]}, {"scene_id": 1, "im_id": [3, 4], "obj_id": 2}]
    path = written(tmp_path / "t.json", entries)
    assert [(t.im_id, t.obj_id) for t in read_targets(path)] == [(0, None), (3, None), (3, 2), (4, 2)]
    path = written(tmp_path / "s.json", [{"scene_id": 1, "im_id": [["cam1", 0], ["cam2", 5]]}])
    assert [t.im_id for t in read_targets(path, "cam2")] == [5]
    assert [t.im_id for t in read_targets(path)] == [0, 5]
    for broken in ({"scene_id": 1}, {"scene_id": 1, "im_id": ["a"]}, {"scene_id": 1, "im_id": [[1, 2, 3]]}):
        with pytest.raises(DiffDopeError, match="entry 0"):
            read_targets(written(tmp_path / "b.json", [broken]))


def test_metres_and_opengl_are_told(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    right = Estimate(1, 0, 1, 1.0, FAR)
    metres = replace(right, pose=Pose(np.eye(3), [0.0, 0.0, 0.0005]))
    opengl = replace(right, pose=Pose(np.eye(3), [0.0, 0.0, -0.5]))
    assert check_frame([right] * 3, path) == "" and check_frame([], path) == ""
    with pytest.raises(DiffDopeError, match="got a median of 0.5 mm; translations are probably in metres: multiply"):
        check_frame([metres] * 3, path)
    with pytest.raises(DiffDopeError, match="got 3 of 3 behind it .*; they are probably of an OpenGL camera"):
        check_frame([opengl] * 3, path)
    note = check_frame([right] * 8 + [opengl, metres], path)
    assert note == "of 10 poses in r.csv, 1 nearer than 10 mm (metres?) and 1 behind the camera (OpenGL?)"


def test_duplicates_are_dropped_by_place() -> None:
    def at(x: float, score: float, obj_id: int = 1) -> Estimate:
        return Estimate(1, 0, obj_id, score, Pose(np.eye(3), [x, 0.0, 0.5]))

    rows = [at(0.0, 0.5), at(0.01, 0.9), at(0.1, 0.2), at(0.01, 0.4, obj_id=2), at(0.115, 0.1)]
    assert without_duplicates(rows, lambda _: 0.1) == [rows[1], rows[2], rows[3]]
    assert without_duplicates(rows, lambda _: 1e-3) == rows


def test_masks_name_their_origin(tmp_path: Path) -> None:
    assert mask_origin("none") == "none"
    assert mask_origin("mask_visib") == "ground truth (mask_visib, numbered as scene_gt.json)"
    assert mask_origin("mask_noisy") == "ground truth (mask_noisy, numbered as scene_gt.json, perhaps spoilt)"
    assert mask_origin("detections.json") == "detections (detections.json)"
    assert mask_origin(str(tmp_path)).startswith("detections (")


def test_the_score_can_be_the_confidence() -> None:
    start = Start(1, 0, 0, 1, FAR, 0.3)
    result = replace(nothing_compared(FAR, Status.CONVERGED, ""), confidence=0.8)
    assert score_of(start, result) == 0.3
    assert score_of(start, result, "confidence") == 0.8
    assert score_of(replace(start, score=None), result) == 0.8
