"""`diffdope calibrate --eye-in-hand` as a user runs it, in this process."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from diffdope.cli.main import main
from diffdope.experiments.drawn_arm import drawn_arm
from diffdope.experiments.drawn_hand import CAMERA, HandTruth, drawn_hand, drawn_target
from diffdope.geometry.pose import Pose
from diffdope.io.ply import write_ply


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, HandTruth]:
    """A folder as a laboratory would have it, and the truth."""
    folder, target = tmp_path_factory.mktemp("hand"), drawn_target()
    shots, truth = drawn_hand(drawn_arm(), 3, 4, target, images=("mask", "depth"), poses=True)
    for name in ("mask", "depth"):
        (folder / name).mkdir()
    flanges = {}
    for k, shot in enumerate(shots):
        mask, depth = np.array(shot.observation.mask), np.array(shot.observation.depth)
        Image.fromarray((255 * mask).astype(np.uint8)).save(folder / "mask" / f"{k:06d}.png")
        Image.fromarray(np.rint(1000 * depth).astype(np.uint16)).save(folder / "depth" / f"{k:06d}.png")
        assert shot.T_base_flange is not None
        flanges[f"{k:06d}"] = shot.T_base_flange.matrix.tolist()
    write_ply(folder / "object.ply", target.vertices_m, target.faces)
    (folder / "flanges.json").write_text(json.dumps(flanges))
    camera = {"cam_K": [CAMERA.fx, 0, CAMERA.cx, 0, CAMERA.fy, CAMERA.cy, 0, 0, 1], "depth_scale": 1.0}
    (folder / "camera.json").write_text(json.dumps(camera))
    (folder / "target.json").write_text(json.dumps({"T_base_object": truth.T_base_object.matrix.tolist()}))
    return folder, truth


def command(folder: Path, out: Path, **changes: object) -> list[str]:
    given: dict[str, object] = {
        "mesh": folder / "object.ply", "flange-poses": folder / "flanges.json", "mask": folder / "mask",
        "depth": folder / "depth", "camera": folder / "camera.json", "out": out,
    }  # fmt: skip
    words = ["calibrate", "--eye-in-hand"]
    for name, value in (given | changes).items():
        words += [] if value is None else [f"--{name}", str(value)]
    return words


def test_from_folders(laboratory: tuple[Path, HandTruth], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, truth = laboratory
    out = tmp_path / "out"
    assert main(command(folder, out)) == 0
    entry = json.loads((out / "result.json").read_text())
    X = Pose.from_matrix(entry["T_flange_camera"])
    assert X.distance_to(truth.T_flange_camera) < 1e-3 and np.degrees(X.angle_to(truth.T_flange_camera)) < 0.1
    assert np.array(entry["covariance"]).shape == (6, 6) and entry["status"] == "converged"
    assert [one["name"] for one in entry["pictures"]] == [f"{k:06d}" for k in range(4)]
    assert len(list((out / "overlays").iterdir())) == 4
    parameters = yaml.safe_load((out / "easy_handeye2.calib").read_text())["parameters"]
    assert parameters["calibration_type"] == "eye_in_hand" and parameters["robot_effector_frame"] == "flange"
    assert yaml.safe_load((out / "easy_handeye.yaml").read_text())["parameters"]["eye_on_hand"] is True
    transforms = yaml.safe_load((out / "static_transform.yaml").read_text())["transforms"]
    assert transforms[0]["header"]["frame_id"] == "flange"
    assert "R_cam2gripper" in (out / "opencv.yaml").read_text()
    said = capsys.readouterr().out
    assert "leave-one-out error of the camera in the flange" in said and "static_transform_publisher" in said


def test_a_known_target(laboratory: tuple[Path, HandTruth], tmp_path: Path) -> None:
    folder, truth = laboratory
    assert main(command(folder, tmp_path / "out", depth=None, target=folder / "target.json")) == 0
    X = Pose.from_matrix(json.loads((tmp_path / "out" / "result.json").read_text())["T_flange_camera"])
    assert X.distance_to(truth.T_flange_camera) < 1e-3


def test_mistakes_are_one_line_and_write_nothing(
    laboratory: tuple[Path, HandTruth], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = laboratory
    out = tmp_path / "out"
    (tmp_path / "short.json").write_text(json.dumps({"000000": np.eye(4).tolist()}))
    cases = {
        "flange: expected --urdf and --joints, or --flange-poses, got none": {"flange-poses": None},
        "expected a matrix for each of 4 pictures, got none for 000001": {"flange-poses": tmp_path / "short.json"},
        "images: expected --mask, --depth or both, got none": {"mask": None, "depth": None},
        "expected a 4 x 4 matrix, T_base_object or T_object_base": {"target": folder / "camera.json"},
    }
    for message, changes in cases.items():
        assert main(command(folder, out, **changes)) == 2, message
        assert message in " ".join(capsys.readouterr().err.split())
        assert not out.exists()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"depth": None, "depth-scale": 0.1}, "depth-scale: expected --depth beside it, got none"),
        ({"mask": None, "mask-id": 3}, "mask-id: expected --mask beside it, got none"),
        ({"fix": "j=1"}, "fix: expected --urdf beside it, got none"),
        ({"flange-link": "tool"}, "flange-link: expected --urdf beside it, got none"),
    ],
)
def test_what_is_said_of_nothing_is_refused(
    flags: dict[str, object], said: str, laboratory: tuple[Path, HandTruth], tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert main(command(laboratory[0], tmp_path / "out", **flags)) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_deviation_of_no_target_is_refused(
    laboratory: tuple[Path, HandTruth], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*command(laboratory[0], tmp_path / "out"), "--target-sigma", "5", "1"]) == 2
    assert "target-sigma: expected --target beside it, got none" in capsys.readouterr().err
