"""`diffdope calibrate` as a user runs it, in this process."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from diffdope.cli.main import main
from diffdope.cli.view_sources import content_of
from diffdope.experiments.drawn_arm import CAMERA, drawn_shot, looking_at
from diffdope.geometry.pose import Pose
from diffdope.scene.urdf import load_robot
from tests.oracle.arm import JOINTS, write_arm

pytest.importorskip("yourdfpy", reason="yourdfpy (diffdope[robot]) is not installed")

CONFIGURATIONS = {"2": (0.4, 0.5, 0.9), "7": (-0.7, -0.3, 1.3), "10": (1.2, 0.2, -1.2)}
VALUES = {**CONFIGURATIONS, "11": (0, 0, 0)}
INFO = """
header: {{frame_id: head_camera_optical_frame}}
height: {0.height}
width: {0.width}
distortion_model: plumb_bob
d: [0, 0, 0, 0, 0]
k: [{0.fx}, 0, {0.cx}, 0, {0.fy}, {0.cy}, 0, 0, 1]
"""


@pytest.fixture(scope="module")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a laboratory would have it, and the truth beside it."""
    folder = tmp_path_factory.mktemp("laboratory")
    robot = load_robot(write_arm(folder))
    pose = looking_at(np.random.default_rng(3))
    for name in ("rgb", "mask", "depth"):
        (folder / name).mkdir()
    for frame, values in CONFIGURATIONS.items():
        joints = dict(zip(JOINTS, values, strict=True))
        seen = drawn_shot(robot, pose, joints, images=("mask", "depth")).observation
        mask, depth = np.array(seen.mask), np.array(seen.depth)
        name = f"{int(frame):06d}.png"
        Image.fromarray((255 * mask).astype(np.uint8)).save(folder / "mask" / name)
        Image.fromarray(np.rint(1000 * depth).astype(np.uint16)).save(folder / "depth" / name)
        Image.fromarray(np.full((480, 640, 3), 90, np.uint8)).save(folder / "rgb" / name)
    Image.fromarray(np.zeros((480, 640), np.uint8)).save(folder / "mask" / "000011.png")  # the robot has left
    Image.fromarray(np.zeros((480, 640), np.uint16)).save(folder / "depth" / "000011.png")
    Image.fromarray(np.full((480, 640, 3), 90, np.uint8)).save(folder / "rgb" / "000011.png")
    (folder / "joints.json").write_text(
        json.dumps({"joint_names": JOINTS, "positions": {**CONFIGURATIONS, "11": [0, 0, 0]}})
    )
    (folder / "camera_info.yaml").write_text(INFO.format(CAMERA))
    (folder / "truth.json").write_text(json.dumps(pose.matrix.tolist()))
    return folder


def command(folder: Path, out: Path, *more: str, **changes: object) -> list[str]:
    given: dict[str, object] = {
        "urdf": folder / "arm.urdf", "joints": folder / "joints.json", "rgb": folder / "rgb", "mask": folder / "mask",
        "depth": folder / "depth", "camera": folder / "camera_info.yaml", "out": out,
    }  # fmt: skip
    words = ["calibrate", *more]
    for name, value in (given | changes).items():
        words += [] if value is None else [f"--{name}", str(value)]
    return words


def errors(entry: dict[str, object], folder: Path) -> tuple[float, float]:
    truth, found = Pose.from_matrix(json.loads((folder / "truth.json").read_text())), entry["T_camera_base"]
    pose = Pose.from_matrix(found)  # type: ignore[arg-type]
    return 1e3 * pose.distance_to(truth), float(np.degrees(pose.angle_to(truth)))


