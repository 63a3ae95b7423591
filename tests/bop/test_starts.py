from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from diffdope.bop.dataset import DataSet
from diffdope.bop.start_sources import StartSource
from diffdope.bop.starts import Selection, level_path, select, starts_of_json, starts_of_results, starts_of_truth
from diffdope.bop.targets import wanted_instances
from diffdope.errors import DiffDopeError
from diffdope.geometry.pose import Pose
from diffdope.io.bop_results import Estimate, write_results
from tests.oracle.bop_tree import Tree, write_starts

ALL = Selection()


def opened(tree: Tree) -> DataSet:
    return DataSet.open(tree.root, "val")


def test_the_truth_itself(shared_tree: Tree):
    starts = starts_of_truth(opened(shared_tree), ALL)
    assert [s.key for s in starts[:4]] == [
        "000001/000000/000000",
        "000001/000000/000001",
        "000001/000000/000002",
        "000001/000003/000000",
    ]
    assert all(s.gt_id == s.index for s in starts)
    np.testing.assert_allclose(starts[3].pose.matrix, shared_tree.truth[1, 3][0][1].matrix, atol=1e-12)


def test_perturbed_truth_is_off_by_exactly_what_was_asked(shared_tree: Tree):
    dataset = opened(shared_tree)
    starts = starts_of_truth(dataset, ALL, angle_rad=0.3, distance_m=0.01, seed=4)
    for start in starts:
        _, truth = shared_tree.truth[start.scene_id, start.im_id][start.index]
        assert start.pose.angle_to(truth) == pytest.approx(0.3)
        assert start.pose.distance_to(truth) == pytest.approx(0.01)
    assert len({tuple(np.round(s.pose.t_m2c, 6)) for s in starts}) == len(starts)


def test_a_selection_or_another_order_changes_no_perturbation(shared_tree: Tree):
    dataset = opened(shared_tree)
    everything = {s.key: s for s in starts_of_truth(dataset, ALL, angle_rad=0.3, distance_m=0.01, seed=4)}
    for start in starts_of_truth(dataset, Selection(scenes=(2,)), angle_rad=0.3, distance_m=0.01, seed=4):
        assert (start.pose.matrix == everything[start.key].pose.matrix).all()
    other = starts_of_truth(dataset, Selection(scenes=(2,)), angle_rad=0.3, distance_m=0.01, seed=5)
    assert not np.allclose(other[0].pose.matrix, everything[other[0].key].pose.matrix)


def test_published_files_are_aligned_with_the_truth(tree: Tree):
    file = tree.root / "init_poses" / "000001" / "scene_error_deg_010_trans_004.json"
    write_starts(tree, 1, file, {im: tree.truth[1, im] for im in (0, 3)})
    starts = starts_of_json(
        opened(tree), Selection(scenes=(1,)), lambda s: level_path(file.parents[1], "010_trans_004", s)
    )
    assert [(s.im_id, s.index, s.gt_id, s.obj_id) for s in starts[3:]] == [(3, 0, 0, 1), (3, 1, 1, 1), (3, 2, 2, 2)]
    with pytest.raises(DiffDopeError, match="level: expected one of 010_trans_004"):
        level_path(file.parents[1], "010_trans_040", 1)


def test_another_order_than_the_truths_claims_no_instance(tree: Tree):
    file = tree.root / "starts.json"
    poses = tree.truth[1, 0]
    write_starts(tree, 1, file, {0: [poses[2], poses[0]]})
    starts = starts_of_json(opened(tree), Selection(scenes=(1,)), lambda _: file)
    assert [(s.index, s.gt_id, s.obj_id) for s in starts] == [(0, None, 2), (1, None, 1)]


def test_a_broken_published_file_is_named(tree: Tree):
    file = tree.root / "starts.json"
    file.write_text('{"0": [{"cam_R_m2c": [1, 0, 0, 0, 1, 0, 0, 0, 1], "obj_id": 1}]}')
    with pytest.raises(DiffDopeError, match=r"starts.json, key 0: expected the key cam_t_m2c"):
        starts_of_json(opened(tree), Selection(scenes=(1,)), lambda _: file)


