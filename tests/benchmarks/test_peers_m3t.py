"""What the comparison with M3T hands to its driver and takes from it, with a stand-in for that."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers_m3t import Images, Step, followed, main
from diffdope.experiments.shapes import grid_box
from diffdope.geometry import so3
from diffdope.geometry.camera import Camera
from diffdope.geometry.pose import Pose
from diffdope.scene.mesh import Mesh

CAMERA = Camera(600.0, 601.0, 320.5, 240.25, 640, 480)
ECHO = """
import sys
words = open(sys.argv[1]).read().split()
vertices = [line for line in open(words[0]) if line.startswith("v ")]
assert words[1] == "1" and len(vertices) > 7 and words[4:8] == ["colours", "png", {depth!r}, "0.0001"], words
assert [float(word) for word in words[8:14]] == [600.0, 601.0, 320.5, 240.25, 640.0, 480.0], words
print("what a library says")
for k in range(int(words[14])):
    one = words[15 + 15 * k : 30 + 15 * k]
    print(one[0], 0.5 + int(one[1]), *one[3:])
"""


def stand_in(folder: Path, text: str) -> Path:
    """A program of a few lines of Python."""
    path = folder / "driver"
    path.write_text(f"#!{sys.executable}\n{text}")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("depth", [None, Path("depth")])
def test_frames_go_to_the_driver_and_poses_come_back(tmp_path: Path, depth: Path | None) -> None:
    mesh = Mesh(*grid_box(np.array([0.05, 0.06, 0.07]), 1))
    start = Pose(so3.exp(np.array([0.3, -0.2, 0.1])), np.array([0.01, 0.02, 0.5]))
    driver = stand_in(tmp_path, ECHO.format(depth=str(depth or "-")))
    images = Images(Path("colours"), "png", depth, 1e-4)
    poses, ms = followed(
        driver, mesh, CAMERA, images, [Step(3, start), Step(4, None)], folder=tmp_path, divides=2
    )  # fmt: skip
    assert ms == [1.5, 0.5]
    assert poses[0].angle_to(start) < 1e-7 and poses[0].distance_to(start) < 1e-9
    assert poses[1].angle_to(Pose.identity()) < 1e-9


def test_a_driver_that_fails_is_reported_with_what_it_said(tmp_path: Path) -> None:
    driver = stand_in(tmp_path, "import sys; sys.exit('no display')")
    mesh = Mesh(*grid_box(np.array([0.05, 0.06, 0.07]), 1))
    with pytest.raises(SystemExit, match="no display"):
        followed(
            driver, mesh, CAMERA, Images(tmp_path, "png", None), [Step(0, Pose.identity())], folder=tmp_path, divides=2
        )  # fmt: skip


def test_a_driver_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="nowhere is not there.*M3T"):
        main([str(tmp_path / "nowhere")])
