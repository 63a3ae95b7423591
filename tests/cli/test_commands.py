"""The commands as a user runs them, in this process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffdope.cli.main import main
from diffdope.geometry.pose import Pose
from diffdope.io import results as codec
from diffdope.pipelines.result import RefinementResult
from tests.cli.conftest import arguments


def read_result(folder: Path) -> dict[str, object]:
    entry: dict[str, object] = json.loads((folder / "result.json").read_text())
    return entry


def test_refine_writes_everything_it_promises(inputs: Path) -> None:
    out = inputs.parent / "out"
    assert main(arguments(inputs, seed=3)) == 0
    names = {path.name for path in out.iterdir()}
    assert {"result.json", "overlay.png", "costs.png"} < names
    assert names & {"optimisation.mp4", "optimisation.gif"}
    entry = read_result(out)
    pose = Pose.from_bop(entry["cam_R_m2c"], entry["cam_t_m2c"])
    truth = json.loads((inputs / "truth.json").read_text())
    assert 1e3 * pose.distance_to(Pose.from_bop(truth["cam_R_m2c"], truth["cam_t_m2c"])) < 2
    assert np.allclose(entry["T_m2c_metres"], pose.matrix)
    assert entry["modalities"] == ["rgb", "depth", "mask"]
    assert entry["seed"] == 3
    assert entry["settings"]["name"] == "default"  # type: ignore[index]
    assert 0.8 < entry["confidence"] <= 1.0  # type: ignore[operator]
    with Image.open(out / "overlay.png") as picture:
        assert picture.size[0] > 400


def test_flags_win_over_yaml_and_yaml_over_the_preset(inputs: Path) -> None:
    (inputs / "settings.yaml").write_text("descent:\n  hypotheses: 3\n  iterations: 4\n  learning-rate: 1e-2\n")
    given = arguments(inputs, settings=inputs / "settings.yaml", preset="paper", **{"descent.iterations": 2})
    main([*given, "--no-film"])
    settings = read_result(inputs.parent / "out")["settings"]
    assert settings["descent"]["hypotheses"] == 3  # type: ignore[index]
    assert settings["descent"]["iterations"] == 2  # type: ignore[index]
    assert settings["descent"]["learning_rate"] == 0.01  # type: ignore[index]
    assert not list((inputs.parent / "out").glob("optimisation.*"))


def test_numbers_that_the_preset_does_not_use_are_refused(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments(inputs, **{"descent.iterations": 2})) == 2
    assert "descent: expected no numbers for preset 'default', whose solver is newton" in capsys.readouterr().err
    assert main(arguments(inputs, preset="paper", **{"search.fallback-confidence": 0.1})) == 2
    assert "search: expected no numbers for preset 'paper'" in capsys.readouterr().err
    assert main(arguments(inputs, **{"crop.size": 80})) == 2
    assert "each level has its own: see --search.near.sizes" in capsys.readouterr().err


def test_the_levels_of_a_search_come_from_yaml_and_flags(inputs: Path) -> None:
    (inputs / "settings.yaml").write_text(
        "search:\n  near: {sizes: [32, 64], hypotheses: [4, 1], iterations: [3, 2], faces: [0, 0]}\n"
    )
    given = arguments(inputs, settings=inputs / "settings.yaml", **{"search.fallback-confidence": 0})
    main([*given, "--no-film", "--search.near.iterations", "2", "1"])
    near = read_result(inputs.parent / "out")["settings"]["search"]["near"]  # type: ignore[index]
    assert [level["size"] for level in near["levels"]] == [32, 64]
    assert [level["iterations"] for level in near["levels"]] == [2, 1]


def test_old_names_of_settings_still_work_and_the_new_ones_are_said(
    inputs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (inputs / "settings.yaml").write_text("search: {other-sides: false, step: {longest: 0.2, negligible: 1e-3}}\n")
    given = arguments(inputs, settings=inputs / "settings.yaml", **{"search.doubt": 0, "search.step.grow": 7})
    assert main([*given, "--no-film"]) == 0
    search = read_result(inputs.parent / "out")["settings"]["search"]  # type: ignore[index]
    assert (search["fallback_confidence"], search["symmetric_alternatives"]) == (0.0, False)
    assert search["step"] | {"max_step": 0.2, "reduction_tolerance": 1e-3, "increase": 7.0} == search["step"]
    said = capsys.readouterr().err
    assert "note: --search.doubt is now called --search.fallback-confidence" in said
    assert "settings.yaml: search.step.longest is now called search.step.max_step" in said


def test_a_setting_under_both_names_is_refused(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (inputs / "settings.yaml").write_text("search: {doubt: 0.5, fallback_confidence: 0.6}\n")
    assert main(arguments(inputs, settings=inputs / "settings.yaml")) == 2
    assert "--search.fallback-confidence: expected each setting once" in capsys.readouterr().err


def test_levels_as_records_in_yaml(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (inputs / "settings.yaml").write_text(
        "search: {fallback-confidence: 0, near: {levels: [{size: 32, hypotheses: 4}, {size: 64}]}}\n"
    )
    main([*arguments(inputs, settings=inputs / "settings.yaml"), "--no-film", "--search.near.faces", "500", "0"])
    near = read_result(inputs.parent / "out")["settings"]["search"]["near"]  # type: ignore[index]
    assert near["levels"][0] == {"size": 32, "hypotheses": 4, "iterations": 5, "faces": 500}
    capsys.readouterr()
    for levels, why in (("[{faces: 0}]", "levels[0]: expected size"), ("[{size: 4}]", "levels[0]: size: expected")):
        (inputs / "settings.yaml").write_text(f"search: {{near: {{levels: {levels}}}}}\n")
        assert main(arguments(inputs, settings=inputs / "settings.yaml")) == 2
        assert why in capsys.readouterr().err


@pytest.mark.parametrize("by", ["yaml", "flags"])
def test_levels_that_lack_a_number_are_refused(by: str, inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (inputs / "settings.yaml").write_text("search: {far: {faces: [0, 0]}}\n" if by == "yaml" else "")
    more = ["--search.far.faces", "0", "0"] if by == "flags" else []
    assert main([*arguments(inputs, settings=inputs / "settings.yaml"), *more]) == 2
    said = " ".join(capsys.readouterr().err.replace("│", " ").split())
    assert "search.far" in said.replace(": ", ".")
    assert "expected one number a level in each, got 4 sizes, 4 hypotheses, 4 iterations, 2 faces" in said


def test_a_list_in_yaml_must_be_one(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (inputs / "settings.yaml").write_text("search: {near: {sizes: 40}}\n")
    assert main(arguments(inputs, settings=inputs / "settings.yaml")) == 2
    assert "sizes: expected a list, got 40" in capsys.readouterr().err
    (inputs / "settings.yaml").write_text("search: {near: {sizes: [40, many, 160]}}\n")
    assert main(arguments(inputs, settings=inputs / "settings.yaml")) == 2
    assert "sizes[1]: expected a whole number, got 'many'" in capsys.readouterr().err


def test_a_second_run_replaces_the_first_and_keeps_other_files(inputs: Path) -> None:
    out = inputs.parent / "out"
    out.mkdir()
    (out / "mine.txt").write_text("keep")
    for seed in (1, 2):
        main([*arguments(inputs, seed=seed, preset="paper", **{"descent.iterations": 1}), "--no-film"])
    assert read_result(out)["seed"] == 2
    assert (out / "mine.txt").read_text() == "keep"
    assert not [path for path in inputs.parent.iterdir() if path.name.startswith(".out")]


def test_a_start_from_a_results_csv(inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    entry = json.loads((inputs / "init.json").read_text())
    R, t = (" ".join(map(str, entry[key])) for key in ("cam_R_m2c", "cam_t_m2c"))
    rows = [f"1,{image},{obj},0.5,{R},{t},-1" for image, obj in ((3, 1), (3, 2), (4, 1))]
    (inputs / "start.csv").write_text("\n".join(["scene_id,im_id,obj_id,score,R,t,time", *rows]))
    given = arguments(inputs, init=inputs / "start.csv", preset="paper", **{"descent.iterations": 1})
    assert main(given) == 2
    complaint = capsys.readouterr().err
    assert "expected exactly one row, got 3 of 3" in complaint
    assert "image 3 object 1" in complaint
    main([*given, "--image-id", "3", "--obj-id", "2", "--no-film"])
    assert read_result(inputs.parent / "out")["initial"]["cam_t_m2c"] == pytest.approx(entry["cam_t_m2c"])  # type: ignore[index]


def test_one_of_several_labels_of_a_mask(inputs: Path) -> None:
    labels = (np.asarray(Image.open(inputs / "mask.png")) > 127).astype(np.uint8) * 5
    labels[:40, :60] = 2
    Image.fromarray(labels).save(inputs / "labels.png")
    quick = {"preset": "paper", "descent.iterations": 2}
    main([*arguments(inputs, **quick), "--no-film"])
    exact = read_result(inputs.parent / "out")
    main([*arguments(inputs, mask=inputs / "labels.png", mask_id=5, **quick), "--no-film"])
    assert read_result(inputs.parent / "out")["cost_per_modality"] == exact["cost_per_modality"]


def test_a_result_is_a_start_for_the_next(inputs: Path) -> None:
    quick = {"preset": "paper", "descent.iterations": 1}
    main([*arguments(inputs, **quick), "--no-film"])
    first = codec.read_result(inputs.parent / "out" / "result.json", RefinementResult)
    main([*arguments(inputs, init=inputs.parent / "out" / "result.json", **quick), "--no-film"])
    second = codec.read_result(inputs.parent / "out" / "result.json", RefinementResult)
    assert np.array_equal(second.initial_pose.matrix, first.pose.matrix)


def test_only_a_mask_and_a_mesh_without_colours(inputs: Path) -> None:
    import trimesh

    mesh = trimesh.load_mesh(inputs / "object.ply", process=False)
    trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).export(inputs / "plain.stl")
    main(
        [
            *arguments(inputs, mesh=inputs / "plain.stl", depth=None, preset="paper", **{"descent.iterations": 5}),
            "--no-film",
        ]
    )
    entry = read_result(inputs.parent / "out")
    assert entry["modalities"] == ["mask"]
    assert "rgb is off: the mesh has no colours" in entry["notes"]  # type: ignore[operator]


def test_demo_improves_the_packaged_pose(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--out", str(tmp_path / "demo")]) == 0
    assert main(["demo", "--out", str(tmp_path / "demo")]) == 0  # over what is there
    entry = read_result(tmp_path / "demo")
    located = read_result(tmp_path / "demo" / "located")
    assert located["error"]["add_mm"] < 2  # type: ignore[index]
    before, after = entry["error_before"], entry["error_after"]
    assert before["rotation_deg"] == pytest.approx(20.0, abs=0.01)  # type: ignore[index]
    assert after["add_mm"] < 2  # type: ignore[index]
    assert "refined:" in capsys.readouterr().out


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "refine" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip()[0].isdigit()
    assert main(["refine", "--help-all"]) == 0
    everything = capsys.readouterr().out
    assert "--descent.iterations" in everything and "--depth-extrinsics" in everything and "{None}" not in everything
    for command in ("refine", "locate", "track"):
        assert main([command, "--help"]) == 0
        short = capsys.readouterr().out
        assert 15 <= short.count("\n  --") <= 26 and "None" not in short and "--help-all" in short
        assert max(map(len, short.splitlines())) <= 120
    assert main([]) == 2


def test_an_unknown_command_gets_a_guess(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["refin"]) == 2
    assert "did you mean refine" in capsys.readouterr().err


def test_the_command_starts_without_the_heavy_libraries() -> None:
    code = (
        "import sys, diffdope.cli.main as m; m.main(['--help']); print('numba' in sys.modules, 'tyro' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().endswith("False False")