def test_estimates_of_another_method_keep_their_scores(tree: Tree, tmp_path: Path):
    pose = tree.truth[1, 0][0][1]
    rows = [Estimate(1, 0, 1, 0.9, pose, 2.0), Estimate(2, 0, 1, 0.3, pose), Estimate(1, 0, 1, 0.5, pose, 2.0)]
    write_results(tmp_path / "r.csv", rows)
    starts = starts_of_results(opened(tree), ALL, tmp_path / "r.csv")
    assert [(s.scene_id, s.im_id, s.index, s.score, s.gt_id) for s in starts] == [
        (1, 0, 0, 0.9, None),
        (2, 0, 0, 0.3, None),
        (1, 0, 1, 0.5, None),
    ]
    only = starts_of_results(opened(tree), Selection(scenes=(1,)), tmp_path / "r.csv")
    assert [s.key for s in only] == [starts[0].key, starts[2].key]


def test_rows_of_unknown_scenes_are_refused(tree: Tree, tmp_path: Path):
    write_results(tmp_path / "r.csv", [Estimate(48, 0, 1, 0.9, Pose.identity())])
    with pytest.raises(DiffDopeError, match="scene: expected one of 1, 2, got 48"):
        starts_of_results(opened(tree), ALL, tmp_path / "r.csv")


def test_starts_are_selected_by_image_object_and_visibility(shared_tree: Tree):
    dataset = opened(shared_tree)
    starts = starts_of_truth(dataset, Selection(images=(3,)))
    assert {s.im_id for s in starts} == {3}
    assert {s.obj_id for s in select(dataset, Selection(objects=(2,)), starts)} == {2}
    shares = {s.index: dataset.scene(1).truth(3)[s.index].visib_fract for s in starts}
    limit = sorted(shares.values())[0] + 1e-6
    kept = select(dataset, Selection(min_visib=limit), starts)
    assert {s.index for s in kept} == {k for k, share in shares.items() if share >= limit}
    with pytest.raises(DiffDopeError, match="objects: expected some of 1, 2, got 7"):
        select(dataset, Selection(objects=(7,)), starts)
    nowhere = Selection(images=(99,))
    with pytest.raises(DiffDopeError, match=r"images: expected some of .*3.*, got 99; see --scenes"):
        select(dataset, nowhere, starts_of_truth(dataset, nowhere))
    with pytest.raises(DiffDopeError, match="min_visib: expected a share between 0 and 1, got 10"):
        Selection(min_visib=10)


def test_a_missing_model_is_told_before_the_run(tree: Tree):
    (tree.root / "models_eval" / "obj_000002.ply").unlink()
    dataset = opened(tree)
    with pytest.raises(DiffDopeError, match="obj_id: expected one of 1 in"):
        select(dataset, ALL, starts_of_truth(dataset, ALL))


def test_truth_that_is_not_there_is_named(tree: Tree):
    for scene in (tree.root / tree.split).iterdir():
        (scene / "scene_gt.json").unlink()
    dataset = opened(tree)
    missing = r"split: expected the truth, scene_gt.json, of the chosen scenes, got no file .*/scene_gt\.json; "
    with pytest.raises(DiffDopeError, match=missing):
        starts_of_truth(dataset, Selection())
    with pytest.raises(DiffDopeError, match=missing):
        wanted_instances(dataset, Selection(), None)


def test_a_level_is_of_folders(shared_tree: Tree, tmp_path: Path):
    """It was passed over beside the truth, and beside a CSV."""
    write_results(tmp_path / "r.csv", [Estimate(1, 0, 1, 1.0, Pose.identity())])
    for init in ("gt", str(tmp_path / "r.csv")):
        with pytest.raises(DiffDopeError, match="level: expected a folder of start poses as init"):
            StartSource(init, level="010_trans_004").starts(opened(shared_tree), ALL)
