from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.io.extrinsics import has_places, read_camera_places
from diffdope.io.transforms import transform_entry, write_hand_transforms, write_transforms
from tests.oracle.files import written
from tests.oracle.poses import assert_poses

ONE = Pose(so3.exp(np.array([0.1, -0.2, 0.3])), np.array([0.1, 0.2, 0.7]))
OTHER = Pose(so3.exp(np.array([0.5, 0.1, -0.4])), np.array([-0.3, 0.1, 0.9]))


def bop(pose: Pose) -> dict[str, Any]:
    R, t = pose.to_bop()
    return {"cam_K": [500, 0, 320, 0, 500, 240, 0, 0, 1], "cam_R_w2c": R, "cam_t_w2c": t}


@pytest.mark.parametrize(
    "data",
    [
        {"0": bop(ONE), "7": bop(OTHER)},
        [ONE.matrix.tolist(), OTHER.matrix.tolist()],
        {"left": ONE.matrix.tolist(), "right": {"T_w2c": OTHER.matrix.tolist()}},
        [{"T_c2w": ONE.inverse().matrix.tolist()}, {"T_world_camera": OTHER.inverse().matrix.tolist()}],
        [{"T_camera_world": ONE.matrix.tolist()}, {"camera_to_world": OTHER.inverse().matrix.tolist()}],
    ],
)
def test_one_file_for_all_views(data: Any, tmp_path: Path) -> None:
    assert_poses(read_camera_places([written(tmp_path / "rig.json", data)], 2), [ONE, OTHER])


@pytest.mark.parametrize("name", ["static_transform.yaml", "easy_handeye.yaml", "easy_handeye2.calib", "opencv.yaml"])
def test_what_calibrate_writes(name: str, tmp_path: Path) -> None:
    for folder, pose in (("a", ONE), ("b", OTHER)):
        (tmp_path / folder).mkdir()
        write_transforms(tmp_path / folder, pose, base="base", camera="camera_color_optical_frame")
    assert_poses(read_camera_places([tmp_path / "a" / name, tmp_path / "b" / name], 2), [ONE, OTHER])


def test_a_camera_on_the_hand_stands_nowhere(tmp_path: Path) -> None:
    write_hand_transforms(tmp_path, ONE, base="base", flange="tool0", camera="camera_optical_frame")
    for name in ("easy_handeye.yaml", "easy_handeye2.calib"):
        with pytest.raises(DiffDopeError, match="camera that stands still, got that of one on a robot's hand"):
            read_camera_places([tmp_path / name], 1)
    with pytest.raises(DiffDopeError, match="key T_flange_camera: expected a transform between a camera and the world"):
        read_camera_places([tmp_path / "opencv.yaml"], 1)


TO_CAMERA = ["T_w2c", "T_camera_base", "world_to_camera", "T_cw", "cam_from_world", "T_cam0_world", "T_base2cam"]
TO_WORLD = ["T_c2w", "T_base_camera", "cam2world", "T_WC", "world_from_camera", "T_base_link_camera_optical_frame"]


@pytest.mark.parametrize("key", TO_CAMERA + TO_WORLD)
def test_names_tell_the_direction(key: str, tmp_path: Path) -> None:
    pose = ONE if key in TO_CAMERA else ONE.inverse()
    data = {"frames": "said elsewhere", "status": "converged", key: pose.matrix.tolist()}
    assert_poses(read_camera_places([written(tmp_path / "one.json", data)], 1), [ONE])
    assert_poses(read_camera_places([written(tmp_path / "rig.json", {"left": data, "right_cam": data})], 2), [ONE, ONE])
    if key.startswith("T_"):
        parts = {f"R{key[1:]}": pose.R_m2c.tolist(), f"t{key[1:]}": pose.t_m2c[:, None].tolist()}
        assert_poses(read_camera_places([written(tmp_path / "parts.json", parts)], 1), [ONE])


@pytest.mark.parametrize("key", ["T_base_camera_link", "T_cam0_cam1", "T_imu_cam", "base_to_gripper"])
def test_names_of_other_transforms_are_refused(key: str, tmp_path: Path) -> None:
    path = written(tmp_path / "one.json", {key: ONE.matrix.tolist()})
    with pytest.raises(DiffDopeError, match=f"key {key}: expected a transform between .*name it T_w2c"):
        read_camera_places([path], 1)


def test_views_may_be_called_as_people_call_them(tmp_path: Path) -> None:
    names = {"table_left": ONE, "robot_view_2": OTHER}
    path = written(tmp_path / "rig.json", {name: pose.matrix.tolist() for name, pose in names.items()})
    assert_poses(read_camera_places([path], 2), [ONE, OTHER])


