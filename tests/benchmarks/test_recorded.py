"""A benchmark that was stopped goes on from what it has written."""

from __future__ import annotations

from pathlib import Path

from benchmarks.recorded import Recorded


def test_rows_are_there_when_the_file_is_opened_again(tmp_path: Path) -> None:
    path, about = tmp_path / "rows.jsonl", ("depth x 0.95", "rgb+depth", "sim 1")
    first = Recorded(path)
    assert about not in first
    first[about] = {"share": 0.02, "ok": True}
    again = Recorded(path)
    assert about in again and again[about] == {"share": 0.02, "ok": True}
    again["nothing", "rgb", "sim 2"] = {"share": 0.5, "ok": False}
    assert len(path.read_text().splitlines()) == 2


def test_without_a_path_rows_are_kept_in_memory_alone() -> None:
    rows = Recorded(None)
    rows[("a",)] = {"x": 1}
    assert ("a",) in rows and rows[("a",)] == {"x": 1}