def test_from_folders_without_a_start(laboratory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(command(laboratory, out)) == 0
    entry = json.loads((out / "result.json").read_text())
    millimetres, degrees = errors(entry, laboratory)
    assert millimetres < 1.0 and degrees < 0.05
    assert entry["status"] == "converged" and entry["frames"]["base"] == "foot"
    assert entry["frames"]["camera"].startswith("head_camera_optical_frame: OpenCV optical frame")
    assert np.array(entry["covariance"]).shape == (6, 6)
    assert [one["name"] for one in entry["pictures"]] == ["000002", "000007", "000010"]
    assert np.array(entry["T_base_camera"]) @ np.array(entry["T_camera_base"]) == pytest.approx(np.eye(4), abs=1e-9)
    for name in entry["pictures"]:
        with Image.open(out / "overlays" / f"{name['name']}.png") as picture:
            assert picture.size[0] > 400
    said = capsys.readouterr().out
    assert "000011: its mask or depth is empty" in said
    assert "leave-one-out error" in said and "static_transform_publisher" in said and "pose that tells more" in said
    assert {"static_transform.yaml", "easy_handeye2.calib", "opencv.yaml"} <= {path.name for path in out.iterdir()}
    shown = content_of(out)
    assert shown.titles == ["000002", "000007", "000010"] and shown.text[0].startswith("converged: ")
    for k, one in enumerate(entry["pictures"]):
        moment = shown.moment(k)
        assert moment.view is not None and moment.view.modalities == ("rgb", "depth", "mask")
        assert np.allclose(moment.bodies[0].poses[0].matrix, entry["T_camera_base"])
        assert f"IoU {one['iou']:.3f}" in moment.text and "used" in moment.text
        assert set(moment.pictures()) == {"outlines"}
    up = np.array(entry["T_camera_base"])[:3, 2]
    assert np.allclose(shown.up, up)


def test_mask_alone_depth_alone_and_a_start(laboratory: Path, tmp_path: Path) -> None:
    assert main(command(laboratory, tmp_path / "a", rgb=None, depth=None, suggestions=0)) == 0
    assert errors(json.loads((tmp_path / "a" / "result.json").read_text()), laboratory)[0] < 1.0
    truth = Pose.from_matrix(json.loads((laboratory / "truth.json").read_text()))
    rough = truth.retract([0.05, -0.04, 0.05, 0.1, 0.1, -0.1])
    (tmp_path / "init.json").write_text(json.dumps({"T_base_camera": rough.inverse().matrix.tolist()}))
    words = command(laboratory, tmp_path / "b", rgb=None, mask=None, init=tmp_path / "init.json", suggestions=0)
    assert main(words) == 0
    entry = json.loads((tmp_path / "b" / "result.json").read_text())
    assert errors(entry, laboratory)[0] < 1.0 and entry["mask_border_px"] is None


def test_mistakes_are_one_line_and_write_nothing(
    laboratory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    names = tmp_path / "joints.json"
    names.write_text(json.dumps({"joint_names": ["j1", "j2", "joint3"], "positions": VALUES}))
    short = tmp_path / "short.json"
    short.write_text(json.dumps({"joint_names": JOINTS, "positions": {"2": [0, 0, 0]}}))
    cases = {
        "got none for j3; joint3 are no joints of it": command(laboratory, out, joints=names),
        "expected values for each of the 4 pictures, got none for 000007": command(laboratory, out, joints=short),
        "images: expected --mask, --depth or both, got rgb": command(laboratory, out, mask=None, depth=None),
        "shots: expected masks, or a start pose, got neither": command(laboratory, out, mask=None),
        "--fix: expected NAME=VALUE, got j3": command(laboratory, out, fix="j3"),
        "base link: expected one of foot, post": command(laboratory, out, **{"base-link": "baes"}),
    }
    for message, words in cases.items():
        assert main(words) == 2, message
        said = " ".join(capsys.readouterr().err.split())
        assert message in said
        assert not out.exists()
    words = command(laboratory, tmp_path / "fixed", joints=names, fix="j3=0.0", suggestions=0)
    assert main(words) in (0, 1)  # a value that is not true, but one


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"depth": None, "depth-scale": 1.0}, "depth-scale: expected --depth beside it, got none"),
        ({"mask": None, "mask-inverted": "no"}, "mask-inverted: expected --mask beside it, got none"),
    ],
)
def test_what_is_said_of_nothing_is_refused(
    flags: dict[str, object], said: str, laboratory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(command(laboratory, tmp_path / "out", **flags)) == 2
    assert said in capsys.readouterr().err
