"""Poses of a robot's flange, as robots' programs write them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from diffdope.errors import DiffDopeError
from diffdope.geometry import so3
from diffdope.geometry.pose import Pose
from diffdope.io.flange_poses import read_flange_poses

POSES = [
    Pose(so3.exp(np.array([2.1, 0.4, -0.7])), np.array([0.4, -0.1, 0.6])),
    Pose(so3.exp(np.array([-0.3, 1.4, 0.2])), np.array([-0.2, 0.5, 0.3])),
]
PICTURES = ["000002", "000010"]


def message(pose: Pose) -> dict[str, Any]:
    w, x, y, z = pose.wxyz.tolist()
    position = dict(zip("xyz", pose.t_m2c.tolist(), strict=True))
    return {
        "header": {"frame_id": "base"},
        "pose": {"position": position, "orientation": {"w": w, "x": x, "y": y, "z": z}},
    }


def lines(first: str) -> str:
    rows = [[k, *pose.t_m2c, *np.roll(pose.wxyz, -1)] for k, pose in enumerate(POSES)]
    parted = "," if "," in first else " "
    return f"{first}\n" + "".join(parted.join(map(repr, map(float, row))) + "\n" for row in rows)


MATRICES = [pose.matrix.tolist() for pose in POSES]
FILES: dict[str, Any] = {
    "named.json": dict(zip(PICTURES, MATRICES, strict=True)), "listed.json": MATRICES,
    "messages.json": dict(zip(PICTURES, map(message, POSES), strict=True)),
    "echo.yaml": "---\n".join(yaml.safe_dump(message(pose)) for pose in POSES),
    "tum.txt": lines("# time tx ty tz qx qy qz qw"), "table.csv": lines("time,x,y,z,qx,qy,qz,qw"),
}  # fmt: skip


@pytest.mark.parametrize("name", [*FILES, "poses.npy"])
def test_flange_poses_are_read_from_every_form(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name == "poses.npy":
        np.save(path, MATRICES)
    else:
        path.write_text(FILES[name] if isinstance(FILES[name], str) else json.dumps(FILES[name]))
    found = read_flange_poses(path, PICTURES)
    assert np.array([pose.matrix for pose in found]) == pytest.approx(np.array(MATRICES))
    with pytest.raises(DiffDopeError, match="flange poses: expected"):
        read_flange_poses(path, [*PICTURES, "000011"])


def test_millimetres_are_refused(tmp_path: Path) -> None:
    far = [np.vstack([np.c_[pose.R_m2c, 1e3 * pose.t_m2c], [0, 0, 0, 1]]).tolist() for pose in POSES]
    (tmp_path / "a.json").write_text(json.dumps(far))
    with pytest.raises(DiffDopeError, match="flange pose of 000002: expected metres, .* got 728.0.*millimetres"):
        read_flange_poses(tmp_path / "a.json", PICTURES)


@pytest.mark.parametrize(
    "row", ["247.1,31.9,459.4,-26.2,10.3,50.1", "0.2 0.1 0.4 0.7 0.1 0.7 0.0", "x,y,z,roll,pitch,yaw"]
)
def test_what_a_controller_shows_is_asked_for_its_convention(row: str, tmp_path: Path) -> None:
    path = tmp_path / ("poses.csv" if "," in row else "poses.txt")
    path.write_text(f"{row}\n" * 3 if row[0] != "x" else f"{row}\n247.1,31.9,459.4,-26.2,10.3,50.1\n")
    with pytest.raises(DiffDopeError, match="^flange poses.*need a flange convention: ur, kuka, abb, fanuc$"):
        read_flange_poses(path, PICTURES)
