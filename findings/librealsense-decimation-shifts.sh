#!/usr/bin/env bash
# pyrealsense2 2.59.1.11053: points of a depth frame that went through decimation_filter lie aside of those before it.
#
# The filter is the first of librealsense's chain, makes a frame smaller by 2 to 8 and gives it intrinsics of its own, so that
# rs.pointcloud may be used as before. A new pixel stands for k x k old ones, whose middle is (k - 1) / 2 pixels beyond the first of
# them; the new ppx and ppy are the old divided by k, as if it were the first. With k = 8 and a focal length of 600 at 0.8 m,
# everything is 4.7 mm to the left and above: a plane that is seen at 45 degrees is 3.5 mm off, to one side, and not as
# noise. (ppx + 0.5) / k - 0.5 mends it. With k = 2 there is no middle either: of the four depths the second nearest is
# taken, so a wall that comes nearer to the right is 1 mm off and its mirror image right; with k = 3, the median of nine is fair.
# No camera is needed: rs.software_device holds what is drawn here. Fails if any of this changes.
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
UNIT, AT = 1e-4, 0.8  # metres
rows, columns = np.mgrid[:HEIGHT, :WIDTH]
rays = np.stack([(columns - CX) / FOCAL, (rows - CY) / FOCAL, np.ones((HEIGHT, WIDTH))], axis=-1)


def framed(depth):
    """A depth frame, and the device that must live as long."""
    lens = rs.intrinsics()
    lens.width, lens.height, lens.model, lens.coeffs = WIDTH, HEIGHT, rs.distortion.none, [0.0] * 5
    lens.fx, lens.fy, lens.ppx, lens.ppy = FOCAL, FOCAL, CX, CY
    video = rs.video_stream()
    video.type, video.index, video.uid, video.fmt, video.bpp = rs.stream.depth, 0, 0, rs.format.z16, 2
    video.width, video.height, video.fps, video.intrinsics = WIDTH, HEIGHT, 30, lens
    device, queue = rs.software_device(), rs.frame_queue(5)
    sensor = device.add_sensor("depth")
    sensor.add_read_only_option(rs.option.depth_units, UNIT)
    profile = sensor.add_video_stream(video)
    sensor.open(profile)
    sensor.start(queue)
    frame = rs.software_video_frame()
    frame.pixels, frame.bpp, frame.stride = np.round(depth / UNIT).astype(np.uint16), 2, 2 * WIDTH
    frame.timestamp, frame.frame_number, frame.domain = 33.0, 1, rs.timestamp_domain.hardware_clock
    frame.profile, frame.depth_units = profile.as_video_stream_profile(), UNIT
    sensor.on_video_frame(frame)
    return device, queue.wait_for_frame()


def by_library(frame):
    points = np.asanyarray(rs.pointcloud().calculate(frame).get_vertices()).view(np.float32).reshape(-1, 3)
    return points[points[:, 2] > 0.0]


def by_middle(frame, k):
    """Points with the principal point that the middles of k x k pixels have."""
    z = UNIT * np.asanyarray(frame.get_data()).astype(float)
    v, u = np.nonzero(z)
    z, centre = z[v, u], (np.array([CX, CY]) + 0.5) / k - 0.5
    return np.column_stack([(u - centre[0]) * z * k / FOCAL, (v - centre[1]) * z * k / FOCAL, z])


for direction in ([1, 0, -1], [-1, 0, -1], [0, 1, -1], [0, -1, -1]):
    normal = np.array(direction) / np.sqrt(2.0)
    side = normal[0] + normal[1]
    depth = AT * normal[2] / (rays @ normal)
    device, frame = framed(np.where((depth > 0.0) & (depth < 3.0), depth, 0.0))

    def off(points, normal=normal):
        """Millimetres off the plane, in the mean."""
        return 1e3 * float(np.mean(points @ normal) - AT * normal[2])

    print(f"normal {direction}: as it comes {off(by_library(frame.as_depth_frame())):+.2f} mm off")
    assert abs(off(by_library(frame.as_depth_frame()))) < 0.05
    for k in (2, 3, 4, 8):
        small = rs.decimation_filter(k).process(frame).as_depth_frame()
        lens = small.profile.as_video_stream_profile().intrinsics
        found, mended = off(by_library(small)), off(by_middle(small, k))
        print(
            f"  by {k}: ppx {lens.ppx:.3f}, of the middles {(CX + 0.5) / k - 0.5:.3f}; "
            f"{found:+.2f} mm off, with that of the middles {mended:+.2f}"
        )
        assert np.allclose([lens.ppx, lens.ppy], [CX / k, CY / k], atol=1e-3)
        if k == 2:
            assert (abs(found) < 0.05) if side > 0.0 else (found > 0.8)
        else:
            shift = 1e3 * 0.5 * (k - 1) * by_library(small)[:, 2].mean() / FOCAL
            assert abs(found + side * shift) < 0.15 * shift and abs(mended) < 0.1
print("as found: the intrinsics are those of the first pixel of each block")
PYTHON