def test_frames_of_a_message_tell_the_direction(tmp_path: Path) -> None:
    there = transform_entry("base", "cam_optical_frame", ONE.inverse())
    back = transform_entry("cam_optical_frame", "base", ONE)
    for message in (there, back, {"transforms": [transform_entry("base", "tool", OTHER), there]}):
        assert_poses(read_camera_places([written(tmp_path / "tf.json", message)], 1), [ONE])
    body = written(tmp_path / "body.json", transform_entry("base", "camera_link", ONE.inverse()))
    with pytest.raises(DiffDopeError, match="expected the place of a camera's optical frame, got camera_link in base"):
        read_camera_places([body], 1)


def test_one_file_a_view(tmp_path: Path) -> None:
    first = written(tmp_path / "a.json", {"T_w2c": ONE.matrix.tolist()})
    second = tmp_path / "b.txt"
    np.savetxt(second, OTHER.matrix)
    assert_poses(read_camera_places([first, second], 2), [ONE, OTHER])


@pytest.mark.parametrize("ids", [(), (0, 1)])
def test_one_transform_is_not_that_of_two_views(tmp_path: Path, ids: tuple[int, ...]) -> None:
    np.savetxt(tmp_path / "a.txt", ONE.matrix)
    with pytest.raises(DiffDopeError, match="expected a transform for each of 2 views, got one"):
        read_camera_places([tmp_path / "a.txt"], 2, image_ids=ids)


def test_the_direction_of_plain_matrices(tmp_path: Path) -> None:
    path = written(tmp_path / "rig.json", [ONE.inverse().matrix.tolist(), OTHER.inverse().matrix.tolist()])
    assert_poses(read_camera_places([path], 2, kind="c2w"), [ONE, OTHER])
    named = written(tmp_path / "named.json", [bop(ONE), {"T_w2c": OTHER.matrix.tolist()}])
    assert_poses(read_camera_places([named], 2, kind="c2w"), [ONE, OTHER])  # what files say wins


def test_axes_of_opengl(tmp_path: Path) -> None:
    """A point is where it is, whatever the axes in which its camera was written down."""
    turn = np.diag([1.0, -1.0, -1.0, 1.0])  # x right, y up, z backwards
    w2gl = [turn @ one.matrix for one in (ONE, OTHER)]
    plain = written(tmp_path / "plain.json", [one.tolist() for one in w2gl])
    assert_poses(read_camera_places([plain], 2, kind="w2c-opengl"), [ONE, OTHER])
    back = written(tmp_path / "back.json", [np.linalg.inv(one).tolist() for one in w2gl])
    assert_poses(read_camera_places([back], 2, kind="c2w-opengl"), [ONE, OTHER])
    keyed = written(tmp_path / "keyed.json", [{"T_c2w": np.linalg.inv(w2gl[0]).tolist()}, bop(OTHER)])
    assert_poses(read_camera_places([keyed], 2, kind="w2c-opengl"), [ONE, OTHER])  # BOP's are OpenCV's
    np.savetxt(tmp_path / "one.txt", w2gl[0])
    assert_poses(read_camera_places([tmp_path / "one.txt"], 1, kind="w2c-opengl"), [ONE])


def test_images_of_a_scene_camera(tmp_path: Path) -> None:
    path = written(tmp_path / "scene_camera.json", {"3": bop(ONE), "5": bop(OTHER), "8": bop(ONE)})
    assert_poses(read_camera_places([path], 2, image_ids=[5, 3]), [OTHER, ONE])
    assert has_places(path) and not has_places(tmp_path / "none.json")
    assert not has_places(written(tmp_path / "plain.json", {"cam_K": [1, 0, 0, 0, 1, 0, 0, 0, 1]}))
    with pytest.raises(DiffDopeError, match="expected a transform for each of 2 views, got 3; choose with --image-id"):
        read_camera_places([path], 2)
    with pytest.raises(DiffDopeError, match="none of image 4 among 3, 5, 8"):
        read_camera_places([path], 2, image_ids=[4, 3])


def test_what_is_no_place(tmp_path: Path) -> None:
    scaled = ONE.matrix.copy()
    scaled[:3, :3] *= 2.0
    with pytest.raises(DiffDopeError, match=r"extrinsics file .*rig.json: rotation: expected an orthonormal"):
        read_camera_places([written(tmp_path / "rig.json", [scaled.tolist()] * 2)], 2)
    with pytest.raises(DiffDopeError, match="one file for all of 3 views, or one each, got 2 files"):
        read_camera_places([tmp_path / "a.json", tmp_path / "b.json"], 3)
    with pytest.raises(DiffDopeError, match="extrinsics-kind: expected one of w2c, c2w"):
        read_camera_places([tmp_path / "a.json"], 1, kind="up")  # type: ignore[arg-type]
    with pytest.raises(DiffDopeError, match="extrinsics"):
        read_camera_places([tmp_path / "none.json"], 1)
