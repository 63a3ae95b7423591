#!/usr/bin/env bash
# pyrealsense2 2.59.1.11053: of a frame that rotation_filter turned, the principal point is a pixel aside.
#
# Cameras are mounted upright or on their heads, and rs.rotation_filter turns the picture by quarter turns and gives
# the frame a profile with intrinsics of its own. Pixels of a picture of W columns turned by 180 degrees go from x to W
# - 1 - x, in librealsense as everywhere the centre of the first pixel is 0. The new ppx is W - ppx, the new ppy H -
# ppy: one pixel too much in both, and in one of the two for a quarter turn. At 0.8 m with a focal length of 600 all
# points of a cloud are 1.3 mm aside, 1.9 mm by the diagonal, all to one side, and not as noise. Nor is that all: the
# points are those of a turned camera, and get_extrinsics_to of the frame's profile is what it was, so a point that is
# taken through it into the colour camera is half a metre off here. Nothing in the profile says that it was turned. No
# camera is needed: rs.software_device holds what is drawn here. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pyrealsense2==2.59.1.11053 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
import pyrealsense2 as rs

print("pyrealsense2", version("pyrealsense2"))
WIDTH, HEIGHT, FOCAL, CX, CY = 640, 480, 600.0, 331.2, 229.7
UNIT, WALL, NEAR = 1e-4, 0.8, 0.5  # metres
COLUMN, ROW = 60, 40  # a single near pixel
SHIFT = [0.015, 0.0, 0.0]


def stream(kind, number, form, size):
    lens = rs.intrinsics()
    lens.width, lens.height, lens.model, lens.coeffs = WIDTH, HEIGHT, rs.distortion.none, [0.0] * 5
    lens.fx, lens.fy, lens.ppx, lens.ppy = FOCAL, FOCAL, CX, CY
    video = rs.video_stream()
    video.type, video.index, video.uid, video.fmt, video.bpp = kind, 0, number, form, size
    video.width, video.height, video.fps, video.intrinsics = WIDTH, HEIGHT, 30, lens
    return video


device = rs.software_device()
sensors = device.add_sensor("depth"), device.add_sensor("colour")
sensors[0].add_read_only_option(rs.option.depth_units, UNIT)
profile = sensors[0].add_video_stream(stream(rs.stream.depth, 0, rs.format.z16, 2))
colour = sensors[1].add_video_stream(stream(rs.stream.color, 1, rs.format.rgb8, 3))
between = rs.extrinsics()
between.rotation, between.translation = np.eye(3).ravel().tolist(), SHIFT
profile.register_extrinsics_to(colour, between)
depth = np.full((HEIGHT, WIDTH), round(WALL / UNIT), np.uint16)
depth[ROW, COLUMN] = round(NEAR / UNIT)
queue = rs.frame_queue(1)
sensors[0].open(profile)
sensors[0].start(queue)
frame = rs.software_video_frame()
frame.pixels, frame.bpp, frame.stride = depth, 2, 2 * WIDTH
frame.timestamp, frame.frame_number, frame.domain = 33.0, 1, rs.timestamp_domain.hardware_clock
frame.profile, frame.depth_units = profile.as_video_stream_profile(), UNIT
sensors[0].on_video_frame(frame)
first = queue.wait_for_frame().as_depth_frame()


def turned(frame, degrees):
    by = rs.rotation_filter()
    by.set_option(rs.option.rotation, degrees)
    return by.process(frame).as_depth_frame()


def principal(frame):
    lens = frame.profile.as_video_stream_profile().intrinsics
    assert (lens.fx, lens.fy) == (FOCAL, FOCAL)
    return np.array([lens.ppx, lens.ppy])


def point(frame, row, column):
    vertices = np.asanyarray(rs.pointcloud().calculate(frame).get_vertices()).view(np.float32)
    return vertices.reshape(frame.height, frame.width, 3)[row, column].astype(float)


true = np.array([(COLUMN - CX) / FOCAL, (ROW - CY) / FOCAL, 1.0]) * NEAR
assert np.allclose(point(first, ROW, COLUMN), true, atol=1e-5)
for degrees, right, extra in (
    (90, (HEIGHT - 1 - CY, CX), (1.0, 0.0)),
    (180, (WIDTH - 1 - CX, HEIGHT - 1 - CY), (1.0, 1.0)),
    (-90, (CY, WIDTH - 1 - CX), (0.0, 1.0)),
):
    frame = turned(first, degrees)
    row, column = np.argwhere(np.asanyarray(frame.get_data()) == round(NEAR / UNIT))[0]
    c, s = round(np.cos(np.radians(degrees))), round(np.sin(np.radians(degrees)))
    R = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])  # of the picture: clockwise, as x is to the right and y down
    found = point(frame, row, column)
    aside = 1e3 * (found - R @ true) * WALL / NEAR
    off = aside[:2].round(2)
    print(f"{degrees} degrees: ppx, ppy {principal(frame).round(1)} for {np.round(right, 1)}; {off} mm aside at 0.8 m")
    assert np.allclose(principal(frame) - right, extra, atol=1e-3)
    assert np.allclose(aside[:2], -np.array(extra) * WALL / FOCAL * 1e3, atol=0.01)
    extrinsics = frame.profile.get_extrinsics_to(colour)
    assert np.allclose(extrinsics.rotation, np.eye(3).ravel()) and np.allclose(extrinsics.translation, SHIFT)
    moved = np.array(rs.rs2_transform_point_to_point(extrinsics, found.tolist()))
    far = np.linalg.norm(moved - (true + SHIFT))
    print(f"    taken through its extrinsics to the colour camera: {far:.2f} m off")
    assert far > 0.35
print("as found: one pixel aside, and the extrinsics of before")
PYTHON
