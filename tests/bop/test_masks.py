from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diffdope.bop.dataset import DataSet
from diffdope.bop.masks import Candidate, choose, mask_source, overlap
from diffdope.errors import DiffDopeError
from tests.oracle.bop_tree import Tree
from tests.oracle.rle import encode_rle


def square(x: int, y: int, side: int = 10) -> np.ndarray:
    mask = np.zeros((40, 50), bool)
    mask[y : y + side, x : x + side] = True
    return mask


def test_overlap_by_hand():
    assert overlap(square(0, 0), square(5, 0)) == pytest.approx(50 / 150)
    assert overlap(square(0, 0), square(20, 0)) == 0.0
    assert overlap(square(0, 0), np.zeros((40, 50), bool)) == 0.0


def test_the_largest_overlap_wins_and_a_near_second_is_ambiguous():
    start = square(10, 10)
    clear = choose(start, (Candidate(4, square(18, 18)), Candidate(2, square(11, 10))))
    assert (clear.number, clear.how) == (2, "overlap")
    assert clear.overlap == pytest.approx(90 / 110)
    doubtful = choose(start, (Candidate(4, square(12, 10)), Candidate(2, square(11, 10))))
    assert (doubtful.number, doubtful.how) == (2, "ambiguous")


def test_nothing_overlaps():
    assert choose(square(0, 0), (Candidate(0, square(30, 25)),)).number is None
    assert choose(square(0, 0), ()).how == "none"


def detections(tree: Tree) -> list[dict[str, Any]]:
    """Two of the masks, as a detector would give them."""
    scene = DataSet.open(tree.root, "val").scene(1)
    return [
        {
            "scene_id": 1,
            "image_id": 0,
            "category_id": obj_id,
            "score": 0.5,
            "segmentation": encode_rle(scene.mask(0, k)),
        }
        for k, obj_id in ((2, 2), (1, 1))
    ]


@pytest.mark.parametrize("folder", [False, True])
def test_masks_of_a_detector(tree: Tree, folder: bool):
    path = tree.root / "detections" / "cnos.json"
    path.parent.mkdir()
    path.write_text(json.dumps(detections(tree)))
    dataset = DataSet.open(tree.root, "val")
    source = mask_source(dataset, str(path.parent if folder else path))
    (candidate,) = source.candidates(1, 0, 1)
    assert candidate.number == 1
    assert (candidate.mask == dataset.scene(1).mask(0, 1)).all()
    assert source.candidates(2, 0, 1) == ()


def test_masks_of_a_folder_are_numbered_as_the_truth(shared_tree: Tree):
    dataset = DataSet.open(shared_tree.root, "val")
    source = mask_source(dataset, "mask")
    assert [c.number for c in source.candidates(1, 0, 1)] == [0, 1]
    assert source.candidates(1, 0, 1)[1].mask.sum() >= dataset.scene(1).mask(0, 1).sum()
    assert mask_source(dataset, "none") is None


def test_broken_detections_are_named(tree: Tree, tmp_path: Path):
    entries = detections(tree)
    del entries[1]["category_id"]
    (tmp_path / "d.json").write_text(json.dumps(entries))
    with pytest.raises(DiffDopeError, match=r"d.json, entry 1: expected the key category_id"):
        mask_source(DataSet.open(tree.root, "val"), str(tmp_path / "d.json"))


def test_scores_that_are_no_numbers_are_named(tree: Tree, tmp_path: Path):
    entries = detections(tree)
    entries[1]["score"] = "high"
    (tmp_path / "d.json").write_text(json.dumps(entries))
    with pytest.raises(DiffDopeError, match=r"d.json, entry 1, score: expected a finite number, got 'high'"):
        mask_source(DataSet.open(tree.root, "val"), str(tmp_path / "d.json"))
