"""Notes are texts that know what they are about; nothing decides by their words."""

from __future__ import annotations

import copy
import json
import pickle
import re
from pathlib import Path

import pytest

import diffdope as dd
from diffdope.errors import DiffDopeError
from diffdope.io.results import decode, encode
from diffdope.note_codes import Note, NoteCode, code_of, coded, codes_of, from_record, of_codes
from diffdope.pipelines.notes import OFF
from diffdope.pipelines.result import nothing_compared
from diffdope.scene.packaged import packaged_example
from diffdope.service.worker_state import as_json
from diffdope.terms.registry import IMAGE_TERMS

ROOT = Path(__file__).parents[1]
_ROW = re.compile(r"^\| `([a-z-]+)` \| (.+?) \| (.+?) \|$", re.MULTILINE)
_NOTE = Note(NoteCode.UNITS, "depth has the object 10 times farther away than the start")
_BY_WORDS = re.compile(
    r"\bnote\.(starts|ends)with\(|\bone\.startswith\(|[\"'] (not )?in note\b|[\"'] (not )?in \w+\.(message|notes)\b"
)


def _sources() -> dict[str, str]:
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py")}


def test_the_tables_of_the_documents_have_every_code_once_and_no_other() -> None:
    rows: list[str] = []
    for name in ("refinement.md", "calibration.md"):
        text = (ROOT / "docs" / name).read_text(encoding="utf-8")
        section = text.split("## Notes and their codes")[1].split("\n## ")[0]
        rows += [code for code, _, _ in _ROW.findall(section)]
    assert rows == [str(code) for code in NoteCode]


def test_every_code_is_given_to_some_note() -> None:
    sources = "".join(text for name, text in _sources().items() if not name.endswith("note_codes.py"))
    named = {name for name in NoteCode.__members__ if f"NoteCode.{name}" in sources}
    assert {*NoteCode.__members__} - named == {"OTHER"}  # which is what has none


def test_no_decision_is_taken_by_the_words_of_a_note() -> None:
    found = {name for name, text in _sources().items() if _BY_WORDS.search(text)}
    assert found == set()


def test_every_modality_has_a_code_for_when_it_is_off() -> None:
    assert {*OFF} == {term.name for term in IMAGE_TERMS}


def test_a_note_is_its_text_wherever_a_text_is_wanted() -> None:
    text = str(_NOTE)
    assert type(text) is str
    assert text == _NOTE
    assert repr((_NOTE,)) == repr((text,))
    assert {text: 1}[_NOTE] == 1
    assert json.loads(json.dumps([_NOTE])) == [text]
    assert f"{_NOTE}".startswith("depth has")


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda note: pickle.loads(pickle.dumps(note))])
def test_copies_and_other_processes_keep_the_code(copied) -> None:
    again = copied(_NOTE)
    assert (again, again.code) == (_NOTE, NoteCode.UNITS)


def test_other_words_say_the_same() -> None:
    told = _NOTE.worded("in millimetres")
    assert (told, told.code) == ("in millimetres", NoteCode.UNITS)


def test_texts_without_a_code_are_other_until_they_are_given_one() -> None:
    notes = ("mine", _NOTE)
    assert codes_of(notes) == ("other", "units")
    assert codes_of(coded(notes, NoteCode.MESH)) == ("mesh", "units")
    assert of_codes(notes, {NoteCode.UNITS}) == (_NOTE,)


def _result(notes: tuple[str, ...]) -> dd.RefinementResult:
    from dataclasses import replace

    return replace(nothing_compared(dd.Pose.identity(), dd.Status.NO_OVERLAP, "why"), notes=notes)


def test_codes_lie_beside_the_notes_in_files_and_are_read_again() -> None:
    entry = json.loads(json.dumps(encode(_result((_NOTE, "mine")))))
    assert entry["notes"] == [str(_NOTE), "mine"]
    assert entry["note_codes"] == ["units", "other"]
    again = decode(entry, dd.RefinementResult)
    assert again.notes == (_NOTE, "mine")
    assert again.note_codes == ("units", "other")
    assert "units" in again.note_codes


def test_records_without_codes_or_of_a_later_version_are_read() -> None:
    entry = encode(_result((_NOTE, "mine")))
    assert decode({k: v for k, v in entry.items() if k != "note_codes"}, dd.RefinementResult).note_codes == (
        "other",
        "other",
    )
    assert from_record(["a", "b"], ["never-heard-of"]) == ("a", "b")
    assert [code_of(note) for note in from_record(["a", "b"], ["never-heard-of"])] == [NoteCode.OTHER] * 2
    with pytest.raises(DiffDopeError, match="note_codes"):
        decode({**entry, "note_codes": 7}, dd.RefinementResult)


def test_notes_of_an_observation_keep_their_codes_and_mere_texts_are_of_the_input() -> None:
    mesh, seen, start, _ = packaged_example()
    images = {name: getattr(seen, name) for name in ("rgb", "depth", "mask")}
    said = dd.Observation(seen.camera, **images, notes=("from the left camera", _NOTE))
    result = dd.Refiner(mesh, preset="fast").refine(said, start)
    codes = dict(zip(result.notes, result.note_codes, strict=True))
    assert codes["from the left camera"] == "input"
    assert codes[_NOTE] == "units"
    assert "other" not in result.note_codes


def test_the_service_says_notes_in_its_own_words_and_keeps_their_codes() -> None:
    note = Note(NoteCode.UNITS, 'is its unit wrong? load it with unit="cm"')
    answer = json.loads(as_json(_result((note,))))
    assert answer["notes"] == ["is its unit wrong? register the mesh with unit cm"]
    assert answer["note_codes"] == ["units"]
