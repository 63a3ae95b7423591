#!/usr/bin/env bash
# open3d-cpu 0.20.0: a camera trajectory that is saved as .txt loses its first pose, as .log its camera.
#
# write_pinhole_camera_trajectory takes .json, .log and .txt, the last in TUM's form, one pose a line. Its first line
# is a comment that names the columns, and no end of line follows it: the first pose stands behind it in the comment.
# Whoever reads the file, Open3D too, has one pose fewer, and the second pose for the first frame, so each frame of a
# film has the pose of the next; those who have a time for each pose are right for all but one. A trajectory of one
# pose comes back empty. The function says True, and the numbers that are there are right. A .log keeps all poses, but
# no intrinsics: they come back as those of 640 x 480 and f = 525, whatever they were, with no warning. The .json keeps
# both. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check open3d-cpu==0.20.0 numpy==2.4.6 scipy==1.17.1
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import open3d as o3d
from scipy.spatial.transform import Rotation

o3d.utility.set_verbosity_level(o3d.utility.VerbosityLevel.Error)
print("open3d-cpu", version("open3d-cpu"))
CAMERA = o3d.camera.PinholeCameraIntrinsic(848, 480, 610.0, 612.0, 425.3, 238.7)


def world_to_camera(k):
    """A camera that goes 10 mm a frame and turns by a degree."""
    pose = np.eye(4)
    pose[:3, :3] = Rotation.from_rotvec(np.radians([0.0, k, 10.0])).as_matrix()
    pose[:3, 3] = (0.01 * k, 0.02, 0.8)
    return pose


def saved(name, number):
    """A trajectory of `number` poses as it comes back."""
    trajectory = o3d.camera.PinholeCameraTrajectory()
    frames = []
    for k in range(number):
        frame = o3d.camera.PinholeCameraParameters()
        frame.intrinsic, frame.extrinsic = CAMERA, world_to_camera(k)
        frames.append(frame)
    trajectory.parameters = frames
    assert o3d.io.write_pinhole_camera_trajectory(name, trajectory)
    return o3d.io.read_pinhole_camera_trajectory(name).parameters


for name in ("film.json", "film.log", "film.txt"):
    read = saved(name, 5)
    poses = [frame.extrinsic for frame in read]
    first = int(np.argmin([np.abs(poses[0] - world_to_camera(k)).max() for k in range(5)]))
    focal, width = read[0].intrinsic.get_focal_length()[0], read[0].intrinsic.width
    print(
        f"{name}: {len(poses)} of 5 poses; frame 0 has the pose of frame {first}; {width} pixels wide, f = {focal:.0f}"
    )
    assert all(np.allclose(pose, world_to_camera(first + k), atol=1e-5) for k, pose in enumerate(poses))
    assert (len(poses), first) == ((4, 1) if name == "film.txt" else (5, 0))
    assert (focal, width) == ((610.0, 848) if name == "film.json" else (525.0, 640))
lines = open("film.txt").read().splitlines()
print("first line of film.txt:", lines[0])
assert (
    len([line for line in lines if line]) == 5
    and lines[0].startswith("#")
    and len(lines[0].split("<qw>")[1].split()) == 8
)
assert len(saved("one.txt", 1)) == 0
print("as found: the first pose is in a comment, and a .log has no camera")
PYTHON
