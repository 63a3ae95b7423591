"""`diffdope experiment` as a user runs it."""

from pathlib import Path

import pytest

from diffdope.cli.experiment import parse
from diffdope.cli.main import main
from diffdope.experiments.registry import MODULES, find_study
from diffdope.pipelines.settings import PRESETS

SHORT = ["--quick", "--threads", "1", "--preset.descent.iterations", "2"]


def test_a_study_prints_its_table_and_where_the_files_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["experiment", "recovery", *SHORT, "--out", str(out)]) == 0
    text = capsys.readouterr().out
    assert "recovered" in text and "ADD mm" in text
    assert (out / "recovery.png").is_file()
    assert main(["experiment", "recovery", *SHORT, "--out", str(out)]) == 0  # nothing left to do
    assert main(["experiment", "recovery", *SHORT, "--seed", "5", "--out", str(out)]) == 2
    assert "seed" in capsys.readouterr().err


def test_the_list_and_the_flags_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["experiment", "--help"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in MODULES)
    for name in MODULES:
        assert main(["experiment", name, "--help"]) == 0
        shown, takes = capsys.readouterr().out, find_study(name).takes
        assert ("--dataset" in shown) is (takes == "cases") and ("--depth {" in shown) is (takes != "nothing")
        assert ("--preset {" in shown or "--preset STR" in shown) is find_study(name).any_preset


def test_flags_that_would_do_nothing_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["experiment", "calibration", "--scenes", "1"]) == 2
    assert "scenes" in capsys.readouterr().err
    assert main(["experiment", "calibration", "--preset", "default"]) == 2
    assert "preset: expected none for calibration, got default" in capsys.readouterr().err
    _, source, _ = parse(find_study("symmetry"), ["--depth", "off"])
    assert not source.depth


def test_an_unknown_study_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["experiment", "recovry"]) == 2
    assert "did you mean recovery?" in capsys.readouterr().err


def test_a_number_out_of_range_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["experiment", "learning-rates", "--ranges", "4-1"]) == 2
    assert "ranges: expected low:high" in capsys.readouterr().err
    assert main(["experiment", "recovery", "--scenes", "one"]) == 2
    assert "scenes: expected numbers such as 1,3,5-8" in capsys.readouterr().err


def test_flags_win_over_the_small_grid() -> None:
    study = find_study("recovery")
    run, source, settings = parse(study, ["--quick", "--repeats", "3", "--seed", "4", "--max-cases", "2"])
    assert (run.seed, source.max_cases, settings.repeats) == (4, 2, 3)
    assert settings.angles_deg == study.quick.angles_deg
    _, chosen, _ = parse(study, ["--scenes", "1,3-5", "--depth", "off", "--dataset", "somewhere"])
    assert (chosen.scenes, chosen.images, chosen.depth) == ((1, 3, 4, 5), (), False)
    _, _, whole = parse(study, ["--angles-deg", "1", "2"])
    assert whole.angles_deg == (1.0, 2.0)
    assert whole.distances_mm == study.settings.distances_mm


def test_a_study_can_be_run_with_another_preset(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, settings = parse(find_study("clutter"), ["--preset", "default", "--preset.search.fallback-confidence", "0.5"])
    assert (settings.preset.name, settings.preset.solver, settings.preset.search.fallback_confidence) == (
        "default",
        "newton",
        0.5,
    )
    assert settings.preset.objective == PRESETS["default"].objective
    assert main(["experiment", "learning-rates", "--preset", "default"]) == 2
    assert "preset: expected none for learning-rates" in capsys.readouterr().err
    assert main(["experiment", "recovery", "--preset", "papper"]) == 2
    assert "did you mean paper?" in capsys.readouterr().err


def test_an_interruption_says_how_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object, **keywords: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("diffdope.cli.experiment.run_study", interrupted)
    assert main(["experiment", "cost", "--out", str(tmp_path / "out")]) == 130
    assert "the same command goes on" in capsys.readouterr().err


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(["experiment", "cost", "--out", str(tmp_path / "file")]) == 2
    assert "out: expected a folder" in capsys.readouterr().err
