"""Places of images that COLMAP, nerfstudio and Polycam write."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.io.extrinsics import read_camera_places
from tests.oracle.poses import assert_poses

NAMES = ("left/frame_2.png", "left/frame_10.png", "right/frame_2.png")
POSES = tuple(
    Pose(so3.exp(np.array([0.1 + 0.3 * k, -0.2, 0.3])), np.array([0.1, 0.2 - 0.1 * k, 0.7])) for k in range(3)
)
FLIP = np.diag([1.0, -1.0, -1.0, 1.0])  # y up, looking along -z
POINT = np.array([0.2, -0.1, 0.4])


def quaternion(pose: Pose) -> np.ndarray:
    return so3.wxyz_from_matrix(pose.R_m2c)


def colmap_text(path: Path) -> Path:
    lines = ["# Image list with two lines of data per image:"]
    for number, (name, pose) in enumerate(zip(NAMES, POSES, strict=True)):
        numbers = " ".join(map(repr, [*map(float, quaternion(pose)), *map(float, pose.t_m2c)]))
        lines += [f"{number + 4} {numbers} 1 {name}", "10.5 20.5 -1 11 21 7 13 23 8"]
    path.write_text("\n".join(lines) + "\n")
    return path


def colmap_bytes(path: Path) -> Path:
    content = struct.pack("<Q", 3)
    for number, (name, pose) in enumerate(zip(NAMES, POSES, strict=True)):
        content += struct.pack("<I7dI", number + 4, *quaternion(pose), *pose.t_m2c, 1) + name.encode() + b"\0"
        content += struct.pack("<QddQ", 1, 10.5, 20.5, 2**64 - 1)
    path.write_bytes(content)
    return path


def transforms(path: Path) -> Path:
    frames = [
        {"file_path": f"./{name}", "transform_matrix": (pose.inverse().matrix @ FLIP).tolist()}
        for name, pose in zip(NAMES, POSES, strict=True)
    ]
    path.write_text(json.dumps({"fl_x": 600.0, "frames": frames, "applied_transform": np.eye(4)[:3].tolist()}))
    return path


FILES = {"images.txt": colmap_text, "images.bin": colmap_bytes, "transforms.json": transforms}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("kind", ["w2c", "c2w"])
def test_images_are_found_by_the_photographs_names(name: str, kind: Any, tmp_path: Path) -> None:
    path = FILES[name](tmp_path / name)
    pictures = [Path("/data/right/frame_2.png"), Path("/data/left/frame_10.png")]
    assert_poses(read_camera_places([path], 2, kind=kind, pictures=pictures), [POSES[2], POSES[1]])
    assert_poses(read_camera_places([path], 1, kind=kind, pictures=["frame_10.png"]), [POSES[1]])


@pytest.mark.parametrize("name", FILES)
def test_and_by_their_numbers_or_in_order(name: str, tmp_path: Path) -> None:
    path = FILES[name](tmp_path / name)
    first = 0 if name == "transforms.json" else 4  # two of its names have the same number
    assert_poses(read_camera_places([path], 2, image_ids=[first + 2, first]), [POSES[2], POSES[0]])
    assert_poses(read_camera_places([path], 3), list(POSES))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"count": 1, "pictures": ["frame_2.png"]}, "frame_2.*2 of that name.*--image-id"),
        ({"count": 1, "pictures": ["other.png"]}, r"image other\.png.*none among"),
        ({"count": 2}, "each of 2 views.*3 images"),
        ({"count": 1, "image_ids": [77]}, "image 77.*--image-id"),
    ],
)
def test_images_that_are_not_told(name: str, how: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(DiffDopeError, match=words):
        read_camera_places([FILES[name](tmp_path / name)], **how)


def test_a_place_of_polycam_shows_points_where_the_camera_sees_them(tmp_path: Path) -> None:
    T_c2w = POSES[1].inverse().matrix @ FLIP
    data = {f"t_{row}{column}": T_c2w[row, column] for row in range(3) for column in range(4)}
    (tmp_path / "one.json").write_text(json.dumps({"fx": 600.0, **data}))
    (found,) = read_camera_places([tmp_path / "one.json"], 1, pictures=["any.jpg"])
    x_gl = (np.linalg.inv(T_c2w) @ [*POINT, 1.0])[:3]
    np.testing.assert_allclose(found.apply(POINT), x_gl * [1.0, -1.0, -1.0], atol=1e-12)


def test_what_is_no_place(tmp_path: Path) -> None:
    whole = colmap_bytes(tmp_path / "images.bin").read_bytes()
    for content in (whole[:-5], whole + b"0", whole[:40], b""):
        (tmp_path / "images.bin").write_bytes(content)
        with pytest.raises(DiffDopeError, match="COLMAP"):
            read_camera_places([tmp_path / "images.bin"], 1)
    (tmp_path / "images.txt").write_text("1 0.5 0 0 0 0.1 0.2 0.3 1 a.png\n\n")
    with pytest.raises(DiffDopeError, match=r"a\.png.*quaternion of length 1.*0\.5"):
        read_camera_places([tmp_path / "images.txt"], 1)
    frames = [{"file_path": "a.png", "transform_matrix": (2.0 * np.eye(4)).tolist()}]
    (tmp_path / "transforms.json").write_text(json.dumps({"frames": frames}))
    with pytest.raises(DiffDopeError, match=r"transforms\.json.*a\.png"):
        read_camera_places([tmp_path / "transforms.json"], 1)
