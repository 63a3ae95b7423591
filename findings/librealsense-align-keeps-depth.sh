#!/usr/bin/env bash
# pyrealsense2 2.59.1.11053: depth that rs.align brings to the colour camera keeps the numbers of the depth camera.
#
# align(stream.color) is said to give a depth image as though taken by the colour camera. Pixels are moved as they should be, by
# the extrinsics between the two. The depth that is written there is the old z, along the axis of the depth camera, and not z
# along that of the colour camera: with a turn of 1 degree between them, a surface 0.4 m aside is 7 mm off in z, and as it
# grows with the distance from the middle, the whole wall comes back turned by that degree; where one camera stands 20 mm in
# front of the other, everything is 20 mm off. Within one RealSense the turn is a part of a degree and hardly anything is in
# front, so it passes for noise; in a rig of two devices, or with another camera for the colours, it does not. Points of the
# depth camera (rs.pointcloud), taken through the extrinsics, are right. No camera is needed: rs.software_device holds what is
# drawn here. Fails if any of this changes.
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
UNIT, WALL = 1e-4, 1.0  # metres; the wall faces the depth camera


def stream(kind, number, form, size):
    lens = rs.intrinsics()
    lens.width, lens.height, lens.model, lens.coeffs = WIDTH, HEIGHT, rs.distortion.none, [0.0] * 5
    lens.fx, lens.fy, lens.ppx, lens.ppy = FOCAL, FOCAL, CX, CY
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


def pair(depth, R, t):
    """A depth frame with an empty colour frame, whose camera has p_colour = R p_depth + t."""
    device = rs.software_device()
    sensors = device.add_sensor("depth"), device.add_sensor("colour")
    sensors[0].add_read_only_option(rs.option.depth_units, UNIT)
    profiles = (
        sensors[0].add_video_stream(stream(rs.stream.depth, 0, rs.format.z16, 2)),
        sensors[1].add_video_stream(stream(rs.stream.color, 1, rs.format.rgb8, 3)),
    )
    between = rs.extrinsics()
    between.rotation, between.translation = R.T.ravel().tolist(), t.tolist()  # column by column
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
            found = profiles[0].get_extrinsics_to(profiles[1])
            assert np.allclose(rs.rs2_transform_point_to_point(found, [0.1, 0.2, 1.0]), R @ [0.1, 0.2, 1.0] + t, atol=1e-6)
            return device, frames
    raise AssertionError("no pair of frames came")


def about_y(degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])


def looked_at(name, degrees, t):
    """Millimetres in z at the left and right border, and degrees that the wall is turned by."""
    R, t = about_y(degrees), np.array(t)
    depth = np.full((HEIGHT, WIDTH), round(WALL / UNIT), np.uint16)
    device, frames = pair(depth, R, t)
    aligned = rs.align(rs.stream.color).process(frames).get_depth_frame()
    lens = aligned.profile.as_video_stream_profile().intrinsics
    assert (lens.ppx, lens.ppy, lens.fx) == (CX, CY, FOCAL)
    z = UNIT * np.asanyarray(aligned.get_data()).astype(float)
    rows, columns = np.nonzero(z)
    z = z[rows, columns]
    points = np.column_stack([(columns - CX) / FOCAL * z, (rows - CY) / FOCAL * z, z])
    rays = points / z[:, None]
    true = rays * (WALL + R[:, 2] @ t) / (rays @ R[:, 2])[:, None]  # on the wall, as the colour camera has it
    off = 1e3 * (points - true)[:, 2]
    left, right = (float(np.median(off[np.abs(columns - at) < 10])) for at in (80, 560))
    plane = np.linalg.lstsq(np.column_stack([points[:, :2], np.ones(len(z))]), z, rcond=None)[0]
    normal = np.array([-plane[0], -plane[1], 1.0]) / np.linalg.norm([plane[0], plane[1], 1.0])
    turned = np.degrees(np.arccos(min(1.0, abs(normal @ R[:, 2]))))
    print(f"{name}: {left:+.1f} mm in column 80, {right:+.1f} mm in column 560; the wall is turned by {turned:.2f} degrees")
    vertices = np.asanyarray(rs.pointcloud().calculate(frames.get_depth_frame()).get_vertices()).view(np.float32)
    mended = vertices.reshape(-1, 3).astype(float) @ R.T + t
    assert np.abs((mended - t) @ R[:, 2] - WALL).max() < 1e-4
    return left, right, turned


assert max(np.abs(looked_at("side by side, 15 mm", 0.0, [0.015, 0.0, 0.0]))) < 0.1
left, right, turned = looked_at("15 mm aside and 1 degree turned", 1.0, [0.015, 0.0, 0.0])
assert abs(turned - 1.0) < 0.1 and abs(abs(left) - 7.0) < 1.0 and abs(abs(right) - 7.0) < 1.0 and left * right < 0.0
left, right, turned = looked_at("20 mm behind", 0.0, [0.0, 0.0, 0.02])
assert abs(left + 20.0) < 0.2 and abs(right + 20.0) < 0.2
print("as found: the depth is the old one at a new place")
PYTHON
