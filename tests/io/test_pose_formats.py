"""Start poses as the tools of this field write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import diffdope as dd
from diffdope.errors import DiffDopeError
from diffdope.geometry.pose import Pose
from diffdope.io.poses import read_extrinsics, read_start_pose, read_start_poses

POSE = Pose.from_wxyz_xyz([0.9, 0.1, -0.3, 0.2, 0.03, -0.02, 0.61])
OTHER = Pose.from_wxyz_xyz([0.2, 0.9, 0.1, 0.2, 0.05, 0.02, 0.7])
W, X, Y, Z = POSE.wxyz
MM = np.block([[POSE.R_m2c, 1e3 * POSE.t_m2c[:, None]], [np.array([[0, 0, 0, 1.0]])]])


def written(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def text_of(matrix: np.ndarray) -> str:
    return "\n".join(" ".join(f"{value:.17g}" for value in row) for row in matrix) + "\n"


XYZW = {"x": X, "y": Y, "z": Z, "w": W}
AT = dict(zip("xyz", POSE.t_m2c.tolist(), strict=True))
R, T = POSE.to_bop()
NAMED = f"position: {json.dumps(AT)}, orientation: {json.dumps(XYZW)}"
LINE = " ".join(map(str, [12.5, *POSE.t_m2c.tolist(), X, Y, Z, W]))
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
    "scene_gt": ("scene_gt.json", {"7": [{"cam_R_m2c": R, "cam_t_m2c": T, "obj_id": 3}]}),
    "our result": ("result.json", {"cam_R_m2c": R, "cam_t_m2c": T, "T_m2c_metres": POSE.matrix.tolist()}),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_read(tmp_path: Path, name: str) -> None:
    found = read_start_poses(written(tmp_path, *FILES[name]))
    assert len(found.poses) == 1
    assert np.allclose(found.poses[0].matrix, POSE.matrix, atol=1e-9)
    unit_is_told = name in ("MegaPose", "ROS", "PoseStamped", "Transform", "TUM", "scene_gt", "our result")
    assert bool(found.notes) != unit_is_told
    if found.notes:
        word = "millimetres" if "millimetres" in name or name == "flat JSON" else "metres"
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


def test_the_unit_can_be_told(tmp_path: Path) -> None:
    path = written(tmp_path, "pose.txt", text_of(MM))
    assert np.allclose(read_start_poses(path, unit="mm").poses[0].matrix, POSE.matrix)
    assert not read_start_poses(path, unit="mm").notes
    with pytest.raises(DiffDopeError, match="millimetres from the camera, at most .*; --init-unit mm"):
        read_start_poses(path, unit="m")
    metres = written(tmp_path, "bop.json", {"cam_R_m2c": R, "cam_t_m2c": POSE.t_m2c.tolist()})
    assert np.allclose(read_start_poses(metres, unit="m").poses[0].matrix, POSE.matrix)
    with pytest.raises(DiffDopeError, match="in metres: multiply by 1000, or give --init-unit m"):
        read_start_poses(metres)


def test_kinds(tmp_path: Path) -> None:
    flip = np.diag([1.0, -1.0, -1.0, 1.0])
    for kind, matrix in {
        "c2m": POSE.inverse().matrix, "m2c-opengl": flip @ POSE.matrix,
        "c2m-opengl": np.linalg.inv(flip @ POSE.matrix), "m2c": POSE.matrix,
    }.items():  # fmt: skip
        path = written(tmp_path, "pose.txt", text_of(matrix))
        found = read_start_poses(path, kind=kind)  # type: ignore[arg-type]
        assert np.allclose(found.poses[0].matrix, POSE.matrix), kind
    path = written(tmp_path, "pose.txt", text_of(flip @ POSE.matrix))
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
    assert np.allclose(read_start_pose(written(tmp_path, "o.json", content), obj_id=3).matrix, POSE.matrix)


def test_several_objects_and_images_have_to_be_chosen(tmp_path: Path) -> None:
    entry = {"cam_R_m2c": R, "cam_t_m2c": T}
    other = dict(zip(("cam_R_m2c", "cam_t_m2c"), OTHER.to_bop(), strict=True))
    content = {"3": [entry | {"obj_id": 1}, other | {"obj_id": 2}], "4": [other | {"obj_id": 1}]}
    path = written(tmp_path, "scene_gt.json", content)
    assert np.allclose(read_start_pose(path, image_id=3, obj_id=1).matrix, POSE.matrix)
    with pytest.raises(DiffDopeError, match="2 of 3 poses; choose with --image-id and --obj-id among: image 3 obj"):
        read_start_pose(path, image_id=3)
    twice = written(tmp_path, "two.json", [entry, other])
    assert len(read_start_poses(twice).poses) == 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.txt", "1 2 3 4 5 6 7", "expected 4 x 4 numbers, got 7 numbers; 7 numbers do not tell their order"),
        ("p.txt", text_of(POSE.matrix.T), "it is transposed: give its transpose"),
        ("p.txt", text_of(np.diag([2.0, 1, 1, 1])), "R_m2c: expected an orthonormal matrix"),
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
        read_start_poses(written(tmp_path, name, content))


def test_extrinsics_of_realsense_and_others(tmp_path: Path) -> None:
    for content in (
        POSE.matrix.tolist(),
        MM.tolist(),
        {"rotation": POSE.R_m2c.tolist(), "translation": POSE.t_m2c.tolist()},
    ):
        assert np.allclose(read_extrinsics(written(tmp_path, "T.json", content)).matrix, POSE.matrix)
    identity = np.eye(4).tolist()
    assert np.allclose(read_extrinsics(written(tmp_path, "T.json", identity)).matrix, np.eye(4))


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
    path = written(tmp_path, "pose.txt", text_of(near.matrix))
    for start in (near.matrix, near.matrix.tolist(), [near], [near.matrix], np.stack([near.matrix]), str(path), path):
        assert np.array_equal(refiner.refine(seen, start).pose.matrix, plain.pose.matrix)
    best = refiner.refine(seen, [far, near, path])
    assert best.ok and best.notes[0] == "the best of 3 start poses: number 2"
