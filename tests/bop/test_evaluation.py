"""Figures of shifted poses, against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from diffdope.bop.dataset import DataSet, Target
from diffdope.bop.evaluation import BopEvaluation, check_known, evaluate
from diffdope.bop.starts import Selection
from diffdope.bop.summary import by, quantile, summarise
from diffdope.bop.targets import compete, trials, wanted_instances
from diffdope.errors import DiffDopeError
from diffdope.geometry.pose import Pose
from diffdope.io.bop_results import Estimate
from diffdope.note_codes import codes_of
from tests.oracle.bop_eval_case import estimate, shifted
from tests.oracle.bop_tree import Tree

IMAGE = (1, 0)
ONE_IMAGE = Selection(scenes=(1,), images=(0,))
ALL = Selection()


def opened(tree: Tree) -> DataSet:
    return DataSet.open(tree.root, tree.split, models=("models_eval",))


def judged(
    tree: Tree, estimates: list[Estimate], selection: Selection = ONE_IMAGE, *, vsd: bool = False
) -> BopEvaluation:
    dataset = opened(tree)
    wanted = wanted_instances(dataset, selection, dataset.targets())
    return evaluate(dataset, estimates, compete(wanted, estimates), how="bop", vsd=vsd)


def test_errors_of_shifts_are_the_shifts(shared_tree: Tree) -> None:
    shifts = (3.0, 12.0, 7.0)
    found = judged(shared_tree, [estimate(shared_tree, IMAGE, k, x) for k, x in enumerate(shifts)])
    assert [row.gt_id for row in found.rows] == [0, 1, 2]
    for row, x in zip(found.rows, shifts, strict=True):
        assert row.errors.add == pytest.approx(1e-3 * x)
        assert row.errors.mssd == pytest.approx(1e-3 * x, rel=1e-3)  # object 2: turns in 315 steps, identity among them
        assert row.errors.translation == pytest.approx(1e-3 * x)
        assert row.errors.rotation == pytest.approx(0.0, abs=1e-6)
        assert row.errors.add_s <= row.errors.add
        assert row.errors.vsd is None


def test_shares_of_thresholds_that_are_met(shared_tree: Tree) -> None:
    found = judged(shared_tree, [estimate(shared_tree, IMAGE, 0, 3.0), estimate(shared_tree, IMAGE, 1, 13.0)])
    near, far, missing = found.rows
    # 3 mm is below 4, 6, ..., 20 mm: nine of ten; 13 mm is below 14, ..., 20: four.
    assert near.recall_absolute == pytest.approx(0.9)
    assert far.recall_absolute == pytest.approx(0.4)
    mesh = shared_tree.meshes[1]
    for row, x in ((near, 3.0), (far, 13.0)):
        wanted = np.mean(1e-3 * x < np.arange(1, 11) * 0.05 * mesh.diameter)
        assert row.recall_mssd == pytest.approx(wanted)
        z = row.truth.apply(mesh.vertices_m)[:, 2].min()
        pixels = 150.0 * 1e-3 * x / z * 640 / 160  # the nearest vertex moves most
        assert row.recall_mspd == pytest.approx(np.mean(pixels < np.arange(1, 11) * 5.0))
    assert (missing.recall_mssd, missing.recall_mspd, missing.recall_absolute) == (0, 0, 0)
    assert missing.estimate is None
    assert np.isinf(missing.errors.add)


def test_a_missing_instance_is_an_infinite_error_in_every_figure(shared_tree: Tree) -> None:
    found = judged(shared_tree, [estimate(shared_tree, IMAGE, 0, 3.0), estimate(shared_tree, IMAGE, 1, 13.0)])
    total = summarise(found.rows, other_max_m=0.02)
    assert (total.instances, total.missing) == (3, 1)
    assert total.add_median == pytest.approx(13.0)
    assert np.isinf(total.add_p90)
    assert total.add_below_5mm == pytest.approx(1 / 3)
    assert total.add_auc == pytest.approx((0.97 + 0.87 + 0.0) / 3)
    assert total.add_auc_other == pytest.approx((0.85 + 0.35 + 0.0) / 3)
    assert total.ar_absolute == pytest.approx((0.9 + 0.4 + 0.0) / 3)
    assert total.as_json()["add_p90"] is None
    assert total.seconds_median == pytest.approx(0.5)
    objects = {key: summarise(rows, other_max_m=0.02) for key, rows in by(found.rows, lambda row: row.obj_id).items()}
    assert objects[1].add_median == pytest.approx(8.0)
    assert (objects[2].missing, objects[2].add_auc) == (1, 0.0)


def test_without_depth_ar_is_the_mean_of_two_and_says_so(shared_tree: Tree) -> None:
    total = summarise(judged(shared_tree, [estimate(shared_tree, IMAGE, 0, 3.0)]).rows, other_max_m=0.02)
    assert total.ar_vsd is None
    assert not total.ar_complete
    notes = judged(shared_tree, []).notes
    assert notes[0].startswith("VSD was not measured") and codes_of(notes)[0] == "figures-partial"
    assert total.ar == pytest.approx((total.ar_mssd + total.ar_mspd) / 2)


def test_with_depth_vsd_takes_part(shared_tree: Tree) -> None:
    found = judged(shared_tree, [estimate(shared_tree, IMAGE, 1, 0.0), estimate(shared_tree, IMAGE, 2, 10.0)], vsd=True)
    missing, exact, off = found.rows
    assert missing.recall_vsd == 0.0
    assert exact.recall_vsd == pytest.approx(1.0)  # the depth image is rendered from this very pose
    assert off.recall_vsd is not None
    assert 0.0 < off.recall_vsd < 0.9
    total = summarise(found.rows, other_max_m=0.02)
    assert total.ar_complete
    assert total.ar_vsd == pytest.approx((1.0 + off.recall_vsd) / 3)
    assert total.ar == pytest.approx(np.mean([total.ar_vsd, total.ar_mssd, total.ar_mspd]))


def test_the_best_scored_estimates_compete_and_no_more_than_there_are_instances(shared_tree: Tree) -> None:
    third, second, first = (
        estimate(shared_tree, IMAGE, 0, 0.0, score=0.1),  # perfect, but the third of two
        estimate(shared_tree, IMAGE, 0, 9.0, score=0.5),
        estimate(shared_tree, IMAGE, 1, 2.0, score=0.9),
    )
    found = judged(shared_tree, [third, second, first])
    assert [row.number for row in found.rows] == [1, 2, None]
    assert found.unused == (0,)
    assert [round(1e3 * row.errors.add, 6) for row in found.rows[:2]] == [9.0, 2.0]


def test_a_target_counts_its_most_visible_instances(shared_tree: Tree) -> None:
    dataset = opened(shared_tree)
    visible = {i.gt_id: i.visib_fract or 0.0 for i in dataset.scene(1).truth(0) if i.obj_id == 1}
    wanted = wanted_instances(dataset, ONE_IMAGE, [Target(1, 0, 1, 1)])
    assert [i.gt_id for i in wanted[1, 0, 1]] == [max(visible, key=lambda k: visible[k])]
    with pytest.raises(DiffDopeError, match="target scene 1, image 0, object 1: expected 3 instances"):
        wanted_instances(dataset, ONE_IMAGE, [Target(1, 0, 1, 3)])
    with pytest.raises(DiffDopeError, match="targets: expected at least one"):
        wanted_instances(dataset, Selection(objects=(9,)), None)


def test_without_targets_hidden_instances_do_not_count(shared_tree: Tree) -> None:
    dataset = opened(shared_tree)
    assert sum(map(len, wanted_instances(dataset, ALL, None).values())) == 9
    shares = sorted(i.visib_fract or 0.0 for i in dataset.scene(1).truth(0))
    only = wanted_instances(dataset, ONE_IMAGE, None, min_visib=shares[0] + 1e-6)
    assert sum(map(len, only.values())) == 2


def test_trials_are_judged_one_by_one(shared_tree: Tree) -> None:
    dataset = opened(shared_tree)
    shifts = (3.0, 30.0)  # two attempts at instance 0; a third ended in an error; instance 1 was not tried
    estimates = [estimate(shared_tree, IMAGE, 0, x) for x in shifts]
    tried = {"scene_id": 1, "im_id": 0, "obj_id": 1, "gt_id": 0}
    records = [dict(tried), {**tried, "error": "broken"}, dict(tried)]
    found = evaluate(dataset, estimates, trials(dataset, records, None, ALL), how="index", vsd=False)
    assert [(row.gt_id, row.trial, row.number) for row in found.rows] == [(0, 0, 0), (0, 1, None), (0, 2, 1)]
    assert [row.errors.add for row in found.rows] == pytest.approx([0.003, np.inf, 0.030])
    assert found.rows[2].key == "000001/000000/000000#2"
    wanted = wanted_instances(dataset, ONE_IMAGE, None)
    everything = trials(dataset, records, wanted, ONE_IMAGE)
    assert [(group.instances[0].gt_id, group.trial) for group in everything] == [(0, 0), (0, 1), (0, 2), (1, 0), (2, 0)]


def test_records_of_another_data_set_are_refused(shared_tree: Tree) -> None:
    dataset = opened(shared_tree)
    record = {"scene_id": 1, "im_id": 0, "obj_id": 2, "gt_id": 0}
    with pytest.raises(DiffDopeError, match="instance 0 of scene 1, image 0: expected object 2 as in the rec"):
        trials(dataset, [record], None, ALL)


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        ((7, 0, 1), "place 1, scene_id: expected one of 1, 2, got 7"),
        ((1, 8, 1), r"place 1, im_id: expected an image of scene 1 \(0, 3\), got 8"),
        ((1, 0, 5), "place 1, obj_id: expected one of 1, 2, got 5"),
    ],
)
def test_unknown_estimates_are_named(shared_tree: Tree, ids: tuple[int, int, int], message: str) -> None:
    good, bad = estimate(shared_tree, IMAGE, 0, 1.0), Estimate(*ids, 1.0, Pose.identity())
    with pytest.raises(DiffDopeError, match=message):
        check_known(opened(shared_tree), [good, bad], lambda number: f"place {number}")


def test_quantiles_with_what_is_missing() -> None:
    errors = np.array([1.0, np.inf, 3.0, 2.0])
    assert quantile(errors, 0.5) == pytest.approx(2.5)
    assert np.isinf(quantile(errors, 0.9))
    finite = np.random.default_rng(0).random(17)
    assert quantile(finite, 0.9) == pytest.approx(np.quantile(finite, 0.9))


def test_a_symmetric_object_is_forgiven_a_half_turn(shared_tree: Tree) -> None:
    obj_id, truth = shared_tree.truth[IMAGE][0]
    turned = Pose(truth.R_m2c @ np.diag([-1.0, -1.0, 1.0]), truth.t_m2c)
    found = judged(shared_tree, [Estimate(*IMAGE, obj_id, 1.0, turned), estimate(shared_tree, IMAGE, 1, 1.0)])
    assert found.rows[0].errors.mssd == pytest.approx(0.0, abs=1e-9)
    assert found.rows[0].errors.rotation == pytest.approx(0.0, abs=1e-6)
    assert found.rows[0].errors.add > 0.01


def test_an_estimate_behind_the_camera_is_measured_too(shared_tree: Tree) -> None:
    obj_id, truth = shared_tree.truth[IMAGE][0]
    behind = Estimate(*IMAGE, obj_id, 1.0, Pose(truth.R_m2c, -truth.t_m2c))
    row = judged(shared_tree, [behind, estimate(shared_tree, IMAGE, 1, 1.0)], vsd=True).rows[0]
    assert row.errors.add == pytest.approx(2 * np.linalg.norm(truth.t_m2c))
    assert (row.recall_mspd, row.recall_vsd) == (0.0, 0.0)
    assert shifted(truth, 5.0).distance_to(truth) == pytest.approx(0.005)
