"""Start poses as the tools of this field write them."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import diffdope as dd
from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.io.cameras import load_camera
from diffdope.io.joint_rows import bare_rows
from diffdope.io.pose_texts import read_entries
from diffdope.io.poses import read_extrinsics, read_start_pose, read_start_poses
from diffdope.io.robot_poses import read_robot_poses
from tests.oracle.files import written

POSE = Pose.from_wxyz_xyz([0.9, 0.1, -0.3, 0.2, 0.03, -0.02, 0.61])
OTHER = Pose.from_wxyz_xyz([0.2, 0.9, 0.1, 0.2, 0.05, 0.02, 0.7])
W, X, Y, Z = POSE.wxyz
MM = np.block([[POSE.R_m2c, 1e3 * POSE.t_m2c[:, None]], [np.array([[0, 0, 0, 1.0]])]])


def text_of(matrix: np.ndarray) -> str:
    return "\n".join(" ".join(f"{value:.17g}" for value in row) for row in matrix) + "\n"


XYZW = {"x": X, "y": Y, "z": Z, "w": W}
AT = dict(zip("xyz", POSE.t_m2c.tolist(), strict=True))
R, T = POSE.to_bop()
NAMED = f"position: {json.dumps(AT)}, orientation: {json.dumps(XYZW)}"
LINE = " ".join(map(str, [12.5, *POSE.t_m2c.tolist(), X, Y, Z, W]))
RVEC, METRES = so3.log(POSE.R_m2c).tolist(), POSE.t_m2c.tolist()
NAMES = dict(zip(("qw", "qx", "qy", "qz", "x", "y", "z"), [W, X, Y, Z, *METRES], strict=True))
FLAT = ",".join(map(str, [*METRES, X, Y, Z, W]))
W_FIRST = " ".join(map(str, [1305031102.1758, *METRES, W, X, Y, Z]))
EUROC = (
    "#timestamp, p_RS_R_x [m], p_RS_R_y [m], p_RS_R_z [m], q_RS_w [], q_RS_x [], q_RS_y [], q_RS_z [], "
    "v_RS_R_x [m s^-1], v_RS_R_y [m s^-1], v_RS_R_z [m s^-1]"
)
OPENCV = "!!opencv-matrix\n   rows: 3\n   cols: 1\n   dt: d\n   data:"
MESSAGE = {"pose": {"pose": {"position": AT, "orientation": XYZW}, "covariance": [0.0] * 36}}
FILES: dict[str, tuple[str, Any]] = {
    "FoundationPose": ("000001.txt", text_of(POSE.matrix)),
    "4 x 4 in millimetres": ("pose.txt", text_of(MM)),
    "3 x 4": ("pose.txt", text_of(POSE.matrix[:3])),
    "with brackets": ("pose.txt", str(POSE.matrix.tolist())),
    "4 x 4 JSON": ("pose.json", POSE.matrix.tolist()),
    "flat JSON": ("pose.json", MM.ravel().tolist()),
    "named": ("pose.json", {"T_cam_obj": POSE.matrix.tolist()}),
    "R and t": ("pose.json", {"R": POSE.R_m2c.tolist(), "t": POSE.t_m2c.tolist()}),
    "R and t in millimetres": ("pose.json", {"R": POSE.R_m2c.ravel().tolist(), "t": T}),
    "MegaPose": ("object_data.json", [{"label": "cup", "TWO": [[X, Y, Z, W], POSE.t_m2c.tolist()]}]),
    "ROS": ("pose.yaml", f"position: {json.dumps(AT)}\norientation: {json.dumps(XYZW)}\n"),
    "PoseStamped": ("pose.yaml", f"header: {{frame_id: cam}}\npose: {{{NAMED}}}\n---\n"),
    "Transform": ("tf.json", {"transform": {"translation": AT, "rotation": XYZW}}),
    "TUM": ("traj.txt", f"# time tx ty tz qx qy qz qw\n{LINE}\n"),
    "TUM, w first": ("traj.txt", f"# timestamp tx ty tz qw qx qy qz\n{W_FIRST}\n"),
    "TUM, w first, in words": ("traj.txt", f"# my file\n# time, position, quaternion qw qx qy qz\n{W_FIRST}\n"),
    "without a time": ("traj.txt", "# qx, qy, qz, qw, x, y, z\n" + " ".join(map(str, [X, Y, Z, W, *METRES])) + "\n"),
    "EuRoC": ("state.csv", f"{EUROC}\n1403636579763555584,{W_FIRST.split(' ', 1)[1].replace(' ', ',')},0.1,0.2,0.3\n"),
    "scene_gt": ("scene_gt.json", {"7": [{"cam_R_m2c": R, "cam_t_m2c": T, "obj_id": 3}]}),
    "qw qx qy qz": ("pose.yaml", "".join(f"{name}: {value}\n" for name, value in NAMES.items())),
    "easy_handeye": ("pose.json", {"parameters": {}, "transformation": NAMES}),
    "wxyz by name": ("pose.json", {"quaternion_wxyz": [W, X, Y, Z], "translation": METRES}),
    "xyzw by name": ("pose.json", {"rotation_xyzw": [X, Y, Z, W], "position": METRES}),
    "rvec": ("pose.json", {"rvec": RVEC, "tvec": METRES}),
    "rvec in columns": ("pose.json", {"rvec": [[v] for v in RVEC], "tvec": [[v] for v in METRES]}),
    "rvecs of one": ("pose.json", {"rvecs": [[RVEC]], "tvecs": [[METRES]]}),
    "OpenCV": ("pose.yaml", f"%YAML:1.0\n---\nrvec: {OPENCV} {RVEC}\ntvec: {OPENCV} {METRES}\n"),
    "rotation_matrix": ("pose.json", {"rotation_matrix": POSE.R_m2c.tolist(), "translation": METRES}),
    "PoseArray": ("poses.json", {"header": {}, "poses": [{"position": AT, "orientation": XYZW}]}),
    "TFMessage": ("tf.json", {"transforms": [{"transform": {"translation": AT, "rotation": XYZW}}]}),
    "Detection3DArray": ("d.yaml", json.dumps({"detections": [
        {"results": [{"hypothesis": {"class_id": "obj_3", "score": 0.9}, **MESSAGE}]}]})),
    "Detection3DArray of ROS 1": ("d.json", {"detections": [{"results": [{"id": 3, "score": 0.9, **MESSAGE}]}]}),
    "Detection3D of a box": ("d.json", {"detections": [
        {"results": [], "bbox": {"center": {"position": AT, "orientation": XYZW}}}]}),
    "DOPE, centimetres": ("000.json", {"camera_data": {}, "objects": [
        {"class": "cup", "location": (100.0 * POSE.t_m2c).tolist(), "quaternion_xyzw": [X, Y, Z, W]}]}),
    "DOPE in metres": ("000.json", {"objects": [{"location": METRES, "quaternion_xyzw": [X, Y, Z, W]}]}),
    "table": ("poses.csv", f"time,x,y,z,qx,qy,qz,qw\n1.5,{FLAT}\n"),
    "table of a recording": ("poses.csv", "pose.position.x,pose.position.y,pose.position.z,pose.orientation.x,"
                             f"pose.orientation.y,pose.orientation.z,pose.orientation.w\n{FLAT}\n"),
    "4 x 4 CSV": ("pose.csv", "\n".join(",".join(map(str, row)) for row in POSE.matrix.tolist())),
    "our result": ("result.json", {"cam_R_m2c": R, "cam_t_m2c": T, "T_m2c_metres": POSE.matrix.tolist()}),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_start_poses_are_read_from_every_format(tmp_path: Path, name: str) -> None:
    found = read_start_poses(written(tmp_path / FILES[name][0], FILES[name][1]))
    assert len(found.poses) == 1
    assert np.allclose(found.poses[0].matrix, POSE.matrix, atol=1e-9)
    unit_is_told = name in (
        "MegaPose", "ROS", "PoseStamped", "Transform", "TUM", "TUM, w first", "TUM, w first, in words", "scene_gt",
        "our result", "PoseArray", "TFMessage",
        "Detection3DArray", "Detection3DArray of ROS 1", "Detection3D of a box", "table of a recording",
    )  # fmt: skip
    assert bool(found.notes) != unit_is_told
    if found.notes:
        word = "millimetres" if "millimetres" in name or name == "flat JSON" else "metres"
        word = "centimetres" if "centimetres" in name else word
        assert f"lengths were taken for {word}, because t is" in found.notes[0]


def test_arrays(tmp_path: Path) -> None:
    np.save(tmp_path / "pose.npy", POSE.matrix.astype(np.float32))
    assert np.allclose(read_start_pose(tmp_path / "pose.npy").matrix, POSE.matrix, atol=1e-6)
    np.save(tmp_path / "poses.npy", np.stack([POSE.matrix, OTHER.matrix]))
    assert len(read_start_poses(tmp_path / "poses.npy").poses) == 2
    np.savez(tmp_path / "pose.npz", pose=POSE.matrix)
    assert np.allclose(read_start_pose(tmp_path / "pose.npz").matrix, POSE.matrix)
    with pytest.raises(DiffDopeError, match="expected one pose, got 2; choose"):
        read_start_pose(tmp_path / "poses.npy")


def test_arrays_of_a_file_go_by_their_names(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", T_world_cam=OTHER.matrix, T_cam_obj=POSE.matrix)
    assert np.allclose(read_start_pose(tmp_path / "a.npz").matrix, POSE.matrix)
    np.savez(tmp_path / "b.npz", K=np.eye(3), rvec=RVEC, tvec=METRES)
    assert np.allclose(read_start_pose(tmp_path / "b.npz").matrix, POSE.matrix)
    np.savez(tmp_path / "c.npz", T_world_cam=OTHER.matrix, K=np.eye(3))
    with pytest.raises(DiffDopeError, match=r"expected one array, or .*, got the arrays T_world_cam, K"):
        read_start_pose(tmp_path / "c.npz")


def test_all_messages_of_a_recording_are_read(tmp_path: Path) -> None:
    w, x, y, z = OTHER.wxyz.tolist()
    at = dict(zip("xyz", OTHER.t_m2c.tolist(), strict=True))
    other = {"position": at, "orientation": {"x": x, "y": y, "z": z, "w": w}}
    path = written(tmp_path / "echo.yaml", f"pose: {{{NAMED}}}\n---\npose: {json.dumps(other)}\n---\n")
    one, two = read_start_poses(path).poses
    assert np.allclose(one.matrix, POSE.matrix) and np.allclose(two.matrix, OTHER.matrix)


def test_open3d_writes_the_first_pose_of_a_trajectory_into_its_comment(tmp_path: Path) -> None:
    heading = "# TUM trajectory, format: <t> <x> <y> <z> <qx> <qy> <qz> <qw>"
    rows = [" ".join(f"{v:.6f}" for v in (k, 0.1 + k, 0.2, 0.8, X, Y, Z, W)) for k in range(3)]
    path = tmp_path / "film.txt"
    for between in ("", "\n"):
        path.write_text(heading + between + "\n".join(rows) + "\n")
        stated = read_entries(path)
        np.testing.assert_allclose([pose.t for pose in stated], [[0.1 + k, 0.2, 0.8] for k in range(3)])
        np.testing.assert_allclose([pose.R for pose in stated], [POSE.R_m2c] * 3, atol=1e-5)


def test_vectors_of_several(tmp_path: Path) -> None:
    both = {"rvecs": [[RVEC], [so3.log(OTHER.R_m2c).tolist()]], "tvecs": [[METRES], [OTHER.t_m2c.tolist()]]}
    one, two = read_start_poses(written(tmp_path / "p.json", both)).poses
    assert np.allclose(one.matrix, POSE.matrix) and np.allclose(two.matrix, OTHER.matrix)


@pytest.mark.parametrize(
    ("frame", "is_told"),
    [("base_link", True), ("camera_link", True), ("world", True), ("camera_color_optical_frame", False), ("", False)],
)
def test_another_frame_than_the_cameras_is_told(tmp_path: Path, frame: str, is_told: bool) -> None:
    stamped = {"header": {"frame_id": frame}, "pose": {"position": AT, "orientation": XYZW}}
    for content in (stamped, {"header": {"frame_id": frame}, "poses": [stamped["pose"]]}):
        notes = read_start_poses(written(tmp_path / "p.json", content)).notes
        assert [f"in the frame '{frame}'" in note for note in notes] == [True] * is_told
        assert all(note.code == "start-frame" for note in notes)  # type: ignore[attr-defined]


def test_objects_with_names_alone_have_to_be_chosen(tmp_path: Path) -> None:
    def entry(name: str, pose: Pose) -> dict[str, Any]:
        return {"class": name, "pose": pose.matrix.tolist()}

    path = written(tmp_path / "o.json", {"objects": [entry("cup", OTHER), entry("box", POSE), entry("cup", OTHER)]})
    with pytest.raises(DiffDopeError, match=r"--obj-id among: object 1 \(cup\); object 2 \(box\)"):
        read_start_poses(path)
    assert np.allclose(read_start_pose(path, obj_id=2).matrix, POSE.matrix)
    assert len(read_start_poses(path, obj_id=1).poses) == 2
    one = written(tmp_path / "one.json", {"objects": [entry("box", POSE)]})
    assert np.allclose(read_start_pose(one, obj_id=7).matrix, POSE.matrix)


def test_the_unit_can_be_told(tmp_path: Path) -> None:
    path = written(tmp_path / "pose.txt", text_of(MM))
    assert np.allclose(read_start_poses(path, unit="mm").poses[0].matrix, POSE.matrix)
    assert not read_start_poses(path, unit="mm").notes
    with pytest.raises(DiffDopeError, match="millimetres from the camera, at most .*; --init-unit mm"):
        read_start_poses(path, unit="m")
    metres = written(tmp_path / "bop.json", {"cam_R_m2c": R, "cam_t_m2c": POSE.t_m2c.tolist()})
    assert np.allclose(read_start_poses(metres, unit="m").poses[0].matrix, POSE.matrix)
    with pytest.raises(DiffDopeError, match="in metres: multiply by 1000, or give --init-unit m"):
        read_start_poses(metres)


def test_kinds(tmp_path: Path) -> None:
    flip = np.diag([1.0, -1.0, -1.0, 1.0])
    for kind, matrix in {
        "c2m": POSE.inverse().matrix, "m2c-opengl": flip @ POSE.matrix,
        "c2m-opengl": np.linalg.inv(flip @ POSE.matrix), "m2c": POSE.matrix,
    }.items():  # fmt: skip
        path = written(tmp_path / "pose.txt", text_of(matrix))
        found = read_start_poses(path, kind=kind)  # type: ignore[arg-type]
        assert np.allclose(found.poses[0].matrix, POSE.matrix), kind
    path = written(tmp_path / "pose.txt", text_of(flip @ POSE.matrix))
    assert any(
        "behind the camera" in note and "--init-kind m2c-opengl" in note for note in read_start_poses(path).notes
    )
    with pytest.raises(DiffDopeError, match="init-kind: expected one of m2c, c2m, m2c-opengl"):
        read_start_poses(path, kind="opengl")  # type: ignore[arg-type]


def test_megapose_with_a_camera_in_the_world(tmp_path: Path) -> None:
    def entry(pose: Pose) -> list[list[float]]:
        w, x, y, z = pose.wxyz.tolist()
        return [[x, y, z, w], pose.t_m2c.tolist()]

    world = OTHER.inverse()
    content = [{"label": "obj_000003", "TWO": entry(world @ POSE), "TWC": entry(world)}]
    assert np.allclose(read_start_pose(written(tmp_path / "o.json", content), obj_id=3).matrix, POSE.matrix)


def test_several_objects_and_images_have_to_be_chosen(tmp_path: Path) -> None:
    entry = {"cam_R_m2c": R, "cam_t_m2c": T}
    other = dict(zip(("cam_R_m2c", "cam_t_m2c"), OTHER.to_bop(), strict=True))
    content = {"3": [entry | {"obj_id": 1}, other | {"obj_id": 2}], "4": [other | {"obj_id": 1}]}
    path = written(tmp_path / "scene_gt.json", content)
    assert np.allclose(read_start_pose(path, image_id=3, obj_id=1).matrix, POSE.matrix)
    with pytest.raises(DiffDopeError, match="2 of 3 poses; choose with --image-id and --obj-id among: image 3 obj"):
        read_start_pose(path, image_id=3)
    twice = written(tmp_path / "two.json", [entry, other])
    assert len(read_start_poses(twice).poses) == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.txt", "1 2 3 4 5 6 7", "expected 4 x 4 numbers, got 7 numbers; 7 numbers do not tell their order"),
        ("p.txt", text_of(POSE.matrix.T), "it is transposed: give its transpose"),
        ("p.txt", text_of(np.diag([2.0, 1, 1, 1])), "R_m2c: expected an orthonormal matrix"),
        ("p.txt", "1 2 3 4 5 6", "got 6 numbers; 6 numbers do not tell what they are: name them in YAML or JSON, rvec"),
        ("p.json", {"quaternion": [1, 0, 0, 0], "t": METRES}, "whose order is told, got four bare numbers; name the"),
        ("p.json", {"rotation": [1, 0, 0], "t": METRES}, "three bare numbers; name it rvec if it is axis times angle"),
        ("p.json", {"roll": 1, "pitch": 0, "yaw": 0, **AT}, "got angles: roll, pitch, yaw; conventions of angles dif"),
        ("p.json", {"rvec": [90, 0, 0], "tvec": METRES}, "at most 2 pi radians long, got 90; is it in degrees"),
        ("p.json", {"rvec": RVEC}, "a rotation and a position, got no position beside the rotation"),
        ("p.json", {"rvecs": [RVEC, RVEC], "tvecs": [METRES] * 3}, "expected as many rvecs as tvecs, got 2 and 3"),
        ("p.json", {"detections": []}, "expected a pose in detections, got none: nothing was found there"),
        ("p.csv", "x,y,z,qw\n1,2\n", "line 2: expected 4 values, as in the heading, got 2"),
        ("p.csv", "x,y,z,qw\n", "expected rows below the heading, got none"),
        ("p.txt", "", "expected 4 x 4 numbers, got 0 numbers"),
        ("p.txt", "one two", "expected 4 x 4 numbers"),
        ("p.json", {"position": AT, "orientation": {"x": 1}}, "expected numbers w, x, y, z, got no w, y, z"),
        ("p.json", {"TWO": [1, 2]}, "expected 4 numbers, got 1"),
        ("p.json", [], "expected a pose|4 x 4|got 0 of 0 poses"),
        ("p.json", "3", "expected a pose, got int"),
        ("p.json", {"cam_R_m2c": R}, "expected the key cam_t_m2c"),
        ("p.yaml", "a: [", "expected YAML"),
    ],
)  # fmt: skip
def test_what_is_no_pose(tmp_path: Path, name: str, content: Any, message: str) -> None:
    with pytest.raises(DiffDopeError, match=message):
        read_start_poses(written(tmp_path / name, content))


def test_extrinsics_of_realsense_and_others(tmp_path: Path) -> None:
    for content in (
        POSE.matrix.tolist(),
        MM.tolist(),
        {"rotation": POSE.R_m2c.tolist(), "translation": POSE.t_m2c.tolist()},
    ):
        assert np.allclose(read_extrinsics(written(tmp_path / "T.json", content)).matrix, POSE.matrix)
    identity = np.eye(4).tolist()
    assert np.allclose(read_extrinsics(written(tmp_path / "T.json", identity)).matrix, np.eye(4))


def test_refine_takes_what_people_have(tmp_path: Path) -> None:
    mesh = dd.Mesh([[-0.1, -0.1, 0], [0.1, -0.1, 0], [0.1, 0.1, 0], [-0.1, 0.1, 0]], [[0, 1, 2], [0, 2, 3]])
    camera = dd.Camera(100, 100, 31.5, 23.5, 64, 48)
    mask = np.zeros((48, 64), bool)
    mask[12:36, 20:44] = True
    seen = dd.Observation(camera, mask=mask)
    near = dd.Pose.from_matrix([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0.8], [0, 0, 0, 1]])
    far = dd.Pose(near.R_m2c, [0.0, 0.0, -3.0])
    refiner = dd.Refiner(mesh, threads=1)
    plain = refiner.refine(seen, near)
    path = written(tmp_path / "pose.txt", text_of(near.matrix))
    for start in (near.matrix, near.matrix.tolist(), [near], [near.matrix], np.stack([near.matrix]), str(path), path):
        assert np.array_equal(refiner.refine(seen, start).pose.matrix, plain.pose.matrix)
    best = refiner.refine(seen, [far, near, path])
    assert best.ok and best.notes[0] == "the best of 3 start poses: number 2"


def test_a_trajectory_of_open3d_is_told_from_poses_of_an_object(tmp_path: Path) -> None:
    log, one = tmp_path / "trajectory.log", "0 0 1\n" + "\n".join(" ".join(map(str, row)) for row in POSE.matrix) + "\n"
    log.write_text(one + one)
    listed = tmp_path / "trajectory.json"
    entry = {"class_name": "PinholeCameraParameters", "extrinsic": POSE.matrix.T.ravel().tolist()}
    listed.write_text(json.dumps({"class_name": "PinholeCameraTrajectory", "parameters": [entry]}))
    for path in (log, listed):
        with pytest.raises(DiffDopeError, match="init file .*: expected a pose, got a trajectory of Open3D.*extrins"):
            read_start_poses(path)


@pytest.mark.parametrize("apart", [" ", ";", "; ", "\t"])
@pytest.mark.parametrize("read", [read_start_pose, load_camera, bare_rows, partial(read_robot_poses, convention="ur")])
def test_decimal_commas_are_refused_by_every_reader_of_rows(tmp_path: Path, apart: str, read: Any) -> None:
    """Commas may part numbers: four of these would be eight, which are a line of a trajectory."""
    rows = "\n".join(apart.join(f"{value:.1f}".replace(".", ",") for value in row) for row in MM)
    for text in (f"{rows}\n", f"# a comment, 1,5\n[{rows}]\n"):
        with pytest.raises(DiffDopeError, match=r"expected decimals with points, got '-?\d+,\d'; decimal commas are"):
            read(written(tmp_path / "rows.txt", text))


def test_commas_that_part_numbers_are_none_of_decimals(tmp_path: Path) -> None:
    whole = "1,0,0,0\n0,1,0,0\n0,0,1,500\n0,0,0,1\n"
    for text in (whole, whole.replace(",", ", "), whole.replace("\n", ";\n"), whole.replace(",", ",\t")):
        assert read_start_pose(written(tmp_path / "pose.txt", text)).t_m2c[2] == 0.5
    assert bare_rows(written(tmp_path / "joints.txt", "10,20\n30,40\n")).tolist() == [[10, 20], [30, 40]]


@pytest.mark.parametrize("number", ["nan", "inf"])
@pytest.mark.parametrize("at", [0, 3, 12, 15])
def test_every_number_of_a_matrix_has_to_be_one(tmp_path: Path, number: str, at: int) -> None:
    """Of the last row, too, which is not kept: it says that the file is damaged."""
    words = text_of(POSE.matrix).split()
    words[at] = number
    with pytest.raises(DiffDopeError, match=r"init file .*pose.txt: expected finite numbers"):
        read_start_pose(written(tmp_path / "pose.txt", " ".join(words)))


def test_a_trajectory_without_a_turn_names_its_file(tmp_path: Path) -> None:
    with pytest.raises(DiffDopeError, match=r"init file .*poses.txt: .*a quaternion"):
        read_start_pose(written(tmp_path / "poses.txt", "0 0.1 0 0.5 0 0 0 0\n"))
