"""`diffdope bop refine`, `merge` and `eval` as a user runs them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from diffdope.cli.main import main
from diffdope.io.bop_results import read_results
from tests.oracle.bop_tree import Tree, make_tree, write_starts

QUICK = ["--preset", "paper", "--descent.hypotheses", "2", "--descent.iterations", "4"]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """Nine objects in three images; tests must not change it."""
    return make_tree(tmp_path_factory.mktemp("bop") / "tiny")


def command(tree: Tree, out: Path, *flags: str, init: str = "gt") -> list[str]:
    words = ["bop", "refine", "--dataset", str(tree.root), "--split", "val", "--init", init, "--out", str(out)]
    if init == "gt":
        words += ["--perturb-deg", "8", "--perturb-mm", "4"]
    return [*words, *QUICK, *flags]


def without_times(out: Path) -> tuple[str, str]:
    """Results and records with their times struck out."""
    csv = "\n".join(line.rsplit(",", 1)[0] for line in out.read_text().splitlines())
    return csv, re.sub(r'"seconds": [^,}]+', '"seconds": 0', out.with_suffix(".jsonl").read_text())


@pytest.fixture(scope="module")
def undisturbed(tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    out = tmp_path_factory.mktemp("undisturbed") / "results.csv"
    assert main(command(tree, out)) == 0
    return without_times(out)


def test_results_and_records(tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "results.csv"
    assert main(command(tree, out, "--scenes", "1", "--descent.iterations", "30")) == 0
    said = capsys.readouterr().out
    assert "6 objects" in said and "6 instance by index" in said
    before, after = map(float, re.findall(r"ADD median ([\d.]+) mm -> ([\d.]+) mm", said)[0])
    assert after < 0.5 * before
    assert float(re.findall(r" mm, ADD-S median ([\d.]+) mm\n", said)[0]) <= after
    rows = read_results(out)
    assert [(row.scene_id, row.im_id, row.obj_id) for row in rows] == [(1, im, o) for im in (0, 3) for o in (1, 1, 2)]
    assert len({row.time for row in rows}) == 2 and all(row.time > 0 for row in rows)
    header, *records = (json.loads(line) for line in out.with_suffix(".jsonl").read_text().splitlines())
    assert header["preset"]["descent"]["iterations"] == 30 and header["seed"] == 0 and header["complete"]
    assert header["diffdope_version"] and header["task_count"] == 6
    for record, row in zip(records, rows, strict=True):
        assert record["cost"] < record["initial_cost"]
        assert set(record["cost_per_modality"]) == ({"rgb", "depth", "mask"} if row.obj_id == 1 else {"depth", "mask"})
    assert not list(tmp_path.glob(".*")) and len(list(tmp_path.iterdir())) == 2


def test_workers_threads_and_shards_change_nothing(tree: Tree, tmp_path: Path, undisturbed: tuple[str, str]):
    assert main(command(tree, tmp_path / "two.csv", "--workers", "2", "--threads", "2")) == 0
    assert without_times(tmp_path / "two.csv") == undisturbed
    for i in (1, 2):
        assert main(command(tree, tmp_path / "part.csv", "--shard", f"{i}/2")) == 0
    parts = [str(tmp_path / f"part.{i}-of-2.jsonl") for i in (2, 1)]
    assert main(["bop", "merge", *parts, "--out", str(tmp_path / "merged.csv")]) == 0
    assert without_times(tmp_path / "merged.csv") == undisturbed


def test_a_missing_part_is_told(tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(command(tree, tmp_path / "part.csv", "--shard", "1/2")) == 0
    out = tmp_path / "merged.csv"
    assert main(["bop", "merge", str(tmp_path / "part.1-of-2.jsonl"), "--out", str(out)]) == 2
    assert "not given: part 2/2" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.usefixtures("default_signals")
@pytest.mark.parametrize(("blow", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_run_that_was_killed_goes_on(
    tree: Tree, tmp_path: Path, undisturbed: tuple[str, str], blow: signal.Signals, code: int
):
    for attempt in range(5):  # the run may end before it is hit
        out = tmp_path / f"attempt{attempt}" / "results.csv"
        out.parent.mkdir()
        returncode, said = killed_after_two(command(tree, out), blow, out.with_suffix(".jsonl"))
        if returncode != 0:
            break
    assert returncode == code
    assert ("the same command goes on from there" in said) == (blow == signal.SIGINT)
    kept = out.with_suffix(".jsonl").read_text().splitlines()[1:3]
    assert len(kept) == 2
    assert main(command(tree, out)) == 0
    assert without_times(out) == undisturbed
    for line in kept:  # times included: nothing was done twice
        assert line in out.with_suffix(".jsonl").read_text()


def killed_after_two(words: list[str], blow: signal.Signals, journal: Path) -> tuple[int, str]:
    """Return code and stderr of a run that gets a signal once it has stored two records."""
    process = subprocess.Popen(
        [sys.executable, "-m", "diffdope.cli.main", *words],
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        if journal.exists() and journal.read_text().count("\n") >= 3:
            process.send_signal(blow)
            break
        time.sleep(0.001)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


def test_other_settings_are_refused(tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "results.csv"
    assert main(command(tree, out, "--scenes", "2")) == 0
    before = out.read_bytes()
    assert main(command(tree, out, "--scenes", "2", "--descent.decay", "0.5")) == 2
    said = capsys.readouterr().err
    assert "preset.descent.decay: 0.1 became 0.5" in said and "--fresh" in said
    assert out.read_bytes() == before
    assert main(command(tree, out, "--scenes", "2", "--descent.decay", "0.5", "--fresh")) == 0


def test_one_broken_image_does_not_end_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    tree = make_tree(tmp_path / "tiny", images=((1, 0), (1, 1)))
    (tree.scene(1) / "depth" / "000000.png").write_bytes(b"no picture")
    out = tmp_path / "results.csv"
    assert main(command(tree, out)) == 1
    said = capsys.readouterr().out
    assert "3 of 6 ended in an error" in said and "depth/000000.png" in said.replace("\n", "")
    assert {row.im_id for row in read_results(out)} == {1}
    assert main(["bop", "eval", "--dataset", str(tree.root), "--split", "val", "--results", str(out)]) == 0


def test_the_papers_start_poses_and_another_methods(tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = tmp_path / "init_poses"
    for scene in (1, 2):
        images = {im: poses for (s, im), poses in tree.truth.items() if s == scene}
        write_starts(tree, scene, folder / f"{scene:06d}" / "scene_error_deg_001_trans_001.json", images)
    out = tmp_path / "published.csv"
    assert main(command(tree, out, "--level", "001_trans_001", init=str(folder))) == 0
    assert "9 instance by index" in capsys.readouterr().out
    one = str(folder / "000002" / "scene_error_deg_001_trans_001.json")
    assert main(command(tree, tmp_path / "one.csv", init=one)) == 0
    assert "3 objects" in capsys.readouterr().out
    assert main(command(tree, tmp_path / "again.csv", init=str(out))) == 0
    assert "9 instance by overlap" in capsys.readouterr().out
    scores = [row.score for row in read_results(out)]
    assert [row.score for row in read_results(tmp_path / "again.csv")] == scores


def located(tree: Tree, out: Path, *flags: str) -> list[str]:
    words = ["bop", "refine", "--dataset", str(tree.root), "--split", "val", "--init", "none", "--out", str(out)]
    return [*words, "--preset", "fast", "--scenes", "1", *flags]


def test_without_start_poses_every_mask_is_located(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    tree = make_tree(tmp_path / "tiny", images=((1, 0), (1, 1)))
    (tree.scene(1) / "mask_visib" / "000001_000002.png").unlink()
    out, two = tmp_path / "one.csv", tmp_path / "two.csv"
    assert main(located(tree, out)) == 1
    said = capsys.readouterr().out
    assert "5 instance by index" in said and "1 of 6 ended in an error" in said
    assert main(located(tree, two, "--workers", "2")) == 1
    assert without_times(two) == without_times(out)
    for i in (1, 2):
        main(located(tree, tmp_path / "part.csv", "--shard", f"{i}/2"))
    parts = [str(tmp_path / f"part.{i}-of-2.jsonl") for i in (1, 2)]
    main(["bop", "merge", *parts, "--out", str(tmp_path / "merged.csv")])
    assert without_times(tmp_path / "merged.csv") == without_times(out)
    journal = two.with_suffix(".jsonl")
    whole = journal.read_text()
    header, *lines = whole.splitlines(keepends=True)
    journal.write_text(header.replace('"complete": true', '"complete": false') + "".join(lines[:2]))
    assert main(located(tree, two)) == 1
    assert without_times(two) == without_times(out) and journal.read_text().startswith(whole.partition("\n")[0])
    report = tmp_path / "report"
    words = ["--dataset", str(tree.root), "--split", "val", "--results", str(out), "--out", str(report), "--no-vsd"]
    assert main(["bop", "eval", *words]) == 0
    summary = json.loads((report / "summary.json").read_text())
    assert (summary["all"]["instances"], summary["all"]["missing"]) == (6, 1)


def test_without_start_poses_and_masks_depth_shows_them(
    tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "found.csv"
    assert main(located(tree, out, "--mask", "none", "--images", "0", "--objects", "1")) == 0
    said = capsys.readouterr().out
    assert "2 objects: 2 converged" in said and "2 instance by overlap" in said
    first, second = read_results(out)
    assert first.score >= second.score and first.time == second.time
    assert json.loads(out.with_suffix(".jsonl").read_text().splitlines()[0])["init"] == "none: found in depth"


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--level", "001_trans_001"], "use --init none without --level"),
        (["--perturb-deg", "3"], "use --init none without --perturb-deg and --perturb-mm"),
        (
            ["--mask", "none", "--depth", "off"],
            "give --mask a mask folder of the scenes or a detector's masks, or --init start poses",
        ),
        (["--preset", "paper"], "give --preset default or fast, or give --init start poses"),
    ],
)
def test_without_start_poses_their_options_are_refused(
    tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], message: str
):
    words = located(tree, tmp_path / "results.csv")
    if flags[0] == "--preset":
        k = words.index("--preset")
        del words[k : k + 2]
    assert main([*words, *flags]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--init", "nowhere"], "init: expected gt, none, or a file or folder that exists"),
        (["--shard", "5/4"], "shard: expected i/n"),
        (["--workers", "0"], "workers: expected at least 1, got 0"),
        (["--scenes", "one"], "scenes: expected numbers such as 1,3,5-8"),
        (["--mask", "nowhere.json"], "mask: expected a file of detections"),
        (["--out", "results.txt"], "out: expected a file ending in .csv"),
        (["--address", "auto"], "address: expected only with --engine ray"),
    ],
)
def test_mistakes_are_told_in_one_line(
    tree: Tree, tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], message: str
):
    words = command(tree, tmp_path / "results.csv")
    if flags[0] in words:
        k = words.index(flags[0])
        del words[k : k + 2]
    if flags[0] == "--init":
        words = [
            w for k, w in enumerate(words) if not (w.startswith("--perturb") or words[k - 1].startswith("--perturb"))
        ]
    assert main([*words, *flags]) == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1
    assert not list(tmp_path.glob("*.csv"))


def test_help_names_the_commands_and_a_near_one(capsys: pytest.CaptureFixture[str]):
    assert main(["bop", "--help"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in ("refine", "merge", "eval"))
    assert main(["bop", "refin"]) == 2
    assert "did you mean refine?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("split", "models", "scenes"),
    [("test_primesense", "models_cad", (1, 20)), ("test", "models", (48, 59)), ("val", "models", (1, 10))],
    ids=["T-LESS", "YCB-Video", "HOPE"],
)
def test_the_papers_protocol_in_the_layouts_of_its_data_sets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], split: str, models: str, scenes: tuple[int, int]
):
    tree = make_tree(tmp_path / "set", images=((scenes[0], 1), (scenes[1], 1500)))
    (tree.root / "val").rename(tree.root / split)
    (tree.root / "models").rename(tree.root / models)
    level = "010_trans_004"
    for scene, image in tree.truth:
        file = tree.root / "init_poses" / f"{scene:06d}" / f"scene_error_deg_{level}.json"
        write_starts(tree, scene, file, {image: tree.truth[scene, image]})
    out = tmp_path / "results.csv"
    where = ["--dataset", str(tree.root), "--split", split]
    use = ["--init", "init_poses", "--level", level, "--models", f"{models},models_eval", "--out", str(out)]
    assert main(["bop", "refine", *where, *use, *QUICK]) == 0
    assert {(row.scene_id, row.im_id) for row in read_results(out)} == set(tree.truth)
    assert main(["bop", "eval", *where, "--results", str(out), "--out", str(tmp_path / "report")]) == 0
    summary = json.loads((tmp_path / "report" / "summary.json").read_text())
    assert (summary["all"]["instances"], summary["all"]["missing"]) == (6, 0)
    assert "instance by index" in capsys.readouterr().out
