from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from diffdope.errors import DiffDopeError
from diffdope.jobs.journal import Journal, read_journal

HEADER: dict[str, Any] = {
    "seed": 0,
    "preset": {"name": "paper", "iterations": 60, "rates": (0.01, 100.0)},
    "mask": None,
}
HEADER_LINE = b'"mask": null, "preset": {"iterations": 60, "name": "paper", "rates": [0.01, 100.0]}, "seed": 0}\n'
UNFINISHED = b'{"journal": 1, "complete": false, ' + HEADER_LINE
FINISHED = b'{"journal": 1, "complete": true, ' + HEADER_LINE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


def write_two(path: Path) -> None:
    with Journal.open(path, HEADER) as journal:
        journal.append("b", {"x": 0.1, "a": (1, 2)})
        journal.append("a", {"error": "OSError: gone", "seconds": 1e-7})


def test_the_text_is_as_documented(path: Path) -> None:
    write_two(path)
    b, a = b'{"key": "b", "a": [1, 2], "x": 0.1}\n', b'{"key": "a", "error": "OSError: gone", "seconds": 1e-07}\n'
    assert path.read_bytes() == UNFINISHED + b + a
    with Journal.open(path, HEADER) as journal:
        assert not journal.complete
        journal.finish(["a", "b"])
        assert journal.complete
    assert path.read_bytes() == FINISHED + a + b
    assert os.listdir(path.parent) == [path.name]  # neither lock nor temporary file stays


def test_records_come_back_as_they_are_read(path: Path) -> None:
    with Journal.open(path, HEADER) as journal:
        journal.append("b", {"x": 0.1, "a": (1, 2)})
        live = dict(journal.done)
    header, records, complete = read_journal(path)
    assert live == records == {"b": {"x": 0.1, "a": [1, 2]}}
    assert header == json.loads(json.dumps(HEADER))
    assert complete is False


def test_a_record_is_in_the_file_when_append_returns(path: Path) -> None:
    with Journal.open(path, HEADER) as journal:
        journal.append("a", {"x": 1})
        assert path.read_bytes().endswith(b'{"key": "a", "x": 1}\n')


def test_a_record_is_synced_before_append_returns(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bytes] = []
    with Journal.open(path, HEADER) as journal:
        monkeypatch.setattr("diffdope.jobs.journal.os.fsync", lambda _: synced.append(path.read_bytes()))
        journal.append("a", {"x": 1})
    assert synced == [UNFINISHED + b'{"key": "a", "x": 1}\n']


@pytest.mark.parametrize("cut", range(1, 37))
def test_a_torn_last_line_is_dropped_and_cut_off(path: Path, cut: int) -> None:
    write_two(path)
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    torn = whole[:-cut]
    assert torn.startswith(lines[0] + lines[1])
    path.write_bytes(torn)
    kept = {"a", "b"} if cut == 1 else {"b"}  # without its line break only, a record is whole
    assert read_journal(path)[1].keys() == kept
    with Journal.open(path, HEADER) as journal:
        assert journal.done.keys() == kept
        if cut > 1:
            journal.append("a", {"error": "OSError: gone", "seconds": 1e-7})
    assert path.read_bytes() == whole


def test_garbage_at_the_end_is_dropped(path: Path) -> None:
    write_two(path)
    whole = path.read_bytes()
    path.write_bytes(whole + b"\0" * 500)  # what a power cut leaves
    with Journal.open(path, HEADER) as journal:
        assert journal.done.keys() == {"a", "b"}
    assert path.read_bytes() == whole


def test_a_crash_while_the_file_is_made_costs_nothing(path: Path) -> None:
    for size in range(len(UNFINISHED)):
        path.write_bytes(UNFINISHED[:size])
        with Journal.open(path, HEADER) as journal:
            assert not journal.done
        assert path.read_bytes() == UNFINISHED
    path.write_bytes(UNFINISHED[:40])
    with pytest.raises(DiffDopeError, match="breaks off within its first line"):
        read_journal(path)


