"""Nothing is lost or half-written."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from diffdope.errors import DiffDopeError
from diffdope.io.bop_results import write_results
from diffdope.io.files import atomic, check_csv, check_folder, results_folder, write_durably, write_json
from diffdope.io.former_files import LIST


def files(folder: Path) -> dict[str, str]:
    """What lies in a folder, but for the list of what was written there."""
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in folder.rglob("*")
        if path.is_file() and path.name != LIST
    }


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic(path) as temporary:
        temporary.write_text("half")
        assert temporary.suffix == ".txt" and path.read_text() == "old"
        raise RuntimeError
    assert path.read_text() == "old" and names(tmp_path) == ["a.txt"]
    write_durably(path, "new\n")
    assert path.read_bytes() == b"new\n" and names(tmp_path) == ["a.txt"]


def test_json_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"a": [1, None]})
    assert json.loads(path.read_text()) == {"a": [1, None]}
    with pytest.raises(ValueError):
        write_json(path, {"a": float("nan")})
    assert json.loads(path.read_text()) == {"a": [1, None]} and names(tmp_path) == ["a.json"]


def test_a_folder_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    with results_folder(out, "poses") as folder:
        (folder / "a").write_text("old")
        (folder / "b").write_text("old")
    (out / "mine").write_text("kept")
    with pytest.raises(RuntimeError), results_folder(out, "poses") as folder:
        (folder / "a").write_text("new")
        raise RuntimeError
    assert (out / "a").read_text() == "old"
    assert files(out) == {"a": "old", "b": "old", "mine": "kept"}
    with results_folder(out, "poses") as folder:
        (folder / "a").write_text("new")
    assert files(out) == {"a": "new", "mine": "kept"}
    assert names(out.parent) == ["out"]


def test_what_a_former_run_of_the_same_kind_wrote_is_no_result_of_the_next(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with results_folder(out, "poses") as folder:
        (folder / "located").mkdir()
        for name in ("result.json", "located/result.json", "located/mine"):
            (folder / name).write_text("old")
    with results_folder(out, "evaluation") as folder:
        (folder / "report.html").write_text("report")
    (out / "mine").write_text("kept")
    with results_folder(out, "poses") as folder:
        (folder / "results.json").write_text("new")
    assert files(out) == {"results.json": "new", "report.html": "report", "mine": "kept"}
    assert not (out / "located").exists()


def test_a_file_that_runs_of_two_kinds_wrote_stays_for_the_other(tmp_path: Path) -> None:
    for kind in ("poses", "calibration"):
        with results_folder(tmp_path / "out", kind) as folder:
            (folder / "overlay.png").write_text(kind)
    with results_folder(tmp_path / "out", "poses") as folder:
        (folder / "result.json").write_text("new")
    assert files(tmp_path / "out") == {"overlay.png": "calibration", "result.json": "new"}


@pytest.mark.parametrize("content", ["", "[1]", '{"poses": 3}', '{"poses": ["../mine", "/mine", 7, "folder"]}'])
def test_a_list_that_is_none_removes_nothing(tmp_path: Path, content: str) -> None:
    out = tmp_path / "out"
    (out / "folder").mkdir(parents=True)
    (out / "folder" / "b").write_text("kept")
    (tmp_path / "mine").write_text("kept")
    (out / LIST).write_text(content)
    with results_folder(out, "poses") as folder:
        (folder / "a").write_text("new")
    assert files(out) == {"a": "new", "folder/b": "kept"} and (tmp_path / "mine").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    check_folder(tmp_path / "new" / "newer")
    assert names(tmp_path) == ["file"]
    with pytest.raises(DiffDopeError, match="out: expected a folder, got the file"):
        check_folder(tmp_path / "file")
    with pytest.raises(DiffDopeError, match="there: expected a folder that can be written, got .*x; .*file is not"):
        check_folder(tmp_path / "file" / "x", "there")

    def refused(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkdtemp", refused)
    with pytest.raises(DiffDopeError, match="is not writable"):
        check_folder(tmp_path / "new")


def test_a_full_disk_names_what_was_asked_for(tmp_path: Path) -> None:
    full = errno.ENOSPC, "No space left on device"
    with pytest.raises(OSError, match="No space") as caught, atomic(tmp_path / "a.json"):
        raise OSError(*full)
    assert caught.value.filename == str(tmp_path / "a.json")
    with pytest.raises(OSError, match="No space") as caught, results_folder(tmp_path / "out", "poses"):
        raise OSError(*full)
    assert caught.value.filename == str(tmp_path / "out") and not list(tmp_path.iterdir())
    with pytest.raises(OSError, match="broken pipe") as caught, atomic(tmp_path / "a.json"):
        raise OSError(errno.EPIPE, "broken pipe")
    assert caught.value.filename is None


def test_a_csv_that_is_only_checked_leaves_no_folder_behind(tmp_path: Path) -> None:
    check_csv(tmp_path / "a" / "b.CSV")
    assert names(tmp_path) == []
    for path in (tmp_path / "b.txt", tmp_path):
        with pytest.raises(DiffDopeError, match="out: expected a file ending in .csv"):
            check_csv(path)
    write_results(tmp_path / "a" / "b.csv", [])
    assert names(tmp_path / "a") == ["b.csv"]
