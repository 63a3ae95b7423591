#!/usr/bin/env bash
# rosbags-image 0.10.4: an Image whose rows are padded comes back sheared, with the padding in it, and its last rows are missing.
#
# sensor_msgs/Image has `step`, the length of a row in bytes, beside its width, for rows that are longer than their pixels: cameras
# and drivers that align rows to 4 or 64 bytes write such. message_to_cvimage leaves step out and takes pixels as they come. Of 498
# columns in rows of 500 bytes, each row goes aside by 2 pixels more than the one above: an upright pole leans by 63 degrees, the
# padding is a dark band (in depth, one without depth) across the picture, and its lowest rows are not there. Shape and type are
# right and nothing is said; widths that need no padding, as 640, come as they are. data.reshape(height, step)[:, :width * bytes]
# is the cure. Fails if any of this changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  rosbags==0.11.9 rosbags-image==0.10.4 opencv-python-headless==5.0.0.93 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import numpy as np
from rosbags.image import message_to_cvimage
from rosbags.typesys import Stores, get_typestore

print("rosbags-image", version("rosbags-image"))
types = get_typestore(Stores.ROS2_HUMBLE).types
header = types["std_msgs/msg/Header"](types["builtin_interfaces/msg/Time"](0, 0), "camera")
SIZE = 498


def read(picture, encoding, align):
    """A picture whose rows are aligned, as message_to_cvimage has it, as its rows are cut by step, and step."""
    rows = picture.view(np.uint8).reshape(SIZE, -1)
    length = rows.shape[1]
    step = -(-length // align) * align
    data = np.pad(rows, ((0, 0), (0, step - length))).ravel()
    message = types["sensor_msgs/msg/Image"](header, SIZE, SIZE, encoding, 0, step, data)
    cut = message.data.reshape(message.height, message.step)[:, :length].copy().view(picture.dtype).reshape(picture.shape)
    return message_to_cvimage(message), cut, step


def lean(picture):
    """Degrees that the upright pole leans by, over the first rows."""
    middles = [np.flatnonzero(row == picture.max()).mean() for row in picture[:15]]
    return float(np.degrees(np.arctan(np.polyfit(np.arange(15), middles, 1)[0])))


pole = np.full((SIZE, SIZE), 100, np.uint8)
pole[:, 20:30] = 250
depth = np.where(pole == 250, 800, 600).astype(np.uint16)
colour = np.repeat(pole[..., None], 3, 2)
for name, picture, encoding in (("grey", pole, "mono8"), ("depth", depth, "16UC1"), ("colour", colour, "rgb8")):
    for align in (1, 4, 64):
        found, cut, step = read(picture, encoding, align)
        same = np.array_equal(found, picture)
        print(f"{name}, rows of {step} bytes for {picture[0].nbytes}: as it was: {same}; zeros in it: {int((found == 0).sum())}")
        assert np.array_equal(cut, picture) and found.shape == picture.shape and found.dtype == picture.dtype
        assert same == (step == picture[0].nbytes) and (found == 0).any() != same
leans = lean(pole), lean(read(pole, "mono8", 4)[0])
print(f"the pole of the grey one leans by {abs(leans[0]):.0f} degrees, and with rows of 500 bytes by {leans[1]:.0f}")
assert abs(leans[0]) < 0.1 and 60.0 < leans[1] < 66.0
print("as found: step is not read")
PYTHON