def test_damage_elsewhere_is_an_error_that_names_the_line(path: Path) -> None:
    write_two(path)
    lines = path.read_bytes().splitlines(keepends=True)
    damaged = lines[0] + lines[1].replace(b"0.1", b"0.") + lines[2]
    path.write_bytes(damaged)
    for read in (read_journal, lambda path: Journal.open(path, HEADER)):
        with pytest.raises(DiffDopeError, match=f"{path}, line 2: expected a record"):
            read(path)
    assert path.read_bytes() == damaged
    path.write_bytes(b"".join(lines) + lines[1])
    with pytest.raises(DiffDopeError, match=f"{path}, line 4: expected each key once, got b again"):
        read_journal(path)


def test_a_complete_journal_cannot_be_torn(path: Path) -> None:
    write_two(path)
    with Journal.open(path, HEADER) as journal:
        journal.finish(["a", "b"])
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(DiffDopeError, match="line 3"):
        read_journal(path)


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("text", ["my diary\n", '{"not": "ours"}\n{"key": "a"}\n', "[1, 2]", "{"])
def test_other_files_are_not_overwritten(path: Path, text: str, fresh: bool) -> None:
    path.write_text(text)
    if text == "{":  # could be the first byte of ours
        Journal.open(path, HEADER, fresh=fresh).close()
        return
    with pytest.raises(DiffDopeError, match="line 1: expected"):
        Journal.open(path, HEADER, fresh=fresh)
    assert path.read_text() == text
    assert os.listdir(path.parent) == [path.name]


def test_changed_settings_are_refused_one_by_one(path: Path) -> None:
    write_two(path)
    before = path.read_bytes()
    changed = {"seed": 1, "preset": {"name": "paper", "iterations": 60.0, "rates": (0.01, 10.0), "new": True}}
    with pytest.raises(DiffDopeError) as caught:
        Journal.open(path, changed)
    text = str(caught.value)
    for part in (
        "seed: 0 became 1;", "preset.iterations: 60 became 60.0;", "preset.rates: [0.01, 100.0] became [0.01, 10.0];",
        "mask: null became (not there);", "preset.new: (not there) became true;",
        str(path), "unfinished run", "the old settings", "another --out", "--fresh",
    ):  # fmt: skip
        assert part in text
    assert "preset.name" not in text
    assert path.read_bytes() == before


def test_fresh_starts_over(path: Path) -> None:
    write_two(path)
    with Journal.open(path, {"seed": 1}, fresh=True) as journal:
        assert not journal.done
    assert path.read_bytes() == b'{"journal": 1, "complete": false, "seed": 1}\n'


def test_one_writer_at_a_time(path: Path) -> None:
    with Journal.open(path, HEADER) as journal:
        for fresh in (False, True):
            with pytest.raises(DiffDopeError, match="expected no other process that writes it"):
                Journal.open(path, HEADER, fresh=fresh)
        journal.append("a", {})
    with Journal.open(path, HEADER) as journal:
        assert journal.done == {"a": {}}


def test_a_left_over_lock_file_does_not_matter(path: Path) -> None:
    path.with_name("run.jsonl.lock").touch()  # as after kill -9
    Journal.open(path, HEADER).close()
    assert os.listdir(path.parent) == [path.name]


def test_finish_wants_all_records_and_no_others(path: Path) -> None:
    write_two(path)
    with Journal.open(path, HEADER) as journal:
        with pytest.raises(DiffDopeError, match="expected records of 3 tasks, got 1 missing, 0 others: c"):
            journal.finish(["a", "b", "c"])
        with pytest.raises(DiffDopeError, match="0 missing, 1 others: b"):
            journal.finish(["a"])
        assert not journal.complete


def test_what_is_complete_stays(path: Path) -> None:
    write_two(path)
    with Journal.open(path, HEADER) as journal:
        journal.finish(["a", "b"])
    before = path.read_bytes()
    with Journal.open(path, HEADER) as journal:
        assert journal.complete
        with pytest.raises(DiffDopeError, match="not complete"):
            journal.append("c", {})
        journal.finish(["a", "b"])
    assert path.read_bytes() == before


