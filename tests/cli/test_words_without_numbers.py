"""Words that name no number of the preset are parsed without the hundred flags of those, to the same end."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diffdope.cli import locate_command, preset_flags, refine_command, scene_command
from diffdope.cli.flag_types import parse as parse_words

FILES = ["--mesh", "m.ply", "--camera", "c.json", "--rgb", "rgb.png", "--out", "out"]
REFINE, LOCATE = (refine_command.parse, [*FILES, "--init", "i.json"]), (locate_command.parse, FILES)
SCENE = scene_command.parse, ["--camera", "c.json", "--rgb", "rgb.png", "--object", "a.ply", "b.ply", "--out", "out"]
Command = tuple[Callable[[list[str]], Any], list[str]]


@pytest.fixture
def parsers(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Of each call of the parser, whether it was without the numbers."""
    calls: list[bool] = []

    def parse(kind: Any, words: list[str], **how: Any) -> Any:
        calls.append(type(how["default"].numbers) is not preset_flags.Numbers)
        return parse_words(kind, words, **how)

    monkeypatch.setattr(preset_flags, "parse_words", parse)
    return calls


def in_full(command: Command, words: list[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    with monkeypatch.context() as patched:
        patched.setattr(preset_flags, "_without_numbers", lambda *_: None)
        return command[0]([*command[1], *words])


@pytest.mark.parametrize("command", [REFINE, LOCATE, SCENE], ids=["refine", "locate", "scene"])
@pytest.mark.parametrize("words", [[], ["--preset", "fast", "--threads=2"], ["--preset=paper", "--seed", "3"]], ids=str)
def test_the_same_comes_of_them(
    command: Command, words: list[str], parsers: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    found = command[0]([*command[1], *words])
    assert parsers == [True]
    expected = in_full(command, words, monkeypatch)
    assert found == expected and type(found.numbers) is preset_flags.Numbers
    assert found.chosen_preset == expected.chosen_preset


def test_numbers_of_a_settings_file_are_kept(
    tmp_path: Path, parsers: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings.yaml").write_text(json.dumps({"search": {"near": {"angle_deg": 12.0}}}))
    words = ["--settings", str(tmp_path / "settings.yaml")]
    found = REFINE[0]([*REFINE[1], *words])
    assert parsers == [True]
    assert found.numbers.search.near.angle_deg == 12.0
    assert found == in_full(REFINE, words, monkeypatch)


def test_a_word_that_names_a_number_is_parsed_with_all_of_them(parsers: list[bool]) -> None:
    assert REFINE[0]([*REFINE[1], "--objective.mask-weight", "0.5"]).numbers.objective.mask_weight == 0.5
    assert parsers == [False]


@pytest.mark.parametrize("words", [["--threads", "many"], ["--seed"], ["--no-such"], ["--threads", "-x"]], ids=str)
def test_complaints_are_those_of_the_whole_parser(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit) as stop:
        REFINE[0]([*REFINE[1], *words])
    said = capsys.readouterr()
    with pytest.raises(SystemExit) as expected:
        in_full(REFINE, words, monkeypatch)
    assert said == capsys.readouterr() and said.err
    assert stop.value.code == expected.value.code == 2
