"""Numbers on the command line: what is out of range, NaN, infinite or no number is refused before anything is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from diffdope.cli.main import main

REFINE = ["refine", "--mesh", "m.ply", "--camera", "c.json", "--init", "i.json", "--out", "out"]
TRACK = ["track", *REFINE[1:], "--rgb", "rgb"]
BOP = ["bop", "refine", "--dataset", "d", "--split", "s", "--init", "gt", "--out", "out.csv"]
EVAL = ["bop", "eval", "--dataset", "d", "--split", "s", "--results", "r.csv"]
STUDY = ["experiment", "limits", "--run.out", "out"]
DEMO = ["demo", "--out", "out"]

COUNTS = ("0.5", "nan", "inf", "many", "-1")
NUMBERS = ("nan", "inf", "-inf", "1e300", "many", "-1")
FLAGS: list[tuple[list[str], str, tuple[str, ...]]] = [
    *((command, "--seed", COUNTS) for command in (REFINE, TRACK, BOP, DEMO)),
    *((command, "--threads", (*COUNTS, "0")) for command in (REFINE, TRACK, BOP)),
    *((command, flag, COUNTS) for command in (REFINE, TRACK) for flag in ("--image-id", "--obj-id", "--mask-id")),
    (BOP, "--workers", (*COUNTS, "0")),
    (BOP, "--perturb-deg", NUMBERS),
    (BOP, "--perturb-mm", NUMBERS),
    (BOP, "--min-visib", (*NUMBERS, "2")),
    *((BOP, flag, ("many", "3-1", "1-2-3", "0-99999999999", "1.5")) for flag in ("--scenes", "--images", "--objects")),
    (EVAL, "--auc-max-mm", (*NUMBERS, "0")),
    *((REFINE, f"--search.{flag}", NUMBERS) for flag in ("prior", "least-confidence", "near.angle-deg")),
    *((REFINE, f"--search.near.{flag}", (*COUNTS, "10000000000")) for flag in ("sizes", "hypotheses", "iterations")),
    (REFINE, "--objective.rgb-weight", NUMBERS),
    (REFINE, "--objective.plane", ("nan", "many", "1 2 inf 0")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "flag", "values"), FLAGS, ids=[f"{' '.join(command[:2])} {flag}" for command, flag, _ in FLAGS]
)
def test_a_number_that_is_none_ends_the_command(
    command: list[str], flag: str, values: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    for value in values:
        assert main([*command, flag, *value.split()]) == 2, value
        said = capsys.readouterr()
        complaint = said.err + said.out  # the parser of flags draws a box of its own around what is no number
        assert "Traceback" not in complaint
        named = flag.strip("-").rpartition(".")[2].replace("-", "_").rstrip("s")
        assert named in complaint.replace("-", "_"), (value, complaint)
        assert not list(tmp_path.iterdir())
