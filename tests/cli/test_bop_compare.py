"""`diffdope bop compare`, and what reports say of masks and duplicates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diffdope.cli.main import main
from diffdope.io.bop_results import read_results, write_results
from tests.oracle.bop_eval_case import estimate
from tests.oracle.bop_tree import Tree, make_tree


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return make_tree(tmp_path_factory.mktemp("compare") / "tiny")


def test_before_and_after(tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = tmp_path / "a.csv", tmp_path / "b.csv"
    write_results(before, [estimate(tree, image, 2, 9.0) for image in tree.truth])
    moved = zip(tree.truth, (1.0, 9.3, 30.0), strict=True)
    write_results(after, [*(estimate(tree, image, 2, x) for image, x in moved), estimate(tree, (1, 0), 0, 1.0)])
    assert main(["bop", "compare", str(before), str(after), *tree.words, "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "1 better" in said and "1 worse" in said and "1 found" in said
    entry = json.loads((tmp_path / "out" / "compare.json").read_text())
    assert entry["changes"] == {"better": 1, "same": 6, "worse": 1, "found": 1, "lost": 0}
    assert [side["missing"] for side in entry["all"]] == [6, 5]
    assert len(entry["instances"]) == 9
    assert "images that count have no row" not in said


def test_images_that_were_not_run_are_counted_as_missed_and_told(
    tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = tmp_path / "a.csv", tmp_path / "b.csv"
    images = list(tree.truth)
    write_results(before, [estimate(tree, image, 2, 9.0) for image in images])
    write_results(after, [estimate(tree, images[0], 2, 1.0)])
    assert main(["bop", "compare", str(before), str(after), *tree.words]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert (
        "2 of 3 images that count have no row in b.csv" in said and "images that count have no row in a.csv" not in said
    )
    assert main(["bop", "eval", *tree.words, "--results", str(after), "--no-vsd"]) == 0
    assert "2 of 3 images that count have no row in b.csv" in " ".join(capsys.readouterr().out.split())


def test_reports_say_where_masks_come_from_and_drop_duplicates(
    tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    starts, out = tmp_path / "starts.csv", tmp_path / "out.csv"
    twice = [estimate(tree, (1, 0), 2, x, score=score) for x, score in ((1.0, 0.4), (2.0, 0.6))]
    write_results(starts, twice)
    command = ["bop", "refine", *tree.words, "--init", str(starts), "--out", str(out), "--score", "confidence"]
    assert main([*command, "--duplicates", "drop"]) == 0
    assert "masks: ground truth (mask_visib" in capsys.readouterr().out
    rows = read_results(out)
    assert len(rows) == 1 and rows[0].score not in (0.4, 0.6)
    assert len(out.with_suffix(".jsonl").read_text().splitlines()) == 3
    assert main(["bop", "eval", *tree.words, "--results", str(out), "--no-vsd"]) == 0
    said = capsys.readouterr().out
    assert "masks: ground truth (mask_visib" in said and "is not used" not in said


def test_a_run_of_a_part_is_compared_on_what_it_was_started_on(
    tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start, out = tmp_path / "start.csv", tmp_path / "out.csv"
    command = ["bop", "refine", *tree.words, "--init", "gt", "--objects", "2", "--images", "0", "--preset", "fast"]
    assert main([*command, "--out", str(out)]) == 0
    write_results(start, [estimate(tree, image, 2, 9.0) for image in tree.truth])
    capsys.readouterr()
    assert main(["bop", "compare", str(start), str(out), *tree.words, "--out", str(tmp_path / "c")]) == 0
    said = capsys.readouterr().out
    assert "instances: those that the run was started on (out.csv)" in said and "have no row" not in said
    entry = json.loads((tmp_path / "c" / "compare.json").read_text())
    assert [side["missing"] for side in entry["all"]] == [0, 0]
    assert {one["obj_id"] for one in entry["instances"]} == {2}
    assert main(["bop", "compare", str(start), str(out), *tree.words, "--targets", "all"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "object 1 and 1 of 3 images that count have no row in out.csv" in said
    assert "object 1 has no row in start.csv" in said and "leave them out with --scenes, --images and --objects" in said
    assert main(["bop", "compare", str(start), str(start), *tree.words, "--targets", "attempted"]) == 2
    assert "no records of what was attempted" in capsys.readouterr().err


def test_a_table_is_whole_where_no_terminal_says_how_wide_it_may_be(
    tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = tmp_path / "a.csv"
    write_results(results, [estimate(tree, image, 2, 9.0) for image in tree.truth])
    assert main(["bop", "compare", str(results), str(results), *tree.words]) == 0
    said = capsys.readouterr().out
    assert "…" not in said and "..." not in said and "AR 2-20mm" in said and "before" in said
