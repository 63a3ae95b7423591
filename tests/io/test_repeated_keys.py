"""A key that stands twice in a file: readers of YAML and JSON take the last one without a word."""

from pathlib import Path

import pytest

from diffdope.errors import DiffDopeError
from diffdope.io.json_files import parse_json, read_json
from diffdope.io.yaml_files import parse_yaml, read_yaml

HERE = Path("settings.yaml")


@pytest.mark.parametrize(
    "text, told",
    [
        ("a: 0.5\na: 0.1\n", "the key 'a' twice, with 0.5 and with 0.1"),
        ("outer:\n  b: 1\n  c: 2\n  b: x\n", "the key 'b' twice, with 1 and with 'x'"),
        ("- {d: 1, d: 2}\n", "the key 'd' twice"),
        ("e: [1]\ne: [2]\n", "the key 'e' twice, with others and with others"),
        ("K: !!opencv-matrix\n  rows: 3\n  rows: 4\n", "the key 'rows' twice"),
    ],
)
def test_two_values_of_one_key_in_yaml(text: str, told: str) -> None:
    with pytest.raises(DiffDopeError, match=f"settings: expected YAML in settings.yaml, got {told}"):
        parse_yaml(text, HERE, "settings")


def test_two_values_of_one_key_in_json(tmp_path: Path) -> None:
    with pytest.raises(DiffDopeError, match="JSON, got the key '000001' twice, with others and with others"):
        parse_json('{"000001": [0.1], "000002": [0.2], "000001": [0.3]}', "joints", "JSON")
    (tmp_path / "camera.json").write_text('{"fx": 600, "fy": 600, "fx": 610}')
    with pytest.raises(DiffDopeError, match="the key 'fx' twice, with 600 and with 610"):
        read_json(tmp_path / "camera.json")


def test_what_repeats_itself_and_what_is_merged_is_read(tmp_path: Path) -> None:
    assert parse_json('{"fx": 600, "fx": 600, "cx": 1}', "camera", "JSON") == {"fx": 600, "cx": 1}
    (tmp_path / "a.yaml").write_text("base: &b {x: 1, y: 2}\nown:\n  <<: *b\n  x: 3\nunit: mm\nunit: mm\n")
    wanted = {"base": {"x": 1, "y": 2}, "own": {"x": 3, "y": 2}, "unit": "mm"}
    assert read_yaml(tmp_path / "a.yaml", "settings") == wanted
