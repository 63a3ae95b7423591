"""Which camera of scene.json is which: by images' numbers, by files' names, and by order last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry.pose import Pose
from diffdope.io.extrinsics import read_camera_places

POSES = [Pose(np.eye(3), [0.1 * number, 0.0, 1.0]) for number in range(3)]


def scene(path: Path, **inputs: Any) -> Path:
    """scene.json of three views, from left to right."""
    names = ("left", "middle", "right")
    views = [
        {"name": name, "T_w2c": pose.matrix.tolist(), "place": "found"}
        for name, pose in zip(names, POSES, strict=True)
    ]  # fmt: skip
    path.write_text(json.dumps({"views": views, **({"inputs": inputs} if inputs else {})}))
    return path


def found(path: Path, count: int, **how: Any) -> list[int]:
    """Which cameras came out."""
    return [round(10.0 * float(pose.t_m2c[0])) for pose in read_camera_places([path], count, **how)]


def test_views_in_another_order_are_told_by_their_names(tmp_path: Path) -> None:
    path = scene(tmp_path / "scene.json")
    assert found(path, 3, pictures=["c/right.png", "c/left.png", "c/middle.png"]) == [2, 0, 1]
    assert found(path, 1, pictures=["right.jpg"]) == [2]  # names of views have no ending
    same = scene(tmp_path / "same.json", rgb=["a/rgb.png", "b/rgb.png", "c/rgb.png"], depth=[])
    assert found(same, 2, pictures=["c/rgb.png", "b/rgb.png"]) == [2, 1]
    depth = scene(tmp_path / "depth.json", rgb=[], depth=["a.png", "b.png", "c.png"])
    assert found(depth, 2, pictures=["b.png", "a.png"]) == [1, 0]


def test_numbers_are_those_of_images_where_the_scene_had_some(tmp_path: Path) -> None:
    files = [f"{number:06d}.png" for number in (2, 1, 7)]
    path = scene(tmp_path / "scene.json", rgb=files, image_id=[2, 1, 7])
    assert found(path, 3, image_ids=[2, 1, 7], pictures=files) == [0, 1, 2]  # the very same command
    assert found(path, 2, image_ids=[7, 2], pictures=["x.png", "y.png"]) == [2, 0]
    with pytest.raises(DiffDopeError, match=r"images 2, 1.* 7.*image 0"):
        read_camera_places([path], 1, image_ids=[0])
    one = scene(tmp_path / "one.json", rgb=files, image_id=[5])  # of a camera file, for all
    assert found(one, 2, image_ids=[2, 0]) == [2, 0]
    assert found(one, 2, image_ids=[5], pictures=[files[1], files[0]]) == [1, 0]


def test_order_tells_views_of_which_nothing_else_does(tmp_path: Path) -> None:
    path = scene(tmp_path / "scene.json")
    assert found(path, 3, pictures=["1.png", "2.png", "3.png"]) == [0, 1, 2]
    with pytest.raises(DiffDopeError, match="each of 2 views, got 3.*--image-id"):
        read_camera_places([path], 2, pictures=["1.png", "2.png"])
    with pytest.raises(DiffDopeError, match="left, middle, right, got other.png"):
        read_camera_places([path], 2, pictures=["left.png", "other.png"])


def test_an_open_place_is_refused_where_it_is_asked_for(tmp_path: Path) -> None:
    path = scene(tmp_path / "scene.json")
    data = json.loads(path.read_text())
    data["views"][1] |= {"place": "open", "reason": "not seen"}
    path.write_text(json.dumps(data))
    assert found(path, 2, pictures=["right.png", "left.png"]) == [2, 0]
    with pytest.raises(DiffDopeError, match=r"views\[1\].*not seen"):
        read_camera_places([path], 3)


def test_one_number_for_all_views_is_no_place_of_all(tmp_path: Path) -> None:
    """It chooses K in a camera file; all cameras were in one place."""
    path = tmp_path / "rig.json"
    path.write_text(json.dumps([pose.matrix.tolist() for pose in POSES]))
    assert found(path, 3, image_ids=[0]) == [0, 1, 2]
    with pytest.raises(DiffDopeError, match="each of 2 views, got 3"):
        read_camera_places([path], 2, image_ids=[0])
