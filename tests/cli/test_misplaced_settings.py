"""Settings, presets and options that are given in each other's place: the message names the right one."""

from dataclasses import replace
from pathlib import Path

import pytest

from diffdope.cli.overrides import read_settings
from diffdope.cli.preset_flags import parse_flags
from diffdope.cli.refine_command import RefineArguments
from diffdope.errors import DiffDopeError
from diffdope.io.files import write_json
from diffdope.io.json_files import read_numbered
from diffdope.io.plain import to_plain
from diffdope.pipelines.settings import PRESETS, preset


@pytest.mark.parametrize(
    "text, told",
    [
        ("search.far.angle_deg: 50\n", r"nest the names: search: \{far: \{angle_deg: ...\}\}"),
        ("objective.mask-weight: 0.5\n", r"nest the names: objective: \{mask_weight: ...\}"),
        ("search:\n  far.angle_deg: 50\n", "settings file .*: search: setting: expected one of .*'far.angle_deg'"),
        ("preset: fast\n", "it is an option of the command: --preset"),
        ("depth_scale: 0.1\n", "it is an option of the command: --depth-scale"),
        ("serch: {}\n", "did you mean search?"),
        ("objective:\n  mask_weight: 0.5\n  mask_weight: 0.1\n", "the key 'mask_weight' twice"),
    ],
)
def test_names_that_are_no_settings(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(DiffDopeError, match=told):
        read_settings(tmp_path / "a.yaml", PRESETS["default"])


def test_a_file_is_no_preset() -> None:
    with pytest.raises(DiffDopeError, match=r"preset: expected one of default.*got 'mine.yaml'; .* --settings"):
        preset("mine.yaml")
    with pytest.raises(DiffDopeError, match="did you mean fast?"):
        preset("fsat")


def test_a_list_where_numbered_entries_are_wanted(tmp_path: Path) -> None:
    (tmp_path / "detections.json").write_text("[]")
    with pytest.raises(DiffDopeError, match=r"^[^:]*detections.json: expected a JSON object, got list$"):
        read_numbered(tmp_path / "detections.json")


@pytest.mark.parametrize("name", PRESETS)
def test_the_settings_of_a_result_come_back(tmp_path: Path, name: str) -> None:
    """All of them: those that have the name of an option, too."""
    made = replace(PRESETS[name], search=replace(PRESETS[name].search, fallback_confidence=0.123))
    write_json(tmp_path / "result.json", {"status": "converged", "settings": to_plain(made), "diffdope_version": "0"})
    assert read_settings(tmp_path / "result.json", PRESETS["default"]) == made
    write_json(tmp_path / "result.json", {"settings": to_plain(made)})
    with pytest.raises(DiffDopeError, match="expected one of name, .*, got 'settings'"):
        read_settings(tmp_path / "result.json", PRESETS["default"])
    write_json(tmp_path / "result.json", {"settings": {"no": 3}, "diffdope_version": "0"})
    with pytest.raises(DiffDopeError, match="result.json: settings: setting: expected one of name, .*, got 'no'"):
        read_settings(tmp_path / "result.json", PRESETS["default"])


def test_settings_with_the_name_of_an_option(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("search: {view_sphere: {depth: 0.25}}\n")
    assert read_settings(tmp_path / "a.yaml", PRESETS["default"]).search.view_sphere.depth == 0.25


@pytest.mark.parametrize("name", PRESETS)
def test_a_run_with_the_settings_of_another_has_them_all(tmp_path: Path, name: str) -> None:
    """Solver, tracking and name, too, which no option has."""
    made = replace(PRESETS[name], tracking=replace(PRESETS[name].tracking, doubt=0.21))
    write_json(tmp_path / "result.json", {"settings": to_plain(made), "diffdope_version": "0"})
    words = ["--mesh", "m.ply", "--camera", "c.json", "--out", "o", "--settings", str(tmp_path / "result.json")]
    assert parse_flags(RefineArguments, words, prog="diffdope refine").chosen_preset == made


def test_a_solver_in_a_file_of_settings_counts(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("solver: descent\ndescent: {hypotheses: 3}\n")
    words = ["--mesh", "m.ply", "--camera", "c.json", "--out", "o", "--settings", str(tmp_path / "a.yaml")]
    chosen = parse_flags(RefineArguments, words, prog="diffdope refine").chosen_preset
    assert chosen.solver == "descent" and chosen.descent.hypotheses == 3
    given = parse_flags(RefineArguments, [*words, "--search.near.angle-deg", "3"], prog="diffdope refine")
    with pytest.raises(DiffDopeError, match="search: expected no numbers for preset 'default', whose solver is desc"):
        _ = given.chosen_preset
