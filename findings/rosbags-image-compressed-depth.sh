#!/usr/bin/env bash
# rosbags-image 0.10.4: depth of a compressed topic loses its lower eight bits, with no warning.
#
# ROS's compressed_image_transport sends depth (16UC1, in mm) as a PNG of 16 bits, which loses nothing; its format says
# "16UC1; png compressed ". message_to_cvimage gives the same depth of a raw Image as uint16, and of that CompressedImage as
# uint8: what was 800 mm comes as 3. Taken for mm, all is within 25 cm; multiplied by 256, depth is in steps of 256 mm, each
# up to 255 mm short. A program that turns everything into float32 and metres does not notice. The PNG itself is whole: OpenCV
# reads it with IMREAD_UNCHANGED. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  rosbags-image==0.10.4 rosbags==0.11.9 opencv-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import cv2
import numpy as np
from rosbags.image import message_to_cvimage
from rosbags.typesys import Stores, get_typestore

print("rosbags-image", version("rosbags-image"))
types = get_typestore(Stores.ROS2_HUMBLE).types
header = types["std_msgs/msg/Header"](types["builtin_interfaces/msg/Time"](0, 0), "camera")
depth = np.linspace(500, 2000, 64 * 48).round().astype(np.uint16).reshape(48, 64)  # mm
bytes_of = np.frombuffer(depth.tobytes(), np.uint8)
raw = types["sensor_msgs/msg/Image"](header, 48, 64, "16UC1", 0, 128, bytes_of)
png = cv2.imencode(".png", depth)[1].ravel()
compressed = types["sensor_msgs/msg/CompressedImage"](header, "16UC1; png compressed ", png)

of_raw, of_compressed = message_to_cvimage(raw), message_to_cvimage(compressed)
for name, image in (("Image", of_raw), ("CompressedImage", of_compressed)):
    print(f"{name}: {image.dtype}, {image.min()} to {image.max()}, for {depth.min()} to {depth.max()} mm")
assert of_raw.dtype == np.uint16 and np.array_equal(of_raw, depth)
assert of_compressed.dtype == np.uint8 and of_compressed.shape == depth.shape
short = depth - 256.0 * of_compressed
print(f"times 256, it is short by {short.min():.0f} to {short.max():.0f} mm, {short.mean():.0f} in the mean")
assert short.min() >= 0 and short.max() == 255
assert np.array_equal(cv2.imdecode(png, cv2.IMREAD_UNCHANGED), depth)
print("as found: sixteen bits of depth come as eight")
PYTHON
