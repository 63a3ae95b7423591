"""Every study on its small grid, from end to end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from diffdope.errors import DiffDopeError
from diffdope.experiments.bench import Bench, Row
from diffdope.experiments.cases import PACKAGED, Source
from diffdope.experiments.cost import portrait
from diffdope.experiments.learning_rates import Variant, variants, varied
from diffdope.experiments.limits import nearest, symmetries_of
from diffdope.experiments.modalities import ModalitiesStudySettings, weighted
from diffdope.experiments.registry import MODULES, find_study
from diffdope.experiments.shapes import primitives
from diffdope.experiments.study import run_study
from diffdope.experiments.symmetry import disagreement
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose, difference
from diffdope.pipelines.result import History, RefinementResult
from diffdope.pipelines.settings import Preset, preset
from diffdope.scene.observation import Observation
from tests.oracle.files import rows

COLUMNS = {
    "recovery": {"angle_deg", "distance_mm", "n", "recovered", "add_mm_median", "add_mm_p90"},
    "modalities": {"modalities", "start", "n", "recovered", "add_mm_median"},
    "learning-rates": {"rates", "hypotheses", "decay", "category", "error_mm_median", "seconds_median"},
    "symmetry": {"shape", "start", "rotation_modulo_deg_median", "right_modulo", "disagree", "disagree_modulo"},
    "clutter": {"factor", "value", "recovered", "add_mm_median", "seconds_median"},
    "limits": {"shape", "modalities", "solver", "ratio", "ratio_rho", "ratio_phi", "within_2_sigma"},
    "calibration": {"modalities", "pictures", "joint_noise_deg", "found", "sure_and_wrong", "base_mm_median"},
    "cost": {"axis", "value", "seconds", "seconds_ratio"},
}


def timeless(path: Path) -> list[dict[str, str]]:
    return [{k: v for k, v in row.items() if not k.startswith("seconds")} for row in rows(path)]


def shortened(name: str) -> tuple[Any, Any]:
    """The study and its small grid with a short descent: what it does, not how well."""
    study = find_study(name)
    if not hasattr(study.quick, "preset"):  # nothing of it descends
        return study, study.quick
    descent = replace(study.quick.preset.descent, iterations=4)
    return study, replace(study.quick, preset=replace(study.quick.preset, descent=descent))


@pytest.mark.parametrize("name", list(MODULES))
def test_a_study_writes_its_tables_and_a_plot_and_can_be_resumed(name: str, tmp_path: Path) -> None:
    study, settings = shortened(name)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    outcome = run_study(study, settings, Source(), whole, threads=1)
    assert outcome.failures == []
    assert len(rows(whole / "trials.csv")) == outcome.trials == len(study.trials(settings, Source()))
    summary = rows(whole / f"{name}.csv")
    assert COLUMNS[name] <= set(summary[0])
    assert len(summary) == len(outcome.rows)
    with Image.open(whole / f"{name}.png") as picture:
        assert picture.size[0] > 600
        assert np.asarray(picture.convert("L")).std() > 5  # something is drawn

    def interrupt(done: int, total: int, record: Row) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(study, settings, Source(), broken, threads=1, on_trial=interrupt)
    run_study(study, settings, Source(), broken, threads=1)
    assert timeless(broken / "trials.csv") == timeless(whole / "trials.csv")
    assert timeless(broken / f"{name}.csv") == timeless(whole / f"{name}.csv")


@pytest.mark.parametrize("name", ["symmetry", "recovery"])
def test_no_start_is_one_of_the_starts(name: str, tmp_path: Path) -> None:
    study = find_study(name)
    located = run_study(
        study, replace(study.quick, preset=preset("default")), Source(), tmp_path / "default", threads=1
    )
    column = "start" if name == "symmetry" else "angle_deg"
    found = [row for row in located.rows if row[column] == "none"]
    assert found and located.failures == []
    right = "right_modulo" if name == "symmetry" else "recovered"
    assert min(float(str(row[right])) for row in found) == 1.0
    # The paper's solver does not search: nothing is tried, and nothing else changes.
    descends = run_study(study, shortened(name)[1], Source(), tmp_path / "paper", threads=1)
    assert all(row[column] != "none" for row in descends.rows)
    skipped = [row for row in rows(tmp_path / "paper" / "trials.csv") if row["skipped"]]
    assert skipped and all("does not search" in row["skipped"] for row in skipped)


def test_another_seed_gives_other_trials(tmp_path: Path) -> None:
    study, settings = shortened("recovery")
    for seed in (0, 1):
        run_study(study, settings, Source(), tmp_path / str(seed), seed=seed, threads=1)
    assert timeless(tmp_path / "0" / "trials.csv") != timeless(tmp_path / "1" / "trials.csv")


def test_two_workers_give_the_same_tables(tmp_path: Path) -> None:
    study, settings = shortened("symmetry")
    for workers in (1, 2):
        run_study(study, settings, Source(), tmp_path / str(workers), workers=workers, threads=1)
    assert timeless(tmp_path / "1" / "trials.csv") == timeless(tmp_path / "2" / "trials.csv")


def test_recovery_on_the_packaged_example_succeeds_from_near(tmp_path: Path) -> None:
    study = find_study("recovery")
    settings = replace(study.quick, angles_deg=(5.0, 170.0), distances_mm=(5.0,), repeats=1)
    outcome = run_study(study, settings, Source(), tmp_path, threads=1)
    near, far = outcome.rows
    assert (near["recovered"], far["recovered"]) == (1.0, 0.0)


def test_modalities_are_switched_off_by_their_weights() -> None:
    objective = weighted(Preset(), "depth+edge", 0.3).objective
    assert (objective.rgb_weight, objective.depth_weight, objective.mask_weight) == (0.0, 1.0, 0.0)
    assert objective.edge_weight == 0.3
    with pytest.raises(DiffDopeError, match="combinations: expected one of"):
        ModalitiesStudySettings(combinations=("rgb+colour",))
    with pytest.raises(DiffDopeError, match="as many angles as distances, got 1 and 3"):
        ModalitiesStudySettings(angles_deg=(1.0,))


def test_settings_that_make_no_study_are_refused(tmp_path: Path) -> None:
    for name, changes, text in (
        ("learning-rates", {"ranges": ("4-1",)}, "ranges: expected low:high"),
        ("learning-rates", {"ranges": ("4:1",)}, "ranges: expected low:high"),
        ("symmetry", {"shapes": ("cone",)}, "shapes: expected one of sphere"),
        ("symmetry", {"angles_deg": (1.0, 2.0)}, "as many angles as distances, got 2 and 1"),
    ):
        with pytest.raises(DiffDopeError, match=text):
            replace(find_study(name).quick, **changes)
    study = find_study("recovery")
    with pytest.raises(DiffDopeError, match="repeats: expected at least 1, got 0"):
        run_study(study, replace(study.quick, repeats=0), Source(), tmp_path)


def test_a_combination_that_a_picture_cannot_give_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    study = find_study("modalities")
    bench = Bench(Source(), seed=0, threads=1)
    case = bench.case(PACKAGED)
    blind = replace(case, observation=Observation(case.observation.camera, mask=case.observation.mask))
    monkeypatch.setattr(bench, "case", lambda key: blind)
    trial = {"case": PACKAGED, "level": 0, "repeat": 0}
    assert study.measure(bench, study.settings, trial | {"modalities": "depth"})["skipped"] == "no depth"
    assert study.measure(bench, study.settings, trial | {"modalities": "rgb+mask"})["skipped"] == "no colours"


def test_every_learning_rate_variant_becomes_a_preset() -> None:
    study = find_study("learning-rates")
    found = list(variants(study.settings))
    assert len({(variant.part, variant.name) for variant in found}) == len(found) == 4 + 2 * 4 + 2 * 4 + 3
    single = Variant("hypotheses", "single", 2.0, 2.0, 1, 0.1)
    trial: Row = {"low": 2.0, "high": 2.0, "decay": 0.1, "rates": "single", "hypotheses": 1}
    preset = varied(Preset(), trial)
    assert single.low == preset.descent.rate_low == preset.descent.rate_high == 2.0
    assert preset.descent.hypotheses == 1


def result_of(costs: list[float], turns_deg: list[float], shifts_mm: list[float]) -> RefinementResult:
    """Hypotheses that ended with those costs, turned about z and moved along x."""
    b = len(costs)
    phi = np.zeros((b, 3))
    phi[:, 2] = np.radians(turns_deg)
    t = np.zeros((b, 3))
    t[:, 0] = np.array(shifts_mm) * 1e-3
    history = History(np.array([costs]), np.zeros((1, b, 0)), so3.exp(phi)[None], t[None], np.ones(b))
    found = object.__new__(RefinementResult)
    object.__setattr__(found, "history", history)
    return found


def test_disagreement_by_hand() -> None:
    can, plain = primitives()["cylinder"], primitives()["box, label"]
    turned = result_of([1.0, 1.05, 1.2], [0.0, 20.0, 90.0], [0.0, 1.0, 50.0])  # the third is not near the best
    for shape, modulo in ((can, False), (plain, True)):
        found = disagreement(turned, shape.symmetries)
        assert (found["near_best"], found["disagree"], found["disagree_modulo"]) == (2, True, modulo)
        assert found["spread_deg"] == pytest.approx(20.0)
        assert found["spread_mm"] == pytest.approx(1.0)
    apart = disagreement(result_of([1.0, 1.0], [0.0, 0.0], [0.0, 6.0]), can.symmetries)
    assert apart["disagree"] and apart["disagree_modulo"]
    assert not disagreement(result_of([1.0], [0.0], [0.0]), can.symmetries)["disagree"]


def test_the_portrait_fills_two_thirds_of_its_side() -> None:
    _, observation = portrait(Bench(Source(), seed=0).case(PACKAGED), 240, 0)
    assert observation.mask is not None
    rows_, columns = np.nonzero(observation.mask)
    span = np.hypot(np.ptp(rows_), np.ptp(columns)) / observation.camera.width
    assert 0.5 < span < 0.85


def test_which_of_the_poses_that_look_the_same_is_found_is_no_error() -> None:
    truth = Pose(so3.exp(np.array([0.3, 0.2, -0.5])), np.array([0.0, 0.01, 0.8]))
    turned = Pose(so3.exp(np.array([0.0, 0.0, 0.01])) @ truth.R_m2c @ np.diag([1.0, -1.0, -1.0]), truth.t_m2c)
    error = difference(turned, nearest(turned, truth, symmetries_of("box")))
    assert error == pytest.approx([0.0] * 5 + [0.01], abs=1e-9)
    assert nearest(turned, truth, symmetries_of("blob")).angle_to(truth) < 1e-9
