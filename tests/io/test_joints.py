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
        {"joint_names": NAMES, "points": [{"positions": [0.1, 0.2]}, {"positions": [0.3, 0.4], "velocities": []}]},
        [
            {"joint_state": {"name": NAMES, "position": [0.1, 0.2]}},
            {"joint_state": {"name": NAMES, "position": [0.3, 0.4]}},
        ],
    ]
    for number, form in enumerate(forms):
        path = write(tmp_path / f"{number}.json", form)
        assert of(path, ["000002", "000010"]) == WANTED, form
        assert of(path, ["img_10", "img_2"]) == WANTED[::-1], form  # by number, and as people count


def message(sec: int, nanosec: int, values: list[float]) -> str:
    header = {"stamp": {"sec": sec, "nanosec": nanosec}, "frame_id": ""}
    return json.dumps({"header": header, "name": NAMES, "position": values, "velocity": []}) + "\n---\n"


def test_yaml(tmp_path: Path) -> None:
    for number, text in enumerate([
        "2: {a: 0.1, b: 0.2}\n10: {a: 0.3, b: 0.4}\n",
        "joint_names: [a, b]\npositions:\n- [0.1, 0.2]\n- [0.3, 0.4]\n",
        message(1_700_000_000, 5, [0.1, 0.2]) + message(1_700_000_001, 0, [0.3, 0.4]),
        "name: [a, b]\nposition: [0.1, 0.2]\n---\nname: [b, a]\nposition: [0.4, 0.3]\n---\n",
    ]):  # fmt: skip
        path = write(tmp_path / f"{number}.yaml", text)
        assert of(path, ["000002", "000010"]) == WANTED, text
    octal = "joint_names: [a, b]\npositions:\n  000010: [0.3, 0.4]\n  000012: [0.1, 0.2]\n  000008: [0.0, 0.0]\n"
    assert of(write(tmp_path / "octal.yaml", octal), ["000012", "000010"]) == WANTED
    assert of(write(tmp_path / "one.yml", message(1_700_000_000, 5, [0.1, 0.2])), ["x"]) == WANTED[:1]


def test_messages_go_by_their_times_where_pictures_have_them(tmp_path: Path) -> None:
    text = "".join(message(1_700_000_000 + k, 500_000_000, [0.1 * k, 0.0]) for k in range(5))
    path = write(tmp_path / "echo.yaml", text)
    found = of(path, ["1700000003.52", "rgb_1700000001480000000", "1700000000_500000000"])
    assert [one["a"] for one in found] == pytest.approx([0.3, 0.1, 0.0])
    with pytest.raises(DiffDopeError, match=r"within 0.1 s of the picture 1700000002.75, got 0.25 s from the closest"):
        of(path, ["1700000002.75"])
    with pytest.raises(DiffDopeError, match="values for each of the 2 pictures, got none for x"):
        of(path, ["x", "y"])
    assert [one["a"] for one in of(path, ["p5", "p1", "p2", "p3", "p4"])] == pytest.approx([0.4, 0.0, 0.1, 0.2, 0.3])
    backwards = write(tmp_path / "b.yaml", message(1_700_000_001, 0, [0.1, 0.2]) + message(1_700_000_000, 0, [0, 0]))
    with pytest.raises(DiffDopeError, match="values for each of the 2 pictures"):
        of(backwards, ["1", "2"])


def test_tables_of_recordings(tmp_path: Path) -> None:
    heading = "__time," + ",".join(
        f"/joint_states/{name}/{kind}" for name in NAMES for kind in ("position", "velocity")
    )
    path = write(tmp_path / "p.csv", f"{heading}\n1700000000.5,0.1,9,0.2,9\n1700000001.5,0.3,9,0.4,9\n")
    assert of(path, ["1700000001.51", "1700000000.49"]) == WANTED[::-1]
    assert of(write(tmp_path / "s.csv", "frame;a;b\n2;0.1;0.2\n10;0.3;0.4\n"), ["2", "10"]) == WANTED


def test_csv_and_npz(tmp_path: Path) -> None:
    named = write(tmp_path / "a.csv", "frame,a,b\nimg_2.png,0.1,0.2\n\nimg_10.png,0.3,0.4\n")
    assert of(named, ["img_10", "img_2"]) == WANTED[::-1]
    plain = write(tmp_path / "b.csv", "a, b\n0.1,0.2\n0.3,0.4\n")
    assert of(plain, ["x", "y"]) == WANTED
    np.savez(tmp_path / "c.npz", joint_names=NAMES, positions=[[0.1, 0.2], [0.3, 0.4]], frames=["2", "10"])
    assert of(tmp_path / "c.npz", ["00010", "00002"]) == WANTED[::-1]


def test_degrees_are_converted_where_they_are_said_and_suspected_where_not(tmp_path: Path) -> None:
    for word in ("degrees", "Degree"):
        said = write(tmp_path / "w.json", {"unit": word, "joint_names": NAMES, "positions": [[90.0, 0.0]]})
        assert read_joints(said).positions[0, 0] == pytest.approx(np.pi / 2)
    path = write(tmp_path / "a.json", {"unit": "deg", "joint_names": NAMES, "positions": [[90.0, 0.0]]})
    assert of(path, ["x"])[0]["a"] == pytest.approx(np.pi / 2)
    path = write(tmp_path / "b.json", {"joint_names": NAMES, "positions": [[90.0, 0.0]]})
    with pytest.raises(DiffDopeError, match='joints: expected radians, got 90 .*"unit": "deg"'):
        read_joints(path)
    assert read_joints(path, unit="deg").positions[0, 0] == pytest.approx(np.pi / 2)


