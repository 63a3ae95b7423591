"""A camera's place in files of other tools: ROS, MoveIt, easy_handeye, OpenCV; and start poses that come from them.

T_a_b takes points from frame b to frame a: p_a = T_a_b p_b. ROS writes the transform of a child frame in its parent as
translation and quaternion (x, y, z, w): that is T_parent_child. The optical frame is OpenCV's (x right, y down, z
forward), the body frame of a camera is ROS's (x forward, y left, z up; REP 103).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

from diffdope.errors import DiffDopeError, expected, refused
from diffdope.geometry.pose import Pose
from diffdope.io.json_files import read_json

T_OPTICAL_BODY = Pose(np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]]), np.zeros(3))
"""x of the body is z of the optical frame, y its -x, z its -y."""


_UPRIGHT = 1e-9  # cosine of a pitch at which roll and yaw turn about the same axis


def body_frame(optical: str) -> str:
    """The usual name of the body frame beside an optical one: camera_color_optical_frame, camera_color_frame."""
    name = optical.replace("_optical", "")
    return name if name != optical else f"{optical}_body"


def xyzw(pose: Pose) -> NDArray[np.float64]:
    """The rotation as a unit quaternion in ROS's order."""
    return np.roll(pose.wxyz, -1)


def transform_entry(parent: str, child: str, T_parent_child: Pose) -> dict[str, Any]:
    """As geometry_msgs/TransformStamped has it."""
    x, y, z = T_parent_child.t_m2c.tolist()
    qx, qy, qz, qw = xyzw(T_parent_child).tolist()
    return {
        "header": {"frame_id": parent}, "child_frame_id": child,
        "transform": {
            "translation": {"x": x, "y": y, "z": z}, "rotation": {"x": qx, "y": qy, "z": qz, "w": qw},
        },
    }  # fmt: skip


def publisher_line(parent: str, child: str, T_parent_child: Pose) -> str:
    """The command line of ROS 2 that publishes a static transform."""
    flags = ("--x", "--y", "--z", "--qx", "--qy", "--qz", "--qw")
    values = [*T_parent_child.t_m2c, *xyzw(T_parent_child)]
    numbers = " ".join(f"{flag} {value:.9f}" for flag, value in zip(flags, values, strict=True))
    return f"ros2 run tf2_ros static_transform_publisher {numbers} --frame-id {parent} --child-frame-id {child}"


def write_transforms(folder: Path, T_camera_base: Pose, *, base: str, camera: str) -> None:
    """Writes the camera's place for other tools.

    `static_transform.yaml`: T_base_optical and T_base_body with their command lines; `static_transform.launch.py`: a
    launch file of ROS 2, as MoveIt's calibration plugin exports; `easy_handeye2.calib`, `easy_handeye.yaml`: eye on
    base, tracking base = optical frame; `camera_joint.xacro`: link and joint for URDF and xacro; `opencv.yaml`:
    R_cam2base and t_cam2base as `cv2.calibrateHandEye` names them for a camera that stands still, and T_camera_base.

    Args:
        folder: for the files.
        T_camera_base: pose of the base in the camera's optical frame.
        base: name of the base link.
        camera: name of the camera's optical frame.
    """
    optical = T_camera_base.inverse()
    frames = {"robot_base_frame": base, "robot_effector_frame": ""}
    _write_for_ros(folder, optical, parent=base, camera=camera, kind="eye_on_base", frames=frames)
    matrices = {
        "T_camera_base": T_camera_base.matrix,
        "R_cam2base": optical.R_m2c,
        "t_cam2base": optical.t_m2c[:, None],
    }
    (folder / "opencv.yaml").write_text(_opencv(matrices), encoding="utf-8")


