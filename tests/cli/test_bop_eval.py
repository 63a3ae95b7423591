"""`diffdope bop eval` from the command line to its files."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from diffdope.bop.dataset import DataSet
from diffdope.bop.evaluation import evaluate
from diffdope.bop.starts import Selection
from diffdope.bop.tables import Report
from diffdope.bop.targets import compete, wanted_instances
from diffdope.cli.bop_eval_tables import print_report
from diffdope.cli.main import main
from diffdope.io.bop_results import read_rows, write_results
from diffdope.io.former_files import LIST
from tests.oracle.bop_eval_case import estimate, write_run
from tests.oracle.bop_tree import HEIGHT, WIDTH, Tree, make_tree


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return make_tree(tmp_path_factory.mktemp("eval") / "tiny")


def command(tree: Tree, results: Path, *more: object) -> list[str]:
    words = ["bop", "eval", "--dataset", tree.root, "--split", tree.split, "--results", results, *more]
    return [str(word) for word in words]


def test_results_of_another_sensor_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The CSV of each sensor is named after it, and the images of all have the same numbers."""
    tree = make_tree(tmp_path / "tiny")
    scene = next((tree.root / tree.split).iterdir())
    for name in ("scene_gt", "scene_camera", "scene_gt_info"):
        for one in (tree.root / tree.split).iterdir():
            if (one / f"{name}.json").is_file():
                shutil.copy(one / f"{name}.json", one / f"{name}_side.json")
    assert (scene / "scene_gt_side.json").is_file()
    results = tmp_path / "mine_side.csv"
    write_run(results, tree, [(0, estimate(tree, (1, 0), 0, 0.0))])
    assert main(command(tree, results)) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "mine_side.csv is named after the sensor side, and compared with the files without a sensor's name" in told
    other = results.rename(tmp_path / "mine.csv")
    assert main(command(tree, other)) == 0
    assert "named after" not in capsys.readouterr().out


def run_of_two(tree: Tree, folder: Path) -> Path:
    """Instances 0 and 1 of one image swapped: right by index, wrong if they compete; instance 2 failed."""
    results = folder / "results.csv"
    first, second = estimate(tree, (1, 0), 0, 0.0), estimate(tree, (1, 0), 1, 0.0)
    write_run(results, tree, [(0, second), (1, first)], failed=[(1, 0, 2)])
    return results