def test_bad_records_leave_the_file_alone(path: Path) -> None:
    with Journal.open(path, HEADER) as journal:
        journal.append("a", {})
        before = path.read_bytes()
        for record, error in (
            ({"x": float("inf")}, ValueError),
            ({"x": object()}, TypeError),
            ({"key": "z"}, DiffDopeError),
        ):
            with pytest.raises(error):
                journal.append("b", record)
        with pytest.raises(DiffDopeError, match="a again"):
            journal.append("a", {})
        assert path.read_bytes() == before
        assert journal.done.keys() == {"a"}


def test_a_full_disk_leaves_whole_lines(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    with Journal.open(path, HEADER) as journal:
        before = path.read_bytes()

        def half_then_full(descriptor: int, data: bytes) -> int:
            if len(data) < 10:
                raise OSError(28, "No space left on device")
            return real(descriptor, data[: len(data) - 5])

        monkeypatch.setattr("diffdope.jobs.journal.os.write", half_then_full)
        with pytest.raises(OSError, match="No space left on device") as caught:
            journal.append("a", {"x": 1})
        monkeypatch.undo()
        assert caught.value.filename == str(path)
        assert path.read_bytes() == before
        journal.append("a", {"x": 1})
    assert read_journal(path)[1] == {"a": {"x": 1}}


@pytest.mark.parametrize(
    ("header", "text"),
    [({"complete": 1}, "complete"), ({"x": float("nan")}, "what JSON can hold"), ({"x": {1, 2}}, "what JSON can hold")],
)
def test_headers_that_cannot_be(path: Path, header: dict[str, Any], text: str) -> None:
    with pytest.raises(DiffDopeError, match=text):
        Journal.open(path, header)
    assert not path.exists()


@pytest.mark.parametrize(("version", "release"), [(0, "an older"), (2, "a newer"), (17, "a newer")])
def test_a_journal_of_another_version_is_refused_and_says_what_to_do(path: Path, version: int, release: str) -> None:
    text = UNFINISHED.replace(b'"journal": 1', b'"journal": %d' % version) + b'{"key": "a", "x": 1}\n'
    path.write_bytes(text)
    words = f"line 1: expected a journal of version 1, got version {version}; {release} release of diffdope wrote it"
    for read in (lambda: read_journal(path), lambda: Journal.open(path, HEADER)):
        with pytest.raises(DiffDopeError, match=words) as refused:
            read()
        assert str(path) in str(refused.value) and "--fresh" in str(refused.value)
    assert path.read_bytes() == text  # and nothing was lost


def test_a_journal_of_another_version_may_be_started_over(path: Path) -> None:
    path.write_bytes(UNFINISHED.replace(b'"journal": 1', b'"journal": 0'))
    with Journal.open(path, HEADER, fresh=True) as journal:
        assert not journal.done
    assert path.read_bytes() == UNFINISHED


@pytest.mark.parametrize("version", [b'"1"', b"null", b"1.5"])
def test_a_version_that_is_no_number_is_no_journal(path: Path, version: bytes) -> None:
    path.write_bytes(UNFINISHED.replace(b'"journal": 1', b'"journal": ' + version))
    with pytest.raises(DiffDopeError, match="line 1: expected a journal that begins with"):
        read_journal(path)


def test_a_complete_journal_takes_more_once_its_task_has_grown(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with Journal.open(path, {"seed": 0}) as journal:
        journal.append("a", {"value": 1})
        journal.finish(["a"])
    with Journal.open(path, {"seed": 0}) as journal:
        journal.reopen()
        journal.append("b", {"value": 2})
    _, records, complete = read_journal(path)
    assert list(records) == ["a", "b"] and not complete
    with Journal.open(path, {"seed": 0}) as journal:
        journal.finish(["a", "b"])
    assert read_journal(path)[2]
