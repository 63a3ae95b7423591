#!/usr/bin/env bash
# pyrealsense2 2.59.1.11053: rs.align and rs.pointcloud leave most models of distortion out, or apply another one.
#
# A stream has intrinsics with a model and its coefficients, and rs2_project_point_to_pixel and
# rs2_deproject_pixel_to_point go by them. The two blocks that programs use in their place, align and pointcloud, do
# not. Where the colours have BROWN_CONRADY or INVERSE_BROWN_CONRADY, which devices report for theirs, depth comes
# aligned as if there were no distortion: 27 pixels aside towards a corner of a wide lens (k1 = -0.3), where the mask
# of an object has the depth of the table. With MODIFIED_BROWN_CONRADY it is as it should be, with KANNALA_BRANDT4 not.
# The texture coordinates of pointcloud are those of BROWN_CONRADY for all of the four. Depth that has BROWN_CONRADY
# itself becomes points without it, 58 mm aside at 1 m, and with INVERSE_BROWN_CONRADY points that are bent the wrong
# way, 102 mm aside. Nothing is said. Coefficients are small or zero in many devices, so it shows with wide lenses and
# with a calibration of one's own. No camera is needed: rs.software_device holds what is drawn here. Fails if any of
# this changes.
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
WIDTH, HEIGHT, FOCAL, CX, CY = 640, 480, 600.0, 319.5, 239.5
UNIT, WALL = 1e-4, 1.0  # metres
LENS = [-0.3, 0.1, 0.0, 0.0, 0.0]  # k1, k2, p1, p2, k3
COLUMN, ROW = 60, 40
BENT = ("brown_conrady", "inverse_brown_conrady", "modified_brown_conrady", "kannala_brandt4")


def stream(kind, number, form, size, model):
    lens = rs.intrinsics()
    lens.width, lens.height, lens.fx, lens.fy, lens.ppx, lens.ppy = WIDTH, HEIGHT, FOCAL, FOCAL, CX, CY
    lens.model, lens.coeffs = getattr(rs.distortion, model), LENS if model != "none" else [0.0] * 5
    video = rs.video_stream()
    video.type, video.index, video.uid, video.fmt, video.bpp = kind, 0, number, form, size
    video.width, video.height, video.fps, video.intrinsics = WIDTH, HEIGHT, 30, lens
    return video


def picture(pixels, profile, number):
    frame = rs.software_video_frame()
    frame.pixels, frame.bpp, frame.stride = pixels, pixels.nbytes // (WIDTH * HEIGHT), pixels.nbytes // HEIGHT
    frame.timestamp, frame.frame_number, frame.domain = 33.0 * number, number, rs.timestamp_domain.hardware_clock
    frame.profile, frame.depth_units = profile.as_video_stream_profile(), UNIT
    return frame


def pair(depth, of_depth="none", of_colour="none"):
    """A device, a depth and an empty colour frame of cameras in the same place, and the intrinsics of both."""
    device = rs.software_device()
    sensors = device.add_sensor("depth"), device.add_sensor("colour")
    sensors[0].add_read_only_option(rs.option.depth_units, UNIT)
    profiles = (
        sensors[0].add_video_stream(stream(rs.stream.depth, 0, rs.format.z16, 2, of_depth)),
        sensors[1].add_video_stream(stream(rs.stream.color, 1, rs.format.rgb8, 3, of_colour)),
    )
    between = rs.extrinsics()
    between.rotation, between.translation = np.eye(3).ravel().tolist(), [0.0, 0.0, 0.0]
    profiles[0].register_extrinsics_to(profiles[1], between)
    both = rs.syncer()
    device.create_matcher(rs.matchers.dlr_c)
    for sensor, profile in zip(sensors, profiles, strict=True):
        sensor.open(profile)
        sensor.start(both)
    for number in range(1, 20):
        sensors[0].on_video_frame(picture(depth, profiles[0], number))
        sensors[1].on_video_frame(picture(np.zeros((HEIGHT, WIDTH, 3), np.uint8), profiles[1], number))
        frames = both.wait_for_frames()
        if frames.size() == 2:
            return device, frames, [profile.as_video_stream_profile().intrinsics for profile in profiles]
    raise AssertionError("no pair of frames came")


# A patch of 5 x 5 pixels around one near the upper left corner.
depth = np.zeros((HEIGHT, WIDTH), np.uint16)
depth[ROW - 2 : ROW + 3, COLUMN - 2 : COLUMN + 3] = round(WALL / UNIT)
ray = [(COLUMN - CX) / FOCAL * WALL, (ROW - CY) / FOCAL * WALL, WALL]
by_brown = None
for model in BENT:
    device, frames, (_, lens) = pair(depth, of_colour=model)
    true = np.array(rs.rs2_project_point_to_pixel(lens, ray))
    by_brown = true if model == "brown_conrady" else by_brown
    aligned = np.asanyarray(rs.align(rs.stream.color).process(frames).get_depth_frame().get_data())
    place = np.argwhere(aligned).mean(axis=0)[::-1]
    cloud = rs.pointcloud()
    cloud.map_to(frames.get_color_frame())
    texture = np.asanyarray(cloud.calculate(frames.get_depth_frame()).get_texture_coordinates()).view(np.float32)
    texture = texture.reshape(HEIGHT, WIDTH, 2)[ROW, COLUMN] * [WIDTH, HEIGHT]
    off = np.linalg.norm(place - true), np.linalg.norm(texture - true)
    print(f"colours with {model}: aligned depth {off[0]:.1f} pixels off, texture coordinates {off[1]:.1f}")
    assert np.linalg.norm(texture - by_brown) < 0.05
    if model == "modified_brown_conrady":
        assert off[0] < 1.0 and off[1] < 0.1
    else:
        assert np.linalg.norm(place - [COLUMN, ROW]) < 1.0  # as without distortion
        assert off[0] > 20.0
    assert off[1] > 20.0 if model == "kannala_brandt4" else off[1] < 0.1

wall = np.full((HEIGHT, WIDTH), round(WALL / UNIT), np.uint16)
for model, least, most in (("brown_conrady", 50.0, 65.0), ("inverse_brown_conrady", 95.0, 110.0)):
    device, frames, (lens, _) = pair(wall, of_depth=model)
    vertices = np.asanyarray(rs.pointcloud().calculate(frames.get_depth_frame()).get_vertices()).view(np.float32)
    point = vertices.reshape(HEIGHT, WIDTH, 3)[ROW, COLUMN]
    true = np.array(rs.rs2_deproject_pixel_to_point(lens, [COLUMN, ROW], WALL))
    assert np.allclose(rs.rs2_project_point_to_pixel(lens, true.tolist()), [COLUMN, ROW], atol=0.01)
    off = 1e3 * np.linalg.norm(point - true)
    print(f"depth with {model}: the point is {off:.0f} mm from where rs2_deproject_pixel_to_point has it")
    assert least < off < most
    assert np.allclose(point, ray, atol=1e-4) == (model == "brown_conrady")
print("as found: one model of four in align, one for all in pointcloud")
PYTHON
