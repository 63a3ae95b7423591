"""Joint values from JSON, CSV and npz, and how they find their pictures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.io.joints import JointTable, read_joints

NAMES = ["a", "b"]


def write(path: Path, data: object) -> Path:
    path.write_text(data if isinstance(data, str) else json.dumps(data))
    return path


def of(path: Path, pictures: list[str]) -> list[dict[str, float]]:
    return read_joints(path).of(pictures)


WANTED = [{"a": 0.1, "b": 0.2}, {"a": 0.3, "b": 0.4}]


def test_json_of_every_form(tmp_path: Path) -> None:
    forms = [
        {"unit": "rad", "joint_names": NAMES, "positions": {"2": [0.1, 0.2], "10": [0.3, 0.4]}},
        {"joint_names": NAMES, "positions": [[0.1, 0.2], [0.3, 0.4]]},
        {"2": {"a": 0.1, "b": 0.2}, "10": {"b": 0.4, "a": 0.3}},
        [{"a": 0.1, "b": 0.2}, {"a": 0.3, "b": 0.4}],
        {"2": {"name": ["b", "a"], "position": [0.2, 0.1]}, "10": {"name": ["a", "b"], "position": [0.3, 0.4]}},
    ]
    for number, form in enumerate(forms):
        path = write(tmp_path / f"{number}.json", form)
        assert of(path, ["000002", "000010"]) == WANTED, form
        assert of(path, ["img_10", "img_2"]) == WANTED[::-1], form  # by number, and as people count


def test_csv_and_npz(tmp_path: Path) -> None:
    named = write(tmp_path / "a.csv", "frame,a,b\nimg_2.png,0.1,0.2\n\nimg_10.png,0.3,0.4\n")
    assert of(named, ["img_10", "img_2"]) == WANTED[::-1]
    plain = write(tmp_path / "b.csv", "a, b\n0.1,0.2\n0.3,0.4\n")
    assert of(plain, ["x", "y"]) == WANTED
    np.savez(tmp_path / "c.npz", joint_names=NAMES, positions=[[0.1, 0.2], [0.3, 0.4]], frames=["2", "10"])
    assert of(tmp_path / "c.npz", ["00010", "00002"]) == WANTED[::-1]


def test_degrees_are_converted_where_they_are_said_and_suspected_where_not(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", {"unit": "deg", "joint_names": NAMES, "positions": [[90.0, 0.0]]})
    assert of(path, ["x"])[0]["a"] == pytest.approx(np.pi / 2)
    path = write(tmp_path / "b.json", {"joint_names": NAMES, "positions": [[90.0, 0.0]]})
    with pytest.raises(DiffDopeError, match='joints: expected radians, got 90 .*"unit": "deg"'):
        read_joints(path)
    assert read_joints(path, unit="deg").positions[0, 0] == pytest.approx(np.pi / 2)


def test_missing_pictures_are_named() -> None:
    table = JointTable(("a",), np.zeros((2, 1)), ("0", "1"))
    with pytest.raises(DiffDopeError, match=r"values for each of the 3 pictures, got none for 000007; .* has 0, 1"):
        table.of(["000000", "000001", "000007"])
    with pytest.raises(DiffDopeError, match="joints: expected a row for each of 3 pictures, got 2"):
        JointTable(("a",), np.zeros((2, 1))).of(["x", "y", "z"])


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.json", {"x": 1}, "an object of joint values for each picture"),
        ("a.json", {"joint_names": NAMES, "positions": [[1.0]]}, "expected 2 numbers a picture"),
        ("a.json", {"joint_names": NAMES, "positions": [[0.1, None]]}, "positions"),
        ("a.json", [{"a": 0.1}, {"b": 0.1}], "expected the joints a of every picture, got others in row 1"),
        ("a.json", {"joint_names": ["a", "a"], "positions": [[0.1, 0.2]]}, "each joint once"),
        ("a.json", [{"name": ["a", "b"], "position": [0.1]}], "expected 2 numbers, as many as names"),
        ("a.csv", "frame,a\n1,x\n", "expected numbers"),
        ("a.csv", "frame,a\n1\n", "line 2 of .*: expected 2 values, as in the heading, got 1"),
        ("a.csv", "0.1,0.2\n0.3,0.4\n", "a heading in .*, got numbers in its first line; begin with frame,NAME"),
        ("a.csv", "frame;a\n1;0,5\n", "between commas in .*, got semicolons"),
        ("a.json", {"joint_names": NAMES, "positions": [[1.0, 2.0], [1.0]]}, "got rows of several lengths"),
        ("a.txt", "", "ending of the joints file: expected one of .json, .csv, .npz"),
    ],
)
def test_bad_files(tmp_path: Path, name: str, data: object, message: str) -> None:
    with pytest.raises(DiffDopeError, match=message):
        read_joints(write(tmp_path / name, data))


def test_radians_that_are_said_to_be_degrees_are_refused(tmp_path: Path) -> None:
    rows = [[0.5, -1.2], [0.1, 2.0], [0.0, 1.0]]
    path = write(tmp_path / "a.json", {"joint_names": NAMES, "positions": rows})
    with pytest.raises(DiffDopeError, match="joints: expected degrees, got at most 2 .*these look like radians"):
        read_joints(path, unit="deg")
    assert read_joints(path).positions[0, 1] == -1.2
    few = write(tmp_path / "b.json", {"joint_names": NAMES, "positions": rows[:2]})
    assert read_joints(few, unit="deg").positions[0, 0] == pytest.approx(np.radians(0.5))
