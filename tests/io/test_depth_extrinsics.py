"""Extrinsics of a depth camera by names that say which way they go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diffdope.errors import DiffDopeError
from diffdope.geometry.pose import Pose
from diffdope.io.depth_extrinsics import read_depth_extrinsics
from tests.oracle.files import written

PLACE = Pose.from_wxyz_xyz([0.9998, 0.01, -0.015, 0.005, 0.03, 0.002, -0.01])


def parts(pose: Pose) -> dict[str, Any]:
    return {"rotation": pose.R_m2c.ravel().tolist(), "translation": pose.t_m2c.tolist()}


@pytest.mark.parametrize(
    "name",
    [
        "depth_to_color", "T_color_depth", "T_rgb_depth", "depth2rgb", "T_depth_to_color", "depthToColor",
        "color_T_depth", "T_image_ir", "infra1_to_color", "depth_camera_to_colour_camera",
        "T_color_optical_frame_depth_optical_frame",
    ],
)  # fmt: skip
@pytest.mark.parametrize("file", ["T.json", "T.yaml"])
def test_names_of_what_is_needed(tmp_path: Path, name: str, file: str) -> None:
    for content in (PLACE.matrix.tolist(), parts(PLACE)):
        pose, notes = read_depth_extrinsics(written(tmp_path / file, {"model": "D435", name: content}))
        assert np.allclose(pose.matrix, PLACE.matrix) and notes == ()


@pytest.mark.parametrize("name", ["color_to_depth", "T_depth_color", "rgb2depth", "depth_T_rgb", "T_ir_image"])
def test_names_of_the_inverse_which_is_told(tmp_path: Path, name: str) -> None:
    for content in (PLACE.inverse().matrix.tolist(), parts(PLACE.inverse())):
        pose, (note,) = read_depth_extrinsics(written(tmp_path / "T.json", {name: content}))
        assert np.allclose(pose.matrix, PLACE.matrix)
        assert note == f"depth-extrinsics: {name} leads from the photograph's camera to that of depth, and was inverted"
    both = {name: PLACE.inverse().matrix.tolist(), "depth_to_color": PLACE.matrix.tolist()}
    assert read_depth_extrinsics(written(tmp_path / "T.json", both))[1] == ()


def test_files_without_such_a_name_are_read_as_before(tmp_path: Path) -> None:
    np.savetxt(tmp_path / "T.txt", PLACE.matrix)
    for path in (
        tmp_path / "T.txt",
        written(tmp_path / "T.json", PLACE.matrix.tolist()),
        written(tmp_path / "parts.json", parts(PLACE)),
    ):
        pose, notes = read_depth_extrinsics(path)
        assert np.allclose(pose.matrix, PLACE.matrix) and notes == ()


def test_a_refusal_names_the_keys_of_cameras_and_not_those_of_objects(tmp_path: Path) -> None:
    path = written(tmp_path / "T.json", {"T_a_b": PLACE.matrix.tolist()})
    with pytest.raises(
        DiffDopeError, match="depth-extrinsics file .*T.json: expected a 4 x 4 .*T_a_b; name it depth_to"
    ) as found:
        read_depth_extrinsics(path)
    assert "m2c" not in str(found.value)
    for spoilt in ([[1.0]], {"rotation": [1.0]}, 3, None, "text"):
        with pytest.raises(DiffDopeError, match="depth-extrinsics file .*depth_to_color"):
            read_depth_extrinsics(written(tmp_path / "T.json", {"depth_to_color": spoilt}))
