from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.io.extrinsics import has_places, read_camera_places

ONE = Pose(so3.exp(np.array([0.1, -0.2, 0.3])), np.array([0.1, 0.2, 0.7]))
OTHER = Pose(so3.exp(np.array([0.5, 0.1, -0.4])), np.array([-0.3, 0.1, 0.9]))


def bop(pose: Pose) -> dict[str, Any]:
    R, t = pose.to_bop()
    return {"cam_K": [500, 0, 320, 0, 500, 240, 0, 0, 1], "cam_R_w2c": R, "cam_t_w2c": t}


def written(path: Path, data: Any) -> Path:
    path.write_text(json.dumps(data))
    return path


def check(found: list[Pose], wanted: list[Pose]) -> None:
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one.matrix, other.matrix, atol=1e-9)


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
    check(read_camera_places([written(tmp_path / "rig.json", data)], 2), [ONE, OTHER])


def test_one_file_a_view(tmp_path: Path) -> None:
    first = written(tmp_path / "a.json", {"T_w2c": ONE.matrix.tolist()})
    second = tmp_path / "b.txt"
    np.savetxt(second, OTHER.matrix)
    check(read_camera_places([first, second], 2), [ONE, OTHER])


@pytest.mark.parametrize("ids", [(), (0, 1)])
def test_one_transform_is_not_that_of_two_views(tmp_path: Path, ids: tuple[int, ...]) -> None:
    np.savetxt(tmp_path / "a.txt", ONE.matrix)
    with pytest.raises(DiffDopeError, match="expected a transform for each of 2 views, got one"):
        read_camera_places([tmp_path / "a.txt"], 2, image_ids=ids)


def test_the_direction_of_plain_matrices(tmp_path: Path) -> None:
    path = written(tmp_path / "rig.json", [ONE.inverse().matrix.tolist(), OTHER.inverse().matrix.tolist()])
    check(read_camera_places([path], 2, kind="c2w"), [ONE, OTHER])
    named = written(tmp_path / "named.json", [bop(ONE), {"T_w2c": OTHER.matrix.tolist()}])
    check(read_camera_places([named], 2, kind="c2w"), [ONE, OTHER])  # what files say wins


def test_axes_of_opengl(tmp_path: Path) -> None:
    """A point is where it is, whatever the axes in which its camera was written down."""
    turn = np.diag([1.0, -1.0, -1.0, 1.0])  # x right, y up, z backwards
    w2gl = [turn @ one.matrix for one in (ONE, OTHER)]
    plain = written(tmp_path / "plain.json", [one.tolist() for one in w2gl])
    check(read_camera_places([plain], 2, kind="w2c-opengl"), [ONE, OTHER])
    back = written(tmp_path / "back.json", [np.linalg.inv(one).tolist() for one in w2gl])
    check(read_camera_places([back], 2, kind="c2w-opengl"), [ONE, OTHER])
    keyed = written(tmp_path / "keyed.json", [{"T_c2w": np.linalg.inv(w2gl[0]).tolist()}, bop(OTHER)])
    check(read_camera_places([keyed], 2, kind="w2c-opengl"), [ONE, OTHER])  # BOP's are OpenCV's
    np.savetxt(tmp_path / "one.txt", w2gl[0])
    check(read_camera_places([tmp_path / "one.txt"], 1, kind="w2c-opengl"), [ONE])


def test_images_of_a_scene_camera(tmp_path: Path) -> None:
    path = written(tmp_path / "scene_camera.json", {"3": bop(ONE), "5": bop(OTHER), "8": bop(ONE)})
    check(read_camera_places([path], 2, image_ids=[5, 3]), [OTHER, ONE])
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