def test_joints_that_slide_are_metres_whatever_the_others_are(tmp_path: Path) -> None:
    rows = [[10.0, 0.5], [40.0, 0.5], [90.0, 1.5]]
    path = write(tmp_path / "a.json", {"unit": "deg", "joint_names": ["turn", "rail"], "positions": rows})
    read = read_joints(path, sliding=["rail"]).positions
    assert read == pytest.approx(np.array([[np.radians(angle), length] for angle, length in rows]))
    path = write(tmp_path / "b.json", {"joint_names": ["turn", "rail"], "positions": [[0.1, 20.0]]})
    assert read_joints(path, sliding=["rail"]).positions.tolist() == [[0.1, 20.0]]  # no angle of 20 radians
    path = write(tmp_path / "c.json", {"joint_names": ["turn", "rail"], "positions": [[0.1, 250.0]]})
    with pytest.raises(DiffDopeError, match="joints, rail: expected metres, for it slides, got 250 .*millimetres"):
        read_joints(path, sliding=["rail"])
    only = write(tmp_path / "d.json", {"unit": "deg", "joint_names": ["rail"], "positions": [[0.1], [0.2], [0.3]]})
    assert read_joints(only, sliding=["rail"]).positions.ravel().tolist() == [0.1, 0.2, 0.3]


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
        (
            "a.csv",
            "frame;a\n1;0,5\n",
            "expected numbers in .*'0,5'; the first line names the joints, and decimals have",
        ),
        ("a.yaml", "a: [1", "joints: expected YAML in"),
        ("a.json", {"joint_names": NAMES, "points": [{}]}, "expected an array of numbers|expected 2 numbers a picture"),
        ("a.json", {"joint_names": NAMES, "positions": [[1.0, 2.0], [1.0]]}, "got rows of several lengths"),
        ("a.pkl", "", "ending of the joints file: expected one of .json, .yaml, .yml, .csv, .npz, .txt, .npy"),
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


@pytest.mark.parametrize("name", ["a.txt", "b.csv", "c.npy", "d.txt"])
def test_numbers_without_names(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name.endswith("npy"):
        np.save(path, [[0.1, 0.2], [0.3, 0.4]])
    else:
        texts = {"a.txt": "# my log\n0.1 0.2\n\n0.3 0.4  # second\n", "b.csv": "0.1,0.2\n0.3,0.4\n"}
        write(path, texts.get(name, "0.1; 0.2;\n0.3; 0.4;\n"))
    assert read_joints(path, names=NAMES).of(["000002", "000010"]) == WANTED
    with pytest.raises(DiffDopeError, match=r"joints: expected a value for each of a, got 2 in each row .*--fix"):
        read_joints(path, names=["a"])
    wanted = "begin with frame,NAME" if name == "b.csv" else "expected names of joints, got 2 in each row"
    with pytest.raises(DiffDopeError, match=wanted):
        read_joints(path)


def test_numbers_that_are_no_table(tmp_path: Path) -> None:
    for text, words in (("0.1 0.2\n0.3\n", "rows of 2 numbers in .*got 0.3"), ("# none\n", "rows of numbers"),
                        ("j1 j2\n1 2\n", "got j1 j2")):  # fmt: skip
        with pytest.raises(DiffDopeError, match=words):
            read_joints(write(tmp_path / "a.txt", text), names=NAMES)
    np.save(tmp_path / "b.npy", [0.1, 0.2])
    with pytest.raises(DiffDopeError, match=r"an array \(pictures, joints\) in .*, got shape \(2,\)"):
        read_joints(tmp_path / "b.npy", names=NAMES)


def test_wheels_that_have_turned_often_are_no_degrees(tmp_path: Path) -> None:
    """A mobile base counts on: 153 rad of its wheels had the arm's radians taken for degrees."""
    path = tmp_path / "joints.csv"
    path.write_text("frame,wheel,elbow\n0,153.2,0.4\n1,154.0,1.2\n2,160.9,-1.7\n")
    table = read_joints(path, limited=("elbow",))
    assert table.positions[:, 0] == pytest.approx([153.2, 154.0, 160.9])
    with pytest.raises(DiffDopeError, match="joints: expected radians, got 160.9"):
        read_joints(path)
    with pytest.raises(DiffDopeError, match="these look like radians"):
        read_joints(path, unit="deg", limited=("elbow",))
    path.write_text("frame,wheel,elbow\n0,1.2,40\n1,1.5,120\n")
    with pytest.raises(DiffDopeError, match="joints: expected radians, got 120"):
        read_joints(path, limited=("elbow",))


@pytest.mark.parametrize("value", [None, float("nan"), float("inf")])
def test_a_value_that_is_missing_is_named(tmp_path: Path, value: float | None) -> None:
    """Of forty values, which one was left out."""
    path = tmp_path / "joints.json"
    path.write_text(json.dumps({"joint_names": ["a", "b"], "positions": {"3": [0.1, 0.2], "7": [0.3, value]}}))
    with pytest.raises(
        DiffDopeError, match="joints, positions: expected finite numbers, got (nan|inf) for b in picture 7"
    ):
        read_joints(path)
    with pytest.raises(DiffDopeError, match="got nan for a in row 2"):
        JointTable(("a", "b"), np.array([[0.1, 0.2], [np.nan, 0.4]]))
