"""Poses in files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry.pose import Pose
from diffdope.geometry.so3 import exp
from diffdope.io.bop_results import Estimate, read_results, write_results
from diffdope.io.poses import pose_entry, pose_of, read_start_pose, read_start_poses
from tests.oracle.files import written

POSE = Pose(exp(np.array([0.3, -1.2, 0.4])), np.array([0.03, -0.02, 0.61]))
R, T_MM = POSE.to_bop()


def test_the_entry_of_a_pose_comes_back_to_the_bit(rng: np.random.Generator) -> None:
    for _ in range(300):
        pose = Pose(exp(rng.normal(size=3)), rng.normal(size=3)).retract(rng.normal(size=6))
        again = pose_of(json.loads(json.dumps(pose_entry(pose))), "here")
        assert np.array_equal(again.R_m2c, pose.R_m2c) and np.array_equal(again.t_m2c, pose.t_m2c)


def test_bops_keys_are_enough() -> None:
    np.testing.assert_allclose(pose_of({"cam_R_m2c": R, "cam_t_m2c": T_MM}, "here").matrix, POSE.matrix, atol=1e-15)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ([1], r"here: expected a JSON object with cam_R_m2c, got list"),
        ({"cam_R_m2c": R}, r"here: expected the key cam_t_m2c, got keys cam_R_m2c"),
        ({"cam_R_m2c": R[:8], "cam_t_m2c": T_MM}, r"here: cam_R_m2c: expected shape \(3, 3\)"),
        (pose_entry(POSE) | {"cam_t_m2c": [30, -20, 700]}, "here, T_m2c_metres: expected the pose of cam_R.* 0.09 off"),
        (pose_entry(POSE) | {"T_m2c_metres": [1, 2]}, r"here: T_m2c: expected shape \(4, 4\)"),
    ],
)
def test_broken_entries(entry: Any, words: str) -> None:
    with pytest.raises(DiffDopeError, match=words):
        pose_of(entry, "here")


@pytest.mark.parametrize("content", [{"cam_R_m2c": R, "cam_t_m2c": T_MM}, [pose_entry(POSE)], pose_entry(POSE)])
def test_a_start_pose_of_json(tmp_path: Path, content: object) -> None:
    np.testing.assert_allclose(
        read_start_pose(written(tmp_path / "init.json", content)).matrix, POSE.matrix, atol=1e-15
    )


def test_a_start_pose_of_a_csv_with_or_without_header(tmp_path: Path) -> None:
    other = Pose(np.eye(3), np.array([0.0, 0.0, 0.5]))
    path = tmp_path / "init.csv"
    write_results(path, [Estimate(1, 3, 1, 0.5, POSE), Estimate(1, 3, 2, 0.5, other), Estimate(1, 4, 1, 0.5, other)])
    for text in (path.read_text(), path.read_text().partition("\n")[2]):
        path.write_text(text)
        np.testing.assert_allclose(read_start_pose(path, obj_id=1, image_id=3).matrix, POSE.matrix, atol=1e-9)
        words = "init file .*init.csv: expected exactly one row, got 2 of 3; choose with --image-id and --obj-id among"
        with pytest.raises(DiffDopeError, match=words + ": image 3 object 1; image 3 object 2; image 4 object 1"):
            read_start_pose(path, image_id=3)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("init.json", "R = 3", "init: expected JSON in .*init.json"),
        ("init.json", [1, 2], "init file .*: expected 4 x 4 numbers, got 2 numbers"),
        ("init.json", {"R": 1}, "init file .*: expected the key cam_R_m2c, and cam_t_m2c, or a 4 x 4 .* got keys R"),
        ("init.json", {"cam_R_m2c": R, "cam_t_m2c": [0.03, -0.02, 0.61]}, "in metres: multiply by 1000"),
        ("init.json", {"cam_R_m2c": R, "cam_t_m2c": [0, 0, 0]}, "it is missing"),
        ("init.json", {"cam_R_m2c": R, "cam_t_m2c": [0, 0, 2e5]}, "millimetres from the camera, at most 100000, got"),
        ("init.csv", "", "expected exactly one row, got 0 of 0"),
        ("init.csv", "scene_id,R\n1,2\n", "line 1: expected a header scene_id,.*, got none of im_id, obj_id, score, t"),
        ("init.csv", "1,2,3,high,1 0 0 0 1 0 0 0 1,0 0 600,1", "init.csv, line 1: expected numbers"),
    ],
)  # fmt: skip
def test_files_that_are_no_start(tmp_path: Path, name: str, content: object, words: str) -> None:
    with pytest.raises(DiffDopeError, match=words):
        read_start_pose(written(tmp_path / name, content))


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "init.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DiffDopeError, match="init: cannot read .*init.json: not a text file"):
        read_start_pose(tmp_path / "init.json")
    with pytest.raises(DiffDopeError, match="init: cannot read .*nowhere.json: No such file"):
        read_start_pose(tmp_path / "nowhere.json")


def test_errors_of_files_name_their_argument(tmp_path: Path) -> None:
    """What was wrong within a file was an error without an argument, of which a front end can say nothing."""
    bent = {"cam_R_m2c": [1, 0, 0, 0, 1, 0, 0, 0, 2], "cam_t_m2c": [0, 0, 500], "obj_id": 1}
    start = written(tmp_path / "start.json", bent)
    with pytest.raises(DiffDopeError, match=r"init file .*start.json: R_m2c: expected an orthonormal") as told:
        read_start_poses(start)
    assert told.value.argument == f"init file {start}"
    table = written(tmp_path / "r.csv", "scene_id,im_id,obj_id,score,R,t,time\n1,2,3,1,1 0 0 0 1 0 0 0 2,0 0 500,-1\n")
    with pytest.raises(DiffDopeError, match="R_m2c: expected an orthonormal") as told:
        read_results(table)
    assert told.value.argument and str(told.value).startswith(f"{told.value.argument}: R_m2c")
