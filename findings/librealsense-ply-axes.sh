#!/usr/bin/env bash
# pyrealsense2 2.59.1.11053: points that are saved as PLY are half a turn away from the same points in memory.
#
# rs.pointcloud gives points in the camera's frame: x to the right, y downwards, z ahead. points.export_to_ply and
# rs.save_to_ply write x, -y and -z of them, and neither their help nor the header of the file says so. A model that is put
# in place in such a file has its pose in a frame whose z goes backwards, half a turn about x from the one that the same
# camera's intrinsics, extrinsics and depth images are in: taken for a pose in the camera, it is 2 m off at 1 m, behind the
# lens and upside down. No camera is needed: rs.software_device holds what is drawn here. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyrealsense2==2.59.1.11053 plyfile==1.1.5 numpy==2.4.6
cd "$work"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import pyrealsense2 as rs
from plyfile import PlyData

print("pyrealsense2", version("pyrealsense2"))
WIDTH, HEIGHT, FOCAL, CX, CY, UNIT = 320, 240, 300.0, 159.5, 119.5, 1e-4
lens = rs.intrinsics()
lens.width, lens.height, lens.model, lens.coeffs = WIDTH, HEIGHT, rs.distortion.none, [0.0] * 5
lens.fx, lens.fy, lens.ppx, lens.ppy = FOCAL, FOCAL, CX, CY
video = rs.video_stream()
video.type, video.index, video.uid, video.fmt, video.bpp = rs.stream.depth, 0, 0, rs.format.z16, 2
video.width, video.height, video.fps, video.intrinsics = WIDTH, HEIGHT, 30, lens
device = rs.software_device()
sensor = device.add_sensor("depth")
sensor.add_read_only_option(rs.option.depth_units, UNIT)
profile = sensor.add_video_stream(video)
queue = rs.frame_queue()
sensor.open(profile)
sensor.start(queue)

# A board to the right of the middle and below it, farther at its lower end.
depth = np.zeros((HEIGHT, WIDTH), np.uint16)
depth[130:200, 170:260] = (0.9 + 0.002 * np.arange(70)[:, None]) / UNIT
frame = rs.software_video_frame()
frame.pixels, frame.stride, frame.bpp, frame.timestamp, frame.frame_number = depth, 2 * WIDTH, 2, 1.0, 1
frame.domain, frame.profile, frame.depth_units = rs.timestamp_domain.hardware_clock, profile.as_video_stream_profile(), UNIT
sensor.on_video_frame(frame)
frame = queue.wait_for_frame()

points = rs.pointcloud().calculate(frame.as_depth_frame())
vertices = np.asanyarray(points.get_vertices()).view(np.float32).reshape(-1, 3).astype(float)
vertices = vertices[vertices[:, 2] > 0.0]
rows, columns = np.nonzero(depth)
z = UNIT * depth[rows, columns]
assert np.allclose(vertices, np.column_stack([(columns - CX) / FOCAL * z, (rows - CY) / FOCAL * z, z]), atol=1e-5)


def told(name, found):
    middle = found.mean(axis=0)
    print(f"{name}: middle at {np.round(1e3 * middle).astype(int).tolist()} mm")
    return middle


def read(path):
    ply = PlyData.read(path)
    vertex = ply["vertex"]
    assert not [line for line in (*ply.comments, *ply.obj_info) if any(word in line.lower() for word in ("axis", "axes", "gl"))]
    return np.column_stack([vertex["x"], vertex["y"], vertex["z"]]).astype(float)


points.export_to_ply("exported.ply", frame.as_video_frame())
save = rs.save_to_ply("saved.ply")
save.process(frame)
memory, exported, saved = told("get_vertices", vertices), read("exported.ply"), read("saved.ply")
for name, places in (("export_to_ply", exported), ("save_to_ply", saved)):
    middle = told(name, places)
    assert len(places) == len(vertices)
    assert np.abs(np.sort(places, axis=0) - np.sort(vertices * [1.0, -1.0, -1.0], axis=0)).max() < 1e-5
    off = np.linalg.norm(middle - memory)
    print(f"  {off:.2f} m from where it is")
    assert off > 1.9
print("help:", " ".join(rs.points.export_to_ply.__doc__.split("\n")[-2:]).strip())
print("as found: PLY files are x, -y and -z of the points")
PYTHON
