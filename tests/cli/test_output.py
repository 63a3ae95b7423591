"""Output that nobody reads, and output that cannot be written: no traceback, and all files whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from diffdope.io.files import results_folder
from diffdope.io.former_files import LIST

pytestmark = pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")


def run_unread(words: list[str], folder: Path, *, unbuffered: bool) -> tuple[int, str]:
    """Exit code and errors of a command whose output is closed before it writes any."""
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONUNBUFFERED": "1" if unbuffered else ""}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "diffdope.cli.main", *words], stdout=writing, stderr=subprocess.PIPE, text=True,
            cwd=folder, env=environment, check=False,
        )  # fmt: skip
    finally:
        os.close(writing)
    return done.returncode, done.stderr


@pytest.mark.parametrize("unbuffered", [False, True])
@pytest.mark.parametrize(
    ("words", "code"),
    [(["--help"], 0), ([], 2), (["--version"], 0), (["refine", "--help"], 0), (["experiment"], 2), (["bop"], 2)],
)
def test_output_that_nobody_reads_changes_nothing(
    words: list[str], code: int, unbuffered: bool, tmp_path: Path
) -> None:
    assert run_unread(words, tmp_path, unbuffered=unbuffered) == (code, "")


def test_a_run_that_nobody_watches_writes_all_of_its_files(tmp_path: Path) -> None:
    code, errors = run_unread(["demo", "--out", "out"], tmp_path, unbuffered=False)
    assert code == 0 and "Traceback" not in errors
    assert {file.name for file in tmp_path.iterdir()} == {"out"}  # and no temporary folder
    assert {"result.json", "overlay.png", "costs.png"} <= {file.name for file in (tmp_path / "out").iterdir()}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("words", [["--help"], ["refine", "--help"], ["--version"]])
def test_output_that_cannot_be_written_is_one_line(words: list[str], tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "diffdope.cli.main", *words], stdout=full, stderr=subprocess.PIPE, text=True,
            cwd=tmp_path, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and done.stderr.count("\n") == 1


def test_ctrl_c_while_files_are_put_in_their_places_leaves_no_half(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, replace = tmp_path / "out", Path.replace

    def interrupted(self: Path, target: Path) -> Path:
        signal.raise_signal(signal.SIGINT)
        return replace(self, target)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job of a script ignores it
    try:
        monkeypatch.setattr(Path, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt, match="had been written"), results_folder(out, "poses") as folder:
            for name in ("a", "b", "c"):
                (folder / name).write_text(name)
    finally:
        signal.signal(signal.SIGINT, before)
    assert sorted(file.name for file in out.iterdir()) == [LIST, "a", "b", "c"]
    assert [file.name for file in tmp_path.iterdir()] == ["out"]


def test_ctrl_c_before_that_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt), results_folder(out, "poses") as folder:
        (folder / "a").write_text("a")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []
