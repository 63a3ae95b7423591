"""Poses that are written come back through the readers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from diffdope.geometry.pose import Pose
from diffdope.io.pose_outputs import write_matrix, write_pose_files, write_scene_gt, write_tum
from diffdope.io.poses import read_start_pose, read_start_poses

POSE = Pose.from_wxyz_xyz([0.9, 0.1, -0.3, 0.2, 0.03, -0.02, 0.61])
OTHER = Pose.from_wxyz_xyz([0.2, 0.9, 0.1, 0.2, 0.05, 0.02, 0.7])


def test_they_come_back(tmp_path: Path) -> None:
    write_matrix(tmp_path / "pose.txt", POSE)
    assert np.array_equal(np.loadtxt(tmp_path / "pose.txt"), POSE.matrix)
    assert np.array_equal(read_start_pose(tmp_path / "pose.txt").matrix, POSE.matrix)
    write_scene_gt(tmp_path / "scene_gt.json", [(3, 1, POSE), (3, 2, OTHER), (5, 1, OTHER)])
    assert np.allclose(read_start_pose(tmp_path / "scene_gt.json", image_id=3, obj_id=2).matrix, OTHER.matrix)
    write_tum(tmp_path / "t.txt", [(0.0, POSE), (0.1, OTHER)])
    assert np.loadtxt(tmp_path / "t.txt").shape == (2, 8)
    back = read_start_poses(tmp_path / "t.txt").poses
    assert np.allclose(back[1].matrix, OTHER.matrix, atol=1e-8)
    write_pose_files(tmp_path, POSE, score=0.5, seconds=1.0, im_id=4, obj_id=0)
    for name in ("pose.txt", "pose.csv", "scene_gt.json"):
        assert np.allclose(read_start_pose(tmp_path / name).matrix, POSE.matrix, atol=1e-9)
