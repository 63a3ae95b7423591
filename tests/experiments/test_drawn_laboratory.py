"""The folders that are drawn are those that `diffdope calibrate` reads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from diffdope.cli.main import main
from diffdope.experiments.drawn_arm import drawn_arm, random_joints
from diffdope.experiments.drawn_laboratory import (
    laboratory_before_the_arm,
    laboratory_on_the_hand,
    write_description,
)
from diffdope.geometry.pose import Pose
from diffdope.scene.urdf import load_robot

pytest.importorskip("yourdfpy", reason="needs diffdope[robot]")
FILES = {"urdf": "arm.urdf", "joints": "joints.json", "mask": "mask", "camera": "camera.json"}


def words_of(folder: Path, *more: str) -> list[str]:
    words = ["calibrate", *more, "--out", str(folder / "result"), "--suggestions", "0"]
    return words + [word for flag, name in FILES.items() for word in (f"--{flag}", str(folder / name))]


def test_a_description_is_read_as_the_same_robot(tmp_path: Path) -> None:
    robot = drawn_arm()
    write_description(tmp_path, robot)
    read, values = load_robot(tmp_path / "arm.urdf"), random_joints(robot, np.random.default_rng(0))
    assert read.needed == robot.needed and read.base == robot.base
    assert np.allclose(read.posed(values).mesh.bounds, robot.posed(values).mesh.bounds, atol=1e-6)


def test_the_command_reads_both_folders(tmp_path: Path) -> None:
    T_camera_base = laboratory_before_the_arm(tmp_path / "before", pictures=3)
    assert main(words_of(tmp_path / "before")) == 0
    found = json.loads((tmp_path / "before" / "result" / "result.json").read_text())["T_camera_base"]
    assert Pose.from_matrix(found).distance_to(T_camera_base) < 1e-3
    hand = tmp_path / "hand"
    truth = laboratory_on_the_hand(hand, pictures=4)
    assert main(words_of(hand, "--eye-in-hand", "--mesh", str(hand / "object.ply"))) == 0
    found = json.loads((hand / "result" / "result.json").read_text())["T_flange_camera"]
    assert Pose.from_matrix(found).distance_to(truth.T_flange_camera) < 1e-3