def write_hand_transforms(folder: Path, T_flange_camera: Pose, *, base: str, flange: str, camera: str) -> None:
    """The same of a camera on the hand: eye in hand, with R_cam2gripper and t_cam2gripper in `opencv.yaml`.

    Args:
        folder: for the files.
        T_flange_camera: pose of the camera's optical frame in the flange.
        base: name of the base link.
        flange: name of the link that holds the camera.
        camera: name of the camera's optical frame.
    """
    frames = {"robot_base_frame": base, "robot_effector_frame": flange}
    _write_for_ros(folder, T_flange_camera, parent=flange, camera=camera, kind="eye_in_hand", frames=frames)
    matrices = {
        "T_flange_camera": T_flange_camera.matrix, "R_cam2gripper": T_flange_camera.R_m2c,
        "t_cam2gripper": T_flange_camera.t_m2c[:, None],
    }  # fmt: skip
    (folder / "opencv.yaml").write_text(_opencv(matrices), encoding="utf-8")


def _write_for_ros(
    folder: Path, optical: Pose, *, parent: str, camera: str, kind: str, frames: Mapping[str, str]
) -> None:
    body = optical @ T_OPTICAL_BODY
    (folder / "static_transform.yaml").write_text(_static_transforms(parent, camera, optical, body), encoding="utf-8")
    (folder / "static_transform.launch.py").write_text(_launch_file(parent, camera, optical), encoding="utf-8")
    (folder / "camera_joint.xacro").write_text(_camera_joint(parent, camera, optical, body), encoding="utf-8")
    newer = _easy_handeye2(parent, camera, optical, kind, frames)
    (folder / "easy_handeye2.calib").write_text(newer, encoding="utf-8")
    (folder / "easy_handeye.yaml").write_text(_easy_handeye(camera, optical, kind, frames), encoding="utf-8")


def _static_transforms(base: str, camera: str, optical: Pose, body: Pose) -> str:
    import yaml

    child = body_frame(camera)
    text = (
        f"# Where the camera stands in {base}. Publish ONE of the two: a camera driver connects both of its frames.\n"
        f"# {camera}: optical (x right, y down, z forward). {child}: body (x forward, y left, z up).\n"
    )
    for name, T in ((camera, optical), (child, body)):
        text += f"# {publisher_line(base, name, T)}\n"
    entries = [transform_entry(base, camera, optical), transform_entry(base, child, body)]
    return text + str(yaml.safe_dump({"transforms": entries}, sort_keys=False))


def _launch_file(base: str, camera: str, optical: Pose) -> str:
    words = publisher_line(base, camera, optical).split()[4:]
    listed = "\n".join(f'            "{flag}", "{value}",' for flag, value in zip(words[::2], words[1::2], strict=True))
    return (
        f'"""Publishes where the camera stands: {camera} (optical: x right, y down, z forward) in {base}."""\n\n'
        "from launch import LaunchDescription\nfrom launch_ros.actions import Node\n\n\n"
        "def generate_launch_description() -> LaunchDescription:\n"
        '    """One node."""\n'
        "    node = Node(\n"
        '        package="tf2_ros",\n        executable="static_transform_publisher",\n        output="log",\n'
        f"        arguments=[\n{listed}\n        ],\n    )\n"
        "    return LaunchDescription([node])\n"
    )


def roll_pitch_yaw(pose: Pose) -> NDArray[np.float64]:
    """(3,) radians as URDF has them: R = Rz(yaw) Ry(pitch) Rx(roll); yaw is 0 where only its sum with roll is told."""
    R = pose.R_m2c
    level = float(np.hypot(R[0, 0], R[1, 0]))
    pitch = np.arctan2(-R[2, 0], level)
    if level < _UPRIGHT:
        return np.array([np.arctan2(-R[1, 2], R[1, 1]), pitch, 0.0])
    return np.array([np.arctan2(R[2, 1], R[2, 2]), pitch, np.arctan2(R[1, 0], R[0, 0])])


