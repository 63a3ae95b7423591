"""`diffdope bop calibrate`, and the file that it writes."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from diffdope.cli.main import main
from diffdope.errors import DiffDopeError
from diffdope.estimate.confidence import ConfidenceSettings
from diffdope.pipelines.confidence_file import read_confidence, with_confidence_file, write_confidence
from diffdope.pipelines.settings import PRESETS
from tests.cli.conftest import arguments
from tests.oracle.bop_tree import Tree, make_tree


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return make_tree(tmp_path_factory.mktemp("calibrate") / "tiny")


def refined(tree: Tree, out: Path, *more: str) -> Path:
    command = ["bop", "refine", *tree.words, "--init", "gt", "--preset", "fast", "--out", str(out)]
    assert main([*command, *more]) == 0
    return out


@pytest.fixture(scope="module")
def mixed(tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of which some are right and some are not: far starts, and a preset that does not search."""
    out = tmp_path_factory.mktemp("mixed") / "mixed.csv"
    far = ("--perturb-deg", "45", "--perturb-mm", "18", "--search.closest-points.starts", "0")
    return refined(tree, out, *far)


def test_a_run_is_fitted_and_its_file_is_applied(
    tree: Tree, mixed: Path, inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "calibrated"
    assert main(["bop", "calibrate", *tree.words, "--results", str(mixed), "--out", str(out)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "right: ADD below 3 % of the diameter" in said and "map: odds x" in said
    assert "results are wrong" in said and "only 3 images" in said  # nine results tell little, and it says so
    report = (out / "report.md").read_text()
    assert "| all | 9 |" in report and "| scene 1 | 6 |" in report and "reliability.png" in report
    assert (out / "reliability.png").read_bytes().startswith(b"\x89PNG")
    entry = json.loads((out / "confidence.json").read_text())
    assert 0 < entry["results_right"] < entry["results_counted"] == 9
    assert entry["preset"] == "fast" and "3 % of the object's diameter" in entry["right"]
    assert "the preset that it was fitted with: fast" in " ".join(report.split())
    settings = read_confidence(out / "confidence.json")
    assert settings == ConfidenceSettings(0.0, entry["odds"], entry["slope"])

    file = ["--confidence-file", str(out / "confidence.json")]
    assert main([*arguments(inputs, out=tmp_path / "other"), "--no-film", *file]) == 2
    assert "use --preset fast, or fit" in " ".join(capsys.readouterr().err.split())
    for command, name in (([], "plain"), (file, "mapped")):
        assert main([*arguments(inputs, out=tmp_path / name), "--no-film", "--preset", "fast", *command]) == 0
    plain, mapped = (json.loads((tmp_path / name / "result.json").read_text()) for name in ("plain", "mapped"))
    assert mapped["confidence"] == pytest.approx(settings.corrected(plain["confidence"]))
    assert mapped["right_minimum"] == plain["right_minimum"]


def test_maps_are_fitted_to_confidences_as_they_are(
    tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "confidence.json"
    write_confidence(file, ConfidenceSettings(0.0, 0.5, 2.0))
    out = refined(tree, tmp_path / "mapped.csv", "--objects", "2", "--confidence-file", str(file))
    assert main(["bop", "calibrate", *tree.words, "--results", str(out), "--out", str(tmp_path / "out")]) == 2
    assert "run bop refine without --confidence-file" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_results_that_are_all_right_tell_nothing(
    tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = refined(tree, tmp_path / "right.csv", "--perturb-deg", "45", "--perturb-mm", "18", "--objects", "2")
    assert main(["bop", "calibrate", *tree.words, "--results", str(out), "--out", str(tmp_path / "out")]) == 2
    assert "some that are right and some that are wrong" in capsys.readouterr().err
    alone = tmp_path / "alone.csv"
    alone.write_text(out.read_text())
    assert main(["bop", "calibrate", *tree.words, "--results", str(alone), "--out", str(tmp_path / "out")]) == 2
    assert "with its records (.jsonl) beside it" in capsys.readouterr().err


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    settings = ConfidenceSettings(0.002, math.exp(-0.7), 0.6)
    write_confidence(tmp_path / "one.json", settings, {"data_set": "mine"})
    assert read_confidence(tmp_path / "one.json") == settings
    assert with_confidence_file(PRESETS["default"], tmp_path / "one.json").search.confidence == settings
    assert with_confidence_file(PRESETS["default"], None) is PRESETS["default"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"offset": 1.0}, "diffdope confidence"),
        ({"format": "diffdope confidence", "version": 2}, "version 1"),
        ({"format": "diffdope confidence", "version": 1, "tolerance_m": 0.0, "odds": 1.0}, "the number slope"),
        ({"format": "diffdope confidence", "version": 1, "tolerance_m": 0.0, "odds": 0.0, "slope": 1.0}, "odds"),
        ({"format": "diffdope confidence", "version": 1, "tolerance_m": 0.0, "odds": "2", "slope": 1.0}, "odds"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: dict[str, object], said: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(json.dumps(content))
    with pytest.raises(DiffDopeError, match=said):
        read_confidence(path)


def test_a_preset_that_cannot_use_a_file_is_refused(tmp_path: Path) -> None:
    from dataclasses import replace

    path = tmp_path / "one.json"
    write_confidence(path, ConfidenceSettings(0.002, 0.5, 1.0))
    with pytest.raises(DiffDopeError, match="has no confidence"):
        with_confidence_file(PRESETS["paper"], path)
    default = PRESETS["default"]
    for own, said in ((ConfidenceSettings(0.003), "tolerance"), (ConfidenceSettings(0.0, 2.0), "odds and slope")):
        with pytest.raises(DiffDopeError, match=said):
            with_confidence_file(replace(default, search=replace(default.search, confidence=own)), path)
