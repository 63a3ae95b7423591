"""A camera's place for other tools, read back by their own rules."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.io.camera_info import optical_frame_of
from diffdope.io.transforms import T_OPTICAL_BODY, body_frame, publisher_line, read_camera_pose, write_transforms
from diffdope.scene.urdf import load_robot

POSE = Pose(so3.exp([0.4, -1.2, 0.3]), [0.1, 0.2, 1.3])
POINT = np.array([0.3, -0.1, 0.5])  # in the base


def as_ros(entry: dict[str, dict[str, float]]) -> Pose:
    """Translation and quaternion (x, y, z, w), by hand."""
    t, (x, y, z, w) = entry["translation"], (entry["rotation"][k] for k in "xyzw")
    return Pose.from_wxyz_xyz([w, x, y, z, t["x"], t["y"], t["z"]])


def test_ros_files_take_camera_points_to_the_base(tmp_path: Path) -> None:
    write_transforms(tmp_path, POSE, base="link_base", camera="camera_color_optical_frame")
    seen = POSE.apply(POINT)
    entries = yaml.safe_load((tmp_path / "static_transform.yaml").read_text())["transforms"]
    optical, body = entries
    assert (optical["header"]["frame_id"], optical["child_frame_id"]) == ("link_base", "camera_color_optical_frame")
    assert as_ros(optical["transform"]).apply(seen) == pytest.approx(POINT)
    assert body["child_frame_id"] == "camera_color_frame"
    x, y, z = seen  # x of the body is forward, y left, z up
    assert as_ros(body["transform"]).apply([z, -x, -y]) == pytest.approx(POINT)
    handeye2 = yaml.safe_load((tmp_path / "easy_handeye2.calib").read_text())
    assert handeye2["parameters"]["calibration_type"] == "eye_on_base"
    assert as_ros(handeye2["transform"]).apply(seen) == pytest.approx(POINT)
    handeye = yaml.safe_load((tmp_path / "easy_handeye.yaml").read_text())["transformation"]
    again = Pose.from_wxyz_xyz([handeye[k] for k in ("qw", "qx", "qy", "qz", "x", "y", "z")])
    assert again.apply(seen) == pytest.approx(POINT)
    code = (tmp_path / "static_transform.launch.py").read_text()
    compile(code, "launch", "exec")
    assert '"--child-frame-id", "camera_color_optical_frame"' in code


@pytest.mark.parametrize("turn", [(0.4, -1.2, 0.3), (np.pi, 0.0, 0.0), (0.0, np.pi / 2, 0.0), (0.3, -np.pi / 2, 0.0)])
def test_the_joint_for_urdf_is_read_back(tmp_path: Path, turn: tuple[float, float, float]) -> None:
    """Among them cameras that look straight down, whose body frame is pitched by a right angle."""
    pytest.importorskip("yourdfpy")
    for R in (so3.exp(turn), so3.exp(turn) @ T_OPTICAL_BODY.R_m2c.T):
        camera = Pose(R, [0.4, -0.3, 1.2])
        write_transforms(tmp_path, camera.inverse(), base="foot", camera="cam_optical_frame")
        text = (tmp_path / "camera_joint.xacro").read_text()
        foot = '<link name="foot"><visual><geometry><box size="0.1 0.1 0.1"/></geometry></visual></link>'
        for given, name, want in (
            (text, "cam_optical_frame", camera),
            (text.replace("<!-- The body frame: x forward, y left, z up.", "").replace("  -->\n</robot>", "</robot>"),
             "cam_frame", camera @ T_OPTICAL_BODY),
        ):  # fmt: skip
            path = tmp_path / "arm.urdf"
            path.write_text(given.replace("</robot>", f"{foot}</robot>"))
            robot = load_robot(path)
            place = robot.forward({})[[one.name for one in robot.links].index(name)]
            assert place == pytest.approx(want.matrix, abs=1e-7)


def test_the_publishers_line_holds_the_same_numbers() -> None:
    words = publisher_line("base", "cam", POSE.inverse()).split()
    values = dict(zip(words[4::2], words[5::2], strict=True))
    numbers = [float(values[f"--{k}"]) for k in ("qw", "qx", "qy", "qz", "x", "y", "z")]
    assert Pose.from_wxyz_xyz(numbers).apply(POSE.apply(POINT)) == pytest.approx(POINT, abs=1e-8)
    assert values["--frame-id"] == "base" and values["--child-frame-id"] == "cam"


def test_body_axes() -> None:
    assert T_OPTICAL_BODY.apply([1.0, 0.0, 0.0]) == pytest.approx([0, 0, 1])
    assert T_OPTICAL_BODY.apply([0.0, 1.0, 0.0]) == pytest.approx([-1, 0, 0])
    assert body_frame("cam_optical_frame") == "cam_frame" and body_frame("cam") == "cam_body"


def test_starts_of_every_form(tmp_path: Path) -> None:
    inverse = POSE.inverse()
    forms = [
        POSE.matrix.tolist(), {"T_camera_base": POSE.matrix.tolist()}, {"T_base_camera": inverse.matrix.tolist()},
        {"R_cam2base": inverse.R_m2c.tolist(), "t_cam2base": inverse.t_m2c[:, None].tolist()},
    ]  # fmt: skip
    for form in forms:
        path = tmp_path / "init.json"
        path.write_text(json.dumps(form))
        assert read_camera_pose(path).matrix == pytest.approx(POSE.matrix, abs=1e-9)


@pytest.mark.parametrize("form", [{"R_cam2gripper": 1}, 3, {"T_camera_base": [[1, 2], [3, 4]]}])
def test_other_starts_are_refused(tmp_path: Path, form: object) -> None:
    path = tmp_path / "init.json"
    path.write_text(json.dumps(form))
    with pytest.raises(DiffDopeError, match="init: "):
        read_camera_pose(path)


def test_opencv_file_holds_the_matrices(tmp_path: Path) -> None:
    write_transforms(tmp_path, POSE, base="b", camera="c")
    text = (tmp_path / "opencv.yaml").read_text()
    assert text.startswith("%YAML:1.0\n---\n")
    for name, matrix in (("T_camera_base", POSE.matrix), ("R_cam2base", POSE.R_m2c.T)):
        part = text[text.index(f"{name}:") :]
        numbers = part[part.index("[") + 1 : part.index("]")].split(",")
        assert [float(n) for n in numbers] == pytest.approx(matrix.ravel().tolist())


CAMERA_INFO = """
header: {frame_id: cam_optical_frame}
height: 480
width: 640
distortion_model: plumb_bob
d: [0.0, 0.0, 0.0, 0.0, 0.0]
k: [600.0, 0.0, 320.5, 0.0, 601.0, 240.5, 0.0, 0.0, 1.0]
"""


def test_the_optical_frame_of_a_camera_file(tmp_path: Path) -> None:
    path = tmp_path / "camera_info.yaml"
    path.write_text(CAMERA_INFO)
    assert optical_frame_of(path) == "cam_optical_frame"
    for text in ("k: [1, 2]\n", "[1, 2]\n", "%YAML:1.0\n---\nK: !!opencv-matrix\n   rows: 3\n"):
        path.write_text(text)
        assert optical_frame_of(path) == "camera_optical_frame"
    assert optical_frame_of(tmp_path / "camera.json") == "camera_optical_frame"