def _camera_joint(parent: str, camera: str, optical: Pose, body: Pose) -> str:
    entries = []
    for name, T in ((camera, optical), (body_frame(camera), body)):
        xyz, rpy = (" ".join(f"{value:.9f}" for value in some) for some in (T.t_m2c, roll_pitch_yaw(T)))
        entries.append(
            f"  <link name={quoteattr(name)}/>\n"
            f'  <joint name={quoteattr(f"{name}_joint")} type="fixed">\n'
            f"    <parent link={quoteattr(parent)}/>\n    <child link={quoteattr(name)}/>\n"
            f'    <origin xyz="{xyz}" rpy="{rpy}"/>\n  </joint>\n'
        )
    commented = entries[1].replace("--", "- -")  # two of them end no comment, and are in none
    return (
        '<?xml version="1.0"?>\n'
        "<!-- Where the camera stands, to be included or copied: metres, radians. Use ONE of the two, and none where\n"
        "     a driver publishes a parent of that frame: a link has one parent. -->\n"
        '<robot xmlns:xacro="http://www.ros.org/wiki/xacro">\n'
        "  <!-- The optical frame: x right, y down, z forward. -->\n"
        f"{entries[0]}"
        "  <!-- The body frame: x forward, y left, z up.\n"
        f"{commented}  -->\n</robot>\n"
    )


def _easy_handeye2(parent: str, camera: str, optical: Pose, kind: str, frames: Mapping[str, str]) -> str:
    import yaml

    parameters = {
        "name": "diffdope", "calibration_type": kind, **frames,
        "tracking_base_frame": camera, "tracking_marker_frame": "", "freehand_robot_movement": True,
    }  # fmt: skip
    transform = transform_entry(parent, camera, optical)["transform"]
    return str(yaml.safe_dump({"parameters": parameters, "transform": transform}, sort_keys=False))


def _easy_handeye(camera: str, optical: Pose, kind: str, frames: Mapping[str, str]) -> str:
    import yaml

    parameters = {
        "eye_on_hand": kind == "eye_in_hand", **frames, "tracking_base_frame": camera,
        "tracking_marker_frame": "", "namespace": f"/diffdope_{kind}/", "freehand_robot_movement": True,
        "move_group": "", "move_group_namespace": "",
    }  # fmt: skip
    names = ("x", "y", "z", "qx", "qy", "qz", "qw")
    values = [*optical.t_m2c.tolist(), *xyzw(optical).tolist()]
    transformation = dict(zip(names, values, strict=True))
    return str(yaml.safe_dump({"parameters": parameters, "transformation": transformation}, sort_keys=False))


def _opencv(matrices: Mapping[str, NDArray[np.float64]]) -> str:
    text = "%YAML:1.0\n---\n"
    for name, matrix in matrices.items():
        numbers = ", ".join(repr(float(value)) for value in matrix.ravel())
        rows, columns = matrix.shape
        text += f"{name}: !!opencv-matrix\n   rows: {rows}\n   cols: {columns}\n   dt: d\n   data: [ {numbers} ]\n"
    return text


def read_camera_pose(path: Path) -> Pose:
    """T_camera_base to begin with.

    JSON: a 4 x 4 matrix, taken for T_camera_base; an object with T_camera_base, or with T_base_camera (p_base =
    T_base_camera p_camera), as of `result.json`; or R_cam2base and t_cam2base (metres), as `cv2.calibrateHandEye`
    returns for a camera that stands still, if it was given the inverse poses of the gripper.

    Raises:
        DiffDopeError: if the file holds none of these, or no rigid transform.
    """
    data = read_json(path, "init")
    try:
        if isinstance(data, list):
            return Pose.from_matrix(data)
        if isinstance(data, Mapping):
            if "T_camera_base" in data:
                return Pose.from_matrix(data["T_camera_base"])
            if "T_base_camera" in data:
                return Pose.from_matrix(data["T_base_camera"]).inverse()
            if "R_cam2base" in data and "t_cam2base" in data:
                return Pose(data["R_cam2base"], np.ravel(data["t_cam2base"])).inverse()
    except DiffDopeError as error:
        raise refused("init", f"{error} ({path})") from error
    wanted = "a 4 x 4 matrix, T_camera_base, T_base_camera, or R_cam2base and t_cam2base"
    got = f"keys {', '.join(map(str, data))}" if isinstance(data, Mapping) else type(data).__name__
    raise expected("init", f"{wanted} in {path}", got, "R_cam2gripper of an eye in hand is another transform")