def test_a_report_has_its_files(tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "results.csv"
    write_results(results, [estimate(tree, image, 0, 3.0) for image in tree.truth])
    assert main(command(tree, results, "--out", tmp_path / "out", "--auc-max-mm", 10)) == 0
    out = tmp_path / "out"
    names = [LIST, "curves.png", "errors.csv", "report.html", "summary.csv", "summary.json"]
    assert sorted(p.name for p in out.iterdir()) == names
    with (out / "errors.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 9
    assert rows[0]["add_mm"] == "3"
    assert (rows[1]["add_mm"], rows[1]["estimate"], rows[1]["status"]) == ("", "", "missing")
    summary = json.loads((out / "summary.json").read_text())
    assert summary["all"]["missing"] == 6
    assert summary["all"]["add_auc_other"] == pytest.approx(0.7 / 3)  # up to 10 mm
    assert summary["objects"]["2"]["add_median"] is None
    assert len(summary["missing"]) == 6
    assert summary["match"] == "bop"
    with (out / "summary.csv").open(newline="") as file:
        groups = [(row["group"], row["id"]) for row in csv.DictReader(file)]
    assert groups == [("all", ""), ("scene", "1"), ("scene", "2"), ("object", "1"), ("object", "2")]
    printed = capsys.readouterr().out
    assert "matching: bop" in printed
    assert "targets of the data set" in printed


def test_records_beside_the_results_give_the_index(
    tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = run_of_two(tree, tmp_path)
    for how, more in (("index", ()), ("bop", ("--match", "bop", "--scenes", 1, "--images", 0))):
        assert main(command(tree, results, "--out", tmp_path / how, *more)) == 0
        assert f"matching: {how}" in capsys.readouterr().out
    index, bop = (json.loads((tmp_path / how / "summary.json").read_text()) for how in ("index", "bop"))
    assert (index["all"]["instances"], index["all"]["missing"]) == (3, 1)
    assert index["all"]["add_median"] > 100  # the two lie 20 cm apart
    assert bop["objects"]["1"]["add_median"] == pytest.approx(0.0, abs=1e-6)
    assert bop["all"]["missing"] == 1
    assert index["statuses"] == {"converged": 2, "error": 1}
    assert index["all"]["seconds_median"] == pytest.approx(0.25)  # an object, by the records


def test_records_of_other_results_are_not_used(tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = run_of_two(tree, tmp_path)
    write_results(results, [estimate(tree, (1, 0), 0, 4.0)])
    assert main(command(tree, results)) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "results.jsonl holds other poses than results.csv, and is not used" in printed
    assert main(command(tree, results, "--match", "index")) == 2
    assert "match: expected bop" in capsys.readouterr().err


@pytest.mark.parametrize("header", [True, False])
def test_a_broken_line_is_named(tree: Tree, tmp_path: Path, header: bool, capsys: pytest.CaptureFixture[str]) -> None:
    results = tmp_path / "results.csv"
    write_results(results, [estimate(tree, (1, 0), 0, 1.0), estimate(tree, (1, 0), 1, 1.0)])
    lines = results.read_text().splitlines()
    lines[2] = "1,77" + lines[2][3:]
    lines.insert(2, "")
    results.write_text("\n".join(lines if header else lines[1:]))
    assert main(command(tree, results, "--out", tmp_path / "out")) == 2
    assert f"line {4 if header else 3}, im_id: expected an image of scene 1" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert [line for line, _ in read_rows(results)] == ([2, 4] if header else [1, 3])


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--auc-max-mm", "0"), "--auc-max-mm: expected a positive number"),
        (("--targets", "attempted"), "targets: expected a file or all"),
        (("--targets", "nowhere.json"), "nowhere.json"),
        (("--scenes", "9"), "scene"),
        (("--objects", "5"), "targets: expected at least one"),
    ],
)
def test_bad_flags(
    tree: Tree, tmp_path: Path, flags: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "results.csv"
    write_results(results, [estimate(tree, (1, 0), 0, 1.0)])
    assert main(command(tree, results, *flags)) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error
    assert error.count("\n") == 1


def test_narrow_terminals_get_fewer_columns(tree: Tree) -> None:
    dataset, estimates = DataSet.open(tree.root, tree.split), [estimate(tree, (1, 0), 0, 3.0)]
    groups = compete(wanted_instances(dataset, Selection(), None), estimates)
    report = Report.of(evaluate(dataset, estimates, groups, how="bop", vsd=False), other_max_m=0.02, described={})
    texts = []
    for width in (100, 180):
        console = Console(file=io.StringIO(), force_terminal=True, width=width, no_color=True)
        print_report(report, console)
        texts.append(console.file.getvalue().split("lengths in mm")[0])  # type: ignore[attr-defined]
    assert "AR_MSPD" in texts[1] and "AR_MSPD" not in texts[0]
    assert all("ADD med" in text and "…" not in text for text in texts)


def test_scenes_without_pictures_are_measured_by_the_size_that_the_camera_states(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = make_tree(tmp_path / "tiny")
    results = tmp_path / "results.csv"
    write_run(results, tree, [(0, estimate(tree, (1, 0), 0, 2.0))])
    assert main(command(tree, results, "--no-vsd", "--out", tmp_path / "with")) == 0
    for scene in (tree.root / tree.split).iterdir():
        for name in ("rgb", "depth"):
            shutil.rmtree(scene / name, ignore_errors=True)
    (tree.root / "camera.json").unlink(missing_ok=True)
    capsys.readouterr()
    assert main(command(tree, results, "--no-vsd")) == 2
    assert "in rgb, gray or depth, or width and height in camera.json, got none" in capsys.readouterr().err
    (tree.root / "camera.json").write_text(json.dumps({"width": WIDTH, "height": HEIGHT}))
    for flags in (["--no-vsd"], []):
        assert main(command(tree, results, *flags, "--out", tmp_path / "without")) == 0
        written = [json.loads((tmp_path / name / "summary.json").read_text()) for name in ("with", "without")]
        assert written[0]["all"] == written[1]["all"]
        assert (tmp_path / "without" / "report.html").is_file()
