"""Cases: the packaged example, its companions, and data sets."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.experiments.bench import Bench, StartLevel, measured
from diffdope.experiments.cases import CYLINDER, PACKAGED, STRIPPED, CaseLoader, Source, case_keys, group_of
from diffdope.experiments.registry import find_study
from diffdope.experiments.study import run_study
from diffdope.pipelines.settings import DescentSettings, Preset
from tests.oracle.bop_tree import Tree, make_tree


def test_the_packaged_example_and_its_companions() -> None:
    assert case_keys(Source()) == [PACKAGED]
    load = CaseLoader(Source())
    cases = [load(key) for key in (PACKAGED, STRIPPED, CYLINDER)]
    assert [case.category for case in cases] == ["textured", "texture-less", "symmetric"]
    assert [case.mesh.has_color for case in cases] == [True, False, True]
    assert cases[0].observation is cases[1].observation
    for case in cases:  # truth, mesh and mask belong together: the projected centre lies on the object
        u, v = case.observation.camera.project(case.truth.apply(case.mesh.center_m))
        assert case.observation.mask is not None and case.observation.mask[round(float(v)), round(float(u))] == 1


def test_depth_can_be_left_out() -> None:
    assert CaseLoader(Source())(PACKAGED).observation.modalities == ("rgb", "depth", "mask")
    assert CaseLoader(Source(depth=False))(PACKAGED).observation.modalities == ("rgb", "mask")


def test_an_unknown_case_is_refused() -> None:
    with pytest.raises(DiffDopeError, match="case: expected one of"):
        CaseLoader(Source())("nothing")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return make_tree(tmp_path_factory.mktemp("data") / "tree")


def test_cases_of_a_data_set_have_its_truth_masks_and_symmetries(tree: Tree) -> None:
    source = Source(tree.root, tree.split, max_cases=100)
    assert case_keys(source) == [f"{s:06d}/{i:06d}/{k:06d}" for s, i in tree.truth for k in range(3)]
    case = CaseLoader(source)("000001/000003/000002")
    obj_id, pose = tree.truth[1, 3][2]
    np.testing.assert_allclose(case.truth.matrix, pose.matrix, atol=1e-9)
    assert (case.object_name, case.category, case.mesh.has_color) == (f"object {obj_id}", "symmetric", False)
    assert case.observation.modalities == ("rgb", "depth", "mask")
    u, v = (round(float(x)) for x in case.observation.camera.project(pose.apply(case.mesh.vertices_m[0])))
    assert case.observation.mask is not None
    assert case.observation.mask[v - 3 : v + 4, u - 3 : u + 4].any()
    assert group_of(case.key) == "000001/000003"


def test_cases_are_chosen_and_spread(tree: Tree) -> None:
    every = case_keys(Source(tree.root, tree.split, max_cases=100))
    assert case_keys(Source(tree.root, tree.split, max_cases=3)) == [every[0], every[4], every[8]]
    assert {key[:6] for key in case_keys(Source(tree.root, tree.split, scenes=(2,)))} == {"000002"}
    assert {key[7:13] for key in case_keys(Source(tree.root, tree.split, images=(3,)))} == {"000003"}
    only = case_keys(Source(tree.root, tree.split, objects=(2,)))
    assert {key[14:] for key in only} == {"000002"}


def test_a_study_runs_on_a_data_set(tree: Tree, tmp_path: Path) -> None:
    study = find_study("recovery")
    preset = Preset(descent=DescentSettings(iterations=3))
    settings = replace(study.quick, angles_deg=(5.0,), distances_mm=(5.0,), preset=preset)
    outcome = run_study(study, settings, Source(tree.root, tree.split, max_cases=3), tmp_path, threads=1)
    assert (outcome.failures, outcome.trials, outcome.rows[0]["n"]) == ([], 6, 3)  # half of them without a start


def test_what_a_data_set_lacks_is_said(tree: Tree) -> None:
    with pytest.raises(DiffDopeError, match="split: expected the data set's folder of scenes"):
        case_keys(Source(tree.root))
    with pytest.raises(DiffDopeError, match="objects: expected some of 1, 2, got 999"):
        case_keys(Source(tree.root, tree.split, objects=(999,)))
    with pytest.raises(DiffDopeError, match="max-cases: expected at least 1, got 0"):
        case_keys(Source(tree.root, tree.split, max_cases=0))
    with pytest.raises(DiffDopeError, match="mask_noisy/000000_000000, got no such file"):
        CaseLoader(Source(tree.root, tree.split, mask="mask_noisy"))("000001/000000/000000")


def test_starts_have_the_level_and_repeats_share_axes_over_levels() -> None:
    bench = Bench(Source(), seed=0, threads=1)
    case = bench.case(PACKAGED)
    near, far, other = (
        bench.start(case, StartLevel(*how), repeat) for how, repeat in (((5, 2), 0), ((10, 4), 0), ((10, 4), 1))
    )
    assert np.degrees(far.angle_to(case.truth)) == pytest.approx(10)
    assert 1e3 * far.distance_to(case.truth) == pytest.approx(4)
    np.testing.assert_allclose(far.t_m2c - case.truth.t_m2c, 2 * (near.t_m2c - case.truth.t_m2c), atol=1e-12)
    assert other.distance_to(far) > 1e-4


def test_measured_errors_against_a_second_route() -> None:
    bench = Bench(Source(), seed=0, threads=1)
    case = bench.case(PACKAGED)
    start = bench.start(case, StartLevel(10, 4), 0)
    preset = Preset(descent=DescentSettings(hypotheses=1, iterations=1))
    result = bench.refine(case.mesh, case.observation, start, preset)
    found = measured(case.mesh, case.symmetries, case.truth, start, result)
    x = case.mesh.vertices_m
    moved = x @ start.R_m2c.T + start.t_m2c - (x @ case.truth.R_m2c.T + case.truth.t_m2c)
    assert found["start_add_mm"] == pytest.approx(1e3 * np.sqrt((moved**2).sum(axis=1)).mean())
    assert found["add_mm"] != found["start_add_mm"]
    assert found["seconds"] == result.elapsed_s


def test_instances_of_a_data_set_draw_learning_rates_of_their_own() -> None:
    bench = Bench(Source(), seed=2, threads=1)
    case, preset = bench.case(PACKAGED), Preset(descent=DescentSettings(hypotheses=2, iterations=1))
    start = bench.start(case, StartLevel(5, 2), 0)

    def rates(repeat: int, key: str) -> list[float]:
        result = bench.refine(case.mesh, case.observation, start, preset, repeat=repeat, case_key=key)
        return result.history.learning_rates.tolist()

    assert rates(0, PACKAGED) == rates(0, STRIPPED)  # the same picture, to be compared
    draws = [rates(0, "1/2/3"), rates(0, "1/2/4"), rates(1, "1/2/3"), rates(1, PACKAGED), rates(0, PACKAGED)]
    assert len({tuple(draw) for draw in draws}) == 5
